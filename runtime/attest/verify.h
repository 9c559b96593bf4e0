/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Judges a report: a table of checks in the order in which AMD's documents and common sense want them (56860 chapter 7,
 * 57230). One failure refuses. Every check leaves what it saw, what it expected and its verdict, also those that
 * nothing was demanded of and those that could not be made because what they need had failed.
 */
#ifndef KAVACH_ATTEST_VERIFY_H
#define KAVACH_ATTEST_VERIFY_H

#include "attest/evidence.h"
#include "attest/expect.h"
#include "attest/x509.h"

enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_OPEN,	   /* nothing is demanded here */
	VERDICT_UNCHECKED, /* something that this check needs failed */
};

struct check {
	const char *id;	  /* "policy.debug": stable, for programs */
	const char *what; /* for people */
	enum verdict verdict;
	const char *seen, *expected, *why; /* NULL where there is nothing to say; in the arena */
};

#define CHECKS_MAX 72u

/* What is judged, and when. */
struct evidence {
	struct bytes report;	   /* a file's content */
	const struct certs *certs; /* whatever certificates and CRLs came along; may be none */
	const struct certs *
		cached; /* those of the cache, used where `certs` has none that fits; may be NULL */
	const struct certs *roots; /* for tests: roots to trust in place of AMD's; NULL otherwise */
	int64_t at;		   /* seconds since 1970 */
	/* The document that the report came in; NULL: it came alone. Its nonce has to be this one (n 0: any; then expect.report_data
	 * or any_report_data says what is fresh). */
	const struct evidence_doc *doc;
	struct bytes nonce;
};

struct judgement {
	bool accepted;
	bool untrusted_root; /* the root was given, it is not AMD's */
	struct check checks[CHECKS_MAX];
	size_t n;
	bool has_report; /* whether `report` could be read */
	struct report report;
	enum snp_product product;
};

/* verify: never fails itself: what is wrong is a check that failed. */
void verify(const struct evidence *ev, const struct expect *x, struct arena *a,
	    struct judgement *ret);

const char *verdict_name(enum verdict v);

#endif
