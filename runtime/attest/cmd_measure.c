/* SPDX-License-Identifier: Apache-2.0 */
/* measure: the launch digest of a guest, from the files and numbers that it is started with. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/cmd.h"
#include "attest/confine.h"
#include "attest/crypto.h"
#include "attest/launch.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/jsonw.h"
#include "base/str.h"

#define DEFAULT_CPU "EPYC-v4"

struct measure_opts {
	const char *mode, *firmware, *kernel, *initrd, *append;
	const char *kernel_sha256, *initrd_sha256, *firmware_seed;
	const char *cpu, *cpu_signature, *features, *hash_table, *policy_digest;
	struct opt_u64 vcpus;
	bool legacy_vmsa, json;
};

static const struct name_val modes[] = {
	{"snp", LAUNCH_SNP},
	{"sev-es", LAUNCH_SEV_ES},
	{"sev", LAUNCH_SEV},
};

struct measured {
	struct launch_input in;
	struct launch_hashes hashes;
	struct ovmf ovmf;
	struct bytes firmware;
	uint8_t seed[48];
	const char *mode, *cpu, *policy_digest;
};

static int pick_mode(const struct measure_opts *o, struct measured *m, struct err *e)
{
	const struct name_val *row = name_find(modes, ARRAY_LEN(modes), o->mode ? o->mode : "snp");

	if (!row)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--mode: expected snp, sev-es or sev, found \"%s\"", o->mode);
	m->mode = row->name;
	m->in.mode = (enum launch_mode) row->val;
	if (o->legacy_vmsa && m->in.mode != LAUNCH_SEV_ES)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--legacy-vmsa: only SEV-ES has such guests (--mode sev-es)");
	m->in.legacy_vmsa = o->legacy_vmsa;
	return 0;
}

static int pick_cpu(const struct measure_opts *o, struct measured *m, struct arena *a,
		    struct err *e)
{
	uint64_t signature;
	const char *const *model;
	char *known = arena_strdup(a, "");
	int r;

	m->cpu = o->cpu ? o->cpu : DEFAULT_CPU;
	if (o->cpu && o->cpu_signature)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--cpu and --cpu-signature: expected one of them");
	if (o->cpu_signature) {
		r = attest_number("cpu-signature", o->cpu_signature, UINT32_MAX, &signature, e);
		if (r < 0)
			return r;
		m->cpu = NULL;
		m->in.cpu_signature = (uint32_t) signature;
		return 0;
	}
	m->in.cpu_signature = launch_cpu_signature(m->cpu);
	if (m->in.cpu_signature)
		return 0;
	for (model = launch_cpu_models(); *model; model++)
		known = arena_printf(a, "%s%s%s", known, *known ? ", " : "", *model);
	return err_set_id(
		e, ERR_USAGE, -EINVAL,
		"--cpu: expected one of QEMU's models (%s; also with -vN), found \"%s\"; any "
		"other by --cpu-signature",
		known, m->cpu);
}

static int pick_numbers(const struct measure_opts *o, struct measured *m, struct err *e)
{
	int r = 0;

	m->in.vcpus = o->vcpus.set ? (uint32_t) o->vcpus.v : 1;
	m->in.features = m->in.mode == LAUNCH_SNP ? 1 : 0;
	if (o->features)
		r = attest_number("guest-features", o->features, UINT64_MAX, &m->in.features, e);
	if (r == 0 && o->firmware_seed) {
		if (m->in.mode != LAUNCH_SNP)
			return err_set_id(e, ERR_USAGE, -EINVAL,
					  "--firmware-seed: only SNP's digest has one");
		r = attest_hex("firmware-seed", o->firmware_seed, m->seed, sizeof(m->seed), e);
		m->in.seed = m->seed;
	}
	return r;
}

/* Mapped, not read: a kernel is hashed once, and nothing parses it. */
static int hash_file(const char *opt, const char *path, uint8_t ret[32], struct err *e)
{
	fd_auto int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p = NULL;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_sys(e, "--%s: open %s", opt, path);
	if (S_ISREG(st.st_mode) && st.st_size > 0) {
		p = mmap(NULL, (size_t) st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
		if (p == MAP_FAILED)
			return err_sys(e, "--%s: read %s", opt, path);
	} else if (!S_ISREG(st.st_mode) && !str_eq(path, "/dev/null")) {
		return err_set(e, -EINVAL, "--%s: expected a file, %s is none", opt, path);
	} else {
		st.st_size = 0;
	}
	digest_of(DIGEST_SHA256, p ? p : "", (size_t) st.st_size, ret);
	if (p)
		munmap(p, (size_t) st.st_size);
	return 0;
}

/* a file's hash, or the hash itself; of nothing when there is neither */
static int hash_of(const char *opt, const char *hash_opt, const char *file, const char *hash,
		   uint8_t ret[32], struct err *e)
{
	if (file && hash)
		return err_set_id(e, ERR_USAGE, -EINVAL, "--%s and --%s: expected one of them", opt,
				  hash_opt);
	if (hash)
		return attest_hex(hash_opt, hash, ret, 32, e);
	if (file)
		return hash_file(opt, file, ret, e);
	digest_of(DIGEST_SHA256, "", 0, ret);
	return 0;
}

static int pick_kernel(const struct measure_opts *o, struct measured *m, struct err *e)
{
	const char *append = o->append ? o->append : "";
	int r;

	if (!o->kernel && !o->kernel_sha256) {
		if (o->initrd || o->initrd_sha256 || o->append)
			return err_set_id(
				e, ERR_USAGE, -EINVAL,
				"--initrd and --append need --kernel: the firmware checks "
				"them together or not at all");
		return 0;
	}
	r = hash_of("kernel", "kernel-sha256", o->kernel, o->kernel_sha256, m->hashes.kernel, e);
	if (r == 0)
		r = hash_of("initrd", "initrd-sha256", o->initrd, o->initrd_sha256,
			    m->hashes.initrd, e);
	if (r < 0)
		return r;
	digest_of(DIGEST_SHA256, append, strlen(append) + 1, m->hashes.cmdline);
	m->in.hashes = &m->hashes;
	return 0;
}

/* Before the image is looked at, for no file can be opened after that. */
static int open_table(const struct measure_opts *o, const struct measured *m, int *ret,
		      struct err *e)
{
	if (!o->hash_table)
		return 0;
	if (!m->in.hashes)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "--hash-table needs --kernel: it is a table of what is booted");
	*ret = open(o->hash_table, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return *ret < 0 ? err_sys(e, "--hash-table: open %s", o->hash_table) : 0;
}

static int write_table(const struct measure_opts *o, const struct measured *m, int fd,
		       struct err *e)
{
	uint8_t table[LAUNCH_TABLE_LEN];
	int r;

	if (fd < 0)
		return 0;
	launch_table(m->in.hashes, table);
	r = io_write_all(fd, table, sizeof(table));
	return r < 0 ? err_neg(e, r, "--hash-table: write %s", o->hash_table) : 0;
}

static void put_hashes(struct jsonw *w, const struct measured *m, struct arena *a)
{
	jw_key(w, "kernelHashes");
	if (!m->in.hashes) {
		jw_null(w);
		return;
	}
	jw_obj(w);
	jw_kstr(w, "kernel", hex_text(a, m->hashes.kernel, 32));
	jw_kstr(w, "initrd", hex_text(a, m->hashes.initrd, 32));
	jw_kstr(w, "cmdline", hex_text(a, m->hashes.cmdline, 32));
	jw_obj_end(w);
}

static void put_firmware(struct jsonw *w, const struct measured *m, struct arena *a)
{
	const struct ovmf *f = &m->ovmf;
	uint8_t sha[32];

	digest_of(DIGEST_SHA256, m->firmware.v, m->firmware.n, sha);
	jw_key(w, "firmware");
	jw_obj(w);
	jw_kstr(w, "sha256", hex_text(a, sha, 32));
	jw_ku64(w, "size", m->firmware.n);
	jw_key(w, "sections");
	jw_arr(w);
	for (size_t i = 0; i < f->n_sections; i++) {
		jw_obj(w);
		jw_kstr(w, "type", ovmf_section_name(f->sections[i].type));
		jw_kstr(w, "address", arena_printf(a, "0x%x", f->sections[i].gpa));
		jw_ku64(w, "size", f->sections[i].size);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	jw_key(w, "hashTable");
	if (f->hashes.set) {
		jw_obj(w);
		jw_kstr(w, "address", arena_printf(a, "0x%x", f->hashes.base));
		jw_ku64(w, "size", f->hashes.size);
		jw_obj_end(w);
	} else {
		jw_null(w);
	}
	jw_obj_end(w);
}

static void put_json(struct buf *b, const struct measured *m, const uint8_t *ld, size_t n,
		     struct arena *a)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "mode", m->mode);
	jw_kstr(&w, "launchDigest", hex_text(a, ld, n));
	jw_kstr(&w, "launchDigestBase64", base64_text(a, ld, n));
	if (m->in.mode != LAUNCH_SEV) {
		jw_ku64(&w, "vcpus", m->in.vcpus);
		jw_kstr(&w, "cpu", m->cpu);
		jw_kstr(&w, "cpuSignature", arena_printf(a, "0x%08x", m->in.cpu_signature));
		jw_kstr(&w, "guestFeatures",
			arena_printf(a, "0x%llx", (unsigned long long) m->in.features));
	}
	if (m->in.mode == LAUNCH_SEV_ES)
		jw_kbool(&w, "legacyVmsa", m->in.legacy_vmsa);
	if (m->policy_digest)
		jw_kstr(&w, "policyDigest", m->policy_digest);
	put_hashes(&w, m, a);
	put_firmware(&w, m, a);
	jw_obj_end(&w);
	buf_put(b, "\n", 1);
}

static int measure(struct arena *a, void *opts, int argc, char **argv, struct err *e)
{
	const struct measure_opts *o = opts;
	struct measured m = {0};
	buf_auto b = BUF_WRITER(1u << 20);
	fd_auto int table = -EBADF;
	uint8_t ld[LAUNCH_LD_MAX];
	size_t n;
	int r;

	(void) argc;
	(void) argv;
	if (!o->firmware)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "expected --firmware FILE, the image that the guest starts with");
	if ((r = pick_mode(o, &m, e)) < 0 || (r = pick_cpu(o, &m, a, e)) < 0 ||
	    (r = pick_numbers(o, &m, e)) < 0 || (r = pick_kernel(o, &m, e)) < 0 ||
	    (r = attest_read("--firmware", o->firmware, OVMF_MAX, a, &m.firmware, e)) < 0 ||
	    (r = open_table(o, &m, &table, e)) < 0 || (r = confine_self(e)) < 0)
		return r;
	r = ovmf_parse(m.firmware, a, &m.ovmf, e);
	m.in.firmware = &m.ovmf;
	if (r == 0)
		r = launch_digest(&m.in, ld, &n, e);
	if (r < 0)
		return err_context(e, "%s", o->firmware);
	r = write_table(o, &m, table, e);
	if (r < 0)
		return r;
	m.policy_digest = o->policy_digest;
	if (o->json) {
		put_json(&b, &m, ld, n, a);
	} else {
		const char *line = arena_printf(a, "%s\n", hex_text(a, ld, n));

		buf_put(&b, line, strlen(line));
	}
	return attest_print(&b, e);
}

#define O(field) offsetof(struct measure_opts, field)

static const struct opt opts_table[] = {
	{"mode", 0, OPT_STR, "MODE", "snp (default), sev-es or sev", O(mode)},
	{"firmware", 0, OPT_STR, "FILE", "OVMF image that QEMU gets by -bios", O(firmware)},
	{"kernel", 0, OPT_STR, "FILE", "kernel of a measured direct boot (kernel-hashes=on)",
	 O(kernel)},
	{"initrd", 0, OPT_STR, "FILE", "its initial RAM disk", O(initrd)},
	{"append", 0, OPT_STR, "TEXT", "its command line", O(append)},
	{"vcpus", 0, OPT_U32, "N", "number of vCPUs (default: 1)", O(vcpus)},
	{"cpu", 0, OPT_STR, "MODEL", "QEMU's name of the CPU model (default: " DEFAULT_CPU ")",
	 O(cpu)},
	{"cpu-signature", 0, OPT_STR, "HEX", "CPUID(1).EAX in place of a model", O(cpu_signature)},
	{"guest-features", 0, OPT_STR, "HEX", "SEV_FEATURES (default: 0x1 for SNP, else 0)",
	 O(features)},
	{"legacy-vmsa", 0, OPT_FLAG, NULL, "SEV-ES as KVM started it before Linux 6.10",
	 O(legacy_vmsa)},
	{"kernel-sha256", 0, OPT_STR, "HEX", "hash of the kernel where the file is not at hand",
	 O(kernel_sha256)},
	{"initrd-sha256", 0, OPT_STR, "HEX", "the same for the initial RAM disk", O(initrd_sha256)},
	{"firmware-seed", 0, OPT_STR, "HEX",
	 "SNP digest after the firmware's pages; FILE need then hold only its last pages",
	 O(firmware_seed)},
	/* of `kavach measure BUNDLE`, which knows it */
	{"policy-digest", 0, OPT_STR, "HEX", NULL, O(policy_digest)},
	{"hash-table", 0, OPT_STR, "FILE", "write the table of the kernel's hashes there",
	 O(hash_table)},
	{"json", 0, OPT_FLAG, NULL, "print everything that went into the digest as well", O(json)},
};

const struct attest_command attest_measure = {
	.name = "measure",
	.args = "",
	.help = "compute the launch digest of a confidential guest",
	.opts = opts_table,
	.n_opts = ARRAY_LEN(opts_table),
	.opts_size = sizeof(struct measure_opts),
	.min_args = 0,
	.max_args = 0,
	.run = measure,
};
_Static_assert(sizeof(struct measure_opts) <= ATTEST_OPTS_MAX, "options fit");
