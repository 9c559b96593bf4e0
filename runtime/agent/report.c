/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define ENTRY "kavach"
#define PROVIDER "sev_guest"
#define TRIES 50
#define NAP_MS 20
#define CERTS_ROOM (16u << 10) /* more the driver does not take: SEV_FW_BLOB_MAX_SIZE */
#define CERTS_ROW 24u	       /* of the table: GUID, offset, length */
#define REPORT_DATA 0x50

static void nap(void)
{
	const struct timespec t = {.tv_nsec = NAP_MS * 1000000};

	nanosleep(&t, NULL);
}

static bool busy(int r)
{
	return r == -EBUSY || r == -EAGAIN || r == -EINTR;
}

/* ---- configfs-tsm ---- */

static int read_attribute(int entry, const char *name, size_t max, struct arena *a,
			  struct bytes *ret)
{
	return io_read_at(entry, name, O_NOFOLLOW, max, a, ret);
}

/* It counts what was written, by anybody: the same number before and after means that all was about our question. */
static int read_generation(int entry, char ret[24])
{
	ssize_t n = io_read_small(entry, "generation", ret, 24);

	return n < 0 ? (int) n : 0;
}

static int ask_once(int entry, const uint8_t *data, struct arena *a, struct guest_report *ret,
		    const char **what)
{
	char before[24], after[24];
	int r;

	*what = "inblob";
	r = io_write_at(entry, "inblob", O_NOFOLLOW, (const char *) data, EVIDENCE_DATA_LEN);
	if (r == 0) {
		*what = "generation";
		r = read_generation(entry, before);
	}
	if (r == 0) {
		*what = "outblob";
		r = read_attribute(entry, "outblob", EVIDENCE_CERTS_MAX, a, &ret->report);
	}
	if (r == 0) {
		*what = "auxblob";
		r = read_attribute(entry, "auxblob", EVIDENCE_CERTS_MAX, a, &ret->certs);
		if (r == -ENOENT || r == -ENODATA) {
			ret->certs = (struct bytes){NULL, 0};
			r = 0;
		}
	}
	if (r == 0) {
		*what = "generation";
		r = read_generation(entry, after);
	}
	return r < 0 ? r : str_eq(before, after) ? 0 : -EAGAIN;
}

int report_by_tsm(int entry, const uint8_t data[EVIDENCE_DATA_LEN], struct arena *a,
		  struct guest_report *ret, struct err *e)
{
	const char *what = "provider";
	struct guest_report got = {0};
	char provider[64];
	int r = (int) io_read_small(entry, "provider", provider, sizeof(provider));

	if (r >= 0 && !str_eq(provider, PROVIDER))
		return err_set(e, -EPROTO,
			       "attestation report: expected the provider " PROVIDER
			       ", found \"%s\"",
			       provider);
	if (r < 0)
		return err_neg(e, r, "attestation report: %s", what);
	r = -EAGAIN;
	for (int i = 0; i < TRIES && busy(r); i++) {
		if (i)
			nap();
		r = ask_once(entry, data, a, &got, &what);
	}
	if (r < 0)
		return err_neg(e, r, "attestation report: %s", what);
	*ret = got;
	return 0;
}

/* -ENOENT: there is no such thing in this guest, or no provider for it. */
static int by_entry(const char *tsm, const uint8_t *data, struct arena *a, struct guest_report *ret,
		    struct err *e)
{
	fd_auto int dir = open(tsm, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd_auto int entry = -EBADF;
	int r;

	if (dir < 0 || (mkdirat(dir, ENTRY, 0700) < 0 && errno != EEXIST))
		return errno == ENOENT || errno == ENOTDIR || errno == ENXIO
			       ? -ENOENT
			       : err_sys(e, "attestation report: %s", tsm);
	entry = openat(dir, ENTRY, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (entry < 0)
		return err_sys(e, "attestation report: %s/" ENTRY, tsm);
	r = report_by_tsm(entry, data, a, ret, e);
	entry = fd_close(entry);
	(void) unlinkat(dir, ENTRY, AT_REMOVEDIR);
	return r;
}

/* ---- the device ---- */

/* The end of what the table names; its last row is zeros. It came from the host: a table that names more than there is room
 * for is handed on whole, for others to refuse. */
static size_t certs_end(const uint8_t *p)
{
	size_t end = 0;

	if (bytes_zero(p, CERTS_ROW))
		return 0;
	for (size_t at = 0; at + CERTS_ROW <= CERTS_ROOM; at += CERTS_ROW) {
		uint64_t to = (uint64_t) get_le32(p + at + 16) + get_le32(p + at + 20);

		if (bytes_zero(p + at, 16))
			return end > at + CERTS_ROW ? end : at + CERTS_ROW;
		if (to > CERTS_ROOM)
			break;
		end = to > end ? (size_t) to : end;
	}
	return CERTS_ROOM;
}

static int take_response(const uint8_t *p, struct arena *a, struct guest_report *ret, struct err *e)
{
	uint32_t status = get_le32(p), len = get_le32(p + 4);

	if (status)
		return err_set(e, -EIO,
			       "attestation report: the secure processor answers with error 0x%x",
			       status);
	if (len != EVIDENCE_REPORT_LEN)
		return err_set(e, -EPROTO, "attestation report: expected %u bytes, found %u",
			       EVIDENCE_REPORT_LEN, len);
	ret->report = (struct bytes){arena_memdup(a, p + SEV_RESPONSE_HEAD, len), len};
	return 0;
}

int report_by_device(int (*call)(void *arg, unsigned long cmd, struct sev_call *c), void *arg,
		     const uint8_t data[EVIDENCE_DATA_LEN], struct arena *a,
		     struct guest_report *ret, struct err *e)
{
	static _Alignas(4096) uint8_t certs[CERTS_ROOM];
	static _Alignas(8) uint8_t response[SEV_RESPONSE_LEN];
	unsigned long cmd = SEV_GET_EXT_REPORT;
	struct sev_call c = {0};
	int r = -EAGAIN;
	size_t n;

	for (int i = 0; i < TRIES; i++) {
		struct sev_request q = {.certs = (uintptr_t) certs, .room = sizeof(certs)};

		memcpy(q.data, data, EVIDENCE_DATA_LEN);
		memset(certs, 0, sizeof(certs));
		memset(response, 0, sizeof(response));
		c = (struct sev_call){
			.version = 1, .request = (uintptr_t) &q, .response = (uintptr_t) response};
		r = call(arg, cmd, &c);
		if (r < 0 && c.vmm == SEV_VMM_LENGTH && cmd == SEV_GET_EXT_REPORT)
			cmd = SEV_GET_REPORT; /* more certificates than it takes: then none */
		else if (r < 0 && (c.vmm == SEV_VMM_BUSY || busy(r)))
			nap();
		else
			break;
	}
	if (r < 0)
		return err_neg(
			e, r,
			"attestation report: the secure processor gives none (firmware 0x%x, "
			"VMM 0x%x)",
			c.firmware, c.vmm);
	r = take_response(response, a, ret, e);
	if (r < 0)
		return r;
	n = cmd == SEV_GET_EXT_REPORT ? certs_end(certs) : 0;
	ret->certs = (struct bytes){n ? arena_memdup(a, certs, n) : NULL, n};
	return 0;
}

static int call_device(void *arg, unsigned long cmd, struct sev_call *c)
{
	const int *fd = arg;

	return ioctl(*fd, (int) cmd, c) < 0 ? -errno : 0;
}

static int by_device(const char *path, const uint8_t *data, struct arena *a,
		     struct guest_report *ret, struct err *e)
{
	fd_auto int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return err_set(e, -ENOENT,
			       "this guest has no attestation report: neither configfs-tsm nor %s "
			       "is there",
			       path);
	if (fd < 0)
		return err_sys(e, "attestation report: open %s", path);
	return report_by_device(call_device, &fd, data, a, ret, e);
}

/* ---- together ---- */

bool report_possible(const struct report_places *w)
{
	return access(w->device, F_OK) == 0 || access(w->tsm, F_OK) == 0;
}

int report_get(const struct report_places *w, const uint8_t data[EVIDENCE_DATA_LEN],
	       struct arena *a, struct guest_report *ret, struct err *e)
{
	struct guest_report got = {0};
	int r = by_entry(w->tsm, data, a, &got, e);

	if (r == -ENOENT && !e->code)
		r = by_device(w->device, data, a, &got, e);
	if (r < 0)
		return r;
	if (got.report.n != EVIDENCE_REPORT_LEN)
		return err_set(e, -EPROTO, "attestation report: expected %u bytes, found %zu",
			       EVIDENCE_REPORT_LEN, got.report.n);
	if (memcmp(got.report.v + REPORT_DATA, data, EVIDENCE_DATA_LEN) != 0)
		return err_set(e, -EPROTO,
			       "attestation report: it is about other data than it was asked for");
	*ret = got;
	return 0;
}
