/* One program of an object file, loaded by libbpf as a test's own user space would.
 *
 * libbpf's calls of bpf(2) pass through here: the load that carries our log buffer is the one in question, whatever libbpf makes
 * of its result. */
#define _GNU_SOURCE
#include "guest.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "libbpf_internal.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct outcome outcome;
static char remark[512];

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

long __wrap_syscall(long number, ...)
{
	long argument[6], result;
	va_list arguments;

	va_start(arguments, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(arguments, long);
	va_end(arguments);
	result = __real_syscall(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
	if (number == SYS_bpf && argument[0] == BPF_PROG_LOAD) {
		union bpf_attr *attr = (void *)argument[1];

		if (attr->log_buf == (unsigned long)log_buffer) {
			int error = errno;

			outcome.reached = true;
			outcome.error = result < 0 ? error : 0;
			outcome.insns = attr->insn_cnt;
			errno = error;
		}
	}
	return result;
}

/* Keeps the first complaint that says something. */
static int listen(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN || remark[0])
		return 0;
	vsnprintf(remark, sizeof(remark), format, arguments);
	remark[strcspn(remark, "\n")] = 0;
	return 0;
}

static bool listed(const char *names, const char *name)
{
	size_t length = strlen(name);
	const char *at;

	for (at = names; (at = strstr(at, name)); at += length)
		if ((at == names || at[-1] == ',') && (!at[length] || at[length] == ','))
			return true;
	return false;
}

/* Kinds of map that may be created without privilege; the tests of unprivileged loads skip the others. */
static bool unprivileged_kind(const struct bpf_map *map)
{
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_HASH_OF_MAPS:
		return !(bpf_map__map_flags(map) & BPF_F_ZERO_SEED);
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
	case BPF_MAP_TYPE_ARRAY_OF_MAPS:
	case BPF_MAP_TYPE_PROG_ARRAY:
	case BPF_MAP_TYPE_CGROUP_ARRAY:
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		return true;
	default:
		return false;
	}
}

static void default_size(struct bpf_map *map, unsigned key, unsigned value, unsigned entries)
{
	if (key && !bpf_map__key_size(map))
		bpf_map__set_key_size(map, key);
	if (value && !bpf_map__value_size(map))
		bpf_map__set_value_size(map, value);
	if (!bpf_map__max_entries(map))
		bpf_map__set_max_entries(map, entries);
}

/* Sizes that user space sets before it loads; any will do to have the program verified. */
static void repair_map(struct bpf_map *map)
{
	bpf_map__set_pin_path(map, NULL);
	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_SK_STORAGE:
	case BPF_MAP_TYPE_TASK_STORAGE:
	case BPF_MAP_TYPE_INODE_STORAGE:
	case BPF_MAP_TYPE_CGRP_STORAGE:
	case BPF_MAP_TYPE_CGROUP_STORAGE:
	case BPF_MAP_TYPE_PERCPU_CGROUP_STORAGE:
		break;
	case BPF_MAP_TYPE_STACK_TRACE:
		default_size(map, 4, 127 * 8, 1024);
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		default_size(map, 4, 4, 1);
		break;
	case BPF_MAP_TYPE_RINGBUF:
	case BPF_MAP_TYPE_USER_RINGBUF:
		default_size(map, 0, 0, 4096);
		break;
	default:
		default_size(map, 0, 0, 1);
	}
}

/* Contexts by the type of the argument: what a replacement of a function is verified as when there is nothing to replace. */
static const struct {
	const char *argument;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
} contexts[] = {
	{ "__sk_buff", BPF_PROG_TYPE_SCHED_CLS, 0 },
	{ "xdp_md", BPF_PROG_TYPE_XDP, BPF_XDP },
	{ "bpf_sock", BPF_PROG_TYPE_CGROUP_SOCK, BPF_CGROUP_INET4_POST_BIND },
	{ "bpf_sock_addr", BPF_PROG_TYPE_CGROUP_SOCK_ADDR, BPF_CGROUP_INET4_BIND },
	{ "bpf_sock_ops", BPF_PROG_TYPE_SOCK_OPS, BPF_CGROUP_SOCK_OPS },
	{ "sk_msg_md", BPF_PROG_TYPE_SK_MSG, BPF_SK_MSG_VERDICT },
	{ "bpf_cgroup_dev_ctx", BPF_PROG_TYPE_CGROUP_DEVICE, BPF_CGROUP_DEVICE },
	{ "bpf_sysctl", BPF_PROG_TYPE_CGROUP_SYSCTL, BPF_CGROUP_SYSCTL },
	{ "bpf_sockopt", BPF_PROG_TYPE_CGROUP_SOCKOPT, BPF_CGROUP_SETSOCKOPT },
	{ "sk_reuseport_md", BPF_PROG_TYPE_SK_REUSEPORT, BPF_SK_REUSEPORT_SELECT_OR_MIGRATE },
	{ "bpf_sk_lookup", BPF_PROG_TYPE_SK_LOOKUP, BPF_SK_LOOKUP },
	{ "bpf_nf_ctx", BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER },
};

static const struct btf_type *plain(const struct btf *btf, unsigned id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (type && btf_is_mod(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

static void repair_type(const struct bpf_object *object, struct bpf_program *program)
{
	const struct btf *btf = bpf_object__btf(object);
	const struct btf_type *type;
	const char *name;
	int id;

	if (bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC) {
		bool xdp = strstr(bpf_program__section_name(program), "xdp");

		bpf_program__set_type(program, xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SOCKET_FILTER);
		return;
	}
	if (bpf_program__type(program) != BPF_PROG_TYPE_EXT || !btf)
		return;
	id = btf__find_by_name_kind(btf, bpf_program__name(program), BTF_KIND_FUNC);
	type = id > 0 ? btf__type_by_id(btf, btf__type_by_id(btf, id)->type) : NULL;
	if (!type || !btf_is_func_proto(type) || btf_vlen(type) != 1)
		return;
	type = plain(btf, btf_params(type)[0].type);
	type = type && btf_is_ptr(type) ? plain(btf, type->type) : NULL;
	name = type ? btf__name_by_offset(btf, type->name_off) : "";
	for (size_t i = 0; i < sizeof(contexts) / sizeof(*contexts); i++) {
		if (strcmp(contexts[i].argument, name))
			continue;
		bpf_program__set_type(program, contexts[i].type);
		bpf_program__set_expected_attach_type(program, contexts[i].attach);
	}
}

static void load(const struct job *job, struct bpf_object *object)
{
	const char *name = job->field[7], *options = job->field[8], *also = job->field[9];
	bool privileged = !strcmp(job->field[4], "all");
	struct bpf_program *program, *wanted = NULL;
	struct bpf_map *map;
	int error;

	bpf_object__for_each_program(program, object) {
		bool this = !strcmp(bpf_program__name(program), name);

		if (this)
			wanted = program;
		bpf_program__set_autoload(program, this || listed(also, bpf_program__name(program)));
	}
	if (!wanted) {
		outcome.stage = "no such program";
		return;
	}
	bpf_object__for_each_map(map, object) {
		if (strchr(options, 'f'))
			repair_map(map);
		if (!privileged)
			bpf_map__set_autocreate(map, unprivileged_kind(map));
	}
	if (strchr(options, 'f'))
		repair_type(object, wanted);
	bpf_program__set_flags(wanted, bpf_program__flags(wanted) | strtoul(job->field[2], NULL, 16));
	bpf_program__set_log_level(wanted, atoi(job->field[3]));
	bpf_program__set_log_buf(wanted, log_buffer, LOG_SIZE);
	error = bpf_object__load(object);
	if (!outcome.reached) {
		outcome.stage = "libbpf";
		outcome.error = -error;
	}
}

void probe_features(void)
{
	for (int feature = 0; feature < __FEAT_CNT; feature++)
		feat_supported(NULL, feature);
}

void load_object(const struct job *job)
{
	LIBBPF_OPTS(bpf_object_open_opts, options);
	char *bytes, custom[512], called[64];
	struct bpf_object *object;
	size_t size;

	memset(&outcome, 0, sizeof(outcome));
	remark[0] = log_buffer[0] = 0;
	outcome.remark = remark;
	outcome.stage = "open";
	libbpf_set_print(listen);
	bytes = read_file(inputs, job->field[6], &size);
	if (!bytes) {
		outcome.error = errno;
		record(job, &outcome);
		return;
	}
	/* Internal maps are named after the object, and the log names maps. */
	snprintf(called, sizeof(called), "%.*s", (int)strcspn(job->field[6], "."), job->field[6]);
	options.object_name = called;
	if (strcmp(job->field[10], "-")) {
		snprintf(custom, sizeof(custom), "%s/%s", inputs, job->field[10]);
		options.btf_custom_path = custom;
	}
	drop_caps(job->field[4]);
	object = bpf_object__open_mem(bytes, size, &options);
	if (object)
		load(job, object);
	else
		outcome.error = errno;
	restore_caps();
	record(job, &outcome);
	bpf_object__close(object);
	free(bytes);
}
