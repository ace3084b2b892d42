"""Numbers of NumPy and SciPy for the measures of similarity between networks.

Run with NumPy and SciPy in a virtual environment of its own:

    python tests/references/similarity.py > tests/references/similarity.json

Each number is computed another way than ours: canonical correlations from
covariances, CKA from matrices of similarities between samples, shape distances
by SciPy's orthogonal Procrustes on padded states, rotations of operators by
BFGS over the exponential of skew matrices, maps by BFGS over coordinates,
silhouettes and permutations by plain loops. All in float64.
"""

import itertools
import json
import sys

import numpy as np
from scipy.linalg import expm, orthogonal_procrustes
from scipy.optimize import minimize
from scipy.stats import pearsonr, spearmanr

rng = np.random.default_rng(1907)
SAMPLES = 30


def centred(x):
    return x - x.mean(0)


def correlations(x, y):
    x, y = centred(x), centred(y)
    xx, yy, xy = x.T @ x, y.T @ y, x.T @ y
    squares = np.linalg.eigvals(np.linalg.solve(xx, xy) @ np.linalg.solve(yy, xy.T)).real
    return np.sqrt(np.sort(squares)[::-1][: min(x.shape[1], y.shape[1])])


def leading(x, share):
    values, vectors = np.linalg.eigh(np.cov(x.T))
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = int(np.searchsorted(np.cumsum(values) / values.sum(), share) + 1)
    return centred(x) @ vectors[:, :kept], float(values[:kept].sum() / values.sum())


def gram_cka(x, y):
    h = np.eye(len(x)) - 1 / len(x)
    k, l = h @ x @ x.T @ h, h @ y @ y.T @ h
    return np.sum(k * l) / np.sqrt(np.sum(k * k) * np.sum(l * l))


def unbiased_hsic(x, y):
    n = len(x)
    k, l = x @ x.T, y @ y.T
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    one = np.ones(n)
    total = np.trace(k @ l) + (one @ k @ one) * (one @ l @ one) / ((n - 1) * (n - 2))
    return (total - 2 / (n - 2) * (one @ k @ l @ one)) / (n * (n - 3))


def shapes(x, y):
    width = max(x.shape[1], y.shape[1])
    pad = lambda a: np.pad(centred(a), ((0, 0), (0, width - a.shape[1])))
    x, y = (pad(a) / np.linalg.norm(pad(a)) for a in (x, y))
    q, _ = orthogonal_procrustes(x, y)
    return float(np.arccos(np.sum((x @ q) * y))), float(np.linalg.norm(x @ q - y))


def aligned(a, b, i=None, j=None, starts=60):
    """Smallest squared distance over rotations and reflections."""
    n = len(a)
    lower = np.tril_indices(n, -1)

    def orthogonal(parameters, base):
        skew = np.zeros((n, n))
        skew[lower] = parameters
        return expm(skew - skew.T) @ base

    def loss(parameters, base):
        c = orthogonal(parameters, base)
        apart = np.sum((a - c @ b @ c.T) ** 2)
        return apart + (0 if i is None else np.sum((i - c @ j) ** 2))

    best = np.inf
    for _ in range(starts):
        base, _ = np.linalg.qr(rng.standard_normal((n, n)))
        for flip in (1.0, -1.0):
            base[:, 0] *= flip
            found = minimize(loss, np.zeros(len(lower[0])), args=(base,), tol=1e-12)
            best = min(best, found.fun)
    return float(np.sqrt(best))


def operator(trials, delays, rank):
    """Eigen-time-delay coordinates, as written by the authors of the analysis: no centring."""
    hankel = [
        np.hstack([t[d : len(t) - delays + 1 + d] for d in range(delays)]) for t in trials
    ]
    _, _, vh = np.linalg.svd(np.vstack(hankel).T, full_matrices=False)
    v = vh.T[:, :rank].reshape(len(trials), -1, rank)
    before, after = (part.reshape(-1, rank) for part in (v[:, :-1], v[:, 1:]))
    return np.linalg.lstsq(before, after, rcond=None)[0].T


def distances(points):
    return np.linalg.norm(points[:, None] - points[None], axis=-1)


def stress(given, dimensions, starts=20):
    n = len(given)
    pairs = np.triu_indices(n, 1)

    def raw(flat):
        return np.sum((distances(flat.reshape(n, dimensions))[pairs] - given[pairs]) ** 2)

    best = min(
        (minimize(raw, rng.standard_normal(n * dimensions), tol=1e-12) for _ in range(starts)),
        key=lambda found: found.fun,
    )
    d = distances(best.x.reshape(n, dimensions))[pairs]
    return float(np.sqrt(best.fun / np.sum(d**2)))


def silhouette(d, labels):
    total = 0.0
    for i, own in enumerate(labels):
        to = {}
        for j, label in enumerate(labels):
            if i != j:
                to.setdefault(label, []).append(d[i, j])
        a = np.mean(to.pop(own))
        b = min(np.mean(v) for v in to.values())
        total += (b - a) / max(a, b)
    return total / len(labels)


def chance(k1, k2, samples, draws=400):
    """Mean correlation of Gaussian networks that have nothing in common."""
    found = []
    for _ in range(draws):
        q = [
            np.linalg.qr(centred(rng.standard_normal((samples, k))))[0] for k in (k1, k2)
        ]
        found.append(np.linalg.svd(q[0].T @ q[1], compute_uv=False).mean())
    return float(np.mean(found))


common = rng.standard_normal((SAMPLES, 3))
x = common @ rng.standard_normal((3, 5)) + 0.5 * rng.standard_normal((SAMPLES, 5)) + 2
y = common @ rng.standard_normal((3, 4)) + 0.5 * rng.standard_normal((SAMPLES, 4)) - 1
(px, explained), (py, _) = leading(x, 0.8), leading(y, 0.8)
angular, euclidean = shapes(x, y)

a, b = (0.6 * rng.standard_normal((4, 4)) for _ in range(2))
i, j = (0.6 * rng.standard_normal((4, 2)) for _ in range(2))

law = np.array([[0.95, -0.2, 0.1], [0.2, 0.9, 0.0], [0.0, 0.1, 0.7]])
trials = np.zeros((3, 25, 3))
for trial in trials:
    trial[0] = rng.standard_normal(3)
    for t in range(1, 25):
        trial[t] = law @ trial[t - 1] + 0.1 * rng.standard_normal(3)

points = rng.standard_normal((8, 3))
first = distances(points)
second = distances(points + 0.7 * rng.standard_normal((8, 3)))
centring = np.eye(8) - 1 / 8
labels = [0, 0, 0, 1, 1, 1, 1, 0]
upper = np.triu_indices(8, 1)

json.dump(
    {
        "x": x.ravel().tolist(),
        "y": y.ravel().tolist(),
        "correlations": correlations(x, y).tolist(),
        "leading_correlations": correlations(px, py).tolist(),
        "leading_explained": explained,
        "cka": float(gram_cka(x, y)),
        "debiased_cka": float(
            unbiased_hsic(x, y) / np.sqrt(unbiased_hsic(x, x) * unbiased_hsic(y, y))
        ),
        "angular": angular,
        "euclidean": euclidean,
        "a": a.ravel().tolist(),
        "b": b.ravel().tolist(),
        "i": i.ravel().tolist(),
        "j": j.ravel().tolist(),
        "rotated": aligned(a, b),
        "rotated_with_inputs": aligned(a, b, i, j),
        "trials": trials.ravel().tolist(),
        # Signs of components are free: what is left of any is compared.
        "operator_magnitudes": np.abs(operator(trials, 3, 4)).ravel().tolist(),
        "operator_traces": [
            float(np.trace(np.linalg.matrix_power(operator(trials, 3, 4), k))) for k in range(1, 5)
        ],
        "first": first.ravel().tolist(),
        "second": second.ravel().tolist(),
        "eigenvalues": np.linalg.eigvalsh(-centring @ second**2 @ centring / 2)[::-1].tolist(),
        "stress": stress(second, 2),
        "mantel_pearson": float(pearsonr(first[upper], second[upper])[0]),
        "mantel_rank": float(spearmanr(first[upper], second[upper])[0]),
        "labels": labels,
        "silhouette": float(silhouette(first, labels)),
        # Of all 70 labellings, the share with a silhouette as large.
        "silhouette_p": float(
            np.mean(
                [
                    silhouette(first, [int(n in ones) for n in range(8)])
                    >= silhouette(first, labels) - 1e-12
                    for ones in itertools.combinations(range(8), 4)
                ]
            )
        ),
        "chance": [
            [*case, chance(*case)] for case in ([10, 10, 400], [5, 20, 100], [30, 30, 200], [40, 30, 60])
        ],
    },
    sys.stdout,
)
