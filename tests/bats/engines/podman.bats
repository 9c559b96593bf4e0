#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach as podman's runtime, as root: what a user of podman sees, and what the kernel says about it.

load podman

setup_file() { setup_podman; }
teardown_file() { teardown_podman; }
setup() { NAME=c$BATS_TEST_NUMBER; }

teardown() {
	pod pod rm -f -t 0 "p$BATS_TEST_NUMBER" >/dev/null 2>&1 || true
	pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true
}

# quick ARGUMENT...: podman run of a container that is not kept and needs no network
quick() { podrun run --rm --network none "$@"; }

# background ARGUMENT...: the same in the background, by the test's own name
background() { pod run -d --name "$NAME" --network none "$@" >"$BATS_TEST_TMPDIR/id"; }

inspect() { pod inspect -f "$1" "$NAME"; }

status_is() { [ "$(inspect '{{.State.Status}}')" = "$1" ]; }

# cgroup CONTROLLER FILE: what the kernel says of the container's cgroup, on v1 or v2
cgroup() {
	local pid path
	pid=$(inspect '{{.State.Pid}}')
	path=$(awk -F: -v c="$1" '{n = split($2, a, ","); for (i = 1; i <= n; i++) if (a[i] == c) print $3}' "/proc/$pid/cgroup")
	if [ -n "$path" ]; then
		cat "/sys/fs/cgroup/$1$path/$2"
	else
		path=$(sed -n 's/^0:://p' "/proc/$pid/cgroup")
		cat "/sys/fs/cgroup$path/$3"
	fi
}

# ---- run and its exit statuses ----

@test "run: output, stdin and the program's exit status" {
	quick "$IMAGE" sh -c 'echo out; echo err >&2; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *out* && $output == *err* ]]
	run pod run --rm -i --network none "$IMAGE" sh -c 'read -r line; echo "got $line"' <<<"some input"
	[ "$status" -eq 0 ]
	[ "$output" = "got some input" ]
}

@test "run: a program that is killed gives 128 + signal" {
	quick "$IMAGE" sh -c 'sh -c "kill -TERM \$\$"; exit $?'
	[ "$status" -eq 143 ]
	background "$IMAGE" sleep 1000
	pod kill "$NAME" >/dev/null
	run pod wait "$NAME"
	[ "$output" = 137 ]
}

@test "run: 127 for a program that is not there, and its name in the message" {
	quick "$IMAGE" no-such-program
	[ "$status" -eq 127 ]
	[[ $output == *no-such-program* ]]
	quick "$IMAGE" /no/such/program
	[ "$status" -eq 127 ]
}

@test "run: 126 for what cannot be executed" {
	quick "$IMAGE" /etc
	[ "$status" -eq 126 ]
	quick "$IMAGE" /etc/passwd
	[ "$status" -eq 126 ]
}

@test "run: 125 for a mistake that podman or we find" {
	quick --no-such-option "$IMAGE" true
	[ "$status" -eq 125 ]
	# podman takes 126 and 127 from words in the message: ours must not have them by accident
	quick --security-opt seccomp="$BATS_TEST_TMPDIR/none.json" "$IMAGE" true
	[ "$status" -eq 125 ]
}

@test "run -d, ps, inspect, logs, stop, start, rm" {
	background "$IMAGE" sh -c 'echo first; echo second >&2; trap "echo bye; exit 0" TERM; while :; do sleep 0.1; done'
	status_is running
	[ "$(pod ps -q --no-trunc)" = "$(cat "$BATS_TEST_TMPDIR/id")" ]
	[ "$(cat "/proc/$(inspect '{{.State.Pid}}')/comm")" = sh ]
	wait_for 5 eval 'pod logs "$NAME" 2>&1 | grep -q second'
	[ "$(pod logs "$NAME" 2>/dev/null)" = first ]
	pod stop -t 10 "$NAME" >/dev/null
	status_is exited
	[ "$(inspect '{{.State.ExitCode}}')" = 0 ]
	[[ $(pod logs "$NAME" 2>&1) == *bye* ]]
	pod start "$NAME" >/dev/null
	status_is running
	podrun rm "$NAME"
	[ "$status" -ne 0 ]
	status_is running
	pod rm -f -t 0 "$NAME" >/dev/null
	run pod container exists "$NAME"
	[ "$status" -eq 1 ]
}

@test "stop kills what does not listen to SIGTERM" {
	background "$IMAGE" sh -c 'trap "" TERM; while :; do sleep 0.1; done'
	pod stop -t 1 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 137 ]
}

@test "kill sends the signal it is told, and the container may live on" {
	background "$IMAGE" sh -c 'trap "echo usr1" USR1; trap "echo hup; exit 3" HUP; echo ready; while :; do sleep 0.1; done'
	wait_for 5 eval 'pod logs "$NAME" | grep -q ready'
	pod kill -s USR1 "$NAME"
	wait_for 5 eval 'pod logs "$NAME" | grep -q usr1'
	status_is running
	pod kill -s SIGHUP "$NAME"
	[ "$(pod wait "$NAME")" = 3 ]
	podrun kill "$NAME"
	[ "$status" -ne 0 ]
}

@test "create, init, start, attach" {
	pod create --name "$NAME" --network none "$IMAGE" sh -c 'sleep 0.5; echo attached; exit 4' >/dev/null
	status_is created
	pod init "$NAME"
	status_is initialized
	podrun start --attach "$NAME"
	[ "$status" -eq 4 ]
	[ "$output" = attached ]
}

@test "restart gives a new process" {
	background "$IMAGE" sleep 1000
	local before after
	before=$(inspect '{{.State.Pid}}')
	pod restart -t 0 "$NAME"
	after=$(inspect '{{.State.Pid}}')
	status_is running
	[ "$before" != "$after" ]
	[ ! -d "/proc/$before" ]
	[ "$(cat "/proc/$after/comm")" = sleep ]
}

@test "--restart on-failure runs the program again" {
	pod run -d --name "$NAME" --network none --restart on-failure:3 -v "$BATS_TEST_TMPDIR:/t" "$IMAGE" \
		sh -c 'echo run >>/t/runs; exit 1'
	wait_for 20 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/runs")" -eq 4 ]'
	wait_for 5 status_is exited
	[ "$(inspect '{{.RestartCount}}')" = 3 ]
}

@test "pause freezes, unpause thaws, and stop works on a paused container" {
	background -v "$BATS_TEST_TMPDIR:/t" "$IMAGE" sh -c 'while :; do echo x >>/t/ticks; sleep 0.05; done'
	wait_for 5 test -s "$BATS_TEST_TMPDIR/ticks"
	pod pause "$NAME"
	status_is paused
	[[ $(cgroup freezer freezer.state cgroup.freeze) == FROZEN || $(cgroup freezer freezer.state cgroup.freeze) == 1 ]]
	local before now
	before=$(stat -c %s "$BATS_TEST_TMPDIR/ticks")
	sleep 0.3
	now=$(stat -c %s "$BATS_TEST_TMPDIR/ticks")
	[ "$before" -eq "$now" ]
	podrun exec "$NAME" true
	[ "$status" -ne 0 ]
	pod unpause "$NAME"
	status_is running
	wait_for 5 eval '[ "$(stat -c %s "$BATS_TEST_TMPDIR/ticks")" -gt '"$now"' ]'
	pod pause "$NAME"
	pod rm -f -t 0 "$NAME"
}

# ---- exec, top, cp, stats ----

@test "exec: output, stdin, status, user, directory, environment" {
	background "$IMAGE" sleep 1000
	podrun exec "$NAME" sh -c 'echo out; exit 9'
	[ "$status" -eq 9 ]
	[ "$output" = out ]
	run pod exec -i "$NAME" cat <<<"piped in"
	[ "$output" = "piped in" ]
	podrun exec -u 12:34 -w /tmp -e A=b "$NAME" sh -c 'echo "$(id -u) $(id -g) $PWD $A"'
	[ "$output" = "12 34 /tmp b" ]
	podrun exec "$NAME" no-such-program
	[ "$status" -eq 127 ]
	podrun exec "$NAME" /etc
	[ "$status" -eq 126 ]
	podrun exec "$NAME" sh -c 'kill -9 $$'
	[ "$status" -eq 137 ]
	podrun exec -d "$NAME" sh -c 'echo $$ >/tmp/pid; exec sleep 500'
	[ "$status" -eq 0 ]
	wait_for 5 pod exec "$NAME" sh -c 'kill -0 $(cat /tmp/pid)'
}

@test "exec runs in the container's cgroup and namespaces, with its filter and capabilities" {
	background "$IMAGE" sleep 1000
	local what='grep -E "^(Cap|Seccomp|NoNewPrivs)" /proc/self/status; cat /proc/self/cgroup; cd /proc/self/ns; for n in cgroup ipc mnt net pid uts; do readlink $n; done'
	podrun exec "$NAME" sh -c "$what"
	local inside=$output
	podrun exec "$NAME" sh -c "${what//self/1}"
	[ "$inside" = "$output" ]
}

@test "top shows the container's processes" {
	background "$IMAGE" sleep 1234
	podrun top "$NAME" pid comm args
	[ "$status" -eq 0 ]
	[[ $output == *"sleep 1234"* ]]
	[ "${#lines[@]}" -eq 2 ]
}

@test "cp in both directions" {
	background "$IMAGE" sleep 1000
	echo "from outside" >"$BATS_TEST_TMPDIR/file"
	pod cp "$BATS_TEST_TMPDIR/file" "$NAME:/tmp/file"
	[ "$(pod exec "$NAME" cat /tmp/file)" = "from outside" ]
	pod exec "$NAME" sh -c 'mkdir /tmp/dir; echo "from inside" >/tmp/dir/file'
	pod cp "$NAME:/tmp/dir" "$BATS_TEST_TMPDIR/copy"
	[ "$(cat "$BATS_TEST_TMPDIR/copy/file")" = "from inside" ]
}

@test "stats reads the container's cgroup" {
	background --memory 64m "$IMAGE" sleep 1000
	podrun stats --no-stream --format '{{.PIDs}} {{.MemLimit}}' "$NAME"
	[ "$status" -eq 0 ]
	[[ ${lines[-1]} == "1 67108864" || ${lines[-1]} == "1 67.11MB" ]]
}

# ---- resources, read back from the kernel ----

@test "--memory and --memory-reservation" {
	background --memory 64m --memory-reservation 32m "$IMAGE" sleep 1000
	[ "$(cgroup memory memory.limit_in_bytes memory.max)" = 67108864 ]
	[ "$(cgroup memory memory.soft_limit_in_bytes memory.low)" = 33554432 ]
}

@test "a container beyond its memory limit is killed, and podman knows why" {
	podrun run --name "$NAME" --network none --memory 16m "$IMAGE" sh -c 'x=0123456789abcdef; while :; do x=$x$x; done'
	[ "$status" -eq 137 ]
}

@test "--cpus, --cpu-shares, --cpuset-cpus, --pids-limit" {
	background --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 33 "$IMAGE" sleep 1000
	local quota
	quota=$(cgroup cpu cpu.cfs_quota_us cpu.max)
	[ "${quota%% *}" = 50000 ]
	[ "$(cgroup cpu cpu.cfs_period_us cpu.max | awk '{print $NF}')" = 100000 ]
	[[ $(cgroup cpu cpu.shares cpu.weight) =~ ^(512|20|59)$ ]]
	[ "$(cgroup cpuset cpuset.cpus cpuset.cpus)" = 0 ]
	[ "$(cgroup pids pids.max pids.max)" = 33 ]
	[ "$(pod exec "$NAME" grep Cpus_allowed_list /proc/self/status | tr -d '\t ')" = Cpus_allowed_list:0 ]
}

@test "--pids-limit is felt inside" {
	quick --pids-limit 4 "$IMAGE" sh -c 'for i in 1 2 3 4 5 6; do sleep 2 & done; wait'
	[[ $output == *"can't fork"* ]]
}

@test "--ulimit" {
	quick --ulimit nofile=100:200 --ulimit core=0:0 --ulimit nproc=500:600 "$IMAGE" sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; grep processes /proc/self/limits'
	[ "$status" -eq 0 ]
	[ "${lines[*]:0:3}" = "100 200 0" ]
	[[ ${lines[3]} =~ ^"Max processes "\ +500\ +600 ]]
}

@test "--cgroups=disabled makes no cgroup" {
	background --cgroups=disabled "$IMAGE" sleep 1000
	[ -z "$(find /sys/fs/cgroup -type d -name "*$(cat "$BATS_TEST_TMPDIR/id")*")" ]
	pod exec "$NAME" true
	pod stop -t 0 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 137 ]
}

# ---- confinement ----

@test "--read-only with --tmpfs: the root cannot be written, the tmpfs can" {
	quick --read-only --read-only-tmpfs=false --tmpfs /scratch:size=1m,mode=1770 "$IMAGE" \
		sh -c 'touch /x 2>&1; touch /scratch/x && echo written; stat -c %a /scratch; df -k /scratch | tail -n 1'
	[[ $output == *"Read-only file system"* ]]
	[[ $output == *written* ]]
	[[ $output == *1770* ]]
	[[ $output == *" 1024 "* ]]
}

@test "--cap-drop and --cap-add, as the kernel sees them" {
	quick --cap-drop all "$IMAGE" grep -E '^Cap' /proc/self/status
	[ "$(awk '$2 != "0000000000000000"' <<<"$output")" = "" ]
	quick --cap-drop all --cap-add net_raw --cap-add sys_time "$IMAGE" grep -E '^Cap(Bnd|Eff|Prm)' /proc/self/status
	[ "$(awk '{print $2}' <<<"$output" | sort -u)" = 0000000002002000 ]
	quick --cap-add sys_nice --user 1000 "$IMAGE" grep -E '^CapEff' /proc/self/status
	[[ $output == *0000000000800000 ]]
}

@test "--security-opt no-new-privileges" {
	quick --security-opt no-new-privileges "$IMAGE" grep NoNewPrivs /proc/self/status
	[ "${output##*[[:space:]]}" = 1 ]
	quick "$IMAGE" grep NoNewPrivs /proc/self/status
	[ "${output##*[[:space:]]}" = 0 ]
}

@test "--security-opt seccomp: a profile of one's own, none, and the default" {
	cat >"$BATS_TEST_TMPDIR/profile.json" <<-END
		{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
			{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}
	END
	quick --security-opt seccomp="$BATS_TEST_TMPDIR/profile.json" "$IMAGE" sh -c 'grep Seccomp: /proc/self/status; mkdir /tmp/x'
	[ "$status" -eq 1 ]
	[[ ${lines[0]} == *2 ]]
	[[ $output == *"No space left on device"* ]]
	quick --security-opt seccomp=unconfined "$IMAGE" grep Seccomp: /proc/self/status
	[[ $output == *0 ]]
	quick "$IMAGE" sh -c 'grep Seccomp: /proc/self/status; unshare -m true'
	[[ ${lines[0]} == *2 ]]
	[ "$status" -ne 0 ]
}

@test "masked files cannot be used to change the host's null device" {
	local before
	before=$(stat -c '%a %u %g %Y' /dev/null)
	quick "$IMAGE" sh -c 'for f in /proc/keys /proc/timer_list /proc/kcore; do chmod 600 $f; chown 1:1 $f; touch $f; done; cat /proc/keys /proc/timer_list'
	[ "$(stat -c '%a %u %g %Y' /dev/null)" = "$before" ]
	[ "$(grep -vc 'Read-only\|No such' <<<"$output")" -eq 0 ]
}

@test "--privileged: all capabilities that we have, the host's devices, writable /sys, no masks" {
	quick --privileged "$IMAGE" sh -c 'grep CapBnd /proc/self/status; grep -c " /proc/[a-z]" /proc/mounts; ls /dev; readlink /dev/ptmx'
	[ "$status" -eq 0 ]
	[ "${lines[0]##*[[:space:]]}" = "$(awk '/^CapBnd/ {print $2}' /proc/self/status)" ]
	[ "${lines[1]}" = 0 ]
	[ "${lines[-1]}" = pts/ptmx ]
	[ "${#lines[@]}" -gt 15 ]
}
