#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kubernetes' way to run containers: containerd's CRI plugin, with kavach as the handler of a RuntimeClass.
# Pods are what it adds to ctr: namespaces that containers join, one shim for all of them, CNI networks.

load cri

setup_file() { cri_setup cri; }

teardown_file() { engine_stop; }

setup() {
	export NAME=pod$BATS_TEST_NUMBER
}

teardown() { cri_remove; }

@test "N-05: a pod's containers share its network, host name and IPC, and have a cgroup each below the pod's" {
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

@test "N-05: processes of a pod: shared by all its containers, or each its own" {
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

@test "N-05: security context: user, groups, capabilities, no new privileges, seccomp, root read-only" {
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

@test "N-05: a privileged container of a privileged pod" {
	pod '.linux.security_context.privileged = 1'
	a=$(create a '.linux.security_context = {privileged: 1}' sleep 1000)
	start "$a"
	show run_in "$a" sh -c 'mount -t tmpfs none /mnt && grep -c "^Seccomp:.*0" /proc/self/status'
	[ "$(jq -r .stdout <<<"$output")" = 1 ]
}

@test "N-05: exit status of containers and probes; a program that cannot be run" {
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

@test "N-05: resources: limits, their update, statistics, a kill for too much memory" {
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

@test "N-05: a container that crashed is made again beside its old self, as the next attempt" {
	pod
	a=$(create a . sh -c 'echo first; kill -SEGV $$')
	start "$a"
	wait_for 10 exited "$a"
	[ "$(status_of "$a" exit_code)" = 139 ]
	b=$(create a '.metadata.attempt = 1 | .log_path = "a-1.log"' sh -c 'echo second; sleep 1000')
	start "$b"
	wait_for 10 eval '[ "$(logged a-1)" = second ]'
	[ "$(logged a)" = first ]
	[ "$(status_of "$a" state) $(status_of "$b" state)" = "2 1" ]
	cri RemoveContainer "{\"container_id\": \"$a\"}"
	[ "$(status_of "$b" state)" = 1 ]
}

@test "N-05: a stop is SIGTERM, and SIGKILL after its grace; an exec that takes too long is ended" {
	pod
	a=$(create a . sh -c 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.05; done')
	b=$(create b . sh -c 'trap "" TERM; echo ready; while :; do sleep 0.05; done')
	start "$a"
	start "$b"
	wait_for 10 eval '[ "$(logged a) $(logged b)" = "ready ready" ]'
	show cri ExecSync "{\"container_id\": \"$b\", \"cmd\": [\"sleep\", \"765\"], \"timeout\": 1}"
	[ "$status" -ne 0 ]
	[[ $output == *"timeout 1s exceeded"* ]]
	wait_for 10 eval '! in_engine pgrep -x -f "sleep 765"'
	cri StopContainer "{\"container_id\": \"$a\", \"timeout\": 30}"
	cri StopContainer "{\"container_id\": \"$b\", \"timeout\": 1}"
	[ "$(status_of "$a" exit_code) $(status_of "$b" exit_code)" = "7 137" ]
	wait_for 10 eval '[ "$(logged a | xargs)" = "ready bye" ]'
}

@test "N-05: volumes of the node: read-only, read-write, with what is mounted there later; environment, directory" {
	mkdir -p "$ENGINE_DIR/v/ro" "$ENGINE_DIR/v/rw" "$ENGINE_DIR/v/sub"
	echo config >"$ENGINE_DIR/v/ro/file"
	pod
	a=$(create a '. + {working_dir: "/data", envs: [{key: "A", value: "b c"}], mounts: [
		{container_path: "/etc/volume", host_path: "'"$ENGINE_DIR/v/ro"'", readonly: 1},
		{container_path: "/data", host_path: "'"$ENGINE_DIR/v/rw"'"},
		{container_path: "/from-node", host_path: "'"$ENGINE_DIR/v/sub"'", propagation: 1}]}' sleep 1000)
	start "$a"
	in_engine mount -t tmpfs later "$ENGINE_DIR/v/sub"
	show run_in "$a" sh -c 'pwd; echo "$A"; cat /etc/volume/file; echo x >/etc/volume/y || echo refused; echo written >file
		grep -c " /from-node tmpfs" /proc/mounts'
	in_engine umount "$ENGINE_DIR/v/sub"
	[ "$(jq -r .stdout <<<"$output" | xargs)" = "/data b c config refused 1" ]
	[ "$(cat "$ENGINE_DIR/v/rw/file")" = written ]
}

@test "N-05: seccomp by a file of the node, and unconfined; capabilities added; a group" {
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO",
		"errnoRet": 28}]}' >"$ENGINE_DIR/seccomp.json"
	pod
	a=$(create a '.linux.security_context = {run_as_user: {value: 1000}, run_as_group: {value: 3000}, capabilities:
		{add_capabilities: ["NET_ADMIN"]}, seccomp: {profile_type: 2, localhost_ref: "'"$ENGINE_DIR/seccomp.json"'"}}' sleep 1000)
	b=$(create b '.linux.security_context = {seccomp: {profile_type: 1}}' sleep 1000)
	start "$a"
	start "$b"
	show run_in "$a" sh -c 'mkdir /tmp/x; id -u; id -g; grep -E "^(CapBnd|Seccomp):" /proc/self/status'
	[[ $(jq -r .stderr <<<"$output") == *"No space left"* ]]
	[[ $(jq -r .stdout <<<"$output" | xargs) =~ ^1000\ 3000\ CapBnd:\ ([0-9a-f]+)\ Seccomp:\ 2$ ]]
	[ $((0x${BASH_REMATCH[1]} >> 12 & 1)) -eq 1 ]
	[ "$(run_in "$b" grep '^Seccomp:' /proc/self/status | jq -r .stdout | xargs)" = "Seccomp: 0" ]
}

@test "N-05: network, processes and IPC of the node; a container that looks into the processes of another one" {
	# without a host name, as the kubelet asks for it
	pod 'del(.hostname) | .linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}'
	a=$(create a '.linux.security_context.namespace_options = {network: 2, pid: 2, ipc: 2}' sleep 1000)
	start "$a"
	for ns in net pid ipc; do
		[ "$(run_in "$a" readlink "/proc/self/ns/$ns" | jq -r .stdout | xargs)" = "$(in_engine readlink /proc/self/ns/$ns)" ]
	done
	node=$POD
	NAME=$NAME-b
	pod
	b=$(create b '.linux.security_context.namespace_options.pid = 1' sleep 4321)
	start "$b"
	c=$(create c '.linux.security_context.namespace_options = {pid: 3, target_id: "'"$b"'"}' sleep 1000)
	start "$c"
	[[ $(run_in "$c" cat /proc/1/cmdline | jq -r .stdout | tr '\0' ' ') == "sleep 4321"* ]]
	POD="$POD $node"
}

@test "N-05: 10 pods at once" {
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
