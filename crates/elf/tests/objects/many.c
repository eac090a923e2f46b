/* A little of everything that has to be linked. */
#define SEC(name) __attribute__((section(name), used))
#define __hidden __attribute__((visibility("hidden")))
#define noinline __attribute__((noinline))
#define __uint(name, number) int (*name)[number]
#define __type(name, type) typeof(type) *name
#define __array(name, type) typeof(type) *name[]

typedef unsigned int u32;
typedef unsigned long long u64;

struct inner {
	__uint(type, 2);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, u64);
} one SEC(".maps");

struct {
	__uint(type, 12);
	__uint(max_entries, 4);
	__uint(key_size, 4);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &one } };

int tail(void *ctx);

struct {
	__uint(type, 3);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { (void *)tail } };

struct bpf_timer {
	u64 opaque[2];
} __attribute__((aligned(8)));

struct bpf_spin_lock {
	u32 val;
};

/* A pointer to a kernel object must be to a structure that is known. */
struct task_struct {
	int pid;
};

struct value {
	u64 count;
	struct bpf_timer timer;
	struct bpf_spin_lock lock;
	struct task_struct __attribute__((btf_type_tag("kptr"))) *task;
};

struct {
	__uint(type, 1);
	__uint(max_entries, 8);
	__type(key, u32);
	__type(value, struct value);
} special SEC(".maps");

struct {
	__uint(type, 2);
	__uint(max_entries, 8);
	__uint(value_size, 8);
	__type(key, u32);
	__type(value, u32);
} contradicts SEC(".maps");

const volatile u32 limit = 10;
u32 counter = 1;
struct task_struct example = { 1 };
static volatile u32 zero;

extern int CONFIG_HZ __attribute__((section(".kconfig")));
extern _Bool CONFIG_BPF_JIT __attribute__((section(".kconfig"), weak));
extern const int missing __attribute__((section(".ksyms"), weak));
extern const void some_symbol __attribute__((section(".ksyms")));

static void *(*lookup)(void *map, const void *key) = (void *)1;
static long (*loop)(u32 count, void *callback, void *ctx, u64 flags) = (void *)181;

static int step(u32 index, void *ctx)
{
	counter += index;
	return 0;
}

static noinline u32 deep(u32 x)
{
	return x * limit + zero;
}

noinline u32 shared(u32 x)
{
	return deep(x) + deep(x + 1);
}

__hidden noinline u32 quiet(u32 x)
{
	return shared(x) ^ 1;
}

SEC("tc")
int calls(void *ctx)
{
	return quiet(1) + shared(2);
}

SEC("tc")
int loops(void *ctx)
{
	return loop(limit, step, 0, 0);
}

SEC("xdp")
int tail(void *ctx)
{
	u32 key = 0;
	void *map = lookup(&outer, &key);

	return map && lookup(map, &key);
}

SEC("?kprobe/f")
int wants_config(void *ctx)
{
	return CONFIG_HZ + CONFIG_BPF_JIT;
}

SEC("raw_tp/x")
int wants_symbols(void *ctx)
{
	return (long)&some_symbol;
}

SEC("raw_tp/x")
int wants_type(void *ctx)
{
	return &missing ? 1 : 0;
}

SEC("whatever")
int stranger(void *ctx)
{
	u32 key = 0;

	return lookup(&special, &key) != 0;
}

SEC("fentry/do_exit")
int broken_map(void *ctx)
{
	u32 key = 0;

	return lookup(&contradicts, &key) != 0;
}

char _license[] SEC("license") = "Dual BSD/GPL";
