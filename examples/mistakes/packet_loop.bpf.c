/* The loop ends where the packet ends, and nothing else bounds it. */
#include "../bpf.h"

LICENSE("GPL");

SEC("xdp")
int sum(struct xdp_md *ctx)
{
	unsigned char *p = (void *)(long)ctx->data;
	unsigned char *end = (void *)(long)ctx->data_end;
	u32 s = 0;
	while (p + 1 <= end) {
		s += *p;
		p++;
	}
	return s & 1 ? XDP_PASS : XDP_DROP;
}
