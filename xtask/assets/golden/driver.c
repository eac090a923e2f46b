/* What libbpf would ask the kernel to load, without a kernel.
 *
 *   driver OBJECT...        VMLINUX_BTF=FILE names the kernel's types, KCONFIG=FILE its configuration
 *
 * bpf(2) is answered here: every feature that libbpf asks for is there, and every load succeeds. The file of the running kernel's
 * types is the one that the environment names. For each object:
 *
 *   OBJECT path
 *   MAP fd type key value entries flags extra name
 *   PROG type attach btf_id flags insns funcs lines name
 *   16 hexadecimal digits for each instruction, in the order of its bytes
 *   DONE open|load|ok microseconds
 *
 * libbpf's complaints go to the standard error.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/bpf.h>

long __real_syscall(long number, ...);

/* The object that is being loaded, and whether its maps were printed. */
static struct bpf_object *current;
static int maps_printed;

static int refuse(int error)
{
	errno = error;
	return -1;
}

static void print_maps(void)
{
	struct bpf_map *map;

	if (maps_printed)
		return;
	maps_printed = 1;
	bpf_object__for_each_map(map, current)
		printf("MAP %d %u %u %u %u %u %llu %.15s\n", bpf_map__fd(map), bpf_map__type(map), bpf_map__key_size(map),
		       bpf_map__value_size(map), bpf_map__max_entries(map), bpf_map__map_flags(map),
		       (unsigned long long)bpf_map__map_extra(map), bpf_map__name(map));
}

/* A load of one of the object's programs, told from libbpf's own experiments by the address of its instructions. */
static void print_program(const union bpf_attr *attr)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, current) {
		const unsigned char *byte = (const unsigned char *)bpf_program__insns(program);

		if ((unsigned long)byte != attr->insns)
			continue;
		print_maps();
		printf("PROG %u %u %u %u %u %u %u %s\n", attr->prog_type, attr->expected_attach_type, attr->attach_btf_id,
		       attr->prog_flags, attr->insn_cnt, attr->func_info_cnt, attr->line_info_cnt, bpf_program__name(program));
		for (unsigned int insn = 0; insn < attr->insn_cnt; insn++, putchar('\n'))
			for (int i = 0; i < 8; i++)
				printf("%02x", *byte++);
	}
}

static int load_program(const union bpf_attr *attr)
{
	/* This experiment wants to be refused, in these words. */
	if (!strcmp(attr->prog_name, "global_reloc")) {
		if (attr->log_buf && attr->log_size)
			snprintf((char *)(unsigned long)attr->log_buf, attr->log_size, "invalid access to map value pointer");
		return refuse(EACCES);
	}
	if (current)
		print_program(attr);
	return open("/dev/null", O_RDWR | O_CLOEXEC);
}

static int create_map(const union bpf_attr *attr)
{
	int fd = memfd_create("map", MFD_CLOEXEC);

	/* libbpf maps the values of some into its memory. */
	if (fd >= 0 && ftruncate(fd, 1ll << 33))
		return -1;
	/* Jump tables are no maps of the object. */
	if (current && attr->map_type == BPF_MAP_TYPE_INSN_ARRAY)
		printf("MAP %d %u %u %u %u %u %llu %.15s\n", fd, attr->map_type, attr->key_size, attr->value_size,
		       attr->max_entries, attr->map_flags, (unsigned long long)attr->map_extra, attr->map_name);
	return fd;
}

static int answer(long command, const union bpf_attr *attr)
{
	switch (command) {
	case BPF_PROG_LOAD:
		return load_program(attr);
	case BPF_MAP_CREATE:
		return create_map(attr);
	case BPF_BTF_LOAD:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case BPF_LINK_CREATE:
		/* Kernels that filter by process refuse process -1 before they look for the file. */
		return refuse(attr->link_create.uprobe_multi.pid == -1u ? EINVAL : EBADF);
	case BPF_BTF_GET_NEXT_ID:
	case BPF_PROG_GET_NEXT_ID:
	case BPF_MAP_GET_NEXT_ID:
	case BPF_OBJ_GET:
	case BPF_MAP_LOOKUP_ELEM:
		return refuse(ENOENT);
	case BPF_OBJ_GET_INFO_BY_FD:
		return refuse(EINVAL);
	case BPF_TOKEN_CREATE:
		return refuse(EPERM);
	default:
		return 0;
	}
}

long __wrap_syscall(long number, ...)
{
	va_list list;
	long args[6];

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		args[i] = va_arg(list, long);
	va_end(list);
	if (number == SYS_bpf)
		return answer(args[0], (const union bpf_attr *)args[1]);
	return __real_syscall(number, args[0], args[1], args[2], args[3], args[4], args[5]);
}

/* libbpf looks for the kernel's types in one place only. */
static const char *instead_of(const char *path)
{
	const char *types = getenv("VMLINUX_BTF");

	return types && !strcmp(path, "/sys/kernel/btf/vmlinux") ? types : path;
}

int __real_faccessat(int directory, const char *path, int mode, int flags);
int __wrap_faccessat(int directory, const char *path, int mode, int flags)
{
	return __real_faccessat(directory, instead_of(path), mode, flags);
}

int __real_open64(const char *path, int flags, mode_t mode);
int __wrap_open64(const char *path, int flags, mode_t mode)
{
	return __real_open64(instead_of(path), flags, mode);
}

static int complain(enum libbpf_print_level level, const char *format, va_list list)
{
	return level == LIBBPF_DEBUG ? 0 : vfprintf(stderr, format, list);
}

static char *read_text(const char *path)
{
	static char text[1 << 20];
	FILE *file = path ? fopen(path, "r") : NULL;

	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static long microseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static const char *load(const char *path, const char *kconfig)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .kconfig = kconfig);
	struct bpf_object *object = bpf_object__open_file(path, &options);
	struct bpf_program *program;
	int error;

	if (!object)
		return "open";
	bpf_object__for_each_program(program, object)
		if (bpf_program__type(program) == BPF_PROG_TYPE_UNSPEC)
			bpf_program__set_type(program, BPF_PROG_TYPE_XDP);
	current = object;
	maps_printed = 0;
	error = bpf_object__load(object);
	current = NULL;
	bpf_object__close(object);
	return error ? "load" : "ok";
}

int main(int count, char **paths)
{
	const char *kconfig = read_text(getenv("KCONFIG"));

	libbpf_set_print(complain);
	for (int i = 1; i < count; i++) {
		long start;
		const char *outcome;

		printf("OBJECT %s\n", paths[i]);
		fprintf(stderr, "OBJECT %s\n", paths[i]);
		start = microseconds();
		outcome = load(paths[i], kconfig);
		printf("DONE %s %ld\n", outcome, microseconds() - start);
		fflush(stdout);
	}
	return 0;
}
