/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's own attestation report, as the kernel hands it out: configfs-tsm where there is a provider for it, else the
 * device of the driver. What is read comes from the firmware by way of the host, so its form is checked; whether it is
 * genuine only others can tell. Nothing here knows a fixed path: a test gives its own places, and a device of its own.
 *
 * Source: linux Documentation/ABI/testing/configfs-tsm-report, Documentation/virt/coco/sev-guest.rst, linux/sev-guest.h (whose
 * numbers are here, because the headers that we build with may be older); AMD 56860, MSG_REPORT_RSP.
 */
#ifndef KAVACH_AGENT_REPORT_H
#define KAVACH_AGENT_REPORT_H

#include <stdint.h>

#include "attest/evidence.h"
#include "base/arena.h"
#include "base/err.h"

/* The argument of the driver's ioctls. */
struct sev_call {
	uint8_t version; /* of the messages: 1 */
	uint64_t request, response;
	uint32_t firmware, vmm; /* what went wrong, by whom */
};
_Static_assert(sizeof(struct sev_call) == 32, "struct snp_guest_request_ioctl");

#define SEV_GET_REPORT 0xc0205300u
#define SEV_GET_EXT_REPORT 0xc0205302u
#define SEV_RESPONSE_LEN 4000u
#define SEV_RESPONSE_HEAD 32u /* status, length and reserved bytes before the report */
#define SEV_VMM_LENGTH 1u     /* sev_call.vmm: more room for certificates is needed */
#define SEV_VMM_BUSY 2u

/* The requests that are pointed to; certs and room belong to the extended one. */
struct sev_request {
	uint8_t data[EVIDENCE_DATA_LEN];
	uint32_t vmpl;
	uint8_t zero[28];
	uint64_t certs;
	uint32_t room;
};

struct guest_report {
	struct bytes report; /* EVIDENCE_REPORT_LEN bytes */
	struct bytes certs;  /* n 0: the host gave none */
};

#define REPORT_HOST_DATA 0xc0
#define REPORT_MEASUREMENT 0x90

/* report_by_tsm: by an entry (a directory below config/tsm/report). An answer to another question than ours (generation) is
 * asked for again, and so is what is busy, for a second. */
int report_by_tsm(int entry, const uint8_t data[EVIDENCE_DATA_LEN], struct arena *a,
		  struct guest_report *ret, struct err *e);
/* report_by_device: call() is the device's ioctl: 0 or -errno. */
int report_by_device(int (*call)(void *arg, unsigned long cmd, struct sev_call *c), void *arg,
		     const uint8_t data[EVIDENCE_DATA_LEN], struct arena *a,
		     struct guest_report *ret, struct err *e);

struct report_places {
	const char *tsm;    /* the directory that entries are made in */
	const char *device; /* of the driver */
};

/* report_possible: whether there is a way to a report. */
bool report_possible(const struct report_places *w);
/* report_get: a report about these bytes, in the arena. What cannot be had, is too short or too long, or is about other
 * bytes, is an error: there is no half of a report. */
int report_get(const struct report_places *w, const uint8_t data[EVIDENCE_DATA_LEN],
	       struct arena *a, struct guest_report *ret, struct err *e);

#endif
