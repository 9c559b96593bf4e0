dnl SPDX-License-Identifier: Apache-2.0
dnl The options of configure, and the table that it prints at its end.

AC_DEFUN([KAVACH_OPTIONS], [
AC_ARG_ENABLE([werror],
	[AS_HELP_STRING([--enable-werror], [make compiler warnings errors])],
	[], [enable_werror=no])
AC_ARG_ENABLE([sanitizers],
	[AS_HELP_STRING([--enable-sanitizers@<:@=LIST@:>@],
		[build kavach and the tests with these sanitizers (yes means address,undefined)])],
	[], [enable_sanitizers=no])
AS_IF([test "x$enable_sanitizers" = xyes], [enable_sanitizers=address,undefined])
AC_ARG_ENABLE([coverage],
	[AS_HELP_STRING([--enable-coverage], [count executed lines for gcov])],
	[], [enable_coverage=no])
AC_ARG_ENABLE([static-link],
	[AS_HELP_STRING([--disable-static-link],
		[link kavach dynamically even where static libraries exist])],
	[], [enable_static_link=auto])
AC_ARG_WITH([musl],
	[AS_HELP_STRING([--with-musl=CC],
		[compiler for kavach-init; auto: musl-gcc where it works, else $CC; no: $CC @<:@auto@:>@])],
	[], [with_musl=auto])
])

AC_DEFUN([KAVACH_SUMMARY], [
cat <<EOF

  $PACKAGE_NAME $PACKAGE_VERSION

  compiler             $CC
  kavach links         $kavach_link
  libraries            $KAVACH_LIBS
  stage compiler       $STAGE_CC ($kavach_stage_libc)
  kavach-scope         $kavach_scope
  warnings are errors  $enable_werror
  sanitizers           $enable_sanitizers
  coverage             $enable_coverage
  hardening            $kavach_hardening
  not available        ${kavach_missing:-nothing}

EOF
])
