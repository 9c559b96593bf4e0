#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# checkpoint and restore with the true CRIU: by kavach itself, and by podman (K-08). tests/bats/checkpoint.bats has what
# becomes of CRIU's errors.

bats_require_minimum_version 1.5.0
: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
load ../bats/helpers
load ../bats/engines/podman

setup_file() {
	setup_rootfs
	compile_tool lock "$BATS_FILE_TMPDIR/lock"
	# CRIU looks whether it works
	modprobe tun || true
	setup_podman
}

teardown_file() { teardown_podman; }

setup() {
	requires_root
	command -v criu >/dev/null || skip "needs criu"
	setup_kavach
	pod_command
	NAME=c$BATS_TEST_NUMBER
	IMAGES=$BATS_TEST_TMPDIR/images
	OUT=$BATS_TEST_TMPDIR/out
	: >"$OUT"
}

teardown() {
	pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true
	[ -z "${NETNS:-}" ] || ip netns del "$NETNS"
	teardown_kavach
}

COUNT='i=0; while :; do i=$((i+1)); echo $i; sleep 0.3; done'

# into_pipe FILE COMMAND...: standard output is a pipe to somebody who writes the file
into_pipe() {
	local file=$1
	shift
	"$@" > >(exec cat >>"$file" 3>&-) 2>&1 </dev/null
}

lines_in() { [ "$(grep -c . "$1")" -ge "$2" ]; }

# counting [OPTION...]: a container that counts into $OUT
counting() {
	args sh -c "$COUNT"
	into_pipe "$OUT" kv "$@" run -d -b "$BUNDLE" "$ID"
	wait_for 60 lines_in "$OUT" 2
}

checkpoint() {
	kvrun checkpoint --image-path "$IMAGES" "$@" "$ID"
	[ "$status" -eq 0 ] || grep -E 'Error|Warn' "$IMAGES/dump.log" | sed 's/^/# /'
	[ "$status" -eq 0 ]
}

restore_failed() {
	cat "$OUT"
	grep -E 'Error|Warn' "$IMAGES/restore.log"
	return 1
}

# restored [OPTION...]: makes it again, and it goes on counting where it was, into $OUT.2
restored() {
	local last
	last=$(tail -n 1 "$OUT")
	into_pipe "$OUT.2" kv "$@" restore -d -b "$BUNDLE" --image-path "$IMAGES" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" ||
		{ cat "$OUT.2" && restore_failed; }
	wait_for 60 lines_in "$OUT.2" 2
	[ "$(head -n 1 "$OUT.2")" -gt "$last" ]
	[ "$(head -n 1 "$OUT.2")" -le $((last + 2)) ]
	status_is running
}

# cgroup_is PATH: of the restored process, and it is the only one there
cgroup_is() {
	[ "$(cat "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/cgroup")" = "0::$1" ]
	grep -qx "$(cat "$BATS_TEST_TMPDIR/pid")" "/sys/fs/cgroup$1/cgroup.procs"
}

@test "a counting shell goes on where it was: new pipe, cgroup, confinement, pid file, exec" {
	kvrun checkpoint --help
	[ "$status" -eq 0 ]
	counting
	kv exec "$ID" grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/1/status >"$BATS_TEST_TMPDIR/before"
	checkpoint --leave-running
	status_is running
	rm -r "$IMAGES"
	checkpoint
	[ -z "$(kv list -q)" ]
	[ ! -e "/sys/fs/cgroup$CG/$ID" ]
	restored
	[ "$(kv state "$ID" | jq .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
	cgroup_is "$CG/$ID"
	kv exec "$ID" grep -E '^(Cap|NoNewPrivs|Seccomp:)' /proc/1/status | diff - "$BATS_TEST_TMPDIR/before"
	# masked, read-only root, read-only path
	kvrun exec "$ID" sh -c 'cat /proc/kcore | wc -c; touch /x; echo 1 >/proc/sys/kernel/domainname'
	[[ $output == 0*/x*"Read-only file system"*domainname*"Read-only file system"* ]]
	kv pause "$ID"
	status_is paused
	kv resume "$ID"
	kv kill "$ID" KILL
	wait_for 60 status_is stopped
	kv delete "$ID"
}

@test "a bind mount, a tmpfs with a file, a lock, a filter, a file as output; the foreground ends with its status" {
	mkdir "$BATS_TEST_TMPDIR/data"
	echo hello >"$BATS_TEST_TMPDIR/data/f"
	cp "$BATS_FILE_TMPDIR/lock" "$BATS_TEST_TMPDIR/data/"
	config --arg s "$BATS_TEST_TMPDIR/data" '.mounts += [{destination: "/data", source: $s, type: "bind", options: ["rbind", "ro"]},
		{destination: "/tmp", source: "tmpfs", type: "tmpfs"}]
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["reboot"], action: "SCMP_ACT_ERRNO"}]}'
	args sh -c 'echo kept >/tmp/f; exec /data/lock /tmp/lock sh -c "echo ready
		while [ ! -e /data/stop ]; do sleep 0.2; done; cat /tmp/f /data/f; exit 5"'
	kv run -d -b "$BUNDLE" "$ID" >"$OUT" 2>&1 </dev/null
	wait_for 60 grep -q ready "$OUT"
	checkpoint --file-locks
	kv restore -b "$BUNDLE" --image-path "$IMAGES" --file-locks "$ID" >>"$OUT" 2>&1 </dev/null 3>&- &
	wait_for 60 status_is running || restore_failed
	# it is on record a moment before it gets its filter and goes on
	wait_for 60 grep -q '^Seccomp:.*2' "/proc/$(kv state "$ID" | jq .pid)/status"
	kvrun exec "$ID" sh -c '/data/lock /tmp/lock true; touch /data/x'
	[[ $output == *locked*"Read-only file system"* ]]
	touch "$BATS_TEST_TMPDIR/data/stop"
	status=0
	wait $! || status=$?
	cat "$OUT"
	[ "$status" -eq 5 ]
	[ "$(tr '\n' ' ' <"$OUT")" = 'ready kept hello ' ]
	[ -z "$(kv list -q)" ]
}

@test "a pre-dump and a dump that builds on it; an established connection over loopback" {
	# nc -l sends each line back; both ends are in the container
	args sh -c '(nc -l -p 7000 -e cat &) ; mkfifo /tmp/in
		until netstat -tln | grep -q :7000; do sleep 0.2; done
		nc 127.0.0.1 7000 </tmp/in >/tmp/reply & exec 8>/tmp/in; while :; do sleep 1000; done'
	config '.mounts += [{destination: "/tmp", source: "tmpfs", type: "tmpfs"}]'
	kv run -d -b "$BUNDLE" "$ID" >"$OUT" 2>&1 </dev/null
	wait_for 60 kv exec "$ID" sh -c 'netstat -tn | grep -q 7000.*ESTABLISHED'
	kv exec "$ID" sh -c 'echo one >/tmp/in; until grep -q one /tmp/reply; do sleep 0.2; done'
	kvrun checkpoint --image-path "$IMAGES/0" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"tcp-established"* ]]
	status_is running
	kvrun checkpoint --pre-dump --image-path "$IMAGES/1" --tcp-established "$ID"
	[ "$status" -eq 0 ]
	status_is running
	kvrun checkpoint --image-path "$IMAGES/2" --parent-path ../1 --tcp-established "$ID"
	[ "$status" -eq 0 ]
	[ -e "$IMAGES/2/parent/inventory.img" ]
	kv restore -d -b "$BUNDLE" --image-path "$IMAGES/2" --tcp-established "$ID" >>"$OUT" 2>&1 </dev/null ||
		{ IMAGES=$IMAGES/2 restore_failed; }
	kv exec "$ID" sh -c 'echo two >/tmp/in; until grep -q two /tmp/reply; do sleep 0.2; done'
}

# serve SOCKET WORD FILE: takes the terminal, writes the word to it, and makes the file when it was answered
serve() {
	cat >"$BATS_TEST_TMPDIR/console.py" <<-'END'
		import array, os, socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(1)
		c, _ = s.accept()
		msg, anc, _, _ = c.recvmsg(256, socket.CMSG_SPACE(4))
		fd = array.array("i", anc[0][2])[0]
		seen = b""
		os.write(fd, sys.argv[2].encode() + b"\n")
		while b"got " + sys.argv[2].encode() not in seen:
		    seen += os.read(fd, 4096)
		open(sys.argv[3], "w").write("yes")
		while os.path.exists(sys.argv[3]):
		    time.sleep(0.1)
	END
	python3 "$BATS_TEST_TMPDIR/console.py" "$@" 3>&- &
	wait_for 60 test -S "$1"
}

@test "a terminal: its master goes to the console socket" {
	config '.process.terminal = true'
	args sh -c 'while read -r l; do echo "got $l"; done'
	serve "$BATS_TEST_TMPDIR/s1" one "$BATS_TEST_TMPDIR/seen1"
	kv run -d --console-socket "$BATS_TEST_TMPDIR/s1" -b "$BUNDLE" "$ID"
	wait_for 60 test -e "$BATS_TEST_TMPDIR/seen1"
	checkpoint
	rm "$BATS_TEST_TMPDIR/seen1"
	wait
	serve "$BATS_TEST_TMPDIR/s2" two "$BATS_TEST_TMPDIR/seen2"
	kv restore -d --console-socket "$BATS_TEST_TMPDIR/s2" -b "$BUNDLE" --image-path "$IMAGES" "$ID" >"$OUT" 2>&1 </dev/null ||
		restore_failed
	wait_for 60 test -e "$BATS_TEST_TMPDIR/seen2"
	rm "$BATS_TEST_TMPDIR/seen2"
}

@test "a joined network namespace is joined again; images that allow more than config.json are refused" {
	NETNS=ckpt$$
	ip netns add "$NETNS"
	config --arg p "/run/netns/$NETNS" '.linux.namespaces |= map(if .type == "network" then .path = $p else . end)
		| .process.noNewPrivileges = false | .process.capabilities.bounding += ["CAP_SYS_ADMIN"]'
	counting
	checkpoint
	restored
	[ "$(stat -L -c %i "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/ns/net")" = "$(stat -c %i "/run/netns/$NETNS")" ]
	kv delete --force "$ID"
	config '.process.noNewPrivileges = true'
	kv restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID" >"$OUT" 2>&1 </dev/null && return 1
	grep -q 'no new privileges: expected set, found not set' "$OUT"
	config '.process.noNewPrivileges = false | .process.capabilities.bounding -= ["CAP_SYS_ADMIN"]'
	kv restore -d -b "$BUNDLE" --image-path "$IMAGES" "$ID" >"$OUT" 2>&1 </dev/null && return 1
	grep -q 'capabilities, permitted: .*also SYS_ADMIN' "$OUT"
	[ -z "$(kv list -q)" ]
	[ ! -e "/sys/fs/cgroup$CG/$ID" ]
}

@test "a scope of systemd: gone with the checkpoint, made anew by the restore, with the group in it" {
	local unit=pod-$ID.scope
	config '.linux.cgroupsPath = "system.slice:pod:'"$ID"'" | .linux.resources.pids.limit = 50
		| .annotations["run.oci.systemd.subgroup"] = "inner"'
	counting --systemd-cgroup
	checkpoint
	[ "$(systemctl show -P LoadState "$unit")" = not-found ]
	restored --systemd-cgroup
	[ "$(systemctl show -P ActiveState "$unit")" = active ]
	[ "$(systemctl show -P ControlGroup "$unit")" = "/system.slice/$unit" ]
	[ "$(systemctl show -P Delegate "$unit")" = yes ]
	[ "$(cat "/sys/fs/cgroup/system.slice/$unit/pids.max")" = 50 ]
	cgroup_is "/system.slice/$unit/inner"
	kv exec "$ID" true
	kv delete --force "$ID"
	[ ! -e "/sys/fs/cgroup/system.slice/$unit" ]
}

# logged N: the container has counted that far
logged() { [ "$(pod logs "$NAME" 2>/dev/null | tail -n 1)" -ge "$1" ] 2>/dev/null; }
pod_counting() {
	pod run -d --name "$NAME" --network none "$IMAGE" sh -c "$COUNT" >/dev/null
	wait_for 60 logged 2
}
state_of() { pod inspect -f '{{.State.Status}}' "$NAME"; }

@test "podman: checkpoint --keep, --export; restore, and of the export" {
	local last
	pod_counting
	podrun container checkpoint --keep "$NAME"
	[ "$status" -eq 0 ]
	[ "$(state_of)" = exited ]
	last=$(pod logs "$NAME" | tail -n 1)
	podrun container restore --keep "$NAME"
	[ "$status" -eq 0 ]
	wait_for 60 logged $((last + 2))
	[ "$(state_of)" = running ]
	podrun exec "$NAME" true
	[ "$status" -eq 0 ]
	podrun container checkpoint --export "$BATS_TEST_TMPDIR/c.tar.gz" "$NAME"
	[ "$status" -eq 0 ]
	pod rm -f -t 0 "$NAME" >/dev/null
	podrun container restore --import "$BATS_TEST_TMPDIR/c.tar.gz" --name "$NAME"
	[ "$status" -eq 0 ]
	wait_for 60 logged $((last + 4))
}
