#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The host's side of a microVM: the monitor, with a program in QEMU's place that does what a guest's agent does, or what a
# hostile one would (tests/tools/fakeguest). It runs in the true jail, so it has to lie below /usr for the time of the tests.
# What the true guest does is in vm_guest.bats, what engines make of it in engines/vm.bats.

load helpers

setup_file() {
	[ "$(id -u)" -eq 0 ] && [ -x /usr/bin/python3 ] || return 0
	FAKE=/usr/local/lib/kavach-test-$$
	GUEST=$BATS_FILE_TMPDIR/guest
	RULES=$BATS_FILE_TMPDIR/rules
	export FAKE GUEST RULES
	setup_rootfs
	mkdir -p "$FAKE" "$GUEST" "$RULES"
	install -m 755 "$KAVACH_SRC/tests/tools/fakeguest" "$FAKE/qemu"
	jq -n --arg p "$FAKE/qemu" --arg s "$(digest "$FAKE/qemu")" \
		'{vm: {hypervisors: [{path: $p, sha256: $s}]}}' >"$RULES/10-vm.json"
	for f in vmlinux vmlinuz initrd; do
		echo "$f" >"$GUEST/$f"
	done
	jq -n --arg a "$(digest "$GUEST/vmlinux")" --arg b "$(digest "$GUEST/vmlinuz")" --arg c "$(digest "$GUEST/initrd")" \
		'{version: 1, release: "6.0-test", features: ["boot", "9p", "net"],
		  files: {vmlinux: $a, vmlinuz: $b, initrd: $c}}' >"$GUEST/guest.json"
	install -m 644 /dev/null "$GUEST/qboot.rom"
	ln -s "$KAVACH" "$BATS_FILE_TMPDIR/kavach-vm"
}

teardown_file() {
	[ -z "${FAKE:-}" ] || rm -rf "$FAKE"
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

setup() {
	requires_root
	[ -x /usr/bin/python3 ] || skip "needs python3"
	setup_kavach
	export KAVACH_GUEST=$GUEST
	# by that name it is a VM or nothing
	KAVACH=$BATS_FILE_TMPDIR/kavach-vm
	guest exit=0
}

teardown() {
	teardown_kavach
}

kv() { "$KAVACH" --rules "$RULES" --root "$STATE" "$@" 2> >(grep -v "no usable KVM" >&2); }
# like bats' run, to which 127 means a mistake in the test
kvrun() {
	status=0
	output=$(kv "$@" 2>&1) || status=$?
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

# guest WORDS: what the first process of the guest does
guest() {
	config --arg p "$FAKE/qemu" --arg k "$GUEST/vmlinux" --arg w "FAKE:$1." '
		.vm = {hypervisor: {path: $p}, kernel: {path: $k}} | .process.args = ["/bin/true", $w]'
}

# started WORDS: a running container with its output in $BATS_TEST_TMPDIR/out, and its process in $PID
started() {
	guest "$1"
	kv create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	kv start "$ID"
}

said() { grep -q -- "$1" "$BATS_TEST_TMPDIR/out"; }
# a process has ended, whether or not its parent has asked for its status
gone() { [ ! -e "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"; }
hypervisor() { pgrep -P "$PID" -f "$FAKE/qemu"; }

# ---- run and its end ----

@test "run: output and status are the guest's" {
	guest 'out=to out\n,err=to err\n,exit=3'
	run bash -c '"$0" --rules "$1" --root "$2" run -b "$3" "$4" 2>"$5"' "$KAVACH" "$RULES" "$STATE" "$BUNDLE" "$ID" "$BATS_TEST_TMPDIR/err"
	[ "$status" -eq 3 ]
	[ "$output" = "to out" ]
	grep -qx "to err" "$BATS_TEST_TMPDIR/err"
	[ -z "$(kv list -q)" ]
}

@test "run: a signal that ends the program is 128 more" {
	guest kill=9
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 137 ]
}

@test "run: all of a large output arrives, and all of a large input" {
	guest big=3000000
	[ "$(kv run -b "$BUNDLE" "$ID" </dev/null | wc -c)" -eq 3000000 ]
	guest echo
	head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/data"
	kv run -b "$BUNDLE" "$ID" <"$BATS_TEST_TMPDIR/data" | cmp - "$BATS_TEST_TMPDIR/data"
}

@test "create: a program that the guest does not find is 127, one that it may not run is 126" {
	guest missing
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
	guest denied
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[ -z "$(kv list -q)" ]
}

@test "create: a kernel that panics is an error with the last lines of its console" {
	guest panic
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"Kernel panic - not syncing: of a test"* ]]
	[ -z "$(kv list -q)" ]
}

# ---- the life of a container ----

@test "create, start, kill, delete: states, signals, status" {
	started tell
	status_is running
	kv kill "$ID" USR1
	wait_for 10 said "signal 10"
	kill -USR2 "$PID"
	wait_for 10 said "signal 12"
	kv kill "$ID" TERM
	wait_for 10 status_is stopped
	kv delete "$ID"
	[ -z "$(kv list -q)" ]
	gone "$PID"
}

@test "a container that was created and never started ends with TERM" {
	kv create -b "$BUNDLE" "$ID" </dev/null
	status_is created
	kv kill "$ID" TERM
	wait_for 10 status_is stopped
	kv delete "$ID"
}

@test "kill with 9 ends a guest, also one that does not answer any more" {
	started sleep
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kv delete "$ID"
	started bad=silent
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
}

@test "delete --force of a running one leaves nothing" {
	started sleep
	kv delete --force "$ID"
	gone "$PID"
	[ -z "$(pgrep -f "$FAKE/qemu")" ]
}

@test "a monitor that is killed takes the VM with it; QEMU that is killed ends the container with 255" {
	local vm
	started sleep
	vm=$(hypervisor)
	kill -9 "$PID"
	wait_for 10 status_is stopped
	gone "$vm"
	kv delete "$ID"
	guest sleep
	"$KAVACH" --rules "$RULES" --root "$STATE" run -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null &
	wait_for 20 status_is running
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	kill -9 "$(hypervisor)"
	status=0
	wait $! || status=$?
	[ "$status" -eq 255 ]
}

# ---- exec ----

@test "exec: output, status, errors; a second one while the first runs" {
	started sleep
	kvrun exec "$ID" /bin/x 'FAKE:out=hi\n,exit=5.'
	[ "$status" -eq 5 ]
	[ "$output" = hi ]
	kvrun exec "$ID" /bin/x FAKE:missing.
	[ "$status" -eq 255 ]
	[[ $output == *"executable file not found"* ]]
	kv exec -d --pid-file "$BATS_TEST_TMPDIR/epid" "$ID" /bin/x FAKE:sleep. </dev/null >/dev/null 2>&1
	[ "$(kv exec "$ID" /bin/x FAKE:echo. <<<"through")" = through ]
	[ -e "/proc/$(cat "$BATS_TEST_TMPDIR/epid")" ]
}

@test "exec: a signal to its process on the host reaches the one in the guest; killed, it takes that with it" {
	started tell
	kv exec -d --pid-file "$BATS_TEST_TMPDIR/epid" "$ID" /bin/x FAKE:tell. </dev/null >"$BATS_TEST_TMPDIR/eout" 2>&1
	kill -USR1 "$(cat "$BATS_TEST_TMPDIR/epid")"
	wait_for 10 grep -q "signal 10" "$BATS_TEST_TMPDIR/eout"
	kill -9 "$(cat "$BATS_TEST_TMPDIR/epid")"
	# the guest's process is told by 9, and says so where it still can: to its own agent
	wait_for 10 bash -c '! pgrep -P '"$PID"' -f kavach-monitor'
	status_is running
}

@test "exec in a container that has ended says so" {
	started sleep
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kvrun exec "$ID" /bin/x FAKE:exit=0.
	[ "$status" -ne 0 ]
	[[ $output == *"container not running"* || $output == *"stopped"* ]]
}

# ---- operations ----

@test "pause, resume, update, statistics, processes" {
	started sleep
	kv pause "$ID"
	status_is paused
	kv resume "$ID"
	status_is running
	kv update --memory 64m "$ID"
	kvrun update --memory 64g "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"the size that the VM was started with"* ]]
	# the guest's numbers, and the host's of the whole VM
	[ "$(kv events --stats "$ID" | jq -c '[.data.cpu.usage.total, (.data.vm.memory.usage.usage > 0)]')" = '[7,true]' ]
	[ "$(kv ps --format json "$ID" | jq --argjson p "$PID" 'index($p) != null')" = true ]
}

@test "a kill for want of memory in the guest: events tell of each, and the audit log of all" {
	"$KAVACH" audit init -d "$BATS_TEST_TMPDIR/audit" >/dev/null
	cp -r "$RULES" "$BATS_TEST_TMPDIR/rules"
	RULES=$BATS_TEST_TMPDIR/rules
	jq -n --arg d "$BATS_TEST_TMPDIR/audit" '{audit: {directory: $d}}' >"$RULES/20-audit.json"
	started sleep
	kv events --interval 60s "$ID" >"$BATS_TEST_TMPDIR/events" 3>&- &
	events=$!
	wait_for 20 grep -q stats "$BATS_TEST_TMPDIR/events"
	kvrun exec "$ID" /bin/x FAKE:oom,kill=9.
	[ "$status" -eq 137 ]
	wait_for 20 grep -q '"oom"' "$BATS_TEST_TMPDIR/events"
	kvrun exec "$ID" /bin/x FAKE:oom,kill=9.
	kv kill "$ID" KILL
	wait "$events"
	[ "$(jq -c --arg id "$ID" 'select(.type == "oom" and .id == $id)' "$BATS_TEST_TMPDIR/events" | wc -l)" -ge 1 ]
	wait_for 10 status_is stopped
	kv delete "$ID"
	[ "$("$KAVACH" audit show -d "$BATS_TEST_TMPDIR/audit" --json | jq 'select(.event == "oom") | .kills')" = 2 ]
}

@test "inspect: monitor and QEMU as the host sees them, and what the guest says, as its word; drift is recorded" {
	"$KAVACH" audit init -d "$BATS_TEST_TMPDIR/audit" >/dev/null
	cp -r "$RULES" "$BATS_TEST_TMPDIR/rules"
	RULES=$BATS_TEST_TMPDIR/rules
	jq -n --arg d "$BATS_TEST_TMPDIR/audit" '{audit: {directory: $d}}' >"$RULES/20-audit.json"
	started sleep
	kvrun inspect --json "$ID"
	# this guest says that the container has what its agent has
	[ "$status" -eq 2 ]
	verdicts() { jq -rc "[.rows[] | select(.group$1) | .verdict] | unique" <<<"$output"; }
	[ "$(verdicts ' == "monitor"')" = '["ok"]' ]
	# what stands for QEMU here does not know QEMU's own filter
	[ "$(jq -c '[.rows[] | select(.group == "QEMU" and .verdict != "ok") | .what]' <<<"$output")" = '["seccomp"]' ]
	[ "$(jq -c '[.rows[] | select(.group == "guest says: namespaces" and .verdict == "drift") | .what] | sort' <<<"$output")" = '["cgroup","ipc","mount","pid","uts"]' ]
	[ "$(jq -r '.rows[] | select(.group == "guest says: capabilities" and .what == "bounding") | .verdict' <<<"$output")" = drift ]
	[ "$(jq -r '[.rows[] | select(.verdict == "drift" and (.group | startswith("guest says: ") | not))] | length' <<<"$output")" = 1 ]
	kv state --strength "$ID" | jq -e '.strength | .measured < .decided and .drift > 0'
	[[ $("$KAVACH" audit show -d "$BATS_TEST_TMPDIR/audit" --json | jq -r 'select(.event == "drift") | .what' | tail -n 1) == *"guest says: "* ]]
	kvrun inspect --process 1 "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"is a VM"* ]]
	kv pause "$ID"
	kvrun inspect "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"is paused: its guest cannot be asked"* ]]
	kv resume "$ID"
}

@test "a VM that is paused can be killed, and deleted" {
	started sleep
	kv pause "$ID"
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kv delete "$ID"
	started sleep
	kv pause "$ID"
	kv delete --force "$ID"
	gone "$PID"
}

@test "two ends at once: a guest that ends while it is killed, an exec while it ends" {
	for _ in 1 2 3; do
		started sleep
		kv exec -d "$ID" /bin/x FAKE:sleep. </dev/null >/dev/null 2>&1
		kill -TERM "$PID"
		kv exec "$ID" /bin/x FAKE:exit=0. </dev/null || true
		kv kill "$ID" KILL || true
		wait_for 10 status_is stopped
		kv delete "$ID"
	done
}

@test "a stop of a reader of its output holds up nobody else" {
	guest big=3000000,tell
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/pipe" 2>&1 </dev/null &
	exec 7<"$BATS_TEST_TMPDIR/pipe"
	wait $!
	kv start "$ID"
	kvrun exec "$ID" /bin/x 'FAKE:out=hi\n,exit=0.'
	[ "$output" = hi ]
	kv kill "$ID" TERM
	[ "$(head -c 3000000 <&7 | tr -dc x | wc -c)" -eq 3000000 ]
	exec 7<&-
	wait_for 10 status_is stopped
}

@test "descriptors of the caller are refused, not lost in silence" {
	kvrun run --preserve-fds 1 -b "$BUNDLE" "$ID" 3</dev/null
	[ "$status" -ne 0 ]
	[[ $output == *"cannot be passed into a VM"* ]]
}

@test "what there is no way for is refused in words" {
	started sleep
	jq -n '[{destination: "/mnt", type: "bind", source: "/srv", options: ["bind"]}]' >"$BATS_TEST_TMPDIR/mounts"
	kvrun mounts add "$ID" "$BATS_TEST_TMPDIR/mounts"
	[ "$status" -ne 0 ]
	[[ $output == *"is a VM"* ]]
	kv delete --force "$ID"
}

@test "the rules say how long a guest may take, and the message says which rule" {
	cp -r "$RULES" "$BATS_TEST_TMPDIR/rules"
	RULES=$BATS_TEST_TMPDIR/rules
	echo '{"vm": {"timeouts": {"prepared": 1, "shutdown": 3}}}' >"$RULES/20-time.json"
	for phase in prepare start; do
		guest hang=$phase
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[[ $output == *"the guest to $phase the container"*"more than 1 s, which is vm.timeouts.prepared of the site's rules"* ]]
		[ -z "$(kv list -q)" ]
	done
	# one that does not end by itself is ended, in that time
	guest bad=silent
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	begin=$SECONDS
	kv kill "$ID" KILL
	[ $((SECONDS - begin)) -ge 2 ]
	wait_for 10 status_is stopped
	kv delete "$ID"
	echo '{"vm": {"timeouts": {"hello": 0}}}' >"$RULES/20-time.json"
	kvrun run -b "$BUNDLE" "$ID"
	[[ $output == *"20-time.json:1:21: vm.timeouts: expected 1 to 86400 seconds, found 0"* ]]
}

# ---- secrets ----

# secrets MEMBERS...: rules of this test's own, whose secrets come from one file; $VALUE has the value
secrets() {
	local own
	own=$(realpath "$BATS_TEST_TMPDIR")/own
	mkdir -m 700 "$own"
	VALUE=$own/value
	head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$VALUE"
	chmod 600 "$VALUE"
	cp -r "$RULES" "$own/rules"
	RULES=$own/rules
	for own; do
		printf '{"source": {"file": "%s"}, %s}\n' "$VALUE" "$own"
	done | jq -s '{secrets: .}' >"$RULES/20-secrets.json"
}
hunt() { python3 "$KAVACH_SRC/tests/tools/hunt.py" "$@"; }

@test "secrets: the guest gets them, and an exec those that are its own; the caller's input stays the caller's" {
	secrets '"name": "f"' '"name": "e", "env": "E", "exec": true' '"name": "i", "stdin": true'
	guest secret
	echo untouched >"$BATS_TEST_TMPDIR/in"
	{ kvrun run -b "$BUNDLE" "$ID"; read -r rest; } <"$BATS_TEST_TMPDIR/in"
	[ "$rest" = untouched ]
	[ "$output" = "E=$(cat "$VALUE")
$(cat "$VALUE")
$(cat "$VALUE")" ]
	started sleep
	kvrun exec "$ID" /bin/x FAKE:secret,exit=5.
	[ "$status" -eq 5 ]
	[ "$output" = "E=$(cat "$VALUE")" ]
}

@test "secrets: a read-only root gets their directory; a place that is a symlink is refused" {
	secrets '"name": "f", "file": "/run/app/f"'
	own_rootfs
	guest secret
	config '.root.readonly = true'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = "$(cat "$VALUE")" ]
	[ -z "$(ls -A "$BUNDLE/rootfs/run/app")" ]
	rmdir "$BUNDLE/rootfs/run/app"
	ln -s /etc "$BUNDLE/rootfs/run/app"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'directory /run/app of secrets'*'is a symlink'* ]]
	[ -z "$(kv list -q)" ]
}

@test "secrets: nothing of them in arguments, environments, the state, the log, the root, nor in the monitor's memory" {
	secrets '"name": "f"' '"name": "e", "env": "E", "exec": true'
	guest sleep
	"$KAVACH" --rules "$RULES" --root "$STATE" --log "$BATS_TEST_TMPDIR/log" --debug create -b "$BUNDLE" \
		--pid-file "$BATS_TEST_TMPDIR/pid" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	[ -z "$(hunt procs "$VALUE")" ]
	[ -z "$(hunt memory "$PID" "$VALUE")" ]
	kv start "$ID"
	kv exec -d "$ID" /bin/x FAKE:sleep. </dev/null >"$BATS_TEST_TMPDIR/out2" 2>&1
	[ -z "$(hunt procs "$VALUE")" ]
	for pid in "$PID" $(pgrep -f '^kavach-monitor'); do
		[ -z "$(hunt memory "$pid" "$VALUE")" ]
	done
	[ -s "$BATS_TEST_TMPDIR/log" ]
	run grep -rlF -f "$VALUE" "$STATE" "$BUNDLE" "$RULES" "$BATS_TEST_TMPDIR/log" "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/out2"
	[ -z "$output" ]
}

@test "secrets: one that cannot be had refuses the VM before there is one" {
	secrets '"name": "f"'
	rm "$VALUE"
	guest secret
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"20-secrets.json: secrets[0]: secret f: "* ]]
	[ -z "$(kv list -q)" ]
}

# ---- a hostile guest ----

@test "a guest that breaks the rules ends its VM with 255 and nothing else" {
	for bad in type length twice stream phase drained reply status event; do
		guest "bad=$bad"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 255 ]
		[ -z "$(kv list -q)" ]
		[ -z "$(pgrep -f "$FAKE/qemu")" ]
	done
}

@test "a guest that sends more than there is room for is ended, when nobody reads" {
	guest bad=credit
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	"$KAVACH" --rules "$RULES" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/pipe" 2>/dev/null </dev/null &
	exec 7<"$BATS_TEST_TMPDIR/pipe"
	status=0
	wait $! || status=$?
	exec 7<&-
	[ "$status" -eq 255 ]
}

@test "a guest that ends without a word is 255" {
	guest die
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 255 ]
}

# ---- confinement ----

@test "the monitor and QEMU have no more than they need" {
	started sleep
	[ "$(awk '/^Cap/ { print $2 }' "/proc/$PID/status" | sort -u)" = 0000000000000000 ]
	grep -qx 'NoNewPrivs:	1' "/proc/$PID/status"
	grep -qx 'Seccomp:	2' "/proc/$PID/status"
	# the root of the container is its own; nothing of the host is open
	[ -e "/proc/$PID/root/bin/busybox" ]
	[ ! -e "/proc/$PID/root/usr/local" ]
	for fd in "/proc/$PID"/fd/*; do
		case $(readlink "$fd") in
		socket:* | pipe:* | anon_inode:* | */null | "$STATE/$ID/oom" | "$BATS_TEST_TMPDIR/out" | /dev/pts/*) ;;
		*) echo "# $fd is $(readlink "$fd")"; false ;;
		esac
	done
	vm=$(hypervisor)
	# 9p: chown, dac_override, fowner, fsetid
	[ "$(awk '/^Cap(Eff|Prm|Bnd)/ { print $2 }' "/proc/$vm/status" | sort -u)" = 000000000000001b ]
	[ "$(readlink "/proc/$vm/ns/net")" != "$(readlink "/proc/$PID/ns/net")" ]
	[ ! -e "/proc/$vm/root/home" ]
}
