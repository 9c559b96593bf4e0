dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl kavach links libseccomp and yajl, and nothing else. Starting a dynamically linked program costs more
dnl than most of what kavach does, so it is linked statically wherever the static libraries are there;
dnl as a position-independent executable where libc can (glibc starts one as fast as a fixed one).

dnl KAVACH_TRY_LINK(VARIABLE, LIBS, FLAGS): does a program that uses both libraries link and run?
AC_DEFUN([KAVACH_TRY_LINK], [
kavach_save_LIBS=$LIBS kavach_save_LDFLAGS=$LDFLAGS kavach_save_CPPFLAGS=$CPPFLAGS
LIBS="$2 $LIBS" LDFLAGS="$LDFLAGS $3" CPPFLAGS="$CPPFLAGS $KAVACH_LIBS_CFLAGS"
AC_RUN_IFELSE([AC_LANG_PROGRAM([[
#include <seccomp.h>
#include <yajl/yajl_parse.h>
]], [[
	yajl_handle y = yajl_alloc(NULL, NULL, NULL);

	if (!y || !seccomp_version())
		return 1;
	yajl_free(y);
	return 0;
]])], [$1=yes], [$1=no], [$1=no])
LIBS=$kavach_save_LIBS LDFLAGS=$kavach_save_LDFLAGS CPPFLAGS=$kavach_save_CPPFLAGS
])

AC_DEFUN([KAVACH_LIBRARIES], [
PKG_CHECK_MODULES([SECCOMP], [libseccomp >= 2.5.0])
PKG_CHECK_MODULES([YAJL], [yajl >= 2.1.0])
KAVACH_LIBS_CFLAGS="$SECCOMP_CFLAGS $YAJL_CFLAGS"
KAVACH_LIBS="$SECCOMP_LIBS $YAJL_LIBS"
LINK_FLAGS=
kavach_link=dynamic

dnl A sanitizer's runtime and gcov want the dynamic linker.
AS_IF([test -n "$INSTRUMENT_FLAGS"], [enable_static_link=no])
AS_IF([test "x$enable_static_link" != xno], [
	AC_MSG_CHECKING([how kavach can be linked])
	# Debian calls yajl's archive libyajl_s.a
	for libs in "$SECCOMP_LIBS -lyajl_s" "$SECCOMP_LIBS $YAJL_LIBS"; do
		# Packed, the relocations are 2 KiB to read at each start and not 130 (binutils 2.38, glibc 2.36)
		for flags in "-static-pie -Wl,-z,pack-relative-relocs" -static-pie -static; do
			KAVACH_TRY_LINK([kavach_linked], [$libs], [$flags])
			AS_IF([test "$kavach_linked" = yes], [
				KAVACH_LIBS=$libs LINK_FLAGS=$flags kavach_link=${flags%% *}
				kavach_link=${kavach_link#-}
				break 2
			])
		done
	done
	AC_MSG_RESULT([$kavach_link])
	AS_IF([test "x$enable_static_link" = xyes && test "$kavach_link" = dynamic],
		[AC_MSG_ERROR([--enable-static-link, but libseccomp.a or yajl's archive is missing])])
])
AS_CASE([$kavach_link],
	[static], [PIE_CFLAGS=],
	[PIE_CFLAGS=-fPIE])
AS_IF([test "$kavach_link" = dynamic], [LINK_FLAGS=-pie])
AC_SUBST([KAVACH_LIBS])
AC_SUBST([KAVACH_LIBS_CFLAGS])
AC_SUBST([LINK_FLAGS])
AC_SUBST([PIE_CFLAGS])
])

dnl libsystemd is for the helper kavach-scope alone, which the systemd cgroup driver runs. sd-bus has had
dnl sd_bus_match_signal() since 237.
AC_DEFUN([KAVACH_SYSTEMD], [
AC_ARG_WITH([systemd],
	[AS_HELP_STRING([--without-systemd], [do not build kavach-scope, and so no systemd cgroup driver])],
	[], [with_systemd=auto])
kavach_scope=no
AS_IF([test "x$with_systemd" != xno], [
	PKG_CHECK_MODULES([SYSTEMD], [libsystemd >= 237], [kavach_scope=yes], [
		AS_IF([test "x$with_systemd" = xyes],
			[AC_MSG_ERROR([--with-systemd, but libsystemd was not found])])
	])
])
AM_CONDITIONAL([SCOPE], [test "$kavach_scope" = yes])
])

dnl libcrypto is for kavach-attest and kavach-keeper alone. The EVP interface used is that of 3.0.
AC_DEFUN([KAVACH_CRYPTO], [
PKG_CHECK_MODULES([CRYPTO], [libcrypto >= 3.0])
])

dnl How the helpers are linked, which is with shared libraries.
AC_DEFUN([KAVACH_HELPERS], [
HELPER_LINK_FLAGS=
AS_IF([test -n "$PIE_CFLAGS"], [HELPER_LINK_FLAGS=-pie])
AS_IF([test -n "$INSTRUMENT_FLAGS"], [HELPER_LINK_FLAGS="$HELPER_LINK_FLAGS $INSTRUMENT_FLAGS"])
AC_SUBST([HELPER_LINK_FLAGS])
])

dnl kavach-keeper runs in a guest, where there are no libraries. Without libcrypto's archive it is built for the tests only.
AC_DEFUN([KAVACH_KEEPER], [
KEEPER_LIBS="$YAJL_LIBS $CRYPTO_LIBS" KEEPER_LINK_FLAGS=$HELPER_LINK_FLAGS
kavach_keeper=dynamic
AS_IF([test "$kavach_link" != dynamic], [
	AC_MSG_CHECKING([whether kavach-keeper can be linked statically])
	kavach_save_LIBS=$LIBS kavach_save_LDFLAGS=$LDFLAGS
	LIBS="$CRYPTO_LIBS $LIBS" LDFLAGS="$LDFLAGS $LINK_FLAGS"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <openssl/evp.h>]],
		[[return !EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");]])], [
		KEEPER_LIBS="$KAVACH_LIBS $CRYPTO_LIBS" KEEPER_LINK_FLAGS=$LINK_FLAGS
		kavach_keeper=static
	])
	LIBS=$kavach_save_LIBS LDFLAGS=$kavach_save_LDFLAGS
	AC_MSG_RESULT([$kavach_keeper])
])
AM_CONDITIONAL([KEEPER_STATIC], [test "$kavach_keeper" = static])
AC_SUBST([KEEPER_LIBS])
AC_SUBST([KEEPER_LINK_FLAGS])
])
