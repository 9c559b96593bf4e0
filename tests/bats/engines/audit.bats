# SPDX-License-Identifier: Apache-2.0
#
# The audit log under podman: kavach's own, and the one that kavach-audit-hook writes under crun and runc (E-audit).

load podman

setup_file() {
	setup_podman
}

teardown_file() {
	teardown_podman
}

setup() {
	LOG=$BATS_TEST_TMPDIR/log
	HOOKS=$BATS_TEST_TMPDIR/hooks
	RULES=$BATS_TEST_TMPDIR/rules
	NAME=audit-$BATS_TEST_NUMBER
	KEY=$("$KAVACH" audit init -d "$LOG" | tail -n 1)
	mkdir "$HOOKS" "$RULES"
}

# shipped hook files, for the program of this build and the log of this test
write_hooks() {
	local f
	for f in "$KAVACH_SRC"/contrib/hooks/*.json; do
		jq --arg hook "$KAVACH_BUILD/kavach-audit-hook" --arg dir "$LOG" '.hook.path = $hook
			| .hook.args = [.hook.args[0], "--dir", $dir, "--required", .hook.args[1]]' "$f" >"$HOOKS/${f##*/}"
	done
}

# with_podman RUNTIME ARGUMENT...: old versions of crun refuse a hybrid hierarchy with controllers in its v2 part: there,
# podman and all that it starts see the v1 part alone
with_podman() {
	local ENGINE_RUNTIME=$1 POD
	shift
	pod_command
	# shellcheck disable=SC2016 # for the shell inside
	[ "$ENGINE_RUNTIME" != crun ] || ! mountpoint -q /sys/fs/cgroup/unified ||
		POD=(unshare -m sh -c 'umount -l /sys/fs/cgroup/unified; exec "$@"' x "${POD[@]}")
	podrun "$@"
}

records() {
	"$KAVACH" audit show -d "$LOG" --json
}

events() {
	records | jq -r --arg id "$1" 'select(.id == $id) | .event + ":" + .outcome' | paste -sd ' '
}

# podman's own clean-up may come after its end
ends_with_delete() {
	[[ $(events "$1") == *"delete:ok" ]]
}

@test "podman and kavach: run, exec and stop are on record, from creation to removal" {
	jq -n --arg dir "$LOG" '{audit: {required: true, directory: $dir}}' >"$RULES/audit.json"
	with_podman kavach --runtime-flag "rules=$RULES" run -d --name "$NAME" "$IMAGE" sleep 100
	[ "$status" = 0 ]
	id=$output
	with_podman kavach --runtime-flag "rules=$RULES" exec "$NAME" /bin/sh -c 'exit 4'
	[ "$status" = 4 ]
	with_podman kavach --runtime-flag "rules=$RULES" rm -f -t 0 "$NAME"
	[ "$status" = 0 ]
	wait_for 20 ends_with_delete "$id"
	[[ $(events "$id") == "create:attempt create:ok start:attempt exec:attempt "*"exit:ok delete:ok" ]]
	records | jq -se --arg id "$id" 'all(.[] | select(.id == $id); (.policy | length == 64) and .score > 0 and .backend == "process")'
	records | jq -se 'any(.[]; .event == "create" and .caller == "conmon")'
	"$KAVACH" audit verify -d "$LOG" --key "$KEY"
}

@test "podman and kavach: what podman does not let through is a refusal on record" {
	jq -n --arg dir "$LOG" '{audit: {directory: $dir}, minimumStrength: 100}' >"$RULES/audit.json"
	with_podman kavach --runtime-flag "rules=$RULES" run --rm --name "$NAME" "$IMAGE" true
	[ "$status" != 0 ]
	records | jq -se 'any(.[]; .event == "refusal" and .during == "create" and (.reason | contains("minimumStrength")))'
	"$KAVACH" audit verify -d "$LOG" --key "$KEY"
}

hooked() {	# RUNTIME
	command -v "$1" >/dev/null || [ -x "/usr/sbin/$1" ] || skip "no $1 here"
	write_hooks
	with_podman "$1" --hooks-dir "$HOOKS" run --rm --cidfile "$BATS_TEST_TMPDIR/id" --name "$NAME" "$IMAGE" echo hello
	[ "$status" = 0 ]
	[[ $output == *hello* ]]
	id=$(cat "$BATS_TEST_TMPDIR/id")
	wait_for 20 ends_with_delete "$id"
	[ "$(events "$id")" = "create:ok start:ok delete:ok" ]
	# podman runs the poststop hooks itself
	records | jq -se --arg by kavach-audit-hook --arg runtime "$1" \
		'all(.[1:][]; .by | startswith($by)) and all(.[1:3][]; .caller | contains($runtime))'
	records | jq -se 'any(.[]; .event == "create" and (.config | length == 64) and .stage == "createRuntime")'
	python3 "$KAVACH_SRC/tests/tools/audit-verify.py" "$LOG" "$KEY"
	# the hook is --required: without a key file nothing starts
	mv "$LOG/key" "$LOG/key.away"
	with_podman "$1" --hooks-dir "$HOOKS" run --rm --name "$NAME" "$IMAGE" echo hello
	[ "$status" != 0 ]
	[[ $output != *hello* ]]
	mv "$LOG/key.away" "$LOG/key"
	"$KAVACH" audit verify -d "$LOG" --key "$KEY"
}

@test "podman and crun: the shipped hooks write the log, and demand it" {
	hooked crun
}

@test "podman and runc: the shipped hooks write the log, and demand it" {
	hooked runc
}
