"""Training in PyTorch and in accrue: the same work, alternating, in one run.

    make bench-peers

Each case runs forward, backward, clip by global norm and Adam on random words.
Prints tokens per second, the median of the ratios of neighbouring runs and
their range; writes reports/bench/training.parquet and training.md.
"""

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

SIZES = {
    # Words by Zipf's law, as in text; "uniform" has every word as frequent as any other.
    "text": dict(units=256, inputs=128, batch=64, tokens=256, vocabulary=20000, zipf=True),
    "uniform": dict(units=256, inputs=128, batch=64, tokens=256, vocabulary=20000, zipf=False),
    "synthetic": dict(units=128, inputs=0, batch=128, tokens=50, vocabulary=4, zipf=False),
}
CASES = [
    ("Gru", "text", "Mean"), ("Lstm", "text", "Mean"), ("Vanilla", "text", "Mean"),
    ("Gru", "synthetic", "Last"), ("Lstm", "synthetic", "Last"), ("Vanilla", "synthetic", "Last"),
    # The loss at the last token of an untrained network: gradients vanish.
    ("Gru", "text", "Last"), ("Lstm", "text", "Last"),
    ("Gru", "uniform", "Mean"), ("Lstm", "uniform", "Mean"), ("Vanilla", "uniform", "Mean"),
]


def torch_run(cell, size, pool, threads, seconds):
    """The same network in PyTorch; prints JSON as the Rust program does."""
    import torch
    from torch import nn

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    s = SIZES[size]
    width = s["inputs"] or s["vocabulary"]
    rnn = {"Gru": nn.GRU, "Lstm": nn.LSTM, "Vanilla": nn.RNN}[cell](width, s["units"], batch_first=True)
    embed = nn.Embedding(s["vocabulary"], s["inputs"]) if s["inputs"] else None
    # The LSTM's readout sees [h; c] in accrue; h alone is what torch.nn offers at no cost.
    readout = nn.Linear(s["units"], 2)
    parameters = [p for m in (rnn, embed, readout) if m is not None for p in m.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    loss = nn.CrossEntropyLoss()
    ranks = torch.arange(1, s["vocabulary"] + 1, dtype=torch.float64)
    shares = 1 / ranks if s["zipf"] else torch.ones_like(ranks)
    words = torch.multinomial(shares, 16 * s["batch"] * s["tokens"], replacement=True)
    words = words.reshape(16, s["batch"], s["tokens"])
    classes = torch.randint(0, 2, (16, s["batch"]))

    def step(i):
        x = words[i]
        x = embed(x) if embed is not None else nn.functional.one_hot(x, width).float()
        states, _ = rnn(x)
        pooled = states.mean(1) if pool == "Mean" else states[:, -1]
        adam.zero_grad(set_to_none=True)
        loss(readout(pooled), classes[i]).backward()
        nn.utils.clip_grad_norm_(parameters, 10.0)
        adam.step()

    for i in range(3):
        step(i)
    begin, steps = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds or steps < 2:
        step(steps % 16)
        steps += 1
    spent = time.perf_counter() - begin
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(json.dumps({"tokens_per_second": steps * s["batch"] * s["tokens"] / spent, "peak_bytes": peak}))


def newest_peer():
    target = json.loads(subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"]))["target_directory"]
    found = [p for p in Path(target, "release", "deps").glob("peer-*") if p.suffix == ""]
    return max(found, key=lambda p: p.stat().st_mtime)


def measure(command):
    return json.loads(subprocess.check_output(list(map(str, command))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--torch", nargs=5, metavar=("CELL", "SIZE", "POOL", "THREADS", "SECONDS"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--threads", type=int, nargs="+", default=[2, 1])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    options = parser.parse_args()
    if options.torch:
        cell, size, pool, threads, seconds = options.torch
        return torch_run(cell, size, pool, int(threads), float(seconds))

    import polars as pl
    import torch

    peer, rows = newest_peer(), []
    for threads in options.threads:
        for cell, size, pool in [case for case in CASES if case[1] in options.sizes]:
            pairs = []
            for _ in range(options.rounds):
                case = [cell, size, pool, threads, options.seconds]
                ours = measure([peer, *case])
                theirs = measure([sys.executable, __file__, "--torch", *case])
                pairs.append((ours, theirs))
            ratios = [a["tokens_per_second"] / b["tokens_per_second"] for a, b in pairs]
            middle = lambda i, key: statistics.median(p[i][key] for p in pairs)
            rows.append({
                "cell": cell, "size": size, "pool": pool, "threads": threads,
                "accrue_tokens_per_second": middle(0, "tokens_per_second"),
                "torch_tokens_per_second": middle(1, "tokens_per_second"),
                "ratio": statistics.median(ratios), "ratio_low": min(ratios), "ratio_high": max(ratios),
                "accrue_peak_bytes": middle(0, "peak_bytes"), "torch_peak_bytes": middle(1, "peak_bytes"),
                "rounds": options.rounds,
            })
            r = rows[-1]
            print(f"{cell:8} {size:10} {pool:5} {threads} threads  accrue {r['accrue_tokens_per_second']:>10,.0f}"
                  f"  torch {r['torch_tokens_per_second']:>10,.0f}  ratio {r['ratio']:.2f}"
                  f" ({r['ratio_low']:.2f}-{r['ratio_high']:.2f})", flush=True)

    cpu = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")),
               platform.processor())
    folder = Path("reports/bench")
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).with_columns(
        pl.lit(cpu).alias("machine"), pl.lit(torch.__version__).alias("torch")
    ).write_parquet(folder / "training.parquet")
    head = "| cell | size | readout | threads | accrue, tok/s | PyTorch, tok/s | ratio (range) | memory, MB |\n"
    lines = [head, "|---|---|---|---|---|---|---|---|\n"] + [
        f"| {r['cell']} | {r['size']} | {r['pool']} | {r['threads']} "
        f"| {r['accrue_tokens_per_second']:,.0f} | {r['torch_tokens_per_second']:,.0f} "
        f"| {r['ratio']:.2f} ({r['ratio_low']:.2f}–{r['ratio_high']:.2f}) "
        f"| {r['accrue_peak_bytes'] / 1e6:.0f} / {r['torch_peak_bytes'] / 1e6:.0f} |\n" for r in rows]
    note = f"\n{cpu}, PyTorch {torch.__version__}, median of {options.rounds} alternating rounds.\n"
    (folder / "training.md").write_text("".join(lines) + note)
    print(f"\n{folder / 'training.parquet'}\n{folder / 'training.md'}")


main()
