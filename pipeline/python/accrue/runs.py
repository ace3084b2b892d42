"""Runs of the program: make one, open one, read its tables."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from . import _native

__all__ = ["Run", "command", "open", "run"]


class Run:
    """A finished run, or a grid of runs: its summary, tables and figures, by name."""

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        #: Where it lies.
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise FileNotFoundError(f"{folder}: no such folder; `accrue run FILE.ron` prints where a run's is")
        if not (self.folder / "tables").is_dir() and not (self.folder / "run.ron").is_file():
            inside = sorted(p.name for p in self.folder.iterdir() if p.is_dir() and not p.name.startswith("."))[:8]
            raise ValueError(f"{folder}: no run lies here{'; it holds ' + ', '.join(inside) if inside else ''}")

    @property
    def summary(self) -> dict[str, Any]:
        """Headline numbers by their keys; empty for a grid."""
        file = self.folder / "summary.json"
        found: dict[str, Any] = json.loads(file.read_text()) if file.is_file() else {}
        return found

    def _names(self, below: str, ending: str) -> list[str]:
        folder = self.folder / below
        return (
            sorted(p.name.removesuffix(ending) for p in folder.iterdir() if p.name.endswith(ending))
            if folder.is_dir()
            else []
        )

    @property
    def tables(self) -> list[str]:
        """Names of its tables; ``accrue dictionary`` describes their columns."""
        return self._names("tables", ".parquet")

    @property
    def figures(self) -> list[str]:
        """Names of its figures."""
        return self._names("figures", ".svg")

    def table(self, name: str) -> pl.DataFrame:
        """A table by its name."""
        if name not in self.tables:
            raise KeyError(f"{name}: no such table; there are {', '.join(self.tables)}")
        return pl.read_parquet(self.folder / "tables" / f"{name}.parquet")

    def __getitem__(self, name: str) -> pl.DataFrame:
        return self.table(name)

    def figure(self, name: str) -> str:
        """A figure by its name, as SVG."""
        if name not in self.figures:
            raise KeyError(f"{name}: no such figure; there are {', '.join(self.figures)}")
        return (self.folder / "figures" / f"{name}.svg").read_text()

    @property
    def page(self) -> Path:
        """Its page."""
        return self.folder / "index.html"

    def explain(self, text: str) -> Any:
        """What each word of a text says to the run's network and its bags of words: :class:`Explained`."""
        return Explained(json.loads(_native.explain(self.folder, text)))

    def report(self, folder: str | os.PathLike[str] | None = None) -> Path:
        """Its page, written again from its tables; with ``folder`` a copy of the run there."""
        _native.command(
            ["accrue", "report", os.fspath(self.folder), "--out", os.fspath(self.folder.parent.parent), "--quiet"]
        )
        if folder is None:
            return self.page
        target = Path(folder)
        # Links into the store become files, so that the copy stands alone.
        shutil.copytree(self.folder, target, dirs_exist_ok=True)
        return target / "index.html"

    def __repr__(self) -> str:
        return f"Run({os.fspath(self.folder)!r}: {len(self.tables)} tables, {len(self.figures)} figures)"

    def _repr_html_(self) -> str:
        rows = "".join(f"<tr><td>{key}</td><td>{value}</td></tr>" for key, value in sorted(self.summary.items()))
        return f"<p><b>{self!r}</b></p><table>{rows}</table>"


class Explained:
    """A text, word by word; evidence in logits."""

    def __init__(self, found: dict[str, Any]) -> None:
        #: What the network and the bag of words say, and the label that evidence above 0 speaks for.
        self.network: str = found["network"]
        self.alone: str = found["alone"]
        self.in_context: str | None = found["in_context"]
        self.evidence_for: str = found["evidence_for"]
        #: A row a word: ``word``, ``token``, ``network``, ``alone``, ``in_context``.
        schema = {
            "word": pl.String,
            "token": pl.String,
            "network": pl.Float64,
            "alone": pl.Float64,
            "in_context": pl.Float64,
        }
        self.words = pl.DataFrame(found["words"], schema=schema)
        self.outputs = pl.DataFrame(found["outputs"])

    def __repr__(self) -> str:
        words = "  ".join(
            f"{word} {evidence:+.2f}" for word, evidence in self.words.select("word", "network").iter_rows()
        )
        return f"{self.network} (words alone: {self.alone}); evidence for {self.evidence_for}: {words}"

    def _repr_html_(self) -> str:
        import html

        most = max(1e-9, float(self.words["network"].abs().max() or 0.0))  # type: ignore[arg-type]
        shade = lambda e: f"rgba({'200,60,60' if e < 0 else '40,140,60'},{0.6 * abs(e) / most:.2f})"  # noqa: E731
        spans = " ".join(
            f'<span style="background:{shade(e)}" title="{e:+.2f}">{html.escape(w)}</span>'
            for w, e in self.words.select("word", "network").iter_rows()
        )
        return f"<p>{spans}</p><p>{html.escape(self.network)}; words alone: {html.escape(self.alone)}</p>"


def command(words: Sequence[str]) -> None:
    """``accrue WORDS…`` as it would be typed; errors are raised, Ctrl-C stops at the next safe place."""
    _native.command(["accrue", *words])


def run(
    file: str | os.PathLike[str],
    *,
    set: dict[str, Any] | None = None,
    out: str | os.PathLike[str] = "reports",
    data: str | os.PathLike[str] = "data",
    seed: int | None = None,
    force: Sequence[str] = (),
    quiet: bool = True,
) -> Run:
    """Runs an experiment file, or what of it is not in place, and opens the run.

    Parameters
    ----------
    file
        The experiment file (RON).
    set
        Settings changed by their paths: ``{"training.epochs": 3}``. Values as numbers, booleans, lists, or text in
        RON's notation.
    out, data
        Folders of runs and corpora.
    force
        Stages that are run again.
    """
    changes = [f"{path}={_ron(value)}" for path, value in (set or {}).items()]
    study, name = _native.folder(file, changes)
    words = ["accrue", "run", os.fspath(file), "--out", os.fspath(out), "--data", os.fspath(data)]
    for change in changes:
        words += ["--set", change]
    for stage in force:
        words += ["--force", stage]
    if seed is not None:
        words += ["--seed", str(seed)]
    if quiet:
        words.append("--quiet")
    _native.command(words)
    return Run(Path(out) / study / name)


def open(folder: str | os.PathLike[str]) -> Run:
    """A finished run: ``accrue.open("reports/quickstart/three_topics").table("fixed_points")``."""
    return Run(folder)


def _ron(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_ron(v) for v in value) + "]"
    return str(value)
