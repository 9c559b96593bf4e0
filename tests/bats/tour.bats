#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# docs/tour.md does what it says, on a machine of its own: /etc, /run and /var/log are this test's.

load helpers

@test "docs/tour.md: each command prints what stands there" {
	requires_root
	[ "$(uname -m)" = x86_64 ] || skip "the page shows x86_64"
	command -v busybox >/dev/null || skip "needs busybox-static"
	mkdir "$BATS_TEST_TMPDIR/work" "$BATS_TEST_TMPDIR/etc" "$BATS_TEST_TMPDIR/upper"
	mkdir "$BATS_TEST_TMPDIR/bin"
	ln -s "$KAVACH" "$BATS_TEST_TMPDIR/bin/kavach"
	ln -s "$KAVACH_SRC/contrib" "$BATS_TEST_TMPDIR/work/contrib"
	# shellcheck disable=SC2016 # for the shell inside
	run unshare -m --propagation private bash -ec '
		mount -t tmpfs none "$1/upper"
		mkdir "$1/upper/d" "$1/upper/w"
		mount -t overlay -o "lowerdir=/etc,upperdir=$1/upper/d,workdir=$1/upper/w" none /etc
		rm -rf /etc/kavach
		mount -t tmpfs none /run
		mount -t tmpfs none /var/log
		cd "$1/work"
		PATH=$1/bin:$PATH
		exec "$KAVACH_SRC/tests/tools/tour.py" "$KAVACH_SRC/docs/tour.md"' - "$BATS_TEST_TMPDIR"
	echo "$output"
	[ "$status" -eq 0 ]
}
