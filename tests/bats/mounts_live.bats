#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts that are added to a container that lives, and taken away again; and containers that try to turn that against
# the host, or against what hides parts of it from them.

load helpers

setup_file() {
	setup_rootfs
	compile_tool swapper "$BATS_FILE_TMPDIR/swapper"
}

setup() {
	requires_root
	setup_kavach
	own_rootfs
	ROOT=$BUNDLE/rootfs
	SRC=$BATS_TEST_TMPDIR/src
	mkdir -p "$SRC/sub"
	echo from-the-host >"$SRC/file"
	echo untouched >"$BATS_TEST_TMPDIR/canary"
	PIDS=()
	args sleep 1000
}

teardown() {
	for p in "${PIDS[@]}"; do
		kill -9 "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	cut -d' ' -f5 /proc/self/mountinfo | grep -F "$BATS_TEST_TMPDIR/" | sort -r | xargs -r -n 1 umount -l
	teardown_kavach
	[ "$(cat "$BATS_TEST_TMPDIR/canary")" = untouched ]
}

begin() {
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
}

inside() {
	kv exec "$ID" "$@"
}

# add|remove JSON
mounts() {
	printf '%s' "$2" >"$BATS_TEST_TMPDIR/mounts.json"
	kvrun mounts "$1" "$ID" "$BATS_TEST_TMPDIR/mounts.json"
}

adds() {
	mounts add "$1"
	[ "$status" -eq 0 ]
}

removes() {
	mounts remove "$1"
	[ "$status" -eq 0 ]
}

refused() { # TEXT: what the command that has run said
	[ "$status" -ne 0 ]
	[[ $output == *"$1"* ]]
}

bind() { # DESTINATION [OPTIONS]: one bind mount of the test's directory
	jq -nc --arg s "${3:-$SRC}" --arg d "$1" --arg o "${2:-bind}" \
		'[{destination: $d, source: $s, options: ($o | split(","))}]'
}

table() { # the container's mounts
	inside cat /proc/self/mountinfo
}

@test "K-09: a directory, a file: bound into a container that runs, seen by all, and taken away" {
	begin
	before=$(table | wc -l)
	adds "$(bind /data/deep)"
	[ "$(inside cat /data/deep/file)" = from-the-host ]
	inside touch /data/deep/new
	[ -e "$SRC/new" ]
	adds "$(bind /etc/one bind,ro "$SRC/file")"
	[ "$(inside cat /etc/one)" = from-the-host ]
	run inside sh -c 'echo x >/etc/one'
	[[ $output == *"Read-only"* ]]
	[ "$(table | wc -l)" -eq $((before + 2)) ]
	removes '[{"destination": "/data/deep"}, {"destination": "/etc/one"}]'
	[ "$(table | wc -l)" -eq "$before" ]
	inside [ ! -e /data/deep/file ]
	run grep "$BUNDLE" /proc/self/mountinfo
	[ -z "$output" ]
}

@test "K-09: an object with mounts, standard input, a container that is only created" {
	kv create -b "$BUNDLE" "$ID"
	jq -n --arg s "$SRC" '{mounts: [{destination: "data", source: $s, options: ["rbind", "rro"]}]}' |
		kv mounts add "$ID" -
	kv start "$ID"
	[ "$(inside cat /data/file)" = from-the-host ]
	echo '{"mounts": [{"destination": "/data"}]}' | kv mounts remove "$ID" -
	inside [ ! -e /data/file ]
}

@test "K-09: a tmpfs with its options; tmpcopyup with ro" {
	mkdir "$ROOT/copied"
	echo kept >"$ROOT/copied/file"
	begin
	adds '[{"destination": "/t", "type": "tmpfs", "source": "tmpfs",
		"options": ["size=64k", "mode=1750", "noexec", "nosuid"]},
		{"destination": "/copied", "type": "tmpfs", "options": ["tmpcopyup", "ro"]}]'
	[ "$(inside stat -c %a /t)" = 1750 ]
	table | grep -E ' /t .*noexec.* - tmpfs tmpfs .*size=64k'
	run inside dd if=/dev/zero of=/t/big bs=1k count=100
	[[ $output == *"No space"* ]]
	[ "$(inside cat /copied/file)" = kept ]
	run inside touch /copied/new
	[[ $output == *"Read-only"* ]]
}

@test "K-09: recursive options, propagation, a bind that does not follow, an id map" {
	mount -t tmpfs none "$SRC"
	mount --make-shared "$SRC"
	mkdir "$SRC/sub"
	echo from-the-host >"$SRC/file"
	mount -t tmpfs none "$SRC/sub"
	chown 1000:1000 "$SRC/file"
	begin
	adds "$(bind /all rbind,rro,rslave)"
	run inside touch /all/sub/x
	[[ $output == *"Read-only"* ]]
	adds "$(bind /one bind,private)"
	inside [ -z "$(inside ls /one/sub)" ]
	table | grep ' /one ' | grep -qv master
	adds "$(jq -nc --arg s "$SRC" '[{destination: "/mapped", source: $s, options: ["bind"],
		uidMappings: [{containerID: 1000, hostID: 5000, size: 1}],
		gidMappings: [{containerID: 1000, hostID: 5000, size: 1}]}]')"
	[ "$(inside stat -c %u /mapped/file)" = 5000 ]
	# what is mounted on the host in a slave appears, and not the other way round
	mount -t tmpfs none "$SRC/sub"
	[ "$(table | grep -c ' /all/sub ')" -eq 2 ]
	removes '[{"destination": "/all"}]'
	[ "$(table | grep -c ' /all')" -eq 0 ]
	[ "$(grep -c " $SRC/sub " /proc/self/mountinfo)" -eq 2 ]
}

@test "K-09: mounts in mounts, and stacked: the newest goes first" {
	mkdir "$BATS_TEST_TMPDIR/other"
	echo other >"$BATS_TEST_TMPDIR/other/file"
	begin
	adds '[{"destination": "/t", "type": "tmpfs"}, {"destination": "/t/a/b", "type": "tmpfs"}]'
	adds "$(bind /t/a/b/c)"
	[ "$(inside cat /t/a/b/c/file)" = from-the-host ]
	adds "$(bind /t/a/b/c bind "$BATS_TEST_TMPDIR/other")"
	[ "$(inside cat /t/a/b/c/file)" = other ]
	removes '[{"destination": "/t/a/b/c"}]'
	[ "$(inside cat /t/a/b/c/file)" = from-the-host ]
	removes '[{"destination": "/t/a/b/c"}]'
	mounts remove '[{"destination": "/t/a/b/c"}]'
	refused 'none that "mounts add" has made'
}

@test "K-09: a container with a user namespace: its ids, a source out of its reach, an id map" {
	config '.linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": 100000, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	chown -hR 100000:100000 "$ROOT"
	chmod 711 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BUNDLE"
	mkdir -m 700 "$BATS_TEST_TMPDIR/private"
	mkdir "$BATS_TEST_TMPDIR/private/src"
	echo deep >"$BATS_TEST_TMPDIR/private/src/file"
	begin
	# a source that the container's root could not reach
	adds "$(bind /data bind,ro "$BATS_TEST_TMPDIR/private/src")"
	[ "$(inside cat /data/file)" = deep ]
	adds "$(bind /mapped bind,idmap)"
	[ "$(inside stat -c %u /mapped/file)" = 0 ]
	inside touch /mapped/new
	[ "$(stat -c %u "$SRC/new")" = 0 ]
	adds '[{"destination": "/t", "type": "tmpfs"}]'
	[ "$(inside stat -c %u /t)" = 0 ]
	removes '[{"destination": "/t"}, {"destination": "/mapped"}, {"destination": "/data"}]'
	[ "$(table | grep -cE ' /(t|mapped|data) ')" -eq 0 ]
}

@test "K-09: one that fails takes back those before it, and nothing is on record" {
	echo file >"$ROOT/plain"
	begin
	before=$(table)
	mounts add "$(jq -nc --arg s "$SRC" '[{destination: "/a", source: $s, options: ["bind"]},
		{destination: "/b", type: "tmpfs"}, {destination: "/plain", source: $s, options: ["bind"]}]')"
	refused 'mounts[2]: mount '
	[ "$(table)" = "$before" ]
	mounts add "$(jq -nc '[{destination: "/b", type: "tmpfs"}, {destination: "/a", type: "tmpfs",
		options: ["size=nonsense"]}]')"
	refused 'size=nonsense'
	mounts add "$(bind /a bind "$SRC/missing")"
	refused "mounts[0].source: $SRC/missing: "
	[ "$(table)" = "$before" ]
	mounts remove '[{"destination": "/a"}]'
	refused 'none that "mounts add" has made'
}

@test "K-09: kavach killed at any moment leaves a mount that is on record, or none" {
	begin
	for n in 0 1 2 3 5 8 13 21; do
		printf '%s' "$(bind "/k$n")" >"$BATS_TEST_TMPDIR/mounts.json"
		"$KAVACH" --root "$STATE" mounts add "$ID" "$BATS_TEST_TMPDIR/mounts.json" &
		pid=$!
		sleep "0.00$n"
		kill -9 $pid 2>/dev/null || true
		wait $pid 2>/dev/null || true
		mounts remove "[{\"destination\": \"/k$n\"}]"
		[ "$status" -eq 0 ] || [[ $output == *'none that "mounts add" has made'* ]]
		wait_for 10 eval "! table | grep -q ' /k$n '"
	done
}

@test "K-09: refused: who and when" {
	mounts add "$(bind /data)"
	refused 'does not exist'
	begin
	kvrun mounts change "$ID" x
	refused 'expected add or remove, found "change"'
	kvrun mounts add "$ID" "$BATS_TEST_TMPDIR/missing.json"
	refused 'missing.json'
	kv pause "$ID"
	mounts add "$(bind /data)"
	refused 'paused container'
	kv resume "$ID"
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	mounts add "$(bind /data)"
	refused 'container not running: it is stopped'
	mounts remove "$(bind /data)"
	refused 'container not running: it is stopped'
}

@test "K-09: refused: what the file says, with its place" {
	begin
	before=$(table)
	while IFS='|' read -r text say; do
		mounts add "$text"
		refused "mounts.json$say"
	done <<-'EOT'
		[{"destination": "/a", "type": 3}]|:1:32: mounts[0].type: expected a string, found number 3
		[{"type": "tmpfs"}]|:1:2: mounts[0]: required member "destination" is missing
		{"mount": []}|:1:1: required member "mounts" is missing
		[]|:1:1: mounts: 
		"x"|:1:1: 
		[{"destination": "/a", "type": "tmpfs"|:1:
		[{"destination": "/", "type": "tmpfs"}]|: mounts[0].destination: "/" would hide the root
		[{"destination": "/a", "type": "tmpfs"}, {"destination": "/b", "options": ["bind"]}]|: mounts[1].source: a bind mount needs one
		[{"destination": "/proc/1", "type": "tmpfs"}]|: mounts[0].destination: nothing may be mounted at "/proc/1"
		[{"destination": "/proc", "type": "proc"}]|: mounts[0].type: a container that lives gets bind mounts
		[{"destination": "/s", "type": "sysfs"}]|: mounts[0].type: a container that lives gets bind mounts
		[{"destination": "/c", "type": "cgroup"}]|: mounts[0].type: a container that lives gets bind mounts
		[{"destination": "/x", "type": "ext4", "source": "/dev/sda"}]|: mounts[0].type: a container that lives gets bind mounts
		[{"destination": "/tmp", "options": ["remount", "ro"]}]|: mounts[0].options: "remount" changes a mount
		[{"destination": "/sys", "type": "tmpfs"}]|: mounts[0].destination: "/sys" would cover /sys/
		[{"destination": "/proc", "source": "/proc", "options": ["rbind"]}]|: mounts[0].destination: "/proc" would cover
	EOT
	[ "$(table)" = "$before" ]
	mounts remove '[{"destination": "/tmp"}]'
	refused 'mounts[0].destination: "/tmp" is none that "mounts add" has made'
	mounts remove '[{"destination": "/proc"}]'
	refused 'none that "mounts add" has made'
}

@test "K-09: the site's rules hold for what is added" {
	begin
	RULES=$BATS_TEST_TMPDIR/rules.d
	mkdir "$RULES"
	jq -n --arg s "$SRC" '{binds: [{source: "/", access: "read-write"}, {source: $s, access: "read-only"}]}' \
		>"$RULES/50.json"
	chmod 644 "$RULES/50.json"
	ln -s "$SRC" "$BATS_TEST_TMPDIR/alias"
	for s in "$SRC" "$BATS_TEST_TMPDIR/alias"; do
		printf '%s' "$(bind /data bind "$s")" >"$BATS_TEST_TMPDIR/mounts.json"
		kvrun --rules "$RULES" mounts add "$ID" "$BATS_TEST_TMPDIR/mounts.json"
		refused 'binds'
	done
	printf '%s' "$(bind /data bind,ro "$BATS_TEST_TMPDIR/alias")" >"$BATS_TEST_TMPDIR/mounts.json"
	kvrun --rules "$RULES" mounts add "$ID" "$BATS_TEST_TMPDIR/mounts.json"
	[ "$status" -eq 0 ]
}

# ---- attacks ----

@test "K-09: symlinks stay inside, and lead neither to a masked path nor into /proc" {
	mkdir -p "$ROOT/masked" "$ROOT/etc"
	echo secret >"$ROOT/masked/secret"
	ln -s /../../.. "$ROOT/up"
	ln -s "$BATS_TEST_TMPDIR" "$ROOT/abs"
	ln -s /masked "$ROOT/to-masked"
	ln -s /proc/sys "$ROOT/to-sys"
	ln -s /proc/kcore "$ROOT/to-kcore"
	ln -s /proc/self/root "$ROOT/to-root"
	ln -s /sys "$ROOT/to-all-sys"
	ln -s /sys/firmware "$ROOT/to-firmware"
	config '.linux.maskedPaths += ["/masked"]'
	begin
	before=$(table)
	for place in /to-masked /to-masked/x /masked/x /to-sys /to-sys/kernel /to-kcore /to-root \
		/to-all-sys /to-firmware; do
		if [ "$place" = /to-kcore ]; then
			mounts add "$(bind $place bind "$SRC/file")"
		else
			mounts add "$(bind $place)"
		fi
		[ "$status" -ne 0 ]
		[ "$(table)" = "$before" ]
	done
	mounts add "$(bind /masked)"
	refused 'would cover /masked, of the container'
	inside [ -z "$(inside ls /masked)" ]
	# outside of the root is inside
	adds "$(bind /up/landed)"
	[ -d "$ROOT/landed" ]
	[ "$(inside cat /landed/file)" = from-the-host ]
	adds "$(bind /abs/landed)"
	[ ! -e "$BATS_TEST_TMPDIR/landed" ]
}

@test "K-09: a place that is swapped all the time: never the host, never a masked path" {
	mkdir -p "$ROOT/a" "$ROOT/m/masked" "$ROOT/v"
	echo secret >"$ROOT/m/masked/secret"
	ln -s "$BATS_TEST_TMPDIR" "$ROOT/l1"
	ln -s /m/masked "$ROOT/l2"
	ln -s /proc/sys/kernel "$ROOT/l3"
	cp "$BATS_FILE_TMPDIR/swapper" "$ROOT/bin/swapper"
	config '.linux.maskedPaths += ["/m/masked"]'
	begin
	host=$(wc -l </proc/self/mountinfo)
	for other in l1 l2 l3; do
		inside swapper /a /$other 3>&- &
		PIDS+=($!)
		made=0
		for _ in $(seq 200); do
			[ $made -lt 6 ] || break
			mounts add "$(bind /a/x)"
			[ "$status" -eq 0 ] || continue
			made=$((made + 1))
			# what it landed at, if it is not there by now
			mounts remove '[{"destination": "/a/x"}]' || true
		done
		[ $made -eq 6 ]
		inside killall -9 swapper
		wait "${PIDS[-1]}" || true
		unset "PIDS[-1]"
		[ "$(wc -l </proc/self/mountinfo)" -eq "$host" ]
		[ ! -e "$BATS_TEST_TMPDIR/x" ]
		table | grep -q ' /m/masked .* - tmpfs '
		[ -z "$(inside ls /m/masked)" ]
		[ "$(table | grep -cE ' /proc/sys/kernel/|/m/masked/')" -eq 0 ]
		inside sh -c '[ -d /a ] && [ ! -L /a ]' || mv -T --exchange "$ROOT/a" "$ROOT/$other" ||
			inside sh -c "mv /a /tmp-x && mv /$other /a && mv /tmp-x /$other"
		while mounts remove '[{"destination": "/a/x"}]' && [ "$status" -eq 0 ]; do :; done
	done
}

@test "K-09: remove takes what was added, not what was moved into its place" {
	mkdir -p "$ROOT/m/masked" "$ROOT/p"
	echo secret >"$ROOT/m/masked/secret"
	config '.linux.maskedPaths += ["/m/masked"]'
	begin
	adds "$(bind /p/masked)"
	# the mask comes to the place of the mount
	inside sh -c 'mv /p /q && mv /m /p'
	mounts remove '[{"destination": "/p/masked"}]'
	refused 'what is there is not the mount that was added'
	[ -z "$(inside ls /p/masked)" ]
	inside sh -c 'mv /p /m && mv /q /p'
	removes '[{"destination": "/p/masked"}]'
	[ -z "$(inside ls /m/masked)" ]
	# on record are ids, not places: twice is once
	mounts remove '[{"destination": "/p/masked"}]'
	refused 'none that "mounts add" has made'
}

@test "K-09: while the container mounts and unmounts itself; what it unmounted is forgotten" {
	config '.process.capabilities |= with_entries(.value += ["CAP_SYS_ADMIN"])'
	args sh -c 'mkdir -p /w; while :; do mount -t tmpfs w /w; mkdir -p /w/x; umount /w; done'
	begin
	for n in 1 2 3 4 5 6; do
		adds "$(bind "/n$n")"
		[ "$(inside cat "/n$n/file")" = from-the-host ]
		mounts add "$(bind /w/x)" # wherever it lands: inside, and never an error that is not said
		[ "$status" -eq 0 ] || [[ $output == *mounts* ]]
	done
	inside umount /n6
	removes '[{"destination": "/n6"}, {"destination": "/n5"}]'
	[ "$(table | grep -cE ' /n[56] ')" -eq 0 ]
}

@test "K-09: two at once wait for each other, and both are on record" {
	begin
	for n in 1 2 3 4; do
		bind "/n$n" >"$BATS_TEST_TMPDIR/$n.json"
		"$KAVACH" --root "$STATE" mounts add "$ID" "$BATS_TEST_TMPDIR/$n.json" &
		pids[n]=$!
	done
	for n in 1 2 3 4; do
		wait "${pids[n]}"
	done
	removes '[{"destination": "/n1"}, {"destination": "/n2"}, {"destination": "/n3"}, {"destination": "/n4"}]'
	[ "$(table | grep -cE ' /n[1-4] ')" -eq 0 ]
}
