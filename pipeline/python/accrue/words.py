"""What counts alone say of labelled text, before any network."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from . import _native
from ._arrays import Floats

__all__ = ["Interval", "Prediction", "predict", "words_in_context"]


@dataclass(frozen=True)
class Interval:
    """A number with its 95 % interval over documents; NaN where it was not computed."""

    value: float
    low: float
    high: float

    def __repr__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}]"


@dataclass(frozen=True)
class Prediction:
    """What word counts predict of a network's attractor (Aitken et al. 2021, arXiv:2010.15114)."""

    #: Participation ratio of the class means' variances; without sampling noise; with words weighed by what they say.
    dimension: Interval
    dimension_unbiased: Interval
    dimension_scaled: Interval
    #: ``point``, ``line``, ``curve``, ``simplex``, ``product`` or ``other``.
    shape: str
    #: Names of the rows of the class-mean matrix, and the documents of each.
    rows: list[str]
    documents: list[int]
    #: Variances of the class means along principal components, descending, and the same without sampling noise.
    variances: Floats
    unbiased: Floats
    #: Training documents, their tokens, words of the vocabulary.
    corpus: dict[str, Any]
    #: What was cut, dropped or doubtful.
    notes: list[str]

    def __repr__(self) -> str:
        told = f"dimension {self.dimension_scaled!r} from word counts alone, a {self.shape}"
        return f"{told}; {len(self.rows)} rows, {self.corpus['documents']} documents"

    @property
    def table(self) -> pl.DataFrame:
        """A row a component: ``variance``, ``share``, ``unbiased``."""
        total = self.variances.sum()
        share = self.variances / total if total > 0 else self.variances
        return pl.DataFrame(
            {
                "component": np.arange(1, len(self.variances) + 1),
                "variance": self.variances,
                "share": share,
                "unbiased": self.unbiased,
            }
        )


def _texts(corpus: Any, labels: Any, text: Any, label: str | None) -> list[dict[str, Any]] | None:
    """Rows of documents that are in memory; None for a file or a name."""
    if isinstance(corpus, (str, os.PathLike)):
        return None
    if hasattr(corpus, "columns") and hasattr(corpus, "to_dict"):
        columns = [str(c) for c in corpus.columns]
        wanted = [text] if isinstance(text, str) else list(text or ["text"])
        named = label or next((c for c in ("label", "labels") if c in columns), "label")
        for column in [*wanted, *([] if labels is not None else [named])]:
            if column not in columns:
                raise ValueError(f"corpus: no column {column!r}; it has {', '.join(columns)}: say text= and label=")
        values = [list(corpus[column]) for column in wanted]
        documents = [" ".join("" if v is None else str(v) for v in row) for row in zip(*values)]
        labels = list(corpus[named]) if labels is None else labels
    else:
        documents = list(corpus)
    if labels is None:
        raise ValueError("labels: none given; a list of texts needs a label for each")
    labels = list(labels)
    if len(labels) != len(documents):
        raise ValueError(f"labels: {len(labels)} for {len(documents)} texts")
    for i, document in enumerate(documents):
        if not isinstance(document, str):
            raise TypeError(f"corpus: text {i} is {type(document).__name__}; give strings")
    return [{"text": d, "label": _plain(v)} for d, v in zip(documents, labels)]


def _plain(value: Any) -> Any:
    """A label as JSON has it."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return list(value) if isinstance(value, (set, tuple)) else value


def write_lines(rows: list[dict[str, Any]], file: Path) -> Path:
    """A JSON object a line."""
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return file


def _source(corpus: Any, text: Any, label: str | None) -> dict[str, Any]:
    path = Path(corpus)
    if path.exists():
        found: dict[str, Any] = {"train": os.fspath(path)}
        if text is not None:
            found["text"] = [text] if isinstance(text, str) else list(text)
        if label is not None:
            found["label"] = label
        return {"File": found}
    if len(path.parts) > 1 or path.suffix:
        raise FileNotFoundError(f"{corpus}: no such file; give an existing one, or a name of `accrue corpus list`")
    return {"Named": os.fspath(corpus)}


def _experiment(
    corpus: Any, labels: Any, text: Any, label: str | None, seed: int, tokens: dict[str, Any] | None, folder: Path
) -> dict[str, Any]:
    rows = _texts(corpus, labels, text, label)
    if rows is None:
        if labels is not None:
            raise ValueError("labels: a file has its own; say its column with label=")
        source = _source(corpus, text, label)
    else:
        source = {"File": {"train": os.fspath(write_lines(rows, folder / "corpus.jsonl"))}}
    return {"seed": seed, "corpus": {"source": source, **({"tokens": tokens} if tokens else {})}}


def predict(
    corpus: Any,
    labels: Sequence[Any] | None = None,
    *,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    bootstrap: int = 200,
    seed: int = 1,
    tokens: dict[str, Any] | None = None,
    data: str | os.PathLike[str] = "data",
) -> Prediction:
    """The dimension and shape of a network's attractor, from word counts alone.

    Parameters
    ----------
    corpus
        Texts (a list of strings, with ``labels``), a DataFrame of polars or pandas, the path of a file or folder
        (parquet, CSV, TSV, JSON, JSON Lines), or a name of ``accrue corpus list``.
    labels
        A label a text: a number, a name, or a list of either.
    text, label
        Columns of a DataFrame or file.
    bootstrap
        Draws of the interval.
    tokens
        How text is cut, as ``corpus.tokens`` of an experiment file.
    data
        Folder of the named corpora.
    """
    with tempfile.TemporaryDirectory() as folder:
        experiment = _experiment(corpus, labels, text, label, seed, tokens, Path(folder))
        experiment["prediction"] = {"bootstrap": bootstrap}
        found = json.loads(_native.predict(json.dumps(experiment), data))
    interval = lambda key: Interval(
        *(float("nan") if found[key][k] is None else found[key][k] for k in ("value", "low", "high"))
    )  # noqa: E731
    array = lambda key: np.array([np.nan if v is None else v for v in found[key]])  # noqa: E731
    return Prediction(
        interval("dimension"),
        interval("dimension_unbiased"),
        interval("dimension_scaled"),
        found["shape"],
        found["rows"],
        found["documents_of_rows"],
        array("variances"),
        array("unbiased"),
        {key: found[key] for key in ("corpus", "labels", "documents", "tokens", "vocabulary")},
        found["notes"],
    )


def words_in_context(
    corpus: Any,
    labels: Sequence[Any] | None = None,
    *,
    text: str | Sequence[str] | None = None,
    label: str | None = None,
    seed: int = 1,
    least: int | None = None,
    tokens: dict[str, Any] | None = None,
    data: str | os.PathLike[str] = "data",
) -> pl.DataFrame:
    """Which words change how the next ones count, as the labels tell without any network.

    A row a word, the surest first: ``gain`` (−1 cancels the next two words, 0 changes nothing, 1 doubles them), its 95 %
    interval ``low`` to ``high``, ``documents``, ``p``, ``rate`` (of false discoveries) and whether it is ``significant``.

    ``least``: occurrences below which a word is left out. Other parameters as of :func:`predict`.
    """
    with tempfile.TemporaryDirectory() as folder:
        experiment = _experiment(corpus, labels, text, label, seed, tokens, Path(folder))
        if least is not None:
            experiment["context"] = {"least": least}
        found = json.loads(_native.context_words(json.dumps(experiment), data))
    schema = {
        "word": pl.String,
        "gain": pl.Float64,
        "low": pl.Float64,
        "high": pl.Float64,
        "documents": pl.Int64,
        "p": pl.Float64,
        "rate": pl.Float64,
        "significant": pl.Boolean,
    }
    return pl.DataFrame(found["words"], schema=schema)
