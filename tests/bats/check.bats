#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# kavach check: what it says of this machine is true, for root and for an ordinary user, and it changes nothing. What it says
# of other machines is in tests/golden/check.

load helpers

NOBODY=54321

setup_file() {
	setup_rootfs
	chmod 711 "$BATS_RUN_TMPDIR" "$BATS_RUN_TMPDIR/file" "$BATS_FILE_TMPDIR"
	cp "$KAVACH" "$BATS_FILE_TMPDIR/kavach"
	chmod 755 "$BATS_FILE_TMPDIR/kavach"
}

setup() {
	CHECK=$BATS_FILE_TMPDIR/kavach
	export CHECK
}

# as_user COMMAND...: an ordinary user with a home and a runtime directory of the test's
as_user() {
	mkdir -p "$BATS_FILE_TMPDIR/home/run"
	chown -R $NOBODY:$NOBODY "$BATS_FILE_TMPDIR/home"
	env -i PATH="$PATH" HOME="$BATS_FILE_TMPDIR/home" XDG_RUNTIME_DIR="$BATS_FILE_TMPDIR/home/run" \
		setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

# without_userns COMMAND...: root of a user namespace that allows no other one, and without capabilities
without_userns() {
	unshare -U -r sh -ec 'echo 0 >/proc/sys/user/max_user_namespaces
		exec setpriv --inh-caps=-all --bounding-set=-all "$@"' - "$@"
}

row() {	# JSON ROW FILTER
	jq -r --arg n "$2" ".rows[] | select(.name == \$n) | $3" <<<"$1"
}

# the user's exit status and report; either may be the truth of a machine
report() {
	run "$@"
	printf '%s\n' "$output"
	[ "$status" -le 1 ]
}

@test "one screen: 80 columns, no control characters, each row with its state; NO_COLOR and pipes are plain" {
	report "$CHECK" check
	[ "${lines[0]}" = "$(head -n 1 <<<"$output")" ]
	[[ ${lines[0]} == "kavach "*" on Linux $(uname -r) $(uname -m), for $(id -un)" ]]
	awk 'length($0) > 80 || / $/ || /[^ -~]/ { bad = 1; print } END { exit bad }' <<<"$output"
	for r in $("$CHECK" check --json | jq -r '.rows[].name'); do
		grep -qE "^  (ok|limited|missing) +$r " <<<"$output"
		# and the man page knows it
		grep -qE "^\.It Cm $r\$" "$KAVACH_SRC/docs/man/kavach.1"
	done
	# on a terminal there is colour, unless that is not wanted
	if command -v script >/dev/null; then
		TERM=xterm script -qec "'$CHECK' check kernel" /dev/null | grep -q $'\033\[32mok'
		run env TERM=xterm NO_COLOR=1 script -qec "'$CHECK' check kernel" /dev/null
		[[ $output == *kernel* && $output != *$'\033'* ]]
	fi
}

@test "the exit status says whether a container can be started, and one can" {
	requires_root
	report "$CHECK" check --json
	[ "$(jq .backends.process <<<"$output")" = "$([ "$status" -eq 0 ] && echo true || echo false)" ]
	# this machine runs the tests of containers: they are possible
	[ "$status" -eq 0 ]
	jq -e '.rows | length > 20 and all(.state == "ok" or (.fixes | length > 0))' <<<"$output"
	jq -e '.rows | all((.stops | length == 0) or .state != "ok")' <<<"$output"
	[ "$(row "$output" kernel .values.release)" = "$(uname -r)" ]
	[ "$(row "$output" privilege .values.uid)" = 0 ]
}

@test "what it says of root's machine is so" {
	requires_root
	report "$CHECK" check --json
	case $(row "$output" cgroup .values.layout) in
	v2) [ "$(stat -fc %T /sys/fs/cgroup)" = cgroup2fs ] ;;
	hybrid) [ "$(stat -fc %T /sys/fs/cgroup/unified)" = cgroup2fs ] ;;
	v1 | none) [ ! -e /sys/fs/cgroup/cgroup.controllers ] ;;
	*) false ;;
	esac
	[ "$(row "$output" lsm .values.apparmor)" = "$([ "$(cat /sys/module/apparmor/parameters/enabled 2>/dev/null)" = Y ] && echo true || echo false)" ]
	[ "$(row "$output" systemd .state)" = missing ] || [ -d /run/systemd/system ]
	[ "$(row "$output" criu .state)" = missing ] || criu --version
	if [ "$(row "$output" kvm .fact | cut -c 1-14)" = "/dev/kvm works" ]; then [ -c /dev/kvm ]; fi
	if [ "$(row "$output" sev-device .state)" = ok ]; then [ -c /dev/sev ]; fi
	[ "$(row "$output" userns .state)" != ok ] || unshare -U true
}

@test "an ordinary user is told what he himself can do" {
	requires_root
	report as_user "$CHECK" check --json
	json=$output
	[ "$(row "$json" privilege .values.uid)" = $NOBODY ]
	[ "$(row "$json" privilege .values.caps)" = 0 ] || [ "$(row "$json" privilege .values.caps)" = 0x0 ]
	[ "$(row "$json" state .values.root)" = "$BATS_FILE_TMPDIR/home/run/kavach" ]
	if as_user unshare -U -r -m true; then
		[ "$(row "$json" userns .state)" = ok ]
		[ "$(jq .backends.process <<<"$json")" = true ]
	else
		[ "$(row "$json" userns .state)" = missing ]
		[ "$(jq .backends.process <<<"$json")" = false ]
	fi
	# he has no ranges of ids: which lines to add
	[ "$(row "$json" subids .state)" = limited ]
	row "$json" subids '.fixes[]' | grep -qF "add \"$NOBODY:100000:65536\" to /etc/subuid"
	[ "$(row "$json" cgroup .values.delegated)" != true ]
	[ "$(row "$json" kvm .state)" = limited ]
}

@test "a program that is not in PATH is missing, and what to install" {
	requires_root
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	run as_user env PATH="$BATS_TEST_TMPDIR/bin" "$CHECK" check idhelpers criu qemu
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"missing idhelpers     newuidmap is not in PATH; newgidmap is not in PATH"* ]]
	[[ $output == *"apt install uidmap"* ]]
	[[ $output == *"missing criu "* ]]
	[[ $output == *"missing qemu "* ]]
}

@test "newuidmap is tried: with a range it works, without its privilege it does not" {
	requires_root
	command -v newuidmap >/dev/null || skip "no newuidmap"
	# the helpers ask for a name
	(cat /etc/passwd && echo "kvtest:x:$NOBODY:$NOBODY::/:/bin/sh") >"$BATS_TEST_TMPDIR/passwd"
	echo "kvtest:700000:65536" >"$BATS_TEST_TMPDIR/subid"
	named() {
		unshare -m --propagation private sh -ec 'cd "$1" && mount --bind passwd /etc/passwd
			mount --bind subid /etc/subuid && mount --bind subid /etc/subgid && cd / && shift && exec "$@"' - "$BATS_TEST_TMPDIR" \
			setpriv --reuid $NOBODY --regid $NOBODY --clear-groups --inh-caps=-all "$@"
	}
	run named "$CHECK" check subids idhelpers
	echo "$output"
	[ "$status" -eq 0 ]
	[[ $output == *"ok      subids        subuid: 65536 ids from 700000; subgid: 65536 ids from"* ]]
	[[ $output == *"ok      idhelpers     newuidmap works; newgidmap works"* ]]
	run named setpriv --no-new-privs "$CHECK" check idhelpers
	echo "$output"
	[[ $output == *"limited idhelpers "*no_new_privs* ]]
}

@test "without user namespaces: exit status 1, the sysctl by name; create fails with the same words" {
	requires_root
	run without_userns "$CHECK" --root "$BATS_TEST_TMPDIR/state" check
	echo "$output"
	[ "$status" -eq 1 ]
	[[ $output == *"no      process "* ]]
	[[ $(tr -s ' \n' ' ' <<<"$output") == *"user.max_user_namespaces is 0 fix: sysctl -w user.max_user_namespaces="* ]]
	setup_kavach
	rm "$BUNDLE/config.json"
	without_userns "$CHECK" spec --rootless -b "$BUNDLE"
	config --arg r "$ROOTFS" '.process.terminal = false | .root.path = $r | .process.args = ["true"]'
	run without_userns "$CHECK" --root "$BATS_TEST_TMPDIR/state" --cgroup-manager disabled run -b "$BUNDLE" "$ID"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *"creating the container's process"*"user.max_user_namespaces is 0; fix: sysctl -w user.max_user_namespaces=15000"* ]]
	teardown_kavach
}

@test "rows by name, backends by name, and wrong ones" {
	report "$CHECK" check --json kernel clock
	[ "$(jq -c '[.rows[].name]' <<<"$output")" = '["kernel","clock"]' ]
	[ "$(jq 'has("backends")' <<<"$output")" = false ]
	for b in process vm snp; do
		report "$CHECK" check --json --backend $b
		[ "$(jq -c '.backends | keys' <<<"$output")" = "[\"$b\"]" ]
		[ "$(jq ".backends.$b" <<<"$output")" = "$([ "$status" -eq 0 ] && echo true || echo false)" ]
	done
	# a program without that backend does not claim it, whatever the machine has
	[[ $(row "$output" build .values.snp) == true ]] || [ "$status" -eq 1 ]
	run "$CHECK" check nosuch
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == *'unknown row "nosuch"'*kernel* ]]
	run "$CHECK" check --backend docker
	[ "$status" -eq 1 ]
	[[ $output == *"expected process, vm or snp, found \"docker\""* ]]
}

@test "it changes nothing: no mount, file, namespace or process is left" {
	requires_root
	# in namespaces of its own, where nobody else comes and goes
	run unshare -m -p -f --mount-proc --propagation private bash -ec '
		mkdir "$0"
		mount -t tmpfs none "$0"
		cp "$CHECK" "$0/kavach"
		mount --move "$0" /tmp
		mkdir -p /tmp/run /tmp/home
		chmod 777 /tmp /tmp/home /tmp/run
		export HOME=/tmp/home XDG_RUNTIME_DIR=/tmp/run
		census() {
			cat /proc/self/mountinfo /etc/subuid /etc/subgid
			find /tmp /dev/shm
			set -- /proc/[0-9]* # no pipe: its processes would be counted or not
			echo $#
			sysctl -a --pattern "^(user\.max|kernel\.(unpriv|apparmor))" 2>/dev/null
			ls -d /run/kavach 2>/dev/null | wc -l
			cat /proc/self/cgroup
			readlink /proc/$$/ns/*
		}
		before=$(census)
		/tmp/kavach check --json >/dev/null || [ $? -eq 1 ]
		setpriv --reuid '$NOBODY' --regid '$NOBODY' --clear-groups --inh-caps=-all /tmp/kavach check >/dev/null || [ $? -eq 1 ]
		after=$(census)
		diff <(echo "$before") <(echo "$after") && echo the same' "$BATS_TEST_TMPDIR/tmp"
	echo "$output"
	[ "$status" -eq 0 ]
	[ "${lines[-1]}" = "the same" ]
}
