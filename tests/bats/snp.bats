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

@test "run: a guest of each kind is launched, runs and ends" {
	for kind in snp sev-es sev; do
		as "$kind"
		guest 'out=to out\n,exit=3'
		kvrun run -b "$BUNDLE" "$ID"
		[ "$status" -eq 3 ]
		[[ $output == *"to out"* ]]
	done
	nothing_left
}

# ---- a launch that goes wrong ----

refused() {	# KIND FAULT WORDS...: nothing runs, nothing is left, and the reason is told
	local kind=$1 fault=$2
	shift 2
	as "$kind"
	case $kind in
	snp) fake sev-snp 0x30000 "$fault" ;;
	sev-es) fake sev-es 15 "$fault" ;;
	esac
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	for words; do
		[[ $output == *"$words"* ]]
	done
	nothing_left
}

@test "the secure processor refuses the launch: QEMU's end is the verdict, its words the reason" {
	refused snp exit-at-cont 'the secure processor did not launch the guest (cont): ' \
		"QEMU ended with: qemu-system-x86_64: sev_snp_launch_finish: SNP_LAUNCH_FINISH ret=-5 fw_error=16 'Policy is not allowed'"
}

@test "whatever QEMU says of the guest that is not what was asked for ends it" {
	refused snp not-enabled 'launching the encrypted guest: query-sev: ' 'is not encrypted'
	refused snp other-type 'expected a guest of sev-snp, found one of sev'
	refused sev-es other-type 'expected a guest of sev-es, found one of sev-snp'
	refused snp other-policy 'expected the guest policy 0x30000, found 0x20000'
	refused snp other-state 'expected the state launch-update, found receive-update'
	refused snp not-running 'expected the state running, found launch-update'
}

@test "errors of QEMU, and answers that are none, end it" {
	refused snp query-error 'query-sev: SEV is not enabled in KVM'
	refused snp cont-error 'cont: Resetting the Virtual Machine is required'
	refused snp garbage 'QMP: a line that is no JSON object'
	refused snp unasked 'QMP: an answer that nobody asked for'
}

@test "a guest that speaks before it was launched is none" {
	refused snp speaks 'the guest ran before it was launched'
}

@test "events in between and slow answers do no harm" {
	fake sev-snp 0x30000 events slow
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "QEMU without the object's properties is not started by mistake: the arguments are checked" {
	fake sev-snp 0x20000
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'fakesnp: policy: expected 131072, found 196608'* ]]
	nothing_left
}

@test "the guest policy of the bundle is the one that is launched" {
	guest exit=0
	annotate io.kavach.guest-policy debug
	fake sev-snp 0xb0000
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[[ $output == *'the guest policy allows debugging'* ]]
}

annotate() { config --arg k "$1" --arg v "$2" '.annotations[$k] = $v'; }

# ---- the owner's ----

@test "an ID block goes to the firmware; one for another policy, or half of one, does not" {
	local v=$KAVACH_SRC/tests/vectors/sev/idblock
	guest exit=0
	annotate io.kavach.id-block "$(base64 -w 0 "$v/id_block.bin")"
	kvrun create -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'annotations["io.kavach.id-block"]: expected "io.kavach.id-auth" with it'* ]]
	annotate io.kavach.id-auth "$(base64 -w 0 "$v/id_auth.bin")"
	MORE='{"idBlock": true}' fake sev-snp 0x30000
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	annotate io.kavach.guest-policy debug
	kvrun create -b "$BUNDLE" "$ID"
	[[ $output == *'it is for the guest policy 0x30000, this guest has 0xb0000'* ]]
	as sev
	kvrun create -b "$BUNDLE" "$ID"
	[[ $output == *'only a guest of sev-snp has one, this one is of sev'* ]]
	nothing_left
}

# session KIND: an owner's keys, agreed on with a platform of the test's own, which the fake then is
session() {
	"$KAVACH_SRC/tests/tools/sev_platform.py" make "$BATS_TEST_TMPDIR/platform"
	"$KAVACH" attest session --mode "$1" --root-of-trust "$BATS_TEST_TMPDIR/platform/ark" "$BATS_TEST_TMPDIR/platform/certs" \
		>"$BATS_TEST_TMPDIR/session.json"
	CERT=$(jq -r .dhCert "$BATS_TEST_TMPDIR/session.json")
	BLOB=$(jq -r .session "$BATS_TEST_TMPDIR/session.json")
	POLICY=$(jq -r .policy "$BATS_TEST_TMPDIR/session.json")
	TIK=$("$KAVACH_SRC/tests/tools/sev_platform.py" unwrap "$BATS_TEST_TMPDIR/platform" "$CERT" "$BLOB" "$POLICY")
	annotate io.kavach.dh-cert "$CERT"
	annotate io.kavach.session "$BLOB"
	MORE=$(jq -n --arg t "$TIK" '{tik: $t}') fake "$1" "$POLICY" "${@:2}"
}

expected() { "$KAVACH" --rules "$RULES" measure "$BUNDLE" --mode "$1" --firmware "$GUEST/OVMF.amdsev.fd"; }
shown() { kv attest launch "$ID" >"$BATS_TEST_TMPDIR/launch.json" 2>"$BATS_TEST_TMPDIR/launch.err"; }
judge() { kvrun attest "$@" --session "$BATS_TEST_TMPDIR/session.json" "$BATS_TEST_TMPDIR/launch.json"; }

standing() {	# a container whose create waits for its owner; CREATE is its process
	"$KAVACH" --rules "$RULES" --root "$STATE" create -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null &
	CREATE=$!
	wait_for 20 shown
}

@test "SEV-ES: the guest stands still, its owner judges what the secure processor measured, and it runs with a secret" {
	as sev-es
	guest exit=5
	session sev-es
	standing
	judge launch-verify --launch-digest "$(expected sev-es)"
	[ "$status" -eq 0 ]
	[[ $output == *'the guest is the one of this session and digest: sev-es on a test, firmware 1.55 build 24, '* ]]
	# it is no other, and nothing is sealed for another
	judge launch-verify --launch-digest "$(printf '%064d' 0)"
	[ "$status" -eq 1 ]
	echo secret >"$BATS_TEST_TMPDIR/secret"
	judge launch-secret --launch-digest "$(printf '%064d' 0)" --secret 736869e5-84f0-4973-92ec-06879ce3da0b="$BATS_TEST_TMPDIR/secret"
	[ "$status" -eq 1 ]
	[[ $output == *'launch measure: not that of this digest, policy and session'* ]]
	judge launch-secret --launch-digest "$(expected sev-es)" --secret 736869e5-84f0-4973-92ec-06879ce3da0b="$BATS_TEST_TMPDIR/secret"
	[ "$status" -eq 0 ]
	echo "$output" >"$BATS_TEST_TMPDIR/packet"
	kv attest launch --packet "$BATS_TEST_TMPDIR/packet" "$ID"
	wait "$CREATE"
	status_is created
	kvrun attest launch "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'does not wait for its owner'* ]]
	kv start "$ID"
	wait_for 10 status_is stopped
	kv delete "$ID"
	nothing_left
}

@test "SEV: the same with the digest of that, released without a secret" {
	as sev
	guest exit=0
	session sev
	standing
	judge launch-verify --launch-digest "$(expected sev)"
	[ "$status" -eq 0 ]
	kv attest launch --release "$ID"
	wait "$CREATE"
	kv delete -f "$ID"
	nothing_left
}

@test "another platform's measure, a secret for another launch: the owner finds the one, the firmware the other" {
	as sev-es
	guest exit=0
	session sev-es measure-bit
	standing
	judge launch-verify --launch-digest "$(expected sev-es)"
	[ "$status" -eq 1 ]
	jq -n '{type: "kavach-launch-secret", version: 1, header: ("A" * 68 + "AA=="), secret: ("A" * 42 + "A=")}' >"$BATS_TEST_TMPDIR/packet"
	kvrun attest launch --packet "$BATS_TEST_TMPDIR/packet" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'failed to inject the secret'* ]]
	wait "$CREATE" && false
	grep -q 'launching the encrypted guest: sev-inject-launch-secret: failed to inject the secret' "$BATS_TEST_TMPDIR/out"
	nothing_left
}

@test "an owner who does not come: create can be ended, and leaves nothing" {
	as sev-es
	guest exit=0
	session sev-es
	standing
	kill "$CREATE"
	wait "$CREATE" || true
	wait_for 10 nothing_left
}

@test "a session that is none is refused before anything starts" {
	as sev-es
	guest exit=0
	annotate io.kavach.dh-cert AAAA
	kvrun create -b "$BUNDLE" "$ID"
	[[ $output == *'annotations["io.kavach.dh-cert"]: expected "io.kavach.session" with it'* ]]
	annotate io.kavach.session AAAA
	kvrun create -b "$BUNDLE" "$ID"
	[[ $output == *'annotations["io.kavach.dh-cert"]: expected base64 of 2084 bytes, found 3'* ]]
	nothing_left
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

@test "the memory of a guest of SEV is pinned: a limit below that is named" {
	echo 800000 >"$KAVACH_HARDWARE/memlock"
	lacks sev-es 'all memory of a guest of sev-es is pinned: ' 'RLIMIT_MEMLOCK is 8388608 '
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
