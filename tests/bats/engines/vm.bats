#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach-vm as podman's runtime: each container in a microVM of its own, emulated where there is no KVM. One VM serves as
# many cases as it can: a boot takes seconds there.

load podman

# why there can be no VM here
missing() {
	if ! command -v qemu-system-x86_64 >/dev/null; then
		echo "needs qemu-system-x86_64"
	elif [ ! -e "$KAVACH_BUILD/guest/guest.json" ]; then
		echo "needs a guest image: make guest"
	fi
}

setup_file() {
	[ -z "$(missing)" ] || return 0
	# conmon passes no environment on
	ENGINE_RUNTIME=$BATS_FILE_TMPDIR/kavach-vm
	export ENGINE_RUNTIME
	printf '#!/bin/bash\nKAVACH_GUEST=%q exec -a kavach-vm %q "$@"\n' "$KAVACH_BUILD/guest" "$KAVACH" >"$ENGINE_RUNTIME"
	chmod 755 "$ENGINE_RUNTIME"
	setup_podman
}
teardown_file() { teardown_podman; }

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	pod_command
	NAME=v$BATS_TEST_NUMBER
}

teardown() {
	[ -n "${NAME:-}" ] || return 0
	pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true
}

quick() { podrun run --rm --network none "$@"; }
background() { pod run -d --name "$NAME" --network none "$@" >"$BATS_TEST_TMPDIR/id"; }
inspect() { pod inspect -f "$1" "$NAME"; }
status_is() { [ "$(inspect '{{.State.Status}}')" = "$1" ]; }
logs_have() { pod logs "$NAME" 2>&1 | grep -q -- "$1"; }

@test "run: output, environment, user, status of the program in its own kernel" {
	quick --env COLOR=blue --user 5:6 "$IMAGE" sh -c 'uname -r; echo $COLOR; id -u; id -g; echo err >&2; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *blue* && $output == *$'\n5\n6'* && $output == *err* ]]
	[[ $output != *"$(uname -r)"* ]]
}

@test "run: standard input goes in, and its end" {
	run pod run --rm -i --network none "$IMAGE" sh -c 'wc -c; echo done' < <(head -c 300000 /dev/zero)
	[ "$status" -eq 0 ]
	[[ $output == *300000*done* ]]
}

@test "run: a read-only root with a tmpfs in it; memory that runs out" {
	quick --read-only --tmpfs /scratch --memory 64m "$IMAGE" sh -c \
		'touch /x 2>/dev/null || echo refused; echo kept >/scratch/f; cat /scratch/f; x=x; while :; do x=$x$x; done'
	[ "$status" -eq 137 ]
	[[ $output == *refused*kept* ]]
}

@test "run: a program that is not there is 127, one that may not be run is 126" {
	quick "$IMAGE" /no/such/program
	[ "$status" -eq 127 ]
	quick "$IMAGE" /etc/passwd
	[ "$status" -eq 126 ]
}

@test "background: exec, files in and out, volumes, logs, limits, pause, kill" {
	local vol=$BATS_TEST_TMPDIR/vol
	mkdir "$vol"
	echo from the host >"$vol/in"
	chown 5:6 "$vol/in"
	background -v "$vol:/vol" --memory 96m --pids-limit 40 --hostname box "$IMAGE" sh -c \
		'trap "echo got usr1" USR1; echo started; while :; do sleep 0.1; done'
	wait_for 20 logs_have started

	podrun exec "$NAME" sh -c 'cat /vol/in; stat -c %u:%g /vol/in; hostname; echo made inside >/vol/out; exit 5'
	[ "$status" -eq 5 ]
	[[ $output == *"from the host"*5:6*box* ]]
	[ "$(cat "$vol/out")" = "made inside" ]
	podrun exec "$NAME" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
	[[ $output == *100663296*40* ]]
	podrun exec "$NAME" /no/such
	[ "$status" -eq 127 ]
	run pod exec -i "$NAME" cat <<<"through exec"
	[ "$output" = "through exec" ]
	podrun exec -t "$NAME" sh -c 'test -t 0 && tty'
	[[ $output == */dev/pts/* ]]

	echo copied >"$BATS_TEST_TMPDIR/file"
	pod cp "$BATS_TEST_TMPDIR/file" "$NAME:/root/file"
	podrun exec "$NAME" cat /root/file
	[ "$output" = copied ]
	pod exec "$NAME" sh -c 'echo back >/root/file'
	pod cp "$NAME:/root/file" "$BATS_TEST_TMPDIR/back"
	[ "$(cat "$BATS_TEST_TMPDIR/back")" = back ]
	podrun diff "$NAME"
	[[ $output == *"/root/file"* ]]

	pod kill -s USR1 "$NAME"
	wait_for 10 logs_have "got usr1"
	pod pause "$NAME"
	status_is paused
	pod unpause "$NAME"
	podrun exec "$NAME" echo alive
	[ "$output" = alive ]
	pod kill "$NAME"
	wait_for 20 status_is exited
	[ "$(inspect '{{.State.ExitCode}}')" = 137 ]
}

@test "stop, start, restart: what was written is there, the status is the program's" {
	background "$IMAGE" sh -c 'cat /kept 2>/dev/null; echo boot >>/kept; trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 20 logs_have ready
	pod stop -t 20 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 9 ]
	pod start "$NAME"
	wait_for 20 logs_have '^boot'
	pod commit -q "$NAME" localhost/vm-commit
	quick localhost/vm-commit cat /kept
	[ "${lines[0]}" = boot ]
	pod rm -f -t 0 "$NAME"
	[ -z "$(leftovers)" ]
}

# the one who types: when the program waits for it; then holds the line until it has ended
typist() {
	wait_for 60 logs_have "33 77"
	echo typed
	wait_for 60 logs_have "got typed"
}

@test "a terminal: its size and what is typed reach the program" {
	command -v script >/dev/null || skip "needs script"
	run script -qec "stty rows 33 cols 77; ${POD[*]} run --name $NAME -it --network none $IMAGE \
		sh -c 'until stty size | grep 33; do sleep 0.1; done; read -r x; echo got \$x'" /dev/null < <(typist)
	[[ $output == *"33 77"* ]]
	[[ $output == *"got typed"* ]]
}
