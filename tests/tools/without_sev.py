# SPDX-License-Identifier: Apache-2.0
"""QEMU's arguments for a confidential guest, turned into those of the same guest on a machine without SEV.

Everything that the guest can see of its machine stays. The encryption goes, and with it KVM. What QEMU does by itself for such
a guest is said instead: modern devices behind an IOMMU, and the table of what is booted in the place where the firmware looks.
"""
import re


def pairs(argv):
    """options with their values: the ones without a value that kavach uses are these"""
    alone = {"-no-user-config", "-nodefaults", "-no-reboot", "-S"}
    at = 0
    while at < len(argv):
        n = 1 if argv[at] in alone else 2
        yield argv[at:at + n]
        at += n


def value_of(argv, option):
    return next((p[1] for p in pairs(argv) if p[0] == option), None)


def sev_of(argv):
    """the properties of the object that makes the guest confidential, and its type; None: it is not"""
    for option, *value in pairs(argv):
        if option == "-object" and re.match("sev-(snp-)?guest,", value[0]):
            kind, *rest = value[0].split(",")
            return {"type": kind, **dict(word.split("=", 1) for word in rest)}
    return None


def without_sev(argv):
    """argv without the program's name"""
    out = []
    for option, *value in pairs(argv):
        v = value[0] if value else ""
        if option == "-machine":
            v = ",".join(w for w in v.split(",") if not w.startswith(("kernel-irqchip=", "confidential-guest-support=")))
        elif option == "-object" and re.match("sev-(snp-)?guest,", v):
            continue
        elif option == "-add-fd" and v.endswith(",set=100"):    # /dev/kvm
            continue
        elif option == "-accel":
            v = "tcg,tb-size=128"
        elif option == "-cpu":      # the translator has no such processor, and says so in a screen of warnings
            v = "max"
        elif option == "-device" and v.startswith("virtio-"):
            v += ",iommu_platform=on,disable-legacy=on"
        out += [option, v] if value else [option]
    return out


def in_memory(address, data):
    """arguments that put these bytes there; not as a file, because there may be none that QEMU can open"""
    out = []
    for at in range(0, len(data), 8):
        part = data[at:at + 8]
        out += ["-device", f"loader,addr={address + at:#x},data={int.from_bytes(part, 'little'):#x},data-len={len(part)}"]
    return out
