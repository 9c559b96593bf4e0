#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How the true agent gives the modules of its initrd to the kernel.

bats_require_minimum_version 1.5.0
load helpers

setup_file() {
	setup_rootfs
}

setup() {
	requires_root
	command -v qemu-system-x86_64 >/dev/null || skip "needs qemu-system-x86_64"
	[ -e "$KAVACH_BUILD/guest/guest.json" ] || skip "needs a guest image: make guest"
	setup_kavach
	export KAVACH_GUEST=$KAVACH_BUILD/guest
	ln -s "$KAVACH" "$BATS_TEST_TMPDIR/kavach-vm"
	KAVACH=$BATS_TEST_TMPDIR/kavach-vm
	args cat /proc/sys/kernel/tainted
}

teardown() {
	teardown_kavach
}

# which_of NAME...: those of them that $output, of /proc/modules, has
which_of() {
	for m in "$@"; do
		grep -o "^$m " <<<"$output" || true
	done | xargs
}

@test "modules that the start does not need come after it, those of the network with an interface" {
	args sh -c 'cat /proc/modules; echo; i=0; until grep -q virtio_balloon /proc/modules || [ $i = 600 ]; do i=$((i + 1)); sleep 0.1; done
		cat /proc/modules'
	run -0 --separate-stderr kv run -b "$BUNDLE" "$ID"
	all=$output
	output=${all%%$'\n\n'*}
	[ "$(which_of 9p virtio_balloon virtio_rng virtio_net)" = 9p ]
	output=${all#*$'\n\n'}
	[ "$(which_of 9p virtio_balloon virtio_rng virtio_net)" = "9p virtio_balloon virtio_rng" ]
}

# bit 13 of the taint: a module came without a signature that the kernel knows
@test "a kernel that insists on the signatures of modules gets them, another does without" {
	run -0 kv run -b "$BUNDLE" "$ID"
	[ $((${lines[-1]} >> 13 & 1)) = 1 ]
	mkdir "$BATS_TEST_TMPDIR/rules"
	echo '{"vm": {"kernelParameters": ["lockdown=integrity"]}}' >"$BATS_TEST_TMPDIR/rules/a.json"
	config --arg k "$KAVACH_GUEST/vmlinux" '.vm.kernel = {path: $k, parameters: ["lockdown=integrity"]}'
	run -0 kv --rules "$BATS_TEST_TMPDIR/rules" run -b "$BUNDLE" "$ID"
	[ "${lines[-1]}" = 0 ]
}
