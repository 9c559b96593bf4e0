/* SPDX-License-Identifier: Apache-2.0 */
/* kavach-scope's talk with systemd. Errors are D-Bus's own words; -ENOTCONN: there is no manager to talk to. */
#ifndef KAVACH_SCOPE_BUS_H
#define KAVACH_SCOPE_BUS_H

#include <systemd/sd-bus.h>

#include "cgroup/scope.h"

/* bus_open: the manager that the request is for. Caller: sd_bus_flush_close_unref(). */
int bus_open(const struct scope_req *q, sd_bus **ret, struct err *e);
/* bus_start: StartTransientUnit and the end of its job. A scope gets this process; a failed unit of the same name is
 * forgotten first. A slice may be there: then it gets the limits, and *ret_existed is true. Limits that this systemd is too
 * old for are left out. -EREMOTEIO: the job failed. */
int bus_start(sd_bus *bus, const struct scope_req *q, struct arena *a, bool *ret_existed,
	      struct err *e);
/* bus_stop: 0 also when there is no such unit. */
int bus_stop(sd_bus *bus, const struct scope_req *q, struct err *e);
/* bus_set: the request's limits, for as long as the unit lives; as above. */
int bus_set(sd_bus *bus, const struct scope_req *q, struct arena *a, struct err *e);
int bus_attach(sd_bus *bus, const struct scope_req *q, struct err *e);
/* bus_cgroup: the unit's ControlGroup, for units that we are not in ourselves. */
int bus_cgroup(sd_bus *bus, const struct scope_req *q, struct arena *a, char **ret, struct err *e);

#endif
