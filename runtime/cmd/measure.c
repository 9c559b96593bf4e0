/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: the launch digest of a confidential guest. With a bundle, the guest is the one that this bundle would be started
 * in: the same decisions as at its start (policy, shape) give the files, the command line and the numbers, and kavach-attest
 * counts them. Nothing is asked of this machine but its guest image, its firmware and its rules: the digest is the same on
 * another one that has these. Without a bundle, all of that is said by hand.
 */
#include <errno.h>

#include "base/sha256.h"
#include "base/str.h"
#include "cmd/attest.h"
#include "host/guest_image.h"
#include "policy/build.h"
#include "policy/codec.h"
#include "vm/image.h"

struct measure {
	const char *bundle, *mode, *firmware, *config, *guest, *hash_table;
	bool json;
};

static const struct name_val modes[] = {
	{"snp", POL_BACKEND_SEV_SNP},
	{"sev-es", POL_BACKEND_SEV_ES},
	{"sev", POL_BACKEND_SEV},
};

/* BUNDLE [--mode MODE] [--firmware FILE] [--guest DIR] [--config FILE] [--hash-table FILE] [--json] */
static int read_args(int argc, char **argv, struct measure *m, struct err *e)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {{"--mode", &m->mode},
		     {"--firmware", &m->firmware},
		     {"--config", &m->config},
		     {"--guest", &m->guest},
		     {"--hash-table", &m->hash_table}};
	int i = 2;

	m->bundle = argv[1];
	while (i < argc) {
		bool found = str_eq(argv[i], "--json");

		m->json |= found;
		for (size_t k = 0; k < ARRAY_LEN(texts) && !found; k++) {
			const char *rest = str_prefix(argv[i], texts[k].name);

			found = rest && (*rest == '=' || (!*rest && i + 1 < argc));
			if (found)
				*texts[k].to = *rest == '=' ? rest + 1 : argv[++i];
		}
		if (!found)
			return err_set_id(
				e, ERR_USAGE, -EINVAL,
				"measure BUNDLE: expected --mode MODE, --firmware FILE, "
				"--guest DIR, --config FILE, --hash-table FILE or --json, "
				"found \"%s\"",
				argv[i]);
		i++;
	}
	return 0;
}

static int shape_of(struct globals *g, const struct measure *m, struct vm_shape *ret,
		    uint8_t ret_digest[SHA256_LEN], struct err *e)
{
	/* The machine's processor and size are not measured; KVM is what such a guest needs. */
	const struct vm_host any = {.hypervisor = "/usr/bin/qemu-system-x86_64", .cbitpos = 1};
	const struct policy_input in = {.measuring = true};
	struct bundle bd = {0};
	struct vm_image image;
	int r = bundle_load(g, m->bundle, m->config, &in, &bd, e);

	if (r == 0)
		r = bundle_pack(g, &bd, e);
	if (r == 0)
		r = vm_image_find(m->guest ? m->guest : guest_image_dir(), g->a, &image, e);
	if (r < 0)
		return r;
	if (m->firmware)
		image.uefi_sev = m->firmware;
	r = vm_shape_decide(bd.policy, &any, &image, g->a, ret, e);
	if (r < 0)
		return r;
	if (ret->sev.kind == VM_SEV_NONE)
		return err_set_id(e, ERR_USAGE, -EINVAL, "%s: this bundle's VM is not confidential",
				  m->bundle);
	policy_digest(bd.policy_enc.v, bd.policy_enc.n, ret_digest);
	return vm_shape_bind(ret, ret_digest, g->a, e);
}

static int measure_bundle(struct globals *g, int argc, char **argv, struct err *e)
{
	struct measure m = {.mode = "snp"};
	const struct name_val *mode;
	uint8_t digest[SHA256_LEN];
	char hex[SHA256_HEX];
	struct vm_shape s;
	size_t n = 0;
	char **v;
	int r = read_args(argc, argv, &m, e);

	if (r < 0)
		return r;
	mode = name_find(modes, ARRAY_LEN(modes), m.mode);
	if (!mode)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--mode: expected snp, sev-es or sev, found \"%s\"", m.mode);
	g->backend_floor = (uint32_t) mode->val;
	r = shape_of(g, &m, &s, digest, e);
	if (r < 0)
		return r;
	sha256_hex(digest, hex);
	const char *const words[] = {
		"kavach-attest",   "measure",
		"--mode",	   m.mode,
		"--firmware",	   s.firmware,
		"--kernel",	   s.kernel,
		"--initrd",	   s.initrd,
		"--append",	   s.cmdline,
		"--policy-digest", hex,
		"--cpu",	   s.cpu,
		"--vcpus",	   arena_printf(g->a, "%u", s.vcpus),
	};
	v = arena_array(g->a, ARRAY_LEN(words) + 4, sizeof(*v));
	for (; n < ARRAY_LEN(words); n++)
		v[n] = arena_strdup(g->a, words[n]);
	if (m.hash_table) {
		v[n++] = arena_strdup(g->a, "--hash-table");
		v[n++] = arena_strdup(g->a, m.hash_table);
	}
	if (m.json)
		v[n] = arena_strdup(g->a, "--json");
	return attest_forward(g, v, e);
}

/* "measure ARG..." becomes "kavach-attest measure ARG..." */
static int cmd_measure(struct globals *g, void *opts, int argc, char **argv, struct err *e)
{
	char **v;

	(void) opts;
	if (argc > 1 && argv[1][0] != '-')
		return measure_bundle(g, argc, argv, e);
	v = arena_array(g->a, (size_t) argc + 2, sizeof(*v));
	v[0] = arena_strdup(g->a, "kavach-attest");
	for (int i = 0; i < argc; i++)
		v[i + 1] = argv[i];
	return attest_forward(g, v, e);
}

const struct command command_measure = {
	.name = "measure",
	.args = "[BUNDLE]",
	.help = "compute the launch digest of a confidential guest",
	.forward = true,
	.run = cmd_measure,
};
