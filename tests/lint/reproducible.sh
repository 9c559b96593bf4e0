#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow: two builds; timeout: 1800
#
# The same source gives the same bytes, wherever it lies and wherever it is built.

. "$(dirname "$0")/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/kavach-repro.XXXXXX")
trap 'rm -rf "$work"' EXIT

build() {	# NAME SOURCE-DIR BUILD-DIR
	mkdir -p "$2" "$3" || return 1
	tar -C "$KAVACH_SRC" --exclude=.git --exclude=./build --exclude='*.o' -cf - . | tar -C "$2" -xf - || return 1
	# a tree that was configured in place would make configure refuse
	rm -f "$2/config.status" "$2/Makefile"
	[ -x "$2/configure" ] || "$2/autogen.sh" || return 1
	(cd "$3" && "$2/configure" --quiet && make -s -j"$(nproc)" kavach kavach-init)
}

check "builds in one place" build one "$work/one/source" "$work/one/out"
check "builds in another, with a longer name" build two "$work/another-place/src" "$work/another-place/some/build-dir"
for program in kavach kavach-init; do
	check "$program is the same" cmp "$work/one/out/$program" "$work/another-place/some/build-dir/$program"
done
lint_done
