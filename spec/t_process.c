/* SPDX-License-Identifier: Apache-2.0 */
/* config.md, "Process", "POSIX process" and "Linux Process": the process object. */
#include "spec/fields.h"

/* struct winsize has 16-bit fields: what does not fit could not be set. */
static const struct jfield box_f[] = {
	F_UINT(struct spec_box, height, .flags = J_REQUIRED, .max = UINT16_MAX),
	F_UINT(struct spec_box, width, .flags = J_REQUIRED, .max = UINT16_MAX),
};
static const struct jtable box_t = F_TABLE(struct spec_box, box_f);

/* uid and gid are REQUIRED: taken for absent, a misspelt one would become root. */
static const struct jfield user_f[] = {
	F_UINT(struct spec_user, uid, .flags = J_REQUIRED, .max = SPEC_ID_MAX),
	F_UINT(struct spec_user, gid, .flags = J_REQUIRED, .max = SPEC_ID_MAX),
	F_UINT(struct spec_user, umask, .max = 0777),
	F_UINTS(struct spec_user, additionalGids, .max = SPEC_ID_MAX),
	F_STR(struct spec_user, username),
};
static const struct jtable user_t = F_TABLE(struct spec_user, user_f);

static const struct jfield rlimit_f[] = {
	F_STR(struct spec_rlimit, type, .flags = J_REQUIRED | J_NONEMPTY),
	F_UINT(struct spec_rlimit, soft, .flags = J_REQUIRED),
	F_UINT(struct spec_rlimit, hard, .flags = J_REQUIRED),
};
static const struct jtable rlimit_t = F_TABLE(struct spec_rlimit, rlimit_f);

/* The names stay open: one that we do not know is a warning, not an error (S-15). */
static const struct jfield caps_f[] = {
	F_STRS(struct spec_caps, bounding),    F_STRS(struct spec_caps, effective),
	F_STRS(struct spec_caps, inheritable), F_STRS(struct spec_caps, permitted),
	F_STRS(struct spec_caps, ambient),
};
static const struct jtable caps_t = F_TABLE(struct spec_caps, caps_f);

static const struct name_val sched_policies[] = {
	{.name = "SCHED_OTHER"},    {.name = "SCHED_FIFO"}, {.name = "SCHED_RR"},
	{.name = "SCHED_BATCH"},    {.name = "SCHED_ISO"},  {.name = "SCHED_IDLE"},
	{.name = "SCHED_DEADLINE"},
};
static const struct name_val sched_flags[] = {
	{.name = "SCHED_FLAG_RESET_ON_FORK"},  {.name = "SCHED_FLAG_RECLAIM"},
	{.name = "SCHED_FLAG_DL_OVERRUN"},     {.name = "SCHED_FLAG_KEEP_POLICY"},
	{.name = "SCHED_FLAG_KEEP_PARAMS"},    {.name = "SCHED_FLAG_UTIL_CLAMP_MIN"},
	{.name = "SCHED_FLAG_UTIL_CLAMP_MAX"},
};
/* nice and priority: sched(7). Which policy takes which number is the policy's business. */
static const struct jfield scheduler_f[] = {
	F_STR(struct spec_scheduler, policy, .flags = J_REQUIRED, F_ONE_OF(sched_policies)),
	F_INT(struct spec_scheduler, nice, .min = -20, .max = 19),
	F_INT(struct spec_scheduler, priority, .min = 0, .max = 99),
	F_STRS(struct spec_scheduler, flags, F_ONE_OF(sched_flags)),
	F_UINT(struct spec_scheduler, runtime),
	F_UINT(struct spec_scheduler, deadline),
	F_UINT(struct spec_scheduler, period),
};
static const struct jtable scheduler_t = F_TABLE(struct spec_scheduler, scheduler_f);

static const struct name_val ioprio_classes[] = {
	{.name = "IOPRIO_CLASS_RT"},
	{.name = "IOPRIO_CLASS_BE"},
	{.name = "IOPRIO_CLASS_IDLE"},
};
static const struct jfield ioprio_f[] = {
	F_STR(struct spec_ioprio, class, .flags = J_REQUIRED, F_ONE_OF(ioprio_classes)),
	F_INT(struct spec_ioprio, priority, .flags = J_REQUIRED, .min = 0, .max = 7),
};
static const struct jtable ioprio_t = F_TABLE(struct spec_ioprio, ioprio_f);

static int affinity_check(const struct json_doc *d, const struct json_node *n, void *obj,
			  struct arena *a, struct err *e)
{
	int r;

	(void) obj;
	r = spec_check_each(d, n, "initial", spec_is_cpu_list, SPEC_CPU_LIST, a, e);
	if (r < 0)
		return r;
	return spec_check_each(d, n, "final", spec_is_cpu_list, SPEC_CPU_LIST, a, e);
}

static const struct jfield affinity_f[] = {
	F_STR(struct spec_affinity, initial),
	F_STR(struct spec_affinity, final),
};
static const struct jtable affinity_t = F_TABLE(struct spec_affinity, affinity_f,
						.check = affinity_check);

static int process_check(const struct json_doc *d, const struct json_node *n, void *obj,
			 struct arena *a, struct err *e)
{
	(void) obj;
	(void) a;
	return spec_check_env(d, n, e);
}

static const struct jfield process_f[] = {
	F_BOOL(struct spec_process, terminal),
	F_OBJ(struct spec_process, consoleSize, struct spec_box, &box_t),
	F_PATH(struct spec_process, cwd, .flags = J_REQUIRED),
	F_STRS(struct spec_process, env),
	F_STRS(struct spec_process, args),
	F_STR(struct spec_process, commandLine),
	F_OBJ(struct spec_process, user, struct spec_user, &user_t),
	F_OBJS(struct spec_process, rlimits, struct spec_rlimit, &rlimit_t),
	F_OBJ(struct spec_process, capabilities, struct spec_caps, &caps_t),
	F_BOOL(struct spec_process, noNewPrivileges),
	F_STR(struct spec_process, apparmorProfile),
	F_STR(struct spec_process, selinuxLabel),
	F_INT(struct spec_process, oomScoreAdj, .min = -1000, .max = 1000),
	F_OBJ(struct spec_process, scheduler, struct spec_scheduler, &scheduler_t),
	F_OBJ(struct spec_process, ioPriority, struct spec_ioprio, &ioprio_t),
	F_OBJ(struct spec_process, execCPUAffinity, struct spec_affinity, &affinity_t),
};
const struct jtable spec_t_process = F_TABLE(struct spec_process, process_f,
					     .check = process_check);
