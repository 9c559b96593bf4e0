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
	SOCKET=$ENGINE_DIR/c.sock
	export NS NS2 SOCKET
	cat >"$ENGINE_DIR/config.toml" <<-END
		version = 2
		root = "$ENGINE_DIR/root"
		state = "$ENGINE_DIR/state"
		disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
		[grpc]
		address = "$SOCKET"
		[ttrpc]
		address = "$SOCKET.ttrpc"
	END
	engine_start containerd -c "$ENGINE_DIR/config.toml"
	wait_for 20 c version >/dev/null 2>&1
	"$KAVACH_SRC/tests/bats/images.sh" load ctr "$BUSYBOX_TAR" --address "$SOCKET" -n "$NS"
	"$KAVACH_SRC/tests/bats/images.sh" load ctr "$BUSYBOX_TAR" --address "$SOCKET" -n "$NS2"
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
	left=$(cgroups_of_engine | grep "$ENGINE_NAME[^/]*/" || true)
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
	[[ $output == *137* || $status -eq 137 ]]
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
