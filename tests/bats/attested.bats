#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The whole way of a confidential container, from create to a secret that only its guest can read. All of it is true (kavach, QEMU, the
# firmware for such guests, kernel, agent, packed root, broker) but the hardware: kavach-on-snp is told that it is there, a
# program in QEMU's place plays the secure processor (tests/tools/fakesnp) and boots the guest emulated, and in the guest a
# device hands what is asked of it to that program (tests/tools/psp_cuse.c). The keys are made for this run.
# timeout: 900

load helpers

setup_file() {
	FIRMWARE=$("$KAVACH_SRC/contrib/unpack" --where ovmf-amdsev)/usr/share/ovmf/OVMF.amdsev.fd
	export FIRMWARE
	lacks && return 0
	FAKE=/usr/local/lib/kavach-test-attested-$$
	GUEST=$BATS_FILE_TMPDIR/guest
	RULES=$BATS_FILE_TMPDIR/rules
	PSP=$BATS_FILE_TMPDIR/psp
	export FAKE GUEST RULES PSP
	setup_rootfs
	mkdir -p "$FAKE" "$RULES" "$PSP"
	/usr/bin/python3 "$KAVACH_SRC/tests/tools/psp.py" Milan "$PSP"
	install -m 755 "$KAVACH_SRC/tests/tools/fakesnp" "$FAKE/qemu"
	install -m 755 "$KAVACH_BUILD/kavach-attest" "$FAKE"
	install -m 644 "$KAVACH_SRC/tests/tools/without_sev.py" "$KAVACH_SRC/tests/tools/psp.py" "$PSP/psp.json" "$FAKE"
	jq -n --arg p "$FAKE/qemu" --arg s "$(digest "$FAKE/qemu")" \
		'{vm: {hypervisors: [{path: $p, sha256: $s}], timeouts: {hello: 240, prepared: 240}}}' >"$RULES/10-vm.json"
	guest_image
	hardware "$BATS_FILE_TMPDIR/hw"
	ln -s "$KAVACH_BUILD/kavach-on-snp" "$BATS_FILE_TMPDIR/kavach-snp"
}

teardown_file() {
	[ -z "${FAKE:-}" ] || rm -rf "$FAKE"
}

# what is not here; nothing when all is
lacks() {
	if [ "$(id -u)" -ne 0 ]; then
		echo "root"
	elif [ ! -e "$FIRMWARE" ]; then
		echo "OVMF.amdsev.fd (contrib/setup fetches it)"
	elif [ ! -e "$KAVACH_BUILD/guest/initrd-sev" ]; then
		echo "a guest image for confidential guests: make guest"
	elif [ ! -x "$KAVACH_BUILD/kavach-on-snp" ]; then
		echo "kavach-on-snp: make check-build"
	elif ! command -v qemu-system-x86_64 mkfs.erofs /usr/bin/python3 >/dev/null; then
		echo "QEMU, mkfs.erofs and python3"
	else
		return 1
	fi
}

digest() { sha256sum "$1" | cut -d' ' -f1; }

# The installed image, whose first process plays the device before it becomes the agent.
guest_image() {
	local root=$BATS_FILE_TMPDIR/root module
	module=$(find "$("$KAVACH_SRC/contrib/unpack" --where linux-image-amd64)" -name 'cuse.ko*' | head -n 1)
	mkdir "$GUEST" "$root"
	cp "$KAVACH_BUILD"/guest/* "$GUEST"
	(cd "$root" && cpio --quiet -id <"$GUEST/initrd-sev")
	mv "$root/init" "$root/agent"
	compile_tool psp_cuse "$root/init"
	xz -dc "$module" >"$root/lib/modules/cuse.ko"
	(cd "$root" && find . -mindepth 1 -print0 | sort -z | cpio --quiet -0 -o -H newc) >"$GUEST/initrd-sev"
	jq --arg d "$(digest "$GUEST/initrd-sev")" '.files["initrd-sev"] = $d' "$KAVACH_BUILD/guest/guest.json" >"$GUEST/guest.json"
	cp "$FIRMWARE" "$GUEST/OVMF.amdsev.fd"
	rm -rf "$root"
}

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
	local what
	if what=$(lacks); then
		skip "needs $what"
	fi
	setup_kavach
	export KAVACH_GUEST=$GUEST KAVACH_HARDWARE=$BATS_FILE_TMPDIR/hw KAVACH_CACHE=$BATS_FILE_TMPDIR/cache
	KAVACH=$BATS_FILE_TMPDIR/kavach-snp
	# shellcheck disable=SC2016 # the names are jq's
	config --arg p "$FAKE/qemu" --arg k "$GUEST/vmlinuz" '.vm = {hypervisor: {path: $p}, kernel: {path: $k}}'
	fake .
}

teardown() {
	if [ -n "${BROKER:-}" ]; then
		kill "$BROKER" 2>/dev/null || true
		wait "$BROKER" 2>/dev/null || true
	fi
	teardown_kavach
}

# fake JQ-EXPRESSION: how the machine under the guest differs from an honest one
fake() {
	jq -n '{kind: "sev-snp", policy: 196608, boot: true} | '"$1" >"$FAKE/fakesnp.json"
}

kv() { "$KAVACH" --rules "$RULES" --root "$STATE" "$@"; }
kvrun() {
	status=0
	output=$(kv "$@" 2>&1) || status=$?
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

# owned: the bundle has an ID block for a guest as it was predicted
owned() {
	openssl ecparam -name secp384r1 -genkey -noout -out "$BATS_TEST_TMPDIR/id.pem"
	"$KAVACH" attest id-block --launch-digest "$MEASUREMENT" --id-key "$BATS_TEST_TMPDIR/id.pem" --json >"$BATS_TEST_TMPDIR/id.json"
	# shellcheck disable=SC2016 # the names are jq's
	config --slurpfile i "$BATS_TEST_TMPDIR/id.json" \
		'.annotations["io.kavach.id-block"] = $i[0].idBlock | .annotations["io.kavach.id-auth"] = $i[0].idAuth'
	fake '.idBlock = true'
}

# another machine's image: its kernel has a byte more, with which it boots all the same
altered_kernel() {
	cp -r "$GUEST" "$BATS_TEST_TMPDIR/guest"
	printf x >>"$BATS_TEST_TMPDIR/guest/vmlinuz"
	jq --arg d "$(digest "$BATS_TEST_TMPDIR/guest/vmlinuz")" '.files.vmlinuz = $d' "$GUEST/guest.json" \
		>"$BATS_TEST_TMPDIR/guest/guest.json"
	export KAVACH_GUEST=$BATS_TEST_TMPDIR/guest
	# shellcheck disable=SC2016
	config --arg k "$KAVACH_GUEST/vmlinuz" '.vm.kernel.path = $k'
}

# predict: what the bundle's guest will be, as anybody can compute it: $MEASUREMENT and $POLICY
predict() {
	local json
	json=$(kv measure "$BUNDLE" --guest "$GUEST" --json)
	MEASUREMENT=$(jq -er .launchDigest <<<"$json")
	POLICY=$(jq -er .policyDigest <<<"$json")
}

# ---- secrets ----

# secret NAME VALUE: one that the broker has; the rules let the container ask for it
secret() {
	local dir=$BATS_TEST_TMPDIR/broker
	mkdir -p "$dir/secrets"
	printf %s "$2" >"$dir/secrets/$1"
	chmod -R go= "$dir"
	# by its name in the rules it is also a test that the value is nowhere else
	jq -n --arg s "$dir/socket" --arg n "$1" --slurpfile v "$RULES/10-vm.json" '$v[0]
		| .vm.broker = $s | .rules = [{name: "test", match: {uids: [0]}, secrets: [{name: $n, source: {broker: $n}}]}]' >"$BATS_TEST_TMPDIR/rules.json"
	mkdir -p "$BATS_TEST_TMPDIR/rules"
	mv "$BATS_TEST_TMPDIR/rules.json" "$BATS_TEST_TMPDIR/rules/10-vm.json"
	RULES=$BATS_TEST_TMPDIR/rules
}

# broker SECRET...: gives them to this bundle, in a guest as it was predicted
broker() {
	local dir=$BATS_TEST_TMPDIR/broker
	jq -n --arg m "$MEASUREMENT" '{version: 1, products: ["Milan"], measurements: [$m]}' >"$dir/verify.json"
	jq -n --arg d "$POLICY" '{version: 1, verify: "verify.json", entries: [{policyDigests: [$d], secrets: $ARGS.positional}]}' \
		--args "$@" >"$dir/table.json"
	"$KAVACH_BUILD/kavach-attest" serve --policy "$dir/table.json" --secrets "$dir/secrets" --socket "$dir/socket" \
		--log "$dir/log" --root-of-trust "$PSP/ark.pem" >"$dir/out" 2>&1 </dev/null 3>&- &
	BROKER=$!
	wait_for 20 broker_listens "$dir"
}

broker_listens() { grep -qs started "$1/log"; }

logged() { grep -c "\"$1\"" "$BATS_TEST_TMPDIR/broker/log"; }

# replay EVIDENCE: somebody gives the broker the words of another conversation; its answer
replay() {
	PYTHONPATH=$KAVACH_SRC/tests/tools PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$BATS_TEST_TMPDIR/broker/socket" "$1" <<-END
		import json, sys
		import broker
		c = broker.Conversation(sys.argv[1])
		c.hello()
		with open(sys.argv[2]) as f:
		    print(c.say(broker.request(json.load(f), ["db-password"])).decode())
	END
}

@test "a secret reaches the guest that proves what it is; it proves it to others, who get nothing by repeating that" {
	local dir=$BATS_TEST_TMPDIR nonce
	nonce=$(printf '%064d' 5)
	secret db-password 'correct horse battery'
	args sh -c 'trap "exit 7" TERM; sha256sum </run/secrets/db-password; sleep 1000 & wait'
	# its owner has signed the digest, and the machine launches it
	predict
	owned
	predict
	broker db-password
	kv run -b "$BUNDLE" "$ID" >"$dir/out" 2>"$dir/err" </dev/null 3>&- &
	container=$!
	wait_for 200 reached "$dir/out" "$container"
	cat "$dir/err" "$dir/broker/log"
	[ "$(cat "$dir/out")" = "$(printf %s 'correct horse battery' | sha256sum)" ]
	[ "$(logged released)" -eq 1 ]
	[ "$(kv state "$ID" | jq -r '.status, .policyDigest, .measurement' | xargs)" = "running $POLICY $MEASUREMENT" ]

	kv attest --nonce "$nonce" --output "$dir/evidence" "$ID"
	kvrun attest verify --nonce "$nonce" --policy "$dir/broker/verify.json" --root-of-trust "$PSP/ark.pem" "$dir/evidence"
	[ "$status" -eq 0 ]
	kvrun attest verify --nonce "${nonce/5/6}" --policy "$dir/broker/verify.json" --root-of-trust "$PSP/ark.pem" "$dir/evidence"
	[ "$status" -eq 1 ]
	run replay "$dir/evidence"
	[[ $output == *'"error":"refused"'* ]]
	[ "$(logged released)" -eq 1 ]

	kvrun exec "$ID" cat /run/secrets/db-password
	[ "$status" -ne 0 ]
	[[ $output == *io.kavach.host-may* ]]
	kv kill "$ID" TERM
	status=0
	wait "$container" || status=$?
	[ "$status" -eq 7 ]
	run grep -rs 'correct horse' "$dir/err" "$dir/broker/log" "$dir/evidence" "$STATE"
	[ -z "$output" ]
}

# reached FILE PROCESS: there is something in it, or nobody will write anything
reached() { [ -s "$1" ] || ! kill -0 "$2" 2>/dev/null; }

@test "a broker that nobody is at is an error with the rule's name, before there is a VM" {
	secret db-password 'correct horse battery'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"the site's rules: vm.broker: $BATS_TEST_TMPDIR/broker/socket: connecting: "* ]]
	[ -z "$(kv list -q)" ]
}

@test "a guest with another kernel gets no secret, and so no process" {
	secret db-password 'correct horse battery'
	predict
	broker db-password
	altered_kernel
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	cat "$BATS_TEST_TMPDIR/broker/log"
	[ "$status" -eq 1 ]
	[ "$(logged released)" -eq 0 ]
	[ "$(logged refused)" -eq 1 ]
	grep -q '"why":.*measurement' "$BATS_TEST_TMPDIR/broker/log"
}

@test "a guest that was launched for another policy runs nothing" {
	fake '.hostData = ("ab" * 32)'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"this guest was launched for another policy: HOST_DATA of its report has abab"* ]]
	[ -z "$(kv list -q)" ]
}

@test "a guest that gets half a report runs nothing" {
	fake '.faults = ["short-report"]'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"expected 1184 bytes, found 1183"* ]]
	[ -z "$(kv list -q)" ]
}

@test "an altered kernel never starts where the owner has signed for another" {
	predict
	owned
	altered_kernel
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"the secure processor did not launch the guest"*"Bad measurement"* ]]
	[ -z "$(kv list -q)" ]
}

@test "a byte of the packed root that is not what was sealed is never read: the VM ends" {
	own_rootfs
	{ printf 'THE PLACE' && head -c 65536 /dev/urandom; } >"$BUNDLE/rootfs/data"
	args sh -c 'echo begin; cat /data >/dev/null; echo end; exit 7'
	KAVACH_CACHE=$BATS_TEST_TMPDIR/cache
	image=$(kv pack --json "$BUNDLE" | jq -er .image)
	at=$(grep -abo 'THE PLACE' "$image" | cut -d : -f 1)
	printf 'X' | dd of="$image" bs=1 seek=$((at + 40000)) conv=notrunc status=none
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 255 ]
	[[ $output == *begin* ]]
	[[ $output != *end* ]]
}

@test "a guest without the device, or whose secure processor gives no report, runs nothing" {
	fake '.faults = ["no-report"]'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"the guest does not accept the container's policy"*"the secure processor gives none"* ]]
	[ -z "$(kv list -q)" ]

	# the image as it is installed: nobody plays a device in it
	fake .
	cp -r "$GUEST" "$BATS_TEST_TMPDIR/guest"
	cp "$KAVACH_BUILD/guest/initrd-sev" "$KAVACH_BUILD/guest/guest.json" "$BATS_TEST_TMPDIR/guest"
	export KAVACH_GUEST=$BATS_TEST_TMPDIR/guest
	# shellcheck disable=SC2016
	config --arg k "$KAVACH_GUEST/vmlinuz" '.vm.kernel.path = $k'
	kvrun run -b "$BUNDLE" "$ID" </dev/null
	[ "$status" -eq 1 ]
	[[ $output == *"neither configfs-tsm nor /dev/sev-guest is there"* ]]
	[ -z "$(kv list -q)" ]
}

# ---- evidence of one that runs ----

# evidence NONCE: of the container, judged as its verifier would
judged() {
	"$KAVACH_BUILD/kavach-attest" verify "$BATS_TEST_TMPDIR/evidence.json" --policy "$BATS_TEST_TMPDIR/expected.json" \
		--root-of-trust "$PSP/ark.pem" "$@"
}

@test "evidence of a running container verifies; of it nothing can be exchanged, and the host is kept out" {
	local nonce digest measurement
	nonce=$(printf '5a%.0s' $(seq 32))
	mkdir "$BATS_TEST_TMPDIR/rules"
	cp "$RULES"/* "$BATS_TEST_TMPDIR/rules"
	RULES=$BATS_TEST_TMPDIR/rules
	jq -n --arg d "$BATS_TEST_TMPDIR/log" '{audit: {enabled: true, directory: $d}}' >"$RULES/20-audit.json"
	kv audit init --dir "$BATS_TEST_TMPDIR/log" >/dev/null
	# shellcheck disable=SC2016
	args sh -c 'trap "exit 7" TERM; trap "echo usr1" USR1; echo up; while :; do sleep 1 & wait $!; done'
	predict
	measurement=$MEASUREMENT
	kv create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
	digest=$(digest "$STATE/$ID/policy")

	# it proves itself before its program has begun
	kv state "$ID" | jq -e --arg m "$measurement" --arg d "$digest" \
		'.backend == "sev-snp" and .measurement == $m and .policyDigest == $d'
	kv attest "$ID" | jq -e --arg d "$digest" '.policyDigest == $d and (.nonce | length) == 64'
	kv start "$ID"
	kv attest --nonce "$nonce" --output "$BATS_TEST_TMPDIR/evidence.json" "$ID"

	jq -n --arg m "$measurement" --arg d "$digest" '{version: 1, measurements: [$m], hostData: [$d]}' \
		>"$BATS_TEST_TMPDIR/expected.json"
	run judged --nonce "$nonce" --json
	[ "$status" -eq 0 ]
	jq -e '[.checks[] | select(.id | startswith("evidence.")) | .verdict] == ["pass", "pass", "pass"]' <<<"$output"
	"$KAVACH_BUILD/kavach-attest" show "$BATS_TEST_TMPDIR/evidence.json" | grep -q "$digest"
	# AMD does not vouch for a processor that a test has made
	run "$KAVACH_BUILD/kavach-attest" verify "$BATS_TEST_TMPDIR/evidence.json" --policy "$BATS_TEST_TMPDIR/expected.json" --nonce "$nonce"
	[ "$status" -eq 1 ]
	run judged --nonce "${nonce/5a/5b}"
	[ "$status" -eq 1 ]
	[[ $output == *"refused: evidence.nonce, report-data"* ]]
	run judged
	[ "$status" -eq 1 ]
	[[ $output == *"refused: report-data"* ]]
	cp "$BATS_TEST_TMPDIR/evidence.json" "$BATS_TEST_TMPDIR/genuine.json"
	jq -c '.policyDigest = ("00" * 32)' "$BATS_TEST_TMPDIR/genuine.json" >"$BATS_TEST_TMPDIR/evidence.json"
	run judged --nonce "$nonce"
	[ "$status" -eq 1 ]
	[[ $output == *"refused: evidence.report-data, evidence.host-data, report-data"* ]]
	jq -c '.key = "BAAA'"$(printf 'A%.0s' $(seq 83))"'="' "$BATS_TEST_TMPDIR/genuine.json" >"$BATS_TEST_TMPDIR/evidence.json"
	run judged --nonce "$nonce"
	[ "$status" -eq 1 ]
	[[ $output == *"refused: evidence.report-data, report-data"* ]]

	# what nobody measured does not run in it, and what was said of that is kept
	kvrun exec "$ID" true
	[ "$status" -eq 255 ]
	[[ $output == *'annotations["io.kavach.host-may"] does not have "exec"'* ]]
	kvrun update --pids-limit 100 "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *'does not have "update"'* ]]
	kvrun kill "$ID" USR1
	[ "$status" -eq 1 ]
	[[ $output == *'does not have "signal"'* ]]
	kvrun attest --nonce 00 "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"expected 32 to 64 bytes in hexadecimal"* ]]
	kv audit show --dir "$BATS_TEST_TMPDIR/log" --json | jq -se --arg m "$measurement" --arg n "$nonce" '[.[] | select(.event == "attestation")]
		| (.[0] | .of == "policy" and .outcome == "ok" and .measurement == $m)
		and (.[2] | .of == "evidence" and .outcome == "ok" and .measurement == $m and .nonce == $n)'
	kv kill "$ID" TERM
	wait_for 60 sh -c "'$KAVACH' --root '$STATE' state '$ID' | grep -q stopped"
	grep -qx up "$BATS_TEST_TMPDIR/out"
	[ "$(grep -c usr1 "$BATS_TEST_TMPDIR/out")" -eq 0 ]
	kv delete "$ID"
}
