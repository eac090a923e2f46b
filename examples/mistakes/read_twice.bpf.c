/* The index is checked, and then read from memory again. */
#include "../bpf.h"

LICENSE("GPL");

struct table { u32 v[16]; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct table);
} tables SEC(".maps");
volatile u32 want;

SEC("xdp")
int look(struct xdp_md *ctx)
{
	u32 zero = 0;
	struct table *t = bpf_map_lookup_elem(&tables, &zero);
	if (!t)
		return XDP_PASS;
	if (want < 16)
		return t->v[want];
	return XDP_PASS;
}
