"""Numbers of PyTorch for every cell: states, gradients, Jacobians.

Run with PyTorch 2 in a virtual environment of its own:

    python tests/references/cells.py > tests/references/cells.json

tanh, ReLU, GRU and LSTM go through torch.nn, whose code shares nothing with
ours. UGRNN, the GRU that resets before the product and the four cells with a
rectified candidate, which torch.nn does not have, are written here from their
equations and differentiated by autograd; with tanh in place of the rectifier
the GRU and the LSTM written here are torch.nn's, which is asserted. All in
float64.
"""

import json
import torch
from torch import nn

torch.manual_seed(2010)
torch.set_default_dtype(torch.float64)
UNITS, INPUTS, VOCABULARY, LENGTHS = 5, 3, 6, [4, 2, 1]
GATES = {
    "Vanilla": 1, "VanillaRelu": 1, "Ugrnn": 2, "Gru": 3, "GruResetBefore": 3, "Lstm": 4,
    "UgrnnRelu": 2, "GruRelu": 3, "GruResetBeforeRelu": 3, "LstmRelu": 4,
}
WRITTEN_HERE = ("Ugrnn", "GruResetBefore", "UgrnnRelu", "GruRelu", "GruResetBeforeRelu", "LstmRelu")


def ours(kind, x, h, a, w, b_ih, b_hh):
    """One step of a cell from its equations."""
    n = UNITS
    ax = a @ x + b_ih
    bent = torch.relu if kind.endswith("Relu") else torch.tanh
    kind = kind.removesuffix("Relu")
    if kind == "Lstm":
        h, c = h[:n], h[n:]
        i, f, g, o = (ax + w @ h + b_hh).split(n)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * bent(g)
        return torch.cat([torch.sigmoid(o) * torch.tanh(c), c])
    if kind == "Gru":
        wh = w @ h + b_hh
        r, z = torch.sigmoid(ax[:n] + wh[:n]), torch.sigmoid(ax[n : 2 * n] + wh[n : 2 * n])
        return z * h + (1 - z) * bent(ax[2 * n :] + r * wh[2 * n :])
    if kind == "Ugrnn":
        wh = w @ h + b_hh
        u = torch.sigmoid(ax[:n] + wh[:n])
        return u * h + (1 - u) * bent(ax[n:] + wh[n:])
    gates = w[: 2 * n] @ h + b_hh[: 2 * n]
    r = torch.sigmoid(ax[:n] + gates[:n])
    u = torch.sigmoid(ax[n : 2 * n] + gates[n:])
    c = bent(ax[2 * n :] + w[2 * n :] @ (r * h) + b_hh[2 * n :])
    return u * h + (1 - u) * c


def module(kind, a, w, b_ih, b_hh):
    """torch.nn's cell with these weights."""
    made = {
        "Vanilla": lambda: nn.RNN(INPUTS, UNITS),
        "VanillaRelu": lambda: nn.RNN(INPUTS, UNITS, nonlinearity="relu"),
        "Gru": lambda: nn.GRU(INPUTS, UNITS),
        "Lstm": lambda: nn.LSTM(INPUTS, UNITS),
    }[kind]()
    names = ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    made.load_state_dict(dict(zip(names, [a, w, b_ih, b_hh])))
    return made


def run(kind, cell, x, state):
    """States after every token; [h; c] for the LSTM."""
    if kind in WRITTEN_HERE:
        states = []
        for token in x:
            state = ours(kind, token, state, *cell)
            states.append(state)
        return torch.stack(states)
    states = []
    for token in x:
        one = token.reshape(1, 1, -1)
        if kind == "Lstm":
            h, c = state[:UNITS], state[UNITS:]
            _, (h, c) = cell(one, (h.reshape(1, 1, -1), c.reshape(1, 1, -1)))
            state = torch.cat([h.flatten(), c.flatten()])
        else:
            _, h = cell(one, state.reshape(1, 1, -1))
            state = h.flatten()
        states.append(state)
    return torch.stack(states)


def reference(kind):
    rows = GATES[kind] * UNITS
    size = 2 * UNITS if kind.startswith("Lstm") else UNITS
    # Drawn in float32, so that our float32 operation starts from the same numbers.
    draw = lambda *shape: (torch.rand(*shape, dtype=torch.float32).double() * 2 - 1)
    a, w, b_ih, b_hh = draw(rows, INPUTS), draw(rows, UNITS), draw(rows), draw(rows)
    vectors, initial = draw(VOCABULARY, INPUTS), draw(size) / 2
    probe = draw(len(LENGTHS), size)
    sequences = [torch.randint(0, VOCABULARY, (n,)).tolist() for n in LENGTHS]
    for leaf in (vectors, initial):
        leaf.requires_grad_(True)
    if kind in WRITTEN_HERE:
        cell = [p.requires_grad_(True) for p in (a, w, b_ih, b_hh)]
        parameters = cell
    else:
        cell = module(kind, a, w, b_ih, b_hh)
        parameters = [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0]
        if kind in ("Gru", "Lstm"):
            here = ours(kind, vectors[0], initial, a, w, b_ih, b_hh)
            assert torch.allclose(here, run(kind, cell, vectors[:1], initial)[0], rtol=0, atol=1e-14), kind
    last = torch.stack([run(kind, cell, vectors[s], initial)[-1] for s in sequences])
    (last * probe).sum().backward()
    flat = lambda tensors: torch.cat([t.flatten() for t in tensors]).tolist()
    x, h = vectors.detach()[1], initial.detach()
    step = lambda h, x: run(kind, cell, x.reshape(1, -1), h)[-1]
    of_state, of_input = torch.autograd.functional.jacobian(step, (h, x))
    return {
        "kind": kind,
        "units": UNITS,
        "inputs": INPUTS,
        "vocabulary": VOCABULARY,
        "sequences": sequences,
        "parameters": flat(p.detach() for p in parameters),
        "vectors": vectors.detach().flatten().tolist(),
        "initial": initial.detach().tolist(),
        "probe": probe.flatten().tolist(),
        "states": last.detach().flatten().tolist(),
        "gradients": [
            flat(p.grad for p in parameters),
            vectors.grad.flatten().tolist(),
            initial.grad.tolist(),
        ],
        # At the initial state, with the input of token 1.
        "next": step(h, x).detach().tolist(),
        "jacobian_state": of_state.flatten().tolist(),
        "jacobian_input": of_input.flatten().tolist(),
    }


print(json.dumps({"torch": torch.__version__, "cells": [reference(k) for k in GATES]}, indent=0))
