#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What happens when the kernel says no: every system call of the start path fails once (tests/tools/faults.py says what is
# promised then), calls of newer kernels are missing, and kavach is killed in the middle.

load helpers

setup_file() {
	setup_rootfs
	"${CC:-gcc}" -O1 -static -o "$BATS_FILE_TMPDIR/deny" "$KAVACH_SRC/tests/tools/deny.c"
	DENY=$BATS_FILE_TMPDIR/deny
	export DENY
}

setup() {
	requires_root
	setup_kavach
	# one of each kind of step, so that each can fail
	mkdir "$BATS_TEST_TMPDIR/vol"
	config --arg v "$BATS_TEST_TMPDIR/vol" '.process.args = ["echo", "ran"] | .process.user = {uid: 1000, gid: 1000, additionalGids: [5]}
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 100}] | .process.oomScoreAdj = 100
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.resources.pids = {limit: 100}
		| .linux.devices = [{path: "/dev/mine", type: "c", major: 1, minor: 5}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}
		| .mounts += [{destination: "/mnt", type: "none", source: $v, options: ["rbind", "rro"]},
			{destination: "/home", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]}]'
	# static, so that the failing calls are kavach's and not a dynamic linker's
	config --arg t "$ROOTFS/bin/true" '.hooks = {prestart: [{path: $t}], createRuntime: [{path: $t, timeout: 10}], createContainer: [{path: $t}],
		startContainer: [{path: "/bin/true"}], poststart: [{path: $t}], poststop: [{path: $t}]}'
	jq '.process.args = ["sleep", "1000"]' "$BUNDLE/config.json" >"$BUNDLE/sleep.json"
}

teardown() { teardown_kavach; }

needs_strace() {
	command -v strace >/dev/null || skip "no strace"
	command -v python3 >/dev/null || skip "no python3"
}

# faults MODE FAULT...: in namespaces of their own, where faults.py sees everything that is left
faults() {
	run unshare -m --propagation private -p -f --mount-proc --kill-child bash -c '"$@"; exit $?' - \
		"$KAVACH_SRC/tests/tools/faults.py" "$BUNDLE" "$STATE" "$CG" "$@"
	echo "$output"
	[ "$status" -eq 0 ]
}

# trace COMMAND...: the system calls of one, and how many of each, as lines "CALL N"
trace() {
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" "$KAVACH" --root "$STATE" "$@" >/dev/null
	sed -n 's/^[0-9]* *\([a-z0-9_]*\)(.*/\1/p' "$BATS_TEST_TMPDIR/trace" | sort | uniq -c | awk '{print $2, $1}'
}

# Calls whose failure says nothing: those of libc's start-up before main(), of the workload itself, and those that do
# not fail. Looks for the program in PATH go on after any error, as those of execvp(3) and runc do, so their end is
# "not found" in any case: find.c.
NOTHING='^(close|exit|exit_group|brk|mmap|mprotect|munmap|arch_prctl|set_tid_address|set_robust_list|rseq|getrandom|prlimit64|stat|faccessat2|fcntl|access|getuid|geteuid|getgid|getegid|getpid|rt_sigaction|setuid|setgid|readlink|uname|_|syscall_)'

# list COMMAND ERRNO STEP: the faults for a trace on stdin, every STEPth
list() {
	grep -v -E "$NOTHING" | while read -r call n; do
		for i in $(seq "$n"); do
			echo "$1:$call:$2:$i"
		done
	done | awk -v s="$3" 'NR % s == 0'
}

@test "run: every second call fails once with an I/O error: an error that says so, and nothing left" {
	needs_strace
	trace run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/calls"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/calls")" -gt 40 ]
	mapfile -t all < <(list run EIO 2 <"$BATS_TEST_TMPDIR/calls")
	[ "${#all[@]}" -gt 100 ]
	faults cleanup "${all[@]}"
}

@test "run: with errors that mean something to engines, the words stay ours" {
	needs_strace
	# of the program, its directory and the id the words are meant; what is to be removed may be gone already
	trace run -b "$BUNDLE" "$ID" | grep -v -E '^(execve|chdir|mkdirat|rmdir|unlinkat) ' >"$BATS_TEST_TMPDIR/calls"
	for e in EPERM:6 EACCES:9 ENOENT:7 ENOMEM:9 ENOSYS:8 EEXIST:11; do
		mapfile -t some < <(list run "${e%:*}" "${e#*:}" <"$BATS_TEST_TMPDIR/calls")
		[ "${#some[@]}" -gt 15 ]
		faults cleanup "${some[@]}"
	done
}

@test "run: what protects the host cannot be skipped" {
	needs_strace
	must=()
	for call in clone3 memfd_create socketpair pivot_root umount2 capset setresuid setresgid setgroups seccomp mount_setattr \
		unshare sethostname pwrite64 mknodat fsconfig; do
		for errno in EIO EPERM ENOMEM; do
			# the first of fsconfig is the private procfs, which has two more ways
			must+=("run:$call:$errno:$([ $call = fsconfig ] && echo 2 || echo 1)")
		done
	done
	faults must "${must[@]}"
}

@test "start, exec, delete: each call fails once" {
	needs_strace
	kv create -b "$BUNDLE" -f sleep.json "$ID"
	trace start "$ID" | list start EIO 1 >"$BATS_TEST_TMPDIR/start"
	trace exec "$ID" echo ran | grep -v -E '^(write|poll|wait4) ' | list exec EIO 1 >"$BATS_TEST_TMPDIR/exec"
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	trace delete "$ID" | list delete EIO 1 >"$BATS_TEST_TMPDIR/delete"
	for c in start exec delete; do
		mapfile -t all <"$BATS_TEST_TMPDIR/$c"
		[ "${#all[@]}" -gt 15 ]
		faults may "${all[@]}"
	done
}

@test "a container whose process cannot be looked at is not taken for a stopped one" {
	needs_strace
	kv create -b "$BUNDLE" -f sleep.json "$ID"
	kv start "$ID"
	for words in "state $ID" "delete $ID" "delete --force $ID" "exec $ID true" "kill $ID 0"; do
		for errno in EMFILE ENOMEM EPERM; do
			# shellcheck disable=SC2086 # words are meant
			run strace -qq -o /dev/null -e trace=pidfd_open -e inject=pidfd_open:error=$errno:when=1 "$KAVACH" --root "$STATE" $words
			echo "$words $errno: $output"
			[ "$status" -ne 0 ]
			[[ $output != *"not running"* ]]
		done
	done
	status_is running
}

@test "without the new mount calls, openat2, close_range, faccessat2: run, exec and the mounts are the same" {
	args sh -c 'id -u; cat /proc/self/mountinfo | cut -d" " -f5,6; cat /home/user/f 2>/dev/null; cat /proc/keys /proc/kcore | wc -c; echo x 2>&- >/mnt/f ||
		echo refused; ls /proc/self/fd | tr "\n" " "; ls -l /dev | cut -c1-10 | sort | uniq -c'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *refused* ]]
	want=$output
	for calls in openat2 close_range faccessat2 open_tree_attr openat2,close_range,faccessat2; do
		run "$DENY" $calls "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
		echo "$calls: $output"
		[ "$status" -eq 0 ]
		[ "$output" = "$want" ]
	done
	# what only the new calls can do is refused by name, and works without
	for calls in open_tree,move_mount,fsopen,fsconfig,fsmount,mount_setattr,open_tree_attr \
		open_tree,move_mount,fsopen,fsconfig,fsmount,mount_setattr,open_tree_attr,openat2,close_range,faccessat2 mount_setattr,open_tree_attr; do
		config '.mounts[7].options = ["rbind", "rro"]'
		run "$DENY" $calls "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
		echo "$calls: $output"
		[ "$status" -ne 0 ]
		[[ $output == *'mounts[7]'* ]]
		config '.mounts[7].options = ["bind", "ro"]'
		run "$DENY" $calls "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
		echo "$calls: $output"
		[ "$status" -eq 0 ]
		diff <(grep -v "^/" <<<"$want") <(grep -v "^/" <<<"$output")
		diff <(grep "^/" <<<"$want" | sort) <(grep "^/" <<<"$output" | sort)
	done
	[ -z "$(kv list -q)" ]
}

@test "without the new calls: create, start, exec, kill, delete" {
	calls=open_tree,move_mount,fsopen,fsconfig,fsmount,mount_setattr,open_tree_attr,openat2,close_range,faccessat2
	config '.mounts[7].options = ["bind", "ro"]'
	args sleep 100
	old() { "$DENY" $calls "$KAVACH" --root "$STATE" "$@"; }
	old create -b "$BUNDLE" "$ID"
	old start "$ID"
	[ "$(old exec "$ID" echo hi)" = hi ]
	[ "$(old exec "$ID" sh -c 'ls /proc/self/fd | tr "\n" " "' 7</etc/passwd)" = "0 1 2 3 " ]
	run old exec "$ID" no-such-program
	[ "$status" -eq 255 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	old kill "$ID" KILL
	wait_for 5 status_is stopped
	old delete "$ID"
}

@test "run killed at any point is cleaned by delete --force" {
	before=$(cut -d' ' -f5 /proc/self/mountinfo | grep -c "$BATS_TEST_TMPDIR" || true)
	for us in 300 700 1100 1500 1900 2300 2700 3100 3500 4000 5000 7000 10000; do
		python3 - "$us" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" <<'PY'
import subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(int(sys.argv[1]) / 1e6)
p.kill()
p.wait()
PY
		kv delete --force "$ID"
		[ -z "$(kv list -q)" ]
		[ ! -e "$STATE/$ID" ]
		[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
	done
	[ "$(cut -d' ' -f5 /proc/self/mountinfo | grep -c "$BATS_TEST_TMPDIR" || true)" = "$before" ]
}
