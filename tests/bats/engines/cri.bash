# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For bats files that are a kubelet: a private containerd with its CRI plugin, configured by the file that we ship, pods and
# containers by the client of tests/tools/cri.py. HANDLER is the RuntimeClass's.

load daemon

: "${HANDLER:=kavach}"

# the interpreter that has the distribution's module
python() {
	local p
	for p in /usr/bin/python3 python3; do
		"$p" -c 'import grpc' 2>/dev/null && echo "$p" && return
	done
	return 1
}

# cri_setup NAME: the engine, with images of busybox and of a program that waits, and a CNI network 10.99.0.0/24
cri_setup() {
	requires_root
	requires_program containerd ctr jq nsenter
	PYTHON=$(python) || skip "needs python3-grpcio"
	[ -x /usr/lib/cni/bridge ] || skip "needs containernetworking-plugins"
	engine_setup "$1"
	SOCKET=$ENGINE_DIR/c.sock
	LOGS=$ENGINE_DIR/logs
	export SOCKET LOGS PYTHON
	# shellcheck source=tests/bats/images.sh
	. "$KAVACH_SRC/tests/bats/images.sh"
	set +u
	"$KAVACH_SRC/contrib/make-rootfs" "$ENGINE_DIR/pause"
	printf '#!/bin/sh\ntrap "exit 0" TERM\nwhile :; do sleep 1000 & wait $!; done\n' >"$ENGINE_DIR/pause/pause"
	chmod 0755 "$ENGINE_DIR/pause/pause"
	archive "$ENGINE_DIR/pause" "$ENGINE_DIR/pause.tar" localhost/kavach-pause:latest /pause
	mkdir "$ENGINE_DIR/cni"
	jq -n --arg dir "$ENGINE_DIR/addresses" '{cniVersion: "0.4.0", name: "pods", plugins: [{type: "bridge",
		bridge: "pods0", isGateway: true, ipMasq: false, ipam: {type: "host-local", dataDir: $dir,
		ranges: [[{subnet: "10.99.0.0/24"}]]}}]}' >"$ENGINE_DIR/cni/10-pods.conflist"
	# the file that we ship as it is, and what this machine and this test need, before and after it
	{
		cat <<-END
			root = "$ENGINE_DIR/root"
			state = "$ENGINE_DIR/state"
			disabled_plugins = ["io.containerd.internal.v1.opt"]
		END
		cat "$KAVACH_SRC/contrib/engines/containerd.toml"
		cat <<-END
			[grpc]
			address = "$SOCKET"
			[ttrpc]
			address = "$SOCKET.ttrpc"
			[plugins."io.containerd.grpc.v1.cri"]
			sandbox_image = "localhost/kavach-pause:latest"
			restrict_oom_score_adj = true
			[plugins."io.containerd.grpc.v1.cri".cni]
			bin_dir = "/usr/lib/cni"
			conf_dir = "$ENGINE_DIR/cni"
		END
	} >"$ENGINE_DIR/config.toml"
	engine_start containerd -c "$ENGINE_DIR/config.toml"
	engine_answers cri Version
	load ctr "$BUSYBOX_TAR" --address "$SOCKET" -n k8s.io
	load ctr "$ENGINE_DIR/pause.tar" --address "$SOCKET" -n k8s.io
}

# cri_remove: what a test leaves; the pod's removal takes its containers along
cri_remove() {
	local left
	[ -n "${ENGINE_PID:-}" ] || return 0
	for left in ${POD:-}; do
		cri StopPodSandbox "{\"pod_sandbox_id\": \"$left\"}"
		cri RemovePodSandbox "{\"pod_sandbox_id\": \"$left\"}"
	done
	left=$(in_engine ls /run/containerd/runc/k8s.io 2>/dev/null || true)
	[ -z "$left" ] || { echo "# state left: $left"; return 1; }
	left=$(cgroups_of_engine | grep "$ENGINE_NAME/" || true)
	[ -z "$left" ] || { echo "# cgroups left: $left"; return 1; }
}

cri() {
	timeout --foreground -k 5 60 "$PYTHON" "$KAVACH_SRC/tests/tools/cri.py" "$SOCKET" "$@"
}

# pod JQ: starts one, sets POD and SANDBOX; the expression changes its configuration
pod() {
	SANDBOX=$(jq -nc --arg name "$NAME" --arg logs "$LOGS/$NAME" --arg cgroup "/$ENGINE_NAME" '{
		metadata: {name: $name, uid: $name, namespace: "default"}, hostname: $name,
		log_directory: $logs, linux: {cgroup_parent: $cgroup,
		security_context: {seccomp: {profile_type: 0}}}} | '"${1:-.}")
	POD=$(cri RunPodSandbox "{\"config\": $SANDBOX, \"runtime_handler\": \"$HANDLER\"}" | jq -r .pod_sandbox_id)
}

# create NAME JQ COMMAND...: a container of the pod, prints its id
create() {
	local name=$1 change=$2 request
	shift 2
	request=$(jq -nc --arg name "$name" --arg pod "$POD" --argjson sandbox "$SANDBOX" '{pod_sandbox_id: $pod,
		sandbox_config: $sandbox, config: {metadata: {name: $name}, log_path: ($name + ".log"),
		image: {image: "localhost/kavach-busybox:latest"}, command: $ARGS.positional,
		linux: {security_context: {seccomp: {profile_type: 0}}}}} | .config |= ('"$change)" \
		--args -- "$@")
	cri CreateContainer "$request" | jq -r .container_id
}

start() {	# ID
	cri StartContainer "{\"container_id\": \"$1\"}"
}

status_of() {	# ID FIELD
	cri ContainerStatus "{\"container_id\": \"$1\"}" | jq -r ".status.$2"
}

exited() {	# ID
	[ "$(status_of "$1" state)" = 2 ]
}

# as exec of a readiness probe
run_in() {	# ID COMMAND...
	local id=$1
	shift
	cri ExecSync "$(jq -nc --arg id "$id" '{container_id: $id, cmd: $ARGS.positional, timeout: 10}' --args -- "$@")"
}

logged() {	# NAME: what the container wrote, without the log's columns
	cut -d' ' -f4- "$LOGS/$NAME/$1.log"
}

