#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Looks for a secret where it must not be. The secret is read from a file, so that it is in no argument of ours.

hunt.py memory PID FILE   the flags of each mapping of a process that holds it: "dc dd" = not inherited, not dumped
hunt.py procs FILE PID... processes that have it in their arguments or environment, but these; one number a line
hunt.py serve SOCKET FILE [LINE-FILE]  a service that answers every question with the file's bytes; what it was asked, a
                          line each, goes to LINE-FILE
hunt.py stall SOCKET      a service that accepts and says nothing
hunt.py core PROGRAM...   starts it, sends it SIGSEGV when it has written a line, and says whether it dumped core
"""
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import time


def load(path):
    with open(path, "rb") as f:
        return f.read()


def memory(pid, value):
    found = set()
    with open(f"/proc/{pid}/smaps") as f, open(f"/proc/{pid}/mem", "rb", 0) as mem:
        begin = end = 0
        for line in f:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) ([rwxsp-]+) ", line)
            if head:
                begin, end = (int(x, 16) for x in head.groups()[:2])
                readable = head.group(3)[0] == "r" and "[v" not in line
            elif line.startswith("VmFlags:") and readable:
                try:
                    mem.seek(begin)
                    if value in mem.read(end - begin):
                        found.add(" ".join(sorted({"dc", "dd"} & set(line.split()))))
                except OSError:
                    pass
    for flags in sorted(found):
        print(flags or "unprotected")


def procs(value, but):
    for pid in filter(str.isdigit, os.listdir("/proc")):
        for name in "cmdline", "environ":
            try:
                if int(pid) not in but and value in load(f"/proc/{pid}/{name}"):
                    print(pid, name)
            except OSError:
                pass


def serve(path, value, log):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path + ".new")
    s.listen()
    os.rename(path + ".new", path)  # whoever sees it can connect
    while True:
        c, _ = s.accept()
        if value is None:
            time.sleep(1000)
        else:
            with c.makefile("rb") as f:
                line = f.readline()
            if log:
                with open(log, "ab") as f:
                    f.write(line)
            try:
                c.sendall(value)
            except OSError:
                pass
        c.close()


def core(program):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    p = subprocess.Popen(program, stdout=subprocess.PIPE)
    p.stdout.readline()
    os.kill(p.pid, signal.SIGSEGV)
    status = os.waitpid(p.pid, 0)[1]
    print("core" if os.WCOREDUMP(status) else "none", os.WTERMSIG(status))


def main(what, *args):
    if what == "memory":
        memory(args[0], load(args[1]))
    elif what == "procs":
        procs(load(args[0]), {int(x) for x in args[1:]} | {os.getpid()})
    elif what == "serve":
        serve(args[0], load(args[1]), args[2] if len(args) > 2 else None)
    elif what == "stall":
        serve(args[0], None, None)
    elif what == "core":
        core(args)
    else:
        sys.exit(__doc__)


main(*sys.argv[1:])
