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

void load_raw(const struct job *job)
{
	const char *hex = job->field[8];
	size_t size = strlen(hex) / 2;
	unsigned char *bytes = malloc(size + 1);
	struct outcome outcome = { .reached = true, .insns = size / 8 };
	union bpf_attr attr;
	int fd = -1;

	if (!bytes)
		abort();
	for (size_t i = 0; i < size; i++)
		bytes[i] = hex_digit(hex[2 * i]) << 4 | hex_digit(hex[2 * i + 1]);
	drop_caps(job->field[4]);
	/* The kernel gives up with EAGAIN when a signal is pending; that is no verdict. */
	for (int tries = 0; tries < 5; tries++) {
		memset(&attr, 0, sizeof(attr));
		attr.prog_type = atoi(job->field[6]);
		attr.expected_attach_type = atoi(job->field[7]);
		attr.insns = (unsigned long)bytes;
		attr.insn_cnt = size / 8;
		attr.license = (unsigned long)"GPL";
		attr.log_level = atoi(job->field[3]);
		attr.log_buf = attr.log_level ? (unsigned long)log_buffer : 0;
		attr.log_size = attr.log_level ? LOG_SIZE : 0;
		attr.prog_flags = strtoul(job->field[2], NULL, 16);
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
	free(bytes);
}
