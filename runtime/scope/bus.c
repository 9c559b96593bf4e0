/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls to systemd (org.freedesktop.systemd1, see the man page of that name).
 *
 * The system's manager is asked at its private socket, which needs no message bus to run and saves a hop; the
 * bus is the second choice. A user's manager is looked for where the environment says, then where logind puts it for
 * the owner of our user namespace: inside podman's, uid 0 is not root. libsystemd leaves the uid of the
 * authentication to the other end (SO_PEERCRED), so that works there too.
 *
 * Jobs: whoever queued one gets its JobRemoved signal. The match is there before the call, and what arrives
 * while we wait for the call's answer is kept by sd-bus, so that no end can be missed.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cgroup/gvariant.h"
#include "scope/bus.h"

#define DEST "org.freedesktop.systemd1"
#define PATH "/org/freedesktop/systemd1"
#define MANAGER DEST ".Manager"
#define JOB_TIMEOUT_USEC (60 * 1000000ULL)
#define NEWEST UINT_MAX /* version of a systemd that was not asked yet */

static void close_bus(sd_bus **bus)
{
	sd_bus_flush_close_unref(*bus);
}

/* ---- connecting ---- */

static int connect_to(const char *address, bool broker, sd_bus **ret)
{
	__attribute__((cleanup(close_bus))) sd_bus *bus = NULL;
	int r = sd_bus_new(&bus);

	if (r >= 0)
		r = sd_bus_set_address(bus, address);
	if (r >= 0)
		r = sd_bus_set_bus_client(bus, broker);
	if (r >= 0)
		r = sd_bus_start(bus);
	/* the answer to Hello, or the end of the authentication: is anybody there? */
	while (r >= 0 && (r = sd_bus_is_ready(bus)) == 0) {
		r = sd_bus_process(bus, NULL);
		if (r == 0)
			r = sd_bus_wait(bus, 25 * 1000000ULL) > 0 ? 0 : -ETIMEDOUT;
	}
	if (r < 0)
		return r;
	*ret = bus;
	bus = NULL;
	return 0;
}

struct place {
	const char *address; /* NULL: not to be tried */
	bool broker;
};

/* A path in an address: what is not plain is escaped. */
static char *unix_address(struct arena *a, const char *dir, const char *name)
{
	char *out = arena_alloc(a, 3 * (strlen(dir) + strlen(name)) + 16);
	char *o = out + sprintf(out, "unix:path=");
	const char *parts[] = {dir, name};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (const char *p = parts[i]; *p; p++) {
			if (strchr("-_/.\\*", *p) || (*p >= '0' && *p <= '9') ||
			    ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z'))
				*o++ = *p;
			else
				o += sprintf(o, "%%%02x", (unsigned char) *p);
		}
	return out;
}

int bus_open(const struct scope_req *q, sd_bus **ret, struct err *e)
{
	const char *session = getenv("DBUS_SESSION_BUS_ADDRESS"), *run = getenv("XDG_RUNTIME_DIR");
	arena_auto a = {0};
	char *own = arena_printf(&a, "/run/user/%u", q->owner), *tried = arena_strdup(&a, "");
	const struct place system[] = {
		{"unix:path=/run/systemd/private", false},
		{"unix:path=/run/dbus/system_bus_socket", true},
	};
	const struct place user[] = {
		{str_empty(session) ? NULL : session, true},
		{run ? unix_address(&a, run, "/bus") : NULL, true},
		{unix_address(&a, own, "/bus"), true},
		{run ? unix_address(&a, run, "/systemd/private") : NULL, false},
		{unix_address(&a, own, "/systemd/private"), false},
	};
	const struct place *places = q->user ? user : system;
	size_t n = q->user ? ARRAY_LEN(user) : ARRAY_LEN(system);

	for (size_t i = 0; i < n; i++) {
		int r;

		if (!places[i].address || (i && str_eq0(places[i].address, places[i - 1].address)))
			continue;
		r = connect_to(places[i].address, places[i].broker, ret);
		if (r >= 0)
			return 0;
		tried = arena_printf(&a, "%s%s%s: %s", tried, *tried ? "; " : "", places[i].address,
				     err_errno_text(-r));
	}
	if (q->user)
		return err_set(
			e, -ENOTCONN,
			"the systemd manager of user %u cannot be reached (is there a login session, or "
			"lingering? loginctl enable-linger): %s",
			q->owner, tried);
	return err_set(e, -ENOTCONN,
		       "systemd cannot be reached (without it use --cgroup-manager=cgroupfs): %s",
		       tried);
}

/* ---- calls ---- */

static int failed(struct err *e, int r, const sd_bus_error *error, const char *what,
		  const char *unit)
{
	if (error && sd_bus_error_is_set(error))
		return err_set(e, r < 0 ? r : -EIO, "systemd: %s of %s: %s (%s)", what, unit,
			       error->message ? error->message : "no reason given", error->name);
	return err_neg(e, r, "systemd: %s of %s", what, unit);
}

static int new_call(sd_bus *bus, sd_bus_message **m, const char *method)
{
	return sd_bus_message_new_method_call(bus, m, DEST, PATH, MANAGER, method);
}

static int append_value(sd_bus_message *m, const struct gv *v);

static int append_all(sd_bus_message *m, const struct gv *v)
{
	char *inner = strdup(v->sig + (v->type != 'v'));
	int r = inner ? 0 : -ENOMEM;

	/* "a(ss)" contains "(ss)", "(ss)" contains "ss" */
	if (r == 0 && (v->type == '(' || v->type == '{'))
		inner[strlen(inner) - 1] = '\0';
	if (r == 0)
		r = sd_bus_message_open_container(m,
						  v->type == '('   ? 'r'
						  : v->type == '{' ? 'e'
								   : v->type,
						  v->type == 'v' ? v->sub[0]->sig : inner);
	free(inner);
	for (size_t i = 0; r >= 0 && i < v->n; i++)
		r = append_value(m, v->sub[i]);
	return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_value(sd_bus_message *m, const struct gv *v)
{
	switch (v->type) {
	case 'y': return sd_bus_message_append(m, "y", (uint8_t) v->u);
	case 'b': return sd_bus_message_append(m, "b", (int) v->u);
	case 'n': return sd_bus_message_append(m, "n", (int16_t) v->i);
	case 'q': return sd_bus_message_append(m, "q", (uint16_t) v->u);
	case 'i': return sd_bus_message_append(m, "i", (int32_t) v->i);
	case 'u': return sd_bus_message_append(m, "u", (uint32_t) v->u);
	case 'x': return sd_bus_message_append(m, "x", v->i);
	case 't': return sd_bus_message_append(m, "t", v->u);
	case 'd': return sd_bus_message_append(m, "d", v->d);
	case 's':
	case 'o':
	case 'g': return sd_bus_message_append_basic(m, v->type, v->s);
	default: return append_all(m, v);
	}
}

/* (name, variant), of a(sv) */
static int append_prop(sd_bus_message *m, const struct kv *p, struct arena *a, struct err *e)
{
	struct gv *v;
	int r = gv_parse(p->val ? p->val : "", a, &v, e);

	if (r < 0)
		return err_context(e, "property %s", p->key);
	r = sd_bus_message_open_container(m, 'r', "sv");
	if (r >= 0)
		r = sd_bus_message_append_basic(m, 's', p->key);
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', v->sig);
	if (r >= 0)
		r = append_value(m, v);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? err_neg(e, r, "property %s", p->key) : 0;
}

/* version: that of systemd, which is told nothing of limits that it does not know. */
static int append_props(sd_bus_message *m, const struct scope_req *q, bool self, unsigned version,
			struct arena *a, struct err *e)
{
	int r = sd_bus_message_open_container(m, 'a', "(sv)");

	for (size_t i = 0; r >= 0 && i < q->props.n; i++) {
		r = append_prop(m, &q->props.v[i], a, e);
		if (r < 0)
			return r;
	}
	for (size_t i = 0; r >= 0 && i < q->limits.n; i++) {
		if (!cg_unit_limit_known(&q->limits.v[i], version))
			continue;
		r = append_prop(m, &q->limits.v[i], a, e);
		if (r < 0)
			return r;
	}
	if (r >= 0 && self) /* 0 is the sender, whatever its number is where systemd is */
		r = sd_bus_message_append(m, "(sv)", "PIDs", "au", 1, (uint32_t) 0);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? err_neg(e, r, "properties of %s", q->unit) : 0;
}

/* ---- jobs ---- */

struct job {
	const char *path;
	char result[32]; /* empty: not yet */
};

static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *path, *unit, *result;
	struct job *j = arg;
	uint32_t id;

	(void) error;
	if (sd_bus_message_read(m, "uoss", &id, &path, &unit, &result) >= 0 && j->path &&
	    str_eq(path, j->path))
		snprintf(j->result, sizeof(j->result), "%s", result);
	return 0;
}

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t) t.tv_sec * 1000000 + (uint64_t) t.tv_nsec / 1000;
}

static int wait_job(sd_bus *bus, struct job *j, const struct scope_req *q, struct err *e)
{
	uint64_t end = now_usec() + JOB_TIMEOUT_USEC;
	int r;

	while (!j->result[0]) {
		uint64_t now = now_usec();

		r = now < end ? sd_bus_process(bus, NULL) : -ETIMEDOUT;
		if (r == 0)
			r = sd_bus_wait(bus, end - now);
		if (r < 0)
			return err_neg(e, r, "systemd: waiting for the job of %s", q->unit);
	}
	if (str_eq(j->result, "done"))
		return 0;
	return err_set(e, -EREMOTEIO, "systemd: the job of %s ended as \"%s\"", q->unit, j->result);
}

/* Calls m, whose answer is the path of a job, and waits for the end of that. *error: the caller's to free. */
static int call_job(sd_bus *bus, sd_bus_message *m, const struct scope_req *q, const char *what,
		    sd_bus_error *error, struct err *e)
{
	sd_bus_message *reply = NULL;
	sd_bus_slot *slot = NULL;
	struct job job = {0};
	int r;

	/* signals of a direct connection have no sender */
	r = sd_bus_match_signal(bus, &slot, sd_bus_is_bus_client(bus) > 0 ? DEST : NULL, PATH,
				MANAGER, "JobRemoved", on_job_removed, &job);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, error, &reply);
	if (r >= 0)
		r = sd_bus_message_read(reply, "o", &job.path);
	r = r < 0 ? failed(e, r, error, what, q->unit) : wait_job(bus, &job, q, e);
	sd_bus_slot_unref(slot);
	sd_bus_message_unref(reply);
	return r;
}

/* ---- the operations ---- */

static int reset_failed(sd_bus *bus, const struct scope_req *q)
{
	return sd_bus_call_method(bus, DEST, PATH, MANAGER, "ResetFailedUnit", NULL, NULL, "s",
				  q->unit);
}

/*
 * Whether a call failed for a property that this systemd is too old for, which its answer does not say. Asked only then:
 * the version costs a call of its own.
 */
static bool too_old(sd_bus *bus, const struct scope_req *q, const sd_bus_error *error,
		    unsigned *version)
{
	char *text = NULL;

	if (*version != NEWEST || (!sd_bus_error_has_name(error, SD_BUS_ERROR_PROPERTY_READ_ONLY) &&
				   !sd_bus_error_has_name(error, SD_BUS_ERROR_UNKNOWN_PROPERTY) &&
				   !sd_bus_error_has_name(error, SD_BUS_ERROR_INVALID_ARGS)))
		return false;
	if (sd_bus_get_property_string(bus, DEST, PATH, MANAGER, "Version", NULL, &text) >= 0)
		*version = cg_systemd_version(text);
	free(text);
	for (size_t i = 0; i < q->limits.n; i++)
		if (!cg_unit_limit_known(&q->limits.v[i], *version))
			return true;
	return false;
}

static int start(sd_bus *bus, const struct scope_req *q, unsigned version, struct arena *a,
		 sd_bus_error *error, struct err *e)
{
	sd_bus_message *m = NULL;
	int r = new_call(bus, &m, "StartTransientUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", q->unit, "fail");
	r = r < 0 ? err_neg(e, r, "preparing a call")
		  : append_props(m, q, str_has_suffix(q->unit, ".scope"), version, a, e);
	if (r == 0) {
		r = sd_bus_message_append(m, "a(sa(sv))", 0);
		r = r < 0 ? err_neg(e, r, "preparing a call")
			  : call_job(bus, m, q, "start", error, e);
	}
	sd_bus_message_unref(m);
	return r;
}

/* systemd makes a transient unit also of a slice that is there, if that has no file: it has to be asked before. */
static bool is_active(sd_bus *bus, const struct scope_req *q)
{
	char *path = NULL, *state = NULL;
	bool ret = false;

	if (sd_bus_path_encode(PATH "/unit", q->unit, &path) >= 0 &&
	    sd_bus_get_property_string(bus, DEST, path, DEST ".Unit", "ActiveState", NULL,
				       &state) >= 0)
		ret = str_eq(state, "active");
	free(path);
	free(state);
	return ret;
}

int bus_start(sd_bus *bus, const struct scope_req *q, struct arena *a, bool *ret_existed,
	      struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	unsigned version = NEWEST;
	bool again = false, reset = false;
	int r;

	*ret_existed = false;
	if (str_has_suffix(q->unit, ".slice") && is_active(bus, q)) {
		*ret_existed = true;
		return bus_set(bus, q, a, e);
	}
	do {
		sd_bus_error_free(&error);
		err_clear(e);
		again = false;
		r = start(bus, q, version, a, &error, e);
		if (r >= 0)
			break;
		if (too_old(bus, q, &error, &version))
			again = true;
		/* A unit that failed keeps its name until somebody has looked at it. */
		else if (!reset && sd_bus_error_has_name(&error, DEST ".UnitExists"))
			again = reset = reset_failed(bus, q) >= 0;
	} while (again);
	sd_bus_error_free(&error);
	return r;
}

int bus_stop(sd_bus *bus, const struct scope_req *q, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	int r = new_call(bus, &m, "StopUnit");

	if (r >= 0)
		r = sd_bus_message_append(m, "ss", q->unit, "replace");
	r = r < 0 ? err_neg(e, r, "preparing a call") : call_job(bus, m, q, "stop", &error, e);
	if (r < 0 && sd_bus_error_has_name(&error, DEST ".NoSuchUnit")) {
		err_clear(e);
		r = 0;
	}
	sd_bus_message_unref(m);
	sd_bus_error_free(&error);
	(void) reset_failed(bus, q); /* fails for a unit that is gone, as it should be */
	return r;
}

static int set(sd_bus *bus, const struct scope_req *q, unsigned version, struct arena *a,
	       sd_bus_error *error, struct err *e)
{
	const struct scope_req limits = {.unit = q->unit, .limits = q->limits};
	sd_bus_message *m = NULL;
	int r = new_call(bus, &m, "SetUnitProperties");

	if (r >= 0)
		r = sd_bus_message_append(m, "sb", q->unit, 1);
	r = r < 0 ? err_neg(e, r, "preparing a call")
		  : append_props(m, &limits, false, version, a, e);
	if (r == 0) {
		r = sd_bus_call(bus, m, 0, error, NULL);
		r = r < 0 ? failed(e, r, error, "change", q->unit) : 0;
	}
	sd_bus_message_unref(m);
	return r;
}

int bus_set(sd_bus *bus, const struct scope_req *q, struct arena *a, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	unsigned version = NEWEST;
	int r = set(bus, q, version, a, &error, e);

	if (r < 0 && too_old(bus, q, &error, &version)) {
		sd_bus_error_free(&error);
		err_clear(e);
		r = set(bus, q, version, a, &error, e);
	}
	sd_bus_error_free(&error);
	return r;
}

int bus_attach(sd_bus *bus, const struct scope_req *q, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_call_method(bus, DEST, PATH, MANAGER, "AttachProcessesToUnit", &error, NULL,
				   "ssau", q->unit, q->sub ? q->sub : "", 1, (uint32_t) q->pid);

	r = r < 0 ? failed(e, r, &error, "attaching a process to the cgroup", q->unit) : 0;
	sd_bus_error_free(&error);
	return r;
}

int bus_cgroup(sd_bus *bus, const struct scope_req *q, struct arena *a, char **ret, struct err *e)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	char *path = NULL, *value = NULL;
	int r = sd_bus_path_encode(PATH "/unit", q->unit, &path);

	if (r >= 0)
		r = sd_bus_get_property_string(bus, DEST, path, DEST ".Slice", "ControlGroup",
					       &error, &value);
	if (r >= 0)
		*ret = arena_strdup(a, value);
	r = r < 0 ? failed(e, r, &error, "cgroup", q->unit) : 0;
	free(path);
	free(value);
	sd_bus_error_free(&error);
	return r;
}
