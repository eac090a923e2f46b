/* The index has an upper bound, and can be negative. */
#include "../bpf.h"

LICENSE("GPL");

struct table { u64 v[16]; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct table);
} tables SEC(".maps");

SEC("xdp")
int look(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct table *t = bpf_map_lookup_elem(&tables, &zero);
	if (!t)
		return XDP_PASS;
	int i = ctx->ingress_ifindex - 1;
	if (i < 16)
		t->v[i] = 1;
	return XDP_PASS;
}
