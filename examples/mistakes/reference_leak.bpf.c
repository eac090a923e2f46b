/* One way out of the program forgets what was reserved. */
#include "../bpf.h"

LICENSE("GPL");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

SEC("xdp")
int tell(struct xdp_md *ctx)
{
	u32 *e = bpf_ringbuf_reserve(&events, 4, 0);
	if (!e)
		return XDP_PASS;
	if (ctx->rx_queue_index > 3)
		return XDP_DROP;
	*e = ctx->rx_queue_index;
	bpf_ringbuf_submit(e, 0);
	return XDP_PASS;
}
