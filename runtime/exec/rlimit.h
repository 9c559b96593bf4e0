/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KAVACH_EXEC_RLIMIT_H
#define KAVACH_EXEC_RLIMIT_H

#include "base/err.h"
#include "policy/policy.h"

/* rlimit_refused: the error for rlimits[i] that may not rise above `allowed`. */
int rlimit_refused(size_t i, const struct pol_rlimit *want, uint64_t allowed, struct err *e);

#endif
