#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Namespaces (S-30 to S-32): created, joined, shared with the host, and what is refused.

bats_require_minimum_version 1.5.0

load helpers

setup_file() { setup_rootfs; }
setup() { requires_root; setup_kavach; }
teardown() { teardown_kavach; }

# sleeper ID JQ: a running container besides the test's own
sleeper() {
	jq --arg p "$CG/$1" '.process.args = ["sleep", "1000"] | .linux.cgroupsPath = $p | '"$2" \
		"$BUNDLE/config.json" >"$BUNDLE/$1.json"
	kv run -d -b "$BUNDLE" -f "$1.json" "$1" </dev/null >/dev/null 2>&1
}

pid_of() {
	kv state "$1" | jq .pid
}

# join TYPE PATH: the namespace is joined instead of created
join() {
	config --arg t "$1" --arg p "$2" '.linux.namespaces |= map(select(.type != $t)) + [{type: $t, path: $p}]'
}

# what `readlink /proc/self/ns/*` says inside, one per line: type:[inode]
namespaces_inside() {
	args sh -c 'for n in pid net ipc uts mnt cgroup user time; do readlink /proc/self/ns/$n; done'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

# a user namespace; the container's root is uid 100000 here, its image is owned by that
use_userns() {
	own_rootfs
	chown -R -h 100000:100000 "$BUNDLE/rootfs"
	chmod 711 "$BATS_TEST_TMPDIR" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 200000, size: 65536}]'
	chgrp -R -h 200000 "$BUNDLE/rootfs"
}

@test "S-30: what is listed is created, what is not is the host's" {
	config '.linux.namespaces += [{type: "time"}]'
	namespaces_inside
	i=0
	for n in pid net ipc uts mnt cgroup user time; do
		[[ ${lines[i]} == "$n:["*"]" ]]
		if [ $n = user ]; then
			[ "${lines[i]}" = "$(readlink /proc/self/ns/$n)" ]
		else
			[ "${lines[i]}" != "$(readlink /proc/self/ns/$n)" ]
		fi
		i=$((i + 1))
	done
}

@test "S-30: pid, network, ipc, uts and cgroup of the host are shared when they are not listed" {
	config '.linux.namespaces = [{type: "mount"}] | del(.hostname)'
	namespaces_inside
	i=0
	for n in pid net ipc uts mnt cgroup user time; do
		if [ $n = mnt ]; then
			[ "${lines[i]}" != "$(readlink /proc/self/ns/$n)" ]
		else
			[ "${lines[i]}" = "$(readlink /proc/self/ns/$n)" ]
		fi
		i=$((i + 1))
	done
	args sh -c 'hostname; ls /proc | grep -c "^[0-9]"'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = "$(hostname)" ]
	[ "${lines[1]}" -gt 5 ]
}

@test "S-30: in a pid namespace of its own the program is process 1 and sees nobody else" {
	args sh -c 'echo $$; ls /proc | grep "^[0-9]" | tr "\n" " "; true'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 1 ]
	[[ ${lines[1]} =~ ^1\ [0-9]+\ [0-9]+\ [0-9]*\ ?$ ]]
}

@test "S-30: a network namespace of its own has lo, up, and nothing else" {
	args sh -c 'ls /sys/class/net; ip addr show lo'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = lo ]
	[[ ${lines[1]} == *"<LOOPBACK,UP"* ]]
	[[ $output == *"inet 127.0.0.1/8"* ]]
}

@test "S-30: every type of another container is joined by its path" {
	sleeper first '.linux.namespaces += [{type: "time"}]'
	pid=$(pid_of first)
	for pair in pid:pid network:net ipc:ipc uts:uts cgroup:cgroup time:time; do
		type=${pair%:*} file=${pair#*:}
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
		join "$type" "/proc/$pid/ns/$file"
		args readlink "/proc/self/ns/$file"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 0 ]
		[ "$output" = "$(readlink "/proc/$pid/ns/$file")" ]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
}

@test "S-30: a network namespace bound to a file, as ip netns makes it" {
	touch "$BATS_TEST_TMPDIR/netns"
	join network "$BATS_TEST_TMPDIR/netns"
	args readlink /proc/self/ns/net
	run unshare -m --propagation private bash -ec '
		unshare -n mount --bind /proc/self/ns/net "$1"
		stat -L -c "net:[%i]" "$1"
		exec "$2" --root "$3" run -b "$4" "$5"' - "$BATS_TEST_TMPDIR/netns" "$KAVACH" "$STATE" "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 2 ]
	[ "${lines[0]}" = "${lines[1]}" ]
	[ "${lines[0]}" != "$(readlink /proc/self/ns/net)" ]
}

@test "S-30: a path of another type, no namespace at all, relative, or missing is refused by its place" {
	for path in /proc/self/ns/net /etc/passwd /dev/null proc/self/ns/ipc "$BATS_TEST_TMPDIR/no-such" /; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
		config --arg p "$path" '(.linux.namespaces[] | select(.type == "ipc")).path = $p'
		args true
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"linux.namespaces"*ipc* ]]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
	[ -z "$(kv list -q)" ]
}

@test "S-30: a type listed twice, or one that does not exist, is refused" {
	config '.linux.namespaces += [{type: "pid"}]'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.namespaces[6]"*pid* ]]
	config '.linux.namespaces[6].type = "nosuch"'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.namespaces[6].type"*nosuch* ]]
}

@test "S-30, B-06: a container in another one's pid namespace: exec, kill and delete reach only it" {
	sleeper first '.'
	join pid "/proc/$(pid_of first)/ns/pid"
	args sleep 500
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	[ "$(readlink "/proc/$(pid_of "$ID")/ns/pid")" = "$(readlink "/proc/$(pid_of first)/ns/pid")" ]
	# exec sees both
	run kv exec "$ID" ps -o args
	echo "$output"
	[[ $output == *"sleep 1000"* ]]
	[[ $output == *"sleep 500"* ]]
	kv exec -d "$ID" sleep 600 </dev/null >/dev/null 2>&1
	[ "$(kv ps -f json "$ID" | jq length)" -eq 2 ]
	# not process 1 of its namespace: what else runs in it is killed with it
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
	[ "$(kv state first | jq -r .status)" = running ]
	kv delete "$ID"
	run kv exec first ps -o args
	[[ $output == *"sleep 1000"* ]]
	[[ $output != *"sleep 500"* ]]
	[[ $output != *"sleep 600"* ]]
}

@test "S-30: the end of a pid namespace's owner ends the container that joined it" {
	sleeper first '.'
	join pid "/proc/$(pid_of first)/ns/pid"
	args sleep 500
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv kill first KILL
	wait_for 5 status_is stopped
	kv delete "$ID"
}

@test "S-32: time offsets are seen inside, and negative ones" {
	config '.linux.namespaces += [{type: "time"}]
		| .linux.timeOffsets = {monotonic: {secs: 1000000, nanosecs: 5}, boottime: {secs: 5000000}}'
	args sh -c 'cut -d. -f1 /proc/uptime; cat /proc/self/timens_offsets'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" -ge 5000000 ]
	[[ $output =~ monotonic\ +1000000\ +5 ]]
	[[ $output =~ boottime\ +5000000\ +0 ]]
	config '.linux.timeOffsets = {boottime: {secs: -60}}'
	before=$(cut -d. -f1 /proc/uptime)
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" -le $((before - 50)) ]
	# exec is in it too
	args sleep 100
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(kv exec "$ID" readlink /proc/self/ns/time)" != "$(readlink /proc/self/ns/time)" ]
	[ "$(kv exec "$ID" cut -d. -f1 /proc/uptime)" -le $(($(cut -d. -f1 /proc/uptime) - 50)) ]
}

@test "S-32: offsets without a time namespace, with a path, of a wrong clock or range are refused" {
	args true
	config '.linux.timeOffsets = {monotonic: {secs: 1}}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.timeOffsets"* ]]
	join time /proc/self/ns/time
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.timeOffsets"* ]]
	config '.linux.namespaces |= map(if .type == "time" then {type: "time"} else . end)
		| .linux.timeOffsets = {realtime: {secs: 1}}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.timeOffsets"*realtime* ]]
	config '.linux.timeOffsets = {monotonic: {nanosecs: 1000000000}}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.timeOffsets"*1000000000* ]]
	# a clock before its beginning: the kernel's no
	config '.linux.timeOffsets = {monotonic: {secs: -1000000000}}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"timeOffsets"* || $output == *"timens_offsets"* ]]
	[ -z "$(kv list -q)" ]
}

@test "S-31: a user namespace has the maps as given; root inside is nobody outside" {
	use_userns
	null=$(stat -c '%u:%g %a' /dev/null)
	args sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map; echo x >/tmp/made; grep CapEff /proc/self/status'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]} ${lines[1]}" = "0 0" ]
	[[ ${lines[2]} =~ ^\ *0\ +100000\ +65536$ ]]
	[[ ${lines[3]} =~ ^\ *0\ +200000\ +65536$ ]]
	[[ $output != *"CapEff:"*0000000000000000* ]]
	[ "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/made")" = 100000:200000 ]
	[ "$(stat -c '%u:%g %a' /dev/null)" = "$null" ]
}

@test "S-31: create, exec and kill in a user namespace; the process is the mapped id on the host" {
	use_userns
	args sleep 100
	kv create -b "$BUNDLE" "$ID" </dev/null
	kv start "$ID"
	pid=$(pid_of "$ID")
	[ "$(stat -c %u:%g "/proc/$pid")" = 100000:200000 ]
	[ "$(kv exec "$ID" id -u)" = 0 ]
	[ "$(kv exec -u 5:6 "$ID" sh -c 'id -u; id -g' | tr '\n' ' ')" = "5 6 " ]
	for ns in user mnt pid net; do
		[ "$(kv exec "$ID" readlink /proc/self/ns/$ns)" = "$(readlink "/proc/$pid/ns/$ns")" ]
	done
	# exec in it has no privilege over the host's files
	kvrun exec "$ID" sh -c 'echo 1 >/proc/sys/kernel/printk_ratelimit'
	[ "$status" -ne 0 ]
	kv kill "$ID" KILL
	wait_for 5 status_is stopped
}

@test "S-31: several ranges, a user of one of them, and files of no range are nobody's" {
	use_userns
	config '.linux.uidMappings = [{containerID: 0, hostID: 100000, size: 10}, {containerID: 1000, hostID: 300000, size: 1}]
		| .process.user = {uid: 1000, gid: 5, additionalGids: [7, 8]}'
	echo root >"$BUNDLE/rootfs/rootfile"
	args sh -c 'id -u; id -G; stat -c %u /rootfile; touch /tmp/made'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 1000 ]
	[ "${lines[1]}" = "5 7 8" ]
	[ "${lines[2]}" = 65534 ]
	[ "$(stat -c %u:%g "$BUNDLE/rootfs/tmp/made")" = 300000:200005 ]
}

@test "S-31: a user or group that is not mapped is refused, and so are maps that overlap or are missing" {
	use_userns
	args true
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
	for change in '.process.user.uid = 70000' '.process.user.gid = 70000' '.process.user.additionalGids = [70000]' \
		'.linux.uidMappings += [{containerID: 5, hostID: 400000, size: 1}]' 'del(.linux.uidMappings)' 'del(.linux.gidMappings)' \
		'.linux.uidMappings[0].size = 0' '.linux.uidMappings[0].containerID = 1' \
		'.linux.namespaces |= map(select(.type != "user"))'; do
		config "$change"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *"linux.uidMappings"* || $output == *"linux.gidMappings"* || $output == *"process.user"* ]]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
	[ -z "$(kv list -q)" ]
}

@test "S-31: another container's user namespace is joined with what it owns" {
	use_userns
	sleeper first '.'
	pid=$(pid_of first)
	for pair in user:user network:net ipc:ipc; do
		join "${pair%:*}" "/proc/$pid/ns/${pair#*:}"
	done
	config 'del(.linux.uidMappings) | del(.linux.gidMappings)'
	args sh -c 'id -u; readlink /proc/self/ns/user; readlink /proc/self/ns/net; readlink /proc/self/ns/pid'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0 ]
	[ "${lines[1]}" = "$(readlink "/proc/$pid/ns/user")" ]
	[ "${lines[2]}" = "$(readlink "/proc/$pid/ns/net")" ]
	[ "${lines[3]}" != "$(readlink "/proc/$pid/ns/pid")" ]
}

@test "S-31: a user namespace is joined together with namespaces that belong to the host's" {
	sleeper outer '.'
	host=$(pid_of outer)
	use_userns
	sleeper first '.'
	pid=$(pid_of first)
	join user "/proc/$pid/ns/user"
	config 'del(.linux.uidMappings) | del(.linux.gidMappings)'
	cp "$BUNDLE/config.json" "$BUNDLE/whole.json"
	for pair in network:net uts:uts cgroup:cgroup; do
		cp "$BUNDLE/whole.json" "$BUNDLE/config.json"
		join "${pair%:*}" "/proc/$host/ns/${pair#*:}"
		config 'del(.hostname)'
		args sh -c "id -u; readlink /proc/self/ns/user; readlink /proc/self/ns/${pair#*:}"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 0 ]
		[ "${lines[0]}" = 0 ]
		[ "${lines[1]}" = "$(readlink "/proc/$pid/ns/user")" ]
		[ "${lines[2]}" = "$(readlink "/proc/$host/ns/${pair#*:}")" ]
	done
}

@test "S-31: /dev/mqueue belongs to the root of the user namespace, a new one or a joined one" {
	use_userns
	args sh -c 'stat -c %u:%g /dev/mqueue; touch /dev/mqueue/q'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0:0 ]
	sleeper first '.'
	join user "/proc/$(pid_of first)/ns/user"
	config 'del(.linux.uidMappings) | del(.linux.gidMappings)'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0:0 ]
}

@test "root of somebody else's user namespace runs containers" {
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	args sh -c 'id -u; cat /proc/self/uid_map'
	run unshare -Ur "$KAVACH" --root "$STATE/user" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = 0 ]
	[[ ${lines[1]} =~ ^\ *0\ +0\ +1$ ]]
}

@test "S-22, S-23: hostname and domainname need a uts namespace and are set in it" {
	config '.hostname = "box" | .domainname = "example.org"'
	args sh -c 'cat /proc/sys/kernel/hostname /proc/sys/kernel/domainname'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]} ${lines[1]}" = "box example.org" ]
	[ "$(hostname)" != box ]
	config '.linux.namespaces |= map(select(.type != "uts"))'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *hostname* ]]
	config 'del(.hostname)'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *domainname* ]]
}

@test "S-30: a cgroup namespace hides where the container is; without one the path is seen" {
	args sh -c 'cat /proc/self/cgroup; ls -d /sys/fs/cgroup/memory/kavach-test* /sys/fs/cgroup/kavach-test* 2>/dev/null; true'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output != *kavach-test* ]]
	n=0
	for line in "${lines[@]}"; do
		# the host's own place, for hierarchies that the container is not moved in
		[[ $line == *:/ || $line == *:/../* || $line == *:/..* ]] && n=$((n + 1))
	done
	[ "$n" -ge 1 ]
	config '.linux.namespaces |= map(select(.type != "cgroup"))'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *":$CG/$ID"* ]]
	# and its cgroup mount has its own directory as root, not the host's
	args awk '$5 ~ "^/sys/fs/cgroup/" {print $4}' /proc/self/mountinfo
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(sort -u <<<"$output")" = "$CG/$ID" ]
}

# into PID: a config for the mount namespace of a process, with nothing to mount or make there
into() {
	join mount "/proc/$1/ns/mnt"
	config '.root = {path: "/"} | del(.mounts, .linux.maskedPaths, .linux.readonlyPaths, .linux.devices)'
}

@test "S-30: a mount namespace is joined: its root is the root, and nothing changes in it" {
	own_rootfs
	sleeper first '.root.path = "'"$BUNDLE/rootfs"'"'
	pid=$(pid_of first)
	kv exec first sh -c 'echo mine >/tmp/file; mkdir /dev/shm/place'
	before=$(cat "/proc/$pid/mountinfo")
	into "$pid"
	args sh -c 'readlink /proc/self/ns/mnt; cat /tmp/file; ls -d /dev/shm/place; pwd; echo theirs >/tmp/other'
	join pid "/proc/$pid/ns/pid"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$(readlink "/proc/$pid/ns/mnt")" ]
	[ "${lines[1]}" = mine ]
	[ "${lines[2]}" = /dev/shm/place ]
	[ "${lines[3]}" = / ]
	[ "$(kv exec first cat /tmp/other)" = theirs ]
	[ "$(cat "/proc/$pid/mountinfo")" = "$before" ]
	[ "$(kv state first | jq -r .status)" = running ]
	# exec into it, a terminal, a user, a program that is not there, a working directory that is not
	args sleep 100
	kv create -b "$BUNDLE" "$ID" </dev/null
	kv start "$ID"
	[ "$(kv exec "$ID" readlink /proc/self/ns/mnt)" = "$(readlink "/proc/$pid/ns/mnt")" ]
	[ "$(kv exec -u 5 "$ID" sh -c 'id -u; cat /tmp/file' | tr '\n' ' ')" = "5 mine " ]
	kv delete --force "$ID"
	args /only/on/the/host
	run -127 kv run -b "$BUNDLE" "$ID"
	[[ $output == *"/only/on/the/host"* ]]
	args true
	config '.process.cwd = "/no/such/place"'
	run -127 kv run -b "$BUNDLE" "$ID"
	[[ $output == *"/no/such/place"* ]]
	run kv exec first ls -d /no
	[ "$status" -ne 0 ]
	[ "$(cat "/proc/$pid/mountinfo")" = "$before" ]
}

@test "S-30: a mount namespace is joined with the user namespace that owns it, with hooks and a terminal" {
	use_userns
	sleeper first '.'
	pid=$(pid_of first)
	before=$(cat "/proc/$pid/mountinfo")
	into "$pid"
	join user "/proc/$pid/ns/user"
	join pid "/proc/$pid/ns/pid"
	config --arg out "$BATS_TEST_TMPDIR/hooked" 'del(.linux.uidMappings, .linux.gidMappings) | .process.terminal = true
		| .hooks = {createRuntime: [{path: "/bin/sh", args: ["sh", "-c", "echo runtime >>\($out)"], env: ["PATH=/bin:/usr/bin"]}],
			startContainer: [{path: "/bin/true"}]}'
	args sh -c 'echo uid=$(id -u); tty; readlink /proc/self/ns/mnt'
	run script -qec "$KAVACH --root $STATE run -b $BUNDLE $ID" /dev/null </dev/null
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *uid=0* ]]
	[[ $output == */dev/pts/* ]]
	[[ $output == *"$(readlink "/proc/$pid/ns/mnt")"* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/hooked")" = runtime ]
	[ "$(cat "/proc/$pid/mountinfo")" = "$before" ]
}

@test "S-30: what would mount, hide or make something in a joined mount namespace is refused before anything happens" {
	sleeper first '.'
	pid=$(pid_of first)
	before=$(cat "/proc/$pid/mountinfo")
	into "$pid"
	args true
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
	while IFS='|' read -r place change; do
		config "$change"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[ "${#lines[@]}" -eq 1 ]
		[[ $output == *": $place: "* ]]
		[ -z "$(kv list -q | grep -vx first)" ]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done <<-'END'
		root.path|.root.path = "rootfs"
		root.readonly|.root.readonly = true
		mounts[0]|.mounts = [{destination: "/x", type: "tmpfs"}]
		linux.devices[0]|.linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3}]
		linux.maskedPaths[0]|.linux.maskedPaths = ["/proc/kcore"]
		linux.readonlyPaths[0]|.linux.readonlyPaths = ["/proc/sys"]
		linux.rootfsPropagation|.linux.rootfsPropagation = "shared"
		hooks.createContainer[0]|.hooks.createContainer = [{path: "/bin/true"}]
	END
	[ "$(cat "/proc/$pid/mountinfo")" = "$before" ]
}

@test "S-30: a mount namespace is required" {
	config '.linux.namespaces |= map(select(.type != "mount"))'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *mount*namespace* ]]
}

@test "without linux.namespaces nothing is shared by accident: refused" {
	config 'del(.linux.namespaces) | del(.hostname)'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *namespace* ]]
}
