/* SPDX-License-Identifier: Apache-2.0 */
/* libs: cgroup policy base */
/*
 * linux.intelRdt (S-50) on a tree of plain files. What the kernel does with a new directory the test does: files in it
 * when it is made, and none when it is to be removed.
 */
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "base/str.h"
#include "cgroup/rdt.h"

static char top[64];
static struct arena arena;
static struct err e;

static void put(int dir, const char *name, const char *text)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || io_write_all(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static void as_the_kernel(int dir)
{
	put(dir, "tasks", "");
	put(dir, "schemata", "");
	mkdirat(dir, "mon_groups", 0755);
}

static const char *path(const char *below)
{
	return arena_printf(&arena, "%s/%s", top, below);
}

static char *read_file(const char *below)
{
	struct bytes b = {0};

	return io_read_at(AT_FDCWD, path(below), 0, 4096, &arena, &b) < 0 ? NULL : (char *) b.v;
}

static bool there(const char *below)
{
	return access(path(below), F_OK) == 0;
}

static void emptied(const char *below)
{
	static const char *const files[] = {"tasks", "schemata"};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path(arena_printf(&arena, "%s/%s", below, files[i])));
	rmdir(path(arena_printf(&arena, "%s/mon_groups", below)));
}

static struct rdt_root root = {.made = as_the_kernel};

/* -errno with `e`, or what is on record afterwards */
static int made(const struct pol_rdt *p, struct rdt *r)
{
	int n;

	err_clear(&e);
	n = rdt_plan(&root, p, "box", &arena, r, &e);
	return n < 0 ? n : rdt_make(&root, r, p, &e);
}

static void schemas(void)
{
	static const char have[] = "    MB:0=100;1= 70\n    L3:0=fffff;1=0ff0f\n";
	static const struct {
		const char *want;
		bool differs;
	} rows[] = {
		{"L3:0=fffff", false},
		{"L3:1=ff0f;0=FFFFF\n", false},
		{"L3:0=ffff", true},
		{"L3:2=f", true},
		{"MB:1=70", false},
		{"MB:1=7", true},
		{"L2:0=f", true},
		{"L3:0=fffff\nMB:0=100", false},
		{"L3:0=fffff\nMB:0=90", true},
		{"", false},
		{"nonsense", true},
		{"MB: 0=100 ; 1=70", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		is_int(rdt_schema_differs(have, rows[i].want), rows[i].differs, "%.*s is %s",
		       (int) strcspn(rows[i].want, "\n"), rows[i].want,
		       rows[i].differs ? "another schema" : "the same schema");
}

static void own_group(void)
{
	struct pol_rdt p = {.set = true,
			    .l3 = (char *) "L3:0=f;1=f0\nMB:0=50",
			    .mb = (char *) "MB:0=20",
			    .schemata = {.v = (char *[]){(char *) "L3:1=ff"}, .n = 1}};
	struct rdt r, other;

	is_int(made(&p, &r), 0, "without closID a group of the container's name is made");
	is_str(read_file("box/schemata"), "L3:0=f;1=f0\nMB:0=20\nL3:1=ff\n",
	       "cache without its MB line, bandwidth, schemata, in this order");
	ok(r.made && !r.named && !r.mon, "and it is ours");
	is_int(rdt_enter(&root, &r, 4711, &e), 0, "a process enters it");
	is_str(read_file("box/tasks"), "4711", "by its number in tasks");
	is_int(made(&p, &other), -EEXIST, "the name of a group that is there is refused");
	ok(strstr(e.msg, "\"box\" already"), "with its name");
	put(AT_FDCWD, path("box/schemata"), "");
	is_int(rdt_update(&root, &r, NULL, "MB:0=30", &e), 0, "an update");
	is_str(read_file("box/schemata"), "MB:0=30\n", "writes what it is told and no more");
	emptied("box");
	is_int(rdt_remove(&root, &r, &e), 0, "delete");
	ok(!there("box"), "removes it");
	is_int(rdt_remove(&root, &r, &e), 0, "once more is no error");
}

static void named_group(void)
{
	struct pol_rdt p = {.set = true, .clos_id = (char *) "gold"};
	struct rdt r, second;

	is_int(made(&p, &r), -ENOENT, "a closID without a schema has to be there");
	ok(strstr(e.msg, "closID") && strstr(e.msg, "\"gold\""), "says which");
	ok(!there("gold"), "and is not made");
	p.l3 = (char *) "L3:0=f;1=f";
	is_int(made(&p, &r), 0, "with one it is made");
	ok(r.made && r.named && there("gold"), "and known as ours");
	put(AT_FDCWD, path("gold/schemata"), "L3:0=f;1=f\n");
	is_int(made(&p, &second), 0, "a second container with the same schema shares it");
	ok(!second.made, "and it is not its own");
	is_str(read_file("gold/schemata"), "L3:0=f;1=f\n", "nothing is written to it");
	p.l3 = (char *) "L3:0=ff";
	is_int(made(&p, &second), -EEXIST, "another schema is refused");
	p.l3 = NULL;
	is_int(made(&p, &second), 0, "no schema takes it as it is");
	is_int(rdt_update(&root, &second, "L3:0=1", NULL, &e), -ENOTSUP,
	       "an update of a group that others may be in is refused");
	put(AT_FDCWD, path("gold/tasks"), "99\n");
	is_int(rdt_remove(&root, &r, &e), 0, "delete of who made it");
	ok(there("gold"), "leaves it while another process is in it");
	put(AT_FDCWD, path("gold/tasks"), "");
	is_int(rdt_remove(&root, &second, &e), 0, "delete of who did not");
	ok(there("gold"), "leaves it");
	emptied("gold");
	put(AT_FDCWD, path("gold/tasks"), "");
	unlink(path("gold/tasks"));
	rmdir(path("gold"));
}

static void monitoring(void)
{
	struct pol_rdt p = {.set = true, .clos_id = (char *) "/", .monitoring = true};
	buf_auto b = BUF_WRITER(4096);
	struct jsonw w;
	struct rdt r;

	is_int(made(&p, &r), 0, "closID \"/\" is the root group, with a group to watch by");
	ok(!r.made && there("mon_groups/box"), "which is made there");
	is_int(rdt_enter(&root, &r, 4712, &e), 0, "a process enters both");
	is_str(read_file("tasks"), "4712", "the group");
	is_str(read_file("mon_groups/box/tasks"), "4712", "and the one to watch by");
	mkdir(path("mon_groups/box/mon_data"), 0755);
	mkdir(path("mon_groups/box/mon_data/mon_L3_00"), 0755);
	put(AT_FDCWD, path("mon_groups/box/mon_data/mon_L3_00/llc_occupancy"), "123\n");
	put(AT_FDCWD, path("mon_groups/box/mon_data/mon_L3_00/mbm_total_bytes"), "456\n");
	put(AT_FDCWD, path("mon_groups/box/mon_data/mon_L3_00/mbm_local_bytes"), "Unavailable\n");
	jw_init(&w, &b, false);
	jw_obj(&w);
	rdt_stats(&w, &root, &r);
	jw_obj_end(&w);
	buf_put_u8(&b, 0);
	is_str((const char *) b.p,
	       "{\"intel_rdt\":{\"l3_cache_schema_root\":\"L3:0=fffff;1=fffff\","
	       "\"l3_cache_schema\":\"L3:0=fffff;1=fffff\",\"mem_bw_schema_root\":\"MB:0=100\","
	       "\"mem_bw_schema\":\"MB:0=100\",\"mbm_stats\":[{\"mbm_total_bytes\":456}],"
	       "\"cmt_stats\":[{\"llc_occupancy\":123}]}}",
	       "statistics as runc names them, without what is not available");
	unlink(path("mon_groups/box/mon_data/mon_L3_00/llc_occupancy"));
	unlink(path("mon_groups/box/mon_data/mon_L3_00/mbm_total_bytes"));
	unlink(path("mon_groups/box/mon_data/mon_L3_00/mbm_local_bytes"));
	rmdir(path("mon_groups/box/mon_data/mon_L3_00"));
	rmdir(path("mon_groups/box/mon_data"));
	emptied("mon_groups/box");
	is_int(rdt_remove(&root, &r, &e), 0, "delete");
	ok(!there("mon_groups/box") && there("tasks"), "removes the one and not the root group");
}

static void refusals(void)
{
	struct pol_rdt p = {.set = true, .l3 = (char *) "L3:0=f"};
	struct rdt r = {.group = (char *) "nosuch"};
	struct pol_rdt none = {0};

	mkdir(path("info"), 0755);
	put(AT_FDCWD, path("info/last_cmd_status"), "mask is not contiguous\n");
	is_int(rdt_enter(&root, &r, 1, &e), -ENOENT, "a group that has gone is an error");
	err_clear(&e);
	root.made = NULL; /* the kernel gives no file to write to */
	is_int(made(&p, &r), -ENOENT, "a schema that is refused is an error");
	ok(strstr(e.msg, "linux.intelRdt") && strstr(e.msg, "L3:0=f") &&
		   strstr(e.msg, "mask is not contiguous"),
	   "with the schema and the kernel's own words");
	is_int(rdt_remove(&root, &r, &e), 0, "what was made is removed");
	ok(!there("box"), "and gone");
	is_int(made(&none, &r), 0, "no linux.intelRdt, no group");
	ok(!r.group, "at all");
	is_int(rdt_remove(&root, &r, &e), 0, "nothing to remove");
}

int main(void)
{
	int dir;

	snprintf(top, sizeof(top), "%s/kavach-rdt-XXXXXX", "/tmp");
	if (!mkdtemp(top))
		bail_out("no directory");
	root.path = top;
	dir = open(top, O_RDONLY | O_DIRECTORY);
	as_the_kernel(dir);
	put(dir, "schemata", "    MB:0=100\n    L3:0=fffff;1=fffff\n");
	close(dir);
	schemas();
	own_group();
	named_group();
	monitoring();
	refusals();
	unlink(path("info/last_cmd_status"));
	rmdir(path("info"));
	emptied(".");
	rmdir(top);
	arena_free(&arena);
	return done();
}
