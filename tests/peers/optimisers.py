"""Meta-training in JAX and in accrue: the same work, alternating, in one run.

    cargo build --release --bench optimiser
    tests/peers/run tests/peers/optimisers.py PROGRAM [--seconds 10] [--rounds 3]

A GRU works on 64 random quadratics of 5 parameters for 201 steps; a step of training goes forward, back through the
whole run, and by Adam. JAX compiles it, with the scan's steps computed again on the way back (`jax.checkpoint`) and
without; the faster counts. Prints steps a second, and the median of the ratios of neighbouring runs with their range; the same
a second of processor time, which other work on the machine moves less.
"""

import argparse
import json
import resource
import statistics
import subprocess
import time

INNER, BATCH, SIZE = 201, 64, 5


def jax_run(units, seconds, again):
    import jax
    import jax.numpy as jnp

    key = jax.random.PRNGKey(1)
    k = jax.random.split(key, 3)
    theta = dict(
        a=jax.random.normal(k[0], (1, 3 * units)) / units**0.5,
        w=jax.random.normal(k[1], (units, 3 * units)) / units**0.5,
        bi=jnp.zeros(3 * units), bh=jnp.zeros(3 * units), h0=jnp.zeros(units), r=jnp.zeros(units), b=jnp.zeros(()),
    )

    def problems(key):
        one, two, three, four = jax.random.split(key, 4)
        q, _ = jnp.linalg.qr(jax.random.normal(one, (BATCH, SIZE, SIZE)))
        values = 10.0 ** jax.random.uniform(two, (BATCH, SIZE), minval=-3.0, maxval=0.0)
        h = jnp.einsum("bij,bj,bkj->bik", q, values, q)
        best = jnp.einsum("bij,bj,bkj,bk->bi", q, 1 / values, q, jax.random.normal(three, (BATCH, SIZE)))
        return h, jax.random.normal(four, (BATCH, SIZE)) + best

    def objective(theta, h, x):
        first = 0.5 * jnp.einsum("bi,bij,bj->b", x, h, x)

        def step(carry, _):
            x, state = carry
            g = jnp.einsum("bij,bj->bi", h, x)
            f = 0.5 * jnp.sum(g * x, 1)
            i = g[..., None] @ theta["a"] + theta["bi"]
            m = state @ theta["w"] + theta["bh"]
            r = jax.nn.sigmoid(i[..., :units] + m[..., :units])
            u = jax.nn.sigmoid(i[..., units:2 * units] + m[..., units:2 * units])
            c = jnp.tanh(i[..., 2 * units:] + r * m[..., 2 * units:])
            state = u * state + (1 - u) * c
            return (x + state @ theta["r"] + theta["b"], state), f

        state = jnp.broadcast_to(theta["h0"], (BATCH, SIZE, units))
        _, values = jax.lax.scan(jax.checkpoint(step) if again else step, (x, state), None, length=INNER)
        return jnp.mean(jnp.mean(values, 0) / first)

    @jax.jit
    def train(theta, m, v, k, key):
        value, g = jax.value_and_grad(objective)(theta, *problems(key))
        g = jax.tree.map(lambda g: jnp.clip(g, -1, 1), g)
        m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
        v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
        move = lambda x, m, v: x - 3e-3 * m / (1 - 0.9**k) / (jnp.sqrt(v / (1 - 0.999**k)) + 1e-8)
        return jax.tree.map(move, theta, m, v), m, v, value

    m = v = jax.tree.map(jnp.zeros_like, theta)
    theta, m, v, value = train(theta, m, v, 1.0, key)
    value.block_until_ready()
    began, used, steps = time.perf_counter(), time.process_time(), 0
    while time.perf_counter() - began < seconds:
        steps += 1
        theta, m, v, value = train(theta, m, v, steps + 1.0, jax.random.fold_in(key, steps))
        value.block_until_ready()
    return steps / (time.perf_counter() - began), steps / (time.process_time() - used)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--units", default="32,64")
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
            other = max(jax_run(units, given.seconds / 2, again) for again in (True, False))
            ours.append(own[0])
            theirs.append(other[0])
            ratios.append(own[0] / other[0])
            busy.append((own[1] / other[1], own[1], other[1]))
        middle = sorted(busy)[len(busy) // 2]
        print(f"GRU {units}: accrue {statistics.median(ours):.1f} steps/s, JAX {statistics.median(theirs):.1f}; "
              f"ratio {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {given.rounds} rounds); "
              f"a second of processor time {middle[1]:.1f} and {middle[2]:.1f}, ratio {middle[0]:.2f}", flush=True)


if __name__ == "__main__":
    main()
