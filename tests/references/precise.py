"""F and its Jacobian at 50 digits for every cell, to check the rounding bounds.

    python tests/references/precise.py > tests/references/precise.json   (needs mpmath)

Each number is stored as two float64, the nearest and what is left over.
Jacobians are central differences with a step of 1e-18 at 50 digits.
"""

import json
import random
from mpmath import mp, mpf, tanh, exp

mp.dps = 50
random.seed(7)
N, INPUTS, SCALE = 6, 3, 3.0
GATES = {
    "Vanilla": 1, "Ugrnn": 2, "Gru": 3, "GruResetBefore": 3, "Lstm": 4,
    "UgrnnRelu": 2, "GruRelu": 3, "GruResetBeforeRelu": 3, "LstmRelu": 4,
}
sigma = lambda z: 1 / (1 + exp(-z))
rectified = lambda z: max(z, mpf(0))


def step(kind, p, state):
    n = N
    h = state[:n]
    a = lambda g: [p["b_ih"][g * n + i] + sum(p["a"][(g * n + i) * INPUTS + k] * p["x"][k] for k in range(INPUTS)) for i in range(n)]
    w = lambda g, v: [p["b_hh"][g * n + i] + sum(p["w"][(g * n + i) * n + k] * v[k] for k in range(n)) for i in range(n)]
    add = lambda x, y: [s + t for s, t in zip(x, y)]
    gate = lambda g, f: [f(z) for z in add(a(g), w(g, h))]
    # Gates and the LSTM's tanh(c) are the same in both; the candidate alone is rectified.
    phi = rectified if kind.endswith("Relu") else tanh
    kind = kind.removesuffix("Relu")
    mix = lambda u, c: [u[i] * h[i] + (1 - u[i]) * c[i] for i in range(n)]
    if kind == "Vanilla":
        return gate(0, tanh)
    if kind == "Ugrnn":
        return mix(gate(0, sigma), gate(1, phi))
    if kind == "Gru":
        r, u, wc = gate(0, sigma), gate(1, sigma), w(2, h)
        return mix(u, [phi(z) for z in add(a(2), [x * y for x, y in zip(r, wc)])])
    if kind == "GruResetBefore":
        r, u = gate(0, sigma), gate(1, sigma)
        return mix(u, [phi(z) for z in add(a(2), w(2, [x * y for x, y in zip(r, h)]))])
    i, f, g, o = gate(0, sigma), gate(1, sigma), gate(2, phi), gate(3, sigma)
    c = [f[k] * state[n + k] + i[k] * g[k] for k in range(n)]
    return [o[k] * tanh(c[k]) for k in range(n)] + c


def pair(x):
    high = float(x)
    return [high, float(x - mpf(high))]


cells = []
for kind, gates in GATES.items():
    rows, size = gates * N, 2 * N if kind.startswith("Lstm") else N
    draw = lambda n: [random.uniform(-1, 1) for _ in range(n)]
    # Large weights, as trained networks have them.
    p = {"a": draw(rows * INPUTS), "w": [SCALE * v for v in draw(rows * N)], "b_ih": draw(rows), "b_hh": draw(rows), "x": draw(INPUTS)}
    state = draw(size)
    exact = {k: [mpf(v) for v in vs] for k, vs in p.items()}
    at = [mpf(v) for v in state]
    eps = mpf(10) ** -18
    columns = []
    for j in range(size):
        up, down = list(at), list(at)
        up[j] += eps
        down[j] -= eps
        columns.append([(s - t) / (2 * eps) for s, t in zip(step(kind, exact, up), step(kind, exact, down))])
    cells.append({
        "kind": kind, "units": N, "inputs": INPUTS, **p, "state": state,
        "next": [pair(v) for v in step(kind, exact, at)],
        # Row by row.
        "jacobian": [[pair(columns[j][i]) for j in range(size)] for i in range(size)],
    })
print(json.dumps(cells))
