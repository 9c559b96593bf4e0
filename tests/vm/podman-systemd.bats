#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Podman with the systemd cgroup manager: as root, and as an ordinary user who has logged in. What systemd believes and
# what the kernel has must be the same, before and after a daemon-reload.

# the helper lies one folder deeper
: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
load ../bats/engines/podman

export POD_CGROUPS=systemd
SCRIPT='trap "exit 0" TERM; while :; do sleep 0.2; done'

setup_file() {
	[ "$(cat /proc/1/comm)" = systemd ] || skip "systemd is not process 1"
	setup_podman
	USERDIR=$(mktemp -d /var/tmp/kavach-user.XXXXXX)
	export USERDIR
	chmod 0755 "$USERDIR"
	grep -v ^default_ulimits "$CONTAINERS_CONF" >"$USERDIR/containers.conf"
	cp "$BATS_FILE_TMPDIR"/images/*.tar "$USERDIR/busybox.tar"
	chown -R tester: "$USERDIR"
}

teardown_file() {
	[ -n "${USERDIR:-}" ] || return 0
	in_session 'podman rm -a -f -t 0; podman system migrate' >/dev/null 2>&1 || true
	rm -rf "$USERDIR"
	teardown_podman
}

setup() {
	pod_command
	NAME=c$BATS_TEST_NUMBER
}

teardown() {
	pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true
	run systemctl list-units --failed --no-legend 'libpod-*'
	[ -z "$output" ]
}

# in_session SCRIPT: as tester, in a session of logind's: pam_systemd makes it, as it does for who logs in
in_session() {
	systemd-run --quiet --pipe --wait --collect --property=User=tester --property=PAMName=login \
		--working-directory=/home/tester --setenv=HOME=/home/tester --setenv=PATH="$PATH" \
		--setenv=CONTAINERS_CONF="$USERDIR/containers.conf" --setenv=NAME="$NAME" --setenv=IMAGE="$IMAGE" \
		--setenv=ARCHIVE="$USERDIR/busybox.tar" --setenv=SCRIPT="$SCRIPT" \
		bash -ec 'podman() { command podman --cgroup-manager systemd --events-backend file --runtime kavach "$@"; }
			'"$1" </dev/null 2>&1
}

unit() { echo "libpod-$(pod inspect -f '{{.Id}}' "$NAME").scope"; }

# says NAME VALUE: systemd, of the container's scope
says() {
	local got
	got=$(systemctl show -P "$1" "$(unit)")
	echo "# $1: $got"
	[ "$got" = "$2" ]
}

# has FILE VALUE: the kernel, of the container's cgroup
has() {
	local got
	got=$(cat "/sys/fs/cgroup$(systemctl show -P ControlGroup "$(unit)")/$1")
	echo "# $1: $got"
	[ "$got" = "$2" ]
}

@test "run: output and status; nothing is left of the scope" {
	podrun run --name "$NAME" --network none "$IMAGE" sh -c 'cat /proc/self/cgroup; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *0::/* ]]
	scope=$(unit)
	pod rm "$NAME"
	[ "$(systemctl show -P LoadState "$scope")" = not-found ]
}

@test "limits: the same for systemd and for the kernel, with exec, update, daemon-reload, stats, pause, kill and rm" {
	pod run -d --name "$NAME" --network none --memory 64m --memory-reservation 32m --pids-limit 50 --cpus 0.5 \
		--cpu-shares 2048 --cpuset-cpus 0 "$IMAGE" sh -c "$SCRIPT"
	says ControlGroup "/machine.slice/$(unit)"
	says Delegate yes
	says MemoryMax 67108864
	says MemoryLow 33554432
	says TasksMax 50
	says CPUQuotaPerSecUSec 500ms
	says CPUWeight 174
	says AllowedCPUs 0
	for _ in 1 2; do
		has memory.max 67108864
		has memory.low 33554432
		has pids.max 50
		has cpu.max '50000 100000'
		has cpu.weight 174
		has cpuset.cpus 0
		systemctl daemon-reload
	done
	podrun exec "$NAME" sh -c 'cat /sys/fs/cgroup/memory.max; cat /proc/self/cgroup; exit 3'
	[ "$status" -eq 3 ]
	[ "${lines[0]}" = 67108864 ]
	[ "${lines[1]}" = "0::/" ]
	podrun stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$NAME"
	[[ $output =~ ^[1-9].*67 ]]
	pod update --memory 128m --pids-limit 20 --cpus 0.2 "$NAME"
	says MemoryMax 134217728
	says TasksMax 20
	says CPUQuotaPerSecUSec 200ms
	systemctl daemon-reload
	has memory.max 134217728
	has pids.max 20
	has cpu.max '20000 100000'
	pod pause "$NAME"
	has cgroup.freeze 1
	pod unpause "$NAME"
	pod kill -s TERM "$NAME"
	[ "$(pod wait "$NAME")" = 0 ]
	scope=$(unit)
	pod rm "$NAME"
	[ "$(systemctl show -P LoadState "$scope")" = not-found ]
}

@test "--cgroup-parent: nested slices" {
	pod run -d --name "$NAME" --network none --cgroup-parent kvpod-a.slice "$IMAGE" sleep 1000
	says ControlGroup "/kvpod.slice/kvpod-a.slice/$(unit)"
}

@test "a pod is a slice, its containers are scopes in it" {
	pod pod create --name p1 --network none --share net,ipc,uts
	pod run -d --pod p1 --name "$NAME" "$IMAGE" sleep 1000
	[[ $(systemctl show -P Slice "$(unit)") == machine-libpod_pod_*.slice ]]
	pod exec "$NAME" true
	pod pod rm -f -t 0 p1
}

@test "memory: the kernel kills one process, and systemd leaves the others alone" {
	# that podman tells of it is shown in podman.bats
	pod run -d --name "$NAME" --network none --memory 32m --memory-swap 32m "$IMAGE" sh -c "tail /dev/zero; $SCRIPT"
	killed() { grep -q '^oom_kill [1-9]' "/sys/fs/cgroup$(systemctl show -P ControlGroup "$(unit)")/memory.events"; }
	wait_for 60 killed
	says ActiveState active
	[ "$(pod inspect -f '{{.State.Running}}' "$NAME")" = true ]
	pod kill "$NAME"
	[ "$(pod wait "$NAME")" = 137 ]
}

@test "systemd runs in a container: its own cgroup tree is its to change" {
	pod run -d --name "$NAME" --network none --systemd always "$IMAGE" sh -c "mkdir /sys/fs/cgroup/x && $SCRIPT"
	wait_for 10 pod exec "$NAME" test -d /sys/fs/cgroup/x
	systemctl daemon-reload
	pod exec "$NAME" test -d /sys/fs/cgroup/x
}

@test "an ordinary user, from a login session: limits, exec, update, stats, kill and rm" {
	local out
	out=$BATS_TEST_TMPDIR/out
	in_session 'cat /proc/self/cgroup
		podman load -q -i "$ARCHIVE"
		podman run -d --name "$NAME" --network none --memory 64m --pids-limit 50 --cpus 0.5 "$IMAGE" sh -c "$SCRIPT"
		unit=libpod-$(podman inspect -f "{{.Id}}" "$NAME").scope
		show() { systemctl --user show -P "$1" "$unit"; }
		dir=/sys/fs/cgroup$(show ControlGroup)
		echo "dir $dir"
		echo "systemd $(show MemoryMax) $(show TasksMax) $(show CPUQuotaPerSecUSec)"
		systemctl --user daemon-reload
		echo "kernel $(cat "$dir/memory.max" "$dir/pids.max" "$dir/cpu.max" | tr "\n" " ")"
		podman exec "$NAME" sh -c "echo exec; cat /proc/self/cgroup; exit 3" || echo "status $?"
		podman update --pids-limit 20 "$NAME"
		echo "update $(show TasksMax) $(cat "$dir/pids.max")"
		podman stats --no-stream --format "stats {{.PIDs}} {{.MemUsage}}" "$NAME"
		podman kill -s TERM "$NAME"
		echo "wait $(podman wait "$NAME")"
		podman rm "$NAME"
		echo "left $(show LoadState)"' >"$out" || { cat "$out"; false; }
	cat "$out"
	grep -E '^0::/user.slice/user-1000.slice/session-' "$out"
	grep -E '^dir /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/user.slice/(user-)?libpod' "$out"
	grep -x 'systemd 67108864 50 500ms' "$out"
	grep -x 'kernel 67108864 50 50000 100000 ' "$out"
	grep -x exec "$out"
	grep -x '0::/' "$out"
	grep -x 'status 3' "$out"
	grep -x 'update 20 20' "$out"
	grep -E '^stats [1-9].*67' "$out"
	grep -x 'wait 0' "$out"
	grep -x 'left not-found' "$out"
}
