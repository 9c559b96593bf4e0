#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Seccomp (S-53) as programs under a filter see it. tests/tools/call.c makes single system calls.

load helpers

setup_file() {
	setup_rootfs
	"${CC:-gcc}" -O1 -static -o "$BATS_FILE_TMPDIR/call" "$KAVACH_SRC/tests/tools/call.c"
	cp "$BATS_FILE_TMPDIR/call" "$ROOTFS/bin/call"
}

setup() {
	requires_root
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the tests are x86-64's"
	setup_kavach
	args true
}

teardown() {
	teardown_kavach
}

# profile JQ: an object that is added to one that allows everything
profile() {
	config ".linux.seccomp = ({defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86_64\"]} + $1)"
}

# rule ACTION JQ NAME...: a profile with one rule
rule() {
	local action=$1 more=$2
	shift 2
	profile "{syscalls: [{action: \"SCMP_ACT_$action\", names: $(jq -nc '$ARGS.positional' --args -- "$@")} + $more]}"
}

# answers WANT CALL...: what the call gives inside
answers() {
	local want=$1
	shift
	args call "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = "$want" ]
}

@test "ERRNO: EPERM unless errnoRet says otherwise; other calls are untouched" {
	answers 1 getpgid 0
	rule ERRNO '{}' getpgid
	answers "error 1" getpgid 0
	answers 1 getpid
	rule ERRNO '{errnoRet: 95}' getpgid getsid
	answers "error 95" getpgid 0
	answers "error 95" getsid 0
	rule ERRNO '{errnoRet: 0}' getpgid
	answers 0 getpgid 0
}

@test "KILL, KILL_PROCESS, KILL_THREAD and TRAP end the program: 159" {
	for a in KILL KILL_PROCESS KILL_THREAD TRAP; do
		rule $a '{}' getpgid
		args call getpgid 0
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 159 ]
		[ -z "$output" ]
	done
}

@test "LOG lets the call through; TRACE without a tracer is ENOSYS" {
	rule LOG '{}' getpgid
	answers 1 getpgid 0
	rule TRACE '{}' getpgid
	answers "error 38" getpgid 0
	rule TRACE '{errnoRet: 7}' getpgid
	answers "error 38" getpgid 0
}

@test "a profile that denies by default: what is listed works, the rest is defaultErrnoRet, what is newer is ENOSYS" {
	allowed='["execve", "brk", "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlinkat", "readlink",
		"getrandom", "mprotect", "write", "newfstatat", "fstat", "exit_group", "exit", "uname", "mmap", "munmap", "ioctl", "futex",
		"faccessat2"]'
	profile "{defaultAction: \"SCMP_ACT_ERRNO\", syscalls: [{action: \"SCMP_ACT_ALLOW\", names: $allowed}]}"
	answers "error 1" getpgid 0
	# mseal(2) is newer than any call of the profile: a libc that tries it must see that it is not there
	answers "error 38" 462
	answers "error 38" 1000
	profile "{defaultAction: \"SCMP_ACT_ERRNO\", defaultErrnoRet: 99, syscalls: [{action: \"SCMP_ACT_ALLOW\", names: $allowed}]}"
	answers "error 99" getpgid 0
	profile "{defaultAction: \"SCMP_ACT_KILL_PROCESS\", syscalls: [{action: \"SCMP_ACT_ALLOW\", names: $allowed}]}"
	args call getpgid 0
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 159 ]
}

@test "args: every operator" {
	while read -r op value two yes no; do
		[ "$two" = - ] && two=0
		rule ERRNO "{errnoRet: 95, args: [{index: 1, value: $value, valueTwo: $two, op: \"SCMP_CMP_$op\"}]}" setpgid
		for v in $yes; do
			answers "error 95" setpgid 99999 "$v"
		done
		for v in $no; do
			answers "error 3" setpgid 99999 "$v"
		done
	done <<-'END'
		EQ 5 - 5 6
		NE 5 - 6 5
		LT 5 - 4 5
		LE 5 - 5 6
		GT 5 - 6 5
		GE 5 - 5 4
		MASKED_EQ 6 4 5 7
	END
}

@test "args: 64 bits count; several conditions must all hold, also on one argument" {
	rule ERRNO '{errnoRet: 95, args: [{index: 2, value: 4294967297, op: "SCMP_CMP_EQ"}]}' getpgid
	answers "error 95" getpgid 0 0 4294967297
	answers 1 getpgid 0 0 1
	rule ERRNO '{errnoRet: 95, args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}, {index: 1, value: 2, op: "SCMP_CMP_EQ"}]}' getpgid
	answers "error 95" getpgid 1 2
	answers 1 getpgid 1 3
	# runc and libseccomp's users: conditions on the same argument are alternatives
	rule ERRNO '{errnoRet: 95, args: [{index: 1, value: 5, op: "SCMP_CMP_EQ"}, {index: 1, value: 6, op: "SCMP_CMP_EQ"}]}' getpgid
	answers "error 95" getpgid 0 5
	answers "error 95" getpgid 0 6
	answers 1 getpgid 0 7
}

@test "architectures: calls by another ABI are not a way around" {
	rule ERRNO '{errnoRet: 95}' getpgid
	config 'del(.linux.seccomp)'
	args call -32 20
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = 1 ] || skip "this kernel has no 32-bit calls"
	rule ERRNO '{errnoRet: 95}' getpgid
	args call -32 132 0
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 159 ]
	config '.linux.seccomp.architectures += ["SCMP_ARCH_X86"]'
	answers "error 95" -32 132 0
	answers 1 -32 20
	answers "error 95" getpgid 0
	# an empty list is the native one
	config '.linux.seccomp.architectures = []'
	answers "error 95" getpgid 0
	config 'del(.linux.seccomp.architectures)'
	answers "error 95" getpgid 0
	# x32 numbers
	args call $((0x40000000 + 121)) 0
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" != 1 ]
}

@test "flags are taken, unknown ones refused" {
	rule ERRNO '{}' getpgid
	for f in '[]' '["SECCOMP_FILTER_FLAG_LOG"]' '["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' '["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG"]'; do
		config ".linux.seccomp.flags = $f"
		answers "error 1" getpgid 0
	done
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_NOSUCH"]'
	refused linux.seccomp.flags NOSUCH
}

@test "SPEC_ALLOW is what an absent list means, and an empty list takes it back" {
	rule ERRNO '{}' getpgid
	args awk '/^Speculation_Store_Bypass/ {$1 = ""; print}' /proc/self/status
	kvrun run -b "$BUNDLE" "$ID"
	absent=$output
	config '.linux.seccomp.flags = ["SECCOMP_FILTER_FLAG_SPEC_ALLOW"]'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = "$absent" ]
	config '.linux.seccomp.flags = []'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "names that this kernel does not know are skipped, everything else that is wrong is refused" {
	rule ERRNO '{errnoRet: 95}' getpgid no_such_call_at_all
	answers "error 95" getpgid 0
	rule NOSUCH '{}' getpgid
	refused 'linux.seccomp.syscalls[0].action'
	profile '{defaultAction: "SCMP_ACT_MAYBE"}'
	refused linux.seccomp.defaultAction MAYBE
	profile '{architectures: ["SCMP_ARCH_Z80"]}'
	refused linux.seccomp.architectures Z80
	rule ERRNO '{args: [{index: 0, value: 1, op: "SCMP_CMP_ALMOST"}]}' getpgid
	refused op ALMOST
	rule ERRNO '{args: [{index: 6, value: 1, op: "SCMP_CMP_EQ"}]}' getpgid
	refused index
	rule ERRNO '{errnoRet: 5000}' getpgid
	refused errnoRet 5000
	rule ALLOW '{errnoRet: 5}' getpgid
	refused errnoRet
	profile '{defaultErrnoRet: 5}'
	refused defaultErrnoRet
	rule NOTIFY '{}' write
	config '.linux.seccomp.listenerPath = "/no/such"'
	refused NOTIFY write
	profile '{defaultAction: "SCMP_ACT_NOTIFY", listenerPath: "/no/such"}'
	refused NOTIFY
	profile '{listenerMetadata: "x"}'
	refused listenerMetadata
	config 'del(.linux.seccomp.defaultAction)'
	refused defaultAction
}

@test "NOTIFY: the agent gets the descriptor and the state, and answers; exec tells it too" {
	rule NOTIFY '{}' getpgid getppid
	SOCK=$BATS_TEST_TMPDIR/agent
	config --arg s "$SOCK" '.linux.seccomp += {listenerPath: $s, listenerMetadata: "some words"} | .annotations = {"org.example": "x"}'
	agent() {
		rm -f "$SOCK" "$SOCK.ready"
		"$KAVACH_SRC/tests/tools/receive.py" seccomp "$SOCK" "$BATS_TEST_TMPDIR/$1" getpgid=77 getppid=value 3>&- &
		RECEIVER=$!
		wait_for 10 test -e "$SOCK.ready"
	}
	agent run
	answers "error 77" getpgid 0
	wait "$RECEIVER"
	agent run
	answers 4242 getppid
	wait "$RECEIVER"
	cat "$BATS_TEST_TMPDIR/run"
	jq -e --arg id "$ID" --arg b "$BUNDLE" '.ociVersion and .fds == ["seccompFd"] and .pid > 1 and .metadata == "some words"
		and .state.id == $id and .state.status == "created" and .state.bundle == $b and .state.annotations["org.example"] == "x"
		and .state.pid > 1' "$BATS_TEST_TMPDIR/run"
	# create, start and exec
	args sleep 100
	agent create
	kv create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv start "$ID"
	pid=$(kv state "$ID" | jq .pid)
	first=$RECEIVER
	agent exec
	[ "$(kv exec "$ID" call getpgid 0)" = "error 77" ]
	wait "$RECEIVER"
	jq -e --argjson p "$pid" '.pid != $p and .state.status == "running" and .state.pid == $p' "$BATS_TEST_TMPDIR/exec"
	kv delete -f "$ID"
	wait "$first"
	RECEIVER=
}

@test "NOTIFY: flags of the config reach the kernel, WAIT_KILLABLE_RECV with the listener" {
	command -v strace >/dev/null || skip "needs strace"
	SOCK=$BATS_TEST_TMPDIR/agent
	for flag in "" WAIT_KILLABLE_RECV; do
		rule NOTIFY '{}' getpgid
		config --arg s "$SOCK" '.linux.seccomp.listenerPath = $s'
		[ -z "$flag" ] || config ".linux.seccomp.flags = [\"SECCOMP_FILTER_FLAG_$flag\"]"
		rm -f "$SOCK" "$SOCK.ready"
		"$KAVACH_SRC/tests/tools/receive.py" seccomp "$SOCK" "$BATS_TEST_TMPDIR/got" getpgid=77 3>&- &
		RECEIVER=$!
		wait_for 10 test -e "$SOCK.ready"
		args call getpgid 0
		# as numbers: SET_MODE_FILTER, NEW_LISTENER 0x8, WAIT_KILLABLE_RECV 0x20
		strace -f -qq -X raw -e trace=seccomp -o "$BATS_TEST_TMPDIR/trace" \
			"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
		wait "$RECEIVER"
		RECEIVER=
		cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/trace"
		[ "$(cat "$BATS_TEST_TMPDIR/out")" = "error 77" ]
		flags=$(sed -n 's/.*seccomp(0x1, \(0x[0-9a-f]*\),.*= [0-9].*/\1/p' "$BATS_TEST_TMPDIR/trace" | tail -1)
		[ $((flags & 0x8)) -ne 0 ]
		[ $((flags & 0x20)) -eq $((${#flag} ? 0x20 : 0)) ]
	done
}

@test "NOTIFY: no agent is an error that names the path; a path that nothing needs is ignored" {
	rule NOTIFY '{}' getpgid
	config --arg s "$BATS_TEST_TMPDIR/none" '.linux.seccomp.listenerPath = $s'
	refused linux.seccomp.listenerPath "$BATS_TEST_TMPDIR/none"
	[[ $output != *"no such file or directory"* ]]
	config 'del(.linux.seccomp.listenerPath)'
	refused listenerPath
	rule ERRNO '{}' getpgid
	config --arg s "$BATS_TEST_TMPDIR/none" '.linux.seccomp.listenerPath = $s'
	answers "error 1" getpgid 0
}

@test "a filter without no_new_privs: loaded all the same, and set-user-id programs keep working" {
	rule ERRNO '{errnoRet: 95}' getpgid
	config '.process.noNewPrivileges = false | .process.user = {uid: 1000, gid: 1000}'
	args grep -E '^(NoNewPrivs|Seccomp|Seccomp_filters|CapEff|CapPrm|CapBnd):' /proc/self/status
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(tr '\t\n' '  ' <<<"$output")" = "CapPrm: 0000000000000000 CapEff: 0000000000000000 CapBnd: 0000000020000420 NoNewPrivs: 0 Seccomp: 2 Seccomp_filters: 1 " ]
	answers "error 95" getpgid 0
}

@test "a filter and no_new_privs, with ambient capabilities of a user" {
	rule ERRNO '{errnoRet: 95}' getpgid
	config '.process.noNewPrivileges = true | .process.user = {uid: 1000, gid: 1000}
		| .process.capabilities |= map_values(["CAP_KILL"]) | .process.capabilities.inheritable = ["CAP_KILL"]
		| .process.capabilities.ambient = ["CAP_KILL"]'
	args grep -E '^(NoNewPrivs|Seccomp|CapEff|CapAmb):' /proc/self/status
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(tr '\t\n' '  ' <<<"$output")" = "CapEff: 0000000000000020 CapAmb: 0000000000000020 NoNewPrivs: 1 Seccomp: 2 " ]
}

@test "the cache: private, one entry per profile, used by the next start" {
	rule ERRNO '{errnoRet: 95}' getpgid
	answers "error 95" getpgid 0
	[ "$(stat -c '%a %u' "$STATE/.seccomp")" = "700 0" ]
	[ "$(find "$STATE/.seccomp" -type f | wc -l)" -eq 1 ]
	entry=$(find "$STATE/.seccomp" -type f)
	[ "$(stat -c '%a %u' "$entry")" = "600 0" ]
	before=$(stat -c '%i %Y' "$entry")
	answers "error 95" getpgid 0
	[ "$(stat -c '%i %Y' "$entry")" = "$before" ]
	rule ERRNO '{errnoRet: 96}' getpgid
	answers "error 96" getpgid 0
	[ "$(find "$STATE/.seccomp" -type f | wc -l)" -eq 2 ]
	[ "$(kv list -q)" = "" ]
}

@test "the cache: what is corrupt, foreign or not private is not believed: the filter is the profile's" {
	rule ERRNO '{errnoRet: 95}' getpgid
	answers "error 95" getpgid 0
	entry=$(find "$STATE/.seccomp" -type f)
	good=$(sha256sum <"$entry")
	for how in flip cut empty other mode owner symlink fifo; do
		echo "# $how"
		case $how in
		flip) python3 -c 'import sys; p = sys.argv[1]; d = bytearray(open(p, "rb").read()); d[-3] ^= 255; open(p, "wb").write(d)' "$entry" ;;
		cut) truncate -s -8 "$entry" ;;
		empty) : >"$entry" ;;
		other)
			# the entry of a profile that allows everything, under this one's name
			profile '{}'
			answers 1 getpgid 0
			other=$(find "$STATE/.seccomp" -type f ! -name "$(basename "$entry")")
			cp -p "$other" "$entry"
			rm "$other"
			rule ERRNO '{errnoRet: 95}' getpgid
			;;
		mode) chmod 666 "$entry" ;;
		owner) chown 1000 "$entry" ;;
		symlink)
			mv "$entry" "$BATS_TEST_TMPDIR/moved"
			ln -s "$BATS_TEST_TMPDIR/moved" "$entry"
			;;
		fifo)
			rm "$entry"
			mkfifo -m 600 "$entry"
			;;
		esac
		answers "error 95" getpgid 0
		[ -f "$entry" ] && [ ! -L "$entry" ]
		[ "$(sha256sum <"$entry")" = "$good" ]
		[ "$(stat -c '%a %u' "$entry")" = "600 0" ]
	done
	# a folder that others can write to is no cache
	chmod 777 "$STATE/.seccomp"
	answers "error 95" getpgid 0
}
