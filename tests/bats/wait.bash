# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Waiting for what a test has to see. Limits are for what hangs: no test may depend on how busy its machine is, or on whether
# that is an emulated one.

# wait_for SECONDS COMMAND...: until it succeeds; at least a minute
wait_for() {
	local end=$((SECONDS + ($1 < 60 ? 60 : $1)))
	shift
	until "$@"; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.05
	done
}

# catches PID NUMBER: whether a process has a handler for this signal
catches() {
	local mask
	mask=$(awk '/^SigCgt:/ { print $2 }' "/proc/$1/status")
	((0x$mask >> ($2 - 1) & 1))
}
