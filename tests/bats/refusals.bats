#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A configuration that is refused has done nothing: for each one in tests/golden/bad, and for those that are wrong only
# on this machine or as a whole, there is one line on standard error, and no file, cgroup, mount or process more than before.

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	# What a refusal could leave is in here, and what anybody else on the machine does is not. The directory that all
	# states are in is nobody's, and so are the cgroups above that of the container.
	mkdir -m 1700 "$STATE"
	CENSUS=$BATS_TEST_TMPDIR/census
	printf '%s\n' '#!/bin/bash' 'set -- /proc/[0-9]*; echo "$# processes"' 'cat /proc/self/mountinfo' 'find "$BUNDLE" "$STATE" -ls 2>&1' \
		'find /sys/fs/cgroup -path "*$ID*" 2>/dev/null || true' >"$CENSUS"
	chmod +x "$CENSUS"
	export CENSUS
}

teardown() { teardown_kavach; }

# alone PREPARE SCRIPT: runs both with mounts and processes of their own, and SCRIPT between two censuses that must be the
# same. In a shell without bats' tracing of every command.
alone() {
	unshare --mount --pid --fork --kill-child --mount-proc bash -eu -c '
		eval "$1"
		before=$("$CENSUS")
		eval "$2"
		after=$("$CENSUS")
		diff <(cat <<<"$before") <(cat <<<"$after")' - "$@"
}

@test "S-03: every refused file of golden/bad is refused by create, in its words, and nothing is made" {
	alone : '
		n=0
		for f in "$KAVACH_SRC"/tests/golden/bad/*.json; do
			case $f in *.process.json | *.resources.json) continue ;; esac
			n=$((n + 1))
			status=0
			out=$("$KAVACH" --root "$STATE" create -b "$BUNDLE" --config "$f" "$ID" 2>&1) || status=$?
			want=$(<"${f%.json}.err")
			if [ "$status" -ne 1 ] || [ "$out" != "kavach: $f${want#config.json}" ]; then
				echo "$f: $status, $out"
				exit 1
			fi
		done
		[ "$n" -gt 200 ]'
}

@test "S-03: a refused configuration changes nothing on the way: no call that could" {
	local n=0 i=0 changing
	changing='clone3?|v?fork|unshare|setns|mount|move_mount|mount_setattr|fsopen|fsmount|open_tree|pivot_root|chroot'
	changing+='|mk(dir|nod)(at)?|(sym)?link(at)?|rename(at2?)?|unlink(at)?|rmdir|f?ch(mod|own)(at)?|bind|connect'
	changing+='|send(to|msg)|kill|pidfd_send_signal|memfd_create|prctl'
	changing="^[0-9]+ +($changing)\\(|O_(CREAT|WRONLY|RDWR|TRUNC)"
	# what is looked for is there when nothing is refused
	args true
	strace -f -qq -o "$BATS_TEST_TMPDIR/calls" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$(grep -cE "$changing" "$BATS_TEST_TMPDIR/calls")" -gt 20 ]
	for f in "$KAVACH_SRC"/tests/golden/bad/*.json; do
		case $f in *.process.json | *.resources.json) continue ;; esac
		# each tenth: the way is the same for all of them
		i=$((i + 1))
		[ $((i % 10)) -eq 1 ] || continue
		cp "$f" "$BUNDLE/config.json"
		status=0
		strace -f -qq -o "$BATS_TEST_TMPDIR/calls" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" 2>/dev/null || status=$?
		[ "$status" -eq 1 ]
		grep -q '^[0-9]* *openat.*config.json' "$BATS_TEST_TMPDIR/calls"
		if grep -E "$changing" "$BATS_TEST_TMPDIR/calls"; then
			return 1
		fi
		n=$((n + 1))
	done
	[ "$n" -gt 20 ]
}

# What is wrong as a whole or on this machine: a change to the template, and what the line starts with.
cases() {
	cat <<'END'
.linux.namespaces += [{type: "pid"}] | linux.namespaces[6].type: "pid" is given twice
.linux.namespaces |= map(select(.type != "mount")) | linux.namespaces:
.linux.namespaces += [{type: "user"}] | linux.uidMappings: a new user namespace needs
.linux.uidMappings = [{containerID: 0, hostID: 0, size: 1}] | linux.uidMappings: id mappings need a user namespace
.linux.namespaces |= map(select(.type != "uts")) | hostname: "
del(.hostname) | .linux.namespaces |= map(select(.type != "uts")) | .domainname = "d" | domainname: "d" needs
.linux.timeOffsets = {monotonic: {secs: 1}} | linux.timeOffsets: offsets need a time namespace
.linux.sysctl = {"kernel.core_pattern": "x"} | linux.sysctl: "kernel.core_pattern"
.linux.sysctl = {"net/../kernel/core_pattern": "x"} | linux.sysctl: "net/../kernel/core_pattern"
.linux.mountLabel = "a:b:c" | linux.mountLabel: "a:b:c" is given
.process.selinuxLabel = "a:b:c" | process.selinuxLabel:
.mounts += [{destination: "/x"}] | mounts[
.mounts += [{destination: "/x", type: "bind", source: "/y"}] | mounts[
.mounts += [{destination: "/x", type: "none", options: ["bind"]}] | mounts[
.mounts += [{destination: "/x/..", type: "tmpfs"}] | mounts[
.mounts += [{destination: "/proc/self", type: "tmpfs"}] | mounts[
.mounts += [{destination: "/x", source: "/tmp", options: ["bind", "size=1m"]}] | mounts[
.mounts += [{destination: "/x", source: "/tmp", options: ["bind", "idmap"]}] | mounts[
.linux.maskedPaths = ["/a/.."] | linux.maskedPaths[0]:
.linux.devices = [{path: "/dev/x", type: "c", major: 1, minor: 3}, {path: "/dev/x", type: "c", major: 1, minor: 5}] | linux.devices[1].path:
.process.args = [] | process.args:
.process.rlimits = [{type: "RLIMIT_BEER", soft: 1, hard: 1}] | process.rlimits[0].type:
.process.rlimits = [{type: "RLIMIT_CPU", soft: 1, hard: 1}, {type: "RLIMIT_CPU", soft: 1, hard: 1}] | process.rlimits[1].type:
.process.rlimits = [{type: "RLIMIT_CORE", soft: 2, hard: 1}] | process.rlimits[0].soft:
.process.scheduler = {policy: "SCHED_OTHER", priority: 5} | process.scheduler.priority:
.process.scheduler = {policy: "SCHED_DEADLINE", runtime: 5, deadline: 2, period: 10} | process.scheduler:
.linux.resources.memory = {limit: 1000000, swap: 1000} | linux.resources.memory.swap:
.linux.resources.memory = {swap: 1000} | linux.resources.memory.swap:
.linux.resources.blockIO = {weight: 5} | linux.resources.blockIO.weight:
.linux.resources.unified = {"no-such.file": "1"} | linux.resources.unified
.linux.cgroupsPath = "/a/../b" | linux.cgroupsPath:
.linux.seccomp = {defaultAction: "SCMP_ACT_NOTIFY"} | linux.seccomp.defaultAction:
.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [{names: ["write"], action: "SCMP_ACT_NOTIFY"}]} | linux.seccomp
.annotations = {"run.oci.mount_context_type": "magic"} | annotations["run.oci.mount_context_type"]:
.root.path = "no-such-directory" | root
.mounts += [{destination: "/x", source: "/no/such/source", options: ["bind"]}] | mounts[
.linux.namespaces |= map(if .type == "ipc" then .path = "/proc/self/ns/net" else . end) | linux.namespaces
.vm = {kernel: {path: "/boot/vmlinuz"}, hwConfig: {irqs: [5]}} | vm
END
}

@test "S-03: what is wrong as a whole, or on this machine, is refused by its place, and nothing is left" {
	CASES=$(cases)
	export CASES
	alone '
		n=0
		while read -r line; do
			n=$((n + 1))
			mkdir "$BUNDLE/$n"
			ln -s "$ROOTFS" "$BUNDLE/$n/rootfs"
			jq "${line% | *}" "$BUNDLE/config.json" >"$BUNDLE/$n/config.json"
			printf %s "${line##* | }" >"$BUNDLE/$n/want"
		done <<<"$CASES"
		[ "$n" -gt 30 ]' '
		for b in "$BUNDLE"/*/; do
			[ -f "$b/want" ] || continue
			status=0
			out=$("$KAVACH" --root "$STATE" create -b "$b" "$ID" 2>&1) || status=$?
			want=$(<"$b/want")
			out=${out#kavach: }
			if [ "$status" -eq 0 ] || [[ ${out#config.json: } != "$want"* ]]; then
				echo "$status, $out, not $want"
				exit 1
			fi
			[ ! -e "$STATE/$ID" ]
		done'
}

# what exec and update could change of a container
condition() {
	find "$STATE" "/proc/$PID/ns" -printf '%p %s %l\n'
	cat "/proc/$PID/limits" "/proc/$PID/oom_score_adj"
	kv ps -f json "$ID"
	find /sys/fs/cgroup"$CG/$ID" /sys/fs/cgroup/*"$CG/$ID" \( -name '*.max' -o -name '*limit_in_bytes' -o -name '*shares' \) \
		-exec head {} + 2>/dev/null || true
}

@test "S-03, B-06, B-13: a wrong object for exec or update changes nothing of the container" {
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	PID=$(kv state "$ID" | jq .pid)
	before=$(condition)
	n=0
	for f in "$KAVACH_SRC"/tests/golden/bad/*.process.json "$KAVACH_SRC"/tests/golden/bad/*.resources.json; do
		case $f in
		*.process.json) kvrun exec --process "$f" "$ID" ;;
		*) kvrun update --resources "$f" "$ID" ;;
		esac
		[ "$status" -ne 0 ]
		# the file is named as it was given
		want=$(sed 's/^[a-z]*\.json//' "${f%.json}.err")
		[[ $output == "kavach: "*"$want" ]]
		n=$((n + 1))
	done
	[ "$n" -ge 5 ]
	after=$(condition)
	diff <(cat <<<"$before") <(cat <<<"$after")
}
