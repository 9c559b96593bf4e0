#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Resources on legacy and hybrid hierarchies (S-37 to S-49, B-04, B-13, C-05), and what of cgroup v2 a private view of the
# same machine can show. Where v2 is all there is: v2.bats.

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	SIBLING=
}

teardown() {
	if [ -n "$SIBLING" ]; then
		kill -9 "$SIBLING" 2>/dev/null || true
		wait "$SIBLING" 2>/dev/null || true
	fi
	teardown_kavach
}

needs_v1() {
	for c; do
		[ -d "/sys/fs/cgroup/$c" ] || skip "no $c controller of cgroup v1"
	done
}

resources() { config --argjson r "$1" '.linux.resources = $r'; }

created() {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
}

started() {
	args "$@"
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
}

# holds CONTROLLER FILE VALUE
holds() {
	local got
	got=$(cat "/sys/fs/cgroup/$1$CG/$ID/$2")
	echo "# $1 $2: $got"
	[ "$got" = "$3" ]
}

# in_v2_view COMMAND...: where /sys/fs/cgroup is cgroup2 alone
in_v2_view() {
	unshare -m --propagation private bash -ec 'umount -R /sys/fs/cgroup; mount -t cgroup2 none /sys/fs/cgroup; exec "$@"' - "$@"
}

@test "S-37: an absolute path is below every hierarchy's root, and gone after delete" {
	created
	pid=$(kv state "$ID" | jq .pid)
	while IFS=: read -r _ _ path; do
		[ "$path" = "$CG/$ID" ]
	done <"/proc/$pid/cgroup"
	kv delete --force "$ID"
	[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
}

@test "S-37: a relative path is the same place each time; without a path the container has its own" {
	config --arg p "${CG#/}-rel/$ID" '.linux.cgroupsPath = $p'
	created
	first=$(cat "/proc/$(kv state "$ID" | jq .pid)/cgroup")
	[[ $first == *"${CG#/}-rel/$ID"* ]]
	kv delete --force "$ID"
	created
	[ "$(cat "/proc/$(kv state "$ID" | jq .pid)/cgroup")" = "$first" ]
	kv delete --force "$ID"
	find /sys/fs/cgroup -depth -path "*${CG#/}-rel*" -type d -exec rmdir {} +
	config 'del(.linux.cgroupsPath)'
	created
	[[ $(cat "/proc/$(kv state "$ID" | jq .pid)/cgroup") == *"$ID"* ]]
	kv delete --force "$ID"
	[ -z "$(find /sys/fs/cgroup -path "*$ID" -type d 2>/dev/null)" ]
	config '.linux.cgroupsPath = "/../../etc"'
	kvrun run -b "$BUNDLE" "$ID"
	[ ! -e /sys/fs/etc ]
}

@test "S-41: memory: limit, swap, reservation, swappiness, OOM killer" {
	needs_v1 memory
	resources '{"memory": {"limit": 67108864, "swap": 100663296, "reservation": 33554432, "swappiness": 10, "disableOOMKiller": true}}'
	created
	holds memory memory.limit_in_bytes 67108864
	holds memory memory.memsw.limit_in_bytes 100663296
	holds memory memory.soft_limit_in_bytes 33554432
	holds memory memory.swappiness 10
	grep -qx 'oom_kill_disable 1' "/sys/fs/cgroup/memory$CG/$ID/memory.oom_control"
}

@test "S-41: memory: unlimited, kernel limits are ignored with a warning, impossible pairs are refused" {
	needs_v1 memory
	resources '{"memory": {"limit": -1, "swap": -1}}'
	created
	holds memory memory.limit_in_bytes "$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes)"
	kv delete -f "$ID"
	resources '{"memory": {"kernel": 1000000, "kernelTCP": 1000000}}'
	args true
	run "$KAVACH" --root "$STATE" --log-level warning run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *kernel* ]]
	resources '{"memory": {"limit": 67108864, "swap": 1000}}'
	refused memory.swap 1000
	resources '{"memory": {"swappiness": 101}}'
	refused memory.swappiness
}

@test "S-42: cpu: shares, quota, period, burst, cpuset" {
	needs_v1 cpu cpuset
	resources '{"cpu": {"shares": 512, "quota": 50000, "period": 200000, "burst": 10000, "cpus": "0", "mems": "0"}}'
	created
	holds cpu cpu.shares 512
	holds cpu cpu.cfs_quota_us 50000
	holds cpu cpu.cfs_period_us 200000
	holds cpu cpu.cfs_burst_us 10000
	holds cpuset cpuset.cpus 0
	holds cpuset cpuset.mems 0
	kv start "$ID"
	[ "$(kv exec "$ID" awk '/^Cpus_allowed_list/ {print $2}' /proc/self/status)" = 0 ]
}

@test "S-42: cpu: idle; a limit that the kernel refuses is an error with file and value" {
	needs_v1 cpu cpuset
	resources '{"cpu": {"idle": 1}}'
	created
	holds cpu cpu.idle 1
	kv delete -f "$ID"
	resources '{"cpu": {"quota": 50000, "period": 1}}'
	refused linux.resources.cpu.period cpu.cfs_period_us '"1"'
	resources '{"cpu": {"cpus": "900"}}'
	refused linux.resources.cpu.cpus cpuset.cpus '"900"'
	resources '{"cpu": {"mems": "x"}}'
	refused mems
	resources '{"cpu": {"shares": 512, "quota": 500}}'
	refused linux.resources.cpu.quota cpu.cfs_quota_us '"500"'
}

@test "S-46: pids: a limit, none, and 0, which is a limit" {
	needs_v1 pids
	resources '{"pids": {"limit": 5}}'
	args sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 10 & done; true'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *fork* ]]
	resources '{"pids": {"limit": -1}}'
	created
	holds pids pids.max max
	kv delete -f "$ID"
	resources '{"pids": {"limit": 0}}'
	created
	holds pids pids.max 0
}

@test "S-43: block devices: throttles" {
	needs_v1 blkio
	read -r major minor < <(tr : ' ' </sys/block/vda/dev) || skip "no disk"
	resources "{\"blockIO\": {
		\"throttleReadBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 1048576}],
		\"throttleWriteBpsDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 2097152}],
		\"throttleReadIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 100}],
		\"throttleWriteIOPSDevice\": [{\"major\": $major, \"minor\": $minor, \"rate\": 200}]}}"
	created
	holds blkio blkio.throttle.read_bps_device "$major:$minor 1048576"
	holds blkio blkio.throttle.write_bps_device "$major:$minor 2097152"
	holds blkio blkio.throttle.read_iops_device "$major:$minor 100"
	holds blkio blkio.throttle.write_iops_device "$major:$minor 200"
	kv delete -f "$ID"
	resources '{"blockIO": {"throttleReadBpsDevice": [{"major": 999, "minor": 0, "rate": 1048576}]}}'
	refused throttleReadBpsDevice 999:0
}

@test "S-43: block devices: a weight goes to the scheduler's file, or is an error that names it" {
	needs_v1 blkio
	resources '{"blockIO": {"weight": 500}}'
	args sleep 1000
	if kv create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/err"; then
		cat "/sys/fs/cgroup/blkio$CG/$ID/"blkio{,.bfq}.weight 2>/dev/null | grep -x 500
	else
		grep 'blockIO.weight.*blkio' "$BATS_TEST_TMPDIR/err"
	fi
}

@test "S-44: hugepages, where their controller is; a size that the machine lacks is an error" {
	u=/sys/fs/cgroup/unified
	[ -d $u ] || u=/sys/fs/cgroup
	grep -qw hugetlb $u/cgroup.controllers 2>/dev/null || skip "no hugetlb controller of cgroup v2"
	resources '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
	created
	[ "$(cat "$u$CG/$ID/hugetlb.2MB.max")" = 4194304 ]
	[ "$(cat "$u$CG/$ID/hugetlb.2MB.rsvd.max")" = 4194304 ]
	kv delete -f "$ID"
	resources '{"hugepageLimits": [{"pageSize": "3MB", "limit": 4194304}]}'
	refused hugepageLimits 3MB
	resources '{"hugepageLimits": [{"pageSize": "../x", "limit": 1}]}'
	refused hugepageLimits
}

@test "S-48: unified: written verbatim where cgroup v2 is there too; what is not there is refused" {
	grep -qw hugetlb /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null || skip "no hybrid hierarchy with hugetlb"
	resources '{"unified": {"hugetlb.2MB.max": "2097152", "cgroup.max.depth": "3"}}'
	created
	[ "$(cat "/sys/fs/cgroup/unified$CG/$ID/hugetlb.2MB.max")" = 2097152 ]
	[ "$(cat "/sys/fs/cgroup/unified$CG/$ID/cgroup.max.depth")" = 3 ]
	kv delete -f "$ID"
	resources '{"unified": {"memory.high": "1000000"}}'
	refused memory.high memory
	resources '{"unified": {"../memory.max": "1"}}'
	refused unified
	resources '{"unified": {"cgroup.max.depth": "lots"}}'
	refused cgroup.max.depth lots
}

@test "S-40: devices that are not allowed do not open, whatever their mode; those that are do" {
	modprobe fuse 2>/dev/null || true
	config '.linux.resources = {devices: [{allow: false, access: "rwm"}, {allow: true, type: "c", major: 10, minor: 229, access: "r"}]}
		| .process.capabilities |= map_values(["CAP_MKNOD", "CAP_DAC_OVERRIDE"])
		| .linux.devices = [{path: "/dev/kmsg2", type: "c", major: 1, minor: 11, fileMode: 438},
			{path: "/dev/fuse2", type: "c", major: 10, minor: 229, fileMode: 438}]'
	started sleep 1000
	opens() { kv exec "$ID" sh -c '(: <'"$1"') 2>&- && printf r; (: >'"$1"') 2>&- && printf w; echo'; }
	for round in before after; do
		echo "# $round"
		[ "$(opens /dev/null)" = rw ]
		[ "$(opens /dev/kmsg2)" = "" ]
		[ "$(opens /dev/fuse2)" = r ]
		# a node can be made (the default of engines) but not opened
		kv exec "$ID" sh -c "mknod /dev/disk-$round b 254 0"
		[ "$(opens "/dev/disk-$round")" = "" ]
		kv update --pids-limit 50 "$ID"
	done
}

@test "S-40: all devices allowed, and an order of rules in which the last one counts" {
	config '.linux.resources = {devices: [{allow: true, access: "rwm"}]}
		| .linux.devices = [{path: "/dev/kmsg2", type: "c", major: 1, minor: 11, fileMode: 438}]'
	args sh -c '(: >/dev/kmsg2) 2>&- && echo open || echo closed'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = open ]
	config '.linux.resources.devices += [{allow: false, type: "c", major: 1, minor: 11, access: "w"}]'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = closed ]
}

@test "B-13: update: every option, sizes with units, and what is not named stays" {
	needs_v1 memory cpu cpuset pids
	resources '{"memory": {"limit": 67108864, "swap": 67108864}, "cpu": {"shares": 300}, "pids": {"limit": 100}}'
	started sleep 1000
	kv update --memory 128m --memory-swap 256m "$ID"
	holds memory memory.limit_in_bytes 134217728
	holds memory memory.memsw.limit_in_bytes 268435456
	kv update --memory 300m --memory-swap=400M "$ID"
	holds memory memory.limit_in_bytes 314572800
	kv update --memory 64m --memory-swap 64m "$ID"
	holds memory memory.memsw.limit_in_bytes 67108864
	kv update --memory-reservation 1048576 "$ID"
	holds memory memory.soft_limit_in_bytes 1048576
	kv update --cpu-period 200000 --cpu-quota 50000 "$ID"
	holds cpu cpu.cfs_quota_us 50000
	holds cpu cpu.cfs_period_us 200000
	kv update --cpu-quota -1 "$ID"
	holds cpu cpu.cfs_quota_us -1
	kv update --cpu-quota 60000 --cpu-burst 1000 --cpu-share 2048 "$ID"
	holds cpu cpu.cfs_burst_us 1000
	holds cpu cpu.shares 2048
	kv update --cpuset-cpus 0 --cpuset-mems 0 "$ID"
	holds cpuset cpuset.cpus 0
	kv update --pids-limit 7 "$ID"
	holds pids pids.max 7
	kv update --pids-limit -1 "$ID"
	holds pids pids.max max
	kv update --memory -1 "$ID"
	holds memory memory.limit_in_bytes "$(cat /sys/fs/cgroup/memory/memory.limit_in_bytes)"
	holds cpu cpu.shares 2048
	for bad in "--memory x" "--memory 1x" "--cpu-quota x" "--cpuset-cpus 900" "--pids-limit" "--memory 99999999999999999999" \
		"--cpu-share -1" "--nosuch 1"; do
		# shellcheck disable=SC2086 # words are meant
		kvrun update $bad "$ID"
		[ "$status" -ne 0 ]
		[ "${#lines[@]}" -eq 1 ]
	done
}

@test "B-13: update with JSON on standard input or from a file; wrong JSON changes nothing" {
	needs_v1 memory pids
	started sleep 1000
	echo '{"memory": {"limit": 134217728}, "pids": {"limit": 20}, "cpu": {"cpus": "0"}}' | kv update --resources=- "$ID"
	holds memory memory.limit_in_bytes 134217728
	holds pids pids.max 20
	holds cpuset cpuset.cpus 0
	echo '{"pids": {"limit": 30}}' >"$BATS_TEST_TMPDIR/r.json"
	kv update --resources "$BATS_TEST_TMPDIR/r.json" "$ID"
	holds pids pids.max 30
	for bad in '{"pids": {"limit": "40"}}' '{"pids": {"limit": 40}' '[]' ''; do
		echo "$bad" >"$BATS_TEST_TMPDIR/r.json"
		kvrun update -r "$BATS_TEST_TMPDIR/r.json" "$ID"
		[ "$status" -ne 0 ]
		holds pids pids.max 30
	done
	echo '{"memory": {"limit": 4096, "checkBeforeUpdate": true}, "pids": {"limit": 7}}' >"$BATS_TEST_TMPDIR/r.json"
	kvrun update -r "$BATS_TEST_TMPDIR/r.json" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *memory.limit*checkBeforeUpdate* ]]
	holds pids pids.max 30
	kvrun update "no-such-$ID" --pids-limit 1
	[ "$status" -ne 0 ]
}

@test "C-05: events --stats: one line with the kernel's numbers" {
	needs_v1 memory pids
	resources '{"memory": {"limit": 67108864}, "pids": {"limit": 100}}'
	started sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done; sleep 1000'
	sleep 0.3
	kv events --stats "$ID" >"$BATS_TEST_TMPDIR/stats"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/stats")" -eq 1 ]
	jq -e --arg id "$ID" '.type == "stats" and .id == $id' "$BATS_TEST_TMPDIR/stats"
	jq -e '.data | .memory.usage.limit == 67108864 and .memory.usage.usage > 4096 and .memory.usage.usage < 67108864
		and .memory.usage.max >= .memory.usage.usage and .memory.usage.failcnt == 0
		and (.memory.raw | has("rss") and has("cache"))' "$BATS_TEST_TMPDIR/stats"
	jq -e '.data | .pids.current >= 1 and .pids.current <= 3 and .pids.limit == 100' "$BATS_TEST_TMPDIR/stats"
	jq -e '.data.cpu.usage | .total > 1000000 and .total < 60000000000 and (.percpu | add) == .total and .kernel >= 0 and .user >= 0' \
		"$BATS_TEST_TMPDIR/stats"
	kv update --cpu-period 10000 --cpu-quota 1000 "$ID"
	kv exec "$ID" sh -c 'i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); done'
	kv events --stats "$ID" | jq -e '.data.cpu.throttling | .periods > 0 and .throttledPeriods > 0 and .throttledTime > 0'
}

@test "C-05: events: statistics at the interval, and the end with the container" {
	started sleep 1000
	kv events --interval 100ms "$ID" >"$BATS_TEST_TMPDIR/events" 3>&- &
	events=$!
	three() { [ "$(wc -l <"$BATS_TEST_TMPDIR/events")" -ge 3 ]; }
	wait_for 5 three
	kv kill "$ID" KILL
	wait "$events"
	jq -se 'all(.type == "stats")' "$BATS_TEST_TMPDIR/events"
	for bad in 0s 5 -1s x ""; do
		kvrun events --interval "$bad" "$ID"
		[ "$status" -ne 0 ]
		[[ $output == *interval* ]]
	done
	kv delete "$ID"
	kvrun events --stats "$ID"
	[ "$status" -ne 0 ]
}

@test "C-05: events tells of a process that the kernel killed for want of memory" {
	needs_v1 memory
	resources '{"memory": {"limit": 16777216, "swap": 16777216}}'
	started sleep 1000
	kv events --interval 60s "$ID" >"$BATS_TEST_TMPDIR/events" 3>&- &
	events=$!
	wait_for 5 grep -q stats "$BATS_TEST_TMPDIR/events"
	kvrun exec "$ID" sh -c 'tail /dev/zero'
	[ "$status" -eq 137 ]
	wait_for 10 grep -q '"oom"' "$BATS_TEST_TMPDIR/events"
	jq -se --arg id "$ID" 'any(.type == "oom" and .id == $id)' "$BATS_TEST_TMPDIR/events"
	kv kill "$ID" KILL
	wait "$events"
}

@test "memory: a container over its limit is killed: 137" {
	needs_v1 memory
	resources '{"memory": {"limit": 16777216, "swap": 16777216}}'
	args sh -c 'tail /dev/zero'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 137 ]
}

@test "pause stops all processes and resume goes on; state says so; KILL thaws (B-04)" {
	mkdir "$BATS_TEST_TMPDIR/vol"
	config --arg v "$BATS_TEST_TMPDIR/vol" '.mounts += [{destination: "/vol", source: $v, options: ["bind"]}]'
	started sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/vol/n; sleep 0.02; done'
	wait_for 5 test -s "$BATS_TEST_TMPDIR/vol/n"
	kv pause "$ID"
	status_is paused
	n=$(cat "$BATS_TEST_TMPDIR/vol/n")
	sleep 0.2
	[ "$(cat "$BATS_TEST_TMPDIR/vol/n")" = "$n" ]
	kvrun pause "$ID"
	[ "$status" -ne 0 ]
	kv resume "$ID"
	on() { [ "$(cat "$BATS_TEST_TMPDIR/vol/n")" != "$n" ]; }
	wait_for 5 on
	kvrun resume "$ID"
	[ "$status" -ne 0 ]
	kv pause "$ID"
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
}

@test "S-38: a cgroup with somebody in it is refused, and so is one that is frozen" {
	needs_v1 pids freezer
	mkdir -p "/sys/fs/cgroup/pids$CG/$ID"
	sleep 1000 3>&- &
	SIBLING=$!
	echo $SIBLING >"/sys/fs/cgroup/pids$CG/$ID/cgroup.procs"
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"not empty"* ]]
	kill -0 "$SIBLING"
	[ -d "/sys/fs/cgroup/pids$CG/$ID" ]
	kill -9 "$SIBLING"
	wait "$SIBLING" || true
	SIBLING=
	rmdir "/sys/fs/cgroup/pids$CG/$ID"
	mkdir -p "/sys/fs/cgroup/freezer$CG/$ID"
	echo FROZEN >"/sys/fs/cgroup/freezer$CG/$ID/freezer.state"
	kvrun run -b "$BUNDLE" "$ID"
	echo THAWED >"/sys/fs/cgroup/freezer$CG/$ID/freezer.state"
	rmdir "/sys/fs/cgroup/freezer$CG/$ID"
	[ "$status" -ne 0 ]
	[[ $output == *frozen* ]]
	[ -z "$(kv list -q)" ]
}

@test "--cgroup-manager disabled: no cgroup of its own; pause and limits say so" {
	before=$(find /sys/fs/cgroup -type d -path "*$CG*" 2>/dev/null)
	args sleep 1000
	"$KAVACH" --root "$STATE" --cgroup-manager disabled run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(find /sys/fs/cgroup -type d -path "*$CG*" 2>/dev/null)" = "$before" ]
	[ "$(sort "/proc/$(kv state "$ID" | jq .pid)/cgroup")" = "$(sort /proc/self/cgroup)" ]
	kv exec "$ID" true
	[ "$(kv ps -f json "$ID" | jq length)" -ge 1 ]
	kvrun pause "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *cgroup* ]]
	kvrun update --pids-limit 5 "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *cgroup* ]]
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
	resources '{"pids": {"limit": 5}}'
	args true
	run "$KAVACH" --root "$STATE" --log-level warning --cgroup-manager disabled run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *"not applied"* ]]
}

@test "the systemd driver is refused in clear words, and nothing is made" {
	args true
	for o in --systemd-cgroup "--cgroup-manager systemd" --cgroup-manager=systemd; do
		# shellcheck disable=SC2086 # words are meant
		run "$KAVACH" --root "$STATE" $o run -b "$BUNDLE" "$ID"
		echo "$output"
		[ "$status" -ne 0 ]
		[[ $output == *systemd* ]]
	done
	run "$KAVACH" --root "$STATE" --cgroup-manager nosuch run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *nosuch* ]]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d 2>/dev/null)" ]
}

@test "cgroup v2, in a private view: start, exec, pause, kill, devices by eBPF, statistics" {
	[ -d /sys/fs/cgroup/unified ] || skip "no hybrid hierarchy to look at"
	export DENIED="$BATS_TEST_TMPDIR/denied"
	config '.linux.resources = {devices: [{allow: false, access: "rwm"}]}
		| .linux.devices = [{path: "/dev/kmsg2", type: "c", major: 1, minor: 11, fileMode: 438}]'
	args sleep 1000
	run in_v2_view bash -ec '
		k() { "$KAVACH" --root "$STATE" "$@"; }
		k run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		grep "^0::$CG/$ID$" "/proc/$(k state "$ID" | jq .pid)/cgroup"
		k exec "$ID" cat /proc/self/cgroup | grep "^0::/$"
		k exec "$ID" sh -c "(: </dev/kmsg2) 2>&- && echo opened || echo denied; : </dev/zero && echo zero"
		k update --resources - "$ID" <<<"{\"unified\": {\"cgroup.max.depth\": \"2\"}}"
		cat "/sys/fs/cgroup$CG/$ID/cgroup.max.depth"
		k exec "$ID" sh -c "(: </dev/kmsg2) 2>&- && echo opened || echo denied"
		k pause "$ID"
		k state "$ID" | jq -r .status
		grep frozen "/sys/fs/cgroup$CG/$ID/cgroup.events"
		k resume "$ID"
		k events --stats "$ID" | jq -r .type
		k delete --force "$ID"
		[ ! -e "/sys/fs/cgroup$CG/$ID" ]'
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$(sed 1,2d <<<"$output" | tr '\n' ' ')" = "denied zero 2 denied paused frozen 1 stats " ]
}

@test "cgroup v2, in a private view: a controller that is not there is an error that lists those that are" {
	[ -d /sys/fs/cgroup/unified ] || skip "no hybrid hierarchy to look at"
	if grep -qw memory /sys/fs/cgroup/unified/cgroup.controllers; then skip "memory is on cgroup v2"; fi
	resources '{"memory": {"limit": 67108864}}'
	args true
	run in_v2_view "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -ne 0 ]
	[[ $output == *memory.limit*memory*"not available"* ]]
	[ ! -e "/sys/fs/cgroup/unified$CG/$ID" ]
}
