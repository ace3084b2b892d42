"""How does a recurrent network compute? Fixed points with proofs, what leads where, shapes, and what word counts tell.

>>> import accrue
>>> fp = accrue.fixed_points(net.rnn, states=h, inputs={"rest": [0, 0, 0]}, noise=0.5, mix=True)
>>> fp
27: 8 stable, 12/6/1 with 1/2/3 unstable, all proved
"""

from . import _native, geometry, similarity, tasks
from ._network import Network
from ._points import FixedPoints, Modes, Transitions
from ._search import find_fixed_points, fixed_points
from .runs import Run, command, open, run
from .session import Classifier, text
from .words import Prediction, predict, words_in_context

__version__ = _native.version

__all__ = [
    "Classifier",
    "FixedPoints",
    "Modes",
    "Network",
    "Prediction",
    "Run",
    "Transitions",
    "command",
    "find_fixed_points",
    "fixed_points",
    "geometry",
    "open",
    "predict",
    "run",
    "similarity",
    "tasks",
    "text",
    "words_in_context",
]
