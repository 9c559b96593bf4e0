#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices (S-36): interfaces of the host in the container. The "host" is a network namespace of the test's own.

bats_require_minimum_version 1.5.0

load helpers

setup_file() { setup_rootfs; }

setup() {
	requires_root
	setup_kavach
	unshare -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	HOST=$!
	wait_for 5 is_apart $HOST

	on_host ip link add kv0 type veth peer name kv0p
	on_host ip link set kv0p up
}

teardown() {
	[ -z "${HOST:-}" ] || kill "$HOST"
	teardown_kavach
}

is_apart() {
	[ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]
}

on_host() {
	nsenter -t "$HOST" -n "$@"
}

hkv() {
	on_host "$KAVACH" --root "$STATE" "$@"
}

# hrun ARGUMENT...: kavach on that host, like bats' run
hrun() {
	run on_host "$KAVACH" --root "$STATE" "$@"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

devices() {
	config --argjson d "$1" '.linux.netDevices = $d'
}

# refused WORDS...: nothing has moved, nothing is left, and one line says so
refused() {
	hrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	for word; do
		[[ $output == *"$word"* ]]
	done
	on_host ip link show kv0 >/dev/null
	[ -z "$(kv list -q)" ]
}

@test "S-36: a device is moved, renamed, up, with its MTU, its hardware address and its lasting addresses" {
	on_host ip link set kv0 mtu 1400 address 02:11:22:33:44:55
	on_host ip addr add 10.9.8.7/24 broadcast 10.9.8.255 dev kv0
	on_host ip addr add 10.9.9.7 peer 10.9.9.8 dev kv0
	on_host ip addr add 169.254.3.4/16 scope link dev kv0
	on_host ip -6 addr add fd00:1234::5/64 dev kv0 nodad
	on_host ip addr add 10.7.7.7/24 valid_lft 500 preferred_lft 400 dev kv0
	devices '{"kv0": {"name": "eth0"}}'
	args sleep 100
	hkv create -b "$BUNDLE" "$ID" </dev/null
	pid=$(kv state "$ID" | jq .pid)
	run nsenter -t "$pid" -n ip -j addr show dev eth0
	echo "$output"
	[ "$(jq -r '.[0] | "\(.mtu) \(.address) \(.flags | index("UP") != null)"' <<<"$output")" = "1400 02:11:22:33:44:55 true" ]
	[ "$(jq -r '[.[0].addr_info[] | select(.scope == "global") | "\(.local)/\(.prefixlen)"] | sort | join(" ")' <<<"$output")" = \
		"10.9.8.7/24 10.9.9.7/32 fd00:1234::5/64" ]
	[ "$(jq -r '.[0].addr_info[] | select(.local == "10.9.8.7").broadcast' <<<"$output")" = 10.9.8.255 ]
	[ "$(jq -r '.[0].addr_info[] | select(.local == "10.9.9.7").address' <<<"$output")" = 10.9.9.8 ]
	[[ $output != *10.7.7.7* ]]
	[[ $output != *169.254.3.4* ]]
	run on_host ip -o link show
	[[ $output != *"kv0@"* && $output != *"kv0:"* ]]
	kv start "$ID"
	# it carries: the other end answers
	on_host ip addr add 10.9.8.1/24 dev kv0p
	wait_for 10 kv exec --cap CAP_NET_RAW "$ID" ping -c 1 -W 1 10.9.8.1
}

@test "S-36: without a name it keeps its own; a second one and a sysctl of one" {
	on_host ip link add kv1 type veth peer name kv1p
	devices '{"kv0": {}, "kv1": {}}'
	config '.linux.sysctl = {"net.ipv4.conf.kv1.forwarding": "1"} | .linux.readonlyPaths = []'
	args sh -c 'ls /sys/class/net | tr "\n" " "; cat /proc/sys/net/ipv4/conf/kv1/forwarding'
	hrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${lines[0]}" = "kv0 kv1 lo 1" ]
}

@test "S-36: %d gives the next free name, in a namespace that is joined, too" {
	on_host ip link add kv1 type veth peer name kv1p
	unshare -n sleep 1000 </dev/null >/dev/null 2>&1 3>&- &
	other=$!
	wait_for 5 is_apart $other
	nsenter -t $other -n ip link add net0 type veth peer name taken
	# the interface numbers of the host are taken there, too
	for i in 1 2 3; do nsenter -t $other -n ip link add f$i type veth peer name g$i; done
	on_host ip addr add 10.1.0.1/24 dev kv0
	on_host ip addr add 10.1.1.1/24 dev kv1
	devices '{"kv0": {"name": "net%d"}, "kv1": {"name": "net%d"}}'
	config --arg p "/proc/$other/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $p'
	args sh -c 'for n in 0 1 2 3; do echo "$n $(ip -o -4 addr show dev net$n | grep -o "10[.0-9]*/24")"; done'
	hrun run -b "$BUNDLE" "$ID"
	kill $other
	[ "$status" -eq 0 ]
	[ "$(grep -c 10.1 <<<"$output")" = 2 ]
	[ "${lines[0]}" = "0 " ]
	[[ $output == *10.1.0.1/24* && $output == *10.1.1.1/24* ]]
}

@test "S-36: hooks of all phases see the device in the container, and the host's own is gone" {
	devices '{"kv0": {"name": "eth0"}}'
	cat >"$BATS_TEST_TMPDIR/hook" <<-END
		#!/bin/sh
		pid=\$(jq .pid)
		echo "\$1 \$(nsenter -t \$pid -n ip -o link show eth0 | grep -c ' eth0') \$(ip -o link | grep -c ' kv0@')" >>$BATS_TEST_TMPDIR/out
	END
	chmod +x "$BATS_TEST_TMPDIR/hook"
	config --arg h "$BATS_TEST_TMPDIR/hook" '.hooks = {prestart: [{path: $h, args: ["h", "prestart"], env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}],
		createRuntime: [{path: $h, args: ["h", "createRuntime"], env: ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}'
	args true
	hrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = "$(printf 'prestart 1 0\ncreateRuntime 1 0')" ]
}

@test "S-36: in a user namespace; the container's root owns the device" {
	own_rootfs
	chown -R -h 100000:100000 "$BUNDLE/rootfs"
	chmod 711 "$BATS_TEST_TMPDIR" "$BUNDLE"
	config '.linux.namespaces += [{type: "user"}] | .process.capabilities.bounding += ["CAP_NET_ADMIN"]
		| .process.capabilities.permitted += ["CAP_NET_ADMIN"] | .process.capabilities.effective += ["CAP_NET_ADMIN"]
		| .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 65536}]
		| .linux.gidMappings = [{containerID: 0, hostID: 100000, size: 65536}]'
	devices '{"kv0": {"name": "eth0"}}'
	args sh -c 'ip link set eth0 mtu 1300 && cat /sys/class/net/eth0/mtu'
	hrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = 1300 ]
}

@test "S-36: a device that is missing, the loopback, a taken name and the host's namespace are refused" {
	args true
	devices '{"nosuch": {}}'
	refused 'linux.netDevices["nosuch"]' 'no such device'
	devices '{"kv0": {}, "nosuch": {}}'
	refused 'linux.netDevices["nosuch"]' 'no such device'
	devices '{"lo": {"name": "eth0"}}'
	refused 'linux.netDevices["lo"]' loopback
	devices '{"kv0": {"name": "lo"}}'
	refused 'linux.netDevices["kv0"].name' '"lo" already'
	devices '{"kv0": {"name": "a%db"}}'
	refused 'linux.netDevices["kv0"].name' '%d'
	on_host ip link add kv1 type veth peer name kv1p
	devices '{"kv0": {"name": "eth0"}, "kv1": {"name": "eth0"}}'
	refused 'linux.netDevices["kv1"].name' twice
	devices '{"kv0": {"name": "a-name-that-is-too-long"}}'
	refused 'linux.netDevices.kv0.name' 'network interface'
	devices '{"kv0": {}}'
	config --arg p "/proc/$HOST/ns/net" '(.linux.namespaces[] | select(.type == "network")).path = $p'
	refused linux.netDevices "host's own"
	config '.linux.namespaces |= map(select(.type != "network"))'
	refused linux.netDevices 'network namespace'
}

@test "S-36: nobody but root moves devices of the host" {
	devices '{"kv0": {}}'
	args true
	run on_host setpriv --bounding-set -net_admin --inh-caps -net_admin "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.netDevices"*CAP_NET_ADMIN* ]]
	run on_host unshare -Ur "$KAVACH" --root "$STATE/user" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"linux.netDevices"*root* ]]
}

@test "S-36: a create that fails later leaves the namespace's end to the kernel, and no half-made container" {
	devices '{"kv0": {}}'
	args /no/such/program
	run -127 on_host "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ -z "$(kv list -q)" ]
	# a virtual device goes with its namespace, its other end too
	gone() { ! on_host ip link show kv0p; }
	wait_for 10 gone
}
