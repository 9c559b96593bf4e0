#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore with a program in the place of CRIU (tests/tools/fakecriu.c): what kavach makes of its answers,
# and what it leaves behind. tests/vm/checkpoint.bats has the true one.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
	setup_rootfs
	compile_tool fakecriu "$BATS_FILE_TMPDIR/criu"
}

setup() {
	requires_root
	setup_kavach
	PATH=$BATS_FILE_TMPDIR:$PATH
	IMAGES=$BATS_TEST_TMPDIR/images
	export FAKE_CRIU_LOG=$BATS_TEST_TMPDIR/notes
	unset FAKE_CRIU
}

teardown() { teardown_kavach; }

started() {
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID"
}

# images that a restore takes for some
have_images() {
	mkdir -p "$IMAGES"
	: >"$IMAGES/inventory.img"
	echo '["/dev/null","/dev/null","/dev/null"]' >"$IMAGES/descriptors.json"
	args sleep 1000
}

# nothing_left: no container, no cgroup, no mount, no process of it
nothing_left() {
	[ -z "$(kv list -q)" ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/$ID" -type d)" ]
	! grep -q "$STATE" /proc/self/mountinfo
}

@test "checkpoint --help succeeds when criu is usable, and says why when it is not" {
	kvrun checkpoint --help
	[ "$status" -eq 0 ]
	[[ $output == *--image-path* ]]
	FAKE_CRIU=old kvrun checkpoint --help
	[ "$status" -ne 0 ]
	[[ $output == *--image-path*"is version 3.1, which is too old"* ]]
	FAKE_CRIU=nokernel kvrun checkpoint --help
	[ "$status" -ne 0 ]
	[[ $output == *"do not work with this kernel"*"the kernel lacks a thing"* ]]
	kvrun --criu /nowhere/criu checkpoint --help
	[ "$status" -ne 0 ]
	[[ $output == *"/nowhere/criu is not a program"* ]]
}

@test "checkpoint saves, ends the container and deletes it; --leave-running and --pre-dump do not" {
	started
	kvrun checkpoint --pre-dump --image-path "$IMAGES/pre" "$ID"
	[ "$status" -eq 0 ]
	status_is running
	kvrun checkpoint --leave-running --image-path "$IMAGES/a" "$ID"
	[ "$status" -eq 0 ]
	status_is running
	jq -e 'length == 3' "$IMAGES/a/descriptors.json"
	kvrun checkpoint --image-path "$IMAGES/b" --work-path "$IMAGES/w" --parent-path ../pre "$ID"
	[ "$status" -eq 0 ]
	[ -e "$IMAGES/b/inventory.img" ]
	[ "$(stat -c %a "$IMAGES/b")" = 700 ]
	nothing_left
}

@test "a checkpoint that fails: criu's reason, its log, no half images, and the container goes on" {
	started
	FAKE_CRIU=fail kvrun checkpoint --image-path "$IMAGES" --work-path "$IMAGES.work" "$ID"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"the cause: not found; the consequence"*"$IMAGES.work/dump.log"* ]]
	[ ! -e "$IMAGES" ]
	status_is running
	FAKE_CRIU=die kvrun checkpoint --image-path "$IMAGES" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"ended without an answer"* ]]
	FAKE_CRIU=garbage kvrun checkpoint --image-path "$IMAGES" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"not an answer of CRIU"* ]]
	FAKE_CRIU=old kvrun checkpoint --image-path "$IMAGES" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"too old: 3.15 is needed"* ]]
	status_is running
	[ ! -e "$IMAGES" ]
}

@test "checkpoint of a container that does not run is refused" {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kvrun checkpoint --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"container not running"* ]]
	kvrun checkpoint --image-path "$IMAGES" nobody
	[ "$status" -ne 0 ]
	[[ $output == *"does not exist"* ]]
	[ ! -e "$IMAGES" ]
}

@test "options: bad values are refused with what was expected" {
	local row
	for row in 'checkpoint|--manage-cgroups-mode=some|ignore, none' 'checkpoint|--empty-ns=pid|expected network' \
		'checkpoint|--parent-path=/abs|relative to --image-path' 'checkpoint|--page-server=host|ADDRESS:PORT' \
		'checkpoint|--page-server=host:70000|ADDRESS:PORT' 'checkpoint|--status-fd=77|is not open' \
		'checkpoint|--network-lock=some|iptables' 'restore|--manage-cgroups-mode=some|ignore, none' \
		'restore|--lsm-mount-context|flag needs an argument'; do
		IFS='|' read -r command option words <<<"$row"
		kvrun "$command" "$ID" "$option"
		[ "$status" -ne 0 ]
		[[ $output == *"$words"* ]]
	done
}

@test "restore: record, pid file and hooks; the process is held until they are done" {
	have_images
	printf '#!/bin/sh\ncat >>%s/hook\n' "$BATS_TEST_TMPDIR" >"$BATS_TEST_TMPDIR/hook.sh"
	chmod +x "$BATS_TEST_TMPDIR/hook.sh"
	config --arg h "$BATS_TEST_TMPDIR/hook.sh" '.hooks.prestart = [{path: $h}] | .hooks.createRuntime = [{path: $h}]'
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" --work-path "$IMAGES.work" --pid-file "$BATS_TEST_TMPDIR/pid" \
		-no-subreaper --preserve-fds 0 "$ID"
	[ "$status" -eq 0 ]
	status_is running
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	[ "$(kv state "$ID" | jq .pid)" = "$pid" ]
	[ "$(jq -s 'length' "$BATS_TEST_TMPDIR/hook")" = 2 ]
	[ "$(jq -rs '.[0].pid' "$BATS_TEST_TMPDIR/hook")" = "$pid" ]
	[ "$(tr '\n' ' ' <"$FAKE_CRIU_LOG")" = 'setup-namespaces 1 post-restore 1 pre-resume 1 ' ]
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"already exists"* ]]
	status_is running
	kv kill "$ID" TERM
	wait_for 10 status_is stopped
	kv delete "$ID"
	nothing_left
}

@test "restore in the foreground ends as the process does" {
	have_images
	kv restore -b "$BUNDLE" --image-path "$IMAGES" "$ID" 3>&- &
	wait_for 10 status_is running
	kv kill "$ID" TERM
	wait $! || status=$?
	[ "$status" -eq 7 ]
	nothing_left
}

@test "a restored process that may do more than config.json allows does not run" {
	have_images
	FAKE_CRIU=weak kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"the saved process is not what config.json allows: namespaces, "*": expected its own, found the host's"* ]]
	[ ! -e "$BATS_TEST_TMPDIR/pid" ]
	FAKE_CRIU=permitted kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"the saved process is not what config.json allows: capabilities, permitted: "*"also CHOWN, "* ]]
	nothing_left
}

@test "a restore that fails leaves nothing: hook, criu's error, its death, no images, no terminal" {
	have_images
	FAKE_CRIU=fail kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" --work-path "$IMAGES.work" "$ID"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"the cause: not found"*"$IMAGES.work/restore.log"* ]]
	nothing_left
	FAKE_CRIU=die kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[ "$status" -eq 1 ]
	nothing_left
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES.none" "$ID"
	[[ $output == *"--image-path: the directory $IMAGES.none"* ]]
	mkdir "$IMAGES.none"
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES.none" "$ID"
	[[ $output == *"has no images of a checkpoint"* ]]
	echo '{}' >"$IMAGES/descriptors.json"
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[[ $output == *"descriptors.json:1:1"*"expected an array of strings"* ]]
	echo '[]' >"$IMAGES/descriptors.json"
	config '.hooks.prestart = [{path: "/bin/false"}]'
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"error running prestart hook #0"* ]]
	nothing_left
}

@test "a mount with mapped ids is refused before anything is made" {
	have_images
	mkdir "$BATS_TEST_TMPDIR/data"
	config --arg s "$BATS_TEST_TMPDIR/data" '.mounts += [{destination: "/data", source: $s, type: "none",
		options: ["bind", "idmap"], uidMappings: [{containerID: 0, hostID: 1000, size: 10}],
		gidMappings: [{containerID: 0, hostID: 1000, size: 10}]}]'
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"(/data) has mapped ids"* ]]
	nothing_left
}

@test "a user namespace is refused by both, and the container goes on" {
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR"
	started
	kvrun checkpoint --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"namespace"*"user namespace"* ]]
	[ ! -e "$IMAGES" ]
	status_is running
	kv delete --force "$ID"
	have_images
	kvrun restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"CRIU cannot restore a container with a user namespace"* ]]
	nothing_left
}

@test "checkpoint and restore are on record; where rules demand the log, nothing is saved or made without it" {
	local log=$BATS_TEST_TMPDIR/log rules=$BATS_TEST_TMPDIR/rules
	kv audit init -d "$log" >/dev/null
	mkdir "$rules"
	jq -n --arg d "$log" '{audit: {required: true, directory: $d}}' >"$rules/audit.json"
	args sleep 1000
	kv --rules "$rules" run -d -b "$BUNDLE" "$ID"
	kvrun checkpoint --leave-running --image-path "$IMAGES/a" "$ID"
	[ "$status" -eq 0 ]
	FAKE_CRIU=fail kvrun checkpoint --image-path "$IMAGES/b" "$ID"
	[ "$status" -ne 0 ]
	rm -r "$IMAGES/b"
	kvrun checkpoint --image-path "$IMAGES/b" "$ID"
	[ "$status" -eq 0 ]
	FAKE_CRIU=fail kvrun --rules "$rules" restore -d -b "$BUNDLE" --image-path "$IMAGES/b" "$ID"
	[ "$status" -ne 0 ]
	kvrun --rules "$rules" restore -d -b "$BUNDLE" --image-path "$IMAGES/b" "$ID"
	[ "$status" -eq 0 ]
	run jq -r 'select(.event != "exit") | [.event, .outcome, (.images // "" | split("/")[-1]), .running // ""] | join(":")' \
		<(kv audit show -d "$log" --json)
	printf '# %s\n' "${lines[@]}"
	[ "$(tail -n +2 <<<"$output" | tr '\n' ' ')" = "create:attempt:: create:ok:: start:attempt:: $(
		)checkpoint:attempt:a:1 checkpoint:ok:a:1 checkpoint:attempt:b:0 checkpoint:failed:b:0 $(
		)checkpoint:attempt:b:0 checkpoint:ok:b:0 delete:ok:: create:attempt:: restore:failed:: $(
		)create:attempt:: create:ok:: restore:attempt:b: " ]
	[[ $(kv audit show -d "$log" --json | jq -r 'select(.event == "restore" and .outcome == "failed").reason') == *"the cause: not found"* ]]
	[ "$(kv audit show -d "$log" --json | jq -r 'select(.event == "restore") | .images // empty')" = "$IMAGES/b" ]
	mv "$log" "$log.gone"
	kvrun checkpoint --image-path "$IMAGES/c" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"audit.required: "* ]]
	[ ! -e "$IMAGES/c" ]
	status_is running
	kvrun --rules "$rules" restore -d -b "$BUNDLE" --image-path "$IMAGES/b" "$ID.2"
	[ "$status" -ne 0 ]
	[[ $output == *"audit.required: "* ]]
	[ "$(kv list -q)" = "$ID" ]
}
