/* SPDX-License-Identifier: Apache-2.0 */
/* The annotations that we know. Names outside io.kavach. are crun's and runc's: engines set them. */
#include "spec/annot.h"

#include "base/str.h"

const struct annot_row annot_rows[] = {
	{"io.kavach.secrets", ANNOT_TEXT, true,
	 "names of secrets that the site's rules offer to this container, separated by commas"},
	{"io.kavach.", ANNOT_TEXT, true, "settings of kavach; they can only tighten"},
	{"org.systemd.property.", ANNOT_GVARIANT, true,
	 "property of the container's systemd scope"},
	{"run.oci.hooks.stderr", ANNOT_PATH, true, "file that gets what hooks write to stderr"},
	{"run.oci.hooks.stdout", ANNOT_PATH, true, "file that gets what hooks write to stdout"},
	{"run.oci.keep_original_groups", ANNOT_BOOL, true,
	 "keep the caller's supplementary groups in the container"},
	{"run.oci.mount_context_type", ANNOT_TEXT, true,
	 "mount option that carries the SELinux label: context, fscontext, defcontext, rootcontext"},
	{"run.oci.seccomp_fail_unknown_syscall", ANNOT_BOOL, true,
	 "fail when the seccomp profile names a syscall that is not known"},
	{"run.oci.systemd.subgroup", ANNOT_TEXT, true,
	 "cgroup below the container's systemd scope that its processes are in"},
};
const size_t annot_rows_n = ARRAY_LEN(annot_rows);

const struct annot_row *annot_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(annot_rows); i++) {
		const char *row = annot_rows[i].name;
		bool is_prefix = row[strlen(row) - 1] == '.';

		if (is_prefix ? str_prefix(name, row) != NULL : str_eq(name, row))
			return &annot_rows[i];
	}
	return NULL;
}

bool annot_bool(const char *value, bool *ret)
{
	static const struct name_val words[] = {{"1", 1}, {"true", 1}, {"0", 0}, {"false", 0}};
	const struct name_val *w = name_find(words, ARRAY_LEN(words), value);

	if (w)
		*ret = w->val;
	return w;
}
