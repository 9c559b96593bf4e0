/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guest.json of the image that microVMs boot (contrib/guest/README.md): what it says, and no file but itself.
 * Decoded strictly: an unknown member may be one that a newer image cannot do without.
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

enum guest_file { GUEST_VMLINUX, GUEST_VMLINUZ, GUEST_INITRD, GUEST_FILES };
extern const char *const guest_file_names[GUEST_FILES]; /* beside guest.json */

struct guest_image {
	char *release; /* of the kernel */
	struct strs features;
	char *sha256[GUEST_FILES]; /* 64 digits 0-9 and a-f */
};

/* guest_image_parse: `name` is the file for messages: "/x/guest.json:3:2: features: expected ...". The text must outlive
 * the call only; what is returned is in the arena. -EINVAL for everything that is not as the README has it. */
int guest_image_parse(const char *name, const char *text, size_t len, struct arena *a,
		      struct guest_image *ret, struct err *e);

#endif
