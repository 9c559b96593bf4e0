#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What only root with every capability, on a kernel with AppArmor, can show (S-14, S-15, S-17, S-18).

load ../bats/helpers

PROFILE=kavach-test

setup_file() {
	setup_rootfs
	[ -e /sys/kernel/security/apparmor ] || return 0
	apparmor_parser -r <<-END
		profile $PROFILE flags=(attach_disconnected, mediate_deleted) {
			file,
			capability,
			signal,
			deny /tmp/forbidden rw,
		}
	END
}

teardown_file() {
	echo "profile $PROFILE {}" | apparmor_parser -R 2>/dev/null || true
}

setup() {
	requires_root
	setup_kavach
}

teardown() { teardown_kavach; }

requires_apparmor() {
	[ -e /sys/kernel/security/apparmor ] || skip "no AppArmor"
}

inside() {
	args "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "S-14: hard limits above the caller's" {
	config '.process.rlimits = [{type: "RLIMIT_NPROC", soft: 100, hard: 4000000},
		{type: "RLIMIT_MEMLOCK", soft: 18446744073709551615, hard: 18446744073709551615},
		{type: "RLIMIT_NOFILE", soft: 1024, hard: 5000}]'
	args cat /proc/self/limits
	run bash -c 'ulimit -l 64; ulimit -u 1000; ulimit -n 4096; exec "$@"' sh "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output =~ "Max processes"\ +100\ +4000000 ]]
	[[ $output =~ "Max locked memory"\ +unlimited\ +unlimited ]]
	[[ $output =~ "Max open files"\ +1024\ +5000 ]]
	# and without limits in the config: the caller's
	config '.process.rlimits = []'
	run bash -c 'ulimit -n 4096; exec "$@"' sh "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[[ $output =~ "Max open files"\ +4096\ +4096 ]]
}

@test "S-14: more files than the kernel opens for anybody is an error that names the limit" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 1024, hard: 99999999999}]'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *'process.rlimits[0]'*RLIMIT_NOFILE* ]]
}

@test "S-15: every capability of the kernel, and none of it by default" {
	local last caps
	last=$(cat /proc/sys/kernel/cap_last_cap)
	caps=$("$KAVACH" features | jq -c '.linux.capabilities')
	config --argjson c "$caps" '.process.capabilities = ({} | .bounding = $c | .permitted = $c | .effective = $c
		| .inheritable = $c | .ambient = $c) | .process.user = {uid: 1000, gid: 1000}'
	inside sh -c 'grep ^Cap /proc/self/status'
	[ "$(cut -f 2 <<<"$output" | sort -u)" = "$(printf '%016x' $(((1 << (last + 1)) - 1)))" ]
	config '.process.capabilities = {}'
	inside sh -c 'grep ^Cap /proc/self/status'
	[ "$(cut -f 2 <<<"$output" | sort -u)" = 0000000000000000 ]
}

@test "S-18: oomScoreAdj goes down" {
	config '.process.oomScoreAdj = -500'
	inside cat /proc/self/oom_score_adj
	[ "$output" = -500 ]
	config '.process.oomScoreAdj = -1000'
	inside cat /proc/self/oom_score_adj
	[ "$output" = -1000 ]
}

@test "S-17: the program runs under its AppArmor profile, also what exec starts" {
	requires_apparmor
	config --arg p $PROFILE '.process.apparmorProfile = $p | .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	for nnp in true false; do
		config '.process.noNewPrivileges = '$nnp
		inside sh -c 'cat /proc/self/attr/current; : >/tmp/allowed; (: >/tmp/forbidden) 2>/dev/null || echo denied'
		[ "${lines[0]}" = "$PROFILE (enforce)" ]
		[ "${lines[1]}" = denied ]
	done
	config '.process.noNewPrivileges = false'
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun exec "$ID" cat /proc/self/attr/current
	[ "$output" = "$PROFILE (enforce)" ]
	[ "$(kv inspect --json "$ID" | jq -r '.rows[] | select(.what == "AppArmor profile") | .verdict')" = ok ]
	config 'del(.process.apparmorProfile)'
	kv delete --force "$ID"
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun exec "$ID" cat /proc/self/attr/current
	[ "$output" = unconfined ]
	kvrun exec --apparmor $PROFILE "$ID" cat /proc/self/attr/current
	[ "$output" = "$PROFILE (enforce)" ]
}

@test "S-17: the profile is that of the program alone: create has it ready, and a program of its own is in it too" {
	requires_apparmor
	config --arg p $PROFILE '.process.apparmorProfile = $p'
	args sh -c 'cat /proc/self/attr/current; sh -c "cat /proc/self/attr/current"; exec sleep 1000'
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out"
	# onexec, as runc: what waits for start is still ours
	[ "$(cat "/proc/$(kv state "$ID" | jq .pid)/attr/current")" = unconfined ]
	kv start "$ID"
	wait_for 10 grep -qx "$PROFILE (enforce)" "/proc/$(kv state "$ID" | jq .pid)/attr/current"
	wait_for 10 eval '[ "$(grep -cx "$PROFILE (enforce)" "$BATS_TEST_TMPDIR/out")" -eq 2 ]'
}

@test "S-17: a profile that is not loaded is refused by its name at create, and nothing runs" {
	requires_apparmor
	config '.process.apparmorProfile = "kavach-no-such-profile"'
	args sh -c 'echo ran'
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *process.apparmorProfile*kavach-no-such-profile* ]]
	[ -z "$(kv list -q)" ]
	config '.process.apparmorProfile = "kavach-no-such-profile"'
	args sh -c 'echo ran'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *process.apparmorProfile*kavach-no-such-profile* ]]
	[[ $output != *ran* ]]
	[ -z "$(kv list -q)" ]
	config '.process.apparmorProfile = "unconfined"'
	inside cat /proc/self/attr/current
	[ "$output" = unconfined ]
}

# Debian's kernel has SELinux, but the guest has no policy for it and AppArmor is the one that is on: that a label is
# refused here is what can be shown. tests/unit and the golden policies have the rest.
@test "S-17: an SELinux label without SELinux is refused by its path" {
	[ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is on"
	config '.process.selinuxLabel = "system_u:system_r:container_t:s0"'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *process.selinuxLabel*SELinux* ]]
	config 'del(.process.selinuxLabel)'
	inside true
}
