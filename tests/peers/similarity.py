"""SVCCA in NumPy and DSA in its authors' package beside accrue: the same work, alternating, in one run.

    cargo build --release --bench similarity
    tests/peers/run tests/peers/similarity.py PROGRAM [--rounds 3] [--networks 200] [--laws 8] [--starts 32]

SVCCA: networks of 64 units, 8,000 states, directions to 99 % of the variance, all pairs. NumPy twice: bases once and one product a pair
(the same algorithm), and the usual way, two decompositions a pair (measured on some pairs, times their number).

DSA: laws of 10 dimensions, half of them turned copies of others; the smallest angle over rotations of each pair. The package
(`dsa-metric`) gets its own defaults for iterations and rate; both get the same laws. Prints seconds, ratios, and how far
the answers differ: a distance is the best of a search, so the smaller one is the better one.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time

import numpy as np

SAMPLES, UNITS, SHARE = 8000, 64, 0.99


def states(i):
    rng = np.random.default_rng(i)
    own = rng.normal(size=(SAMPLES, UNITS)) * 0.9 ** np.arange(UNITS)
    return own @ np.linalg.qr(rng.normal(size=(UNITS, UNITS)))[0]


def basis(x):
    x = x - x.mean(0)
    u, s, _ = np.linalg.svd(x, full_matrices=False)
    kept = 1 + np.searchsorted(np.cumsum(s**2) / np.sum(s**2), SHARE)
    return u[:, :kept]


def distance(a, b):
    return 1 - np.linalg.svd(a.T @ b, compute_uv=False).mean()


def numpy_svcca(all_states):
    began = time.perf_counter()
    bases = [basis(x) for x in all_states]
    for i in range(len(bases)):
        for j in range(i + 1, len(bases)):
            distance(bases[i], bases[j])
    return time.perf_counter() - began


def usual_svcca(all_states, pairs):
    began = time.perf_counter()
    for k in range(pairs):
        distance(basis(all_states[k]), basis(all_states[k + 1]))
    n = len(all_states)
    return (time.perf_counter() - began) / pairs * n * (n - 1) / 2


def laws(n, r):
    rng = np.random.default_rng(7)
    turn = lambda: np.linalg.qr(rng.normal(size=(r, r)))[0]
    made = [rng.normal(size=(r, r)) / r**0.5 for _ in range(n // 2)]
    made += [(q := turn()) @ a @ q.T for a in made]
    return np.stack(made).astype(np.float32)


def package_dsa(all_laws):
    from DSA import SimilarityTransformDist
    import torch

    torch.set_num_threads(2)
    began, found = time.perf_counter(), []
    for i in range(len(all_laws)):
        for j in range(i + 1, len(all_laws)):
            compare = SimilarityTransformDist(iters=1500, lr=5e-3, score_method="angular", device="cpu")
            found.append(float(compare.fit_score(all_laws[i], all_laws[j])))
    return time.perf_counter() - began, found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--networks", type=int, default=200)
    parser.add_argument("--laws", type=int, default=8)
    parser.add_argument("--starts", type=int, default=32, help="random rotations a search begins at, of each determinant")
    given = parser.parse_args()
    ours = lambda *a: json.loads(subprocess.run([given.program, *map(str, a)], check=True, capture_output=True).stdout)

    all_states = [states(i) for i in range(given.networks)]
    rows = []
    for _ in range(given.rounds):
        own = ours("svcca", given.networks, SAMPLES, UNITS, 2)
        same, usual = numpy_svcca(all_states), usual_svcca(all_states, 4)
        rows.append((own["seconds"], same, usual))
        print(f"SVCCA, {given.networks} networks: accrue {own['seconds']:.1f} s, NumPy {same:.1f} s, two decompositions a pair {usual:.0f} s")
    for name, k in (("NumPy, bases once", 1), ("two decompositions a pair", 2)):
        ratios = [row[k] / row[0] for row in rows]
        print(f"  {name}: {statistics.median(ratios):.2f} times accrue's time ({min(ratios):.2f} to {max(ratios):.2f})")

    all_laws = laws(given.laws, 10)
    with tempfile.NamedTemporaryFile(suffix=".npz") as file:
        np.savez(file.name, laws=all_laws)
        ratios = []
        for _ in range(given.rounds):
            own = ours("dsa", file.name, 2, given.starts)
            seconds, theirs = package_dsa(all_laws)
            ratios.append(seconds / own["seconds"])
            apart = np.array(own["distances"]) - np.array(theirs)
            print(
                f"DSA, {len(theirs)} pairs: accrue {own['seconds']:.2f} s, package {seconds:.1f} s; ours less theirs {apart.min():+.4f} to "
                f"{apart.max():+.4f} rad, not converged {own['not_converged']}"
            )
        print(f"  {statistics.median(ratios):.1f} times accrue's time ({min(ratios):.1f} to {max(ratios):.1f})")


if __name__ == "__main__":
    main()
