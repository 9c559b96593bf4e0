# SPDX-License-Identifier: Apache-2.0
#
# What microVMs boot, in guest/ of the build tree (KAVACH_GUEST names it). Not part of `all`: it needs a kernel
# (contrib/setup fetches one; GUEST_KERNEL=TREE names another). Always made anew: nobody tells make of a new kernel.

GUEST_AGENT = kavach-agent$(EXEEXT)
GUEST_KERNEL =
guestdir = $(libdir)/kavach/guest
AM_CPPFLAGS += -DKAVACH_GUESTDIR='"$(guestdir)"'

# What opens secrets in confidential guests; without libcrypto's archive there is none that a guest could start.
GUEST_KEEPER =
if KEEPER_STATIC
GUEST_KEEPER += kavach-keeper.stripped
endif

kavach-keeper.stripped: kavach-keeper$(EXEEXT)
	$(AM_V_GEN)$(STRIP) --strip-all -R .comment -R .note.gnu.property -o $@ kavach-keeper$(EXEEXT)

guest: $(GUEST_AGENT) $(GUEST_KEEPER)
	$(AM_V_GEN)$(srcdir)/contrib/guest/build --agent '$(GUEST_AGENT)' --out guest \
		$(if $(GUEST_KEEPER),--keeper '$(strip $(GUEST_KEEPER))') \
		$(if $(GUEST_KERNEL),--kernel '$(GUEST_KERNEL)')

install-guest: guest
	$(MKDIR_P) '$(DESTDIR)$(guestdir)'
	$(INSTALL_DATA) guest/vmlinux guest/vmlinuz guest/initrd $(if $(GUEST_KEEPER),guest/initrd-sev) guest/guest.json '$(DESTDIR)$(guestdir)'

clean-local:
	rm -rf guest kavach-keeper.stripped

uninstall-local:
	rm -rf '$(DESTDIR)$(guestdir)'

.PHONY: guest install-guest
