/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Site rules: what an operator demands of every container, in the *.json files of one directory. They are
 * ours, so unknown keys are errors (a misspelt demand would demand nothing), and a file that others than
 * root could write is refused. Several files add up: the strictest value counts.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/io.h"
#include "base/path.h"
#include "json/decode.h"
#include "policy/build.h"

#define RULES_DIR "/etc/kavach/rules.d"
#define RULES_MAX (64 << 10) /* bytes of one file */

static const struct name_val presets[] = {
	{"minimal", POL_PRESET_MINIMAL},
	{"basic", POL_PRESET_BASIC},
	{"strict", POL_PRESET_STRICT},
};

struct rules_file {
	struct opt_u64 min_strength;
	int preset;
};

static const struct jfield fields[] = {
	{.name = "minimumStrength",
	 .kind = J_UINT,
	 .off = offsetof(struct rules_file, min_strength),
	 .max = 100},
	{.name = "preset",
	 .kind = J_ENUM,
	 .off = offsetof(struct rules_file, preset),
	 .names = presets,
	 .n_names = ARRAY_LEN(presets)},
};
static const struct jtable table = {fields, ARRAY_LEN(fields), sizeof(struct rules_file), J_STRICT,
				    NULL};

/* Who can write the rules can undo them. Root's own files, or ours when we are not root. */
static int check_owner(int fd, const char *path, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, "%s", path);
	if (st.st_uid != 0 && st.st_uid != geteuid())
		return err_set_id(e, ERR_CONFIG, -EPERM, "%s: owned by user %u, expected root",
				  path, (unsigned) st.st_uid);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return err_set_id(e, ERR_CONFIG, -EPERM,
				  "%s: others than its owner can write it (mode %04o)", path,
				  (unsigned) st.st_mode & 07777);
	return 0;
}

static int read_file(int dirfd, const char *dir, const char *name, struct arena *a,
		     struct rules *ret, struct err *e)
{
	const char *path = path_join(a, dir, name);
	struct rules_file f = {0};
	struct json_doc doc;
	struct bytes text;
	int r;

	fd_auto int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return err_sys(e, "%s", path);
	r = check_owner(fd, path, e);
	if (r < 0)
		return r;
	r = io_read_fd(fd, RULES_MAX, a, &text);
	if (r < 0)
		return err_neg(e, r, "%s", path);
	r = json_read(path, (const char *) text.v, text.n, a, &doc, e);
	if (r < 0)
		return r;
	r = json_decode(&doc, doc.root, &table, &f, a, e);
	if (r < 0)
		return r;
	if (f.min_strength.set &&
	    (!ret->min_strength.set || f.min_strength.v > ret->min_strength.v)) {
		ret->min_strength = f.min_strength;
		ret->min_file = path;
	}
	if ((uint32_t) f.preset > ret->preset) {
		ret->preset = (uint32_t) f.preset;
		ret->preset_file = path;
	}
	return 0;
}

static int is_rules_file(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_has_suffix(d->d_name, ".json");
}

int rules_read(const char *dir, struct arena *a, struct rules *ret, struct err *e)
{
	struct rules rules = {0};
	struct dirent **names;
	int n, r = 0;

	if (!dir)
		dir = RULES_DIR;
	fd_auto int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0 && errno == ENOENT) {
		*ret = rules;
		return 0;
	}
	if (dirfd < 0)
		return err_sys(e, "%s", dir);
	r = check_owner(dirfd, dir, e);
	if (r < 0)
		return r;
	n = scandirat(dirfd, ".", &names, is_rules_file, alphasort);
	if (n < 0)
		return err_sys(e, "%s", dir);
	for (int i = 0; i < n; i++) {
		if (r == 0)
			r = read_file(dirfd, dir, names[i]->d_name, a, &rules, e);
		free(names[i]);
	}
	free(names);
	if (r == 0)
		*ret = rules;
	return r;
}
