"""How alike networks are: by their states, their laws of motion, and maps of many.

Each measure takes two networks, or a list or dict of them. Of two it returns a :class:`Pair`, of many
:class:`Distances`. States are ``[samples, units]``, the same samples in the same order for all; numbers of units may
differ.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from . import _arrays, _native
from ._arrays import Floats

__all__ = [
    "Chance",
    "Distances",
    "Map",
    "Pair",
    "cka",
    "dsa",
    "mantel",
    "mds",
    "nearest_neighbours",
    "procrustes",
    "svcca",
]


@dataclass(frozen=True)
class Pair:
    """Two networks, compared."""

    #: How far apart; 0 for the same.
    distance: float
    #: ``1 − distance`` of measures that are similarities (SVCCA, CKA); None of others.
    similarity: float | None = None
    #: What else was found, by name.
    more: dict[str, Any] = field(default_factory=dict)

    def __float__(self) -> float:
        return self.distance


@dataclass(frozen=True)
class Distances:
    """Distances of all pairs."""

    #: ``[m, m]``, symmetric.
    values: Floats
    names: list[str]
    measure: str
    #: What else was found, by name.
    more: dict[str, Any] = field(default_factory=dict)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Floats:
        return np.asarray(self.values, dtype=dtype)

    def __repr__(self) -> str:
        pairs = self.values[np.triu_indices(len(self.names), 1)]
        spread = f", {pairs.min():.3g} to {pairs.max():.3g}" if len(pairs) else ""
        return f"Distances of {len(self.names)} networks by {self.measure}{spread}"


@dataclass(frozen=True)
class Map:
    """Networks as points whose distances are near those given."""

    #: ``[m, dimensions]``, mean 0.
    points: Floats
    names: list[str]
    #: Kruskal's stress-1; None of the classical map.
    stress: float | None
    #: Share of negative eigenvalues, which no flat map can show; None of the stress map.
    negative: float | None


@dataclass(frozen=True)
class Chance:
    """A number against permutations."""

    value: float
    #: Its mean over permutations, and between what 95 % of them lie.
    chance: float
    range: tuple[float, float]
    #: ``(1 + permutations as large or larger)/(1 + permutations)``.
    p: float
    permutations: int


def _named(networks: tuple[Any, ...]) -> tuple[list[str], list[Any], bool]:
    if len(networks) == 2:
        return ["first", "second"], list(networks), True
    if len(networks) != 1:
        raise TypeError(f"{len(networks)} networks; give two, or one list or dict of them")
    given = networks[0]
    if isinstance(given, Mapping):
        return [str(name) for name in given], list(given.values()), False
    if isinstance(given, Sequence) or (isinstance(given, np.ndarray) and given.ndim >= 3):
        return [str(i) for i in range(len(given))], list(given), False
    raise TypeError("one network alone has no distance; give two, or a list or dict of them")


def _states(networks: tuple[Any, ...]) -> tuple[list[tuple[str, bytes, int]], list[str], bool]:
    names, arrays, pair = _named(networks)
    found = [(n, _arrays.states(a, f"states of {n!r}")) for n, a in zip(names, arrays)]
    counts = {len(a) for _, a in found}
    if len(counts) > 1:
        told = ", ".join(f"{n!r} {len(a)}" for n, a in found[:4])
        raise ValueError(f"networks are compared at the same samples; they have {told}")
    return [(n, a.tobytes(), a.shape[1]) for n, a in found], names, pair


def _made(data: bytes, names: list[str], pair: bool, measure: str, alike: bool, more: dict[str, Any]) -> Any:
    values = _arrays.floats(data, len(names), len(names))
    if pair:
        far = float(values[0, 1])
        return Pair(far, 1.0 - far if alike else None, more)
    return Distances(values, names, measure, more)


def svcca(*networks: Any, share: float | None = 0.99, components: int | None = None) -> Any:
    """``1 − mean ρ`` of the canonical correlations of the leading principal components (Raghu et al. 2017, arXiv:1706.05806).

    ``share`` of the variance that is kept (None: all of it, plain CCA), or a number of ``components``. ``more`` of a pair
    has ``correlations``. Blind to invertible linear maps of what is kept.
    """
    given, names, pair = _states(networks)
    data, pairs = _native.svcca(given, share, components)
    more = {"correlations": np.array(pairs[0])} if pair else {}
    return _made(data, names, pair, "svcca", True, more)


def cka(*networks: Any, debiased: bool = False) -> Any:
    """``1 − CKA``, linear (Kornblith et al. 2019, arXiv:1905.00414); ``debiased`` for few samples. Blind to rotations."""
    given, names, pair = _states(networks)
    return _made(_native.cka(given, debiased), names, pair, "cka", True, {})


def procrustes(*networks: Any, angular: bool = True) -> Any:
    """Distance of shapes after the best rotation (Williams et al. 2021, arXiv:2110.14739): the angle, 0 to π/2 rad, or
    the chord, 0 to √2. A metric."""
    given, names, pair = _states(networks)
    return _made(_native.procrustes(given, angular), names, pair, "procrustes", False, {})


def dsa(
    *networks: Any,
    delays: int = 5,
    interval: int = 1,
    share: float | None = 0.99,
    rank: int | None = None,
    angular: bool = True,
    seed: int = 0,
) -> Any:
    """Distance of laws of motion (Ostrow et al. 2023, arXiv:2306.10168): linear laws of delayed states, after the best
    rotation.

    Networks are trajectories ``[trials, steps, units]``. ``delays`` copies of the state, ``interval`` steps apart;
    ``rank`` principal components of them, or those that explain a ``share`` (None: all that vary), each brought to unit
    variance. ``more``:
    ``not_converged``, ``found_once``, ``padded`` (counts of pairs, whose distance may be too large) and ``predicted``
    (share of the next step that each law predicts; near 0 it says nothing).
    """
    names, arrays, pair = _named(networks)
    given = []
    for name, value in zip(names, arrays):
        found = _arrays.numbers(value, f"trajectories of {name!r}")
        found = found[None] if found.ndim == 2 else found
        if found.ndim != 3:
            raise ValueError(f"trajectories of {name!r}: shape {found.shape}, expected [trials, steps, units]")
        _arrays.finite(found, f"trajectories of {name!r}", "give finite states")
        given.append((name, found.tobytes(), list(found.shape)))
    data, counts, predicted = _native.dsa(given, delays, interval, share, rank, angular, seed)
    more = dict(zip(("not_converged", "found_once", "padded"), counts)) | {"predicted": np.array(predicted)}
    return _made(data, names, pair, "dsa", False, more)


def _matrix(distances: Any) -> tuple[Floats, list[str]]:
    values = np.ascontiguousarray(_arrays.numbers(np.asarray(distances), "distances"))
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(f"distances: shape {values.shape}, expected [networks, networks]")
    names = distances.names if isinstance(distances, Distances) else [str(i) for i in range(len(values))]
    return values, names


def mds(distances: Any, dimensions: int = 2, *, classical: bool = False, seed: int = 0) -> Map:
    """A map of networks: least stress by majorisation (SMACOF; de Leeuw 1977), or ``classical`` scaling."""
    values, names = _matrix(distances)
    data, stress, negative = _native.mds(values.tobytes(), len(values), dimensions, classical, seed)
    return Map(_arrays.floats(data, len(values), -1), names, stress, negative)


def mantel(first: Any, second: Any, *, ranks: bool = False, permutations: int = 1000, seed: int = 0) -> Chance:
    """Whether two ways to measure the same networks agree (Mantel 1967): their correlation over pairs, against permuted
    networks."""
    (a, _), (b, _) = _matrix(first), _matrix(second)
    return Chance(**_native.mantel(a.tobytes(), b.tobytes(), (len(a), len(b)), ranks, permutations, seed))


def nearest_neighbours(distances: Any, labels: Sequence[Any], *, permutations: int = 1000, seed: int = 0) -> Chance:
    """Share of networks whose nearest other one has their label, against permuted labels."""
    values, _ = _matrix(distances)
    return Chance(**_native.neighbours(values.tobytes(), [str(label) for label in labels], permutations, seed))
