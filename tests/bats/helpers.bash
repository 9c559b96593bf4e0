# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For bats files that drive kavach itself. Each test has its own bundle, state directory and cgroup parent, and leaves
# nothing behind: teardown_kavach deletes what is left and fails the test if a process or cgroup of it survives.

: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
: "${KAVACH_BUILD:=$KAVACH_SRC}"
: "${KAVACH:=$KAVACH_BUILD/kavach}"
export KAVACH KAVACH_SRC KAVACH_BUILD
# shellcheck source=tests/bats/wait.bash
. "$KAVACH_SRC/tests/bats/wait.bash"

# One busybox root for all tests of a file; bundles get their own copy only when they write to it.
setup_rootfs() {
	ROOTFS=$BATS_FILE_TMPDIR/rootfs
	export ROOTFS
	[ -d "$ROOTFS" ] || "$KAVACH_SRC/contrib/make-rootfs" "$ROOTFS"
}

# compile_tool NAME FILE: tests/tools/NAME.c as a static program; where there is no compiler, $KAVACH_TOOLS has it
compile_tool() {
	if [ -n "${KAVACH_TOOLS:-}" ]; then
		cp "$KAVACH_TOOLS/$1" "$2"
	else
		"${CC:-gcc}" -O1 -static -o "$2" "$KAVACH_SRC/tests/tools/$1.c"
	fi
}

# A bundle with the template's configuration: no terminal, the rootfs shared read-only, a cgroup of the test's own.
setup_kavach() {
	BUNDLE=$BATS_TEST_TMPDIR/bundle
	STATE=$BATS_TEST_TMPDIR/state
	ID=t$BATS_TEST_NUMBER-$$
	CG=/kavach-test-$$-$BATS_TEST_NUMBER
	KAVACH_CACHE=$BATS_FILE_TMPDIR/cache # of packed roots
	export BUNDLE STATE ID CG KAVACH_CACHE
	mkdir -p "$BUNDLE"
	ln -sfn "$ROOTFS" "$BUNDLE/rootfs"
	"$KAVACH" spec -b "$BUNDLE"
	config '.process.terminal = false | .root.path = "'"$ROOTFS"'" | .linux.cgroupsPath = "'"$CG/$ID"'"
		| .process.rlimits = []'
}

# config JQ-EXPRESSION...: changes config.json of the bundle
config() {
	jq "$@" "$BUNDLE/config.json" >"$BUNDLE/config.json.new"
	mv "$BUNDLE/config.json.new" "$BUNDLE/config.json"
}

# args PROGRAM [ARGUMENT...]: what the container runs
args() {
	config --argjson a "$(jq -n '$ARGS.positional' --args -- "$@")" '.process.args = $a'
}

# The root as a copy of the test's own, to be written to.
own_rootfs() {
	rm -f "$BUNDLE/rootfs"
	cp -a "$ROOTFS" "$BUNDLE/rootfs"
	config '.root.path = "rootfs" | .root.readonly = false'
}

kv() {
	"$KAVACH" --root "$STATE" "$@"
}

# Runs a command like bats' run and shows it when the test fails.
kvrun() {
	run "$KAVACH" --root "$STATE" "$@"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

status_is() {
	[ "$(kv state "$ID" | jq -r .status)" = "$1" ]
}

teardown_kavach() {
	local id left
	# a test that was skipped before it had anything must not clear what is not its own
	[ -n "${CG:-}" ] || return 0
	if [ -n "${RECEIVER:-}" ]; then
		kill "$RECEIVER" 2>/dev/null || true
		wait "$RECEIVER" 2>/dev/null || true
	fi
	for id in $(kv list -q 2>/dev/null); do
		kv delete --force "$id"
	done
	left=$(find /sys/fs/cgroup -path "*$CG/*" -type d 2>/dev/null)
	find /sys/fs/cgroup -depth -path "*$CG" -type d -exec rmdir {} + 2>/dev/null || true
	[ -z "$left" ] || {
		echo "# cgroups left behind: $left"
		return 1
	}
}

requires_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# refused WORD...: the run fails with one line that has all of the words, and nothing stays
refused() {
	local word
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[ "${#lines[@]}" -eq 1 ]
	for word; do
		[[ $output == *"$word"* ]]
	done
	[ -z "$(kv list -q)" ]
	[ -z "$(find /sys/fs/cgroup -path "*/$ID" -type d 2>/dev/null)" ]
}

# receiver KIND [ARGUMENT...]: listens at $SOCK, writes to $OUT
receiver() {
	local kind=$1
	shift
	SOCK=$BATS_TEST_TMPDIR/$kind.sock
	OUT=$BATS_TEST_TMPDIR/$kind.out
	"$KAVACH_SRC/tests/tools/receive.py" "$kind" "$SOCK" "$OUT" "$@" 3>&- &
	RECEIVER=$!
	wait_for 10 test -e "$SOCK.ready"
}

received() {
	wait "$RECEIVER"
	RECEIVER=
}
