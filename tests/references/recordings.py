"""Numbers of rsatoolbox, scikit-learn and SciPy for distances of conditions, regressions and encoding models.

Run with these packages in a virtual environment of its own:

    pip install rsatoolbox==0.3.2 scikit-learn
    python tests/references/recordings.py > tests/references/recordings.json
"""

import json

import numpy as np
import rsatoolbox
from rsatoolbox.model.fitter import fit_regress
from scipy.optimize import nnls
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LogisticRegression, Ridge

rng = np.random.default_rng(2306)
LEVELS = [-1.0, -0.3, 0.2, 1.0]
UNITS, FOLDS = 11, 3

conditions = [(c, a, b) for c in range(2) for a in LEVELS for b in LEVELS]
mixing = rng.normal(size=(4, UNITS))


def response(context, a, b):
    relevant = (a, b)[context]
    return np.array([a, 0.6 * b, 1.3 * relevant, context]) @ mixing


means = np.array([response(*c) for c in conditions])
folds = [means + 0.3 * rng.normal(size=means.shape) for _ in range(FOLDS)]


def place(model, context, a, b):
    relevant = (a, b)[context]
    return {
        "grid": (a, b),
        "rotated_grid": (a, b) if context == 0 else (b, -a),
        "diagonal": ((a + b) / np.sqrt(2), 0),
        "orthogonal": (a, 0) if context == 0 else (0, b),
        "parallel": (relevant, 0),
        "context": (context, 0),
    }[model]


MODELS = ["grid", "rotated_grid", "diagonal", "orthogonal", "parallel", "context"]


def rdm(points):
    data = rsatoolbox.data.Dataset(np.asarray(points, float))
    return rsatoolbox.rdm.calc_rdm(data, method="euclidean")


# rsatoolbox divides by the number of channels.
models = np.array([rdm([place(m, *c) for c in conditions]).get_vectors()[0] * 2 for m in MODELS])
euclidean = rdm(folds[0])
crossnobis = rsatoolbox.rdm.calc_rdm(
    rsatoolbox.data.Dataset(
        np.concatenate(folds),
        obs_descriptors={
            "condition": np.tile(np.arange(len(conditions)), FOLDS),
            "fold": np.repeat(np.arange(FOLDS), len(conditions)),
        },
    ),
    method="crossnobis",
    descriptor="condition",
    cv_descriptor="fold",
)
weighted = rsatoolbox.model.ModelWeighted("models", models)
theta = fit_regress(weighted, crossnobis, method="corr")
# Its non-negative fit does not end where the smallest slope stays above rounding: SciPy's stands in.

x = rng.normal(size=(40, 5))
x[:, 1] += 2 * x[:, 0]
z = x @ rng.normal(size=(5, 3)) + rng.normal(size=(40, 3))
scaled = (x - x.mean(0)) / x.std(0, ddof=1)
# The same multiple of the mean eigenvalue as ours: of the one with the least error by SVD.
eigenvalues = np.linalg.eigvalsh(scaled.T @ scaled)
u, s, _ = np.linalg.svd(scaled, full_matrices=False)


def gcv(penalty, y):
    h = (u * (s**2 / (s**2 + penalty))) @ u.T
    y = y - y.mean()
    return len(y) * np.sum((y - h @ y) ** 2) / (len(y) - 1 - np.trace(h)) ** 2


PENALTIES = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2]
best = [min(PENALTIES, key=lambda p: gcv(p * eigenvalues.mean(), z[:, k])) for k in range(3)]
predicted = [
    Ridge(alpha=best[k] * eigenvalues.mean()).fit(scaled, z[:, k]).predict(scaled) for k in range(3)
]

evidence = rng.normal(size=(120, 6))
right = rng.random(120) < 1 / (1 + np.exp(-0.3 - evidence @ np.linspace(0.2, 1.0, 6)))
logistic = LogisticRegression(C=1.0, tol=1e-10, max_iter=10000).fit(evidence, right)

series = rng.normal(size=12)
process = GaussianProcessRegressor(RBF(2.5), alpha=0.4, optimizer=None)
times = np.arange(12.0)[:, None]
process.fit(times, series - series.mean())

distances = crossnobis.get_vectors()[0]
weights = nnls((models - models.mean(1, keepdims=True)).T, distances - distances.mean())[0]

print(
    json.dumps(
        {
            "levels": LEVELS,
            "units": UNITS,
            "folds": [f.ravel().tolist() for f in folds],
            "euclidean": (euclidean.get_vectors()[0] * UNITS).tolist(),
            "crossnobis": (crossnobis.get_vectors()[0] * UNITS).tolist(),
            "theta": theta.ravel().tolist(),
            "nnls": (weights * UNITS).tolist(),
            "x": x.ravel().tolist(),
            "z": z.ravel().tolist(),
            "ridge": {"penalties": best, "predicted": np.array(predicted).T.ravel().tolist()},
            "evidence": evidence.ravel().tolist(),
            "right": right.tolist(),
            "logistic": [float(logistic.intercept_[0])] + logistic.coef_[0].tolist(),
            "series": series.tolist(),
            "smooth": (process.predict(times) + series.mean()).tolist(),
        }
    )
)
