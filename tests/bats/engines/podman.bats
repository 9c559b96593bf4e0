#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach as podman's runtime, as root: what a user of podman sees, and what the kernel says about it.

load podman

setup_file() { setup_podman; }
teardown_file() { teardown_podman; }

setup() {
	pod_command
	NAME=c$BATS_TEST_NUMBER
}

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

# patiently COMMAND: a script that does it until it succeeds: what it connects to may just be starting
patiently() { echo "for i in 1 2 3 4 5 6 7 8 9 10; do $* </dev/null 2>/dev/null && break; sleep 0.2; done"; }

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

@test "--pids-limit -1 is no limit" {
	background --pids-limit -1 "$IMAGE" sleep 1000
	[ "$(cgroup pids pids.max pids.max)" = max ]
	pod exec "$NAME" sh -c 'for i in 1 2 3 4 5; do sleep 0.1 & done; wait'
}

@test "--memory-swap, --blkio and --cpu-period, as runc writes them" {
	local disk
	background --memory 32m --memory-swap 64m --cpu-period 50000 --cpu-quota 20000 --cpuset-mems 0 "$IMAGE" sleep 1000
	if [ -e /sys/fs/cgroup/memory ]; then
		[ "$(cgroup memory memory.memsw.limit_in_bytes -)" = 67108864 ]
	else
		[ "$(cgroup memory - memory.swap.max)" = 33554432 ]
	fi
	[[ $(cgroup cpu cpu.cfs_quota_us cpu.max) =~ ^20000(\ 50000)?$ ]]
	[ "$(cgroup cpuset cpuset.mems cpuset.mems)" = 0 ]
	disk=$(lsblk -dnpo NAME,TYPE | awk '$2 == "disk" {print $1; exit}')
	[ -b "$disk" ] || skip "no disk here to limit the rate of"
	pod rm -f -t 0 "$NAME"
	background --device-read-bps "$disk:1mb" --device-write-iops "$disk:100" "$IMAGE" sleep 1000
	[[ $(cgroup blkio blkio.throttle.read_bps_device io.max) == *1048576* ]]
	[[ $(cgroup blkio blkio.throttle.write_iops_device io.max) == *100* ]]
}

@test "--ulimit" {
	quick --ulimit nofile=100:200 --ulimit core=0:0 --ulimit nproc=500:600 "$IMAGE" sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c; grep processes /proc/self/limits'
	[ "$status" -eq 0 ]
	[ "${lines[*]:0:3}" = "100 200 0" ]
	[[ ${lines[3]} =~ ^"Max processes "\ +500\ +600 ]]
}

@test "--cgroup-parent" {
	background --cgroup-parent "/kvparent-$$" "$IMAGE" sleep 1000
	grep -q ":/kvparent-$$/libpod-$(cat "$BATS_TEST_TMPDIR/id")" "/proc/$(inspect '{{.State.Pid}}')/cgroup"
	pod rm -f -t 0 "$NAME"
	# conmon's is next to it, and podman removes neither that nor the parent
	wait_for 10 eval '[ -z "$(find /sys/fs/cgroup -depth -path "*/kvparent-$$*" -type d \( -exec rmdir {} \; -o -print \) 2>/dev/null)" ]'
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

# ---- terminals ----

# terminal STEP... -- PODMAN-ARGUMENT...: podman on a terminal of its own
terminal() {
	local steps=()
	while [ "$1" != -- ]; do
		steps+=("$1")
		shift
	done
	shift
	status=0
	output=$("$BATS_TEST_DIRNAME/on-terminal" "${steps[@]}" -- "${POD[@]}" "$@") || status=$?
	printf '# podman %s -> %s\n%s\n' "$*" "$status" "$output"
}

# podman sets the size a moment after the start, and after that of its own terminal
sized() { echo "until [ \"\$(stty size 2>/dev/null)\" = '$1' ]; do sleep 0.05; done; stty size"; }

@test "run -it: a terminal with its size, echo, resize and interrupt" {
	terminal size:40x120 'expect:ready' 'send:hello\r' 'expect:got hello' size:20x30 'send:next\r' 'expect:20 30' \
		'expect:waiting' 'send:\x03' 'expect:interrupted' -- \
		run --rm -it --network none "$IMAGE" sh -c "tty; $(sized "40 120"); ls -l /dev/console; echo ready; read -r x
			echo \"got \$x\"; read -r x; $(sized "20 30"); trap 'echo interrupted; exit 5' INT
			echo waiting; while :; do sleep 0.05; done"
	[ "$status" -eq 5 ]
	[[ $output == */dev/pts/0* ]]
	[[ $output == *"40 120"* ]]
	[[ $output == *"tty "*"136,"*/dev/console* ]]
}

@test "run -it: output just before the end is not lost" {
	terminal -- run --rm -it --network none "$IMAGE" seq 1 5000
	[ "$status" -eq 0 ]
	[ "$(tr -d '\r' <<<"$output" | grep -c '^[0-9]*$')" -eq 5000 ]
	[[ $output == *5000* ]]
}

@test "detach with the keys, attach again" {
	# podman wants each key by itself
	terminal expect:ready wait:0.2 'send:\x10' wait:0.2 'send:\x11' -- run -it --name "$NAME" --network none "$IMAGE" \
		sh -c 'echo ready; read -r x; echo "got $x"; exit 6'
	[ "$status" -eq 0 ]
	status_is running
	terminal 'send:hello\r' 'expect:got hello' -- attach "$NAME"
	[ "$(pod wait "$NAME")" = 6 ]
}

@test "exec -it: a second terminal, of the user" {
	background "$IMAGE" sleep 1000
	terminal size:33x77 expect:ready 'send:typed\r' 'expect:got typed' -- exec -it -u 1000 "$NAME" \
		sh -c "tty; $(sized "33 77"); stat -c %u \$(tty); echo ready; read -r x; echo \"got \$x\"; exit 8"
	[ "$status" -eq 8 ]
	[[ $output == */dev/pts/0* ]]
	[[ $output == *"33 77"* ]]
	[[ $output == *$'\n1000\r'* ]]
}

# ---- namespaces ----

@test "a user namespace: --uidmap and --gidmap, and the host sees the mapped ids" {
	background --uidmap 0:100000:5000 --gidmap 0:200000:5000 --user 7:8 -v "$BATS_TEST_TMPDIR:/t" "$IMAGE" sleep 1000
	local pid
	pid=$(inspect '{{.State.Pid}}')
	[ "$(awk '/^Uid/ {print $2}' "/proc/$pid/status")" = 100007 ]
	[ "$(awk '/^Gid/ {print $2}' "/proc/$pid/status")" = 200008 ]
	[ "$(tr -s ' ' <"/proc/$pid/uid_map")" = " 0 100000 5000" ]
	podrun exec -u 0 "$NAME" sh -c 'id -u; touch /root-file; stat -c %u:%g /root-file; echo x >/dev/null; ls -l /dev/zero'
	[ "$status" -eq 0 ]
	[[ $output == 0$'\n'0:0* ]]
	# what belongs to nobody in the namespace cannot be written
	podrun exec -u 0 "$NAME" touch /t/file
	[ "$status" -ne 0 ]
	pod stop -t 0 "$NAME"
}

@test "an id-mapped volume shows the host's owner in a user namespace" {
	mkdir "$BATS_TEST_TMPDIR/v"
	touch "$BATS_TEST_TMPDIR/v/file"
	quick --uidmap 0:100000:5000 --gidmap 0:100000:5000 -v "$BATS_TEST_TMPDIR/v:/v:idmap" "$IMAGE" \
		sh -c 'stat -c %u:%g /v/file; touch /v/new'
	if [[ $output == *"does not support it"* ]]; then
		skip "the file system of the tests has no id-mapped mounts"
	fi
	[ "$status" -eq 0 ]
	[ "$output" = 0:0 ]
	[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/v/new")" = 0:0 ]
}

@test "--userns=auto takes ids that the host sets aside for the user containers" {
	[ -f /etc/subuid ] && [ -f /etc/subgid ] || skip "no /etc/subuid and /etc/subgid to put the ranges of the test over"
	echo containers:500000:65536 >"$BATS_TEST_TMPDIR/subids"
	# shellcheck disable=SC2016 # for the shell inside
	run unshare --mount sh -c 'mount --bind "$1" /etc/subuid && mount --bind "$1" /etc/subgid && shift && exec "$@"' _ \
		"$BATS_TEST_TMPDIR/subids" "${POD[@]}" run --rm --network none --userns=auto "$IMAGE" cat /proc/self/uid_map
	[ "$status" -eq 0 ]
	[[ $output =~ ^\ +0\ +500000\ +[0-9]+$ ]]
}

@test "a second container in the first one's namespaces" {
	background --ipc=shareable "$IMAGE" sleep 4321
	local ns="cd /proc/self/ns; for n in ipc net pid uts; do readlink \$n; done"
	podrun run --rm --network "container:$NAME" --pid "container:$NAME" --ipc "container:$NAME" --uts "container:$NAME" \
		"$IMAGE" sh -c "$ns; ps"
	[ "$status" -eq 0 ]
	[[ $output == *"sleep 4321"* ]]
	[ "$(head -n 4 <<<"$output")" = "$(pod exec "$NAME" sh -c "$ns")" ]
	# and it goes without taking the first one along
	status_is running
}

@test "the host's namespaces: --pid, --ipc, --uts and --network host" {
	local n
	# podman itself runs in a network namespace of this file
	quick --pid host --ipc host --uts host "$IMAGE" sh -c 'cd /proc/self/ns; for n in pid ipc uts; do readlink $n; done'
	for n in pid ipc uts; do
		[[ $output == *"$(readlink "/proc/self/ns/$n")"* ]]
	done
	podrun run --rm --network host "$IMAGE" readlink /proc/self/ns/net
	[ "$output" = "$(nsenter --net="/run/netns/$PODNET" readlink /proc/self/ns/net)" ]
	# a container in the host's pid namespace has no init that takes the others along: all are killed
	background --pid host "$IMAGE" sh -c 'sleep 9871 & sleep 9871 & wait'
	wait_for 5 eval '[ "$(pgrep -fc "^sleep 9871")" -eq 2 ]'
	pod rm -f -t 0 "$NAME"
	wait_for 5 eval '! pgrep -f "^sleep 9871"'
}

@test "the default network: addresses, a name, and a connection between two containers" {
	pod run -d --name "$NAME" --hostname server "$IMAGE" sh -c 'while :; do nc -l -p 8080 -e echo answered; done' >/dev/null
	local address
	address=$(inspect '{{.NetworkSettings.Networks.podman.IPAddress}}')
	[ -n "$address" ]
	podrun exec "$NAME" sh -c 'hostname; grep server /etc/hosts'
	[[ $output == server*"$address"* ]]
	podrun run --rm "$IMAGE" sh -c "$(patiently "nc -w 5 $address 8080")"
	[ "$output" = answered ]
}

@test "--network none has nothing but a loopback interface" {
	quick "$IMAGE" ls /sys/class/net
	[ "$output" = lo ]
}

@test "--init reaps orphans" {
	command -v catatonit >/dev/null || skip "needs catatonit"
	background --init "$IMAGE" sh -c '(sleep 0.1 &) ; sleep 1000'
	podrun top "$NAME" args
	[[ ${lines[1]} == */podman-init* || ${lines[1]} == *catatonit* ]]
	no_zombies() { ! pod exec "$NAME" sh -c 'grep -l "State:.Z" /proc/[0-9]*/status'; }
	wait_for 5 no_zombies
	pod stop -t 5 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 143 ]
}

# ---- pods ----

@test "a pod: an infra container, shared namespaces, one cgroup, stop and remove" {
	command -v catatonit >/dev/null || skip "needs catatonit, which podman makes the pause image from"
	local p=p$BATS_TEST_NUMBER ns='cd /proc/self/ns; readlink net; readlink ipc; readlink uts'
	pod pod create --name "$p" --hostname podhost >/dev/null
	pod run -d --pod "$p" --name "$NAME" "$IMAGE" sh -c 'while :; do nc -l -p 80 -e echo from the pod; done' >/dev/null
	podrun run --rm --pod "$p" "$IMAGE" sh -c "hostname; $ns; $(patiently nc -w 5 127.0.0.1 80)"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = podhost ]
	[ "${lines[-1]}" = "from the pod" ]
	[ "$(printf '%s\n' "${lines[@]:1:3}")" = "$(pod exec "$NAME" sh -c "$ns")" ]
	pod pod pause "$p"
	status_is paused
	pod pod unpause "$p"
	pod pod stop -t 1 "$p"
	status_is exited
	pod pod rm -f "$p"
	run pod container exists "$NAME"
	[ "$status" -eq 1 ]
}

@test "a pod that shares the pid namespace" {
	command -v catatonit >/dev/null || skip "needs catatonit, which podman makes the pause image from"
	local p=p$BATS_TEST_NUMBER
	pod pod create --name "$p" --share pid,net,ipc,uts >/dev/null
	pod run -d --pod "$p" --name "$NAME" "$IMAGE" sleep 1357 >/dev/null
	podrun run --rm --pod "$p" "$IMAGE" ps
	[[ $output == *"sleep 1357"* ]]
	# stopping one leaves the others
	pod stop -t 0 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 137 ]
	[ "$(pod pod inspect "$p" | jq -r '.Containers[] | select(.State == "running") | .Name' | wc -l)" -eq 1 ]
}

@test "a pod without an infra container" {
	local p=p$BATS_TEST_NUMBER
	pod pod create --name "$p" --infra=false >/dev/null
	podrun run --rm --pod "$p" --network none "$IMAGE" echo in it
	[ "$output" = "in it" ]
}

@test "a pod with a user namespace: containers join it" {
	command -v catatonit >/dev/null || skip "needs catatonit, which podman makes the pause image from"
	local p=p$BATS_TEST_NUMBER
	pod pod create --name "$p" --uidmap 0:100000:5000 --gidmap 0:100000:5000 >/dev/null
	podrun run --rm --pod "$p" "$IMAGE" sh -c 'cat /proc/self/uid_map; id -u; touch /x; hostname'
	[ "$status" -eq 0 ]
	[[ $output =~ 0\ +100000\ +5000 ]]
}

# ---- volumes and mounts ----

@test "volumes: read-only, read-write, with labels asked for, of a user" {
	mkdir "$BATS_TEST_TMPDIR/v"
	echo data >"$BATS_TEST_TMPDIR/v/file"
	quick -v "$BATS_TEST_TMPDIR/v:/v:ro,z" "$IMAGE" sh -c 'cat /v/file; touch /v/x'
	[ "$status" -ne 0 ]
	[[ $output == data*"Read-only file system"* ]]
	quick -v "$BATS_TEST_TMPDIR/v:/v:Z" "$IMAGE" sh -c 'echo more >/v/new'
	[ "$(cat "$BATS_TEST_TMPDIR/v/new")" = more ]
	quick -v "$BATS_TEST_TMPDIR/v:/v:U" --user 55:66 "$IMAGE" touch /v/mine
	[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/v/mine")" = 55:66 ]
	quick -v "$BATS_TEST_TMPDIR/v:/v:O" "$IMAGE" sh -c 'rm /v/file; ls /v'
	[[ $output != *file* ]]
	[ -f "$BATS_TEST_TMPDIR/v/file" ]
	quick -v "$BATS_TEST_TMPDIR/v/file:/etc/one-file" "$IMAGE" cat /etc/one-file
	[ "$output" = data ]
}

@test "a named volume starts as a copy of what the image has there, and stays" {
	quick -v "vol$BATS_TEST_NUMBER:/etc" "$IMAGE" sh -c 'test -f /etc/passwd && echo kept >/etc/mine'
	[ "$status" -eq 0 ]
	quick -v "vol$BATS_TEST_NUMBER:/etc" "$IMAGE" sh -c 'cat /etc/mine; ls /etc/passwd'
	[ "$output" = $'kept\n/etc/passwd' ]
	pod volume rm "vol$BATS_TEST_NUMBER"
}

@test "--mount: bind, tmpfs, image and propagation" {
	echo data >"$BATS_TEST_TMPDIR/file"
	quick --mount "type=bind,src=$BATS_TEST_TMPDIR,dst=/b,ro,bind-propagation=rslave" \
		--mount type=tmpfs,dst=/t,tmpfs-size=2m,tmpfs-mode=1700 \
		--mount "type=image,src=$IMAGE,dst=/i" --mount type=tmpfs,dst=/e,tmpcopyup=false "$IMAGE" \
		sh -c 'cat /b/file; ls -d /i/bin; touch /i/x /b/x; df -k /t | tail -n 1; stat -c %a /t; grep " /b " /proc/self/mountinfo'
	[ "${lines[0]}" = data ]
	[ "${lines[1]}" = /i/bin ]
	[ "$(grep -c 'Read-only file system' <<<"$output")" -eq 2 ]
	[[ $output == *" 2048 "* ]]
	[[ $output == *$'\n1700\n'* ]]
	[[ ${lines[-1]} == *master:* || ${lines[-1]} == *" ro,"* ]]
}

@test "--tmpfs starts as a copy of what is there" {
	quick --tmpfs /etc:tmpcopyup "$IMAGE" sh -c 'ls /etc/passwd; stat -f -c %T /etc; touch /etc/x'
	[ "$status" -eq 0 ]
	[[ $output == /etc/passwd*tmpfs* ]]
}

# ---- the process ----

@test "--user, --workdir, --env, --hostname, --entrypoint, --group-add" {
	podrun run --rm --network none -v "$BATS_TEST_TMPDIR:/home/dir" --user 123:456 --group-add 789 --workdir /home/dir --env A=1 --env "B=two words" --hostname named "$IMAGE" \
		sh -c 'id -u; id -G; pwd; echo "$A $B"; hostname'
	[ "$output" = $'123\n456 789\n/home/dir\n1 two words\nnamed' ]
	quick --user nobody "$IMAGE" sh -c 'id -u; grep "^nobody:" /etc/passwd; echo "home $HOME"'
	[ "${lines[0]}" = "$(cut -d: -f3 <<<"${lines[1]}")" ]
	[ "${lines[2]}" = "home $(cut -d: -f6 <<<"${lines[1]}")" ]
	quick --entrypoint '["echo", "entry"]' "$IMAGE" point
	[ "$output" = "entry point" ]
}

@test "--device, --sysctl, --shm-size" {
	quick --device /dev/full:/dev/mine:r --sysctl kernel.msgmax=9000 --sysctl net.ipv4.ip_forward=1 --shm-size 3m "$IMAGE" \
		sh -c 'stat -c %t:%T /dev/mine; cat /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward; df -k /dev/shm | tail -n 1'
	[ "$status" -eq 0 ]
	[ "${lines[*]:0:3}" = "1:7 9000 1" ]
	[[ ${lines[3]} == *" 3072 "* ]]
	# a device that was not given cannot be used even by those who may make a node of it
	quick --cap-add mknod "$IMAGE" sh -c 'mknod /tmp/loop b 7 0 && dd if=/tmp/loop of=/dev/null count=1'
	[ "$status" -ne 0 ]
	[[ $output == *"not permitted"* ]]
	# given for reading, it cannot be written
	[ -c /dev/fuse ] || skip "the rest needs /dev/fuse"
	quick --device /dev/fuse:/dev/mine:r "$IMAGE" sh -c ': </dev/mine && echo read; : >/dev/mine'
	[[ $output == read*"not permitted"* ]]
}

@test "inherited descriptors go no further" {
	run bash -c 'exec 7</etc/passwd; "$@"' _ "${POD[@]}" run --rm --network none "$IMAGE" ls /proc/self/fd
	[ "$(tr '\n' ' ' <<<"$output")" = "0 1 2 3 " ]
	run bash -c 'exec 3</etc/hostname; "$@"' _ "${POD[@]}" run --rm --network none --preserve-fds 1 "$IMAGE" sh -c 'cat <&3'
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat /etc/hostname)" ]
}

@test "socket activation: LISTEN_FDS names the container's first process" {
	# shellcheck disable=SC2016 # for the shells inside
	run bash -c 'exec 3</etc/hostname; export LISTEN_FDS=1 LISTEN_PID=$$; exec "$@"' _ "${POD[@]}" run --rm --network none \
		"$IMAGE" sh -c 'echo "$LISTEN_FDS $LISTEN_PID $$"; cat <&3'
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "1 1 1" ]
	[ "${lines[1]}" = "$(cat /etc/hostname)" ]
}

@test "signals to podman run reach the program" {
	"${POD[@]}" run --rm --name "$NAME" --network none "$IMAGE" \
		sh -c 'trap "echo told; exit 12" TERM; echo ready; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" 3>&- &
	local pid=$! rc=0
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill "$pid"
	wait "$pid" || rc=$?
	[ $rc -eq 12 ]
	grep -q told "$BATS_TEST_TMPDIR/out"
}

@test "a container whose first process is killed from outside" {
	background "$IMAGE" sh -c 'sleep 9872 & sleep 9872'
	kill -9 "$(inspect '{{.State.Pid}}')"
	[ "$(pod wait "$NAME")" = 137 ]
	wait_for 5 eval '! pgrep -f "^sleep 9872"'
	podrun exec "$NAME" true
	[ "$status" -ne 0 ]
}

@test "a program that the kernel cannot load, and a script without its interpreter" {
	printf 'no program\n' >"$BATS_TEST_TMPDIR/garbage"
	printf '#!/no/such/interpreter\n' >"$BATS_TEST_TMPDIR/script"
	chmod +x "$BATS_TEST_TMPDIR/garbage" "$BATS_TEST_TMPDIR/script"
	quick -v "$BATS_TEST_TMPDIR:/t" "$IMAGE" /t/garbage
	[ "$status" -ne 0 ]
	[[ $output == *"exec format error"* ]]
	quick -v "$BATS_TEST_TMPDIR:/t" "$IMAGE" /t/script
	[ "$status" -ne 0 ]
	[[ $output == *"no such file or directory"* ]]
}

# ---- what podman does with containers ----

@test "hooks of --hooks-dir run with the container's state, and one that fails ends the start" {
	local hook='{"version": "1.0.0", "hook": {"path": "/bin/sh", "args": ["sh", "-c", $script]},
		"when": {"always": true}, "stages": $stages}'
	mkdir "$BATS_TEST_TMPDIR/hooks"
	jq -n --arg script "cat >>$BATS_TEST_TMPDIR/states; echo >>$BATS_TEST_TMPDIR/states" \
		--argjson stages '["createRuntime", "poststart", "poststop"]' "$hook" >"$BATS_TEST_TMPDIR/hooks/a.json"
	podrun --hooks-dir "$BATS_TEST_TMPDIR/hooks" run --name "$NAME" --network none "$IMAGE" true
	[ "$status" -eq 0 ]
	wait_for 10 eval '[ "$(wc -l <"$BATS_TEST_TMPDIR/states")" -eq 3 ]'
	[ "$(jq -r .id "$BATS_TEST_TMPDIR/states" | sort -u)" = "$(inspect '{{.Id}}')" ]
	[ "$(jq -r .status "$BATS_TEST_TMPDIR/states" | tr '\n' ' ')" = "creating running stopped " ]
	jq -n --arg script 'echo it says why >&2; exit 3' --argjson stages '["createRuntime"]' "$hook" \
		>"$BATS_TEST_TMPDIR/hooks/b.json"
	podrun --hooks-dir "$BATS_TEST_TMPDIR/hooks" run --rm --network none "$IMAGE" true
	[ "$status" -eq 126 ]
	[[ $output == *"createRuntime hook"*"exit status 3"*"it says why"* ]]
}

@test "healthcheck: unhealthy, then healthy" {
	background --health-cmd 'test -f /tmp/ok' --health-interval disable --health-retries 1 "$IMAGE" sleep 1000
	podrun healthcheck run "$NAME"
	[ "$status" -ne 0 ]
	pod exec "$NAME" touch /tmp/ok
	podrun healthcheck run "$NAME"
	[ "$status" -eq 0 ]
	[ "$(inspect '{{.State.Healthcheck.Status}}')" = healthy ]
}

@test "commit and diff" {
	background "$IMAGE" sh -c 'echo new >/file; sleep 1000'
	wait_for 5 eval 'pod diff "$NAME" | grep -q "^A /file"'
	pod commit -q "$NAME" "localhost/committed:$BATS_TEST_NUMBER" >/dev/null
	quick "localhost/committed:$BATS_TEST_NUMBER" cat /file
	[ "$output" = new ]
	pod rmi "localhost/committed:$BATS_TEST_NUMBER"
}

@test "build: RUN steps, a user and a failing step" {
	cat >"$BATS_TEST_TMPDIR/Containerfile" <<-END
		FROM $IMAGE
		RUN echo built >/built && id -u >/who
		USER 1000
		RUN id -u >/tmp/who
		CMD ["cat", "/built", "/who", "/tmp/who"]
	END
	podrun build --isolation oci --network none -t "localhost/built:$BATS_TEST_NUMBER" -f "$BATS_TEST_TMPDIR/Containerfile" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 0 ]
	quick "localhost/built:$BATS_TEST_NUMBER"
	[ "$output" = $'built\n0\n1000' ]
	pod rmi "localhost/built:$BATS_TEST_NUMBER"
	printf 'FROM %s\nRUN exit 42\n' "$IMAGE" >"$BATS_TEST_TMPDIR/Containerfile"
	podrun build --isolation oci --network none -f "$BATS_TEST_TMPDIR/Containerfile" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 42 ]
}

@test "events tell the container's life" {
	quick --name "$NAME" "$IMAGE" sh -c 'exit 3'
	podrun events --stream=false --filter "container=$NAME" --format '{{.Status}} {{.ContainerExitCode}}'
	for event in create init start died remove; do
		[[ $output == *"$event"* ]]
	done
	[[ $output == *"died 3"* ]]
}

@test "checkpoint is refused where there is no criu, and the container goes on" {
	! "$KAVACH" checkpoint --help >/dev/null 2>&1 || skip "criu works here: tests/vm/checkpoint.bats"
	background "$IMAGE" sleep 1000
	podrun container checkpoint "$NAME"
	[ "$status" -ne 0 ]
	status_is running
}

@test "20 containers at once" {
	local i bad=0 pids=()
	for i in {1..20}; do
		pod run --rm --network none "$IMAGE" sh -c "echo $i" >"$BATS_TEST_TMPDIR/out$i" 2>&1 &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	[ $bad -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR"/out* | sort -n | tr '\n' ' ')" = "$(seq -s ' ' 20) " ]
}

@test "60 commands in one container, six at a time" {
	background "$IMAGE" sleep 1000
	local i pids=() bad=0
	for i in 1 2 3 4 5 6; do
		{
			local n out rc
			for n in 1 2 3 4 5 6 7 8 9 10; do
				rc=0
				out=$(pod exec "$NAME" sh -c "echo $i.$n; exit 9" 2>&1) || rc=$?
				[ "$rc $out" = "9 $i.$n" ] || {
					echo "# exec $i.$n -> $rc: $out"
					exit 1
				}
			done
		} &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || bad=1
	done
	[ $bad -eq 0 ]
	[ "$(pod top "$NAME" args | wc -l)" -eq 2 ]
}

# The directory of rules as podman's --runtime-flag gives it to kavach.
site() {
	mkdir -p "$BATS_TEST_TMPDIR/rules.d"
	chmod 755 "$BATS_TEST_TMPDIR/rules.d"
	printf '%s\n' "$1" >"$BATS_TEST_TMPDIR/rules.d/50-site.json"
	chmod 644 "$BATS_TEST_TMPDIR/rules.d/50-site.json"
	SITE=$BATS_TEST_TMPDIR/rules.d/50-site.json
}
under_rules() { podrun --runtime-flag "rules=$BATS_TEST_TMPDIR/rules.d" run --rm --network none "$@"; }

@test "site rules: podman shows which rule a container breaks, and what would satisfy it" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "site rules are kavach's"
	site '{"rules": [{"match": {"namespaces": ["podman"]}, "forbid": ["privileged"], "require": ["readOnlyRoot"]}]}'
	under_rules --read-only --privileged "$IMAGE" true
	[ "$status" -eq 126 ]
	[[ $output == *"rules file $SITE: rules[0].forbid[0]: privileged is forbidden; config.json: process.capabilities, linux.resources.devices: all devices or nearly all capabilities; run it without --privileged; --cap-add and --device give what is needed"* ]]
	under_rules "$IMAGE" true
	[ "$status" -eq 126 ]
	[[ $output == *"rules file $SITE: rules[0].require[0]: readOnlyRoot is required; config.json: root.readonly: the root can be written; set it to true (--read-only)"* ]]
	under_rules --read-only "$IMAGE" echo fine
	[ "$status" -eq 0 ]
	[ "$output" = fine ]
}

@test "site rules: what an engine's container needs of the host is compatible with limited sources" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "site rules are kavach's"
	mkdir -p "$BATS_TEST_TMPDIR/data"
	site "{\"binds\": [{\"source\": \"/\", \"access\": \"forbidden\"}, {\"source\": \"$PODDIR\", \"access\": \"read-write\"},
		{\"source\": \"$BATS_TEST_TMPDIR/data\", \"access\": \"read-only\"}], \"seccompProfile\": \"basic\", \"allowedDevices\": []}"
	under_rules -v "$BATS_TEST_TMPDIR/data:/data:ro" "$IMAGE" sh -c 'grep Seccomp_filters /proc/self/status && test -d /data'
	[ "$status" -eq 0 ]
	[[ $output == *Seccomp_filters:*2* ]]
	under_rules -v "$BATS_TEST_TMPDIR/data:/data" "$IMAGE" true
	[ "$status" -eq 126 ]
	[[ $output == *"binds[2]: $BATS_TEST_TMPDIR/data is read-only; config.json: mounts["*"can be written; mount it read-only (\"ro\")"* ]]
	under_rules -v /etc:/host:ro "$IMAGE" true
	[ "$status" -eq 126 ]
	[[ $output == *"binds[0]: / is forbidden"*"/etc is mounted; leave this mount out"* ]]
}

# ---- presets ----

@test "--annotation io.kavach.preset=strict: busybox works, volumes and tmpfs can be written, the root cannot" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "the annotation is kavach's"
	mkdir "$BATS_TEST_TMPDIR/volume"
	quick --annotation io.kavach.preset=strict --tmpfs /tmp -v "$BATS_TEST_TMPDIR/volume:/data" "$IMAGE" sh -c '
		seq 100 | sort -rn | head -n 1; echo x >/tmp/file && cat /tmp/file; echo kept >/data/file
		httpd -p 127.0.0.1:8080 -h /data; '"$(patiently wget -qO- http://127.0.0.1:8080/file)"'
		touch /new 2>&1; grep -E "^(NoNewPrivs|Seccomp|Seccomp_filters):" /proc/self/status | tr "\t\n" "  "
		mount -t tmpfs none /mnt 2>/dev/null || echo not mounted; unshare -U true 2>/dev/null || echo no namespace'
	[ "$status" -eq 0 ]
	[ "$output" = "100
x
kept
touch: /new: Read-only file system
NoNewPrivs: 1 Seccomp: 2 Seccomp_filters: 2 not mounted
no namespace" ]
	[ "$(cat "$BATS_TEST_TMPDIR/volume/file")" = kept ]
}

@test "--annotation io.kavach.preset=strict: limits at most, exec too, and stop, start and rm as ever" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "the annotation is kavach's"
	background --annotation io.kavach.preset=strict --memory 1g --pids-limit 2000 "$IMAGE" sleep 1000
	[ "$(cgroup memory memory.limit_in_bytes memory.max)" = 536870912 ]
	[ "$(cgroup pids pids.max pids.max)" = 64 ]
	podrun exec "$NAME" sh -c 'grep NoNewPrivs /proc/self/status; touch /new'
	[ "$status" -ne 0 ]
	[[ $output == *"NoNewPrivs:"*1*"Read-only file system"* ]]
	pod stop -t 0 "$NAME" >/dev/null
	pod start "$NAME" >/dev/null
	status_is running
	[ "$(cgroup pids pids.max pids.max)" = 64 ]
}

@test "--annotation io.kavach.seccomp.report=true: kavach seccomp denied has what podman's profile denied, exec's too" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "the annotation is kavach's"
	background --annotation io.kavach.seccomp.report=true "$IMAGE" sh -c 'swapon /bin; echo failed; exec sleep 1000'
	failed() { pod logs "$NAME" | grep -q failed; }
	wait_for 20 failed
	run pod exec "$NAME" swapoff /tmp
	[ "$status" -ne 0 ]
	[[ $output != *"is denied"* ]]
	run "$KAVACH" seccomp denied "$(inspect '{{.Id}}')"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *'"swapon" ("/bin/busybox"): swapon("/bin", 0) is denied: EPERM'* ]]
	[[ $output == *'"swapoff" ("/bin/busybox"): swapoff("/tmp") is denied: EPERM'* ]]
	pod stop -t 0 "$NAME" >/dev/null
}

@test "--annotation io.kavach.seccomp.record=true: the profile is there after podman has removed the container, and it runs with it" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "the annotation is kavach's"
	background --annotation io.kavach.seccomp.record=true "$IMAGE" sh -c 'echo started; exec sleep 1000'
	started() { pod logs "$NAME" | grep -q started; }
	wait_for 20 started
	id=$(inspect '{{.Id}}')
	pod exec "$NAME" mkdir /new
	pod rm -f -t 0 "$NAME" >/dev/null
	profile=$BATS_TEST_TMPDIR/profile.json
	"$KAVACH" seccomp recorded "$id" >"$profile"
	grep -q '"mkdir"' "$profile"
	quick --security-opt "seccomp=$profile" "$IMAGE" sh -c 'echo again; exec mkdir /new'
	[ "$status" -eq 0 ]
	[ "$output" = again ]
	quick --security-opt "seccomp=$profile" "$IMAGE" chmod 700 /tmp
	[ "$status" -ne 0 ]
	[[ $output == *"Function not implemented"* ]]
	rm -f "/run/kavach/.recorded/$id"
}

@test "--annotation io.kavach.preset: what is no preset is an error that names it" {
	[ "$ENGINE_RUNTIME" = kavach ] || skip "the annotation is kavach's"
	quick --annotation io.kavach.preset=Strict "$IMAGE" true
	[ "$status" -eq 125 ] || [ "$status" -eq 126 ]
	[[ $output == *'annotations["io.kavach.preset"]: "Strict" is not one of the words'* ]]
}

@test "nothing is left of all these containers" {
	pod rm -a -f -t 0
	wait_for 10 eval '[ -z "$(leftovers)" ]' || {
		leftovers
		false
	}
}
