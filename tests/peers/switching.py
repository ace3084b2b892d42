"""A JSLDS in JAX (arXiv 2111.01256): steps a second of training on three bits of memory, and its peak memory.

    python tests/peers/switching.py [units] [batch] [seconds]

The equations are those of pipeline/switching: a GRU that resets after its product, two tanh layers of the expansion
network, all four terms of the loss, Adam with clip. Jacobian products are forward-mode derivatives inside a reverse-mode
gradient, as in the paper's own code. Prints JSON: steps_per_second, peak_bytes.
"""

import json
import resource
import sys
import time

import jax
import jax.numpy as jnp
import numpy as np

UNITS = int(sys.argv[1]) if len(sys.argv) > 1 else 100
BATCH = int(sys.argv[2]) if len(sys.argv) > 2 else 256
SECONDS = float(sys.argv[3]) if len(sys.argv) > 3 else 20.0
STEPS, INPUTS, OUTPUTS, LAYERS = 25, 6, 3, 2
L_RNN, L_JSLDS, L_E, L_A = 3.0, 1.0, 100.0, 10.0


def start():
    rng = np.random.default_rng(1)
    n = UNITS
    return {
        "w": jnp.array(rng.normal(size=(3 * n, n)) * 0.9 / np.sqrt(n), jnp.float32),
        "a": jnp.array(rng.normal(size=(3 * n, INPUTS)) / np.sqrt(INPUTS), jnp.float32),
        "b_ih": jnp.zeros(3 * n),
        "b_hh": jnp.zeros(3 * n),
        "h0": jnp.array(rng.normal(size=n) * 0.1, jnp.float32),
        "r": jnp.array(rng.normal(size=(OUTPUTS, n)) / np.sqrt(n), jnp.float32),
        "rb": jnp.zeros(OUTPUTS),
        "m": [(jnp.zeros((n, n)), jnp.zeros(n)) for _ in range(LAYERS)],
    }


def cell(p, h, u):
    n = UNITS
    a, w = u @ p["a"].T + p["b_ih"], h @ p["w"].T + p["b_hh"]
    r = jax.nn.sigmoid(a[:, :n] + w[:, :n])
    z = jax.nn.sigmoid(a[:, n : 2 * n] + w[:, n : 2 * n])
    c = jnp.tanh(a[:, 2 * n :] + r * w[:, 2 * n :])
    return z * h + (1 - z) * c


def expand(p, a):
    for w, b in p["m"]:
        a = jnp.tanh(a + a @ w.T + b)
    return a


def loss(p, inputs, targets, mask):
    rest = jnp.zeros((BATCH, INPUTS))

    def step(carry, u):
        h, a = carry
        h = cell(p, h, u)
        e = expand(p, a)
        value, tangent = jax.jvp(lambda e, u: cell(p, e, u), (e, rest), (a - e, u - rest))
        a = e + tangent
        return (h, a), (h, a, e, value)

    h0 = jnp.broadcast_to(p["h0"], (BATCH, UNITS))
    _, (h, a, e, value) = jax.lax.scan(step, (h0, h0), inputs)
    out = lambda s: s @ p["r"].T + p["rb"]
    count = mask.sum() * BATCH * OUTPUTS
    squared = lambda o: (mask[:, None, None] * (o - targets) ** 2).sum() / count
    return (
        L_RNN * squared(out(h))
        + L_JSLDS * squared(out(a))
        + L_E * ((e - value) ** 2).mean()
        + L_A * ((a - h) ** 2).mean()
    )


@jax.jit
def train(p, m, v, k, inputs, targets, mask):
    value, g = jax.value_and_grad(loss)(p, inputs, targets, mask)
    norm = jnp.sqrt(sum((x**2).sum() for x in jax.tree.leaves(g)))
    g = jax.tree.map(lambda x: x * jnp.minimum(1.0, 10.0 / norm), g)
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g**2, v, g)
    rate = 0.02 * 0.9999**k / (1 - 0.9 ** (k + 1))
    root = 1 / jnp.sqrt(1 - 0.999 ** (k + 1))
    p = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) * root + 0.1), p, m, v)
    return p, m, v, value


def batch(rng):
    pulses = rng.integers(-1, 2, size=(STEPS, BATCH, OUTPUTS))
    inputs = np.zeros((STEPS, BATCH, OUTPUTS, 2), np.float32)
    inputs[..., 0], inputs[..., 1] = pulses < 0, pulses > 0
    targets, held = np.empty((STEPS, BATCH, OUTPUTS), np.float32), -np.ones((BATCH, OUTPUTS))
    for t in range(STEPS):
        held = np.where(pulses[t] == 0, held, pulses[t])
        targets[t] = held
    return inputs.reshape(STEPS, BATCH, INPUTS), targets


p = start()
m, v = jax.tree.map(jnp.zeros_like, p), jax.tree.map(jnp.zeros_like, p)
mask = jnp.array([0.0] * 5 + [1.0] * (STEPS - 5))
rng = np.random.default_rng(2)
x, y = batch(rng)
for k in range(3):
    p, m, v, value = train(p, m, v, float(k), x, y, mask)
jax.block_until_ready(value)
began, steps = time.perf_counter(), 0
while time.perf_counter() - began < SECONDS:
    x, y = batch(rng)
    p, m, v, value = train(p, m, v, float(steps + 3), x, y, mask)
    jax.block_until_ready(value)
    steps += 1
seconds = time.perf_counter() - began
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"steps_per_second": steps / seconds, "peak_bytes": peak, "loss": float(value)}))
