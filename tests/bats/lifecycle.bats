#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The life of a container as an engine drives it.

load helpers

setup_file() { setup_rootfs; }
setup() { requires_root; setup_kavach; }
teardown() { teardown_kavach; }

@test "run gives the program's output and exit status" {
	args sh -c 'echo hello; exit 7'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 7 ]
	[ "$output" = hello ]
	[ -z "$(kv list -q)" ]
}

@test "run: a program killed by a signal gives 128 + signal" {
	args sh -c 'kill -9 $$'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 137 ]
}

@test "create, start, state, kill, delete" {
	args sleep 100
	kv create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID"
	status_is created
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	[ "$(kv state "$ID" | jq .pid)" = "$pid" ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/pid")" -eq 0 ]
	kv start "$ID"
	status_is running
	[ "$(tr '\0' ' ' <"/proc/$pid/cmdline")" = "sleep 100 " ]
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	[ "$(kv state "$ID" | jq .pid)" = 0 ]
	kv delete "$ID"
	kvrun state "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"does not exist"* ]]
}

@test "state: all members, RFC 3339 time, version of the config" {
	args sleep 100
	config '.annotations = {"org.example.key": "value"}'
	kv create -b "$BUNDLE" "$ID"
	kv state "$ID" >"$BATS_TEST_TMPDIR/state.json"
	run jq -er '.ociVersion, .id, .status, .bundle, .rootfs, .owner, .annotations["org.example.key"]' "$BATS_TEST_TMPDIR/state.json"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$(jq -r .ociVersion "$BUNDLE/config.json")" ]
	[ "${lines[3]}" = "$BUNDLE" ]
	[ "${lines[6]}" = value ]
	[[ $(jq -r .created "$BATS_TEST_TMPDIR/state.json") =~ ^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]+Z$ ]]
}

@test "a second container with the same id is refused and the first one stays" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container with given ID already exists"* ]]
	status_is created
}

@test "start: twice, or of a stopped container, is refused" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"it is running"* ]]
	kv kill "$ID" 9
	wait_for 5 status_is stopped
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"it is stopped"* ]]
}

@test "delete: refuses a running container, --force kills it, unknown ids with --force are fine" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	pid=$(kv state "$ID" | jq .pid)
	kvrun delete "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"not stopped"* ]]
	kv delete --force "$ID"
	[ ! -d "/proc/$pid/ns" ] || [ "$(awk '{print $3}' "/proc/$pid/stat")" = Z ]
	kv delete --force "$ID"
	kvrun delete "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"does not exist"* ]]
}

@test "delete: a created container is killed and removed" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv delete "$ID"
	kvrun state "$ID"
	[ "$status" -ne 0 ]
}

@test "kill: names, numbers, case; a stopped container is 'container not running'" {
	args sh -c 'trap "exit 3" USR1; while :; do sleep 0.05; done'
	kv create --pid-file "$BATS_TEST_TMPDIR/pid" -b "$BUNDLE" "$ID"
	kv start "$ID"
	wait_for 5 catches "$(cat "$BATS_TEST_TMPDIR/pid")" 10
	kvrun kill "$ID" NOSUCH
	[ "$status" -ne 0 ]
	kv kill "$ID" sigusr1
	wait_for 5 status_is stopped
	kvrun kill "$ID" 15
	[ "$status" -ne 0 ]
	[[ $output == *"container not running"* ]]
	kv kill --all "$ID" 9
}

@test "kill --all reaches every process of a shared pid namespace" {
	args sh -c 'sleep 100 & sleep 100; true'
	config '.linux.namespaces |= map(select(.type != "pid"))'
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	n() { [ "$(kv ps -f json "$ID" | jq length)" -ge "$1" ]; }
	wait_for 5 n 3
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
}

@test "pause and resume" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kv pause "$ID"
	status_is paused
	kvrun exec "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *"cannot exec in a paused container"* ]]
	kv resume "$ID"
	status_is running
	kv exec "$ID" true
	kv pause "$ID"
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
}

@test "list: table, json, quiet; empty and missing roots" {
	run kv list --format json
	[ "$output" = "[]" ]
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	[ "$(kv list -q)" = "$ID" ]
	[ "$(kv list --format=json | jq -r '.[0].status')" = created ]
	[[ $(kv list) == ID*PID*STATUS*BUNDLE*CREATED*OWNER*"$ID"* ]]
}

@test "ps: json is an array of host pids; the table has only the container's rows" {
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	[ "$(kv ps --format json "$ID" | jq -c .)" = "[$(kv state "$ID" | jq .pid)]" ]
	command -v ps >/dev/null || skip "no ps program"
	[ "$(kv ps "$ID" | wc -l)" -eq 2 ]
	[[ $(kv ps "$ID" -o pid,comm) == *sleep* ]]
}

@test "config.json is read once: later changes have no effect" {
	args sh -c 'echo first'
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out"
	args sh -c 'echo second'
	kv start "$ID"
	wait_for 5 status_is stopped
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = first ]
}

@test "a create killed at any point is cleaned by delete --force" {
	args sleep 100
	for us in 200 500 800 1200 1600 2000 2500 3000 3500 4000 5000 6000 8000; do
		python3 - "$us" "$KAVACH" --root "$STATE" create -b "$BUNDLE" "$ID" <<'PY' || true
import os, signal, subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(int(sys.argv[1]) / 1e6)
p.kill()
p.wait()
PY
		kv delete --force "$ID"
		[ -z "$(kv list -q)" ]
		[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
	done
	# nobody of ours is left in any cgroup of the test; what process 1 has not buried yet is dead
	for p in $(grep -ls "$CG/$ID" /proc/[0-9]*/cgroup); do
		[ "$(awk '/^State:/ {print $2}' "${p%cgroup}status" 2>/dev/null || echo Z)" = Z ]
	done
}

@test "50 containers at once" {
	args true
	for i in $(seq 50); do
		jq --arg p "$CG/$ID-$i" '.linux.cgroupsPath = $p' "$BUNDLE/config.json" >"$BUNDLE/$i.json"
	done
	jobs=()
	for i in $(seq 50); do
		kv run -b "$BUNDLE" -f "$i.json" "$ID-$i" &
		jobs+=($!)
	done
	for job in "${jobs[@]}"; do
		wait "$job"
	done
	[ -z "$(kv list -q)" ]
}

# slow_hook PHASE: a hook that says that it runs and then sleeps
slow_hook() {
	cat >"$BATS_TEST_TMPDIR/hook" <<-END
		#!/bin/sh
		echo \$\$ >$BATS_TEST_TMPDIR/in-hook
		exec sleep 1000
	END
	chmod +x "$BATS_TEST_TMPDIR/hook"
	config --arg p "$1" --arg h "$BATS_TEST_TMPDIR/hook" '.hooks[$p] = [{path: $h, env: ["PATH=/usr/bin:/bin"]}]'
}

in_hook() {
	[ -s "$BATS_TEST_TMPDIR/in-hook" ]
}

hook_is_gone() {
	! kill -0 "$(cat "$BATS_TEST_TMPDIR/in-hook")" 2>/dev/null
}

@test "run is ended by a signal while it creates: the hook, the container and its cgroup are gone" {
	args true
	for phase in prestart createRuntime; do
		for sig in INT TERM HUP QUIT; do
			rm -f "$BATS_TEST_TMPDIR/in-hook"
			config 'del(.hooks)'
			slow_hook $phase
			# not by the shell itself: a job in its background ignores INT and QUIT
			env --default-signal=INT,QUIT "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
			run_pid=$!
			wait_for 10 in_hook
			kill -$sig $run_pid
			status=0
			wait $run_pid || status=$?
			cat "$BATS_TEST_TMPDIR/out"
			[ "$status" -eq 1 ]
			[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" -eq 1 ]
			wait_for 5 hook_is_gone
			[ -z "$(kv list -q)" ]
			[ -z "$(ls "$STATE")" ]
		done
	done
}

@test "run is ended by a signal while a hook in the container runs, before the program does" {
	own_rootfs
	args sh -c 'echo program'
	for phase in createContainer startContainer; do
		rm -f "$BATS_TEST_TMPDIR/in-hook"
		printf '#!/bin/sh\nexec sleep 1000\n' >"$BUNDLE/rootfs/hook"
		chmod +x "$BUNDLE/rootfs/hook"
		cp "$BUNDLE/rootfs/hook" "$BATS_TEST_TMPDIR/hook"
		path=/hook
		[ $phase = startContainer ] || path=$BATS_TEST_TMPDIR/hook
		config --arg p $phase --arg h "$path" '.hooks = {($p): [{path: $h, env: ["PATH=/usr/bin:/bin"]}]}'
		"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		run_pid=$!
		# shellcheck disable=SC2046 # words are meant
		sleeping() { grep -qs 'sleep' $(cgroup_procs | sed 's,.*,/proc/&/comm,'); }
		wait_for 10 sleeping
		kill -TERM $run_pid
		status=0
		wait $run_pid || status=$?
		cat "$BATS_TEST_TMPDIR/out"
		[ "$status" -eq 1 ]
		! grep -qx program "$BATS_TEST_TMPDIR/out"
		[ -z "$(kv list -q)" ]
		[ -z "$(cgroup_procs)" ]
	done
}

cgroup_procs() {
	cat /dev/null /sys/fs/cgroup/pids$CG/$ID/cgroup.procs /sys/fs/cgroup$CG/$ID/cgroup.procs 2>/dev/null
}

@test "nohup: a hang-up that run was told to ignore does not end it" {
	args echo program
	cat >"$BATS_TEST_TMPDIR/hook" <<-END
		#!/bin/sh
		echo \$\$ >$BATS_TEST_TMPDIR/in-hook
		until [ -e $BATS_TEST_TMPDIR/go ]; do sleep 0.05; done
	END
	chmod +x "$BATS_TEST_TMPDIR/hook"
	config --arg h "$BATS_TEST_TMPDIR/hook" '.hooks.createRuntime = [{path: $h, env: ["PATH=/usr/bin:/bin"]}]'
	env --ignore-signal=HUP "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
	run_pid=$!
	wait_for 10 in_hook
	kill -HUP $run_pid
	touch "$BATS_TEST_TMPDIR/go"
	wait $run_pid
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = program ]
}

@test "delete --force ends a create that is in a hook, and leaves nothing" {
	args true
	slow_hook createRuntime
	for manager in cgroupfs disabled; do
		rm -f "$BATS_TEST_TMPDIR/in-hook"
		kv --cgroup-manager $manager create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		create_pid=$!
		wait_for 10 in_hook
		timeout 8 "$KAVACH" --root "$STATE" delete --force "$ID"
		status=0
		wait $create_pid || status=$?
		[ "$status" -ne 0 ]
		[ -z "$(ls "$STATE")" ]
		if [ $manager = cgroupfs ]; then
			wait_for 5 hook_is_gone
			grep -q "createRuntime hook #0.*container's process has ended" "$BATS_TEST_TMPDIR/out"
		else
			kill "$(cat "$BATS_TEST_TMPDIR/in-hook")"
		fi
	done
}
