# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For bats files that start a private containerd or dockerd: see engine-init for where it runs. The
# engine's files are in ENGINE_DIR; its containers' cgroups have ENGINE_NAME in their path.
#
# ENGINE_RUNTIME is the runtime under test, kavach unless the caller says otherwise: with
# ENGINE_RUNTIME=/usr/sbin/runc the same tests show what the engine does with runc.

: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)}"
: "${KAVACH_BUILD:=$KAVACH_SRC}"
: "${KAVACH:=$KAVACH_BUILD/kavach}"
: "${ENGINE_RUNTIME:=$KAVACH}"
export KAVACH KAVACH_SRC KAVACH_BUILD ENGINE_RUNTIME
# shellcheck source=tests/bats/wait.bash
. "$KAVACH_SRC/tests/bats/wait.bash"

IMAGE=localhost/kavach-busybox:latest

requires_root() {
	[ "$(id -u)" -eq 0 ] || skip "needs root"
}

# why_no_vm [PROGRAM...]: why containers of an engine cannot be VMs here; nothing where they can
why_no_vm() {
	local p
	[ "$(id -u)" -eq 0 ] || echo "needs root"
	for p in "$@" qemu-system-x86_64; do
		command -v "$p" >/dev/null || echo "needs $p"
	done
	[ -e "$KAVACH_BUILD/guest/guest.json" ] || echo "needs a guest image: make guest"
}

requires_program() {
	local p
	for p; do
		command -v "$p" >/dev/null || skip "needs $p"
	done
}

# As bats' run, and shows what came of it if the test fails. No warning about a status of 127.
show() {
	status=0
	output=$("$@" 2>&1) || status=$?
	printf '# %s -> %s\n%s\n' "$*" "$status" "$output"
}

# Names and directories of the file's engine. Short: containerd's sockets have names of at most 107 bytes.
engine_setup() {
	[ -x "$ENGINE_RUNTIME" ] || {
		echo "# no runtime: $ENGINE_RUNTIME"
		return 1
	}
	ENGINE_NAME=kavach-$1-$$
	ENGINE_DIR=$BATS_FILE_TMPDIR
	export ENGINE_NAME ENGINE_DIR
	mkdir -p "$ENGINE_DIR"
	# user namespaces' root looks up the container's root there
	chmod 0711 "$BATS_RUN_TMPDIR"
	BUSYBOX_TAR=$("$KAVACH_SRC/tests/bats/images.sh" busybox "$ENGINE_DIR")
	export BUSYBOX_TAR
}

# engine_start DAEMON [ARGUMENT...]: sets ENGINE_PID, the first process of the engine's namespaces
engine_start() {
	local ready=$ENGINE_DIR/ready
	rm -f "$ready"
	# ends with bats too, should that be killed; 3 is bats' own descriptor
	setpriv --pdeathsig KILL unshare --mount --pid --net --fork --kill-child --mount-proc \
		"$KAVACH_SRC/tests/bats/engines/engine-init" "$ready" "$@" \
		>"$ENGINE_DIR/engine.log" 2>&1 </dev/null 3>&- &
	ENGINE_OUTER=$!
	export ENGINE_OUTER
	wait_for 10 test -e "$ready"
	ENGINE_PID=$(cat "/proc/$ENGINE_OUTER/task/$ENGINE_OUTER/children")
	ENGINE_PID=${ENGINE_PID%% *}
	export ENGINE_PID
}

# engine_answers COMMAND...: waits for the daemon; shows the end of its log if it does not come up
engine_answers() {
	wait_for 30 "$@" >/dev/null 2>&1 && return
	tail -n 20 "$ENGINE_DIR/engine.log"
	return 1
}

# containerd_start NAMESPACE...: sets SOCKET; the test image is in each of its namespaces
containerd_start() {
	local ns
	SOCKET=$ENGINE_DIR/c.sock
	export SOCKET
	cat >"$ENGINE_DIR/config.toml" <<-END
		version = 2
		imports = ["$KAVACH_SRC/contrib/engines/containerd.toml"]
		root = "$ENGINE_DIR/root"
		state = "$ENGINE_DIR/state"
		disabled_plugins = ["io.containerd.internal.v1.opt"]
		[grpc]
		address = "$SOCKET"
		[ttrpc]
		address = "$SOCKET.ttrpc"
	END
	engine_start containerd -c "$ENGINE_DIR/config.toml"
	engine_answers in_engine ctr -a "$SOCKET" version
	for ns; do
		"$KAVACH_SRC/tests/bats/images.sh" load ctr "$BUSYBOX_TAR" --address "$SOCKET" -n "$ns"
	done
}

# in_engine COMMAND...: as a process of the engine's machine. Process ids are those of its namespace.
# What takes a minute hangs.
in_engine() {
	timeout --foreground -k 5 60 nsenter --target "$ENGINE_PID" --mount --pid --net -- "$@" 3>&-
}
export -f in_engine	# for pty, below

cgroups_of_engine() {
	find /sys/fs/cgroup -depth -path "*$ENGINE_NAME*" -type d 2>/dev/null
}

engine_stop() {
	local left
	[ -n "${ENGINE_OUTER:-}" ] || return 0
	kill -KILL "$ENGINE_OUTER" 2>/dev/null || true
	wait_for 10 engine_is_gone || echo "# processes of the engine are left" >&2
	left=$(cgroups_of_engine)
	[ -z "$left" ] || xargs -r rmdir <<<"$left" 2>/dev/null || true
}

engine_is_gone() {
	! kill -0 "$ENGINE_PID" 2>/dev/null
}

# pty COMMAND...: with a terminal of 33 rows and 77 columns on the three standard streams, its output as
# a file would have it. The input has no end: script would type one.
pty() {
	local fifo=$BATS_TEST_TMPDIR/pty
	[ -p "$fifo" ] || mkfifo "$fifo"
	SHELL=/bin/bash script -qec "stty rows 33 cols 77; $(printf '%q ' "$@")" /dev/null <>"$fifo" | tr -d '\r'
	return "${PIPESTATUS[0]}"
}
