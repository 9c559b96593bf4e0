#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What engines rely on beyond the specification, one row of docs/conformance.md after the other: words that they look for,
# files that they read, names and places.

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
}

teardown() { teardown_kavach; }

# says TEXT STATUS COMMAND...: it fails so, with the text on one line
says() {
	kvrun "${@:3}"
	[ "$status" -eq "$2" ] || return 1
	[ "${#lines[@]}" -eq 1 ] || return 1
	[[ $output == *"$1"* ]]
}

running() {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
}

@test "E-01: what is done to a container that is not there fails with 'does not exist'" {
	for c in state start kill delete pause resume ps update events; do
		says 'does not exist' 1 "$c" "$ID"
	done
	says 'does not exist' 255 exec "$ID" true
	# by force it is as if it had been there
	kv delete --force "$ID"
}

@test "E-02, E-03, E-04: a container that has ended is 'container not running'" {
	args true
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	wait_for 10 status_is stopped
	says 'container not running' 1 kill "$ID"
	says 'container not running' 1 pause "$ID"
	says 'container not running' 255 exec "$ID" true
	says 'container not running' 1 kill "$ID" 9
	kv kill --all "$ID" 9
}

@test "E-09: a label that cannot be set names its file below attr, or its module" {
	config '.process.apparmorProfile = "nosuch-profile"'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *attr/* || $output == *AppArmor* ]]
}

@test "E-10: an option without its argument, as podman's and CRI-O's probes look for it" {
	for words in 'create --bundle' 'exec --user' 'update --memory' 'run --pid-file'; do
		# shellcheck disable=SC2086 # words are meant
		kvrun $words
		[ "$status" -ne 0 ]
		[[ $output == *"flag needs an argument"* ]]
	done
}

@test "E-11, E-12: an id that is taken, an exec in a paused container" {
	running
	says 'container with given ID already exists' 1 create -b "$BUNDLE" "$ID"
	kv pause "$ID"
	says 'cannot exec in a paused container' 255 exec "$ID" true
	[ "$(kv exec --help | grep -c -e --ignore-paused)" -eq 1 ]
	kv resume "$ID"
	kv exec "$ID" true
}

@test "B-01: container ids: letters, digits and _ + - . and no more than a file name has" {
	for id in a A9 _x +x x+y x.y x-y "$(printf 'x%.0s' $(seq 200))"; do
		says 'does not exist' 1 state "$id"
	done
	for id in '' . .. .a a/b a//b ../a 'a b' $'a\nb' 'a:b' 'a*' 'ä' "$(printf 'x%.0s' $(seq 256))"; do
		kvrun state "$id"
		[ "$status" -eq 1 ]
		[[ $output == *"container I"* || $output == *"container id"* ]]
		kvrun create -b "$BUNDLE" "$id"
		[ "$status" -eq 1 ]
		[ ! -e "$STATE" ]
	done
}

@test "B-02: the state directory is closed, sticky, and not /" {
	running
	[ "$(stat -c %a "$STATE")" = 1700 ]
	[[ $(stat -c %a "$STATE/$ID") =~ ^7[01][01]$ ]]
	kvrun --root / list
	[ "$status" -ne 0 ]
}

@test "B-05: deleted containers leave neither state nor cgroup, whichever way they ended" {
	running
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kv delete "$ID"
	running
	kv delete --force "$ID"
	kv create -b "$BUNDLE" "$ID"
	kv delete "$ID"
	[ -z "$(ls -A "$STATE")" ]
	[ -z "$(find /sys/fs/cgroup -path "*$ID" -type d)" ]
}

@test "B-15: nothing is added to the environment but HOME" {
	config '.process.env = ["PATH=/bin"]'
	args env
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(grep -v -e '^#' <<<"$output" | sort | grep -E '^[A-Z_]+=' | xargs)" = "HOME=/root PATH=/bin" ]
	# empty is as good as missing
	config '.process.env = ["PATH=/bin", "HOME="]'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"HOME=/root"* ]]
}

@test "B-16: a CPU affinity of the caller's is not the container's" {
	[ "$(nproc)" -gt 1 ] || skip "one processor only"
	config 'del(.linux.resources.cpu)'
	args grep Cpus_allowed_list /proc/self/status
	all=$("$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")
	[ "$(taskset -c 0 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")" = "$all" ]
	[ "${all##*:}" != 0 ]
}

@test "C-01: --version: the first line, then commit if known, spec and libseccomp, one each" {
	kvrun --version
	[ "$status" -eq 0 ]
	grep -qE '^kavach version [0-9]+\.[0-9]+\.[0-9]+' <<<"${lines[0]}"
	[ "$(grep -cE '^spec: 1\.3\.0$' <<<"$output")" -eq 1 ]
	[ -z "$(grep -vE '^(# |kavach version |commit: |spec: |libseccomp: |[-+]|$)' <<<"$output")" ]
}

@test "C-02, S-24: state: the members that Go clients decode, with the annotations of the config" {
	config '.annotations = {"org.example.a": "b", "": "x"} | del(.annotations[""])'
	running
	kv state "$ID" | jq -e '(.created | test("^20..-..-..T..:..:..[.0-9]*(Z|[+-]..:..)$")) and .annotations == {"org.example.a": "b"}
		and (.pid | type == "number" and . > 0) and .status == "running" and (keys - ["ociVersion", "id", "pid", "status", "bundle",
		"rootfs", "created", "owner", "annotations", "root", "systemd-scope", "score", "strength"] | length == 0)'
	kv kill "$ID" 9
	wait_for 10 status_is stopped
	kv state "$ID" | jq -e '.pid == 0'
}

@test "C-03: list: an array of states, ids alone, a table, and nothing where nothing is" {
	kvrun list --format json
	[ "$output" = "[]" ]
	running
	kv list --format json | jq -e --arg id "$ID" 'length == 1 and .[0].id == $id and .[0].status == "running"'
	[ "$(kv list -q)" = "$ID" ]
	[ "$(kv list | head -n 1 | xargs)" = "ID PID STATUS BUNDLE CREATED OWNER" ]
}

@test "C-04: ps: host pids as numbers" {
	running
	[ "$(kv ps --format json "$ID" | jq -c .)" = "[$(kv state "$ID" | jq .pid)]" ]
}

@test "C-06: features: no root, no state directory, nothing on standard error" {
	requires_root
	copy=$BATS_FILE_TMPDIR/kavach
	chmod 0755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	cp "$KAVACH" "$copy"
	setpriv --reuid 65534 --regid 65534 --clear-groups env -i "$copy" features >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	jq -e .ociVersionMax "$BATS_TEST_TMPDIR/out"
}

@test "C-07: the log is one JSON line at a failure, appended, and nothing at a success" {
	log=$BATS_TEST_TMPDIR/log
	echo '{"before": 1}' >"$log"
	args true
	kv --log "$log" --log-format json run -b "$BUNDLE" "$ID"
	[ "$(wc -l <"$log")" -eq 1 ]
	kvrun --log "$log" --log-format json start "$ID"
	[ "$(wc -l <"$log")" -eq 2 ]
	tail -n 1 "$log" | jq -e '.level == "error" and (.msg | length > 0) and (.time | fromdateiso8601? // test("T"))'
}

@test "C-08: pid files: digits only, and none where nothing has come to run" {
	f=$BATS_TEST_TMPDIR/pid
	args sleep 1000
	kv create -b "$BUNDLE" --pid-file "$f" "$ID"
	[ "$(tr -d 0-9 <"$f" | wc -c)" -eq 0 ]
	[ "$(<"$f")" = "$(kv state "$ID" | jq .pid)" ]
	kv start "$ID"
	kvrun exec --pid-file "$f.2" "$ID" /no/such/program
	[ "$status" -eq 255 ]
	[ ! -e "$f.2" ]
	kvrun create -b "$BUNDLE/nowhere" --pid-file "$f.3" "$ID-2"
	[ ! -e "$f.3" ]
}

@test "K-03: run --keep leaves a stopped container to look at" {
	args sh -c 'exit 3'
	kvrun run --keep -b "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	status_is stopped
	kv delete "$ID"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	[ -z "$(kv list -q)" ]
}

@test "K-04: exec: --ignore-paused, --no-new-privs, a cgroup below the container's" {
	running
	kv pause "$ID"
	# it stands still with the others, and goes on with them
	timeout 60 "$KAVACH" --root "$STATE" exec --ignore-paused "$ID" sh -c 'exit 9' &
	job=$!
	two() { [ "$(kv ps -f json "$ID" | jq length)" -ge 2 ]; }
	wait_for 20 two
	status_is paused
	kv resume "$ID"
	st=0
	wait $job || st=$?
	[ "$st" -eq 9 ]
	[ "$(kv exec --no-new-privs "$ID" grep NoNewPrivs /proc/self/status | xargs)" = "NoNewPrivs: 1" ]
	kvrun exec --cgroup /nosuch "$ID" true
	[ "$status" -eq 255 ]
	[ "${#lines[@]}" -eq 1 ]
}

@test "K-05: kill and delete by a regular expression" {
	args sleep 1000
	for id in a-1 a-2 b-1; do
		config --arg c "$CG/$id" '.linux.cgroupsPath = $c'
		kv create -b "$BUNDLE" "$ID-$id"
		kv start "$ID-$id"
	done
	kv kill --regex "^$ID-a-[0-9]\$" KILL
	for id in a-1 a-2; do
		wait_for 10 eval '[ "$(kv state "$ID-$id" | jq -r .status)" = stopped ]'
	done
	[ "$(kv state "$ID-b-1" | jq -r .status)" = running ]
	kv delete --regex "^$ID-a"
	[ "$(kv list -q)" = "$ID-b-1" ]
	kvrun delete --regex '('
	[ "$status" -ne 0 ]
	kv delete --force --regex "^$ID"
	[ -z "$(kv list -q)" ]
}

@test "K-11: options that others have are taken, in both spellings, and of no effect" {
	args true
	kv --criu /nosuch run --no-subreaper -b "$BUNDLE" "$ID"
	kv run -no-subreaper -b "$BUNDLE" "$ID"
	running
	kv update --kernel-memory 1000000000 --kernel-memory-tcp 1000000000 "$ID"
}

@test "T-01: run.oci.keep_original_groups: the caller's groups stay" {
	args id -G
	config '.process.user = {uid: 0, gid: 0, additionalGids: []} | .annotations = {"run.oci.keep_original_groups": "1"}'
	[ "$(setpriv --groups 0,4711,4712 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")" = "0 4711 4712" ]
	config '.annotations = {"run.oci.keep_original_groups": "0"}'
	[ "$(setpriv --groups 0,4711,4712 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")" = 0 ]
}

@test "T-04: run.oci.seccomp_fail_unknown_syscall makes a name that nobody knows an error" {
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["no_such_call"], action: "SCMP_ACT_ERRNO"}]}'
	args true
	kv run -b "$BUNDLE" "$ID"
	config '.annotations = {"run.oci.seccomp_fail_unknown_syscall": "1"}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *no_such_call* ]]
}

@test "S-45: network classes and priorities: set on v1, a warning where there is nothing for them" {
	config '.linux.resources.network = {classID: 1048577, priorities: [{name: "lo", priority: 7}]}'
	running
	for f in net_cls.classid net_prio.ifpriomap; do
		where=$(find /sys/fs/cgroup -path "*$ID/$f" 2>/dev/null || true)
		[ -z "$where" ] || grep -qE '^(1048577|lo 7)$' "$where"
	done
	kv delete --force "$ID"
	# not by run: the container has its output
	kv create -b "$BUNDLE" "$ID" 2>"$BATS_TEST_TMPDIR/err"
	[ -n "$where" ] || grep -q network "$BATS_TEST_TMPDIR/err"
}

@test "S-47: rdma: in the cgroup, or an error that names the controller" {
	config '.linux.resources.rdma = {nosuch0: {hcaHandles: 3, hcaObjects: 100}}'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *rdma* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "S-58: the template mounts what programs take for granted" {
	args sh -c 'cat /proc/version >/dev/null && ls /sys/kernel >/dev/null && test -c /dev/pts/ptmx && touch /dev/shm/x'
	kv run -b "$BUNDLE" "$ID"
}
