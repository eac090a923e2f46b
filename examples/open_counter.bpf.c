/* Counts the files that each process opens, and reports every opening through a ring buffer. */
#include "bpf.h"

LICENSE("GPL");

struct event {
	u64 time;
	u32 pid;
	s32 flags;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 256 * 1024);
} events SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, u64);
} opened SEC(".maps");

/* Reports that found no room. */
u64 lost;

/* What the tracepoint hands over; /sys/kernel/tracing/events/syscalls/sys_enter_openat/format tells. */
struct sys_enter_openat {
	u64 common;
	s64 syscall;
	u64 dfd;
	const char *filename;
	u64 flags;
	u64 mode;
};

SEC("tracepoint/syscalls/sys_enter_openat")
int count_open(struct sys_enter_openat *ctx)
{
	u32 pid = bpf_get_current_pid_tgid() >> 32;
	u64 one = 1, *known;
	struct event *event;

	known = bpf_map_lookup_elem(&opened, &pid);
	if (known)
		*known += 1;
	else
		bpf_map_update_elem(&opened, &pid, &one, 0);

	event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	if (!event) {
		__sync_fetch_and_add(&lost, 1);
		return 0;
	}
	event->time = bpf_ktime_get_ns();
	event->pid = pid;
	event->flags = ctx->flags;
	bpf_get_current_comm(event->comm, sizeof(event->comm));
	bpf_ringbuf_submit(event, 0);
	return 0;
}
