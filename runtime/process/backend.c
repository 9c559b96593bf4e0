/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the backend "process". */
#include "process/process.h"

const struct backend_ops backend_process = {
	.name = "process",
	.id = POL_BACKEND_PROCESS,
	.create = process_create,
	.start = process_start,
	.exec = process_exec,
	.checkpoint = process_checkpoint,
	.restore = process_restore,
	.signal = process_signal,
	.pause = process_pause,
	.update = process_update,
	.mounts_add = process_mounts_add,
	.mounts_remove = process_mounts_remove,
	.pids = process_pids,
	.stats = process_stats,
	.inspect = process_inspect,
	.destroy = process_destroy,
};
