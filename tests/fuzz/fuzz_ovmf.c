/* SPDX-License-Identifier: Apache-2.0 */
/* libs: attest base */
/* Any bytes as a firmware image; what is accepted is measured too, which walks all of its tables. */
#include <stdint.h>
#include <stdlib.h>

#include "attest/launch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

extern const char *const fuzz_more_corpora[];
const char *const fuzz_more_corpora[] = {"tests/vectors/sev/measure", NULL};

static void measure(const struct ovmf *o, enum launch_mode mode, const struct launch_hashes *h)
{
	struct launch_input in = {
		.mode = mode, .firmware = o, .hashes = h, .vcpus = 2, .features = 1};
	uint8_t ld[LAUNCH_LD_MAX], seed[48] = {0};
	struct err e = ERR_INIT;
	uint64_t pages = 0;
	size_t n = 0;
	int r;

	/* a section of 4 GiB takes its time, and shows nothing that a short one does not */
	for (size_t i = 0; i < o->n_sections; i++)
		pages += o->sections[i].size / OVMF_PAGE;
	if (pages > 1000)
		return;
	in.seed = mode == LAUNCH_SNP ? seed : NULL;
	r = launch_digest(&in, ld, &n, &e);
	if (r == 0 ? n != (mode == LAUNCH_SNP ? 48 : 32) : (!e.code || !e.msg[0]))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes image = {(uint8_t *) (uintptr_t) data, size};
	struct launch_hashes h = {{0}, {0}, {0}};
	struct err e = ERR_INIT;
	arena_auto a = {0};
	struct ovmf o;

	if (ovmf_parse(image, &a, &o, &e) < 0) {
		if (!e.code || !e.msg[0])
			abort();
		return 0;
	}
	measure(&o, LAUNCH_SNP, &h);
	measure(&o, LAUNCH_SNP, NULL);
	measure(&o, LAUNCH_SEV_ES, &h);
	return 0;
}
