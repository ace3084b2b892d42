"""Small networks of other frameworks, with what they say about three texts.

Writes foreign.json (arrays under each framework's own names, and the outputs),
and the same GRU as foreign/gru.pt and foreign/gru.npz. Run where torch, keras
(on the torch backend), flax and equinox are installed:

    python foreign.py
"""
import json, os, pathlib

os.environ["KERAS_BACKEND"] = "torch"
import numpy as np
import torch
import jax, jax.numpy as jnp
import keras, flax, equinox as eqx
from flax import linen

HERE = pathlib.Path(__file__).parent
VOCABULARY, INPUTS, UNITS, CLASSES = 7, 3, 4, 2
TEXTS = [[1, 2, 3, 0, 6], [5], [4, 4, 2]]
cases = []


def case(name, kind, arrays, outputs):
    arrays = {k: np.asarray(v, dtype=np.float64) for k, v in arrays.items()}
    cases.append({
        "name": name,
        "kind": kind,
        "arrays": [{"name": k, "shape": list(v.shape), "numbers": v.ravel().tolist()} for k, v in arrays.items()],
        "outputs": [np.asarray(o, dtype=np.float64).ravel().tolist() for o in outputs],
    })


def widened(array):
    """Weights far enough from zero that no gate is idle."""
    return array * 1.5


# PyTorch: layers behind a prefix, then a single cell.
class Torch(torch.nn.Module):
    def __init__(self, layer, bias=True):
        super().__init__()
        self.embedding = torch.nn.Embedding(VOCABULARY, INPUTS)
        self.encoder = torch.nn.ModuleDict({"rnn": layer(INPUTS, UNITS, batch_first=True, bias=bias)})
        self.classifier = torch.nn.Linear(UNITS, CLASSES)
        self.norm = torch.nn.LayerNorm(UNITS)

    def forward(self, ids):
        _, state = self.encoder["rnn"](self.embedding(ids))
        state = state[0] if isinstance(state, tuple) else state
        return self.classifier(state[0])


torch.manual_seed(1)
for name, kind, layer, bias in [
    ("torch GRU", "Gru", torch.nn.GRU, True),
    ("torch LSTM", "Lstm", torch.nn.LSTM, True),
    ("torch RNN", "Vanilla", torch.nn.RNN, True),
    ("torch GRU without bias", "Gru", torch.nn.GRU, False),
]:
    network = Torch(layer, bias)
    with torch.no_grad():
        for p in network.parameters():
            p.copy_(widened(p))
        said = [network(torch.tensor([t])) for t in TEXTS]
    state = network.state_dict()
    case(name, kind, {k: v.numpy() for k, v in state.items()}, said)
    if name == "torch GRU":
        torch.save(state, HERE / "foreign/gru.pt")
        np.savez(HERE / "foreign/gru.npz", **{k: v.numpy() for k, v in state.items()})

cell, embedding, readout = torch.nn.GRUCell(INPUTS, UNITS), torch.nn.Embedding(VOCABULARY, INPUTS), torch.nn.Linear(UNITS, CLASSES)
said = []
with torch.no_grad():
    for text in TEXTS:
        h = torch.zeros(1, UNITS)
        for t in text:
            h = cell(embedding(torch.tensor([t])), h)
        said.append(readout(h))
arrays = {f"cell.{k}": v for k, v in cell.state_dict().items()}
arrays |= {f"emb.{k}": v for k, v in embedding.state_dict().items()}
arrays |= {f"out.{k}": v for k, v in readout.state_dict().items()}
case("torch GRUCell", "Gru", {k: v.numpy() for k, v in arrays.items()}, said)

# Keras
keras.utils.set_random_seed(2)
for name, kind, layer in [
    ("keras GRU", "Gru", lambda: keras.layers.GRU(UNITS, bias_initializer="random_normal")),
    ("keras GRU reset before", "GruResetBefore",
     lambda: keras.layers.GRU(UNITS, reset_after=False, bias_initializer="random_normal")),
    ("keras LSTM", "Lstm", lambda: keras.layers.LSTM(UNITS, bias_initializer="random_normal")),
    ("keras SimpleRNN", "Vanilla", lambda: keras.layers.SimpleRNN(UNITS)),
]:
    network = keras.Sequential([keras.layers.Embedding(VOCABULARY, INPUTS), layer(), keras.layers.Dense(CLASSES)])
    said = [network(np.array([t])).detach().numpy() for t in TEXTS]
    case(name, kind, {w.path: w.numpy() for w in network.weights}, said)


# Flax
class Flax(linen.Module):
    cell: type

    @linen.compact
    def __call__(self, ids):
        x = linen.Embed(VOCABULARY, INPUTS)(ids)
        cell = self.cell(UNITS, bias_init=linen.initializers.normal(0.5), name="cell")
        carry = linen.RNN(cell, return_carry=True)(x)[0]
        h = carry[1] if isinstance(carry, tuple) else carry
        return linen.Dense(CLASSES, bias_init=linen.initializers.normal(0.5))(h)


for name, kind, layer in [
    ("flax GRU", "Gru", linen.GRUCell),
    ("flax LSTM", "Lstm", linen.OptimizedLSTMCell),
    ("flax SimpleCell", "Vanilla", linen.SimpleCell),
]:
    network = Flax(layer)
    parameters = network.init(jax.random.PRNGKey(3), jnp.array([TEXTS[0]]))
    said = [network.apply(parameters, jnp.array([t])) for t in TEXTS]
    flat = flax.traverse_util.flatten_dict(parameters["params"], sep="/")
    case(name, kind, flat, said)

# Equinox
for name, kind, layer in [("equinox GRU", "Gru", eqx.nn.GRUCell), ("equinox LSTM", "Lstm", eqx.nn.LSTMCell)]:
    keys = jax.random.split(jax.random.PRNGKey(4), 3)
    cell = layer(INPUTS, UNITS, key=keys[0])
    if kind == "Gru":
        cell = eqx.tree_at(lambda c: c.bias_n, cell, cell.bias_n + 0.7)
    embedding = eqx.nn.Embedding(VOCABULARY, INPUTS, key=keys[1])
    readout = eqx.nn.Linear(UNITS, CLASSES, key=keys[2])
    said = []
    for text in TEXTS:
        state = jnp.zeros(UNITS) if kind == "Gru" else (jnp.zeros(UNITS), jnp.zeros(UNITS))
        for t in text:
            state = cell(embedding(jnp.array(t)), state)
        said.append(readout(state if kind == "Gru" else state[0]))
    arrays = {f"cell.{k}": getattr(cell, k) for k in ("weight_ih", "weight_hh", "bias")}
    if kind == "Gru":
        arrays["cell.bias_n"] = cell.bias_n
    arrays |= {"embedding.weight": embedding.weight, "linear.weight": readout.weight, "linear.bias": readout.bias}
    case(name, kind, arrays, said)

versions = {m.__name__: m.__version__ for m in (torch, keras, flax, eqx, jax)}
(HERE / "foreign.json").write_text(json.dumps({"versions": versions, "texts": TEXTS, "cases": cases}, indent=1) + "\n")
print(len(cases), "networks", versions)
