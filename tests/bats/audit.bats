# SPDX-License-Identifier: Apache-2.0
#
# The audit log as users have it (A-01 to A-21). Commands run in a mount namespace where /var/log/kavach is the test's own
# directory, so the machine's log, if there is one, is neither read nor written.

load helpers

setup_file() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	setup_rootfs
}

setup() {
	setup_kavach
	LOG=$BATS_TEST_TMPDIR/log
	mkdir -m 700 "$LOG"
	RULES=$BATS_TEST_TMPDIR/rules
	mkdir "$RULES"
}

teardown() {
	teardown_kavach
}

# with_log COMMAND...: where /var/log/kavach is $LOG
with_log() {
	# shellcheck disable=SC2016 # for the shell inside
	unshare -m sh -c 'mount -t tmpfs none /var/log && mkdir -m 700 /var/log/kavach &&
		mount --bind "$0" /var/log/kavach && exec "$@"' "$LOG" "$@"
}

kv() {
	with_log "$KAVACH" --root "$STATE" --rules "$RULES" "$@"
}

kvrun() {
	run kv "$@"
	printf '# kavach %s -> %s\n%s\n' "$*" "$status" "$output"
}

begin() {	# [OPTION...]: a log; its key goes to $KEY
	KEY=$(kv audit init "$@" | tail -n 1)
	[ ${#KEY} = 64 ]
}

oracle() {
	run python3 "$KAVACH_SRC/tests/tools/audit-verify.py" "$LOG" "$KEY"
	printf '# oracle -> %s: %s\n' "$status" "$output"
}

# both readers agree: intact, and this many records
intact() {
	kvrun audit verify --key "$KEY"
	[ "$status" = 0 ]
	[[ $output == *"audit log verified"* ]]
	oracle
	[ "$status" = 0 ]
	[ $# = 0 ] || [ "$output" = "$1" ]
}

broken() {	# TEXT of one problem
	kvrun audit verify --key "$KEY"
	[ "$status" = 2 ]
	[[ $output == *"$1"* ]]
	[[ $output == *"NOT intact"* ]]
	oracle
	[ "$status" = 2 ]
}

events() {
	kv audit show --json "$@" | jq -r '.event + ":" + .outcome' | paste -sd ' '
}

# of the last record of a kind
field() {	# EVENT JQ
	kv audit show --json | jq -r "select(.event == \"$1\") | $2" | tail -n 1
}

current() {
	find "$LOG" -name 'audit-*' | sort | tail -n 1
}

@test "A-01 without a log, commands look for it once and write nothing" {
	command -v strace >/dev/null || skip "needs strace"
	args /bin/true
	with_log strace -f -qq -e trace=file -o "$BATS_TEST_TMPDIR/trace" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	grep kavach "$BATS_TEST_TMPDIR/trace" | grep -c /var/log >"$BATS_TEST_TMPDIR/n" || true
	[ -z "$(ls "$LOG")" ]
	# the directory is there in this test: it is opened, and asked for a key; a machine without a log has the first call only
	[ "$(cat "$BATS_TEST_TMPDIR/n")" = 1 ]
	strace -f -qq -e trace=all -o "$BATS_TEST_TMPDIR/trace" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	[ -e /var/log/kavach/key ] || [ "$(grep -cE '/var/log/kavach|loginuid' "$BATS_TEST_TMPDIR/trace")" = 1 ]
}

@test "A-02 init shows the key once and keeps it nowhere; only the owner can read the log" {
	begin
	[ "$(stat -c '%a %u' "$LOG")" = "700 0" ]
	[ "$(stat -c '%a %u %s' "$LOG/key")" = "600 0 256" ]
	[ "$(stat -c %a "$LOG"/audit-*)" = 600 ]
	run grep -r "$KEY" "$LOG"
	[ "$status" = 1 ]
	run python3 -c 'import sys; sys.exit(bytes.fromhex(sys.argv[2]) in open(sys.argv[1], "rb").read())' "$LOG/key" "$KEY"
	[ "$status" = 0 ]
	kvrun audit init
	[ "$status" = 1 ]
	[[ $output == *"there is one already"* ]]
	intact 1
}

@test "A-03 each step of a container's life is a record, in order, with digests, score and caller" {
	begin
	args /bin/sleep 100
	kv create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv start "$ID"
	run kv exec "$ID" /bin/sh -c 'exit 5'
	[ "$status" = 5 ]
	kv pause "$ID"
	kv resume "$ID"
	kv update --pids-limit 50 "$ID"
	kv kill "$ID" KILL
	wait_for 10 status_is stopped
	kv delete "$ID"
	[ "$(events --container "$ID")" = "create:ok start:attempt exec:attempt exit:ok pause:ok resume:ok update:ok kill:ok exit:ok delete:ok" ]
	[ "$(field create .config)" = "$(sha256sum <"$BUNDLE/config.json" | cut -d ' ' -f 1)" ]
	kv policy --json "$BUNDLE" >"$BATS_TEST_TMPDIR/policy"
	[ "$(field create .policy)" = "$(jq -r .digest "$BATS_TEST_TMPDIR/policy")" ]
	[ "$(field create .score)" = "$(jq -r .strength.total "$BATS_TEST_TMPDIR/policy")" ]
	for event in start exec kill delete; do
		[ "$(field $event '[.config, .policy, .score, .backend] | join(" ")')" = \
			"$(field create '[.config, .policy, .score, .backend] | join(" ")')" ]
	done
	[ "$(field create '"\(.backend) \(.uid) \(.program) \(.bundle)"')" = "process 0 /bin/sleep $BUNDLE" ]
	[ "$(field kill '"\(.signal) \(.all)"')" = "9 0" ]
	[ "$(field create .by)" = "$("$KAVACH" --version | sed -n '1s/version //p')" ]
	# who was the parent sees the end, who deletes does not know the status
	kv audit show --json | jq -se 'any(.[]; .event == "exit" and .of == "exec" and .status == 5)'
	kv audit show --json | jq -se 'any(.[]; .event == "exit" and .of == "delete" and has("status") and .status == null)'
	intact 11
}

@test "A-04 run in the foreground records the exit status; arguments are a digest" {
	begin
	args /bin/sh -c 'exit 3' secret-word
	run kv run -b "$BUNDLE" "$ID"
	[ "$status" = 3 ]
	[ "$(events --container "$ID")" = "create:ok start:attempt exit:ok delete:ok" ]
	[ "$(field exit '"\(.of) \(.status)"')" = "run 3" ]
	args /bin/sleep 100
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kv exec "$ID" /bin/true secret-word two
	[ "$(field exec .args)" = "$(printf '/bin/true\0secret-word\0two\0' | sha256sum | cut -d ' ' -f 1)" ]
	[ "$(field exec .program)" = /bin/true ]
	run grep -r secret-word "$LOG"
	[ "$status" = 1 ]
	kv delete --force "$ID"
	intact
}

@test "A-05 refusals and failures are records, with the message" {
	begin
	config '.process.user.uid = "1000"'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	[ "$(field refusal '"\(.outcome) \(.during) \(.id)"')" = "refused create $ID" ]
	[[ $(field refusal .reason) == *'process.user.uid: expected a number, found string "1000"' ]]

	config '.process.user.uid = 0 | .hooks = {createRuntime: [{path: "/bin/false"}]}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	[[ $(field hook-failure .reason) == *"error running createRuntime hook #0"* ]]

	config 'del(.hooks)'
	args /bin/sleep 100
	kv run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	kvrun exec "$ID" /no/such/program
	[ "$status" -gt 0 ]
	kvrun exec --user nobody "$ID" /bin/true
	[ "$status" -gt 0 ]
	[[ $(field exec '"\(.outcome) \(.reason)"') == "failed --user: expected"* ]]
	kv audit show --json | jq -se 'any(.[]; .event == "exec" and .outcome == "failed" and (.reason | length > 0))'
	kv delete --force "$ID"
	printf -v bad 'a\nb\033[31m'
	kvrun run -b "$BUNDLE" "$bad"
	[ "$status" = 1 ]
	[ "$(field create '"\(.outcome) \(.id | length)"')" = "failed 8" ]
	intact
}

@test "A-06 a kill for want of memory is a record when the container is deleted" {
	grep -q memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null || [ -d /sys/fs/cgroup/memory ] || skip "no memory controller"
	begin
	config '.linux.resources.memory = {limit: 8388608, swap: 8388608}'
	args /bin/sh -c 'tail /dev/zero; true'
	kv run -b "$BUNDLE" "$ID" || true
	[ "$(field oom '.kills > 0')" = true ]
	[[ $(events --container "$ID") == *"oom:ok delete:ok" ]]
	intact
}

@test "A-07 an edited record is named" {
	begin
	args /bin/true
	kv run -b "$BUNDLE" "$ID"
	sed -i "2s/\"uid\":0,/\"uid\":1,/" "$(current)"
	broken "record 1 (audit-00000000000000000000.jsonl line 2) was changed"
	kvrun audit verify --json --key "$KEY"
	[ "$status" = 2 ]
	[ "$(jq -c '[.intact, .keyed, (.problems | length)]' <<<"$output")" = "[false,true,1]" ]
	# without the key the chain shows it, at the record behind it
	kvrun audit verify
	[ "$status" = 2 ]
	[[ $output == *"record 2 ("*"does not follow the record before it"* ]]
}

@test "A-08 removed, repeated and exchanged records are named" {
	begin
	args /bin/true
	kv run -b "$BUNDLE" "$ID"
	cp "$(current)" "$BATS_TEST_TMPDIR/whole"
	sed -i 3d "$(current)"
	broken "record 2 is missing"
	sed 's/x/x/;3p' "$BATS_TEST_TMPDIR/whole" >"$(current)"
	broken "record 2 stands where record 3 is expected"
	sed '2{h;d};3{G}' "$BATS_TEST_TMPDIR/whole" >"$(current)"
	broken "record 1 stands where record 3 is expected"
	cp "$BATS_TEST_TMPDIR/whole" "$(current)"
	intact 5
}

@test "A-09 truncation at the tail is found, also with an older key file; a noted head finds what fits together" {
	begin
	cp -a "$LOG" "$BATS_TEST_TMPDIR/old"
	args /bin/true
	kv run -b "$BUNDLE" "$ID"
	head=$(kv audit head)
	[[ $head =~ ^4:[0-9a-f]{64}$ ]]
	kv audit verify --key "$KEY" --head "$head"
	sed -i '4,$d' "$(current)"
	broken "records 3 to 4 are missing at the end"
	rm "$LOG/key"
	kvrun audit verify --key "$KEY"
	[ "$status" = 2 ]
	[[ $output == *"what is missing at the end cannot be known"* ]]
	# all files of an earlier moment: only a head that is kept elsewhere knows better
	rm -r "${LOG:?}"/*
	cp -a "$BATS_TEST_TMPDIR/old/." "$LOG"
	kv audit verify --key "$KEY"
	kvrun audit verify --key "$KEY" --head "$head"
	[ "$status" = 2 ]
	[[ $output == *"record 4, which was seen elsewhere, is not there"* ]]
}

@test "A-10 verify without the key says that it checks less; a wrong key and a missing log are errors of their own" {
	begin
	kvrun audit verify
	[ "$status" = 0 ]
	[[ $output == *"no key was given: only the chain of digests was checked"* ]]
	kvrun audit verify --key "$(printf '%064d' 1)"
	[ "$status" = 1 ]
	[[ $output == *"the key is that of log"* ]]
	kvrun audit verify --key 12
	[ "$status" = 1 ]
	[[ $output == *"expected a key of 64 hexadecimal digits"* ]]
	printf ' %s \n' "$KEY" >"$BATS_TEST_TMPDIR/key"
	kv audit verify --key-file "$BATS_TEST_TMPDIR/key"
	kv audit verify --key-file - <"$BATS_TEST_TMPDIR/key"
	kvrun audit verify --dir "$BATS_TEST_TMPDIR/none"
	[ "$status" = 1 ]
	kvrun audit head --key "$KEY"
	[ "$status" = 1 ]
	[[ $output == *"audit head does not take --key"* ]]
	kvrun audit forget
	[ "$status" = 1 ]
	[[ $output == *"expected init, set, head, verify or show"* ]]
}

@test "A-11 show: one container, since a time, and nothing that a terminal would act on" {
	begin
	args /bin/true
	kv run -b "$BUNDLE" "$ID"
	printf -v bad 'x\033[2Jy'
	kv run -b "$BUNDLE" "$bad" || true
	kvrun audit show
	[ "$status" = 0 ]
	[[ $output == *"x?[2Jy"* ]]
	[[ $output != *$'\033'* ]]
	[ "$(kv audit show --container "$ID" | wc -l)" = 4 ]
	[ -z "$(kv audit show --since 2999-01-01)" ]
	[ "$(kv audit show --since 2020-01-01T00:00 | wc -l)" = 6 ]
	since=$(kv audit show --json | jq -r 'select(.seq == 3) | .time')
	[ "$(kv audit show --json --since "$since" | jq .seq | paste -sd ' ')" = "3 4 5" ]
	kvrun audit show --since yesterday
	[ "$status" = 1 ]
}

@test "A-12 show --follow goes on through new files" {
	begin --rotate 4K
	# by itself, not through a function: the number must be that of the program which is to be ended
	"$KAVACH" audit show --dir "$LOG" --json --follow >"$BATS_TEST_TMPDIR/out" 3>&- &
	follower=$!
	for _ in $(seq 20); do kv audit set --rotate 4K; done
	last=$(kv audit head | cut -d : -f 1)
	seen() { [ "$(jq .seq "$BATS_TEST_TMPDIR/out" | tail -n 1)" = "$last" ]; }
	wait_for 10 seen || { kill $follower; false; }
	kill $follower
	[ "$(jq .seq "$BATS_TEST_TMPDIR/out" | paste -sd ' ')" = "$(seq -s ' ' 0 "$last")" ]
	[ "$(find "$LOG" -name 'audit-*' | wc -l)" -gt 1 ]
}

@test "A-13 200 processes at once write 200 records" {
	begin
	# shellcheck disable=SC2016 # for the shell inside
	with_log sh -c 'for i in $(seq 200); do "$0" audit set --keep "$i" & done; wait' "$KAVACH"
	[ "$(field settings .keep | wc -l)" = 1 ]
	[ "$(kv audit show --json | jq -r 'select(.event == "settings") | .keep' | sort -n | paste -sd ' ')" = "$(seq -s ' ' 200)" ]
	[[ $(events) != *recovery* ]]
	intact 201
}

@test "A-14 killed after any system call, a writer leaves a log that is intact, and loses nothing" {
	command -v strace >/dev/null || skip "needs strace"
	begin --rotate 4K
	kv audit set --fsync --rotate 4K
	for call in flock openat newfstatat pread64 pwrite64 fdatasync ftruncate fsync close; do
		for n in $(seq 20); do
			# a bad end is what is wanted; the one that gets to its own end makes fewer such calls
			! with_log strace -qq -o /dev/null -e "inject=$call:signal=KILL:when=$n" \
				"$KAVACH" audit set --fsync --rotate 4K 2>/dev/null || break
			run kv audit verify --json --key "$KEY"
			[ "$status" = 0 ] || { echo "# killed at $call $n: $output"; false; }
			next=$(jq .next <<<"$output")
			[ "$next" -ge "${least:-0}" ]
			least=$next
			killed=$((${killed:-0} + 1))
		done
		[ "$n" -lt 20 ]
	done
	[ "$killed" -gt 15 ]
	[ "$(find "$LOG" -name 'audit-*' | wc -l)" -gt 1 ]
	[[ $(events) == *recovery* ]]
	intact
}

@test "A-27 any system call of an append that fails: an error, and a log that is intact" {
	command -v strace >/dev/null || skip "needs strace"
	begin --rotate 4K
	kv audit set --fsync --rotate 4K
	next=2
	for call in openat newfstatat flock pread64 pwrite64 fdatasync; do
		for n in $(seq 12); do
			run with_log strace -qq -o "$BATS_TEST_TMPDIR/trace" -e "inject=$call:error=EIO:when=$n" \
				"$KAVACH" audit set --fsync --rotate 4K
			failed=$status
			run kv audit verify --json --key "$KEY"
			[ "$status" = 0 ] || { echo "# $call $n: $output"; false; }
			now=$(jq .next <<<"$output")
			grep -q INJECTED "$BATS_TEST_TMPDIR/trace" || break
			# what was done is on record; what was not, is not, but for a key that did not get to the disk
			if [ "$failed" = 0 ] || grep -q 'fdatasync.*INJECTED' "$BATS_TEST_TMPDIR/trace"; then
				[ "$now" -ge "$next" ]
			else
				[ "$now" = "$next" ]
			fi
			next=$now
			errors=$((${errors:-0} + (failed != 0)))
		done
		next=$now
	done
	[ "$errors" -gt 6 ]
	intact
}

@test "A-15 a full disk: a warning, no part of a record, and the container runs; then it goes on" {
	args /bin/true
	# shellcheck disable=SC2016 # for the shell inside
	run unshare -m sh -ec 'mount -t tmpfs -o size=16k,mode=700 none "$2"
		key=$("$1" audit init -d "$2" | tail -n 1)
		mount -t tmpfs none /var/log; mkdir -m 700 /var/log/kavach; mount --bind "$2" /var/log/kavach
		i=0
		while [ $i -lt 50 ] && "$1" audit set 2>"$3/err"; do i=$((i + 1)); done
		[ $i -gt 3 ] && [ $i -lt 50 ]
		cat "$3/err"
		"$1" audit verify --key $key
		"$1" --root "$4" run -b "$5" full </dev/null
		"$1" audit verify --key $key
		mount -o remount,size=64k "$2"
		"$1" audit set
		"$1" audit verify --key $key
		[ "$("$1" audit head | cut -d : -f 1)" = $((i + 1)) ]
		echo "went on"' x "$KAVACH" "$LOG" "$BATS_TEST_TMPDIR" "$STATE" "$BUNDLE"
	echo "$output"
	[ "$status" = 0 ]
	[[ $output == *"no space left"*"went on" ]] || [[ $output == *"No space left"*"went on" ]]
	[ "$(grep -c "audit log verified" <<<"$output")" = 3 ]
	[[ $output != *pending* && $output != *"did not finish"* ]]
}

@test "A-16 rotation: the chain goes through the files, old ones go, and a file taken away is missed" {
	begin --rotate 4K --keep 2
	for _ in $(seq 40); do kv audit set --rotate 4K --keep 2; done
	[ "$(find "$LOG" -name 'audit-*' | wc -l)" = 3 ]
	intact
	kvrun audit verify --key "$KEY"
	[[ $output == *"were removed by rotation"* ]]
	rm "$(find "$LOG" -name 'audit-*' | sort | head -n 1)"
	broken "no rotation removed them"
}

@test "A-17 a log that others may write to, or whose key is damaged, is not written: a warning" {
	begin
	args /bin/true
	chmod 770 "$LOG"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 0 ]
	[[ $output == *"others may write to the directory"* ]]
	[ "$(grep -c "others may write" <<<"$output")" = 1 ]
	chmod 700 "$LOG"
	truncate -s 100 "$LOG/key"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 0 ]
	[[ $output == *"key file is damaged"* ]]
}

# listens like journald and syslog in the test's mount namespace, runs a command, prints what came
sinks() {
	# shellcheck disable=SC2016 # for the shell inside
	with_log sh -ec 'mkdir "$0/run" "$0/dev"; touch "$0/dev/null"
		mount --bind /dev/null "$0/dev/null"
		mount --bind "$0/run" /run; mkdir -p /run/systemd/journal; mount --rbind "$0/dev" /dev
		exec python3 - "$@"' "$BATS_TEST_TMPDIR" "$@" <<-'END'
		import socket, subprocess, sys
		socks = []
		for path in "/run/systemd/journal/socket", "/dev/log":
		    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
		    s.bind(path)
		    s.settimeout(0)
		    socks.append(s)
		subprocess.run(sys.argv[1:], check=True, stdin=subprocess.DEVNULL)
		for s in socks:
		    try:
		        while True:
		            print(s.recv(1 << 16).decode())
		    except BlockingIOError:
		        print("--")
	END
}

@test "A-18 the journal gets each record, syslog its number and digest; nobody listening is no error" {
	begin
	kv audit set --journald --syslog
	run sinks "$KAVACH" audit set --journald --syslog
	echo "$output"
	[ "$status" = 0 ]
	head=$(kv audit head)
	[[ $output == *"KAVACH_AUDIT_SEQ=2"*"KAVACH_AUDIT_DIGEST=${head#2:}"*"--"*"kavach-audit["*"2:${head#2:} settings"* ]]
	line=$(sed -n 's/^KAVACH_AUDIT_RECORD=//p' <<<"$output")
	[ "$line" = "$(tail -n 1 "$(current)")" ]
	[ "$(printf %s "$line" | sha256sum | cut -d ' ' -f 1)" = "${head#2:}" ]
	intact 3
}

@test "A-19 an ordinary user has a log of their own" {
	export XDG_STATE_HOME=$BATS_TEST_TMPDIR/home
	mkdir "$XDG_STATE_HOME"
	chown 12345 "$XDG_STATE_HOME"
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_RUN_TMPDIR"
	cp "$KAVACH" "$BATS_TEST_TMPDIR/kavach"
	user() { setpriv --reuid 12345 --regid 12345 --clear-groups "$BATS_TEST_TMPDIR/kavach" "$@"; }
	key=$(user audit init | tail -n 1)
	[ "$(stat -c '%a %u' "$XDG_STATE_HOME/kavach")" = "700 12345" ]
	run user audit verify --key "$key"
	[ "$status" = 0 ]
	[ "$(user audit show --json | jq .uid)" = 12345 ]
}

# a bundle as other runtimes take it, with the hooks of contrib/hooks
hook_bundle() {
	args "$@"
	config --arg hook "$KAVACH_BUILD/kavach-audit-hook" --arg dir "$LOG" '.ociVersion = "1.0.2" | .hooks = (
		["createRuntime", "poststart", "poststop"] | map({(.): [{path: $hook, args: ["hook", "--dir", $dir, "--required", .]}]}) | add)'
}

@test "A-20 kavach-audit-hook writes the same log under crun and runc" {
	begin
	tried=0
	for runtime in crun runc; do
		command -v $runtime >/dev/null || continue
		hook_bundle /bin/true
		# old versions of crun refuse a hybrid hierarchy with controllers in its v2 part: it is shown the v1 part alone
		# shellcheck disable=SC2016 # for the shell inside
		with_log sh -c '! mountpoint -q /sys/fs/cgroup/unified || umount -l /sys/fs/cgroup/unified; exec "$@"' x \
			$runtime --root "$BATS_TEST_TMPDIR/$runtime" run -b "$BUNDLE" "$runtime-$ID" </dev/null
		[ "$(events --container "$runtime-$ID")" = "create:ok start:ok delete:ok" ]
		[ "$(field create .config)" = "$(sha256sum <"$BUNDLE/config.json" | cut -d ' ' -f 1)" ]
		[[ $(field create .caller) == *"$runtime"* ]]
		[ "$(field delete .stage)" = poststop ]
		tried=$((tried + 1))
	done
	[ $tried -gt 0 ] || skip "neither crun nor runc"
	intact $((1 + 3 * tried))
}

@test "A-21 kavach-audit-hook --required fails when there is no log; wrong calls and states are refused" {
	hook() { run "$KAVACH_BUILD/kavach-audit-hook" "$@"; printf '# hook %s -> %s %s\n' "$*" "$status" "$output"; }
	state='{"ociVersion": "1.0.2", "id": "x", "status": "creating", "pid": 7, "bundle": "/nowhere"}'
	hook --dir "$LOG" --required createRuntime <<<"$state"
	[ "$status" = 1 ]
	[[ $output == *"there is no audit log in $LOG"* ]]
	hook --dir "$LOG" createRuntime <<<"$state"
	[ "$status" = 0 ]
	[ -z "$output" ]
	begin
	hook --dir "$LOG" poststart <<<"$state"
	[ "$status" = 0 ]
	[ "$(field start '"\(.id) \(.process) \(.config)"')" = "x 7 null" ]
	for bad in '' '[]' '{"id": 5, "bundle": "/x"}' '{"id": "x", "bundle": "x"}' '{"id": "x", "bundle": "/x", "pid": -1}'; do
		hook --dir "$LOG" --required poststop <<<"$bad"
		[ "$status" = 1 ]
	done
	for bad in startContainer createContainer '--dir x poststop' '' 'poststop poststop'; do
		# shellcheck disable=SC2086 # several words
		hook $bad <<<"$state"
		[ "$status" = 1 ]
		[[ $output == *usage* ]]
	done
	intact 2
}

@test "A-22 the hook files name stages that the program takes" {
	for f in "$KAVACH_SRC"/contrib/hooks/*.json; do
		stage=$(jq -r '.stages[0]' "$f")
		[ "$(jq -c '[.version, .hook.args, .when]' "$f")" = "[\"1.0.0\",[\"kavach-audit-hook\",\"$stage\"],{\"always\":true}]" ]
		"$KAVACH_BUILD/kavach-audit-hook" --dir "$BATS_TEST_TMPDIR/none" "$stage" <<<'{"id": "x", "bundle": "/x"}'
	done
}

rules_audit() {	# JSON of the rules' "audit"
	jq -n --argjson a "$1" '{audit: $a}' >"$RULES/audit.json"
}

@test "A-23 rules that demand the log: without one, nothing is started and nothing is made" {
	own_rootfs
	args /bin/touch /ran
	rules_audit '{"required": true}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	[[ $output == *"audit.required: "*"there is none in /var/log/kavach: kavach audit init makes it"* ]]
	[ ! -e "$BUNDLE/rootfs/ran" ]
	[ -z "$(ls "$STATE" 2>/dev/null)" ]
	[ -z "$(find /sys/fs/cgroup -path "*$CG/*" 2>/dev/null)" ]
	# without "required" it is a warning
	rules_audit '{"enabled": true}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 0 ]
	[[ $output == *"the site rules ask for an audit log"* ]]
	[ -e "$BUNDLE/rootfs/ran" ]
	begin
	rm "$BUNDLE/rootfs/ran"
	rules_audit '{"required": true}'
	kv run -b "$BUNDLE" "$ID"
	[ -e "$BUNDLE/rootfs/ran" ]
	intact 6
	# an attempt is on record also when nothing comes of it
	config '.hooks = {createRuntime: [{path: "/bin/false"}]}'
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" = 1 ]
	[ "$(events | grep -o "create:attempt [^ ]*" | tail -n 1)" = "create:attempt hook-failure:failed" ]
}

@test "A-24 rules that demand the log: a full disk ends create, start and exec, before the program runs" {
	own_rootfs
	args /bin/sleep 100
	config 'del(.linux.cgroupsPath)'
	rules_audit "{\"required\": true, \"directory\": \"$LOG\"}"
	# shellcheck disable=SC2016 # for the shell inside
	run unshare -m sh -ec 'mount -t tmpfs -o size=16k,mode=700 none "$2"
		key=$("$1" audit init -d "$2" | tail -n 1)
		kv="$1 --root $3 --rules $4"
		$kv create -b "$5" $ID.c </dev/null >/dev/null 2>&1
		$kv run -d -b "$5" $ID.r </dev/null >/dev/null 2>&1
		fill() { while "$1" audit set -d "$2" 2>/dev/null; do :; done; }
		fill "$1" "$2"
		for try in "start $ID.c" "exec $ID.r /bin/touch /ran" "create -b $5 $ID.3" "run -b $5 $ID.4"; do
			if $kv $try </dev/null >/dev/null 2>"$6/err"; then echo "not refused: $try"; exit 1; fi
			cat "$6/err"
		done
		[ "$($kv list --format json | jq -c "[.[] | {id, status}] | sort_by(.id)")" = \
			"[{\"id\":\"$ID.c\",\"status\":\"created\"},{\"id\":\"$ID.r\",\"status\":\"running\"}]" ]
		[ ! -e "$5/rootfs/ran" ]
		# what ends something is done all the same
		$kv delete --force $ID.r 2>"$6/err"
		cat "$6/err"
		mount -o remount,size=128k "$2"
		$kv start $ID.c
		$kv delete --force $ID.c
		"$1" audit verify -d "$2" --key $key' x "$KAVACH" "$LOG" "$STATE" "$RULES" "$BUNDLE" "$BATS_TEST_TMPDIR"
	echo "$output"
	[ "$status" = 0 ]
	[ "$(grep -c "kavach: audit.required: writing to the audit log" <<<"$output")" = 4 ]
	[[ $output == *"audit log verified"* ]]
}

@test "A-25 rules name a directory: all later commands write there, also without the rules" {
	other=$BATS_TEST_TMPDIR/other
	other_key=$("$KAVACH" audit init -d "$other" | tail -n 1)
	rules_audit "{\"directory\": \"$other\", \"sinks\": [\"journald\"], \"rotateBytes\": 4096}"
	args /bin/sleep 100
	kv create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	rm "$RULES/audit.json"
	kv start "$ID"
	kv exec "$ID" /bin/true
	run sinks "$KAVACH" --root "$STATE" kill "$ID" KILL
	echo "$output"
	[[ $output == *"KAVACH_AUDIT_EVENT=kill"*"KAVACH_CONTAINER=$ID"* ]]
	# two containers with two logs, by one command
	begin
	config 'del(.linux.cgroupsPath)'
	kv create -b "$BUNDLE" "$ID.usual" </dev/null >/dev/null 2>&1
	kv delete --force --regex "^$ID"
	[ "$(events | sed 's/:[a-z]*//g')" = "init create exit delete" ]
	"$KAVACH" audit verify -d "$other" --key "$other_key"
	[ "$("$KAVACH" audit show -d "$other" --json | jq -r .event | paste -sd ' ')" = "init create start exec exit kill exit delete" ]
}

@test "A-26 rules that turn the log off leave it alone" {
	begin
	rules_audit '{"enabled": false}'
	args /bin/true
	kv run -b "$BUNDLE" "$ID"
	intact 1
}

@test "A-21 drift is on record once for each inspection that finds some" {
	begin
	config '.linux.resources += {pids: {limit: 50}}'
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	kvrun inspect "$ID"
	[ "$status" = 0 ]
	[ -z "$(field drift .id)" ]
	file=/sys/fs/cgroup$CG/$ID/pids.max
	[ -e "$file" ] || file=/sys/fs/cgroup/pids$CG/$ID/pids.max
	echo max >"$file"
	kvrun inspect "$ID"
	[ "$status" = 2 ]
	kvrun inspect --json "$ID"
	[ "$status" = 2 ]
	kv state --strength "$ID"
	[ "$(kv audit show --json | jq -c 'select(.event == "drift")' | wc -l)" = 2 ]
	kv audit show --json | jq -se --arg i "$ID" '[.[] | select(.event == "drift")][1] | .id == $i and .outcome == "ok"
		and .drifts == 1 and .what == "control group pids.limit" and .measured == .score - 1'
	intact
}
