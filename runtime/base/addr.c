/* SPDX-License-Identifier: Apache-2.0 */
#include "base/addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/num.h"

int addr_parse(const char *text, union addr *ret, socklen_t *ret_n)
{
	const char *colon = strrchr(text, ':');
	bool six = text[0] == '[';
	char host[INET6_ADDRSTRLEN];
	union addr at;
	uint64_t port;
	size_t n;

	if (!colon || num_parse_u64(colon + 1, 65535, &port) < 0 ||
	    (six && (colon - text < 3 || colon[-1] != ']')))
		return -EINVAL;
	n = (size_t) (colon - text) - 2 * (size_t) six;
	if (n >= sizeof(host))
		return -EINVAL;
	memcpy(host, text + six, n);
	host[n] = '\0';
	memset(&at, 0, sizeof(at));
	if (six) {
		at.v6.sin6_family = AF_INET6;
		at.v6.sin6_port = htons((uint16_t) port);
	} else {
		at.v4.sin_family = AF_INET;
		at.v4.sin_port = htons((uint16_t) port);
	}
	if (inet_pton(six ? AF_INET6 : AF_INET, host,
		      six ? (void *) &at.v6.sin6_addr : (void *) &at.v4.sin_addr) != 1)
		return -EINVAL;
	*ret = at;
	*ret_n = six ? sizeof(at.v6) : sizeof(at.v4);
	return 0;
}

void addr_text(const union addr *at, char ret[ADDR_TEXT_MAX])
{
	char host[INET6_ADDRSTRLEN] = "?";

	if (at->any.sa_family == AF_INET6) {
		inet_ntop(AF_INET6, &at->v6.sin6_addr, host, sizeof(host));
		snprintf(ret, ADDR_TEXT_MAX, "[%s]:%u", host, ntohs(at->v6.sin6_port));
	} else {
		inet_ntop(AF_INET, &at->v4.sin_addr, host, sizeof(host));
		snprintf(ret, ADDR_TEXT_MAX, "%s:%u", host, ntohs(at->v4.sin_port));
	}
}
