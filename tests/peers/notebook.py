"""A notebook's session on three bits of memory, and the published search on the same network.

    make bench-python

A GRU of 64 units is trained in torch to hold three bits. Then, from 1,024 states that it visits, the input held at zero:

* `accrue.fixed_points` on the module, with proofs, graph and figure;
* `accrue.find_fixed_points` on its step as a Python function, which is asked for all searches at once;
* the published search as its description has it: Adam on all states at once, minimising the mean of q = ½ Σ (F − h)²,
  float32, rate .1 that falls by 5 % where the loss stalls, until the mean or its change is below 1e-12, 5,000 steps at
  most; points nearer than 1e-3 are one; with --double the same in float64.

Prints seconds, points, and how many of the points that were proved each one found. Writes reports/bench/notebook.parquet.
"""

import argparse
import time
from pathlib import Path

import accrue
import numpy as np
import polars as pl
import torch

UNITS, STATES = 64, 1024


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.GRU(3, UNITS, batch_first=True)
        self.readout = torch.nn.Linear(UNITS, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.readout(h), h


def trained(steps):
    torch.manual_seed(0)
    net, task = Net(), accrue.tasks.memory(bits=3)
    adam = torch.optim.Adam(net.parameters(), 1e-2)
    schedule = torch.optim.lr_scheduler.ExponentialLR(adam, 0.01 ** (1 / steps))
    for step in range(steps):
        trials = task.draw(64, seed=step)
        loss = ((net(torch.tensor(trials.inputs))[0] - torch.tensor(trials.targets)) ** 2).mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
        schedule.step()
    with torch.no_grad():
        h = net(torch.tensor(task.draw(128, seed=0, split="test").inputs))[1]
    return net.eval(), h, loss.item()


def joint_adam(cell, begins, tolerance=1e-12, steps=5000):
    """States at the end, and the steps it took."""
    dtype = next(cell.parameters()).dtype
    x = torch.zeros(len(begins), 3, dtype=dtype)
    h = begins.to(dtype).clone().requires_grad_(True)
    adam = torch.optim.Adam([h], lr=0.1)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(adam, factor=0.95, patience=2)
    before = float("nan")
    for step in range(steps):
        adam.zero_grad(set_to_none=True)
        loss = 0.5 * ((cell(x, h) - h) ** 2).sum(1).mean()
        loss.backward()
        adam.step()
        now = loss.item()
        schedule.step(now)
        if now < tolerance or abs(now - before) < tolerance * 1e-3:
            break
        before = now
    return h.detach(), step + 1


def distinct(points, near=1e-3):
    kept = []
    for p in points:
        if all(np.linalg.norm(p - k) > near for k in kept):
            kept.append(p)
    return np.array(kept).reshape(-1, UNITS)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--steps", type=int, default=800, help="of training")
    parser.add_argument("--double", action="store_true", help="Adam in float64 too")
    parser.add_argument("--threads", type=int, default=1, help="of PyTorch; more were slower")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    # So small a network trains faster on one thread.
    torch.set_num_threads(1)
    begin = time.perf_counter()
    net, h, loss = trained(options.steps)
    torch.set_num_threads(options.threads)
    print(f"trained in {time.perf_counter() - begin:.1f} s, loss {loss:.5f}")
    cell = {}
    for dtype in (torch.float32, torch.float64):
        cell[dtype] = torch.nn.GRUCell(3, UNITS, dtype=dtype).requires_grad_(False)
        cell[dtype].load_state_dict({k.removesuffix("_l0"): v.to(dtype) for k, v in net.rnn.state_dict().items()})
    # The same starts for every search: visited states, a third with noise, a third mixtures.
    from accrue._search import _begins

    begins = _begins(h.reshape(-1, UNITS).double().numpy(), STATES, 0.5, True, 0)
    zero = torch.zeros(1, 3, dtype=torch.float64)
    f = lambda s: cell[torch.float64](zero.expand(len(s), 3), s)  # noqa: E731
    rows, proved = [], None
    for _ in range(options.rounds):
        clock = time.perf_counter()
        fp = accrue.fixed_points(
            net.rnn, states=h, inputs={"rest": [0, 0, 0]}, noise=0.5, mix=True, initial_states=STATES
        )
        found = time.perf_counter()
        connections = fp.connections()
        graph = time.perf_counter()
        fp.plot3d(trajectories=h[:20], color="index")
        drawn = time.perf_counter()
        print(
            f"{fp!r}; found and proved {found - clock:.2f} s, graph of {connections.height} saddles {graph - found:.2f} s, "
            f"figure {drawn - graph:.2f} s, all {drawn - clock:.2f} s"
        )
        proved = fp.states
        clock = time.perf_counter()
        native = accrue.find_fixed_points(net.rnn, begins)
        rows.append(("accrue, native with proofs", time.perf_counter() - clock, native.states))
        clock = time.perf_counter()
        function = accrue.find_fixed_points(f, torch.tensor(begins))
        rows.append(("accrue, Python function", time.perf_counter() - clock, function.states))
        for name, dtype in (("joint Adam, float32", torch.float32), ("joint Adam, float64", torch.float64))[
            : 1 + options.double
        ]:
            clock = time.perf_counter()
            ends, steps = joint_adam(cell[dtype], torch.tensor(begins))
            ends = ends.double()
            q = 0.5 * ((f(ends) - ends) ** 2).sum(1).numpy()
            points = distinct(ends.numpy()[q < 1e-9])
            rows.append((name, time.perf_counter() - clock, points))
            print(f"{name}: {steps} steps, median q {np.median(q):.1e}, {np.mean(q < 1e-9):.2f} of {STATES} below 1e-9")
    near = lambda points: (
        int((np.linalg.norm(proved[:, None] - points[None], axis=2).min(axis=1) < 1e-2).sum()) if len(points) else 0
    )  # noqa: E731
    table = pl.DataFrame([{"search": n, "seconds": s, "points": len(p), "of_proved": near(p)} for n, s, p in rows])
    table = table.group_by("search", maintain_order=True).agg(
        pl.col("seconds").median(),
        pl.col("seconds").min().alias("least"),
        pl.col("seconds").max().alias("most"),
        pl.col("points").last(),
        pl.col("of_proved").last(),
    )
    adam = table.filter(pl.col("search") == "joint Adam, float32")["seconds"].item()
    print(table.with_columns((adam / pl.col("seconds")).alias("times_faster_than_adam")))
    print(f"{len(proved)} points were proved; {STATES} initial states, {UNITS} units, PyTorch with {options.threads} threads")
    Path("reports/bench").mkdir(parents=True, exist_ok=True)
    table.write_parquet("reports/bench/notebook.parquet")


main()
