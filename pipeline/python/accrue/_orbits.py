"""What leads where for a function of Python's: all orbits together, a step of all of them at a time.

The rule is that of networks the library knows: an orbit begins at ``h* ± ε r`` for a real unstable mode ``r``, at
``h* + ε Re(e^{iφ} r)`` for phases of a complex pair, and in directions drawn in the span of all unstable modes where
there are two or more. It ends at the first attractor within 1e-4 of the states' scale. Cycles are not told: orbits that
arrive nowhere are ``unended``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _arrays, _native
from ._arrays import Floats
from ._function import Steps

#: Of the states' scale: how far off the saddle an orbit begins, and how near it has arrived.
OFFSET, ARRIVED = 1e-3, 1e-4
#: A modulus this little above 1 is one that rounding has moved.
OUTSIDE = 1.0 + 1e-9


def _directions(
    right: Any, values: Any, phases: int, drawn: int, stream: np.random.Generator
) -> list[tuple[int | None, float | None, Floats]]:
    unstable = int((np.abs(values) > OUTSIDE).sum())
    found: list[tuple[int | None, float | None, Floats]] = []
    basis, mode = [], 0
    while mode < unstable:
        paired = values[mode].imag != 0.0 and mode + 1 < len(values)
        count = phases if paired else 2
        for k in range(count):
            phase = 2.0 * np.pi * k / count
            found.append((mode, phase, (right[:, mode] * np.exp(1j * phase)).real))
        basis.append(right[:, mode].real)
        if paired:
            basis.append((right[:, mode] * 1j).real)
        mode += 1 + paired
    if unstable > 1:
        span, _ = np.linalg.qr(np.array(basis).T)
        found += [(None, None, span @ stream.standard_normal(span.shape[1])) for _ in range(drawn)]
    return [(mode, phase, v / np.linalg.norm(v)) for mode, phase, v in found]


def follow(
    map: Steps, points: Floats, scale: float, *, drawn: int, phases: int, steps: int, seed: int
) -> dict[str, Any]:
    """Orbits from each saddle; as the native part returns them."""
    size = map.size
    data = _native.eigen(map.jacobians(points).tobytes(), size, True) if len(points) else []
    values = _arrays.complexes(data[0], -1, size) if data else np.zeros((0, size))
    right = _arrays.complexes(data[1], -1, size, size) if data else np.zeros((0, size, size))
    unstable = (np.abs(values) > OUTSIDE).sum(axis=1)
    sources, modes, turns, begins = [], [], [], []
    for i in np.flatnonzero(unstable > 0):
        for mode, phase, v in _directions(right[i], values[i], phases, drawn, np.random.default_rng([seed, 3, int(i)])):
            sources.append(int(i))
            modes.append(mode)
            turns.append(phase)
            begins.append(points[i] + OFFSET * scale * v)
    h = np.array(begins).reshape(-1, size)
    attractors = np.flatnonzero(unstable == 0)
    end: list[str] = ["unended"] * len(h)
    to: list[int | None] = [None] * len(h)
    took = np.full(len(h), steps)
    going = np.arange(len(h))

    def arrived(at: Any, among: Any, t: int, kind: str) -> Any:
        """Orbits that are not at one of some points."""
        if len(among) == 0 or len(at) == 0:
            return at
        far = np.linalg.norm(h[at][:, None, :] - points[among][None, :, :], axis=2)
        nearest = far.argmin(axis=1)
        there = far[np.arange(len(at)), nearest] < ARRIVED * scale
        for orbit, point in zip(at[there], among[nearest[there]]):
            end[orbit], to[orbit], took[orbit] = kind, int(point), t
        return at[~there]

    for t in range(steps + 1):
        going = arrived(going, attractors, t, "point")
        if len(going) == 0 or t == steps:
            break
        next_ = map.step(np.ascontiguousarray(h[going]))
        lost = ~np.isfinite(next_).all(axis=1)
        for orbit in going[lost]:
            end[orbit], took[orbit] = "diverged", t + 1
        still = ~lost & (
            np.abs(next_ - h[going]).max(axis=1) <= 4 * np.finfo(float).eps * (1.0 + np.abs(next_).max(axis=1))
        )
        h[going[~lost]] = next_[~lost]
        # At rest, but at no attractor: symmetry may leave an orbit on a saddle's stable manifold.
        arrived(going[still], np.arange(len(points)), t + 1, "point")
        going = going[~lost & ~still]
    saddles = [int(i) for i in np.flatnonzero(unstable > 0)]
    reaches = []
    for saddle in saddles:
        seen, open_ = {saddle}, [saddle]
        met: set[tuple[str, int | None]] = set()
        while open_:
            at = open_.pop()
            for orbit in (k for k, source in enumerate(sources) if source == at):
                point = to[orbit]
                if end[orbit] == "point" and point is not None and unstable[point] > 0:
                    if point not in seen:
                        seen.add(point)
                        open_.append(point)
                else:
                    met.add((end[orbit], point))
        reaches.append(sorted(met, key=lambda e: (e[0], -1 if e[1] is None else e[1])))
    return {
        "from": sources,
        "mode": modes,
        "phase": turns,
        "end": end,
        "to": to,
        "steps": took.tolist(),
        "saddles": saddles,
        "unstable": [int(unstable[i]) for i in saddles],
        "reaches": reaches,
        "cycles": [],
    }
