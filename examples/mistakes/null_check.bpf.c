/* What a look-up returns is used without asking whether it found anything. */
#include "../bpf.h"

LICENSE("GPL");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, u32);
	__type(value, u64);
} hits SEC(".maps");

SEC("xdp")
int count(struct xdp_md *ctx)
{
	u32 key = ctx->ingress_ifindex;
	u64 *n = bpf_map_lookup_elem(&hits, &key);
	*n += 1;
	return XDP_PASS;
}
