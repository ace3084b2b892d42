"""What the checks of engines share: a desk to work at, and whether two sweeps hold the same bits.

Python's standard library alone.
"""

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
MEASURED = ("time.seconds", "memory.peak_bytes", "train.seconds", "train.tokens_per_second")


def say(line):
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


class Desk:
    """A folder with the experiment file, and the program in it."""

    def __init__(self, folder, program, networks=200, settings=()):
        self.folder = Path(folder)
        self.program = str(Path(program).resolve())
        self.file = self.folder / "tiny.ron"
        self.out = self.folder / "reports"
        self.settings = [word for s in settings for word in ("--set", s)]
        text = (HERE / "tiny.ron").read_text()
        if networks < 200:
            seeds = ", ".join(str(i + 1) for i in range(networks // 4))
            text = re.sub(r'\(set: "seed", to: \[.*?\]\)', f'(set: "seed", to: [{seeds}])', text, flags=re.S)
        self.file.write_text(text)

    @property
    def sweep(self):
        return self.out / "engines" / "tiny"

    def accrue(self, *words, check=True, env=None, out=None):
        command = [self.program, *map(str, words), "--out", str(out or self.out), *self.settings]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=env)
        if check and done.returncode != 0:
            sys.exit(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def submit(self, engine, *words):
        done = self.accrue("submit", self.file, "--engine", engine, "--go", *words)
        say(done.stderr.strip().replace("\n", "; "))
        return [line.split(": job ")[1] for line in done.stdout.splitlines() if ": job " in line]

    def status(self):
        """Counts of `accrue status`, and all it says."""
        text = self.accrue("status", self.file).stdout
        counts = {k: int(n) for k, n in re.findall(r"^  (\w+) +(\d+)", text, flags=re.M)}
        return counts, text

    def models(self):
        """Where the weights of each network lie that is trained: another place, or another time, is another training."""
        found = {}
        for record in self.sweep.glob("cases/*/run.ron"):
            text = record.read_text(errors="replace")
            weights = record.parent / "model.safetensors"
            if 'name: "report"' in text:
                about = weights.stat()
                found[record.parent.name] = (about.st_ino, about.st_mtime_ns)
        return found


def until(what, seen, patience=600, every=0.2):
    """Waits until `seen()` is true."""
    begin = time.time()
    while not seen():
        if time.time() - begin > patience:
            sys.exit(f"{what}: not within {patience} s")
        time.sleep(every)
    return time.time() - begin


def bits(folder):
    """Hash of every table, array and number below a sweep's folder; measured time and memory left out."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_dir() or name.startswith("parts/") or path.name in ("run.ron", "index.html"):
            continue
        if path.name == "summary.json":
            numbers = json.loads(path.read_text())
            content = json.dumps({k: v for k, v in numbers.items() if k not in MEASURED}).encode()
        elif path.name in ("training.parquet", "case_numbers.parquet", "training.csv"):
            # Columns of measured seconds: read by polars where it is there, else left to the other tables.
            content = unmeasured(path)
            if content is None:
                continue
        else:
            content = path.read_bytes()
        found[name] = hashlib.sha256(content).hexdigest()
    return found


def unmeasured(path):
    try:
        import polars
    except ImportError:
        return None
    if path.suffix == ".csv":
        return None
    table = polars.read_parquet(path)
    if "key" in table.columns:
        table = table.filter(~polars.col("key").is_in(list(MEASURED)))
    return repr(table.drop("seconds", strict=False).to_dict(as_series=False)).encode()


def same(found, expected, what):
    """Ends with a list of what differs."""
    differ = sorted(k for k in found.keys() | expected.keys() if found.get(k) != expected.get(k))
    if differ:
        sys.exit(f"{what}: {len(differ)} files differ, as {differ[:8]}")
    say(f"{what}: {len(expected)} files, bit for bit the same")


def alone(desk):
    """The same networks by one process on this machine; seconds, and what it left."""
    out = desk.folder / "alone"
    begin = time.time()
    desk.accrue("run", desk.file, "--part", "all", "--quiet", out=out)
    return time.time() - begin, bits(out / "engines" / "tiny")


def costs(desk):
    """Seconds that each network took, as its record says."""
    found = {}
    for record in desk.sweep.glob("cases/*/run.ron"):
        seconds = re.findall(r"^ +seconds: ([0-9.e-]+),", record.read_text(), flags=re.M)
        found[record.parent.name] = sum(map(float, seconds))
    return found


def processes(folder):
    """Numbers of processes that work below a folder, by their command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            except OSError:
                continue
            if any(str(folder) in word for word in words):
                found[int(entry.name)] = words
    return found


def children(pid):
    """A process and all that it started."""
    found = [pid]
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if parent == pid:
                found += children(int(entry.name))
    return found


def environment(**more):
    return {**os.environ, **more}
