#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec: a second process in a running container.

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
}

teardown() { teardown_kavach; }

# process FILE JQ: a process object to pass with --process
process() {
	jq -n '{cwd: "/", args: ["true"], env: ["PATH=/bin"], user: {uid: 0, gid: 0},
		capabilities: {bounding: [], effective: [], permitted: []}} | '"$2" >"$BATS_TEST_TMPDIR/$1"
}

@test "exec runs in the container's namespaces and cgroup" {
	pid=$(kv state "$ID" | jq .pid)
	for ns in mnt pid net ipc uts cgroup; do
		[ "$(kv exec "$ID" readlink /proc/self/ns/$ns)" = "$(readlink "/proc/$pid/ns/$ns")" ]
	done
	kv exec -d --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" sleep 100
	[ "$(sort "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/cgroup")" = "$(sort "/proc/$pid/cgroup")" ]
}

@test "exec: exit status, signal, standard streams" {
	kvrun exec "$ID" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	kvrun exec "$ID" sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
	[ "$(echo input | kv exec "$ID" cat)" = input ]
	[ "$(kv exec "$ID" sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
}

@test "exec: a program that cannot be run is 255 with the words that engines look for" {
	kvrun exec "$ID" no-such-program
	[ "$status" -eq 255 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	kvrun exec "$ID" /no/such/program
	[[ $output == *"no such file or directory"* ]]
	kvrun exec "$ID" /etc/passwd
	[ "$status" -eq 255 ]
	[[ $output == *"permission denied"* ]]
	kvrun exec "$ID" /etc
	[[ $output == *"is a directory"* || $output == *"permission denied"* ]]
}

@test "exec: no pid file is left of an exec that failed" {
	kvrun exec -d --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" no-such-program
	[ "$status" -ne 0 ]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
}

@test "exec --user takes numbers and nothing else" {
	[ "$(kv exec -u 1000:1000 "$ID" id -u)" = 1000 ]
	[ "$(kv exec --user=1 "$ID" id -u)" = 1 ]
	for bad in "" ":1" "1:" "-1" "4294967296" "4294967295" " 1" "1 " root "1:root" 0x1; do
		kvrun exec --user "$bad" "$ID" id
		[ "$status" -ne 0 ]
		[[ $output == *"--user"* ]]
	done
}

@test "exec -u 1 is uid 1 even when passwd calls another user '1'" {
	kv delete -f "$ID"
	own_rootfs
	echo '1:x:0:0:evil:/:/bin/sh' >>"$BUNDLE/rootfs/etc/passwd"
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	[ "$(kv exec -u 1 "$ID" id -u)" = 1 ]
}

@test "exec --cap adds a capability that is not inheritable" {
	kv exec --cap CAP_SYS_ADMIN "$ID" cat /proc/self/status >"$BATS_TEST_TMPDIR/status"
	[ "$(awk '/^CapInh/ {print $2}' "$BATS_TEST_TMPDIR/status")" = 0000000000000000 ]
	[ $((0x$(awk '/^CapEff/ {print $2}' "$BATS_TEST_TMPDIR/status") >> 21 & 1)) -eq 1 ]
}

@test "exec: env, cwd, additional groups, umask of the container" {
	[ "$(kv exec -e FOO=bar -e FOO=baz "$ID" sh -c 'echo $FOO')" = baz ]
	[ "$(kv exec --cwd /tmp "$ID" pwd)" = /tmp ]
	[[ $(kv exec -g 7 -g 8 "$ID" id -G) == *7\ 8* ]]
	kvrun exec --cwd tmp "$ID" pwd
	[ "$status" -ne 0 ]
}

@test "exec --process: a whole process object" {
	process p.json '.args = ["sh", "-c", "id -u; id -g; id -G; pwd; umask; echo $X"] | .cwd = "/tmp" | .env += ["X=y"]
		| .user = {uid: 7, gid: 8, umask: 63, additionalGids: [9]} '
	kvrun exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 7 ]
	[ "${lines[1]}" = 8 ]
	[ "${lines[2]}" = "8 9" ]
	[ "${lines[3]}" = /tmp ]
	[ "${lines[4]}" = 0077 ]
	[ "${lines[5]}" = y ]
}

@test "exec --process: rlimits, no_new_privs, capabilities, oom score" {
	process p.json '.args = ["cat", "/proc/self/status", "/proc/self/limits", "/proc/self/oom_score_adj"]
		| .noNewPrivileges = true | .rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}] | .oomScoreAdj = 500
		| .capabilities = {bounding: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"], permitted: ["CAP_KILL"]}'
	kvrun exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *"NoNewPrivs:"*1* ]]
	[[ $output == *"CapBnd:"*0000000000000021* ]]
	[[ $output =~ "Max open files"\ +100\ +200 ]]
	[ "${lines[-1]}" = 500 ]
}

@test "exec --process: a wrong object is refused with file, path and line" {
	process p.json '.user.uid = "1000"'
	kvrun exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	[ "$status" -eq 255 ]
	[[ $output == *"p.json:"*"user.uid: expected"*'"1000"'* ]]
}

@test "exec: in a stopped container 'container not running'" {
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kvrun exec "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *"container not running"* ]]
}

@test "exec: only 0, 1 and 2 are open, plus what is preserved" {
	[ "$(kv exec "$ID" sh -c 'ls /proc/self/fd | tr "\n" " "' 9</etc/passwd)" = "0 1 2 3 " ] # 3 is ls's own
	[ "$(kv exec --preserve-fds 1 "$ID" sh -c 'cat <&3' 3<<<through)" = through ]
	kvrun exec --preserve-fds 30 "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *"not open"* ]]
}

@test "exec with a terminal" {
	python3 - "$KAVACH" "$STATE" "$ID" <<'PY'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execv(sys.argv[1], [sys.argv[1], "--root", sys.argv[2], "exec", "-t", sys.argv[3], "sh", "-c", "tty; stty size; read x; echo got-$x; exit 5"])
import fcntl, struct, termios
fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
os.write(fd, b"line\r")
out = b""
try:
    while True:
        d = os.read(fd, 1000)
        if not d:
            break
        out += d
except OSError:
    pass
st = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(out, st)
assert st == 5, st
assert b"got-line" in out, out
assert b"/dev/pts/" in out, out
PY
}

@test "exec has the container's seccomp filter" {
	kv delete -f "$ID"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"],
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun exec "$ID" mkdir /tmp/x
	[ "$status" -ne 0 ]
	[[ $output == *"not supported"* ]]
	[ "$(kv exec "$ID" awk '/^Seccomp:/ {print $2}' /proc/self/status)" = 2 ]
}
