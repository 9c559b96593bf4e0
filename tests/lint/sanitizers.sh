#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow: builds the tests again; timeout: 1800
#
# Unit tests and fuzz replays once more, with the address and undefined-behaviour sanitizers.

. "$(dirname "$0")/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/kavach-asan.XXXXXX")
trap 'rm -rf "$work"' EXIT

build() {
	(cd "$work" && "$KAVACH_SRC/configure" --quiet --enable-sanitizers && make -s -j"$(nproc)" check-build)
}

if [ -f "$KAVACH_SRC/config.status" ]; then
	pass_skip "passes under sanitizers" "the source tree is configured in place"
	lint_done
fi
check "builds with sanitizers" build
while read -r program; do
	check "$program passes under sanitizers" \
		env KAVACH_BUILD="$work" KAVACH="$work/kavach" \
			LSAN_OPTIONS=suppressions="$KAVACH_SRC/tests/lint/lsan.supp:print_suppressions=0" \
			"$work/$program"
done < <(cat "$work/tests/programs" 2>/dev/null)
lint_done
