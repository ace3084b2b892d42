"""Slow points by joint Adam in PyTorch, and by accrue from the same states.

    tests/peers/run tests/peers/fixed_points.py RUN [--steps 5000]

RUN is the folder of a finished run with a GRU and an embedding. From 512 of its visited
states, evenly spaced, with the mean input held, q = 1/2 |F(h) - h|^2 is minimised
jointly by Adam as the field's standard finder does (float32, learning rate lowered when
the loss stalls), then re-evaluated in float64; beside it accrue's search, down to
q = 1e-12. Alternating; writes reports/bench/fixed_points.parquet.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import load_file

SEEDS, ROUNDS = 512, 3


def joint_adam(cell, x, seeds, steps):
    """End states of a joint minimisation, and its seconds."""
    step, inputs = cell(torch.float32), x.float().expand(len(seeds), -1)
    h = seeds.float().clone().requires_grad_(True)
    adam = torch.optim.Adam([h], lr=0.1)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.95, patience=2)
    begin = time.perf_counter()
    for _ in range(steps):
        adam.zero_grad(set_to_none=True)
        loss = 0.5 * ((step(inputs, h) - h) ** 2).sum(1).mean()
        loss.backward()
        adam.step()
        schedule.step(loss.item())
    return h.detach().double(), time.perf_counter() - begin


def newest():
    target = json.loads(subprocess.check_output(
        ["cargo", "metadata", "--format-version", "1", "--no-deps"]))["target_directory"]
    return max(Path(target, "release/deps").glob("analysis-*[!d]"), key=os.path.getmtime)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    weights = load_file(options.run / "model.safetensors")
    count = pl.read_parquet(options.run / "tables/vocabulary.parquet")["count"].to_numpy().astype(np.float64)
    x = torch.tensor(count / count.sum()) @ weights["embedding.weight"].double()
    states = pl.read_parquet(options.run / "tables/states.parquet")["state"].to_list()
    many = min(SEEDS, len(states))
    seeds = torch.tensor(np.array([states[i * len(states) // many] for i in range(many)]))

    def cell(dtype):
        made = torch.nn.GRUCell(len(x), seeds.shape[1], dtype=dtype)
        names = {"weight_ih": "rnn.weight_ih_l0", "weight_hh": "rnn.weight_hh_l0", "bias_ih": "rnn.bias_ih_l0", "bias_hh": "rnn.bias_hh_l0"}
        made.load_state_dict({k: weights[v].to(dtype) for k, v in names.items()})
        return made.requires_grad_(False)

    rows, exact = [], cell(torch.float64)
    for _ in range(ROUNDS):
        here = json.loads(subprocess.check_output([newest(), str(options.threads), "search", options.run]))
        end, seconds = joint_adam(cell, x, seeds, options.steps)
        q = 0.5 * ((exact(x.expand(many, -1), end) - end) ** 2).sum(1).numpy()
        moved = (end - seeds).norm(dim=1).numpy()
        for name, took, q, moved in (("accrue", here["seconds"], np.array(here["q"]), np.array(here["moved"])),
                                     ("PyTorch, joint Adam", seconds, q, moved)):
            rows.append({"finder": name, "seconds": took, "median_q": float(np.median(q)),
                         "below_1e-6": float(np.mean(q < 1e-6)), "below_1e-12": float(np.mean(q < 1e-12)),
                         "median_moved": float(np.median(moved)), "seeds": many})
    table = pl.DataFrame(rows)
    out = Path("reports/bench")
    out.mkdir(parents=True, exist_ok=True)
    table.write_parquet(out / "fixed_points.parquet")
    print(table.group_by("finder", maintain_order=True).median().drop("seeds"))
    of = lambda name: [r["seconds"] for r in rows if r["finder"].startswith(name)]
    ratios = [b / a for a, b in zip(of("accrue"), of("PyTorch"))]
    print(f"{many} seeds, {seeds.shape[1]} units: {statistics.median(ratios):.0f} times faster ({min(ratios):.0f}-{max(ratios):.0f})")


main()
