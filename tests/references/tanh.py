"""Coefficients of the rational tanh in pipeline/ops/activation.rs.

tanh(x) = x P(x^2) / Q(x^2) on [0, LIMIT], P of degree 6, Q of degree 3 in x^2, found by
Lawson's iteratively reweighted least squares on the linearised problem
(tanh(x)/x) Q - P = 0, then rounded to f32 and checked in f32 arithmetic.

Run: python tanh.py   (needs numpy)
"""
import numpy as np

LIMIT = 9.0  # 1 - tanh(9) = 3e-8, below half an ulp of 1 in f32


def fit(degree_p=6, degree_q=3, points=4000, rounds=400):
    x = np.sort(np.concatenate([np.cos(np.linspace(0, np.pi / 2, points)) * LIMIT,
                                np.linspace(1e-4, 1.5, points // 2)]))
    x = x[x > 1e-4]
    z = x * x / (LIMIT * LIMIT)
    f = np.tanh(x) / x
    powers_p = z[:, None] ** np.arange(degree_p + 1)
    powers_q = z[:, None] ** np.arange(1, degree_q + 1)
    weight = np.ones_like(x)
    q = np.ones_like(x)
    best = None
    for _ in range(rounds):
        scale = np.sqrt(weight) / (f * q)  # relative error of tanh
        a = np.concatenate([powers_p, -f[:, None] * powers_q], axis=1) * scale[:, None]
        c = np.linalg.lstsq(a, f * scale, rcond=None)[0]
        p = powers_p @ c[:degree_p + 1]
        q = 1 + powers_q @ c[degree_p + 1:]
        error = np.abs(p / q / f - 1)
        if best is None or error.max() < best[0]:
            best = (error.max(), c.copy())
        weight *= error / error.max() + 1e-3
        weight /= weight.max()
    c = best[1]
    s = LIMIT * LIMIT
    p = c[:degree_p + 1] / s ** np.arange(degree_p + 1)
    q = np.concatenate([[1.0], c[degree_p + 1:]]) / s ** np.arange(degree_q + 1)
    return best[0], p, q


def fraction(x, p, q):
    """Numerator and denominator in f32 with fused multiply-adds."""
    y = np.clip(x, -np.float32(LIMIT), np.float32(LIMIT))
    z = y * y
    n = np.full_like(z, np.float32(p[-1]))
    for c in p[-2::-1]:
        n = (n.astype(np.float64) * z + np.float64(np.float32(c))).astype(np.float32)
    d = np.full_like(z, np.float32(q[-1]))
    for c in q[-2::-1]:
        d = (d.astype(np.float64) * z + np.float64(np.float32(c))).astype(np.float32)
    return y * n, d


def errors(t, x):
    """Largest absolute and relative error."""
    exact = np.tanh(x.astype(np.float64))
    return np.abs(t - exact).max(), np.abs(t / np.where(exact == 0, 1, exact) - 1)[exact != 0].max()


def f32_error(p, q):
    x = np.concatenate([np.linspace(-12, 12, 2_000_001), np.logspace(-30, 0, 100_000)]).astype(np.float32)
    n, d = fraction(x, p, q)
    return errors(n / d, x)


def f32_error_of_two(p, q, rounds=50, count=2_000_000):
    """Both errors, alone and beside another argument with which the division is shared."""
    rng = np.random.default_rng(0)
    alone, beside = np.zeros(2), np.zeros(2)
    for i in range(rounds):
        x, other = rng.uniform(-10, 10, (2, count)).astype(np.float32)
        if i % 2:
            x *= (10 ** rng.uniform(-6, 0, count)).astype(np.float32)
        (n, d), (_, v) = fraction(x, p, q), fraction(other, p, q)
        alone = np.maximum(alone, errors(n / d, x))
        beside = np.maximum(beside, errors(n * (v * (np.float32(1) / (d * v))), x))
    return alone, beside


if __name__ == "__main__":
    relative, p, q = fit()
    print("relative error of the fit", relative)
    print("P", [float(np.float32(c)) for c in p])
    print("Q", [float(np.float32(c)) for c in q])
    print("f32: largest absolute, relative error", f32_error(p, q))
    print("random arguments, alone and beside another", f32_error_of_two(p, q))
