/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The certificate table that a host hands to a guest with an extended report, and that configfs calls auxblob: entries
 * of GUID, offset and length, an entry of zeros, then what they point to (AMD 56421, section 4.1.8.1). The host made it:
 * nothing in it is believed.
 */
#ifndef KAVACH_ATTEST_CERTTABLE_H
#define KAVACH_ATTEST_CERTTABLE_H

#include "base/err.h"
#include "base/types.h"

#define CERTTABLE_ENTRY 24u
/* far more than there are kinds */
#define CERTTABLE_MAX 32u

enum certtable_kind {
	CERTTABLE_VCEK,
	CERTTABLE_VLEK,
	CERTTABLE_ASK, /* or ASVK */
	CERTTABLE_ARK,
	CERTTABLE_CRL,
	CERTTABLE_KINDS,
};

/* certtable_parse: for each kind what the table holds, {NULL, 0} when there is none; pointers into `in`. Entries with
 * other GUIDs are checked like all and skipped. -EINVAL when there is no end, an entry lies in the header or beyond the
 * end of the table, or a kind is there twice. */
int certtable_parse(struct bytes in, struct bytes ret[CERTTABLE_KINDS], struct err *e);

/* certtable_name: "VCEK" and so on. */
const char *certtable_name(enum certtable_kind k);

#endif
