#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# timeout: 300
# Regression tests for what went wrong in other runtimes: the image and everything that runs in it is hostile, the host
# must not notice. Names carry the CVE.

load helpers

setup_file() {
	setup_rootfs
	TOOLS=$BATS_FILE_TMPDIR/tools
	export TOOLS
	mkdir "$TOOLS"
	for t in swapper census spy; do
		compile_tool $t "$TOOLS/$t"
	done
}

setup() {
	requires_root
	setup_kavach
	own_rootfs
	ROOT=$BUNDLE/rootfs
	# what must stay as it is
	CANARY=$BATS_TEST_TMPDIR/canary
	mkdir -p "$CANARY/dir/sub" "$CANARY/empty"
	echo untouched >"$CANARY/file"
	echo untouched >"$CANARY/dir/sub/file"
	chmod 0640 "$CANARY/file"
	CANARY_BEFORE=$(canary)
	PIDS=()
}

teardown() {
	for p in "${PIDS[@]}"; do
		kill -9 "$p" 2>/dev/null || true
		wait "$p" 2>/dev/null || true
	done
	teardown_kavach
	[ "$(canary)" = "$CANARY_BEFORE" ]
}

# contents, owners, modes, types and names below the canary
canary() {
	find "$CANARY" -printf '%P %y %m %U:%G %s %l\n' -type f -exec sha256sum {} + | sort
}

swap() {
	"$TOOLS/swapper" "$1" "$2" 3>&- &
	PIDS+=($!)
}

# rounds N: of a race; an emulated processor needs a second for each, and only has to show that it is no exception
rounds() {
	seq "$(($(systemd-detect-virt 2>/dev/null | grep -cx qemu) ? $1 / 10 : $1))"
}

# ends the swapping: what a test then looks at holds still
unswap() {
	kill -9 "${PIDS[-1]}"
	wait "${PIDS[-1]}" || true
	unset "PIDS[-1]"
}

@test "CVE-2019-5736: kavach's program cannot be overwritten from inside, at run and at exec" {
	before=$(sha256sum <"$KAVACH")
	cp "$TOOLS/spy" "$ROOT/bin/spy"
	printf '#!/proc/self/exe\n' >"$ROOT/bin/evil"
	chmod 755 "$ROOT/bin/evil"
	args /bin/evil
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	args /bin/spy
	config '.process.capabilities |= map_values(["CAP_DAC_OVERRIDE", "CAP_SYS_PTRACE", "CAP_KILL"])
		| .process.noNewPrivileges = false'
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/spy.out"
	kv start "$ID"
	for _ in $(rounds 60); do
		kv exec "$ID" /bin/true
	done
	kv exec "$ID" /bin/evil || true
	# the attack itself works: on a program of the image
	cp "$ROOT/bin/busybox" "$ROOT/bin/victim"
	attack() {
		kv exec "$ID" sh -c 'exec -a sleep /bin/victim 0.2' || kv exec "$ID" /bin/victim sleep 0.2 || true
		grep -q 'OVERWROTE .*victim' "$BATS_TEST_TMPDIR/spy.out"
	}
	wait_for 60 attack
	kv kill "$ID" TERM
	wait_for 5 status_is stopped
	run grep -v victim "$BATS_TEST_TMPDIR/spy.out"
	[[ $output != *OVERWROTE* ]]
	[ "$(sha256sum <"$KAVACH")" = "$before" ]
}

@test "CVE-2016-9962: descriptors of a joining process cannot be seen from inside" {
	cp "$TOOLS/spy" "$ROOT/bin/spy"
	args /bin/spy
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/spy.out"
	kv start "$ID"
	for _ in $(rounds 100); do
		kv exec "$ID" /bin/true
	done
	# the spy does see what is there to be seen
	kv exec --preserve-fds 1 "$ID" sleep 0.3 3<"$CANARY/file"
	kv kill "$ID" TERM
	wait_for 5 status_is stopped
	grep -q "SEEN fd 3 " "$BATS_TEST_TMPDIR/spy.out"
	run grep -v "SEEN fd 3 -> .*/canary/file" "$BATS_TEST_TMPDIR/spy.out"
	[[ $output != *SEEN* ]]
}

@test "R-05: the workload is born with 0, 1 and 2 and nothing else (run, create, exec, hooks)" {
	cp "$TOOLS/census" "$ROOT/bin/census"
	args /bin/census
	[ "$(kv run -b "$BUNDLE" "$ID" 7</etc/passwd | cut -d' ' -f1 | tr '\n' ' ')" = "0 1 2 " ]
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 7</etc/passwd
	kv start "$ID"
	wait_for 5 status_is stopped
	[ "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/out" | tr '\n' ' ')" = "0 1 2 " ]
	kv delete "$ID"
	config --arg t "$TOOLS/census" --arg o "$BATS_TEST_TMPDIR/hooks" '.process.args = ["sleep", "100"] | .hooks = {
		prestart: [{path: $t}], createRuntime: [{path: $t}], createContainer: [{path: $t}],
		startContainer: [{path: "/bin/census"}], poststart: [{path: $t}]} | .annotations = {"run.oci.hooks.stdout": $o}'
	kv create -b "$BUNDLE" "$ID" 7</etc/passwd
	kv start "$ID"
	cat "$BATS_TEST_TMPDIR/hooks"
	[ "$(grep -c '^0 ' "$BATS_TEST_TMPDIR/hooks")" -ge 3 ]
	run grep -v '^[012] ' "$BATS_TEST_TMPDIR/hooks"
	[ -z "$output" ]
	[ "$(kv exec "$ID" /bin/census 7</etc/passwd | cut -d' ' -f1 | tr '\n' ' ')" = "0 1 2 " ]
}

@test "CVE-2019-16884: nothing may be mounted over /proc but the allow-list" {
	for dest in /proc /proc/self/attr /proc/sys /proc/self /proc/1/attr/exec; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/keep"
		config --arg d "$dest" --arg s "$CANARY/dir" '.mounts += [{destination: $d, type: "bind", source: $s, options: ["rbind"]}]'
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
		config --arg d "$dest" '.mounts += [{destination: $d, type: "tmpfs", source: "tmpfs"}]'
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
		cp "$BATS_TEST_TMPDIR/keep" "$BUNDLE/config.json"
	done
	config --arg s "$CANARY/file" '.mounts += [{destination: "/proc/meminfo", type: "bind", source: $s, options: ["bind", "ro"]}]
		| .process.args = ["cat", "/proc/meminfo"]'
	[ "$(kv run -b "$BUNDLE" "$ID")" = untouched ]
}

@test "CVE-2019-19921, CVE-2023-27561: /proc or /sys of the image as a symlink is refused" {
	for d in proc sys; do
		rmdir "$ROOT/$d"
		ln -s /tmp "$ROOT/$d"
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
		[[ $output == *"/$d"* ]]
		rm "$ROOT/$d"
		mkdir "$ROOT/$d"
	done
}

@test "CVE-2019-18837: symlinks in the image lead mount points nowhere else" {
	ln -s "../../../../../../../../../..$CANARY/empty" "$ROOT/out"
	ln -s "$CANARY/empty" "$ROOT/abs"
	ln -s /proc/self/root "$ROOT/magic"
	echo from-volume >"$BATS_TEST_TMPDIR/vol"
	config --arg s "$BATS_TEST_TMPDIR/vol" '.mounts += [
		{destination: "/out/f", type: "bind", source: $s, options: ["bind"]},
		{destination: "/abs/g", type: "bind", source: $s, options: ["bind"]}]'
	args sh -c "cat $CANARY/empty/f $CANARY/empty/g"
	[ "$(kv run -b "$BUNDLE" "$ID" | tr '\n' ' ')" = "from-volume from-volume " ]
	config --arg s "$BATS_TEST_TMPDIR/vol" '.mounts += [{destination: "/magic/h", type: "bind", source: $s, options: ["bind"]}]'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ] || [ ! -e /h ]
}

@test "CVE-2021-30465, CVE-2024-45310: a swapped mount point never leads to the host" {
	mkdir -p "$BATS_TEST_TMPDIR/vol/a/b" "$BATS_TEST_TMPDIR/src"
	ln -s "$CANARY" "$BATS_TEST_TMPDIR/vol/link"
	echo data >"$BATS_TEST_TMPDIR/src/f"
	config --arg v "$BATS_TEST_TMPDIR/vol" --arg s "$BATS_TEST_TMPDIR/src" '.process.args = ["true"] | .mounts += [
		{destination: "/vol", type: "bind", source: $v, options: ["rbind"]},
		{destination: "/vol/a/dir", type: "bind", source: $s, options: ["rbind"]},
		{destination: "/vol/a/new/deep", type: "tmpfs", source: "tmpfs"},
		{destination: "/vol/a/x", type: "bind", source: ($s + "/f"), options: ["bind"]}]'
	swap "$BATS_TEST_TMPDIR/vol/a" "$BATS_TEST_TMPDIR/vol/link"
	for _ in $(rounds 300); do
		kv run -b "$BUNDLE" "$ID" >/dev/null 2>&1 || true
	done
	[ "$(canary)" = "$CANARY_BEFORE" ]
	run grep "$CANARY" /proc/self/mountinfo
	[ -z "$output" ]
}

@test "CVE-2024-21626: a working directory in /proc/self/fd is refused, at run and at exec" {
	for fd in $(seq 3 20); do
		config --arg d "/proc/self/fd/$fd" '.process.cwd = $d'
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -ne 0 ]
	done
	config '.process.cwd = "/" | .process.args = ["sleep", "100"]'
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	for fd in $(seq 3 20); do
		kvrun exec --cwd "/proc/self/fd/$fd" "$ID" pwd
		[ "$status" -ne 0 ]
	done
}

@test "CVE-2025-31133: masked files stay masked whatever the image's /dev/null is" {
	config --arg c "$CANARY/file" '.mounts |= map(select(.destination | startswith("/dev") | not))
		| .linux.maskedPaths = ["/proc/kallsyms", "/etc/passwd"] | .linux.devices = []'
	for kind in symlink file device; do
		rm -rf "${ROOT:?}/dev"
		mkdir "$ROOT/dev"
		case $kind in
		symlink) ln -s "$CANARY/file" "$ROOT/dev/null" ;;
		file) echo secret >"$ROOT/dev/null" ;;
		device) mknod "$ROOT/dev/null" c 1 5 ;;
		esac
		args sh -c 'wc -c </proc/kallsyms; wc -c </etc/passwd; echo x >/etc/passwd'
		kvrun run -b "$BUNDLE" "$ID"
		# a /dev/null of another kind may be an error; if it is not, the masks hold
		[ "$status" -ne 0 ] || [ "${lines[0]} ${lines[1]}" = "0 0" ]
	done
	[ "$(head -c 4 "$ROOT/etc/passwd")" = root ]
}

@test "CVE-2026-41579: /dev of the image as a symlink is refused and nothing is made behind it" {
	rm -rf "${ROOT:?}/dev"
	ln -s "$CANARY/empty" "$ROOT/dev"
	mkdir -p "$ROOT$CANARY/empty"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	config '.mounts |= map(select(.destination | startswith("/dev") | not))'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[ -z "$(ls -A "$CANARY/empty")" ]
}

@test "CVE-2026-88264, CVE-2025-52565: /dev/console of the image as a symlink is not followed" {
	rm -rf "${ROOT:?}/dev"
	mkdir "$ROOT/dev"
	mkdir "$ROOT/dev/pts"
	ln -s "$CANARY/file" "$ROOT/dev/console"
	mkdir -p "$ROOT$CANARY"
	echo inside >"$ROOT$CANARY/file"
	config '.mounts |= map(select(.destination == "/dev" or .destination == "/dev/mqueue" or .destination == "/dev/shm" | not))
		| .process.terminal = true | .process.args = ["sh", "-c", "tty; ls -l /dev/console"]'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$(cat "$ROOT$CANARY/file")" = inside ]
	run grep "$CANARY" /proc/self/mountinfo
	[ -z "$output" ]
}

@test "CVE-2026-88265, runc#3674: the host's /dev/null keeps its owner, whatever stdio and user are" {
	before=$(stat -c '%u:%g %a' /dev/null)
	config '.process.user = {uid: 1000, gid: 1000} | .process.args = ["sleep", "100"]'
	kv run -b "$BUNDLE" -d "$ID" </dev/null >/dev/null 2>/dev/null
	kv exec -u 1000:1000 "$ID" true </dev/null >/dev/null 2>/dev/null
	[ "$(stat -c '%u:%g %a' /dev/null)" = "$before" ]
	kv delete -f "$ID"
	ln -sf "$CANARY/file" "$ROOT/dev/null"
	config '.mounts |= map(select(.destination | startswith("/dev") | not)) | .process.args = ["true"]'
	kv run -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>/dev/null || true
	[ "$(stat -c '%u:%g %a' /dev/null)" = "$before" ]
}

@test "GHSA-3q8j-pf29-vwv8: a swapped component does not lift a read-only or masked path" {
	mkdir -p "$ROOT/data/d" "$ROOT/data/other"
	echo secret >"$ROOT/data/d/f"
	echo other >"$ROOT/data/other/f"
	args true
	config '.linux.readonlyPaths += ["/data/d"] | .linux.maskedPaths += ["/data/d/f"]'
	swap "$ROOT/data/d" "$ROOT/data/other"
	for _ in $(rounds 100); do
		kv run -b "$BUNDLE" "$ID" >/dev/null 2>&1 || true
	done
	unswap
	[ "$(cat "$ROOT/data/d/f" "$ROOT/data/other/f" | sort | tr '\n' ' ')" = "other secret " ]
}

@test "CVE-2021-43784: very long values arrive whole and nothing else changes" {
	long=$(head -c 70000 /dev/zero | tr '\0' A)
	jq --arg l "$long" '.annotations = {"org.example.long": $l} | .process.args = ["sh", "-c", "echo ${#L}; id -u"]
		| .process.env += ["L=" + $l] | .process.user.uid = 1234' "$BUNDLE/config.json" >"$BUNDLE/long.json"
	kvrun run -b "$BUNDLE" -f long.json "$ID"
	[ "${lines[0]}" = 70000 ]
	[ "${lines[1]}" = 1234 ]
}

@test "CVE-2022-29162: no inheritable capabilities unless the config asks" {
	args grep CapInh /proc/self/status
	[[ $(kv run -b "$BUNDLE" "$ID") == *0000000000000000 ]]
}

@test "CVE-2025-52881: sysctl and labels are written to the real procfs" {
	# /proc of the container is a tmpfs that a shared volume provides: refused by the config check
	config --arg s "$CANARY" '.mounts |= map(if .destination == "/proc" then {destination: "/proc", type: "bind", source: $s, options: ["rbind"]} else . end)
		| .linux.sysctl = {"net.ipv4.ip_forward": "1"}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	# and without a mount on /proc at all the value still arrives, for it goes through a procfs of our own
	config '.mounts |= map(select(.destination == "/proc" | not)) | .linux.maskedPaths = [] | .linux.readonlyPaths = []
		| .process.args = ["sh", "-c", "mount -t proc proc /proc; cat /proc/sys/net/ipv4/ip_forward"]
		| .process.capabilities |= map_values(["CAP_SYS_ADMIN"])'
	[ "$(kv run -b "$BUNDLE" "$ID")" = 1 ]
}
