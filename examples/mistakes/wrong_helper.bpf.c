/* The helper is for tracing programs. */
#include "../bpf.h"

LICENSE("GPL");

static long (*const bpf_probe_read)(void *, u32, const void *) = (void *)4;

SEC("xdp")
int who(struct xdp_md *ctx)
{
	u32 v = 0;
	bpf_probe_read(&v, 4, (void *)(long)bpf_get_current_pid_tgid());
	return v ? XDP_PASS : XDP_DROP;
}
