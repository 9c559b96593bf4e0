# SPDX-License-Identifier: Apache-2.0
#
# The gate on speed. Times say nothing on a busy machine; counts are exact on any: system calls, programs started, what
# waits for a grace period, what is linked. The container is one as podman makes it (tests/bench/bundle), and what its own
# program does (busybox' true, some 17 calls) is counted with the rest.

load helpers

setup_file() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ -z "${KAVACH_INSTRUMENTED:-}" ] || skip "an instrumented build makes calls of its own"
	command -v strace >/dev/null || skip "needs strace"
	"$KAVACH_SRC/tests/bench/bundle" "$BATS_FILE_TMPDIR/b" >/dev/null
	# the filter is compiled once and then cached
	"$KAVACH" --root "$BATS_FILE_TMPDIR/state" run -b "$BATS_FILE_TMPDIR/b/podman" warm
}

setup() {
	B=$BATS_FILE_TMPDIR/b/podman
	STATE=$BATS_FILE_TMPDIR/state
	T=$BATS_TEST_TMPDIR/trace
	ID=counts$BATS_TEST_NUMBER-$$
	export STATE ID
}

teardown() {
	kv delete --force "$ID" 2>/dev/null || true
}

# traced COMMAND...: all processes of a command into $T, one line a call. A created container's process waits on; it is left
# behind when kavach has ended, for strace follows it else for ever.
traced() {
	strace -f -qq -o "$T" "$KAVACH" --root "$STATE" "$@" </dev/null
}

calls() {
	grep -vc -e resumed -e '+++' -e '---' "$T"
}

# at_most N WHAT FOUND
at_most() {
	echo "# $2: $3 (at most $1)" >&3
	[ "$3" -le "$1" ]
}

none_of() {
	[ -z "$(grep -E "$1" "$T")" ]
}

# neither sleeps nor waits for a grace period: a write of a pid, or of anything to cgroup.procs, takes the kernel's lock on
# all thread groups
waits_for_nobody() {
	none_of ' (nanosleep|clock_nanosleep|select|pselect6)\('
	none_of 'cgroup\.procs'
}

@test "run: 400 system calls, 3 programs, no sleep, nothing to cgroup.procs" {
	# a look-up that races with a rename elsewhere is repeated (EAGAIN): the least of five runs is what we ask for
	least=9999
	for _ in 1 2 3 4 5; do
		traced run -b "$B" "$ID"
		[ "$(calls)" -ge "$least" ] || least=$(calls)
	done
	at_most 400 "system calls of run" "$least"
	at_most 3 "programs" "$(grep -Ec ' execve(at)?\(' "$T")"
	waits_for_nobody
}

@test "the audit log: at most 44 calls more for the four records of run, none of them a wait for the disk" {
	log=$BATS_TEST_TMPDIR/log
	rules=$BATS_TEST_TMPDIR/rules
	mkdir "$rules"
	"$KAVACH" audit init -d "$log" >/dev/null
	least_of() {
		least=9999
		for _ in 1 2 3 4 5; do
			traced --rules "$rules" run -b "$B" "$ID"
			[ "$(calls)" -ge "$least" ] || least=$(calls)
		done
	}
	echo '{"audit": {"enabled": false}}' >"$rules/a.json"
	least_of
	without=$least
	jq -n --arg dir "$log" '{audit: {directory: $dir}}' >"$rules/a.json"
	least_of
	at_most 44 "more system calls of run" $((least - without))
	none_of ' f(data)?sync\('
	waits_for_nobody
	[ "$("$KAVACH" audit show -d "$log" | wc -l)" = 21 ]
}

@test "presets: basic costs at most 9 calls more, strict 67, most of them Landlock's; the filters are short" {
	least_of() {
		least=9999
		for _ in 1 2 3 4 5; do
			traced run -b "$1" "$ID"
			[ "$(calls)" -ge "$least" ] || least=$(calls)
		done
	}
	STATE=$BATS_TEST_TMPDIR/state # and with it the cache of filters
	least_of "$B"
	without=$least
	for preset in basic strict; do
		mkdir "$BATS_TEST_TMPDIR/$preset"
		jq --arg p $preset '.annotations["io.kavach.preset"] = $p' "$B/config.json" >"$BATS_TEST_TMPDIR/$preset/config.json"
		kv run -b "$BATS_TEST_TMPDIR/$preset" "$ID" # its filter is cached from now on
		least_of "$BATS_TEST_TMPDIR/$preset"
		case $preset in
		basic) at_most 9 "more system calls of run with basic" $((least - without)) ;;
		strict) at_most 67 "more system calls of run with strict" $((least - without)) ;;
		esac
		waits_for_nobody
	done
	at_most 200 "instructions of basic" "$(kv seccomp explain --json basic | jq .instructions)"
	at_most 105 "instructions of strict" "$(kv seccomp explain --json strict | jq .instructions)"
}

@test "create, start and delete: few calls, no sleep, nothing to cgroup.procs" {
	# without -f: the created process would be followed while it waits
	strace -qq -o "$T" "$KAVACH" --root "$STATE" create -b "$B" "$ID" </dev/null
	at_most 220 "system calls of create, without its process" "$(calls)"
	waits_for_nobody
	traced start "$ID"
	at_most 70 "system calls of start" "$(calls)"
	waits_for_nobody
	wait_for 5 status_is stopped
	traced delete "$ID"
	at_most 70 "system calls of delete" "$(calls)"
	waits_for_nobody
}

@test "exec and state: few calls, no sleep, nothing to cgroup.procs" {
	mkdir "$BATS_TEST_TMPDIR/sleeper"
	jq '.process.args = ["/bin/sleep", "100"]' "$B/config.json" >"$BATS_TEST_TMPDIR/sleeper/config.json"
	kv create -b "$BATS_TEST_TMPDIR/sleeper" "$ID"
	kv start "$ID"
	traced exec "$ID" /bin/true
	at_most 250 "system calls of exec" "$(calls)"
	at_most 3 "programs" "$(grep -Ec ' execve(at)?\(' "$T")"
	waits_for_nobody
	traced state "$ID" >/dev/null
	at_most 50 "system calls of state" "$(calls)"
	at_most 1 "programs" "$(grep -Ec ' execve(at)?\(' "$T")"
}

@test "a start takes 336 KiB of its own, a container that waits for its start 88" {
	# what it has written to is the same every time; how much of its program is mapped is for the kernel to say
	compile_tool anonymous "$BATS_TEST_TMPDIR/anonymous"
	for command in run create; do
		"$BATS_TEST_TMPDIR/anonymous" "$BATS_TEST_TMPDIR/kb" "$KAVACH" --root "$STATE" "$command" -b "$B" "$ID" </dev/null
		at_most 336 "KiB of $command" "$(cat "$BATS_TEST_TMPDIR/kb")"
	done
	at_most 88 "KiB of the process that waits" "$(awk '$1 == "Anonymous:" { print $2 }' "/proc/$(kv state "$ID" | jq .pid)/smaps_rollup")"
	# a spawner that is small itself: what a large parent leaves in its child counts as the child's peak
	at_most 3072 "KiB at the peak, with all that is mapped" \
		"$("$KAVACH_SRC/tests/bench/run-vs" --rounds 3 --modes run "$B" "$KAVACH" "$KAVACH" | awk '$1 == "run" && $2 == "A" { print $9 }')"
}

@test "podman's seccomp profile is a program of at most 500 instructions" {
	entry=$(find "$STATE/.seccomp" -type f ! -name '.*')
	# a head of 72 bytes, then 8 for each instruction
	at_most 500 "instructions" $((($(stat -c %s "$entry") - 72) / 8))
}

@test "kavach is static, without libcrypto and libsystemd" {
	"${READELF:-readelf}" -lW "$KAVACH" >"$BATS_TEST_TMPDIR/elf"
	[ "$(grep -c INTERP "$BATS_TEST_TMPDIR/elf")" = 0 ]
	"${READELF:-readelf}" -dW "$KAVACH" >"$BATS_TEST_TMPDIR/elf"
	[ "$(grep -c NEEDED "$BATS_TEST_TMPDIR/elf")" = 0 ]
}
