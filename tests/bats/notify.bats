#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# B-09: readiness (sd_notify) from the container to the service manager.

load helpers

setup_file() {
	setup_rootfs
	compile_tool notify "$ROOTFS/bin/notify"
}

setup() {
	requires_root
	setup_kavach
	MANAGER=$BATS_TEST_TMPDIR/manager.sock
	# a service manager: prints each datagram, closes what comes with BARRIER=1
	python3 - "$MANAGER" >"$BATS_TEST_TMPDIR/got" 3>&- <<'PY' &
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    data, anc, _, _ = s.recvmsg(4096, socket.CMSG_SPACE(16))
    print(data.decode().strip(), flush=True)
    for level, kind, d in anc:
        for fd in array.array("i", d[:4]):
            os.close(fd)
    if data.startswith(b"BARRIER"):
        break
PY
	PY=$!
	wait_for 5 test -S "$MANAGER"
}

teardown() {
	kill "$PY" 2>/dev/null || true
	teardown_kavach
}

got() { [ "$(tr '\n' ' ' <"$BATS_TEST_TMPDIR/got")" = "$1" ]; }

@test "B-09: run -d returns when the container is ready; only READY, MAINPID and the barrier pass" {
	args sh -c 'notify STATUS=evil MAINPID=1; sleep 0.3; notify "STATUS=x
READY=1"; sleep 100'
	NOTIFY_SOCKET=$MANAGER kv run -d -b "$BUNDLE" "$ID"
	wait_for 5 got "READY=1 MAINPID=$(kv state "$ID" | jq .pid) BARRIER=1 "
}

@test "B-09: create, then start with NOTIFY_SOCKET, as another user in the container" {
	args sh -c 'echo $NOTIFY_SOCKET; notify READY=1; touch /run/notify/x; sleep 100'
	config '.process.user = {uid: 1000, gid: 1000}'
	NOTIFY_SOCKET=$MANAGER kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1
	NOTIFY_SOCKET=$MANAGER kv start "$ID"
	wait_for 5 got "READY=1 MAINPID=$(kv state "$ID" | jq .pid) BARRIER=1 "
	wait_for 5 grep -q "Read-only" "$BATS_TEST_TMPDIR/out"
	[ "$(head -n 1 "$BATS_TEST_TMPDIR/out")" = /run/notify/notify.sock ]
}

@test "B-09: in the foreground the container is told apart from its end" {
	args sh -c 'notify READY=1; exit 3'
	run env NOTIFY_SOCKET="$MANAGER" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$status" -eq 3 ]
	args sh -c 'exit 4' # ends without a word: nobody waits for it
	run env NOTIFY_SOCKET="$MANAGER" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$status" -eq 4 ]
	run env NOTIFY_SOCKET="$MANAGER" "$KAVACH" --root "$STATE" run -d -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "B-09: without NOTIFY_SOCKET nothing of it is in the container" {
	args sh -c 'echo "[$NOTIFY_SOCKET]"; grep /run/notify /proc/mounts'
	[ "$(kv run -b "$BUNDLE" "$ID")" = "[]" ]
}
