/* SPDX-License-Identifier: Apache-2.0 */
#include "host/guest_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"
#include "json/decode.h"

const char *const guest_file_names[GUEST_FILES] = {
	[GUEST_VMLINUX] = "vmlinux",
	[GUEST_VMLINUZ] = "vmlinuz",
	[GUEST_INITRD] = "initrd",
	[GUEST_INITRD_SEV] = "initrd-sev",
};

struct files {
	char *vmlinux, *vmlinuz, *initrd, *initrd_sev;
};

struct image {
	struct opt_u64 version;
	char *release;
	struct strs features;
	struct files *files;
};

static int files_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	(void) obj;
	for (const struct json_node *c = n->child; c; c = c->next)
		if (c->type != JSON_NULL && (c->n != 64 || strspn(c->s, "0123456789abcdef") != 64))
			return json_err(d, c, e, "expected 64 digits 0-9 and a-f, found %s",
					json_found(a, c));
	return 0;
}

static int image_check(const struct json_doc *d, const struct json_node *n, void *obj,
		       struct arena *a, struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const struct image *i = obj;

	if (i->version.v != 1)
		return json_err(d, json_get(n, "version"), e,
				"expected 1: the image is of another kavach");
	/* it is shown, and compared with what the guest says */
	for (const char *s = i->release; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || *s == '/')
			return json_err(d, json_get(n, "release"), e,
					"expected a kernel's release, found %s",
					json_found(a, json_get(n, "release")));
	/* they are words of a list that the agent gets */
	for (const struct json_node *c = json_get(n, "features")->child; c; c = c->next)
		if (c->n == 0 || strspn(c->s, letters) != c->n)
			return json_err(d, c, e, "expected letters a-z and digits, found %s",
					json_found(a, c));
	return 0;
}

#define ROW(t, m, k, ...)                                                                          \
	{                                                                                          \
		.name = #m, .kind = (k), .flags = J_REQUIRED, .off = offsetof(t, m), __VA_ARGS__   \
	}

static const struct jfield files_f[] = {
	ROW(struct files, vmlinux, J_STR),
	ROW(struct files, vmlinuz, J_STR),
	ROW(struct files, initrd, J_STR),
	{.name = "initrd-sev", .kind = J_STR, .off = offsetof(struct files, initrd_sev)},
};
static const struct jtable files_t = {.f = files_f,
				      .n = ARRAY_LEN(files_f),
				      .size = sizeof(struct files),
				      .flags = J_STRICT,
				      .check = files_check};

static const struct jfield image_f[] = {
	ROW(struct image, version, J_UINT),
	{.name = "release",
	 .kind = J_STR,
	 .flags = J_REQUIRED | J_NONEMPTY,
	 .off = offsetof(struct image, release)},
	ROW(struct image, features, J_STRS),
	ROW(struct image, files, J_OBJ, .sub = &files_t),
};
static const struct jtable image_t = {.f = image_f,
				      .n = ARRAY_LEN(image_f),
				      .size = sizeof(struct image),
				      .flags = J_STRICT,
				      .check = image_check};

int guest_image_parse(const char *name, const char *text, size_t len, struct arena *a,
		      struct guest_image *ret, struct err *e)
{
	struct image i = {0};
	struct json_doc d;
	int r = json_read(name, text, len, a, &d, e);

	if (r == 0)
		r = json_decode(&d, d.root, &image_t, &i, a, e);
	if (r < 0)
		return r;
	*ret = (struct guest_image){.release = i.release,
				    .features = i.features,
				    .sha256 = {[GUEST_VMLINUX] = i.files->vmlinux,
					       [GUEST_VMLINUZ] = i.files->vmlinuz,
					       [GUEST_INITRD] = i.files->initrd,
					       [GUEST_INITRD_SEV] = i.files->initrd_sev}};
	return 0;
}

const char *guest_image_dir(void)
{
	const char *dir = geteuid() == 0 ? getenv("KAVACH_GUEST") : NULL;

	return str_empty(dir) ? KAVACH_GUESTDIR : dir;
}

const char *guest_firmware_find(const char *root, const char *dir, enum guest_firmware kind,
				struct arena *a)
{
	/* Debian's places, Fedora's, and others' */
	static const struct {
		const char *name, *places[3];
	} rows[GUEST_FIRMWARES] = {
		[GUEST_QBOOT] = {"qboot.rom",
				 {"/usr/share/qemu/", "/usr/share/qboot/", "/usr/share/seabios/"}},
		[GUEST_UEFI] = {"OVMF.fd",
				{"/usr/share/ovmf/", "/usr/share/edk2/ovmf/", "/usr/share/qemu/"}},
		[GUEST_UEFI_SEV] = {"OVMF.amdsev.fd",
				    {"/usr/share/ovmf/", "/usr/share/edk2/ovmf/",
				     "/usr/share/OVMF/"}},
	};
	const char *path = dir ? arena_printf(a, "%s/%s", dir, rows[kind].name) : NULL;

	if (path && access(arena_printf(a, "%s%s", root, path), R_OK) == 0)
		return path;
	for (size_t i = 0; i < ARRAY_LEN(rows[kind].places); i++) {
		path = arena_printf(a, "%s%s", rows[kind].places[i], rows[kind].name);
		if (access(arena_printf(a, "%s%s", root, path), R_OK) == 0)
			return path;
	}
	return NULL;
}

const char *const guest_virtiofsd_places[] = {"/usr/libexec/virtiofsd", "/usr/lib/virtiofsd", NULL};

uint32_t guest_image_landlock(const char *release)
{
	/* landlock(7): which release brought which ABI */
	static const struct {
		unsigned major, minor;
	} brought[] = {{5, 13}, {5, 19}, {6, 2}, {6, 7}, {6, 10}, {6, 12}, {6, 15}};
	unsigned major, minor;
	uint32_t abi = 0;

	if (!release || sscanf(release, "%3u.%3u", &major, &minor) != 2)
		return 0;
	while (abi < ARRAY_LEN(brought) &&
	       (major > brought[abi].major ||
		(major == brought[abi].major && minor >= brought[abi].minor)))
		abi++;
	return abi;
}
