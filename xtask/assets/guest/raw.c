/* Bare instructions, handed to the kernel as they are. */
#define _GNU_SOURCE
#include "guest.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned hex_digit(char letter)
{
	return letter <= '9' ? letter - '0' : (letter | 32) - 'a' + 10;
}

void make_map(const struct job *job)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int wanted = atoi(job->field[1]), inner = atoi(job->field[7]), fd;

	options.map_flags = strtoul(job->field[6], NULL, 16);
	if (inner >= 0)
		options.inner_map_fd = inner;
	fd = bpf_map_create(atoi(job->field[2]), "guest", atoi(job->field[3]), atoi(job->field[4]), atoi(job->field[5]), &options);
	if (fd < 0) {
		printf("guest: no map of kind %s: %s\n", job->field[2], strerror(errno));
		return;
	}
	dup2(fd, wanted);
	close(fd);
}

static unsigned char *from_hex(const char *hex, size_t digits)
{
	unsigned char *bytes = malloc(digits / 2 + 1);

	if (!bytes)
		abort();
	for (size_t i = 0; i < digits / 2; i++)
		bytes[i] = hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]);
	return bytes;
}

/* What a program brings with it; all of it is closed after the load. */
static int types[64], type_count, map_count;

static void make_types(const char *list)
{
	const char *end;

	for (; *list && *list != '-' && type_count < 64; list = *end ? end + 1 : end) {
		unsigned char *bytes;

		end = list + strcspn(list, ";");
		bytes = from_hex(list, end - list);
		types[type_count++] = bpf_btf_load(bytes, (end - list) / 2, NULL);
		free(bytes);
	}
}

static void make_own_maps(const char *list)
{
	unsigned kind, key, value, entries, flags, key_type, value_type;
	int inner, own, fd;

	while (*list && *list != '-' && map_count < 64) {
		LIBBPF_OPTS(bpf_map_create_opts, options);

		if (sscanf(list, "%u,%u,%u,%u,%x,%d,%d,%u,%u", &kind, &key, &value, &entries, &flags, &inner, &own, &key_type, &value_type) != 9)
			break;
		options.map_flags = flags;
		if (inner >= 0)
			options.inner_map_fd = OWN_MAPS + inner;
		if (own >= 0 && own < type_count) {
			options.btf_fd = types[own];
			options.btf_key_type_id = key_type;
			options.btf_value_type_id = value_type;
		}
		/* A map that cannot be had is missing; the kernel will say so of the program. */
		fd = bpf_map_create(kind, "guest", key, value, entries, &options);
		if (fd >= 0) {
			dup2(fd, OWN_MAPS + map_count);
			close(fd);
		}
		map_count++;
		list += strcspn(list, ";");
		list += *list == ';';
	}
}

static void close_own(void)
{
	while (map_count)
		close(OWN_MAPS + --map_count);
	while (type_count)
		close(types[--type_count]);
}

/* The program's functions, from the third item of a list on. */
static unsigned read_functions(const char *list, struct bpf_func_info *functions, unsigned most)
{
	unsigned count = 0;

	for (int skipped = 0; *list; list += *list == ',') {
		if (skipped++ >= 2 && count < most &&
		    sscanf(list, "%u:%u", &functions[count].insn_off, &functions[count].type_id) == 2)
			count++;
		list += strcspn(list, ",");
	}
	return count;
}

void load_raw(const struct job *job)
{
	size_t digits = strcmp(job->field[8], "-") ? strlen(job->field[8]) : 0;
	unsigned char *bytes = from_hex(job->field[8], digits);
	struct outcome outcome = { .reached = true, .insns = digits / 16 };
	struct bpf_func_info functions[64] = {};
	unsigned attach_to = 0;
	union bpf_attr attr;
	int fd = -1, own = -1;

	drop_caps(job->field[4]);
	make_types(job->field[10]);
	make_own_maps(job->field[9]);
	sscanf(job->field[11], "%u,%d", &attach_to, &own);
	/* The kernel gives up with EAGAIN when a signal is pending; that is no verdict. */
	for (int tries = 0; tries < 5; tries++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = atoi(job->field[6]);
		attr.expected_attach_type = atoi(job->field[7]);
		attr.insns = (unsigned long)bytes;
		attr.insn_cnt = outcome.insns;
		attr.license = (unsigned long)"GPL";
		attr.log_level = atoi(job->field[3]);
		attr.log_buf = attr.log_level ? (unsigned long)log_buffer : 0;
		attr.log_size = attr.log_level ? LOG_SIZE : 0;
		attr.prog_flags = strtoul(job->field[2], NULL, 16);
		attr.attach_btf_id = attach_to;
		if (own >= 0 && own < type_count)
			attr.prog_btf_fd = types[own];
		attr.func_info_cnt = read_functions(job->field[11], functions, 64);
		if (attr.func_info_cnt) {
			attr.func_info = (unsigned long)functions;
			attr.func_info_rec_size = sizeof(functions[0]);
		}
		log_buffer[0] = 0;
		fd = syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof(attr));
		outcome.error = fd < 0 ? errno : 0;
		if (outcome.error != EAGAIN)
			break;
	}
	restore_caps();
	record(job, &outcome);
	if (fd >= 0)
		close(fd);
	close_own();
	free(bytes);
}
