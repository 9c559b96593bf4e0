#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts guests as confidential ones are started, without the encryption, and says how far each comes.

    measured_boot.py ARGV FIRMWARE KERNEL INITRD TABLE ADDRESS NAME[=OPTION:VALUE] ...

ARGV has QEMU's arguments, one a line, as vm/qemu.c writes them (a golden file). TABLE, the hashes of
what is booted, comes to ADDRESS in the guest's memory. All guests run at the same time, and differ from the first in one
thing: OPTION is kernel, initrd, append or table, and table: is none at all. For each a line is printed:

    NAME hello RELEASE    the agent has answered, from that kernel
    NAME halted           the processor turns in one place of the firmware, and was never in a kernel
    NAME nothing          the firmware says that there is nothing it could boot
    NAME ended STATUS     QEMU has ended
    NAME late             none of that in the time there was
"""
import fcntl
import json
import os
import re
import select
import socket
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from without_sev import in_memory, pairs, without_sev # noqa: E402

CHANNEL, QMP, CONSOLE, DISK = 3, 4, 5, 8
HELLO, HELLO_BACK = 0x01, 0x81
LIMIT = 240                 # seconds; a guest needs 8 where nothing else runs
SAMPLES, APART = 12, 0.2    # of the program counter
TURNS = 3                   # seconds of a processor's time in one place; to hash a kernel takes a half
PLACE = 64                  # bytes that a loop without an end fits into
KERNEL_HALF = 1 << 63
NOTHING = b"No bootable option"


def receive(s):
    try:
        return s.recv(65536)
    except ConnectionResetError:
        return b""


class Guest:
    def __init__(self, name, argv):
        self.name, self.said, self.counters, self.in_kernel = name, b"", [], False
        theirs = []
        for attr in "channel", "qmp", "console":
            ours, other = socket.socketpair()
            setattr(self, attr, ours)
            theirs.append(other)
        writable = os.memfd_create("disk")
        os.ftruncate(writable, 1 << 20)
        disk = os.open(f"/proc/self/fd/{writable}", os.O_RDONLY | os.O_CLOEXEC)
        os.close(writable)
        copies = {to: fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 100)
                  for to, fd in zip((CHANNEL, QMP, CONSOLE, DISK), (*theirs, disk))}
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, close_fds=False,
                                        preexec_fn=lambda: [os.dup2(fd, to) for to, fd in copies.items()])
        for fd in copies.values():
            os.close(fd)
        os.close(disk)
        for s in theirs:
            s.close()
        body = struct.pack("<QQI", 1, 1, 32) + os.urandom(32)
        self.nonce = body[-32:]
        self.channel.sendall(struct.pack("<IIBBH", len(body), 0, HELLO, 0, 0) + body)
        self.lines = self.qmp.makefile("rb")
        self.lines.readline()
        self.ask("qmp_capabilities")
        self.ask("cont")    # with -S, as a launch has it

    def ask(self, command, **arguments):
        try:
            self.qmp.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
            while line := self.lines.readline():
                answer = json.loads(line)
                if "return" in answer or "error" in answer:
                    return answer.get("return")
        except OSError:
            pass
        return None

    def cpu(self):
        """seconds of a processor that QEMU has had: a guest that is not given any stands still too"""
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def sample(self):
        """whether it turns in one place"""
        registers = self.ask("human-monitor-command", **{"command-line": "info registers"}) or ""
        found = re.search(r"[RE]IP=([0-9a-f]+)", registers)
        if not found:
            return False
        at = int(found.group(1), 16)
        self.in_kernel |= at >= KERNEL_HALF
        # an interrupt may come in between: the loop is where most of them are
        self.counters.append((at, self.cpu()))
        loop = sorted(c for c, _ in self.counters)[len(self.counters) // 2]
        inside = sum(abs(c - loop) < PLACE for c, _ in self.counters)
        if inside * 10 < len(self.counters) * 9:
            del self.counters[:1 + len(self.counters) // 2]
        return len(self.counters) >= SAMPLES and self.counters[-1][1] - self.counters[0][1] >= TURNS and not self.in_kernel

    def look(self):
        """what has become of it; None: nothing yet"""
        while select.select([self.console], [], [], 0)[0] and (data := receive(self.console)):
            self.said += data
        if select.select([self.channel], [], [], 0)[0]:
            data = receive(self.channel)
            # head of 12 bytes; version, the nonce, the kernel's release
            if len(data) > 60 and data[8] == HELLO_BACK and data[24:56] == self.nonce:
                n = struct.unpack_from("<I", data, 56)[0]
                return "hello " + data[60:60 + n].decode()
        if NOTHING in self.said:
            return "nothing"
        if self.process.poll() is not None:
            return f"ended {self.process.returncode}"
        return "halted" if not self.in_kernel and self.sample() else None

    def end(self):
        self.process.kill()
        self.process.wait()


def arguments(argv, firmware, files, table, address):
    own = {"-bios": firmware, "-kernel": files["kernel"], "-initrd": files["initrd"], "-netdev": "user,id=net0,restrict=on"}
    if files.get("append"):
        own["-append"] = files["append"]
    out = [w for option, *value in pairs(argv[1:]) for w in ([option, own.get(option, *value)] if value else [option])]
    return [argv[0], *without_sev(out), *(in_memory(address, table) if table else [])]


def main(argv_file, firmware, kernel, initrd, table_file, address, *cases):
    # the numbers that a guest has for its own stay free
    while os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) < 20:
        pass
    with open(argv_file) as f:
        argv = f.read().splitlines()
    with open(table_file, "rb") as f:
        table = f.read()
    guests = []
    try:
        for case in cases:
            name, _, change = case.partition("=")
            option, _, value = change.partition(":")
            files = {"kernel": kernel, "initrd": initrd}
            files[option] = value
            guests.append(Guest(name, arguments(argv, firmware, files, None if option == "table" else table, int(address, 16))))
        end, waiting = time.monotonic() + LIMIT, list(guests)
        while waiting and time.monotonic() < end:
            for g in list(waiting):
                if what := g.look():
                    print(g.name, what, flush=True)
                    g.end()
                    waiting.remove(g)
            time.sleep(APART)
        for g in waiting:
            print(g.name, "late", g.said, [hex(c) for c, _ in g.counters])
    finally:
        for g in guests:
            g.end()
    return 0


sys.exit(main(*sys.argv[1:]))
