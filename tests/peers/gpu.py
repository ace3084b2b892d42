"""Training on a GPU in PyTorch (cuDNN) and in accrue: the same work, alternating, in one run.

    make bench-cuda

Each case runs embedding, recurrent layer, mean of the states, readout, backward, clip by global norm
and Adam. PyTorch is timed by device events, accrue by the wall clock, its waits included; both with exact
products (f32) and with operands rounded to tf32 and bf16 (PyTorch: autocast). The grid trains
256 networks of 128 units: accrue together, PyTorch one after another. Writes
reports/bench/cuda.parquet and cuda.md.
"""

import argparse
import json
import os
import statistics
import subprocess
from pathlib import Path

CARD = {
    "grid": dict(units=128, inputs=0, batch=64, tokens=50, vocabulary=20, zipf=False),
    "64x256x256": dict(units=256, inputs=128, batch=64, tokens=256, vocabulary=20000, zipf=True),
    "256x256x256": dict(units=256, inputs=128, batch=256, tokens=256, vocabulary=20000, zipf=True),
    "64x1024x512": dict(units=512, inputs=128, batch=64, tokens=1024, vocabulary=20000, zipf=True),
}


# accrue's products beside PyTorch's. PyTorch rounds to tf32 unless told otherwise.
PAIRS = [("F32", "f32"), ("F32", "tf32"), ("Tf32", "tf32"), ("Bf16", "bf16")]


class Torch:
    """The same network in PyTorch on the first card."""

    def __init__(self, cell, size, pool):
        import torch
        from torch import nn

        torch.manual_seed(1)
        s, card = CARD[size], torch.device("cuda")
        width = s["inputs"] or s["vocabulary"]
        rnn = {"Gru": nn.GRU, "Lstm": nn.LSTM}[cell](width, s["units"], batch_first=True).to(card)
        embed = nn.Embedding(s["vocabulary"], s["inputs"]).to(card) if s["inputs"] else None
        readout = nn.Linear(s["units"], 2).to(card)
        parameters = [p for m in (rnn, embed, readout) if m is not None for p in m.parameters()]
        adam = torch.optim.Adam(parameters, lr=1e-3, fused=True)
        loss = nn.CrossEntropyLoss()
        ranks = torch.arange(1, s["vocabulary"] + 1, dtype=torch.float64)
        shares = 1 / ranks if s["zipf"] else torch.ones_like(ranks)
        words = torch.multinomial(shares, 16 * s["batch"] * s["tokens"], replacement=True)
        words = words.reshape(16, s["batch"], s["tokens"])
        classes = torch.randint(0, 2, (16, s["batch"]))

        def step(i):
            # Batches come from the processor, as in accrue.
            x, y = words[i].to(card), classes[i].to(card)
            x = embed(x) if embed is not None else nn.functional.one_hot(x, width).float()
            adam.zero_grad(set_to_none=True)
            with torch.autocast("cuda", torch.bfloat16, enabled=self.rounds_to_bf16):
                states, _ = rnn(x)
                pooled = states.mean(1) if pool == "Mean" else states[:, -1]
                cost = loss(readout(pooled), y)
            cost.backward()
            nn.utils.clip_grad_norm_(parameters, 10.0)
            adam.step()

        self.step, self.torch, self.tokens = step, torch, s["batch"] * s["tokens"]

    def measure(self, precision, seconds):
        torch = self.torch
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = precision != "f32"
        self.rounds_to_bf16 = precision == "bf16"
        for i in range(4):
            self.step(i)
        spent, steps = 0.0, 0
        while spent < seconds:
            begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
            torch.cuda.synchronize()
            begin.record()
            for i in range(16):
                self.step(i)
            end.record()
            torch.cuda.synchronize()
            spent += begin.elapsed_time(end) / 1e3
            steps += 16
        return {"tokens_per_second": steps * self.tokens / spent, "network_steps_per_second": steps / spent}


def measure(command):
    """What accrue's measurement prints, by precision."""
    lines = subprocess.check_output(list(map(str, command))).splitlines()
    return {found["precision"]: found for found in map(json.loads, lines)}


def newest_peer():
    target = json.loads(subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"]))["target_directory"]
    found = [p for p in Path(target, "release", "deps").glob("peer-*") if p.suffix == ""]
    return max(found, key=lambda p: p.stat().st_mtime)


def write(rows, folder):
    columns = {key: [r[key] for r in rows] for key in rows[0]}
    try:
        import polars
        polars.DataFrame(columns).write_parquet(folder / "cuda.parquet")
    except ImportError:
        import pyarrow, pyarrow.parquet
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / "cuda.parquet")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--sizes", nargs="+", choices=CARD, default=list(CARD))
    parser.add_argument("--out", type=Path, default=Path("reports/bench"))
    options = parser.parse_args()

    import torch

    peer, rows = os.environ.get("ACCRUE_PEER") or newest_peer(), []
    card = torch.cuda.get_device_name()
    for size in options.sizes:
        for cell in ("Gru", "Lstm"):
            grid = size == "grid"
            pool, unit = ("Last", "network_steps_per_second") if grid else ("Mean", "tokens_per_second")
            pairs = {pair: [] for pair in PAIRS}
            torch_network = Torch(cell, size, pool)
            for _ in range(options.rounds):
                name = f"grid-256-{cell}" if grid else cell
                ours = measure([peer, name, size, pool, os.cpu_count(), options.seconds, "cuda", "F32,Tf32,Bf16"])
                theirs = {p: torch_network.measure(p, options.seconds) for p in ("f32", "tf32", "bf16")}
                for (mine, other), all in pairs.items():
                    all.append((ours[mine][unit], theirs[other][unit]))
            for (mine, precision), all in pairs.items():
                ratios = [a / b for a, b in all]
                rows.append({
                    "cell": cell, "size": size, "unit": unit,
                    "precision": mine.lower(), "torch_precision": precision,
                    "accrue": statistics.median(a for a, _ in all), "torch": statistics.median(b for _, b in all),
                    "ratio": statistics.median(ratios), "ratio_low": min(ratios), "ratio_high": max(ratios),
                    "rounds": options.rounds, "machine": card, "torch_version": torch.__version__,
                    "cudnn_version": str(torch.backends.cudnn.version()),
                })
                r = rows[-1]
                print(f"{cell:5} {size:12} {unit:24} accrue {mine:4} {r['accrue']:>12,.0f}  torch {precision:4} {r['torch']:>12,.0f}"
                      f"  ratio {r['ratio']:.2f} ({r['ratio_low']:.2f}-{r['ratio_high']:.2f})", flush=True)

    options.out.mkdir(parents=True, exist_ok=True)
    write(rows, options.out)
    lines = ["| cell | size | unit | accrue | precision | PyTorch | precision | ratio (range) |\n",
             "|---|---|---|---|---|---|---|---|\n"] + [
        f"| {r['cell']} | {r['size']} | {r['unit'].replace('_', ' ')} | {r['accrue']:,.0f} | {r['precision']} | {r['torch']:,.0f} "
        f"| {r['torch_precision']} | {r['ratio']:.2f} ({r['ratio_low']:.2f}–{r['ratio_high']:.2f}) |\n" for r in rows]
    note = f"\n{card}, PyTorch {torch.__version__}, cuDNN {torch.backends.cudnn.version()}, median of {options.rounds} alternating rounds.\n"
    (options.out / "cuda.md").write_text("".join(lines) + note)


main()
