#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The calls of a whole container, recorded, and the profile with which it runs again: here, and under runc and crun.

load helpers

setup_file() {
	requires_root
	setup_rootfs
	compile_tool call "$ROOTFS/bin/call"
}

setup() {
	setup_kavach
	P=$BATS_TEST_TMPDIR/profile.json
	LOG=$BATS_TEST_TMPDIR/lines
}

teardown() { teardown_kavach; }

sh_() { args sh -c "$1"; }

record() {
	config '.annotations["io.kavach.seccomp.record"] = "true"'
}

# What was recorded, in $P.
recorded() {
	kv seccomp recorded "$ID" >"$P"
}

names() { jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]' "$P"; }

has() { names | grep -qx "$1"; }

# The config as it is, under what was recorded.
profile() {
	config --slurpfile p "$P" 'del(.annotations) | .linux.seccomp = $p[0]'
}

# detached, what it prints in $LOG
begin() {
	kv run -d "$@" -b "$BUNDLE" "$ID" </dev/null >"$LOG" 2>&1 3>&-
}

watchers() {
	local p
	for p in $(pgrep -x kavach-record); do
		[ "$(readlink "/proc/$p/fd/4")" != "$STATE/$ID/calls" ] || echo "$p"
	done
}

no_watchers() { [ -z "$(watchers)" ]; }

@test "a workload runs again under its profile, another one does not" {
	sh_ 'echo one; (echo two | cat); ls /proc/self/status; exit 7'
	kvrun run --record-seccomp -b "$BUNDLE" "$ID"
	[ "$status" -eq 7 ]
	[ "$output" = $'one\ntwo\n/proc/self/status' ]
	recorded
	profile
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 7 ]
	[ "$output" = $'one\ntwo\n/proc/self/status' ]
	args mkdir /tmp/x
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"mkdir: "*"Function not implemented"* ]]
	args mount -t tmpfs none /tmp
	config '.process.capabilities |= map_values(["CAP_SYS_ADMIN"])'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"Operation not permitted"* || $output == *"permission denied"* ]]
	# no namespaces and no sockets that were not asked for
	[ "$(jq -r '.syscalls[] | select(.names == ["clone"]).args[0].op' "$P")" = SCMP_CMP_MASKED_EQ ]
	[ "$(names | grep -c '^clone')" -eq 1 ]
	! has socket || false
	! has mkdir || false
}

@test "it runs under runc and crun too, with and without no_new_privs, as an ordinary user" {
	local tried=0 nnp
	config '.ociVersion = "1.0.2" | .process.user = {uid: 1000, gid: 1000, additionalGids: [7]}'
	sh_ 'id -u; exit 3'
	kvrun run --record-seccomp -b "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	recorded
	profile
	for runtime in "$KAVACH" crun runc; do
		command -v "$runtime" >/dev/null || continue
		for nnp in true false; do
			config ".process.noNewPrivileges = $nnp"
			# old versions of crun refuse a hybrid hierarchy with controllers in its v2 part
			# shellcheck disable=SC2016 # for the shell inside
			run unshare -m --propagation private sh -c \
				'! mountpoint -q /sys/fs/cgroup/unified || umount -l /sys/fs/cgroup/unified; exec "$@"' x \
				"$runtime" --root "$BATS_TEST_TMPDIR/other" run -b "$BUNDLE" "$nnp-$ID" </dev/null
			echo "# $runtime $nnp: $output"
			[ "$status" -eq 3 ]
			[ "${lines[-1]}" = 1000 ]
		done
		tried=$((tried + 1))
	done
	[ $tried -gt 1 ] || skip "neither crun nor runc"
}

@test "create and start; exec is in it; it can be asked for while it runs, and when it was deleted" {
	record
	own_rootfs
	sh_ 'echo ready; while :; do sleep 0.1; done'
	kv create -b "$BUNDLE" "$ID" </dev/null >"$LOG" 2>&1 3>&-
	kvrun seccomp recorded "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"container $ID: it was not started yet"* ]]
	kv start "$ID"
	wait_for 20 grep -q ready "$LOG"
	recorded
	has wait4
	! has mkdir || false
	kv exec "$ID" mkdir /tmp/x
	recorded
	has mkdir
	[ "$(stat -c %a "$STATE/$ID/calls")" = 600 ]
	# what is known is not written again
	before=$(wc -l <"$STATE/$ID/calls")
	kv exec "$ID" mkdir /tmp/y
	[ "$(wc -l <"$STATE/$ID/calls")" -eq "$before" ]
	kv kill "$ID" KILL
	wait_for 20 status_is stopped
	wait_for 20 no_watchers
	cp "$P" "$P.before"
	kv delete "$ID"
	recorded
	cmp "$P" "$P.before"
	[ "$(stat -c %a "$STATE/.recorded")" = 700 ]
	[ -z "$(kv list -q)" ]
	profile
	begin
	wait_for 20 grep -q ready "$LOG"
	kv exec "$ID" mkdir /tmp/z
	kvrun exec "$ID" chmod 700 /tmp
	[ "$status" -ne 0 ]
	[[ $output == *"Function not implemented"* ]]
}

@test "the container's own filter still denies, and calls of the 32-bit ABI bring their architecture" {
	record
	own_rootfs
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86"],
		syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 28}, {names: ["chroot"], action: "SCMP_ACT_KILL_PROCESS"}]}'
	sh_ 'mkdir /x; chroot /tmp true; echo $?'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"No space left on device"*159 ]]
	[ ! -e "$BUNDLE/rootfs/x" ]
	recorded
	! has mkdir || false
	! has chroot || false
	[ "$(jq -r '.architectures | join(" ")' "$P")" = SCMP_ARCH_X86_64 ] || [ "$(uname -m)" != x86_64 ]
	[ "$(uname -m)" = x86_64 ] || skip "x86"
	args /bin/call -32 20
	kvrun run -b "$BUNDLE" "$ID"
	recorded
	[ "$(jq -r '.architectures | sort | join(" ")' "$P")" = "SCMP_ARCH_X86 SCMP_ARCH_X86_64" ]
}

@test "when the recorder is killed: calls fail, the container can end, and what was seen is there" {
	own_rootfs
	sh_ 'echo ready; until [ -e /go ]; do sleep 0.1; done; mkdir /after'
	begin --record-seccomp
	wait_for 20 grep -q ready "$LOG"
	kill -9 "$(watchers)"
	wait_for 20 no_watchers
	touch "$BUNDLE/rootfs/go"
	recorded
	has wait4
	kv kill "$ID" KILL || true # it may have ended by itself: it cannot start anything
	wait_for 20 status_is stopped
	[ ! -e "$BUNDLE/rootfs/after" ]
	kv delete "$ID"
	recorded
	has wait4
}

@test "refused: beside a report, an agent, a tracer, a filter that denies its hand-over, and with another word" {
	args true
	record
	config '.annotations["io.kavach.seccomp.report"] = "true"
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO"}]}'
	refused 'annotations["io.kavach.seccomp.record"]' 'beside a report of denied ones'
	config 'del(.annotations["io.kavach.seccomp.report"]) | .linux.seccomp.listenerPath = "/run/agent"
		| .linux.seccomp.syscalls[0].action = "SCMP_ACT_NOTIFY"'
	refused 'beside an agent (linux.seccomp.listenerPath)'
	config 'del(.linux.seccomp.listenerPath) | .linux.seccomp.syscalls[0].action = "SCMP_ACT_TRACE"'
	refused 'SCMP_ACT_TRACE: the tracer would not be asked'
	config '.linux.seccomp.syscalls[0] = {names: ["seccomp"], action: "SCMP_ACT_ERRNO"}'
	refused 'calls cannot be recorded: the seccomp filter denies seccomp'
	config 'del(.linux.seccomp) | .annotations["io.kavach.seccomp.record"] = "/etc/passwd"'
	refused 'annotations["io.kavach.seccomp.record"]: expected true or false, found "/etc/passwd"'
}

@test "what was not recorded cannot be had" {
	kvrun seccomp recorded "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"container $ID: it does not exist, and nothing of it was recorded"* ]]
	kvrun seccomp recorded ../x
	[ "$status" -eq 2 ]
	args sleep 1000
	begin
	kvrun seccomp recorded "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"its calls are not recorded"*"io.kavach.seccomp.record=true"* ]]
	kv delete --force "$ID"
	[ ! -e "$STATE/.recorded" ]
	mkdir "$STATE/.recorded"
	echo "c000003e 3" >"$STATE/.recorded/$ID"
	kvrun seccomp recorded "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"the file of its calls is damaged"* ]]
}

@test "inspect knows the filter, policy tells of it, checkpoint refuses it" {
	record
	args sleep 1000
	compile_tool fakecriu "$BATS_TEST_TMPDIR/criu"
	PATH=$BATS_TEST_TMPDIR:$PATH
	begin
	kvrun inspect --filters "$ID"
	[ "$status" -eq 0 ]
	kvrun policy "$BUNDLE"
	[[ $output == *"records"*"what is called"* ]]
	kvrun checkpoint --image-path "$BATS_TEST_TMPDIR/images" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"CRIU cannot save a seccomp filter that somebody outside answers for"* ]]
}
