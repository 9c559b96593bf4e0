/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The image that microVMs boot (contrib/guest/README.md): where it is, what its guest.json says, and the firmware that
 * starts it. guest.json is decoded strictly: an unknown member may be one that a newer image cannot do without.
 */
#ifndef KAVACH_HOST_GUEST_IMAGE_H
#define KAVACH_HOST_GUEST_IMAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/types.h"

#ifndef KAVACH_GUESTDIR
#define KAVACH_GUESTDIR "/usr/local/lib/kavach/guest"
#endif

#define GUEST_JSON "guest.json"

enum guest_file { GUEST_VMLINUX, GUEST_VMLINUZ, GUEST_INITRD, GUEST_INITRD_SEV, GUEST_FILES };
extern const char *const guest_file_names[GUEST_FILES]; /* beside guest.json */

struct guest_image {
	char *release; /* of the kernel */
	struct strs features;
	char *sha256[GUEST_FILES]; /* 64 digits 0-9 and a-f; of GUEST_INITRD_SEV NULL when there is none */
};

/* guest_image_parse: `name` is the file for messages: "/x/guest.json:3:2: features: expected ...". The text must outlive
 * the call only; what is returned is in the arena. -EINVAL for everything that is not as the README has it. */
int guest_image_parse(const char *name, const char *text, size_t len, struct arena *a,
		      struct guest_image *ret, struct err *e);

/* guest_image_landlock: the ABI of Landlock that Linux of this release has, 0: none, or no release. Whether it is built in and
 * switched on only a kernel can say: the agent refuses what it does not have. */
uint32_t guest_image_landlock(const char *release);

/* guest_image_dir: where the image is: $KAVACH_GUEST for root, else KAVACH_GUESTDIR. */
const char *guest_image_dir(void);

enum guest_firmware {
	GUEST_QBOOT, /* for the machine microvm */
	GUEST_UEFI,  /* OVMF, for q35 */
	GUEST_UEFI_SEV, /* its build that verifies and measures what it boots, for confidential guests */
	GUEST_FIRMWARES
};

/* guest_firmware_find: the first that can be read, beside the image in dir (NULL: no image) and then where distributions put
 * it, as a path without the root that goes in front of it ("" for this machine); NULL: none. */
const char *guest_firmware_find(const char *root, const char *dir, enum guest_firmware kind,
				struct arena *a);

/* Where virtiofsd is looked for, in this order; NULL ends the list. Not /usr/lib/qemu: what lies there beside a QEMU 7 is another
 * program of that name, with other options. */
extern const char *const guest_virtiofsd_places[];

#endif
