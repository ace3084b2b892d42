"""A sweep through a real Slurm: two nodes on this machine, one of which dies, and a task that is cancelled.

    slurm.py PROGRAM [--networks N] [--slow]

Debian's packages: slurmctld slurmd slurm-client slurm-wlm-basic-plugins. Root, and neither systemd nor munge: the
daemons run in a temporary folder and listen on 127.0.0.1 alone. `--slow` measures the overhead with networks of about two seconds.
"""

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sweep import Desk, alone, bits, children, costs, same, say, until

CONF = """
ClusterName=accrue
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser=root
SlurmdUser=root
AuthType=auth/none
CredType=cred/none
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=2
ReturnToService=2
SlurmdTimeout=20
KillWait=5
MinJobAge=300
MaxArraySize=101
MaxJobCount=150
StateSaveLocation={folder}/state
SlurmctldPidFile={folder}/ctld.pid
SlurmctldLogFile={folder}/ctld.log
SlurmdSpoolDir={folder}/spool.%n
SlurmdPidFile={folder}/%n.pid
SlurmdLogFile={folder}/%n.log
NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=1 RealMemory=1000 State=UNKNOWN
NodeName=n2 NodeHostname={host} NodeAddr=127.0.0.1 Port={ports[2]} CPUs=1 RealMemory=1000 State=UNKNOWN
PartitionName=main Nodes=n1,n2 Default=YES MaxTime=60 State=UP
"""


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Slurm:
    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("state", "spool.n1", "spool.n2"):
            (self.folder / name).mkdir(parents=True)
        conf = self.folder / "slurm.conf"
        conf.write_text(CONF.format(host=socket.gethostname(), ports=free_ports(3), folder=folder))
        os.environ["SLURM_CONF"] = str(conf)
        self.processes = {}

    def start(self, name):
        command = ["slurmctld", "-D"] if name == "ctld" else ["slurmd", "-D", "-N", name]
        log = open(self.folder / f"{name}.out", "ab")
        self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def up(self):
        for name in ("ctld", "n1", "n2"):
            self.start(name)
        until("two idle nodes", lambda: self.ask("sinfo", "-h", "-o", "%D %t").split() == ["2", "idle"], 60)

    def ask(self, *words):
        return subprocess.run(words, capture_output=True, text=True).stdout

    def running(self):
        """Tasks that run: `(number, node)`."""
        lines = self.ask("squeue", "-h", "-r", "-t", "R", "-o", "%K %N").split("\n")
        return [(int(a), n) for a, n in (line.split() for line in lines if line.strip()) if a.isdigit()]

    def empty(self, job=None):
        words = ["squeue", "-h"] + ([f"--job={job}"] if job else [])
        return not self.ask(*words).strip()

    def kill(self, node):
        """The node dies: its daemon and all that runs there."""
        daemon = self.processes.pop(node)
        for process in [*children(daemon.pid), *self.steps(node)]:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        daemon.wait()

    def steps(self, node):
        """Processes of a node's tasks, and those that Slurm put above them: they have left their daemon."""
        found = set()
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                environ = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
                above = Path(f"/proc/{parent}/cmdline").read_bytes().decode(errors="replace")
            except (OSError, IndexError, ValueError):
                continue
            if f"SLURMD_NODENAME={node}" in environ and f"SLURM_CONF={os.environ['SLURM_CONF']}" in environ:
                found.add(int(entry.name))
                if "slurmstepd" in above:
                    found.add(parent)
        return found

    def stop(self):
        self.ask("scancel", "--user=root")
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def watch(desk, slurm, seen, twice):
    """Networks that are done; one whose weights changed after its end was trained twice."""
    for case, weights in desk.models().items():
        if seen.setdefault(case, weights) != weights:
            twice.add(case)
    return len(seen)


def disturbed(slurm, desk, networks, expected):
    """One node dies mid-way, one task is cancelled: all networks are there in the end."""
    begin = time.time()
    jobs = desk.submit("slurm", "--parts", "10")
    seen, twice = {}, set()
    until("a third of the networks", lambda: watch(desk, slurm, seen, twice) >= networks // 3)
    victim = [task for task, node in slurm.running() if node == "n1"]
    slurm.kill("n1")
    killed = watch(desk, slurm, seen, twice)
    say(f"node n1 killed with {killed} networks done; part {victim} was on it")
    until("a few more", lambda: watch(desk, slurm, seen, twice) >= killed + networks // 10)
    cancelled = [task for task, node in slurm.running() if node == "n2"][:1]
    slurm.ask("scancel", f"{jobs[0]}_{cancelled[0]}")
    say(f"part {cancelled} cancelled with {watch(desk, slurm, seen, twice)} networks done")
    counts, text = desk.status()
    say("status meanwhile: " + ", ".join(f"{k} {n}" for k, n in counts.items()))
    slurm.start("n1")
    say("node n1 is back")

    def ended():
        watch(desk, slurm, seen, twice)
        return slurm.empty(jobs[0])

    until("the parts' end", ended, 900, 1)
    until("the gathering", lambda: slurm.empty(jobs[1]), 120, 1)
    counts, text = desk.status()
    say(f"parts ended after {time.time() - begin:.0f} s: " + ", ".join(f"{k} {n}" for k, n in counts.items()))
    log = next((desk.sweep / "parts").glob(f"*/{cancelled[0]}.log")).read_text()
    say("the cancelled part said: " + " | ".join(log.strip().split("\n")[-2:]))
    left = networks - counts["done"]
    if left:
        retried = desk.accrue("retry", desk.file, "--go")
        say("retry: " + retried.stderr.strip().replace("\n", "; "))
        job = [line.split(": job ")[1] for line in retried.stdout.splitlines() if ": job " in line]
        until("the second round", lambda: watch(desk, slurm, seen, twice) >= 0 and slurm.empty(job[0]), 600, 1)
        until("the second gathering", lambda: slurm.empty(job[1]), 120, 1)
    done = watch(desk, slurm, seen, twice)
    say(f"{done} of {networks} networks done, {len(twice)} trained twice after their end, {time.time() - begin:.0f} s in all")
    if done != networks or twice:
        sys.exit(f"{networks - done} networks missing, trained twice: {sorted(twice)}")
    log = (desk.sweep / "parts").glob("*/gather.log")
    if not any(f"{networks} of {networks} networks gathered, 0 missing" in path.read_text() for path in log):
        sys.exit("no job gathered all of them")
    same(bits(desk.sweep), expected, "after a node's death and a cancelled task")


def refusals(slurm, desk):
    """What Slurm does not take is said, with what to do, and nothing is lost."""
    def refused(words, *expected):
        done = desk.accrue("submit", desk.file, "--engine", "slurm", "--go", *words, check=False)
        for word in expected:
            if done.returncode == 0 or word not in done.stderr:
                sys.exit(f"{words}: {done.returncode}, {word!r} is not in: {done.stderr}")
        say(f"{' '.join(words)}: " + done.stderr.strip().split("\n")[-1])

    refused(["--parts", "150"], "MaxArraySize", "--parts 100")
    refused(["--parts", "2", "--partition", "none"], "invalid partition", "nothing was sent")
    if not slurm.empty():
        sys.exit("something was sent all the same")
    # A full queue: sbatch itself tries again for a while, and says so.
    held = slurm.ask("sbatch", "--parsable", "--hold", "--array=1-100", "--output=/dev/null", "--wrap=true").strip()
    words = [desk.program, "submit", str(desk.file), "--engine", "slurm", "--go", "--parts", "100", "--out", str(desk.out)]
    waiting = subprocess.Popen(words, cwd=desk.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    line = next((line for line in waiting.stderr if "sbatch" in line), "")
    say(f"a full queue: {line.strip()}")
    if "unable to accept job" not in line and "nothing was sent" not in line:
        sys.exit("a full queue is not told")
    # As Ctrl-C does: sbatch, too, is to stop.
    os.killpg(waiting.pid, signal.SIGTERM)
    waiting.wait(30)
    slurm.ask("scancel", held)
    until("an empty queue", slurm.empty, 60)


def gaps(desk, wall):
    """Mean time in which a node has no part: two nodes over the wall time, less what parts say they took, by part."""
    busy, parts = 0.0, 0
    for journal in (desk.sweep / "parts").glob("*/*-of-*.ron"):
        text = journal.read_text()
        begun, at = (int(re.search(rf"^ +{k}: (\d+),", text, flags=re.M)[1]) for k in ("begun", "at"))
        busy, parts = busy + at - begun, parts + 1
    return (2 * wall - busy) / parts


def overhead(slurm, desk, networks):
    """Wall time of two nodes over the networks' own seconds on two cores."""
    begin = time.time()
    jobs = desk.submit("slurm", "--parts", "8")
    until("the parts' end", lambda: slurm.empty(jobs[0]), 1800, 0.5)
    wall = time.time() - begin
    own = sum(costs(desk).values())
    ideal = own / 2
    say(f"between two parts on a node: {gaps(desk, wall):.1f} s")
    say(f"overhead: {networks} networks of {own / networks:.2f} s on two nodes: {wall:.0f} s, ideal {ideal:.0f} s, {wall / ideal:.2f} times")
    if wall > 1.3 * ideal:
        sys.exit("more than 1.3 times the ideal")


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--networks", type=int, default=200)
    arguments.add_argument("--slow", action="store_true")
    arguments = arguments.parse_args()
    if not (shutil.which("slurmctld") and shutil.which("slurmd") and shutil.which("sbatch")):
        sys.exit("no Slurm here: apt-get install slurmctld slurmd slurm-client slurm-wlm-basic-plugins")
    with tempfile.TemporaryDirectory(prefix="accrue-slurm-") as folder:
        folder = Path(folder)
        slurm = Slurm(folder / "slurm")
        try:
            slurm.up()
            (folder / "desk").mkdir()
            if arguments.slow:
                slow = ["of.training.epochs=300", "of.training.steps=4500", "of.trials.train=512", "of.fixed_points.initial_states=64"]
                overhead(slurm, Desk(folder / "desk", arguments.program, arguments.networks, slow), arguments.networks)
                return
            desk = Desk(folder / "desk", arguments.program, arguments.networks)
            seconds, expected = alone(desk)
            say(f"{arguments.networks} networks by one process on this machine: {seconds:.0f} s")
            refusals(slurm, desk)
            disturbed(slurm, desk, arguments.networks, expected)
        finally:
            slurm.stop()


main()
