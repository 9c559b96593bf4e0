# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the checks in this folder share: TAP, and the lists of files that they look at. Sourced.

: "${KAVACH_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}"
: "${KAVACH_BUILD:=$KAVACH_SRC}"
cd "$KAVACH_SRC" || exit 1

lint_n=0
lint_failed=0

# check NAME COMMAND...: its output is shown when it fails
check() {
	local name=$1 out
	shift
	lint_n=$((lint_n + 1))
	if out=$("$@" 2>&1); then
		echo "ok $lint_n - $name"
	else
		echo "not ok $lint_n - $name"
		[ -z "$out" ] || printf '%s\n' "$out" | sed 's/^/# /'
		lint_failed=1
	fi
}

# pass_skip NAME REASON
pass_skip() {
	lint_n=$((lint_n + 1))
	echo "ok $lint_n - $1 # SKIP $2"
}

lint_done() {
	echo "1..$lint_n"
	exit "$lint_failed"
}

c_files() {
	find runtime spec hooks tests -name '*.[ch]' -type f | LC_ALL=C sort
}

# every script, by its first line
scripts() {
	find autogen.sh .ci contrib hooks tests -type f ! -name '*.[ch]' ! -path '*/corpus/*' -size -256k |
		LC_ALL=C sort | while read -r f; do
		case $f in
		*.bats) echo "$f" ;;
		*.bash | */lib.sh | */completion/*) echo "$f" ;;
		*)
			read -r first <"$f" 2>/dev/null || continue
			case $first in '#!'*sh | '#!'*bats) echo "$f" ;; esac
			;;
		esac
	done 2>/dev/null
}
