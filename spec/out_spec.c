/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config.json that `kavach spec` writes: what people know from runc's and crun's, so that scripts which
 * edit it with jq go on working. Two differences, both towards less: no ambient capabilities (they need
 * inheritable ones, which nothing here asks for), and a cgroup namespace in every container.
 */
#include "spec/out.h"

#include "base/jsonw.h"

enum {
	ALWAYS,
	ROOTFUL,
	ROOTLESS,
};

static bool wanted(int when, bool rootless)
{
	return when == ALWAYS || (when == ROOTLESS) == rootless;
}

static const struct {
	const char *destination, *type, *source;
	const char *options[7]; /* NULL-terminated */
	int when;
} mounts[] = {
	{"/proc", "proc", "proc", {NULL}, ALWAYS},
	{"/dev", "tmpfs", "tmpfs", {"nosuid", "strictatime", "mode=755", "size=65536k"}, ALWAYS},
	/* group 5 is tty; in a user namespace with one id there is no such group */
	{"/dev/pts",
	 "devpts",
	 "devpts",
	 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"},
	 ROOTFUL},
	{"/dev/pts",
	 "devpts",
	 "devpts",
	 {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"},
	 ROOTLESS},
	{"/dev/shm",
	 "tmpfs",
	 "shm",
	 {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"},
	 ALWAYS},
	{"/dev/mqueue", "mqueue", "mqueue", {"nosuid", "noexec", "nodev"}, ALWAYS},
	{"/sys", "sysfs", "sysfs", {"nosuid", "noexec", "nodev", "ro"}, ROOTFUL},
	/* a new sysfs needs a network namespace of our own */
	{"/sys", "none", "/sys", {"rbind", "nosuid", "noexec", "nodev", "ro"}, ROOTLESS},
	{"/sys/fs/cgroup",
	 "cgroup",
	 "cgroup",
	 {"nosuid", "noexec", "nodev", "relatime", "ro"},
	 ALWAYS},
};

static const struct {
	const char *type;
	int when;
} namespaces[] = {
	{"pid", ALWAYS},    {"network", ROOTFUL}, {"ipc", ALWAYS},    {"uts", ALWAYS},
	{"user", ROOTLESS}, {"mount", ALWAYS},	  {"cgroup", ALWAYS},
};

static const char *const args[] = {"sh", NULL};
static const char *const env[] = {
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
	"TERM=xterm",
	NULL,
};
static const char *const caps[] = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE", NULL};
static const char *const cap_sets[] = {"bounding", "effective", "permitted"};

/* What tells a container about the host, or lets it act on the host. */
static const char *const masked[] = {
	"/proc/acpi",
	"/proc/asound",
	"/proc/interrupts",
	"/proc/kcore",
	"/proc/keys",
	"/proc/latency_stats",
	"/proc/sched_debug",
	"/proc/scsi",
	"/proc/timer_list",
	"/proc/timer_stats",
	"/sys/devices/virtual/powercap",
	"/sys/firmware",
	NULL,
};
static const char *const readonly[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static void put_list(struct jsonw *w, const char *key, const char *const *l)
{
	jw_key(w, key);
	jw_arr(w);
	for (; *l; l++)
		jw_str(w, *l);
	jw_arr_end(w);
}

static void put_process(struct jsonw *w)
{
	jw_key(w, "process");
	jw_obj(w);
	jw_kbool(w, "terminal", true);
	jw_key(w, "user");
	jw_obj(w);
	jw_ku64(w, "uid", 0);
	jw_ku64(w, "gid", 0);
	jw_obj_end(w);
	put_list(w, "args", args);
	put_list(w, "env", env);
	jw_kstr(w, "cwd", "/");
	jw_key(w, "capabilities");
	jw_obj(w);
	for (size_t i = 0; i < ARRAY_LEN(cap_sets); i++)
		put_list(w, cap_sets[i], caps);
	jw_obj_end(w);
	jw_key(w, "rlimits");
	jw_arr(w);
	jw_obj(w);
	jw_kstr(w, "type", "RLIMIT_NOFILE");
	jw_ku64(w, "hard", 1024);
	jw_ku64(w, "soft", 1024);
	jw_obj_end(w);
	jw_arr_end(w);
	jw_kbool(w, "noNewPrivileges", true);
	jw_obj_end(w);
}

static void put_mounts(struct jsonw *w, bool rootless)
{
	jw_key(w, "mounts");
	jw_arr(w);
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		if (!wanted(mounts[i].when, rootless))
			continue;
		jw_obj(w);
		jw_kstr(w, "destination", mounts[i].destination);
		jw_kstr(w, "type", mounts[i].type);
		jw_kstr(w, "source", mounts[i].source);
		if (mounts[i].options[0])
			put_list(w, "options", mounts[i].options);
		jw_obj_end(w);
	}
	jw_arr_end(w);
}

/* One id: what a user can map without help. */
static void put_idmap(struct jsonw *w, const char *key, uint32_t host)
{
	jw_key(w, key);
	jw_arr(w);
	jw_obj(w);
	jw_ku64(w, "containerID", 0);
	jw_ku64(w, "hostID", host);
	jw_ku64(w, "size", 1);
	jw_obj_end(w);
	jw_arr_end(w);
}

/* Everything denied: the default devices are allowed by the runtime. */
static void put_resources(struct jsonw *w)
{
	jw_key(w, "resources");
	jw_obj(w);
	jw_key(w, "devices");
	jw_arr(w);
	jw_obj(w);
	jw_kbool(w, "allow", false);
	jw_kstr(w, "access", "rwm");
	jw_obj_end(w);
	jw_arr_end(w);
	jw_obj_end(w);
}

static void put_linux(struct jsonw *w, bool rootless, uint32_t uid, uint32_t gid)
{
	jw_key(w, "linux");
	jw_obj(w);
	if (rootless) {
		put_idmap(w, "uidMappings", uid);
		put_idmap(w, "gidMappings", gid);
	} else {
		put_resources(w);
	}
	jw_key(w, "namespaces");
	jw_arr(w);
	for (size_t i = 0; i < ARRAY_LEN(namespaces); i++) {
		if (!wanted(namespaces[i].when, rootless))
			continue;
		jw_obj(w);
		jw_kstr(w, "type", namespaces[i].type);
		jw_obj_end(w);
	}
	jw_arr_end(w);
	put_list(w, "maskedPaths", masked);
	put_list(w, "readonlyPaths", readonly);
	jw_obj_end(w);
}

void out_spec_template(struct buf *b, bool rootless, uint32_t uid, uint32_t gid)
{
	struct jsonw w;

	jw_init(&w, b, true);
	jw_obj(&w);
	jw_kstr(&w, "ociVersion", OCI_VERSION);
	put_process(&w);
	jw_key(&w, "root");
	jw_obj(&w);
	jw_kstr(&w, "path", "rootfs");
	jw_kbool(&w, "readonly", true);
	jw_obj_end(&w);
	jw_kstr(&w, "hostname", "kavach");
	put_mounts(&w, rootless);
	put_linux(&w, rootless, uid, gid);
	jw_obj_end(&w);
	buf_put_u8(b, '\n');
}
