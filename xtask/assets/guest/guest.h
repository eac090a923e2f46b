/* The one program of a guest kernel: it boots as init, loads the eBPF programs that its plan names, and reports each load.
 *
 * The plan is a text, one job a line, fields divided by tabs:
 *
 *   map  FD  KIND  KEY  VALUE  ENTRIES  FLAGS  INNER-FD     a map that raw programs find at this descriptor
 *   raw  ID  FLAGS  LOG-LEVEL  CAPS  LOG-BYTES  TYPE  ATTACH-TYPE  HEX  MAPS  TYPES  EXTRA
 *   obj  ID  FLAGS  LOG-LEVEL  CAPS  LOG-BYTES  FILE  PROGRAM  OPTIONS  ALSO  BTF
 *
 * MAPS are the program's own, divided by `;`, at descriptors from 1000 on: KIND,KEY,VALUE,ENTRIES,FLAGS,INNER,TYPES,KEY-TYPE,VALUE-TYPE
 * where INNER and TYPES are places in the lists, or -1. TYPES are hexadecimal BTF, divided by `;`. EXTRA is the BTF id of what is
 * attached to, the place of the program's own types or -1, and OFFSET:ID of each function, divided by commas.
 *
 * FLAGS are hexadecimal; CAPS is `all`, or the mask of what is kept of the capabilities that eBPF asks for. ALSO lists programs
 * that are loaded with the one in question; `-` stands for nothing. OPTIONS may hold `f`: repair what only the test's own user
 * space would fill in (sizes of maps, types of programs).
 *
 * Each job yields one line of JSON. The guest knows nothing of expectations: whoever wrote the plan compares. */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>

enum { FIELDS = 12, OWN_MAPS = 1000, LOG_SIZE = 64 << 20 };

struct job {
	const char *field[FIELDS];
	int fields;
};

/* What became of one load. */
struct outcome {
	bool reached;        /* the kernel was asked to load the program */
	int error;           /* errno of that, or of what failed before */
	const char *stage;   /* where it ended when the kernel was never asked */
	const char *remark;  /* the loader's first complaint */
	unsigned insns;      /* instructions that the kernel was given */
};

/* The verifier writes here; big enough for kernels that refuse a log that does not fit. */
extern char *log_buffer;

/* Directory of the files that the plan names. */
extern const char *inputs;

/* Runs every job of `plan`, with `workers` at a time, writing records to `out`. */
void run_jobs(char *plan, int out, int workers, int seconds);

void make_map(const struct job *job);
void load_raw(const struct job *job);
void load_object(const struct job *job);

/* Has libbpf find out, with all capabilities, what this kernel can do: it asks once for each process and remembers, so that a job's
 * answer would else depend on who asked first. */
void probe_features(void);

/* Gives up the capabilities that eBPF asks for, but for those of `caps`; takes them back. */
void drop_caps(const char *caps);
void restore_caps(void);

void record_to(int out);
void record(const struct job *job, const struct outcome *outcome);
void record_death(const struct job *job, const char *verdict);

char *read_file(const char *directory, const char *name, size_t *size);

#endif
