#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Docker with kavach-vm as its default runtime, below containerd-shim-runc-v2: each container is a microVM. One VM serves as
# many cases as it can: a boot takes seconds where there is no KVM.

load daemon

missing() { why_no_vm dockerd docker | head -n 1; }

setup_file() {
	[ -z "$(missing)" ] || return 0
	engine_setup dockervm
	ENGINE_GUEST=$KAVACH_BUILD/guest # engine-init makes kavach-vm of it
	DOCKER_HOST=unix://$ENGINE_DIR/d.sock
	DOCKER_CONFIG=$ENGINE_DIR/client
	DOCKER_CLI_HINTS=false
	export DOCKER_HOST DOCKER_CONFIG DOCKER_CLI_HINTS ENGINE_GUEST
	# the example that we ship as it is, and what this machine and this test need; the packet filter is of the engine's namespace
	jq --arg dir "$ENGINE_DIR" --arg cgroup "/$ENGINE_NAME" --arg socket "$DOCKER_HOST" '. + {
		"default-runtime": "kavach-vm", "data-root": ($dir + "/data"), "exec-root": "/run/docker",
		"pidfile": "/run/docker.pid", "hosts": [$socket], "group": "root", "cgroup-parent": $cgroup,
		"iptables": true, "userland-proxy": false
	}' "$KAVACH_SRC/contrib/engines/docker-daemon.json" >"$ENGINE_DIR/daemon.json"
	engine_start dockerd --config-file "$ENGINE_DIR/daemon.json"
	engine_answers d version
	"$KAVACH_SRC/tests/bats/images.sh" load docker "$BUSYBOX_TAR"
}

teardown_file() {
	[ -z "$(missing)" ] || return 0
	engine_stop
}

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	C=v$BATS_TEST_NUMBER
}

teardown() {
	[ -n "${ENGINE_PID:-}" ] || return 0
	d rm -f -v "$C" >/dev/null 2>&1 || true
}

d() { timeout --foreground -k 5 90 docker "$@"; }
export -f d
field() { d inspect -f "{{$1}}" "$C"; }
field_is() { [ "$(field "$1")" = "$2" ]; }

@test "run: output, input, status, signal of a program in a kernel of its own; what is not there" {
	show d run --rm --network none "$IMAGE" sh -c 'uname -r; exit 42'
	[ "$status" -eq 42 ]
	[ "$output" != "$(uname -r)" ] && [ -n "$output" ]
	[ "$(printf 'one\ntwo\n' | d run --rm -i --network none "$IMAGE" wc -l)" = 2 ]
	show d run --rm --network none "$IMAGE" no-such-program
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found in $PATH'* ]]
}

@test "bridge network, published ports, exec, limits, statistics, events, stop, start" {
	d events --filter "container=$C" --format '{{.Action}}' >"$ENGINE_DIR/events" 3>&- &
	d run -d --name "$C" -p 18080:80 --memory 96m --pids-limit 60 -e KEY=value --hostname box "$IMAGE" sh -c '
		trap "echo term; exit 7" TERM; (while :; do echo hello from the guest | nc -l -p 80; done) & echo started
		while :; do sleep 0.1; done' >/dev/null
	logged() { d logs "$C" | grep -qx "$1"; }
	wait_for 60 logged started
	address=$(field .NetworkSettings.IPAddress)
	[ -n "$address" ]
	show d exec "$C" sh -c 'ip -4 -o addr show eth0; ip route; hostname; echo $KEY; cat /etc/hosts; exit 5'
	[ "$status" -eq 5 ]
	[[ $output == *" $address/"*"default via"*box*value*"$address"*box* ]]
	answers() { [ "$(in_engine timeout 5 busybox nc "$1" "$2" </dev/null)" = "hello from the guest" ]; }
	wait_for 30 answers "$address" 80
	gateway=$(field .NetworkSettings.Gateway)
	wait_for 30 answers "$gateway" 18080
	d port "$C" | grep -q '^80/tcp -> 0.0.0.0:18080'
	[ "$(printf 'a\nb\n' | d exec -i "$C" wc -l)" = 2 ]
	[ "$(d exec -u 1000:5 "$C" sh -c 'echo $(id -u) $(id -g)')" = "1000 5" ]
	show d exec "$C" cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max
	[ "$output" = $'100663296\n60' ]
	show d stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.NetIO}}' "$C"
	[[ $output == "$C "*MiB* && $output != *" 0B /"* ]]
	d cp "$C:/etc/hostname" "$BATS_TEST_TMPDIR/hostname"
	[ "$(cat "$BATS_TEST_TMPDIR/hostname")" = box ]
	d pause "$C"
	field_is .State.Status paused
	d unpause "$C"
	[ "$(d exec "$C" echo alive)" = alive ]
	d exec "$C" sh -c 'echo kept >/kept'
	d stop -t 30 "$C"
	field_is .State.Status exited
	field_is .State.ExitCode 7
	logged term
	d start "$C"
	seen() { [ "$(d exec "$C" cat /kept)" = kept ]; }
	wait_for 60 seen
	wait_for 30 answers "$gateway" 18080
	d kill "$C"
	wait_for 30 field_is .State.Status exited
	field_is .State.ExitCode 137
	d rm "$C"
	happened() { grep -q "^$1" "$ENGINE_DIR/events"; }
	for event in create start exec_start exec_die pause unpause die stop kill destroy; do
		wait_for 10 happened "$event"
	done
	kill %1 2>/dev/null || true
}
