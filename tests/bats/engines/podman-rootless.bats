#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach as the runtime of an ordinary user's podman. The user is daemon, whom every system has; its ranges of ids are
# given in a mount namespace, so that the machine's own files stay as they are.

load podman

setup_file() {
	local p
	[ "$(id -u)" -eq 0 ] || skip "needs root, to become another user"
	for p in podman newuidmap newgidmap setpriv; do
		command -v $p >/dev/null || skip "needs $p"
	done
	[ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || skip "this kernel is set to allow no user namespaces"
	# the way to bats' own directory is closed to others
	DIR=$(mktemp -d "${TMPDIR:-/tmp}/kavach-rootless.XXXXXX")
	export DIR
	chmod 0755 "$DIR"
	mkdir -m 0700 "$DIR/run" "$DIR/home"
	cp "$KAVACH" "$DIR/kavach"
	cp "$("$KAVACH_SRC/tests/bats/images.sh" busybox "$BATS_FILE_TMPDIR/images")" "$DIR/busybox.tar"
	KAVACH=$DIR/kavach write_containers_conf cni >"$DIR/containers.conf"
	echo "daemon:300000:65536" >"$DIR/subids"
	chmod -R a+rX "$DIR"
	chown -R daemon: "$DIR/run" "$DIR/home"
	cat >"$DIR/as-user" <<-END
		set -e
		cd "$DIR"
		mount --bind "$DIR/subids" /etc/subuid
		mount --bind "$DIR/subids" /etc/subgid
		exec setpriv --reuid daemon --regid daemon --clear-groups env -i PATH="$PATH" HOME="$DIR/home" USER=daemon \\
			XDG_RUNTIME_DIR="$DIR/run" CONTAINERS_CONF="$DIR/containers.conf" "\$@"
	END
	user load -q -i "$DIR/busybox.tar" || skip "podman cannot work as an ordinary user here"
}

teardown_file() {
	[ -n "${DIR:-}" ] || return 0
	user rm -a -f -t 0 >/dev/null 2>&1 || true
	# what holds the user namespace open between calls
	[ ! -f "$DIR/run/libpod/tmp/pause.pid" ] || kill -9 "$(cat "$DIR/run/libpod/tmp/pause.pid")"
	rm -rf "$DIR"
}

setup() { NAME=c$BATS_TEST_NUMBER; }
teardown() { user rm -f -t 0 "$NAME" >/dev/null 2>&1 || true; }

# user ARGUMENT...: podman as the user
user() {
	unshare --mount bash "$DIR/as-user" podman --events-backend file --log-level error --runtime "$ENGINE_RUNTIME" "$@"
}

# quick ARGUMENT...: a container that is not kept; sets status and output
quick() {
	status=0
	output=$(user run --rm --network none "$@" 2>&1) || status=$?
	mapfile -t lines <<<"$output"
	printf '# podman run %s -> %s\n%s\n' "$*" "$status" "$output"
}

@test "run: root inside is the user outside" {
	quick "$IMAGE" sh -c 'id -u; cat /proc/self/uid_map; touch /file; stat -c %u /file; exit 7'
	[ "$status" -eq 7 ]
	[ "${lines[0]}" = 0 ]
	[[ ${lines[1]} =~ ^\ +0\ +1\ +1$ ]]
	[[ ${lines[2]} =~ ^\ +1\ +300000\ +65536$ ]]
	[ "${lines[3]}" = 0 ]
}

@test "run: filter, capabilities and masks are as in a container of root" {
	quick "$IMAGE" sh -c 'grep -E "Seccomp:|CapBnd" /proc/self/status; cat /proc/keys; ls /proc/acpi; touch /sys/x /proc/sys/x'
	[[ $output == *00000000*Seccomp:*2* ]]
	[ "$(grep -c "Read-only\|denied\|No such" <<<"$output")" -eq 2 ]
	[ "${#lines[@]}" -eq 4 ]
}

@test "--userns=keep-id: the same number inside and outside" {
	quick --userns=keep-id "$IMAGE" sh -c 'id -u; id -g'
	[ "$output" = $'1\n1' ]
}

@test "-t: a terminal" {
	quick -t "$IMAGE" tty
	[[ $output == /dev/pts/0* ]]
}

@test "the host's network: /sys comes from the host" {
	output=$(user run --rm --network host "$IMAGE" ls /sys/class/net)
	[[ $output == *lo* ]]
}

@test "volumes, --read-only, --tmpfs" {
	mkdir "$DIR/home/v"
	chown daemon: "$DIR/home/v"
	quick --read-only --tmpfs /scratch -v "$DIR/home/v:/v" -v "$DIR/home/v:/r:ro" "$IMAGE" \
		sh -c 'touch /v/file /scratch/x && stat -c %u /v/file; touch /x; touch /r/x'
	[ "${lines[0]}" = 0 ]
	[ "$(grep -c "Read-only" <<<"$output")" -eq 2 ]
	[ "$(stat -c %u "$DIR/home/v/file")" = 1 ]
}

@test "run -d, exec, logs, kill, rm" {
	user run -d --name "$NAME" --network none "$IMAGE" sh -c 'echo started; sleep 1000' >/dev/null
	wait_for 5 eval 'user logs "$NAME" | grep -q started'
	status=0
	output=$(user exec "$NAME" sh -c 'id -u; exit 3') || status=$?
	[ "$status" -eq 3 ]
	[ "$output" = 0 ]
	user kill "$NAME"
	[ "$(user wait "$NAME")" = 137 ]
	user rm "$NAME"
	[ -z "$(find "$DIR/run/kavach" -mindepth 1 -maxdepth 1 -not -name '.*')" ]
}

@test "a program that is not there: 127" {
	quick "$IMAGE" no-such-program
	[ "$status" -eq 127 ]
	[[ $output == *'executable file not found'* ]]
}

@test "build" {
	printf 'FROM %s\nRUN id -u >/who\nUSER 1000\nRUN id -u >/tmp/who\n' "$IMAGE" >"$DIR/Containerfile"
	status=0
	output=$(user build --isolation oci --network none -t localhost/built -f "$DIR/Containerfile" "$DIR/home/v" 2>&1) || status=$?
	echo "# $output"
	[ "$status" -eq 0 ]
	quick localhost/built cat /who /tmp/who
	[ "$output" = $'0\n1000' ]
}
