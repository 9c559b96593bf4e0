#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Containers in true guests: QEMU, the installed kernel, the agent as process 1. One VM serves as many cases as it can: a boot
# takes seconds where there is no KVM. The monitor's side with a guest that can do anything is in vm.bats.

load helpers

# why there can be no VM here
missing() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
	elif ! command -v qemu-system-x86_64 >/dev/null; then
		echo "needs qemu-system-x86_64"
	elif [ ! -e "$KAVACH_BUILD/guest/guest.json" ]; then
		echo "needs a guest image: make guest"
	fi
}

setup_file() {
	[ -z "$(missing)" ] || return 0
	setup_rootfs
	ln -s "$KAVACH" "$BATS_FILE_TMPDIR/kavach-vm"
}

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	setup_kavach
	export KAVACH_GUEST=$KAVACH_BUILD/guest
	KAVACH=$BATS_FILE_TMPDIR/kavach-vm
	OWN=$(realpath "$BATS_TEST_TMPDIR")/own
	RULES=$OWN/rules
	mkdir -m 700 "$OWN"
	mkdir "$RULES"
}

teardown() {
	teardown_kavach
}

kv() { "$KAVACH" --rules "$RULES" --root "$STATE" "$@" 2> >(grep -v "no usable KVM" >&2); }
kvrun() {
	status=0
	output=$(kv "$@" 2>&1) || status=$?
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}
hunt() { python3 "$KAVACH_SRC/tests/tools/hunt.py" "$@"; }

# started: a container that runs, its output in $OWN/out, its process in $PID
started() {
	kv create -b "$BUNDLE" --pid-file "$OWN/pid" "$ID" >"$OWN/out" 2>&1 </dev/null
	PID=$(cat "$OWN/pid")
	kv start "$ID"
}
said() { grep -q -- "$1" "$OWN/out"; }

@test "secrets: a file in memory, a variable, an exec's variable; on the host they are in no process and no file" {
	head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$OWN/value"
	chmod 600 "$OWN/value"
	jq -n --arg f "$OWN/value" '{secrets: [
		{name: "f", source: {file: $f}, mode: "0440", gid: 7},
		{name: "e", source: {file: $f}, env: "E", exec: true}]}' >"$RULES/10.json"
	own_rootfs
	config '.root.readonly = true'
	args sh -c 'stat -c "%a %u %g" /run/secrets/f; grep " /run/secrets " /proc/mounts | cut -d" " -f3,4
		sha256sum /run/secrets/f | cut -d" " -f1; printf %s "$E" | sha256sum | cut -d" " -f1; echo ready; sleep 1000'
	started
	wait_for 30 said ready
	sum=$(sha256sum "$OWN/value" | cut -d' ' -f1)
	mapfile -t lines <"$OWN/out"
	[ "${lines[0]}" = "440 0 7" ]
	[[ ${lines[1]} = "ramfs ro,nosuid,nodev,noexec,"* ]]
	[ "${lines[2]}" = "$sum" ]
	[ "${lines[3]}" = "$sum" ]
	# shellcheck disable=SC2016
	kvrun exec "$ID" sh -c 'printf %s "$E" | sha256sum | cut -d" " -f1'
	[ "$output" = "$sum" ]
	[ -z "$(hunt procs "$OWN/value")" ]
	[ -z "$(hunt memory "$PID" "$OWN/value")" ]
	run grep -rlF -f "$OWN/value" "$STATE" "$BUNDLE" "$OWN/out"
	[ -z "$output" ]
	[ -z "$(ls -A "$BUNDLE/rootfs/run/secrets")" ]
}

@test "inspect, limits, update, statistics, OOM: what the guest's kernel says, beside what the host's says of the VM" {
	config '.linux.resources.memory = {limit: 67108864, swap: 67108864} | .linux.resources.pids = {limit: 50}'
	# more at the start than now: what is below goes back to the host, by the balloon
	config '.vm = {kernel: {path: "'"$KAVACH_GUEST"'/vmlinux"}, hwConfig: {memory: 335544320}}'
	args sh -c 'echo ready; sleep 1000'
	started
	wait_for 30 said ready
	kvrun inspect --json "$ID"
	[ "$status" -eq 0 ]
	jq -e ".drift == false and (.rows | length) > 40" <<<"$output"
	[ "$(jq -rc '[.rows[] | select(.group == "guest says: control group") | .what + "=" + .kernel] | sort' <<<"$output")" = \
		'["memory.limit=67108864","memory.swap=0","pids.limit=50"]' ]
	[ "$(jq -r '[.rows[] | select(.group == "QEMU" or .group == "monitor") | .verdict] | unique | join(" ")' <<<"$output")" = ok ]
	kv state --strength "$ID" | jq -e '.strength | .measured == .decided and .notSeen == 0'
	# the balloon and the guest's cgroup; what update has set is no drift
	free() { kv exec "$ID" awk '/MemFree/ { print $2 }' /proc/meminfo; }
	little() { [ "$(free)" -lt 131072 ]; }
	[ "$(free)" -gt 131072 ]
	kv update --memory 33554432 --memory-swap 33554432 "$ID"
	wait_for 60 little
	kvrun inspect --json "$ID"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.rows[] | select(.what == "memory.limit") | .kernel' <<<"$output")" = 33554432 ]
	[ "$(kv events --stats "$ID" | jq -c '[.data.memory.usage.limit, .data.pids.limit, (.data.vm.memory.usage.usage > 33554432)]')" = '[33554432,50,true]' ]
	kv ps --format json "$ID" | jq -e --argjson p "$PID" 'index($p) != null'
	kv events --interval 60s "$ID" >"$OWN/events" 3>&- &
	events=$!
	wait_for 30 grep -q stats "$OWN/events"
	kvrun exec "$ID" sh -c 'tail /dev/zero'
	[ "$status" -eq 137 ]
	wait_for 30 grep -q '"oom"' "$OWN/events"
	kv kill "$ID" KILL
	wait "$events"
}

@test "Landlock of the rules is the guest's: for the program and for an exec; what its kernel lacks is refused" {
	command -v mkfs.erofs >/dev/null || skip "needs mkfs.erofs"
	mkdir -m 777 "$OWN/vol"
	own_rootfs
	mkdir -m 777 "$BUNDLE/rootfs/other"
	echo '{"landlock": {"readOnly": ["/"], "readWrite": ["/vol", "/dev"], "execute": ["/bin"]}}' >"$RULES/10.json"
	config --arg v "$OWN/vol" '.root.readonly = false | .annotations["io.kavach.root"] = "packed" |
		.mounts += [{destination: "/vol", type: "bind", source: $v, options: ["bind", "rw"]}]'
	args sh -c 'echo 1 >/vol/f && echo in vol; echo 1 >/other/f || echo kept out; echo ready; sleep 1000'
	started
	wait_for 30 said ready
	said "in vol"
	said "kept out"
	[ "$(cat "$OWN/vol/f")" = 1 ]
	kvrun exec "$ID" sh -c 'echo 2 >/vol/f; echo 2 >/other/f'
	[ "$status" -ne 0 ]
	[[ $output == *"/other/f: Permission denied"* ]]
	[ "$(cat "$OWN/vol/f")" = 2 ]
	kv delete --force "$ID"
	echo '{"vm": {"share": "9p"}, "landlock": {"readOnly": ["/"]}}' >"$RULES/10.json"
	config 'del(.annotations["io.kavach.root"])'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"landlock: paths cannot be limited where the root of a VM comes over 9p"* ]]
	echo '{"landlock": {"requiredAbi": 60, "readOnly": ["/"]}}' >"$RULES/10.json"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"landlock: needs a kernel with Landlock ABI 60; the guest's has ABI "* ]]
}
