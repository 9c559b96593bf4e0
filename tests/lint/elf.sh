#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Reads the built programs: what the hardening flags promised must be in the file. kavach is static-pie;
# kavach-init is a static program at a fixed address, on purpose: see runtime/exec/local.mk.

. "$(dirname "$0")/lib.sh"

readelf=${READELF:-readelf}
kavach=$KAVACH_BUILD/kavach
stage=$KAVACH_BUILD/kavach-init
scope=$KAVACH_BUILD/kavach-scope
hook=$KAVACH_BUILD/kavach-audit-hook

if [ "${KAVACH_INSTRUMENTED:-}" = 1 ]; then
	pass_skip "the built programs are hardened" "built with sanitizers or coverage"
	lint_done
fi

elf() {	# OPTIONS FILE
	LC_ALL=C "$readelf" -W "$@"
}

libraries_are() {	# FILE ALLOWED...
	local file=$1 lib rc=0
	shift
	for lib in $(elf -d "$file" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'); do
		case " $* " in
		*" ${lib%%.so*} "*) ;;
		*) echo "$file needs $lib"; rc=1 ;;
		esac
	done
	return $rc
}
no_interpreter() {
	! elf -l "$1" | grep INTERP
}
is_type() {	# FILE DYN|EXEC
	elf -h "$1" | grep "Type:" | grep -w "$2"
}
stack_not_executable() {
	elf -l "$1" | grep -E 'GNU_STACK.* RW  '
}
nothing_writable_and_executable() {
	! elf -l "$1" | grep -E ' RWE '
}
code_apart() {	# the segment with the code holds nothing that is only read
	elf -l "$1" | awk '/LOAD/ && / R E / { n++ } /LOAD/ && / R   / { ro++ } END { exit !(n == 1 && ro >= 1) }'
}
has_symbol() {	# FILE SYMBOL
	elf -s "$1" | grep -qE " $2(@|$| )"
}
has_segment() {
	elf -l "$1" | grep -w "$2"
}
binds_now() {
	elf -d "$1" | grep -E 'BIND_NOW|FLAGS_1.*NOW'
}
no_build_path() {	# strings of this machine's folders
	! LC_ALL=C grep -a -o -F -e "$KAVACH_BUILD" -e "$KAVACH_SRC/" "$1"
}
stage_is_embedded() {
	local start end
	start=$((16#$(elf -s "$kavach" | awk '$8 == "kavach_stage_start" { print $2 }')))
	end=$((16#$(elf -s "$kavach" | awk '$8 == "kavach_stage_end" { print $2 }')))
	[ "$((end - start))" -eq "$(stat -c %s "$stage")" ] || { echo "$start $end"; return 1; }
	[ $((start % 4096)) -eq 0 ] || { echo "not aligned"; return 1; }
	# address to file offset, through the segment that holds it
	elf -l "$kavach" | awk '/LOAD/ { print $2, $3, $5 }' | while read -r off addr size; do
		if [ "$start" -ge "$((addr))" ] && [ "$start" -lt "$((addr + size))" ]; then
			cmp <(tail -c +$((start - addr + off + 1)) "$kavach" | head -c $((end - start))) "$stage" &&
				echo same
		fi
	done | grep -q same
}
at_most() {	# FILE BYTES
	local n
	n=$(stat -c %s "$1")
	echo "$n bytes, at most $2"
	[ "$n" -le "$2" ]
}

if elf -l "$kavach" | grep -q INTERP; then
	# no static libraries where this was built
	check "kavach needs only libc, libseccomp and yajl" \
		libraries_are "$kavach" libc libseccomp libyajl ld-linux-x86-64 ld-linux-aarch64
else
	check "kavach needs no library at run time" libraries_are "$kavach"
	check "kavach has no interpreter" no_interpreter "$kavach"
fi
check "kavach can be loaded anywhere (PIE)" is_type "$kavach" DYN
check "kavach: relocations are read-only after start" has_segment "$kavach" GNU_RELRO
check "kavach: all symbols are bound at start" binds_now "$kavach"
check "kavach: stack is not executable" stack_not_executable "$kavach"
check "kavach: nothing is writable and executable" nothing_writable_and_executable "$kavach"
check "kavach: code lies apart from data" code_apart "$kavach"
check "kavach: functions have stack canaries" has_symbol "$kavach" __stack_chk_fail
check "kavach: copies are checked (_FORTIFY_SOURCE)" has_symbol "$kavach" '__[a-z]+_chk'
check "kavach: no path of the build machine" no_build_path "$kavach"
check "kavach-init is in kavach, byte for byte, at a page's start" stage_is_embedded

# FILE KIBIBYTES: what is made like kavach-init
is_static() {
	local file=$KAVACH_BUILD/$1 limit=$(($2 << 10))
	check "$1 needs no library at run time" libraries_are "$file"
	check "$1 has no interpreter" no_interpreter "$file"
	check "$1 is a program at a fixed address" is_type "$file" EXEC
	check "$1: stack is not executable" stack_not_executable "$file"
	check "$1: nothing is writable and executable" nothing_writable_and_executable "$file"
	check "$1: code lies apart from data" code_apart "$file"
	check "$1: functions have stack canaries" has_symbol "$file.debug" __stack_chk_fail
	check "$1: no path of the build machine" no_build_path "$file"
	# glibc alone is 700 KiB of a static program
	has_symbol "$file.debug" __init_libc || limit=1048576
	check "$1 is small" at_most "$file" $limit
}
is_static kavach-init 256
is_static kavach-agent 384

# other runtimes run it as root; linked like kavach, but for the libraries of other parts
# shellcheck disable=SC2046 # several words
check "kavach-audit-hook needs no library that kavach does not" \
	libraries_are "$hook" $(elf -d "$kavach" | sed -n 's/.*(NEEDED).*\[\(.*\)\.so.*/\1/p')
check "kavach-audit-hook can be loaded anywhere (PIE)" is_type "$hook" DYN
check "kavach-audit-hook: relocations are read-only after start" has_segment "$hook" GNU_RELRO
check "kavach-audit-hook: all symbols are bound at start" binds_now "$hook"
check "kavach-audit-hook: stack is not executable" stack_not_executable "$hook"
check "kavach-audit-hook: nothing is writable and executable" nothing_writable_and_executable "$hook"
check "kavach-audit-hook: functions have stack canaries" has_symbol "$hook" __stack_chk_fail
check "kavach-audit-hook: no path of the build machine" no_build_path "$hook"

if [ ! -x "$scope" ]; then
	pass_skip "kavach-scope is hardened" "built without libsystemd"
	lint_done
fi
check "kavach-scope needs only libc and libsystemd" \
	libraries_are "$scope" libc libsystemd ld-linux-x86-64 ld-linux-aarch64
check "kavach-scope can be loaded anywhere (PIE)" is_type "$scope" DYN
check "kavach-scope: relocations are read-only after start" has_segment "$scope" GNU_RELRO
check "kavach-scope: all symbols are bound at start" binds_now "$scope"
check "kavach-scope: stack is not executable" stack_not_executable "$scope"
check "kavach-scope: nothing is writable and executable" nothing_writable_and_executable "$scope"
check "kavach-scope: functions have stack canaries" has_symbol "$scope" __stack_chk_fail
check "kavach-scope: no path of the build machine" no_build_path "$scope"
lint_done
