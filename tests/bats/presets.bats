#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The presets as workloads meet them: real programs start under strict and do their work, and the kernel denies in a container
# what `kavach seccomp explain` says. Every number and argument: tests/unit/test_profiles.c.

load helpers

# A root of the machine's own programs: its /usr, read-only, and next to nothing beside it.
setup_file() {
	requires_root
	[ -L /bin ] || skip "needs a merged /usr"
	ROOTFS=$BATS_FILE_TMPDIR/root
	mkdir -p "$ROOTFS"/{usr,proc,dev,sys,tmp,etc,run,data,srv}
	for l in bin sbin lib lib32 lib64; do
		[ ! -L "/$l" ] || ln -s "usr/$l" "$ROOTFS/$l"
	done
	printf '%s\n' root:x:0:0::/: www-data:x:33:33::/: user:x:1000:1000::/: >"$ROOTFS/etc/passwd"
	printf '%s\n' root:x:0: www-data:x:33: user:x:1000: >"$ROOTFS/etc/group"
	echo 127.0.0.1 localhost >"$ROOTFS/etc/hosts"
	# redis' server and checker are one program, which goes by its name; the server's own package would start it
	ln -s /usr/bin/redis-check-rdb "$ROOTFS/redis-server"
	compile_tool try "$ROOTFS/try"
	export ROOTFS
}

setup() {
	setup_kavach
	config '.annotations["io.kavach.preset"] = "strict" | .process.user = {uid: 1000, gid: 1000}
		| .process.env = ["PATH=/usr/sbin:/usr/bin", "HOME=/tmp", "LC_ALL=C.UTF-8"] | .process.capabilities = {}
		| .root.readonly = false | .process.noNewPrivileges = false
		| .mounts += [{destination: "/usr", source: "/usr", options: ["rbind", "ro"]},
			{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "nodev", "mode=1777"]}]'
}

teardown() {
	teardown_kavach
}

# runs PROGRAM...: to its end, with status 0
runs() {
	args "$@"
	kvrun run -b "$BUNDLE" "$ID"
	[ "$status" -eq 0 ]
}

needs() {
	[ -x "$1" ] || skip "needs $1"
}

# inside PROGRAM...: in the container that runs
inside() {
	kvrun exec "$ID" "$@"
	[ "$status" -eq 0 ]
}

# daemon PROGRAM...: in the background; its output is in $BATS_TEST_TMPDIR/log
daemon() {
	args "$@"
	kv run -d -b "$BUNDLE" "$ID" >"$BATS_TEST_TMPDIR/log" 2>&1 </dev/null
}

@test "strict: the process and what exec adds have the filter and no new privileges, the root is read-only" {
	daemon sleep 100
	for who in 1 self; do
		inside grep -E '^(NoNewPrivs|Seccomp):' "/proc/$who/status"
		[ "$(xargs <<<"$output")" = "NoNewPrivs: 1 Seccomp: 2" ]
	done
	kvrun exec "$ID" touch /etc/x
	[ "$status" -ne 0 ]
	[[ $output == *"Read-only file system"* ]]
}

@test "strict: 512 MiB, one CPU and 64 processes are what the kernel says, also where the config says more" {
	config '.linux.resources.memory = {limit: 4294967296} | .linux.resources.pids = {limit: -1}
		| .linux.resources.cpu = {quota: 400000, period: 50000}'
	daemon sleep 100
	cgroup() { cat "/sys/fs/cgroup/$1$CG/$ID/$2" 2>/dev/null || cat "/sys/fs/cgroup$CG/$ID/$3"; }
	[ "$(cgroup memory memory.limit_in_bytes memory.max)" = 536870912 ]
	[ "$(cgroup pids pids.max pids.max)" = 64 ]
	case $(cgroup cpu cpu.cfs_quota_us cpu.max) in
	50000 | "50000 50000") ;;
	*) false ;;
	esac
}

# says_explain PROFILE: what explain says of each call of every table that has one answer, as "ABI NUMBER ANSWER"
says_explain() {
	kv seccomp explain --json "$1" | jq -r '.abis[] | .name as $abi | .calls[] | select(.actions | length == 1)
		| "\($abi) \(.number % 1073741824) \(.actions[0])"' | sort
}

@test "basic and strict: the kernel answers in a container each call of three tables as explain says" {
	for preset in basic strict; do
		config --arg p $preset '.annotations["io.kavach.preset"] = $p'
		runs /try "$(uname -m)"
		awk '{ print $1, $2 % 1073741824, $3 }' <<<"$output" | grep '^[a-z]' | sort >"$BATS_TEST_TMPDIR/kernel"
		if grep -q '^x86 0 missing$' "$BATS_TEST_TMPDIR/kernel"; then
			echo "# this kernel takes no 32-bit calls" >&3
			sed -i '/^x86 /d' "$BATS_TEST_TMPDIR/kernel"
		fi
		says_explain $preset >"$BATS_TEST_TMPDIR/explain"
		[ "$(wc -l <"$BATS_TEST_TMPDIR/explain")" -gt 350 ]
		abis=$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/kernel" | sort -u | paste -sd'|')
		comm -23 <(grep -E "^($abis) " "$BATS_TEST_TMPDIR/explain") "$BATS_TEST_TMPDIR/kernel" | tee "$BATS_TEST_TMPDIR/differ"
		[ ! -s "$BATS_TEST_TMPDIR/differ" ]
	done
}

@test "strict beside the config's own filter: the stricter answer of the two, call by call" {
	[ "$(uname -m)" = x86_64 ] || skip "the calls of the test are x86-64's"
	# getpid (39) is denied by the config alone, mount (165) by both, chroot (161) by the preset alone, getuid (102) by nobody
	config '.linux.seccomp = {defaultAction: "SCMP_ACT_ALLOW", syscalls: [
		{names: ["getpid", "mount"], action: "SCMP_ACT_ERRNO", errnoRet: 95}]}'
	runs /try x86_64
	grep -qx 'x86_64 39 EOPNOTSUPP' <<<"$output"
	grep -qx 'x86_64 165 EOPNOTSUPP' <<<"$output"
	grep -qx 'x86_64 161 ENOSYS' <<<"$output"
	grep -qx 'x86_64 102 ALLOW' <<<"$output"
	grep -qx 'x86 20 KILL_PROCESS' <<<"$output"
}

@test "strict: a fork bomb ends at 64 processes, and the container is deleted" {
	daemon bash -c 'for i in $(seq 100); do sleep 100 & done; wait'
	full() { kv ps --format json "$ID" | jq -e 'length == 64'; }
	wait_for 20 full
	kvrun delete --force "$ID"
	[ "$status" -eq 0 ]
}

@test "strict: busybox: a shell, pipes, archives, a web server and its client" {
	cp "$(command -v busybox)" "$ROOTFS/busybox"
	runs /busybox sh -c '
		set -e
		mkdir -p /tmp/bin /tmp/w; /busybox --install -s /tmp/bin; export PATH=/tmp/bin; cd /tmp/w
		seq 1 1000 | sort -rn | head -n 1
		for i in 1 2 3; do echo $i >f$i; done; find . -name "f*" | xargs cat | awk "{s += \$1} END {print s}"
		tar czf a.tgz f1 f2 f3; tar tzf a.tgz | wc -l; gunzip -c a.tgz | sha256sum >/dev/null
		timeout 0.1 sleep 10 2>/dev/null || echo timed out; nproc >/dev/null; ls -l f1 | cut -c1-10
		dd if=/dev/zero of=z bs=64k count=16 2>/dev/null; stat -c %s z
		(sleep 0.1; exit 3) & wait $! || echo status $?
		mkfifo p; echo through a pipe >p & cat p
		ip addr | grep -c 127.0.0.1; ps >/dev/null; df . >/dev/null; date >/dev/null; vi --help >/dev/null 2>&1 || :
		mkdir www; echo page >www/index.html; httpd -f -p 127.0.0.1:8080 -h www & httpd=$!
		until wget -qO- http://127.0.0.1:8080/ 2>/dev/null; do sleep 0.05; done; kill $httpd'
	[ "$output" = "1000
6
3
timed out
-rw-r--r--
1048576
status 3
through a pipe
1
page" ]
}

@test "strict: bash: jobs, substitution, coprocesses, traps, its own sockets" {
	runs bash -c '
		set -euo pipefail
		cat <(echo substituted) - <<<here | paste -sd,
		declare -A a=([x]=1 [y]=2); echo $((a[x] + a[y])) {a..c}
		coproc sed -u s/a/b/; echo aa >&"${COPROC[1]}"; read -r line <&"${COPROC[0]}"; echo "$line"
		trap "echo trapped" USR1; kill -USR1 $$; sleep 0.2 & s=$!; sleep 0.1 & wait -n; wait $s
		read -rt 0.1 x <> <(:) || echo "read timed out or ended"
		(ulimit -n 64; ulimit -n); printf "%(%Y)T\n" 0; exec 9>/tmp/f; flock 9; echo x >&9; [[ -s /tmp/f ]] && echo locked
		exec 2>/dev/null; set -m; (kill -STOP $BASHPID; echo continued) & until [[ $(jobs) == *Stopped* ]]; do sleep 0.02; done
		fg %2 >/dev/null'
	[ "$output" = "substituted,here
3 a b c
ba
trapped
read timed out or ended
64
1970
locked
continued" ]
}

@test "strict: coreutils: each with something to do" {
	runs bash -c '
		set -e
		mkdir /tmp/w; cd /tmp/w
		seq 100000 | sort --parallel=4 -S 1M -rn >s; head -n 1 s; tail -n +2 s | wc -l; uniq -c s | tail -n 1
		seq 20 | shuf | sort -n | md5sum | cut -c1-8; sha256sum s >sum; sha256sum -c sum
		cp -a --reflink=auto s c; cp --sparse=always s d; cmp s c; mv c e; ln e hard; ln -s e soft; readlink -f soft; rm hard
		ls -l --full-time e | cut -c1-10; stat -c "%s %a" e; stat -f -c %T . ; touch -d @0 e; date -u -r e +%F
		dd if=s of=o bs=4096 conv=fsync status=none; dd if=s of=o bs=4096 iflag=fullblock oflag=append conv=notrunc status=none
		truncate -s 1M t; fallocate -l 64K t2; du -k --apparent-size t | cut -f1; df --output=target . | tail -n 1
		timeout -s TERM 0.1 sleep 10 || echo status $?; timeout 5 true; nproc --all >/dev/null; nproc
		chmod 640 e; install -m 600 e i; mkfifo p; (tail -f s & echo $! >pid) >/dev/null; kill "$(cat pid)"
		nice -n 5 nice; nohup true 2>/dev/null; env -i A=b printenv A; id -u; stdbuf -oL echo line
		tee a b <sum >/dev/null; split -l 50000 s part; ls part*; cat part* | cmp - s; mktemp -p . >/dev/null; sync s; sync -f s
		base64 <<<x; od -An -tx1 <<<x; factor 1048577; numfmt --to=iec 2048; comm -12 a b | wc -l; join a b | wc -l; tac s | head -n 1
		seq 3 | tr "\n" + ; expr 1 + 1; [ -w e ] && test ! -w /usr && echo access; realpath --relative-to=/ /tmp/w; pwd; uname -s'
	[ "$output" = "100000
99999
      1 1
$(seq 20 | md5sum | cut -c1-8)
s: OK
/tmp/w/e
-rw-r--r--
588895 644
tmpfs
1970-01-01
1024
/tmp
status 124
$(nproc)
5
b
1000
line
partaa
partab
eAo=
 78 0a
1048577: 17 61681
2.0K
1
1
1
1+2+3+2
access
tmp/w
/tmp/w
Linux" ]
}

@test "strict: python3: threads, processes, sqlite3, asyncio, sockets" {
	needs /usr/bin/python3
	cat >"$ROOTFS/work.py" <<-'END'
		import asyncio, ctypes, hashlib, mmap, multiprocessing, os, random, resource, select, shutil, signal, socket, sqlite3
		import subprocess, sys, tempfile, threading, time, concurrent.futures
		from multiprocessing import shared_memory

		def square(n):
		    return n * n

		def threads():
		    with concurrent.futures.ThreadPoolExecutor(16) as pool:
		        return sum(pool.map(square, range(100)))

		def processes():
		    out = []
		    for how in "fork", "spawn", "forkserver":
		        with multiprocessing.get_context(how).Pool(2) as pool:
		            out.append(sum(pool.map(square, range(20))))
		    m = shared_memory.SharedMemory(create=True, size=4096)
		    m.buf[0] = 7
		    out.append(m.buf[0])
		    m.close()
		    m.unlink()
		    return out

		def children():
		    p = subprocess.run(["tr", "a-z", "A-Z"], input="shout", capture_output=True, text=True, timeout=10)
		    q = subprocess.run("exit 3", shell=True, start_new_session=True, preexec_fn=lambda: os.nice(1))
		    pid = os.posix_spawn("/usr/bin/true", ["true"], {})
		    fd = os.pidfd_open(os.getpid())
		    os.close(fd)
		    return p.stdout, q.returncode, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

		def database():
		    with tempfile.TemporaryDirectory() as d:
		        db = sqlite3.connect(d + "/db")
		        db.execute("pragma journal_mode=wal")
		        db.execute("create table t(a integer primary key, b text)")
		        db.executemany("insert into t(b) values(?)", [(str(i),) for i in range(1000)])
		        db.commit()
		        db.execute("vacuum")
		        n = sqlite3.connect(d + "/db").execute("select count(*), max(a) from t").fetchone()
		        db.close()
		        return n

		async def echo(reader, writer):
		    writer.write((await reader.readline()).upper())
		    await writer.drain()
		    writer.close()

		async def network():
		    server = await asyncio.start_server(echo, "127.0.0.1", 0)
		    host, port = server.sockets[0].getsockname()
		    async def ask(i):
		        r, w = await asyncio.open_connection("localhost", port)
		        w.write(b"question %d\n" % i)
		        return await r.readline()
		    answers = await asyncio.wait_for(asyncio.gather(*(ask(i) for i in range(20))), 20)
		    child = await asyncio.create_subprocess_exec("cat", stdin=-1, stdout=-1)
		    out, _ = await child.communicate(b"piped")
		    server.close()
		    return len(answers), answers[3], out

		def sockets():
		    a, b = socket.socketpair()
		    socket.send_fds(a, [b"f"], [os.memfd_create("m")])
		    fds = socket.recv_fds(b, 10, 1)[1]
		    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as u, socket.create_server(("127.0.0.1", 0), reuse_port=True) as s:
		        u.connect(s.getsockname())
		        s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
		    names = [n for _, n in socket.if_nameindex()]
		    return len(fds), names, socket.has_ipv6

		def kernel():
		    got = []
		    signal.signal(signal.SIGALRM, lambda *_: got.append(1))
		    signal.setitimer(signal.ITIMER_REAL, 0.01)
		    while not got:
		        time.sleep(0.01)
		    m = mmap.mmap(-1, 1 << 20)
		    m.madvise(mmap.MADV_DONTNEED)
		    e = select.epoll()
		    r, w = os.pipe2(os.O_NONBLOCK)
		    e.register(r)
		    os.write(w, b"x")
		    os.sched_setaffinity(0, os.sched_getaffinity(0))
		    resource.setrlimit(resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
		    with open("/tmp/src", "wb") as f:
		        f.write(os.urandom(100000))
		        os.posix_fallocate(f.fileno(), 0, 100000)
		        os.fsync(f.fileno())
		    shutil.copy2("/tmp/src", "/tmp/dst")
		    a, b = open("/tmp/src", "rb"), open("/tmp/dst2", "wb")
		    n = os.copy_file_range(a.fileno(), b.fileno(), 100000)
		    return got, e.poll(1)[0][1], n, len(os.getrandom(8)), os.path.getsize("/tmp/dst")

		if __name__ == "__main__":
		    print(threads())
		    print(processes())
		    print(children())
		    print(database())
		    print(asyncio.run(network()))
		    print(sockets())
		    print(kernel())
		    print(hashlib.sha256(b"x").hexdigest()[:8], random.SystemRandom().random() < 1, ctypes.CDLL(None).getpid() == os.getpid())
	END
	runs python3 -I /work.py
	[ "$output" = "328350
[2470, 2470, 2470, 7]
('SHOUT', 3, 0)
(1000, 1000)
(20, b'QUESTION 3\\n', b'piped')
(1, ['lo'], True)
([1], 1, 100000, 8, 100000)
2d711642 True True" ]
}

@test "strict: node: an HTTP server and its client, workers, children, files" {
	needs /usr/bin/node
	cat >"$ROOTFS/work.js" <<-'END'
		const http = require('http'), fs = require('fs'), os = require('os'), zlib = require('zlib'), dns = require('dns');
		const crypto = require('crypto'), net = require('net'), cp = require('child_process'), { Worker } = require('worker_threads');
		const { promisify } = require('util'), p = fs.promises;

		const server = () => new Promise((done) => {
			const s = http.createServer((req, res) => fs.createReadStream(__filename).pipe(res));
			s.listen(0, '127.0.0.1', () => done(s));
		});
		const get = (port) => new Promise((done, fail) => http.get({ port, host: '127.0.0.1' }, (res) => {
			let n = 0;
			res.on('data', (d) => { n += d.length; }).on('end', () => done(n));
		}).on('error', fail));
		const worker = (n) => new Promise((done, fail) => new Worker(
			'const { parentPort, workerData } = require("worker_threads"); parentPort.postMessage(workerData * 2)',
			{ eval: true, workerData: n }).on('message', done).on('error', fail));
		const fork = () => new Promise((done) => cp.fork(__filename, ['child']).on('message', done));
		const watch = async () => {
			const seen = new Promise((done) => { const w = fs.watch('/tmp', () => { w.close(); done('seen'); }); });
			await p.writeFile('/tmp/new', 'x');
			return seen;
		};

		async function main() {
			const s = await server(), { port } = s.address();
			const sizes = await Promise.all(Array.from({ length: 50 }, () => get(port)));
			console.log(sizes.every((n) => n === fs.statSync(__filename).size), sizes.length);
			console.log(await Promise.all([1, 2, 3].map(worker)));
			console.log(cp.execFileSync('/usr/bin/tr', ['a-z', 'A-Z'], { input: 'shout' }).toString(), await fork(),
				cp.spawnSync('sh', ['-c', 'exit 4']).status);
			await p.mkdir('/tmp/a/b', { recursive: true });
			await p.writeFile('/tmp/a/b/f', 'text');
			await p.copyFile('/tmp/a/b/f', '/tmp/a/g');
			await p.rename('/tmp/a/g', '/tmp/a/h');
			console.log(await p.readdir('/tmp/a'), (await p.stat('/tmp/a/h')).size, await p.realpath('/tmp/a/../a'), await watch());
			await p.rm('/tmp/a', { recursive: true });
			const z = await promisify(zlib.gzip)(Buffer.alloc(100000));
			console.log((await promisify(zlib.gunzip)(z)).length, crypto.randomBytes(8).length, Object.keys(os.networkInterfaces()),
				(await promisify(crypto.pbkdf2)('a', 'b', 1000, 16, 'sha256')).length, (await dns.promises.lookup('localhost', 4)).address);
			const u = net.createServer((c) => c.end('over a socket')).listen('/tmp/s');
			console.log(await new Promise((done) => net.connect('/tmp/s').on('data', (d) => done(d.toString()))));
			console.log(os.cpus().length > 0, os.availableParallelism ? os.availableParallelism() > 0 : true, os.freemem() > 0);
			u.close();
			s.close();
		}
		if (process.argv[2] === 'child') process.send('from a child', () => process.exit());
		else main().catch((e) => { console.error(e); process.exit(1); });
	END
	# and where libuv would use io_uring: it is denied in the way that a kernel without it does
	for uring in 0 1; do
		config --arg v UV_USE_IO_URING=$uring '.process.env += [$v]'
		runs /usr/bin/node /work.js
		[ "$output" = "true 50
[ 2, 4, 6 ]
SHOUT from a child 4
[ 'b', 'h' ] 4 /tmp/a seen
100000 8 [ 'lo' ] 16 127.0.0.1
over a socket
true true true" ]
	done
}

@test "strict: nginx: workers of another user serve files over loopback, and are replaced" {
	nginx=$(command -v nginx || echo "$("$KAVACH_SRC/contrib/unpack" --where nginx)/usr/sbin/nginx")
	needs "$nginx"
	cp "$nginx" "$ROOTFS/nginx"
	# what an operator gives it: a place to write to, the right to become www-data and to take port 80
	config '.process.user = {uid: 0, gid: 0}
		| .process.capabilities = (["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_KILL"]
			| {bounding: ., permitted: ., effective: .})
		| .mounts += [{destination: "/run", type: "tmpfs", source: "tmpfs"}]'
	head -c 3000000 /dev/urandom >"$ROOTFS/srv/large"
	echo page >"$ROOTFS/srv/index.html"
	cat >"$ROOTFS/etc/nginx.conf" <<-END
		user www-data;
		worker_processes 2;
		pid /run/nginx.pid;
		error_log stderr;
		# the default of 32 threads for each worker would be more than the 64 processes of strict
		thread_pool default threads=4;
		events { worker_connections 64; }
		http {
			access_log off;
			sendfile on;
			gzip on;
			gzip_types *;
			client_body_temp_path /run/body;
			proxy_temp_path /run/proxy;
			fastcgi_temp_path /run/fastcgi;
			uwsgi_temp_path /run/uwsgi;
			scgi_temp_path /run/scgi;
			server {
				listen 80 reuseport;
				root /srv;
				location /aio/ { alias /srv/; aio threads; sendfile off; }
				location /proxy/ { proxy_pass http://127.0.0.1/; }
			}
		}
	END
	cat >"$ROOTFS/get.py" <<-'END'
		import hashlib, sys, urllib.request
		for path in sys.argv[1:]:
		    print(hashlib.sha256(urllib.request.urlopen("http://127.0.0.1/" + path, timeout=10).read()).hexdigest())
	END
	daemon /nginx -c /etc/nginx.conf -g 'daemon off;'
	answers() { kv exec "$ID" python3 -I /get.py index.html >/dev/null 2>&1; }
	wait_for 20 answers
	inside python3 -I /get.py index.html large aio/large proxy/large
	page=$(sha256sum <"$ROOTFS/srv/index.html" | cut -d' ' -f1)
	large=$(sha256sum <"$ROOTFS/srv/large" | cut -d' ' -f1)
	[ "$(xargs <<<"$output")" = "$page $large $large $large" ]
	workers() { kv exec "$ID" bash -c 'for p in /proc/[0-9]*; do [ "$(stat -c %U "$p")" != www-data ] || echo "${p##*/}"; done' 2>/dev/null; }
	old=$(workers)
	[ "$(wc -l <<<"$old")" -eq 2 ]
	kv kill "$ID" HUP
	replaced() { new=$(workers) && [ "$(wc -l <<<"$new")" -eq 2 ] && [ -z "$(comm -12 <(sort <<<"$old") <(sort <<<"$new"))" ]; }
	wait_for 20 replaced
	inside python3 -I /get.py index.html
	[ "$output" = "$page" ]
	kv kill "$ID" QUIT
	wait_for 20 status_is stopped
	[ "$(grep -Ec '\[(alert|crit|emerg|error)\]' "$BATS_TEST_TMPDIR/log")" -eq 0 ]
}

@test "strict: redis: SET, GET, a snapshot by a child, an append-only file, on a volume that can be written" {
	needs /usr/bin/redis-check-rdb
	mkdir -m 777 "$BATS_TEST_TMPDIR/volume"
	config --arg v "$BATS_TEST_TMPDIR/volume" '.mounts += [{destination: "/data", source: $v, options: ["rbind"]}]'
	redis() { kv exec "$ID" redis-cli "$@" 2>&1; }
	says() { [ "$(redis "${@:2}")" = "$1" ]; }
	set -- /redis-server --dir /data --io-threads 2 --io-threads-do-reads yes --appendonly yes --unixsocket /tmp/redis.sock
	daemon "$@"
	wait_for 20 says PONG ping
	says OK set key value
	says value get key
	says 3 rpush list a b c
	says 42 eval 'return 6 * 7' 0
	says "Background saving started" bgsave
	saved() { redis info persistence | tr -d '\r' | grep -q "^$1$"; }
	wait_for 20 saved rdb_bgsave_in_progress:0
	saved rdb_last_bgsave_status:ok
	says "Background append only file rewriting started" bgrewriteaof
	wait_for 20 saved aof_rewrite_in_progress:0
	saved aof_last_bgrewrite_status:ok
	says PONG -s /tmp/redis.sock ping
	inside redis-benchmark -q -n 2000 -c 20 -P 4 -t set,get,lpush
	[ -s "$BATS_TEST_TMPDIR/volume/dump.rdb" ]
	kv kill "$ID" TERM
	wait_for 20 status_is stopped
	kv delete "$ID"
	daemon "$@"
	loaded() { says value get key; }
	wait_for 20 loaded
}

# example N: the text of the N-th display of kavach-presets(7); empty behind the last
example() {
	awk -v n="$1" '/^\.Bd/ { i++; on = 1; next } /^\.Ed/ { on = 0 } on && i == n { gsub(/\\e/, "\\"); print }' \
		"$KAVACH_SRC/docs/man/kavach-presets.7"
}

@test "kavach-presets(7): what it says that basic denies is all that it denies, on x86_64 and its 32-bit ABI" {
	sed -n '/^\.\\" denied by basic/,/^\.\\" end/p' "$KAVACH_SRC/docs/man/kavach-presets.7" | grep -v '^\.' | tr ' ' '\n' | sort -u >"$BATS_TEST_TMPDIR/page"
	kv seccomp explain --json --arch x86_64 basic >"$BATS_TEST_TMPDIR/json"
	jq -r '.abis[] | select(.covered).calls[] | select(.verdict == "denied" and .actions == ["EPERM"]).name' "$BATS_TEST_TMPDIR/json" |
		sort -u >"$BATS_TEST_TMPDIR/denied"
	jq -r '.abis[].calls[].name' "$BATS_TEST_TMPDIR/json" | sort -u >"$BATS_TEST_TMPDIR/known"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/denied")" -gt 60 ]
	diff "$BATS_TEST_TMPDIR/denied" <(comm -12 "$BATS_TEST_TMPDIR/page" "$BATS_TEST_TMPDIR/known")
}

@test "kavach-presets(7): its examples are good: rules, commands, what is added to a config.json" {
	args grep -cE '^tmpfs /run |^NoNewPrivs:.*1$' /proc/self/mounts /proc/self/status
	config 'del(.annotations)'
	n=0
	while n=$((n + 1)); example $n >"$BATS_TEST_TMPDIR/example$n.json" && [ -s "$BATS_TEST_TMPDIR/example$n.json" ]; do
		case $(head -c 200 "$BATS_TEST_TMPDIR/example$n.json" | tr -d ' \n') in
		'{"annotations"'*)
			config --slurpfile more "$BATS_TEST_TMPDIR/example$n.json" '.annotations = $more[0].annotations | .mounts += $more[0].mounts'
			kvrun run -b "$BUNDLE" "$ID"
			[ "$output" = $'/proc/self/mounts:1\n/proc/self/status:1' ] ;;
		'{'*)
			kvrun rules check "$BATS_TEST_TMPDIR/example$n.json"
			[ "$status" -eq 0 ] ;;
		'$kavach'*)
			while read -r _ _ line; do
				# shellcheck disable=SC2086 # words are meant
				kvrun ${line//\/bundle/$BUNDLE}
				[ "$status" -eq 0 ] || { [[ $line == *diff* ]] && [ "$status" -eq 1 ]; }
			done <"$BATS_TEST_TMPDIR/example$n.json" ;;
		'$podman'*) ;; # tests/bats/engines/podman.bats
		*) false ;;
		esac
	done
	[ $n -ge 6 ]
}
