/* A firewall at the network card: TCP packets from blocked addresses are dropped, and those to protected ports counted. */
#include "bpf.h"

LICENSE("GPL");

/* Set by user space before the program is loaded; constants from then on. */
const volatile u16 protected_port = 22;
const volatile u8 drop_blocked = 1;

/* Addresses that are blocked, each with the number of packets that came from it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 10240);
	__type(key, u32);
	__type(value, u64);
} blocked SEC(".maps");

enum counter { SEEN, DROPPED, PROTECTED, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, u32);
	__type(value, u64);
} counters SEC(".maps");

static noinline void count(u32 which)
{
	u64 *counter = bpf_map_lookup_elem(&counters, &which);

	if (counter)
		*counter += 1;
}

/* Whether the address is blocked; if it is, the packet is counted against it. */
static noinline int is_blocked(u32 address)
{
	u64 *packets = bpf_map_lookup_elem(&blocked, &address);

	if (!packets)
		return 0;
	__sync_fetch_and_add(packets, 1);
	return 1;
}

SEC("xdp")
int firewall(struct xdp_md *ctx)
{
	void *data = (void *)(long)ctx->data;
	void *end = (void *)(long)ctx->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip;
	struct tcphdr *tcp;

	if ((void *)(eth + 1) > end || eth->h_proto != htons(ETH_P_IP))
		return XDP_PASS;

	ip = (void *)(eth + 1);
	if ((void *)(ip + 1) > end || ip->ihl < 5 || ip->protocol != IPPROTO_TCP)
		return XDP_PASS;

	tcp = (void *)ip + ip->ihl * 4;
	if ((void *)(tcp + 1) > end)
		return XDP_PASS;

	count(SEEN);
	if (tcp->dest == htons(protected_port))
		count(PROTECTED);
	if (is_blocked(ip->saddr) && drop_blocked) {
		count(DROPPED);
		return XDP_DROP;
	}
	return XDP_PASS;
}
