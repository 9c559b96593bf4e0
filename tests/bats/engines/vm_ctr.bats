#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# containerd with kavach-vm below containerd-shim-runc-v2, driven by ctr: each task is a microVM.

load daemon

missing() { why_no_vm containerd ctr | head -n 1; }

setup_file() {
	[ -z "$(missing)" ] || return 0
	engine_setup ctrvm
	NS=$ENGINE_NAME
	export NS ENGINE_GUEST=$KAVACH_BUILD/guest
	containerd_start "$NS"
}

teardown_file() {
	[ -z "$(missing)" ] || return 0
	engine_stop
}

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	ID=t$BATS_TEST_NUMBER
}

teardown() {
	[ -z "$(missing)" ] || return 0
	c task rm -f "$ID" >/dev/null 2>&1 || true
	c container rm "$ID" >/dev/null 2>&1 || true
}

c() { in_engine ctr -a "$SOCKET" -n "$NS" "$@"; }
task() { c task ls | awk -v id="$ID" '$1 == id { print $2, $3 }'; }
task_is() { [[ $(task) == *" $1" ]]; }

@test "run: output and exit status; a program that is not there says so" {
	show c run --rm --runc-binary /usr/local/bin/kavach-vm "$IMAGE" "$ID" sh -c 'uname -r; exit 42'
	[ "$status" -eq 42 ]
	[[ $output != *"$(uname -r)"* ]]
	show c run --rm --runc-binary /usr/local/bin/kavach-vm "$IMAGE" "$ID" no-such-program
	[ "$status" -ne 0 ]
	[[ $output == *'executable file not found in $PATH'* ]]
}

@test "a task in the background: exec, kill of an exec, pause, metrics, kill" {
	c run -d --runc-binary /usr/local/bin/kavach-vm "$IMAGE" "$ID" sleep 1000
	task_is RUNNING
	show c task exec --exec-id e1 "$ID" sh -c 'echo inside; exit 6'
	[ "$status" -eq 6 ]
	[[ $output == *inside* ]]
	c task exec -d --exec-id e2 "$ID" sleep 2000
	wait_for 20 in_guest 'sleep 2000'
	c task kill -s KILL --exec-id e2 "$ID"
	wait_for 20 not_in_guest 'sleep 2000'
	c task pause "$ID"
	task_is PAUSED
	c task resume "$ID"
	c task metrics "$ID" | grep -q memory
	c task kill -s KILL "$ID"
	wait_for 20 task_is STOPPED
}

@test "events of a task's life; metrics of the whole VM, as its limits are" {
	c events >"$ENGINE_DIR/events" 3>&- &
	wait_for 20 test -e "$ENGINE_DIR/events"
	c run -d --memory-limit 100663296 --runc-binary /usr/local/bin/kavach-vm "$IMAGE" "$ID" sleep 1000
	c task exec --exec-id e1 "$ID" true
	# the host's view: the guest with what it has written to, and QEMU; the limit has room for both beside the container's
	read -r used limit < <(c task metrics --format json "$ID" | tee "$ENGINE_DIR/metrics" | jq -r '.memory |
		if (.usage | type) == "object" then "\(.usage.usage) \(.usage.limit)" else "\(.usage) \(.usage_limit)" end')
	[ "$used" -gt 50000000 ] && [ "$used" -lt "$limit" ]
	[ "$limit" -gt $((100663296 + 134217728)) ] && [ "$limit" -lt 1000000000 ]
	[ "$(jq '[.. | objects | select(has("current")) | .current][0]' "$ENGINE_DIR/metrics")" -ge 2 ]
	c task kill -s TERM "$ID"
	c task kill -s KILL "$ID"
	wait_for 20 task_is STOPPED
	c task rm "$ID" >/dev/null
	happened() { grep -q "/tasks/$1 .*$ID" "$ENGINE_DIR/events"; }
	for event in create start exec-added exec-started exit delete; do
		wait_for 10 happened "$event" || { cat "$ENGINE_DIR/events"; false; }
	done
	# of the first process: killed
	grep "/tasks/exit .*\"id\":\"$ID\"" "$ENGINE_DIR/events" | grep -q '"exit_status":137'
	kill %1
}

in_guest() { c task exec --exec-id "ps$RANDOM" "$ID" ps | grep -v grep | grep -q "$1"; }
not_in_guest() { ! in_guest "$1"; }
