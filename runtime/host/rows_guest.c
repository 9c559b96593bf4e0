/* SPDX-License-Identifier: Apache-2.0 */
/* Rows: what the guest of a microVM is made of: firmware, kernel and initrd, and how it gets its root. */
#include <string.h>

#include "base/str.h"
#include "host/check.h"
#include "host/guest_image.h"

#define B_VM (1u << CHECK_VM | 1u << CHECK_SNP)
#define B_SNP (1u << CHECK_SNP)

/* ---- firmware ---- */

void row_firmware(const struct look *l, struct finding *f)
{
	const char *small = guest_firmware_find(l->root, l->guest_dir, GUEST_QBOOT, l->a),
		   *large = guest_firmware_find(l->root, l->guest_dir, GUEST_UEFI, l->a);

	if (small) {
		finding_say(f, "%s", small);
		finding_value(f, "qboot", "%s", small);
	} else {
		finding_is(f, CHECK_MISSING, 1u << CHECK_VM);
		finding_say(f, "qboot.rom, which starts the machine microvm, is not there");
		finding_fix(f, "install it (Debian: apt install qemu-system-data)");
	}
	if (large) {
		finding_say(f, "%s", large);
		finding_value(f, "uefi", "%s", large);
	} else {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "no OVMF.fd, for the machine q35");
		finding_fix(f, "install it (Debian: apt install ovmf)");
	}
}

void row_sev_firmware(const struct look *l, struct finding *f)
{
	const char *path = guest_firmware_find(l->root, l->guest_dir, GUEST_UEFI_SEV, l->a);

	if (path) {
		finding_say(f, "%s", path);
		finding_value(f, "path", "%s", path);
		return;
	}
	finding_is(f, CHECK_MISSING, B_SNP);
	finding_say(f, "OVMF.amdsev.fd, which measures kernel and initrd, is not there");
	finding_fix(f, "install it (Debian, from sid: ovmf-amdsev), or name a copy in the site's "
		       "rules (vm.defaults.firmware)");
}

/* ---- kernel and initrd ---- */

#define MAKE_GUEST "contrib/setup, make guest and make install-guest in kavach's source make one"
#define MAKE_ANEW "install the image anew: make install-guest in kavach's source"

static const char *virtiofsd_path(const struct look *l)
{
	for (const char *const *p = guest_virtiofsd_places; *p; p++)
		if (look_exists(l, *p))
			return *p;
	return NULL;
}

/* Each file is there, may be read, and is the one that the image was made with. */
static void guest_files(const struct look *l, const struct guest_image *image, struct finding *f)
{
	struct seen s;

	for (unsigned i = 0; i < GUEST_FILES; i++) {
		const char *path = arena_printf(l->a, "%s/%s", l->guest_dir, guest_file_names[i]);

		if (!image->sha256[i])
			continue;
		l->see(l, SEE_DIGEST, path, &s);
		if (s.r == 0 && str_eq(s.text, image->sha256[i]))
			continue;
		finding_is(f, CHECK_MISSING, B_VM);
		if (s.r < 0)
			finding_say(f, "%s: %s", path, err_errno_text(-s.r));
		else
			finding_say(f, "%s is not the file that " GUEST_JSON " describes", path);
		if (s.r == -EACCES)
			finding_fix(f, "chmod a+r %s", path);
		else
			finding_fix(f, MAKE_ANEW);
		return;
	}
}

static void guest_features(const struct look *l, const struct guest_image *image, struct finding *f)
{
	const char *list = "";

	for (size_t i = 0; i < image->features.n; i++)
		list = arena_printf(l->a, "%s%s%s", list, *list ? " " : "", image->features.v[i]);
	finding_say(f, "features: %s", list);
	finding_value(f, "features", "%s", list);
	if (strs_has(&image->features, "9p"))
		return;
	if (virtiofsd_path(l) && strs_has(&image->features, "virtiofs")) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f, "no 9p: folders are shared through virtiofsd only");
	} else {
		finding_is(f, CHECK_MISSING, 1u << CHECK_VM);
		finding_say(f, "no 9p, and no virtiofsd: a guest gets no root");
	}
	finding_fix(f, "make the image from a kernel with 9p (Debian: linux-image-amd64, not the "
		       "cloud flavour)");
}

void row_guest(const struct look *l, struct finding *f)
{
	const char *path = arena_printf(l->a, "%s/" GUEST_JSON, l->guest_dir ? l->guest_dir : ""),
		   *text = look_text(l, path);
	struct guest_image image;
	struct err e = ERR_INIT;

	finding_value(f, "path", "%s", l->guest_dir ? l->guest_dir : "");
	if (!text) {
		bool there = look_exists(l, path);

		finding_is(f, CHECK_MISSING, B_VM);
		finding_say(f, there ? "%s may not read %s" : "%s%s is not there",
			    there ? l->user : "no image for guests: ", path);
		if (there)
			finding_fix(f, "chmod a+r %s", path);
		else
			finding_fix(f, MAKE_GUEST);
		return;
	}
	if (guest_image_parse(path, text, strlen(text), l->a, &image, &e) < 0) {
		finding_is(f, CHECK_MISSING, B_VM);
		finding_say(f, "%s", text_clean(arena_strdup(l->a, e.msg)));
		finding_fix(f, MAKE_ANEW);
		return;
	}
	finding_say(f, "%s: Linux %s", l->guest_dir, image.release);
	finding_value(f, "release", "%s", image.release);
	guest_features(l, &image, f);
	guest_files(l, &image, f);
}

/* ---- its root ---- */

void row_mkfs(const struct look *l, struct finding *f)
{
	static const char *const places[] = {"/usr/bin/mkfs.erofs", "/usr/sbin/mkfs.erofs",
					     "/usr/local/bin/mkfs.erofs",
					     "/usr/local/sbin/mkfs.erofs"};

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (look_exists(l, places[i])) {
			finding_say(f, "%s", places[i]);
			finding_value(f, "path", "%s", places[i]);
			return;
		}
	finding_is(f, CHECK_MISSING, B_SNP);
	finding_say(f, "mkfs.erofs, which packs a root, is not there");
	finding_fix(f, "install it (Debian: apt install erofs-utils)");
}

void row_virtiofsd(const struct look *l, struct finding *f)
{
	const char *path = virtiofsd_path(l);
	struct seen s;

	if (!path) {
		finding_is(f, CHECK_LIMITED, 0);
		finding_say(f,
			    "virtiofsd is not there; folders are shared over 9p, which is slower");
		finding_fix(f, "install it (Debian 13: apt install virtiofsd)");
		return;
	}
	finding_value(f, "path", "%s", path);
	l->see(l, SEE_VERSION, path, &s);
	if (s.r == 0) {
		finding_say(f, "%s, %s", path, s.text);
		return;
	}
	finding_is(f, CHECK_LIMITED, 0);
	finding_say(f, "%s does not run", path);
	finding_fix(f, "install it anew");
}
