/* The header has a variable length, and the bounds are checked before it is added. */
#include "../bpf.h"

LICENSE("GPL");

SEC("xdp")
int ihl(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	unsigned char *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = (void *)(data + 14);
	if ((void *)(ip + 1) > (void *)end)
		return XDP_PASS;
	u32 len = ip->ihl * 4;
	u16 *port = (void *)((unsigned char *)ip + len);
	return *port == 22 ? XDP_DROP : XDP_PASS;
}
