# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For init and service: the shares and the script that the host gives.

# The device of the virtio port that the output goes to; there may be no udev to name it.
output_port() {
	local dir
	for dir in /sys/class/virtio-ports/*; do
		if [ "$(cat "$dir/name" 2>/dev/null)" = kavach-vm ]; then
			echo "/dev/${dir##*/}"
			return
		fi
	done
	echo /dev/console
}

# Each line of the list: TAG OPTIONS DIR
mount_shares() {
	local tag options dir p9=trans=virtio,version=9p2000.L,msize=512000
	mkdir -p /run/kavach-vm
	mount -t 9p -o $p9,cache=none control /run/kavach-vm
	while read -r tag options dir; do
		mkdir -p "$dir"
		mount -t 9p -o "$p9,$options" "$tag" "$dir"
	done </run/kavach-vm/shares
}

run_script() {
	local code=0
	bash /run/kavach-vm/script </dev/null >"$(output_port)" 2>&1 || code=$?
	echo "$code" >/run/kavach-vm/code
}
