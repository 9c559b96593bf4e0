#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Resources where there is nothing but cgroup v2 (S-37 to S-45, B-04, B-13, R-11): what stands in the files of a living
# kernel, and what that does to the container. On other machines tests/vm/run shows it in its guest.

bats_require_minimum_version 1.5.0
load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || skip "no pure cgroup v2"
	setup_kavach
	DIR=/sys/fs/cgroup$CG/$ID
	SIBLING=
}

teardown() {
	if [ -n "$SIBLING" ]; then
		kill -9 "$SIBLING" 2>/dev/null || true
		wait "$SIBLING" 2>/dev/null || true
	fi
	teardown_kavach
}

resources() { config --argjson r "$1" '.linux.resources = $r'; }

# a container that waits; its init has not been started, for no test of limits needs it to run
created() {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
}

started() {
	args "$@"
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
}

# holds FILE VALUE: of the container's cgroup
holds() {
	local got
	got=$(cat "$DIR/$1")
	echo "# $1: $got"
	[ "$got" = "$2" ]
}

# a process of ours in a cgroup
sit_in() {
	mkdir -p "$1"
	sleep 1000 3>&- &
	SIBLING=$!
	echo $SIBLING >"$1/cgroup.procs"
}

# One create shows what needs no program in the container.
@test "S-41 S-42 S-43 S-44: each member is in its file" {
	local disk
	disk=$(cat /sys/block/[vs]da/dev | head -n 1)
	resources '{
		"memory": {"limit": 67108864, "swap": 100663296, "reservation": 33554432},
		"cpu": {"shares": 2048, "quota": 50000, "period": 200000, "burst": 10000, "cpus": "0", "mems": "0"},
		"pids": {"limit": 100},
		"blockIO": {"weight": 500},
		"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	[ -z "$disk" ] || config --argjson major "${disk%:*}" --argjson minor "${disk#*:}" '.linux.resources.blockIO += {
		throttleReadBpsDevice: [{major: $major, minor: $minor, rate: 1048576}],
		throttleWriteIOPSDevice: [{major: $major, minor: $minor, rate: 500}]}'
	created
	holds memory.max 67108864
	holds memory.swap.max 33554432
	holds memory.low 33554432
	holds cpu.weight 174
	holds cpu.max '50000 200000'
	holds cpu.max.burst 10000
	holds cpuset.cpus 0
	holds cpuset.cpus.effective 0
	holds cpuset.mems 0
	holds pids.max 100
	if [ -e "$DIR/io.bfq.weight" ]; then
		holds io.bfq.weight 'default 500'
	else
		holds io.weight 'default 4950'
	fi
	[ -z "$disk" ] || holds io.max "$disk rbps=1048576 wbps=max riops=max wiops=500"
	holds hugetlb.2MB.max 4194304
	holds hugetlb.2MB.rsvd.max 4194304
}

@test "S-41: -1 is no limit, memory without limit is swap without limit, and 0 is no setting" {
	resources '{"memory": {"limit": -1, "reservation": -1}, "pids": {"limit": -1}, "cpu": {"quota": -1, "shares": 0}}'
	created
	holds memory.max max
	holds memory.swap.max max
	holds memory.low 0
	holds pids.max max
	holds cpu.max 'max 100000'
	holds cpu.weight 100
}

@test "S-42: an idle group, and back" {
	resources '{"cpu": {"idle": 1, "shares": 2048}}'
	created
	holds cpu.idle 1
	kv update --cpu-idle 0 --cpu-share 2048 "$ID"
	holds cpu.idle 0
	holds cpu.weight 174
}

@test "B-13: update changes what is named and keeps the rest" {
	resources '{"memory": {"limit": 67108864, "swap": 67108864}, "cpu": {"quota": 50000, "period": 200000},
		"pids": {"limit": 100}}'
	created
	holds memory.swap.max 0
	kv update --cpu-quota 40000 "$ID"
	holds cpu.max '40000 200000'
	kv update --cpu-period 100000 "$ID"
	holds cpu.max '40000 100000'
	kv update --memory 134217728 "$ID"
	holds memory.max 134217728
	holds memory.swap.max 0
	kv update --memory-swap 268435456 "$ID"
	holds memory.max 134217728
	holds memory.swap.max 134217728
	kv update --memory -1 "$ID"
	holds memory.max max
	holds memory.swap.max max
	holds pids.max 100
	kv update --pids-limit -1 --cpuset-cpus 0 --cpu-share 512 --memory-reservation 1m "$ID"
	holds pids.max max
	holds cpuset.cpus 0
	holds memory.low 1048576
	echo '{"unified": {"memory.high": "50331648"}, "pids": {"limit": 7}}' | kv update -r - "$ID"
	holds memory.high 50331648
	holds pids.max 7
	holds cpu.max '40000 100000'
}

@test "S-41: checkBeforeUpdate refuses a limit below the use, and nothing has changed" {
	resources '{"memory": {"limit": 134217728}, "pids": {"limit": 100}}'
	created
	echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}, "pids": {"limit": 7}}' >"$BATS_TEST_TMPDIR/r"
	kvrun update -r "$BATS_TEST_TMPDIR/r" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *memory.limit*checkBeforeUpdate* ]]
	holds memory.max 134217728
	holds pids.max 100
}

@test "unified: verbatim, line by line, and after what was converted" {
	resources '{"pids": {"limit": 100}, "unified": {"pids.max": "50", "memory.high": "33554432", "memory.oom.group": "1",
		"cgroup.max.descendants": "5"}}'
	created
	holds pids.max 50
	holds memory.high 33554432
	holds memory.oom.group 1
	holds cgroup.max.descendants 5
}

@test "unified: a file or controller that is not there, or a path, is refused by name" {
	resources '{"unified": {"memory.nothing": "1"}}'
	refused 'unified["memory.nothing"]'
	resources '{"unified": {"nothing.max": "1"}}'
	refused 'unified["nothing.max"]' 'controller nothing is not available'
	resources '{"unified": {"../memory.max": "1"}}'
	refused 'unified["../memory.max"]' 'file name'
	resources '{"unified": {"memory.high": "lots"}}'
	refused 'unified["memory.high"]' lots
}

@test "what cgroup v2 has no counterpart for is refused, network classes are ignored with a warning" {
	resources '{"memory": {"swappiness": 10}}'
	refused memory.swappiness 'nothing like it in cgroup v2'
	resources '{"memory": {"disableOOMKiller": true}}'
	refused memory.disableOOMKiller
	resources '{"cpu": {"realtimeRuntime": 1000}}'
	refused cpu.realtimeRuntime
	resources '{"network": {"classID": 1}}'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *network.classID*ignored* ]]
}

@test "limits hold: CPUs, processes and memory of the program" {
	resources '{"cpu": {"cpus": "0"}, "pids": {"limit": 5}, "memory": {"limit": 33554432, "swap": 33554432}}'
	args sh -c 'grep Cpus_allowed_list /proc/self/status
		for i in 1 2 3 4 5 6 7 8; do sleep 10 & done 2>&1
		wait'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *$'Cpus_allowed_list:\t0\n'* ]]
	[[ $output == *fork* ]]
	args sh -c 'tail /dev/zero'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 137 ]
}

@test "S-40: devices that are not allowed do not open, also for exec, and not after update" {
	config '.linux.resources = {devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229,
			access: "r"}]}
		| .linux.devices = [
			{path: "/dev/mem-1", type: "c", major: 1, minor: 1, fileMode: 438, uid: 0, gid: 0},
			{path: "/dev/fuse", type: "c", major: 10, minor: 229, fileMode: 438, uid: 0, gid: 0}]
		| .process.capabilities |= map_values(. + ["CAP_MKNOD"])
		| .mounts |= map(if .destination == "/dev" then .options = ["mode=755"] else . end)'
	modprobe fuse 2>/dev/null || true
	started sleep 1000
	local try='(: <$1) 2>/dev/null && printf r; (: >$1) 2>/dev/null && printf w; echo'
	opens() { kv exec "$ID" sh -c "$try" sh "$1"; }
	for round in before after; do
		echo "# $round"
		[ "$(opens /dev/null)" = rw ]
		[ "$(opens /dev/urandom)" = rw ]
		[ "$(opens /dev/mem-1)" = "" ]
		[ "$(opens /dev/fuse)" = r ]
		# a node of a device that was not allowed may be made, and is of no use
		kv exec "$ID" sh -c 'rm -f /dev/disk; mknod /dev/disk b '"$(cut -d: -f1 /sys/block/[vs]da/dev)"' 0'
		[ "$(opens /dev/disk)" = "" ]
		kv update --pids-limit 20 "$ID"
	done
}

@test "S-40: with every device allowed there is nothing between the program and them" {
	config '.linux.resources = {devices: [{allow: true, access: "rwm"}]}
		| .linux.devices = [{path: "/dev/kmsg-1", type: "c", major: 1, minor: 11, fileMode: 438, uid: 0, gid: 0}]'
	args sh -c ': >/dev/kmsg-1 && echo open'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = open ]
}

@test "pause: everything stands still, exec is refused, and resume ends it" {
	started sleep 1000
	kv pause "$ID"
	status_is paused
	grep -qx 'frozen 1' "$DIR/cgroup.events"
	kvrun exec "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *paused* ]]
	kv resume "$ID"
	status_is running
	wait_for 5 grep -qx 'frozen 0' "$DIR/cgroup.events"
	kv exec "$ID" true
}

@test "B-04: a paused container dies when it is told to" {
	started sleep 1000
	kv pause "$ID"
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
	[ ! -e "$DIR" ]
}

@test "kill --all ends all that forks without a pid namespace, by cgroup.kill" {
	config '.linux.namespaces |= map(select(.type != "pid"))'
	started sh -c 'while :; do sleep 0.05 & done'
	several() { [ "$(wc -l <"$DIR/cgroup.procs")" -gt 1 ]; }
	wait_for 5 several
	strace -f -e trace=openat,kill,pidfd_send_signal -o "$BATS_TEST_TMPDIR/trace" \
		"$KAVACH" --root "$STATE" kill --all "$ID" KILL
	grep -q cgroup.kill "$BATS_TEST_TMPDIR/trace"
	run ! grep -E '^[0-9]+ +(kill|pidfd_send_signal)\(.*SIGKILL' "$BATS_TEST_TMPDIR/trace"
	wait_for 5 grep -qx 'populated 0' "$DIR/cgroup.events"
	wait_for 5 status_is stopped
}

@test "delete takes away the cgroups that the container has made in its own" {
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	started sh -c 'mkdir -p /sys/fs/cgroup/a/b/c /sys/fs/cgroup/d && echo $$ >/sys/fs/cgroup/a/b/cgroup.procs
		exec sleep 1000'
	wait_for 10 test -d "$DIR/a/b/c"
	wait_for 10 grep -q . "$DIR/a/b/cgroup.procs"
	kv delete --force "$ID"
	[ ! -e "$DIR" ]
}

@test "exec goes where init went, when its own cgroup hands controllers down" {
	config '.mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)'
	started sh -c 'cd /sys/fs/cgroup && mkdir init && echo $$ >init/cgroup.procs && echo +pids >cgroup.subtree_control
		exec sleep 1000'
	wait_for 10 grep -q pids "$DIR/cgroup.subtree_control"
	[ "$(kv exec "$ID" cat /proc/self/cgroup)" = 0::/init ]
}

@test "the container sees its own cgroup as the root, and cannot write there" {
	args sh -c 'cat /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs; mkdir /sys/fs/cgroup/x; cat /sys/fs/cgroup/pids.max'
	resources '{"pids": {"limit": 33}}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 0::/ ]
	[ "${lines[1]}" = /sys/fs/cgroup/cgroup.procs ]
	[[ ${lines[2]} == *"Read-only"* ]]
	[ "${lines[3]}" = 33 ]
}

@test "events --stats: the kernel's numbers, with pressure" {
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 100}}'
	started sleep 1000
	kv events --stats "$ID" | tee "$BATS_TEST_TMPDIR/stats"
	jq -e '.type == "stats" and (.data | .memory.usage.limit == 67108864 and .memory.usage.usage > 0 and .pids.current == 1
		and .pids.limit == 100 and .cpu.usage.total > 0
		and (.memory.raw | has("anon") and has("file") and has("slab")))' "$BATS_TEST_TMPDIR/stats"
	[ ! -e /proc/pressure/cpu ] ||
		jq -e '.data | [.cpu, .memory, .blkio] | all(.psi.some | has("avg10") and has("total"))' "$BATS_TEST_TMPDIR/stats"
}

@test "events tells of a process that the kernel killed for want of memory" {
	resources '{"memory": {"limit": 33554432, "swap": 33554432}}'
	started sh -c 'while [ ! -e /proc/1/root/tmp/go ]; do sleep 0.1; done; tail /dev/zero; sleep 1000'
	kv events --interval 60s "$ID" >"$BATS_TEST_TMPDIR/events" 3>&- &
	wait_for 10 grep -q stats "$BATS_TEST_TMPDIR/events"
	kv exec "$ID" sh -c 'tail /dev/zero' || true
	wait_for 20 grep -q '"oom"' "$BATS_TEST_TMPDIR/events"
	jq -se --arg id "$ID" 'map(select(.type == "oom" and .id == $id)) | length >= 1' "$BATS_TEST_TMPDIR/events"
	kv delete --force "$ID"
	wait
}

@test "S-38: a cgroup with somebody in it is refused, and he stays" {
	sit_in "$DIR"
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"not empty"* ]]
	kill -0 "$SIBLING"
	[ -d "$DIR" ]
	kill -9 "$SIBLING"
	wait "$SIBLING" || true
	wait_for 5 grep -qx 'populated 0' "$DIR/cgroup.events"
	rmdir "$DIR"
}

@test "S-38: below a frozen cgroup is refused, and not waited for" {
	mkdir -p "/sys/fs/cgroup$CG"
	echo 1 >"/sys/fs/cgroup$CG/cgroup.freeze"
	args true
	kvrun run -b "$BUNDLE" "$ID"
	echo 0 >"/sys/fs/cgroup$CG/cgroup.freeze"
	[ "$status" -ne 0 ]
	[[ $output == *frozen* ]]
	[ ! -e "$DIR" ]
}

@test "an empty cgroup that is there is used, and stays: somebody else has made it" {
	mkdir -p "$DIR"
	args cat /proc/1/cgroup
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = "0::$CG/$ID" ]
	rmdir "$DIR"
}

@test "a parent with processes in it cannot hand controllers down: the error names file and processes" {
	sit_in "/sys/fs/cgroup$CG"
	resources '{"memory": {"limit": 67108864}}'
	refused memory.limit "$CG/cgroup.subtree_control" "$SIBLING"
	# who asks for nothing gets a container all the same
	config 'del(.linux.resources)'
	args true
	kv run -b "$BUNDLE" "$ID"
}

@test "S-37: a relative path is a neighbour of the caller's cgroup, the same each time" {
	local own
	own=$(sed -n 's/^0:://p' /proc/self/cgroup)
	config --arg p "${CG#/}/$ID" '.linux.cgroupsPath = $p'
	CG=${own%/*}$CG
	for round in 1 2; do
		echo "# $round"
		created
		[ -d "/sys/fs/cgroup$CG/$ID" ]
		[ "$(cat "/proc/$(kv state "$ID" | jq .pid)/cgroup")" = "0::$CG/$ID" ]
		kv delete --force "$ID"
	done
}

@test "S-39: with a user namespace and a writable cgroup mount, the cgroup belongs to the container's root" {
	config '.linux.namespaces += [{type: "user"}] | .linux.namespaces |= unique_by(.type)
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .mounts |= map(if .type == "cgroup" then .options -= ["ro"] else . end)
		| .linux.resources = {pids: {limit: 50}}'
	args sh -c 'cd /sys/fs/cgroup && mkdir sub && echo $$ >sub/cgroup.procs && echo +pids >cgroup.subtree_control &&
		cat sub/pids.max && ! (echo 100 >pids.max) 2>/dev/null && exec sleep 1000'
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	wait_for 10 grep -q pids "$DIR/cgroup.subtree_control"
	[ "$(stat -c %u "$DIR" "$DIR/cgroup.procs" "$DIR/cgroup.subtree_control" "$DIR/pids.max" | xargs)" = \
		"100000 100000 100000 0" ]
	# all that the kernel says may be given, as far as it is there, and nothing else
	for file in $(cd "$DIR" && find . -maxdepth 1 -type f -printf '%P\n'); do
		owner=0
		! grep -qx "$file" /sys/kernel/cgroup/delegate || owner=100000
		[ "$(stat -c '%u %g' "$DIR/$file")" = "$owner $owner" ]
	done
	status_is running
	kv delete --force "$ID"
	# the process's user it is, whoever that is
	config '.process.user = {uid: 1000, gid: 1001}'
	created
	[ "$(stat -c %u:%g "$DIR" "$DIR/cgroup.procs" | xargs)" = "101000:101001 101000:101001" ]
	kv delete --force "$ID"
	config '.process.user = {uid: 0, gid: 0}'
	# a view of the whole hierarchy is nothing to write to
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	created
	[ "$(stat -c %u "$DIR" "$DIR/cgroup.procs" | xargs)" = "0 0" ]
	kv delete --force "$ID"
	config '.linux.namespaces += [{type: "cgroup"}]'
	# what is mounted read-only is not given away
	config '.mounts |= map(if .type == "cgroup" then .options += ["ro"] else . end)'
	created
	[ "$(stat -c %u "$DIR" "$DIR/cgroup.procs" | xargs)" = "0 0" ]
}

@test "processes are born in the cgroup: no write to cgroup.procs, and nothing is waited for by the clock" {
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 100}}'
	started sleep 1000
	# strace ends when the last process does
	strace -f -o "$BATS_TEST_TMPDIR/trace.exec" "$KAVACH" --root "$STATE" exec "$ID" true
	kv delete --force "$ID"
	args true
	strace -f -o "$BATS_TEST_TMPDIR/trace" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	for file in "$BATS_TEST_TMPDIR/trace" "$BATS_TEST_TMPDIR/trace.exec"; do
		grep -q 'clone3(.*CLONE_INTO_CGROUP' "$file"
		run ! grep -E 'openat?\(.*cgroup\.(procs|threads)"?.*(O_WRONLY|O_RDWR)' "$file"
		run ! grep -E 'nanosleep|sched_yield' "$file"
	done
}

@test "systemd goes on: its own cgroups have kept their controllers" {
	[ -d /run/systemd/system ] || skip "no systemd"
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 100}, "cpu": {"cpus": "0"}}'
	args true
	kv run -b "$BUNDLE" "$ID"
	systemctl daemon-reload
	[ "$(systemctl show -p ActiveState --value dbus.socket)" = active ]
	grep -qw memory /sys/fs/cgroup/system.slice/cgroup.controllers
	kv run -b "$BUNDLE" "$ID"
}
