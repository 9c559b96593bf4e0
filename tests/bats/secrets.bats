#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Secrets of the site's rules: that they get where they belong, from every source and in every way, and nowhere else; what
# is refused, and in which words.

load helpers

setup_file() {
	setup_rootfs
}

setup() {
	setup_kavach
	SERVER=
	OPEN=
	# root's alone, and no symlink on the way
	OWN=$(realpath "$BATS_TEST_TMPDIR")/own
	RULES=$OWN/rules.d
	mkdir -m 700 "$OWN"
	mkdir -m 755 "$RULES"
	# in no argument and no environment of a process of ours: the hunt would find it there
	head -c 15 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$OWN/value"
	chmod 600 "$OWN/value"
	FROM_FILE='{"file": "'$OWN'/value"}'
}

teardown() {
	[ -z "$SERVER" ] || kill "$SERVER" 2>/dev/null || true
	[ -z "$OPEN" ] || rm -rf "$OPEN"
	teardown_kavach
}

# site JSON: the rules
site() { printf '%s\n' "$1" >"$RULES/10.json"; }

# secret SOURCE MEMBERS: one, for all containers
secret() {
	site '{"secrets": [{"name": "db", "source": '"$1${2:+, $2}"'}]}'
}

kvr() { kvrun --rules "$RULES" "$@"; }

runs() {
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

# creates: its program writes to $OWN/out
creates() {
	kv --rules "$RULES" create -b "$BUNDLE" "$ID" </dev/null >"$OWN/out" 2>&1 3>&-
}

# gets FILE: what was printed is what is in FILE
gets() {
	[ "$status" -eq 0 ]
	[ "$output" = "$(cat "$1")" ]
}

# refused TEXT: one line, exactly, and nothing is left
refused() {
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[ "$output" = "kavach: $1" ] || {
		printf 'want: kavach: %s\n' "$1"
		return 1
	}
	[ -z "$(kv list -q)" ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/*" -type d 2>/dev/null)" ]
}
AT() { printf 'rules file %s/10.json: secrets[0]: secret db: ' "$RULES"; }

# program BODY: a provider
program() {
	printf '#!/bin/sh\n%s\n' "$1" >"$OWN/provider"
	chmod 755 "$OWN/provider"
}

# serve FILE: a service that answers with it
serve() {
	python3 "$KAVACH_SRC/tests/tools/hunt.py" serve "$OWN/socket" "$1" "$OWN/asked" 3>&- &
	SERVER=$!
	wait_for 20 test -S "$OWN/socket"
}

hunt() { python3 "$KAVACH_SRC/tests/tools/hunt.py" "$@"; }

# ---- ways ----

@test "a file: at its place, its owner's alone, in memory and read-only" {
	requires_root
	secret "$FROM_FILE"
	config '.process.user = {uid: 1000, gid: 1001} | .process.capabilities = {}'
	args sh -c 'cat /run/secrets/db; stat -c " %a %u %g" /run/secrets/db; grep " /run/secrets " /proc/mounts | cut -d" " -f3,4; touch /run/secrets/x'
	kvr run -b "$BUNDLE" "$ID"
	[ "${lines[0]}" = "$(cat "$OWN/value") 400 1000 1001" ]
	[[ ${lines[1]} = "ramfs ro,nosuid,nodev,noexec,"* ]]
	[[ ${lines[2]} = *"Read-only file system" ]]
}

@test "a file elsewhere, with a mode and an owner, next to another one, below a tmpfs of the container" {
	requires_root
	site '{"secrets": [
		{"name": "a", "source": '"$FROM_FILE"', "file": "/run/app/keys/a.pem", "mode": "0640", "uid": 5, "gid": 6},
		{"name": "b", "source": '"$FROM_FILE"', "file": "/run/app/keys/b"}]}'
	config '.mounts += [{destination: "/run", type: "tmpfs", source: "tmpfs", options: ["mode=755"]}]'
	args stat -c '%n %a %u %g' /run/app/keys/a.pem /run/app/keys/b
	runs
	[ "$output" = "/run/app/keys/a.pem 640 5 6
/run/app/keys/b 400 0 0" ]
}

@test "a variable: instead of the config's own, without the newline at the end" {
	requires_root
	printf 'of one line\n' >"$OWN/value"
	secret "$FROM_FILE" '"env": "PASSWORD"'
	config '.process.env += ["PASSWORD=from config.json", "PASSWORD_FILE=kept"]'
	args sh -c 'env | grep PASSWORD | sort'
	runs
	[ "$output" = "PASSWORD=of one line
PASSWORD_FILE=kept" ]
}

@test "the standard input: the secret, then its end; of create and start, too" {
	requires_root
	secret "$FROM_FILE" '"stdin": true'
	args cat
	kvr run -b "$BUNDLE" "$ID" </dev/zero
	gets "$OWN/value"
	creates
	kv start "$ID"
	wait_for 10 status_is stopped
	cmp "$OWN/out" "$OWN/value"
}

@test "hooks of the config do not get the variables, and their files are not there before the start" {
	requires_root
	site '{"secrets": [{"name": "f", "source": '"$FROM_FILE"'}, {"name": "e", "source": '"$FROM_FILE"', "env": "PASSWORD"}]}'
	config --arg f "$OWN/hook" '.hooks = {createContainer: [{path: "/bin/sh", args: ["sh", "-c", "(env; ls /run/secrets $PWD/run/secrets; true) >\($f) 2>&1"]}],
		startContainer: [{path: "/bin/sh", args: ["sh", "-c", "env >&2"]}]}'
	args true
	runs
	[ -s "$OWN/hook" ]
	run grep -cF -f "$OWN/value" "$OWN/hook"
	[ "$output" = 0 ]
	! grep -qw f "$OWN/hook"
}

# ---- sources ----

@test "a systemd credential: of the unit that kavach runs in" {
	requires_root
	mkdir -m 700 "$OWN/creds"
	cp "$OWN/value" "$OWN/creds/db.password"
	chmod 400 "$OWN/creds/db.password"
	secret '{"credential": "db.password"}'
	args cat /run/secrets/db
	CREDENTIALS_DIRECTORY=$OWN/creds runs
	gets "$OWN/value"
	CREDENTIALS_DIRECTORY=$OWN refused "$(AT)open $OWN/db.password: not found"
}

@test "a program: by its arguments, with a clean environment, no standard input and nothing open" {
	requires_root
	program 'env | sort; echo "args: $*"; ls /proc/self/fd | wc -l; pwd; cat; echo oops >&2'
	secret '{"program": ["'"$OWN"'/provider", "one arg", "$(id)"]}'
	args cat /run/secrets/db
	LEAK=yes runs
	[ "$output" = "KAVACH_CONTAINER=$ID
KAVACH_SECRET=db
PATH=/usr/sbin:/usr/bin:/sbin:/bin
PWD=/
args: one arg \$(id)
4
/" ]
}

@test "a program whose output is a variable, and one that is the standard input" {
	requires_root
	program "cat $OWN/value"
	secret '{"program": ["'"$OWN"'/provider"]}' '"env": "X"'
	args sh -c 'echo $X'
	runs
	gets "$OWN/value"
	secret '{"program": ["'"$OWN"'/provider"]}' '"stdin": true'
	args cat
	runs
	gets "$OWN/value"
}

@test "a socket: one line is asked, the answer is all that comes" {
	requires_root
	head -c 50000 /dev/urandom >"$OWN/large"
	serve "$OWN/large"
	secret '{"socket": "'"$OWN"'/socket"}'
	args sha256sum /run/secrets/db
	runs
	[ "$output" = "$(sha256sum <"$OWN/large" | cut -d' ' -f1)  /run/secrets/db" ]
	[ "$(cat "$OWN/asked")" = "db $ID" ]
}

@test "many and large ones together: to the limit of all, and not beyond" {
	requires_root
	head -c 65536 /dev/urandom >"$OWN/large"
	chmod 600 "$OWN/large"
	many() { site "$(jq -n --arg f "$OWN/large" --argjson n "$1" '{secrets: [range($n) | {name: "s\(.)", source: {file: $f}}]}')"; }
	many 7
	args sh -c 'cat /run/secrets/* | wc -c'
	runs
	[ "$output" = $((7 * 65536)) ]
	many 9
	kvr run -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"secrets[7]: secret s7: $OWN/large: more than "*" bytes" ]]
}

# ---- what cannot be had ----

@test "a required secret that is not there refuses the container; another one is left out with a warning" {
	requires_root
	secret '{"file": "'"$OWN"'/nothing"}'
	args echo fine
	refused "$(AT)open $OWN/nothing: not found"
	secret '{"file": "'"$OWN"'/nothing"}' '"required": false'
	runs
	[[ $output == *"$(AT)open $OWN/nothing: not found; it is not required, so the process goes without it"*fine ]]
}

@test "a file that others can read, that is another's, a symlink, a FIFO, empty or too large is refused" {
	requires_root
	f=$OWN/value
	secret "$FROM_FILE"
	args echo fine
	chmod 640 "$f"
	refused "$(AT)$f: others than its owner have access (mode 0640)"
	chmod 600 "$f"
	chown 1000 "$f"
	refused "$(AT)$f: owned by user 1000, expected root"
	head -c 65537 /dev/zero >"$f"
	chown 0 "$f"
	refused "$(AT)$f: more than 65536 bytes"
	: >"$f"
	refused "$(AT)$f: it is empty"
	rm "$f"
	mkfifo -m 600 "$f"
	refused "$(AT)$f: expected a regular file"
	rm "$f"
	ln -s /etc/passwd "$f"
	refused "$(AT)$f: a part of the path is a symlink; name the file itself"
	mkdir -m 700 "$OWN/real"
	ln -s real "$OWN/link"
	secret '{"file": "'"$OWN"'/link/x"}'
	refused "$(AT)$OWN/link/x: a part of the path is a symlink; name the file itself"
}

@test "a NUL byte goes into a file, but not into a variable" {
	requires_root
	printf 'a\0b' >"$OWN/value"
	secret "$FROM_FILE" '"env": "X"'
	args wc -c /run/secrets/db
	refused "$(AT)it has a NUL byte, which a variable cannot have; give it as a file"
	secret "$FROM_FILE"
	runs
	[ "$output" = "3 /run/secrets/db" ]
}

@test "a program that fails, writes nothing or too much, is missing or not root's alone: refused without its output" {
	requires_root
	p=$OWN/provider
	secret '{"program": ["'"$p"'"]}'
	args echo fine
	refused "$(AT)$p: not found"
	program "cat $OWN/value; cat $OWN/value >&2; exit 3"
	refused "$(AT)$p: failed with exit status 3"
	program 'kill -9 $$'
	refused "$(AT)$p: ended by signal 9"
	program 'exit 0'
	refused "$(AT)$p: wrote nothing"
	program 'exec cat /dev/zero'
	refused "$(AT)$p: ended, for it wrote more than 65536 bytes"
	chmod 644 "$p"
	refused "$(AT)$p: starting it: access refused"
	chmod 775 "$p"
	refused "$(AT)$p: others than its owner can write it (mode 0775)"
	chmod 755 "$p"
	chown 1000 "$p"
	refused "$(AT)$p: owned by user 1000, expected root"
}

@test "a program that hangs is ended with its children, after ten seconds" {
	requires_root
	program "sleep 1000 & echo \$! >$OWN/child; sleep 1000"
	secret '{"program": ["'"$OWN"'/provider"]}'
	args echo fine
	refused "$(AT)$OWN/provider: ended, for it took more than 10 s"
	wait_for 10 sh -c "! kill -0 $(cat "$OWN/child") 2>/dev/null || grep -q '^State:.*Z' /proc/$(cat "$OWN/child")/status"
}

@test "a socket that nobody serves, that answers nothing, or that never ends: refused" {
	requires_root
	secret '{"socket": "'"$OWN"'/socket"}'
	args echo fine
	refused "$(AT)$OWN/socket: connecting: not found"
	: >"$OWN/empty"
	serve "$OWN/empty"
	refused "$(AT)$OWN/socket: closed without an answer"
	kill "$SERVER"
	rm "$OWN/socket"
	head -c 100000 /dev/zero >"$OWN/large"
	serve "$OWN/large"
	refused "$(AT)$OWN/socket: the answer is more than 65536 bytes"
	kill "$SERVER"
	rm "$OWN/socket"
	hunt stall "$OWN/socket" 3>&- &
	SERVER=$!
	wait_for 20 test -S "$OWN/socket"
	refused "$(AT)$OWN/socket: no complete answer within 10 s"
}

@test "a socket of another user's service is refused" {
	requires_root
	OPEN=$(mktemp -d /tmp/kavach-secrets.XXXXXX)
	chmod 777 "$OPEN"
	python3 - "$OPEN/socket" 3>&- <<-'EOF' &
		import os, socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		os.setuid(54321)
		s.bind(sys.argv[1] + ".new"); s.listen(); os.rename(sys.argv[1] + ".new", sys.argv[1]); time.sleep(1000)
	EOF
	SERVER=$!
	wait_for 20 test -S "$OPEN/socket"
	secret '{"socket": "'"$OPEN"'/socket"}'
	args echo fine
	refused "$(AT)$OPEN/socket: user 54321 listens, expected root"
}

# ---- who gets them ----

@test "annotations ask for what the rules offer, and for nothing else" {
	requires_root
	site '{"rules": [{"match": {"annotations": {"team": "a"}}, "secrets": [{"name": "db", "source": '"$FROM_FILE"', "onRequest": true}]}]}'
	args sh -c 'cat /run/secrets/db 2>/dev/null || echo none'
	config '.annotations = {team: "a"}'
	runs
	[ "$output" = none ]
	config '.annotations = {team: "a", "io.kavach.secrets": "db"}'
	runs
	gets "$OWN/value"
	no='annotations["io.kavach.secrets"]: no rule of the site offers this container a secret'
	config '.annotations = {team: "a", "io.kavach.secrets": "db, other"}'
	refused "config.json: $no \"other\""
	config '.annotations = {team: "b", "io.kavach.secrets": "db"}'
	refused "config.json: $no \"db\""
	rm "$RULES"/*
	refused "config.json: $no \"db\""
}

@test "exec: a variable that the rule gives it, fetched anew; others not; files are there" {
	requires_root
	site '{"secrets": [
		{"name": "both", "source": '"$FROM_FILE"', "env": "BOTH", "exec": true},
		{"name": "first", "source": '"$FROM_FILE"', "env": "FIRST"},
		{"name": "file", "source": '"$FROM_FILE"'}]}'
	args sleep 1000
	creates
	kv start "$ID"
	cp "$OWN/value" "$OWN/old"
	echo rotated >"$OWN/value"
	kvr exec "$ID" sh -c 'echo "$BOTH:$FIRST:$(cat /run/secrets/file)"'
	[ "$output" = "rotated::$(cat "$OWN/old")" ]
	rm "$OWN/value"
	kvr exec "$ID" true
	[ "$status" -eq 255 ]
	[ "$output" = "kavach: secret both: open $OWN/value: not found" ]
}

# ---- where they may be ----

@test "no secret goes over or into what is mounted from the host, nor where the image has something" {
	requires_root
	secret "$FROM_FILE" '"file": "/data/sub/db"'
	args echo fine
	mkdir "$OWN/volume"
	at="rules file $RULES/10.json: secrets[0]: the secret db cannot be given as /data/sub/db: config.json"
	bind() { config --arg d "$1" --arg s "$OWN/volume" '.mounts |= map(select(.type != "bind")) + [{destination: $d, type: "bind", source: $s, options: ["rbind"]}]'; }
	n=$(jq '.mounts | map(select(.type != "bind")) | length' "$BUNDLE/config.json")
	bind /data
	refused "$at: mounts[$n].destination: /data is above it, and the host can see what is mounted there; give the secret another place"
	bind /data/sub
	refused "$at: mounts[$n].destination: /data/sub would be covered; give one of them another place"
	bind /data/sub/x
	refused "$at: mounts[$n].destination: /data/sub/x would be covered; give one of them another place"
	own_rootfs
	ln -s /data "$BUNDLE/rootfs/vol"
	mkdir "$BUNDLE/rootfs/data"
	bind /vol
	refused "directory /data/sub of secrets: it is in the bind mount /vol"
	[ -z "$(ls "$OWN/volume")" ]
	bind /elsewhere
	mkdir "$BUNDLE/rootfs/data/sub"
	touch "$BUNDLE/rootfs/data/sub/.hidden"
	refused 'directory /data/sub of secrets: it holds ".hidden", which would be hidden: the rule has to name another place'
	rm -r "$BUNDLE/rootfs/data/sub"
	ln -s / "$BUNDLE/rootfs/data/sub"
	refused 'directory /data/sub of secrets: "sub" is a symlink, or no directory; the rule has to name the place itself'
	rm "$BUNDLE/rootfs/data/sub"
	runs
}

@test "mounts that are added later do not cover them" {
	requires_root
	secret "$FROM_FILE"
	args sleep 1000
	creates
	kv start "$ID"
	for d in /run /run/secrets /run/secrets/db; do
		kvr mounts add "$ID" - <<<'{"mounts": [{"destination": "'$d'", "type": "tmpfs", "source": "tmpfs"}]}'
		[ "$status" -ne 0 ]
		[[ $output == *"\"$d\" would cover the secret db in /run/secrets" ]]
	done
}

@test "under the preset strict, with its Landlock layer and filter, they are there as well" {
	requires_root
	site '{"preset": "strict", "secrets": [{"name": "db", "source": '"$FROM_FILE"'}, {"name": "e", "source": '"$FROM_FILE"', "env": "E"}]}'
	config '.process.user = {uid: 33, gid: 33}'
	args sh -c 'cat /run/secrets/db; echo " $E"'
	runs
	[ "$output" = "$(cat "$OWN/value") $(cat "$OWN/value")" ]
}

@test "in a user namespace the file is its user's; ids that are not mapped are refused" {
	requires_root
	own_rootfs
	chown -R 100000:100000 "$BUNDLE/rootfs"
	config '.linux.namespaces += [{type: "user"}] | .linux.uidMappings = [{containerID: 0, hostID: 100000, size: 1000}]
		| .linux.gidMappings = .linux.uidMappings | .process.user = {uid: 33, gid: 34}'
	chmod 711 "$OWN" "$BATS_TEST_TMPDIR" "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" 2>/dev/null || true
	secret "$FROM_FILE"
	args sh -c 'stat -c "%a %u %g" /run/secrets/db; cat /run/secrets/db'
	runs
	[ "$output" = "400 33 34
$(cat "$OWN/value")" ]
	secret "$FROM_FILE" '"uid": 5000'
	refused "rules file $RULES/10.json: secrets[0]: the secret db cannot be given as /run/secrets/db: user 5000 is not in linux.uidMappings"
}

@test "an ordinary user's kavach cannot read root's secrets, and says so" {
	requires_root
	unshare -U true 2>/dev/null || skip "no user namespaces here"
	OPEN=$(mktemp -d /tmp/kavach-secrets.XXXXXX)
	cp "$KAVACH" "$OPEN/kavach"
	cp -a "$RULES" "$OPEN/rules.d"
	mkdir "$OPEN/b" "$OPEN/s"
	cp -a "$ROOTFS" "$OPEN/b/rootfs"
	chmod -R go=rX "$OPEN"
	cp -p "$OWN/value" "$OPEN/value"
	chown -R 54321 "$OPEN/b" "$OPEN/s"
	echo '{"secrets": [{"name": "db", "source": {"file": "'"$OPEN"'/value"}}]}' >"$OPEN/rules.d/10.json"
	user() { run setpriv --reuid 54321 --regid 54321 --clear-groups "$OPEN/kavach" --root "$OPEN/s" --rules "$OPEN/rules.d" "$@"; }
	user spec --rootless -b "$OPEN/b"
	jq '.process.terminal = false | .process.args = ["true"]' "$OPEN/b/config.json" >"$OPEN/config.json"
	cp "$OPEN/config.json" "$OPEN/b"
	user run -b "$OPEN/b" x
	echo "$output"
	[ "$status" -eq 1 ]
	[[ ${lines[-1]} == *"secret db: open $OPEN/value: access refused; it is root's, and this kavach runs as user 54321" ]]
}

@test "a container with secrets is not saved to disk, nor does a restored one get any" {
	requires_root
	secret "$FROM_FILE"
	printf '#!/bin/sh\nexit 1\n' >"$OWN/criu"
	chmod 755 "$OWN/criu"
	args sleep 1000
	creates
	kv start "$ID"
	kvrun --criu "$OWN/criu" checkpoint --image-path "$OWN/images" "$ID"
	[ "$status" -ne 0 ]
	[ "$output" = "kavach: container $ID has the secret db, which would be written to disk with the images: it cannot be saved" ]
	[ ! -e "$OWN/images" ]
	status_is running
	mkdir "$OWN/images"
	touch "$OWN/images/inventory.img"
	kvrun --criu "$OWN/criu" --rules "$RULES" restore --image-path "$OWN/images" -b "$BUNDLE" "$ID-r"
	[ "$status" -ne 0 ]
	[ "$output" = "kavach: rules file $RULES/10.json: secrets[0]: the secret db cannot be given to a container that is restored" ]
}

@test "policy and rules test say which secrets go where, and the digest covers that, not the values" {
	site '{"secrets": [{"name": "db", "source": '"$FROM_FILE"'}, {"name": "t", "source": {"program": ["/bin/x", "y"]}, "env": "TOKEN", "required": false}]}'
	kvr policy "$BUNDLE"
	[[ $output == *"db"*"/run/secrets/db (mode 0400, user 0, group 0)"*"from the file $OWN/value"*"variable TOKEN"*"printed by /bin/x"*/proc/PID/environ* ]]
	digest() { kvr policy --json "$BUNDLE" && jq -r .digest <<<"$output" >"$OWN/$1"; }
	digest one
	echo other >"$OWN/value"
	digest two
	cmp "$OWN/one" "$OWN/two"
	kvr rules test "$BUNDLE"
	[ "$status" -eq 0 ]
	[[ $output == *"gives the secret db as /run/secrets/db"*"gives the secret t as the variable TOKEN"* ]]
	site '{"secrets": [{"name": "db", "source": '"$FROM_FILE"', "mode": "0440"}]}'
	digest two
	! cmp -s "$OWN/one" "$OWN/two"
}

# ---- where they are not ----

@test "after create and start: nothing in the state, the bundle, the root, the logs, the audit log, nor in any process" {
	requires_root
	"$KAVACH" audit init -d "$OWN/audit" >/dev/null
	site '{"audit": {"directory": "'"$OWN"'/audit"}, "secrets": [
		{"name": "f", "source": '"$FROM_FILE"'},
		{"name": "i", "source": '"$FROM_FILE"', "stdin": true},
		{"name": "p", "source": {"program": ["/bin/cat", "'"$OWN"'/value"]}, "env": "P", "exec": true}]}'
	own_rootfs
	args sh -c 'sleep 1000'
	kv --rules "$RULES" --log "$OWN/log" --log-format json --debug create -b "$BUNDLE" "$ID" </dev/null >"$OWN/out" 2>&1 3>&-
	pid=$(kv state "$ID" | jq .pid)
	# it waits for its start: the variable is in memory that is neither dumped nor inherited, and nothing else is there
	[ "$(hunt memory "$pid" "$OWN/value")" = "dc dd" ]
	[ -z "$(hunt procs "$OWN/value")" ]
	kv --log "$OWN/log" --debug start "$ID"
	kv --rules "$RULES" --log "$OWN/log" --debug exec -d "$ID" sleep 1000 </dev/null >"$OWN/out2" 2>&1 3>&-
	# an error after the values were fetched
	kv --rules "$RULES" --log "$OWN/log" --debug exec "$ID" /nothing 2>"$OWN/errors" || [ $? -gt 0 ]
	[ -s "$OWN/log" ]
	# its own processes have it in their environment, and only they
	mapfile -t own < <(kv ps -f json "$ID" | jq -r '.[]')
	[ "${#own[@]}" -ge 2 ]
	[ -z "$(hunt procs "$OWN/value" "${own[@]}")" ]
	run grep -rlF -f "$OWN/value" "$STATE" "$BUNDLE" "$RULES" "$OWN/audit" "$OWN/log" "$OWN/errors"
	[ -z "$output" ]
	[ "$(grep -cF -f "$OWN/value" "/proc/${own[0]}/root/run/secrets/f")" = 1 ]
	[ "$(tr '\0' '\n' <"/proc/$pid/environ" | grep -cF -f "$OWN/value")" = 1 ]
	# what is on record is their names and places
	run "$KAVACH" audit show -d "$OWN/audit" --json
	[[ $output == *'f file /run/secrets/f, i stdin, p env P'* ]]
	kv delete --force "$ID"
	[ -z "$(ls -A "$BUNDLE/rootfs/run/secrets")" ]
}

@test "while kavach has them: not in memory that is dumped or inherited, and no core" {
	requires_root
	# the first one is fetched, the second one's program waits
	program "echo here >$OWN/fifo; sleep 1000"
	site '{"secrets": [{"name": "a", "source": '"$FROM_FILE"'}, {"name": "b", "source": {"program": ["'"$OWN"'/provider"]}}]}'
	args true
	mkfifo "$OWN/fifo"
	"$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID" 3>&- &
	pid=$!
	read -r line <"$OWN/fifo"
	[ "$line" = here ]
	child=$(pgrep -P "$pid")
	[ "$(hunt memory "$pid" "$OWN/value")" = "dc dd" ]
	[ -z "$(hunt memory "$child" "$OWN/value")" ]
	[ -z "$(hunt procs "$OWN/value")" ]
	kill -9 -- "-$child"
	wait "$pid" || true
	# a machine that makes cores, if it does
	cd "$OWN"
	[ "$(hunt core sh -c 'echo; exec sleep 1000')" = "core 11" ] || skip "this machine makes no core files"
	program "echo >/proc/\$PPID/fd/1; sleep 1000"
	[ "$(hunt core "$KAVACH" --root "$STATE" --rules "$RULES" run -b "$BUNDLE" "$ID")" = "none 11" ]
	run pgrep -f "$OWN/provider"
	[ -z "$output" ] || kill -9 "$output"
	kv delete --force "$ID"
}

@test "inspect knows their mounts, and sees it when they are gone or can be written" {
	requires_root
	site '{"secrets": [
		{"name": "a", "source": '"$FROM_FILE"', "file": "/run/keys/a"},
		{"name": "b", "source": '"$FROM_FILE"', "file": "/run/keys/b"},
		{"name": "c", "source": {"file": "'"$OWN"'/nothing"}, "file": "/run/other/c", "required": false}]}'
	args sleep 1000
	creates
	kv start "$ID"
	[ "$(kv inspect --json "$ID" | jq -c '[.rows[] | select(.what | startswith("/run/")) | [.what, .kernel, .verdict]]')" = \
		'[["/run/keys","ramfs ro,nosuid,nodev,noexec","ok"]]' ]
	kv inspect "$ID"
	pid=$(kv state "$ID" | jq .pid)
	nsenter --target "$pid" --mount --pid /bin/busybox mount -o remount,bind,rw,nosuid,nodev,noexec /run/keys
	kvrun inspect "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"secrets are not where the site's rules have put them"* ]]
	nsenter --target "$pid" --mount --pid /bin/busybox umount /run/keys
	kvrun inspect "$ID"
	[ "$status" -eq 2 ]
	[[ $output == *"DRIFT: mounts /run/keys"* ]]
}
