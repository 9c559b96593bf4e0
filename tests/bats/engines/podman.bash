# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For bats files that drive kavach through podman or buildah. The whole file shares one storage with the images in it;
# nothing of the machine's own podman is used or changed: storage, run directory, configuration, locks and networks
# lie below $BATS_FILE_TMPDIR, and podman runs in a network namespace of its own, so that bridges and packet filter
# rules go away with that.
#
# ENGINE_RUNTIME=runc runs the same tests with another runtime: what fails there too is not kavach's fault.

: "${KAVACH_SRC:=$(cd "$BATS_TEST_DIRNAME/../../.." && pwd)}"
: "${KAVACH_BUILD:=$KAVACH_SRC}"
: "${KAVACH:=$KAVACH_BUILD/kavach}"
: "${ENGINE_RUNTIME:=kavach}"
export KAVACH KAVACH_SRC KAVACH_BUILD ENGINE_RUNTIME
# shellcheck source=tests/bats/wait.bash
. "$KAVACH_SRC/tests/bats/wait.bash"
IMAGE=localhost/kavach-busybox:latest
export IMAGE

# podman with everything of its own, and kavach as its runtime
pod_command() {
	POD=(nsenter "--net=/run/netns/$PODNET" podman --root "$PODDIR/root" --runroot "$PODDIR/runroot"
		--tmpdir "$PODDIR/tmp" --storage-driver "$STORAGE_DRIVER" --cgroup-manager "${POD_CGROUPS:-cgroupfs}"
		--events-backend file --network-config-dir "$PODDIR/net.d" --runtime "$ENGINE_RUNTIME")
}

pod() { "${POD[@]}" "$@"; }

# podrun ARGUMENT...: like bats' run, to which 127 means a mistake in the test; shown when the test fails
podrun() {
	status=0
	output=$(pod "$@" 2>&1) || status=$?
	mapfile -t lines <<<"$output"
	printf '# podman %s -> %s\n%s\n' "$*" "$status" "$output"
}

# What we ship for podman, with this build in the place of an installed one; and limits that root may set here: without
# CAP_SYS_RESOURCE podman's own defaults are too high.
write_containers_conf() {
	local nofile nproc
	nofile=$(ulimit -Hn)
	nproc=$(ulimit -Hu)
	[ "$nofile" != unlimited ] || nofile=1048576
	# podman lowers its own to the default of pids, 32768
	[ "$nproc" != unlimited ] && [ "$nproc" -lt 16384 ] || nproc=16384
	sed -e "s|^kavach = .*|kavach = [\"$KAVACH\"]|" -e '/^\[engine\]/a lock_type = "file"' \
		"$KAVACH_SRC/contrib/engines/podman/50-kavach.conf"
	cat <<-END
		runc = ["/usr/sbin/runc"]
		[containers]
		default_ulimits = ["nofile=1024:$nofile", "nproc=$nproc:$nproc"]
		log_driver = "k8s-file"
		[network]
		network_backend = "$1"
		cni_plugin_dirs = ["/usr/lib/cni", "/usr/libexec/cni", "/opt/cni/bin"]
	END
}

# The default network. Its addresses are remembered below $PODDIR too.
write_cni_network() {
	mkdir -p "$PODDIR/net.d" "$PODDIR/ipam"
	cat >"$PODDIR/net.d/87-podman.conflist" <<-END
		{"cniVersion": "0.4.0", "name": "podman", "plugins": [
			{"type": "bridge", "bridge": "kvpod0", "isGateway": true, "ipMasq": false,
			 "ipam": {"type": "host-local", "dataDir": "$PODDIR/ipam",
				"routes": [{"dst": "0.0.0.0/0"}],
				"ranges": [[{"subnet": "10.211.0.0/24", "gateway": "10.211.0.1"}]]}},
			{"type": "portmap", "capabilities": {"portMappings": true}}]}
	END
}

setup_podman() {
	local archive backend=cni
	[ "$(id -u)" -eq 0 ] || skip "needs root"
	command -v podman >/dev/null || skip "needs podman"
	PODDIR=$BATS_FILE_TMPDIR/p
	PODNET=kvpod-$$
	PARENT_WAS=$(ls -d /sys/fs/cgroup/*/libpod_parent /sys/fs/cgroup/libpod_parent 2>/dev/null || true)
	mkdir -p "$PODDIR"
	CONTAINERS_CONF=$PODDIR/containers.conf
	STORAGE_DRIVER=overlay
	export PODDIR PODNET PARENT_WAS CONTAINERS_CONF STORAGE_DRIVER
	# netavark keeps its addresses below /run; where podman still knows CNI and it is there, nothing is shared
	if [[ $(podman --version) != *" 4."* ]] || [ ! -x /usr/lib/cni/bridge ]; then
		backend=netavark
	fi
	write_containers_conf $backend >"$CONTAINERS_CONF"
	mkdir -p "$PODDIR/net.d"
	[ $backend = netavark ] || write_cni_network
	ip netns add "$PODNET"
	ip -n "$PODNET" link set lo up
	pod_command
	archive=$("$KAVACH_SRC/tests/bats/images.sh" busybox "$BATS_FILE_TMPDIR/images")
	if ! pod load -q -i "$archive"; then
		STORAGE_DRIVER=vfs
		pod_command
		pod load -q -i "$archive"
	fi
}

# What a container leaves must be gone when podman has removed it: checked for every id that podman's events name.
leftovers() {
	local id
	for id in $(cat "$PODDIR"/tmp/events/* 2>/dev/null | jq -r 'select(.Type == "container") | .ID' | sort -u); do
		find /sys/fs/cgroup -type d -name "*$id*" 2>/dev/null
		grep -F "$id" /proc/self/mountinfo
		ls -d "/run/kavach/$id" 2>/dev/null
	done
	return 0
}

teardown_podman() {
	local left pid
	[ -n "${PODDIR:-}" ] || return 0
	pod_command
	if [ -e "/run/netns/$PODNET" ]; then
		pod pod rm -a -f -t 0 >/dev/null 2>&1 || true
		pod rm -a -f -t 0 >/dev/null 2>&1 || true
		# conmon of a container that has just been removed may still be at it
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			left=$(leftovers)
			[ -n "$left" ] || break
			sleep 0.5
		done
		pod rmi -a -f >/dev/null 2>&1 || true
		for pid in $(ip netns pids "$PODNET"); do
			left+=" process $pid ($(tr '\0' ' ' <"/proc/$pid/cmdline"))"
			kill -9 "$pid"
		done
		ip netns del "$PODNET"
	fi
	umount "$PODDIR/root/overlay" 2>/dev/null || true
	grep -o "${PODDIR}[^ ]*" /proc/self/mountinfo | sort -ru | while read -r pid; do umount "$pid"; done
	rmdir_parent
	[ -z "$left" ] || {
		echo "# left behind: $left"
		return 1
	}
}

# podman never removes the cgroup above its containers
rmdir_parent() {
	local d
	for d in /sys/fs/cgroup/*/libpod_parent /sys/fs/cgroup/libpod_parent; do
		[[ $PARENT_WAS == *"$d"* ]] || rmdir "$d" 2>/dev/null || true
	done
}
