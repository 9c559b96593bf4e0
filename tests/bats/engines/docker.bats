#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Docker with kavach as its default runtime: what a user of `docker` sees, and what the kernel says.

load daemon

setup_file() {
	requires_root
	requires_program dockerd docker containerd jq script nsenter
	engine_setup docker
	DOCKER_HOST=unix://$ENGINE_DIR/d.sock
	DOCKER_CONFIG=$ENGINE_DIR/client
	DOCKER_CLI_HINTS=false
	export DOCKER_HOST DOCKER_CONFIG DOCKER_CLI_HINTS
	# the example that we ship as it is, and what this machine and this test need
	jq --arg dir "$ENGINE_DIR" --arg cgroup "/$ENGINE_NAME" \
		--arg socket "$DOCKER_HOST" '. + {
			"default-runtime": "kavach", "data-root": ($dir + "/data"), "exec-root": "/run/docker",
			"pidfile": "/run/docker.pid", "hosts": [$socket], "group": "root", "cgroup-parent": $cgroup,
			"iptables": false, "ip-masq": false, "userland-proxy": false, "live-restore": true
		}' "$KAVACH_SRC/contrib/engines/docker-daemon.json" >"$ENGINE_DIR/daemon.json"
	# BuildKit, a part of the daemon, runs what is called runc, and the daemon asks it for its version
	mkdir "$ENGINE_DIR/bin"
	ln -s "$ENGINE_RUNTIME" "$ENGINE_DIR/bin/runc"
	PATH=$ENGINE_DIR/bin:$PATH engine_start dockerd --config-file "$ENGINE_DIR/daemon.json"
	engine_answers d version
	"$KAVACH_SRC/tests/bats/images.sh" load docker "$BUSYBOX_TAR"
}

teardown_file() { engine_stop; }

setup() {
	C=c$BATS_TEST_NUMBER
}

teardown() {
	local ids left
	[ -n "${ENGINE_PID:-}" ] || return 0
	ids=$(docker ps -aq)
	# shellcheck disable=SC2086 # a list
	[ -z "$ids" ] || docker rm -f -v $ids >/dev/null
	left=$(in_engine ls /run/docker/runtime-runc/moby 2>/dev/null || true)
	[ -z "$left" ] || { echo "# state left: $left"; return 1; }
	# but for the parent that BuildKit asks for
	left=$(cgroups_of_engine | grep "$ENGINE_NAME/" | grep -v '/buildkit$' || true)
	[ -z "$left" ] || { echo "# cgroups left: $left"; return 1; }
}

# as everywhere: what takes a minute hangs
d() {
	timeout --foreground -k 5 60 docker "$@"
}
export -f d

# foreground [OPTION...] IMAGE [COMMAND...], without a network, for that takes most of the time
foreground() {
	d run --rm --network none "$@"
}

# background [OPTION...] IMAGE [COMMAND...]: as $C
background() {
	d run -d --network none --name "$C" "$@" >/dev/null
}

field() {	# TEMPLATE [CONTAINER]
	d inspect -f "{{$1}}" "${2:-$C}"
}

field_is() {	# TEMPLATE VALUE [CONTAINER]
	[ "$(field "$1" "${3:-$C}")" = "$2" ]
}

pid_of() {	# of $C
	field .State.Pid
}

# knob CONTROLLER FILE-ON-V1 FILE-ON-V2: what the cgroup of $C says
knob() {
	local path
	path=$ENGINE_NAME/$(field .Id)
	if [ -d "/sys/fs/cgroup/$1/$path" ]; then
		cat "/sys/fs/cgroup/$1/$path/$2"
	else
		cat "/sys/fs/cgroup/$path/$3"
	fi
}

@test "docker info: the runtime, as contrib/engines/docker-daemon.json names it" {
	[ "$(d info --format '{{.DefaultRuntime}}')" = kavach ]
	[ "$(d info --format '{{json .Runtimes}}' | jq -r .kavach.path)" = /usr/local/bin/kavach ]
	background "$IMAGE" sleep 1000
	field_is .HostConfig.Runtime kavach
}

@test "run: output, input, exit status, signal" {
	[ "$(foreground "$IMAGE" echo hello)" = hello ]
	[ "$(printf 'one\ntwo\n' | foreground -i "$IMAGE" wc -l)" = 2 ]
	[ "$(foreground "$IMAGE" sh -c 'echo out; echo err >&2' 2>/dev/null)" = out ]
	show foreground "$IMAGE" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	show foreground --init "$IMAGE" sh -c 'kill -TERM $$'
	[ "$status" -eq 143 ]
}

@test "run: exit status 127, 126 and 125 as Docker's manual says" {
	show foreground "$IMAGE" no-such-program
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	show foreground "$IMAGE" /no/such/program
	[ "$status" -eq 127 ]
	[[ $output == *"no such file or directory"* ]]
	show foreground "$IMAGE" /etc/passwd
	[ "$status" -eq 126 ]
	[[ $output == *"permission denied"* ]]
	show foreground "$IMAGE" /etc
	[ "$status" -eq 126 ]
	show foreground --memory 1 "$IMAGE" true
	[ "$status" -eq 125 ]
	show foreground --sysctl net.no.such=1 "$IMAGE" true
	[ "$status" -ne 0 ]
	[[ $output == *net.no.such* || $output == *net/no/such* ]]
	[ -z "$(d ps -aq)" ]
}

@test "run: a directory mounted over a file is explained" {
	show foreground -v "$ENGINE_DIR:/etc/passwd" "$IMAGE" true
	[ "$status" -eq 125 ]
	[[ $output == *"not a directory"* ]]
	[[ $output == *"Are you trying to mount a directory onto a file"* ]]
}

@test "run -d: state, logs, wait, stop, start, restart" {
	background "$IMAGE" sh -c 'trap "echo term; exit 7" TERM; echo started; while :; do sleep 0.1; done'
	field_is .State.Status running
	pid=$(pid_of)
	in_engine test -d "/proc/$pid"
	in_engine cat "/proc/$pid/cgroup" | grep -q ":/$ENGINE_NAME/$(field .Id)\$"
	logged() { [ "$(d logs "$C")" = "$1" ]; }
	wait_for 5 logged started
	d stop -t 20 "$C"
	field_is .State.Status exited
	field_is .State.ExitCode 7
	logged $'started\nterm'
	d start "$C"
	field_is .State.Running true
	[ "$(pid_of)" != "$pid" ]
	pid=$(pid_of)
	wait_for 5 logged $'started\nterm\nstarted'
	d restart -t 20 "$C"
	field_is .State.Running true
	[ "$(pid_of)" != "$pid" ]
	d kill -s KILL "$C"
	[ "$(d wait "$C")" = 137 ]
}

@test "kill: signals by name and number; refused for what does not run" {
	background "$IMAGE" sh -c 'trap "echo usr1" USR1; trap "echo 37" 37; echo started; while :; do sleep 0.1; done'
	logged() { d logs "$C" | grep -qx "$1"; }
	wait_for 5 logged started
	d kill -s USR1 "$C"
	wait_for 5 logged usr1
	d kill -s 37 "$C"
	wait_for 5 logged 37
	d kill "$C"
	wait_for 5 field_is .State.Status exited
	field_is .State.ExitCode 137
	show d kill "$C"
	[ "$status" -ne 0 ]
	[[ $output == *"is not running"* ]]
	d rm "$C"
}

@test "exec: output, input, exit status, user, directory, environment" {
	background -e KEY=value "$IMAGE" sleep 1000
	[ "$(d exec "$C" echo hello)" = hello ]
	[ "$(printf 'a\nb\n' | d exec -i "$C" wc -l)" = 2 ]
	[ "$(d exec "$C" sh -c 'echo $KEY')" = value ]
	[ "$(d exec -e KEY=other "$C" sh -c 'echo $KEY')" = other ]
	[ "$(d exec -u 1000:5 "$C" sh -c 'echo $(id -u) $(id -g)')" = "1000 5" ]
	[ "$(d exec -u user "$C" sh -c 'echo $(id -u) $HOME')" = "1000 /home/user" ]
	[ "$(d exec -w /tmp "$C" pwd)" = /tmp ]
	show d exec "$C" sh -c 'exit 42'
	[ "$status" -eq 42 ]
	show d exec "$C" sh -c 'kill -KILL $$'
	[ "$status" -eq 137 ]
	# 126 for what Docker later calls 127
	show d exec "$C" no-such-program
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	show d exec "$C" /etc/passwd
	[ "$status" -eq 126 ]
	show d exec -w /no/such "$C" true
	[ "$status" -ne 0 ]
	field_is .State.Running true
	d exec -d "$C" sleep 500
	d top "$C" | grep -q 'sleep 500'
	admin=$((1 << 21))
	[ $((0x$(d exec "$C" awk '/^CapEff/ { print $2 }' /proc/self/status) & admin)) -eq 0 ]
	[ $((0x$(d exec --privileged "$C" awk '/^CapEff/ { print $2 }' /proc/self/status) & admin)) -ne 0 ]
}

@test "run -it and exec -it: a terminal of the size of ours" {
	probe='until [ "$(stty size 2>&-)" = "33 77" ]; do sleep 0.1; done; test -t 0 && test -t 2 && tty'
	show pty d run --rm --network none -it "$IMAGE" sh -c "$probe; exit 42"
	[ "$status" -eq 42 ]
	[[ $output == /dev/pts/0* ]]
	background "$IMAGE" sleep 1000
	show pty d exec -it "$C" sh -c "$probe; exit 43"
	[ "$status" -eq 43 ]
	[[ $output == /dev/pts/0* ]]
	show pty d exec -it "$C" no-such-program
	[ "$status" -eq 126 ] || [ "$status" -eq 127 ]
}

@test "run -dit: a shell to attach to" {
	background -it "$IMAGE" sh
	field_is .Config.Tty true
	(sleep 1; echo 'echo $((40 + 2)); exit 9'; sleep 1) |
		SHELL=/bin/bash script -qec "timeout 30 docker attach $C" "$BATS_TEST_TMPDIR/typed" >/dev/null || true
	wait_for 5 field_is .State.ExitCode 9
	grep -q '^42' "$BATS_TEST_TMPDIR/typed"
}

@test "pause and unpause: no process of the container runs in between" {
	background "$IMAGE" sh -c 'while :; do date +%N >/tmp/now; done'
	pid=$(pid_of)
	now() { in_engine cat "/proc/$pid/root/tmp/now"; }
	d pause "$C"
	field_is .State.Status paused
	before=$(now)
	sleep 0.3
	[ "$(now)" = "$before" ]
	show d exec "$C" true
	[ "$status" -ne 0 ]
	d unpause "$C"
	field_is .State.Status running
	changed() { [ "$(now)" != "$before" ]; }
	wait_for 5 changed
	d pause "$C"
	d rm -f "$C"
}

@test "top, stats: the processes and what they use" {
	background --memory 64m "$IMAGE" sh -c 'sleep 700 & sleep 700; true'
	three() { [ "$(d top "$C" | tail -n +2 | wc -l)" -eq 3 ]; }
	wait_for 5 three
	d top "$C" -o pid,args | awk '/sleep 700/ { print $1 }' >"$ENGINE_DIR/top"
	while read -r pid; do
		in_engine grep -q sleep "/proc/$pid/cmdline"
	done <"$ENGINE_DIR/top"
	show d stats --no-stream --format '{{.PIDs}} {{.MemUsage}}' "$C"
	[[ $output == "3 "*"/ 64MiB" ]]
	[[ $output != *" 0B /"* ]]
}

@test "limits stand in the cgroup; update changes them" {
	background --memory 64m --cpus 0.5 --pids-limit 50 --cpu-shares 512 --cpuset-cpus 0 "$IMAGE" sleep 1000
	[ "$(knob memory memory.limit_in_bytes memory.max)" = 67108864 ]
	[ "$(knob pids pids.max pids.max)" = 50 ]
	[ "$(knob cpuset cpuset.cpus cpuset.cpus)" = 0 ]
	[[ $(knob cpu cpu.cfs_quota_us cpu.max) == 50000* ]]
	shares=$(knob cpu cpu.shares cpu.weight)
	[ "$shares" = 512 ] || [ "$shares" = 20 ]
	d update --memory 128m --memory-swap 256m --cpus 0.25 --pids-limit 60 "$C"
	[ "$(knob memory memory.limit_in_bytes memory.max)" = 134217728 ]
	[ "$(knob pids pids.max pids.max)" = 60 ]
	[[ $(knob cpu cpu.cfs_quota_us cpu.max) == 25000* ]]
	shares=$(knob cpu cpu.shares cpu.weight)
	[ "$shares" = 512 ] || [ "$shares" = 20 ]
	# the limits hold
	show d exec "$C" sh -c 'i=0; while [ $i -lt 80 ]; do sleep 5 & i=$((i+1)); done'
	[[ $output == *"fork"* ]]
}

@test "a container over its memory limit is killed and Docker knows why" {
	show d run --name "$C" --network none --memory 8m "$IMAGE" sh -c 'x=x; while :; do x=$x$x; done'
	[ "$status" -eq 137 ]
	field_is .State.OOMKilled true
}

@test "--read-only, --tmpfs, --shm-size" {
	show foreground --read-only "$IMAGE" sh -c 'echo x >/file'
	[ "$status" -ne 0 ]
	[[ $output == *"Read-only file system"* ]]
	foreground --read-only --tmpfs /tmp:size=1m,mode=1777 "$IMAGE" sh -c '
		grep -q " /tmp tmpfs .*size=1024k" /proc/mounts && echo x >/tmp/x &&
		! dd if=/dev/zero of=/tmp/big bs=1M count=2 2>/dev/null'
	foreground --shm-size 2m "$IMAGE" grep -q ' /dev/shm tmpfs .*size=2048k' /proc/mounts
}

@test "volumes: bind, read-only, named, copied up, of another container, with propagation" {
	mkdir -p "$ENGINE_DIR/source"
	echo content >"$ENGINE_DIR/source/file"
	show foreground -v "$ENGINE_DIR/source:/mnt:ro" "$IMAGE" sh -c 'cat /mnt/file; echo x >/mnt/file'
	[[ $output == *content* && $output == *"Read-only file system"* ]]
	foreground -v "$ENGINE_DIR/source:/new/dir" "$IMAGE" sh -c 'echo changed >/new/dir/file'
	[ "$(cat "$ENGINE_DIR/source/file")" = changed ]
	foreground --mount "type=bind,src=$ENGINE_DIR/source/file,dst=/etc/motd" "$IMAGE" grep -q changed /etc/motd
	# what lies in the image below the volume's place comes with it
	foreground -v "$C-volume:/etc" "$IMAGE" sh -c 'echo volume >/etc/added'
	[ "$(foreground -v "$C-volume:/v" "$IMAGE" sh -c 'cat /v/added; grep -c ^root: /v/passwd')" = $'volume\n1' ]
	background -v /data "$IMAGE" sh -c 'echo shared >/data/file; sleep 1000'
	seen() { [ "$(d exec "$C" cat /data/file 2>/dev/null)" = shared ]; }
	wait_for 5 seen
	[ "$(foreground --volumes-from "$C" "$IMAGE" cat /data/file)" = shared ]
	d volume rm "$C-volume"
	# a mount made later on the host arrives in a slave, and none of a slave's on the host
	in_engine sh -c 'mkdir -p /run/prop && mount -t tmpfs prop /run/prop && mount --make-shared /run/prop'
	d rm -f "$C"
	background --cap-add SYS_ADMIN -v /run/prop:/prop:rslave "$IMAGE" sleep 1000
	in_engine sh -c 'mkdir /run/prop/later && mount -t tmpfs later /run/prop/later && echo x >/run/prop/later/file'
	d exec "$C" test -f /prop/later/file
	d exec "$C" sh -c 'mkdir /prop/inside && mount -t tmpfs none /prop/inside && echo x >/prop/inside/file'
	in_engine sh -c 'test ! -e /run/prop/inside/file'
	d rm -f "$C"
	in_engine umount -R /run/prop
}

@test "cp into and out of a running container; diff, export, commit" {
	background "$IMAGE" sleep 1000
	echo in >"$BATS_TEST_TMPDIR/file"
	d cp "$BATS_TEST_TMPDIR/file" "$C:/tmp/file"
	[ "$(d exec "$C" cat /tmp/file)" = in ]
	d exec "$C" sh -c 'echo out >/root/made'
	d cp "$C:/root/made" "$BATS_TEST_TMPDIR/made"
	[ "$(cat "$BATS_TEST_TMPDIR/made")" = out ]
	d diff "$C" | grep -q '^A /root/made'
	d export "$C" | tar -t | grep -q '^root/made$'
	d commit "$C" localhost/kavach-commit:latest >/dev/null
	[ "$(foreground localhost/kavach-commit:latest cat /root/made)" = out ]
	d rmi -f localhost/kavach-commit:latest
}

@test "build: RUN under the runtime, as root and as a user" {
	mkdir -p "$BATS_TEST_TMPDIR/build"
	cat >"$BATS_TEST_TMPDIR/build/Dockerfile" <<-END
		FROM $IMAGE
		RUN echo built >/built && cat /proc/self/cgroup >/cgroup
		COPY Dockerfile /copied
		USER user
		WORKDIR /home/user/work
		RUN id -u >/tmp/uid; pwd >/tmp/pwd
		CMD cat /built /tmp/uid /tmp/pwd
	END
	show env DOCKER_BUILDKIT=0 timeout 60 docker build -q --network none -t localhost/kavach-built \
		"$BATS_TEST_TMPDIR/build"
	[ "$status" -eq 0 ]
	[ "$(foreground localhost/kavach-built)" = $'built\n1000\n/home/user/work' ]
	foreground localhost/kavach-built test -f /copied
	printf 'FROM %s\nRUN exit 42\n' "$IMAGE" >"$BATS_TEST_TMPDIR/build/Dockerfile"
	show env DOCKER_BUILDKIT=0 timeout 60 docker build --network none "$BATS_TEST_TMPDIR/build"
	[ "$status" -ne 0 ]
	[[ $output == *"returned a non-zero code: 42"* ]]
	d rmi -f localhost/kavach-built
}

# the client that came with the daemon, for later ones want a plugin
@test "build with BuildKit, which runs kavach in the foreground" {
	local client=/usr/bin/docker
	[[ $($client version --format '{{.Client.Version}}' 2>/dev/null) == 20.* ]] || client=docker
	mkdir -p "$BATS_TEST_TMPDIR/build"
	cat >"$BATS_TEST_TMPDIR/build/Dockerfile" <<-END
		FROM $IMAGE AS first
		RUN echo built >/built && test "\$(id -u)" = 0
		FROM $IMAGE
		COPY --from=first /built /built
		USER user
		RUN --mount=type=tmpfs,target=/scratch id -u >/scratch/uid && cat /scratch/uid >/tmp/uid
	END
	show env DOCKER_BUILDKIT=1 timeout 60 $client build --progress plain --network none -t localhost/kavach-built \
		"$BATS_TEST_TMPDIR/build"
	if [[ $output == *"buildx component is missing"* ]]; then
		skip "the docker client has no BuildKit"
	fi
	[ "$status" -eq 0 ]
	[ "$(foreground localhost/kavach-built cat /built /tmp/uid)" = $'built\n1000' ]
	printf 'FROM %s\nRUN exit 42\n' "$IMAGE" >"$BATS_TEST_TMPDIR/build/Dockerfile"
	show env DOCKER_BUILDKIT=1 timeout 60 $client build --progress plain --network none "$BATS_TEST_TMPDIR/build"
	[ "$status" -ne 0 ]
	[[ $output == *"exit code: 42"* ]]
	d rmi -f localhost/kavach-built
}

@test "a build that is given up leaves no process" {
	local client=/usr/bin/docker build
	[[ $($client version --format '{{.Client.Version}}' 2>/dev/null) == 20.* ]] || client=docker
	mkdir -p "$BATS_TEST_TMPDIR/build"
	printf 'FROM %s\nRUN sleep 5432\n' "$IMAGE" >"$BATS_TEST_TMPDIR/build/Dockerfile"
	DOCKER_BUILDKIT=1 timeout 60 $client build --progress plain --network none "$BATS_TEST_TMPDIR/build" \
		>"$ENGINE_DIR/build.log" 2>&1 3>&- &
	build=$!
	runs() { in_engine pgrep -x -f '(/bin/sh -c )?sleep 5432' >/dev/null; }
	if ! wait_for 20 runs; then
		cat "$ENGINE_DIR/build.log"
		grep -q "buildx component is missing" "$ENGINE_DIR/build.log"
		skip "the docker client has no BuildKit"
	fi
	kill -INT "$build"
	wait_for 20 eval '! runs'
}

# runc fails on --privileged where root itself lacks a capability
@test "capabilities, no-new-privileges, --privileged" {
	caps() { awk '/^CapEff/ { print $2 }'; }
	chown=1 net_raw=$((1 << 13)) admin=$((1 << 21))
	plain=0x$(foreground "$IMAGE" cat /proc/self/status | caps)
	[ $((plain & chown)) -ne 0 ] && [ $((plain & net_raw)) -ne 0 ] && [ $((plain & admin)) -eq 0 ]
	less=0x$(foreground --cap-drop ALL --cap-add NET_RAW "$IMAGE" cat /proc/self/status | caps)
	[ $((less)) -eq $net_raw ]
	show foreground --cap-drop CHOWN "$IMAGE" chown 1:1 /tmp
	[ "$status" -ne 0 ]
	none=0x$(foreground --user 1000 "$IMAGE" cat /proc/self/status | caps)
	[ $((none)) -eq 0 ]
	foreground "$IMAGE" grep -q '^NoNewPrivs:.*0' /proc/self/status
	foreground --security-opt no-new-privileges "$IMAGE" grep -q '^NoNewPrivs:.*1' /proc/self/status
	show foreground --privileged "$IMAGE" sh -c 'mount -t tmpfs none /mnt && grep " /sys sysfs rw" /proc/mounts'
	[ "$status" -eq 0 ]
	foreground --privileged "$IMAGE" grep -q '^Seccomp:.*0' /proc/self/status
}

@test "seccomp: the default profile, one of our own, none" {
	foreground "$IMAGE" grep -q '^Seccomp:.*2' /proc/self/status
	show foreground "$IMAGE" unshare -m true
	[ "$status" -ne 0 ]
	foreground --security-opt seccomp=unconfined "$IMAGE" grep -q '^Seccomp:.*0' /proc/self/status
	echo '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls":
		[{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 110}]}' >"$ENGINE_DIR/seccomp.json"
	show foreground --security-opt "seccomp=$ENGINE_DIR/seccomp.json" "$IMAGE" mkdir /tmp/x
	[ "$status" -ne 0 ]
	[[ $output == *"timed out"* ]]
}

@test "masked and read-only paths of /proc" {
	# those of Docker's list that this kernel has
	show foreground "$IMAGE" sh -c 'for f in kcore keys latency_stats timer_list sched_debug; do
			[ ! -e /proc/$f ] || [ "$(wc -c </proc/$f)" = 0 ] || echo "$f is open"; done
		for d in /proc/acpi /proc/scsi /sys/firmware; do [ -z "$(ls $d 2>&-)" ] || echo "$d is open"; done'
	[ -z "$output" ]
	show foreground "$IMAGE" sh -c 'echo x >/proc/sys/kernel/domainname'
	[[ $output == *"Read-only file system"* ]]
	foreground "$IMAGE" grep -q ' /proc/sys proc ro' /proc/mounts
	[ "$(foreground --security-opt systempaths=unconfined "$IMAGE" grep -c ' /proc/sys proc ro' /proc/mounts)" = 0 ]
}

@test "--init: docker-init is the first process and reaps" {
	requires_program docker-init
	background --init "$IMAGE" sh -c 'sh -c "sleep 0.2 & exit 0"; sleep 1000'
	[[ $(d exec "$C" cat /proc/1/comm) == docker-init* ]]
	no_zombies() { [ -z "$(d exec "$C" ps -o stat | grep Z)" ]; }
	wait_for 5 no_zombies
}

@test "user, groups, directory, environment, host name, hosts, name servers" {
	[ "$(foreground -u 1000:1000 "$IMAGE" sh -c 'echo $(id -u) $(id -g) $HOME')" = "1000 1000 /home/user" ]
	[ "$(foreground -u user --group-add 5 --group-add 77 "$IMAGE" id -G)" = "1000 5 77" ]
	[ "$(foreground -w /made/for/this -e A=1 -e 'B=two words' "$IMAGE" sh -c 'echo "$PWD $A $B"')" = \
		"/made/for/this 1 two words" ]
	[ "$(foreground -h other --domainname example.org "$IMAGE" sh -c 'hostname; cat /proc/sys/kernel/domainname')" = \
		$'other\nexample.org' ]
	# files of Docker's, mounted one by one; none are made for a container without a network's names
	[ "$(d run --rm --add-host name:1.2.3.4 --dns 9.9.9.9 "$IMAGE" \
		sh -c 'grep name /etc/hosts; grep ^nameserver /etc/resolv.conf' | tr '\t' ' ')" = $'1.2.3.4 name\nnameserver 9.9.9.9' ]
}

@test "--ulimit, --device, --sysctl, --oom-score-adj" {
	[ "$(foreground --ulimit nofile=123:456 "$IMAGE" sh -c 'ulimit -Sn; ulimit -Hn')" = $'123\n456' ]
	show foreground --cap-add SYSLOG "$IMAGE" sh -c 'mknod /dev/kmsg c 1 11 && : </dev/kmsg'
	[ "$status" -ne 0 ]
	foreground --cap-add SYSLOG --device /dev/kmsg "$IMAGE" sh -c ': </dev/kmsg'
	foreground --cap-add SYSLOG --device /dev/kmsg:/dev/other:w "$IMAGE" sh -c '! (: </dev/other)'
	foreground --cap-add SYSLOG --device-cgroup-rule 'c 1:11 r' "$IMAGE" sh -c 'mknod /dev/kmsg c 1 11 && : </dev/kmsg'
	[ "$(foreground --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=4321 "$IMAGE" \
		cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/msgmax)" = $'1\n4321' ]
	[ "$(foreground --oom-score-adj 500 "$IMAGE" cat /proc/self/oom_score_adj)" = 500 ]
}

@test "networks: none, bridge, host, that of another container" {
	[ "$(foreground "$IMAGE" ls /sys/class/net)" = lo ]
	d run -d --name "$C" "$IMAGE" sh -c 'echo hello | nc -l -p 80' >/dev/null
	address=$(field .NetworkSettings.IPAddress)
	[ -n "$address" ]
	# no firewall rules are made here, the bridge alone joins the two
	answers() { [ "$(d run --rm "$IMAGE" nc "$address" 80 </dev/null)" = hello ]; }
	wait_for 10 answers
	net=$(in_engine readlink /proc/self/ns/net)
	[ "$(d run --rm --network host "$IMAGE" readlink /proc/self/ns/net)" = "$net" ]
	d rm -f "$C"
	background "$IMAGE" sleep 1000
	[ "$(d run --rm --network "container:$C" "$IMAGE" readlink /proc/self/ns/net)" = \
		"$(in_engine readlink "/proc/$(pid_of)/ns/net")" ]
}

@test "namespaces: pid, ipc, uts and cgroup of the host or of another container" {
	for ns in pid uts ipc; do
		[ "$(foreground "--$ns" host "$IMAGE" readlink /proc/self/ns/$ns)" = "$(in_engine readlink /proc/self/ns/$ns)" ]
	done
	background --ipc shareable "$IMAGE" sleep 1000
	for ns in pid ipc; do
		[ "$(foreground "--$ns" "container:$C" "$IMAGE" readlink /proc/self/ns/$ns)" = \
			"$(in_engine readlink "/proc/$(pid_of)/ns/$ns")" ]
	done
	foreground --pid "container:$C" "$IMAGE" ps | grep -q 'sleep 1000'
	[ "$(foreground --cgroupns host "$IMAGE" readlink /proc/self/ns/cgroup)" = "$(readlink /proc/self/ns/cgroup)" ]
	show foreground --cgroupns private "$IMAGE" sh -c 'readlink /proc/self/ns/cgroup; cat /proc/self/cgroup'
	[[ $output != *"$(readlink /proc/self/ns/cgroup)"* && $output != *"$ENGINE_NAME"* ]]
}

@test "with the host's pid namespace a container's end takes all its processes" {
	background --pid host "$IMAGE" sh -c 'sleep 666 & sleep 666'
	d rm -f "$C"
	[ -z "$(in_engine pgrep -f 'sleep 666' || true)" ]
}

@test "--restart: as often as allowed, and again after a crash" {
	background --restart on-failure:2 "$IMAGE" sh -c 'echo run; exit 3'
	wait_for 20 field_is .RestartCount 2
	wait_for 10 field_is .State.Status exited
	[ "$(d logs "$C" | wc -l)" -eq 3 ]
	d rm "$C"
	background --restart always "$IMAGE" sleep 1000
	pid=$(pid_of)
	in_engine kill -KILL "$pid"
	again() { field_is .RestartCount 1 && field_is .State.Status running && [ "$(pid_of)" != "$pid" ]; }
	wait_for 20 again
}

@test "healthcheck: healthy, then not" {
	background --health-cmd 'test ! -e /sick' --health-interval 0.3s --health-retries 2 "$IMAGE" sleep 1000
	wait_for 15 field_is .State.Health.Status healthy
	d exec "$C" touch /sick
	wait_for 15 field_is .State.Health.Status unhealthy
}

@test "events: create, start, exec, die, destroy, in this order" {
	d events --filter "container=$C" --format '{{.Action}}' >"$ENGINE_DIR/events" &
	events=$!
	sleep 2 # nothing tells when it has subscribed
	background "$IMAGE" sleep 1000
	d exec "$C" true
	d rm -f "$C"
	complete() { grep -q destroy "$ENGINE_DIR/events"; }
	wait_for 5 complete
	kill "$events"
	cut -d: -f1 "$ENGINE_DIR/events" | grep -E '^(create|start|exec_start|exec_die|die|destroy)$' | xargs >"$ENGINE_DIR/order"
	[ "$(cat "$ENGINE_DIR/order")" = "create start exec_start exec_die die destroy" ]
}

@test "20 containers at once" {
	local i pids=() bad=0
	for i in $(seq 20); do
		foreground "$IMAGE" sh -c "sleep 0.5; echo $i; exit $i" >"$BATS_TEST_TMPDIR/$i" 2>&1 &
		pids+=($!)
	done
	for i in $(seq 20); do
		wait "${pids[i - 1]}" && rc=0 || rc=$?
		[ "$rc" -eq "$i" ] && [ "$(cat "$BATS_TEST_TMPDIR/$i")" = "$i" ] || {
			bad=$((bad + 1))
			echo "# $i: $rc $(cat "$BATS_TEST_TMPDIR/$i")"
		}
	done
	[ "$bad" -eq 0 ]
}

@test "20 execs at once" {
	local i pids=() bad=0
	background "$IMAGE" sleep 1000
	for i in $(seq 20); do
		d exec "$C" sh -c "echo $i; exit $i" >"$BATS_TEST_TMPDIR/$i" 2>&1 &
		pids+=($!)
	done
	for i in $(seq 20); do
		wait "${pids[i - 1]}" && rc=0 || rc=$?
		[ "$rc" -eq "$i" ] && [ "$(cat "$BATS_TEST_TMPDIR/$i")" = "$i" ] || bad=$((bad + 1))
	done
	[ "$bad" -eq 0 ]
}

@test "a shim that is killed: Docker sees the end, and the container can be started again" {
	background "$IMAGE" sh -c 'sleep 888 & sleep 888'
	pid=$(pid_of)
	shim=$(in_engine awk '/^PPid/ { print $2 }' "/proc/$pid/status")
	in_engine grep -q containerd-shim "/proc/$shim/cmdline"
	in_engine kill -KILL "$shim"
	wait_for 20 field_is .State.Running false
	gone() { [ -z "$(in_engine pgrep -f 'sleep 888' || true)" ]; }
	wait_for 5 gone
	d start "$C"
	[ "$(d exec "$C" echo alive)" = alive ]
}

@test "containers outlive the daemon" {
	background "$IMAGE" sleep 1000
	pid=$(pid_of)
	in_engine sh -c 'kill -KILL $(cat /run/docker.pid)'
	wait_for 5 eval '! d version >/dev/null 2>&1'
	in_engine test -d "/proc/$pid"
	PATH=$ENGINE_DIR/bin:$PATH in_engine setsid dockerd --config-file "$ENGINE_DIR/daemon.json" >>"$ENGINE_DIR/engine.log" 2>&1 3>&- &
	engine_answers d version
	field_is .State.Pid "$pid"
	[ "$(d exec "$C" echo alive)" = alive ]
	d stop -t 0 "$C"
	field_is .State.ExitCode 137
}

@test "a daemon with --userns-remap: containers in a user namespace" {
	local dir=$ENGINE_DIR/remap
	mkdir -p "$dir"
	# the host's lists stay as they are
	echo 'daemon:100000:65536' >"$dir/subid"
	in_engine sh -c "mount --bind '$dir/subid' /etc/subuid && mount --bind '$dir/subid' /etc/subgid"
	jq --arg dir "$dir" '. + {"userns-remap": "daemon", "data-root": ($dir + "/data"), "exec-root": "/run/docker-remap",
		"pidfile": "/run/docker-remap.pid", "hosts": ["unix://" + $dir + "/d.sock"], "bridge": "none",
		"live-restore": false}' "$ENGINE_DIR/daemon.json" >"$dir/daemon.json"
	in_engine setsid dockerd --config-file "$dir/daemon.json" >"$dir/log" 2>&1 3>&- &
	DOCKER_HOST=unix://$dir/d.sock
	wait_for 30 d version >/dev/null 2>&1 || cat "$dir/log"
	"$KAVACH_SRC/tests/bats/images.sh" load docker "$BUSYBOX_TAR"
	show foreground "$IMAGE" sh -c 'id -u; cat /proc/self/uid_map; stat -c %u /bin; echo x >/tmp/x && stat -c %u /tmp/x'
	[ "$status" -eq 0 ]
	[ "$(xargs <<<"$output")" = "0 0 100000 65536 0 0" ]
	background "$IMAGE" sleep 1000
	[ "$(in_engine stat -c %u "/proc/$(pid_of)")" = 100000 ]
	[ "$(d exec -u 5 "$C" id -u)" = 5 ]
	show foreground --read-only --tmpfs /tmp -v "$C-volume:/v" "$IMAGE" sh -c 'echo x >/v/x && echo x >/tmp/x && stat -c %u /v/x'
	[ "$output" = 0 ]
	show foreground "$IMAGE" no-such-program
	[ "$status" -eq 127 ]
	[ "$(foreground --userns host "$IMAGE" awk '{ print $3 }' /proc/self/uid_map)" = 4294967295 ]
	d rm -f "$C" >/dev/null
	in_engine sh -c 'kill $(cat /run/docker-remap.pid); umount /etc/subuid /etc/subgid'
	wait_for 20 eval '! d version >/dev/null 2>&1'
}
