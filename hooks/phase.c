/* SPDX-License-Identifier: Apache-2.0 */
/* Which hook runs where, and what its failure means: runtime-spec 1.3, "Lifecycle" and "POSIX-platform Hooks". */
#include "hooks/hooks.h"

const struct hook_phase_row hook_phases[HOOK_PHASE_MAX] = {
	[HOOK_PRESTART] = {.name = "prestart", .status = "creating", .fatal = true},
	[HOOK_CREATE_RUNTIME] = {.name = "createRuntime", .status = "creating", .fatal = true},
	[HOOK_CREATE_CONTAINER] = {.name = "createContainer",
				   .status = "creating",
				   .in_container_ns = true,
				   .fatal = true},
	[HOOK_START_CONTAINER] = {.name = "startContainer",
				  .status = "created",
				  .in_container_ns = true,
				  .in_container_root = true,
				  .fatal = true},
	/* 1.3 made it fatal, before it was a warning */
	[HOOK_POSTSTART] = {.name = "poststart", .status = "running", .fatal = true},
	[HOOK_POSTSTOP] = {.name = "poststop", .status = "stopped"},
};
