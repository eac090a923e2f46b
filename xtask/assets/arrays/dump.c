/* Prints the kernel's older verifier tests, arrays of instructions in `verifier/*.c`, one a line of JSON.
 *
 * The kernel's own `test_verifier.c` is included whole at build time, so that its arrays, its generators of large programs and its
 * fix-ups of maps are what they are. Only what it would ask of a kernel is answered here: a map gets a number, and its description
 * is remembered. Instructions then name maps by FIRST_MAP plus their place in the test's list. */
#define main static __attribute__((unused)) kernels_own_main
#include "test_verifier.c"
#undef main

enum { FIRST_MAP = 1000, MOST = 64 };

struct description {
	unsigned kind, key, value, entries, flags, key_type, value_type;
	int inner, types;
};

static struct description maps[MOST];
static struct { unsigned char *bytes; size_t size; } types[MOST];
static int map_count, type_count;

/* What the tests ask of a kernel. */

int bpf_map_create(enum bpf_map_type kind, const char *name, __u32 key, __u32 value, __u32 entries,
		   const struct bpf_map_create_opts *opts)
{
	struct description *map = &maps[map_count];

	(void)name;
	if (map_count == MOST)
		abort();
	*map = (struct description){ .kind = kind, .key = key, .value = value, .entries = entries, .inner = -1, .types = -1 };
	if (opts) {
		map->flags = opts->map_flags;
		map->key_type = opts->btf_key_type_id;
		map->value_type = opts->btf_value_type_id;
		if (opts->inner_map_fd)
			map->inner = opts->inner_map_fd - FIRST_MAP;
		if (opts->btf_fd)
			map->types = opts->btf_fd - FIRST_MAP;
	}
	return FIRST_MAP + map_count++;
}

int bpf_btf_load(const void *bytes, size_t size, struct bpf_btf_load_opts *opts)
{
	(void)opts;
	if (type_count == MOST || !(types[type_count].bytes = malloc(size)))
		abort();
	memcpy(types[type_count].bytes, bytes, size);
	types[type_count].size = size;
	return FIRST_MAP + type_count++;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	(void)fd, (void)key, (void)value, (void)flags;
	return 0;
}

int bpf_prog_load(enum bpf_prog_type type, const char *name, const char *licence, const struct bpf_insn *insns, size_t count,
		  struct bpf_prog_load_opts *opts)
{
	(void)type, (void)name, (void)licence, (void)insns, (void)count, (void)opts;
	/* Nothing is closed that matters: descriptors of programs are not looked at. */
	return FIRST_MAP - 1;
}

/* Functions of the kernel are reported by name; whoever has the kernel's types finds their numbers. */
struct btf *btf__load_vmlinux_btf(void)
{
	return (struct btf *)maps;
}

__s32 btf__find_by_name_kind(const struct btf *btf, const char *name, __u32 kind)
{
	(void)btf, (void)name, (void)kind;
	return 1;
}

/* Reached only where a map or a function is missing, which here none is. */
int libbpf_probe_bpf_map_type(enum bpf_map_type kind, const void *opts)
{
	(void)kind, (void)opts;
	return 1;
}

int cap_enable_effective(__u64 caps, __u64 *old)
{
	(void)caps, (void)old;
	return 0;
}

int cap_disable_effective(__u64 caps, __u64 *old)
{
	(void)caps, (void)old;
	return 0;
}

static void text(const char *key, const char *value)
{
	printf(",\"%s\":", key);
	if (!value) {
		printf("null");
		return;
	}
	putchar('"');
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			putchar('\\');
		if ((unsigned char)*value < ' ')
			printf("\\u%04x", *value);
		else
			putchar(*value);
	}
	putchar('"');
}

static void hex(const char *key, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	printf("%s\"", key);
	while (size--)
		printf("%02x", *byte++);
	putchar('"');
}

static void print_maps(void)
{
	printf(",\"maps\":[");
	for (int i = 0; i < map_count; i++) {
		const struct description *map = &maps[i];

		printf("%s{\"kind\":%u,\"key\":%u,\"value\":%u,\"entries\":%u,\"flags\":%u,\"inner\":%d,\"types\":%d", i ? "," : "",
		       map->kind, map->key, map->value, map->entries, map->flags, map->inner, map->types);
		printf(",\"key_type\":%u,\"value_type\":%u}", map->key_type, map->value_type);
	}
	printf("],\"types\":[");
	for (int i = 0; i < type_count; i++) {
		hex(i ? "," : "", types[i].bytes, types[i].size);
		free(types[i].bytes);
	}
	printf("]");
}

static const char *result(int value)
{
	return value == REJECT ? "reject" : value == VERBOSE_ACCEPT ? "verbose-accept" : "accept";
}

static void print_test(struct bpf_test *test, const char *file)
{
	enum bpf_prog_type type = test->prog_type ? test->prog_type : BPF_PROG_TYPE_SOCKET_FILTER;
	int fds[MAX_NR_MAPS], unused[2] = { -1, -1 }, own_types = -1;
	struct bpf_insn *insns = test->insns;
	unsigned flags = 0;
	int count, i;

	map_count = type_count = 0;
	memset(fds, 0xff, sizeof(fds));
	do_test_fixup(test, type, insns, fds, unused);
	if (test->fill_insns) {
		insns = test->fill_insns;
		count = test->prog_len;
	} else {
		count = probe_filter_length(insns);
	}
	if (test->btf_types[0])
		own_types = load_btf_for_test(test) - FIRST_MAP;
	if (test->flags & F_LOAD_WITH_STRICT_ALIGNMENT)
		flags |= BPF_F_STRICT_ALIGNMENT;
	if (test->flags & F_NEEDS_EFFICIENT_UNALIGNED_ACCESS)
		flags |= BPF_F_ANY_ALIGNMENT;
	if (test->flags & ~3)
		flags |= test->flags;
	printf("{\"program_type\":%u,\"attach_type\":%u,\"flags\":%u", type, test->expected_attach_type, flags);
	text("file", file);
	text("name", test->descr);
	text("result", result(test->result));
	text("message", test->errstr);
	text("unpriv_result", test_as_unpriv(test) ? result(test->result_unpriv ? test->result_unpriv : test->result) : NULL);
	text("unpriv_message", test->errstr_unpriv ? test->errstr_unpriv : test->errstr);
	text("attach_to", test->kfunc);
	printf(",\"processed\":%u,\"own_types\":%d,\"functions\":[", test->insn_processed, own_types);
	for (i = 0; i < test->func_info_cnt; i++)
		printf("%s[%u,%u]", i ? "," : "", test->func_info[i].insn_off, test->func_info[i].type_id);
	printf("],\"kfuncs\":[");
	for (i = 0; i < MAX_FIXUPS && test->fixup_kfunc_btf_id[i].kfunc; i++)
		printf("%s[%d,\"%s\"]", i ? "," : "", test->fixup_kfunc_btf_id[i].insn_idx, test->fixup_kfunc_btf_id[i].kfunc);
	printf("]");
	print_maps();
	hex(",\"insns\":", insns, count * sizeof(*insns));
	printf("}\n");
	free(test->fill_insns);
}

int main(void)
{
	const char *file = "";

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
		/* A file's tests follow an entry that only names it. */
		if (!strncmp(tests[i].descr, "file:", 5))
			file = tests[i].descr + 5;
		else
			print_test(&tests[i], file);
	}
	return fflush(stdout) != 0;
}
