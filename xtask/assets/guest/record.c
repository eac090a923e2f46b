/* One line of JSON for each job. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int out = -1;
static char *line;
static size_t length, room;

static void reserve(size_t more)
{
	if (length + more < room)
		return;
	room = (length + more) * 2;
	line = realloc(line, room);
	if (!line)
		abort();
}

static void put(const char *format, ...)
{
	va_list arguments;

	reserve(256);
	va_start(arguments, format);
	length += vsnprintf(line + length, 256, format, arguments);
	va_end(arguments);
}

static void put_text(const char *text, size_t size)
{
	reserve(size * 6 + 2);
	line[length++] = '"';
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = text[i];

		if (byte == '"' || byte == '\\') {
			line[length++] = '\\';
			line[length++] = byte;
		} else if (byte < ' ' || byte > '~') {
			length += sprintf(line + length, "\\u%04x", byte);
		} else {
			line[length++] = byte;
		}
	}
	line[length++] = '"';
}

/* Workers share the way out: a line is written under a lock that all of them know. */
static void finish(void)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int key = open("/tmp/out.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	size_t done = 0;

	reserve(1);
	line[length++] = '\n';
	fcntl(key, F_SETLKW, &lock);
	while (done < length) {
		ssize_t wrote = write(out, line + done, length - done);

		if (wrote > 0)
			done += wrote;
		else if (wrote < 0 && errno != EINTR && errno != EAGAIN)
			break;
	}
	close(key);
	length = 0;
}

void record_to(int descriptor)
{
	/* Out of the way of the descriptors that programs name. */
	out = fcntl(descriptor, F_DUPFD_CLOEXEC, 900);
}

void record(const struct job *job, const struct outcome *outcome)
{
	size_t kept = strtoul(job->field[5], NULL, 10), size = outcome->reached ? strlen(log_buffer) : 0;
	const char *log = log_buffer;

	if (size > kept) {
		log += size - kept;
		size = kept;
	}
	put("{\"id\":%s,\"verdict\":\"%s\"", job->field[1], !outcome->reached ? "na" : outcome->error ? "fail" : "ok");
	put(",\"errno\":%d,\"insns\":%u,\"stage\":\"%s\",\"remark\":", outcome->error, outcome->insns,
	    outcome->reached ? "verifier" : outcome->stage);
	put_text(outcome->remark ? outcome->remark : "", outcome->remark ? strlen(outcome->remark) : 0);
	put(",\"log\":");
	put_text(log, size);
	put("}");
	finish();
}

void record_death(const struct job *job, const char *verdict)
{
	if (job->fields < 2)
		return;
	put("{\"id\":%s,\"verdict\":\"%s\",\"errno\":0,\"insns\":0,\"stage\":\"loader\",\"remark\":\"\",\"log\":\"\"}", job->field[1], verdict);
	finish();
}
