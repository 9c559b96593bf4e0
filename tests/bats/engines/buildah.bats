#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach as buildah's runtime, as root: buildah drives it without conmon, and kills and deletes by itself.

load podman

setup_file() {
	command -v buildah >/dev/null || skip "needs buildah"
	setup_podman
}

teardown_file() { teardown_podman; }

setup() {
	pod_command
	[ "$ENGINE_RUNTIME" != kavach ] || ENGINE_RUNTIME=$KAVACH
	BUD=(nsenter "--net=/run/netns/$PODNET" buildah --root "$PODDIR/root" --runroot "$PODDIR/runroot"
		--storage-driver "$STORAGE_DRIVER")
	RUN=(--runtime "$ENGINE_RUNTIME" --isolation oci)
	BEFORE=$(cgroups)
	C=
}

teardown() {
	[ -z "$C" ] || "${BUD[@]}" rm "$C" >/dev/null
	[ "$(cgroups)" = "$BEFORE" ] || {
		echo "# cgroups left behind: $(cgroups | grep -vxF "$BEFORE")"
		return 1
	}
}

# buildah names no cgroup, so kavach does, after the container, whose id begins so
cgroups() { find /sys/fs/cgroup -type d -name '*buildah*' 2>/dev/null | sort; }

# bud ARGUMENT...: buildah; sets status and output
bud() {
	status=0
	output=$("${BUD[@]}" "$@" 2>&1) || status=$?
	printf '# buildah %s -> %s\n%s\n' "$*" "$status" "$output"
}

# a working container
from() { C=$("${BUD[@]}" from --pull-never "$IMAGE"); }

# inside [OPTION...] -- COMMAND...: buildah run in it
inside() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	bud run "${RUN[@]}" --network none "${options[@]}" "$C" "$@"
}

@test "run: output, exit status, and what is written stays" {
	from
	inside -- sh -c 'echo hello; echo kept >/file; exit 3'
	[ "$status" -eq 3 ]
	[[ $output == hello* ]]
	inside -- cat /file
	[ "$status" -eq 0 ]
	[ "$output" = kept ]
}

@test "run: a program that is not there" {
	from
	inside -- /no/such/program
	[ "$status" -ne 0 ]
	[[ $output == *"no such file or directory"* ]]
}

@test "run: user, directory, environment, volumes, capabilities" {
	from
	mkdir "$BATS_TEST_TMPDIR/v"
	inside --user 12:34 --workingdir /tmp --env A=b -v "$BATS_TEST_TMPDIR/v:/v:ro" --cap-drop all --hostname named -- \
		sh -c 'id -u; id -g; pwd; echo "$A"; hostname; touch /v/x 2>/dev/null || echo refused; grep CapBnd /proc/self/status'
	[ "$status" -eq 0 ]
	[ "$(head -n 6 <<<"$output")" = $'12\n34\n/tmp\nb\nnamed\nrefused' ]
	[[ $output == *0000000000000000 ]]
}

@test "run: input from a pipe" {
	from
	run bash -c 'echo "piped in" | "$@"' _ "${BUD[@]}" run "${RUN[@]}" --network none "$C" -- cat
	[ "$status" -eq 0 ]
	[ "$output" = "piped in" ]
}

@test "run --tty: a terminal" {
	from
	status=0
	output=$("$BATS_TEST_DIRNAME/on-terminal" size:31x91 expect:ready 'send:typed\r' 'expect:got typed' -- \
		"${BUD[@]}" run "${RUN[@]}" --network none --tty "$C" sh -c 'tty; echo ready; read -r x; echo "got $x"; exit 5') || status=$?
	echo "# $output"
	[ "$status" -eq 5 ]
	[[ $output == */dev/pts/0* ]]
}

@test "build: RUN steps as several users, cached files, an argument, a failing step" {
	cat >"$BATS_TEST_TMPDIR/Containerfile" <<-END
		FROM $IMAGE AS first
		ARG WHAT
		RUN echo "\$WHAT" >/what && id -u >/who
		USER 1000
		RUN id -u >/tmp/who
		FROM $IMAGE
		COPY --from=first /what /who /tmp/who /all/
		RUN --mount=type=tmpfs,target=/scratch touch /scratch/x && grep -c Seccomp:.*2 /proc/self/status >/filtered
	END
	bud build "${RUN[@]}" --network none --build-arg WHAT=built -t "localhost/bud:$BATS_TEST_NUMBER" \
		-f "$BATS_TEST_TMPDIR/Containerfile" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 0 ]
	C=$("${BUD[@]}" from --pull-never "localhost/bud:$BATS_TEST_NUMBER")
	inside -- sh -c 'cat /all/what; cat /all/who /filtered'
	[ "$output" = $'built\n1000\n1' ]
	printf 'FROM %s\nRUN exit 42\n' "$IMAGE" >"$BATS_TEST_TMPDIR/Containerfile"
	bud build "${RUN[@]}" --network none -f "$BATS_TEST_TMPDIR/Containerfile" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 42 ]
	[[ $output == *"exit status 42"* ]]
}

@test "build in a user namespace" {
	printf 'FROM %s\nRUN cat /proc/self/uid_map >/map && id -u >>/map\n' "$IMAGE" >"$BATS_TEST_TMPDIR/Containerfile"
	bud build "${RUN[@]}" --network none --userns-uid-map 0:100000:5000 --userns-gid-map 0:100000:5000 \
		-t "localhost/bud:$BATS_TEST_NUMBER" -f "$BATS_TEST_TMPDIR/Containerfile" "$BATS_TEST_TMPDIR"
	[ "$status" -eq 0 ]
	C=$("${BUD[@]}" from --pull-never "localhost/bud:$BATS_TEST_NUMBER")
	inside -- cat /map
	[ "$(tr -s ' \n' ' ' <<<"$output")" = " 0 100000 5000 0 " ]
}
