#!/bin/sh
# Compiles the examples, and the mistakes beside them: each NAME.bpf.c to NAME.bpf.o, which is kept beside it.
set -eu
cd "$(dirname "$0")"
for source in *.bpf.c mistakes/*.bpf.c; do
	${CLANG:-clang-19} --target=bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter -Werror -fdebug-compilation-dir=. \
		-c "$source" -o "${source%.c}.o"
	# What is left of DWARF names the compiler's directories; the kernel reads BTF only.
	${STRIP:-llvm-strip-19} --strip-debug "${source%.c}.o"
done
