"""Figures: points and trajectories along principal components."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np

from . import _arrays
from ._arrays import Floats
from .geometry import pca

if TYPE_CHECKING:
    from ._points import FixedPoints

#: Trajectories that are drawn at most; the rest are left out, evenly.
MOST = 200


def _backend(asked: str | None) -> str:
    if asked is not None and asked not in ("plotly", "matplotlib"):
        raise ValueError(f"backend: {asked!r}; plotly or matplotlib")
    for name in (asked,) if asked else ("plotly", "matplotlib"):
        if importlib.util.find_spec(name) is not None:
            return name
    raise ImportError(f"drawing needs {asked or 'plotly or matplotlib'}: pip install {asked or 'plotly'}")


def _colors(points: FixedPoints, color: Any) -> tuple[Floats, str]:
    if isinstance(color, str):
        known = {
            "unstable": (points.unstable, "unstable modes"),
            "index": (points.index, "index"),
            "tau": (points.time_constants.max(axis=1) if len(points) else np.zeros(0), "τ₁ (steps)"),
            "q": (points.q, "q"),
            "stable": (points.stable, "stable"),
        }
        if color not in known:
            raise ValueError(f"color: {color!r}; one of {', '.join(known)}, or a number a point")
        values, name = known[color]
        return np.asarray(values, dtype=np.float64), name
    values = _arrays.numbers(color, "color").reshape(-1)
    if len(values) != len(points):
        raise ValueError(f"color: {len(values)} numbers for {len(points)} points")
    return values, "color"


def _walks(points: FixedPoints, trajectories: Any) -> list[Floats]:
    if trajectories is None:
        return []
    size = points.states.shape[1]
    found = _arrays.numbers(trajectories, "trajectories")
    found = found[None] if found.ndim == 2 else found
    if found.ndim != 3 or found.shape[2] != size:
        raise ValueError(f"trajectories: shape {found.shape}, expected [trials, steps, {size}]")
    every = -(-len(found) // MOST)
    return list(found[::every])


def draw(points: FixedPoints, trajectories: Any, color: Any, dimensions: int, backend: str | None) -> Any:
    """The figure."""
    if dimensions not in (2, 3):
        raise ValueError(f"dimensions: {dimensions}; 2 or 3")
    backend = _backend(backend)
    walks = _walks(points, trajectories)
    clouds = [points.visited, points.states, *walks]
    axes = pca(points.visited if len(points.visited) > 2 else np.concatenate(clouds))
    shown = min(dimensions, axes.directions.shape[1])
    flat = lambda states: axes.coordinates(states, shown)  # noqa: E731
    values, name = _colors(points, color)
    labels = [f"component {a + 1} ({100 * share:.0f} %)" for a, share in enumerate(axes.ratios[:shown])]
    make = _plotly if backend == "plotly" else _matplotlib
    return make(points, flat(points.states), [flat(w) for w in walks], values, name, labels)


def _plotly(points: FixedPoints, at: Floats, walks: list[Floats], values: Floats, name: str, labels: list[str]) -> Any:
    import plotly.graph_objects as go

    three = at.shape[1] == 3
    scatter = go.Scatter3d if three else go.Scatter
    place = lambda x: dict(zip("xyz", [*x.T, *([np.zeros(len(x))] * (2 - x.shape[1]))]))  # noqa: E731
    traces = [
        scatter(
            **place(w),
            mode="lines",
            line={"color": "rgba(120,120,120,0.5)", "width": 1},
            hoverinfo="skip",
            showlegend=False,
        )
        for w in walks
    ]
    told = [
        f"point {i} ({where})<br>q {q:.1e}<br>{k} unstable<br>{'proved' if proved else 'not proved'}"
        for i, (where, q, k, proved) in enumerate(zip(points.input, points.q, points.unstable, points.certified))
    ]
    for stable, symbol, label in ((True, "circle", "stable"), (False, "diamond-open", "unstable")):
        of = np.flatnonzero(points.stable == stable)
        marker = {
            "size": 5 if three else 9,
            "symbol": symbol,
            "color": values[of],
            "cmin": float(values.min(initial=0.0)),
            "cmax": float(values.max(initial=1.0)),
            "colorscale": "Viridis",
            "colorbar": {"title": name} if stable else None,
            "showscale": bool(stable),
        }
        traces.append(
            scatter(
                **place(at[of]), mode="markers", marker=marker, text=[told[i] for i in of], hoverinfo="text", name=label
            )
        )
    figure = go.Figure(traces)
    titles = {f"{axis}axis": {"title": label} for axis, label in zip("xyz", labels)}
    layout = {"scene": titles} if three else {f"{axis}axis_title": label for axis, label in zip("xy", labels)}
    figure.update_layout(
        title=repr(points).splitlines()[0], margin={"l": 0, "r": 0, "b": 0, "t": 40}, legend={"x": 0, "y": 1}, **layout
    )
    return figure


def _matplotlib(
    points: FixedPoints, at: Floats, walks: list[Floats], values: Floats, name: str, labels: list[str]
) -> Any:
    from matplotlib.figure import Figure

    three = at.shape[1] == 3
    figure = Figure(figsize=(7, 6))
    axes: Any = figure.add_subplot(projection="3d" if three else None)
    wide = lambda x: [*x.T, *([np.zeros(len(x))] * (2 - x.shape[1]))]  # noqa: E731
    for w in walks:
        axes.plot(*wide(w), color="0.6", linewidth=0.5, zorder=1)
    bounds = {"vmin": float(values.min(initial=0.0)), "vmax": float(values.max(initial=1.0))}
    drawn = None
    for stable, marker in ((True, "o"), (False, "D")):
        of = np.flatnonzero(points.stable == stable)
        if len(of):
            drawn = axes.scatter(
                *wide(at[of]), c=values[of], marker=marker, label="stable" if stable else "unstable", zorder=2, **bounds
            )
    if drawn is not None:
        figure.colorbar(drawn, ax=axes, label=name, shrink=0.7)
        axes.legend()
    for set_, label in zip(("set_xlabel", "set_ylabel", "set_zlabel"), labels):
        getattr(axes, set_)(label)
    axes.set_title(repr(points).splitlines()[0])
    return figure
