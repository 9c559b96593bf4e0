#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ordinary user's containers. The user is of the test's own: his names and ranges are in files that cover those in
# /etc, in a mount namespace of the test's.

load helpers

RUID=54321

setup_file() {
	setup_rootfs
	# bats closes its folder; the user has to get through to his own
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
}

setup() {
	requires_root
	setup_kavach
	HOME_DIR=$BATS_TEST_TMPDIR/home
	BUNDLE=$HOME_DIR/bundle
	STATE=$HOME_DIR/state
	mkdir -p "$BUNDLE" "$HOME_DIR/run"
	chmod 711 "$BATS_RUN_TMPDIR/test" "$BATS_TEST_TMPDIR"
	# where the user can run it
	cp "$KAVACH" "$BATS_TEST_TMPDIR/kavach"
	chmod 755 "$BATS_TEST_TMPDIR/kavach"
	KAVACH=$BATS_TEST_TMPDIR/kavach
	(cat /etc/passwd && echo "kvtest:x:$RUID:$RUID::$HOME_DIR:/bin/sh") >"$BATS_TEST_TMPDIR/passwd"
	(cat /etc/group && echo "kvtest:x:$RUID:") >"$BATS_TEST_TMPDIR/group"
	echo "kvtest:700000:65536" >"$BATS_TEST_TMPDIR/subid"
	chown "$RUID:$RUID" "$HOME_DIR" "$BUNDLE" "$HOME_DIR/run"
	setpriv --reuid $RUID --regid $RUID --clear-groups test -r "$ROOTFS/bin/busybox" || skip "the user cannot reach the test's files"
	export KAVACH BUNDLE STATE HOME_DIR RUID
}

teardown() {
	local id
	for id in $(ukv list -q); do
		ukv delete --force "$id"
	done
	rm -rf "$STATE"
	teardown_kavach
}

# as_user COMMAND...
as_user() {
	unshare -m --propagation private bash -ec '
		t=$1
		shift
		mount --bind "$t/passwd" /etc/passwd
		mount --bind "$t/group" /etc/group
		mount --bind "$t/subid" /etc/subuid
		mount --bind "$t/subid" /etc/subgid
		exec env -i PATH="$PATH" HOME="$HOME_DIR" XDG_RUNTIME_DIR="$HOME_DIR/run" \
			setpriv --reuid "$RUID" --regid "$RUID" --clear-groups --inh-caps=-all "$@"' - "$BATS_TEST_TMPDIR" "$@"
}

ukv() {
	as_user "$KAVACH" --root "$STATE" "$@"
}

ukvrun() {
	run ukv "$@"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

# the rootless template, for the test's root
template() {
	rm -f "$BUNDLE/config.json"
	ukv spec --rootless -b "$BUNDLE"
	config --arg r "$ROOTFS" '.process.terminal = false | .root.path = $r | .process.rlimits = []'
	chown $RUID:$RUID "$BUNDLE/config.json"
}

# a range of ids by newuidmap and newgidmap
with_ranges() {
	command -v newuidmap >/dev/null || skip "no newuidmap"
	config --argjson u $RUID '.linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}, {containerID: 1, hostID: 700000, size: 65536}]
		| .linux.gidMappings = .linux.uidMappings'
}

@test "spec --rootless: a user namespace with the caller's id, nothing that needs privilege; it runs" {
	template
	jq -e --argjson u $RUID '(.linux.namespaces | map(.type) | index("user")) and .linux.uidMappings == [{containerID: 0, hostID: $u, size: 1}]
		and .linux.gidMappings == .linux.uidMappings and (.linux.resources | not)' "$BUNDLE/config.json"
	args sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/setgroups; hostname; echo $$; ls /sys >/dev/null && touch /dev/shm/x && echo done'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]}" = "0 0" ]
	[[ ${lines[2]} =~ ^\ *0\ +$RUID\ +1$ ]]
	[ "${lines[3]} ${lines[4]} ${lines[5]} ${lines[6]}" = "deny kavach 1 done" ]
	[ -z "$(ukv list -q)" ]
}

@test "create, start, state, exec, ps, kill, delete" {
	template
	args sleep 1000
	ukv create -b "$BUNDLE" --pid-file "$HOME_DIR/pid" "$ID" </dev/null >/dev/null
	[ "$(ukv state "$ID" | jq -r .status)" = created ]
	ukv start "$ID"
	pid=$(cat "$HOME_DIR/pid")
	[ "$(stat -c %u "/proc/$pid")" = $RUID ]
	[ "$(ukv exec "$ID" id -u)" = 0 ]
	for ns in user mnt pid; do
		[ "$(ukv exec "$ID" readlink /proc/self/ns/$ns)" = "$(readlink "/proc/$pid/ns/$ns")" ]
	done
	ukvrun exec "$ID" no-such-program
	[ "$status" -eq 255 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	[ "$(ukv ps -f json "$ID" | jq -c .)" = "[$pid]" ]
	ukv kill "$ID" KILL
	stopped() { [ "$(ukv state "$ID" | jq -r .status)" = stopped ]; }
	wait_for 5 stopped
	ukv delete "$ID"
	ukvrun state "$ID"
	[[ $output == *"does not exist"* ]]
}

@test "the state directory is XDG_RUNTIME_DIR's, closed to others" {
	template
	args true
	run as_user "$KAVACH" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -d "$HOME_DIR/run/kavach" ]
	[ "$(stat -c '%a %u' "$HOME_DIR/run/kavach")" = "1700 $RUID" ]
}

@test "ranges of ids by newuidmap and newgidmap: users of the range, additional groups, owners on the host" {
	template
	with_ranges
	mkdir "$HOME_DIR/vol"
	chown $RUID "$HOME_DIR/vol"
	chmod 777 "$HOME_DIR/vol"
	config --arg v "$HOME_DIR/vol" '.mounts += [{destination: "/mnt", source: $v, options: ["bind"]}]
		| .process.user = {uid: 1000, gid: 1000, additionalGids: [5, 6]}'
	args sh -c 'id -u; id -G; touch /mnt/made; grep CapEff /proc/self/status'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1000 ]
	[ "${lines[1]}" = "1000 5 6" ]
	[ "$(stat -c %u:%g "$HOME_DIR/vol/made")" = 700999:700999 ]
	[[ ${lines[2]} == *0000000000000000 ]]
	config '.process.user = {uid: 0, gid: 0} | .process.capabilities |= map_values(["CAP_CHOWN"])
		| .process.args = ["sh", "-c", "chown 5:6 /mnt/made; stat -c %u:%g /mnt/made"]'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$output" = 5:6 ]
	[ "$(stat -c %u:%g "$HOME_DIR/vol/made")" = 700004:700005 ]
}

@test "ranges that are not the user's are refused by name, and nothing is left" {
	template
	with_ranges
	config '.linux.uidMappings[1].hostID = 100000'
	args true
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *linux.uidMappings*/etc/subuid*"gives kvtest the 65536 ids from 700000; fix: map these"* ]]
	[ -z "$(ukv list -q)" ]
	# without the helpers: said so
	with_ranges
	run as_user env PATH=/nonexistent "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"is not installed"*"apt install uidmap"* ]]
	[[ $output != *"no such file"* ]]
	# with no PATH at all, as engines call, they are found
	run as_user env -u PATH "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
}

# the template of `spec` as it is, for root
plain_template() {
	rm -f "$BUNDLE/config.json"
	ukv spec -b "$BUNDLE"
	config --arg r "$ROOTFS" '.process.terminal = false | .root.path = $r | .process.rlimits = []'
	chown $RUID:$RUID "$BUNDLE/config.json"
}

@test "a config for root gets a user namespace with all ids that the user has" {
	command -v newuidmap >/dev/null || skip "no newuidmap"
	plain_template
	args sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; ls -ld / | awk "{print \$3}"'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr -s ' \n' ' ' <<<"$output")" = \
		"0 0 0 $RUID 1 1 700000 65536 0 $RUID 1 1 700000 65536 nobody " ]
	# what is sealed says so
	[ "$(ukv policy --json "$BUNDLE" | jq -c ".policy.uid_map | map(.host)")" = "[$RUID,700000]" ]
	# another of the ids
	config '.process.user = {uid: 1000, gid: 1000}'
	args sh -c 'id -u; grep CapEff /proc/self/status'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1000 ]
}

@test "a user without ranges is root inside and nobody else" {
	plain_template
	echo "somebody:700000:65536" >"$BATS_TEST_TMPDIR/subid"
	# the group of terminals is none of his
	config '.mounts |= map(if .type == "devpts" then .options -= ["gid=5"] else . end)'
	args sh -c 'id -u; cat /proc/self/uid_map /proc/self/setgroups'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr -s ' \n' ' ' <<<"$output")" = "0 0 $RUID 1 deny " ]
	# maps without the namespace that they are for stay a mistake where there is one to make
	config '.linux.uidMappings = [{containerID: 0, hostID: 5, size: 1}]'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *linux.gidMappings* ]]
}

@test "a user that is not mapped, and groups that cannot be set, are refused" {
	template
	config '.process.user.uid = 5'
	args true
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *process.user.uid* ]]
	config '.process.user = {uid: 0, gid: 0, additionalGids: [5]}'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *additionalGids* ]]
}

@test "limits without a cgroup of one's own are warnings, with --cgroup-manager disabled too" {
	template
	config '.linux.resources = {memory: {limit: 100000000}, pids: {limit: 50}}'
	args echo ran
	ukvrun --log-level warning run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = ran ]
	[[ $output == *memory.limit* ]]
	ukvrun --cgroup-manager disabled run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = ran ]
}

@test "a cgroup that the user owns is used" {
	[ -d /sys/fs/cgroup/pids ] && [ -d /sys/fs/cgroup/unified ] || skip "no hybrid hierarchies"
	template
	mkdir -p "/sys/fs/cgroup/pids$CG"
	chown -R $RUID:$RUID "/sys/fs/cgroup/pids$CG"
	config --arg p "$CG/$ID" '.linux.cgroupsPath = $p | .linux.resources = {pids: {limit: 33}}'
	args sleep 1000
	ukv create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 || cat "$BATS_TEST_TMPDIR/out"
	[ "$(cat "/sys/fs/cgroup/pids$CG/$ID/pids.max")" = 33 ]
	ukv start "$ID"
	ukv exec "$ID" true
	grep -qx "[0-9]*:pids:$CG/$ID" "/proc/$(ukv state "$ID" | jq .pid)/cgroup"
	ukv update --pids-limit 44 "$ID"
	[ "$(cat "/sys/fs/cgroup/pids$CG/$ID/pids.max")" = 44 ]
	ukv delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/pids$CG/$ID" ]
	# cgroup v2 lets nobody in who comes from outside of what is his
	mkdir -p "/sys/fs/cgroup/unified$CG"
	chown -R $RUID:$RUID "/sys/fs/cgroup/unified$CG"
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot move from our cgroup"*"our cgroup is not delegated to us; fix: "* ]]
	[ ! -e "/sys/fs/cgroup/unified$CG/$ID" ]
}

@test "CVE-2023-25809: no cgroup of the host can be written from inside" {
	template
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	args sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir $d/kvx-evil 2>&- && echo "made $d"; done; true'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "what the mounts of the host forbid stays forbidden inside" {
	template
	mkdir "$HOME_DIR/vol"
	chown $RUID "$HOME_DIR/vol"
	config --arg v "$HOME_DIR/vol" '.mounts += [{destination: "/mnt", source: $v, options: ["bind"]}]'
	args awk '$5 == "/mnt" {print $6}' /proc/self/mountinfo
	locked() {
		unshare -m --propagation private bash -ec 'mount -t tmpfs -o nosuid,nodev,noexec,noatime none "$HOME_DIR/vol"; mount -o remount,bind,ro,nosuid,nodev,noexec,noatime "$HOME_DIR/vol"
			exec env -i PATH="$PATH" HOME="$HOME_DIR" XDG_RUNTIME_DIR="$HOME_DIR/run" setpriv --reuid "$RUID" --regid "$RUID" --clear-groups --inh-caps=-all "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$0"' "$ID"
	}
	run locked
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = ro,nosuid,nodev,noexec,noatime ]
	# asked to clear them: an error, not a silent no
	config '.mounts[-1].options = ["bind", "rw", "exec"]'
	run locked
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"mounts["* ]]
	# read-only on top of locked flags keeps them
	config '.mounts[-1].options = ["bind", "ro", "nosymfollow"]'
	run locked
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = ro,nosuid,nodev,noexec,noatime,nosymfollow ]
}

@test "devices are the host's, bound; one that the user may not open stays closed" {
	template
	config '.linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7}]'
	args sh -c 'cd /dev; stat -c "%n %t:%T" null zero full random urandom tty; echo x >null && head -c 1 zero | wc -c'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(tr '\n' ' ' <<<"$output")" = "null 1:3 zero 1:5 full 1:7 random 1:8 urandom 1:9 tty 5:0 1 " ]
	# one that the host has no node for cannot be made
	config '.linux.devices = [{path: "/dev/nosuch", type: "c", major: 1, minor: 99}]'
	args true
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"/dev/nosuch"* ]]
}

@test "a terminal, a seccomp filter, masks and a read-only root" {
	template
	config '.process.terminal = true | .root.readonly = true | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	args sh -c 'tty; mkdir /tmp/x; echo x >/x; cat /proc/keys | wc -c; grep -c . /proc/kcore; grep Seccomp: /proc/self/status'
	ukvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"/dev/pts/0"* ]]
	[[ $output == *"not supported"* ]]
	[[ $output == *"Read-only"* ]]
	[[ $output =~ Seccomp:.*2 ]]
}

@test "oomScoreAdj and rlimits that need privilege: the score is a warning, the limit an error" {
	template
	config '.process.oomScoreAdj = -500'
	args echo ran
	ukvrun --log-level warning run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = ran ]
	[[ $output == *oomScoreAdj* ]]
	config 'del(.process.oomScoreAdj) | .process.rlimits = [{type: "RLIMIT_NOFILE", soft: 10, hard: 100000000}]'
	ukvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'process.rlimits[0]'* ]]
}

@test "another user's container is not reachable" {
	template
	args sleep 1000
	ukv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	chmod 755 "$HOME_DIR"
	run setpriv --reuid 54322 --regid 54322 --clear-groups --inh-caps=-all "$KAVACH" --root "$STATE" exec "$ID" true
	echo "$output"
	[ "$status" -ne 0 ]
	run setpriv --reuid 54322 --regid 54322 --clear-groups --inh-caps=-all "$KAVACH" --root "$STATE" kill "$ID" KILL
	[ "$status" -ne 0 ]
	[ "$(ukv state "$ID" | jq -r .status)" = running ]
	# nor does root believe what somebody else has written about processes and directories
	kvrun kill "$ID" KILL
	[ "$status" -ne 0 ]
	[[ $output == *"belongs to uid $RUID"* ]]
}

@test "inspect: what an ordinary user may see of their container; the rest is not seen, never drift" {
	template
	with_ranges
	args sleep 1000
	ukv create -b "$BUNDLE" "$ID" </dev/null >/dev/null
	ukv start "$ID"
	ukvrun inspect --json "$ID"
	[ "$status" -eq 0 ]
	jq -c '.rows[] | select(.verdict != "ok")' <<<"$output"
	jq -e '.drift == false and .strength.measured <= .strength.decided' <<<"$output"
	jq -e '[.rows[] | select(.group == "namespaces" and .what == "user ids")] | .[0].verdict == "ok"' <<<"$output"
	# not even a user's own container's filters can be read without privileges
	ukvrun inspect --filters "$ID"
	[ "$status" -eq 0 ]
}

@test "what a filter denies is reported with its arguments, in a user namespace too, and Landlock needs no privilege" {
	template
	mkdir -m 755 "$BATS_TEST_TMPDIR/rules.d"
	printf '{"landlock": {"fromMounts": true, "scopes": ["signal"]}}\n' >"$BATS_TEST_TMPDIR/rules.d/10-site.json"
	chmod 644 "$BATS_TEST_TMPDIR/rules.d/10-site.json"
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mkdir"], action: "SCMP_ACT_ERRNO", errnoRet: 1}]}
		| .root.readonly = true'
	args sh -c 'mkdir /dev/shm/x; echo fine >/dev/shm/file; cat /dev/shm/file; echo no >/proc/1/root/file'
	ukvrun run --report-denied -b "$BUNDLE" "$ID"
	[[ $output == *'pid 2 ('*' outside) "mkdir" ("/bin/busybox"): mkdir("/dev/shm/x", 0777) is denied: EPERM'*fine* ]]
	[ "$("$KAVACH" check --json | jq -r '[.. | .landlock? // empty][0] // 0')" -ge 6 ] || return 0
	ukvrun --rules "$BATS_TEST_TMPDIR/rules.d" run --report-denied -b "$BUNDLE" "$ID"
	[[ $output == *'mkdir("/dev/shm/x", 0777) is denied: EPERM'*fine*"/proc/1/root/file: "* ]]
}
