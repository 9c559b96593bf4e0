#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Kubernetes with the handler kavach-vm: a pod is a VM that keeps its namespaces and one that has its network and runs.

load cri

export HANDLER=kavach-vm

missing() { why_no_vm containerd | head -n 1; }

setup_file() {
	[ -z "$(missing)" ] || skip "$(missing)"
	export ENGINE_GUEST=$KAVACH_BUILD/guest
	cri_setup crivm
}

teardown_file() { engine_stop; }

setup() {
	export NAME=pod$BATS_TEST_NUMBER
}

teardown() { cri_remove; }

@test "a pod: its name and address, logs, probes; a container that is started again; one VM has the network" {
	# as a kubelet does, unless a pod has shareProcessNamespace
	own='.linux.security_context.namespace_options.pid = 1'
	pod
	a=$(create a "$own" sh -c 'hostname; uname -r; sleep 1000')
	start "$a"
	wait_for 30 eval '[ "$(logged a | head -n 1)" = "$NAME" ]'
	[[ $(logged a) != *"$(uname -r)"* ]]
	[ "$(run_in "$a" sh -c 'echo probe; exit 3')" = '{"stdout": "probe\n", "stderr": "", "exit_code": 3}' ]
	address=$(run_in "$a" ip -o -4 addr show eth0 | jq -r .stdout | grep -o '10\.99\.0\.[0-9]*' | head -n 1)
	[ -n "$address" ]
	in_engine busybox ping -c 1 -W 20 "$address"

	b=$(create b "$own" sleep 1000)
	show start "$b"
	[ "$status" -ne 0 ]
	[[ $output == *"network interface eth0"*"another VM's"* ]]

	cri StopContainer "{\"container_id\": \"$a\", \"timeout\": 0}"
	wait_for 30 exited "$a"
	cri RemoveContainer "{\"container_id\": \"$a\"}"
	c=$(create c "$own" sleep 1000)
	start "$c"
	in_engine busybox ping -c 1 -W 20 "$address"
}
