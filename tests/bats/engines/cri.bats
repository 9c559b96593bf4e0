#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kubernetes' way to run containers: containerd's CRI plugin, with kavach as the handler of a RuntimeClass.
# Pods are what it adds to ctr: namespaces that containers join, one shim for all of them, CNI networks.

load daemon

# the interpreter that has the distribution's module
python() {
	local p
	for p in /usr/bin/python3 python3; do
		"$p" -c 'import grpc' 2>/dev/null && echo "$p" && return
	done
	return 1
}

setup_file() {
	requires_root
	requires_program containerd ctr jq nsenter
	PYTHON=$(python) || skip "needs python3-grpcio"
	[ -x /usr/lib/cni/bridge ] || skip "needs containernetworking-plugins"
	engine_setup cri
	SOCKET=$ENGINE_DIR/c.sock
	LOGS=$ENGINE_DIR/logs
	export SOCKET LOGS PYTHON
	# shellcheck source=tests/bats/images.sh
	. "$KAVACH_SRC/tests/bats/images.sh"
	set +u
	"$KAVACH_SRC/contrib/make-rootfs" "$ENGINE_DIR/pause"
	printf '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do sleep 1000 & wait $!; done\n' >"$ENGINE_DIR/pause/pause"
	chmod 0755 "$ENGINE_DIR/pause/pause"
	archive "$ENGINE_DIR/pause" "$ENGINE_DIR/pause.tar" localhost/kavach-pause:latest /pause
	mkdir "$ENGINE_DIR/cni"
	jq -n --arg dir "$ENGINE_DIR/addresses" '{cniVersion: "0.4.0", name: "pods", plugins: [{type: "bridge",
		bridge: "pods0", isGateway: true, ipMasq: false, ipam: {type: "host-local", dataDir: $dir,
		ranges: [[{subnet: "10.99.0.0/24"}]]}}]}' >"$ENGINE_DIR/cni/10-pods.conflist"
	cat >"$ENGINE_DIR/config.toml" <<-END
		version = 2
		root = "$ENGINE_DIR/root"
		state = "$ENGINE_DIR/state"
		disabled_plugins = ["io.containerd.internal.v1.opt"]
		[grpc]
		address = "$SOCKET"
		[ttrpc]
		address = "$SOCKET.ttrpc"
		[plugins."io.containerd.grpc.v1.cri"]
		sandbox_image = "localhost/kavach-pause:latest"
		restrict_oom_score_adj = true
		[plugins."io.containerd.grpc.v1.cri".cni]
		bin_dir = "/usr/lib/cni"
		conf_dir = "$ENGINE_DIR/cni"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kavach]
		runtime_type = "io.containerd.runc.v2"
		[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kavach.options]
		BinaryName = "$ENGINE_RUNTIME"
	END
	engine_start containerd -c "$ENGINE_DIR/config.toml"
	engine_answers cri Version
	load ctr "$BUSYBOX_TAR" --address "$SOCKET" -n k8s.io
	load ctr "$ENGINE_DIR/pause.tar" --address "$SOCKET" -n k8s.io
}

teardown_file() { engine_stop; }

setup() {
	NAME=pod$BATS_TEST_NUMBER
}

# the pod's removal takes its containers along
teardown() {
	local left
	[ -n "${ENGINE_PID:-}" ] || return 0
	for left in ${POD:-}; do
		cri StopPodSandbox "{\"pod_sandbox_id\": \"$left\"}"
		cri RemovePodSandbox "{\"pod_sandbox_id\": \"$left\"}"
	done
	left=$(in_engine ls /run/containerd/runc/k8s.io 2>/dev/null || true)
	[ -z "$left" ] || { echo "# state left: $left"; return 1; }
	left=$(cgroups_of_engine | grep "$ENGINE_NAME/" || true)
	[ -z "$left" ] || { echo "# cgroups left: $left"; return 1; }
}

cri() {
	timeout --foreground -k 5 60 "$PYTHON" "$KAVACH_SRC/tests/tools/cri.py" "$SOCKET" "$@"
}

# pod JQ: starts one, sets POD and SANDBOX; the expression changes its configuration
pod() {
	SANDBOX=$(jq -nc --arg name "$NAME" --arg logs "$LOGS/$NAME" --arg cgroup "/$ENGINE_NAME" '{
		metadata: {name: $name, uid: $name, namespace: "default"}, hostname: $name,
		log_directory: $logs, linux: {cgroup_parent: $cgroup,
		security_context: {seccomp: {profile_type: 0}}}} | '"${1:-.}")
	POD=$(cri RunPodSandbox "{\"config\": $SANDBOX, \"runtime_handler\": \"kavach\"}" | jq -r .pod_sandbox_id)
}

# create NAME JQ COMMAND...: a container of the pod, prints its id
create() {
	local name=$1 change=$2 request
	shift 2
	request=$(jq -nc --arg name "$name" --arg pod "$POD" --argjson sandbox "$SANDBOX" '{pod_sandbox_id: $pod,
		sandbox_config: $sandbox, config: {metadata: {name: $name}, log_path: ($name + ".log"),
		image: {image: "localhost/kavach-busybox:latest"}, command: $ARGS.positional,
		linux: {security_context: {seccomp: {profile_type: 0}}}}} | .config |= ('"$change)" \
		--args -- "$@")
	cri CreateContainer "$request" | jq -r .container_id
}

start() {	# ID
	cri StartContainer "{\"container_id\": \"$1\"}"
}

status_of() {	# ID FIELD
	cri ContainerStatus "{\"container_id\": \"$1\"}" | jq -r ".status.$2"
}

exited() {	# ID
	[ "$(status_of "$1" state)" = 2 ]
}

# as exec of a readiness probe
run_in() {	# ID COMMAND...
	local id=$1
	shift
	cri ExecSync "$(jq -nc --arg id "$id" '{container_id: $id, cmd: $ARGS.positional, timeout: 10}' --args -- "$@")"
}

logged() {	# NAME: what the container wrote, without the log's columns
	cut -d' ' -f4- "$LOGS/$NAME/$1.log"
}

@test "a pod's containers share its network, host name and IPC, and have a cgroup each below the pod's" {
	pod '.linux.sysctls = {"net.ipv4.ip_forward": "1"}'
	a=$(create a . sh -c 'hostname; cat /proc/sys/net/ipv4/ip_forward; sleep 1000')
	b=$(create b . sleep 1000)
	start "$a"
	start "$b"
	for ns in net ipc uts; do
		[ "$(run_in "$a" readlink "/proc/self/ns/$ns")" = "$(run_in "$b" readlink "/proc/self/ns/$ns")" ]
	done
	[ "$(run_in "$a" readlink /proc/self/ns/mnt)" != "$(run_in "$b" readlink /proc/self/ns/mnt)" ]
	[[ $(run_in "$a" ip -o -4 addr show eth0 | jq -r .stdout) == *10.99.0.* ]]
	[[ $(run_in "$a" cat /proc/self/cgroup | jq -r .stdout) == *":/$ENGINE_NAME/$a"* ]]
	wait_for 5 eval '[ "$(logged a)" = "$NAME"$'"'\n1'"' ]'
	in_engine ip -o -4 addr show pods0 | grep -q 10.99.0.1
}

@test "processes of a pod: shared by all its containers, or each its own" {
	pod
	a=$(create a '.linux.security_context.namespace_options.pid = 0' sleep 1000)
	b=$(create b '.linux.security_context.namespace_options.pid = 1' sleep 1000)
	start "$a"
	start "$b"
	[[ $(run_in "$a" cat /proc/1/cmdline | tr -d '\0') == *pause* ]]
	[[ $(run_in "$b" cat /proc/1/cmdline) == *sleep* ]]
	# in a shared namespace the end of a container's first process ends the others of the container only
	run_in "$a" sh -c 'sleep 543 >/dev/null 2>&1 &'
	cri StopContainer "{\"container_id\": \"$a\", \"timeout\": 0}"
	wait_for 10 exited "$a"
	[ -z "$(in_engine pgrep -x -f 'sleep 543' || true)" ]
	[ "$(status_of "$b" state)" = 1 ]
}

@test "security context: user, groups, capabilities, no new privileges, seccomp, root read-only" {
	pod
	a=$(create a '.linux.security_context += {run_as_user: {value: 1000}, supplemental_groups: [5, 77], no_new_privs: 1,
		readonly_rootfs: 1, capabilities: {drop_capabilities: ["ALL"]}, masked_paths: ["/proc/timer_list"],
		readonly_paths: ["/proc/sys"]}' sleep 1000)
	start "$a"
	show run_in "$a" sh -c 'id -u; id -G; grep -E "^(CapEff|NoNewPrivs|Seccomp):" /proc/self/status; wc -c </proc/timer_list
		echo x >/tmp/x; grep -c " /proc/sys proc ro" /proc/mounts'
	[ "$(jq -r .stdout <<<"$output" | xargs)" = \
		"1000 1000 5 77 CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 0 1" ]
	[[ $(jq -r .stderr <<<"$output") == *"Read-only file system"* ]]
}

@test "a privileged container of a privileged pod" {
	pod '.linux.security_context.privileged = 1'
	a=$(create a '.linux.security_context = {privileged: 1}' sleep 1000)
	start "$a"
	show run_in "$a" sh -c 'mount -t tmpfs none /mnt && grep -c "^Seccomp:.*0" /proc/self/status'
	[ "$(jq -r .stdout <<<"$output")" = 1 ]
}

@test "exit status of containers and probes; a program that cannot be run" {
	pod
	a=$(create a . sh -c 'echo out; echo err >&2; exit 42')
	start "$a"
	wait_for 5 exited "$a"
	[ "$(status_of "$a" exit_code)" = 42 ]
	wait_for 5 eval '[ "$(logged a | sort | xargs)" = "err out" ]'
	b=$(create b . no-such-program)
	show start "$b"
	[ "$(status_of "$b" exit_code)" != 0 ]
	[ "$(status_of "$b" state)" = 2 ]
	c=$(create c . sleep 1000)
	start "$c"
	[ "$(run_in "$c" sh -c 'echo probe; exit 3')" = '{"stdout": "probe\n", "stderr": "", "exit_code": 3}' ]
	show run_in "$c" no-such-program
	[ "$status" -ne 0 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	cri StopContainer "{\"container_id\": \"$c\", \"timeout\": 0}"
	wait_for 5 exited "$c"
	[ "$(status_of "$c" exit_code)" = 137 ]
	cri RemoveContainer "{\"container_id\": \"$c\"}"
}

@test "resources: limits, their update, statistics, a kill for too much memory" {
	pod
	a=$(create a '.linux.resources = {memory_limit_in_bytes: 33554432, cpu_shares: 512, cpu_quota: 50000, cpu_period: 100000}' \
		sh -c 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done; sleep 1000')
	start "$a"
	limit() { cat "/sys/fs/cgroup/memory/$ENGINE_NAME/$1/memory.limit_in_bytes" 2>/dev/null ||
		cat "/sys/fs/cgroup/$ENGINE_NAME/$1/memory.max"; }
	[ "$(limit "$a")" = 33554432 ]
	cri UpdateContainerResources "{\"container_id\": \"$a\", \"linux\": {\"memory_limit_in_bytes\": 67108864}}"
	[ "$(limit "$a")" = 67108864 ]
	measured() { cri ContainerStats "{\"container_id\": \"$a\"}" |
		jq -e '.stats | .cpu.usage_core_nano_seconds.value > 1000000 and .memory.working_set_bytes.value > 0'; }
	wait_for 15 measured
	b=$(create b '.linux.resources = {memory_limit_in_bytes: 8388608}' sh -c 'x=x; while :; do x=$x$x; done')
	start "$b"
	wait_for 10 exited "$b"
	[ "$(status_of "$b" exit_code) $(status_of "$b" reason)" = "137 OOMKilled" ]
}

@test "10 pods at once" {
	local i pids=() bad=0
	one() {
		NAME=$NAME-$1
		pod
		c=$(create "$NAME" . sh -c "echo $1; exit $1")
		start "$c"
		wait_for 30 exited "$c"
		[ "$(status_of "$c" exit_code)" = "$1" ]
		cri StopPodSandbox "{\"pod_sandbox_id\": \"$POD\"}"
		cri RemovePodSandbox "{\"pod_sandbox_id\": \"$POD\"}"
	}
	for i in $(seq 10); do
		one "$i" >"$BATS_TEST_TMPDIR/out-$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=$((bad + 1))
	done
	[ "$bad" -eq 0 ] || { cat "$BATS_TEST_TMPDIR"/out-*; false; }
}
