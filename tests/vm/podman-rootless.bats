#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# An ordinary user's podman 5 with kavach, in his own systemd and on cgroup v2, with our configuration for podman as it is
# installed. tests/bats/engines/podman-rootless.bats has what needs no cgroup.

: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}"
load ../bats/engines/podman

CONF=contrib/engines/podman/50-kavach.conf

setup_file() {
	[ -x /usr/local/bin/as-tester ] || skip "only the guest of tests/vm has such a user"
	DIR=/home/tester/p
	export DIR
	mkdir -p $DIR /home/tester/.config/containers/containers.conf.d
	cp "$("$KAVACH_SRC/tests/bats/images.sh" busybox "$BATS_FILE_TMPDIR/images")" $DIR/busybox.tar
	# what the file names as the place of kavach
	install -m 755 "$KAVACH" /usr/local/bin/kavach
	cp "$KAVACH_SRC/$CONF" /home/tester/.config/containers/containers.conf.d/
	chown -R tester: /home/tester
	user podman load -q -i $DIR/busybox.tar
}

teardown_file() {
	[ -n "${DIR:-}" ] || return 0
	user podman rm -a -f -t 0 >/dev/null 2>&1 || true
	user podman rmi -a -f >/dev/null 2>&1 || true
	rm -rf $DIR /home/tester/.config/containers /usr/local/bin/kavach
}

setup() { NAME=c$BATS_TEST_NUMBER; }
teardown() { user podman rm -f -t 0 "$NAME" >/dev/null 2>&1 || true; }

# user COMMAND...: in a unit of the user's systemd
user() { as-tester "$@"; }

# script LINE...: several commands in one unit; sets status and output
script() {
	status=0
	output=$(as-tester env NAME="$NAME" IMAGE="$IMAGE" P="podman --cgroup-manager cgroupfs --log-level error --runtime kavach" \
		bash -ec "$*" 2>&1) || status=$?
	mapfile -t lines <<<"$output"
	printf '# %s -> %s\n%s\n' "$*" "$status" "$output"
}

@test "run: root inside is the user outside; output, exit status" {
	script '$P run --rm --network none $IMAGE sh -c "id -u; cat /proc/self/uid_map; touch /file; exit 7"'
	[ "$status" -eq 7 ]
	[ "$(tr -s ' \n' ' ' <<<"$output")" = "0 0 1000 1 1 100000 65536 " ]
}

@test "run -d with limits, exec, update, pause, stats, kill, rm: in the user's cgroups" {
	script '$P run -d --name $NAME --network none --memory 64m --pids-limit 50 --cpus 0.5 $IMAGE sleep 1000 >/dev/null
		d=/sys/fs/cgroup$(cat /proc/$($P inspect -f "{{.State.Pid}}" $NAME)/cgroup | cut -d: -f3)
		echo $d; cat $d/memory.max $d/pids.max $d/cpu.max
		$P exec $NAME sh -c "id -u; cat /sys/fs/cgroup/memory.max"
		$P update --memory 128m $NAME >/dev/null; cat $d/memory.max
		$P pause $NAME >/dev/null; cat $d/cgroup.freeze; $P unpause $NAME >/dev/null
		$P stats --no-stream --format "{{.PIDs}}" $NAME
		$P kill $NAME >/dev/null; $P wait $NAME; $P rm $NAME >/dev/null
		[ ! -e $d ] && echo gone'
	[ "$status" -eq 0 ]
	[[ ${lines[0]} == /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/* ]]
	[ "${lines[*]:1}" = "67108864 50 50000 100000 0 67108864 134217728 1 1 137 gone" ]
}

@test "memory: the kernel's kill is told as such" {
	script '$P run --name $NAME --network none --memory 32m --memory-swap 32m $IMAGE tail /dev/zero || echo $?
		$P inspect -f "{{.State.OOMKilled}}" $NAME'
	[ "${lines[-2]} ${lines[-1]}" = "137 true" ]
}

@test "--cgroups=disabled: podman does not ask a runtime for it unless our configuration says that it can" {
	script '$P run --rm --network none --cgroups=disabled $IMAGE cat /proc/self/cgroup'
	[ "$status" -eq 0 ]
	script 'CONTAINERS_CONF=/dev/null $P --runtime /usr/local/bin/kavach run --rm --network none --cgroups=disabled $IMAGE true'
	[ "$status" -ne 0 ]
	# podman's words: "does not support" up to 4, "not compatible with NoCgroups" since
	[[ $output == *"does not support"* || $output == *NoCgroups* ]]
}

@test "JSON logs: an error of kavach's is podman's, in plain words" {
	script '$P run --rm --network none $IMAGE no-such-program'
	[ "$status" -eq 127 ]
	[[ $output == *"executable file not found"* ]]
	[[ $output != *'"level"'* ]]
}
