"""Networks that the program knows: a recurrent cell, and what stands around it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from . import _arrays, _native
from ._arrays import Floats

#: Blocks of rows in the weights of each cell, and blocks of units in its state.
GATES = {
    "vanilla": 1,
    "relu": 1,
    "linear": 1,
    "ugrnn": 2,
    "gru": 3,
    "gru-reset-before": 3,
    "lstm": 4,
    "ugrnn-relu": 2,
    "gru-relu": 3,
    "gru-reset-before-relu": 3,
    "lstm-relu": 4,
}


class Network:
    """A recurrent cell with its weights, and the embedding and readout around it where there are any.

    Gate order and names are PyTorch's; ``A`` enters with the input, ``W`` with the state. An LSTM's state is
    ``[h; c]``, ``2 · units`` numbers.

    Parameters
    ----------
    cell
        ``"vanilla"`` (tanh), ``"relu"``, ``"linear"``, ``"ugrnn"``, ``"gru"``, ``"gru-reset-before"`` or ``"lstm"``;
        the four gated ones with ``-relu`` behind their name have a rectified candidate, all else as it is.
    recurrent_weights
        ``W``, ``[gates · units, units]``.
    input_weights
        ``A``, ``[gates · units, inputs]``; without it the map has no input.
    input_bias, recurrent_bias
        ``[gates · units]``; zero where left out.

    Examples
    --------
    >>> ring = accrue.Network("vanilla", [[0.0, -2.0], [2.0, 0.0]])
    >>> ring.step([[0.5, 0.0]])
    array([[0.        , 0.76159416]])
    """

    def __init__(
        self,
        cell: str,
        recurrent_weights: Any,
        input_weights: Any = None,
        input_bias: Any = None,
        recurrent_bias: Any = None,
    ) -> None:
        if cell not in GATES:
            raise ValueError(f"cell: {cell!r} is not known; one of {', '.join(GATES)}")
        w = _arrays.numbers(recurrent_weights, "recurrent_weights")
        gates = GATES[cell]
        if w.ndim != 2 or w.shape[0] != gates * w.shape[1]:
            raise ValueError(f"recurrent_weights: shape {w.shape}; a {cell} cell has [{gates} · units, units]")
        rows = w.shape[0]
        a = np.zeros((rows, 0)) if input_weights is None else _arrays.numbers(input_weights, "input_weights")
        if a.ndim != 2 or len(a) != rows:
            raise ValueError(f"input_weights: shape {a.shape}; [{rows}, inputs] belongs to these recurrent_weights")
        bias = []
        for given, name in ((input_bias, "input_bias"), (recurrent_bias, "recurrent_bias")):
            b = np.zeros(rows) if given is None else _arrays.numbers(given, name)
            if b.shape != (rows,):
                raise ValueError(f"{name}: shape {b.shape}, expected ({rows},)")
            bias.append(b)
        for found, name in (
            (w, "recurrent_weights"),
            (a, "input_weights"),
            (bias[0], "input_bias"),
            (bias[1], "recurrent_bias"),
        ):
            _arrays.finite(found, name, "training diverged; give weights from before")
        self.cell = cell
        self.units = int(w.shape[1])
        self.inputs = int(a.shape[1])
        self.input_weights, self.recurrent_weights = a, w
        self.input_bias, self.recurrent_bias = bias
        #: Rows ``[vocabulary, inputs]`` of word vectors, or None.
        self.embedding: Floats | None = None
        #: ``[outputs, state]`` and ``[outputs]``, or None.
        self.readout: Floats | None = None
        self.readout_bias: Floats | None = None
        #: The state before the first step; None: zero.
        self.initial_state: Floats | None = None
        #: What had to be assumed.
        self.notes: list[str] = []
        #: Name, role and shape of each array of the file.
        self.taken: list[tuple[str, str, tuple[int, ...]]] = []

    @property
    def state_size(self) -> int:
        """Numbers in the state."""
        return self.units * (2 if self.cell in ("lstm", "lstm-relu") else 1)

    def __repr__(self) -> str:
        readout = f", a readout of {len(self.readout)}" if self.readout is not None else ""
        return f"Network({self.cell}, {self.units} units, {self.inputs} inputs{readout})"

    def map(self, static_input: Any = None) -> _native.Map:
        """The cell with its input held at ``static_input`` ``[inputs]``; zero where none is given."""
        x = np.zeros(self.inputs) if static_input is None else _arrays.vector(static_input, "static_input", self.inputs)
        parts = [
            p.tobytes() for p in (self.input_weights, self.recurrent_weights, self.input_bias, self.recurrent_bias)
        ]
        return _native.Map(self.cell, self.units, self.inputs, parts, x.tobytes())

    def step(self, states: Any, static_input: Any = None) -> Floats:
        """``F(h, x*)`` at states ``[k, state]``, in double precision."""
        h = _arrays.states(states, "states", self.state_size)
        return _arrays.floats(self.map(static_input).step(h.tobytes()), *h.shape)

    def run(self, inputs: Any, initial_state: Any = None) -> Floats:
        """States ``[trials, steps, state]`` after each input of ``[trials, steps, inputs]``, from ``initial_state`` or zero."""
        x = _arrays.numbers(inputs, "inputs")
        x = x[None] if x.ndim == 2 else x
        if x.ndim != 3 or x.shape[2] != self.inputs:
            raise ValueError(f"inputs: shape {x.shape}, expected [trials, steps, {self.inputs}]")
        first = initial_state if initial_state is not None else self.initial_state
        h = np.zeros(self.state_size) if first is None else _arrays.vector(first, "initial_state", self.state_size)
        found = np.empty((*x.shape[:2], self.state_size))
        for trial in range(len(x)):
            state = h[None]
            for t in range(x.shape[1]):
                state = self.step(state, x[trial, t])
                found[trial, t] = state[0]
        return found

    def outputs(self, states: Any) -> Floats:
        """What the readout says of states: ``[k, outputs]``."""
        if self.readout is None or self.readout_bias is None:
            raise ValueError("this network has no readout; give a module or file that has one")
        h = _arrays.states(states, "states", self.state_size)
        said: Floats = h @ self.readout.T + self.readout_bias
        return said

    @classmethod
    def from_torch(cls, module: Any, **settings: Any) -> Network:
        """The network of a torch module: ``nn.RNN``, ``nn.GRU``, ``nn.LSTM``, their cells, or a module with one inside.

        A recurrent module alone keeps its precision. Of a larger module the state dict is read as
        :meth:`from_state_dict` does, with its ``settings``.

        Raises
        ------
        ValueError
            For several layers, two directions, a projection; for a module on a GPU; for one in training mode with
            dropout; for what is not recognised.
        """
        import torch

        if not isinstance(module, torch.nn.Module):
            raise TypeError(
                f"module: {type(module).__name__} is no torch.nn.Module; a state dict goes to from_state_dict"
            )
        for parameter in module.parameters():
            _arrays.on_processor(parameter, "module")
        _refuse_dropout(module)
        if not isinstance(module, (torch.nn.RNNBase, torch.nn.RNNCellBase)):
            return cls.from_state_dict(module.state_dict(), **settings)
        name = type(module).__name__
        if isinstance(module, torch.nn.RNNBase):
            for found, what, remedy in (
                (
                    module.num_layers > 1,
                    f"{module.num_layers} layers",
                    "build the upper layer alone: its inputs are the lower one's states",
                ),
                (module.bidirectional, "two directions", "a fixed point belongs to one of them: build it alone"),
                (
                    module.proj_size > 0,
                    f"a projection to {module.proj_size}",
                    "its state is no state of the equations here; train without proj_size",
                ),
            ):
                if found:
                    raise ValueError(f"module: {name} has {what}; {remedy}")
        kind = {"RNN": "vanilla", "GRU": "gru", "LSTM": "lstm"}.get(name.removesuffix("Cell"))
        if kind is None:
            raise ValueError(f"module: {name} is no RNN, GRU or LSTM; give its step to accrue.find_fixed_points")
        if kind == "vanilla" and getattr(module, "nonlinearity", "tanh") == "relu":
            kind = "relu"
        of = {key.removesuffix("_l0"): value for key, value in module.state_dict().items()}
        made = cls(kind, of["weight_hh"], of["weight_ih"], of.get("bias_ih"), of.get("bias_hh"))
        made.taken = [(key, key, tuple(value.shape)) for key, value in module.state_dict().items()]
        return made

    @classmethod
    def from_state_dict(cls, arrays: Mapping[str, Any], **settings: Any) -> Network:
        """The network of named arrays, as PyTorch, Keras, Flax and Equinox name them.

        ``settings`` are the command line's where names do not say enough: ``cell``, ``recurrent``, ``embedding``,
        ``readout``, ``reads``, ``norm``, ``norm_epsilon``, ``first_word``. Numbers are brought to single precision.
        """
        if not isinstance(arrays, Mapping):
            raise TypeError(
                f"arrays: {type(arrays).__name__} is no mapping of names to arrays; give module.state_dict()"
            )
        named = []
        for name, value in arrays.items():
            found = _arrays.numbers(value, str(name))
            if np.asarray(value.detach() if hasattr(value, "detach") else value).dtype.kind == "f":
                named.append((str(name), list(found.shape), found.astype(np.float32).tobytes()))
        return cls._described(_native.network_from_arrays(_settings("state_dict", settings), named))

    @classmethod
    def from_file(cls, file: str | os.PathLike[str], **settings: Any) -> Network:
        """The network of a file: safetensors, a PyTorch state dict or checkpoint, NumPy's ``.npz``, or the folder of a run.

        ``settings`` as :meth:`from_state_dict`, and ``state_dict``, where in a checkpoint it stands.
        """
        path = os.fspath(file)
        inside = os.path.join(path, "model.safetensors")
        if os.path.isfile(inside):
            path = inside
        return cls._described(_native.network_from_file(_settings(path, settings)))

    @classmethod
    def _described(cls, found: dict[str, Any]) -> Network:
        rows, units, inputs = GATES[found["cell"]] * found["units"], found["units"], found["inputs"]
        a, w, b_ih, b_hh = found["parts"]
        wide = lambda data, *shape: _arrays.singles(data, *shape).astype(np.float64)  # noqa: E731
        made = cls(found["cell"], wide(w, rows, units), wide(a, rows, inputs), wide(b_ih, rows), wide(b_hh, rows))
        if found["embedding"] is not None:
            made.embedding = wide(found["embedding"], -1, inputs)
        if found["readout"] is not None:
            made.readout = wide(found["readout"], -1, made.state_size)
            made.readout_bias = wide(found["bias"], -1)
        if found["initial"] is not None:
            made.initial_state = wide(found["initial"], -1)
        made.notes = list(found["notes"])
        made.taken = [(name, role, tuple(shape)) for name, role, shape in found["taken"]]
        return made

    def to_torch(self, dtype: Any = None) -> Any:
        """The cell as ``nn.RNN``, ``nn.GRU`` or ``nn.LSTM`` with ``batch_first``, in evaluation mode.

        ``dtype``: single precision where it is left out.
        """
        import torch

        makers: dict[str, Any] = {
            "vanilla": torch.nn.RNN,
            "relu": torch.nn.RNN,
            "gru": torch.nn.GRU,
            "lstm": torch.nn.LSTM,
        }
        if self.cell not in makers:
            raise ValueError(f"torch has no {self.cell} cell; one of {', '.join(makers)} goes there")
        if self.inputs == 0:
            raise ValueError("torch wants an input: this network has none (inputs = 0)")
        more = {"nonlinearity": "relu"} if self.cell == "relu" else {}
        dtype = torch.float32 if dtype is None else dtype
        made = makers[self.cell](self.inputs, self.units, batch_first=True, dtype=dtype, **more)
        arrays = {
            "weight_ih_l0": self.input_weights,
            "weight_hh_l0": self.recurrent_weights,
            "bias_ih_l0": self.input_bias,
            "bias_hh_l0": self.recurrent_bias,
        }
        made.load_state_dict({name: torch.tensor(value, dtype=dtype) for name, value in arrays.items()})
        return made.eval()


def _settings(file: str, settings: dict[str, Any]) -> str:
    if "cell" in settings:
        names = {
            "vanilla": "Vanilla",
            "relu": "VanillaRelu",
            "linear": "Linear",
            "ugrnn": "Ugrnn",
            "gru": "Gru",
            "gru-reset-before": "GruResetBefore",
            "lstm": "Lstm",
            "ugrnn-relu": "UgrnnRelu",
            "gru-relu": "GruRelu",
            "gru-reset-before-relu": "GruResetBeforeRelu",
            "lstm-relu": "LstmRelu",
        }
        if settings["cell"] not in names:
            raise ValueError(f"cell: {settings['cell']!r} is not known; one of {', '.join(names)}")
        settings = {**settings, "cell": names[settings["cell"]]}
    return json.dumps({"file": file, **settings})


def _refuse_dropout(module: Any) -> None:
    """A module whose answers change by chance has no fixed points."""
    import torch

    for name, part in module.named_modules():
        p = (
            getattr(part, "p", 0.0)
            if isinstance(part, torch.nn.modules.dropout._DropoutNd)
            else getattr(part, "dropout", 0.0)
        )
        if part.training and isinstance(p, float) and p > 0:
            place = f" ({name})" if name else ""
            raise ValueError(
                f"module: {type(part).__name__}{place} is in training mode with dropout {p:g}; call module.eval() first"
            )
