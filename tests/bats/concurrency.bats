#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Commands on one container at the same time, and commands that are killed. Whatever happens, each command does its work
# whole or says in one line why not, and delete --force leaves nothing.

load helpers

setup_file() { setup_rootfs; }
setup() {
	requires_root
	setup_kavach
	args sleep 100
	OUT=$BATS_TEST_TMPDIR/out
	mkdir "$OUT"
}
teardown() { teardown_kavach; }

k() { "$KAVACH" --root "$STATE" "$@"; }

# at_once N COMMAND...: N of them; status, and what they said, in $OUT/I.{st,err}
at_once() {
	local n=$1 i jobs=()
	shift
	rm -f "$OUT"/*
	for i in $(seq "$n"); do
		(
			"$@" >"$OUT/$i.out" 2>"$OUT/$i.err"
			echo $? >"$OUT/$i.st"
		) &
		jobs+=($!)
	done
	wait "${jobs[@]}" || true
}

succeeded() { cat "$OUT"/*.st | grep -cx 0 || true; }

# what the others said is one line each, and one of these
losers_said() { # PATTERN
	local i
	for i in "$OUT"/*.st; do
		[ "$(cat "$i")" -ne 0 ] || continue
		[ "$(wc -l <"${i%.st}.err")" -eq 1 ] || { cat "${i%.st}.err"; return 1; }
		grep -qE "$1" "${i%.st}.err" || { cat "${i%.st}.err"; return 1; }
	done
}

nothing_left() {
	[ ! -e "$STATE/$ID" ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
}

@test "many creates of one id: one wins" {
	for _ in 1 2 3; do
		at_once 8 k create -b "$BUNDLE" "$ID"
		[ "$(succeeded)" -eq 1 ]
		losers_said "container with given ID already exists"
		status_is created
		kv delete --force "$ID"
		nothing_left
	done
}

@test "many starts of one container: one wins" {
	for _ in 1 2 3; do
		kv create -b "$BUNDLE" "$ID"
		at_once 8 k start "$ID"
		[ "$(succeeded)" -eq 1 ]
		losers_said "cannot start a container that is not created: it is running"
		status_is running
		kv delete --force "$ID"
		nothing_left
	done
}

@test "many deletes: one deletes, the others find nothing; by force all are content" {
	kv create -b "$BUNDLE" "$ID"
	at_once 8 k delete "$ID"
	[ "$(succeeded)" -eq 1 ]
	losers_said "does not exist"
	nothing_left
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	at_once 8 k delete --force "$ID"
	[ "$(succeeded)" -eq 8 ]
	nothing_left
}

@test "start against delete --force: never a container that is neither" {
	for i in 1 2 3 4 5 6 7 8; do
		kv create -b "$BUNDLE" "$ID"
		at_once 1 k start "$ID" &
		job=$!
		sleep "0.00$i"
		kv delete --force "$ID"
		wait $job || true
		losers_said "does not exist|ended before|connection reset|is gone|reset"
		nothing_left
	done
}

@test "delete --force against exec: exec says that the container is not running" {
	for i in 0 2 4 6 8; do
		kv create -b "$BUNDLE" "$ID"
		kv start "$ID"
		at_once 4 k exec "$ID" true &
		job=$!
		sleep "0.00$i"
		kv delete --force "$ID"
		wait $job || true
		losers_said "does not exist|container not running"
		nothing_left
	done
}

@test "kill while it is being created: refused or obeyed, never lost" {
	for i in 1 3 5 8; do
		"$KAVACH" --root "$STATE" create -b "$BUNDLE" "$ID" &
		job=$!
		sleep "0.00$i"
		run k kill "$ID" KILL
		[ "$status" -eq 0 ] || [[ $output == *"does not exist"* || $output == *"container not running"* ]]
		killed=$status
		wait $job || true
		[ "$killed" -ne 0 ] || wait_for 5 status_is stopped
		kv delete --force "$ID"
		nothing_left
	done
}

@test "list and state during everything: valid JSON, no error but 'does not exist'" {
	(
		for _ in $(seq 15); do
			k create -b "$BUNDLE" "$ID" && k start "$ID" && k delete --force "$ID"
		done
		touch "$OUT/stop"
	) &
	job=$!
	n=0
	while [ ! -e "$OUT/stop" ]; do
		k list --format json >"$BATS_TEST_TMPDIR/list" 2>"$BATS_TEST_TMPDIR/err"
		jq -e 'type == "array"' "$BATS_TEST_TMPDIR/list" >/dev/null
		[ ! -s "$BATS_TEST_TMPDIR/err" ]
		if k state "$ID" >"$BATS_TEST_TMPDIR/state.json" 2>"$BATS_TEST_TMPDIR/err"; then
			jq -e '.status | IN("creating", "created", "running", "stopped")' "$BATS_TEST_TMPDIR/state.json" >/dev/null
		else
			grep -q "does not exist" "$BATS_TEST_TMPDIR/err"
		fi
		n=$((n + 1))
	done
	wait $job
	[ $n -gt 3 ]
}

@test "pause, resume and update at once leave a whole container" {
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	for _ in 1 2 3; do
		at_once 3 k pause "$ID" &
		a=$!
		k resume "$ID" >/dev/null 2>&1 || true
		k update --pids-limit 40 "$ID" >/dev/null 2>&1
		wait $a
		k resume "$ID" 2>/dev/null || true
		status_is running
	done
}

# killed_at MICROSECONDS COMMAND...
killed_at() {
	python3 - "$@" <<'PY'
import subprocess, sys, time
p = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(int(sys.argv[1]) / 1e6)
p.kill()
p.wait()
PY
}

@test "start, run and delete killed at any moment: delete --force cleans, without waiting" {
	for us in 300 900 1500 2500 4000 7000 12000; do
		kv create -b "$BUNDLE" "$ID"
		killed_at $us "$KAVACH" --root "$STATE" start "$ID"
		timeout 8 "$KAVACH" --root "$STATE" delete --force "$ID"
		nothing_left
		killed_at $us "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
		timeout 8 "$KAVACH" --root "$STATE" delete --force "$ID"
		nothing_left
		kv create -b "$BUNDLE" "$ID"
		killed_at $us "$KAVACH" --root "$STATE" delete --force "$ID"
		timeout 8 "$KAVACH" --root "$STATE" delete --force "$ID"
		nothing_left
	done
}

@test "exec killed at any moment leaves nobody behind after delete" {
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	for us in 500 1500 3000 6000; do
		killed_at $us "$KAVACH" --root "$STATE" exec "$ID" sleep 100
	done
	kv delete --force "$ID"
	nothing_left
}

hook_sleeps() { # SECONDS: a hook that hangs; in_hook: whether it does
	config --arg s "sleep $1" '.linux.namespaces |= map(select(.type != "pid"))
		| .hooks.createContainer = [{path: "/bin/sh", args: ["sh", "-c", $s]}]'
	in_hook() { pgrep -x sleep | sed "s|.*|/proc/&/cgroup|" | xargs -r grep -qs "$CG/$ID"; }
	"$KAVACH" --root "$STATE" create -b "$BUNDLE" "$ID" 2>"$OUT/err" &
	job=$!
	wait_for 10 in_hook
}

@test "a create killed inside its hooks, in a shared pid namespace: what the hook left ends with delete" {
	hook_sleeps 201
	kill -9 $job
	wait $job || true
	timeout 15 "$KAVACH" --root "$STATE" delete --force "$ID"
	nothing_left
}

@test "a create that hangs in a hook is ended by delete --force" {
	hook_sleeps 202
	timeout 15 "$KAVACH" --root "$STATE" delete --force "$ID"
	st=0
	wait $job || st=$?
	[ "$st" -ne 0 ]
	[ "$(wc -l <"$OUT/err")" -eq 1 ]
	nothing_left
}

@test "a create killed in a cgroup that others live in: delete ends nobody of them" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	dirs=()
	if [ -e /sys/fs/cgroup/cgroup.procs ]; then
		dirs=("/sys/fs/cgroup$CG/$ID")
	else
		for d in /sys/fs/cgroup/*/; do
			[ ! -e "$d/cgroup.procs" ] || [ -L "${d%/}" ] || dirs+=("$d$CG/$ID")
		done
	fi
	mkdir -p "${dirs[@]}"
	sleep 300 3>&- &
	other=$!
	for d in "${dirs[@]}"; do
		for f in cpuset.cpus cpuset.mems; do
			[ ! -e "$d/$f" ] || { cat "$d/../../$f" >"$d/../$f" && cat "$d/../../$f" >"$d/$f"; }
		done
		echo $other >"$d/cgroup.procs"
	done
	for us in 500 1000 1500 2000 3000; do
		killed_at $us "$KAVACH" --root "$STATE" create -b "$BUNDLE" "$ID"
		timeout 15 "$KAVACH" --root "$STATE" delete --force "$ID"
		kill -0 $other
	done
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"cgroup is not empty"* ]]
	kill -0 $other
	kill $other
	wait $other || true
	for d in "${dirs[@]}"; do
		rmdir "$d"
	done
}

@test "a process whose first thread has ended is running, can be killed, and deleted" {
	command -v gcc >/dev/null || skip "no compiler"
	own_rootfs
	gcc -static -o "$BUNDLE/rootfs/headless" -x c - -lpthread <<'C'
#include <pthread.h>
#include <unistd.h>
static void *on(void *p) { for (;;) pause(); return p; }
int main(void) { pthread_t t; pthread_create(&t, 0, on, 0); pthread_exit(0); }
C
	args /headless
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	pid=$(kv state "$ID" | jq .pid)
	headless() { [ "$(awk '/^State/ {print $2}' "/proc/$pid/status")" = Z ]; }
	wait_for 5 headless
	status_is running
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
	nothing_left
}
