/* SPDX-License-Identifier: Apache-2.0 */
/* The fields of the monitor's boot block, and what it checks before it believes one. */
#include "vm/boot.h"

#include "base/types.h"
#include "vm/shape.h"

/* clang-format off */
#define KIND(m)                                                                                     \
	_Generic(((ST *) 0)->m,                                                                     \
		bool: C_BOOL, uint32_t: C_U32, int32_t: C_I32, uint64_t: C_U64, char *: C_STR,      \
		struct strs: C_STRS, struct bytes: C_BYTES)
#define F(m) {.name = #m, .kind = KIND(m), .off = offsetof(ST, m)}
/* clang-format on */

#define ST struct monitor_boot
static const struct cfield rows[] = {
	F(mode),	F(stage),   F(control_fd), F(policy),	  F(prepare),	  F(volumes_at),
	F(hypervisor),	F(argv),    F(kernel_fd),  F(initrd_fd),  F(firmware_fd), F(uid),
	F(keep_root),	F(kvm_fd),  F(nics),	   F(memory),	  F(hello_ms),	  F(prepared_ms),
	F(shutdown_ms), F(qmp_ms),  F(owner),	   F(request_fd), F(terminal),	  F(ptmx_fd),
	F(broker_fd),	F(server),  F(sev),	   F(sev_policy), F(sev_dev),	  F(dh_cert_fd),
	F(session_fd),	F(memlock), F(launch_ms),  F(root_fd),	  F(oom_fd),
};
const struct ctable monitor_boot_table = {"monitor_boot", rows, ARRAY_LEN(rows), sizeof(ST)};

int monitor_boot_decode(const void *p, size_t n, struct arena *a, struct monitor_boot *ret,
			struct stage_boot *ret_stage, struct err *e)
{
	struct buf b = BUF_READER(p, n);
	struct monitor_boot m = {0};

	codec_decode(&b, &monitor_boot_table, &m, a);
	if (b.bad || buf_left(&b) != 0)
		return err_set(e, -EBADMSG, "the boot block of the monitor is malformed");
	if (m.mode != MONITOR_CREATE && m.mode != MONITOR_PROXY)
		return err_set(e, -EBADMSG, "boot block: unknown mode %u", m.mode);
	if (m.control_fd < 3 || (m.mode == MONITOR_PROXY && m.request_fd < 3) ||
	    (m.terminal && m.ptmx_fd < 3))
		return err_set(e, -EBADMSG, "boot block: a descriptor is missing");
	if (m.mode == MONITOR_CREATE &&
	    (!m.policy.n || !m.prepare.n || !m.hypervisor || !m.argv.n || !m.hello_ms))
		return err_set(e, -EBADMSG, "boot block: no VM to start");
	if (m.server.n && m.keep_root)
		return err_set(e, -EBADMSG, "boot block: the root is served twice");
	if (m.sev > VM_SEV_SNP || (m.sev && (!m.sev_dev || !m.launch_ms)))
		return err_set(e, -EBADMSG, "boot block: a confidential guest without its device");
	if (m.mode == MONITOR_CREATE && m.oom_fd < 3)
		return err_set(e, -EBADMSG, "boot block: a descriptor is missing");
	if (m.nics > VM_NICS_MAX)
		return err_set(e, -EBADMSG, "boot block: too many network devices");
	if (stage_boot_decode(m.stage.v, m.stage.n, a, ret_stage, e) < 0)
		return e->code;
	*ret = m;
	return 0;
}
