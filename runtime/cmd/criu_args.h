/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of checkpoint and restore. Private to cmd/. */
#ifndef KAVACH_CMD_CRIU_ARGS_H
#define KAVACH_CMD_CRIU_ARGS_H

#include "cmd/box.h"

struct criu_args {
	struct create_opts c; /* restore */
	const char *image_path, *work_path, *parent_path, *page_server, *cg_mode, *network_lock,
		*lsm_profile, *lsm_mount_context;
	struct strs empty_ns;
	struct opt_u64 status_fd;
	bool leave_running, pre_dump, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk,
		shell_job, lazy_pages, file_locks, auto_dedup, link_remap;
};

/* criu_args_decide: everything but the directories and the program: what the options say, checked. */
int criu_args_decide(const struct criu_args *o, struct box_criu *ret, struct err *e);

/* criu_args_dirs: opens the directories of images and log; `make`: creates them. The caller closes them (criu_args_close). */
int criu_args_dirs(struct globals *g, const struct criu_args *o, bool make, struct box_criu *ret,
		   struct err *e);
void criu_args_close(struct box_criu *c);

/* criu_args_config: the annotation org.criu.config ("": none), else a file of /etc/criu that is there, or NULL. */
char *criu_args_config(const struct kvs *annotations, struct arena *a);

#endif
