#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the stage leaves to the workload, and what it does when that goes wrong; process.bats has the config's members one by one.

load helpers

setup_file() {
	setup_rootfs
	CALLER_CAPS=$(sed -n 's/^CapEff:\t//p' /proc/self/status)
	export CALLER_CAPS
}

setup() {
	requires_root
	setup_kavach
}

teardown() { teardown_kavach; }

user() { config --argjson u "$1" '.process.user = $u'; }

caps_are() { # FILE Inh Prm Eff Bnd Amb
	[ "$(sed -n 's/^Cap[A-Z][a-z]*:\t0*\(.*\)$/\1/p' "$1" | sed 's/^$/0/' | xargs)" = "$2 $3 $4 $5 $6" ]
}

@test "capabilities of root are the config's, with and without a filter that is loaded last" {
	# CAP_KILL and CAP_NET_BIND_SERVICE: bits 5 and 10
	config '.process.capabilities = ({} | .bounding = ["CAP_KILL", "CAP_NET_BIND_SERVICE"] | .permitted = .bounding
		| .effective = ["CAP_KILL"])'
	args cat /proc/self/status
	for nnp in true false; do
		for filter in null '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mount"], "action": "SCMP_ACT_ERRNO"}]}'; do
			config --argjson f "$filter" --argjson n $nnp '.process.noNewPrivileges = $n | .linux.seccomp = $f'
			kv run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/status"
			caps_are "$BATS_TEST_TMPDIR/status" 0 420 420 420 0
			grep -qx "Seccomp:	$([ "$filter" = null ] && echo 0 || echo 2)" "$BATS_TEST_TMPDIR/status"
			grep -qx "NoNewPrivs:	$([ $nnp = true ] && echo 1 || echo 0)" "$BATS_TEST_TMPDIR/status"
		done
	done
}

@test "capabilities of a user: none survive but ambient ones, also with a filter without no_new_privs" {
	config '.process.noNewPrivileges = false | .process.capabilities = ({} | .bounding = ["CAP_KILL", "CAP_CHOWN"]
		| .permitted = .bounding | .effective = .bounding)
		| .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["mount"], action: "SCMP_ACT_ERRNO"}]}'
	user '{"uid": 1000, "gid": 1000}'
	args cat /proc/self/status
	kv run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/status"
	caps_are "$BATS_TEST_TMPDIR/status" 0 0 0 21 0
	config '.process.capabilities |= (.ambient = ["CAP_KILL"] | .inheritable = ["CAP_KILL"])'
	kv run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/status"
	caps_are "$BATS_TEST_TMPDIR/status" 20 20 20 21 20
}

@test "ids, additional groups and umask" {
	user '{"uid": 1234, "gid": 2345, "additionalGids": [77, 88], "umask": 63}'
	args sh -c 'id -u; id -g; id -G; umask'
	[ "$(kv run -b "$BUNDLE" "$ID" | xargs)" = "1234 2345 2345 77 88 0077" ]
	user '{"uid": 0, "gid": 0}'
	[ "$( (umask 027 && kv run -b "$BUNDLE" "$ID") | xargs)" = "0 0 0 0027" ]
}

@test "HOME is the passwd's for the number of the user, / otherwise, never by name" {
	own_rootfs
	printf 'root:x:0:0::/root:/bin/sh\n77:x:1:1::/evil:/bin/sh\nu:x:1000:1000::/home/u:/bin/sh\n' >"$BUNDLE/rootfs/etc/passwd"
	args sh -c 'echo $HOME'
	for row in '0 /root' '1000 /home/u' '77 /'; do
		user "{\"uid\": ${row% *}, \"gid\": 0}"
		[ "$(kv run -b "$BUNDLE" "$ID")" = "${row#* }" ]
	done
	config '.process.env += ["HOME="]'
	[ "$(kv run -b "$BUNDLE" "$ID")" = / ]
	config '.process.env += ["HOME=/given"]'
	[ "$(kv run -b "$BUNDLE" "$ID")" = /given ]
	# a passwd that leads to our own descriptors, or never ends
	rm "$BUNDLE/rootfs/etc/passwd"
	for bad in 'ln -s /proc/self/fd/3' 'mkfifo' 'mkdir'; do
		$bad "$BUNDLE/rootfs/etc/passwd"
		config '.process.env += ["HOME="]'
		[ "$(timeout 20 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID")" = / ]
		rm -r "$BUNDLE/rootfs/etc/passwd"
	done
}

@test "environment: of a name that comes twice the last one" {
	config '.process.env = ["PATH=/bin", "A=1", "B=x", "A=2", "HOME=/"]'
	args env
	[ "$(kv run -b "$BUNDLE" "$ID" | sort | xargs)" = "A=2 B=x HOME=/ PATH=/bin" ]
}

@test "working directory: made when missing, by its user's rights, and always absolute" {
	own_rootfs
	config '.process.cwd = "/made/by/kavach"'
	args sh -c 'pwd; ls -ldn .'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == /made/by/kavach*"drwxr-xr-x"* ]]
	mkdir -m 700 "$BUNDLE/rootfs/private"
	chown 1000 "$BUNDLE/rootfs/private"
	config '.process.cwd = "/private" | .process.capabilities = {}'
	user '{"uid": 1000, "gid": 1000}'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == /private* ]]
	ln -s /../../../.. "$BUNDLE/rootfs/up"
	config '.process.cwd = "/up/private"'
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == /private* ]]
}

@test "limits are in force, and raising one without the right is refused by its place" {
	config '.process.rlimits = [{type: "RLIMIT_NOFILE", soft: 11, hard: 22}, {type: "RLIMIT_CORE", soft: 0, hard: 0}]'
	args sh -c 'ulimit -Sn; ulimit -Hn; ulimit -c'
	[ "$(kv run -b "$BUNDLE" "$ID" | xargs)" = "11 22 0" ]
	user '{"uid": 1000, "gid": 1000}'
	[ "$(kv run -b "$BUNDLE" "$ID" | xargs)" = "11 22 0" ]
	# CAP_SYS_RESOURCE is bit 24
	[ $((0x$CALLER_CAPS >> 24 & 1)) -eq 0 ] || skip "we may raise limits"
	config '.process.rlimits[0].hard = 99999999'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"process.rlimits[0]: RLIMIT_NOFILE: raising the hard limit to 99999999 needs CAP_SYS_RESOURCE"* ]]
	[ -z "$(kv list -q)" ]
}

@test "oomScoreAdj, scheduler, I/O priority; absent ones are not touched" {
	args sh -c 'cat /proc/self/oom_score_adj; ionice; grep ^policy /proc/self/sched | tr -d " :"; nice'
	config '.process |= (.oomScoreAdj = 321 | .ioPriority = {class: "IOPRIO_CLASS_BE", priority: 6}
		| .scheduler = {policy: "SCHED_BATCH", nice: 4})'
	args sh -c 'cat /proc/self/oom_score_adj; ionice; grep ^policy /proc/self/sched | tr -d " :"'
	kvrun run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = 321 ]
	[[ ${lines[1]} == *"prio 6"* ]]
	[ "${lines[2]}" = policy3 ]
	config 'del(.process.oomScoreAdj)'
	[ "$( (echo 444 >/proc/self/oom_score_adj && kv run -b "$BUNDLE" "$ID") | head -n 1)" = 444 ]
}

@test "personality is set before the filter, which may forbid it" {
	config '.linux.personality = {domain: "LINUX32"} | .linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW",
		syscalls: [{names: ["personality"], action: "SCMP_ACT_ERRNO"}]}'
	args cat /proc/self/personality
	[ "$(kv run -b "$BUNDLE" "$ID")" = 00000008 ]
}

@test "a filter that forbids everything but the exec: the program gets its answer, kavach its end of file" {
	config '.process.noNewPrivileges = true | .linux.seccomp = {defaultAction: "SCMP_ACT_KILL_PROCESS",
		syscalls: [{names: ["execve"], action: "SCMP_ACT_ALLOW"}]}'
	args true
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 159 ] # SIGSYS: the program ran, and was killed at its first call
}

@test "create finds a program that cannot be run; start reports what only the exec shows" {
	own_rootfs
	printf '#!/no/such/interpreter\n' >"$BUNDLE/rootfs/bin/script"
	chmod 755 "$BUNDLE/rootfs/bin/script"
	args script
	kv create -b "$BUNDLE" "$ID"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"exec /bin/script: no such file or directory"* ]]
	wait_for 5 status_is stopped
	kv delete "$ID"
	# not readable or executable for the user: as the user, not as root
	chmod 700 "$BUNDLE/rootfs/bin/script"
	user '{"uid": 1000, "gid": 1000}'
	args /bin/script
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[[ $output == *'exec: "/bin/script": permission denied'* ]]
}

@test "--preserve-fds and LISTEN_FDS: in this order, all open, and no other" {
	args sh -c 'cat <&3; cat <&4; ls /proc/self/fd | xargs; env | grep LISTEN | sort | xargs'
	echo three >"$BATS_TEST_TMPDIR/3"
	echo four >"$BATS_TEST_TMPDIR/4"
	# shellcheck disable=SC2016
	run sh -c 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"' sh "$KAVACH" --root "$STATE" run --preserve-fds 1 -b "$BUNDLE" "$ID" \
		3<"$BATS_TEST_TMPDIR/3" 4<"$BATS_TEST_TMPDIR/4" 5</dev/null
	[ "${lines[0]}" = three ]
	[ "${lines[1]}" = four ]
	[ "${lines[2]}" = "0 1 2 3 4 5" ] # 5 is the directory that ls reads
	[ "${lines[3]}" = "LISTEN_FDS=1 LISTEN_PID=1" ]
	run "$KAVACH" --root "$STATE" run --preserve-fds 2 -b "$BUNDLE" "$ID" 3<"$BATS_TEST_TMPDIR/3" 4<&-
	[ "$status" -ne 0 ]
	[[ $output == *"file descriptor 4 is not open"* ]]
}

@test "closed stdio is filled with the container's own null device" {
	own_rootfs
	args sh -c 'stat -L -c %t:%T /proc/self/fd/0 /proc/self/fd/2 >/out; [ "$(stat -L -c %d /proc/self/fd/0)" = "$(stat -c %d /dev/null)" ] && echo same >>/out'
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" <&- >&- 2>&-
	[ "$(xargs <"$BUNDLE/rootfs/out")" = "1:3 1:3 same" ]
}

@test "standard output belongs to the user of the process" {
	args true
	user '{"uid": 1000, "gid": 1000}'
	kv run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out"
	[ "$(stat -c %u "$BATS_TEST_TMPDIR/out")" = 1000 ]
}

@test "signals that the caller ignores or blocks are not the program's" {
	args grep -E '^Sig(Blk|Ign)' /proc/self/status
	run env --ignore-signal=PIPE,HUP,CHLD --block-signal=TERM,USR1 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(grep -c '0000000000000000$' <<<"$output")" -eq 2 ]
}

@test "start: a peer that says nothing, or nonsense, does not disturb the waiting container" {
	args echo started
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out"
	sock=$(find "$STATE" -name start.sock)
	[ -S "$sock" ]
	for bytes in '' 'x' '\1\6\0\0\377\377\377\377' '\1\4\0\0\0\0\0\0'; do
		# shellcheck disable=SC2059
		printf "$bytes" | python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.connect(sys.argv[1])
s.send(sys.stdin.buffer.read())' "$sock"
	done
	status_is created
	kv start "$ID"
	wait_for 5 status_is stopped
	grep -qx started "$BATS_TEST_TMPDIR/out"
}

@test "the session keyring is the container's own, also for exec, unless --no-new-keyring" {
	grep -q . /proc/keys 2>/dev/null || skip "no keyrings in this kernel"
	# a key is shown to whoever may view it: its possessor and its user
	config '.linux.maskedPaths = []'
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun exec "$ID" cat /proc/keys
	[[ $output == *"_ses.$ID"* ]]
	kv delete -f "$ID"
	# another name: a dead key stays in the list for a while
	kv create --no-new-keyring -b "$BUNDLE" "$ID-2"
	kv start "$ID-2"
	kvrun exec "$ID-2" cat /proc/keys
	[ "$status" -eq 0 ]
	[[ $output != *"_ses.$ID-2"* ]]
}

@test "sysctl: with dots and with slashes; one that is not there is refused by its name" {
	config '.linux.sysctl = {"net.ipv4.ip_forward": "1", "net/ipv4/conf/lo/forwarding": "1"}'
	args cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/lo/forwarding
	[ "$(kv run -b "$BUNDLE" "$ID" | xargs)" = "1 1" ]
	config '.linux.sysctl = {"net.ipv4.no_such_thing": "1"}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'linux.sysctl["net.ipv4.no_such_thing"]'* ]]
	[[ $output != *"no such file"* ]]
}
