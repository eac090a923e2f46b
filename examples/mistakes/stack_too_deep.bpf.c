/* Two functions are fine alone, and use too much stack together. */
#include "../bpf.h"

LICENSE("GPL");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} hits SEC(".maps");

static noinline int helper(struct xdp_md *ctx)
{
	char buf[400];
	for (int i = 0; i < 400; i++)
		buf[i] = ctx->rx_queue_index;
	u64 *v = bpf_map_lookup_elem(&hits, buf);
	return v ? 1 : 0;
}
SEC("xdp")
int deep(struct xdp_md *ctx)
{
	char buf[300];
	for (int i = 0; i < 300; i++)
		buf[i] = ctx->ingress_ifindex;
	int r = helper(ctx);
	u64 *v = bpf_map_lookup_elem(&hits, buf + r);
	return v ? XDP_PASS : XDP_DROP;
}
