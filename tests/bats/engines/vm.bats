#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach-vm as podman's runtime: each container in a microVM of its own, emulated where there is no KVM. One VM serves as
# many cases as it can: a boot takes seconds there.

load podman

# why there can be no VM here
missing() {
	if ! command -v qemu-system-x86_64 >/dev/null; then
		echo "needs qemu-system-x86_64"
	elif [ ! -e "$KAVACH_BUILD/guest/guest.json" ]; then
		echo "needs a guest image: make guest"
	fi
}

setup_file() {
	[ -z "$(missing)" ] || return 0
	# conmon passes no environment on
	ENGINE_RUNTIME=$BATS_FILE_TMPDIR/kavach-vm
	export ENGINE_RUNTIME
	printf '#!/bin/bash\nKAVACH_CACHE=%q KAVACH_GUEST=%q exec -a kavach-vm %q "$@"\n' "$BATS_FILE_TMPDIR/cache" \
		"$KAVACH_BUILD/guest" "$KAVACH" >"$ENGINE_RUNTIME"
	chmod 755 "$ENGINE_RUNTIME"
	setup_virtiofs
	setup_podman
}
teardown_file() {
	[ -z "${VIRTIOFSD_PLACE:-}" ] || rm -rf "$VIRTIOFSD_PLACE"
	teardown_podman
}

# OVER_VIRTIOFS, a runtime with rules that demand virtiofs: where there is a virtiofsd, installed or unpacked
setup_virtiofs() {
	local program
	VIRTIOFSD_PLACE=/usr/local/lib/kavach-test-engine-$$
	OVER_VIRTIOFS=$BATS_FILE_TMPDIR/kavach-virtiofs
	export VIRTIOFSD_PLACE OVER_VIRTIOFS
	program=$("$KAVACH_SRC/tests/tools/virtiofsd" "$VIRTIOFSD_PLACE") || return 0
	mkdir "$BATS_FILE_TMPDIR/rules"
	jq -n --arg p "$program" '{vm: {share: "virtiofs", defaults: {virtiofsd: $p}}}' >"$BATS_FILE_TMPDIR/rules/10-vm.json"
	printf '#!/bin/bash\nKAVACH_GUEST=%q exec -a kavach-vm %q --rules %q "$@"\n' "$KAVACH_BUILD/guest" "$KAVACH" \
		"$BATS_FILE_TMPDIR/rules" >"$OVER_VIRTIOFS"
	chmod 755 "$OVER_VIRTIOFS"
}

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	pod_command
	NAME=v$BATS_TEST_NUMBER
}

teardown() {
	[ -n "${NAME:-}" ] || return 0
	pod rm -f -t 0 "$NAME" >/dev/null 2>&1 || true
}

quick() { podrun run --rm --network none "$@"; }
background() { pod run -d --name "$NAME" --network none "$@" >"$BATS_TEST_TMPDIR/id"; }
inspect() { pod inspect -f "$1" "$NAME"; }
status_is() { [ "$(inspect '{{.State.Status}}')" = "$1" ]; }
logs_have() { pod logs "$NAME" 2>&1 | grep -q -- "$1"; }

@test "run: output, environment, user, status of the program in its own kernel" {
	quick --env COLOR=blue --user 5:6 "$IMAGE" sh -c 'uname -r; echo $COLOR; id -u; id -g; echo err >&2; exit 7'
	[ "$status" -eq 7 ]
	[[ $output == *blue* && $output == *$'\n5\n6'* && $output == *err* ]]
	[[ $output != *"$(uname -r)"* ]]
}

@test "run: standard input goes in, and its end" {
	run pod run --rm -i --network none "$IMAGE" sh -c 'wc -c; echo done' < <(head -c 300000 /dev/zero)
	[ "$status" -eq 0 ]
	[[ $output == *300000*done* ]]
}

@test "run: a read-only root with a tmpfs in it; memory that runs out" {
	quick --read-only --tmpfs /scratch --memory 64m "$IMAGE" sh -c \
		'touch /x 2>/dev/null || echo refused; echo kept >/scratch/f; cat /scratch/f; x=x; while :; do x=$x$x; done'
	[ "$status" -eq 137 ]
	[[ $output == *refused*kept* ]]
}

@test "run: a program that is not there is 127, one that may not be run is 126" {
	quick "$IMAGE" /no/such/program
	[ "$status" -eq 127 ]
	quick "$IMAGE" /etc/passwd
	[ "$status" -eq 126 ]
}

@test "background: exec, files in and out, volumes, logs, limits, pause, kill" {
	local vol=$BATS_TEST_TMPDIR/vol
	mkdir "$vol"
	echo from the host >"$vol/in"
	chown 5:6 "$vol/in"
	background -v "$vol:/vol" --memory 96m --pids-limit 40 --hostname box "$IMAGE" sh -c \
		'trap "echo got usr1" USR1; echo started; while :; do sleep 0.1; done'
	wait_for 20 logs_have started

	podrun exec "$NAME" sh -c 'cat /vol/in; stat -c %u:%g /vol/in; hostname; echo made inside >/vol/out; exit 5'
	[ "$status" -eq 5 ]
	[[ $output == *"from the host"*5:6*box* ]]
	[ "$(cat "$vol/out")" = "made inside" ]
	podrun exec "$NAME" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
	[[ $output == *100663296*40* ]]
	podrun exec "$NAME" /no/such
	[ "$status" -eq 127 ]
	run pod exec -i "$NAME" cat <<<"through exec"
	[ "$output" = "through exec" ]
	podrun exec -t "$NAME" sh -c 'test -t 0 && tty'
	[[ $output == */dev/pts/* ]]

	echo copied >"$BATS_TEST_TMPDIR/file"
	pod cp "$BATS_TEST_TMPDIR/file" "$NAME:/root/file"
	podrun exec "$NAME" cat /root/file
	[ "$output" = copied ]
	pod exec "$NAME" sh -c 'echo back >/root/file'
	pod cp "$NAME:/root/file" "$BATS_TEST_TMPDIR/back"
	[ "$(cat "$BATS_TEST_TMPDIR/back")" = back ]
	podrun diff "$NAME"
	[[ $output == *"/root/file"* ]]

	pod kill -s USR1 "$NAME"
	wait_for 10 logs_have "got usr1"
	pod pause "$NAME"
	status_is paused
	pod unpause "$NAME"
	podrun exec "$NAME" echo alive
	[ "$output" = alive ]
	pod kill "$NAME"
	wait_for 20 status_is exited
	[ "$(inspect '{{.State.ExitCode}}')" = 137 ]
}

@test "stop, start, restart: what was written is there, the status is the program's" {
	background "$IMAGE" sh -c 'cat /kept 2>/dev/null; echo boot >>/kept; trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 20 logs_have ready
	pod stop -t 20 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 9 ]
	pod start "$NAME"
	wait_for 20 logs_have '^boot'
	pod commit -q "$NAME" localhost/vm-commit
	quick localhost/vm-commit cat /kept
	[ "${lines[0]}" = boot ]
	pod rm -f -t 0 "$NAME"
	[ -z "$(leftovers)" ]
}

@test "over virtiofs: volumes both ways, cp, diff, stop and start, commit" {
	local vol=$BATS_TEST_TMPDIR/vol
	[ -e "$OVER_VIRTIOFS" ] || skip "needs a virtiofsd, installed or unpacked by contrib/setup"
	ENGINE_RUNTIME=$OVER_VIRTIOFS
	pod_command
	mkdir "$vol"
	echo from the host >"$vol/in"
	chown 5:6 "$vol/in"
	background -v "$vol:/vol" -v named:/named "$IMAGE" sh -c \
		'cat /kept 2>/dev/null; echo boot >>/kept; chmod 4711 /kept; trap "exit 9" TERM; echo ready; while :; do sleep 0.1; done'
	wait_for 60 logs_have ready
	pgrep -P "$(inspect '{{.State.Pid}}')" -f virtiofsd
	podrun exec "$NAME" sh -c 'cat /vol/in; stat -c %u:%g /vol/in; echo made inside >/vol/out; echo x >/named/x; grep " / " /proc/mounts'
	[[ $output == *"from the host"*5:6*"virtiofs"* ]]
	[ "$(cat "$vol/out")" = "made inside" ]
	echo copied >"$BATS_TEST_TMPDIR/file"
	pod cp "$BATS_TEST_TMPDIR/file" "$NAME:/root/file"
	podrun exec "$NAME" cat /root/file
	[ "$output" = copied ]
	pod exec "$NAME" sh -c 'echo back >/root/file; rm /etc/motd 2>/dev/null; rm -f /bin/yes'
	pod cp "$NAME:/root/file" "$BATS_TEST_TMPDIR/back"
	[ "$(cat "$BATS_TEST_TMPDIR/back")" = back ]
	podrun diff "$NAME"
	[[ $output == *"A /root/file"* && $output == *"D /bin/yes"* && $output == *"A /kept"* ]]
	pod stop -t 20 "$NAME"
	[ "$(inspect '{{.State.ExitCode}}')" = 9 ]
	pod start "$NAME"
	wait_for 60 logs_have '^boot'
	pod commit -q "$NAME" localhost/vm-virtiofs
	quick -v named:/named localhost/vm-virtiofs sh -c 'cat /kept /named/x; stat -c %a /kept; test ! -e /bin/yes'
	[ "$status" -eq 0 ]
	[ "$output" = $'boot\nboot\nx\n4711' ]
	pod rm -f -t 0 "$NAME"
	pod volume rm named
	[ -z "$(leftovers)" ]
}

begun_again() { [ "$(pod logs "$NAME" 2>&1 | grep -c ready)" -eq 2 ]; }

@test "a packed root: podman's own files are there, a second container shares the image, QEMU serves no files" {
	background --annotation io.kavach.root=packed --hostname packed --add-host there:192.0.2.9 "$IMAGE" sh -c '
		[ ! -e /new ] && grep " / " /proc/mounts | cut -d" " -f3; cat /etc/hostname; grep there /etc/hosts; ls /run/.containerenv
		echo x >/dev/shm/x && echo y >/new && echo ready; sleep 1000'
	wait_for 60 logs_have ready
	run pod logs "$NAME"
	[[ $output == overlay$'\n'packed*192.0.2.9*there*/run/.containerenv$'\n'ready ]]
	podrun exec "$NAME" cat /new
	[ "$output" = y ]
	qemu=$(pgrep -P "$(inspect '{{.State.Pid}}')" qemu)
	[ "$(awk '/^Cap/ { print $2 }' "/proc/$qemu/status" | sort -u)" = 0000000000000000 ]
	pod restart -t 0 "$NAME"
	wait_for 60 begun_again
	# each start has the image's root
	quick --annotation io.kavach.root=packed "$IMAGE" ls /new
	[ "$status" -ne 0 ]
	# containers of one image have the same files, so there is one image of their roots
	[ "$(find "$BATS_FILE_TMPDIR/cache/roots" -name '*.img' | wc -l)" -eq 1 ]
}

in_podnet() { ip netns exec "$PODNET" "$@"; }
# answers ADDRESS PORT: what a server in the guest says
answers() { [ "$(in_podnet timeout 5 busybox nc "$1" "$2" </dev/null)" = "hello from the guest" ]; }
address() { inspect "{{(index .NetworkSettings.Networks \"$1\").IPAddress}}"; }

@test "bridge networks: published ports lead into the guest, two networks at once, and the way out" {
	local second=kvsecond port=18080 first_address second_address
	pod network create "$second"
	# what the engine can do here without us
	podrun --runtime /usr/sbin/runc run --rm --network podman --network "$second" -p "$port:80" "$IMAGE" true
	[ "$status" -eq 0 ] || skip "podman's network backend does not work with runc either: $output"
	pod run -d --name "$NAME" --network podman --network "$second" -p "$port:80" -p "$((port + 1)):81" "$IMAGE" sh -c '
		(while :; do echo hello from the guest | nc -l -p 80; done) & (while :; do echo other port | nc -l -p 81; done) &
		while :; do sleep 1; done' >/dev/null
	first_address=$(address podman)
	second_address=$(address "$second")
	[ -n "$first_address" ] && [ -n "$second_address" ] && [ "$first_address" != "$second_address" ]
	podrun exec "$NAME" sh -c 'uname -r; ip -4 -o addr; ip route'
	[[ $output != *"$(uname -r)"* && $output == *"$first_address/"* && $output == *"$second_address/"* && $output == *"default via"* ]]
	# the two addresses, then the published ports, the way that people outside come
	wait_for 30 answers "$first_address" 80
	wait_for 30 answers "$second_address" 80
	wait_for 30 answers 127.0.0.1 "$port"
	[ "$(in_podnet timeout 5 busybox nc 127.0.0.1 $((port + 1)) </dev/null)" = "other port" ]
	podrun port "$NAME"
	[[ $output == *"80/tcp -> 0.0.0.0:$port"* ]]
	# a container that is a process, in the second network
	podrun --runtime /usr/sbin/runc run --rm --network "$second" "$IMAGE" timeout 5 nc "$second_address" 80
	[ "$output" = "hello from the guest" ]
	# and from the guest to the host's side of the bridge
	in_podnet sh -c 'echo from the host | timeout 60 busybox nc -l -p 18090 >/dev/null' 3>&- &
	podrun exec "$NAME" sh -c 'for i in 1 2 3 4 5; do timeout 5 nc $(ip route | sed -n "s/^default via \([^ ]*\).*/\1/p" | head -n 1) 18090 </dev/null && break; sleep 1; done'
	[ "$output" = "from the host" ]
	pod rm -f -t 0 "$NAME"
	# the ports are free again
	run in_podnet timeout 5 busybox nc 127.0.0.1 "$port" </dev/null
	[ "$status" -ne 0 ]
	pod network rm "$second"
}

# the one who types: when the program waits for it; then holds the line until it has ended
typist() {
	wait_for 60 logs_have "33 77"
	echo typed
	wait_for 60 logs_have "got typed"
}

@test "a terminal: its size and what is typed reach the program" {
	command -v script >/dev/null || skip "needs script"
	run script -qec "stty rows 33 cols 77; ${POD[*]} run --name $NAME -it --network none $IMAGE \
		sh -c 'until stty size | grep 33; do sleep 0.1; done; read -r x; echo got \$x'" /dev/null < <(typist)
	[[ $output == *"33 77"* ]]
	[[ $output == *"got typed"* ]]
}

# A machine without the hardware must not run a container that asks for it as anything less.
@test "kavach-snp on a machine without SEV: refused by what is missing, and nothing is left" {
	[ ! -e /dev/sev ] || skip "this machine may have SEV"
	local runtime=$BATS_TEST_TMPDIR/kavach-snp
	printf '#!/bin/bash\nKAVACH_GUEST=%q exec -a kavach-snp %q "$@"\n' "$KAVACH_BUILD/guest" "$KAVACH" >"$runtime"
	chmod 755 "$runtime"
	ENGINE_RUNTIME=$runtime pod_command
	podrun run --name "$NAME" --network none "$IMAGE" true
	[ "$status" -ne 0 ]
	[[ $output == *'this host cannot start a guest of SEV-SNP: '*'CPUID 0x8000001f'*'/dev/sev: not found (modprobe ccp'* ]]
	[ "$(inspect '{{.State.Status}}')" = created ]
	pod rm "$NAME"
	! pgrep -f "kavach-monitor.*$NAME"
}
