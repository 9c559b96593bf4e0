#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containerd with kavach below containerd-shim-runc-v2, driven by ctr.

load daemon

setup_file() {
	requires_root
	requires_program containerd ctr jq script nsenter
	engine_setup ctr
	NS=$ENGINE_NAME
	NS2=$ENGINE_NAME-b
	export NS NS2
	containerd_start "$NS" "$NS2"
}

teardown_file() { engine_stop; }

setup() {
	ID=t$BATS_TEST_NUMBER
}

# Whatever a test did, after the removal of its containers nothing of them is left: no state of the
# runtime, no cgroup, no process.
teardown() {
	local ns id left
	[ -n "${ENGINE_PID:-}" ] || return 0
	for ns in "$NS" "$NS2"; do
		for id in $(ctr -a "$SOCKET" -n "$ns" container ls -q); do
			ctr -a "$SOCKET" -n "$ns" task rm -f "$id" >/dev/null 2>&1 || true
			ctr -a "$SOCKET" -n "$ns" container rm "$id" >/dev/null 2>&1 || true
		done
		left=$(in_engine ls "/run/containerd/runc/$ns" 2>/dev/null || true)
		[ -z "$left" ] || { echo "# state left of $ns: $left"; return 1; }
	done
	left=$(cgroups_of_engine | grep "${ENGINE_NAME}[^/]*/" || true)
	[ -z "$left" ] || { echo "# cgroups left: $left"; return 1; }
}

c() {
	in_engine ctr -a "$SOCKET" -n "$NS" "$@"
}

# foreground OPTION... ID [COMMAND...]: in the foreground
foreground() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	c run --rm --runc-binary "$ENGINE_RUNTIME" "${options[@]}" "$IMAGE" "$@"
}

# background OPTION... ID [COMMAND...]: in the background
background() {
	local options=()
	while [[ $1 == -* ]]; do
		options+=("$1")
		shift
	done
	c run -d --runc-binary "$ENGINE_RUNTIME" "${options[@]}" "$IMAGE" "$@"
}

task() {	# ID: "PID STATUS"
	c task ls | awk -v id="$1" '$1 == id { print $2, $3 }'
}

task_is() {	# ID STATUS
	[[ $(task "$1") == *" $2" ]]
}

pid_of() {	# ID
	set -- "$(task "$1")"
	echo "${1% *}"
}

# knob CONTROLLER FILE-ON-V1 FILE-ON-V2 PATH: what the cgroup says
knob() {
	local dir=/sys/fs/cgroup/$1/$4
	if [ -d "$dir" ]; then
		cat "$dir/$2"
	else
		cat "/sys/fs/cgroup/$4/$3"
	fi
}

@test "run: output, input, exit status" {
	show foreground "$ID" echo hello
	[ "$status" -eq 0 ]
	[ "$output" = hello ]
	show foreground "$ID" sh -c 'echo out; echo err >&2; exit 42'
	[ "$status" -eq 42 ]
	[[ $output == *out* && $output == *err* ]]
	# a while after the start, for ctr passes on the end of its input only when the task runs by then
	[ "$({ printf 'one\ntwo\n'; sleep 1; } | foreground "$ID" wc -l)" = 2 ]
}

@test "run: a program that cannot be run leaves nothing and says why in the words that clients know" {
	show foreground "$ID" no-such-program
	[ "$status" -ne 0 ]
	[[ $output == *"OCI runtime create failed"*'executable file not found in $PATH'* ]]
	show foreground "$ID" /no/such/program
	[[ $output == *"no such file or directory"* ]]
	show foreground "$ID" /etc/passwd
	[[ $output == *"permission denied"* ]]
	[ -z "$(c container ls -q)" ]
	[ -z "$(c task ls -q)" ]
}

@test "run -d: the task, its namespaces and its cgroup are what containerd says" {
	background --pid-file="$ENGINE_DIR/pid" "$ID" sleep 1000
	task_is "$ID" RUNNING
	pid=$(pid_of "$ID")
	[ "$(cat "$ENGINE_DIR/pid")" = "$pid" ]
	for ns in mnt pid net ipc uts; do
		[ "$(in_engine readlink "/proc/$pid/ns/$ns")" != "$(in_engine readlink /proc/self/ns/$ns)" ]
	done
	in_engine cat "/proc/$pid/cgroup" | grep -q ":/$NS/$ID\$"
	[ "$(in_engine readlink "/proc/$pid/root")" = / ]
	c task kill -s 9 "$ID"
	wait_for 10 task_is "$ID" STOPPED
	show c task delete "$ID"
	[[ $output == *"exit code 137"* ]]
}

@test "task exec: output, exit status, user, directory, environment of the container" {
	background --env=KEY=value "$ID" sleep 1000
	[ "$(c task exec --exec-id e1 "$ID" echo hello)" = hello ]
	show c task exec --exec-id e2 "$ID" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	[ "$(c task exec --exec-id e3 --user 1000:1000 "$ID" id -u)" = 1000 ]
	[ "$(c task exec --exec-id e4 --cwd /tmp "$ID" pwd)" = /tmp ]
	[ "$(c task exec --exec-id e5 "$ID" sh -c 'echo $KEY')" = value ]
	show c task exec --exec-id e6 "$ID" sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
	[ "$({ printf 'a\nb\n'; sleep 1; } | c task exec --exec-id e7 "$ID" wc -l)" = 2 ]
}

@test "task exec of a program that cannot be run fails and the task lives on" {
	background "$ID" sleep 1000
	show c task exec --exec-id e1 "$ID" no-such-program
	[ "$status" -ne 0 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	show c task exec --exec-id e2 "$ID" /etc/passwd
	[ "$status" -ne 0 ]
	[[ $output == *"permission denied"* ]]
	task_is "$ID" RUNNING
	[ "$(c task exec --exec-id e3 "$ID" echo alive)" = alive ]
}

@test "task pause and resume: no process of the task runs in between" {
	background "$ID" sh -c 'while :; do date +%N >/tmp/now; done'
	now() { in_engine cat "/proc/$1/root/tmp/now"; }
	pid=$(pid_of "$ID")
	c task pause "$ID"
	task_is "$ID" PAUSED
	before=$(now "$pid")
	sleep 0.3
	[ "$(now "$pid")" = "$before" ]
	show c task exec --exec-id e1 "$ID" true
	[ "$status" -ne 0 ]
	c task resume "$ID"
	task_is "$ID" RUNNING
	changed() { [ "$(now "$pid")" != "$before" ]; }
	wait_for 5 changed
}

@test "run --tty and task exec --tty: a terminal of the size of ours" {
	# ctr sets the size when the program runs already
	probe='until [ "$(stty size 2>&-)" = "33 77" ]; do sleep 0.1; done; test -t 0 && test -t 2 && tty'
	show pty in_engine ctr -a "$SOCKET" -n "$NS" run --rm --tty --runc-binary "$ENGINE_RUNTIME" "$IMAGE" "$ID" \
		sh -c "$probe"
	[ "$status" -eq 0 ]
	[ "$output" = /dev/pts/0 ]
	background "$ID" sleep 1000
	show pty in_engine ctr -a "$SOCKET" -n "$NS" task exec --tty --exec-id e1 "$ID" sh -c "$probe"
	[ "$status" -eq 0 ]
	[ "$output" = /dev/pts/0 ]
	show pty in_engine ctr -a "$SOCKET" -n "$NS" task exec --tty --exec-id e2 "$ID" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	show pty in_engine ctr -a "$SOCKET" -n "$NS" task exec --tty --exec-id e3 "$ID" no-such-program
	[ "$status" -ne 0 ]
	[[ $output == *'executable file not found in $PATH'* ]]
}

@test "task kill: signals by name and number, to the task, to an exec, to all" {
	background "$ID" sh -c 'trap "echo usr1 >>/tmp/seen" USR1; trap "exit 5" TERM; while :; do sleep 0.1; done'
	pid=$(pid_of "$ID")
	seen() { in_engine grep -q usr1 "/proc/$pid/root/tmp/seen" 2>/dev/null; }
	# USR1 and TERM
	trapped() { (((0x$(caught) & 0x4200) == 0x4200)); }
	caught() { in_engine awk '/^SigCgt/ { print $2 }' "/proc/$pid/status"; }
	wait_for 5 trapped
	c task kill -s SIGUSR1 "$ID"
	wait_for 5 seen
	c task exec -d --exec-id e1 "$ID" sleep 500
	[ "$(c task ps "$ID" | tail -n +2 | wc -l)" -ge 2 ]
	c task kill --exec-id e1 -s 9 "$ID"
	task_is "$ID" RUNNING
	c task kill "$ID"
	wait_for 10 task_is "$ID" STOPPED
	show c task kill "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"not found"* ]]
	show c task delete "$ID"
	[[ $output == *"exit code 5"* ]]
	c container rm "$ID"
	background "$ID" sh -c 'sleep 500 & sleep 500'
	c task kill --all -s 9 "$ID"
	wait_for 10 task_is "$ID" STOPPED
	[ -z "$(in_engine pgrep -x sleep -f 'sleep 500' || true)" ]
}

@test "task kill of a paused task with SIGKILL ends it" {
	background "$ID" sleep 1000
	c task pause "$ID"
	c task kill -s 9 "$ID"
	wait_for 10 task_is "$ID" STOPPED
}

@test "task delete: refused while it runs, with --force it ends" {
	background "$ID" sh -c 'sleep 600 & sleep 600'
	show c task delete "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"must be deleted"* || $output == *"must be stopped"* ]]
	task_is "$ID" RUNNING
	c task delete --force "$ID" || [ $? -eq 137 ]
	[ -z "$(c task ls -q)" ]
}

@test "task ps: the pids that are in the cgroup" {
	background "$ID" sh -c 'sleep 700 & sleep 700; true'
	c task exec -d --exec-id e1 "$ID" sleep 700
	ready() { [ "$(c task ps "$ID" | tail -n +2 | wc -l)" -eq 4 ]; }
	wait_for 5 ready
	c task ps "$ID" | awk 'NR > 1 { print $1 }' | sort >"$ENGINE_DIR/ps"
	in_engine cat "/sys/fs/cgroup/pids/$NS/$ID/cgroup.procs" 2>/dev/null | sort >"$ENGINE_DIR/procs" ||
		in_engine cat "/sys/fs/cgroup/$NS/$ID/cgroup.procs" | sort >"$ENGINE_DIR/procs"
	diff "$ENGINE_DIR/ps" "$ENGINE_DIR/procs"
}

@test "task metrics: memory, processor time and pids of the task" {
	background --memory-limit=67108864 "$ID" sh -c 'i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; sleep 1000'
	used() { c task metrics --format json "$ID" >"$ENGINE_DIR/metrics" &&
		jq -e '[.. | .usage_usec? // .total? // empty | tonumber] | max > 1000' "$ENGINE_DIR/metrics" >/dev/null; }
	wait_for 10 used
	show cat "$ENGINE_DIR/metrics"
	jq -e '.pids.current == 1' "$ENGINE_DIR/metrics"
	jq -e '.memory | (.usage.limit // .usage_limit) == 67108864' "$ENGINE_DIR/metrics"
	jq -e '.memory | (.usage.usage // .usage) > 0' "$ENGINE_DIR/metrics"
	show c task metrics "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *memory* && $output == *pids* ]]
}

@test "limits: memory, processor quota and shares stand in the cgroup" {
	background --memory-limit=33554432 --cpus=0.5 "$ID" sleep 1000
	[ "$(knob memory memory.limit_in_bytes memory.max "$NS/$ID")" = 33554432 ]
	[ "$(knob cpu cpu.cfs_quota_us cpu.max "$NS/$ID")" = 50000 ] ||
		[ "$(knob cpu cpu.cfs_quota_us cpu.max "$NS/$ID")" = "50000 100000" ]
	c task delete --force "$ID" || true
	c container rm "$ID"
	background --cpu-shares=512 --cpu-quota=20000 --cpu-period=50000 "$ID" sleep 1000
	[ "$(knob cpu cpu.shares cpu.weight "$NS/$ID")" = 512 ] ||
		[ "$(knob cpu cpu.shares cpu.weight "$NS/$ID")" = 20 ]
	[[ "$(knob cpu cpu.cfs_period_us cpu.max "$NS/$ID")" == *50000 ]]
}

@test "a task over its memory limit is killed and containerd hears of it" {
	in_engine ctr -a "$SOCKET" events >"$ENGINE_DIR/events" 2>&1 &
	events=$!
	sleep 2 # nothing tells when it has subscribed
	show foreground --memory-limit=8388608 "$ID" sh -c 'x=x; while :; do x=$x$x; done'
	heard() { grep -q '/tasks/oom.*"'"$ID"'"' "$ENGINE_DIR/events"; }
	wait_for 5 heard
	kill "$events"
	[ "$status" -eq 137 ]
	grep -q "$NS /tasks/exit.*\"exit_status\":137" "$ENGINE_DIR/events"
}

@test "options: --cwd, --env, --read-only, --mount, --hostname's default" {
	mkdir -p "$ENGINE_DIR/source"
	echo content >"$ENGINE_DIR/source/file"
	[ "$(foreground --cwd=/tmp --env=A=b "$ID" sh -c 'echo $PWD $A')" = "/tmp b" ]
	show foreground --read-only "$ID" sh -c 'echo x >/file'
	[ "$status" -ne 0 ]
	[[ $output == *"Read-only file system"* ]]
	mount=type=bind,src=$ENGINE_DIR/source,dst=/mnt,options=rbind:ro
	show foreground "--mount=$mount" "$ID" sh -c 'cat /mnt/file; echo x >/mnt/file'
	[[ $output == content*"Read-only file system"* ]]
	foreground "--mount=${mount/:ro/:rw}" "$ID" sh -c 'echo changed >/mnt/file'
	[ "$(cat "$ENGINE_DIR/source/file")" = changed ]
	show foreground "--mount=type=bind,src=/no/such/source,dst=/mnt,options=rbind" "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *"/no/such/source"* ]]
}

@test "options: --net-host, --with-ns and --cgroup" {
	net=$(in_engine readlink /proc/self/ns/net)
	[ "$(foreground "$ID" readlink /proc/self/ns/net)" != "$net" ]
	[ "$(foreground --net-host "$ID" readlink /proc/self/ns/net)" = "$net" ]
	ipc=$(in_engine readlink /proc/self/ns/ipc)
	[ "$(foreground --with-ns=ipc:/proc/1/ns/ipc "$ID" readlink /proc/self/ns/ipc)" = "$ipc" ]
	background --cgroup="/$NS/other" "$ID" sleep 1000
	in_engine cat "/proc/$(pid_of "$ID")/cgroup" | grep -q ":/$NS/other\$"
}

@test "options: capabilities, no new privileges, --privileged" {
	caps() { awk '/^CapEff/ { print $2 }'; }
	chown=1 net_raw=$((1 << 13)) admin=$((1 << 21))
	plain=0x$(foreground "$ID" cat /proc/self/status | caps)
	[ $((plain & chown)) -ne 0 ] && [ $((plain & net_raw)) -ne 0 ] && [ $((plain & admin)) -eq 0 ]
	more=0x$(foreground --cap-add=CAP_SYS_ADMIN --cap-drop=CAP_CHOWN "$ID" cat /proc/self/status | caps)
	[ $((more & admin)) -ne 0 ] && [ $((more & chown)) -eq 0 ]
	foreground "$ID" grep -q '^NoNewPrivs:.*1' /proc/self/status
	foreground --allow-new-privs "$ID" grep -q '^NoNewPrivs:.*0' /proc/self/status
	show foreground --privileged "$ID" sh -c 'mount -t tmpfs none /mnt && grep " /sys sysfs " /proc/mounts'
	[ "$status" -eq 0 ]
	[[ $output == *rw* ]]
}

@test "options: --seccomp, --seccomp-profile" {
	foreground "$ID" grep -q '^Seccomp:.*0' /proc/self/status
	foreground --seccomp "$ID" grep -q '^Seccomp:.*2' /proc/self/status
	show foreground --seccomp "$ID" unshare -m true
	[ "$status" -ne 0 ]
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
		[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 110}]}' >"$ENGINE_DIR/seccomp.json"
	show foreground --seccomp "--seccomp-profile=$ENGINE_DIR/seccomp.json" "$ID" mkdir /tmp/x
	[ "$status" -ne 0 ]
	[[ $output == *"timed out"* ]]
}

@test "options: --device gives the node and the right to open it" {
	show foreground --cap-add=CAP_SYSLOG "$ID" sh -c 'mknod /dev/kmsg c 1 11 && : </dev/kmsg'
	[ "$status" -ne 0 ]
	[[ $output == *"Operation not permitted"* ]]
	foreground --cap-add=CAP_SYSLOG --device=/dev/kmsg "$ID" sh -c 'test -c /dev/kmsg && : </dev/kmsg'
}

@test "options: --rootfs and --no-pivot" {
	[ -d "$ENGINE_DIR/rootfs" ] || "$KAVACH_SRC/contrib/make-rootfs" "$ENGINE_DIR/rootfs"
	[ "$(c run --rm --rootfs --runc-binary "$ENGINE_RUNTIME" "$ENGINE_DIR/rootfs" "$ID" /bin/cat /etc/hostname)" = kavach ]
	[ "$(foreground --no-pivot "$ID" echo hello)" = hello ]
}

@test "options: --config runs with a configuration of our own" {
	[ -d "$ENGINE_DIR/rootfs" ] || "$KAVACH_SRC/contrib/make-rootfs" "$ENGINE_DIR/rootfs"
	rm -f "$BATS_TEST_TMPDIR/config.json"
	"$KAVACH" spec -b "$BATS_TEST_TMPDIR"
	jq --arg root "$ENGINE_DIR/rootfs" --arg cg "/$NS/$ID" '.process.terminal = false | .root.path = $root |
		.process.args = ["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"] | .process.rlimits = [] |
		.linux.sysctl = {"net.ipv4.ip_unprivileged_port_start": "33"} | .linux.cgroupsPath = $cg' \
		"$BATS_TEST_TMPDIR/config.json" >"$ENGINE_DIR/own.json"
	[ "$(c run --rm --runc-binary "$ENGINE_RUNTIME" --config "$ENGINE_DIR/own.json" "$ID")" = 33 ]
}

@test "options: --uidmap and --gidmap put the task into a user namespace" {
	show foreground --uidmap=0:100000:1000 --gidmap=0:200000:1000 "$ID" \
		sh -c 'id -u; cat /proc/self/uid_map /proc/self/gid_map; stat -c %u /etc/passwd'
	[ "$status" -eq 0 ]
	[[ $output == 0*100000*200000*0 ]]
}

@test "task checkpoint is refused where there is no criu, and the task lives on" {
	! "$KAVACH" checkpoint --help >/dev/null 2>&1 || skip "criu works here: tests/vm/checkpoint.bats"
	background "$ID" sleep 1000
	show c task checkpoint "$ID"
	[ "$status" -ne 0 ]
	[ -n "$output" ]
	task_is "$ID" RUNNING
	[ "$(c task exec --exec-id e1 "$ID" echo alive)" = alive ]
}

@test "the same name in two namespaces is two tasks" {
	background "$ID" sleep 1000
	NS=$NS2 background "$ID" sleep 1000
	[ "$(pid_of "$ID")" != "$(NS=$NS2 pid_of "$ID")" ]
	in_engine cat "/proc/$(NS=$NS2 pid_of "$ID")/cgroup" | grep -q ":/$NS2/$ID\$"
	c task delete --force "$ID" || true
	[ -z "$(c task ls -q)" ]
	[ "$(NS=$NS2 c task exec --exec-id e1 "$ID" echo alive)" = alive ]
}

@test "20 tasks at once" {
	local i pids=() bad=0
	for i in $(seq 20); do
		foreground "$ID-$i" sh -c "sleep 0.5; echo $i; exit $i" >"$BATS_TEST_TMPDIR/$i" 2>&1 &
		pids+=($!)
	done
	for i in $(seq 20); do
		wait "${pids[i - 1]}" && rc=0 || rc=$?
		[ "$rc" -eq "$i" ] && [ "$(cat "$BATS_TEST_TMPDIR/$i")" = "$i" ] || {
			bad=$((bad + 1))
			echo "# $i: $rc $(cat "$BATS_TEST_TMPDIR/$i")"
		}
	done
	[ "$bad" -eq 0 ]
	[ -z "$(c task ls -q)" ]
}

@test "a shim that is killed takes its task with it and leaves nothing" {
	background "$ID" sh -c 'sleep 800 & sleep 800'
	pid=$(pid_of "$ID")
	shim=$(in_engine awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	in_engine grep -q containerd-shim "/proc/$shim/cmdline"
	in_engine kill -KILL "$shim"
	gone() { [ -z "$(c task ls -q)" ] && ! in_engine test -d "/proc/$pid"; }
	wait_for 20 gone
	c container rm "$ID"
	[ -z "$(in_engine pgrep -f 'sleep 800' || true)" ]
	# the name can be used again
	[ "$(foreground "$ID" echo again)" = again ]
}

@test "tasks outlive containerd" {
	background "$ID" sleep 1000
	pid=$(pid_of "$ID")
	in_engine pkill -KILL -x containerd
	in_engine test -d "/proc/$pid"
	in_engine setsid containerd -c "$ENGINE_DIR/config.toml" >>"$ENGINE_DIR/engine.log" 2>&1 3>&- &
	engine_answers c version
	[ "$(task "$ID")" = "$pid RUNNING" ]
	[ "$(c task exec --exec-id e1 "$ID" echo alive)" = alive ]
	c task kill -s 9 "$ID"
	wait_for 10 task_is "$ID" STOPPED
}

@test "containerd and its CRI plugin accept contrib/engines/containerd.toml" {
	show c plugins ls -d id==cri
	[[ $output == *"ID: "*cri* ]]
	[[ $output != *Error:* ]]
	in_engine containerd -c "$ENGINE_DIR/config.toml" config dump >"$ENGINE_DIR/dump"
	sed -n '/runtimes\.kavach\]/,/^$/p' "$ENGINE_DIR/dump" | grep -q 'runtime_type = "io.containerd.runc.v2"'
	sed -n '/runtimes\.kavach\.options\]/,/^$/p' "$ENGINE_DIR/dump" >"$ENGINE_DIR/options"
	grep -q 'BinaryName = "/usr/local/bin/kavach"' "$ENGINE_DIR/options"
	grep -q 'SystemdCgroup = false' "$ENGINE_DIR/options"
}
