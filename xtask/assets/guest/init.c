/* The first process: gives the kernel a world in which eBPF programs load, finds the plan and the way out, and powers off. */
#define _GNU_SOURCE
#include "guest.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <termios.h>
#include <unistd.h>

const char *inputs = "/in";

static void attach(const char *kind, const char *where)
{
	mkdir(where, 0755);
	/* Older or smaller kernels lack some of these; what needs them will say so. */
	(void)mount("none", where, kind, 0, NULL);
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		if (write(fd, value, strlen(value)) < 0)
			printf("guest: cannot set %s\n", path);
		close(fd);
	}
}

char *read_file(const char *directory, const char *name, size_t *size)
{
	char path[512];
	struct stat about;
	size_t have = 0;
	ssize_t got;
	char *bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return NULL;
	if (fstat(fd, &about) || !(bytes = malloc(about.st_size + 1))) {
		close(fd);
		return NULL;
	}
	while (have < (size_t)about.st_size && (got = read(fd, bytes + have, about.st_size - have)) > 0)
		have += got;
	close(fd);
	bytes[have] = 0;
	if (size)
		*size = have;
	return bytes;
}

/* The serial port that the host gave the name `out`. */
static int find_port(void)
{
	const char *ports = "/sys/class/virtio-ports";
	char name[300], *text;
	struct dirent *entry;
	DIR *directory;
	int out = -1;

	directory = opendir(ports);
	while (directory && out < 0 && (entry = readdir(directory))) {
		snprintf(name, sizeof(name), "%s/name", entry->d_name);
		text = read_file(ports, name, NULL);
		if (text && !strncmp(text, "out", 3)) {
			snprintf(name, sizeof(name), "/dev/%s", entry->d_name);
			out = open(name, O_WRONLY);
		}
		free(text);
	}
	if (directory)
		closedir(directory);
	return out;
}

/* The second serial line, for kernels whose driver for the port is a module; slower. */
static int open_line(void)
{
	int out = open("/dev/ttyS1", O_WRONLY | O_NOCTTY);
	struct termios line;

	if (out >= 0 && !tcgetattr(out, &line)) {
		cfmakeraw(&line);
		tcsetattr(out, TCSANOW, &line);
	}
	return out;
}

static int number(const char *variable, int otherwise)
{
	const char *text = getenv(variable);

	return text ? atoi(text) : otherwise;
}

int main(void)
{
	const char *where = "/";
	struct utsname kernel;
	char *plan;
	int out;

	attach("proc", "/proc");
	attach("sysfs", "/sys");
	attach("devtmpfs", "/dev");
	attach("tmpfs", "/tmp");
	attach("bpf", "/sys/fs/bpf");
	attach("debugfs", "/sys/kernel/debug");
	attach("tracefs", "/sys/kernel/tracing");
	attach("cgroup2", "/sys/fs/cgroup");
	set("/proc/sys/kernel/unprivileged_bpf_disabled", "0");
	set("/proc/sys/kernel/kptr_restrict", "0");
	if (getenv("GUEST_HOSTFS")) {
		mkdir("/host", 0755);
		if (mount("none", "/host", "hostfs", 0, NULL))
			perror("guest: hostfs");
		where = "/host";
		inputs = "/host/in";
		out = open("/host/out", O_WRONLY | O_APPEND);
	} else {
		out = find_port();
		if (out < 0)
			out = open_line();
	}
	uname(&kernel);
	printf("guest: ready %s\n", kernel.release);
	fflush(stdout);
	plan = read_file(where, "plan", NULL);
	if (plan && out >= 0)
		run_jobs(plan, out, number("GUEST_WORKERS", 1), number("GUEST_SECONDS", 120));
	else
		printf("guest: %s\n", plan ? "no way out" : "no plan");
	printf("guest: done\n");
	fflush(stdout);
	if (out >= 0)
		tcdrain(out);
	sync();
	reboot(RB_POWER_OFF);
	return 0;
}
