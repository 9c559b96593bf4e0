#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts (S-04 to S-08, S-33 to S-35, S-54 to S-58), as /proc/self/mountinfo inside and the host show them.

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	V=$BATS_TEST_TMPDIR/vol
	export V
	mkdir "$V"
}

teardown() { teardown_kavach; }

# add DESTINATION TYPE SOURCE [OPTION...]
add() {
	local d=$1 t=$2 s=$3
	shift 3
	config --arg d "$d" --arg t "$t" --arg s "$s" --argjson o "$(jq -n '$ARGS.positional' --args -- "$@")" \
		'.mounts += [{destination: $d, type: $t, source: $s, options: $o}]'
}

# inside COMMAND...: a run that must succeed
inside() {
	args "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

# inside_ns SETUP COMMAND...: the same in a mount namespace of the test's own, after SETUP was done in it
inside_ns() {
	local setup=$1
	shift
	args "$@"
	run unshare -m --propagation private bash -ec "$setup"'
		exec "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"'
	echo "# $output"
	[ "$status" -eq 0 ]
}

# From the mountinfo in $output: options of the mount, its propagation, of its super block. The last one at a place counts.
mount_opts() { awk -v d="$1" '$5 == d {x = $6} END {print x}' <<<"$output"; }
sb_opts() { awk -v d="$1" '$5 == d {x = $NF} END {print x}' <<<"$output"; }
propagation() {
	awk -v d="$1" '$5 == d {x = ""; for (i = 7; $i != "-"; i++) {sub(/:.*/, "", $i); x = x $i " "}} END {print x}' <<<"$output"
}

has() { [[ ,$1, == *,$2,* ]]; }
lacks() { [[ ,$1, != *,$2,* ]]; }

MOUNTINFO=(cat /proc/self/mountinfo)

@test "S-07: options of a new mount: each one is there, alone" {
	opts=(ro nosuid nodev noexec noatime nodiratime relatime nosymfollow)
	for o in "${opts[@]}"; do
		add "/tmp/$o" tmpfs tmpfs "$o"
	done
	add /tmp/strictatime tmpfs tmpfs strictatime
	add /tmp/none tmpfs tmpfs
	add /tmp/defaults tmpfs tmpfs defaults
	config '.mounts |= map(select(.destination == "/proc" | not)) | .mounts = [{destination: "/proc", type: "proc", source: "proc"},
		{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .mounts'
	inside "${MOUNTINFO[@]}"
	for o in "${opts[@]}"; do
		has "$(mount_opts "/tmp/$o")" "$o"
	done
	[ "$(mount_opts /tmp/ro)" = ro,relatime ]
	[ "$(mount_opts /tmp/nosuid)" = rw,nosuid,relatime ]
	[ "$(mount_opts /tmp/noatime)" = rw,noatime ]
	[ "$(mount_opts /tmp/nodiratime)" = rw,nodiratime,relatime ]
	[ "$(mount_opts /tmp/strictatime)" = rw ]
	[ "$(mount_opts /tmp/none)" = rw,relatime ]
	[ "$(mount_opts /tmp/defaults)" = rw,relatime ]
}

@test "S-07: the opposites take back what came before, the last one counts" {
	add /tmp/a tmpfs tmpfs ro nosuid nodev noexec nodiratime nosymfollow rw suid dev exec diratime symfollow
	add /tmp/b tmpfs tmpfs rw suid ro nosuid
	add /tmp/c tmpfs tmpfs noatime atime
	add /tmp/d tmpfs tmpfs strictatime nostrictatime
	add /tmp/e tmpfs tmpfs strictatime noatime
	add /tmp/f tmpfs tmpfs relatime norelatime
	add /tmp/g tmpfs tmpfs sync async lazytime nolazytime silent loud iversion noiversion
	config '.mounts = [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .mounts'
	inside "${MOUNTINFO[@]}"
	[ "$(mount_opts /tmp/a)" = rw,relatime ]
	[ "$(mount_opts /tmp/b)" = ro,nosuid,relatime ]
	[ "$(mount_opts /tmp/c)" = rw,relatime ]
	[ "$(mount_opts /tmp/d)" = rw,relatime ]
	[ "$(mount_opts /tmp/e)" = rw,noatime ]
	[ "$(mount_opts /tmp/f)" = rw,relatime ]
	lacks "$(sb_opts /tmp/g)" sync
	lacks "$(sb_opts /tmp/g)" lazytime
}

@test "S-07: options of the super block: sync, dirsync, lazytime, and the file system's own" {
	add /tmp/s tmpfs tmpfs sync
	add /tmp/d tmpfs tmpfs dirsync
	add /tmp/l tmpfs tmpfs lazytime
	add /tmp/o tmpfs tmpfs size=128k mode=1770 uid=7 gid=8 nr_inodes=100
	config '.mounts = [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .mounts'
	inside sh -c 'cat /proc/self/mountinfo; stat -c "%a %u %g" /tmp/o; df -k /tmp/o | tail -1 | awk "{print \$2}"'
	has "$(sb_opts /tmp/s)" sync
	has "$(sb_opts /tmp/d)" dirsync
	has "$(sb_opts /tmp/l)" lazytime
	has "$(sb_opts /tmp/o)" nr_inodes=100
	[ "${lines[-2]}" = "1770 7 8" ]
	[ "${lines[-1]}" = 128 ]
}

@test "S-07: every option that features lists is taken by a bind mount or a tmpfs" {
	for o in $(kv features | jq -r '.mountOptions[]'); do
		case $o in
		remount | idmap | ridmap) continue ;; # below
		tmpcopyup) add "/tmp/$o" tmpfs tmpfs "$o" ;;
		bind | rbind | r* | copy-symlink | src-nofollow) add "/tmp/$o" none "$V" rbind "$o" ;;
		*) add "/tmp/$o" tmpfs tmpfs "$o" ;;
		esac
	done
	config '.mounts = [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}] + .mounts'
	inside "${MOUNTINFO[@]}"
	[ "$(grep -c ' /tmp/' <<<"$output")" -ge 55 ]
}

@test "S-07: an option that nobody knows is the file system's, and its refusal names it" {
	add /tmp tmpfs tmpfs nosuchoption=1
	refused 'mounts[7]' nosuchoption
	config '.mounts[7].options = ["size=nonsense"]'
	refused 'mounts[7]' size
	config '.mounts[7].type = "nosuchfs" | .mounts[7].options = []'
	refused 'mounts[7]' nosuchfs
	config --arg v "$V" '.mounts[7] = {destination: "/tmp", type: "none", source: $v, options: ["bind", "size=1m"]}'
	refused 'mounts[7]' 'size=1m'
}

@test "S-06: a bind is one because of its options, whatever the type says" {
	echo data >"$V/f"
	add /mnt tmpfs "$V" bind
	inside cat /mnt/f
	[ "$output" = data ]
	config '.mounts[7].type = "bind" | .mounts[7].options = []'
	refused 'mounts[7]'
	config 'del(.mounts[7].type) | .mounts[7].options = ["rbind"]'
	inside cat /mnt/f
	[ "$output" = data ]
}

@test "S-06: bind of a directory and of a file, writable and read-only; mount points are made" {
	own_rootfs
	echo one >"$V/f"
	add /new/dir none "$V" bind
	add /new/file none "$V/f" bind
	add /ro/dir none "$V" bind ro
	add /ro/file none "$V/f" bind ro
	inside sh -c 'cat /new/file /new/dir/f; echo two >/new/file; echo three >/new/dir/g; cat /ro/file
		echo x 2>&- >/ro/file || echo refused; echo x 2>&- >/ro/dir/h || echo refused'
	[ "$(tr '\n' ' ' <<<"$output")" = "one one two refused refused " ]
	[ "$(cat "$V/f")" = two ]
	[ "$(cat "$V/g")" = three ]
	[ ! -e "$V/h" ]
	[ -d "$BUNDLE/rootfs/new/dir" ] && [ -f "$BUNDLE/rootfs/new/file" ]
}

@test "S-06: order, relative source and relative destination" {
	mkdir "$BUNDLE/rel"
	echo rel >"$BUNDLE/rel/f"
	add /mnt tmpfs tmpfs
	add mnt/a none rel bind
	add /mnt/a/b none "$V" bind
	mkdir "$BUNDLE/rel/b"
	echo vol >"$V/f"
	inside cat /mnt/a/f /mnt/a/b/f
	[ "${lines[0]} ${lines[1]}" = "rel vol" ]
	add / tmpfs tmpfs
	refused 'mounts[10].destination'
}

@test "S-06: a missing source is refused and says which mount; nothing is made for it" {
	own_rootfs
	add /one none "$V" bind
	add /two none "$V/no-such" bind
	refused 'mounts[8]' "$V/no-such"
	[[ $output != *"no such file or directory"* ]]
	[ ! -e "$V/no-such" ]
	config 'del(.mounts[8].source)'
	refused 'mounts[8].source'
}

@test "S-06, E-08: a file onto a directory and a directory onto a file are 'not a directory'" {
	own_rootfs
	echo x >"$V/f"
	add /etc none "$V/f" bind
	refused 'mounts[7]' 'not a directory'
	config --arg v "$V" '.mounts[7] = {destination: "/etc/passwd", source: $v, options: ["bind"]}'
	refused 'mounts[7]' 'not a directory'
	config '.mounts[7] = {destination: "/etc/passwd/x", type: "tmpfs", source: "tmpfs"}'
	refused 'mounts[7]' 'not a directory'
}

@test "S-07: bind and its flags: what the source has stays, what is cleared is really cleared" {
	add /mnt/keep none "$V" bind
	add /mnt/clear none "$V" bind rw exec dev suid symfollow
	add /mnt/one none "$V" bind exec
	add /mnt/more none "$V" bind nodiratime
	add /mnt/at none "$V" bind atime
	config '.mounts = [{destination: "/mnt", type: "tmpfs", source: "tmpfs"}] + .mounts'
	inside_ns 'mount -t tmpfs -o ro,nosuid,nodev,noexec,noatime,nosymfollow none "$V"' "${MOUNTINFO[@]}"
	[ "$(mount_opts /mnt/keep)" = ro,nosuid,nodev,noexec,noatime,nosymfollow ]
	[ "$(mount_opts /mnt/clear)" = rw,noatime ]
	[ "$(mount_opts /mnt/one)" = ro,nosuid,nodev,noatime,nosymfollow ]
	[ "$(mount_opts /mnt/more)" = ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow ]
	lacks "$(mount_opts /mnt/at)" noatime
	# the host's mount is as it was: the source keeps its flags for everybody else
	[ ! -e "$V/x" ]
}

@test "S-07: ro is the mount's alone, rro is for what is mounted below too" {
	add /mnt none "$V" rbind ro
	inside_ns 'mount -t tmpfs none "$V"; mkdir -p "$V/a"; mount -t tmpfs none "$V/a"' "${MOUNTINFO[@]}"
	has "$(mount_opts /mnt)" ro
	has "$(mount_opts /mnt/a)" rw
	config '.mounts[7].options = ["rbind", "rro"]'
	inside_ns 'mount -t tmpfs none "$V"; mkdir -p "$V/a/b"; mount -t tmpfs none "$V/a"; mkdir "$V/a/b"; mount -t tmpfs none "$V/a/b"' \
		"${MOUNTINFO[@]}"
	for d in /mnt /mnt/a /mnt/a/b; do
		has "$(mount_opts $d)" ro
	done
	# bind is not rbind: what is below is not there
	config '.mounts[7].options = ["bind", "rro"]'
	inside_ns 'mount -t tmpfs none "$V"; mkdir -p "$V/a"; mount -t tmpfs none "$V/a"' "${MOUNTINFO[@]}"
	has "$(mount_opts /mnt)" ro
	[ -z "$(mount_opts /mnt/a)" ]
}

@test "S-07: the recursive options set and clear on nested mounts" {
	nested='mount -t tmpfs none "$V"; mkdir "$V/a"; mount -t tmpfs none "$V/a"'
	for o in nosuid nodev noexec noatime nodiratime relatime nosymfollow; do
		config --arg v "$V" --arg o "r$o" '.mounts[7] = {destination: "/mnt", source: $v, options: ["rbind", $o]}'
		inside_ns "$nested" "${MOUNTINFO[@]}"
		has "$(mount_opts /mnt)" "$o"
		has "$(mount_opts /mnt/a)" "$o"
	done
	config '.mounts[7].options = ["rbind", "rstrictatime"]'
	inside_ns "$nested" "${MOUNTINFO[@]}"
	[ "$(mount_opts /mnt/a)" = rw ]
	# rro together with an access time: one call to the kernel that must not fail
	config '.mounts[7].options = ["rbind", "rro", "rnoatime", "rnodev"]'
	inside_ns "$nested" "${MOUNTINFO[@]}"
	[ "$(mount_opts /mnt/a)" = ro,nodev,noatime ]
	config '.mounts[7].options = ["rbind", "rrw", "rsuid", "rdev", "rexec", "ratime", "rdiratime", "rsymfollow"]'
	inside_ns 'f=ro,nosuid,nodev,noexec,noatime,nodiratime,nosymfollow
		mount -t tmpfs none "$V"; mkdir "$V/a"; mount -t tmpfs -o $f none "$V/a"; mount -o remount,bind,$f "$V"' "${MOUNTINFO[@]}"
	[ "$(mount_opts /mnt)" = rw,relatime ]
	[ "$(mount_opts /mnt/a)" = rw,relatime ]
	# the mount itself differs from what is below
	config '.mounts[7].options = ["rbind", "rro", "rw"]'
	inside_ns "$nested" "${MOUNTINFO[@]}"
	has "$(mount_opts /mnt/a)" ro
}

@test "S-07: nosymfollow and nodev and noexec are in force, not only shown" {
	ln -s f "$V/link"
	echo x >"$V/f"
	cp /bin/true "$V/true"
	mknod "$V/null" c 1 3
	add /mnt none "$V" bind nosymfollow nodev noexec
	args sh -c 'cat /mnt/f; cat /mnt/link 2>&- || echo no-link; echo x 2>&- >/mnt/null || echo no-dev; /mnt/true 2>&- || echo no-exec'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(tr '\n' ' ' <<<"$output")" = "x no-link no-dev no-exec " ]
}

@test "propagation: rshared goes both ways, rslave only in, rprivate neither; nothing leaks by default" {
	config '.process.capabilities |= map_values(["CAP_SYS_ADMIN"])'
	args sleep 100
	for p in rshared rslave rprivate shared slave private ''; do
		config --arg v "$V" --arg p "$p" '.mounts[7] = {destination: "/mnt", source: $v, options: ["rbind", $p] | map(select(. != ""))}'
		run unshare -m --propagation private bash -ec '
			k() { "$KAVACH" --root "$STATE" "$@"; }
			mount -t tmpfs none "$V"
			mount --make-shared "$V"
			mkdir "$V/in" "$V/out"
			k run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
			mount -t tmpfs none "$V/in"
			k exec "$ID" mount -t tmpfs none /mnt/out
			k exec "$ID" grep -q " /mnt/out " /proc/self/mountinfo
			grep -q " $V/out " /proc/self/mountinfo && echo seen-outside
			k exec "$ID" grep -q " /mnt/in " /proc/self/mountinfo && echo seen-inside
			k exec "$ID" cat /proc/self/mountinfo
			k delete -f "$ID"'
		echo "# $p: $output"
		[ "$status" -eq 0 ]
		case $p in
		*shared) [[ $output == *seen-outside*seen-inside* ]] && [ "$(propagation /mnt)" = "shared " ] ;;
		*slave) [[ $output != *seen-outside* ]] && [[ $output == *seen-inside* ]] && [ "$(propagation /mnt)" = "master " ] ;;
		*private) [[ $output != *seen* ]] && [ -z "$(propagation /mnt)" ] ;;
		'') [[ $output != *seen-outside* ]] ;;
		esac
	done
}

@test "propagation: unbindable, and of new file systems" {
	add /mnt none "$V" bind unbindable
	add /tmp tmpfs tmpfs shared
	inside "${MOUNTINFO[@]}"
	[ "$(propagation /mnt)" = "unbindable " ]
	[ "$(propagation /tmp)" = "shared " ]
}

@test "S-54: rootfsPropagation shared, slave, private, unbindable is the root's" {
	for p in shared rshared private rprivate slave rslave unbindable runbindable; do
		config --arg p "$p" '.linux.rootfsPropagation = $p'
		inside "${MOUNTINFO[@]}"
		case $p in
		*shared) [ "$(propagation /)" = "shared " ] ;;
		*private) [ -z "$(propagation /)" ] ;;
		*slave) [[ $(propagation /) == "" || $(propagation /) == "master " ]] ;;
		*unbindable) [ "$(propagation /)" = "unbindable " ] ;;
		esac
	done
	config '.linux.rootfsPropagation = "nosuch"'
	refused linux.rootfsPropagation nosuch
}

@test "S-54: a shared root does not show the host what the container mounts" {
	config '.linux.rootfsPropagation = "rshared" | .process.capabilities |= map_values(["CAP_SYS_ADMIN"])'
	args sh -c 'mount -t tmpfs none /mnt && sleep 100'
	run unshare -m --propagation private bash -ec '
		mount --bind "$BUNDLE" "$BUNDLE"; mount --make-shared "$BUNDLE"
		cut -d" " -f 1,5 /proc/self/mountinfo | sort >"$V/before"
		"$KAVACH" --root "$STATE" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		for i in 1 2 3 4 5 6 7 8 9 10; do
			"$KAVACH" --root "$STATE" exec "$ID" grep " /mnt " /proc/self/mountinfo && break
			sleep 0.1
		done
		new=$(cut -d" " -f 1,5 /proc/self/mountinfo | sort | comm -13 "$V/before" -)
		[ -z "$new" ]
		"$KAVACH" --root "$STATE" delete -f "$ID"'
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *" /mnt "* ]]
}

@test "S-05: a read-only root refuses writes; the mounts on it do not" {
	own_rootfs
	config '.root.readonly = true'
	add /tmp tmpfs tmpfs
	args sh -c 'echo x 2>&- >/f || echo refused; echo y >/tmp/f; cat /tmp/f; awk "\$5 == \"/\" {print \$6}" /proc/self/mountinfo'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]} ${lines[1]}" = "refused y" ]
	has "${lines[2]}" ro
	config '.root.readonly = false'
	inside sh -c 'echo x >/f; cat /f'
	[ "$output" = x ]
	[ -f "$BUNDLE/rootfs/f" ]
}

@test "S-04: root.path: relative to the bundle, absolute; a file, a missing one, none are refused" {
	config '.root.path = "rootfs"'
	inside true
	echo x >"$BUNDLE/file"
	for p in no-such file ''; do
		config --arg p "$p" '.root.path = $p'
		refused root.path
	done
	config 'del(.root)'
	refused root
}

@test "--no-pivot: the root is entered all the same" {
	args sh -c 'echo $(ls /); cd /..; pwd; ls -d /../proc/self'
	kvrun run --no-pivot -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "$(find "$ROOTFS" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs)" ]
	[ "${lines[1]}" = / ]
	[ "${lines[2]}" = /../proc/self ]
}

@test "tmpcopyup: what the image has there is in the tmpfs, with mode, owner and links; the image is not written" {
	own_rootfs
	mkdir -p "$BUNDLE/rootfs/data/sub/deep"
	echo one >"$BUNDLE/rootfs/data/f"
	echo two >"$BUNDLE/rootfs/data/sub/deep/g"
	chmod 640 "$BUNDLE/rootfs/data/f"
	chown 7:8 "$BUNDLE/rootfs/data/sub"
	chmod 2750 "$BUNDLE/rootfs/data/sub"
	ln -s /etc/passwd "$BUNDLE/rootfs/data/link"
	mkfifo "$BUNDLE/rootfs/data/fifo"
	add /data tmpfs tmpfs tmpcopyup
	config '.process.capabilities |= map_values(["CAP_DAC_OVERRIDE"])'
	inside sh -c 'cd /data; stat -c "%a %u:%g %F %n" f sub link fifo; cat f sub/deep/g; readlink link; echo changed >f; echo new >n
		stat -f -c %T .'
	[ "${lines[0]}" = "640 0:0 regular file f" ]
	[ "${lines[1]}" = "2750 7:8 directory sub" ]
	[ "${lines[2]}" = "777 0:0 symbolic link link" ]
	[[ ${lines[3]} == *" fifo fifo" ]]
	[ "${lines[4]} ${lines[5]} ${lines[6]} ${lines[7]}" = "one two /etc/passwd tmpfs" ]
	[ "$(cat "$BUNDLE/rootfs/data/f")" = one ]
	[ ! -e "$BUNDLE/rootfs/data/n" ]
	# read-only, and a place that does not exist yet
	config '.mounts[7].options = ["tmpcopyup", "ro"]'
	args sh -c 'cat /data/f; echo x 2>&- >/data/f || echo refused'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]} ${lines[1]}" = "one refused" ]
	config '.mounts[7].destination = "/made" | .mounts[7].options = ["tmpcopyup"]'
	inside sh -c 'ls -A /made | wc -l'
	[ "$output" = 0 ]
	config '.mounts[7].type = "ramfs"'
	refused 'mounts[7].options' tmpcopyup
}

@test "S-08: idmap: owners are mapped both ways, below too with ridmap" {
	echo x >"$V/root"
	echo x >"$V/five"
	chown 5:6 "$V/five"
	chmod 777 "$V"
	config --arg v "$V" '.mounts[7] = {destination: "/mnt", source: $v, options: ["bind", "idmap"],
		uidMappings: [{containerID: 0, hostID: 1000, size: 1}, {containerID: 5, hostID: 2000, size: 1}],
		gidMappings: [{containerID: 0, hostID: 1001, size: 1}, {containerID: 6, hostID: 2001, size: 1}]}
		| .process.user = {uid: 1000, gid: 1001}'
	inside sh -c 'stat -c %u:%g /mnt/root /mnt/five; touch /mnt/made'
	[ "${lines[0]} ${lines[1]}" = "1000:1001 2000:2001" ]
	[ "$(stat -c %u:%g "$V/made")" = 0:0 ]
	# a mapping without the option, as configs before 1.2 have it
	config '.mounts[7].options = ["bind"]'
	inside stat -c %u:%g /mnt/five
	[ "$output" = 2000:2001 ]
	# crun's spelling
	config 'del(.mounts[7].uidMappings) | del(.mounts[7].gidMappings) | .mounts[7].options = ["bind", "idmap=uids=0-1000-1#5-2002-1;gids=0-1001-1#6-2003-1"]'
	inside stat -c %u:%g /mnt/five
	[ "$output" = 2002:2003 ]
	# below
	config '.mounts[7].options = ["rbind", "idmap"] | .mounts[7].uidMappings = [{containerID: 0, hostID: 1000, size: 1}]
		| .mounts[7].gidMappings = [{containerID: 0, hostID: 1001, size: 1}]'
	nested='mount -t tmpfs none "$V"; mkdir "$V/a"; mount -t tmpfs none "$V/a"; touch "$V/f" "$V/a/g"'
	inside_ns "$nested" stat -c %u /mnt/f /mnt/a/g
	[ "${lines[0]} ${lines[1]}" = "1000 0" ]
	config '.mounts[7].options = ["rbind", "ridmap"]'
	inside_ns "$nested" stat -c %u /mnt/f /mnt/a/g
	[ "${lines[0]} ${lines[1]}" = "1000 1000" ]
}

@test "S-08: idmap: one map of two, no maps and no user namespace, a file system that cannot are refused" {
	config --arg v "$V" '.mounts[7] = {destination: "/mnt", source: $v, options: ["bind", "idmap"]}'
	refused 'mounts[7].options' idmap
	config '.mounts[7].uidMappings = [{containerID: 0, hostID: 1000, size: 1}]'
	refused 'mounts[7]' gidMappings
	config '.mounts[7].gidMappings = [{containerID: 0, hostID: 1000, size: 1}] | .mounts[7].source = "/proc/sys"'
	refused 'mounts[7]' "id-mapped mounts" /proc/sys
}

@test "S-08: idmap of a new file system: one that can is mapped, with its flags; one that cannot is refused by its place" {
	config '.mounts[7] = {destination: "/mnt", type: "tmpfs", source: "tmpfs", options: ["mode=755"],
		uidMappings: [{containerID: 0, hostID: 1000, size: 1}], gidMappings: [{containerID: 0, hostID: 1001, size: 1}]}
		| .process.user = {uid: 1000, gid: 1001}'
	inside sh -c 'stat -c %u:%g /mnt; touch /mnt/made && stat -c %u:%g /mnt/made'
	[ "${lines[0]} ${lines[1]}" = "1000:1001 1000:1001" ]
	config '.mounts[7].options += ["ro", "idmap"]'
	inside sh -c 'stat -c %u:%g /mnt; touch /mnt/made 2>&- || echo read-only'
	[ "${lines[0]} ${lines[1]}" = "1000:1001 read-only" ]
	config '.mounts[7].options = ["tmpcopyup"] | .mounts[7].destination = "/etc"'
	inside sh -c 'stat -c %u:%g /etc/passwd'
	[ "$output" = 1000:1001 ]
	# an id that no map has cannot be an owner there
	config '.mounts[7].options = ["mode=777"] | .mounts[7].destination = "/mnt" | .process.user = {uid: 5, gid: 5}'
	inside sh -c 'touch /mnt/made 2>&- || echo refused'
	[ "$output" = refused ]
	config '.mounts[7] += {type: "mqueue", source: "mqueue", options: ["nosuid"]}'
	refused 'mounts[7]' 'id-mapped mounts' /mnt
}

@test "S-08: idmap with the container's user namespace: host root's files are root's inside" {
	own_rootfs
	chmod 711 "$BATS_TEST_TMPDIR" "$BUNDLE"
	chown -R -h 100000:100000 "$BUNDLE/rootfs"
	echo x >"$V/f"
	config --arg v "$V" '.mounts[7] = {destination: "/mnt", source: $v, options: ["bind", "idmap"]}
		| .linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	inside sh -c 'stat -c %u:%g /mnt/f; echo y >>/mnt/f; touch /mnt/made'
	[ "$output" = 0:0 ]
	[ "$(stat -c %u:%g "$V/made")" = 0:0 ]
	config '.mounts[7].options = ["bind"]'
	inside stat -c %u:%g /mnt/f
	[ "$output" = 65534:65534 ]
}

@test "S-55: masked files are empty, masked directories too; missing ones and duplicates do not matter" {
	own_rootfs
	echo secret >"$BUNDLE/rootfs/secret"
	mkdir "$BUNDLE/rootfs/hidden"
	echo secret >"$BUNDLE/rootfs/hidden/f"
	config '.linux.maskedPaths += ["/secret", "/secret", "/hidden", "/hidden/", "/no/such/path", "/proc/keys"]'
	args sh -c 'cat /secret; ls -A /hidden; cat /proc/keys; echo x 2>&- >/hidden/new || echo refused; echo x >/secret; cat /secret'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = refused ]
	[ "$(cat "$BUNDLE/rootfs/secret")" = secret ]
	config '.linux.maskedPaths = ["relative"]'
	refused 'linux.maskedPaths[0]' relative
}

@test "S-55: read-only paths: files, directories and what is mounted below cannot be written" {
	own_rootfs
	mkdir -p "$BUNDLE/rootfs/dir/sub"
	echo x >"$BUNDLE/rootfs/file"
	config '.linux.readonlyPaths += ["/file", "/dir", "/dir", "/no/such"]'
	args sh -c 'for f in /file /dir/f /dir/sub/f /proc/sys/kernel/hostname; do echo y 2>&- >$f || echo refused; done; cat /file
		echo y >/ok'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$(tr '\n' ' ' <<<"$output")" = "refused refused refused refused x " ]
	[ -e "$BUNDLE/rootfs/ok" ]
	config '.linux.readonlyPaths = ["rel"]'
	refused 'linux.readonlyPaths[0]'
}

@test "the cgroup mount: every hierarchy, the container's own part, read-only as asked or writable" {
	inside sh -c 'cat /proc/self/mountinfo; ls /sys/fs/cgroup; mkdir /sys/fs/cgroup/pids/x 2>/dev/null || echo refused'
	[[ $output == *refused* ]]
	[ ! -d /sys/fs/cgroup/pids ] || {
		has "$(mount_opts /sys/fs/cgroup/pids)" ro
		has "$(mount_opts /sys/fs/cgroup/pids)" nosuid
	}
	for d in /sys/fs/cgroup/*/; do
		[[ $output == *"${d%/} "* ]]
	done
	config '(.mounts[] | select(.type == "cgroup")).options = ["nosuid", "noexec", "nodev", "rw"]
		| .process.capabilities |= map_values(["CAP_DAC_OVERRIDE"])'
	inside sh -c 'cd /sys/fs/cgroup; [ ! -d pids ] || cd pids; cat cgroup.procs | grep -x 1 && mkdir x && ls -d x && rmdir x'
	[ "${lines[0]} ${lines[1]}" = "1 x" ]
}

@test "remount changes the flags of what an earlier entry mounted" {
	add /mnt tmpfs tmpfs nosuid
	add /mnt none none remount ro nosuid noexec
	inside "${MOUNTINFO[@]}"
	has "$(mount_opts /mnt)" ro
	has "$(mount_opts /mnt)" noexec
	has "$(mount_opts /mnt)" nosuid
	config '.mounts[8].destination = "/etc"'
	refused 'mounts[8]'
}

@test "crun's options: copy-symlink, src-nofollow and dest-nofollow" {
	own_rootfs
	echo data >"$V/real"
	ln -s real "$V/link"
	add /copied none "$V/link" bind copy-symlink
	inside readlink /copied
	[ "$output" = real ]
	config '.mounts[7].options = ["bind", "src-nofollow"]'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	ln -s /etc "$BUNDLE/rootfs/elsewhere"
	config --arg v "$V" '.mounts[7] = {destination: "/elsewhere", source: $v, options: ["bind"]}'
	inside cat /etc/real
	[ "$output" = data ]
	config '.mounts[7].options += ["dest-nofollow"]'
	args cat /etc/hostname
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || [ "$output" = kavach ]
}

@test "S-34: default devices are there whatever the config says, with type, number and mode" {
	for devs in '[]' 'null'; do
		config '.linux.devices = '"$devs"
		inside sh -c 'cd /dev; stat -c "%n %t:%T %a %u:%g" null zero full random urandom tty'
		[ "$(tr '\n' ';' <<<"$output")" = "null 1:3 666 0:0;zero 1:5 666 0:0;full 1:7 666 0:0;random 1:8 666 0:0;urandom 1:9 666 0:0;tty 5:0 666 0:0;" ]
	done
	inside sh -c 'echo x >/dev/null && head -c 2 /dev/zero | wc -c && head -c 3 /dev/urandom | wc -c'
	[ "${lines[0]} ${lines[1]}" = "2 3" ]
}

@test "S-35: links in /dev, ptmx, and no console without a terminal" {
	inside sh -c 'cd /dev; for l in fd stdin stdout stderr ptmx; do readlink $l; done; ls console 2>&- || echo none'
	[ "$(tr '\n' ' ' <<<"$output")" = "/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2 pts/ptmx none " ]
}

@test "S-33: devices: number, mode, owner; fifos; other directories; block devices" {
	config '.linux.devices = [
		{path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 384, uid: 7, gid: 8},
		{path: "/dev/dir/deep", type: "u", major: 1, minor: 3},
		{path: "/dev/pipe", type: "p", fileMode: 416},
		{path: "/tmp/outside", type: "c", major: 1, minor: 3, fileMode: 438},
		{path: "/dev/loop", type: "b", major: 7, minor: 0, fileMode: 0}]
		| .mounts += [{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	inside sh -c 'stat -c "%n %F %t:%T %a %u:%g" /dev/mine /dev/dir/deep /dev/pipe /tmp/outside /dev/loop; echo x >/tmp/outside'
	[ "${lines[0]}" = "/dev/mine character special file 1:5 600 7:8" ]
	[ "${lines[1]}" = "/dev/dir/deep character special file 1:3 666 0:0" ]
	[[ ${lines[2]} == "/dev/pipe fifo "*" 640 0:0" ]]
	[ "${lines[3]}" = "/tmp/outside character special file 1:3 666 0:0" ]
	[ "${lines[4]}" = "/dev/loop block special file 7:0 0 0:0" ]
}

@test "S-33: a device that exists is kept if it is the same and refused if it differs" {
	own_rootfs
	mknod -m 600 "$BUNDLE/rootfs/same" c 1 3
	mknod "$BUNDLE/rootfs/other" c 1 5
	echo x >"$BUNDLE/rootfs/plain"
	config '.linux.devices = [{path: "/same", type: "c", major: 1, minor: 3}]'
	inside stat -c %t:%T /same
	[ "$output" = 1:3 ]
	for f in other plain etc; do
		config --arg p "/$f" '.linux.devices[0].path = $p'
		refused "/$f"
	done
	config '.linux.devices = [{path: "/dev/a", type: "c", major: 1, minor: 3}, {path: "/dev/a", type: "c", major: 1, minor: 5}]'
	refused 'linux.devices[1]' /dev/a
	config '.linux.devices = [{path: "/dev/a", type: "c"}]'
	refused 'linux.devices[0]' major
	config '.linux.devices = [{path: "dev/a", type: "c", major: 1, minor: 3}]'
	refused 'linux.devices[0].path'
	config '.linux.devices = [{path: "/dev/a", type: "x", major: 1, minor: 3}]'
	refused 'linux.devices[0].type'
}

@test "S-33: devices in a user namespace are the host's, bound, and the host's keep their owner" {
	own_rootfs
	chmod 711 "$BATS_TEST_TMPDIR" "$BUNDLE"
	chown -R -h 100000:100000 "$BUNDLE/rootfs"
	before=$(stat -c '%u:%g %a' /dev/null /dev/zero /dev/full)
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.devices = [{path: "/dev/full", type: "c", major: 1, minor: 7}]'
	inside sh -c 'cd /dev; stat -c "%n %t:%T" null zero full; echo x >null; chown 5 null 2>/dev/null; chmod 600 null 2>/dev/null; true'
	[ "$(tr '\n' ';' <<<"$output")" = "null 1:3;zero 1:5;full 1:7;" ]
	[ "$(stat -c '%u:%g %a' /dev/null /dev/zero /dev/full)" = "$before" ]
}

@test "the host's mount table is as before, after success and after failure" {
	args true
	add /tmp tmpfs tmpfs
	add /mnt none "$V" rbind rshared
	# in a table of the test's own: others mount too
	run unshare -m --propagation private bash -c '
		mount -t tmpfs none "$V"; mount --make-shared "$V"
		cut -d" " -f 1,5 /proc/self/mountinfo | sort >"$STATE.before"
		"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" || exit 1
		jq ".mounts[7].options = [\"nosuchoption\"]" "$BUNDLE/config.json" >"$BUNDLE/bad.json"
		"$KAVACH" --root "$STATE" run -b "$BUNDLE" -f bad.json "$ID" 2>&1 && exit 1
		new=$(cut -d" " -f 1,5 /proc/self/mountinfo | sort | comm -13 "$STATE.before" -)
		[ -z "$new" ]'
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *nosuchoption* ]]
}
