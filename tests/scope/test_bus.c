/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kavach-scope's calls, answered by a manager of our own: what systemd hears, in which order, and what becomes of its
 * refusals. So old versions of systemd, failed jobs and units in the way are shown on a machine without any systemd.
 *
 * The manager is a child with a socket where a user's manager has its private one. It writes one line for each call.
 */
#include <errno.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit/tap.h"

#include "scope/bus.h"

#define DEST "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER DEST ".Manager"

/* What the manager is like in a test. */
static struct {
	const char *version;
	const char *unknown; /* a property that it does not have */
	const char *result;  /* of jobs */
	unsigned exists;     /* so many starts find a unit of that name */
	bool failed;	     /* which has failed, and can be forgotten */
	bool gone;	     /* units to be stopped do not exist */
} like;

static char dir[] = "/tmp/kavach-bus.XXXXXX";
static int listener, heard = -1;
static unsigned starts;

/* ---- the manager ---- */

static int fault(sd_bus_error *error, const char *name)
{
	return sd_bus_error_setf(error, name, "the test says %s", strrchr(name, '.') + 1);
}

/* " Name=signature", and of numbers the value; 0, or the refusal of one that is not known */
static int read_props(sd_bus_message *m, FILE *out, sd_bus_error *error)
{
	const char *name, *sig;
	uint64_t number;
	char type;
	int r = sd_bus_message_enter_container(m, 'a', "(sv)");

	while (r >= 0 && (r = sd_bus_message_enter_container(m, 'r', "sv")) > 0) {
		sd_bus_message_read(m, "s", &name);
		sd_bus_message_peek_type(m, &type, &sig);
		fprintf(out, " %s=%s", name, sig);
		if (str_eq(sig, "t") && sd_bus_message_read(m, "v", "t", &number) >= 0)
			fprintf(out, ":%llu", (unsigned long long) number);
		else
			sd_bus_message_skip(m, "v");
		sd_bus_message_exit_container(m);
		if (like.unknown && str_eq(name, like.unknown))
			return fault(error, SD_BUS_ERROR_PROPERTY_READ_ONLY);
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

static int job(sd_bus_message *m, const char *unit)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	int r;

	/* somebody else's job ends first */
	sd_bus_emit_signal(bus, PATH, MANAGER, "JobRemoved", "uoss", 1, PATH "/job/1", unit,
			   "canceled");
	r = sd_bus_reply_method_return(m, "o", PATH "/job/2");
	sd_bus_emit_signal(bus, PATH, MANAGER, "JobRemoved", "uoss", 2, PATH "/job/2", unit,
			   like.result ? like.result : "done");
	return r;
}

static int on_call(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *what = sd_bus_message_get_member(m), *unit = "", *mode;
	FILE *out = arg;
	uint32_t pid;
	int r, runtime;

	sd_bus_message_read(m, "s", &unit);
	fprintf(out, "%s %s", what, unit);
	if (str_eq(what, "StartTransientUnit")) {
		sd_bus_message_read(m, "s", &mode);
		r = read_props(m, out, error);
		if (r >= 0)
			r = starts++ < like.exists ? fault(error, DEST ".UnitExists")
						   : job(m, unit);
	} else if (str_eq(what, "SetUnitProperties")) {
		sd_bus_message_read(m, "b", &runtime);
		fputs(runtime ? " runtime" : " for ever", out);
		r = read_props(m, out, error);
		if (r >= 0)
			r = sd_bus_reply_method_return(m, "");
	} else if (str_eq(what, "StopUnit")) {
		r = like.gone ? fault(error, DEST ".NoSuchUnit") : job(m, unit);
	} else if (str_eq(what, "ResetFailedUnit")) {
		r = like.failed ? sd_bus_reply_method_return(m, "")
				: fault(error, DEST ".NoSuchUnit");
	} else {
		sd_bus_message_read(m, "s", &mode);
		sd_bus_message_enter_container(m, 'a', "u");
		sd_bus_message_read(m, "u", &pid);
		fprintf(out, " %s %u", mode, pid);
		r = sd_bus_reply_method_return(m, "");
	}
	fprintf(out, "\n");
	fflush(out);
	return r;
}

static int on_version(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	(void) bus, (void) path, (void) interface, (void) property, (void) error;
	fprintf(arg, "Version\n");
	fflush(arg);
	return sd_bus_message_append(reply, "s", like.version);
}

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("StartTransientUnit", "ssa(sv)a(sa(sv))", "o", on_call,
		      SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("SetUnitProperties", "sba(sv)", "", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("StopUnit", "ss", "o", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("ResetFailedUnit", "s", "", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_METHOD("AttachProcessesToUnit", "ssau", "", on_call, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("Version", "s", on_version, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable slice_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ControlGroup", "s", NULL, 0, 0),
	SD_BUS_VTABLE_END,
};

static int on_state(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	(void) bus, (void) path, (void) interface, (void) property, (void) error, (void) arg;
	return sd_bus_message_append(reply, "s", like.exists ? "active" : "inactive");
}

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("ActiveState", "s", on_state, 0, 0),
	SD_BUS_VTABLE_END,
};

static void __attribute__((noreturn)) manage(int fd, int log)
{
	static const char *place = "/kv.slice";
	FILE *out = fdopen(log, "w");
	sd_id128_t id = {.bytes = {1}};
	sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_fd(bus, fd, fd);
	if (r >= 0)
		r = sd_bus_set_server(bus, 1, id);
	if (r >= 0)
		r = sd_bus_start(bus);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, PATH, MANAGER, vtable, out);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, PATH "/unit/kv_2eslice", DEST ".Slice",
					     slice_vtable, &place);
	if (r >= 0)
		r = sd_bus_add_object_vtable(bus, NULL, PATH "/unit/kv_2eslice", DEST ".Unit",
					     unit_vtable, out);
	while (r >= 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_close_unref(bus);
	_exit(0);
}

/* ---- its client ---- */

static struct arena a;
static pid_t manager;

static void begin(void)
{
	int p[2];

	if (pipe(p) < 0)
		bail_out("pipe");
	fflush(stdout);
	manager = fork();
	if (manager == 0) {
		close(p[0]);
		manage(accept(listener, NULL, NULL), p[1]);
	}
	close(p[1]);
	heard = p[0];
}

/* What the manager has heard; it ends with the connection. */
static const char *end(sd_bus *bus)
{
	static char text[4096];
	size_t n = 0;
	ssize_t got;

	sd_bus_flush_close_unref(bus);
	while (n < sizeof(text) - 1 && (got = read(heard, text + n, sizeof(text) - 1 - n)) > 0)
		n += (size_t) got;
	text[n] = '\0';
	close(heard);
	waitpid(manager, NULL, 0);
	memset(&like, 0, sizeof(like));
	return text;
}

#define S(text) ((char *) (uintptr_t) (text))

static struct kv one_prop[] = {{S("Delegate"), S("true")}};
static struct kv two_limits[] = {{S("AllowedCPUs"), S("@ay [0x01]")},
				 {S("MemoryMax"), S("uint64 5")}};
static struct kv idle[] = {{S("CPUWeight"), S("uint64 0")}};

static struct scope_req request(const char *unit)
{
	return (struct scope_req){.user = true,
				  .owner = UINT32_MAX - 1,
				  .unit = S(unit),
				  .props = {one_prop, 1},
				  .limits = {two_limits, 2}};
}

static sd_bus *open_bus(const struct scope_req *q)
{
	struct err e = ERR_INIT;
	sd_bus *bus = NULL;

	begin();
	if (bus_open(q, &bus, &e) < 0)
		bail_out(e.msg);
	return bus;
}

static void starting(void)
{
	struct scope_req q = request("x.scope");
	struct err e = ERR_INIT;
	bool existed;
	sd_bus *bus = open_bus(&q);

	is_int(bus_start(bus, &q, &a, &existed, &e), 0, "a scope is started%s", e.msg);
	is_str(end(bus),
	       "StartTransientUnit x.scope Delegate=b AllowedCPUs=ay MemoryMax=t:5 PIDs=au\n",
	       "systemd hears properties and limits, and that the scope is around us");

	like.unknown = "AllowedCPUs";
	like.version = "239 (239-78.el8)";
	bus = open_bus(&q);
	is_int(bus_start(bus, &q, &a, &existed, &e), 0, "an older systemd: %s", e.msg);
	is_str(end(bus),
	       "StartTransientUnit x.scope Delegate=b AllowedCPUs=ay\n"
	       "Version\n"
	       "StartTransientUnit x.scope Delegate=b MemoryMax=t:5 PIDs=au\n",
	       "what it is too old for is left out");

	like.unknown = "Delegate";
	like.version = "v257.8-1";
	bus = open_bus(&q);
	ok(bus_start(bus, &q, &a, &existed, &e) < 0 && strstr(e.msg, "PropertyReadOnly") &&
		   strstr(e.msg, "x.scope"),
	   "a property that was asked for and that it does not know is an error: %s", e.msg);
	is_str(end(bus), "StartTransientUnit x.scope Delegate=b\nVersion\n",
	       "and it is not tried again");

	like.result = "failed";
	bus = open_bus(&q);
	err_clear(&e);
	is_int(bus_start(bus, &q, &a, &existed, &e), -EREMOTEIO,
	       "only our own job's end counts, and it may be a failure: %s", e.msg);
	ok(strstr(e.msg, "failed"), "the message names it");
	end(bus);
}

static void in_the_way(void)
{
	struct scope_req q = request("x.scope");
	struct err e = ERR_INIT;
	bool existed = true;
	sd_bus *bus;

	q.limits.n = 0;
	like.exists = 1;
	like.failed = true;
	bus = open_bus(&q);
	is_int(bus_start(bus, &q, &a, &existed, &e), 0, "a unit that has failed is forgotten%s",
	       e.msg);
	ok(!existed, "and the new one is ours");
	is_str(end(bus),
	       "StartTransientUnit x.scope Delegate=b PIDs=au\n"
	       "ResetFailedUnit x.scope\n"
	       "StartTransientUnit x.scope Delegate=b PIDs=au\n",
	       "once");

	like.exists = 9;
	like.failed = true;
	bus = open_bus(&q);
	ok(bus_start(bus, &q, &a, &existed, &e) < 0 && strstr(e.msg, "UnitExists"),
	   "a unit that is still there is an error: %s", e.msg);
	is_str(end(bus),
	       "StartTransientUnit x.scope Delegate=b PIDs=au\n"
	       "ResetFailedUnit x.scope\n"
	       "StartTransientUnit x.scope Delegate=b PIDs=au\n",
	       "and it is not tried for ever");
	err_clear(&e);

	like.exists = 9;
	bus = open_bus(&q);
	ok(bus_start(bus, &q, &a, &existed, &e) < 0, "so is one that runs: %s", e.msg);
	is_str(end(bus), "StartTransientUnit x.scope Delegate=b PIDs=au\nResetFailedUnit x.scope\n",
	       "which is left alone");
	err_clear(&e);

	q = request("kv.slice");
	like.exists = 9;
	bus = open_bus(&q);
	is_int(bus_start(bus, &q, &a, &existed, &e), 0, "a slice may be there%s", e.msg);
	ok(existed, "then it is not ours");
	char *place = NULL;
	is_int(bus_cgroup(bus, &q, &a, &place, &e), 0, "its place is asked for%s", e.msg);
	is_str(place, "/kv.slice", "as systemd has it");
	is_str(end(bus), "SetUnitProperties kv.slice runtime AllowedCPUs=ay MemoryMax=t:5\n",
	       "it gets the limits, and none of our processes");

	bus = open_bus(&q);
	is_int(bus_start(bus, &q, &a, &existed, &e), 0, "a slice is made%s", e.msg);
	ok(!existed, "then it is ours");
	is_str(end(bus), "StartTransientUnit kv.slice Delegate=b AllowedCPUs=ay MemoryMax=t:5\n",
	       "and none of our processes is in it");
}

static void changing(void)
{
	struct scope_req q = request("x.scope");
	struct err e = ERR_INIT;
	sd_bus *bus = open_bus(&q);

	is_int(bus_set(bus, &q, &a, &e), 0, "limits are changed%s", e.msg);
	is_str(end(bus), "SetUnitProperties x.scope runtime AllowedCPUs=ay MemoryMax=t:5\n",
	       "for as long as the unit lives");

	q.limits = (struct kvs){idle, 1};
	like.unknown = "CPUWeight";
	like.version = "249.11-0ubuntu3";
	bus = open_bus(&q);
	is_int(bus_set(bus, &q, &a, &e), 0, "a weight of none, before 252: %s", e.msg);
	is_str(end(bus),
	       "SetUnitProperties x.scope runtime CPUWeight=t:0\nVersion\n"
	       "SetUnitProperties x.scope runtime\n",
	       "is left to the file");

	q.pid = 7;
	q.sub = S("/sub");
	bus = open_bus(&q);
	is_int(bus_attach(bus, &q, &e), 0, "a process is attached%s", e.msg);
	is_str(end(bus), "AttachProcessesToUnit x.scope /sub 7\n", "below the unit's cgroup");
}

static void stopping(void)
{
	struct scope_req q = request("x.scope");
	struct err e = ERR_INIT;
	sd_bus *bus = open_bus(&q);

	is_int(bus_stop(bus, &q, &e), 0, "a unit is stopped%s", e.msg);
	is_str(end(bus), "StopUnit x.scope\nResetFailedUnit x.scope\n", "and a failure forgotten");

	like.gone = true;
	bus = open_bus(&q);
	is_int(bus_stop(bus, &q, &e), 0, "one that is gone is no error%s", e.msg);
	end(bus);
}

static void nobody(void)
{
	struct scope_req q = request("x.scope");
	struct err e = ERR_INIT;
	sd_bus *bus = NULL;

	close(listener);
	is_int(bus_open(&q, &bus, &e), -ENOTCONN, "without a manager there is nobody to ask");
	ok(strstr(e.msg, dir) && strstr(e.msg, "enable-linger"),
	   "the message says where it was looked for, and what helps: %s", e.msg);
}

static void listen_there(void)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char name[64];

	if (!mkdtemp(dir))
		bail_out("mkdtemp");
	snprintf(name, sizeof(name), "%s/systemd", dir);
	if (mkdir(name, 0700) < 0)
		bail_out(name);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/private", name);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *) &sa, sizeof(sa)) < 0 || listen(listener, 1) < 0)
		bail_out(sa.sun_path);
	setenv("XDG_RUNTIME_DIR", dir, 1);
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
}

static void clean(void)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/systemd/private", dir);
	unlink(name);
	snprintf(name, sizeof(name), "%s/systemd", dir);
	rmdir(name);
	rmdir(dir);
}

int main(void)
{
	alarm(120);
	listen_there();
	starting();
	in_the_way();
	changing();
	stopping();
	nobody();
	clean();
	arena_free(&a);
	return done();
}
