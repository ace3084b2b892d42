"""Counting, singular directions, the bag of words, spectra: the same work in
scikit-learn and NumPy, alternating.

    tests/peers/run tests/peers/analysis.py DATA

DATA: the folder of the corpora, with imdb in it. Prints seconds and ratios and
writes reports/bench/analysis.parquet.
"""
import json, os, pathlib, re, statistics, subprocess, sys, time

THREADS = 2
os.environ |= {name: str(THREADS) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")}
import numpy as np
import polars as pl
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

top = pathlib.Path(__file__).resolve().parents[2]
folder = pathlib.Path(sys.argv[1]).resolve() / "imdb"
target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", top / "target"))
program = max((target / "release/deps").glob("analysis-*[!d]"), key=os.path.getmtime)
ROUNDS = 3


def ours(*arguments):
    done = subprocess.run([program, str(THREADS), *map(str, arguments)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def median(run):
    seconds = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        result = run()
        seconds.append(time.perf_counter() - begin)
    return statistics.median(seconds), result


train = pl.read_parquet(folder / "train.parquet")
texts, labels = train["text"].to_list(), train["label"].to_numpy()
rows = []


def row(name, here, there, note):
    rows.append({"work": name, "accrue_seconds": here, "peer_seconds": there, "ratio": there / here, "note": note})
    print(f"{name:34} {here:8.3f} s {there:8.3f} s {there / here:6.2f}x  {note}", flush=True)


here = ours("count", folder)
word = r"[^\W]+(?:'[^\W\d_]+)*|[^\s\w]"
clean = lambda text: re.sub(r"<br\s*/?>", " ", text.lower()).replace("\u2019", "'")
counter = CountVectorizer(token_pattern=word, preprocessor=clean, vocabulary=here["words"])
seconds, counts = median(lambda: counter.transform(texts))
known = int(counts.sum())
row("text to counts, 20,000 words", here["seconds"], seconds,
    f"{here['tokens']:,} tokens here, {known:,} known there")

found = ours("lsa", folder)
svd = TruncatedSVD(10, algorithm="arpack", tol=1e-6)
seconds, _ = median(lambda: svd.fit(counts.astype(np.float64)))
apart = np.abs(np.array(found["singular"]) / svd.singular_values_ - 1)
row("10 singular directions, ARPACK", found["seconds"], seconds,
    f"residual {found['error']:.0e}; values differ by {apart.max():.0e}")
svd = TruncatedSVD(10, algorithm="randomized", n_iter=10)
seconds, _ = median(lambda: svd.fit(counts.astype(np.float64)))
apart = np.abs(np.array(found["singular"]) / svd.singular_values_ - 1)
row("10 singular directions, randomized", found["seconds"], seconds, f"values differ by {apart.max():.0e}")

found = ours("logistic", folder)
# The same objective: mean loss + |w|^2 / (2 n C n), so C = 1 at penalty 1/n.
model = LogisticRegression(C=1.0, tol=1e-6, max_iter=5000)
# Unknown words are a word here.
full = CountVectorizer(token_pattern=word, preprocessor=clean).fit(texts)
unknown = full.transform(texts).sum(1) - counts.sum(1)
counts = counts.tolil()
counts[:, 0] = unknown
counts = counts.tocsr().astype(np.float64)
seconds, model = median(lambda: model.fit(counts, labels))
apart = np.abs(model.coef_[0] - np.array(found["weights"])).max()
row("bag of words, 20,000 words", found["seconds"], seconds,
    f"largest coefficient apart {apart:.1e}; {model.n_iter_[0]} L-BFGS steps there")

for units, points in ((128, 100), (256, 100)):
    found = ours("spectra", units, points)
    matrices = np.random.default_rng(1).normal(size=(points, units, units)) / np.sqrt(units)
    seconds, _ = median(lambda: [np.linalg.eig(m) for m in matrices])
    row(f"{points} Jacobians and spectra, {units} units", found["seconds"], seconds, "NumPy: spectra alone")

out = top / "reports/bench"
out.mkdir(parents=True, exist_ok=True)
pl.DataFrame(rows).write_parquet(out / "analysis.parquet")
