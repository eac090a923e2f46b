/* The filter of socket_filter.bpf.c with one line forgotten: long questions have no bucket. */
#include "bpf.h"

LICENSE("GPL");

#define BUCKETS 16
#define DNS 53

/* How many questions there were of each length, in steps of 32 bytes. */
u64 histogram[BUCKETS];

SEC("socket")
int dns_questions(struct __sk_buff *skb)
{
	struct iphdr ip;
	struct udphdr udp;
	u32 bucket;

	/* Before a socket, a packet is not in one piece: it is copied out, part by part. */
	if (skb->protocol != htons(ETH_P_IP) || bpf_skb_load_bytes(skb, sizeof(struct ethhdr), &ip, sizeof(ip)))
		return 0;
	if (ip.protocol != IPPROTO_UDP)
		return 0;
	if (bpf_skb_load_bytes(skb, sizeof(struct ethhdr) + ip.ihl * 4, &udp, sizeof(udp)))
		return 0;
	if (udp.dest != htons(DNS))
		return 0;

	bucket = ntohs(udp.len) / 32;
	__sync_fetch_and_add(&histogram[bucket], 1);

	/* As many bytes as the socket is to see: all. */
	return skb->len;
}
