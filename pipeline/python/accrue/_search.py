"""The search for fixed points: where it begins, what it keeps, what it proves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _native
from ._arrays import Floats
from ._function import Function, Native, Steps
from ._network import Network
from ._points import Column, FixedPoints, Held
from ._progress import Progress

#: Above this tolerance points are slow ones, which Newton's steps would leave.
SLOW = 1e-10
#: Newton steps from a point that was found.
POLISH = 8
#: Numbers of a state up to which fixed points are counted by proof.
COUNTED = 4
#: Bytes that searches told by a Python function may hold at once.
HELD = 1 << 28
#: Of a kind: starts from which a search goes on with known points divided out.
ONWARD = 48


@dataclass(frozen=True)
class Settings:
    """How points are sought, the same for every map."""

    tolerance: float
    steps: int
    max_distance: float
    unique: float
    seed: int
    progress: bool | None


def _checked(
    tolerance: float | None,
    default: float,
    steps: int,
    max_distance: float | None,
    unique: float,
    seed: int,
    progress: bool | None,
) -> Settings:
    tolerance = default if tolerance is None else float(tolerance)
    if not 0.0 < tolerance < float("inf"):
        raise ValueError(f"tolerance: {tolerance}; give a speed q above 0, as 1e-12")
    if int(steps) < 1:
        raise ValueError(f"steps: {steps}; at least 1")
    far = float("inf") if max_distance is None else float(max_distance)
    if not far > 0.0:
        raise ValueError(f"max_distance: {max_distance}; give a distance above 0, or None for any")
    if not 0.0 <= unique < float("inf"):
        raise ValueError(f"unique: {unique}; 0 or more, a share of the states' median norm")
    if int(seed) < 0:
        raise ValueError(f"seed: {seed}; 0 or more")
    return Settings(tolerance, int(steps), far, float(unique), int(seed), progress)


def find_fixed_points(
    f: Any,
    initial_states: Any,
    static_input: Any = None,
    jacobian: Callable[..., Any] | None = None,
    tolerance: float | None = None,
    *,
    steps: int | None = None,
    max_distance: float | None = None,
    unique: float = 0.01,
    seed: int = 0,
    progress: bool | None = None,
) -> FixedPoints:
    """Fixed points ``h* = F(h*, x*)`` that searches from some states come to.

    Each state goes down in ``q(h) = ½ Σ (F(h, x*) − h)²`` by damped second-order steps (Levenberg–Marquardt; Nielsen
    1999) until ``q`` is below ``tolerance``. States nearer than ``unique`` are one point. A network that the library
    knows runs natively, and its points are proved; a function is asked for all searches at once.

    Parameters
    ----------
    f
        A batched function ``f(h)``, or ``f(h, x)`` where ``static_input`` is given, of NumPy, torch or JAX:
        ``h [k, state]``, ``x [k, inputs]`` (the held input, repeated), answer ``[k, state]``. Or a network:
        :class:`Network`, a torch ``nn.RNN``/``GRU``/``LSTM`` or cell, the path of weights.
    initial_states
        ``[k, state]``, or ``[trials, steps, state]``; an LSTM's as ``[h, c]`` or a pair.
    static_input
        ``x*``, ``[inputs]``: where the input is held. A network's is zero where none is given.
    jacobian
        ``dF/dh`` as ``[k, state, state]``, of the same arguments as ``f``. Left out: by torch or JAX where ``f`` is of
        one of them, else by central differences.
    tolerance
        Speed ``q``, half the sum over units, at which a search ends: 1e-12; 1e-9 for a function in single precision.
        From 1e-10 on points are slow ones, and stay as they were found.
    steps
        Most steps of one search: 100; 50 of a function, whose Jacobians cost more. Searches that were cut short are
        counted in ``searches``.
    max_distance
        Farthest a point may lie from the state its search began at (Euclid); None: any distance.
    unique
        Points closer than this are one, in units of the states' median norm.
    progress
        Whether progress is shown; None: in a terminal and a notebook.

    Returns
    -------
    FixedPoints

    Raises
    ------
    ValueError, TypeError
        For shapes that do not fit, NaN, tensors on a GPU, functions that answer by chance; the message names the
        argument and what to do. What ``f`` raises is passed on.

    Examples
    --------
    >>> w = numpy.array([[0.0, -2.0], [2.0, 0.0]])
    >>> accrue.find_fixed_points(lambda h: numpy.tanh(h @ w.T), numpy.random.uniform(-1, 1, (50, 2)))
    1: 1 with 2 unstable, none proved
    """
    network = _network_of(f)
    if network is not None:
        states = _arrays.states(initial_states, "initial_states", network.state_size)
        if jacobian is not None:
            raise ValueError("jacobian: a network that the library knows has its own; leave it out")
        settings = _checked(tolerance, 1e-12, 100 if steps is None else steps, max_distance, unique, seed, progress)
        x = (
            np.zeros(network.inputs)
            if static_input is None
            else _arrays.vector(static_input, "static_input", network.inputs)
        )
        held = Held("input", x, Native(network, x))
        return _found([held], [states], states, settings, network)
    states = _arrays.states(initial_states, "initial_states")
    given = None if static_input is None else _arrays.vector(static_input, "static_input")
    function = Function(f, states, given, jacobian, _arrays.is_torch(initial_states))
    low = 1e-9 if function.precision > 1e-10 else 1e-12
    settings = _checked(tolerance, low, 50 if steps is None else steps, max_distance, unique, seed, progress)
    held = Held("input", np.zeros(0) if given is None else given, function)
    return _found([held], [states], states, settings, None)


def fixed_points(
    network: Any,
    states: Any,
    inputs: Any = None,
    noise: float = 0.0,
    mix: bool = False,
    tolerance: float | None = None,
    *,
    initial_states: int = 1024,
    running: int = 64,
    steps: int = 100,
    max_distance: float | None = None,
    unique: float = 0.01,
    seed: int = 0,
    progress: bool | None = None,
) -> FixedPoints:
    """Fixed points of a network, sought from states it has visited, under one held input or several.

    Searches begin at ``initial_states`` states in all: visited ones, and in equal parts visited ones with normal
    ``noise`` and mixtures of two of them, where those are asked for; saddles are seldom near visited states. Beside
    these, ``running`` visited states are run to where the map leads. Where the indices ``sign det(I − J)`` of the points
    found do not add up to 1, as they must for a map that takes a box into itself, the search goes on with known points
    divided out (Farrell, Birkisson & Funke 2015). States of four numbers or fewer are counted by proof.

    Parameters
    ----------
    network
        A torch ``nn.RNN``/``GRU``/``LSTM`` or cell, a module with one inside, a :class:`Network`, or the path of weights.
    states
        Visited states, ``[k, state]`` or ``[trials, steps, state]``; an LSTM's as ``[h, c]`` or a pair.
    inputs
        Held inputs by name, as ``{"rest": [0, 0, 0]}``; one vector; None: zero.
    noise
        Standard deviation, in state units.
    mix
        Whether mixtures ``a s + (1 − a) s'`` of two visited states are tried, ``a`` uniform.
    tolerance, steps, max_distance, unique, progress
        As of :func:`find_fixed_points`.
    initial_states, running
        Numbers of searches.
    seed
        Of every draw: the same seed gives the same points.

    Returns
    -------
    FixedPoints
        With proofs: each point's ``radius`` holds exactly one fixed point of the map in exact arithmetic
        (Newton–Kantorovich; Day, Lessard & Mischaikow 2007).
    """
    known = _network_of(network)
    if known is None:
        raise TypeError(
            f"network: {type(network).__name__} is no network that is known; give a function to accrue.find_fixed_points"
        )
    if not noise >= 0.0:
        raise ValueError(f"noise: {noise}; a standard deviation, 0 or more")
    visited = _arrays.states(states, "states", known.state_size)
    settings = _checked(tolerance, 1e-12, steps, max_distance, unique, seed, progress)
    begins = _begins(visited, max(int(initial_states), 1), float(noise), bool(mix), settings.seed)
    helds, starts = [], []
    stream = np.random.default_rng([settings.seed, 1])
    for name, x in _inputs(inputs, known.inputs).items():
        native = Native(known, x)
        some = visited[stream.permutation(len(visited))[: max(int(running), 0)]]
        ends = _arrays.floats(native.map.run(some.tobytes(), 500), -1, native.size)
        helds.append(Held(name, x, native))
        starts.append(np.concatenate([begins, ends]))
    return _found(helds, starts, visited, settings, known)


def _network_of(f: Any) -> Network | None:
    """The network that an argument stands for; None for a function."""
    if isinstance(f, Network):
        return f
    if isinstance(f, (str, bytes)) or hasattr(f, "__fspath__"):
        return Network.from_file(f if not isinstance(f, bytes) else f.decode())
    names = {t.__name__ for t in type(f).__mro__ if t.__module__.split(".")[0] == "torch"}
    if names & {"RNNBase", "RNNCellBase"}:
        return Network.from_torch(f)
    return None


def _inputs(inputs: Any, size: int) -> dict[str, Floats]:
    if inputs is None:
        return {"zero": np.zeros(size)}
    if isinstance(inputs, Mapping):
        if not inputs:
            raise ValueError("inputs: none is named; give {'rest': [0, 0, 0]}, or leave it out for zero")
        return {str(name): _arrays.vector(x, f"inputs[{name!r}]", size) for name, x in inputs.items()}
    return {"input": _arrays.vector(inputs, "inputs", size)}


def _begins(visited: Floats, count: int, noise: float, mix: bool, seed: int) -> Floats:
    stream = np.random.default_rng([seed, 0])
    kinds = 1 + (noise > 0.0) + mix
    each = -(-count // kinds)
    some = visited[stream.permutation(len(visited))[:each]]
    parts = [some]
    if noise > 0.0:
        at = stream.integers(len(visited), size=each)
        parts.append(visited[at] + noise * stream.standard_normal((each, visited.shape[1])))
    if mix:
        a, b = stream.integers(len(visited), size=(2, each))
        share = stream.random((each, 1))
        parts.append(share * visited[a] + (1.0 - share) * visited[b])
    return np.ascontiguousarray(np.concatenate(parts))


def _search(steps: Steps, states: Floats, settings: Settings) -> dict[str, Any]:
    """What became of a search from each state, a column each."""
    show = Progress("searches", len(states), settings.progress)
    try:
        if isinstance(steps, Native):
            found = steps.map.search(states.tobytes(), settings.tolerance, settings.steps, settings.max_distance, show)
            return _columns(found, states.shape)
        block = max(16, HELD // (24 * steps.size**2))
        parts = []
        for begin in range(0, len(states), block):
            some = np.ascontiguousarray(states[begin : begin + block])
            search = _native.Search(
                some.tobytes(), steps.size, settings.tolerance, settings.steps, settings.max_distance
            )
            while True:
                what, data = search.ask()
                if what == "nothing":
                    break
                asked = _arrays.floats(data, -1, steps.size)
                if what == "steps":
                    search.tell_steps(steps.step(asked).tobytes())
                else:
                    search.tell_jacobians(steps.jacobians(asked).tobytes())
                show(begin + search.ended())
            parts.append(_columns(search.results(), some.shape))
        return {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
    finally:
        show.end()


def _columns(found: dict[str, Any], shape: tuple[int, ...]) -> dict[str, Any]:
    return {
        "state": _arrays.floats(found["state"], *shape),
        "q": _arrays.floats(found["q"], -1),
        "distance_from_init": _arrays.floats(found["distance_from_init"], -1),
        "steps": np.asarray(found["steps"], dtype=np.int64),
        "stop": np.asarray(found["stop"], dtype=object),
    }


def _speed(steps: Steps, states: Floats) -> Floats:
    found: Floats = 0.5 * ((steps.step(states) - states) ** 2).sum(axis=1)
    return found


def _polished(steps: Steps, states: Floats, near: float) -> Floats:
    """States after Newton's steps, as long as the residual falls and no farther than ``near``."""
    if len(states) == 0:
        return states
    if isinstance(steps, Native):
        found = _arrays.floats(steps.map.polish(states.tobytes()), *states.shape)
    else:
        found = states.copy()
        residual = steps.step(found) - found
        going = np.ones(len(found), dtype=bool)
        for _ in range(POLISH):
            at = np.flatnonzero(going)
            if len(at) == 0:
                break
            a = steps.jacobians(found[at]) - np.eye(steps.size)
            try:
                trial = found[at] - np.linalg.solve(a, residual[at][..., None])[..., 0]
            except np.linalg.LinAlgError:
                break
            sound = np.isfinite(trial).all(axis=1)
            trial[~sound] = found[at][~sound]
            r = steps.step(trial) - trial
            better = sound & (np.abs(r).max(axis=1) < np.abs(residual[at]).max(axis=1))
            found[at[better]], residual[at[better]] = trial[better], r[better]
            going[at[~better]] = False
    moved = np.linalg.norm(found - states, axis=1)
    return np.where((moved <= near)[:, None], found, states)


def _kept(states: Floats, q: Floats, unique: float) -> NDArray[np.int64]:
    if len(states) == 0:
        return np.zeros(0, dtype=np.int64)
    chosen = _native.select(states.tobytes(), states.shape[1], np.ascontiguousarray(q).tobytes(), unique)
    return np.asarray(chosen, dtype=np.int64)


def _inside(steps: Steps, states: Floats) -> NDArray[np.bool_]:
    """A gate that rounds to 1 keeps any state: where the map's box does not reach stands no fixed point."""
    box = steps.map.invariant_box if isinstance(steps, Native) else None
    if box is None:
        return np.ones(len(states), dtype=bool)
    low, high = np.asarray(box).T
    found: NDArray[np.bool_] = ((states >= low) & (states <= high)).all(axis=1)
    return found


def _proofs(steps: Steps, states: Floats) -> dict[str, Any]:
    if isinstance(steps, Native) and len(states) > 0:
        found = steps.map.certify(states.tobytes())
        return {key: value if key == "unproved" else _arrays.floats(value, -1) for key, value in found.items()}
    nothing = np.full(len(states), np.nan)
    why = "a Python function bounds no rounding errors" if len(states) else None
    columns = ("radius", "alone_within", "spectral_bound", "unstable_modes", "index")
    return {**{key: nothing.copy() for key in columns}, "unproved": [why] * len(states)}


def _found(
    helds: list[Held], starts: list[Floats], visited: Floats, settings: Settings, network: Network | None
) -> FixedPoints:
    """Searches under each held input, one after the other."""
    scale = float(np.median(np.linalg.norm(visited, axis=1)))
    scale = scale if scale > 0.0 else 1.0
    columns: list[Column] = []
    notes: list[str] = list(network.notes) if network is not None else []
    for number, (held, begins) in enumerate(zip(helds, starts)):
        columns.append(_under(number, held, begins, visited, scale, settings))
        notes.extend(n for n in held.steps.notes if n not in notes)
    return FixedPoints(columns, helds, visited, scale, settings.tolerance, settings.seed, network, notes)


def _under(number: int, held: Held, begins: Floats, visited: Floats, scale: float, settings: Settings) -> Column:
    steps, unique = held.steps, settings.unique * scale
    went = _search(steps, np.ascontiguousarray(begins), settings)
    converged = went["stop"] == "converged"
    inside = _inside(steps, went["state"])
    at = np.flatnonzero(converged & inside)
    exact = settings.tolerance < SLOW
    states = went["state"][at]
    # One of each first: searches that come to one point need one polish.
    rough = _kept(states, went["q"][at], unique)
    at, states = at[rough], np.ascontiguousarray(states[rough])
    if exact:
        states = _polished(steps, states, max(unique, 1e-6 * scale))
    q = _speed(steps, states) if len(states) else np.zeros(0)
    kept = _kept(np.ascontiguousarray(states), q, unique)
    at, states, q = at[kept], np.ascontiguousarray(states[kept]), q[kept]
    proofs = _proofs(steps, states)
    complete: bool | None = None
    extra = 0
    box = isinstance(steps, Native) and steps.map.invariant_box is not None
    if isinstance(steps, Native) and box and exact and len(states):
        sum_ = proofs["index"].sum()
        found: list[Floats] = []
        if np.isfinite(sum_) and sum_ != 1.0:
            onward = _onward(states, visited, settings.seed)
            new = steps.map.deflated(states.tobytes(), onward.tobytes(), settings.tolerance, settings.steps)
            found.append(_arrays.floats(new, -1, steps.size))
        if steps.size <= COUNTED:
            known = np.concatenate([states, *found])
            new, complete = steps.map.count(np.ascontiguousarray(known).tobytes())
            found.append(_arrays.floats(new, -1, steps.size))
        more = np.concatenate(found) if found else np.zeros((0, steps.size))
        if len(more):
            extra = len(more)
            states = np.ascontiguousarray(np.concatenate([states, more]))
            q = _speed(steps, states)
            at = np.concatenate([at, np.full(extra, -1)])
            proofs = _proofs(steps, states)
    values = np.zeros((0, steps.size), dtype=np.complex128)
    if len(states):
        jacobians = _native.eigen(steps.jacobians(states).tobytes(), steps.size, False)[0]
        values = _arrays.complexes(jacobians, len(states), steps.size)
    unstable = (np.abs(values) > 1.0).sum(axis=1)
    if not isinstance(steps, Native) and len(states):
        low, high = visited.min(axis=0), visited.max(axis=0)
        beyond = high - low + scale
        far = int(((states < low - beyond) | (states > high + beyond)).any(axis=1).sum())
        if far:
            steps.notes.append(
                f"{far} of {len(states)} points lie far outside the range of the states given: where a gate rounds to 1, "
                "any state stands still; max_distance= leaves them out"
            )
    order = np.lexsort([*states.T[::-1], unstable])
    searches = {
        "begun": len(begins),
        **{stop: int((went["stop"] == stop).sum()) for stop in ("converged", "too_far", "stalled", "out_of_steps")},
        "outside": int((converged & ~inside).sum()),
        "beyond": extra,
    }
    took = np.append(went["steps"], 0)
    moved = np.append(went["distance_from_init"], np.nan)
    return Column(
        input=number,
        states=states[order],
        q=q[order],
        initial_state=at[order],
        distance_from_init=moved[at][order],
        steps=took[at][order],
        eigenvalues=values[order],
        unstable=unstable[order],
        proofs={key: [v[i] for i in order] if key == "unproved" else v[order] for key, v in proofs.items()},
        searches=searches,
        complete=complete,
    )


def _onward(known: Floats, visited: Floats, seed: int) -> Floats:
    """Visited states, states between their extremes, and mid-points of known fixed points."""
    stream = np.random.default_rng([seed, 2])
    low, high = visited.min(axis=0), visited.max(axis=0)
    parts = [
        visited[stream.permutation(len(visited))[:ONWARD]],
        low + (high - low) * stream.random((ONWARD, visited.shape[1])),
    ]
    if len(known) > 1:
        a = stream.integers(len(known), size=ONWARD)
        b = (a + stream.integers(1, len(known), size=ONWARD)) % len(known)
        parts.append(0.5 * (known[a] + known[b]))
    return np.ascontiguousarray(np.concatenate(parts))
