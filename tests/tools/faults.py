#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes system calls fail, one per run, and looks at what kavach makes of it. For faults.bats.

	faults.py BUNDLE STATE CGROUP must|may|cleanup FAULT...

FAULT is COMMAND:SYSCALL:ERRNO:N: the Nth SYSCALL (of each process, kavach's and the stage's) of COMMAND
(run, start, exec, delete) fails with ERRNO. `must`: the command has to fail; `may`: it may also succeed, then with
the work done. Either way:
  - a failure has an exit status and exactly one line in the JSON log, whose text is on stderr too;
  - that has none of the phrases that engines make an exit code or a state of;
  - no process, cgroup, mount in the table of the host, or state directory is left: after run at once, else when
    `delete --force` has been, which has to work. `cleanup`: as may, and of run the state directory may stay until then.
Prints one line per broken promise; the exit status is their number. Needs strace, root, and mount and pid namespaces
in which nobody else is but a process 1 that reaps (unshare -m -p -f --mount-proc sh -c 'faults.py ...; exit $?').
"""
import json
import os
import signal
import subprocess
import sys
import time

PHRASES = ("permission denied", "no such file or directory", "operation not permitted", "is a directory",
           "not a directory", "does not exist", "container not running", "no such process", "already exists",
           "executable file not found")
KAVACH = os.environ["KAVACH"]
bundle, state, cgroup = sys.argv[1:4]
ID = "fault"


LOG = os.path.join(os.path.dirname(bundle) or ".", "faults.log")


def kavach(*words):
    return [KAVACH, "--root", state] + list(words)


def quiet(*words, **kw):
    return subprocess.run(kavach(*words), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, **kw)


def mounts():
    with open("/proc/self/mountinfo") as f:
        return {tuple(l.split()[:5:4]) for l in f}


def cgroups():
    found = []
    for top in os.scandir("/sys/fs/cgroup"):
        d = top.path + cgroup
        if os.path.isdir(d):
            found += [os.path.join(d, x) for x in os.listdir(d) if os.path.isdir(os.path.join(d, x))]
    return found


def processes():
    """Who is here besides us and process 1, given a moment to end."""
    end = time.monotonic() + 1
    while True:
        left = [int(p) for p in os.listdir("/proc") if p.isdigit() and int(p) not in (1, os.getpid())]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.002)


def kill(pids):
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def has_state():
    return os.path.isdir(os.path.join(state, ID))


def run_with_fault(command, call, errno, n):
    words = {"run": ("run", "-b", bundle, ID), "start": ("start", ID), "delete": ("delete", ID),
             "exec": ("exec", ID, "echo", "ran")}[command]
    p = subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + call, "-e", "signal=none", "-e",
                          "inject=%s:error=%s:when=%s" % (call, errno, n)] +
                         kavach("--log", LOG, "--log-format", "json", *words),
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        out, err = p.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        kill(processes())
        out, err = p.communicate()
        return "timeout", out, err
    return p.returncode, out, err


def try_one(command, call, errno, n, mode):
    wrong = []
    before = mounts()
    if command != "run":
        # no pipes: the container would keep them open
        with open(LOG, "w+") as log:
            if subprocess.run(kavach("create", "-b", bundle, "-f", "sleep.json", ID), stdin=subprocess.DEVNULL,
                              stdout=log, stderr=log, timeout=30).returncode:
                sys.exit("create before %s:%s:%s failed: %s" % (call, errno, n, open(LOG).read()))
    if command == "exec":
        assert quiet("start", ID).returncode == 0
    if command == "delete":
        quiet("start", ID)
        quiet("kill", ID, "KILL")
        for _ in range(500):
            if json.loads(quiet("state", ID).stdout)["status"] == "stopped":
                break
            time.sleep(0.002)
    open(LOG, "w").close()
    rc, out, err = run_with_fault(command, call, errno, n)
    with open(LOG) as f:
        lines = f.read().splitlines()
    if rc == "timeout":
        wrong.append("hangs")
    elif rc == 0:
        if mode == "must":
            wrong.append("succeeds")
        if lines:
            wrong.append("succeeds and logs " + lines[0])
        if command in ("run", "exec") and out != "ran\n":
            wrong.append("succeeds without having run: %r" % out)
    else:
        if rc < 0:
            wrong.append("is killed by signal %d" % -rc)
        if len(lines) != 1:
            wrong.append("has %d lines in the log" % len(lines))
        elif json.loads(lines[0])["level"] != "error" or json.loads(lines[0])["msg"] not in err:
            wrong.append("logs " + lines[0])
        if out and command == "exec":
            wrong.append("fails after having run")
        wrong += ["says '%s'" % p for p in PHRASES if p in err.lower()]
    if command == "exec":
        # nothing of exec stays; the container itself does
        r = quiet("ps", "-f", "json", ID)
        if r.returncode == 0 and len(json.loads(r.stdout)) != 1:
            wrong.append("leaves processes in the container")
    if command != "run":
        r = quiet("delete", "--force", ID)
        if r.returncode != 0:
            wrong.append("cannot be deleted: " + r.stderr.strip())
    if has_state():
        if mode != "cleanup" or command != "run":
            wrong.append("leaves the state directory")
        quiet("delete", "--force", ID)
        if has_state():
            wrong.append("leaves a state directory that delete --force does not remove")
    left = processes()
    if left:
        wrong.append("leaves processes")
        kill(left)
        processes()
    left = cgroups()
    if left:
        wrong.append("leaves cgroups")
        for d in left:
            os.rmdir(d)
    if mounts() - before:
        wrong.append("leaves mounts: %s" % (mounts() - before))
    for w in wrong:
        print("%s with %s of %s #%s: %s\n  exit %s, %s" % (command, errno, call, n, w, rc, err.strip() or repr(out)))
    return rc, len(wrong)


def main():
    mode = sys.argv[4]
    broken = 0
    for fault in sys.argv[5:]:
        command, call, errno, n = fault.split(":")
        rc, bad = try_one(command, call, errno, n, mode)
        broken += bad
        if os.environ.get("FAULTS_VERBOSE"):
            print(fault, rc)
    sys.exit(min(broken, 100))


main()
