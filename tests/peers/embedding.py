"""Training a meta-model in PyTorch and in accrue: the same work, alternating, in one run.

    cargo build --release -p accrue-embedding --example speed
    tests/peers/run tests/peers/embedding.py target/release/examples/speed [--seconds 10] [--rounds 3]

24 base models (12 with 24 units, 12 with 32) on 16 phrases of 20 words a step, three classes, a θ of two numbers. PyTorch's GRU
reads the word's vector with θ beside it, which is the same as gate biases `b + Cθ`; all base models go through it as one batch,
and through their linear maps in one batched product, padded to 32 units. A step of training goes forward, back, and by Adam.
Prints steps a second, and the median of the ratios of neighbouring runs with their range; the same a second of processor time,
which other work on the machine moves less.
"""

import argparse
import json
import resource
import statistics
import subprocess
import time

MODELS, PHRASES, LENGTH, WORDS, CLASSES, WIDTH = 24, 16, 20, 4, 3, 32


def torch_run(units, threads, seconds):
    import torch
    import torch.nn.functional as f

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    gru = torch.nn.GRU(WORDS + 2, units)
    theta = torch.nn.Parameter(0.1 * torch.randn(MODELS, 2))
    maps = torch.nn.Parameter(torch.randn(MODELS, units, WIDTH) / units**0.5)
    offsets = torch.nn.Parameter(torch.zeros(MODELS, 1, WIDTH))
    start = torch.nn.Parameter(torch.zeros(units))
    readout = torch.nn.Linear(units, CLASSES)
    parameters = [*gru.parameters(), theta, maps, offsets, start, *readout.parameters()]
    adam = torch.optim.Adam(parameters, lr=1e-3)
    used = torch.ones(MODELS, 1, 1, WIDTH)
    used[:MODELS // 2, :, :, 24:] = 0
    words = f.one_hot(torch.randint(WORDS, (512, LENGTH)), WORDS).float()
    states = torch.rand(MODELS, 512, LENGTH, WIDTH) - 0.5
    outputs = torch.full((MODELS, 512, LENGTH, CLASSES), 1 / 3)

    def step(k):
        chosen = torch.arange(PHRASES) + PHRASES * (k % (512 // PHRASES))
        x = words[chosen].transpose(0, 1)[:, None].expand(LENGTH, MODELS, PHRASES, WORDS)
        t = theta[None, :, None].expand(LENGTH, MODELS, PHRASES, 2)
        x = torch.cat([x, t], -1).reshape(LENGTH, MODELS * PHRASES, WORDS + 2)
        h, _ = gru(x, start.expand(1, MODELS * PHRASES, units).contiguous())
        h = h.reshape(LENGTH, MODELS, PHRASES, units).permute(1, 2, 0, 3).reshape(MODELS, PHRASES * LENGTH, units)
        seen = (torch.baddbmm(offsets, h, maps)).reshape(MODELS, PHRASES, LENGTH, WIDTH)
        missed = (used * (seen - states[:, chosen])).square().sum(-1).mean()
        said = f.log_softmax(readout(h), -1).reshape(MODELS, PHRASES, LENGTH, CLASSES)
        off = f.kl_div(said, outputs[:, chosen], reduction="none").sum(-1).mean()
        adam.zero_grad()
        loss = missed + off
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        adam.step()

    for k in range(3):
        step(k)
    began, used_time, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        step(steps)
        steps += 1
    return steps / (time.perf_counter() - began), steps / (time.process_time() - used_time)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--units", default="64")
    given = parser.parse_args()
    for units in map(int, given.units.split(",")):
        ratios, busy, ours, theirs = [], [], [], []
        for _ in range(given.rounds):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            told = subprocess.run([given.program, str(units), str(given.threads), str(given.seconds)],
                                  check=True, capture_output=True, text=True).stdout
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            told = json.loads(told)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            own = told["steps_per_second"], told["steps"] / used
            other = torch_run(units, given.threads, given.seconds)
            ours.append(own[0])
            theirs.append(other[0])
            ratios.append(own[0] / other[0])
            busy.append((own[1] / other[1], own[1], other[1]))
        middle = sorted(busy)[len(busy) // 2]
        print(f"GRU {units}: accrue {statistics.median(ours):.1f} steps/s, PyTorch {statistics.median(theirs):.1f}; "
              f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {given.rounds} rounds); "
              f"a second of processor time {middle[1]:.1f} and {middle[2]:.1f}, ratio {middle[0]:.2f}", flush=True)


if __name__ == "__main__":
    main()
