"""Runs the Python blocks of the README, the tour and the data dictionary, in a
folder where the quickstart and sst2 have been run.

    tests/peers/run tests/peers/readme.py REPORTS
"""
import os, pathlib, re, sys, tempfile

top = pathlib.Path(__file__).resolve().parents[2]
reports = pathlib.Path(sys.argv[1]).resolve()
pages = ["README.md", "pipeline/studies/tour.md", "reports/README.md"]
blocks = [b for p in pages for b in re.findall(r"```python\n(.*?)```", (top / p).read_text(), re.S)]
blocks = [b for b in blocks if "…" not in b]  # the reader's own path
assert len(blocks) == 5, len(blocks)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.symlink(reports, "reports")
    scope = {}
    for block in blocks:
        exec(block, scope)
    for name in ("states.png", "spectrum.png"):
        assert os.path.getsize(name) > 5000, name
    assert scope["logits"].shape == (1, 1)
print(f"{len(blocks)} blocks")
