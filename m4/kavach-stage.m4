dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl The compiler of kavach-init. Its start-up is paid by every container: a static musl program starts
dnl with 7 page faults and some 750 instructions, a static glibc one with more than 20 and with dozens
dnl of CPUID instructions, which trap in a virtual machine. musl-gcc sees musl's headers only, so the
dnl kernel's are brought in through a folder of links (musl-include/).

AC_DEFUN([KAVACH_STAGE], [
STAGE_CC=$CC
STAGE_CPPFLAGS=
kavach_stage_libc="libc of $CC"
AS_CASE([$with_musl],
	[no], [kavach_musl=],
	[yes|auto], [AC_CHECK_PROGS([kavach_musl], [musl-gcc])],
	[kavach_musl=$with_musl])
kavach_kernel_include=
kavach_asm_include=
for dir in /usr/include/`$CC -print-multiarch 2>/dev/null` /usr/include; do
	AS_IF([test -z "$kavach_asm_include" && test -f "$dir/asm/unistd.h"],
		[kavach_asm_include=$dir])
	AS_IF([test -z "$kavach_kernel_include" && test -f "$dir/linux/openat2.h"],
		[kavach_kernel_include=$dir])
done
AS_IF([test -n "$kavach_musl"], [
	AC_MSG_CHECKING([whether $kavach_musl makes static programs that run])
	kavach_save_CC=$CC kavach_save_LDFLAGS=$LDFLAGS
	CC=$kavach_musl LDFLAGS=-static
	AC_RUN_IFELSE([AC_LANG_PROGRAM([[#include <stdio.h>]], [[return puts("") < 0;]])],
		[kavach_musl_works=yes], [kavach_musl_works=no], [kavach_musl_works=no])
	CC=$kavach_save_CC LDFLAGS=$kavach_save_LDFLAGS
	AC_MSG_RESULT([$kavach_musl_works])
	AS_IF([test "$kavach_musl_works" = yes && test -n "$kavach_kernel_include"], [
		STAGE_CC=$kavach_musl
		STAGE_CPPFLAGS='-isystem $(abs_builddir)/musl-include'
		kavach_stage_libc=musl
	], [AS_IF([test "$with_musl" != auto],
		[AC_MSG_ERROR([--with-musl=$with_musl cannot build static programs here])])])
])
AC_CONFIG_COMMANDS([musl-include], [
	mkdir -p musl-include
	for name in linux asm-generic; do
		test -z "$kernel" || { rm -f musl-include/$name && ln -s "$kernel/$name" musl-include/$name; }
	done
	test -z "$asm" || { rm -f musl-include/asm && ln -s "$asm/asm" musl-include/asm; }
], [kernel='$kavach_kernel_include' asm='$kavach_asm_include'])
AC_SUBST([STAGE_CC])
AC_SUBST([STAGE_CPPFLAGS])
])
