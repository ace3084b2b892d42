"""Worth and meta-gradient of a small learned optimiser, by JAX in f64: tests/references/optimisers.json.

The gradient goes back through the whole run, gradients of the inner gradients included.

    python tests/references/optimisers.py
"""
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

jax.config.update("jax_enable_x64", True)
UNITS, STEPS = 4, 25


def run(theta, curvature, start):
    """mean_t f(x_t)/f(x_0) for f(x) = x'Hx/2, a GRU as PyTorch's on each parameter."""
    a, w, b_ih, b_hh, h0, readout, bias = theta
    loss = lambda x: 0.5 * x @ curvature @ x

    def cell(h, g):
        i, k = a @ g[None] + b_ih, w @ h + b_hh
        r, u = jax.nn.sigmoid(i[:UNITS] + k[:UNITS]), jax.nn.sigmoid(i[UNITS:2 * UNITS] + k[UNITS:2 * UNITS])
        c = jnp.tanh(i[2 * UNITS:] + r * k[2 * UNITS:])
        return u * h + (1 - u) * c

    x, h, values = start, jnp.tile(h0, (len(start), 1)), []
    for t in range(STEPS):
        values.append(loss(x))
        if t + 1 < STEPS:
            h = jax.vmap(cell)(h, jax.grad(loss)(x))
            x = x + h @ readout + bias
    return jnp.mean(jnp.array(values)) / values[0]


def main():
    random = np.random.default_rng(7)
    # Weights that f32 holds exactly.
    draw = lambda *shape: np.float64(np.float32(0.5 * random.standard_normal(shape)))
    theta = [draw(3 * UNITS, 1), draw(3 * UNITS, UNITS), draw(3 * UNITS), draw(3 * UNITS), draw(UNITS), draw(UNITS),
             draw(1)[0] * 0.1]
    theta[-1] = np.float64(np.float32(theta[-1]))
    root = draw(3, 3)
    curvature = np.float64(np.float32(root @ root.T + 0.1 * np.eye(3)))
    start = draw(3) * 4
    value, gradient = jax.value_and_grad(run)(theta, curvature, start)
    flat = lambda parts: [float(x) for part in parts for x in np.ravel(part)]
    result = dict(units=UNITS, steps=STEPS, parameters=flat(theta), curvature=flat([curvature]), start=flat([start]),
                  worth=float(value), gradient=flat(gradient))
    path = Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(result) + "\n")
    print(path, float(value))


if __name__ == "__main__":
    main()
