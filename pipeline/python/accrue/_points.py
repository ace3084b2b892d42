"""Fixed points: states, proofs, modes, and what leads where."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from . import _arrays, _native
from ._arrays import Floats
from ._function import Native, Steps

if TYPE_CHECKING:
    from ._network import Network

Complexes = NDArray[np.complex128]


@dataclass(frozen=True)
class Held:
    """An input that is held, and the map under it."""

    name: str
    input: Floats
    steps: Steps


@dataclass(frozen=True)
class Column:
    """What was found under one held input."""

    input: int
    states: Floats
    q: Floats
    initial_state: NDArray[np.int64]
    distance_from_init: Floats
    steps: NDArray[np.int64]
    eigenvalues: Complexes
    unstable: NDArray[np.int64]
    proofs: dict[str, Any]
    searches: dict[str, int]
    complete: bool | None


@dataclass(frozen=True)
class Modes:
    """Eigenvalues and vectors of the Jacobian at one point, largest modulus first.

    ``left.T @ right = I``; columns of ``right`` have unit length.
    """

    #: ``[state]``.
    values: Complexes
    #: Right vectors as columns, ``[state, state]``.
    right: Complexes
    #: Left vectors as columns, ``[state, state]``.
    left: Complexes

    @property
    def time_constants(self) -> Floats:
        """``|1/ln|λ||`` in steps."""
        return _time_constants(self.values)


def _time_constants(values: Complexes) -> Floats:
    with np.errstate(divide="ignore"):
        found: Floats = np.abs(1.0 / np.log(np.abs(values)))
    return found


@dataclass(frozen=True)
class Transitions:
    """What leads where under one held input: orbits from each saddle along its unstable directions."""

    #: A row an orbit: ``from`` (the saddle), ``mode`` and ``phase`` (rad) or neither where the direction was drawn in the
    #: span of all unstable modes, ``end`` (point, cycle, diverged, unended), ``to``, ``steps``.
    orbits: pl.DataFrame
    #: A row a saddle: ``saddle``, ``unstable``, ``reaches`` (attractors, by their numbers), ``cycles``, ``labels``.
    connections: pl.DataFrame
    #: States ``[steps, state]`` of each cycle or invariant circle that was met.
    cycles: list[Floats] = field(default_factory=list)

    def __repr__(self) -> str:
        ended = self.orbits.filter(pl.col("end").is_in(["point", "cycle"])).height
        return f"{self.connections.height} saddles, {self.orbits.height} orbits, {ended} of them end; {len(self.cycles)} cycles"

    def _repr_html_(self) -> str:
        return f"<p>{html.escape(repr(self))}</p>{self.connections._repr_html_()}"


class FixedPoints:
    """Fixed points that were found, attracting ones first.

    Arrays have a row a point. ``len``, slices and iteration go over points. Under several held inputs the points of one
    follow those of the other; :attr:`input` names each point's.
    """

    def __init__(
        self,
        columns: list[Column],
        helds: list[Held],
        visited: Floats,
        scale: float,
        tolerance: float,
        seed: int,
        network: Network | None,
        notes: list[str],
    ) -> None:
        self._columns, self._helds = columns, helds
        #: Visited states, or those that searches began at: ``[k, state]``.
        self.visited = visited
        #: Median norm of them, the unit of ``unique``.
        self.scale = scale
        #: Speed ``q`` at which searches ended.
        self.tolerance = tolerance
        self.seed = seed
        #: The network, where the library knows it.
        self.network = network
        #: What was assumed on the way.
        self.notes = notes
        stack = lambda f: np.concatenate([f(c) for c in columns])  # noqa: E731
        #: ``[points, state]``.
        self.states: Floats = stack(lambda c: c.states)
        #: Speed ``q = ½ Σ (F − h)²`` at the state returned, ``[points]``.
        self.q: Floats = stack(lambda c: c.q)
        #: Number of the state its search began at; -1 for points found with others divided out, or by the count.
        self.initial_state: NDArray[np.int64] = stack(lambda c: c.initial_state)
        #: How far the search went (Euclid), ``[points]``.
        self.distance_from_init: Floats = stack(lambda c: c.distance_from_init)
        #: Steps of the search, ``[points]``.
        self.steps: NDArray[np.int64] = stack(lambda c: c.steps)
        #: Eigenvalues outside the unit circle, ``[points]``.
        self.unstable: NDArray[np.int64] = stack(lambda c: c.unstable)
        #: Within this distance (maximum norm) lies exactly one fixed point; NaN: not proved.
        self.radius: Floats = stack(lambda c: c.proofs["radius"])
        #: Within this distance lies no second one; NaN: not proved.
        self.alone_within: Floats = stack(lambda c: c.proofs["alone_within"])
        #: Proved bound of the spectral radius; NaN: none.
        self.spectral_bound: Floats = stack(lambda c: c.proofs["spectral_bound"])
        #: Why a point was not proved; None where it was.
        self.unproved: list[str | None] = [w for c in columns for w in c.proofs["unproved"]]
        self._proved_unstable: Floats = stack(lambda c: c.proofs["unstable_modes"])
        self._proved_index: Floats = stack(lambda c: c.proofs["index"])
        self._values: Complexes = stack(lambda c: c.eigenvalues)
        self._of: NDArray[np.int64] = np.concatenate([np.full(len(c.states), c.input, dtype=np.int64) for c in columns])
        self._cache: dict[Any, Any] = {}

    def __len__(self) -> int:
        return len(self.states)

    def __iter__(self) -> Iterator[Floats]:
        return iter(self.states)

    def __getitem__(self, i: int) -> Floats:
        found: Floats = self.states[self._number(i)]
        return found

    def _number(self, i: int) -> int:
        if not -len(self) <= i < len(self):
            raise IndexError(f"point {i}: there are {len(self)}")
        return int(i) % len(self)

    @property
    def input(self) -> list[str]:
        """Name of the held input of each point."""
        return [self._helds[i].name for i in self._of]

    @property
    def inputs(self) -> dict[str, Floats]:
        """Held inputs by name."""
        return {held.name: held.input for held in self._helds}

    @property
    def stable(self) -> NDArray[np.bool_]:
        """Whether every eigenvalue lies inside the unit circle, ``[points]``, as computed; see :attr:`stability`."""
        return np.asarray((np.abs(self._values) < 1.0).all(axis=1))

    @property
    def certified(self) -> NDArray[np.bool_]:
        """Whether a fixed point was proved to exist within :attr:`radius`, ``[points]``."""
        return np.isfinite(self.radius)

    @property
    def stability(self) -> list[str | None]:
        """What was proved of each: ``"stable"``, ``"unstable"``, ``"undecided"``; None where no point was proved."""

        def one(i: int) -> str | None:
            if not self.certified[i]:
                return None
            if self._proved_unstable[i] == 0 or self.spectral_bound[i] < 1.0:
                return "stable"
            return "unstable" if self._proved_unstable[i] > 0 else "undecided"

        return [one(i) for i in range(len(self))]

    @property
    def complete(self) -> bool | None:
        """Whether these are proved to be all fixed points; None where that was not counted (more than four numbers)."""
        found = [c.complete for c in self._columns]
        return None if None in found else all(found)

    @property
    def searches(self) -> dict[str, dict[str, int]]:
        """How the searches under each input ended: ``begun``, ``converged``, ``too_far``, ``stalled``, ``out_of_steps``,
        ``outside`` (of the map's box, where only rounding holds a state still), and points found ``beyond`` them."""
        return {self._helds[c.input].name: c.searches for c in self._columns}

    @property
    def index(self) -> NDArray[np.int64]:
        """``sign det(I − J)`` of each point, proved where :attr:`certified`, else by its eigenvalues, ``[points]``."""
        real = (self._values.imag == 0.0) & (self._values.real > 1.0)
        computed = np.where(real.sum(axis=1) % 2 == 0, 1, -1)
        return np.where(np.isfinite(self._proved_index), np.nan_to_num(self._proved_index), computed).astype(np.int64)

    @property
    def index_sum(self) -> int | dict[str, int]:
        """Sum of the indices. Of all fixed points of a map that takes a box into itself it is 1: another sum says that
        points are missing. Under several inputs: by name."""
        sums = {held.name: int(self.index[self._of == i].sum()) for i, held in enumerate(self._helds)}
        return next(iter(sums.values())) if len(sums) == 1 else sums

    @property
    def time_constants(self) -> Floats:
        """``|1/ln|λ||`` in steps of every mode, slowest modulus first, ``[points, state]``."""
        return _time_constants(self._values)

    def eigenvalues(self, i: int) -> Complexes:
        """Eigenvalues at point ``i``, largest modulus first, ``[state]``."""
        found: Complexes = self._values[self._number(i)]
        return found

    def jacobian(self, i: int) -> Floats:
        """``dF/dh`` at point ``i``, ``[state, state]``: entry ``[a, b]`` is ``dF_a/dh_b``."""
        i = self._number(i)
        if "jacobians" in self._cache:
            found: Floats = self._cache["jacobians"][i]
            return found
        one: Floats = self._helds[self._of[i]].steps.jacobians(self.states[i : i + 1])[0]
        return one

    @property
    def jacobians(self) -> Floats:
        """``dF/dh`` at every point, ``[points, state, state]``; computed when first asked for."""
        if "jacobians" not in self._cache:
            parts = [
                self._helds[c.input].steps.jacobians(np.ascontiguousarray(c.states))
                for c in self._columns
                if len(c.states)
            ]
            size = self.states.shape[1]
            self._cache["jacobians"] = np.concatenate(parts) if parts else np.zeros((0, size, size))
        found: Floats = self._cache["jacobians"]
        return found

    def input_jacobian(self, i: int) -> Floats:
        """``dF/dx`` at point ``i``, ``[state, inputs]``; of networks that the library knows."""
        i = self._number(i)
        steps = self._helds[self._of[i]].steps
        if not isinstance(steps, Native):
            raise ValueError(
                "input_jacobian: a Python function's is not computed; give a network that the library knows"
            )
        state = np.ascontiguousarray(self.states[i])
        return _arrays.floats(steps.map.input_jacobians(state.tobytes()), steps.size, -1)

    def eig(self, i: int) -> Modes:
        """Eigenvalues, right and left vectors at point ``i``."""
        size = self.states.shape[1]
        data = _native.eigen(np.ascontiguousarray(self.jacobian(i)).tobytes(), size, True)
        values, right, left = (
            _arrays.complexes(d, *shape) for d, shape in zip(data, ((size,), (size, size), (size, size)))
        )
        return Modes(values, right, left)

    @property
    def table(self) -> pl.DataFrame:
        """A row a point: number, input, ``q``, proof, stability, spectrum, where it came from, state."""
        taus = self.time_constants
        return pl.DataFrame(
            {
                "point": np.arange(len(self)),
                "input": pl.Series(self.input, dtype=pl.String),
                "q": self.q,
                "certified": self.certified,
                "radius": pl.Series(self.radius).fill_nan(None),
                "stable": self.stable,
                "stability": pl.Series(self.stability, dtype=pl.String),
                "unstable": self.unstable,
                "index": self.index,
                **{f"tau_{a + 1}": np.ascontiguousarray(taus[:, a]) for a in range(min(3, taus.shape[1]))},
                "initial_state": pl.Series(self.initial_state).replace(-1, None),
                "distance_from_init": pl.Series(self.distance_from_init).fill_nan(None),
                "steps": self.steps,
                "state": pl.Series(self.states, dtype=pl.Array(pl.Float64, self.states.shape[1])),
            }
        )

    def to_polars(self) -> pl.DataFrame:
        """The same as :attr:`table`."""
        return self.table

    def _which(self, input: str | None) -> tuple[int, NDArray[np.int64]]:
        names = [held.name for held in self._helds]
        if input is None:
            if len(names) > 1:
                raise ValueError(f"input: there are {len(names)}; say which: {', '.join(names)}")
            number = 0
        elif input in names:
            number = names.index(input)
        else:
            raise ValueError(f"input: {input!r} is not held; one of {', '.join(names)}")
        return number, np.flatnonzero(self._of == number)

    def transitions(
        self,
        input: str | None = None,
        *,
        label: Callable[[Floats], str] | None = None,
        drawn: int = 64,
        phases: int = 4,
        steps: int = 10_000,
        starts: int = 4,
    ) -> Transitions:
        """What leads where: orbits from every saddle along its unstable modes, and in directions drawn in their span.

        Parameters
        ----------
        input
            The held input, by name, where there are several.
        label
            Name of what an attractor means, of its state ``[state]``; left out: its number.
        drawn, phases
            Directions in the span of two or more unstable modes; phases of a complex pair.
        steps
            Most steps of an orbit.
        starts
            Visited states from which the map is run to look for cycles (networks that the library knows).
        """
        number, at = self._which(input)
        key = ("transitions", number, drawn, phases, steps, starts)
        held, states = self._helds[number], np.ascontiguousarray(self.states[at])
        if key not in self._cache:
            if isinstance(held.steps, Native):
                settings = {
                    "starts": starts,
                    "saddles": 100_000,
                    "follow": {"drawn": drawn, "phases": phases, "steps": steps},
                }
                found = held.steps.map.transitions(
                    states.tobytes(), np.ascontiguousarray(self.visited).tobytes(), json.dumps(settings), self.seed
                )
            else:
                from ._orbits import follow

                found = follow(held.steps, states, self.scale, drawn=drawn, phases=phases, steps=steps, seed=self.seed)
            self._cache[key] = found
        return self._transitions(self._cache[key], at, label)

    def _transitions(
        self, found: dict[str, Any], at: NDArray[np.int64], label: Callable[[Floats], str] | None
    ) -> Transitions:
        size = self.states.shape[1]
        point = lambda i: None if i is None else int(at[i])  # noqa: E731
        to = [point(i) if end == "point" else i for end, i in zip(found["end"], found["to"])]
        orbits = pl.DataFrame(
            {
                "from": pl.Series([point(i) for i in found["from"]], dtype=pl.Int64),
                "mode": pl.Series(found["mode"], dtype=pl.Int64),
                "phase": pl.Series(found["phase"], dtype=pl.Float64),
                "end": pl.Series(found["end"], dtype=pl.String),
                "to": pl.Series(to, dtype=pl.Int64),
                "steps": pl.Series(found["steps"], dtype=pl.Int64),
            }
        )
        cycles = [_arrays.floats(data, -1, size) for data in found["cycles"]]
        reaches, circles, labels = [], [], []
        for ends in found["reaches"]:
            points = [int(at[i]) for end, i in ends if end == "point"]
            met = [int(i) for end, i in ends if end == "cycle"]
            others = [end for end, _ in ends if end in ("diverged", "unended")]
            reaches.append(points)
            circles.append(met)
            named = [label(self.states[i]) if label else str(i) for i in points]
            named += [label(cycles[i].mean(axis=0)) if label else f"cycle {i}" for i in met]
            labels.append(" | ".join(sorted(set(named)) + others))
        connections = pl.DataFrame(
            {
                "saddle": pl.Series([point(i) for i in found["saddles"]], dtype=pl.Int64),
                "unstable": pl.Series(found["unstable"], dtype=pl.Int64),
                "reaches": pl.Series(reaches, dtype=pl.List(pl.Int64)),
                "cycles": pl.Series(circles, dtype=pl.List(pl.Int64)),
                "labels": pl.Series(labels, dtype=pl.String),
            }
        )
        return Transitions(orbits, connections, cycles)

    def connections(self, input: str | None = None, *, label: Callable[[Floats], str] | None = None) -> pl.DataFrame:
        """What each saddle connects: the attractors that its orbits reach. :meth:`transitions` has the orbits."""
        return self.transitions(input, label=label).connections

    def plot(
        self, trajectories: Any = None, color: Any = "unstable", *, dimensions: int = 3, backend: str | None = None
    ) -> Any:
        """Points and trajectories along the principal components of the visited states.

        Parameters
        ----------
        trajectories
            States ``[trials, steps, state]`` drawn as lines.
        color
            ``"unstable"`` (modes), ``"index"``, ``"tau"`` (slowest time constant), ``"q"``, or a number a point.
        dimensions
            2 or 3.
        backend
            ``"plotly"`` or ``"matplotlib"``; left out: plotly where it is there.

        Returns
        -------
        The figure of plotly or matplotlib.
        """
        from ._draw import draw

        return draw(self, trajectories, color, dimensions, backend)

    def plot3d(self, trajectories: Any = None, color: Any = "unstable", *, backend: str | None = None) -> Any:
        """:meth:`plot` in three dimensions."""
        return self.plot(trajectories, color, dimensions=3, backend=backend)

    def _summary(self, at: NDArray[np.int64]) -> str:
        count = len(at)
        if count == 0:
            return "0: no search came to a fixed point"
        stable = int(self.stable[at].sum())
        parts = [f"{stable} stable"] if stable else []
        kinds = sorted({int(k) for k in self.unstable[at] if k > 0})
        if kinds:
            numbers = "/".join(str(int((self.unstable[at] == k).sum())) for k in kinds)
            parts.append(f"{numbers} with {'/'.join(map(str, kinds))} unstable")
        left = count - stable - int((self.unstable[at] > 0).sum())
        if left:
            parts.append(f"{left} on the edge")
        proved = int(self.certified[at].sum())
        parts.append("all proved" if proved == count else f"{proved} proved" if proved else "none proved")
        return f"{count}: {', '.join(parts)}"

    def __repr__(self) -> str:
        lines = [self._summary(np.flatnonzero(self._of == i)) for i in range(len(self._helds))]
        if len(lines) == 1:
            return lines[0]
        return "\n".join(f"{held.name} – {line}" for held, line in zip(self._helds, lines))

    def _repr_html_(self) -> str:
        lines = "<br>".join(html.escape(line) for line in repr(self).splitlines())
        reasons = sorted({why for why in self.unproved if why})
        notes = "".join(f"<br><small>not proved: {html.escape(why)}</small>" for why in reasons)
        notes += "".join(f"<br><small>note: {html.escape(note)}</small>" for note in self.notes)
        return f"<p><b>{lines}</b>{notes}</p>{self.table.drop('state')._repr_html_()}"
