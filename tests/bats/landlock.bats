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
	MOUNTED=
}

teardown() {
	[ -z "$MOUNTED" ] || umount -l "$MOUNTED"
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

# The preset strict; its layer is the only one unless the test writes another.
strict() {
	config '.annotations["io.kavach.preset"] = "strict"'
}

@test "preset strict: what is mounted writable can be written, the rest cannot, submounts of a read-only bind included" {
	needs_abi 3
	mkdir -p "$BATS_TEST_TMPDIR/vol" "$BATS_TEST_TMPDIR/ro/sub"
	mount -t tmpfs tmpfs "$BATS_TEST_TMPDIR/ro/sub"
	MOUNTED=$BATS_TEST_TMPDIR/ro/sub
	own_rootfs
	ln -s real "$BUNDLE/rootfs/way"
	mkdir "$BUNDLE/rootfs/real"
	config --arg s "$BATS_TEST_TMPDIR" '.mounts += [{destination: "/mnt", type: "bind", source: "\($s)/vol", options: ["bind", "rw"]},
		{destination: "/ro", source: "\($s)/ro", options: ["rbind", "ro"]},
		{destination: "/way/tmp", type: "tmpfs", source: "tmpfs"}]'
	sh_ 'for d in /mnt /ro/sub /way/tmp /dev/shm / /ro; do echo text >$d/file && echo "$d is written"; done 2>/dev/null
		echo null >/dev/null; echo $$ >/proc/self/oom_score_adj; cat /way/tmp/file'
	runs
	[ "$(grep -c written <<<"$output")" -eq 5 ]
	config '.root.readonly = true'
	rm "$BATS_TEST_TMPDIR"/{vol,ro/sub}/file
	runs
	[ "$(grep -c written <<<"$output")" -eq 4 ]
	rm "$BATS_TEST_TMPDIR"/{vol,ro/sub}/file
	strict
	runs
	[ "$(grep written <<<"$output")" = $'/mnt is written\n/way/tmp is written\n/dev/shm is written' ]
	[ "${lines[-1]}" = text ]
	[ ! -e "$BATS_TEST_TMPDIR/ro/sub/file" ]
	run "$KAVACH" policy "$BUNDLE"
	[[ $output == *"layer"*"of ABI "*"from preset strict"*"as mounted"*"execute"*"/"*"mounts"*"/mnt"*"/way/tmp"* ]]
}

@test "preset strict: a directory of the host behind a descriptor that was left open stays closed" {
	needs_abi 3
	mkdir "$BATS_TEST_TMPDIR/host"
	echo leaked >"$BATS_TEST_TMPDIR/host/file"
	sh_ 'cat /proc/self/fd/3/file; cd /proc/self/fd/3 && cat file; ls /proc/self/fd/3/..'
	reads() {
		run "$KAVACH" --root "$STATE" run --preserve-fds 1 -b "$BUNDLE" "$ID" 3<"$BATS_TEST_TMPDIR/host"
		echo "$output"
	}
	reads
	[[ $output == leaked*leaked*host* ]]
	strict
	reads
	[[ $output != *leaked* ]]
	[ "$(grep -c "Permission denied" <<<"$output")" -eq 3 ]
}

@test "preset strict: standard input and output can be opened again for what they are open for, and for no more" {
	needs_abi 3
	echo input >"$BATS_TEST_TMPDIR/in"
	sh_ 'cat /dev/stdin; echo out >/dev/stdout; echo err >/dev/stderr; echo more >/proc/self/fd/0; cat /proc/self/fd/1'
	strict
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" <"$BATS_TEST_TMPDIR/in" >>"$BATS_TEST_TMPDIR/out" 2>>"$BATS_TEST_TMPDIR/err" || true
	cat "$BATS_TEST_TMPDIR/out" "$BATS_TEST_TMPDIR/err"
	[ "$(cat "$BATS_TEST_TMPDIR/in")" = input ]
	[ "$(tail -1 "$BATS_TEST_TMPDIR/out")" = out ]
	[[ $(cat "$BATS_TEST_TMPDIR/err") == *err* ]]
	[ "$(grep -c "ermission denied" "$BATS_TEST_TMPDIR/err")" -eq 2 ]
}

@test "preset strict: devices of a root without a mount at /dev" {
	needs_abi 3
	# where the tests are may be mounted without devices
	MOUNTED=$BATS_TEST_TMPDIR/root
	mkdir "$MOUNTED"
	mount -t tmpfs tmpfs "$MOUNTED"
	cp -a "$ROOTFS/." "$MOUNTED"
	config --arg r "$MOUNTED" '.mounts |= map(select(.destination | startswith("/dev") | not)) | .root = {path: $r, readonly: true}'
	strict
	sh_ 'echo text >/dev/null && head -c 4 /dev/zero | wc -c; echo no >/dev/file; true'
	runs
	[ "${lines[0]}" = 4 ]
	[[ ${lines[1]} == *"/dev/file: "* ]]
}

@test "preset strict: exec signals the container's process, and has a terminal that works" {
	needs_abi 6
	command -v script >/dev/null || skip "needs script"
	strict
	sh_ 'trap "echo hup; exit 0" HUP; echo ready; while :; do sleep 0.1; done'
	kv run -d -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	kvrun exec "$ID" sh -c 'echo no >/file; echo null >/dev/null; ls /proc/1/root/'
	[[ $output == *"/file: "* ]]
	run script -qec "'$KAVACH' --root '$STATE' exec -t $ID sh -c 'tty; stty rows 20 cols 70; stty size </dev/tty; echo yes >/dev/tty;
		echo again >/proc/self/fd/1; set -m; (sleep 0.1; echo job) & fg %1; echo end'" /dev/null
	echo "$output"
	[[ $output == *"/dev/pts/"*"20 70"*yes*again*job*end* ]]
	[[ $output != *denied* ]]
	kvrun exec "$ID" kill -HUP 1
	[ "$status" -eq 0 ]
	wait_for 20 grep -q hup "$BATS_TEST_TMPDIR/out"
}

@test "preset strict: processes of the host are out of reach of the container and of exec, where pids are shared" {
	needs_abi 6
	sleep 1000 3>&- &
	OTHERS=$!
	config '.linux.namespaces |= map(select(.type != "pid"))'
	strict
	sh_ "kill -TERM $OTHERS; echo ready; while :; do sleep 0.1; done"
	kv run -d -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
	wait_for 20 grep -q ready "$BATS_TEST_TMPDIR/out"
	grep -q "peration not permitted" "$BATS_TEST_TMPDIR/out"
	kvrun exec "$ID" kill -TERM "$OTHERS"
	[[ $output == *"peration not permitted"* ]]
	kill -0 "$OTHERS"
}

@test "preset strict on a kernel without Landlock: a warning and a lower strength, or refused where a rule requires it" {
	strict
	args echo fine
	without=("$BATS_FILE_TMPDIR/deny" landlock_create_ruleset "$KAVACH" --root "$STATE" --rules "$RULES")
	run "${without[@]}" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "$output" = $'kavach: preset strict: this kernel has no Landlock; not limited: paths scopes\nfine' ]
	run "${without[@]}" policy "$BUNDLE"
	[[ $output == *"layer"*"not enforced: this kernel has no Landlock from preset strict"* ]]
	less=$("${without[@]}" policy --json "$BUNDLE" 2>/dev/null | jq .strength.total)
	printf '{"require": ["landlock"]}\n' >"$RULES/10-site.json"
	chmod 644 "$RULES/10-site.json"
	run "${without[@]}" run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"rules file $RULES/10-site.json: require[0]: landlock is required; "*"no Landlock layer limits what can be written"* ]]
	needs_abi 6
	runs
	[ "$output" = fine ]
	[ "$("$KAVACH" policy --json "$BUNDLE" | jq .strength.total)" -eq $((less + 3 + 4)) ]
	config 'del(.annotations)'
	kvr run -b "$BUNDLE" "$ID"
	[[ $output == *"landlock is required"*"use the preset strict"* ]]
}

@test "fromMounts with a list of what can be executed: no program of a volume runs" {
	needs_abi 3
	mkdir "$BATS_TEST_TMPDIR/vol"
	cp "$ROOTFS/bin/busybox" "$BATS_TEST_TMPDIR/vol/echo"
	config --arg s "$BATS_TEST_TMPDIR/vol" '.mounts += [{destination: "/mnt", source: $s, options: ["bind"]}]'
	sh_ '/mnt/echo no; echo fine >/mnt/file; cat /mnt/file; echo no >/file; true'
	layer '{"fromMounts": true, "execute": ["/bin"]}'
	runs
	[[ $output == *"/mnt/echo: Permission denied"*fine* ]]
	own_rootfs
	layer '{"fromMounts": true}'
	run "$KAVACH" --rules "$RULES" policy "$BUNDLE"
	[[ $output == *"not limited"*"writing: the root can be written"* ]]
	layer '{"fromMounts": false, "scopes": ["signal"]}'
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -ne 0 ]
	[[ $output == *"fromMounts: expected true"* ]]
}

@test "mounts add: what the layer would keep from being written is refused, read-only it can be had" {
	needs_abi 3
	mkdir "$BATS_TEST_TMPDIR/vol"
	echo text >"$BATS_TEST_TMPDIR/vol/file"
	strict
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	printf '[{"destination": "/data", "source": "%s", "options": ["bind"]}]' "$BATS_TEST_TMPDIR/vol" >"$BATS_TEST_TMPDIR/m"
	kvrun mounts add "$ID" "$BATS_TEST_TMPDIR/m"
	[ "$status" -ne 0 ]
	[[ $output == *"mounts[0].destination: nothing can be written below \"/data\""*"Landlock"* ]]
	sed -i 's/"bind"/"bind", "ro"/' "$BATS_TEST_TMPDIR/m"
	kvrun mounts add "$ID" "$BATS_TEST_TMPDIR/m"
	[ "$status" -eq 0 ]
	kvrun exec "$ID" cat /data/file
	[ "$output" = text ]
}

@test "a container behind a layer is neither checkpointed nor restored: CRIU cannot put the layer back" {
	needs_abi 3
	compile_tool fakecriu "$BATS_TEST_TMPDIR/criu"
	PATH=$BATS_TEST_TMPDIR:$PATH
	layer '{"readOnly": ["/"], "execute": ["/bin"]}'
	args sleep 1000
	kv --rules "$RULES" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	kvr checkpoint --image-path "$BATS_TEST_TMPDIR/images" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"container $ID: CRIU cannot save Landlock layers, and it is behind one (preset strict, site rules)" ]]
	status_is running
	kv delete --force "$ID"
	mkdir -p "$BATS_TEST_TMPDIR/images"
	: >"$BATS_TEST_TMPDIR/images/inventory.img"
	echo '["/dev/null","/dev/null","/dev/null"]' >"$BATS_TEST_TMPDIR/images/descriptors.json"
	rm "$RULES/10-site.json"
	strict
	kvr restore -d -b "$BUNDLE" --image-path "$BATS_TEST_TMPDIR/images" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"CRIU cannot restore Landlock layers, and the container is to be behind one (preset strict, site rules)" ]]
	[ -z "$(kv list -q)" ]
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
