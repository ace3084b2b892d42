"""Geometry and similarity, against NumPy and calculations by hand."""

import numpy as np
import pytest

import accrue
from accrue import geometry, similarity


def test_principal_components_are_those_of_the_covariance(stream):
    points = stream.standard_normal((200, 5)) @ np.diag([3.0, 2.0, 1.0, 0.5, 0.1])
    found = geometry.pca(points)
    values, vectors = np.linalg.eigh(np.cov(points.T))
    assert np.allclose(found.variances, values[::-1], rtol=1e-10)
    assert np.allclose(np.abs(found.directions.T @ vectors[:, ::-1]), np.eye(5), atol=1e-8)
    assert np.allclose(found.coordinates(points, 5).var(axis=0, ddof=1), found.variances)
    assert found.ratios.sum() == pytest.approx(1.0)


def test_dimension_of_known_shapes(stream):
    assert geometry.participation_ratio([1.0, 1.0, 1.0]) == pytest.approx(3.0)
    assert geometry.participation_ratio([2.0, 1.0]) == pytest.approx(9 / 5)
    line = np.outer(np.linspace(-1, 1, 50), [1.0, 2.0, 3.0])
    assert geometry.participation_ratio(line) == pytest.approx(1.0)
    assert geometry.variance_dimension(line) == 1
    ball = stream.standard_normal((2000, 3))
    # A mean of inverses of gamma variables of k − 1 = 9: too large by 9/8 (MacKay & Ghahramani 2005).
    assert geometry.intrinsic_dimension(ball)["levina_bickel"] == pytest.approx(3.0 * 9 / 8, abs=0.15)
    assert geometry.intrinsic_dimension(line)["correlation"] == pytest.approx(1.0, abs=0.1)


def test_corners_of_a_cube_follow_their_codes():
    codes = np.array([[a, b] for a in (-1, 1) for b in (-1, 1)], dtype=float)
    square = codes @ np.array([[2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    assert geometry.cube(square, codes) == pytest.approx({"r2": 1.0, "cosine": 0.0}, abs=1e-12)
    slanted = codes @ np.array([[1.0, 0.0], [1.0, 1.0]])
    assert geometry.cube(slanted, codes)["cosine"] == pytest.approx(np.sqrt(0.5))
    triangle = np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(3) / 3])
    assert geometry.angles(triangle)[0, 1] == pytest.approx(120.0) == geometry.simplex_angle(3)
    assert geometry.shapes.simplex(triangle) > geometry.simplex(triangle * [1.0, 0.3])


def test_measures_are_blind_to_what_they_should_be(stream):
    x = stream.standard_normal((100, 6))
    turn, _ = np.linalg.qr(stream.standard_normal((6, 6)))
    mixed = x @ stream.standard_normal((6, 6)) + 3.0
    assert float(similarity.procrustes(x, 5.0 * x @ turn + 1.0)) == pytest.approx(0.0, abs=1e-7)
    assert similarity.cka(x, x @ turn).similarity == pytest.approx(1.0)
    assert similarity.svcca(x, mixed, share=None).similarity == pytest.approx(1.0)
    assert similarity.cka(x, mixed).similarity < 0.99


def test_measures_are_their_formulas(stream):
    x, y = stream.standard_normal((80, 4)), stream.standard_normal((80, 7))
    cx, cy = x - x.mean(axis=0), y - y.mean(axis=0)
    cka = np.linalg.norm(cx.T @ cy) ** 2 / (np.linalg.norm(cx.T @ cx) * np.linalg.norm(cy.T @ cy))
    assert similarity.cka(x, y).similarity == pytest.approx(cka, rel=1e-12)
    correlations = np.linalg.svd(np.linalg.qr(cx)[0].T @ np.linalg.qr(cy)[0])[1]
    assert np.allclose(similarity.svcca(x, y, share=None).more["correlations"], correlations)
    overlap = np.linalg.svd(cx.T @ cy)[1].sum() / (np.linalg.norm(cx) * np.linalg.norm(cy))
    assert float(similarity.procrustes(x, y)) == pytest.approx(np.arccos(overlap))
    assert float(similarity.procrustes(x, y, angular=False)) == pytest.approx(np.sqrt(2 - 2 * overlap))
    # Hand-made unbiased HSIC (Song et al. 2012).
    k, l = cx @ cx.T, cy @ cy.T
    np.fill_diagonal(k, 0), np.fill_diagonal(l, 0)
    n = len(x)
    hsic = lambda a, b: (
        (np.trace(a @ b) + a.sum() * b.sum() / ((n - 1) * (n - 2)) - 2 * (a @ b).sum() / (n - 2)) / (n * (n - 3))
    )  # noqa: E731
    assert similarity.cka(x, y, debiased=True).similarity == pytest.approx(
        hsic(k, l) / np.sqrt(hsic(k, k) * hsic(l, l)), rel=1e-9
    )


def test_laws_of_motion_are_told_apart_by_their_eigenvalues(stream):
    def walks(angle, turn):
        law = 0.98 * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        states = [stream.standard_normal((6, 2))]
        for _ in range(60):
            states.append(states[-1] @ law.T)
        return np.stack(states, axis=1) @ turn.T

    turn, _ = np.linalg.qr(stream.standard_normal((2, 2)))
    first = walks(0.3, np.eye(2))
    same = similarity.dsa(first, 3.0 * first @ turn.T + 1.0, delays=1)
    other = similarity.dsa(first, walks(1.2, turn), delays=1)
    assert same.distance < 1e-7 and (same.more["predicted"] > 0.999999).all() and same.more["not_converged"] == 0
    # Rotations of the plane by a and b after the best turn: an angle of b − a, but for the spread of six trials.
    assert other.distance == pytest.approx(0.9, abs=0.02)


def test_many_networks_are_mapped_and_their_groups_found(stream):
    base = [stream.standard_normal((60, 5)) for _ in range(2)]
    networks = {
        f"{g}{i}": base[g] @ np.linalg.qr(stream.standard_normal((5, 5)))[0] + 0.1 * stream.standard_normal((60, 5))
        for g in (0, 1)
        for i in range(5)
    }
    distances = similarity.procrustes(networks)
    assert np.asarray(distances).shape == (10, 10) and distances.names[0] == "00"
    near = similarity.nearest_neighbours(distances, [n[0] for n in networks])
    assert near.value == 1.0 and near.p < 0.02 and near.chance < 0.6
    agree = similarity.mantel(distances, similarity.cka(list(networks.values())))
    assert agree.value > 0.9 and agree.p < 0.02
    found = similarity.mds(distances)
    assert found.points.shape == (10, 2) and found.stress < 0.3
    first, second = found.points[:5].mean(axis=0), found.points[5:].mean(axis=0)
    assert np.linalg.norm(first - second) > 2 * found.points[:5].std(axis=0).max()
    plane = stream.standard_normal((6, 2))
    flat = np.linalg.norm(plane[:, None] - plane[None], axis=2)
    classical = similarity.mds(flat, classical=True)
    assert np.allclose(np.linalg.norm(classical.points[:, None] - classical.points[None], axis=2), flat)
    assert classical.negative == pytest.approx(0.0, abs=1e-12)


def test_values_of_one_direction_are_one_dimension():
    assert accrue.geometry.participation_ratio(np.zeros((4, 3))) == 0.0
