/* Runs the jobs of a plan so that one that hangs or crashes its loader costs only itself. */
#define _GNU_SOURCE
#include "guest.h"

#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

char *log_buffer;

static struct job *jobs;
static int count;

static void split(char *plan)
{
	char *line, *lines, *field, *fields;
	int room = 0;

	for (line = strtok_r(plan, "\n", &lines); line; line = strtok_r(NULL, "\n", &lines)) {
		if (count == room) {
			room = room ? room * 2 : 1024;
			jobs = realloc(jobs, room * sizeof(*jobs));
			if (!jobs)
				abort();
		}
		memset(&jobs[count], 0, sizeof(*jobs));
		for (field = strtok_r(line, "\t", &fields); field; field = strtok_r(NULL, "\t", &fields))
			if (jobs[count].fields < FIELDS)
				jobs[count].field[jobs[count].fields++] = field;
		count++;
	}
}

static bool is(const struct job *job, const char *verb, int fields)
{
	return job->fields >= fields && !strcmp(job->field[0], verb);
}

/* Takes the jobs `from`, `from + step`, …; the place of the current one is visible to the parent. */
static void work(int from, int step, volatile int *current, int seconds)
{
	int i;

	probe_features();
	for (i = 0; i < count; i++)
		if (is(&jobs[i], "map", 8))
			make_map(&jobs[i]);
	for (i = from; i < count; i += step) {
		*current = i;
		alarm(seconds);
		if (is(&jobs[i], "raw", 12))
			load_raw(&jobs[i]);
		else if (is(&jobs[i], "obj", 11))
			load_object(&jobs[i]);
		alarm(0);
	}
	_exit(0);
}

static void supervise(int from, int step, int seconds)
{
	volatile int *current = mmap(NULL, sizeof(*current), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t child;

	while (from < count) {
		*current = from;
		child = fork();
		if (!child)
			work(from, step, current, seconds);
		if (child < 0 || waitpid(child, &status, 0) != child || !WIFSIGNALED(status))
			break;
		record_death(&jobs[*current], WTERMSIG(status) == SIGALRM ? "timeout" : "crash");
		from = *current + step;
	}
	_exit(0);
}

void run_jobs(char *plan, int out, int workers, int seconds)
{
	struct rlimit everything = { RLIM_INFINITY, RLIM_INFINITY }, descriptors = { 2 * OWN_MAPS, 2 * OWN_MAPS };
	int i;

	setrlimit(RLIMIT_MEMLOCK, &everything);
	setrlimit(RLIMIT_NOFILE, &descriptors);
	log_buffer = mmap(NULL, LOG_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (log_buffer == MAP_FAILED)
		return;
	record_to(out);
	split(plan);
	for (i = 0; i < workers; i++)
		if (!fork())
			supervise(i, workers, seconds);
	while (wait(NULL) > 0)
		;
}

static struct __user_cap_data_struct before[2];

static int caps(long call, struct __user_cap_data_struct *sets)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };

	return syscall(call, &header, sets);
}

void drop_caps(const char *kept)
{
	unsigned long long asked = 1ull << CAP_SYS_ADMIN | 1ull << CAP_NET_ADMIN | 1ull << CAP_PERFMON | 1ull << CAP_BPF;
	struct __user_cap_data_struct now[2];

	if (!strcmp(kept, "all"))
		return;
	asked &= ~strtoull(kept, NULL, 16);
	if (caps(SYS_capget, before))
		return;
	memcpy(now, before, sizeof(now));
	now[0].effective &= ~(unsigned)asked;
	now[1].effective &= ~(unsigned)(asked >> 32);
	caps(SYS_capset, now);
}

void restore_caps(void)
{
	if (before[0].permitted)
		caps(SYS_capset, before);
}
