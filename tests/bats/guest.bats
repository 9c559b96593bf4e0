#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What microVMs boot (contrib/guest/build): the same bytes each time, whole, and it boots.

load helpers

setup_file() {
	INIT=$BATS_FILE_TMPDIR/init
	PACKAGE=$("$KAVACH_SRC/contrib/unpack" --where linux-image-amd64)
	export INIT PACKAGE
	compile_tool guest_init "$INIT"
	[ ! -d "$PACKAGE" ] || "$KAVACH_SRC/contrib/guest/build" --agent "$INIT" --out "$BATS_FILE_TMPDIR/guest"
}

setup() {
	[ -d "$PACKAGE" ] || skip "no kernel for guests (contrib/setup fetches one)"
	GUEST=$BATS_FILE_TMPDIR/guest
	RELEASE=$(basename "$PACKAGE"/lib/modules/*)
	cd "$BATS_TEST_TMPDIR" || return
}

build() {
	run "$KAVACH_SRC/contrib/guest/build" "$@"
	printf '# build %s -> %s\n%s\n' "$*" "$status" "$output"
}

refuses() {	# WORDS BUILD-ARGUMENT...: one line that has them, and nothing is made
	local words=$1
	shift
	build "$@" --out out
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ $output == "guest: "*"$words"* ]]
	[ "$(find . -name 'out*')" = '' ]
}

modules_list() {
	cpio --quiet -i --to-stdout lib/modules.list <"$1/initrd"
}

# fake_kernel TREE PACKER...: a bzImage that is nothing but a head, a text where real mode's code is, and a small ELF file
# with a PVH entry; the modules are those of the package
fake_kernel() {
	local tree=$1 length
	shift
	mkdir -p "$tree/boot" "$tree/lib/modules"
	ln -s "$PACKAGE/lib/modules/$RELEASE" "$tree/lib/modules/1.0"
	if [ ! -e elf ]; then
		printf '%s\n' '.globl _start' '_start: hlt' '.section .note.Xen, "a", @note' \
			'.long 4, 4, 18' '.asciz "Xen"' '.long 0' |
			"${CC:-gcc}" -x assembler -nostdlib -static -o elf -
	fi
	"$@" <elf >packed
	# gzip's own format ends with the length
	case $1 in gzip) ;; *) little "$(stat -c %s elf)" >>packed ;; esac
	length=$(stat -c %s packed)
	{
		head -c 497 /dev/zero && printf '\001' # one sector of real-mode code
		head -c $((0x202 - 498)) /dev/zero && printf 'HdrS\017\002'
		head -c $((0x248 - 0x208)) /dev/zero && little 16 && little "$length"
		head -c $((1024 + 16 - 0x250)) /dev/zero && cat packed && printf 'more that is no part of it'
	} >"$tree/boot/vmlinuz-1.0"
}

little() {	# NUMBER: four bytes
	# shellcheck disable=SC2059 # the format is the bytes
	printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $(($1 & 255)) $(($1 >> 8 & 255)) $(($1 >> 16 & 255)) $(($1 >> 24)))"
}

@test "guest: the same inputs give the same bytes, whoever makes them, where and when" {
	mkdir -p far/away
	cp "$INIT" far/agent
	touch -d 1999-12-31 far/agent
	chmod 700 far/agent
	ln -s "$PACKAGE" far/kernel
	(
		umask 077
		cd far/away
		export TZ=Asia/Tokyo LC_ALL=C.UTF-8
		"$KAVACH_SRC/contrib/guest/build" --agent ../agent --kernel ../kernel --out deeper/guest
	)
	diff -r "$GUEST" far/away/deeper/guest
	# built over an old one: that goes, and nothing else is left
	cp -r "$GUEST" again
	echo old >again/old
	build --agent "$INIT" --out again
	[ "$status" -eq 0 ]
	diff -r "$GUEST" again
	[ "$(find . -maxdepth 1 -name 'again*')" = ./again ]
}

@test "guest: guest.json names the release, the features and the digest of each file" {
	jq -e --arg r "$RELEASE" '.version == 1 and .release == $r and (keys | length) == 4' "$GUEST/guest.json"
	[ "$(jq -r '.files | keys[]' "$GUEST/guest.json" | sort | xargs)" = "initrd vmlinux vmlinuz" ]
	[ "$(find "$GUEST" -type f | wc -l)" -eq 4 ]
	for file in vmlinux vmlinuz initrd; do
		[ "$(jq -r --arg f $file '.files[$f]' "$GUEST/guest.json")" = "$(sha256sum <"$GUEST/$file" | cut -c 1-64)" ]
	done
	[ "$(jq -r '.features[]' "$GUEST/guest.json")" = "$(modules_list "$GUEST" | cut -d : -f 1)" ]
	cmp "$PACKAGE/boot/vmlinuz-$RELEASE" "$GUEST/vmlinuz"
}

@test "guest: with --keeper there is a second initrd, which has it and is named" {
	build --agent "$INIT" --keeper "$INIT" --out keeper
	[ "$status" -eq 0 ]
	cmp "$GUEST/initrd" keeper/initrd
	[ "$(jq -r '.files | keys[]' keeper/guest.json | sort | xargs)" = "initrd initrd-sev vmlinux vmlinuz" ]
	[ "$(jq -r '.files["initrd-sev"]' keeper/guest.json)" = "$(sha256sum <keeper/initrd-sev | cut -c 1-64)" ]
	[ "$(comm -13 <(cpio --quiet -it <keeper/initrd | sort) <(cpio --quiet -it <keeper/initrd-sev | sort) | xargs)" = "sbin sbin/kavach-keeper" ]
	KAVACH_GUEST=$PWD/keeper "$KAVACH" check guest
	build --agent "$INIT" --keeper "$KAVACH_BUILD/kavach-attest" --out dynamic
	[ "$status" -ne 0 ]
	[[ $output == *"kavach-attest: not static"* ]]
}

@test "guest: kavach check takes the image, and notices a changed and a missing file" {
	cp -r "$GUEST" image
	export KAVACH_GUEST=$PWD/image
	run "$KAVACH" check --json guest
	[ "$status" -eq 0 ]
	jq -e --arg r "$RELEASE" '.rows[0] | .state == "ok" and .values.release == $r' <<<"$output"
	printf x | dd of=image/initrd bs=1 seek=1000 conv=notrunc status=none
	run "$KAVACH" check guest
	[ "$status" -eq 1 ]
	[[ $(xargs <<<"$output") == *"$PWD/image/initrd is not the file that guest.json describes"* ]]
	rm image/vmlinux
	run "$KAVACH" check guest
	[ "$status" -eq 1 ]
	[[ $(xargs <<<"$output") == *"$PWD/image/vmlinux: not found"* ]]
	echo '{}' >image/guest.json
	run "$KAVACH" check guest
	[ "$status" -eq 1 ]
	rm -r image
	run "$KAVACH" check guest
	[ "$status" -eq 1 ]
	[[ $(xargs <<<"$output") == *"no image for guests: $PWD/image/guest.json is not there fix: contrib/setup, make guest"* ]]
}

@test "guest: modules.list has what a container may need, each file in its place and once a line" {
	modules_list "$GUEST" >list
	for feature in boot 9p virtiofs overlay block erofs verity net rng balloon sev; do
		grep -q "^$feature:" list
	done
	[ "$(grep -vcE '^[a-z0-9]+:( /lib/modules/[^ /]+\.ko)*$' list)" -eq 0 ]
	cpio --quiet -it <"$GUEST/initrd" | sed 's,^,/,' | sort >files
	cut -d : -f 2 list | tr ' ' '\n' | sed '/^$/d' | sort -u >named
	[ -z "$(comm -13 files named)" ]
	[ "$(grep -c '\.ko$' files)" -eq "$(wc -l <named)" ]
	while read -r line; do
		[ -z "$(tr ' ' '\n' <<<"$line" | sort | uniq -d)" ]
	done <list
	# an agent has no way to read a packed one
	mkdir root
	(cd root && cpio --quiet -id <"$GUEST/initrd")
	for file in root/lib/modules/*.ko; do
		[ "$(head -c 4 "$file" | od -A n -t x1)" = " 7f 45 4c 46" ]
	done
	cmp "$INIT" root/init
}

@test "guest: a kernel without a feature has no line for it, and one without virtio is refused" {
	mkdir -p tree/boot
	cp -r "$PACKAGE/lib" tree/
	ln "$PACKAGE/boot/vmlinuz-$RELEASE" tree/boot/ || cp "$PACKAGE/boot/vmlinuz-$RELEASE" tree/boot/
	rm -r "tree/lib/modules/$RELEASE/kernel/net/9p" "tree/lib/modules/$RELEASE/kernel/fs/9p"
	/sbin/depmod -b tree "$RELEASE"
	build --agent "$INIT" --kernel tree --out less
	[ "$status" -eq 0 ]
	[ "$(diff <(modules_list "$GUEST" | cut -d : -f 1) <(modules_list less | cut -d : -f 1))" = $'2d1\n< 9p' ]
	jq -e '.features | index("9p") == null' less/guest.json
	rm "tree/lib/modules/$RELEASE"/kernel/drivers/virtio/virtio_mmio.ko*
	/sbin/depmod -b tree "$RELEASE"
	refuses "has no virtio-mmio" --agent "$INIT" --kernel tree
}

@test "guest: unpacks each format that Linux packs a kernel in" {
	local n=0
	while read -r packer; do
		# shellcheck disable=SC2086 # words are meant
		set -- $packer
		command -v "$1" >/dev/null || continue
		fake_kernel "tree$n" "$@"
		build --agent "$INIT" --kernel "tree$n" --out "out$n"
		[ "$status" -eq 0 ]
		cmp elf "out$n/vmlinux"
		[ "$(jq -r .release "out$n/guest.json")" = 1.0 ]
		n=$((n + 1))
	done <<-END
		gzip -c
		xz -c --check=crc32
		xz -c --format=lzma
		zstd -cq
		lz4 -clq
		bzip2 -c
		lzop -c
	END
	[ $n -ge 4 ]
}

@test "guest: a kernel that cannot be right is refused in one line" {
	fake_kernel tree gzip -c
	image=tree/boot/vmlinuz-1.0
	cp $image good
	printf x | dd of=$image bs=1 seek=$((0x202)) conv=notrunc status=none
	refuses "no bzImage" --agent "$INIT" --kernel tree
	head -c 1100 good >$image
	refuses "cut short" --agent "$INIT" --kernel tree
	head -c 100 good >$image
	refuses "no bzImage" --agent "$INIT" --kernel tree
	{ head -c 1050 good && printf xxx && tail -c +1054 good; } >$image
	refuses "fails on the packed" --agent "$INIT" --kernel tree
	{ head -c 1040 good && printf xxx && tail -c +1044 good; } >$image
	refuses "packed in a way" --agent "$INIT" --kernel tree
	rm $image
	refuses "can be read" --agent "$INIT" --kernel tree
	cp good $image
	refuses "can be read" --agent "$INIT" --kernel tree --release 2.0
	refuses "is no kernel's release" --agent "$INIT" --kernel tree --release ../1.0
	refuses "no kernel with modules.dep" --agent "$INIT" --kernel "$BATS_TEST_TMPDIR"
	# an ELF file that has another length than announced; then one without the entry
	fake_kernel other cat
	refuses "packed in a way" --agent "$INIT" --kernel other
	echo text >elf
	fake_kernel text gzip -c
	refuses "no ELF file" --agent "$INIT" --kernel text
	cp "$INIT" elf
	fake_kernel entry gzip -c
	refuses "no PVH entry" --agent "$INIT" --kernel entry
	{ cat "$INIT" && echo x; } >elf
	fake_kernel length zstd -cq
	python3 - length/boot/vmlinuz-1.0 <<-END
		import sys
		data = bytearray(open(sys.argv[1], "rb").read())
		at = data.index(b"more that") - 4
		data[at] ^= 1
		open(sys.argv[1], "wb").write(data)
	END
	refuses "another length" --agent "$INIT" --kernel length
}

@test "guest: an agent that could not run there is refused" {
	refuses "not static" --agent /bin/true
	refuses "no program" --agent "$BATS_TEST_TMPDIR"
	refuses "no program" --agent /nowhere
	build --agent "$INIT"
	[ "$status" -eq 2 ]
	[[ $output == "usage: "* ]]
}

@test "guest: boots in a microVM, and every module does what it is for" {
	command -v qemu-system-x86_64 mkfs.erofs >/dev/null || skip "needs QEMU and mkfs.erofs"
	# lockdown, as a confidential guest has it: modules load by their signatures
	local options='console=ttyS0 quiet reboot=t panic=-1 cryptomgr.notests 8250.nr_uarts=1 init_on_alloc=1
		lockdown=confidentiality'
	mkdir share tree
	echo 'shared content' >share/file
	echo 'packed content' >tree/file
	mkfs.erofs --quiet -T0 --all-root disk tree
	run timeout 300 qemu-system-x86_64 -no-user-config -nodefaults -no-reboot -display none \
		-M microvm,memory-backend=m0 -object memory-backend-memfd,id=m0,size=256M,share=on \
		-bios qboot.rom -accel tcg -cpu max -smp 1 -m 256M -kernel "$GUEST/vmlinux" -initrd "$GUEST/initrd" \
		-append "${options//$'\n\t'/ } tsc_early_khz=$("$INIT" tsc)" \
		-chardev stdio,id=console -serial chardev:console -device virtio-serial-device \
		-chardev null,id=channel -device virtserialport,chardev=channel,name=kavach.0 \
		-fsdev local,id=share,path=share,security_model=none,multidevs=remap \
		-device virtio-9p-device,fsdev=share,mount_tag=share \
		-blockdev driver=file,filename=disk,node-name=file,read-only=on \
		-blockdev driver=raw,file=file,node-name=disk,read-only=on -device virtio-blk-device,drive=disk,serial=root \
		-device virtio-rng-device -device virtio-balloon-device <<<''
	printf '%s\n' "$output"
	[ "$status" -eq 0 ]
	output=$(tr -d '\r' <<<"$output" | grep -v '^\[')
	[ "$output" = "release: $RELEASE
$(jq -r '.features[] | "feature \(.): ok"' "$GUEST/guest.json")
port: kavach.0
disk: root
mount 9p: ok
9p: shared content
mount erofs: ok
erofs: packed content
random: virtio_rng.0
device-mapper: ok
end" ]
}
