dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl Warning and hardening flags. Each one is probed by itself, with -Werror, so that a compiler that
dnl lacks one still builds; tests/lint/elf.sh then reads the built ELF and fails when something that the
dnl compiler has was lost on the way.

dnl KAVACH_TRY_FLAG(VARIABLE, FLAG, [compile|link]): appends FLAG to VARIABLE when the compiler takes it.
AC_DEFUN([KAVACH_TRY_FLAG], [
AS_VAR_PUSHDEF([cv], [kavach_cv_$3_flag_$2])
AC_CACHE_CHECK([whether $CC takes $2], [cv], [
	kavach_save_CFLAGS=$CFLAGS kavach_save_LDFLAGS=$LDFLAGS
	m4_if([$3], [link], [LDFLAGS="$LDFLAGS $2"])
	CFLAGS="$CFLAGS -O2 -Werror $2"
	m4_if([$3], [link],
		[AC_LINK_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([cv], [yes])], [AS_VAR_SET([cv], [no])])],
		[AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
			[AS_VAR_SET([cv], [yes])], [AS_VAR_SET([cv], [no])])])
	CFLAGS=$kavach_save_CFLAGS LDFLAGS=$kavach_save_LDFLAGS
])
AS_VAR_IF([cv], [yes], [$1="$$1 $2"], [kavach_missing="$kavach_missing $2"])
AS_VAR_POPDEF([cv])
])

AC_DEFUN([KAVACH_HARDENING], [
kavach_missing=
WARN_CFLAGS= HARDEN_CFLAGS= HARDEN_LDFLAGS= INSTRUMENT_FLAGS= SECTION_CFLAGS= SECTION_LDFLAGS=

m4_foreach_w([flag], [
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
	-Wvla -Wformat=2 -Wwrite-strings -Wimplicit-fallthrough -Wundef -Wpointer-arith
	-Wcast-align -Wlogical-op -Wduplicated-cond -Wdate-time -Wnull-dereference
], [KAVACH_TRY_FLAG([WARN_CFLAGS], m4_defn([flag]), [compile])])
AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])

dnl The stack: canaries, a probe for each page, shadow stacks and landing pads where the CPU has them,
dnl and no variable that keeps what was on the stack before.
m4_foreach_w([flag], [
	-fstack-protector-strong -fstack-clash-protection -fcf-protection=full
	-ftrivial-auto-var-init=zero -fno-strict-aliasing -fno-delete-null-pointer-checks
], [KAVACH_TRY_FLAG([HARDEN_CFLAGS], m4_defn([flag]), [compile])])
m4_foreach_w([flag], [
	-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,separate-code -Wl,--as-needed
], [KAVACH_TRY_FLAG([HARDEN_LDFLAGS], m4_defn([flag]), [link])])
m4_foreach_w([flag], [-ffunction-sections -fdata-sections],
	[KAVACH_TRY_FLAG([SECTION_CFLAGS], m4_defn([flag]), [compile])])
KAVACH_TRY_FLAG([SECTION_LDFLAGS], [-Wl,--gc-sections], [link])
HARDEN_CFLAGS="$HARDEN_CFLAGS $SECTION_CFLAGS"
HARDEN_LDFLAGS="$HARDEN_LDFLAGS $SECTION_LDFLAGS"

dnl The same source must give the same bytes wherever it is built.
AC_CACHE_CHECK([whether $CC takes -ffile-prefix-map], [kavach_cv_prefix_map], [
	kavach_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS -Werror -ffile-prefix-map=/a=/b"
	AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [kavach_cv_prefix_map=yes], [kavach_cv_prefix_map=no])
	CFLAGS=$kavach_save_CFLAGS
])

dnl Sanitizers and _FORTIFY_SOURCE intercept the same calls; a distribution's own -D_FORTIFY_SOURCE is
dnl replaced, not doubled. Level 3 needs gcc 12 or clang 9 and glibc 2.34.
AS_IF([test "x$enable_sanitizers" != xno], [
	INSTRUMENT_FLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer"
	INSTRUMENT_FLAGS="$INSTRUMENT_FLAGS -fno-sanitize-recover=all"
	AC_MSG_CHECKING([whether $CC takes $INSTRUMENT_FLAGS])
	kavach_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $INSTRUMENT_FLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no]); AC_MSG_ERROR([no sanitizers "$enable_sanitizers" here])])
	CFLAGS=$kavach_save_CFLAGS
], [
	AC_CACHE_CHECK([for the level of _FORTIFY_SOURCE], [kavach_cv_fortify], [
		kavach_cv_fortify=none
		kavach_save_CFLAGS=$CFLAGS
		for level in 2 3; do
			CFLAGS="$kavach_save_CFLAGS -O2 -Werror -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$level"
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[
#if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL != _FORTIFY_SOURCE
#error not supported
#endif
				]])], [kavach_cv_fortify=$level])
		done
		CFLAGS=$kavach_save_CFLAGS
	])
	AS_IF([test "$kavach_cv_fortify" != none],
		[HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$kavach_cv_fortify"],
		[kavach_missing="$kavach_missing _FORTIFY_SOURCE"])
])
AS_IF([test "x$enable_coverage" = xyes], [INSTRUMENT_FLAGS="$INSTRUMENT_FLAGS --coverage -O0"])

kavach_hardening=`echo $HARDEN_CFLAGS $HARDEN_LDFLAGS | wc -w`
kavach_hardening="$kavach_hardening flags, _FORTIFY_SOURCE ${kavach_cv_fortify:-off}"
AC_SUBST([WARN_CFLAGS])
AC_SUBST([HARDEN_CPPFLAGS])
AC_SUBST([HARDEN_CFLAGS])
AC_SUBST([HARDEN_LDFLAGS])
AC_SUBST([INSTRUMENT_FLAGS])
AM_CONDITIONAL([INSTRUMENTED], [test -n "$INSTRUMENT_FLAGS"])
AM_CONDITIONAL([PREFIX_MAP], [test "$kavach_cv_prefix_map" = yes])
])
