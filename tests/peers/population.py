"""Training a population of networks on three bits of memory, in JAX (vmap over networks) and in accrue, alternating in one run.

    cargo build --release --bench population
    tests/peers/run tests/peers/population.py PROGRAM [--rounds 3] [--seconds 8] [--networks 16]

64 units, 64 steps, batches of 128, a loss at every step, Adam. Tokens are network × trial × step. JAX compiles one step for all
networks together, and the same one network after another; the faster counts.
"""

import argparse
import json
import statistics
import subprocess
import time

STEPS, BATCH, UNITS, BITS = 64, 128, 64, 3


def jax_run(cell, networks, seconds, together):
    import jax
    import jax.numpy as jnp

    gates = 3 if cell == "Gru" else 1

    def new(key):
        k = jax.random.split(key, 3)
        scale = UNITS**-0.5
        return dict(
            a=jax.random.normal(k[0], (BITS, gates * UNITS)) * scale,
            w=jax.random.normal(k[1], (UNITS, gates * UNITS)) * scale,
            r=jax.random.normal(k[2], (UNITS, BITS)) * scale,
            bi=jnp.zeros(gates * UNITS), bh=jnp.zeros(gates * UNITS), b=jnp.zeros(BITS),
        )

    def step(theta, h, x):
        i, m = x @ theta["a"] + theta["bi"], h @ theta["w"] + theta["bh"]
        if gates == 1:
            return jnp.tanh(i + m)
        n = UNITS
        r, u = jax.nn.sigmoid(i[:, :n] + m[:, :n]), jax.nn.sigmoid(i[:, n:2 * n] + m[:, n:2 * n])
        return u * h + (1 - u) * jnp.tanh(i[:, 2 * n:] + r * m[:, 2 * n:])

    def loss(theta, x, y):
        def body(h, x):
            h = step(theta, h, x)
            return h, h @ theta["r"] + theta["b"]

        _, said = jax.lax.scan(body, jnp.zeros((BATCH, UNITS)), x)
        return jnp.mean((said - y) ** 2)

    def train(theta, m, v, k, x, y):
        g = jax.grad(loss)(theta, x, y)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        move = lambda t, m, v: t - 0.005 * m / (1 - 0.9**k) / (jnp.sqrt(v / (1 - 0.999**k)) + 1e-8)
        return jax.tree.map(move, theta, m, v), m, v

    keys = jax.random.split(jax.random.PRNGKey(1), networks)
    x = (jax.random.uniform(jax.random.PRNGKey(2), (STEPS, BATCH, BITS)) < 0.2).astype(jnp.float32)
    y = jnp.sign(jnp.cumsum(x, 0) - 0.5)
    if together:
        work = jax.jit(jax.vmap(train, in_axes=(0, 0, 0, None, None, None)))
        theta = jax.vmap(new)(keys)
    else:
        work = jax.jit(train)
        theta = new(keys[0])
    m = v = jax.tree.map(jnp.zeros_like, theta)
    theta, m, v = jax.block_until_ready(work(theta, m, v, 1.0, x, y))
    began, steps = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        steps += 1
        theta, m, v = jax.block_until_ready(work(theta, m, v, steps + 1.0, x, y))
    return steps * STEPS * BATCH * (networks if together else 1) / (time.perf_counter() - began)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--networks", type=int, default=16)
    given = parser.parse_args()
    for cell in ("Gru", "Vanilla"):
        ratios = []
        for _ in range(given.rounds):
            command = [given.program, cell, str(given.networks), str(UNITS), "2", str(given.seconds)]
            ours = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)["tokens_per_second"]
            theirs = max(jax_run(cell, given.networks, given.seconds, t) for t in (True, False))
            ratios.append(ours / theirs)
            print(f"{cell}: accrue {ours:,.0f}, JAX {theirs:,.0f} tokens/s, ratio {ours / theirs:.2f}", flush=True)
        print(f"  median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})", flush=True)


if __name__ == "__main__":
    main()
