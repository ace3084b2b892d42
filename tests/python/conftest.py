"""What tests share. Those that need torch are skipped without it, and that is said at the end."""

import importlib.util

import numpy as np
import pytest

import accrue

HAS_TORCH = importlib.util.find_spec("torch") is not None
SKIPPED = "torch is not here"


def pytest_collection_modifyitems(items):
    if HAS_TORCH:
        return
    for item in items:
        if "torch" in item.keywords:
            item.add_marker(pytest.mark.skip(reason=SKIPPED))


def pytest_configure(config):
    if HAS_TORCH:
        import torch

        # Networks here are small: a second thread costs more than it does.
        torch.set_num_threads(1)
    config.addinivalue_line("markers", "torch: needs torch")


def pytest_terminal_summary(terminalreporter):
    count = sum(SKIPPED in str(r.longrepr) for r in terminalreporter.stats.get("skipped", []))
    if count:
        told = (
            f"{SKIPPED}: all tests of its networks were skipped, {count} files or tests; pip install torch to run them"
        )
        terminalreporter.write_line(told, yellow=True)


@pytest.fixture
def stream():
    return np.random.default_rng(1)


def circulant(n):
    """``W[i, :] = −roll(linspace(−1, 1, n), −i)``."""
    ramp = np.linspace(-1.0, 1.0, n)
    return np.array([-np.roll(ramp, -i) for i in range(n)])


def same_points(a, b, near=1e-6):
    """Whether two lists of points are one, in any order."""
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape:
        return False
    far = np.linalg.norm(a[:, None] - b[None], axis=2)
    return bool((far.min(axis=1) < near).all() and (far.min(axis=0) < near).all())


def random_network(cell, units, inputs, seed=0, width=1.5):
    stream = np.random.default_rng(seed)
    rows = {"vanilla": 1, "relu": 1, "ugrnn": 2, "gru": 3, "gru-reset-before": 3, "lstm": 4}[cell.removesuffix("-relu")] * units
    draw = lambda *shape: stream.uniform(-width, width, shape)  # noqa: E731
    return accrue.Network(cell, draw(rows, units), draw(rows, inputs), draw(rows), draw(rows))
