/* Each round of the loop splits the paths twice, and what they differ in is kept. */
#include "../bpf.h"

LICENSE("GPL");

struct table { u8 v[64]; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct table);
} tables SEC(".maps");

SEC("xdp")
int match(struct xdp_md *ctx)
{
	u32 zero = 0, a = 0, b = 0;
	struct table *t = bpf_map_lookup_elem(&tables, &zero);
	if (!t)
		return XDP_PASS;
	for (int i = 0; i < 64; i++) {
		if (t->v[i] & 1)
			a += i;
		if (t->v[i] & 2)
			b += a;
	}
	return t->v[(a + b) & 63] ? XDP_PASS : XDP_DROP;
}
