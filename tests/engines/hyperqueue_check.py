"""A sweep through a real HyperQueue: two workers on this machine, one of which dies, and a part that is killed.

    hyperqueue_check.py PROGRAM [--networks N]

HyperQueue comes as its Python package (`pip install hyperqueue`), which holds its server, its scheduler and its workers, and
not its command line: the script that `accrue submit --engine hyperqueue` prints is run with a stand-in for `hq` (below) that
hands the array it is asked for to the real server.
"""

import argparse
import json
import multiprocessing
import os
import signal
import stat
import sys
import tempfile
import time
from pathlib import Path

# No bars: what is said is read.
os.environ["TQDM_DISABLE"] = "1"
from sweep import Desk, alone, bits, children, say, same, until

try:
    from hyperqueue import Client, Job
    from hyperqueue.cluster import LocalCluster, WorkerConfig
except ImportError:
    sys.exit("no HyperQueue here: pip install hyperqueue")

# `hq submit` and `hq job wait` in the words that the printed script uses; it leaves a note for the client below.
STAND_IN = """#!/usr/bin/env python3
import json, os, sys, time
room, words = os.environ["ACCRUE_HQ_ROOM"], sys.argv[1:]
if words[:2] == ["--output-mode=quiet", "submit"]:
    at = words.index("--")
    job = 1 + len([n for n in os.listdir(room) if n.startswith("job-")])
    note = {"options": words[2:at], "command": words[at + 1:], "cwd": os.getcwd()}
    with open(f"{room}/new", "w") as file:
        json.dump(note, file)
    os.rename(f"{room}/new", f"{room}/job-{job}")
    print(job)
elif words[:2] == ["job", "wait"]:
    while not os.path.exists(f"{room}/ended-{words[2]}"):
        time.sleep(0.1)
elif words[:2] == ["job", "task-ids"]:
    print(open(f"{room}/alive-{words[2]}").read() if os.path.exists(f"{room}/alive-{words[2]}") else "")
else:
    sys.exit(f"stand-in: unknown {words}")
"""


def worker(server, folder, ready):
    """A node: a process of its own, so that it can die. Its package starts workers beside a server of their own alone; where
    they look for the server is a link, which is set to the one that is there."""
    os.setpgid(0, 0)
    cluster = LocalCluster(server_dir=folder)
    link = Path(folder) / "hq-current"
    link.unlink()
    link.symlink_to((Path(server) / "hq-current").resolve())
    cluster.start_worker(WorkerConfig(cores=1))
    ready.set()
    while True:
        time.sleep(60)


def serve(folder, ready, stop):
    """The server, in a process of its own."""
    cluster = LocalCluster(server_dir=folder)
    ready.set()
    stop.wait()
    cluster.stop()


class Node:
    def __init__(self, server, folder):
        ready = multiprocessing.Event()
        self.process = multiprocessing.Process(target=worker, args=(server, folder, ready), daemon=True)
        self.process.start()
        if not ready.wait(60):
            sys.exit("a worker did not come up")

    def kill(self):
        for pid in children(self.process.pid):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def option(options, name):
    return next((o.split("=", 1)[1] for o in options if o.startswith(f"--{name}=")), None)


def send(room, server):
    """Hands what the stand-in was asked for to the real server, and says when it has ended. A process of its own: the package
    waits with Python's lock held."""
    room, job = Path(room), 0
    while True:
        note = room / f"job-{job + 1}"
        if not note.exists():
            time.sleep(0.1)
            continue
        job += 1
        note = json.loads(note.read_text())
        first, last = map(int, option(note["options"], "array").split("-"))
        at = note["options"].index("--env")
        env = dict([note["options"][at + 1].split("=", 1)])
        sent = Job(max_fails=None, default_env=env, default_workdir=note["cwd"])
        for number in range(first, last + 1):
            # The package numbers tasks from 0; the array is from 1.
            words = ["bash", "-c", f'export HQ_TASK_ID={number}; exec "$@"', "task", *note["command"]]
            sent.program(words, stdout=None, stderr=None, crash_limit=10)
        client = Client(server)
        submitted = client.submit(sent)
        well = client.wait_for_jobs([submitted], raise_on_error=False)
        failed = 0 if well else len(client.get_failed_tasks(submitted))
        (room / "ended").write_text(str(failed))
        (room / "ended").rename(room / f"ended-{job}")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--networks", type=int, default=200)
    arguments = arguments.parse_args()
    networks = arguments.networks
    with tempfile.TemporaryDirectory(prefix="accrue-hyperqueue-") as folder:
        folder = Path(folder)
        for name in ("room", "bin", "server", "n1", "n2", "desk"):
            (folder / name).mkdir()
        stand_in = folder / "bin" / "hq"
        stand_in.write_text(STAND_IN)
        stand_in.chmod(stand_in.stat().st_mode | stat.S_IXUSR)
        os.environ["ACCRUE_HQ_ROOM"] = str(folder / "room")
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        desk = Desk(folder / "desk", arguments.program, networks)
        seconds, expected = alone(desk)
        say(f"{networks} networks by one process on this machine: {seconds:.0f} s")
        nodes = []
        stop, ready = multiprocessing.Event(), multiprocessing.Event()
        process = multiprocessing.Process(target=serve, args=(str(folder / "server"), ready, stop), daemon=True)
        process.start()
        if not ready.wait(60):
            sys.exit("the server did not come up")
        try:
            nodes = [Node(str(folder / "server"), str(folder / name)) for name in ("n1", "n2")]
            sender = multiprocessing.Process(
                target=send, args=(str(folder / "room"), str(folder / "server")), daemon=True
            )
            sender.start()
            check(desk, nodes, networks, expected, folder)
        finally:
            for node in nodes:
                node.kill()
            stop.set()
            process.join(10)


def check(desk, nodes, networks, expected, folder):
    begin = time.time()
    jobs = desk.submit("hyperqueue", "--parts", "20")
    seen, twice = {}, set()

    def done():
        for case, weights in desk.models().items():
            if seen.setdefault(case, weights) != weights:
                twice.add(case)
        return len(seen)

    until("a third of the networks", lambda: done() >= networks // 3)
    nodes[0].kill()
    say(f"node n1 killed with {done()} networks done")
    until("a few more", lambda: done() >= networks // 2)


    def parts():
        found = []
        for pid in children(nodes[1].process.pid)[1:]:
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            found += [pid] if b"run" in words and b"--part" in words else []
        return found

    until("a part at work", lambda: parts() and done() >= 0, 60, 0.05)
    os.kill(parts()[0], signal.SIGKILL)
    say(f"a part killed with {done()} networks done")
    nodes.append(Node(str(folder / "server"), str(folder / "n1")))
    say("a new node is there")
    until("the parts' end", lambda: done() >= 0 and (folder / "room" / f"ended-{jobs[0]}").exists(), 600)
    counts, _ = desk.status()
    failed = (folder / "room" / f"ended-{jobs[0]}").read_text()
    say(f"parts ended after {time.time() - begin:.0f} s, {failed} of 20 failed: " + ", ".join(f"{k} {n}" for k, n in counts.items()))
    logs = desk.sweep / "parts"
    gathered = lambda: any("networks gathered" in p.read_text() for p in logs.glob("*/gather.log"))
    until("the gathering", gathered, 60)
    if counts["done"] < networks:
        retried = desk.accrue("retry", desk.file, "--go")
        say("retry: " + retried.stderr.strip().replace("\n", "; "))
        until("the second round", lambda: done() >= 0 and (folder / "room" / "ended-2").exists(), 600)
        whole = f"{networks} of {networks} networks gathered, 0 missing"
        until("the second gathering", lambda: any(whole in p.read_text() for p in logs.glob("*/gather.log")), 60)
    say(f"{done()} of {networks} networks done, {len(twice)} trained twice after their end, {time.time() - begin:.0f} s in all")
    if done() != networks or twice:
        sys.exit(f"{networks - done()} networks missing, trained twice: {sorted(twice)}")
    same(bits(desk.sweep), expected, "after a node's death and a killed part")


if __name__ == "__main__":
    multiprocessing.set_start_method("spawn")
    main()
