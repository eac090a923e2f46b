/* Maps as loaders before BTF read them: records of numbers, here longer than the five that are common. No debug information. */
#define SEC(name) __attribute__((section(name), used))

struct map {
	unsigned int type, key_size, value_size, max_entries, flags, id, pinning;
};

struct map SEC("maps") first = { .type = 1, .key_size = 4, .value_size = 8, .max_entries = 16 };
struct map SEC("maps") second = { .type = 2, .key_size = 4, .value_size = 16, .max_entries = 4, .flags = 128, .id = 1, .pinning = 2 };

static void *(*lookup)(void *map, const void *key) = (void *)1;

SEC("socket")
int filter(void *ctx)
{
	unsigned int key = 0;

	return lookup(&second, &key) && lookup(&first, &key);
}

char _license[] SEC("license") = "MIT";
