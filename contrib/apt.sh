# shellcheck shell=sh
# SPDX-License-Identifier: Apache-2.0
#
# Read by contrib/setup and contrib/unpack: how this machine gets its packages.

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "need root (or sudo) to install packages"
		exit 1
	fi
}

# shellcheck disable=SC1091
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")

package_lists() {
	# shellcheck disable=SC2016 # apt's own placeholders
	apt-get indextargets --format '$(RELEASE) $(REPO_URI) $(SOURCESENTRY)' \
		'Identifier: Packages' 'Component: main'
}

# A source for another suite: the mirror and the key of the main archive of this machine.
source_of() {	# SUITE
	suite=$1
	# shellcheck disable=SC2046 # three words are meant
	set -- $(package_lists | grep "^$codename " | head -n 1)
	[ $# -ge 2 ] || { say "no archive for $codename among apt's sources"; return 1; }
	key=
	if [ -f "${3%:*}" ]; then
		key=$(sed -n 's/^Signed-By:[[:space:]]*\(\/.*\)/\1/p; s/.*signed-by=\([^] ]*\).*/\1/p' \
			"${3%:*}" | head -n 1)
	fi
	cat <<-EOF
		Types: deb
		URIs: $2
		Suites: $suite
		Components: main
		${key:+Signed-By: $key}
	EOF
}
