/* SPDX-License-Identifier: Apache-2.0 */
/* Container ids (B-01): the grammar that runc and crun accept, because an id becomes a path and a cgroup. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/str.h"
#include "state/state.h"

#define ID_MAX_LEN 255 /* NAME_MAX: of the state directory and of the cgroup */

static bool id_char(char c, bool first)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c == '_' || c == '+' || c == '-' || (c == '.' && !first);
}

int state_check_id(const char *id, struct err *e)
{
	size_t n = strlen(id);

	if (!n)
		return err_set_id(e, ERR_USAGE, -EINVAL, "container id cannot be empty");
	if (n > ID_MAX_LEN)
		return err_set_id(e, ERR_USAGE, -EINVAL,
				  "invalid container ID: longer than %d bytes", ID_MAX_LEN);
	for (size_t i = 0; i < n; i++)
		if (!id_char(id[i], i == 0))
			return err_set_id(
				e, ERR_USAGE, -EINVAL,
				"invalid container ID format: \"%s\": letters, digits and _ + - . are "
				"allowed, not starting with a dot",
				id);
	return 0;
}
