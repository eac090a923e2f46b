/* Watches processes exit: which, whose child, and how. Where the fields lie differs between kernels; the loader finds them. */
#include "bpf.h"

LICENSE("GPL");

/* Only what is looked at has to be declared, in any order: the kernel's own types say where it is. */
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct {
	int exit_code;
	int tgid;
	struct task_struct *real_parent;
	char comm[16];
};

/* Kernels before 5.14 called the state of a task by this name. */
struct task_struct___before_5_14 {
	long state;
};

struct task_struct___since_5_14 {
	unsigned int __state;
};

#pragma clang attribute pop

struct exit {
	s32 pid;
	s32 parent;
	s32 code;
	u32 state;
	char comm[16];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 * 1024);
} exits SEC(".maps");

#define FIELD_EXISTS 2
#define exists(field) __builtin_preserve_field_info(field, FIELD_EXISTS)

/* Reads a field of the kernel's memory. */
#define read(to, from) bpf_probe_read_kernel(&(to), sizeof(to), &(from))

static inline u32 state_of(void *task)
{
	struct task_struct___since_5_14 *now = task;
	struct task_struct___before_5_14 *old = task;
	long state = 0;

	if (exists(now->__state)) {
		u32 narrow = 0;

		read(narrow, now->__state);
		return narrow;
	}
	read(state, old->state);
	return state;
}

SEC("kprobe/do_exit")
int report_exit(void *ctx)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = 0;
	struct exit *exit = bpf_ringbuf_reserve(&exits, sizeof(*exit), 0);

	if (!exit)
		return 0;
	read(exit->pid, task->tgid);
	read(exit->code, task->exit_code);
	read(exit->comm, task->comm);
	read(parent, task->real_parent);
	read(exit->parent, parent->tgid);
	exit->state = state_of(task);
	bpf_ringbuf_submit(exit, 0);
	return 0;
}
