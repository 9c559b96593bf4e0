#!/usr/bin/python3 -I
# SPDX-License-Identifier: Apache-2.0
"""The secure processor of an SEV platform, for tests of its owner's side: certificates down from a root of the test's own, and
what the processor does with the session that an owner made (AMD 55766, 2.1 and appendix C).

  sev_platform.py make DIR			keys; DIR/certs: PDH, PEK, OCA, CEK, ASK, ARK; DIR/ark
  sev_platform.py unwrap DIR CERT SESSION POLICY	base64 of both as QEMU gets them: prints the session's TIK, or why it is not good
"""
import base64
import hashlib
import hmac
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import psp  # noqa: E402

USAGE = {"ark": 0, "ask": 0x13, "oca": 0x1001, "pek": 0x1002, "pdh": 0x1003, "cek": 0x1004}
NO_SIGNATURE = struct.pack("<II", 0x1000, 0) + bytes(512)


def openssl(*words, data=b""):
    return subprocess.run(["openssl", *words], input=data, check=True, capture_output=True).stdout


def rsa_new(path):
    openssl("genrsa", "-out", path, "2048")
    return int(openssl("rsa", "-in", path, "-noout", "-modulus").split(b"=")[1], 16)


def rsa_sign(path, message):
    made = openssl("pkeyutl", "-sign", "-inkey", path, "-pkeyopt", "rsa_padding_mode:pss", "-pkeyopt", "rsa_pss_saltlen:32",
                   "-pkeyopt", "digest:sha256", data=hashlib.sha256(message).digest())
    return made[::-1]


def authority(usage, ident, certifier, modulus, signer):
    body = (struct.pack("<I", 1) + ident + certifier + struct.pack("<I", usage) + bytes(16) + struct.pack("<II", 2048, 2048) +
            (65537).to_bytes(256, "little") + modulus.to_bytes(256, "little"))
    return body + rsa_sign(signer, body)


def key_bytes(point):
    return (struct.pack("<I", 2) + point[0].to_bytes(72, "little") + point[1].to_bytes(72, "little")).ljust(1028, b"\0")


def ecdsa(key, message):
    z = int.from_bytes(hashlib.sha256(message).digest(), "big")
    k = int.from_bytes(os.urandom(56), "big") % (psp.N - 1) + 1
    r = psp.times_g(k)[0] % psp.N
    return psp.signature(r, pow(k, -1, psp.N) * (z + r * key.d) % psp.N)


def certificate(name, key, signers):
    body = struct.pack("<IBBHII", 1, 0, 22, 0, USAGE[name], 3 if name == "pdh" else 2) + key_bytes(key.point)
    made = [struct.pack("<II", USAGE[by], 1 if by == "ask" else 2) + sign(body).ljust(512, b"\0") for by, sign in signers]
    return (body + b"".join(made + [NO_SIGNATURE] * (2 - len(made)))).ljust(2084, b"\0")


def make(folder):
    os.makedirs(folder, exist_ok=True)
    path = {name: os.path.join(folder, name + ".pem") for name in ("ark", "ask")}
    modulus = {name: rsa_new(path[name]) for name in path}
    ids = {name: os.urandom(16) for name in path}
    keys = {name: psp.P384() for name in ("oca", "pek", "pdh", "cek")}
    by = {name: (name, lambda body, name=name: ecdsa(keys[name], body)) for name in keys}
    made = {"ark": authority(USAGE["ark"], ids["ark"], ids["ark"], modulus["ark"], path["ark"]),
            "ask": authority(USAGE["ask"], ids["ask"], ids["ark"], modulus["ask"], path["ark"]),
            "cek": certificate("cek", keys["cek"], [("ask", lambda body: rsa_sign(path["ask"], body))]),
            "oca": certificate("oca", keys["oca"], [by["oca"]]),
            "pek": certificate("pek", keys["pek"], [by["oca"], by["cek"]]),
            "pdh": certificate("pdh", keys["pdh"], [by["pek"]])}
    with open(os.path.join(folder, "certs"), "wb") as f:
        f.write(b"".join(made[name] for name in ("pdh", "pek", "oca", "cek", "ask", "ark")))
    with open(os.path.join(folder, "ark"), "wb") as f:
        f.write(made["ark"])
    with open(os.path.join(folder, "pdh"), "w") as f:
        f.write("%x" % keys["pdh"].d)


def times(k, point):
    out = None
    while k:
        if k & 1:
            out = psp.add(out, point)
        point, k = psp.add(point, point), k >> 1
    return out


def mac(key, data):
    return hmac.new(key, data, hashlib.sha256).digest()


def derive(key, label, context=b""):
    return mac(key, struct.pack("<I", 1) + label + b"\0" + context + struct.pack("<I", 128))[:16]


def unwrap(folder, cert, blob, policy):
    with open(os.path.join(folder, "pdh")) as f:
        d = int(f.read(), 16)
    if len(cert) != 2084 or len(blob) != 128 or struct.unpack_from("<II", cert, 8) != (0x1003, 3):
        sys.exit("no certificate, or no session")
    x, y = (int.from_bytes(cert[at:at + 72], "little") for at in (20, 92))
    if (y * y - x * x * x + 3 * x - 0xb3312fa7e23ee7e4988e056be3f82d19181d9c6efe8141120314088f5013875ac656398d8a2ed19d2a85c8edd3ec2aef) % psp.P:
        sys.exit("not a point of the curve")
    z = times(d, (x, y))[0].to_bytes(48, "big")
    nonce, wrapped, iv, wrap_mac, policy_mac = blob[:16], blob[16:48], blob[48:64], blob[64:96], blob[96:]
    master = derive(z, b"sev-master-secret", nonce)
    if mac(derive(master, b"sev-kik"), wrapped) != wrap_mac:
        sys.exit("the keys were wrapped for another platform")
    both = openssl("enc", "-d", "-aes-128-ctr", "-K", derive(master, b"sev-kek").hex(), "-iv", iv.hex(), data=wrapped)
    if mac(both[16:], struct.pack("<I", policy)) != policy_mac:
        sys.exit("the session is for another guest policy")
    print(both[16:].hex())


if sys.argv[1] == "make":
    make(sys.argv[2])
else:
    unwrap(sys.argv[2], base64.b64decode(sys.argv[3]), base64.b64decode(sys.argv[4]), int(sys.argv[5], 0))
