#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The network of a microVM with the true guest: interfaces of a namespace that is joined, and those that come late. All
# networks are of this test's own: it runs in a network namespace, and makes others.

load helpers

setup_file() {
	setup_rootfs
	ln -s "$KAVACH" "$BATS_FILE_TMPDIR/kavach-vm"
}

setup() {
	requires_root
	command -v qemu-system-x86_64 >/dev/null || skip "needs qemu-system-x86_64"
	[ -e "$KAVACH_BUILD/guest/guest.json" ] || skip "needs a guest image: make guest"
	[ -e /dev/net/tun ] || skip "no /dev/net/tun"
	setup_kavach
	export KAVACH_GUEST=$KAVACH_BUILD/guest
	KAVACH=$BATS_FILE_TMPDIR/kavach-vm
	NETNS=kvt-$$-$BATS_TEST_NUMBER
	PEER=kvp-$$-$BATS_TEST_NUMBER
	ip netns add "$NETNS"
	ip netns add "$PEER"
	config '.process.capabilities = ([.process.capabilities | to_entries[] | .value += ["CAP_NET_RAW"]] | from_entries)'
}

teardown() {
	[ -n "${NETNS:-}" ] || return 0
	teardown_kavach
	ip netns del "$NETNS"
	ip netns del "$PEER"
}

# joined: the container is in $NETNS
joined() { config --arg n "/run/netns/$NETNS" '(.linux.namespaces[] | select(.type == "network")).path = $n'; }

# wire NAME ADDRESS PEER-ADDRESS [MTU]: an interface in $NETNS, whose other end is in $PEER
wire() {
	ip link add "$1" netns "$NETNS" mtu "${4:-1500}" type veth peer name "p$1" netns "$PEER" mtu "${4:-1500}"
	ip -n "$NETNS" addr add "$2" dev "$1"
	ip -n "$NETNS" link set "$1" up
	ip -n "$PEER" addr add "$3" dev "p$1"
	ip -n "$PEER" link set "p$1" up
}

# listen PORT FILE: a server in $PEER that keeps what the first client says
listen() {
	ip netns exec "$PEER" python3 -c '
import socket, sys
s = socket.create_server(("", int(sys.argv[1])))
open(sys.argv[2] + ".ready", "w")
s.settimeout(120)
open(sys.argv[2], "wb").write(s.accept()[0].recv(100))' "$1" "$2" 3>&- &
	wait_for 10 test -e "$2.ready"
}

# connect ADDRESS PORT: what a server says to somebody in $PEER
connect() {
	ip netns exec "$PEER" python3 -c '
import socket, sys, time
for i in range(600):
	try:
		s = socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)
		break
	except OSError:
		time.sleep(0.1)
print(s.recv(100).decode())' "$@"
}

@test "interfaces of a joined namespace are the guest's: names, MACs, MTU, addresses, routes, and connections both ways" {
	joined
	wire eth0 10.55.0.2/24 10.55.0.1/24 1400
	wire net1 10.56.0.2/24 10.56.0.1/24
	ip -n "$NETNS" route add default via 10.55.0.1
	ip -n "$NETNS" addr add fd55::2/64 dev eth0 nodad
	mac=$(ip -n "$NETNS" -j link show eth0 | jq -r '.[0].address')
	listen 7001 "$BATS_TEST_TMPDIR/got"
	args sh -c 'ip -o link; ip -o addr; ip route; ping -c 1 -w 20 10.56.0.1 | grep received
		echo from the guest | nc 10.55.0.1 7001; echo welcome | nc -l -p 7002 -w 60'
	kv run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	pid=$!
	[ "$(connect 10.55.0.2 7002)" = welcome ]
	wait "$pid" || true
	output=$(cat "$BATS_TEST_TMPDIR/out")
	echo "$output"
	[[ $output == *"eth0: "*"mtu 1400"*"$mac"* ]]
	[[ $output == *"net1: "*"mtu 1500"* ]]
	[[ $output == *"eth0"*"inet 10.55.0.2/24"* && $output == *"net1"*"inet 10.56.0.2/24"* ]]
	[[ $output == *"inet6 fd55::2/64"* ]]
	[[ $output == *"default via 10.55.0.1 dev eth0"* ]]
	[[ $output == *"1 packets received"* ]]
	[ "$(cat "$BATS_TEST_TMPDIR/got")" = "from the guest" ]
	# nothing of ours stays in a namespace that is not ours
	run ip -n "$NETNS" -o link
	[[ $output != *kvtap* ]]
}

@test "an interface that comes between create and start is there at the start, and the privilege for it is given up" {
	args sh -c 'ip -o addr; echo welcome | nc -l -p 7003 -w 60'
	kv create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	pid=$(kv state "$ID" | jq .pid)
	# as an engine does it that has no name for the namespace
	ip link add late netns "$PEER" type veth peer name eth7 netns "$pid"
	ip -n "$PEER" addr add 10.57.0.1/24 dev late
	ip -n "$PEER" link set late up
	nsenter -t "$pid" -n sh -c 'ip addr add 10.57.0.2/24 dev eth7; ip link set eth7 up'
	kv start "$ID"
	[ "$(connect 10.57.0.2 7003)" = welcome ]
	grep -q "eth7.*inet 10.57.0.2/24" "$BATS_TEST_TMPDIR/out"
	# what the monitor needed for it is given up
	[ ! -e "/proc/$pid/status" ] || grep -q "^CapEff:.0000000000000000" "/proc/$pid/status"
}

@test "more interfaces than the VM has devices, or one that no guest can have: an error at the start, by its name" {
	args true
	kv create -b "$BUNDLE" "$ID" >/dev/null 2>&1 </dev/null
	pid=$(kv state "$ID" | jq .pid)
	ip link add l1 netns "$PEER" type veth peer name eth1 netns "$pid"
	ip link add l2 netns "$PEER" type veth peer name eth2 netns "$pid"
	kvrun start "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"network interface eth2: the VM was made with 1 network device"* ]]
	kv delete -f "$ID"
	joined
	ip -n "$NETNS" tuntap add dev tun5 mode tun
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"network interface tun5: expected an Ethernet device"* ]]
	[ -z "$(kv list -q)" ]
}
