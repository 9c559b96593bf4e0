#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the kernel says of a running container, against its policy. Drift is made for real, from outside: files of the
# control group are written to, mounts are changed by a process that enters the namespace, processes are moved.

load helpers

setup_file() {
	setup_rootfs
	compile_tool detach "$BATS_FILE_TMPDIR/detach"
}

setup() {
	requires_root
	setup_kavach
	args sleep 1000
	OTHER=
	NETNS=
}

teardown() {
	if [ -n "$OTHER" ]; then
		kill -9 "$OTHER" 2>/dev/null || true
		wait "$OTHER" 2>/dev/null || true
	fi
	if [ -n "$NETNS" ] && [ -e "$NETNS" ]; then
		umount "$NETNS" 2>/dev/null || true
	fi
	teardown_kavach
}

begin() {
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	PID=$(kv state "$ID" | jq .pid)
}

# cgfile CONTROLLER V1FILE V2FILE: the file of the container on this machine
cgfile() {
	if [ -e "/sys/fs/cgroup$CG/$ID/$3" ]; then
		echo "/sys/fs/cgroup$CG/$ID/$3"
	else
		echo "/sys/fs/cgroup/$1$CG/$ID/$2"
	fi
}

# in_mounts COMMAND...: the root's busybox as a process of the host in the mount namespace of the container
in_mounts() {
	nsenter --target "$PID" --mount --pid /bin/busybox "$@"
}

inspects() {	# STATUS [OPTION...]
	local want=$1
	shift
	kvrun inspect "$@" "$ID"
	[ "$status" -eq "$want" ]
}

# row GROUP WHAT: its verdict, in the report of the container as it is now
row() {
	kv inspect --json "$ID" | jq -r --arg g "$1" --arg w "$2" \
		'[.rows[] | select(.group == $g and .what == $w and (has("pid") | not))][0].verdict'
}

strength() {
	kv inspect --json "$ID" | jq -r ".strength.$1"
}

# what has drifted, and nothing else
drifts() {
	local want
	want=$(printf '%s\n' "$@" | LC_ALL=C sort)
	run kv inspect --json "$ID"
	[ "$status" -eq 2 ]
	[ "$(jq -r '.rows[] | select(.verdict == "drift") | .group + " " + .what' <<<"$output" | LC_ALL=C sort)" = "$want" ] ||
		{ jq -c '.rows[] | select(.verdict == "drift")' <<<"$output"; return 1; }
	jq -e .drift <<<"$output"
}

no_drift() {
	run kv inspect --json "$ID"
	jq -c '.rows[] | select(.verdict != "ok")' <<<"$output"
	[ "$status" -eq 0 ]
	jq -e '.drift == false' <<<"$output"
}

@test "a container is as its policy says, and nothing is left unseen" {
	config '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 50}, cpu: {quota: 50000, period: 100000, cpus: "0"}}
		| .linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.msgmax": "65536"}
		| .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 1024}] | .process.oomScoreAdj = 500
		| .mounts += [{destination: "/mnt", type: "bind", source: "'"$BATS_TEST_TMPDIR"'", options: ["bind", "ro", "nosuid"]}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	begin
	inspects 0
	[[ $output == *"no drift"* ]]
	[[ $output != *" ! "* ]]
	[ "$(kv inspect --json "$ID" | jq -c '[.rows[].verdict] | unique')" = '["ok"]' ]
	[ "$(strength measured)" = "$(strength decided)" ]
	[ "$(strength lost)" = "[]" ]
	# the rows that a reader looks for are there
	for what in namespaces/pid process/seccomp capabilities/bounding limits/RLIMIT_NOFILE limits/oom_score_adj mounts/ \
		mounts//mnt "control group/memory.limit" "control group/pids.limit" "control group/devices" \
		sysctl/net.ipv4.ip_forward sysctl/kernel.msgmax paths//proc/sys; do
		[ "$(row "${what%%/*}" "$([ "$what" = mounts/ ] && echo / || echo "${what#*/}")")" = ok ]
	done
}

@test "limits that were raised or taken off are drift, and cost their points" {
	config '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 50}}'
	begin
	before=$(strength measured)
	echo 80 >"$(cgfile pids pids.max pids.max)"
	drifts "control group pids.limit"
	[ "$(strength measured)" -eq $((before - 1)) ]
	[ "$(strength decided)" -eq "$before" ]
	echo max >"$(cgfile pids pids.max pids.max)"
	echo 209715200 >"$(cgfile memory memory.limit_in_bytes memory.max)"
	drifts "control group pids.limit" "control group memory.limit"
	[ "$(strength measured)" -eq $((before - 3)) ]
	inspects 2
	[[ $output == *"DRIFT: control group memory.limit, control group pids.limit"* ]]
	[[ $output == *"-1  process limit"* ]]
	echo 30 >"$(cgfile pids pids.max pids.max)"
	[ "$(row "control group" pids.limit)" = stricter ]
}

@test "what update has set is known, also the second time, and drift from that is drift" {
	config '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 50}}'
	begin
	kv update --memory 209715200 "$ID"
	[ "$(row "control group" memory.limit)" = known ]
	[ "$(row "control group" pids.limit)" = ok ]
	kv update --pids-limit 70 "$ID"
	no_drift
	[ "$(row "control group" memory.limit)" = known ]
	[ "$(row "control group" pids.limit)" = known ]
	echo 314572800 >"$(cgfile memory memory.limit_in_bytes memory.max)"
	drifts "control group memory.limit"
}

@test "a root that was remounted writable" {
	begin
	before=$(strength measured)
	in_mounts mount -o remount,bind,rw /
	drifts "mounts /"
	[ "$(strength measured)" -eq $((before - 3)) ]
	in_mounts mount -o remount,bind,ro /
	no_drift
}

@test "masked and read-only paths that were uncovered" {
	begin
	before=$(strength measured)
	in_mounts umount /proc/keys
	drifts "paths /proc/keys"
	[ "$(strength measured)" -eq $((before - 5)) ]
	in_mounts umount /proc/sys
	drifts "paths /proc/keys" "paths /proc/sys"
}

@test "a procfs over /proc uncovers everything at once" {
	begin
	in_mounts mount -t proc proc /proc
	run kv inspect --json "$ID"
	[ "$status" -eq 2 ]
	[ "$(jq -c '[.rows[] | select(.verdict == "drift") | .what] | contains(["/proc", "/proc/keys", "/proc/sys", "/proc/timer_list"])' <<<"$output")" = true ]
}

@test "mounts that are gone, lost a flag, or came from nowhere" {
	config '.mounts += [{destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["ro", "nosuid", "nodev"]}]'
	begin
	in_mounts mount -o remount,bind,rw /mnt
	drifts "mounts /mnt"
	in_mounts umount /mnt
	drifts "mounts /mnt"
	in_mounts mount -t tmpfs x /root
	drifts "mounts /mnt" "mounts /root"
	in_mounts mount -t tmpfs x /dev
	run kv inspect --json "$ID"
	[ "$status" -eq 2 ]
	jq -e '[.rows[] | select(.verdict == "drift") | .what] | contains(["/dev", "/dev/shm"])' <<<"$output"
}

@test "places behind symlinks, and names with blanks and newlines" {
	own_rootfs
	mkdir -p "$BUNDLE/rootfs/run" "$BATS_TEST_TMPDIR/a b"
	rm -rf "$BUNDLE/rootfs/var/run"
	mkdir -p "$BUNDLE/rootfs/var"
	ln -s ../run "$BUNDLE/rootfs/var/run"
	config --arg s "$BATS_TEST_TMPDIR/a b" '.mounts += [
		{destination: "/run", type: "tmpfs", source: "tmpfs"},
		{destination: "/var/run/secrets", type: "bind", source: $s, options: ["bind", "ro"]},
		{destination: "/c d\n0 0 0:1 / /proc rw - proc x rw", type: "bind", source: $s, options: ["bind"]}]'
	begin
	no_drift
	[ "$(row mounts /var/run/secrets)" = ok ]
}

@test "a program's name does not become a line of its status" {
	own_rootfs
	name=$'x\nSeccomp:\t2\nNoNewPrivs:\t1\n'
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/bin/$name"
	args "/bin/$name" sleep 1000
	config '.process.noNewPrivileges = false'
	# busybox goes by its name unless that is none of its applets'
	rm "$BUNDLE/rootfs/bin/$name"
	printf '#!/bin/sh\nread x </dev/zero &\nsleep 1000\n' >"$BUNDLE/rootfs/bin/$name"
	chmod 755 "$BUNDLE/rootfs/bin/$name"
	args "/bin/$name"
	begin
	run kv inspect --json "$ID"
	[ "$status" -eq 0 ]
	[ "$(jq -r '.rows[] | select(.what == "no new privileges") | .kernel' <<<"$output")" = "not set" ]
	[ "$(jq -r '.rows[] | select(.what == "seccomp") | .kernel' <<<"$output")" = none ]
}

@test "mounts add is known; the same place with one more mount is not" {
	begin
	mkdir "$BATS_TEST_TMPDIR/src"
	jq -n --arg s "$BATS_TEST_TMPDIR/src" '[{destination: "/mnt", type: "bind", source: $s, options: ["bind"]}]' |
		kv mounts add "$ID" -
	no_drift
	in_mounts mount -t tmpfs x /mnt
	drifts "mounts /mnt"
}

@test "the first process was moved out of its control groups" {
	config '.linux.resources += {pids: {limit: 50}}'
	begin
	dir=$(dirname "$(cgfile pids pids.max pids.max)")
	top=${dir%"$CG/$ID"}
	[ "$top" != "$dir" ]
	echo "$PID" >"$top/cgroup.procs"
	run kv inspect --json "$ID"
	echo "$PID" >"$dir/cgroup.procs"
	[ "$status" -eq 2 ]
	jq -e '[.rows[] | select(.verdict == "drift") | .group] == ["control groups"]' <<<"$output"
	jq -e '.strength.lost | map(.what) | contains(["process limit"])' <<<"$output"
	no_drift
}

@test "a process of the host in the control group of the container is not confined" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	begin
	sleep 1000 3>&- &
	OTHER=$!
	find /sys/fs/cgroup -path "*$CG/$ID" -type d | while read -r dir; do
		echo "$OTHER" >"$dir/cgroup.procs"
	done
	run kv inspect --json "$ID"
	[ "$status" -eq 2 ]
	jq -e --argjson p "$OTHER" '[.rows[] | select(.verdict == "drift")] | all(.pid == $p)
		and (map(.what) | contains(["pid", "mount", "network", "seccomp"]))' <<<"$output"
	inspects 2
	[[ $output == *"process $OTHER"* ]]
	[[ $output == *"it is the namespace of the host"* ]]
}

@test "exec may add processes that may do more, and no_new_privs may be off: no drift" {
	begin
	kv exec -d --cap CAP_NET_ADMIN "$ID" sleep 1000
	jq -n '{cwd: "/", args: ["sleep", "1000"], user: {uid: 0, gid: 0}, noNewPrivileges: false}' >"$BATS_TEST_TMPDIR/p.json"
	kv exec -d -p "$BATS_TEST_TMPDIR/p.json" "$ID"
	no_drift
	inspects 0
	[[ $output == *"2 other processes compared"* ]]
	inspects 0 --all
	[[ $output == *"also NET_ADMIN"*"only exec can have added it"* ]]
	[[ $output == *"exec may add processes without it"* ]]
	pid=$(kv ps -f json "$ID" | jq -r --argjson p "$PID" 'map(select(. != $p))[0]')
	inspects 0 --process "$pid"
	[[ $output == *"process $pid, running"* ]]
	kvrun inspect --process $$ "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"$$ is no process of container $ID"* ]]
	kvrun inspect --process 0 "$ID"
	[ "$status" -eq 1 ]
}

@test "execs that come and go are never drift" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	begin
	(for _ in $(seq 40); do kv exec "$ID" true; done) 3>&- &
	OTHER=$!
	for _ in $(seq 30); do
		kvrun inspect "$ID"
		[ "$status" -eq 0 ]
	done
	wait "$OTHER"
	OTHER=
}

@test "joined namespaces are those that the paths lead to" {
	NETNS=$BATS_TEST_TMPDIR/net
	touch "$NETNS"
	unshare --net="$NETNS" true
	config --arg n "$NETNS" '(.linux.namespaces[] | select(.type == "network")) += {path: $n}'
	begin
	no_drift
	[ "$(row namespaces network)" = ok ]
	# gone: it is still not the host's
	umount "$NETNS"
	no_drift
	[ "$(row namespaces network)" = known ]
	# another one: whoever joined it is not where the configuration says
	unshare --net="$NETNS" true
	drifts "namespaces network"
}

@test "a container in a user namespace, with its maps" {
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 200000, size: 1000}]
		| .linux.gidMappings = [{containerID: 0, hostID: 300000, size: 1000}]
		| .process.user = {uid: 5, gid: 6, additionalGids: [7]}'
	begin
	no_drift
	kv inspect --json "$ID" | jq -e '[.rows[] | select(.what == "user ids")] == [{group: "namespaces", what: "user ids",
		policy: "0:200000:1000", kernel: "0:200000:1000", verdict: "ok"}]'
	[ "$(kv inspect --json "$ID" | jq -r '.rows[] | select(.group == "process" and .what == "user") | .kernel')" = 200005 ]
	[ "$(kv inspect --json "$ID" | jq -r '.rows[] | select(.group == "process" and .what == "groups") | .kernel')" = 300007 ]
}

@test "devices that were added behind kavach's back" {
	begin
	list=$(cgfile devices devices.allow devices.allow)
	[ -e "$list" ] || skip "no v1 devices controller"
	echo "c 4:64 rw" >"$list"
	drifts "control group devices"
	echo a >"$list"
	drifts "control group devices"
	kv inspect --json "$ID" | jq -e '.strength.lost == [{what: "all devices", decided: 0, measured: -5}]'
}

@test "a device program that was taken off" {
	dir=/sys/fs/cgroup$CG/$ID
	begin
	[ -e "$dir/cgroup.procs" ] || skip "no pure cgroup v2"
	[ "$(row "control group" devices)" = ok ]
	"$BATS_FILE_TMPDIR/detach" "$dir"
	drifts "control group devices"
	kv inspect --json "$ID" | jq -e '.rows[] | select(.what == "devices") | .kernel == "no program"'
	kv inspect --json "$ID" | jq -e '.strength.lost == [{what: "all devices", decided: 0, measured: -5}]'
}

@test "sysctls that were changed from outside" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "kernel.shmmni": "1000"}'
	begin
	no_drift
	nsenter --target "$PID" --net -- sh -c 'echo 0 >/proc/sys/net/ipv4/ip_forward'
	drifts "sysctl net.ipv4.ip_forward"
}

@test "limits of the process: its own changes are known, raised ones are drift" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 512, hard: 1024}, {type: "RLIMIT_CORE", soft: 100, hard: 200}]'
	begin
	no_drift
	prlimit --pid "$PID" --nofile=600:1024 --core=100:150
	[ "$(row limits RLIMIT_NOFILE)" = known ]
	[ "$(row limits RLIMIT_CORE)" = stricter ]
	no_drift
	prlimit --pid "$PID" --nofile=600:2048 || skip "raising a limit needs CAP_SYS_RESOURCE"
	drifts "limits RLIMIT_NOFILE"
}

@test "the programs of the filters are compared on demand" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	begin
	inspects 0
	[[ $output != *"filter 0"* ]]
	run kv inspect --json --filters "$ID"
	[ "$status" -eq 0 ]
	verdict=$(jq -r '.rows[] | select(.what == "filter 0") | .verdict' <<<"$output")
	[ "$verdict" = ok ] || [ "$(sed -n 's/^Seccomp:\t//p' /proc/self/status)" -ne 0 ]
	# it was let go
	[ "$(sed -n 's/^TracerPid:\t//p' "/proc/$PID/status")" = 0 ]
	[[ $(sed -n 's/^State:\t//p' "/proc/$PID/status") == S* ]]
	kv exec "$ID" true
}

@test "a paused container is inspected as it is, and stays paused" {
	begin
	kv pause "$ID"
	inspects 0
	[[ $output == *", paused"* ]]
	inspects 0 --filters
	status_is paused
	kv resume "$ID"
}

@test "containers that do not run: said, and no drift" {
	kvrun inspect nothing
	[ "$status" -eq 1 ]
	kv create -b "$BUNDLE" "$ID"
	kvrun inspect "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container not running: it is created"* ]]
	kv start "$ID"
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kvrun inspect "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container not running: it is stopped"* ]]
}

@test "state and list show the strength when they are asked" {
	config '.linux.resources += {pids: {limit: 50}}'
	kv create -b "$BUNDLE" "$ID"
	kv state --strength "$ID" | jq -e '.strength.decided > 0 and .strength.measured == null'
	kv start "$ID"
	decided=$(kv state --strength "$ID" | jq .strength.decided)
	kv state --strength "$ID" | jq -e '.strength | .measured == .decided and .drift == 0 and .label == "standard"'
	kv state "$ID" | jq -e 'has("strength") | not'
	kv list --format json | jq -e '.[0] | has("strength") | not'
	[[ $(kv list --strength | head -n 1) == *OWNER*STRENGTH ]]
	[[ $(kv list --strength | tail -n 1) == *" $decided" ]]
	echo max >"$(cgfile pids pids.max pids.max)"
	kv state --strength "$ID" | jq -e '.strength | .measured == .decided - 1 and .drift == 1'
	[[ $(kv list --strength | tail -n 1) == *" $((decided - 1)) of $decided, drift" ]]
	kv list --strength --format json | jq -e '.[0].strength.drift == 1'
}
