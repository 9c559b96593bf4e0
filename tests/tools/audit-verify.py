#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Verifies an audit log by what kavach-audit(7) says, in another language and by another hand: audit-verify.py DIR KEY.
# Prints the number of records and exits with 0, or says what is wrong and exits with 2.

import glob, hashlib, hmac, json, os, struct, sys


def sha(data):
    return hashlib.sha256(data).digest()


def main(directory, key):
    block = open(os.path.join(directory, "key"), "rb").read()
    assert len(block) == 256 and block[:8] == b"KVCHAUD1" and sha(block[:224]) == block[224:], "key file"
    log = block[24:40].decode()
    end, current, size = struct.unpack("<QQQ", block[40:64])
    assert sha(b"kavach-audit log name" + key)[:8].hex() == log, "another log's key"
    seq, head, kept, k = None, bytes(32), 0, 0
    for path in sorted(glob.glob(os.path.join(directory, "audit-*.jsonl"))):
        first = int(os.path.basename(path)[6:26])
        data = open(path, "rb").read()
        data = data[:size] if first == current else data
        assert not data or data.endswith(b"\n"), f"{path}: no end"
        for number, line in enumerate(data.split(b"\n")[:-1]):
            r = json.loads(line)
            seq = r["seq"] if seq is None else seq
            assert list(r)[:3] == ["v", "log", "seq"] and list(r)[-2:] == ["prev", "mac"], f"record {seq}: order"
            assert r["v"] == 1 and r["log"] == log and r["seq"] == seq, f"record {r['seq']} where {seq} is expected"
            assert number or first == seq, f"{path}: another file's name"
            while k < seq:
                key, k = sha(key + b"kavach-audit next key"), k + 1
            signed = line[: line.rindex(b',"mac":')]
            assert hmac.compare_digest(hmac.digest(key, signed, "sha256").hex(), r["mac"]), f"record {seq}: MAC"
            assert seq == 0 and r["prev"] == "0" * 64 or r["prev"] == head.hex() or head == bytes(32), f"record {seq}: prev"
            begin = seq if head == bytes(32) else begin
            kept = max(kept, r["kept"]) if r["event"] == "rotate" else kept
            head, seq = sha(line), seq + 1
    assert begin <= kept, f"records before {begin}"
    assert seq == end and head == block[64:96], f"the end is record {seq}, and should be {end}"
    assert sha(key + b"kavach-audit next key") == block[96:128], "key file: its key"
    print(seq - begin)


try:
    main(sys.argv[1], bytes.fromhex(sys.argv[2]))
except (AssertionError, OSError, ValueError, KeyError) as problem:
    sys.exit((print(f"not intact: {problem}"), 2)[1])
