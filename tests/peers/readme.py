"""Runs the Python blocks of the README, in a folder where the quickstart and
sst2 have been run.

    tests/peers/run tests/peers/readme.py REPORTS
"""
import os, pathlib, re, sys, tempfile

top = pathlib.Path(__file__).resolve().parents[2]
reports = pathlib.Path(sys.argv[1]).resolve()
blocks = re.findall(r"```python\n(.*?)```", (top / "README.md").read_text(), re.S)
with tempfile.TemporaryDirectory() as folder:
    os.chdir(folder)
    os.symlink(reports, "reports")
    scope = {}
    for block in blocks:
        if "save_file" in block:  # `model` is the reader's own
            continue
        exec(block, scope)
    for name in ("states.png", "spectrum.png"):
        assert os.path.getsize(name) > 5000, name
    assert scope["logits"].shape == (1, 1)
print(f"{len(blocks)} blocks")
