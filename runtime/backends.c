/* SPDX-License-Identifier: Apache-2.0 */
/* The backends of this build. A backend is never exchanged for a weaker one: what is not here is an error. */
#include <errno.h>

#include "backend.h"
#include "base/str.h"

static const struct backend_ops *const backends[] = {
	&backend_process, &backend_vm, &backend_sev, &backend_sev_es, &backend_sev_snp,
};

static const struct name_val names[] = {
	{"process", POL_BACKEND_PROCESS}, {"vm", POL_BACKEND_VM},
	{"sev", POL_BACKEND_SEV},	  {"sev-es", POL_BACKEND_SEV_ES},
	{"sev-snp", POL_BACKEND_SEV_SNP},
};

const struct backend_ops *backend_find(uint32_t id, struct err *e)
{
	const char *name = name_of(names, ARRAY_LEN(names), (long) id);

	for (size_t i = 0; i < ARRAY_LEN(backends); i++)
		if (backends[i]->id == id)
			return backends[i];
	err_set(e, -ENOTSUP,
		"the configuration asks for the backend %s, which this build of kavach does not have",
		name ? name : "(unknown)");
	return NULL;
}
