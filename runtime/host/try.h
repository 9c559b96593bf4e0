/* SPDX-License-Identifier: Apache-2.0 */
/* The tries of this machine. Private to host/. */
#ifndef KAVACH_HOST_TRY_H
#define KAVACH_HOST_TRY_H

#include "host/look.h"

/* Rows by enum sight. They run in a child of their own and set *ret, which is zeroed. */
extern void (*const tries[SEE_MAX])(const struct look *l, const char *arg, struct seen *ret);

/* try_child_begin: of a child: it ends with its parent. */
void try_child_begin(pid_t parent);
/* try_program: runs a program and keeps the first line of its output, or of its errors. Returns its exit status or -errno. */
int try_program(char *const argv[], char *text, size_t size, bool errors);

void try_idmap(const struct look *l, const char *arg, struct seen *ret);
void try_idhelper(const struct look *l, const char *arg, struct seen *ret);
void try_cpuid(const struct look *l, const char *arg, struct seen *ret);
void try_kvm(const struct look *l, const char *arg, struct seen *ret);

#endif
