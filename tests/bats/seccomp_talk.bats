#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach seccomp: what is said of a profile, and that the kernel agrees. The remarks in full: tests/golden/explain.

load helpers

setup_file() {
	setup_rootfs
	compile_tool call "$ROOTFS/bin/call"
}

setup() {
	OPEN=
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the tests are x86-64's"
	setup_kavach
	P=$BATS_TEST_TMPDIR/profile.json
}

teardown() {
	[ -z "$OPEN" ] || rm -rf "$OPEN"
	teardown_kavach
}

# rule ACTION MORE NAME...: a profile with this rule, in $P and in the bundle
rule() {
	local action=$1 more=$2
	shift 2
	jq -n "{defaultAction: \"SCMP_ACT_ALLOW\", architectures: [\"SCMP_ARCH_X86_64\"],
		syscalls: [{action: \"SCMP_ACT_$action\", names: \$ARGS.positional} + $more]}" --args -- "$@" >"$P"
	config --slurpfile p "$P" '.linux.seccomp = $p[0]'
}

# inside WANT CALL...: what the kernel answers
inside() {
	local want=$1
	shift
	args call "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = "$want" ]
}

remark() { jq -e --arg k "$1" --arg c "$2" '.remarks | any(.kind == $k and .call == $c)' <<<"$output"; }

@test "explain: the verdict comes first, and fits 80 columns" {
	for p in basic strict; do
		kvrun seccomp explain $p
		[ "$status" -eq 0 ]
		[[ ${lines[0]} == "  filter        profile $p on x86_64, "*" instructions" ]]
		[[ ${lines[1]} == "  verdict       "* ]]
		[ "$(awk 'length > 80' <<<"$output")" = "" ]
	done
	[[ $output == *"not in the profile: every call gives KILL_PROCESS"* ]]
	[[ $output == *"ENOSYS  clone3"* || $output == *"ENOSYS        clone3"* ]]
	kvrun seccomp explain --calls strict
	[[ $output == *"All calls (x86_64)"* ]]
}

@test "explain: a bypass that it shows is one, and the comparison that it advises is none" {
	requires_root
	rule ERRNO '{errnoRet: 95, args: [{index: 0, value: 1, op: "SCMP_CMP_EQ"}]}' socket
	kvrun seccomp explain --json "$P"
	remark bypass socket
	inside "error 95" socket 1 2 0
	inside 3 socket 0x100000001 2 0
	rule ERRNO '{errnoRet: 95, args: [{index: 0, value: 4294967295, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ"}]}' socket
	kvrun seccomp explain --json "$P"
	[ "$status" -eq 0 ]
	[ "$(jq "[.remarks[] | select(.kind == \"bypass\")] | length" <<<"$output")" -eq 0 ]
	inside "error 95" socket 0x100000001 2 0
}

@test "explain: an ABI that is not covered is said to kill, and kills" {
	requires_root
	rule ERRNO '{}' getpgid
	kvrun seccomp explain --json "$P"
	[ "$(jq -r '.abis[] | select(.name == "x86") | .covered, .allowed, .denied == (.calls | length)' <<<"$output" | xargs)" = \
		"false 0 true" ]
	args call -32 20
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 159 ]
}

@test "explain: what it says of each call that busybox can try, the kernel answers" {
	requires_root
	rule ERRNO '{errnoRet: 95}' getpgid getsid mkdirat
	kvrun seccomp explain --json "$BUNDLE"
	[ "$(jq -r '.abis[0].calls[] | select(.verdict == "denied") | .name + " " + .actions[0]' <<<"$output" | sort | xargs)" = \
		"getpgid EOPNOTSUPP getsid EOPNOTSUPP mkdirat EOPNOTSUPP" ]
	inside "error 95" getsid 0
	inside 1 getpid
}

@test "explain: a config without a filter is an error, and so is what cannot be read" {
	config 'del(.linux.seccomp)'
	kvrun seccomp explain "$BUNDLE"
	[ "$status" -eq 2 ]
	[[ $output == *"linux.seccomp: there is none"* ]]
	kvrun seccomp explain "$BATS_TEST_TMPDIR/nowhere"
	[ "$status" -eq 2 ]
	echo '{"defaultAction": "SCMP_ACT_PERHAPS"}' >"$P"
	kvrun seccomp explain "$P"
	[ "$status" -eq 2 ]
	[[ $output == *"$P:1:"*defaultAction*SCMP_ACT_PERHAPS* ]]
	kvrun seccomp explain --arch vax strict
	[ "$status" -eq 2 ]
	[[ $output == *'machine "vax"'* ]]
	kvrun seccomp explain --arch s390x strict
	[ "$status" -eq 2 ]
	[[ $output == *"byte order"* ]]
}

@test "explain: other machines have their own conventions" {
	kvrun seccomp explain --json --arch aarch64 basic
	[ "$(jq -r '[.abis[].name] | join(" ")' <<<"$output")" = "aarch64 arm" ]
	[ "$(jq -r '.dangerous[] | select(.name == "mount").verdict' <<<"$output")" = denied ]
}

@test "diff: 0 the same, 1 different, 2 trouble" {
	kvrun seccomp diff strict strict
	[ "$status" -eq 0 ]
	[ -z "$output" ]
	kvrun seccomp diff strict basic
	[ "$status" -eq 1 ]
	[[ $output == *"B allows      chroot"* ]]
	kvrun seccomp diff strict "$BATS_TEST_TMPDIR/nowhere"
	[ "$status" -eq 2 ]
	kvrun seccomp diff strict
	[ "$status" -eq 2 ]
}

@test "diff: what was allowed, denied, answered otherwise and conditions, with an example that shows it" {
	rule ERRNO '{}' getpgid getsid
	cp "$P" "$P.a"
	jq '.syscalls = [{action: "SCMP_ACT_ERRNO", errnoRet: 38, names: ["getsid"]}, {action: "SCMP_ACT_ERRNO", names: ["mkdirat"]},
		{action: "SCMP_ACT_ERRNO", names: ["ioctl"], args: [{index: 1, op: "SCMP_CMP_EQ", value: 21522}]}]' "$P.a" >"$P.b"
	kvrun seccomp diff --json "$P.a" "$P.b"
	[ "$status" -eq 1 ]
	[ "$(jq -r '.abis[0].changes[] | .change + " " + .name' <<<"$output" | sort | tr '\n' ,)" = \
		"action getsid,allowed getpgid,conditions ioctl,denied mkdirat," ]
	[ "$(jq -r '.abis[0].changes[] | .example // empty' <<<"$output")" = "ioctl(0, 0x5412): A ALLOW, B EPERM" ]
	# the same conditions in another order are the same
	jq '.syscalls |= reverse' "$P.b" >"$P.c"
	kvrun seccomp diff "$P.b" "$P.c"
	[ "$status" -eq 0 ]
}

# recorded PROGRAM...: into $P, from the root directory; output and status as bats' run has them
recorded() {
	rm -f "$P"
	kvrun seccomp record -o "$P" -- "$@"
}

names() { jq -r '.syscalls[] | select(.action == "SCMP_ACT_ALLOW").names[]' "$P"; }

# host_root: a root with the machine's own programs
host_root() {
	rm "$BUNDLE/rootfs"
	mkdir -p "$BUNDLE/rootfs"/{usr,proc,dev,sys,tmp,etc}
	for d in bin lib lib64; do
		ln -s "usr/$d" "$BUNDLE/rootfs/$d"
	done
	config '.root.path = "rootfs" | .mounts += [{destination: "/usr", source: "/usr", type: "bind", options: ["rbind", "ro"]},
		{destination: "/etc/ld.so.cache", source: "/etc/ld.so.cache", type: "bind", options: ["bind", "ro"]}]'
}

# again PROGRAM...: in a container, under what was recorded
again() {
	args "$@"
	config --slurpfile p "$P" '.linux.seccomp = $p[0]'
	kvrun run -b "$BUNDLE" "$ID"
}

@test "record: a shell runs again under its profile, and what it never called is denied" {
	requires_root
	recorded "$ROOTFS/bin/busybox" sh -c 'echo one; (echo two | cat); ls /proc/self/status; exit 7'
	[ "$status" -eq 7 ]
	[ "$output" = $'one\ntwo\n/proc/self/status' ]
	again busybox sh -c 'echo one; (echo two | cat); ls /proc/self/status; exit 7'
	[ "$status" -eq 7 ]
	[ "$output" = $'one\ntwo\n/proc/self/status' ]
	inside "error 38" mkdirat -100 0 0
	inside "error 38" getpgid 0
	inside "error 1" 165 # mount
	inside "error 38" socket 1 1 0
}

@test "record: python with threads and children runs again" {
	requires_root
	[ -x /usr/bin/python3 ] || skip "no python3 here"
	script='import threading, subprocess, socket, json
l = []
t = [threading.Thread(target=lambda i=i: l.append(i)) for i in range(8)]
[x.start() for x in t]; [x.join() for x in t]
a, b = socket.socketpair(); a.send(b"x"); socket.socket(socket.AF_UNIX).close()
print(json.dumps(sorted(l)), b.recv(1), subprocess.run(["/usr/bin/true"]).returncode)'
	recorded /usr/bin/python3 -I -S -c "$script"
	[ "$status" -eq 0 ]
	want=$output
	[[ $want == "[0, 1, 2, 3, 4, 5, 6, 7] b'x' 0" ]]
	host_root
	again /usr/bin/python3 -I -S -c "$script"
	[ "$status" -eq 0 ]
	[ "$output" = "$want" ]
	again /usr/bin/python3 -I -S -c 'import socket; socket.socket(socket.AF_INET)'
	[ "$status" -ne 0 ]
	[[ $output == *"Function not implemented"* ]]
	# threads need no namespaces, and get none
	[ "$(names | grep -c '^clone$')" -eq 1 ]
	[ "$(jq -r '.syscalls[] | select(.names == ["clone"]).args[0].op' "$P")" = SCMP_CMP_MASKED_EQ ]
	! names | grep -qx clone3 || false
}

@test "record: descendants that outlive the program are recorded to their end" {
	recorded "$ROOTFS/bin/busybox" sh -c "(sleep 0.3; mkdir '$BATS_TEST_TMPDIR/late') & exit 0"
	[ "$status" -eq 0 ]
	[ -d "$BATS_TEST_TMPDIR/late" ]
	names | grep -qx mkdir
}

@test "record: calls of the 32-bit ABI bring their architecture" {
	recorded "$ROOTFS/bin/call" -32 20
	[ "$status" -eq 0 ]
	[ "$(jq -r '.architectures | sort | join(" ")' "$P")" = "SCMP_ARCH_X86 SCMP_ARCH_X86_64" ]
	names | grep -qx getpid
	recorded "$ROOTFS/bin/call" getppid
	[ "$(jq -r '.architectures | join(" ")' "$P")" = SCMP_ARCH_X86_64 ]
}

@test "record: an ordinary user can" {
	requires_root
	OPEN=$(mktemp -d /tmp/kavach-record.XXXXXX) # the user may not reach the test's own directory
	install -m 755 "$KAVACH" "$OPEN/kavach"
	chown 65534 "$OPEN"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$OPEN/kavach" seccomp record -o "$OPEN/p" -- /bin/true
	kvrun seccomp explain "$OPEN/p"
	[ "$status" -eq 0 ]
}

@test "record: a program that cannot start leaves the file alone" {
	echo old >"$P"
	kvrun seccomp record -o "$P" -- "$BATS_TEST_TMPDIR/nowhere"
	[ "$status" -eq 2 ]
	[[ $output == "kavach: start $BATS_TEST_TMPDIR/nowhere: "* ]]
	[ "$(cat "$P")" = old ]
	kvrun seccomp record -- true
	[ "$status" -eq 2 ]
	[[ $output == *"--output"* ]]
}

@test "record: a signal ends the program, not the recorder, and the profile is written" {
	"$KAVACH" seccomp record -o "$P" -- "$ROOTFS/bin/busybox" sleep 300 3>&- &
	pid=$!
	wait_for 20 pgrep -P "$pid" -x busybox
	kill -TERM "$pid"
	rc=0
	wait "$pid" || rc=$?
	[ "$rc" -eq 143 ]
	names | grep -qx execve
}
