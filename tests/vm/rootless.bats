#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ordinary user who has a systemd of his own (S-37, S-39): a cgroup that is really his, so that limits hold without any
# privilege; and what is said where he has none. tests/bats/rootless.bats has what needs no cgroup.

bats_require_minimum_version 1.5.0
load ../bats/helpers

export HOME_DIR=/home/tester
UNIT=kavach-rootless-test.service

setup_file() {
	[ -x /usr/local/bin/as-tester ] || skip "only the guest of tests/vm has such a user"
	ROOTFS=$HOME_DIR/rootfs
	export ROOTFS
	"$KAVACH_SRC/contrib/make-rootfs" "$ROOTFS"
	# the way to the source tree may be closed to him
	install -m 755 "$KAVACH" $HOME_DIR/kavach
	chown -R tester: $HOME_DIR
	# A unit with a delegated cgroup, which the tests enter: as if they were started there, but quicker.
	as-tester true
	systemctl --user --machine=tester@.host stop $UNIT 2>/dev/null || true
	systemd-run --quiet --user --machine=tester@.host --unit=$UNIT --property=Delegate=yes sleep infinity
	SLICE=/user.slice/user-1000.slice/user@1000.service/app.slice
	export SLICE
	[ "$(stat -c %U /sys/fs/cgroup$SLICE/$UNIT/cgroup.procs)" = tester ]
}

teardown_file() {
	systemctl --user --machine=tester@.host stop $UNIT || true
	rm -rf $HOME_DIR/{rootfs,kavach,bundle.*}
}

setup() {
	KAVACH=$HOME_DIR/kavach
	BUNDLE=$HOME_DIR/bundle.$BATS_TEST_NUMBER
	ID=r$BATS_TEST_NUMBER-$$
	DIR=/sys/fs/cgroup$SLICE/kavach/$ID
	export KAVACH BUNDLE ID
	mkdir "$BUNDLE"
	chown tester: "$BUNDLE"
	template --rootless
}

teardown() {
	local id left
	for id in $(ukv list -q); do
		ukv delete --force "$id"
	done
	left=$(find /sys/fs/cgroup/user.slice -name "*$ID*")
	[ -z "$left" ] || {
		echo "# cgroups left behind: $left"
		return 1
	}
}

# as_user COMMAND...: in the delegated unit
as_user() {
	bash -c 'echo $$ >"/sys/fs/cgroup$0/cgroup.procs"; cd "$HOME_DIR"
		exec setpriv --reuid tester --regid tester --init-groups --inh-caps=-all env -i PATH="$PATH" HOME="$HOME_DIR" \
			USER=tester XDG_RUNTIME_DIR=/run/user/1000 "$@"' "$SLICE/$UNIT" "$@"
}

ukv() { as_user "$KAVACH" "$@"; }

ukvrun() {
	run ukv "$@"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

# template [--rootless]: what `spec` gives, without terminal
template() {
	rm -f "$BUNDLE/config.json"
	ukv spec "$@" -b "$BUNDLE"
	config --arg r "$ROOTFS" '.process.terminal = false | .root.path = $r | .process.rlimits = []'
	chown tester: "$BUNDLE/config.json"
}

resources() { config --argjson r "$1" '.linux.resources = $r'; }

started() {
	args "$@"
	ukv create -b "$BUNDLE" --pid-file "$BUNDLE/pid" "$ID" </dev/null >/dev/null
	ukv start "$ID"
}

holds() {
	local got
	got=$(cat "$DIR/$1")
	echo "# $1: $got"
	[ "$got" = "$2" ]
}

writable_cgroup() { config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'; }

@test "a unit of the user's systemd: run with limits, and nothing to warn about" {
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 50}, "cpu": {"quota": 50000, "period": 100000}}'
	args sh -c 'id -u; cat /proc/self/cgroup; cd /sys/fs/cgroup; cat memory.max pids.max cpu.max'
	run as-tester "$KAVACH" --log-level warning run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(tr '\n' ' ' <<<"$output")" = "0 0::/ 67108864 50 50000 100000 " ]
}

@test "create, start, exec, update, pause, events, kill, delete: in a cgroup of the user's" {
	local pid
	resources '{"memory": {"limit": 67108864, "swap": 67108864}, "pids": {"limit": 50}, "cpu": {"shares": 2048, "cpus": "0"}}'
	started sleep 1000
	pid=$(cat "$BUNDLE/pid")
	[ "$(cat "/proc/$pid/cgroup")" = "0::$SLICE/kavach/$ID" ]
	[ "$(stat -c %U "/proc/$pid")" = tester ]
	holds memory.max 67108864
	holds memory.swap.max 0
	holds pids.max 50
	holds cpu.weight 174
	holds cpuset.cpus 0
	[ "$(ukv exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	[ "$(ukv exec "$ID" cat /sys/fs/cgroup/pids.max)" = 50 ]
	ukv update --pids-limit 20 --memory 134217728 "$ID"
	holds pids.max 20
	holds memory.max 134217728
	ukv pause "$ID"
	grep -qx 'frozen 1' "$DIR/cgroup.events"
	ukv resume "$ID"
	ukv events --stats "$ID" | jq -e '.data.memory.usage.usage > 0 and .data.pids.current == 1'
	ukv ps -f json "$ID" | jq -e ". == [$pid]"
	ukv kill "$ID" KILL
	stopped() { [ "$(ukv state "$ID" | jq -r .status)" = stopped ]; }
	wait_for 10 stopped
	ukv delete "$ID"
	[ ! -e "$DIR" ]
}

@test "limits hold: memory and processes" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}, "pids": {"limit": 5}}'
	args sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 10 & done 2>&1; wait'
	ukvrun run -b "$BUNDLE" "$ID"
	[[ $output == *fork* ]]
	args tail /dev/zero
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 137 ]
}

@test "a config for root: with all the user's ids, and in his cgroup" {
	template
	resources '{"devices": [{"allow": false, "access": "rwm"}], "memory": {"limit": 67108864}}'
	args sh -c 'id -u; cat /proc/self/uid_map; cat /sys/fs/cgroup/memory.max; hostname; ls /sys/class/net'
	ukvrun --log-level warning run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr -s ' \n' ' ' <<<"$output")" = "0 0 1000 1 1 100000 65536 67108864 kavach lo " ]
}

@test "S-39: a writable cgroup belongs to the container's root, who hands controllers down" {
	template
	writable_cgroup
	resources '{"pids": {"limit": 50}}'
	args sh -c 'cd /sys/fs/cgroup && mkdir sub && echo $$ >sub/cgroup.procs && echo +pids >cgroup.subtree_control &&
		echo 10 >sub/pids.max && cat sub/pids.max; cat /proc/self/cgroup'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = $'10\n0::/sub' ]
}

@test "S-39: it cannot be given to another of the user's ids: a warning, and the process cannot write" {
	template
	writable_cgroup
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'id -u; mkdir /sys/fs/cgroup/sub'
	ukvrun --log-level warning run -b "$BUNDLE" "$ID"
	[[ ${lines[0]} == *"give cgroup"*"$ID"*"user 100999"* ]]
	[ "${lines[1]}" = 1000 ]
	[[ ${lines[2]} == *"Permission denied"* ]]
}

@test "a login session has no cgroup for the user: limits are a warning that names the cause and the way out" {
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 50}}'
	args sh -c 'echo ran; cat /sys/fs/cgroup/memory.max'
	run runuser -l tester -c "cat /proc/self/cgroup; $KAVACH --log-level warning run -b $BUNDLE $ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == 0::/user.slice/user-1000.slice/session-*.scope ]]
	[[ ${lines[1]} == *linux.resources.memory.limit*"mkdir /sys/fs/cgroup/user.slice/"*Delegate=yes* ]]
	[ "${lines[2]} ${lines[3]}" = "ran max" ]
	# what needs a cgroup is refused later
	args sleep 1000
	runuser -l tester -c "$KAVACH create -b $BUNDLE $ID </dev/null >/dev/null 2>&1 && $KAVACH start $ID"
	for command in 'pause' 'update --pids-limit 5' 'events --stats'; do
		# shellcheck disable=SC2086 # words are meant
		run runuser -l tester -c "$KAVACH ${command%% *} ${command#"${command%% *}"} $ID"
		echo "$output"
		[ "$status" -ne 0 ]
		[[ $output == *"no cgroup of its own"* ]]
	done
	runuser -l tester -c "$KAVACH exec $ID true; $KAVACH kill $ID KILL; $KAVACH delete --force $ID"
}

@test "--cgroup-manager disabled: no cgroup is made, limits are a warning" {
	resources '{"memory": {"limit": 67108864}}'
	args sh -c 'cat /sys/fs/cgroup/memory.max'
	ukvrun --log-level warning --cgroup-manager disabled run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == *linux.resources*"control groups are disabled"* ]]
	[ "${lines[1]}" = max ]
	[ ! -e "$DIR" ]
}

@test "a cgroup of somebody else's is out of reach" {
	config --arg p "/system.slice/$ID" '.linux.cgroupsPath = $p | .linux.resources = {pids: {limit: 5}}'
	args echo ran
	ukvrun --log-level warning run -b "$BUNDLE" "$ID"
	[[ $output == *"mkdir /sys/fs/cgroup/system.slice/$ID"* ]]
	[ "${lines[-1]}" = ran ]
	# his own, where he may make it but not bring a process in from outside
	mkdir "/sys/fs/cgroup/$ID-mine"
	chown -R tester: "/sys/fs/cgroup/$ID-mine"
	config --arg p "/$ID-mine/c" '.linux.cgroupsPath = $p | del(.linux.resources)'
	ukvrun run -b "$BUNDLE" "$ID"
	rmdir "/sys/fs/cgroup/$ID-mine"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot move from our cgroup"* ]]
}
