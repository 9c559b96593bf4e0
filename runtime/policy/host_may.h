/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the host may do in a VM after the start, by the sealed policy. In a confidential guest this is what keeps a verified
 * container the one that was verified: an exec would be a program that nobody measured. The guest's agent enforces it; kavach and
 * the monitor ask the same functions first, so that a person reads why.
 */
#ifndef KAVACH_POLICY_HOST_MAY_H
#define KAVACH_POLICY_HOST_MAY_H

#include "base/err.h"
#include "base/str.h"
#include "policy/policy.h"

#define HOST_MAY_ANNOTATION "io.kavach.host-may"

/* "exec" -> POL_HOST_EXEC, ... */
extern const struct name_val host_may_names[];
#define HOST_MAY_NAMES_N 4

/* host_may_parse: "exec, stats", "all", "none" or "" -> bits; -EINVAL with *ret_word, in the arena, the word that is none. */
int host_may_parse(const char *text, struct arena *a, uint32_t *ret, const char **ret_word);

/* host_may_text: "exec, stats", "nothing". */
#define HOST_MAY_TEXT 48
const char *host_may_text(uint32_t bits, char ret[HOST_MAY_TEXT]);

/* host_may: whether the host may do this (one of POL_HOST_*): 0, or -EPERM with the annotation's name in *e. A container
 * that is no VM is not asked: 0. */
int host_may(const struct policy *p, uint32_t what, struct err *e);
/* host_may_signal: those that end a program, or tell it the size of its terminal, are always allowed: whoever runs the host can
 * end the VM anyway, and does it better so. */
int host_may_signal(const struct policy *p, int sig, struct err *e);

#endif
