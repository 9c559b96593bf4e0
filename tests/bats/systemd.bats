#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The systemd cgroup driver. Needs a systemd as process 1 and cgroup v2 alone: the machine of tests/vm. The tests for the
# user's manager run as the user "tester" of that machine.

# shellcheck disable=SC2016,SC2030,SC2031 # what the user's shell is to expand; UNIT is each test's own
bats_require_minimum_version 1.5.0
load helpers

setup_file() {
	setup_rootfs
}

setup() {
	[ "$(cat /proc/1/comm)" = systemd ] || skip "systemd is not process 1"
	[ "$(stat -f -c %T /sys/fs/cgroup)" = cgroup2fs ] || skip "no pure cgroup v2"
	[ -x "$(dirname "$KAVACH")/kavach-scope" ] || skip "built without kavach-scope"
	setup_kavach
	UNIT=kavach-$ID.scope
	config 'del(.linux.cgroupsPath)'
}

teardown() {
	[ -n "${STATE:-}" ] || return 0
	"$KAVACH" --root "$STATE" delete -f "$ID" || true
	run systemctl is-active "$UNIT"
	[ "$status" -ne 0 ]
}

kv() {
	"$KAVACH" --root "$STATE" --systemd-cgroup "$@"
}

prop() {	# NAME [UNIT]
	systemctl show -P "$1" "${2:-$UNIT}"
}

@test "a container is alone in a scope below system.slice, which is delegated (2.6)" {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	[ "$(prop ControlGroup)" = "/system.slice/$UNIT" ]
	[ "$(prop Delegate)" = yes ]
	[ "$(prop DefaultDependencies)" = no ]
	[ "$(cat "/sys/fs/cgroup/system.slice/$UNIT/cgroup.procs")" = "$(kv state "$ID" | jq .pid)" ]
	kv start "$ID"
	[ "$(prop ActiveState)" = active ]
	run ! pgrep kavach-scope
}

@test "delete stops the scope and leaves no failed unit" {
	args sh -c 'exit 3'
	run kv run -b "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	kv kill "$ID" KILL
	kv delete -f "$ID"
	[ ! -e "/sys/fs/cgroup/system.slice/$UNIT" ]
	[ "$(prop LoadState)" = not-found ]
	# the name is free again at once
	kv run -d -b "$BUNDLE" "$ID"
}

@test "slice:prefix:name names slice and scope, dashes nest" {
	config '.linux.cgroupsPath = "kvtest-a-b.slice:pod:'"$ID"'"'
	args sleep 1000
	UNIT=pod-$ID.scope
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop ControlGroup)" = "/kvtest.slice/kvtest-a.slice/kvtest-a-b.slice/$UNIT" ]
	[ "$(prop Slice)" = kvtest-a-b.slice ]
}

@test "- is the root slice" {
	config '.linux.cgroupsPath = "-:pod:'"$ID"'"'
	args sleep 1000
	UNIT=pod-$ID.scope
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop ControlGroup)" = "/$UNIT" ]
}

@test "a path that is not slice:prefix:name is refused before anything is done" {
	for path in /a/b a:b a/b.slice:p:n x:p:n; do
		config '.linux.cgroupsPath = "'"$path"'"'
		run kv run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
		[[ "$output" == *cgroupsPath* ]]
		[ ! -e "$STATE/$ID" ]
	done
}

@test "systemd and the kernel have the same limits, also after a daemon-reload" {
	config '.linux.resources = {memory: {limit: 67108864, reservation: 33554432, swap: 134217728},
		cpu: {quota: 25000, period: 50000, shares: 512, cpus: "0", mems: "0"}, pids: {limit: 50},
		unified: {"memory.high": "50331648"}}'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop MemoryMax)" = 67108864 ]
	[ "$(prop MemoryLow)" = 33554432 ]
	[ "$(prop MemoryHigh)" = 50331648 ]
	[ "$(prop MemorySwapMax)" = 67108864 ]
	[ "$(prop CPUQuotaPerSecUSec)" = 500ms ]
	[ "$(prop CPUQuotaPeriodUSec)" = 50ms ]
	[ "$(prop TasksMax)" = 50 ]
	[ "$(prop AllowedCPUs)" = 0 ]
	[ "$(prop AllowedMemoryNodes)" = 0 ]
	systemctl daemon-reload
	dir=/sys/fs/cgroup/system.slice/$UNIT
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	[ "$(cat "$dir/memory.high")" = 50331648 ]
	[ "$(cat "$dir/cpu.max")" = "25000 50000" ]
	[ "$(cat "$dir/pids.max")" = 50 ]
	[ "$(cat "$dir/cpu.weight")" = "$(prop CPUWeight)" ]
}

@test "a limit of one process leaves room for the helper while it starts" {
	config '.linux.resources.pids.limit = 1'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(cat "/sys/fs/cgroup/system.slice/$UNIT/pids.max")" = 1 ]
	[ "$(prop TasksMax)" = 1 ]
}

@test "inspect finds no drift, also after a daemon-reload and an update" {
	config '.linux.resources += {memory: {limit: 104857600}, pids: {limit: 50}, cpu: {shares: 512, quota: 50000, period: 100000}}'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	kv inspect "$ID"
	systemctl daemon-reload
	kv inspect "$ID"
	kv update --pids-limit 60 "$ID"
	kv inspect --json "$ID" | jq -e '[.rows[] | select(.what == "pids.limit")][0].verdict == "known"'
	systemctl set-property --runtime "$UNIT" TasksMax=200
	run kv inspect "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"DRIFT: control group pids.limit"* ]]
}

@test "device rules hold, also after a daemon-reload" {
	config '.linux.resources.devices = [{allow: false, access: "rwm"}]
		| .linux.devices = [{path: "/dev/kvfull", type: "c", major: 1, minor: 11, fileMode: 438}]'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	run kv exec "$ID" head -c 1 /dev/kvfull
	[ "$status" -ne 0 ]
	systemctl daemon-reload
	run kv exec "$ID" head -c 1 /dev/kvfull
	[ "$status" -ne 0 ]
	kv exec "$ID" head -c 1 /dev/zero
}

@test "update reaches systemd and the kernel" {
	config '.linux.resources = {cpu: {quota: 25000, period: 50000}}'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	kv update --memory 64m --pids-limit 20 --cpu-quota 10000 "$ID"
	[ "$(prop MemoryMax)" = 67108864 ]
	[ "$(prop TasksMax)" = 20 ]
	[ "$(prop CPUQuotaPerSecUSec)" = 200ms ]
	dir=/sys/fs/cgroup/system.slice/$UNIT
	[ "$(cat "$dir/cpu.max")" = "10000 50000" ]
	systemctl daemon-reload
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	[ "$(cat "$dir/pids.max")" = 20 ]
}

@test "annotations org.systemd.property.* become properties, Sec becomes USec" {
	config '.annotations = {"org.systemd.property.TimeoutStopSec": "7",
		"org.systemd.property.CollectMode": "'"'inactive-or-failed'"'",
		"org.systemd.property.Documentation": "['"'man:kavach(1)'"']"}'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop TimeoutStopUSec)" = 7s ]
	[ "$(prop CollectMode)" = inactive-or-failed ]
	[[ "$(prop Documentation)" == *man:kavach* ]]
}

@test "a property that cannot be parsed, or is not the container's to set, is refused before anything is done" {
	for p in 'TimeoutStopSec="x"' 'CollectMode=oops' 'Slice='\''a.slice'\' 'PIDs=@au [1]' 'DevicePolicy='\''auto'\'; do
		config --arg k "org.systemd.property.${p%%=*}" --arg v "${p#*=}" '.annotations = {($k): $v}'
		run kv run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
		[[ "$output" == *"org.systemd.property.${p%%=*}"* ]]
		[ ! -e "$STATE/$ID" ]
	done
}

@test "a property that systemd does not know is its error, and nothing is left" {
	config '.annotations = {"org.systemd.property.NoSuchThing": "1"}'
	args true
	run kv run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ "$output" == *NoSuchThing* ]]
	[ ! -e "$STATE/$ID" ]
	run ! pgrep kavach-scope
}

@test "run.oci.systemd.subgroup: limits on the scope, processes in a cgroup below it" {
	config '.annotations = {"run.oci.systemd.subgroup": "inner"} | .linux.resources = {memory: {limit: 67108864}, pids: {limit: 3}}
		| (.mounts[] | select(.type == "cgroup").options) |= map(select(. != "ro"))'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	dir=/sys/fs/cgroup/system.slice/$UNIT
	[ -z "$(cat "$dir/cgroup.procs")" ]
	[ "$(cat "$dir/inner/cgroup.procs")" = "$(kv state "$ID" | jq .pid)" ]
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	[ "$(cat "$dir/pids.max")" = 3 ]
	[[ " $(cat "$dir/cgroup.subtree_control") " == *" memory "* ]]
	[ "$(kv exec "$ID" cat /proc/self/cgroup)" = 0::/ ]
	kv exec "$ID" mkdir /sys/fs/cgroup/mine
	kv exec -d "$ID" sleep 1000
	[ "$(wc -l <"$dir/inner/cgroup.procs")" -eq 2 ]
	[ "$(kv ps --format json "$ID" | jq length)" -eq 2 ]
	kv pause "$ID"
	[ "$(cat "$dir/inner/cgroup.freeze" "$dir/cgroup.freeze" | sort -u | tail -n 1)" = 1 ]
	kv resume "$ID"
	kv delete -f "$ID"
	[ ! -e "$dir" ]
}

@test "a name that ends in .slice is the container's cgroup itself" {
	config '.linux.cgroupsPath = "::kvtest-s.slice" | .linux.resources = {pids: {limit: 50}}'
	args sleep 1000
	UNIT=kvtest-s.slice
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(cat "/sys/fs/cgroup/kvtest.slice/$UNIT/cgroup.procs")" = "$(kv state "$ID" | jq .pid)" ]
	[ "$(prop TasksMax)" = 50 ]
	kv delete -f "$ID"
	[ ! -e "/sys/fs/cgroup/kvtest.slice/$UNIT" ]
}

@test "a slice that is there already is used if nobody is in it, and stays" {
	config '.linux.cgroupsPath = "::kvtest-t.slice" | .linux.resources = {pids: {limit: 50}}'
	args true
	UNIT=kvtest-t.slice
	systemctl start "$UNIT"
	kv run -b "$BUNDLE" "$ID"
	[ "$(prop ActiveState)" = active ]
	[ "$(prop TasksMax)" = 50 ]
	systemd-run -q --unit "kv-$ID" --slice "$UNIT" sleep 1000
	run kv run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"not empty"* ]]
	[ "$(systemctl is-active "kv-$ID")" = active ]
	systemctl stop "kv-$ID" "$UNIT"
}

@test "a failed unit of that name is in nobody's way" {
	systemd-run -q --scope --unit="$UNIT" -p RuntimeMaxSec=1 sleep 1000 3>&- || true
	wait_for 30 systemctl -q is-failed "$UNIT"
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop ActiveState)" = active ]
}

@test "a weight of none and sizes with a unit survive a daemon-reload, and a limit can be lifted" {
	config '.linux.resources = {cpu: {idle: 1}, unified: {"memory.max": "64M"}}'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	[ "$(prop MemoryMax)" = 67108864 ]
	[ "$(prop CPUWeight)" = idle ]
	systemctl daemon-reload
	dir=/sys/fs/cgroup/system.slice/$UNIT
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	[ "$(cat "$dir/cpu.idle")" = 1 ]
	kv update --memory -1 "$ID"
	[ "$(prop MemoryMax)" = infinity ]
	[ "$(cat "$dir/memory.max")" = max ]
}

@test "exec, pause, kill and events work in a scope" {
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
	kv exec "$ID" true
	kv pause "$ID"
	kv resume "$ID"
	kv events --stats "$ID" | jq -e .data.pids.current
	[ "$(kv ps --format json "$ID" | jq length)" -eq 1 ]
}

@test "a unit of that name that runs is not touched" {
	systemd-run --scope --unit="$UNIT" sleep 1000 3>&- &
	other=$!
	for _ in $(seq 50); do
		[ "$(prop ActiveState)" = active ] && break
		sleep 0.1
	done
	args true
	run kv run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[ "$(prop ActiveState)" = active ]
	systemctl stop "$UNIT"
	wait "$other" || true
}

@test "a kavach that is killed in a hook leaves no scope once it is deleted" {
	config '.hooks.createRuntime = [{path: "/bin/sleep", args: ["sleep", "1000"]}]'
	args sleep 1000
	"$KAVACH" --root "$STATE" --systemd-cgroup create -b "$BUNDLE" "$ID" 3>&- &
	pid=$!
	for _ in $(seq 100); do
		[ "$(prop ActiveState)" = active ] && break
		sleep 0.1
	done
	kill -9 "$pid"
	wait "$pid" || true
	kv delete -f "$ID"
	[ "$(prop LoadState)" = not-found ]
}

# ---- the user's manager ----

# as_user SCRIPT: as tester, in tester's own systemd
as_user() {
	command -v as-tester >/dev/null || skip "no as-tester (tests/vm)"
	as-tester env KAVACH="$KAVACH" STATE="$STATE.u" BUNDLE="$BUNDLE" ID="$ID" UNIT="$UNIT" bash -ec "$1"
}

user_bundle() {
	config '.linux.cgroupsPath = "user.slice:kv:'"$ID"'" | .linux.resources = {memory: {limit: 67108864}, pids: {limit: 30}}
		| .linux.namespaces += [{type: "user"}] | .linux.namespaces |= map(select(.type != "network"))
		| .linux.uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
		| .linux.gidMappings = [{containerID: 0, hostID: 1000, size: 1}]
		| .mounts |= map(select(.type != "sysfs" and .type != "cgroup" and .type != "mqueue"))
		| (.mounts[] | select(.type == "devpts").options) |= map(select(startswith("gid=") | not))'
	args sleep 1000
	UNIT=kv-$ID.scope
	chmod -R a+rX "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR"
	chmod a+rx "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$(dirname "$BATS_FILE_TMPDIR")" 2>/dev/null || true
	mkdir -p "$STATE.u"
	chown tester "$STATE.u"
}

@test "rootless: a scope of the user's manager with its limits" {
	user_bundle
	as_user '
		"$KAVACH" --root "$STATE" --systemd-cgroup run -d -b "$BUNDLE" "$ID"
		path=$(systemctl --user show -P ControlGroup "$UNIT")
		[ "$path" = "/user.slice/user-1000.slice/user@1000.service/user.slice/$UNIT" ]
		[ "$(cat "/sys/fs/cgroup$path/memory.max")" = 67108864 ]
		[ "$(cat "/sys/fs/cgroup$path/pids.max")" = 30 ]
		"$KAVACH" --root "$STATE" exec "$ID" true
		"$KAVACH" --root "$STATE" update --pids-limit 20 "$ID"
		[ "$(systemctl --user show -P TasksMax "$UNIT")" = 20 ]
		"$KAVACH" --root "$STATE" delete -f "$ID"
		[ "$(systemctl --user show -P LoadState "$UNIT")" = not-found ]'
}

@test "rootless: the user's manager is found from XDG_RUNTIME_DIR alone, or from nothing" {
	user_bundle
	for env in "env -u DBUS_SESSION_BUS_ADDRESS" "env -u DBUS_SESSION_BUS_ADDRESS -u XDG_RUNTIME_DIR"; do
		as_user "$env"' "$KAVACH" --root "$STATE" --systemd-cgroup run -d -b "$BUNDLE" "$ID"
			[ "$(systemctl --user show -P ActiveState "$UNIT")" = active ]
			"$KAVACH" --root "$STATE" delete -f "$ID"'
	done
}

@test "rootless: from a login session, systemd moves the container and its execs" {
	user_bundle
	out=$BATS_TEST_TMPDIR/out
	as_user true # the user's manager runs
	# with "run" the container would keep its pipe open
	timeout 60 systemd-run --quiet --pipe --wait --collect --property=User=tester --property=PAMName=login \
		env KAVACH="$KAVACH" STATE="$STATE.u" BUNDLE="$BUNDLE" ID="$ID" bash -ec 'cat /proc/self/cgroup
			"$KAVACH" --root "$STATE" --systemd-cgroup run -d -b "$BUNDLE" "$ID" >/dev/null
			"$KAVACH" --root "$STATE" exec -d "$ID" sleep 999 >/dev/null' >"$out" 2>&1 3>&- </dev/null
	cat "$out"
	grep '/session-' "$out"
	dir=/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/$UNIT
	[ "$(wc -l <"$dir/cgroup.procs")" -eq 2 ]
	[ "$(cat "$dir/memory.max")" = 67108864 ]
	as_user '"$KAVACH" --root "$STATE" delete -f "$ID"'
	[ ! -e "$dir" ]
}

@test "rootless: without a user's manager the container runs without limits and says why" {
	command -v as-tester >/dev/null || skip "no as-tester (tests/vm)"
	user_bundle
	out=$BATS_TEST_TMPDIR/out
	timeout 60 unshare --mount sh -c 'mount -t tmpfs none /run/user && exec setpriv --reuid tester --regid tester --init-groups \
		"$KAVACH" --root "$STATE.u" --systemd-cgroup run -d -b "$BUNDLE" "$ID"' >"$out" 2>&1 3>&-
	cat "$out"
	grep "systemd manager of user 1000 cannot be reached" "$out"
	setpriv --reuid tester --regid tester --init-groups "$KAVACH" --root "$STATE.u" delete -f "$ID"
}
