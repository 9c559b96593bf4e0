/* SPDX-License-Identifier: Apache-2.0 */
/* The sections of the page; private to policy/. */
#ifndef KAVACH_POLICY_EXPLAIN_H
#define KAVACH_POLICY_EXPLAIN_H

#include "policy/facts.h"
#include "policy/page.h"

/* explain_files.c */
void explain_files(struct page *pg, const struct policy *p);
void explain_secrets(struct page *pg, const struct policy *p);
void explain_devices(struct page *pg, const struct policy *p);
/* explain_limits.c */
void explain_caps(struct page *pg, const struct policy *p);
void explain_seccomp(struct page *pg, const struct policy *p);
void explain_landlock(struct page *pg, const struct policy *p);
/* The rows of one layer's lists; also for the rules. */
void explain_landlock_lists(struct page *pg, const struct policy_landlock *l);
void explain_resources(struct page *pg, const struct policy *p);
void explain_hooks(struct page *pg, const struct policy *p);

#endif
