#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# How the true agent gives the modules of its initrd to the kernel.

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
