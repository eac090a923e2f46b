/* Decides which addresses the processes of a control group may connect to, and sends their DNS to a resolver of ours. */
#include "bpf.h"

LICENSE("GPL");

#define DNS 53
#define SOCK_DGRAM 2

/* Addresses in network order; set by user space before the program is loaded. */
const volatile u32 resolver = 0x3500007f; /* 127.0.0.53 */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, u32);
	__type(value, u8);
} forbidden SEC(".maps");

enum { REFUSE, ALLOW };

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	u32 address = ctx->user_ip4;

	if (ctx->type == SOCK_DGRAM && ctx->user_port == htons(DNS)) {
		ctx->user_ip4 = resolver;
		return ALLOW;
	}
	return bpf_map_lookup_elem(&forbidden, &address) ? REFUSE : ALLOW;
}
