#!/bin/sh
# Compiles the objects that the tests read.
set -eu
cd "$(dirname "$0")"
compile() {
	${CLANG:-clang-19} --target=bpf -mcpu=v3 -O2 -Wall -Wextra -Wno-unused-parameter -Werror -fdebug-compilation-dir=. "$@"
}
for source in legacy_maps.c text_only.c; do
	compile -c "$source" -o "${source%.c}.o"
done
compile -g -c many.c -o many.o
${STRIP:-llvm-strip-19} --strip-debug many.o
