#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The launch of confidential guests, on a machine that has the hardware for them by a test's word only (kavach-on-snp, see
# tests/tools/on_snp.c), with a program in QEMU's place that plays QEMU there (tests/tools/fakesnp). What the guest does when it
# is the true one is in snp_guest.bats.

load helpers

setup_file() {
	[ "$(id -u)" -eq 0 ] && [ -x /usr/bin/python3 ] || return 0
	FAKE=/usr/local/lib/kavach-test-snp-$$
	GUEST=$BATS_FILE_TMPDIR/guest
	RULES=$BATS_FILE_TMPDIR/rules
	HW=$BATS_FILE_TMPDIR/hw
	export FAKE GUEST RULES HW
	setup_rootfs
	mkdir -p "$FAKE" "$GUEST" "$RULES"
	install -m 755 "$KAVACH_SRC/tests/tools/fakesnp" "$FAKE/qemu"
	install -m 644 "$KAVACH_SRC/tests/tools/fakeguest" "$FAKE/fakeguest"
	jq -n --arg p "$FAKE/qemu" --arg s "$(digest "$FAKE/qemu")" \
		'{vm: {hypervisors: [{path: $p, sha256: $s}]}}' >"$RULES/10-vm.json"
	for f in vmlinux vmlinuz initrd; do
		echo "$f" >"$GUEST/$f"
	done
	jq -n --arg a "$(digest "$GUEST/vmlinux")" --arg b "$(digest "$GUEST/vmlinuz")" --arg c "$(digest "$GUEST/initrd")" \
		'{version: 1, release: "6.0-test", features: ["boot", "block", "erofs", "verity", "overlay", "net", "sev"],
		  files: {vmlinux: $a, vmlinuz: $b, initrd: $c}}' >"$GUEST/guest.json"
	install -m 644 /dev/null "$GUEST/qboot.rom"
	install -m 644 "$KAVACH_SRC/tests/vectors/sev/measure/ovmf_AmdSev_suffix.bin" "$GUEST/OVMF.amdsev.fd"
	for name in kavach-snp kavach-sev kavach-sev-es; do
		ln -s "$KAVACH_BUILD/kavach-on-snp" "$BATS_FILE_TMPDIR/$name"
	done
}

teardown_file() {
	[ -z "${FAKE:-}" ] || rm -rf "$FAKE"
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# hardware DIR: a machine that has all of it
hardware() {
	mkdir -p "$1/dev" "$1/proc" "$1/sys/module/kvm_amd/parameters"
	mknod "$1/dev/kvm" c 1 3
	mknod "$1/dev/sev" c 1 3
	printf 'processor\t: 0\nflags\t\t: fpu svm sev sev_es sev_snp\n' >"$1/proc/cpuinfo"
	echo '1f 173 1fd' >"$1/cpuid"
	echo 1d >"$1/kvm"
	for p in sev sev_es sev_snp; do
		echo Y >"$1/sys/module/kvm_amd/parameters/$p"
	done
}

setup() {
	requires_root
	[ -x /usr/bin/python3 ] || skip "needs python3"
	[ -x "$KAVACH_BUILD/kavach-on-snp" ] || skip "needs kavach-on-snp"
	setup_kavach
	hardware "$BATS_TEST_TMPDIR/hw"
	export KAVACH_GUEST=$GUEST KAVACH_HARDWARE=$BATS_TEST_TMPDIR/hw
	as snp
	guest exit=0
}

teardown() {
	teardown_kavach
}

# as KIND: by the name of this command, it is that kind of guest or nothing
as() {
	KAVACH=$BATS_FILE_TMPDIR/kavach-$1
	case $1 in
	snp) fake sev-snp 0x30000 ;;
	sev-es) fake sev-es 15 ;;
	sev) fake sev 11 ;;
	esac
}

# fake KIND POLICY [FAULT...]: what QEMU's place is held by; more of it in $MORE
fake() {
	local kind=$1 policy=$(($2))
	shift 2
	jq -n --arg k "$kind" --argjson p "$policy" --argjson fixed "$(raises_memlock && echo false || echo true)" \
		--argjson more "${MORE:-{\}}" \
		'{kind: $k, policy: $p, memlockFixed: $fixed, faults: $ARGS.positional} + $more' --args "$@" >"$FAKE/fakesnp.json"
}

# whether a process of ours may pin what a guest has
raises_memlock() { [ "$(ulimit -H -l)" = unlimited ] || (ulimit -H -l 8388608) 2>/dev/null; }

kv() { "$KAVACH" --rules "$RULES" --root "$STATE" "$@"; }
kvrun() {
	status=0
	output=$(kv "$@" 2>&1) || status=$?
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

# guest WORDS: what the first process of the guest does
guest() {
	config --arg p "$FAKE/qemu" --arg w "FAKE:$1." '
		.vm = {hypervisor: {path: $p}, kernel: {path: "'"$GUEST"'/vmlinuz"}} | .process.args = ["/bin/true", $w]'
}

nothing_left() {
	[ -z "$(kv list -q)" ]
	[ ! -e "$STATE/$ID" ]
	! pgrep -f "$FAKE/qemu" >/dev/null
}

# ---- a machine that lacks something ----

lacks() {	# KIND WORDS...: create refuses, with all of these words, and nothing is left
	local kind=$1
	shift
	as "$kind"
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	for words; do
		[[ $output == *"$words"* ]]
	done
	nothing_left
}

@test "a machine that has nothing: each missing thing is named, with what to do" {
	rm -rf "$KAVACH_HARDWARE"
	mkdir "$KAVACH_HARDWARE"
	lacks snp 'this host cannot start a guest of SEV-SNP: ' 'shows no SEV (CPUID 0x8000001f)' 'EPYC 7003' \
		'/dev/kvm: not found' 'the module kvm_amd is not loaded (modprobe kvm_amd' '/dev/sev: not found (modprobe ccp'
}

@test "a processor with an older kind of encryption is told apart" {
	echo '0b 173 1fd' >"$KAVACH_HARDWARE/cpuid"
	lacks snp 'has SEV SEV-ES, not SEV-SNP (use EPYC 7003 or later'
	echo '03 173 1fd' >"$KAVACH_HARDWARE/cpuid"
	lacks sev-es 'has SEV, not SEV-ES (use EPYC 7002 or later'
}

@test "kvm_amd without SNP is a parameter, or a kernel that is too old" {
	echo N >"$KAVACH_HARDWARE/sys/module/kvm_amd/parameters/sev_snp"
	lacks snp 'sev_snp off (boot Linux 6.11 or later, built with KVM_AMD_SEV, with kvm_amd.sev_snp=1'
	echo Y >"$KAVACH_HARDWARE/sys/module/kvm_amd/parameters/sev_snp"
	echo 5 >"$KAVACH_HARDWARE/kvm"
	lacks snp 'KVM does not offer SNP guests (use Linux 6.11 or later'
	lacks sev-es 'KVM does not offer SEV-ES guests (use Linux 6.10 or later'
}

@test "a secure processor that cannot be opened is named alone" {
	rm "$KAVACH_HARDWARE/dev/sev"
	lacks snp '/dev/sev: not found (modprobe ccp'
	[[ $output != *kvm* ]]
}

@test "this very machine: no confidential guest becomes another one" {
	[ ! -e /dev/sev ] || skip "this machine may have SEV"
	for kind in snp sev-es sev; do
		ln -s "$KAVACH_BUILD/kavach" "$BATS_TEST_TMPDIR/kavach-$kind"
		KAVACH=$BATS_TEST_TMPDIR/kavach-$kind
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 1 ]
		[[ $output == "kavach: this host cannot start a guest of SEV"* ]]
		nothing_left
	done
}
