#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Calls that a seccomp filter denies, reported: which one, with what arguments, by whom. The programs and their errors are real; the
# report never lets anything go on that was denied.

load helpers

setup_file() {
	requires_root
	setup_rootfs
	compile_tool call "$ROOTFS/bin/call"
}

setup() {
	setup_kavach
	LOG=$BATS_TEST_TMPDIR/lines
}

teardown() { teardown_kavach; }

report() {
	config '.annotations["io.kavach.seccomp.report"] = "true"'
}

# errno NAME...: a filter that answers these calls with EPERM and allows all others
errno() {
	config --argjson n "$(jq -n '$ARGS.positional' --args -- "$@")" '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: $n, action: "SCMP_ACT_ERRNO", errnoRet: 1}]}'
}

sh_() { args sh -c "$1"; }

# detached, what it prints in $LOG
begin() {
	kv run -d -b "$BUNDLE" "$ID" </dev/null >"$LOG" 2>&1 3>&-
}

# The processes that write the report of this test's container.
watchers() {
	local p
	for p in $(pgrep -x kavach-denied); do
		[ "$(readlink "/proc/$p/fd/4")" != "$STATE/$ID/denied" ] || echo "$p"
	done
}

no_watchers() {
	[ -z "$(watchers)" ]
}

reported() {
	kv seccomp denied "$ID" | grep -q "$1"
}

@test "run: a call is named with its arguments, program and pid, before the program says that it failed" {
	config '.process.capabilities |= map_values(["CAP_SYS_ADMIN", "CAP_SYS_CHROOT"])'
	errno mount chroot unshare sethostname
	report
	sh_ 'mount -t tmpfs -o ro,nosuid none /mnt; chroot /tmp true; unshare -n true; hostname odd\"name; echo done'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *'"mount" ("/bin/busybox"): mount("none", "/mnt", "tmpfs", MS_RDONLY|MS_NOSUID'*') is denied: EPERM'*"mount: "* ]]
	[[ $output == *'chroot("/tmp") is denied: EPERM'*'unshare(CLONE_NEWNET) is denied: EPERM'* ]]
	[[ $output == *'sethostname("odd\x22name", 8) is denied: EPERM'*done ]]
	grep -Eq '^kavach: 20[0-9-]{8}T[0-9:]{8}Z pid [0-9]+ \([0-9]+ outside\) "mount"' <<<"$output"
}

@test "the errno is that of the filter: of the config's own, and of a profile of the preset" {
	errno mkdir
	config '.linux.seccomp.syscalls[0].errnoRet = 28 | .root.readonly = false'
	report
	sh_ 'mkdir /x'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *'mkdir("/x", 0777) is denied: ENOSPC'*"No space left on device"* ]]
	config '.annotations["io.kavach.preset"] = "strict" | .process.capabilities |= map_values(["CAP_SYS_ADMIN"])'
	sh_ 'mkdir /x; mount -t tmpfs none /mnt; swapon /bin; echo done'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *'mkdir("/x", 0777) is denied: ENOSPC'* ]]
	[[ $output == *'mount("none", "/mnt", "tmpfs", '*' is denied: EPERM'* ]]
	[[ $output == *'swapon("/bin", 0) is denied: EPERM'*done ]]
	[ "$(grep -c "is denied" <<<"$output")" -eq 3 ]
}

@test "without the annotation nothing is reported, and the same is denied" {
	errno mkdir
	config '.root.readonly = false'
	sh_ 'mkdir /x || echo failed'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = $'mkdir: can\'t create directory \'/x\': Operation not permitted\nfailed' ]
	report
	config '.annotations["io.kavach.seccomp.report"] = "false"'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output != *denied* ]]
	begin
	wait_for 20 grep -q failed "$LOG"
	no_watchers
}

@test "create and start, exec, seccomp denied: lines of all of them, and the process that writes them ends with the container" {
	errno mkdir chroot
	report
	sh_ 'mkdir /x; echo ready; while :; do sleep 0.1; done'
	kv create -b "$BUNDLE" "$ID" </dev/null >"$LOG" 2>&1 3>&-
	kvrun seccomp denied "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	kv start "$ID"
	wait_for 20 grep -q ready "$LOG"
	! grep -q denied "$LOG" || false
	kvrun seccomp denied "$ID"
	[[ $output == *'"mkdir" ("/bin/busybox"): mkdir("/x", 0777) is denied: EPERM' ]]
	kvrun exec "$ID" chroot /tmp true
	[ "$status" -ne 0 ]
	[[ $output == *'chroot("/tmp") is denied: EPERM'*"Operation not permitted"* ]]
	kvrun exec -d "$ID" mkdir /y
	wait_for 20 reported '"/y"'
	kvrun seccomp denied "$ID"
	[ "${#lines[@]}" -eq 3 ]
	[ "$(stat -c %a "$STATE/$ID/denied")" = 600 ]
	kv kill "$ID" KILL
	wait_for 20 status_is stopped
	kvrun seccomp denied "$ID"
	[ "${#lines[@]}" -eq 3 ]
	wait_for 20 no_watchers
	kv delete "$ID"
	[ -z "$(ls -A "$STATE")" ] || [ "$(ls -A "$STATE")" = .seccomp ]
}

@test "when the process that reports is killed, what was denied stays denied" {
	errno mkdir
	config '.root.readonly = false'
	own_rootfs
	report
	sh_ 'mkdir /a; echo ready; while [ ! -e /go ]; do sleep 0.1; done; mkdir /b; echo end'
	begin
	wait_for 20 grep -q ready "$LOG"
	kill -9 "$(watchers)"
	touch "$BUNDLE/rootfs/go"
	wait_for 20 grep -q end "$LOG"
	cat "$LOG"
	[ ! -e "$BUNDLE/rootfs/a" ]
	[ ! -e "$BUNDLE/rootfs/b" ]
	[ "$(grep -c "can't create" "$LOG")" -eq 2 ]
}

@test "what kills still kills, and what repeats a thousand times takes four lines" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 1},
		{names: ["chroot"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	report
	sh_ 'i=0; while [ $i -lt 1000 ]; do mkdir /x; i=$((i + 1)); done 2>/dev/null; chroot /tmp true; echo $?'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[-1]}" = 159 ]
	[ "$(grep -c 'is denied' <<<"$output")" -eq 4 ]
	[[ $output == *"EPERM, 10 times so far"*"100 times so far"*"1000 times so far"* ]]
}

@test "clone3, sockets and requests are told by name" {
	errno socket clone3 ioctl
	config '.linux.seccomp.syscalls[0] |= (.names = ["socket", "clone3"])
		| .linux.seccomp.syscalls += [{names: ["ioctl"], action: "SCMP_ACT_ERRNO", errnoRet: 1, args: [{index: 1, value: 21522, op: "SCMP_CMP_EQ"}]}]'
	command -v python3 >/dev/null || skip "needs python3"
	[ -L /bin ] || skip "needs a merged /usr"
	mkdir -p "$BATS_TEST_TMPDIR/root/"{usr,proc,dev,tmp,etc,sys}
	for l in bin lib lib64 sbin; do
		[ ! -L "/$l" ] || ln -s "usr/$l" "$BATS_TEST_TMPDIR/root/$l"
	done
	config --arg r "$BATS_TEST_TMPDIR/root" '.root = {path: $r, readonly: true}
		| .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]}] | .process.env = ["PATH=/usr/bin:/bin"]'
	report
	args python3 -c '
import ctypes, fcntl, os, socket
for f, t in ((socket.AF_PACKET, socket.SOCK_RAW), (socket.AF_VSOCK, socket.SOCK_STREAM)):
	try: socket.socket(f, t)
	except OSError as e: print("python:", e.strerror)
try: fcntl.ioctl(0, 0x5412, b"x")
except OSError as e: print("python:", e.strerror)
class Args(ctypes.Structure): _fields_ = [(n, ctypes.c_uint64) for n in "flags pidfd child parent exit stack size tls tid tids cgroup".split()]
a = Args(flags=0x10000000, exit=17)
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall(435, ctypes.byref(a), ctypes.sizeof(a)), os.strerror(ctypes.get_errno()))'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *'socket(AF_PACKET, SOCK_RAW, '*') is denied: EPERM'* ]]
	[[ $output == *'socket(AF_VSOCK, SOCK_STREAM, '*') is denied: EPERM'* ]]
	[[ $output == *'ioctl(0, TIOCSTI, 0x'*') is denied: EPERM'* ]]
	[[ $output == *'clone3({flags=CLONE_NEWUSER}, 88) is denied: EPERM'* ]]
	[ "$(grep -c "python: Operation not permitted" <<<"$output")" -eq 3 ]
	[[ $output == *"-1 Operation not permitted"* ]]
}

@test "refused: beside an agent, with a filter that denies its hand-over, and with another word" {
	args true
	report
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", listenerPath: "/run/agent", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_NOTIFY"}]}'
	refused 'annotations["io.kavach.seccomp.report"]' 'beside an agent'
	errno read
	refused 'denied calls cannot be reported: the seccomp filter denies read'
	errno mkdir
	config '.annotations["io.kavach.seccomp.report"] = "yes"'
	refused 'annotations["io.kavach.seccomp.report"]: expected true or false, found "yes"'
	config 'del(.annotations)'
	args sleep 1000
	begin
	kvrun seccomp denied "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"container $ID: denied calls are not reported"*"io.kavach.seccomp.report=true" ]]
}

@test "inspect knows the filters of a report, checkpoint refuses them" {
	errno mkdir
	report
	args sleep 1000
	compile_tool fakecriu "$BATS_TEST_TMPDIR/criu"
	PATH=$BATS_TEST_TMPDIR:$PATH
	begin
	kvrun inspect --filters "$ID"
	[ "$status" -eq 0 ]
	kvrun policy "$BUNDLE"
	[[ $output == *"reports"*"what is denied"* ]]
	kvrun checkpoint --image-path "$BATS_TEST_TMPDIR/images" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"CRIU cannot save a seccomp filter that somebody outside answers for"* ]]
}

@test "a process of an ordinary user is looked at as well" {
	errno mkdir
	report
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {} | .process.noNewPrivileges = true'
	sh_ 'mkdir /tmp/x'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *'mkdir("/tmp/x", 0777) is denied: EPERM'* ]]
}

@test "seccomp log: lines of the kernel and of auditd in words" {
	[ "$(uname -m)" = x86_64 ] || skip "numbers of x86_64"
	cat >"$BATS_TEST_TMPDIR/log" <<-'EOF'
		[26480.581782] audit: type=1326 audit(1795276543.431:4559): auid=4294967295 uid=0 gid=0 ses=4294967295 pid=20082 comm="worker" exe="/usr/bin/worker" sig=31 arch=c000003e syscall=165 compat=0 ip=0x7feb41740617 code=0x80000000
		[1.0] usb 1-1: something else
		type=SECCOMP msg=audit(1795276544.000:1): auid=0 uid=0 gid=0 ses=1 subj=unconfined pid=7 comm=6120622203 exe="/bin/sh" sig=0 arch=40000003 syscall=21 compat=1 ip=0x1 code=0x50001
		type=SECCOMP msg=audit(1795276545.000:2): auid=0 uid=0 gid=0 ses=1 pid=8 comm="x" exe="/x" sig=0 arch=c000003e syscall=1073741824 compat=0 ip=0x1 code=0x7ffc0000
		type=SECCOMP msg=audit(1.000:2): pid=8 comm="x" exe="/x" arch=c000003e
	EOF
	kvrun seccomp log "$BATS_TEST_TMPDIR/log"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 3 ]
	[ "${lines[0]}" = '2026-11-21T15:55:43Z pid 20082 "worker" ("/usr/bin/worker"): mount is denied: the process is killed' ]
	[ "${lines[1]}" = '2026-11-21T15:55:44Z pid 7 "a b\x22\x03" ("/bin/sh"): mount of x86 is denied: EPERM' ]
	[ "${lines[2]}" = '2026-11-21T15:55:45Z pid 8 "x" ("/x"): read of x32 is allowed, and logged' ]
	[ "$("$KAVACH" seccomp log - <"$BATS_TEST_TMPDIR/log")" = "$output" ]
	kvrun seccomp log "$BATS_TEST_TMPDIR/none"
	[ "$status" -eq 2 ]
}

@test "seccomp log: the kernel's own log has the call that killed" {
	[ -r /dev/kmsg ] || skip "needs /dev/kmsg"
	grep -q kill_process /proc/sys/kernel/seccomp/actions_logged || skip "kills are not logged here"
	own_rootfs
	name=k$$$BATS_TEST_NUMBER
	cp "$ROOTFS/bin/call" "$BUNDLE/rootfs/bin/$name"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["personality"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	args "/bin/$name" personality 0
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 159 ]
	dmesg 2>/dev/null | grep -q "comm=\"$name\"" || skip "the kernel does not log it here"
	kvrun seccomp log
	[ "$(grep -c "\"$name\" (\"/bin/$name\"): personality is denied: the process is killed" <<<"$output")" -eq 1 ]
}
