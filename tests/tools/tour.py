#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
#
# Executes a Markdown document: every ```console block, in order, in one shell, and compares what comes out.
#
#	tests/tools/tour.py DOCUMENT      TAP, a test for each command
#
# In a block, "$ " begins a command and "> " goes on with it; the lines that follow, up to the next command, are what it
# prints, to stdout or stderr. "..." in a line stands for anything in it, a line "..." for any number of lines. Every
# command must succeed.

import re
import subprocess
import sys

END = "--the-end-of-a-command--"

def blocks(text):
    """(heading, line number, [(command, [expected lines])]) of each block."""
    heading, inside, found = "", None, []
    for number, line in enumerate(text.split("\n"), 1):
        if inside is None:
            if line.startswith("#"):
                heading = line.lstrip("# ")
            elif line == "```console":
                inside = []
            continue
        if line == "```":
            found.append((heading, number, inside))
            inside = None
        elif line.startswith("$ "):
            inside.append((line[2:], [], number))
        elif not inside:
            sys.exit(f"line {number}: output without a command")
        elif line.startswith("> ") and not inside[-1][1]:
            inside[-1] = (inside[-1][0] + "\n" + line[2:], [], inside[-1][2])
        else:
            inside[-1][1].append(line)
    return found


def pattern(expected):
    """What the output must match as a whole."""
    parts = []
    for line in expected:
        if line == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(r".*".join(re.escape(p) for p in line.split("...")) + r"\n")
    return "".join(parts)


class Shell:
    def __init__(self):
        self.p = subprocess.Popen(["bash"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, bufsize=1)

    def run(self, command):
        self.p.stdin.write(f"{{ {command}\n}} </dev/null; printf '\\n%s %d\\n' {END} $?\n")
        self.p.stdin.flush()
        out = ""
        for line in self.p.stdout:
            if line.startswith(END):
                out = out[:-1]  # the newline before the mark
                return (out if out == "" or out.endswith("\n") else out + "\n"), int(line.split()[1])
            out += line
        return out, -1


def main():
    found = blocks(open(sys.argv[1], encoding="utf-8").read())
    shell, n, failed = Shell(), 0, 0
    for heading, _, commands in found:
        for command, expected, line in commands:
            n += 1
            out, status = shell.run(command)
            want = pattern(expected)
            good = status == 0 and re.fullmatch(want, out)
            first = command.split("\n")[0]
            print(f"{'' if good else 'not '}ok {n} - line {line}, {heading}: {first}", flush=True)
            if not good:
                failed += 1
                print(f"# exit status {status}; it printed:")
                print("".join(f"#   {s}\n" for s in out.split("\n")), end="")
                print("# and was to print:")
                print("".join(f"#   {s}\n" for s in expected), end="", flush=True)
    print(f"1..{n}")
    sys.exit(1 if failed or n == 0 else 0)


main()
