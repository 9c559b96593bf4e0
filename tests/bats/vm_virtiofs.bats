#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A microVM whose root virtiofsd serves, with the true guest: what its files are like, that both sides see what the other
# wrote, that running code is not corrupted, and what each of the three processes has. Each boot serves many cases.

load helpers

setup_file() {
	setup_rootfs
	ln -s "$KAVACH" "$BATS_FILE_TMPDIR/kavach-vm"
	[ "$(id -u)" -eq 0 ] || return 0
	PLACE=/usr/local/lib/kavach-test-virtiofs-$$
	RULES=$BATS_FILE_TMPDIR/rules
	mkdir -p "$RULES"
	export PLACE RULES
	VIRTIOFSD=$("$KAVACH_SRC/tests/tools/virtiofsd" "$PLACE") || VIRTIOFSD=
	export VIRTIOFSD
	[ -z "$VIRTIOFSD" ] || rules "$VIRTIOFSD" "$(sha256sum "$VIRTIOFSD" | cut -d' ' -f1)"
}

teardown_file() {
	[ -z "${PLACE:-}" ] || rm -rf "$PLACE"
}

# rules PROGRAM SHA256: the only virtiofsd that the site allows, and no other way to share
rules() {
	jq -n --arg p "$1" --arg s "$2" '{vm: {share: "virtiofs", virtiofsd: [{path: $p, sha256: $s}], defaults: {virtiofsd: $p}}}' \
		>"$RULES/10-vm.json"
}

setup() {
	requires_root
	command -v qemu-system-x86_64 >/dev/null || skip "needs qemu-system-x86_64"
	[ -e "$KAVACH_BUILD/guest/guest.json" ] || skip "needs a guest image: make guest"
	[ -n "${VIRTIOFSD:-}" ] || skip "needs a virtiofsd, installed or unpacked by contrib/setup"
	setup_kavach
	export KAVACH_GUEST=$KAVACH_BUILD/guest
	KAVACH=$BATS_FILE_TMPDIR/kavach-vm
	own_rootfs
	# what engines give, and what the guest's root could make device nodes with
	config '.process.capabilities = ([.process.capabilities | to_entries[] | .value = ["CAP_CHOWN", "CAP_DAC_OVERRIDE",
		"CAP_FOWNER", "CAP_FSETID", "CAP_SETUID", "CAP_SETGID", "CAP_SETFCAP", "CAP_MKNOD", "CAP_KILL"]] | from_entries)'
}

teardown() {
	teardown_kavach
	[ -z "${VOLUME:-}" ] || umount -l "$VOLUME"
}

kv() { "$KAVACH" --rules "$RULES" --root "$STATE" "$@" 2> >(grep -v "no usable KVM" >&2); }
# like bats' run, to which 127 means a mistake in the test
kvrun() {
	status=0
	output=$(kv "$@" 2>&1) || status=$?
	mapfile -t lines <<<"$output"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

script() { args sh -c "$1"; }
# started SCRIPT: a running container, its monitor in $PID, virtiofsd and QEMU in $SERVER and $VM
started() {
	script "$1"
	kv create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	PID=$(cat "$BATS_TEST_TMPDIR/pid")
	SERVER=$(pgrep -P "$PID" -f "^$VIRTIOFSD")
	VM=$(pgrep -P "$PID" -f ^/usr/bin/qemu-system)
	kv start "$ID"
}
inside() { kv exec "$ID" "$@" </dev/null; }
bind() { config --arg s "$1" --arg d "$2" --arg o "$3" '.mounts += [{source: $s, destination: $d, type: "bind", options: ["rbind", $o]}]'; }
# a process has ended, whether or not its parent has asked for its status
gone() { [ ! -e "/proc/$1" ] || grep -q "^State:.Z" "/proc/$1/status"; }
field() { awk -v f="$2:" '$1 == f { print $2 }' "/proc/$1/status"; }

@test "files: owners, modes, set-user-id bits, links, sizes are on the host as the guest made them; device nodes are refused" {
	script '
		set -e
		cd /new
		echo text >file && chown 5:6 file && chmod 4755 file
		echo text >group && chown 7:8 group && chmod 2750 group
		mkdir -m 1777 sticky && ln -s file link && ln file hard && mkfifo fifo && mv group renamed
		mkdir a b && echo x >a/x && mv a/x b/y && rmdir a
		head -c 3000000 /dev/zero >big && truncate -s 2000000 big
		chmod 0600 secret; rm gone
		for n in "null c 1 3" "disk b 8 0"; do ! mknod $n 2>/dev/null || { echo "made $n"; exit 3; }; done
		cat secret; stat -c "%u:%g %a %h" file'
	mkdir "$BUNDLE/rootfs/new"
	echo hidden >"$BUNDLE/rootfs/new/secret"
	chown 1234:1234 "$BUNDLE/rootfs/new/secret"
	chmod 640 "$BUNDLE/rootfs/new/secret"
	touch "$BUNDLE/rootfs/new/gone"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = $'hidden\n5:6 4755 2' ]
	cd "$BUNDLE/rootfs/new"
	[ "$(stat -c '%n %u:%g %a %F' -- * | sort)" = "$(sort <<-END
		b 0:0 755 directory
		big 0:0 644 regular file
		fifo 0:0 644 fifo
		file 5:6 4755 regular file
		hard 5:6 4755 regular file
		link 0:0 777 symbolic link
		renamed 7:8 2750 regular file
		secret 1234:1234 600 regular file
		sticky 0:0 1777 directory
	END
	)" ]
	[ "$(stat -c %s big)" = 2000000 ]
	[ "$(stat -c %i file)" = "$(stat -c %i hard)" ]
	[ "$(cat b/y)" = x ]
}

@test "files: a user of the guest makes files as itself, and is refused what is another's; what was written is there the next time" {
	mkdir -m 777 "$BUNDLE/rootfs/open"
	echo secret >"$BUNDLE/rootfs/open/root's"
	chmod 600 "$BUNDLE/rootfs/open/root's"
	config '.process.user = {uid: 1000, gid: 1001, additionalGids: [1002]} | .process.capabilities = {}'
	script 'cd /open; echo mine >file; mkdir dir; ln -s x link; cat root* 2>/dev/null && exit 3; chown 0 file 2>/dev/null && exit 4; stat -c "%u:%g" file'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = 1000:1001 ]
	[ "$(cd "$BUNDLE/rootfs/open" && stat -c %u:%g file dir link | sort -u)" = 1000:1001 ]
	script 'cat /open/file && rm /open/file && ! test -e /open/file'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$output" = mine ]
	[ ! -e "$BUNDLE/rootfs/open/file" ]
}

@test "volumes are live, and file systems of their own; pausing, killing, and what the three processes have" {
	local vol=$BATS_TEST_TMPDIR/vol ro=$BATS_TEST_TMPDIR/ro fd
	mkdir "$vol" "$ro"
	mount -t tmpfs vol "$vol"
	VOLUME=$vol
	echo before >"$vol/file"
	echo fixed >"$ro/file"
	bind "$vol" /vol rw
	bind "$ro" /ro ro
	started 'trap "exit 9" TERM; echo up >/vol/up; while :; do sleep 0.1; done'
	wait_for 60 test -e "$vol/up"

	# what the host writes is what the guest reads at its next open, and the other way round
	[ "$(inside cat /vol/file)" = before ]
	echo "after, and longer" >"$vol/file"
	echo new >"$vol/new"
	[ "$(inside cat /vol/new)" = new ]
	seen() { [ "$(inside cat /vol/file)" = "after, and longer" ]; }
	wait_for 10 seen # attributes may be a second old
	inside sh -c 'echo from the guest >/vol/back; chown 3:4 /vol/back'
	[ "$(cat "$vol/back")" = "from the guest" ]
	[ "$(stat -c %u:%g "$vol/back")" = 3:4 ]
	rm "$vol/back"
	wait_for 10 inside sh -c '! test -e /vol/back'
	kvrun exec "$ID" sh -c 'echo x >/ro/file'
	[ "$status" -ne 0 ]
	[ "$(cat "$ro/file")" = fixed ]
	# no two files have one number in one file system
	[ "$(inside stat -c %d / /vol | sort -u | wc -l)" = 2 ]

	# QEMU: a user of its own, no capability, none of the container's files
	[ "$(awk '/^Cap/ { print $2 }' "/proc/$VM/status" | sort -u)" = 0000000000000000 ]
	[ "$(field "$VM" Uid)" -ge 1000 ]
	[ "$(field "$VM" NoNewPrivs)" = 1 ] && [ "$(field "$VM" Seccomp)" = 2 ]
	[ ! -e "/proc/$VM/root/share" ] && [ ! -e "/proc/$VM/root/proc/self" ]
	# virtiofsd: chown, dac_override, fowner, fsetid, setgid, setuid, setfcap; none to be had back, and none for devices
	[ "$(awk '/^Cap(Eff|Prm)/ { print $2 }' "/proc/$SERVER/status" | sort -u)" = 00000000800000db ]
	[ "$(awk '/^Cap(Inh|Bnd|Amb)/ { print $2 }' "/proc/$SERVER/status" | sort -u)" = 0000000000000000 ]
	[ "$(field "$SERVER" NoNewPrivs)" = 1 ] && [ "$(field "$SERVER" Seccomp)" = 2 ]
	[ -e "/proc/$SERVER/root/share/root/bin/busybox" ] && [ ! -e "/proc/$SERVER/root/kernel" ]
	[ -z "$(find "/proc/$SERVER/root/" -maxdepth 1 -mindepth 1 ! -name 'lib*' ! -name usr ! -name dev ! -name etc \
		! -name proc ! -name share)" ]
	[ "$(ls "/proc/$SERVER/root/share")" = $'root\nvol' ]
	awk '$5 ~ "^/share" && $6 !~ /nodev/ { exit 1 }' "/proc/$SERVER/mountinfo"
	awk '$5 ~ "^/usr" && $6 !~ /^ro/ { exit 1 }' "/proc/$SERVER/mountinfo"
	for fd in mnt net ipc uts; do
		[ "$(readlink "/proc/$SERVER/ns/$fd")" != "$(readlink "/proc/$PID/ns/$fd")" ]
		[ "$(readlink "/proc/$SERVER/ns/$fd")" != "$(readlink "/proc/$VM/ns/$fd")" ]
		[ "$(readlink "/proc/$SERVER/ns/$fd")" != "$(readlink "/proc/self/ns/$fd")" ]
	done
	[ "$(readlink "/proc/$SERVER/ns/pid")" = "$(readlink "/proc/$PID/ns/pid")" ]
	# limits are those of the container: it is in its cgroup, and stands still with it
	grep -q "$CG/$ID" "/proc/$SERVER/cgroup"
	[ "$(cat "/proc/$SERVER/cgroup")" = "$(cat "/proc/$VM/cgroup")" ]
	kv pause "$ID"
	status_is paused
	fd=$(awk '{ print $14 + $15 }' "/proc/$SERVER/stat")
	[ "$(ps -o stat= -p "$SERVER" | cut -c1)" = "$(ps -o stat= -p "$VM" | cut -c1)" ]
	[ "$(awk '{ print $14 + $15 }' "/proc/$SERVER/stat")" = "$fd" ]
	kv resume "$ID"
	[ "$(inside echo alive)" = alive ]

	kv kill "$ID" TERM
	wait_for 30 status_is stopped
	wait_for 10 gone "$SERVER"
	wait_for 10 gone "$VM"
}

@test "programs run: thousands of pages of code that come through virtiofsd are what they were" {
	[ -x /usr/bin/python3 ] || skip "needs python3"
	# the host's, with all their libraries: /usr is a file system of its own in there
	rm -rf "$BUNDLE/rootfs/usr"
	mkdir "$BUNDLE/rootfs/usr"
	for d in lib lib64; do
		[ ! -L /$d ] || cp -a /$d "$BUNDLE/rootfs/$d"
	done
	bind /usr /usr ro
	config '.process.env = ["PATH=/bin:/usr/bin:/usr/sbin", "PYTHONDONTWRITEBYTECODE=1"] | .linux.resources.memory.limit = 100663296'
	# what databases do, and 9p cannot: a mapping that is shared and written; a file that has lost its name
	cat >"$BUNDLE/rootfs/share-it" <<-END
		import mmap, os
		f = open("/mapped", "wb+")
		f.truncate(4096)
		m = mmap.mmap(f.fileno(), 4096)
		m[0:2] = b"ok"
		m.flush()
		print(os.pread(f.fileno(), 2, 0).decode())
		os.remove("/mapped")
		f.truncate(8192)
		os.fchmod(f.fileno(), 0o600)
	END
	# little memory: pages change hands all the time
	script '
		set -e
		for i in 1 2; do
			python3 -S -E -c "import json, math; print(json.dumps([int(math.sqrt(2) * 10 ** 9)]))"
			python3 -S -E /share-it
			cat /usr/bin/[a-f]* 2>/dev/null | head -c 6000000 >/dev/null
			n=0; while [ $n -lt 20 ]; do /bin/busybox true; n=$((n + 1)); done
		done
		sha256sum /usr/bin/python3 | cut -d" " -f1'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "$output" = "$(printf '[1414213562]\nok\n%.0s' 1 2)
$(sha256sum /usr/bin/python3 | cut -d' ' -f1)" ]
}

@test "virtiofsd that is killed ends the container with 255; a monitor that is killed takes it along" {
	started 'while :; do sleep 0.1; done'
	kill -9 "$SERVER"
	wait_for 30 status_is stopped
	wait_for 10 gone "$VM"
	kv delete "$ID"
	# its status is for who has it as a child
	script 'touch /up; while :; do sleep 0.1; done'
	kv run -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid2" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null 3>&- &
	wait_for 60 test -e "$BUNDLE/rootfs/up"
	kill -9 "$(pgrep -P "$(cat "$BATS_TEST_TMPDIR/pid2")" -f "^$VIRTIOFSD")"
	status=0
	wait $! || status=$?
	[ "$status" -eq 255 ]

	started 'while :; do sleep 0.1; done'
	kill -9 "$PID"
	wait_for 10 gone "$SERVER"
	wait_for 10 gone "$VM"
}

@test "the site's choice: what is missing, changed, not listed or no virtiofsd is refused, and 9p where it says so" {
	args true
	kvrun policy --json "$BUNDLE"
	[ "$(jq -r '[.. | objects | select(has("accelerator"))][0] | .root, .virtiofsd' <<<"$output")" = $'virtiofs\n'"$VIRTIOFSD" ]
	rules "$VIRTIOFSD" "$(printf '%064d' 0)"
	refused_in_words "vm.virtiofsd" "expected SHA-256 000000"
	jq -n '{vm: {share: "virtiofs", defaults: {virtiofsd: "/usr/no/such/virtiofsd"}}}' >"$RULES/10-vm.json"
	refused_in_words "/usr/no/such/virtiofsd"
	jq -n --arg p "$VIRTIOFSD" '{vm: {virtiofsd: [], defaults: {}}}' >"$RULES/10-vm.json"
	if [ -x /usr/libexec/virtiofsd ]; then
		refused_in_words "vm.virtiofsd" "not in the list"
	else
		jq -n '{vm: {share: "virtiofs"}}' >"$RULES/10-vm.json"
		refused_in_words "no virtiofsd is installed"
	fi
	rules /usr/bin/true "$(sha256sum /usr/bin/true | cut -d' ' -f1)"
	refused_in_words "virtiofsd, which serves the VM's files, ended"
	jq -n --arg p "$VIRTIOFSD" '{vm: {share: "9p", defaults: {virtiofsd: $p}}}' >"$RULES/10-vm.json"
	kvrun policy --json "$BUNDLE"
	[ "$(jq -r '[.. | objects | select(has("accelerator"))][0] | .root, .virtiofsd' <<<"$output")" = $'9p\nnull' ]
	rules "$VIRTIOFSD" "$(sha256sum "$VIRTIOFSD" | cut -d' ' -f1)"
}

# nothing was started, and the one line says why
refused_in_words() {
	local word
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	for word; do
		[[ $output == *"$word"* ]]
	done
	[ -z "$(kv list -q)" ]
}
