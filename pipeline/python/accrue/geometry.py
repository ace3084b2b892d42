"""What shape and dimension points have.

Points are rows ``[n, size]``. ``shapes`` of attractors are told by :func:`simplex` (unordered classes), :func:`cube`
(independent labels) and the angles between readout vectors (Aitken et al. 2021, arXiv:2010.15114).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np

from . import _arrays, _native
from ._arrays import Floats

__all__ = [
    "Pca",
    "angles",
    "cube",
    "intrinsic_dimension",
    "participation_ratio",
    "pca",
    "shapes",
    "simplex",
    "simplex_angle",
    "variance_dimension",
]


@dataclass(frozen=True)
class Pca:
    """Principal components of points."""

    #: ``[size]``.
    mean: Floats
    #: Variances along the components, descending, with ``1/(n − 1)``: all of them.
    variances: Floats
    #: Unit directions as columns, ``[size, components]``; of each the entry of largest magnitude is positive.
    directions: Floats

    @property
    def ratios(self) -> Floats:
        """Share of the variance along each component."""
        total = self.variances.sum()
        found: Floats = self.variances / total if total > 0.0 else np.zeros_like(self.variances)
        return found

    @property
    def participation_ratio(self) -> float:
        """``(Σ v)²/Σ v²`` of the variances: the dimension that points use."""
        return float(_native.dimension(self.variances.tobytes(), 0.95)[0])

    def coordinates(self, points: Any, components: int = 3) -> Floats:
        """Points along the first components, ``[n, components]``."""
        given = _arrays.states(points, "points", len(self.mean))
        found: Floats = (given - self.mean) @ self.directions[:, :components]
        return found


def pca(points: Any) -> Pca:
    """Principal components of points ``[n, size]``, or ``[trials, steps, size]``, by an exact decomposition."""
    given = _arrays.states(points, "points")
    mean, variances, directions = _native.pca(given.tobytes(), given.shape[1])
    size = given.shape[1]
    return Pca(
        _arrays.floats(mean, -1),
        _arrays.floats(variances, -1),
        np.ascontiguousarray(_arrays.floats(directions, -1, size).T),
    )


def participation_ratio(points: Any) -> float:
    """``(Σ v)²/Σ v²`` of the variances ``v`` along principal components; of a vector, of its numbers as variances.

    1 for points on a line, ``d`` for points that vary alike in ``d`` directions, 0 where nothing varies.
    """
    given = _arrays.numbers(points, "points")
    if given.ndim != 1:
        return pca(points).participation_ratio
    _arrays.finite(given, "points", "give finite variances")
    if (given < 0.0).any():
        raise ValueError("points: a vector is taken as variances, and one is below 0; give points as rows [n, size]")
    return float(_native.dimension(given.tobytes(), 0.95)[0])


def variance_dimension(points: Any, share: float = 0.95) -> int:
    """Fewest principal components that explain a ``share`` of the variance."""
    if not 0.0 < share <= 1.0:
        raise ValueError(f"share: {share}; above 0, at most 1")
    return int(_native.dimension(pca(points).variances.tobytes(), share)[1])


def intrinsic_dimension(points: Any, neighbours: int = 10) -> dict[str, float | None]:
    """Dimension from distances: ``levina_bickel`` (from nearest neighbours, 2004) and ``correlation`` (Grassberger &
    Procaccia 1983); None where there are too few points."""
    given = _arrays.states(points, "points")
    if neighbours < 2:
        raise ValueError(f"neighbours: {neighbours}; at least 2")
    levina_bickel, correlation = _native.intrinsic_dimension(given.tobytes(), given.shape[1], neighbours)
    return {"levina_bickel": levina_bickel, "correlation": correlation}


def simplex(vertices: Any) -> float:
    """How regular the simplex with vertices ``[n, size]`` is; as the program's table of shapes has it."""
    given = _arrays.states(vertices, "vertices")
    return float(_native.simplex(given.tobytes(), given.shape[1]))


def cube(corners: Any, codes: Any) -> dict[str, float]:
    """How well ``corners`` ``[n, size]`` follow their ``codes`` ``[n, labels]`` of ±1.

    ``r2``: share of the corners' variance that the codes explain, 1 for a parallelepiped; ``cosine``: the largest
    between two fitted edges, 0 for a cuboid.
    """
    given, signs = _arrays.states(corners, "corners"), _arrays.states(codes, "codes")
    if not np.isin(signs, (-1.0, 1.0)).all():
        raise ValueError("codes: entries are -1 or 1")
    r2, cosine = _native.cube(given.tobytes(), given.shape[1], signs.tobytes(), signs.shape[1])
    return {"r2": r2, "cosine": cosine}


def angles(rows: Any) -> Floats:
    """Angles between rows, degrees, ``[n, n]``; of readout vectors near :func:`simplex_angle` for unordered classes."""
    given = _arrays.states(rows, "rows")
    return _arrays.floats(_native.readout_angles(given.tobytes(), given.shape[1]), len(given), len(given))


def simplex_angle(n: int) -> float:
    """Angle between vertices of a regular simplex of ``n``, seen from its middle: ``arccos(−1/(n − 1))``, degrees."""
    if n < 2:
        raise ValueError(f"n: {n}; a simplex has two vertices at least")
    return float(np.degrees(np.arccos(-1.0 / (n - 1.0))))


#: The functions that tell shapes, together.
shapes = SimpleNamespace(simplex=simplex, cube=cube, angles=angles, simplex_angle=simplex_angle)
