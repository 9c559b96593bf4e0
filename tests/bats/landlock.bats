#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Landlock layers of the site's rules as a workload meets them, and what happens where the kernel lacks what a rule names.

load helpers

# The version of the kernel's Landlock ABI, 0 = none.
abi() {
	"$KAVACH" check --json | jq -r '[.. | .landlock? // empty][0] // 0'
}

setup_file() {
	requires_root
	setup_rootfs
	compile_tool abstract "$ROOTFS/bin/abstract"
	compile_tool deny "$BATS_FILE_TMPDIR/deny"
	ABI=$(abi)
	export ABI
	# beside the root: what leads out of a path that is allowed
	mkdir -p "$ROOTFS/data/in" "$ROOTFS/data/out" "$ROOTFS/secret"
	echo hidden >"$ROOTFS/secret/file"
	echo plain >"$ROOTFS/data/in/file"
	ln -s /secret "$ROOTFS/link"
}

setup() {
	setup_kavach
	RULES=$BATS_TEST_TMPDIR/rules.d
	mkdir -m 755 "$RULES"
	OTHERS=
}

teardown() {
	[ -z "$OTHERS" ] || kill "$OTHERS" 2>/dev/null || true
	teardown_kavach
}

# needs_abi N: of the kernel under the test
needs_abi() {
	[ "$ABI" -ge "$1" ] || skip "needs Landlock ABI $1"
}

# layer JSON: the members of a layer for all containers
layer() {
	printf '{"landlock": %s}\n' "$1" >"$RULES/10-site.json"
	chmod 644 "$RULES/10-site.json"
}

kvr() { kvrun --rules "$RULES" "$@"; }

# sh SCRIPT: what the container runs
sh_() { args sh -c "$1"; }

runs() {
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "a mount that can be written is read-only where the layer says so" {
	needs_abi 3
	mkdir "$BATS_TEST_TMPDIR/vol"
	echo old >"$BATS_TEST_TMPDIR/vol/file"
	config --arg s "$BATS_TEST_TMPDIR/vol" '.mounts += [{destination: "/mnt", type: "bind", source: $s, options: ["bind", "rw"]},
		{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]'
	layer '{"readOnly": ["/"], "readWrite": ["/tmp", "/dev"], "execute": ["/bin"]}'
	sh_ 'cat /mnt/file; echo new >/mnt/file; truncate -s 0 /mnt/file; mkdir /mnt/d; rm /mnt/file; ln -s a /mnt/l
		echo fine >/tmp/file; cat /tmp/file; echo null >/dev/null; mv /tmp/file /tmp/other; cat /tmp/other'
	runs
	[ "${lines[0]}" = old ]
	[ "$(grep -c -e "ermission denied" <<<"$output")" -eq 5 ]
	[ "$(tail -2 <<<"$output")" = $'fine\nfine' ]
	[ "$(cat "$BATS_TEST_TMPDIR/vol/file")" = old ]
	[ "$(ls "$BATS_TEST_TMPDIR/vol")" = file ]
}

@test "what no list names can be neither read nor listed, and a symlink in the image widens nothing" {
	needs_abi 3
	layer '{"readOnly": ["/proc", "/data", "/link", "/not/there"], "execute": ["/bin"]}'
	sh_ 'cat /data/in/file; cat /secret/file; ls /link/; cat /link/file; ls /'
	kvr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = plain ]
	[ "$(grep -c -i "permission denied" <<<"$output")" -eq 4 ]
	[[ $output != *hidden* ]]
}

@test "a program outside of what can be executed is not: the first one, and those after it" {
	needs_abi 3
	layer '{"readOnly": ["/"], "execute": ["/data"]}'
	args echo fine
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 126 ]
	[[ $output == *"permission denied"* ]]
	own_rootfs
	cp "$BUNDLE/rootfs/bin/busybox" "$BUNDLE/rootfs/data/busybox"
	layer '{"readOnly": ["/"], "readWrite": ["/tmp"], "execute": ["/bin"]}'
	sh_ '/data/busybox echo no; cp /data/busybox /tmp/b && chmod 755 /tmp/b; /tmp/b echo no; /bin/echo yes'
	runs
	[[ $output != *no$'\n'* ]]
	[ "$(grep -c "Permission denied" <<<"$output")" -eq 2 ]
	[ "${lines[-1]}" = yes ]
}

@test "a rename cannot carry a file out of the place where it can only be read, nor between layers" {
	needs_abi 3
	own_rootfs
	layer '{"readOnly": ["/"], "readWrite": ["/data/in", "/data/out"], "execute": ["/bin"]}'
	printf '{"landlock": {"readOnly": ["/"], "readWrite": ["/data/in"], "execute": ["/bin"]}}\n' >"$RULES/20-team.json"
	chmod 644 "$RULES/20-team.json"
	sh_ 'mv /secret/file /data/in/stolen; mv /data/in/file /data/out/file; mv /data/in/file /data/in/same && cat /data/in/same'
	runs
	[ "${lines[-1]}" = plain ]
	[ -e "$BUNDLE/rootfs/secret/file" ]
	[ ! -e "$BUNDLE/rootfs/data/out/file" ]
	rm "$RULES/20-team.json"
	sh_ 'mv /data/in/same /data/out/file && cat /data/out/file'
	runs
	[ "${lines[-1]}" = plain ]
}

@test "TCP ports that are not named can be neither bound nor connected to; others can" {
	needs_abi 4
	layer '{"tcpBind": [8080], "tcpConnect": [8080, 9]}'
	sh_ 'nc -l -p 8081 </dev/null; nc 127.0.0.1 8081 </dev/null; nc 127.0.0.1 9 </dev/null
		nc -l -p 8080 -e echo fine & until nc 127.0.0.1 8080 </dev/null 2>/dev/null; do :; done; wait'
	runs
	[ "$(grep -c "Permission denied" <<<"$output")" -eq 2 ]
	[ "$(grep -c "Connection refused" <<<"$output")" -eq 1 ]
	[ "${lines[-1]}" = fine ]
	layer '{"tcpBind": []}'
	sh_ 'nc -l -p 8080 </dev/null; nc 127.0.0.1 9 </dev/null; true'
	runs
	[[ $output == *"Permission denied"*"Connection refused"* ]]
}

@test "scope abstractUnixSocket: an abstract socket of the host is out of reach" {
	needs_abi 6
	name=kavach-test-$$-$BATS_TEST_NUMBER
	"$ROOTFS/bin/abstract" listen "$name" >"$BATS_TEST_TMPDIR/ready" 3>&- &
	OTHERS=$!
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/ready"
	config '.linux.namespaces |= map(select(.type != "network"))'
	args abstract connect "$name"
	layer '{"scopes": ["abstractUnixSocket"]}'
	runs
	[ "$output" = "error 1" ]
	layer '{"scopes": ["signal"]}'
	runs
	[ "$output" = connected ]
}

@test "scope signal: a process of the host cannot be signalled, the container's own can" {
	needs_abi 6
	sleep 1000 3>&- &
	OTHERS=$!
	config '.linux.namespaces |= map(select(.type != "pid"))'
	layer '{"scopes": ["signal"]}'
	sh_ "kill -TERM $OTHERS; sleep 1000 & kill -TERM \$! && wait \$!; echo \$?"
	runs
	[[ ${lines[0]} == *"peration not permitted"* ]]
	[ "${lines[-1]}" = 143 ]
	kill -0 "$OTHERS"
}

@test "a process that exec adds is behind the same layers" {
	needs_abi 4
	layer '{"readOnly": ["/"], "readWrite": ["/dev"], "execute": ["/bin"], "tcpConnect": []}'
	config '.root.readonly = false'
	own_rootfs
	args sleep 1000
	# its output is not ours, or it would be waited for
	kv --rules "$RULES" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	kvr exec "$ID" sh -c 'echo no >/etc/file; nc 127.0.0.1 9 </dev/null; echo null >/dev/null; cat /data/in/file'
	[ "$status" -eq 0 ]
	[ "$(grep -c "Permission denied" <<<"$output")" -eq 2 ]
	[ "${lines[-1]}" = plain ]
	[ ! -e "$BUNDLE/rootfs/etc/file" ]
}

@test "a user without no_new_privs and without capabilities is behind it as well, and its paths are found as root" {
	needs_abi 3
	own_rootfs
	mkdir -m 700 "$BUNDLE/rootfs/closed"
	mkdir -m 777 "$BUNDLE/rootfs/closed/open"
	config '.process.noNewPrivileges = false | .process.user = {uid: 1000, gid: 1000} | .process.capabilities = {}'
	chmod 777 "$BUNDLE/rootfs/data/in" "$BUNDLE/rootfs/data/out"
	layer '{"readOnly": ["/"], "readWrite": ["/data/in", "/closed/open"], "execute": ["/bin"]}'
	sh_ 'echo fine >/data/in/new; echo no >/data/out/new; cat /data/in/new; grep CapEff /proc/self/status'
	runs
	[[ $output == *"/data/out/new: Permission denied"*fine*"0000000000000000" ]]
	[ ! -e "$BUNDLE/rootfs/data/out/new" ]
}

@test "bash and python3 of the host's root do their work behind a layer" {
	needs_abi 3
	command -v python3 >/dev/null || skip "needs python3"
	mkdir "$BATS_TEST_TMPDIR/root"
	mkdir "$BATS_TEST_TMPDIR/root/"{usr,proc,dev,tmp,etc}
	for l in bin lib lib64 sbin; do
		[ ! -L "/$l" ] || ln -s "usr/$l" "$BATS_TEST_TMPDIR/root/$l"
	done
	[ -L /bin ] || skip "needs a merged /usr"
	config --arg r "$BATS_TEST_TMPDIR/root" '.root = {path: $r, readonly: true}
		| .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]},
			{destination: "/tmp", type: "tmpfs", source: "tmpfs"}]
		| .process.env = ["PATH=/usr/bin:/bin"]'
	layer '{"readOnly": ["/"], "readWrite": ["/tmp", "/dev"], "execute": ["/usr"]}'
	args bash -c 'echo a{1,2} >/tmp/x && cat /tmp/x; python3 -c "
import os, subprocess, tempfile
with tempfile.NamedTemporaryFile() as f: f.write(b\"py\"); f.flush(); print(open(f.name).read())
print(subprocess.check_output([\"echo\", \"sub\"]).decode().strip())
try: os.mkdir(\"/dev/../etc/x\")
except OSError as e: print(e.strerror)"'
	runs
	[ "${lines[0]}" = "a1 a2" ]
	[ "${lines[1]}" = py ]
	[ "${lines[2]}" = sub ]
}

@test "startContainer hooks run before the layer" {
	needs_abi 3
	own_rootfs
	config '.hooks.startContainer = [{path: "/bin/sh", args: ["sh", "-c", "echo hook >/data/in/hook"]}]'
	layer '{"readOnly": ["/data"], "execute": ["/bin"]}'
	args cat /data/in/hook
	runs
	[ "$output" = hook ]
}

@test "a kernel that lacks what a rule names: refused, before anything is made" {
	layer '{"readOnly": ["/"], "execute": ["/bin"]}'
	args echo fine
	run "$BATS_FILE_TMPDIR/deny" landlock_create_ruleset "$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[ "$output" = "kavach: rules file $RULES/10-site.json: landlock: needs a kernel with Landlock ABI 3; this one has no Landlock" ]
	[ -z "$(kv list -q)" ]
	layer '{"requiredAbi": 60, "scopes": ["signal"]}'
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == "kavach: rules file $RULES/10-site.json: landlock: needs a kernel with Landlock ABI 60; this one has "* ]]
}

@test "requiredAbi 0 lets it start without, with a warning and a lower strength" {
	layer '{"requiredAbi": 0, "readOnly": ["/"], "execute": ["/bin"], "tcpBind": [], "scopes": ["signal"]}'
	args echo fine
	run "$BATS_FILE_TMPDIR/deny" landlock_create_ruleset "$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"rules file $RULES/10-site.json: landlock: this kernel has no Landlock; not limited: paths tcpBind scopes"*fine ]]
	less=$("$BATS_FILE_TMPDIR/deny" landlock_create_ruleset "$KAVACH" --rules "$RULES" policy --json "$BUNDLE" 2>/dev/null |
		jq .strength.total)
	needs_abi 6
	more=$("$KAVACH" --rules "$RULES" policy --json "$BUNDLE" | jq .strength.total)
	[ "$more" -eq $((less + 3 + 3 + 2)) ]
}

@test "a layer that the kernel does not put in force is an error" {
	needs_abi 3
	layer '{"readOnly": ["/"], "execute": ["/bin"]}'
	args echo fine
	run "$BATS_FILE_TMPDIR/deny" landlock_restrict_self "$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"Landlock: putting layer 0 in force: "* ]]
	[[ $output != *fine* ]]
}

@test "rules without Landlock, and no rules, cost no system call" {
	command -v strace >/dev/null || skip "needs strace"
	printf '{"forbid": ["terminal"]}\n' >"$RULES/10-site.json"
	chmod 644 "$RULES/10-site.json"
	args echo fine
	strace -f -qq -o "$BATS_TEST_TMPDIR/trace" "$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID"
	[ -s "$BATS_TEST_TMPDIR/trace" ]
	! grep -q landlock_ "$BATS_TEST_TMPDIR/trace" || false
}
