#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Hooks: when each runs, where, with what, and what its failure does (runtime-spec 1.3, "Lifecycle").

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	own_rootfs
	LOG=$BATS_TEST_TMPDIR/log
	: >"$LOG"
}

teardown() { teardown_kavach; }

# hook PHASE SCRIPT [JQ]: one more hook of that phase that is a shell script
hook() {
	config --arg p "$1" --arg s "$2" '.hooks[$p] += [{path: "/bin/sh", args: ["sh", "-c", $s]} | '"${3:-.}"']'
}

@test "all phases run in their order, each with its state on stdin" {
	for p in poststop poststart startContainer createContainer createRuntime prestart; do
		case $p in
		startContainer) hook $p "(echo $p; cat; echo) >>/log" ;;
		*) hook $p "(echo $p; cat; echo) >>$LOG" ;;
		esac
	done
	args sh -c 'echo program >>/log'
	kv create -b "$BUNDLE" "$ID"
	[ "$(grep -v '^{' "$LOG" | xargs)" = "prestart createRuntime createContainer" ]
	[ "$(grep '^{' "$LOG" | jq -r .status | sort -u)" = creating ]
	pid=$(kv state "$ID" | jq .pid)
	[ "$(sed -n 2p "$LOG" | jq .pid)" = "$pid" ]
	[ "$(sed -n 6p "$LOG" | jq .pid)" = 1 ] # as a hook in the container's pid namespace sees it
	[ ! -e "$BUNDLE/rootfs/log" ]
	kv start "$ID"
	wait_for 5 status_is stopped
	[ "$(grep -v '^{' "$BUNDLE/rootfs/log" | xargs)" = "startContainer program" ]
	[ "$(grep '^{' "$BUNDLE/rootfs/log" | jq -r .status)" = created ]
	kv delete "$ID"
	[ "$(grep -v '^{' "$LOG" | tail -n 2 | xargs)" = "poststart poststop" ]
	[ "$(grep '^{' "$LOG" | tail -n 2 | jq -r .status | xargs)" = "running stopped" ]
	grep '^{' "$LOG" | jq -e '.id and .bundle and .ociVersion' >/dev/null
}

@test "create-time hooks: namespaces, a root that is mounted and still writable, the host's paths" {
	config '.root.readonly = true'
	hook createRuntime "readlink /proc/self/ns/mnt >>$LOG"
	hook createContainer "readlink /proc/self/ns/mnt >>$LOG; touch $BUNDLE/rootfs/made; ls $BUNDLE/rootfs/proc | grep -c version >>$LOG"
	args sh -c 'ls /made; touch /x'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == */made* ]]
	[[ $output == *"Read-only file system"* ]]
	[ "$(sed -n 1p "$LOG")" = "$(readlink /proc/self/ns/mnt)" ]
	[ "$(sed -n 2p "$LOG")" != "$(readlink /proc/self/ns/mnt)" ]
	[ "$(sed -n 3p "$LOG")" = 1 ]
}

@test "environment: the hook's own and no other, else the caller's, for startContainer the program's" {
	hook createRuntime "env >$LOG.own" '.env = ["ONLY=this"]'
	hook createContainer "env >$LOG.caller"
	hook startContainer "env >/env"
	args true
	config '.process.env += ["PROGRAM=yes"]'
	CALLER=yes kv run -b "$BUNDLE" "$ID"
	grep -qx ONLY=this "$LOG.own"
	[ "$(grep -c -e '^PATH=' -e '^CALLER=' "$LOG.own")" -eq 0 ]
	grep -qx CALLER=yes "$LOG.caller"
	grep -qx PROGRAM=yes "$BUNDLE/rootfs/env"
	[ "$(grep -c CALLER= "$BUNDLE/rootfs/env")" -eq 0 ]
}

@test "a failing hook before start: the error names it, nothing is left, poststop runs" {
	for p in prestart createRuntime createContainer; do
		config 'del(.hooks)'
		hook $p 'echo the reason >&2; exit 3'
		hook poststop "echo poststop after $p >>$LOG"
		kvrun create -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[[ $output == *"error running $p hook #0: /bin/sh"*"exit status 3"*"the reason"* ]]
		[ -z "$(kv list -q)" ]
		grep -qx "poststop after $p" "$LOG"
	done
}

@test "a failing startContainer hook: start fails and the program does not run" {
	hook startContainer 'exit 4'
	args sh -c 'echo ran >/ran'
	kv create -b "$BUNDLE" "$ID"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"error running startContainer hook #0"*"exit status 4"* ]]
	wait_for 5 status_is stopped
	[ ! -e "$BUNDLE/rootfs/ran" ]
}

@test "a failing poststart hook stops the container" {
	hook poststart 'exit 5'
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"error running poststart hook #0"* ]]
	wait_for 5 status_is stopped
}

@test "a failing poststop hook is a warning, and the next one runs" {
	hook poststop 'exit 6'
	hook poststop "echo second >>$LOG"
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	grep -qx second "$LOG"
}

@test "timeout: the hook and what it started end, and the message says so" {
	hook createRuntime "sleep 300 & echo \$! >$LOG; wait" '.timeout = 1'
	start=$SECONDS
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[ $((SECONDS - start)) -lt 20 ]
	[[ $output == *"error running createRuntime hook #0"*"hook ran past specified timeout of 1s"* ]]
	gone() { ! kill -0 "$(cat "$LOG")" 2>/dev/null || grep -q '^State:.Z' "/proc/$(cat "$LOG")/status"; }
	wait_for 5 gone
}

@test "a hook that never reads its stdin, or closes it, is fine, also with a large state" {
	head -c 200000 /dev/zero | tr '\0' x >"$BATS_TEST_TMPDIR/large"
	config --rawfile v "$BATS_TEST_TMPDIR/large" '.annotations = {"large": $v}'
	hook createRuntime 'exec <&-; exit 0'
	hook createContainer 'exit 0'
	hook startContainer 'exit 0'
	args echo fine
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *fine* ]]
}

@test "a daemon that a hook leaves behind does not hold up create" {
	hook createRuntime "sleep 60 & echo \$! >$LOG"
	args true
	start=$SECONDS
	kv run -b "$BUNDLE" "$ID"
	[ $((SECONDS - start)) -lt 20 ]
	kill "$(cat "$LOG")"
}

@test "a hook that is not there is an error without the words that mean the program" {
	config '.hooks.createRuntime = [{path: "/no/such/hook"}]'
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"error running createRuntime hook #0: /no/such/hook"* ]]
	[[ $output != *"no such file or directory"* ]]
}

@test "E-13: the error counts hooks of a phase from 0, names a signal, and has the last lines of stderr only" {
	hook createRuntime true
	hook createRuntime 'kill -9 $$'
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"error running createRuntime hook #1: /bin/sh"*signal*9* || $output == *"hook #1: /bin/sh"*KILL* ]]
	config 'del(.hooks)'
	hook createContainer 'for i in $(seq 5000); do echo "line $i" >&2; done; echo the end >&2; exit 1'
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"error running createContainer hook #0"*"the end"* ]]
	[[ $output != *"line 10 "* ]]
	[ "${#lines[@]}" -eq 1 ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
}

@test "poststart and poststop run outside, startContainer inside" {
	hook poststart "readlink /proc/self/ns/net >$LOG.poststart"
	hook poststop "readlink /proc/self/ns/net >$LOG.poststop"
	hook startContainer 'readlink /proc/self/ns/net >/net'
	args true
	kv run -b "$BUNDLE" "$ID"
	[ "$(cat "$LOG.poststart")" = "$(readlink /proc/self/ns/net)" ]
	[ "$(cat "$LOG.poststop")" = "$(readlink /proc/self/ns/net)" ]
	[ "$(cat "$BUNDLE/rootfs/net")" != "$(readlink /proc/self/ns/net)" ]
}

@test "run.oci.hooks.stdout and .stderr get what hooks print; without them it goes nowhere" {
	config --arg o "$LOG.out" --arg e "$LOG.err" '.annotations = {"run.oci.hooks.stdout": $o, "run.oci.hooks.stderr": $e}'
	hook createRuntime 'echo one; echo two >&2'
	hook poststart 'echo three'
	args echo program
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = program ]
	[ "$(xargs <"$LOG.out")" = "one three" ]
	[ "$(cat "$LOG.err")" = two ]
	config 'del(.annotations)'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = program ]
}

@test "a relative path and a timeout that is not positive are refused before anything is made" {
	args true
	for h in '{path: "bin/true"}' '{path: "/bin/true", timeout: 0}' '{path: "/bin/true", timeout: -1}' '{args: ["x"]}'; do
		config ".hooks = {poststop: [$h]}"
		kvrun create -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[[ $output == *"hooks.poststop[0]"* ]]
	done
	[ ! -e "$STATE/$ID" ]
}
