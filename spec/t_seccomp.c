/* SPDX-License-Identifier: Apache-2.0 */
/* config-linux.md, "Seccomp". The lists of names are closed by the spec; unknown syscall names are not
 * an error, because profiles name syscalls of newer kernels. */
#include "spec/fields.h"

static const struct name_val actions[] = {
	{.name = "SCMP_ACT_KILL"},	  {.name = "SCMP_ACT_KILL_PROCESS"},
	{.name = "SCMP_ACT_KILL_THREAD"}, {.name = "SCMP_ACT_TRAP"},
	{.name = "SCMP_ACT_ERRNO"},	  {.name = "SCMP_ACT_TRACE"},
	{.name = "SCMP_ACT_ALLOW"},	  {.name = "SCMP_ACT_LOG"},
	{.name = "SCMP_ACT_NOTIFY"},
};
static const struct name_val operators[] = {
	{.name = "SCMP_CMP_NE"},	{.name = "SCMP_CMP_LT"}, {.name = "SCMP_CMP_LE"},
	{.name = "SCMP_CMP_EQ"},	{.name = "SCMP_CMP_GE"}, {.name = "SCMP_CMP_GT"},
	{.name = "SCMP_CMP_MASKED_EQ"},
};
static const struct name_val archs[] = {
	{.name = "SCMP_ARCH_X86"},	   {.name = "SCMP_ARCH_X86_64"},
	{.name = "SCMP_ARCH_X32"},	   {.name = "SCMP_ARCH_ARM"},
	{.name = "SCMP_ARCH_AARCH64"},	   {.name = "SCMP_ARCH_MIPS"},
	{.name = "SCMP_ARCH_MIPS64"},	   {.name = "SCMP_ARCH_MIPS64N32"},
	{.name = "SCMP_ARCH_MIPSEL"},	   {.name = "SCMP_ARCH_MIPSEL64"},
	{.name = "SCMP_ARCH_MIPSEL64N32"}, {.name = "SCMP_ARCH_PPC"},
	{.name = "SCMP_ARCH_PPC64"},	   {.name = "SCMP_ARCH_PPC64LE"},
	{.name = "SCMP_ARCH_S390"},	   {.name = "SCMP_ARCH_S390X"},
	{.name = "SCMP_ARCH_PARISC"},	   {.name = "SCMP_ARCH_PARISC64"},
	{.name = "SCMP_ARCH_RISCV64"},	   {.name = "SCMP_ARCH_LOONGARCH64"},
	{.name = "SCMP_ARCH_M68K"},	   {.name = "SCMP_ARCH_SH"},
	{.name = "SCMP_ARCH_SHEB"},
};
static const struct name_val flags[] = {
	{.name = "SECCOMP_FILTER_FLAG_TSYNC"},
	{.name = "SECCOMP_FILTER_FLAG_LOG"},
	{.name = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"},
	{.name = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"},
};

/* A syscall has six arguments. */
static const struct jfield arg_f[] = {
	F_UINT(struct spec_seccomp_arg, index, .flags = J_REQUIRED, .max = 5),
	F_UINT(struct spec_seccomp_arg, value, .flags = J_REQUIRED),
	F_UINT(struct spec_seccomp_arg, valueTwo),
	F_STR(struct spec_seccomp_arg, op, .flags = J_REQUIRED, F_ONE_OF(operators)),
};
static const struct jtable arg_t = F_TABLE(struct spec_seccomp_arg, arg_f);

/*
 * errnoRet with an action that takes none MUST be an error. The kernel keeps 16 bits of it: all of them
 * reach a tracer, but what a syscall returns ends at MAX_ERRNO.
 */
#define ERRNO_MAX 4095

static int check_errno(const struct json_doc *d, const struct json_node *n, const char *member,
		       struct opt_u64 errno_ret, const char *action, struct arena *a, struct err *e)
{
	if (!errno_ret.set || str_eq(action, "SCMP_ACT_TRACE"))
		return 0;
	if (!str_eq(action, "SCMP_ACT_ERRNO"))
		return json_err(
			d, json_get(n, member), e,
			"goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE, the action is %s",
			action);
	if (errno_ret.v > ERRNO_MAX)
		return spec_refuse(d, n, member, "a number from 0 to 4095", a, e);
	return 0;
}

static int rule_check(const struct json_doc *d, const struct json_node *n, void *obj,
		      struct arena *a, struct err *e)
{
	const struct spec_seccomp_rule *rule = obj;

	return check_errno(d, n, "errnoRet", rule->errnoRet, rule->action, a, e);
}

static const struct jfield rule_f[] = {
	F_STRS(struct spec_seccomp_rule, names, .flags = J_REQUIRED | J_NONEMPTY),
	F_STR(struct spec_seccomp_rule, action, .flags = J_REQUIRED, F_ONE_OF(actions)),
	F_UINT(struct spec_seccomp_rule, errnoRet, .max = UINT16_MAX),
	F_OBJS(struct spec_seccomp_rule, args, struct spec_seccomp_arg, &arg_t),
};
static const struct jtable rule_t = F_TABLE(struct spec_seccomp_rule, rule_f, .check = rule_check);

static int seccomp_check(const struct json_doc *d, const struct json_node *n, void *obj,
			 struct arena *a, struct err *e)
{
	const struct spec_seccomp *s = obj;

	if (s->listenerMetadata && !s->listenerPath)
		return json_err(d, json_get(n, "listenerMetadata"), e,
				"is not allowed without listenerPath");
	return check_errno(d, n, "defaultErrnoRet", s->defaultErrnoRet, s->defaultAction, a, e);
}

static const struct jfield seccomp_f[] = {
	F_STR(struct spec_seccomp, defaultAction, .flags = J_REQUIRED, F_ONE_OF(actions)),
	F_UINT(struct spec_seccomp, defaultErrnoRet, .max = UINT16_MAX),
	F_STRS(struct spec_seccomp, architectures, F_ONE_OF(archs)),
	F_STRS(struct spec_seccomp, flags, F_ONE_OF(flags)),
	F_STR(struct spec_seccomp, listenerPath, .flags = J_NONEMPTY),
	F_STR(struct spec_seccomp, listenerMetadata),
	F_OBJS(struct spec_seccomp, syscalls, struct spec_seccomp_rule, &rule_t),
};
const struct jtable spec_t_seccomp = F_TABLE(struct spec_seccomp, seccomp_f,
					     .check = seccomp_check);
