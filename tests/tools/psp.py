# SPDX-License-Identifier: Apache-2.0
"""A mock of AMD's secure processor and of its key hierarchy, for tests.

It makes a root, intermediates and signing keys with AMD's names and extensions, and signs reports of any content, also
such as no firmware would make. DER is written by hand, because what is tested is mostly what a library would not write.
RSA is left to the openssl program. Keys are new in each run, and nothing trusts them by default.
"""
import base64
import hashlib
import json
import os
import struct
import subprocess
import sys
import uuid

# ---- DER ----


def der(tag, content):
    n = len(content)
    size = bytes([n]) if n < 128 else bytes([0x80 + (n.bit_length() + 7) // 8]) + n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([tag]) + size + content


def seq(*parts):
    return der(0x30, b"".join(parts))


def integer(n):
    return der(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(text):
    numbers = [int(x) for x in text.split(".")]
    out = bytes([numbers[0] * 40 + numbers[1]])
    for n in numbers[2:]:
        part = [n & 0x7f]
        while n := n >> 7:
            part.append(n & 0x7f | 0x80)
        out += bytes(reversed(part))
    return der(6, out)


def octets(b):
    return der(4, b)


def bits(b):
    return der(3, b"\0" + b)


def ia5(text):
    return der(0x16, text.encode())


def utc(text):          # "20250101000000Z"
    return der(0x17, text[2:].encode()) if text < "2050" else der(0x18, text.encode())


NULL = der(5, b"")
SHA384 = seq(oid("2.16.840.1.101.3.4.2.2"), NULL)
SHA256 = seq(oid("2.16.840.1.101.3.4.2.1"), NULL)
PSS = seq(oid("1.2.840.113549.1.1.10"),
          seq(der(0xa0, SHA384), der(0xa1, seq(oid("1.2.840.113549.1.1.8"), SHA384)), der(0xa2, integer(48))))
PKCS1 = seq(oid("1.2.840.113549.1.1.12"), NULL)     # sha384WithRSAEncryption
AMD = "1.3.6.1.4.1.3704.1."


# ---- keys ----


class Rsa:
    """one private key; the padding is ours, the rest is the openssl program's"""

    def __init__(self, pem, path):
        self.path = path
        with open(path, "wb") as f:
            f.write(pem)
        text = subprocess.run(["openssl", "rsa", "-in", path, "-noout", "-modulus"], check=True, capture_output=True, text=True).stdout
        self.n, self.e = int(text.split("=")[1], 16), 65537
        self.size = (self.n.bit_length() + 7) // 8

    def raw(self, m):     # without padding, decrypting is signing
        return subprocess.run(["openssl", "pkeyutl", "-decrypt", "-inkey", self.path, "-pkeyopt", "rsa_padding_mode:none"],
                              input=m.to_bytes(self.size, "big"), check=True, capture_output=True).stdout

    def pss(self, message, salt_len=48):
        n = (self.n.bit_length() - 1 + 7) // 8
        salt = os.urandom(salt_len)
        h = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
        db = bytes(n - salt_len - 48 - 2) + b"\1" + salt
        mask = b"".join(hashlib.sha384(h + struct.pack(">I", i)).digest() for i in range(len(db) // 48 + 1))
        db = bytearray(x ^ y for x, y in zip(db, mask))
        db[0] &= 0xff >> (8 * n - (self.n.bit_length() - 1))
        return self.raw(int.from_bytes(bytes(db) + h + b"\xbc", "big"))

    def pkcs1(self, message):
        t = seq(SHA384, octets(hashlib.sha384(message).digest()))
        return self.raw(int.from_bytes(b"\0\1" + b"\xff" * (self.size - len(t) - 3) + b"\0" + t, "big"))

    def spki(self):
        return seq(seq(oid("1.2.840.113549.1.1.1"), NULL), bits(seq(integer(self.n), integer(self.e))))


P = 2**384 - 2**128 - 2**96 + 2**32 - 1
N = 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973
G = (0xaa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a385502f25dbf55296c3a545e3872760ab7,
     0x3617de4a96262c6f5d9e98bf9292dc29f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f)
P256 = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                     "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        k = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P) % P
    else:
        k = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (k * k - a[0] - b[0]) % P
    return x, (k * (a[0] - x) - a[1]) % P


DOUBLES = [G]


def times_g(k):
    while len(DOUBLES) < 384:
        DOUBLES.append(add(DOUBLES[-1], DOUBLES[-1]))
    out = None
    for i in range(384):
        if k >> i & 1:
            out = add(out, DOUBLES[i])
    return out


class P384:
    def __init__(self, d=None):
        self.d = d or int.from_bytes(os.urandom(56), "big") % (N - 1) + 1
        self.point = times_g(self.d)

    def sign(self, message):
        z = int.from_bytes(hashlib.sha384(message).digest(), "big")
        k = int.from_bytes(os.urandom(56), "big") % (N - 1) + 1
        r = times_g(k)[0] % N
        return r, pow(k, -1, N) * (z + r * self.d) % N

    def spki(self):
        x, y = self.point
        return seq(seq(oid("1.2.840.10045.2.1"), oid("1.3.132.0.34")), bits(b"\4" + x.to_bytes(48, "big") + y.to_bytes(48, "big")))


def p256_spki():
    return seq(seq(oid("1.2.840.10045.2.1"), oid("1.2.840.10045.3.1.7")), bits(P256))


# ---- certificates ----


def name(cn):
    return seq(der(0x31, seq(oid("2.5.4.10"), der(12, b"kavach's tests, not AMD"))),
               der(0x31, seq(oid("2.5.4.3"), der(12, cn.encode()))))


def extension(number, value, critical=False):
    return seq(oid(number), der(1, b"\xff") if critical else b"", octets(value))


def ca_extensions(pathlen):
    return [extension("2.5.29.19", seq(der(1, b"\xff"), integer(pathlen)), True),
            extension("2.5.29.15", bytes([3, 2, 2, 4]), True)]


FIRST, LAST = "20240101000000Z", "20340101000000Z"


def certificate(subject, issuer, spki, key, extensions, serial=0, first=FIRST, last=LAST, algorithm=PSS, salt_len=48):
    tbs = seq(der(0xa0, integer(2)), integer(serial), algorithm, name(issuer), seq(utc(first), utc(last)), name(subject), spki,
              der(0xa3, seq(*extensions)))
    signature = key.pkcs1(tbs) if algorithm == PKCS1 else key.pss(tbs, salt_len)
    return seq(tbs, algorithm, bits(signature))


def crl(issuer, key, serials, last="20260101000000Z", following="20270101000000Z", critical=False):
    revoked = [seq(integer(s), utc(last)) for s in serials]
    more = der(0xa0, seq(extension("2.5.29.28", seq(), True))) if critical else b""
    tbs = seq(integer(1), PSS, name(issuer), utc(last), utc(following), seq(*revoked) if revoked else b"", more)
    return seq(tbs, PSS, bits(key.pss(tbs)))


GUIDS = {"vcek": "63da758d-e664-4564-adc5-f4b93be8accd", "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
         "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782", "ark": "c0b406a4-a803-4952-9743-3fb6014cd0ae",
         "crl": "92f81bc3-5811-4d3d-97ff-d19f88dc67ea"}


def certtable(entries):
    """the table that a host hands to a guest"""
    at = 24 * (len(entries) + 1)
    head, body = b"", b""
    for kind, content in entries:
        head += uuid.UUID(GUIDS.get(kind, kind)).bytes + struct.pack("<II", at + len(body), len(content))
        body += content
    return head + bytes(24) + body


def pem(*certificates):
    return b"".join(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(c) + b"-----END CERTIFICATE-----\n" for c in certificates)


# ---- one processor ----

TCB = {"bl": 4, "tee": 0, "snp": 24, "ucode": 219}
ORDER = {"Milan": {"bl": 0, "tee": 1, "snp": 6, "ucode": 7}, "Turin": {"fmc": 0, "bl": 1, "tee": 2, "snp": 3, "ucode": 7}}
ORDER["Genoa"] = ORDER["Milan"]
CPU = {"Milan": (0x19, 1, 1), "Genoa": (0x19, 0x11, 1), "Turin": (0x1a, 2, 1)}
LEVELS = {"bl": "3.1", "tee": "3.2", "snp": "3.3", "ucode": "3.8", "fmc": "3.9"}


class Processor:
    """one chip of one product, with its hierarchy; `keys` are two RSA keys: of the root and of the intermediates"""

    def __init__(self, product, keys):
        self.product, (self.root_key, self.mid_key) = product, keys
        self.tcb = dict(TCB, **({"fmc": 1} if product == "Turin" else {}))
        self.hwid = os.urandom(8 if product == "Turin" else 64)
        self.csp = "CN=cloud.example"
        self.key = P384()
        ark = "ARK-" + product
        self.ark = certificate(ark, ark, self.root_key.spki(), self.root_key, ca_extensions(1), 0x10000)
        self.ask = self.intermediate()
        self.asvk = self.intermediate("SEV-VLEK-" + product, serial=0x10101)

    def intermediate(self, subject=None, spki=None, extensions=None, serial=0x10001, key=None, issuer=None, **more):
        return certificate(subject or "SEV-" + self.product, issuer or "ARK-" + self.product, spki or self.mid_key.spki(),
                           key or self.root_key, ca_extensions(0) if extensions is None else extensions, serial, **more)

    def facts(self, kind="vcek", tcb=None, product=None, struct_version=None, hwid=None, csp=None):
        """AMD's extensions by OID suffix, for a caller to change"""
        out = {"1": integer((self.product == "Turin") if struct_version is None else struct_version),
               "2": ia5(product or self.product + ("-B0" if self.product == "Milan" and kind == "vcek" else ""))}
        for level, value in (tcb or self.tcb).items():
            out[LEVELS[level]] = integer(value)
        for reserved in ("3.5", "3.6", "3.7") if self.product == "Turin" else ("3.4", "3.5", "3.6", "3.7"):
            out[reserved] = integer(0)
        if kind == "vcek":
            out["4"] = self.hwid if hwid is None else hwid
        else:
            out["5"] = ia5(csp or self.csp)
        return out

    def vek(self, kind="vcek", facts=None, spki=None, key=None, subject=None, issuer=None, extra=(), **more):
        extensions = [extension(AMD + k, v) for k, v in (facts or self.facts(kind)).items()] + list(extra)
        issuer = issuer or ("SEV-VLEK-" if kind == "vlek" else "SEV-") + self.product
        return certificate(subject or "SEV-" + kind.upper(), issuer, spki or self.key.spki(), key or self.mid_key, extensions, **more)

    def tcb_bytes(self, tcb):
        out = bytearray(8)
        for level, value in tcb.items():
            out[ORDER[self.product][level]] = value
        return bytes(out)

    def unsigned(self, version=3, policy=0x30000, vmpl=0, kind="vcek", key_info=None, svn=0, report_data=b"", measurement=b"\x11" * 48,
                 host_data=b"", id_key=b"", author_key=b"", family=b"", image=b"", tcb=None, launch=None, committed=None,
                 current=None, chip=None, platform=0x25, algorithm=1, ma=b"\xff" * 32, firmware=(1, 55, 29),
                 committed_firmware=None, cpu=None, mitigations=(0, 0)):
        """the 672 bytes that are signed"""
        b = bytearray(672)

        def put(offset, value, size):
            b[offset:offset + size] = value + bytes(size - len(value))
        struct.pack_into("<IIQ", b, 0, version, svn, policy)
        put(0x10, family, 16)
        put(0x20, image, 16)
        struct.pack_into("<II", b, 0x30, vmpl, algorithm)
        reported = self.tcb if tcb is None else tcb
        for offset, value in ((0x180, reported), (0x1f0, launch), (0x1e0, committed), (0x38, current)):
            put(offset, self.tcb_bytes(reported if value is None else value), 8)
        struct.pack_into("<QI", b, 0x40, platform, (4 if kind == "vlek" else 0) if key_info is None else key_info)
        put(0x50, report_data, 64)
        put(0x90, measurement, 48)
        put(0xc0, host_data, 32)
        put(0xe0, id_key, 48)
        put(0x110, author_key, 48)
        put(0x140, b"\x77" * 32, 32)
        put(0x160, ma, 32)
        if version >= 3:
            put(0x188, bytes(cpu or CPU[self.product]), 3)
        put(0x1a0, (b"" if kind == "vlek" else self.hwid) if chip is None else chip, 64)
        put(0x1e8, bytes(reversed(firmware)), 3)
        put(0x1ec, bytes(reversed(committed_firmware or firmware)), 3)
        if version >= 5:
            struct.pack_into("<QQ", b, 0x1f8, *mitigations)
        return bytes(b)

    def sign(self, message):
        r, s = self.key.sign(message)
        return message + signature(r, s)

    def report(self, **fields):
        return self.sign(self.unsigned(**fields))


def signature(r, s, order="little"):
    return r.to_bytes(72, order) + s.to_bytes(72, order) + bytes(368)


def rsa_keys(n, folder):
    """n new keys, made at once"""
    made = [subprocess.Popen(["openssl", "genrsa", "4096"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(n)]
    return [Rsa(p.communicate()[0], os.path.join(folder, f"rsa{i}.pem")) for i, p in enumerate(made)]


def save(p, folder):
    """what a program without the RSA keys needs to sign as this processor (psp.json), and what a verifier does"""
    vcek = p.vek()
    with open(os.path.join(folder, "psp.json"), "w") as f:
        json.dump({"product": p.product, "tcb": p.tcb, "hwid": p.hwid.hex(), "key": p.key.d, "vcek": vcek.hex(), "ask": p.ask.hex()}, f)
    for name_, content in (("ark.pem", pem(p.ark)), ("chain.pem", pem(p.ask, vcek))):
        with open(os.path.join(folder, name_), "wb") as f:
            f.write(content)


def load(path):
    with open(path) as f:
        saved = json.load(f)
    p = Processor.__new__(Processor)
    p.product, p.tcb, p.hwid, p.key = saved["product"], saved["tcb"], bytes.fromhex(saved["hwid"]), P384(saved["key"])
    p.vcek, p.ask = bytes.fromhex(saved["vcek"]), bytes.fromhex(saved["ask"])
    return p


if __name__ == "__main__":      # psp.py PRODUCT FOLDER: a new processor
    save(Processor(sys.argv[1], rsa_keys(2, sys.argv[2])), sys.argv[2])
