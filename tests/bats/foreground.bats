#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# run and exec in the foreground: terminals, signals, input that ends, output that nobody reads.

load helpers

setup_file() {
	setup_rootfs
	command -v python3 >/dev/null || skip "no python3"
	PTY=$BATS_FILE_TMPDIR/on_pty.py
	export PTY
	# on_pty.py SCRIPT COMMAND...: COMMAND on a new terminal of 40 rows and 120 columns. SCRIPT is Python that sees
	# send(text), expect(text), resize(rows, columns), sig(n), mode() and p (the process). What is left of its output is
	# printed at the end, and its status is ours.
	cat >"$PTY" <<'PY'
import fcntl, os, pty, select, signal, struct, subprocess, sys, termios, time
master, slave = pty.openpty()
def resize(rows, cols):
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack('HHHH', rows, cols, 0, 0))
resize(40, 120)
mode = lambda: termios.tcgetattr(slave)
before = mode()
def own():
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
p = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=own)
out = b''
def more(timeout):
    global out
    if not select.select([master], [], [], timeout)[0]:
        return False
    out += os.read(master, 65536)
    return True
def expect(text):
    global out
    end = time.time() + 15
    while text.encode() not in out:
        if time.time() > end or (p.poll() is not None and not more(0)):
            sys.exit('expected %r, found %r' % (text, out))
        more(0.1)
    out = out[out.index(text.encode()) + len(text):]
send = lambda text: os.write(master, text.encode())
sig = lambda n: p.send_signal(n)
exec(sys.argv[1])
end = time.time() + 20
while p.poll() is None and time.time() < end:
    more(0.05)
while more(0):
    pass
if p.poll() is None:
    p.kill()
    sys.exit('still there: %r' % out)
assert mode() == before, 'the terminal is not as it was'
sys.stdout.buffer.write(out)
sys.exit(p.returncode if p.returncode >= 0 else 128 - p.returncode)
PY
}

setup() {
	requires_root
	setup_kavach
	config '.process.terminal = true'
}

teardown() { teardown_kavach; }

on_pty() { # SCRIPT COMMAND...
	run timeout -k 1 60 python3 "$PTY" "$1" "$KAVACH" --root "$STATE" "${@:2}"
	printf '# %s\n%s\n' "$status" "$output"
}

@test "run on a terminal: the program has one, of our size, and its status is ours" {
	args sh -c 'test -t 0 && test -t 1 && test -t 2 && stty size && tty; exit 5'
	on_pty '' run -b "$BUNDLE" "$ID"
	[ "$status" -eq 5 ]
	[[ ${lines[0]} == "40 120"* ]]
	[[ $output == *"/dev/pts/0"* ]]
}

@test "S-10: the terminal has our size before the program can ask, of run and of exec" {
	# every ioctl of kavach's own takes long, those inside do not
	slow=(strace -qq -o /dev/null -e trace=ioctl -e inject=ioctl:delay_enter=60000)
	args stty size
	run timeout -k 1 60 python3 "$PTY" '' "${slow[@]}" "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID"
	echo "$output"
	[[ $output == "40 120"* ]]
	config '.process.terminal = false'
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	run timeout -k 1 60 python3 "$PTY" '' "${slow[@]}" "$KAVACH" --root "$STATE" exec -t "$ID" stty size
	echo "$output"
	[[ $output == "40 120"* ]]
}

@test "run on a terminal: typed input arrives, control characters are the program's terminal's" {
	args sh -c 'trap "echo got-int; exit 9" INT; echo ready; read x; echo "<$x>"; while :; do sleep 0.1; done'
	on_pty 'expect("ready"); send("hello\n"); expect("<hello>"); send("\x03"); expect("got-int")' run -b "$BUNDLE" "$ID"
	[ "$status" -eq 9 ]
}

@test "run on a terminal: a new size is passed on" {
	args sh -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done'
	on_pty 'expect("ready"); resize(11, 77); sig(signal.SIGWINCH); expect("11 77")' run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

@test "run on a terminal: nothing of a lot of output is lost at the end" {
	args sh -c 'seq 1 20000'
	on_pty '' run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
	[ "${#lines[@]}" -eq 20000 ]
	[[ ${lines[19999]} == 20000* ]]
}

@test "run on a terminal: an error leaves the terminal as it was" {
	args /no/such/program
	on_pty '' run -b "$BUNDLE" "$ID"
	[ "$status" -eq 127 ]
	[ -z "$(kv list -q)" ]
}

@test "run on a terminal that nobody reads ends with its program" {
	args yes
	run timeout 40 python3 - "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" <<'PY'
import pty, subprocess, sys, time
master, slave = pty.openpty()
p = subprocess.Popen(sys.argv[1:], stdin=slave, stdout=slave, stderr=subprocess.DEVNULL)
time.sleep(1)
# the program waits for room in its terminal; its end is not waited for in vain
subprocess.run(sys.argv[1:4] + ["kill", sys.argv[-1], "KILL"], check=True)
sys.exit(0 if p.wait(20) == 137 else 1)
PY
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "a closed output does not stop the program" {
	args sh -c 'i=0; while [ $i -lt 3000 ]; do echo some line of output number $i; i=$((i + 1)); done; exit 3'
	run bash -c 'timeout 30 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null | head -n 1; exit ${PIPESTATUS[0]}'
	[ "$status" -eq 3 ]
	[[ ${lines[0]} == "some line of output number 0"* ]]
}

@test "input from a pipe with a terminal inside: its end is the program's end of file, after half a line too" {
	args sh -c 'stty -echo; cat; echo end'
	for text in 'one\n' 'one' ''; do
		out=$(printf %b "$text" | timeout 20 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" | tr -d '\r')
		[[ $out == *end ]]
		[ -z "$text" ] || [[ $out == *one* ]]
	done
}

@test "output to a file is appended where the file was" {
	args sh -c 'echo two'
	f=$BATS_TEST_TMPDIR/out
	{ echo one; kv run -b "$BUNDLE" "$ID" </dev/null; echo three; } >"$f"
	[ "$(tr -d '\r' <"$f" | xargs)" = "one two three" ]
}

@test "signals are forwarded: the program decides; its death is 128 + signal" {
	config '.process.terminal = false'
	args sh -c 'trap "echo term; exit 4" TERM; trap "echo usr1" USR1; echo ready; while :; do sleep 0.05; done'
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" &
	job=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -USR1 $job
	wait_for 10 grep -q usr1 "$BATS_TEST_TMPDIR/out"
	kill -TERM $job
	st=0
	wait $job || st=$?
	[ "$st" -eq 4 ]
	grep -q '^term' "$BATS_TEST_TMPDIR/out"
}

@test "B-10: what nobody catches ends the program, and run with 128 + signal; exec too" {
	config '.process.terminal = false'
	args sh -c 'echo ready; exec sleep 1000'
	# a signal without a handler does not reach the first process of a pid namespace
	config '.linux.namespaces |= map(select(.type != "pid"))'
	for signal in HUP INT QUIT TERM USR2 ALRM 40; do
		: >"$BATS_TEST_TMPDIR/out"
		# of a shell's background jobs INT and QUIT are ignored, and so they would be inside
		env --default-signal "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" &
		job=$!
		wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
		kill -"$signal" $job
		st=0
		wait $job || st=$?
		[ "$st" -eq $((128 + $(kill -l "$signal" | grep -E '^[0-9]+$' || echo "$signal"))) ]
	done
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	: >"$BATS_TEST_TMPDIR/out"
	"$KAVACH" --root "$STATE" exec "$ID" sh -c 'trap "echo usr1" USR1; echo ready; while :; do sleep 0.05; done' >"$BATS_TEST_TMPDIR/out" &
	job=$!
	wait_for 10 grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -USR1 $job
	wait_for 10 grep -q usr1 "$BATS_TEST_TMPDIR/out"
	kill -TERM $job
	st=0
	wait $job || st=$?
	[ "$st" -eq 143 ]
	status_is running
}

@test "B-10: programs that end before anybody looks: status and output are there, each time" {
	args sh -c 'echo done; exit 7'
	for terminal in true false; do
		config --argjson t $terminal '.process.terminal = $t'
		for _ in $(seq 10); do
			st=0
			out=$(timeout 20 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null) || st=$?
			[ "$st" -eq 7 ]
			[ "${out%$'\r'}" = "done" ]
		done
	done
	args true
	kv create -b "$BUNDLE" "$ID-2"
	timeout 20 "$KAVACH" --root "$STATE" start "$ID-2"
	wait_for 10 eval '[ "$(kv state "$ID-2" | jq -r .status)" = stopped ]'
	args sleep 1000
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	for t in '' -t; do
		for _ in $(seq 10); do
			st=0
			out=$(timeout 20 "$KAVACH" --root "$STATE" exec $t "$ID" sh -c 'echo done; exit 7' </dev/null) || st=$?
			[ "$st" -eq 7 ]
			[ "${out%$'\r'}" = "done" ]
		done
	done
}

@test "B-10: a slow reader gets all of it, and neither it nor a stopped one costs processor time" {
	args sh -c 'seq 1 30000'
	# the program has ended long before its output is read
	run bash -o pipefail -c 'timeout 60 "$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null |
		{ until [ "$("$KAVACH" --root "$STATE" list -q | wc -l)" -eq 1 ]; do sleep 0.05; done; sleep 0.5; cat; } | tr -d "\r" | cksum'
	[ "$status" -eq 0 ]
	[ "$output" = "$(seq 1 30000 | cksum)" ]
	args yes
	mkfifo "$BATS_TEST_TMPDIR/fifo"
	exec 7<>"$BATS_TEST_TMPDIR/fifo"
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/fifo" 7>&- &
	job=$!
	ticks() { awk '{ print $14 + $15 }' "/proc/$job/stat"; }
	steady() {
		local was
		was=$(ticks)
		sleep 0.5
		# a tenth of a processor at most
		[ "$(ticks)" -le $((was + 5)) ]
	}
	wait_for 10 status_is running
	wait_for 20 steady
	steady
	kv delete --force "$ID"
	st=0
	wait $job || st=$?
	exec 7<&-
	[ "$st" -eq 137 ]
}

@test "B-10: exec on a terminal passes a new size on; detached, run and exec leave no process of ours" {
	config '.process.terminal = false'
	args sleep 1000
	kv run -d -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	status_is running
	kv exec -d "$ID" sh -c 'sleep 1000' >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null
	[ "$(kv ps -f json "$ID" | jq length)" -ge 2 ]
	[ -z "$(pgrep -f -- "--root $STATE")" ]
	on_pty 'expect("ready"); resize(12, 78); sig(signal.SIGWINCH); expect("12 78")' exec -t "$ID" \
		sh -c 'trap "stty size; exit" WINCH; echo ready; while :; do sleep 0.1; done'
	[ "$status" -eq 0 ]
}

@test "a container in the foreground can be paused, updated, and deleted by force by others" {
	config '.process.terminal = false'
	args sleep 100
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" &
	job=$!
	wait_for 10 status_is running
	timeout 10 "$KAVACH" --root "$STATE" pause "$ID"
	status_is paused
	timeout 10 "$KAVACH" --root "$STATE" resume "$ID"
	timeout 10 "$KAVACH" --root "$STATE" update --pids-limit 50 "$ID"
	timeout 20 "$KAVACH" --root "$STATE" delete --force "$ID"
	st=0
	wait $job || st=$?
	[ "$st" -eq 137 ]
	[ -z "$(kv list -q)" ]
}

@test "run killed while it waits: the container is whole, and delete --force does not wait" {
	config '.process.terminal = false'
	args sleep 100
	"$KAVACH" --root "$STATE" run -b "$BUNDLE" "$ID" &
	job=$!
	wait_for 10 status_is running
	kill -9 $job
	wait $job || true
	status_is running
	timeout 15 "$KAVACH" --root "$STATE" delete --force "$ID"
}

@test "exec --tty on a terminal, with a size, and its status" {
	config '.process.terminal = false'
	args sleep 100
	kv create -b "$BUNDLE" "$ID"
	kv start "$ID"
	on_pty '' exec -t "$ID" sh -c 'test -t 0 && stty size; exit 6'
	[ "$status" -eq 6 ]
	[[ ${lines[0]} == "40 120"* ]]
	# maybe echoed before, if it was faster than stty
	[ "$(echo typed | timeout 20 "$KAVACH" --root "$STATE" exec -t "$ID" sh -c 'stty -echo; cat' | tr -d '\r' | tail -n 1)" = typed ]
}

@test "terminals and --detach: without a console socket refused, with one it takes the terminal" {
	args sh -c 'test -t 0 && stty size; sleep 1'
	kvrun run -d -b "$BUNDLE" "$ID"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot allocate tty"* ]]
	[ -z "$(kv list -q)" ]
	# a path that does not fit into a socket address
	long=$BATS_TEST_TMPDIR/$(printf 'd%.0s' $(seq 100))
	mkdir "$long"
	config '.process.consoleSize = {height: 33, width: 99}'
	run timeout 30 python3 - "$long/s" "$KAVACH" --root "$STATE" run -d -b "$BUNDLE" --console-socket "$long/s" "$ID" <<'PY'
import array, os, socket, subprocess, sys
os.chdir(os.path.dirname(sys.argv[1]))
s = socket.socket(socket.AF_UNIX)
s.bind(os.path.basename(sys.argv[1]))
s.listen(1)
p = subprocess.Popen(sys.argv[2:])
c = s.accept()[0]
data, anc, flags, _ = c.recvmsg(4096, socket.CMSG_SPACE(64))
fds = array.array('i')
fds.frombytes(anc[0][2])
assert len(data) > 0 and len(fds) == 1, (data, fds)
assert p.wait(20) == 0
assert b'33 99' in os.read(fds[0], 1000)
assert c.recv(1) == b''
PY
	echo "$output"
	[ "$status" -eq 0 ]
	config '.process.terminal = false'
	kvrun create -b "$BUNDLE" --console-socket "$long/s" "$ID-2"
	[ "$status" -eq 1 ]
	[[ $output == *"cannot use console socket"* ]]
}
