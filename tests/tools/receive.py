#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The other end of the sockets that kavach sends file descriptors to, for bats files.

	receive.py console SOCKET OUT	a terminal: what is read from it goes to OUT
	receive.py pidfd SOCKET OUT	the pid behind a pidfd
	receive.py seccomp SOCKET OUT NAME=ERRNO...
		a seccomp notify fd: the state document goes to OUT; calls are answered with ERRNO, "continue", or
		"value" (then the call returns 4242); the agent ends with the last user of the filter

SOCKET.ready appears when it listens. OUT starts with a line "PAYLOAD-BYTES FDS" for console and pidfd.
"""
import array
import ctypes
import errno
import fcntl
import json
import os
import select
import socket
import struct
import sys

NOTIF_RECV = 0xc0502100
NOTIF_SEND = 0xc0182101
CALLS = {"mkdir": 83, "mkdirat": 258, "getpgid": 121, "getppid": 110, "setpgid": 109, "uname": 63}


def listen(path):
    # by a short name: sun_path has 108 bytes
    d = os.open(os.path.dirname(path), os.O_PATH)
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.bind("/proc/self/fd/%d/%s" % (d, os.path.basename(path)))
    s.listen(1)
    open(path + ".ready", "w").close()
    return s


def receive(conn, size):
    fds = array.array("i")
    data, anc, _, _ = conn.recvmsg(size, socket.CMSG_SPACE(16 * 4))
    for level, kind, raw in anc:
        assert (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS)
        fds.frombytes(raw[:len(raw) - len(raw) % 4])
    return data, list(fds)


def console(conn, out):
    data, fds = receive(conn, 4096)
    out.write("%d %d\n" % (len(data), len(fds)))
    out.flush()
    assert os.isatty(fds[0])
    assert conn.recv(1) == b""
    while True:
        try:
            chunk = os.read(fds[0], 4096)
        except OSError as e:
            assert e.errno == errno.EIO
            return
        if not chunk:
            return
        out.write(chunk.decode())
        out.flush()


def pidfd(conn, out):
    data, fds = receive(conn, 4096)
    info = open("/proc/self/fdinfo/%d" % fds[0]).read()
    pid = [l.split()[1] for l in info.splitlines() if l.startswith("Pid:")][0]
    out.write("%d %d\n%s\n" % (len(data), len(fds), pid))


def seccomp(conn, out, answers):
    data, fds = receive(conn, 1 << 16)
    while True:
        more = conn.recv(1 << 16)
        if not more:
            break
        data += more
    out.write(data.decode() + "\n")
    out.flush()
    json.loads(data)
    assert len(fds) == 1
    answers = {CALLS[a.split("=")[0]]: a.split("=")[1] for a in answers}
    p = select.poll()
    p.register(fds[0], select.POLLIN)
    while True:
        if any(e & select.POLLHUP for _, e in p.poll()):
            return
        req = bytearray(80)
        try:
            fcntl.ioctl(fds[0], NOTIF_RECV, req)
        except OSError as e:
            if e.errno in (errno.ENOENT, errno.EINTR):
                continue
            raise
        ident, pid, flags, nr = struct.unpack("QIIi", req[:20])
        a = answers[nr]
        if a == "continue":
            resp = struct.pack("QqiI", ident, 0, 0, 1)
        elif a == "value":
            resp = struct.pack("QqiI", ident, 4242, 0, 0)
        else:
            resp = struct.pack("QqiI", ident, 0, -int(a), 0)
        try:
            fcntl.ioctl(fds[0], NOTIF_SEND, bytearray(resp))
        except OSError as e:
            if e.errno != errno.ENOENT:
                raise


def main():
    kind, path, out = sys.argv[1:4]
    sock = listen(path)
    sock.settimeout(20)
    conn, _ = sock.accept()
    with open(out, "w") as f:
        if kind == "seccomp":
            seccomp(conn, f, sys.argv[4:])
        else:
            {"console": console, "pidfd": pidfd}[kind](conn, f)


main()
