/* Marks outgoing packets by what they are, so that the queueing discipline can treat them by their mark. */
#include "bpf.h"

LICENSE("GPL");

/* Classes, by UDP or TCP port; user space fills them in. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 256);
	__type(key, u16);
	__type(value, u32);
} class_of_port SEC(".maps");

struct statistics {
	u64 packets;
	u64 bytes;
};

/* Traffic of each class. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 64);
	__type(key, u32);
	__type(value, struct statistics);
} traffic SEC(".maps");

static noinline void account(u32 class, u32 bytes)
{
	struct statistics first = { .packets = 1, .bytes = bytes };
	struct statistics *known = bpf_map_lookup_elem(&traffic, &class);

	if (known) {
		__sync_fetch_and_add(&known->packets, 1);
		__sync_fetch_and_add(&known->bytes, bytes);
	} else {
		bpf_map_update_elem(&traffic, &class, &first, 0);
	}
}

SEC("tc")
int classify(struct __sk_buff *skb)
{
	void *data = (void *)(long)skb->data;
	void *end = (void *)(long)skb->data_end;
	struct ethhdr *eth = data;
	struct iphdr *ip = data + sizeof(*eth);
	struct udphdr *ports;
	u16 port;
	u32 *class;

	if ((void *)(ip + 1) > end || eth->h_proto != htons(ETH_P_IP))
		return TC_ACT_OK;
	if (ip->ihl < 5 || (ip->protocol != IPPROTO_TCP && ip->protocol != IPPROTO_UDP))
		return TC_ACT_OK;

	/* Both protocols begin with their ports. */
	ports = (void *)ip + ip->ihl * 4;
	if ((void *)(ports + 1) > end)
		return TC_ACT_OK;

	port = ntohs(ports->dest);
	class = bpf_map_lookup_elem(&class_of_port, &port);
	if (!class)
		return TC_ACT_OK;

	skb->mark = *class;
	account(*class, skb->len);
	return TC_ACT_OK;
}
