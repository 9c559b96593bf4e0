#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the process object and its neighbours promise (S-09 to S-23, S-51, S-52, S-57, B-07, B-08, B-11, B-14, C-09, C-10).

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
}

teardown() {
	teardown_kavach
}

inside() {
	args "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

have_cap() {
	[ $((0x$(awk '/^CapEff/ {print $2}' /proc/self/status) >> $1 & 1)) -eq 1 ]
}

field() { awk -v k="$1:" '$1 == k {print $2}' <<<"$output"; }

@test "S-10, C-09: create sends the terminal's master; size, /dev/console and controlling terminal are set" {
	config '.process.terminal = true | .process.consoleSize = {height: 40, width: 100}'
	args sh -c 'stty size; tty; ls -l /dev/console >/dev/null && echo console; echo x >/dev/tty; ps -o pid,tty | grep -c "136,0"; exit 3'
	receiver console
	kv create -b "$BUNDLE" --console-socket "$SOCK" "$ID"
	kv start "$ID"
	received
	tr -d '\r' <"$OUT" >"$OUT.text"
	cat "$OUT.text"
	read -r bytes fds <"$OUT.text"
	[ "$bytes" -ge 1 ]
	[ "$fds" -eq 1 ]
	[ "$(sed -n 2,5p "$OUT.text" | tr '\n' ' ')" = "40 100 /dev/pts/0 console x " ]
}

@test "C-09: a socket path of more than 108 bytes, and a console socket for exec" {
	long=$BATS_TEST_TMPDIR/$(printf 'd%.0s' {1..100})
	mkdir "$long"
	config '.process.terminal = true'
	args sh -c 'echo hello; sleep 100'
	SOCK=$long/sock OUT=$BATS_TEST_TMPDIR/out
	"$KAVACH_SRC/tests/tools/receive.py" console "$SOCK" "$OUT" 3>&- &
	# shellcheck disable=SC2034
	RECEIVER=$! # ended by teardown_kavach
	wait_for 10 test -e "$SOCK.ready"
	kv run -d -b "$BUNDLE" --console-socket "$SOCK" "$ID"
	wait_for 5 grep -q hello "$OUT"
	jq -n '{terminal: true, consoleSize: {height: 7, width: 9}, cwd: "/", args: ["sh", "-c", "stty size; tty"],
		env: ["PATH=/bin"], user: {uid: 0, gid: 0}}' >"$BATS_TEST_TMPDIR/p.json"
	"$KAVACH_SRC/tests/tools/receive.py" console "$BATS_TEST_TMPDIR/e" "$OUT.exec" 3>&- &
	exec_receiver=$!
	wait_for 10 test -e "$BATS_TEST_TMPDIR/e.ready"
	kv exec -d --process "$BATS_TEST_TMPDIR/p.json" --console-socket "$BATS_TEST_TMPDIR/e" "$ID"
	wait "$exec_receiver"
	tr -d '\r' <"$OUT.exec" | grep -x '7 9'
	tr -d '\r' <"$OUT.exec" | grep -x '/dev/pts/1'
	kv delete -f "$ID"
	received
}

@test "C-09: terminal and console socket go together only as engines use them" {
	config '.process.terminal = true'
	args true
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"console socket"* ]]
	kvrun run -d -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	kvrun create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/none" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"--console-socket"* ]]
	config '.process.terminal = false'
	kvrun create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/none" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"console socket"* ]]
	[ -z "$(kv list -q)" ]
}

@test "S-10: run with a terminal in the foreground; without one there is no controlling terminal" {
	config '.process.terminal = true'
	args sh -c 'tty; stty -a | grep -o "rows [0-9]*"; echo done'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *"/dev/pts/0"*done* ]]
	config '.process.terminal = false | .process.consoleSize = {height: 40, width: 100}'
	inside sh -c 'tty || true; echo x 2>/dev/null >/dev/tty || echo none'
	[[ $output == *none ]]
}

@test "S-09: no process: create works, start and run do not" {
	config 'del(.process)'
	kv create -b "$BUNDLE" "$ID"
	status_is created
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *process* ]]
	kv delete -f "$ID"
	refused process
}

@test "S-11: the working directory: as given, made when it is missing, absolute or refused" {
	own_rootfs
	config '.process.cwd = "/new/deep"'
	inside pwd
	[ "$output" = /new/deep ]
	[ -d "$BUNDLE/rootfs/new/deep" ]
	for bad in relative '' ; do
		config --arg d "$bad" '.process.cwd = $d'
		refused process.cwd
	done
	config '.process.cwd = "/etc/passwd"'
	refused /etc/passwd
	# entered before the user changes, as with runc: one that only root may enter is fine
	config '.process.cwd = "/root" | .process.user = {uid: 1000, gid: 1000}'
	inside pwd
	[ "$output" = /root ]
}

@test "S-12: the environment is the config's; the last of a name counts" {
	config '.process.env = ["PATH=/bin", "A=1", "B=two words", "A=3", "EMPTY=", "EQ=a=b", "U=ü"]'
	export LEAK=secret
	inside env
	unset LEAK
	[ "$(sort <<<"$output" | grep -v '^HOME=' | tr '\n' ';')" = "A=3;B=two words;EMPTY=;EQ=a=b;PATH=/bin;U=ü;" ]
}

@test "S-12: HOME comes from the image's passwd when it is missing or empty" {
	inside sh -c 'echo $HOME'
	[ "$output" = /root ]
	config '.process.user = {uid: 1000, gid: 1000}'
	inside sh -c 'echo $HOME'
	[ "$output" = /home/user ]
	config '.process.env += ["HOME="]'
	inside sh -c 'echo $HOME'
	[ "$output" = /home/user ]
	config '.process.env += ["HOME=/mine"]'
	inside sh -c 'echo $HOME'
	[ "$output" = /mine ]
	config '.process.user.uid = 4711 | .process.env = ["PATH=/bin"]'
	inside sh -c 'echo $HOME'
	[ "$output" = / ]
}

@test "S-12, E-05 to E-08: the program is found with the container's PATH, and what cannot run is 126 or 127 at create" {
	own_rootfs
	mkdir "$BUNDLE/rootfs/opt"
	printf '#!/bin/sh\necho mine\n' >"$BUNDLE/rootfs/opt/mine"
	chmod 755 "$BUNDLE/rootfs/opt/mine"
	config '.process.env = ["PATH=/no:/opt"]'
	inside mine
	[ "$output" = mine ]
	config '.process.env = ["PATH=/bin"]'
	args mine
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	args /no/such
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[[ $output == *"no such file or directory"* ]]
	args /etc/passwd
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[[ $output == *"permission denied"* ]]
	args /etc
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[[ $output == *"is a directory"* ]]
	args /etc/passwd/x
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[ -z "$(kv list -q)" ]
	# what only the kernel finds out comes from start
	printf '#!/no/interpreter\n' >"$BUNDLE/rootfs/opt/mine"
	args /opt/mine
	kv create -b "$BUNDLE" "$ID"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"no such file or directory"* ]]
	kv delete -f "$ID"
	printf 'neither ELF nor script\n' >"$BUNDLE/rootfs/opt/mine"
	args /opt/mine
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"exec format error"* ]]
	config '.process.args = []'
	refused process.args
	config '.process.args = [""]'
	refused ''
}

@test "S-13: uid, gid, additional groups and umask; an umask that is not given is the caller's" {
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [5, 6], umask: 63}'
	inside sh -c 'id -u; id -g; id -G; umask; grep ^Groups: /proc/self/status'
	[ "${lines[0]} ${lines[1]} ${lines[3]}" = "1000 1001 0077" ]
	[ "${lines[2]}" = "1001 5 6" ]
	config 'del(.process.user.umask)'
	args sh -c umask
	[ "$(umask 0031 && kv run -b "$BUNDLE" "$ID")" = 0031 ]
	config '.process.user.umask = 0'
	inside sh -c umask
	[ "$output" = 0000 ]
	# no groups but those given: not the caller's
	config '.process.user = {uid: 0, gid: 0}'
	args id -G
	[ "$(setpriv --groups 7,8 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")" = 0 ]
}

@test "S-14: rlimits are in force, soft and hard; unknown and doubled ones are refused" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 100, hard: 200}, {type: "RLIMIT_CORE", soft: 0, hard: 0},
		{type: "RLIMIT_STACK", soft: 4194304, hard: 8388608}, {type: "RLIMIT_NPROC", soft: 500, hard: 500}]'
	inside cat /proc/self/limits
	[[ $output =~ "Max open files"\ +100\ +200 ]]
	[[ $output =~ "Max core file size"\ +0\ +0 ]]
	[[ $output =~ "Max stack size"\ +4194304\ +8388608 ]]
	[[ $output =~ "Max processes"\ +500\ +500 ]]
	# a user other than root has them too
	config '.process.user = {uid: 1000, gid: 1000}'
	inside cat /proc/self/limits
	[[ $output =~ "Max open files"\ +100\ +200 ]]
	config '.process.rlimits[1].type = "RLIMIT_NOFILE"'
	refused 'process.rlimits[1].type' RLIMIT_NOFILE
	config '.process.rlimits = [{type: "RLIMIT_NOSUCH", soft: 1, hard: 1}]'
	refused 'process.rlimits[0].type' RLIMIT_NOSUCH
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 2, hard: 1}]'
	refused 'process.rlimits[0].soft'
}

@test "S-14: a hard limit that cannot rise is an error that says what is missing" {
	have_cap 24 && skip "root has CAP_SYS_RESOURCE: limits can rise"
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 10000000}]'
	args true
	refused 'process.rlimits[0]' RLIMIT_NOFILE CAP_SYS_RESOURCE
}

@test "S-15: the five capability sets of root are exactly those given" {
	config '.process.capabilities = {bounding: ["CAP_CHOWN", "CAP_KILL", "CAP_NET_RAW"], permitted: ["CAP_CHOWN", "CAP_KILL"],
		effective: ["CAP_KILL"], inheritable: ["CAP_CHOWN"], ambient: []}'
	inside cat /proc/self/status
	# an exec by root raises permitted and effective to what bounding and inheritable leave
	[ "$(field CapBnd)" = 0000000000002021 ]
	[ "$(field CapInh)" = 0000000000000001 ]
	[ "$(field CapAmb)" = 0000000000000000 ]
	config '.process.capabilities = {}'
	inside cat /proc/self/status
	for s in CapBnd CapInh CapPrm CapEff CapAmb; do
		[ "$(field $s)" = 0000000000000000 ]
	done
	config 'del(.process.capabilities)'
	inside cat /proc/self/status
	[ "$(field CapEff)" = 0000000000000000 ]
}

@test "S-15: a user other than root has what is ambient, and nothing without it" {
	config '.process.user = {uid: 1000, gid: 1000} | .process.capabilities = {
		bounding: ["CAP_CHOWN", "CAP_KILL"], permitted: ["CAP_CHOWN", "CAP_KILL"], effective: ["CAP_KILL"],
		inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"]}'
	for nnp in true false; do
		config '.process.noNewPrivileges = '$nnp
		inside cat /proc/self/status
		[ "$(field CapBnd)" = 0000000000000021 ]
		[ "$(field CapInh)" = 0000000000000020 ]
		[ "$(field CapPrm)" = 0000000000000020 ]
		[ "$(field CapEff)" = 0000000000000020 ]
		[ "$(field CapAmb)" = 0000000000000020 ]
	done
	config '.process.capabilities.ambient = []'
	inside cat /proc/self/status
	[ "$(field CapPrm)" = 0000000000000000 ]
	[ "$(field CapEff)" = 0000000000000000 ]
	[ "$(field CapBnd)" = 0000000000000021 ]
}

@test "S-15: a capability that is unknown or cannot be granted is a warning, not an error" {
	config '.process.capabilities |= map_values(["CAP_KILL", "CAP_NOSUCH"])'
	args cat /proc/self/status
	run "$KAVACH" --root "$STATE" --log-level warning run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *CAP_NOSUCH* ]]
	[ "$(field CapBnd)" = 0000000000000020 ]
	have_cap 24 && skip "root has every capability"
	config '.process.capabilities |= map_values(["CAP_KILL", "CAP_SYS_RESOURCE"])'
	args cat /proc/self/status
	run "$KAVACH" --root "$STATE" --log-level warning run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *CAP_SYS_RESOURCE* ]]
	[ "$(field CapBnd)" = 0000000000000020 ]
}

@test "S-16: noNewPrivileges" {
	for pair in true:1 false:0 null:0; do
		config '.process.noNewPrivileges = '"${pair%:*}"' | .process |= with_entries(select(.value != null))'
		inside cat /proc/self/status
		[ "$(field NoNewPrivs)" = "${pair#*:}" ]
	done
}

@test "S-17: a label for a security module that is not there is refused" {
	[ ! -e /sys/kernel/security/apparmor ] || skip "AppArmor is there"
	config '.process.apparmorProfile = "some-profile"'
	refused process.apparmorProfile some-profile AppArmor
	config '.process.apparmorProfile = "unconfined"'
	inside true
	config '.process.apparmorProfile = "" | .process.selinuxLabel = ""'
	inside true
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is there"
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	refused process.selinuxLabel SELinux
	config 'del(.process.selinuxLabel) | .linux.mountLabel = "system_u:object_r:container_file_t:s0"'
	refused linux.mountLabel SELinux
}

@test "S-18: oomScoreAdj: set when given, 0 too; untouched when absent; down without the privilege is an error that names it" {
	config '.process.oomScoreAdj = 500'
	inside cat /proc/self/oom_score_adj
	[ "$output" = 500 ]
	config '.process.user = {uid: 1000, gid: 1000}'
	inside cat /proc/self/oom_score_adj
	[ "$output" = 500 ]
	config 'del(.process.oomScoreAdj)'
	args cat /proc/self/oom_score_adj
	run choom -n 300 -- "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$output" = 300 ]
	config '.process.oomScoreAdj = 2000'
	refused process.oomScoreAdj 2000
	have_cap 24 && skip "root has CAP_SYS_RESOURCE: scores can fall"
	config '.process.oomScoreAdj = -500'
	refused process.oomScoreAdj -500 CAP_SYS_RESOURCE
}

@test "S-19: scheduler policies and nice" {
	# fields of /proc/PID/stat: 19 nice, 40 real-time priority, 41 policy
	args awk '{print $19, $40, $41}' /proc/self/stat
	while read -r policy nice want; do
		config --arg p "$policy" --argjson n "$nice" '.process.scheduler = {policy: $p, nice: $n}'
		kvrun run -b "$BUNDLE" "$ID"
		[ "$output" = "$want" ]
	done <<-'END'
		SCHED_OTHER 5 5 0 0
		SCHED_OTHER -5 -5 0 0
		SCHED_BATCH 3 3 0 3
		SCHED_IDLE 0 0 0 5
	END
	config '.process.scheduler = {policy: "SCHED_OTHER", flags: ["SCHED_FLAG_RESET_ON_FORK"]}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	# the host decides whether a cgroup has real-time; if not, the words say what was asked
	config '.process.scheduler = {policy: "SCHED_RR", priority: 7}'
	kvrun run -b "$BUNDLE" "$ID"
	# (the nice value is the caller's: it means nothing there)
	[[ $output == *" 7 2" ]] || [[ $status -ne 0 && $output == *process.scheduler* ]]
}

@test "S-19: numbers that the policy does not take are refused" {
	args true
	for s in '{policy: "SCHED_NOSUCH"}' '{policy: "SCHED_OTHER", priority: 5}' '{policy: "SCHED_FIFO"}' \
		'{policy: "SCHED_FIFO", priority: 100}' '{policy: "SCHED_OTHER", nice: 20}' '{policy: "SCHED_OTHER", nice: -21}' \
		'{policy: "SCHED_OTHER", runtime: 5}' '{policy: "SCHED_DEADLINE"}' \
		'{policy: "SCHED_DEADLINE", runtime: 5, deadline: 4, period: 6}' '{policy: "SCHED_OTHER", flags: ["SCHED_FLAG_X"]}'; do
		config ".process.scheduler = $s"
		refused process.scheduler
	done
}

@test "S-20: I/O priority" {
	for c in "RT 1 realtime" "BE 7 best-effort" "IDLE 0 idle"; do
		read -r class prio text <<<"$c"
		config --arg c "IOPRIO_CLASS_$class" --argjson p "$prio" '.process.ioPriority = {class: $c, priority: $p}'
		inside ionice
		[[ $output == *"$text"* ]]
		[ "$class" = IDLE ] || [[ $output == *"prio $prio"* ]]
	done
	config '.process.ioPriority = {class: "IOPRIO_CLASS_BE", priority: 8}'
	refused process.ioPriority.priority 8
	config '.process.ioPriority = {class: "IOPRIO_CLASS_X", priority: 0}'
	refused process.ioPriority.class
}

@test "S-21: execCPUAffinity is for exec alone; init has all CPUs whatever kavach had" {
	[ "$(nproc)" -ge 2 ] || skip "one CPU"
	config '.process.execCPUAffinity = {initial: "0", final: "1"}'
	args sleep 100
	taskset -c 0 "$KAVACH" --root "$STATE" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	all=$(awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)
	pid=$(kv state "$ID" | jq .pid)
	[ "$(awk '/^Cpus_allowed_list/ {print $2}' "/proc/$pid/status")" = "$all" ]
	# the container's own process object is what exec without --process goes by
	[ "$(kv exec "$ID" awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)" = 1 ]
	process='{cwd: "/", args: ["awk", "/^Cpus_allowed_list/ {print $2}", "/proc/self/status"], env: ["PATH=/bin"], user: {uid: 0, gid: 0}}'
	jq -n "$process | .execCPUAffinity = {final: \"0\"}" >"$BATS_TEST_TMPDIR/p.json"
	[ "$(kv exec --process "$BATS_TEST_TMPDIR/p.json" "$ID")" = 0 ]
	jq -n "$process | .execCPUAffinity = {final: \"0-1\"}" >"$BATS_TEST_TMPDIR/p.json"
	[ "$(kv exec --process "$BATS_TEST_TMPDIR/p.json" "$ID")" = 0-1 ]
	jq -n "$process" >"$BATS_TEST_TMPDIR/p.json"
	[ "$(taskset -c 0 "$KAVACH" --root "$STATE" exec --process "$BATS_TEST_TMPDIR/p.json" "$ID")" = "$all" ]
	for bad in 1-0 x 0,,1 -1; do
		jq -n --arg b "$bad" "$process | .execCPUAffinity = {final: \$b}" >"$BATS_TEST_TMPDIR/p.json"
		kvrun exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
		[ "$status" -eq 255 ]
		[[ $output == *execCPUAffinity* ]]
	done
}

@test "S-57: personality" {
	[ "$(uname -m)" = x86_64 ] || skip "needs x86-64"
	config '.linux.personality = {domain: "LINUX32"}'
	inside uname -m
	[ "$output" = i686 ]
	args sleep 100
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(kv exec "$ID" uname -m)" = i686 ]
	kv delete -f "$ID"
	config '.linux.personality = {domain: "LINUX"}'
	inside uname -m
	[ "$output" = x86_64 ]
	config '.linux.personality = {domain: "SOLARIS"}'
	refused linux.personality.domain SOLARIS
	config '.linux.personality = {domain: "LINUX", flags: ["X"]}'
	refused linux.personality.flags
}

@test "B-11: a session keyring of the container's own, the caller's with --no-new-keyring" {
	[ -r /proc/keys ] || skip "no keyrings in this kernel"
	config '.linux.maskedPaths = []'
	args cat /proc/keys
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"_ses.$ID"* ]]
	kvrun run --no-new-keyring -b "$BUNDLE" "$ID-old"
	[ "$status" -eq 0 ]
	[[ $output != *"_ses.$ID-old"* ]]
	# users other than root find it too
	config '.process.user = {uid: 1000, gid: 1000}'
	kvrun run -b "$BUNDLE" "$ID-user"
	[[ $output == *"_ses.$ID-user"* ]]
}

@test "S-52: sysctl of the container's namespaces are set, all others refused" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "0", "kernel.msgmax": "5000",
		"fs.mqueue.msg_max": "7", "kernel.domainname": "example.org"}'
	inside cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax /proc/sys/fs/mqueue/msg_max /proc/sys/kernel/domainname
	[ "$(tr '\n' ' ' <<<"$output")" = "1 5000 7 example.org " ]
	for bad in kernel.pid_max vm.swappiness fs.file-max kernel.core_pattern user.max_user_namespaces net.../kernel.core_pattern \
		net/../kernel/core_pattern kernel.hostname; do
		config --arg k "$bad" '.linux.sysctl = {($k): "1"}'
		refused linux.sysctl
	done
	config '.linux.sysctl = {"net.ipv4.no_such": "1"}'
	refused net.ipv4.no_such
	config '.linux.sysctl = {"net.ipv4.ip_forward": "nonsense"}'
	refused net.ipv4.ip_forward nonsense
	before=$(cat /proc/sys/net/ipv4/ip_forward)
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1"} | .linux.namespaces |= map(select(.type != "network"))'
	refused net.ipv4.ip_forward network
	config '.linux.sysctl = {"kernel.msgmax": "5000"} | .linux.namespaces |= map(select(.type != "ipc"))'
	refused kernel.msgmax ipc
	[ "$(cat /proc/sys/net/ipv4/ip_forward)" = "$before" ]
}

@test "S-51: memory policy" {
	[ -e /proc/self/numa_maps ] || skip "no NUMA in this kernel"
	config '.linux.memoryPolicy = {mode: "MPOL_BIND", nodes: "0"}'
	inside cat /proc/self/numa_maps
	[[ ${lines[0]} == *" bind:0 "* ]]
	config '.linux.memoryPolicy = {mode: "MPOL_INTERLEAVE", nodes: "0", flags: ["MPOL_F_STATIC_NODES"]}'
	inside cat /proc/self/numa_maps
	[[ ${lines[0]} == *interleave*0* ]]
	config '.linux.memoryPolicy = {mode: "MPOL_DEFAULT"}'
	inside cat /proc/self/numa_maps
	[[ ${lines[0]} == *" default "* ]]
	config '.linux.memoryPolicy = {mode: "MPOL_LOCAL", nodes: ""}'
	inside cat /proc/self/numa_maps
	[[ ${lines[0]} == *" local "* ]]
	for bad in '{mode: "MPOL_NOSUCH"}' '{mode: "MPOL_BIND"}' '{mode: "MPOL_DEFAULT", nodes: "0"}' '{mode: "MPOL_BIND", nodes: "x"}' \
		'{mode: "MPOL_BIND", nodes: "0", flags: ["X"]}' '{mode: "MPOL_BIND", nodes: "900"}'; do
		config ".linux.memoryPolicy = $bad"
		refused linux.memoryPolicy
	done
}

@test "B-08: LISTEN_FDS with and without LISTEN_PID; somebody else's LISTEN_PID is ignored" {
	args sh -c 'echo $LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES; cat <&3'
	run bash -c 'unset LISTEN_PID; LISTEN_FDS=1 exec "$0" --root "$1" run -b "$2" "$3" 3<<<data' "$KAVACH" "$STATE" "$BUNDLE" "$ID"
	[ "$output" = "1 1
data" ]
	run bash -c 'LISTEN_PID=$$ LISTEN_FDNAMES=web LISTEN_FDS=1 exec "$0" --root "$1" run -b "$2" "$3" 3<<<data' \
		"$KAVACH" "$STATE" "$BUNDLE" "$ID"
	[ "$output" = "1 1 web
data" ]
	args sh -c 'echo "[$LISTEN_FDS]"; ls /proc/self/fd | tr "\n" " "'
	run bash -c 'LISTEN_PID=1 LISTEN_FDS=1 exec "$0" --root "$1" run -b "$2" "$3" 3<<<data' "$KAVACH" "$STATE" "$BUNDLE" "$ID"
	[ "${lines[0]}" = "[]" ]
	[ "${lines[1]}" = "0 1 2 3 " ]
}

@test "B-07: --preserve-fds come after LISTEN_FDS; one that is not open is an error" {
	args sh -c 'cat <&3; cat <&4; cat <&5; ls /proc/self/fd | tr "\n" " "'
	run bash -c 'LISTEN_FDS=1 exec "$0" --root "$1" run --preserve-fds 2 -b "$2" "$3" 3<<<three 4<<<four 5<<<five 6<<<six' \
		"$KAVACH" "$STATE" "$BUNDLE" "$ID"
	[ "$(tr '\n' ' ' <<<"$output")" = "three four five 0 1 2 3 4 5 6  " ]
	run bash -c 'exec "$0" --root "$1" run --preserve-fds 2 -b "$2" "$3" 3<<<three 4<&-' "$KAVACH" "$STATE" "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"4 is not open"* ]]
}

@test "C-10: --pidfd-socket gets a pidfd of the container's process, of create and of exec" {
	args sleep 100
	receiver pidfd
	kv create -b "$BUNDLE" --pidfd-socket "$SOCK" "$ID"
	received
	[ "$(sed -n 2p "$OUT")" = "$(kv state "$ID" | jq .pid)" ]
	[ "$(sed -n '1s/.* //p' "$OUT")" = 1 ]
	kv start "$ID"
	rm "$SOCK" "$SOCK.ready"
	receiver pidfd
	kv exec -d --pidfd-socket "$SOCK" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	received
	[ "$(sed -n 2p "$OUT")" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
	kv delete -f "$ID"
	kvrun create -b "$BUNDLE" --pidfd-socket "$BATS_TEST_TMPDIR/none" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *--pidfd-socket* ]]
	[ -z "$(kv list -q)" ]
}

@test "B-14: standard descriptors that are closed are the null device inside, and nothing else gets their number" {
	mkdir "$BATS_TEST_TMPDIR/vol"
	config --arg v "$BATS_TEST_TMPDIR/vol" '.mounts += [{destination: "/mnt", source: $v, options: ["bind"]}]'
	args sh -c 'for f in 0 1 2; do stat -L -c "%F %t:%T" /proc/self/fd/$f; done >/mnt/out; ls /proc/self/fd >>/mnt/out'
	null="character special file 1:3"
	kv run -b "$BUNDLE" "$ID" <&- >&- 2>&-
	[ "$(tr '\n' ';' <"$BATS_TEST_TMPDIR/vol/out" | cut -d';' -f1,3)" = "$null;$null" ]
	grep -qx 0 "$BATS_TEST_TMPDIR/vol/out"
	for closed in 0 1 2; do
		rm -f "$BATS_TEST_TMPDIR/vol/out"
		args sh -c "exec 9>/mnt/out; x=\$(stat -L -c '%F %t:%T' /proc/\$\$/fd/$closed); echo \"\$x\" >&9; ls /proc/self/fd | tr '\n' ' ' >&9"
		case $closed in
		0) kv run -b "$BUNDLE" "$ID" <&- ;;
		1) kv run -b "$BUNDLE" "$ID" >&- ;;
		2) kv run -b "$BUNDLE" "$ID" 2>&- ;;
		esac
		echo "$closed:"; cat "$BATS_TEST_TMPDIR/vol/out"
		[ "$(sed -n 1p "$BATS_TEST_TMPDIR/vol/out")" = "$null" ]
		[ "$(sed -n 2p "$BATS_TEST_TMPDIR/vol/out")" = "0 1 2 3 9 " ]
	done
	# an error still has its exit status when there is nobody to tell
	config '.process.args = ["/no/such"]'
	rc=0
	kv run -b "$BUNDLE" "$ID" <&- >&- 2>&- || rc=$?
	[ "$rc" -eq 127 ]
}

@test "S-03: values that no process can have are refused, and unknown properties are not" {
	config '.process.nosuch = {a: 1} | .nosuch = 1 | .linux.nosuch = "x"'
	inside true
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
	for bad in '.process.user.uid = -1' '.process.user.uid = 4294967295' '.process.user.gid = "0"' '.process.user.umask = 512' \
		'.process.args = "sh"' '.process.env = ["A=1", 2]' '.process.terminal = "no"' '.process.oomScoreAdj = 1.5' \
		'.process.capabilities.bounding = "CAP_KILL"'; do
		config "$bad"
		refused process
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
}

@test "S-50: linux.intelRdt on a host without resctrl is refused, and an update of a group that is not there" {
	[ ! -e /sys/fs/resctrl/schemata ] || skip "resctrl is mounted"
	args sleep 100
	for rdt in '{closID: "gold"}' '{l3CacheSchema: "L3:0=f"}' '{memBwSchema: "MB:0=50"}' '{schemata: ["L3:0=f"]}' '{enableMonitoring: true}'; do
		config ".linux.intelRdt = $rdt"
		refused "linux.intelRdt: resctrl is not mounted"
	done
	config '.linux.intelRdt = {}'
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kvrun update --l3-cache-schema L3:0=f "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"no resctrl group of its own"* ]]
	kvrun update --mem-bw-schema 0=50 "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"--mem-bw-schema"*MB:* ]]
}
