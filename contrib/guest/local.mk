# SPDX-License-Identifier: Apache-2.0
#
# What microVMs boot, in guest/ of the build tree (KAVACH_GUEST names it). Not part of `all`: it needs a kernel
# (contrib/setup fetches one; GUEST_KERNEL=TREE names another). Always made anew: nobody tells make of a new kernel.

GUEST_AGENT = kavach-agent$(EXEEXT)
GUEST_KERNEL =
guestdir = $(libdir)/kavach/guest
AM_CPPFLAGS += -DKAVACH_GUESTDIR='"$(guestdir)"'

guest: $(GUEST_AGENT)
	$(AM_V_GEN)$(srcdir)/contrib/guest/build --agent '$(GUEST_AGENT)' --out guest \
		$(if $(GUEST_KERNEL),--kernel '$(GUEST_KERNEL)')

install-guest: guest
	$(MKDIR_P) '$(DESTDIR)$(guestdir)'
	$(INSTALL_DATA) guest/vmlinux guest/vmlinuz guest/initrd guest/guest.json '$(DESTDIR)$(guestdir)'

clean-local:
	rm -rf guest

uninstall-local:
	rm -rf '$(DESTDIR)$(guestdir)'

.PHONY: guest install-guest
