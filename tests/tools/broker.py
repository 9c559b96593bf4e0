# SPDX-License-Identifier: Apache-2.0
"""The broker's world, for tests: a guest without a guest. Evidence is signed by the mock of AMD's processor (psp.py), the key
and the opening are kavach-keeper's, run as an ordinary process; the broker is kavach-attest."""
import base64
import hashlib
import json
import os
import socket
import struct
import subprocess

import psp

BUILD = os.environ.get("KAVACH_BUILD", ".")
ATTEST = os.path.join(BUILD, "kavach-attest")
KEEPER = os.path.join(BUILD, "kavach-keeper")
KEY, CHALLENGE, NONCE, ANSWER, VALUES, FAIL = range(1, 7)
HELLO = {"type": "kavach-broker-hello", "version": 1}


def counted(b):
    return struct.pack("<I", len(b)) + b


def report_data(nonce, key, digest):
    return hashlib.sha256(b"kavach-evidence-1\0" + counted(nonce) + counted(key) + digest).digest()


def document(report, nonce, key, digest, certs=b""):
    out = {"type": "kavach-evidence", "version": 1, "kind": "sev-snp", "report": base64.b64encode(report).decode()}
    if certs:
        out["certs"] = base64.b64encode(certs).decode()
    return dict(out, nonce=nonce.hex(), key=base64.b64encode(key).decode(), policyDigest=digest.hex())


def request(evidence, names):
    return {"type": "kavach-broker-request", "version": 1, "evidence": evidence, "names": list(names)}


class Refused(Exception):
    pass


class Keeper:
    """kavach-keeper, and the agent's side of its protocol (runtime/keeper/proto.h)"""

    def __init__(self):
        self.sock, theirs = socket.socketpair()
        self.sock.settimeout(60)
        self.process = subprocess.Popen([KEEPER, str(theirs.fileno())], pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        theirs.close()
        kind, self.key = self.get()
        if kind != KEY:
            raise Refused(self.key.decode())

    def read(self, n):
        out = b""
        while len(out) < n:
            got = self.sock.recv(n - len(out))
            if not got:
                raise Refused("the keeper has ended")
            out += got
        return out

    def get(self):
        kind, n = struct.unpack("<BI", self.read(5))
        return kind, self.read(n)

    def ask(self, kind, payload):
        self.sock.sendall(struct.pack("<BI", kind, len(payload)) + payload)
        kind, answer = self.get()
        if kind == FAIL:
            raise Refused(answer.decode())
        return answer

    def nonce(self, line):
        return self.ask(CHALLENGE, line)

    def open(self, line, nonce, names, pin=None):
        head = counted(pin.encode()) if pin else b"\xff\xff\xff\xff"
        text = head + counted(nonce) + struct.pack("<I", len(names)) + b"".join(counted(n.encode()) for n in names) + counted(line)
        answer, out = self.ask(ANSWER, text), []
        while answer:
            n, = struct.unpack_from("<I", answer)
            out.append(answer[4:4 + n])
            answer = answer[4 + n:]
        return out

    def end(self):
        """what it wrote, and its status"""
        self.sock.close()
        return self.process.communicate(timeout=60)[0], self.process.returncode


class Guest:
    """one container: a processor that reports what it was launched with"""

    def __init__(self, processor, digest, **fields):
        self.p, self.digest = processor, digest
        self.fields = dict({"host_data": digest}, **fields)
        self.certs = psp.certtable([("vcek", processor.vek()), ("ask", processor.ask), ("ark", processor.ark)])

    def evidence(self, nonce, key, **more):
        fields = dict(self.fields, **more)
        fields.setdefault("report_data", report_data(nonce, key, self.digest))
        return document(self.p.report(**fields), nonce, key, self.digest, self.certs)


class Conversation:
    def __init__(self, address):
        self.sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        self.sock.settimeout(60)
        self.sock.connect(address)
        self.left = b""

    def send(self, text):
        try:
            self.sock.sendall(text)
        except (BrokenPipeError, ConnectionResetError):
            pass    # it has answered already

    def line(self):
        """one line without its newline; b"" when the broker has closed"""
        try:
            while b"\n" not in self.left:
                got = self.sock.recv(65536)
                if not got:
                    return b""
                self.left += got
        except ConnectionResetError:
            return b""
        out, self.left = self.left.split(b"\n", 1)
        return out

    def say(self, message):
        self.send((message if isinstance(message, bytes) else json.dumps(message).encode()) + b"\n")
        return self.line()

    def hello(self):
        return self.say(HELLO)

    def close(self):
        self.sock.close()


class Broker:
    """kavach attest serve, until it is ended; its log is read as it grows"""

    def __init__(self, folder, *args):
        self.socket = os.path.join(folder, "broker.sock")
        self.log = os.path.join(folder, "broker.log")
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.process = subprocess.Popen([ATTEST, "serve", "--socket", self.socket, "--log", self.log, *args], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.events = []
        self.started = self.event()

    def event(self):
        """the next line of the log, which comes or the broker is gone"""
        import time
        end = time.monotonic() + 60
        while time.monotonic() < end:
            lines = []
            if os.path.exists(self.log):
                with open(self.log) as f:
                    lines = [x for x in f.read().split("\n")[:-1]]
            if len(lines) > len(self.events):
                self.events.append(json.loads(lines[len(self.events)]))
                return self.events[-1]
            if self.process.poll() is not None:
                raise Refused(self.process.communicate()[0].decode())
            time.sleep(0.01)
        raise Refused("no line in the log")

    def connect(self):
        return Conversation(self.socket)

    def end(self):
        self.process.terminate()
        return self.process.communicate(timeout=60)[0]
