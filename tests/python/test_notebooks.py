"""The notebooks run, cell by cell."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="torch is not here")
pytestmark = pytest.mark.torch

EXAMPLES = Path(__file__).parents[2] / "pipeline" / "python" / "examples"


@pytest.mark.parametrize("name", sorted(p.name for p in EXAMPLES.glob("*.ipynb")))
def test_a_notebook_runs(name):
    cells = [c for c in json.loads((EXAMPLES / name).read_text())["cells"] if c["cell_type"] == "code"]
    assert len(cells) >= 4 and not any(c["outputs"] for c in cells), "kept without outputs"
    scope = {}
    for cell in cells:
        exec(compile("".join(cell["source"]), name, "exec"), scope)
