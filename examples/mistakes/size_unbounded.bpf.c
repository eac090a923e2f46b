/* The size is what the packet says that it is. */
#include "../bpf.h"

LICENSE("GPL");

struct event { u32 len; char data[64]; };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct event);
} events SEC(".maps");

SEC("tc")
int copy(struct __sk_buff *skb)
{
	u32 zero = 0;
	struct event *e = bpf_map_lookup_elem(&events, &zero);
	if (!e)
		return 0;
	u32 len = skb->len;
	e->len = len;
	bpf_skb_load_bytes(skb, 0, e->data, len);
	return 0;
}
