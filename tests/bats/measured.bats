#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Measured boot with the true firmware for confidential guests, the true kernel and the true agent; only the encryption is not
# there. The arguments are those of vm/qemu.c for SNP (a golden file holds them), the table of hashes is of `kavach measure`.
# timeout: 900

load helpers

setup_file() {
	FIRMWARE=$("$KAVACH_SRC/contrib/unpack" --where ovmf-amdsev)/usr/share/ovmf/OVMF.amdsev.fd
	GUEST=$KAVACH_BUILD/guest
	# with the keeper of keys, where it was built
	INITRD=$GUEST/initrd
	[ ! -e "$GUEST/initrd-sev" ] || INITRD=$GUEST/initrd-sev
	export FIRMWARE GUEST INITRD
	[ -e "$FIRMWARE" ] && [ -e "$GUEST/guest.json" ] && command -v qemu-system-x86_64 >/dev/null || return 0
	# all guests at once: those that are refused show it soon
	boot_all >"$BATS_FILE_TMPDIR/results"
}

setup() {
	[ -e "$FIRMWARE" ] || skip "needs OVMF.amdsev.fd (contrib/setup fetches it)"
	[ -e "$GUEST/guest.json" ] || skip "needs a guest image: make guest"
	command -v qemu-system-x86_64 >/dev/null || skip "needs qemu-system-x86_64"
}

# a bundle for which the golden file has the arguments
bundle() {
	mkdir -p "$1/rootfs"
	cp "$KAVACH_SRC/tests/golden/vm/snp.json" "$1/config.json"
}

# flip IN OUT: another bit somewhere in the middle
flip() {
	local at=$(($(stat -c %s "$1") / 2)) byte
	cp "$1" "$2"
	byte=$(od -A n -t u1 -j $at -N 1 "$1")
	# shellcheck disable=SC2059 # the format is the byte
	printf "$(printf '\\%03o' $((byte ^ 1)))" | dd of="$2" bs=1 seek=$at conv=notrunc status=none
}

boot_all() {
	local dir=$BATS_FILE_TMPDIR argv=$KAVACH_SRC/tests/golden/vm/snp.argv address line
	bundle "$dir/bundle"
	address=$("$KAVACH" measure "$dir/bundle" --guest "$GUEST" --firmware "$FIRMWARE" --hash-table "$dir/table" --json |
		jq -r .firmware.hashTable.address)
	flip "$GUEST/vmlinuz" "$dir/kernel"
	flip "$INITRD" "$dir/initrd"
	line=$(grep -A 1 -x -e -append "$argv" | tail -n 1)
	"$KAVACH_SRC/tests/tools/measured_boot.py" "$argv" "$FIRMWARE" "$GUEST/vmlinuz" "$INITRD" "$dir/table" "$address" same \
		"kernel=kernel:$dir/kernel" "initrd=initrd:$dir/initrd" "append=append:$line init=/bin/sh" none=table:
}

became() {	# NAME
	cat "$BATS_FILE_TMPDIR/results"
	grep -q "^$1 " "$BATS_FILE_TMPDIR/results"
	result=$(sed -n "s/^$1 //p" "$BATS_FILE_TMPDIR/results")
}

@test "measured boot: what was measured starts, and its agent answers over a port behind an IOMMU, without ACPI" {
	became same
	[ "$result" = "hello $(jq -r .release "$GUEST/guest.json")" ]
}

@test "measured boot: the firmware stops before a kernel with one bit changed" {
	became kernel
	[ "$result" = halted ]
}

@test "measured boot: the firmware stops before an initrd with one bit changed" {
	became initrd
	[ "$result" = halted ]
}

@test "measured boot: the firmware stops before a command line with a word more" {
	became append
	[ "$result" = halted ]
}

@test "measured boot: without a table the firmware boots nothing" {
	became none
	[ "$result" = nothing ]
}

@test "measured boot: a guest image that somebody else builds has the published digest" {
	cd "$BATS_TEST_TMPDIR"
	bundle bundle
	published=$("$KAVACH" measure bundle --guest "$GUEST" --firmware "$FIRMWARE")
	mkdir elsewhere
	cpio --quiet -i --to-stdout init <"$INITRD" >elsewhere/agent
	cpio --quiet -i --to-stdout sbin/kavach-keeper <"$INITRD" >elsewhere/keeper
	chmod 700 elsewhere/*
	keeper=(--keeper elsewhere/keeper)
	[ -s elsewhere/keeper ] || keeper=()
	(umask 077 && TZ=Asia/Tokyo "$KAVACH_SRC/contrib/guest/build" --agent elsewhere/agent "${keeper[@]}" --out elsewhere/guest)
	[ "$("$KAVACH" measure bundle --guest elsewhere/guest --firmware "$FIRMWARE")" = "$published" ]
	flip "elsewhere/guest/${INITRD##*/}" initrd
	mv initrd "elsewhere/guest/${INITRD##*/}"
	[ "$("$KAVACH" measure bundle --guest elsewhere/guest --firmware "$FIRMWARE")" != "$published" ]
}
