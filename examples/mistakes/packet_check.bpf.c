/* The check is for one byte less than what is read. */
#include "../bpf.h"

LICENSE("GPL");

SEC("xdp")
int proto(struct xdp_md *ctx)
{
	unsigned char *data = (void *)(long)ctx->data;
	unsigned char *end = (void *)(long)ctx->data_end;
	if (data + 13 > end)
		return XDP_PASS;
	if (data[12] == 8 && data[13] == 0)
		return XDP_DROP;
	return XDP_PASS;
}
