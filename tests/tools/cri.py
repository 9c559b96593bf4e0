#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Speaks a small part of the Container Runtime Interface, as the kubelet does: crictl is in no distribution.

    cri.py SOCKET METHOD [JSON]

Prints the answer as JSON. Only the fields below are known: what api.proto calls them and their numbers.
"""

import json
import sys

import grpc

# name: (number, kind), kind: "s" string or bytes, "i" integer, a table for a message; "*" before it:
# repeated; "m": map of strings
METADATA = {"name": (1, "s"), "uid": (2, "s"), "namespace": (3, "s"), "attempt": (4, "i")}
CONTAINER_METADATA = {"name": (1, "s"), "attempt": (2, "i")}
NAMESPACES = {"network": (1, "i"), "pid": (2, "i"), "ipc": (3, "i"), "target_id": (4, "s")}
INT64 = {"value": (1, "i")}
CAPABILITIES = {"add_capabilities": (1, "*s"), "drop_capabilities": (2, "*s")}
SECCOMP = {"profile_type": (1, "i"), "localhost_ref": (2, "s")}
SANDBOX_SECURITY = {"namespace_options": (1, NAMESPACES), "run_as_user": (3, INT64), "readonly_rootfs": (4, "i"),
                    "privileged": (6, "i"), "seccomp": (9, SECCOMP)}
SANDBOX_LINUX = {"cgroup_parent": (1, "s"), "security_context": (2, SANDBOX_SECURITY), "sysctls": (3, "m")}
SANDBOX = {"metadata": (1, METADATA), "hostname": (2, "s"), "log_directory": (3, "s"), "labels": (6, "m"),
           "annotations": (7, "m"), "linux": (8, SANDBOX_LINUX)}
RESOURCES = {"cpu_period": (1, "i"), "cpu_quota": (2, "i"), "cpu_shares": (3, "i"), "memory_limit_in_bytes": (4, "i"),
             "oom_score_adj": (5, "i"), "cpuset_cpus": (6, "s")}
SECURITY = {"capabilities": (1, CAPABILITIES), "privileged": (2, "i"), "namespace_options": (3, NAMESPACES),
            "run_as_user": (5, INT64), "run_as_group": (12, INT64), "readonly_rootfs": (7, "i"), "supplemental_groups": (8, "*i"),
            "no_new_privs": (11, "i"), "masked_paths": (13, "*s"), "readonly_paths": (14, "*s"),
            "seccomp": (15, SECCOMP)}
LINUX = {"resources": (1, RESOURCES), "security_context": (2, SECURITY)}
MOUNT = {"container_path": (1, "s"), "host_path": (2, "s"), "readonly": (3, "i"), "propagation": (5, "i")}
CONTAINER = {"metadata": (1, CONTAINER_METADATA), "image": (2, {"image": (1, "s")}), "command": (3, "*s"),
             "args": (4, "*s"), "working_dir": (5, "s"), "envs": (6, ("*", {"key": (1, "s"), "value": (2, "s")})),
             "mounts": (7, ("*", MOUNT)), "log_path": (11, "s"),
             "linux": (15, LINUX)}

SANDBOX_ID = {"pod_sandbox_id": (1, "s")}
CONTAINER_ID = {"container_id": (1, "s")}
METHODS = {
    "Version": ({}, {"version": (1, "s"), "runtime_name": (2, "s")}),
    "RunPodSandbox": ({"config": (1, SANDBOX), "runtime_handler": (2, "s")}, SANDBOX_ID),
    "StopPodSandbox": (SANDBOX_ID, {}),
    "RemovePodSandbox": (SANDBOX_ID, {}),
    "CreateContainer": ({"pod_sandbox_id": (1, "s"), "config": (2, CONTAINER), "sandbox_config": (3, SANDBOX)},
                        CONTAINER_ID),
    "StartContainer": (CONTAINER_ID, {}),
    "StopContainer": ({"container_id": (1, "s"), "timeout": (2, "i")}, {}),
    "RemoveContainer": (CONTAINER_ID, {}),
    "ContainerStatus": (CONTAINER_ID, {"status": (1, {"id": (1, "s"), "state": (3, "i"), "exit_code": (7, "i"),
                                                      "reason": (10, "s"), "message": (11, "s")})}),
    "UpdateContainerResources": ({"container_id": (1, "s"), "linux": (2, RESOURCES)}, {}),
    "ExecSync": ({"container_id": (1, "s"), "cmd": (2, "*s"), "timeout": (3, "i")},
                 {"stdout": (1, "s"), "stderr": (2, "s"), "exit_code": (3, "i")}),
    "ContainerStats": (CONTAINER_ID, {"stats": (1, {"cpu": (2, {"usage_core_nano_seconds": (2, {"value": (1, "i")})}),
                                                    "memory": (3, {"working_set_bytes": (2, {"value": (1, "i")})})})}),
}


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 0x7F:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def encode(table, values):
    out = b""
    for name, value in values.items():
        number, kind = table[name]
        if kind == "m":
            for k, v in value.items():
                out += field(number, field(1, k.encode()) + field(2, v.encode()))
            continue
        repeated = kind[0] == "*" if not isinstance(kind, dict) else False
        if repeated:
            kind = kind[1]
        for v in value if repeated else [value]:
            if kind == "s":
                out += field(number, v.encode())
            elif kind == "i":
                out += varint(number << 3) + varint(int(v))
            else:
                out += field(number, encode(kind, v))
    return out


def read_varint(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return n, at


def decode(table, data):
    by_number = {number: (name, kind) for name, (number, kind) in table.items()}
    out = {name: 0 if kind == "i" else "" for name, kind in by_number.values() if kind in ("i", "s")}
    at = 0
    while at < len(data):
        key, at = read_varint(data, at)
        name, kind = by_number.get(key >> 3, (None, None))
        if key & 7 == 0:
            value, at = read_varint(data, at)
        elif key & 7 == 2:
            size, at = read_varint(data, at)
            value, at = data[at:at + size], at + size
            if name:
                value = value.decode(errors="replace") if kind == "s" else decode(kind, value)
        else:
            sys.exit("cri.py: the answer has a field of a kind that is not known")
        if name:
            out[name] = value
    return out


def main():
    socket, method = sys.argv[1:3]
    request, answer = METHODS[method]
    data = encode(request, json.loads(sys.argv[3]) if len(sys.argv) > 3 else {})
    with grpc.insecure_channel("unix://" + socket) as channel:
        call = channel.unary_unary("/runtime.v1.RuntimeService/" + method)
        try:
            print(json.dumps(decode(answer, call(data, timeout=50))))
        except grpc.RpcError as e:
            sys.exit("cri.py: %s: %s" % (method, e.details()))


main()
