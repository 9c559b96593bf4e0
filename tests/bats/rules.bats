#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Site rules as an operator and a user see them: what is refused and in which words, what is added, what the commands show.

load helpers

setup_file() {
	setup_rootfs
	compile_tool call "$ROOTFS/bin/call"
}

setup() {
	setup_kavach
	OPEN=
	RULES=$BATS_TEST_TMPDIR/rules.d
	mkdir -m 755 "$RULES"
}

teardown() {
	[ -z "$OPEN" ] || rm -rf "$OPEN"
	teardown_kavach
}

# site NAME JSON: a file of rules
site() {
	printf '%s\n' "$2" >"$RULES/$1"
	chmod 644 "$RULES/$1"
}

# kvr ARGUMENT...: kavach under the rules of the test
kvr() { kvrun --rules "$RULES" "$@"; }

runs() {
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

# refused TEXT: one line, exactly, and nothing is left of the container
refused() {
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[ "$output" = "kavach: $1" ] || {
		printf 'want: kavach: %s\n' "$1"
		return 1
	}
	[ -z "$(kv list -q)" ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/*" -type d 2>/dev/null)" ]
}

@test "rules check: what is in force, from which file" {
	site 10-site.json '{"minimumStrength": 40}'
	site 20-team.json '{"rules": [{"name": "batch", "match": {"namespaces": ["kubernetes/batch"]}, "preset": "strict"}]}'
	kvr rules check
	[ "$status" -eq 0 ]
	[[ $output == *"$RULES/10-site.json"*"at least 40"*"$RULES/20-team.json"*"rules[0] batch"*"at least strict"* ]]
	kvr rules --json check
	[ "$(jq -r '.rules[1] | [.file, .key, .preset, .match.namespaces[0]] | join(" ")' <<<"$output")" = \
		"$RULES/20-team.json rules[0] strict kubernetes/batch" ]
	site 30-devices.json '{"allowedDevices": ["c 10:229", "b 8:*"]}'
	kvr rules --json check
	[ "$(jq -c '.rules[2].allowedDevices[1]' <<<"$output")" = '{"type":"b","major":8,"minor":"*"}' ]
	kvr rules check "$RULES/10-site.json"
	[ "$status" -eq 0 ]
	[[ $output != *20-team* ]]
}

@test "rules check: an unknown key is an error with file, line and the key that was meant; so is every start" {
	site 10-site.json '{
		"rules": [{"match": {"uids": [0]}, "forbit": ["hooks"]}]}'
	kvr rules check
	[ "$status" -eq 1 ]
	[ "$output" = "kavach: $RULES/10-site.json:2:48: rules[0].forbit: unknown member; did you mean \"forbid\"?" ]
	requires_root
	refused "$RULES/10-site.json:2:48: rules[0].forbit: unknown member; did you mean \"forbid\"?"
}

@test "files that contradict each other are an error that names both places" {
	site 10-site.json '{"require": ["terminal"]}'
	site 20-team.json '{"forbid": ["hooks", "terminal"]}'
	kvr rules check
	[ "$status" -eq 1 ]
	[ "$output" = "kavach: rules file $RULES/20-team.json: forbid[1]: contradicts $RULES/10-site.json: require[0], which says otherwise: \"terminal\" is required and forbidden" ]
}

@test "a rules file that others can write is refused" {
	site 10-site.json '{}'
	chmod 666 "$RULES/10-site.json"
	kvr policy "$BUNDLE"
	[ "$status" -eq 1 ]
	[[ $output == *"$RULES/10-site.json: others than its owner can write it (mode 0666)" ]]
}

@test "a bundle that breaks a rule is refused: file, key, place in config.json, and what would satisfy it" {
	requires_root
	site 10-site.json '{"forbid": ["hooks", "hostPid"]}'
	args echo fine
	runs
	config '.linux.namespaces |= map(select(.type != "pid"))'
	refused "rules file $RULES/10-site.json: forbid[1]: hostPid is forbidden; config.json: linux.namespaces: the pid namespace is the host's; give it its own (--pid=private)"
}

@test "the advice of a refusal works: a limit of memory, a user, no new privileges" {
	requires_root
	site 10-site.json '{"require": ["memoryLimit"], "forbid": ["rootUser", "newPrivileges"]}'
	args echo fine
	config 'del(.linux.resources.memory) | .process.noNewPrivileges = true'
	refused "rules file $RULES/10-site.json: require[0]: memoryLimit is required; config.json: linux.resources.memory.limit: memory is not limited; limit it (--memory)"
	config '.linux.resources.memory.limit = 100000000'
	refused "rules file $RULES/10-site.json: forbid[0]: rootUser is forbidden; config.json: process.user.uid: the process is root of the host, too; use another user (--user) or a user namespace (--userns=auto)"
	config '.process.user = {uid: 1000, gid: 1000}'
	runs
	[ "$output" = fine ]
}

@test "rules match by annotation and caller, and a default is for all others" {
	site 10-site.json '{"rules": [
		{"match": {"annotations": {"team": "op*"}}, "forbid": ["sysctl"]},
		{"match": {"uids": [4711]}, "forbid": ["hostTime"]},
		{"match": {"default": true}, "forbid": ["hostUser"]}]}'
	verdicts() { jq -r '.rules | map(select(.key | test("^rules.[0-9].$"))) | map(.verdict) | join(" ")' <<<"$output"; }
	kvr rules --json test "$BUNDLE"
	[ "$(verdicts)" = "other other in-force" ]
	kvr rules --json --annotation team=ops test "$BUNDLE"
	[ "$(verdicts)" = "in-force other other" ]
	kvr rules --json --as-uid 4711 --annotation team=dev test "$BUNDLE"
	[ "$(verdicts)" = "other in-force other" ]
	config '.annotations.team = "ops"'
	kvr rules --json test "$BUNDLE"
	[ "$(verdicts)" = "in-force other other" ]
}

@test "the caller of a container in a user namespace is who it is outside of it" {
	requires_root
	unshare -U true 2>/dev/null || skip "no user namespaces here"
	# bats' own directories are closed to other users
	OPEN=$(mktemp -d /tmp/kavach-rules.XXXXXX)
	chmod 755 "$OPEN"
	mkdir "$OPEN/rules.d"
	cp "$KAVACH" "$OPEN/kavach"
	cp "$BUNDLE/config.json" "$OPEN"
	echo '{"rules": [{"match": {"uids": [54321]}, "forbid": ["sysctl"]}]}' >"$OPEN/rules.d/10.json"
	chmod -R go=rX "$OPEN"
	run setpriv --reuid 54321 --regid 54321 --clear-groups unshare -Ur "$OPEN/kavach" --root "$OPEN/s" --rules "$OPEN/rules.d" \
		rules --json test "$OPEN"
	printf '%s\n' "$output"
	[ "$(jq -r '.rules[0].verdict' <<<"$output")" = in-force ]
}

@test "rules test: every verdict, with exit status 1 when the container would be refused" {
	site 10-site.json '{"minimumStrength": 100, "forbid": ["hostTime", "hooks"]}'
	kvr rules test "$BUNDLE"
	[ "$status" -eq 1 ]
	[[ $output == *"REFUSED"*"forbid[0]"*"hostTime is forbidden"*"would satisfy it: give it its own"* ]]
	[[ $output == *"holds"*"forbid[1]"*"hooks is forbidden"* ]]
	[[ $output == *"REFUSED"*"minimumStrength"*"a strength of 100 is required"* ]]
	[[ $output == *"kavach: rules file $RULES/10-site.json: forbid[0]: hostTime is forbidden"* ]]
	kvr rules --json test "$BUNDLE"
	[ "$status" -eq 1 ]
	rm "$RULES/10-site.json"
	kvr rules test "$BUNDLE"
	[ "$status" -eq 0 ]
	[ "$output" = "no rules" ]
}

@test "policy shows what the rules decided, with file and key" {
	site 10-site.json '{"preset": "basic"}'
	kvr policy "$BUNDLE"
	[ "$status" -eq 0 ]
	[[ $output == *"Site rules"*"sets"*"$RULES/10-site.json"*"preset"*"the preset becomes basic"* ]]
	kvr policy --json "$BUNDLE"
	[ "$(jq -r '.site.rules[] | select(.verdict == "sets") | .key' <<<"$output")" = preset ]
}

@test "S-53: a profile of the rules is loaded beside the config's, and the strictest answer counts" {
	requires_root
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the test are x86-64's"
	jq -n '{defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["getppid"], action: "SCMP_ACT_ERRNO", errnoRet: 41},
		{names: ["getsid"], action: "SCMP_ACT_ALLOW"}]}' >"$RULES/site.profile"
	site 10-site.json "{\"seccompProfile\": \"$RULES/site.profile\"}"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"], syscalls: [
		{names: ["getsid"], action: "SCMP_ACT_ERRNO", errnoRet: 42}]}'
	args sh -c 'call getppid; call getsid; call getpgid 0 >/dev/null && echo other'
	runs
	[ "$output" = $'error 41\nerror 42\nother' ]
	# one filter each, and without no_new_privs as an ordinary user
	args grep Seccomp_filters /proc/self/status
	config '.process.user = {uid: 1000, gid: 1000} | .process.noNewPrivileges = false'
	runs
	[ "$output" = $'Seccomp_filters:\t2' ]
	config 'del(.linux.seccomp)'
	runs
	[ "$output" = $'Seccomp_filters:\t1' ]
}

@test "S-53: exec runs under the same filters" {
	requires_root
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the test are x86-64's"
	site 10-site.json '{"seccompProfile": "basic"}'
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64"], syscalls: [
		{names: ["getsid"], action: "SCMP_ACT_ERRNO", errnoRet: 42}]}'
	args sleep 300
	kv --rules "$RULES" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv start "$ID"
	run kv exec "$ID" sh -c 'call getsid; call personality 0; grep Seccomp_filters /proc/self/status'
	printf '%s\n' "$output"
	[ "$output" = $'error 42\nerror 1\nSeccomp_filters:\t2' ]
}

@test "the profile of a preset stands beside a filter of the config that allows by default" {
	requires_root
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the test are x86-64's"
	site 10-site.json '{"preset": "strict"}'
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW"} | .linux.resources.memory.limit = 100000000'
	args sh -c 'call reboot 0; grep Seccomp_filters /proc/self/status'
	runs
	[ "$output" = $'error 1\nSeccomp_filters:\t2' ]
}

@test "bind sources: judged by where they really are, and that is mounted" {
	requires_root
	mkdir -p "$BATS_TEST_TMPDIR/host/open" "$BATS_TEST_TMPDIR/host/secret"
	echo data >"$BATS_TEST_TMPDIR/host/open/file"
	ln -s secret "$BATS_TEST_TMPDIR/host/link"
	ln -s open "$BATS_TEST_TMPDIR/host/good"
	site 10-site.json "{\"binds\": [{\"source\": \"$BATS_TEST_TMPDIR/host/secret\", \"access\": \"forbidden\"},
		{\"source\": \"$BATS_TEST_TMPDIR/host/open\", \"access\": \"read-only\"}]}"
	bind() { config '.mounts |= map(select(.destination != "/mnt")) + [{destination: "/mnt", type: "bind", source: $s, options: $o}]' --arg s "$1" --argjson o "$2"; }
	n=$(jq '.mounts | length' "$BUNDLE/config.json")
	args sh -c 'cat /mnt/file; touch /mnt/file 2>&1'
	bind "$BATS_TEST_TMPDIR/host/link" '["bind","ro"]'
	refused "rules file $RULES/10-site.json: binds[0]: $BATS_TEST_TMPDIR/host/secret is forbidden; config.json: mounts[$n].source: $BATS_TEST_TMPDIR/host/secret is mounted; leave this mount out"
	bind "$BATS_TEST_TMPDIR/host" '["rbind","ro"]'
	refused "rules file $RULES/10-site.json: binds[0]: $BATS_TEST_TMPDIR/host/secret is forbidden; config.json: mounts[$n].source: $BATS_TEST_TMPDIR/host is mounted, with that in it; leave this mount out"
	bind "$BATS_TEST_TMPDIR/host/good" '["bind"]'
	refused "rules file $RULES/10-site.json: binds[1]: $BATS_TEST_TMPDIR/host/open is read-only; config.json: mounts[$n].source: $BATS_TEST_TMPDIR/host/open can be written; mount it read-only (\"ro\")"
	bind "$BATS_TEST_TMPDIR/host/good" '["rbind","ro"]'
	kvr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = data ]
	[[ ${lines[1]} == *"Read-only file system"* ]]
}

@test "a recursive bind that a rule wants read-only is so with what is mounted below it" {
	requires_root
	mkdir -p "$BATS_TEST_TMPDIR/host/sub"
	site 10-site.json "{\"binds\": [{\"source\": \"$BATS_TEST_TMPDIR/host\", \"access\": \"read-only\"}]}"
	config '.mounts += [{destination: "/mnt", type: "bind", source: $s, options: ["rbind", "ro"]}]' --arg s "$BATS_TEST_TMPDIR/host"
	args sh -c 'touch /mnt/sub/x 2>&1 || echo read-only'
	run unshare -m --propagation private sh -c 'mount -t tmpfs none "$1/host/sub" && exec "$2" --root "$3" --rules "$4" run -b "$5" "$6"' - \
		"$BATS_TEST_TMPDIR" "$KAVACH" "$STATE" "$RULES" "$BUNDLE" "$ID"
	printf '%s\n' "$output"
	[ "${lines[-1]}" = read-only ]
}

@test "devices: only those of the list" {
	requires_root
	site 10-site.json '{"allowedDevices": ["c 10:229"]}'
	config '.linux.devices = [{path: "/dev/kmsg", type: "c", major: 1, minor: 11}] | .linux.resources.devices = [{allow: false, access: "rwm"}]'
	args true
	refused "rules file $RULES/10-site.json: allowedDevices: only the devices of the list may be there; config.json: linux.devices: /dev/kmsg is c 1:11; leave it out (--device), or ask for it to be added to the list"
	config '.linux.devices = []'
	runs
}

@test "exec cannot have what the rules forbid the container" {
	requires_root
	site 10-site.json '{"forbiddenCapabilities": ["CAP_SYS_ADMIN"]}'
	args sleep 300
	kv --rules "$RULES" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv start "$ID"
	kvrun exec --cap CAP_SYS_ADMIN "$ID" true
	[ "$status" -ne 0 ]
	[[ $output == *"exec: capabilities: CAP_SYS_ADMIN: forbidden for this container by the site's rules" ]]
	jq -n '{cwd: "/", args: ["true"], user: {uid: 0, gid: 0}, capabilities: {bounding: ["CAP_SYS_ADMIN"]}}' >"$BATS_TEST_TMPDIR/p.json"
	kvrun exec --process "$BATS_TEST_TMPDIR/p.json" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"p.json: capabilities: CAP_SYS_ADMIN: forbidden"* ]]
	kvrun exec --cap CAP_CHOWN "$ID" true
	[ "$status" -eq 0 ]
}

@test "annotations: only those that the site honours" {
	requires_root
	site 10-site.json '{"allowedAnnotations": ["io.kavach.*"]}'
	args true
	config '.annotations = {"run.oci.hooks.stdout": "/tmp/x", "io.kavach.preset": "minimal", "com.example": "y"}'
	refused "rules file $RULES/10-site.json: allowedAnnotations: only settings of the list may come with a container; config.json: annotations[\"run.oci.hooks.stdout\"]: this one is not in it; leave it out"
	config 'del(.annotations["run.oci.hooks.stdout"])'
	runs
}

@test "the examples that we ship are good, each and together" {
	for f in "$KAVACH_SRC"/contrib/rules/*.json; do
		kvrun rules check "$f"
		[ "$status" -eq 0 ]
	done
	kvrun rules check "$KAVACH_SRC"/contrib/rules/*.json
	[ "$status" -eq 0 ]
	[ "$(grep -c 'contrib/rules/' <<<"$output")" -ge 5 ]
}

@test "the examples of kavach-rules(5) are good" {
	awk '/^\.Bd/ { n++; on = 1; next } /^\.Ed/ { on = 0 } on { print >(dir "/example" n ".json") }' dir="$BATS_TEST_TMPDIR" \
		"$KAVACH_SRC/docs/man/kavach-rules.5"
	n=0
	for f in "$BATS_TEST_TMPDIR"/example*.json; do
		kvrun rules check "$f"
		[ "$status" -eq 0 ]
		n=$((n + 1))
	done
	[ "$n" -ge 4 ]
}

@test "kavach-rules(5) names every key and every feature of the schema" {
	jq -r '[.. | objects | .properties? // empty | keys[]] + (.properties.require.items.enum) | unique | .[]' \
		"$KAVACH_SRC/contrib/rules.schema.json" >"$BATS_TEST_TMPDIR/names"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/names")" -gt 70 ]
	while read -r name; do
		grep '^\.' "$KAVACH_SRC/docs/man/kavach-rules.5" | grep -qwF -e "$name" || {
			echo "not in the man page: $name"
			return 1
		}
	done <"$BATS_TEST_TMPDIR/names"
}
