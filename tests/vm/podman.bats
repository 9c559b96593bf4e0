#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Podman 5 with kavach on cgroup v2: the short list. tests/bats/engines/podman.bats has the long one.

# the helper lies one folder deeper
: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
load ../bats/engines/podman

setup_file() { setup_podman; }
teardown_file() { teardown_podman; }

setup() {
	pod_command
	NAME=c$BATS_TEST_NUMBER
}

teardown() { pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true; }

# holds FILE VALUE: of the container's cgroup
holds() {
	local got
	got=$(cat "/sys/fs/cgroup$(pod inspect -f '{{.State.CgroupPath}}' "$NAME")/$1")
	echo "# $1: $got"
	[ "$got" = "$2" ]
}

@test "run: output and exit status, and the container is gone" {
	podrun run --rm --network none "$IMAGE" sh -c 'echo hello; cat /proc/self/cgroup; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *hello*0::/* ]]
}

@test "a container with limits: run -d, exec, stats, update, kill, rm" {
	pod run -d --name "$NAME" --network none --memory 64m --pids-limit 50 --cpus 0.5 --cpu-shares 2048 --device /dev/fuse \
		"$IMAGE" sh -c 'trap "exit 0" TERM; while :; do sleep 0.2; done'
	holds memory.max 67108864
	holds pids.max 50
	holds cpu.max '50000 100000'
	holds cpu.weight 174
	podrun exec "$NAME" sh -c 'cat /sys/fs/cgroup/memory.max; : </dev/fuse && echo fuse; exit 3'
	[ "$status" -eq 3 ]
	[ "${lines[0]}" = 67108864 ]
	[ "${lines[1]}" = fuse ]
	podrun stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$NAME"
	[[ $output =~ ^[1-9].*67 ]]
	pod update --memory 128m --pids-limit 20 "$NAME"
	holds memory.max 134217728
	holds pids.max 20
	pod pause "$NAME"
	holds cgroup.freeze 1
	pod unpause "$NAME"
	pod kill -s TERM "$NAME"
	[ "$(pod wait "$NAME")" = 0 ]
	pod rm "$NAME"
}

@test "a pod: containers share its namespaces, and its cgroup is their parent" {
	pod pod create --name p1 --network none --share net,ipc,uts >/dev/null
	pod run -d --pod p1 --name "$NAME" "$IMAGE" sleep 1000 >/dev/null
	[ "$(pod exec "$NAME" readlink /proc/self/ns/uts)" = \
		"$(readlink "/proc/$(pod inspect -f '{{.State.Pid}}' "$(pod pod inspect -f '{{.InfraContainerID}}' p1)")/ns/uts")" ]
	[[ $(pod inspect -f '{{.State.CgroupPath}}' "$NAME") == *"$(pod pod inspect -f '{{.ID}}' p1)"* ]]
	pod pod rm -f -t 0 p1
}

@test "memory: the kernel's kill is told as such" {
	pod run --name "$NAME" --network none --memory 32m --memory-swap 32m "$IMAGE" sh -c 'tail /dev/zero' || status=$?
	[ "${status:-0}" -eq 137 ]
	[ "$(pod inspect -f '{{.State.OOMKilled}}' "$NAME")" = true ]
}
