#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Packed roots: an image with a hash of every block, made from the root folder (unit/test_pack has what is in it) and checked in a
# true guest. One VM serves as many cases as it can; each spoilt image needs one of its own.

bats_require_minimum_version 1.5.0
load helpers

# why there can be no VM here
missing() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "needs root"
	elif ! command -v qemu-system-x86_64 >/dev/null; then
		echo "needs qemu-system-x86_64"
	elif [ ! -e "$KAVACH_BUILD/guest/guest.json" ]; then
		echo "needs a guest image: make guest"
	elif ! command -v mkfs.erofs >/dev/null; then
		echo "needs mkfs.erofs"
	fi
}

setup_file() {
	[ -z "$(missing)" ] || return 0
	setup_rootfs
	ln -s "$KAVACH" "$BATS_FILE_TMPDIR/kavach-vm"
}

setup() {
	[ -z "$(missing)" ] || skip "$(missing)"
	setup_kavach
	export KAVACH_GUEST=$KAVACH_BUILD/guest
	KAVACH_CACHE=$BATS_TEST_TMPDIR/cache
	KAVACH=$BATS_FILE_TMPDIR/kavach-vm
	own_rootfs
	config '.annotations["io.kavach.root"] = "packed"'
}

teardown() {
	teardown_kavach
}

kv() { "$KAVACH" --root "$STATE" "$@" 2> >(grep -v "no usable KVM" >&2); }

# packed: the image, once what was changed last is older than the clock's tick, so that it is found again
packed() {
	sleep 0.1
	kv pack "$BUNDLE" >/dev/null
	IMAGE=$(kv pack --json "$BUNDLE" | jq -r .image)
	[ "$(kv pack --json "$BUNDLE" | jq .kept)" = true ]
}

# flip OFFSET: another byte there in the image
flip() {
	chmod 600 "$IMAGE"
	python3 - "$IMAGE" "$1" <<-'P'
		import sys
		f, at = open(sys.argv[1], "r+b"), int(sys.argv[2])
		f.seek(at)
		b = f.read(1)[0]
		f.seek(at)
		f.write(bytes([b ^ 1]))
	P
	chmod 400 "$IMAGE"
}

blocks() { echo "$((10#$(sed 's/.*-\([0-9]*\)\.img$/\1/' <<<"$IMAGE")))"; }

@test "a program runs from an image: what it writes stays in the guest, exec sees it, QEMU has no capabilities and no files" {
	echo 192.0.2.1 own >"$BATS_TEST_TMPDIR/hosts"
	echo old >"$BUNDLE/rootfs/etc/old"
	echo x >"$BUNDLE/rootfs/etc/owned"
	chown 12:34 "$BUNDLE/rootfs/etc/owned"
	chmod 4711 "$BUNDLE/rootfs/etc/owned"
	chmod 751 "$BUNDLE/rootfs"
	config --arg h "$BATS_TEST_TMPDIR/hosts" '.mounts += [{destination: "/etc/hosts", type: "bind", source: $h, options: ["rbind"]}]'
	args sh -c 'grep " / " /proc/mounts | cut -d" " -f1,3; stat -c "%a %u %g" /etc/owned /; cat /etc/old /etc/hosts
		echo new >/etc/old; rm /bin/wc; mkdir /made; echo mine >>/etc/hosts; chmod 700 /; echo ready; sleep 1000'
	kv create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	kv start "$ID"
	wait_for 60 grep -q ready "$BATS_TEST_TMPDIR/out"
	mapfile -t lines <"$BATS_TEST_TMPDIR/out"
	[ "${lines[0]}" = "overlay overlay" ]
	[ "${lines[1]}" = "4711 12 34" ]
	[ "${lines[2]}" = "751 0 0" ]
	[ "${lines[3]}" = old ]
	[ "${lines[4]}" = "192.0.2.1 own" ]
	run -0 kv exec "$ID" sh -c 'cat /etc/old /etc/hosts; ls -d /made /bin/wc 2>/dev/null; stat -c %a /'
	[[ $output == $'new\n192.0.2.1 own\nmine\n'*/made$'\n700' ]]
	# the host has none of it, and cannot be led to believe that it could write there
	[ "$(cat "$BUNDLE/rootfs/etc/old")" = old ]
	[ -e "$BUNDLE/rootfs/bin/wc" ]
	[ ! -e "$BUNDLE/rootfs/made" ]
	[ "$(cat "$BATS_TEST_TMPDIR/hosts")" = "192.0.2.1 own" ]
	monitor=$(cat "$BATS_TEST_TMPDIR/pid")
	run touch "/proc/$monitor/root/x"
	[[ $output == *"Read-only file system"* ]]
	vm=$(pgrep -P "$monitor" qemu)
	[ "$(awk '/^Cap/ { print $2 }' "/proc/$vm/status" | sort -u)" = 0000000000000000 ]
	[ "$(awk '/^Uid/ { print $2 }' "/proc/$vm/status")" -ge 1000 ]
	[ -z "$(find "/proc/$vm/root/" -maxdepth 1 -name share)" ]
	run tr '\0' '\n' <"/proc/$vm/cmdline"
	[[ $output != *9p* && $output == *serial=kavach0* ]]
	kv kill "$ID" 9
}

@test "volumes beside an image are shared with the host; a file that is copied is a small one" {
	mkdir "$BATS_TEST_TMPDIR/vol"
	echo in >"$BATS_TEST_TMPDIR/vol/in"
	config --arg v "$BATS_TEST_TMPDIR/vol" '.mounts += [
		{destination: "/data", type: "bind", source: $v, options: ["rbind", "nosuid"]},
		{destination: "/etc/hostname", type: "bind", source: ($v + "/name"), options: ["bind", "ro"]}]'
	args sh -c 'cat /data/in /etc/hostname; echo out >/data/out; echo no 2>/dev/null >/etc/hostname || echo refused'
	head -c 65537 /dev/zero >"$BATS_TEST_TMPDIR/vol/name"
	run ! kv run -b "$BUNDLE" "$ID"
	[[ $output == *"mount /etc/hostname: a VM with a packed root gets a copy of it: expected at most 65536 bytes in"* ]]
	rm "$BATS_TEST_TMPDIR/vol/name"
	mkfifo "$BATS_TEST_TMPDIR/vol/name"
	run ! kv run -b "$BUNDLE" "$ID"
	[[ $output == *"mount /etc/hostname: a VM with a packed root gets a copy of it: expected a regular file, found"* ]]
	rm "$BATS_TEST_TMPDIR/vol/name"
	echo box >"$BATS_TEST_TMPDIR/vol/name"
	run -0 kv run -b "$BUNDLE" "$ID"
	[ "$output" = $'in\nbox\nrefused' ]
	[ "$(cat "$BATS_TEST_TMPDIR/vol/out")" = out ]
}

@test "a byte that was changed in a file ends the VM where it is read" {
	head -c 400000 /dev/zero | tr '\0' M >"$BUNDLE/rootfs/etc/large"
	args sh -c 'echo begun; md5sum /etc/large; echo after'
	packed
	flip "$(python3 -c 'import sys; print(open(sys.argv[1], "rb").read().index(b"M" * 300000) + 200000)' "$IMAGE")"
	run -255 kv run -b "$BUNDLE" "$ID"
	[[ $output == begun* ]]
	[[ $output != *after* && $output != *large* ]]
}

@test "a byte that was changed in the hashes, and another root hash, end the VM before anything runs" {
	args echo ran
	packed
	flip $(($(blocks) * 4096 + 5))
	run ! kv run -b "$BUNDLE" "$ID"
	[[ $output == *"the VM ended"*"Kernel panic"*verity* ]]
	[[ $output != *ran* ]]
	[ -z "$(kv list -q)" ]
	# the image of another root under the name of this one, as somebody could put it there who can write it
	flip $(($(blocks) * 4096 + 5))
	other=$(dirname "$IMAGE")/$(printf '%064d' 0)-$(blocks).img
	cp -p "$IMAGE" "$other"
	ln -sfn "$(basename "$other")" "$(dirname "$IMAGE")"/*.key
	run ! kv run -b "$BUNDLE" "$ID"
	[[ $output == *"the VM ended"*"Kernel panic"*verity* ]]
	[[ $output != *ran* ]]
}

@test "an image that is too short is made anew; one that others can write, too; a directory that they can is refused" {
	args true
	packed
	before=$(sha256sum "$IMAGE")
	truncate -s -4096 "$IMAGE"
	[ "$(kv pack --json "$BUNDLE" | jq .kept)" = false ]
	[ "$(sha256sum "$IMAGE")" = "$before" ]
	chmod 666 "$IMAGE"
	[ "$(kv pack --json "$BUNDLE" | jq .kept)" = false ]
	chmod 777 "$(dirname "$IMAGE")"
	run ! kv run -b "$BUNDLE" "$ID"
	[[ $output == *"packing the root: "*"/roots: somebody else may write it (owner 0, mode 0777)"* ]]
	[ ! -e "$STATE/$ID" ]
}

@test "pack: the same hash from a copy of the folder, another one when a file changed; the sealed policy has it" {
	packed
	hash=$(kv pack --json "$BUNDLE" | jq -r .rootHash)
	[[ $IMAGE == "$KAVACH_CACHE/roots/$hash-"*.img ]]
	mv "$BUNDLE/rootfs" "$BUNDLE/first"
	cp -a "$BUNDLE/first" "$BUNDLE/rootfs"
	[ "$(kv pack --json "$BUNDLE" | jq -r .rootHash)" = "$hash" ]
	chmod 700 "$BUNDLE/rootfs/etc"
	run -0 kv pack "$BUNDLE"
	[[ ${lines[0]} == "root hash  "* && ${lines[0]} != *"$hash" && ${lines[3]} == "image "*"$KAVACH_CACHE"* ]]
	# nothing is packed for those who only ask, nor for a root that is shared
	rm -rf "$KAVACH_CACHE"
	run -0 kv policy "$BUNDLE"
	[[ $output == *"not packed yet"* ]]
	[ ! -e "$KAVACH_CACHE" ]
}
