"""Slow points by joint Adam in PyTorch, beside a run's own.

    tests/peers/run tests/peers/fixed_points.py RUN [--steps 5000]

RUN is the folder of a finished run with a GRU. From 512 of its visited states, with
the run's first input held, q = 1/2 |F(h) - h|^2 is minimised jointly by Adam as the
field's standard finder does (learning rate halved when the loss stalls), then
re-evaluated in float64. The run's own figures are its stage `fixed_points`: two
inputs, every tolerance, proofs and spectra included.
"""

import argparse
import re
import time
from pathlib import Path

import numpy as np
import polars as pl
import torch
from safetensors.torch import load_file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    weights = load_file(options.run / "model.safetensors")
    own = pl.read_parquet(options.run / "tables/fixed_points.parquet")
    first = own["input"][0]
    vocabulary = pl.read_parquet(options.run / "tables/vocabulary.parquet")
    count = vocabulary["count"].to_numpy().astype(np.float64)
    share = {"mean": count / count.sum(), "uniform": np.full(len(count), 1 / len(count)), "zero": 0 * count}[first]
    embedding = weights.get("embedding.weight")
    x = torch.tensor(share) if embedding is None else torch.tensor(share) @ embedding.double()
    states = pl.read_parquet(options.run / "tables/states.parquet")["state"].to_list()
    chosen = np.random.default_rng(1).choice(len(states), min(512, len(states)), replace=False)
    seeds = torch.tensor(np.array([states[i] for i in chosen]))

    def cell(dtype):
        made = torch.nn.GRUCell(len(x), seeds.shape[1], dtype=dtype)
        names = {"weight_ih": "rnn.weight_ih_l0", "weight_hh": "rnn.weight_hh_l0", "bias_ih": "rnn.bias_ih_l0", "bias_hh": "rnn.bias_hh_l0"}
        made.load_state_dict({k: weights[v].to(dtype) for k, v in names.items()})
        return made.requires_grad_(False)

    step, inputs = cell(torch.float32), x.float().expand(len(seeds), -1)
    h = seeds.float().clone().requires_grad_(True)
    adam = torch.optim.Adam([h], lr=0.1)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.95, patience=2)
    begin = time.perf_counter()
    for _ in range(options.steps):
        adam.zero_grad(set_to_none=True)
        loss = 0.5 * ((step(inputs, h) - h) ** 2).sum(1).mean()
        loss.backward()
        adam.step()
        schedule.step(loss.item())
    spent = time.perf_counter() - begin
    exact = cell(torch.float64)
    end = h.detach().double()
    q = 0.5 * ((exact(x.expand(len(seeds), -1), end) - end) ** 2).sum(1).numpy()
    record = (options.run / "run.ron").read_text()
    stage = re.search(r'name: "fixed_points".*?seconds: ([\d.e-]+)', record, re.S)
    searches = pl.read_parquet(options.run / "tables/searches.parquet").filter(pl.col("input") == first)
    print(f"PyTorch, joint Adam, {len(seeds)} seeds, {options.steps} steps: {spent:.1f} s")
    print(f"  median q {np.median(q):.1e}; below 1e-6: {np.mean(q < 1e-6):.2f}, below 1e-12: {np.mean(q < 1e-12):.2f}")
    print(f"accrue, stage fixed_points (two inputs, proofs, spectra): {float(stage.group(1)):.2f} s")
    print(searches.select("tolerance", "seeds", "reached", "kept", "median_moved", "stalled", "too_far"))
    least = own.filter((pl.col("input") == first) & (pl.col("tolerance") == own["tolerance"].min()))
    print(f"  median q of the points below the smallest tolerance: {least['q'].median()}")


main()
