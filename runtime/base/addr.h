/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Addresses of sockets as people write them: "192.0.2.1:7443", "[2001:db8::1]:7443". Numbers only: whoever looks names up
 * asks others, and loads libraries for it.
 */
#ifndef KAVACH_BASE_ADDR_H
#define KAVACH_BASE_ADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

union addr {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

#define ADDR_TEXT_MAX 80

/* addr_parse: -EINVAL. */
int addr_parse(const char *text, union addr *ret, socklen_t *ret_n);
/* addr_text: the way back. */
void addr_text(const union addr *at, char ret[ADDR_TEXT_MAX]);

#endif
