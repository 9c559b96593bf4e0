#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The launch digest of the guest that a bundle would be started in: by the same decisions as at its start. What is counted is
# told apart from what is decided by giving kavach-attest the parts by hand.

load helpers

firmware=$KAVACH_SRC/tests/vectors/sev/measure/ovmf_AmdSev_suffix.bin
plain='quiet loglevel=0 reboot=t panic=-1 cryptomgr.notests 8250.nr_uarts=1 init_on_alloc=1 random.trust_cpu=1 lockdown=confidentiality'

setup() {
	guest=$BATS_TEST_TMPDIR/guest
	bundle=$BATS_TEST_TMPDIR/bundle
	mkdir -p "$guest" "$bundle/rootfs"
	echo kernel >"$guest/vmlinuz"
	echo elf >"$guest/vmlinux"
	echo initrd >"$guest/initrd"
	jq -n --arg hash "$(printf '%064d' 0)" '{version: 1, release: "6.12",
		features: ["boot", "9p", "block", "erofs", "overlay", "verity", "net", "sev"],
		files: {vmlinux: $hash, vmlinuz: $hash, initrd: $hash}}' >"$guest/guest.json"
	cp "$KAVACH_SRC/tests/golden/vm/snp.json" "$bundle/config.json"
	export KAVACH_CACHE=$BATS_TEST_TMPDIR/cache # of packed roots
}

measure() {
	run "$KAVACH" measure "$@"
}

of_bundle() {	# OPTION...
	measure "$bundle" --guest "$guest" --firmware "$firmware" "$@"
}

by_hand() {	# COMMAND-LINE OPTION...
	local line=$1
	shift
	"$KAVACH" measure --firmware "$firmware" --kernel "$guest/vmlinuz" --initrd "$guest/initrd" --append "$line" "$@"
}

@test "a bundle's digest is that of its kernel, initrd, command line and CPUs" {
	of_bundle
	[ "$status" -eq 0 ]
	[ "$output" = "$(by_hand "$plain acpi=off")" ]
	[ "${#output}" -eq 96 ]
}

@test "two CPUs are two saved states, and need ACPI" {
	jq '.linux.resources.cpu = {quota: 150000, period: 100000}' "$bundle/config.json" >"$bundle/two.json"
	of_bundle --config two.json
	[ "$status" -eq 0 ]
	[ "$output" = "$(by_hand "$plain" --vcpus 2)" ]
}

@test "SEV and SEV-ES measure the digest of the policy, on the command line" {
	of_bundle --mode sev
	[ "$status" -eq 0 ]
	[ "${#output}" -eq 64 ]
	first=$output
	[ "$first" != "$(by_hand "$plain acpi=off" --mode sev)" ]
	jq '.process.args = ["true"]' "$bundle/config.json" >"$bundle/other.json"
	of_bundle --mode sev --config other.json
	[ "$status" -eq 0 ]
	[ "$output" != "$first" ]
	of_bundle --mode=sev-es
	[ "$status" -eq 0 ]
	[ "$output" != "$first" ]
}

@test "SNP's digest does not depend on the process: the policy is in the host data" {
	of_bundle
	first=$output
	jq '.process.args = ["true"]' "$bundle/config.json" >"$bundle/other.json"
	of_bundle --config other.json
	[ "$status" -eq 0 ]
	[ "$output" = "$first" ]
}

@test "the table that the firmware compares has the hashes of what is booted" {
	of_bundle --hash-table "$BATS_TEST_TMPDIR/table"
	[ "$status" -eq 0 ]
	[ "$output" = "$(by_hand "$plain acpi=off")" ]
	[ "$(stat -c %s "$BATS_TEST_TMPDIR/table")" -eq 176 ]
	table=$(od -A n -v -t x1 "$BATS_TEST_TMPDIR/table" | tr -d " \n")
	for part in "$(printf '%s acpi=off\0' "$plain" | sha256sum)" "$(sha256sum <"$guest/initrd")" "$(sha256sum <"$guest/vmlinuz")"; do
		[[ $table == *"${part%% *}"* ]]
	done
}

@test "the digest of the sealed policy, which a guest of SNP has as HOST_DATA, is told too" {
	of_bundle --json
	[ "$status" -eq 0 ]
	first=$(jq -er .policyDigest <<<"$output")
	[ "${#first}" -eq 64 ]
	jq '.process.args = ["true"]' "$bundle/config.json" >"$bundle/other.json"
	of_bundle --json --config other.json
	[ "$(jq -r .policyDigest <<<"$output")" != "$first" ]
	of_bundle --mode sev --json
	[ "$(jq -r .kernelHashes.cmdline <<<"$output")" = "$(printf '%s acpi=off kavach.policy=sha256:%s\0' "$plain" \
		"$(jq -r .policyDigest <<<"$output")" | sha256sum | cut -d ' ' -f 1)" ]
}

@test "one byte more in the initrd is another digest" {
	of_bundle
	first=$output
	echo >>"$guest/initrd"
	of_bundle
	[ "$status" -eq 0 ]
	[ "$output" != "$first" ]
}

@test "a user gets the digest that root gets" {
	requires_root
	of_bundle --mode sev
	first=$output
	chmod -R a+rX "$BATS_TEST_TMPDIR"
	cp "$KAVACH" "$(dirname "$KAVACH")/kavach-attest" "$BATS_TEST_TMPDIR"
	for dir in "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR"; do
		chmod a+x "$dir"
	done
	cp "$firmware" "$BATS_TEST_TMPDIR/firmware"
	install -d -o 65534 -m 700 "$BATS_TEST_TMPDIR/theirs"
	KAVACH_CACHE=$BATS_TEST_TMPDIR/theirs run setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$BATS_TEST_TMPDIR/kavach" measure "$bundle" --guest "$guest" --firmware "$BATS_TEST_TMPDIR/firmware" --mode sev
	[ "$status" -eq 0 ]
	[ "$output" = "$first" ]
}

@test "one byte more in the root is another digest, through the policy's" {
	of_bundle --mode sev
	[ "$status" -eq 0 ]
	first=$output
	of_bundle --mode sev
	[ "$output" = "$first" ]
	echo more >"$bundle/rootfs/file"
	of_bundle --mode sev
	[ "$status" -eq 0 ]
	[ "$output" != "$first" ]
	rm "$bundle/rootfs/file"
	of_bundle --mode sev
	[ "$output" = "$first" ]
}

@test "what cannot be measured is refused" {
	of_bundle --mode tdx
	[ "$status" -eq 1 ]
	[[ $output == *'--mode: expected snp, sev-es or sev, found "tdx"'* ]]
	of_bundle --fast
	[ "$status" -eq 1 ]
	[[ $output == *'found "--fast"'* ]]
	measure "$bundle" --guest "$BATS_TEST_TMPDIR/none"
	[ "$status" -eq 1 ]
	[[ $output == *'there is no guest image'* ]]
	jq 'del(.linux.namespaces[] | select(.type == "network"))' "$bundle/config.json" >"$bundle/net.json"
	of_bundle --config net.json
	[ "$status" -eq 1 ]
	[[ $output == *'"network" is required'* ]]
}
