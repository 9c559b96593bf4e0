/* SPDX-License-Identifier: Apache-2.0 */
/* What this guest knows of itself, for its own verdict and for whoever asks: the places that judge.c and report.c do not know. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>

#include "agent/agent.h"
#include "agent/judge.h"
#include "agent/report.h"
#include "base/io.h"

#define CONFIGFS "/sys/kernel/config"
#define CMDLINE_MAX 4096
#define CPUID_SEV 0x8000001fu
#define CPUID_SEV_SNP (1u << 4)

static const struct report_places places = {
	.tsm = CONFIGFS "/tsm/report",
	.device = "/dev/sev-guest",
};

/* A guest that is none of SNP is not made slower by looking for what it cannot have. */
static bool cpu_says_snp(void)
{
	unsigned a = 0, b, c, d;

	return __get_cpuid_count(CPUID_SEV, 0, &a, &b, &c, &d) && (a & CPUID_SEV_SNP);
}

static int load_driver(const struct agent *a, struct err *e)
{
	int r;

	if (!a->guest)
		return 0;
	r = guest_modules("sev", e);
	/* not there, or there already: report_get() says what is missing */
	if (r == 0)
		(void) mount("configfs", CONFIGFS, "configfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
			     NULL);
	return r;
}

static int own_report(struct agent *a, struct bytes nonce, struct arena *to,
		      struct guest_report *ret, struct err *e)
{
	uint8_t data[EVIDENCE_DATA_LEN];

	evidence_bind(nonce, a->key, a->digest, data);
	return report_get(&places, data, to, ret, e);
}

int agent_judge(struct agent *a, struct bytes *ret_report, struct err *e)
{
	bool must = a->policy->backend == POL_BACKEND_SEV_SNP;
	struct judge_facts f = {0};
	struct guest_report own = {0};
	struct err why = ERR_INIT;
	struct bytes cmdline;
	int r = 0;

	*ret_report = (struct bytes){NULL, 0};
	if (a->guest && io_read_at(AT_FDCWD, "/proc/cmdline", 0, CMDLINE_MAX, &a->a, &cmdline) == 0)
		f.cmdline = (const char *) cmdline.v;
	else if (!a->guest)
		f.cmdline = ""; /* that of a machine which is not ours */
	if (must || (a->guest && cpu_says_snp()))
		r = load_driver(a, &why);
	if (r == 0 && (must || report_possible(&places)))
		r = own_report(a, (struct bytes){a->nonce, sizeof(a->nonce)}, &a->a, &own, &why);
	if (r == 0 && own.report.n)
		f.host_data = own.report.v + REPORT_HOST_DATA;
	else if (why.code)
		f.no_report = why.msg;
	r = judge(a->policy, a->digest, &f, e);
	if (r == 0)
		*ret_report = own.report;
	return r;
}

int agent_attest(struct agent *a, struct bytes nonce, struct buf *out, struct err *e)
{
	arena_auto tmp = {0};
	struct guest_report own;
	struct evidence_doc d = {.nonce = nonce, .key = a->key};
	int r;

	if (a->policy->backend != POL_BACKEND_SEV_SNP)
		return err_set(e, -EOPNOTSUPP,
			       "only a guest of SEV-SNP has a report to prove itself with");
	r = own_report(a, nonce, &tmp, &own, e);
	if (r < 0)
		return r;
	memcpy(d.policy, a->digest, sizeof(d.policy));
	d.report = own.report;
	d.certs = own.certs;
	evidence_write(out, &d, &tmp);
	return 0;
}
