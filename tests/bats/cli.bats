#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The command line: what engines and people type, and what they read back.

load helpers

setup_file() { setup_rootfs; }
setup() { setup_kavach; }
teardown() { teardown_kavach; }

@test "--version: first line is 'kavach version X', then spec and libseccomp" {
	for o in --version -v -V; do
		kvrun $o
		[ "$status" -eq 0 ]
		[[ ${lines[0]} =~ ^kavach\ version\ [0-9]+\.[0-9]+\.[0-9]+ ]]
		[[ $output == *"spec: 1.3.0"* ]]
	done
}

@test "features: JSON on stdout, nothing on stderr, no state directory made" {
	"$KAVACH" --root "$STATE" features >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
	[ ! -s "$BATS_TEST_TMPDIR/err" ]
	[ ! -e "$STATE" ]
	jq -e '.ociVersionMin == "1.0.0" and .ociVersionMax == "1.3.0" and (.mountOptions | index("rro"))
		and .linux.mountExtensions.idmap.enabled and .linux.netDevices.enabled and .linux.intelRdt.schemata and (.linux.namespaces | index("time"))
		and (.linux.seccomp.actions | length == 9) and (.hooks | length == 6)' "$BATS_TEST_TMPDIR/out"
}

@test "features: the systemd manager is there when its helper is, and only root and we can write to that" {
	local bin=$BATS_TEST_TMPDIR/bin
	mkdir "$bin"
	cp "$KAVACH" "$bin/kavach"
	: >"$bin/kavach-scope"
	chmod 755 "$bin/kavach-scope"
	[ "$("$bin/kavach" features | jq -c '.linux.cgroup | [.systemd, .systemdUser]')" = '[true,true]' ]
	chmod 757 "$bin/kavach-scope"
	[ "$("$bin/kavach" features | jq .linux.cgroup.systemd)" = false ]
}

@test "the systemd manager without cgroup v2 alone: refused, with what to use instead" {
	[ "$(stat -f -c %T /sys/fs/cgroup)" != cgroup2fs ] || skip "the host has cgroup v2 alone"
	config 'del(.linux.cgroupsPath)'
	args true
	kvrun --systemd-cgroup run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"needs cgroup v2 alone"*"--cgroup-manager=cgroupfs"* ]]
	[ "${#lines[@]}" -eq 1 ]
	[ ! -e "$STATE/$ID" ]
}

@test "options: both spellings, before the command and after it" {
	args true
	kv run --bundle="$BUNDLE" "$ID"
	kv run --bundle "$BUNDLE" "$ID"
	kv run -b"$BUNDLE" "$ID"
	"$KAVACH" --root="$STATE" --log-format=text run -b "$BUNDLE" "$ID"
	kv run -b "$BUNDLE" -no-subreaper "$ID"
	kv --rootless=false --systemd-cgroup=false run -b "$BUNDLE" "$ID"
}

@test "usage errors: one line, non-zero, nothing done" {
	for words in "nosuch" "create" "create a b" "create --nosuch a" "run --preserve-fds x a" "state" "--log-format xml state a" "--root / list" "create -b" "state ../x" "state ." "state a/b"; do
		# shellcheck disable=SC2086 # words are meant
		kvrun $words
		[ "$status" -ne 0 ]
		[ "${#lines[@]}" -eq 1 ]
	done
	kvrun create --bundle
	[[ $output == *"flag needs an argument"* ]]
	[ ! -e "$STATE/a" ]
}

@test "help: every command has one" {
	kvrun --help
	[ "$status" -eq 0 ]
	main=$output
	for c in run create start state list exec ps kill pause resume update events delete spec policy check features; do
		[[ $main == *"  $c "* ]]
		run "$KAVACH" $c --help
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "Usage: kavach $c"* ]]
	done
}

@test "JSON log: exactly one line, only on failure, the same text on stderr" {
	args true
	kv --log "$BATS_TEST_TMPDIR/log" --log-format json run -b "$BUNDLE" "$ID"
	[ ! -s "$BATS_TEST_TMPDIR/log" ]
	run "$KAVACH" --root "$STATE" --log "$BATS_TEST_TMPDIR/log" --log-format json state nosuch
	[ "$status" -eq 1 ]
	[ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -eq 1 ]
	jq -e '.level == "error" and (.time | fromdateiso8601? // (sub("\\.[0-9]+"; "") | fromdateiso8601))
		and (.msg | contains("does not exist"))' "$BATS_TEST_TMPDIR/log"
	[[ $output == *"$(jq -r .msg "$BATS_TEST_TMPDIR/log")"* ]]
}

@test "a missing program is found at create: 127, nothing left behind" {
	requires_root
	args no-such-program
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	args /no/such
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[[ $output == *"no such file or directory"* ]]
	args /etc/passwd
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[[ $output == *"permission denied"* ]]
	[ -z "$(kv list -q)" ]
}

@test "a bundle that is not there, or has no config.json" {
	kvrun run -b /nonexistent "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"bundle /nonexistent"* ]]
	mkdir "$BATS_TEST_TMPDIR/empty"
	kvrun run -b "$BATS_TEST_TMPDIR/empty" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *config.json* ]]
	[ -z "$(kv list -q)" ]
}

@test "a bad config is refused before anything is made" {
	for change in '.process.user.uid = "1000"' '.linux.maskedPaths = "/proc/kcore"' '.linux.namespaces += [{type: "pid"}]' \
		'.process.rlimits = [{type: "RLIMIT_X", soft: 1, hard: 1}]' '.mounts[0].destination = 5' '.root.readonly = "true"'; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
		config "$change"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *config.json* ]]
		[ ! -e "$STATE/$ID" ]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
}

@test "spec refuses to overwrite, --rootless has a user namespace" {
	kvrun spec -b "$BUNDLE"
	[ "$status" -ne 0 ]
	[[ $output == *"is there already"* ]]
	kv spec --rootless -b "$BUNDLE" -f rootless.json
	jq -e '.linux.namespaces | map(.type) | index("user")' "$BUNDLE/rootless.json"
}

@test "policy explains and scores; --json is JSON with the same digest" {
	kvrun policy "$BUNDLE"
	[ "$status" -eq 0 ]
	digest=$(kv policy --json "$BUNDLE" | jq -r .digest)
	[[ $digest =~ ^[0-9a-f]{64}$ ]]
	[[ $output == *"$digest"* ]]
	kvrun policy --score "$BUNDLE"
	[[ $output =~ [0-9]+ ]]
}

@test "console rules: socket without terminal, terminal detached without socket" {
	args true
	kvrun create --console-socket /tmp/x -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"console socket"* ]]
	config '.process.terminal = true'
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"console socket"* ]]
	[ -z "$(kv list -q)" ]
}
