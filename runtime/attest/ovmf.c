/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/ovmf.h"

#include <string.h>

#include "attest/bytes.h"
#include "attest/guid.h"
#include "attest/launch.h"
#include "base/str.h"

#define TABLE_FOOTER "96b582de-1fb2-45f7-baea-a366c55a082d"
#define FOOTER_FROM_END 32u /* the reset vector's code stands behind the table */
#define ENTRY_HEAD 18u	    /* GUID and length, which follow an entry's data */

#define METADATA_HEAD 16u
#define METADATA_ROW 12u
#define METADATA_MAX                                                                               \
	(256ull << 20) /* each page is one round of hashing; builds have some 100 KiB */

static const struct name_val section_names[] = {
	{"memory", OVMF_SEC_MEMORY},
	{"secrets", OVMF_SEC_SECRETS},
	{"cpuid", OVMF_SEC_CPUID},
	{"svsm-caa", OVMF_SEC_SVSM_CAA},
	{"kernel-hashes", OVMF_SEC_KERNEL_HASHES},
};

const char *ovmf_section_name(uint32_t type)
{
	return name_of(section_names, ARRAY_LEN(section_names), (long) type);
}

static int bad(struct err *e, const char *what)
{
	return err_set(e, -EINVAL, "%s", what);
}

static int section_read(const uint8_t *row, size_t i, struct ovmf_section *s, struct err *e)
{
	*s = (struct ovmf_section){get_le32(row), get_le32(row + 4), get_le32(row + 8)};
	if (!ovmf_section_name(s->type))
		return err_set(
			e, -EINVAL,
			"SEV metadata, section %zu: type 0x%x is not known, and so not what is "
			"measured for it",
			i, s->type);
	if (s->gpa % OVMF_PAGE || s->size % OVMF_PAGE || s->size == 0 ||
	    (uint64_t) s->gpa + s->size > 1ull << 32)
		return err_set(e, -EINVAL,
			       "SEV metadata, section %zu: expected whole pages below 4 GiB, found "
			       "0x%x bytes at 0x%x",
			       i, s->size, s->gpa);
	if (s->type != OVMF_SEC_MEMORY && s->type != OVMF_SEC_SVSM_CAA && s->size != OVMF_PAGE)
		return err_set(
			e, -EINVAL,
			"SEV metadata, section %zu (%s): expected one page, found 0x%x bytes", i,
			ovmf_section_name(s->type), s->size);
	return 0;
}

/* The entry's data is how far before the end of the file the metadata begins. */
static int read_metadata(const uint8_t *data, size_t n, struct ovmf *o, struct arena *a,
			 struct err *e)
{
	size_t size = o->image.n, off, len, count;
	uint64_t total = 0;
	const uint8_t *m;

	if (n != 4)
		return bad(e, "the firmware's entry for SEV metadata is not 4 bytes long");
	off = get_le32(data);
	if (off < METADATA_HEAD || off > size)
		return err_set(e, -EINVAL,
			       "SEV metadata: expected within the image of %zu bytes, found 0x%zx "
			       "before its end",
			       size, off);
	m = o->image.v + size - off;
	if (memcmp(m, "ASEV", 4) != 0)
		return bad(e, "SEV metadata does not begin with ASEV");
	len = get_le32(m + 4);
	count = get_le32(m + 12);
	if (get_le32(m + 8) != 1)
		return err_set(e, -EINVAL, "SEV metadata: expected version 1, found %u",
			       get_le32(m + 8));
	if (len > off || len < METADATA_HEAD || count > (len - METADATA_HEAD) / METADATA_ROW)
		return err_set(e, -EINVAL,
			       "SEV metadata: %zu sections do not fit its length of %zu bytes",
			       count, len);
	o->sections = arena_array(a, count, sizeof(*o->sections));
	for (size_t i = 0; i < count; i++) {
		int r = section_read(m + METADATA_HEAD + i * METADATA_ROW, i, &o->sections[i], e);

		if (r < 0)
			return r;
		total += o->sections[i].size;
	}
	if (total > METADATA_MAX)
		return err_set(e, -EINVAL,
			       "SEV metadata: sections of %llu bytes in all, more than %llu",
			       (unsigned long long) total, METADATA_MAX);
	o->n_sections = count;
	o->has_metadata = true;
	return 0;
}

static int read_reset(const uint8_t *data, size_t n, struct ovmf *o, struct arena *a, struct err *e)
{
	(void) a;
	if (n != 4)
		return bad(e, "the firmware's SEV-ES reset block is not 4 bytes long");
	o->reset_eip = get_le32(data);
	o->has_reset = true;
	return 0;
}

static int read_area(const uint8_t *data, size_t n, const char *what, struct ovmf_area *ret,
		     struct err *e)
{
	if (n != 8)
		return err_set(e, -EINVAL, "the firmware's entry for the %s is not 8 bytes long",
			       what);
	ret->base = get_le32(data);
	ret->size = get_le32(data + 4);
	ret->set = ret->base != 0; /* 0: this build does without */
	return 0;
}

static int read_hashes(const uint8_t *data, size_t n, struct ovmf *o, struct arena *a,
		       struct err *e)
{
	struct ovmf_area *h = &o->hashes;
	int r = read_area(data, n, "kernel hash table", h, e);

	(void) a;
	if (r < 0 || !h->set)
		return r;
	if (h->size < LAUNCH_TABLE_LEN || h->base % OVMF_PAGE + LAUNCH_TABLE_LEN > OVMF_PAGE)
		return err_set(e, -EINVAL,
			       "the firmware's kernel hash table: %u bytes at 0x%x cannot hold the "
			       "%u bytes of one within a page",
			       h->size, h->base, LAUNCH_TABLE_LEN);
	return 0;
}

static int read_secret(const uint8_t *data, size_t n, struct ovmf *o, struct arena *a,
		       struct err *e)
{
	(void) a;
	return read_area(data, n, "launch secret", &o->secret, e);
}

static const struct {
	const char *guid;
	int (*read)(const uint8_t *data, size_t n, struct ovmf *o, struct arena *a, struct err *e);
} entries[] = {
	{"00f771de-1a7e-4fcb-890e-68c77e2fb44e", read_reset},
	{"7255371f-3a3b-4b04-927b-1da6efa8d454", read_hashes},
	{"4c2eb361-7d9b-4cc3-8081-127c90d3d294", read_secret},
	{"dc886566-984a-4798-a75e-5585a7bf67cc", read_metadata},
};

static int read_entry(const uint8_t *guid, const uint8_t *data, size_t n, struct ovmf *o,
		      unsigned *seen, struct arena *a, struct err *e)
{
	for (unsigned i = 0; i < ARRAY_LEN(entries); i++) {
		if (!guid_is(guid, GUID_EFI, entries[i].guid))
			continue;
		/* QEMU takes one of them, and which one is not for us to guess */
		if (*seen & 1u << i)
			return err_set(e, -EINVAL, "the firmware has two entries %s",
				       entries[i].guid);
		*seen |= 1u << i;
		return entries[i].read(data, n, o, a, e);
	}
	return 0;
}

int ovmf_parse(struct bytes image, struct arena *a, struct ovmf *ret, struct err *e)
{
	const uint8_t *end, *at;
	struct ovmf o = {.image = image};
	unsigned seen = 0;
	size_t len;

	if (image.n == 0 || image.n % OVMF_PAGE || image.n > OVMF_MAX)
		return err_set(
			e, -EINVAL,
			"expected a firmware image of whole pages of 4096 bytes, at most 64 MiB, "
			"found %zu bytes",
			image.n);
	end = image.v + image.n - FOOTER_FROM_END;
	if (!guid_is(end - GUID_LEN, GUID_EFI, TABLE_FOOTER))
		return bad(e, "there is no OVMF table at the end of the image: not an OVMF build");
	len = get_le16(end - ENTRY_HEAD);
	if (len < ENTRY_HEAD || len > (size_t) (end - image.v))
		return err_set(e, -EINVAL, "the firmware's table cannot be %zu bytes long", len);
	at = end - ENTRY_HEAD;
	len -= ENTRY_HEAD;
	while (len) {
		size_t n = len >= ENTRY_HEAD ? get_le16(at - ENTRY_HEAD) : 0;
		int r;

		if (n < ENTRY_HEAD || n > len)
			return err_set(e, -EINVAL,
				       "the firmware's table: an entry of %zu bytes, %zu are left",
				       n, len);
		r = read_entry(at - GUID_LEN, at - n, n - ENTRY_HEAD, &o, &seen, a, e);
		if (r < 0)
			return r;
		at -= n;
		len -= n;
	}
	*ret = o;
	return 0;
}
