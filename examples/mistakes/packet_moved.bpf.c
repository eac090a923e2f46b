/* A call moves the packet, and a pointer from before is used after it. */
#include "../bpf.h"

LICENSE("GPL");

static long (*const bpf_xdp_adjust_head)(struct xdp_md *, int) = (void *)44;

SEC("xdp")
int push(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	unsigned char *end = (void *)(long)ctx->data_end;
	if (data + 14 > end)
		return XDP_PASS;
	if (bpf_xdp_adjust_head(ctx, -4))
		return XDP_DROP;
	data[0] = 1;
	return XDP_PASS;
}
