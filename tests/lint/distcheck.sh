#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# slow: builds the tree again from its own archive; timeout: 2400
#
# The release archive has everything that it needs, builds from a read-only tree, installs and uninstalls.

. "$(dirname "$0")/lib.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/kavach-dist.XXXXXX")
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

distcheck() {
	# bats tests need the machine, not the archive: `make check` of the tree itself runs them
	(cd "$work" && "$KAVACH_SRC/configure" --quiet &&
		env -u KAVACH -u KAVACH_SRC -u KAVACH_BUILD CI= \
			make -s -j"$(nproc)" distcheck CHECK_KINDS="golden lint") 2>&1 | tail -n 60
	return "${PIPESTATUS[0]}"
}

if [ -f "$KAVACH_SRC/config.status" ]; then
	pass_skip "make distcheck passes" "the source tree is configured in place"
	lint_done
fi
check "make distcheck passes" distcheck
lint_done
