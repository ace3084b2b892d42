"""Tasks whose law is known, as arrays: train where you like, and analyse here.

>>> task = accrue.tasks.memory(bits=3)
>>> trials = task.draw(512, seed=1)
>>> trials.inputs.shape, trials.targets.shape
((512, 64, 3), (512, 64, 3))
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import _arrays, _native
from ._arrays import Floats

__all__ = ["Task", "Trials", "accumulation", "discrimination", "integration", "labels", "memory", "path", "sine"]


@dataclass(frozen=True)
class Trials:
    """Trials of one task, padded with zeros to the longest; padding has mask 0."""

    #: ``[trial, step, inputs]``.
    inputs: NDArray[np.float32]
    #: ``[trial, step, outputs]``.
    targets: NDArray[np.float32]
    #: How much a step counts, ``[trial, step]``; 0 leaves it out.
    mask: NDArray[np.float32]
    #: Which trials are alike, ``[trial]``.
    conditions: NDArray[np.int64]
    #: Steps of each, ``[trial]``.
    lengths: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.inputs)


class Task:
    """A task: what enters, what should come out, which steps count."""

    def __init__(self, kind: str, settings: dict[str, Any]) -> None:
        self._settings = json.dumps({kind: settings})
        found = _native.task(self._settings)
        #: Its name for people.
        self.name: str = found["name"]
        #: Numbers that enter at a step, and that should come out.
        self.inputs: int = found["inputs"]
        self.outputs: int = found["outputs"]
        #: Steps of the longest trial.
        self.steps: int = found["steps"]
        #: Inputs under which fixed points mean something, by name, the most telling first: for ``fixed_points(inputs=…)``.
        self.held: dict[str, Floats] = {name: np.array(x) for name, x in found["held"].items()}
        #: Mean squared error of the best constant answer, and of the best answer there is.
        self.chance: float = found["chance"]
        self.best: float = found["best"]
        #: As an experiment file has it.
        self.ron: str = found["ron"]

    def __repr__(self) -> str:
        return f"Task({self.name}: {self.inputs} inputs, {self.outputs} outputs, {self.steps} steps)"

    def draw(self, count: int, seed: int = 1, split: str = "train") -> Trials:
        """``count`` trials; the same ``seed`` and ``split`` give the program's own."""
        if count < 1:
            raise ValueError(f"count: {count}; one trial at least")
        found = _native.draw(self._settings, count, seed, split)
        lengths = np.asarray(found["lengths"], dtype=np.int64)
        longest = int(lengths.max())
        within = np.arange(longest) < lengths[:, None]  # [trial, step]

        def padded(data: bytes, width: int) -> NDArray[np.float32]:
            made = np.zeros((count, longest, width), dtype=np.float32)
            made[within] = _arrays.singles(data, -1, width)
            return made

        return Trials(
            padded(found["inputs"], self.inputs),
            padded(found["targets"], self.outputs),
            padded(found["mask"], 1)[:, :, 0],
            _arrays.floats(found["conditions"], -1).astype(np.int64),
            lengths,
        )


def memory(**settings: Any) -> Task:
    """Each channel holds the sign of its last pulse (Sussillo & Barak 2013): ``bits``, ``steps``, ``pulse`` (probability),
    ``noise``, ``grace``, ``paired``, ``starts_down``, ``unscored``."""
    return Task("Memory", settings)


def sine(**settings: Any) -> Task:
    """A constant input says which sine wave to say: ``frequencies``, ``steps``, ``low``, ``high``, ``offset``."""
    return Task("Sine", settings)


def integration(**settings: Any) -> Task:
    """Of two noisy streams the cued one is added up: ``steps``, ``bias``, ``noise``."""
    return Task("Integration", settings)


def discrimination(**settings: Any) -> Task:
    """Two stimuli with a pause between them, which was larger: ``values``, ``stimulus``, ``pause_least``, ``pause_most``,
    ``decision``, ``noise``."""
    return Task("Discrimination", settings)


def path(**settings: Any) -> Task:
    """From speed and heading to a place in the plane: ``steps``, ``speed``, ``turn``."""
    return Task("Path", settings)


def accumulation(**settings: Any) -> Task:
    """Evidence is added up by one of three strategies: ``steps``, ``noise``, ``strategy``."""
    return Task("Accumulation", settings)


def labels(**settings: Any) -> Task:
    """Words speak of two labels, one of which is asked: ``words``, ``cue``."""
    return Task("Labels", settings)
