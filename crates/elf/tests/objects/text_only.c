/* Functions without sections of their own. */
static __attribute__((noinline)) int twice(int x)
{
	return x + x;
}

int entry(int *ctx)
{
	return twice(*ctx);
}
