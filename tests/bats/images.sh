#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Images for the engines' tests, made here, for no registry can be reached. An image is a docker-archive
# put together with tar and jq, so that none of the engines under test is needed to make it, and podman,
# docker and containerd all load the same bytes.
#
#	tests/bats/images.sh busybox DIR	prints the path of DIR/busybox.tar, made if it is not there
#	tests/bats/images.sh debian DIR		the same with a Debian base system (debootstrap; a minute)
#	tests/bats/images.sh load ENGINE FILE [OPTION...]
#						ENGINE: podman, docker, or ctr; options go before the
#						subcommand, as in `load ctr FILE --address S -n NAMESPACE`
#
# The names are localhost/kavach-busybox:latest and localhost/kavach-debian:latest.

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# archive ROOTFS FILE NAME COMMAND: one layer, no times and no names of owners: same root, same bytes
archive() {
	local rootfs=$1 file=$2 name=$3 command=$4 work id config arch
	work=$(mktemp -d "${TMPDIR:-/tmp}/kavach-image.XXXXXX")
	case $(uname -m) in
	x86_64) arch=amd64 ;;
	aarch64) arch=arm64 ;;
	*) arch=$(uname -m) ;;
	esac
	tar --sort=name --mtime=@0 --numeric-owner --one-file-system -C "$rootfs" -cf "$work/layer.tar" .
	id=$(sha256sum "$work/layer.tar")
	id=${id%% *}
	jq -nc --arg arch "$arch" --arg id "$id" --arg command "$command" '{
		architecture: $arch, os: "linux", created: "1970-01-01T00:00:00Z",
		config: {
			Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
			Cmd: [$command], WorkingDir: "/"
		},
		rootfs: {type: "layers", diff_ids: ["sha256:" + $id]},
		history: [{created: "1970-01-01T00:00:00Z", created_by: "tests/bats/images.sh"}]
	}' >"$work/config"
	config=$(sha256sum "$work/config")
	config=${config%% *}
	mv "$work/config" "$work/$config.json"
	mkdir "$work/$id"
	mv "$work/layer.tar" "$work/$id/layer.tar"
	jq -nc --arg config "$config.json" --arg name "$name" --arg layer "$id/layer.tar" \
		'[{Config: $config, RepoTags: [$name], Layers: [$layer]}]' >"$work/manifest.json"
	# by rename: two test files may ask for the same image at the same time
	tar --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -C "$work" -cf "$file.$$" .
	mv "$file.$$" "$file"
	rm -rf "$work"
}

make_busybox() {
	local file=$1/busybox.tar rootfs
	if [ ! -f "$file" ]; then
		mkdir -p "$1"
		rootfs=$(mktemp -d "${TMPDIR:-/tmp}/kavach-rootfs.XXXXXX")
		"$here/contrib/make-rootfs" "$rootfs"
		chmod 0755 "$rootfs"
		archive "$rootfs" "$file" localhost/kavach-busybox:latest /bin/sh
		rm -rf "$rootfs"
	fi
	echo "$file"
}

# from the mirror and for the release of this machine
make_debian() {
	local file=$1/debian.tar rootfs codename mirror
	if [ ! -f "$file" ]; then
		mkdir -p "$1"
		# shellcheck disable=SC1091
		codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
		# shellcheck disable=SC2016 # apt's own placeholders
		mirror=$(apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Identifier: Packages' \
			'Component: main' | sed -n "s/^$codename //p" | head -n 1)
		rootfs=$(mktemp -d "${TMPDIR:-/tmp}/kavach-rootfs.XXXXXX")
		debootstrap --variant=minbase "$codename" "$rootfs" "$mirror" >"$1/debian.log" 2>&1
		rm -rf "${rootfs:?}"/var/cache/apt/* "${rootfs:?}"/var/lib/apt/lists/* "${rootfs:?}"/dev/*
		archive "$rootfs" "$file" localhost/kavach-debian:latest /bin/bash
		rm -rf "$rootfs"
	fi
	echo "$file"
}

load() {
	local engine=$1 file=$2
	shift 2
	case $engine in
	podman | docker) "$engine" "$@" load -q -i "$file" ;;
	ctr) ctr "$@" images import "$file" ;;
	*)
		echo "images.sh: unknown engine $engine" >&2
		return 1
		;;
	esac
}

# when sourced, only the functions
if [ "${BASH_SOURCE[0]}" = "$0" ]; then
	case ${1:-} in
	busybox | debian)
		[ $# -eq 2 ] || { echo "usage: $0 $1 DIR" >&2; exit 1; }
		"make_$1" "$2"
		;;
	load)
		shift
		load "$@"
		;;
	*)
		sed -n '5,17s/^# \{0,1\}//p' "$0" >&2
		exit 1
		;;
	esac
fi
