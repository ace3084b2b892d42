"""A text classifier of your own, opened up: ``accrue.text(model, tokenizer=str.split, vocabulary=ids)``."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from . import _arrays, _native
from ._network import _refuse_dropout
from .runs import Run
from .words import _texts, write_lines

__all__ = ["Classifier", "text"]

#: Share of test documents on which the network as it was read may answer otherwise than the model itself.
OTHERWISE = 0.01
#: Test documents on which both are asked.
ASKED = 1000


class Classifier:
    """A network that classifies text, with its words."""

    def __init__(
        self, model: Any, tokenizer: Callable[[str], list[str]], vocabulary: Mapping[str, int], settings: dict[str, Any]
    ) -> None:
        self.model, self.tokenizer, self.vocabulary, self.settings = model, tokenizer, dict(vocabulary), settings

    def ids(self, document: str) -> list[int]:
        """Token ids of a text; words that are not in the vocabulary become its ``<unk>``, or are left out."""
        unknown = self.vocabulary.get("<unk>")
        found = [self.vocabulary.get(word, unknown) for word in self.tokenizer(document)]
        return [i for i in found if i is not None]

    def _cut(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            words = self.tokenizer(row["text"])
            if any(not w or any(c.isspace() for c in w) for w in words):
                raise ValueError(f"tokenizer: a token of {row['text'][:40]!r} holds white space; it must cut there")
            row["text"] = " ".join(words)
        return rows

    def analyze(
        self,
        train: Any,
        test: Any,
        *,
        text: str | Sequence[str] | None = None,
        label: str | None = None,
        name: str = "model",
        out: str | os.PathLike[str] | None = None,
        set: dict[str, Any] | None = None,
        label_order: Sequence[Any] | None = None,
    ) -> Run:
        """Everything that ``accrue analyze`` does with a corpus: accuracy, states, slow points with proofs, dimension
        against the prediction, words, words in context.

        ``train`` and ``test`` are DataFrames with columns ``text`` and ``label``, or pairs ``(texts, labels)``. The
        network as it was read is asked the same test documents as ``model(x)``; where they differ, it warns.

        Parameters
        ----------
        out
            Folder of runs; left out: a temporary one.
        set
            Settings of the experiment, as of :func:`accrue.run`.
        label_order
            Labels in the order of the readout's outputs; left out: by name.
        """
        from .runs import _ron

        folder = Path(tempfile.mkdtemp(prefix="accrue-")) if out is None else Path(out)
        inputs = folder / "inputs" / name
        inputs.mkdir(parents=True, exist_ok=True)
        splits = {}
        for split, given in (("train", train), ("test", test)):
            corpus, labels = given if isinstance(given, tuple) and len(given) == 2 else (given, None)
            rows = _texts(corpus, labels, text, label)
            if rows is None:
                raise TypeError(f"{split}: give a DataFrame or (texts, labels); a file goes to `accrue analyze`")
            splits[split] = self._cut(rows)
            write_lines(splits[split], inputs / f"{split}.jsonl")
        arrays = {key: _arrays.numbers(value, key).astype(np.float32) for key, value in self.model.state_dict().items()}
        np.savez(inputs / f"{name}.npz", **arrays)  # type: ignore[arg-type]
        (inputs / "tokenizer.json").write_text(json.dumps(self._tokenizer()))
        words = [
            "accrue", "analyze", os.fspath(inputs / f"{name}.npz"), "--corpus", os.fspath(inputs / "train.jsonl"),
            "--tokenizer", os.fspath(inputs / "tokenizer.json"), "--out", os.fspath(folder), "--name", name, "--quiet",
            "--set", f'corpus.source.test={json.dumps(os.fspath((inputs / "test.jsonl")))}',
        ]  # fmt: skip
        for key, value in self.settings.items():
            words += [f"--{key.replace('_', '-')}", str(value)]
        if label_order is not None:
            words += ["--label-order", ",".join(map(str, label_order))]
        for path, value in (set or {}).items():
            words += ["--set", f"{path}={_ron(value)}"]
        _native.command(words)
        run = Run(folder / "analyze" / name)
        self._compare(run, splits["test"], label_order)
        return run

    def _tokenizer(self) -> dict[str, Any]:
        return {
            "version": "1.0", "truncation": None, "padding": None, "added_tokens": [], "normalizer": None,
            "pre_tokenizer": {"type": "WhitespaceSplit"}, "post_processor": None, "decoder": None,
            "model": {"type": "WordLevel", "vocab": self.vocabulary, "unk_token": "<unk>"},
        }  # fmt: skip

    def _compare(self, run: Run, rows: list[dict[str, Any]], label_order: Sequence[Any] | None) -> None:
        """Warns where the network as it was read is not the model."""
        import torch

        read = run.summary.get("accuracy.network")
        labels = list(label_order) if label_order is not None else sorted({row["label"] for row in rows})
        right = asked = 0
        with torch.no_grad():
            for row in rows[:ASKED]:
                tokens = self.ids(row["text"])
                if not tokens:
                    continue
                said = self.model(torch.tensor([tokens])).reshape(-1)
                answer = int(said[0] > 0) if len(said) == 1 else int(said.argmax())
                right += labels[answer] == row["label"]
                asked += 1
        if read is None or asked == 0:
            return
        own = right / asked
        # All test documents against those asked: their chance is added.
        chance = 2.0 * (own * (1.0 - own) / asked) ** 0.5 if asked < len(rows) else 0.0
        if abs(own - read) > OTHERWISE + chance:
            warnings.warn(
                f"model(x) is right on {own:.3f} of {asked} test documents, the network as it was read on {read:.3f}; "
                "say what its readout reads (reads='mean' …), or the order of its outputs (label_order=…)",
                stacklevel=3,
            )


def text(
    model: Any, tokenizer: Callable[[str], list[str]], vocabulary: Mapping[str, int], **settings: Any
) -> Classifier:
    """A classifier of text, to be analysed.

    Parameters
    ----------
    model
        A torch module that takes token ids ``[1, tokens]`` and gives logits ``[1, outputs]``; in evaluation mode.
    tokenizer
        From a text to its words, as ``str.split``.
    vocabulary
        Ids by word: rows of the embedding. ``<unk>`` stands for unknown words.
    settings
        Options of ``accrue analyze`` where names of arrays do not say enough: ``cell``, ``pool``, ``readout_reads``,
        ``recurrent``, ``embedding``, ``readout``, ``norm``.
    """
    if not hasattr(model, "state_dict"):
        raise TypeError(f"model: {type(model).__name__} has no state_dict; give a torch module")
    if not callable(tokenizer):
        raise TypeError("tokenizer: give a function from a text to its words, as str.split")
    if not isinstance(vocabulary, Mapping) or not all(isinstance(i, int) for i in vocabulary.values()):
        raise TypeError("vocabulary: give ids by word, as {'<unk>': 0, 'good': 1}")
    _refuse_dropout(model)
    for value in model.state_dict().values():
        _arrays.on_processor(value, "model")
    return Classifier(model, tokenizer, vocabulary, settings)
