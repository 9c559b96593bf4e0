/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/cache.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "attest/bytes.h"
#include "attest/crypto.h"
#include "base/fd.h"
#include "base/io.h"
#include "base/str.h"

#define CERT_FILE_MAX 65536u
#define KDS "https://kdsintf.amd.com/vcek/v1/"

char *cache_default(struct arena *a)
{
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

	if (xdg && xdg[0] == '/')
		return arena_printf(a, "%s/kavach/attest", xdg);
	return home && home[0] == '/' ? arena_printf(a, "%s/.cache/kavach/attest", home) : NULL;
}

static char *folder(const char *base, enum snp_product p, const char *holder, const uint8_t tcb[8],
		    struct arena *a)
{
	return arena_printf(a, "%s/%s/%s/%s", base, snp_product_name(p), holder,
			    hex_text(a, tcb, 8));
}

/* ---- reading ---- */

static size_t read_folder(const char *path, struct arena *a, struct cache_file *ret, size_t max)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	size_t n = 0;

	while (dir && n < max && (d = readdir(dir))) {
		if (!str_has_suffix(d->d_name, ".der"))
			continue;
		ret[n].path = arena_printf(a, "%s/%s", path, d->d_name);
		/* what cannot be read is not there; the check for a VEK says so */
		if (io_read_at(AT_FDCWD, ret[n].path, O_RDONLY | O_NONBLOCK, CERT_FILE_MAX, a,
			       &ret[n].data) == 0)
			n++;
	}
	if (dir)
		closedir(dir);
	return n;
}

size_t cache_read(const char *base, const struct report *r, struct arena *a, struct cache_file *ret,
		  size_t max)
{
	enum snp_product known = report_product(r);
	const char *holder;
	size_t n = 0;

	for (int i = SNP_MILAN; i < SNP_PRODUCTS; i++) {
		enum snp_product p = (enum snp_product) i;

		if (known != SNP_PRODUCT_NONE && known != p)
			continue;
		holder = r->signing_key == SIGNING_VLEK ? "vlek"
							: hex_text(a, r->chip_id, snp_hwid_len(p));
		n += read_folder(folder(base, p, holder, r->tcb[TCB_REPORTED], a), a, ret + n,
				 max - n);
	}
	return n;
}

/* ---- storing ---- */

int cache_key_of(const struct cert *c, struct cache_key *ret, struct err *e)
{
	struct cache_key k = {.product = cert_product(c), .vlek = cert_kind(c) == CERT_VLEK};
	struct vek_facts f;
	int r;

	if (k.product == SNP_PRODUCT_NONE)
		return err_set(e, -EINVAL, "%s: issued by \"%s\", which is none of AMD's products",
			       cert_subject(c), cert_issuer(c));
	r = vek_facts(c, &f, e);
	if (r < 0)
		return err_context(e, "%s", cert_subject(c));
	if (!k.vlek && (!f.has_hwid || f.hwid_len != snp_hwid_len(k.product)))
		return err_set(e, -EINVAL, "%s: expected a HWID of %u bytes", cert_subject(c),
			       snp_hwid_len(k.product));
	memcpy(k.hwid, f.hwid, sizeof(k.hwid));
	k.tcb = f.tcb;
	*ret = k;
	return 0;
}

static int make_folders(char *path, struct err *e)
{
	for (char *at = path + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return err_sys(e, "make the folder %s", path);
		*at = c;
		if (!c)
			return 0;
	}
}

int cache_store(const char *base, const struct cache_key *k, struct bytes der, struct arena *a,
		char **ret_path, struct err *e)
{
	uint8_t tcb[8], sha[CRYPTO_SHA256_LEN];
	char *dir, *name;
	fd_auto int fd = -EBADF;
	int r;

	snp_tcb_raw(k->product, &k->tcb, tcb);
	dir = folder(base, k->product,
		     k->vlek ? "vlek" : hex_text(a, k->hwid, snp_hwid_len(k->product)), tcb, a);
	digest_of(DIGEST_SHA256, der.v, der.n, sha);
	name = arena_printf(a, "%s.der", hex_text(a, sha, 8));
	r = make_folders(dir, e);
	if (r < 0)
		return r;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "open %s", dir);
	r = io_replace_at(fd, name, 0644, der.v, der.n);
	if (r < 0)
		return err_neg(e, r, "write %s/%s", dir, name);
	*ret_path = arena_printf(a, "%s/%s", dir, name);
	return 0;
}

/* ---- AMD's service ---- */

int kds_url(const struct report *r, enum snp_product p, struct arena *a, char **ret, struct err *e)
{
	struct snp_tcb t;
	char *s;

	if (r->signing_key == SIGNING_VLEK)
		return err_set(
			e, -EINVAL,
			"the report is signed by a VLEK: AMD gives its certificate to the cloud "
			"provider only, which hands it out with the report");
	if (r->signing_key != SIGNING_VCEK)
		return err_set(e, -EINVAL, "the report is not signed by a VCEK");
	if (report_chip_masked(r))
		return err_set(
			e, -EINVAL,
			"the host masks which chip this is: only it can say which VCEK signed");
	if (!snp_tcb_read(p, r->tcb[TCB_REPORTED], &t))
		return err_set(e, -EINVAL, "the reported TCB %s is not one of a %s",
			       hex_text(a, r->tcb[TCB_REPORTED], 8), snp_product_name(p));
	s = arena_printf(a, KDS "%s/%s?", snp_product_name(p),
			 hex_text(a, r->chip_id, snp_hwid_len(p)));
	if (snp_tcb_has(p, TCB_FMC))
		s = arena_printf(a, "%sfmcSPL=%02u&", s, t.v[TCB_FMC]);
	*ret = arena_printf(a, "%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", s,
			    t.v[TCB_BOOT_LOADER], t.v[TCB_TEE], t.v[TCB_SNP], t.v[TCB_MICROCODE]);
	return 0;
}
