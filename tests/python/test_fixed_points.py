"""Fixed points of functions and of networks, against what follows by hand."""

import pickle

import numpy as np
import polars as pl
import pytest
from conftest import circulant, random_network, same_points

import accrue


@pytest.mark.parametrize("n, count, stable", [(2, 3, 2), (3, 3, 0), (4, 9, 2)])
def test_circulant_maps_have_three_three_and_nine_fixed_points(stream, n, count, stable):
    w = circulant(n)
    states = stream.uniform(-1, 1, (800, n))
    plain = accrue.find_fixed_points(lambda h: np.tanh(h @ w.T), states)
    assert len(plain) == count and plain.stable.sum() == stable
    assert not plain.certified.any() and "rounding" in plain.unproved[0]
    native = accrue.find_fixed_points(accrue.Network("vanilla", w), states)
    assert len(native) == count and native.certified.all() and native.complete is True
    assert native.index_sum == 1 == plain.index_sum
    assert same_points(plain.states, native.states, 1e-9)
    assert (native.radius < 1e-10).all() and (native.q < 1e-28).all()
    # W is odd, and so is tanh: each point has its mirror image.
    assert same_points(native.states, -native.states, 1e-9)
    assert repr(native).startswith(f"{count}: ") and repr(native).endswith("all proved")


def test_one_number_has_the_fixed_points_of_its_equation():
    """``h = tanh(2 h)``: 0 and ±0.957504024…, by Newton's method on paper."""
    fp = accrue.find_fixed_points(lambda h: np.tanh(2 * h), [[-1.0], [0.1], [1.0]])
    root = 0.9575040240772687
    assert np.allclose(np.sort(fp.states[:, 0]), [-root, 0.0, root], atol=1e-12)
    slope = 2 * (1 - root**2)
    assert fp.stable.tolist() == [True, True, False]
    assert np.allclose([fp.eigenvalues(i)[0].real for i in range(3)], [slope, slope, 2.0], atol=1e-10)
    assert np.allclose(fp.time_constants[0], 1 / abs(np.log(slope)), rtol=1e-9)
    assert fp.index.tolist() == [1, 1, -1] and fp.index_sum == 1


def test_a_held_input_moves_the_fixed_point():
    """``h' = h/2 + x`` stands still at ``2 x``."""
    fp = accrue.find_fixed_points(lambda h, x: 0.5 * h + x, np.zeros((3, 2)), static_input=[1.0, -0.25])
    assert np.allclose(fp.states, [[2.0, -0.5]]) and np.allclose(fp.jacobian(0), 0.5 * np.eye(2), atol=1e-10)


def test_a_jacobian_that_is_given_is_used_and_one_that_is_wrong_is_refused(stream):
    w = circulant(4)
    f = lambda h: np.tanh(h @ w.T)  # noqa: E731
    right = lambda h: (1 - f(h) ** 2)[:, :, None] * w  # noqa: E731
    states = stream.uniform(-1, 1, (400, 4))
    calls = []
    fp = accrue.find_fixed_points(f, states, jacobian=lambda h: calls.append(len(h)) or right(h))
    assert len(fp) == 9 and len(calls) > 3
    with pytest.raises(ValueError, match=r"jacobian: entry \[\d, \d\].*dF_i/dh_j"):
        accrue.find_fixed_points(f, states, jacobian=lambda h: right(h).transpose(0, 2, 1))
    with pytest.raises(ValueError, match=r"jacobian: it returned shape \(2, 4\), expected \(2, 4, 4\)"):
        accrue.find_fixed_points(f, states, jacobian=lambda h: f(h))


def test_differences_of_fourth_order_are_exact_to_eleven_digits(stream):
    """Their error is ``δ⁴ |f⁽⁵⁾|/30``, and ``|tanh⁽⁵⁾| ≤ 16``: with ``δ ≤ 2 ε^(1/5)`` and weights below 1, 3e-12."""
    w = stream.uniform(-1, 1, (6, 6))
    f = lambda h: np.tanh(h @ w.T)  # noqa: E731
    from accrue._function import Function

    states = stream.uniform(-1, 1, (5, 6))
    truth = (1 - f(states) ** 2)[:, :, None] * w
    assert np.abs(Function(f, states).jacobians(states) - truth).max() < 1e-11


@pytest.mark.parametrize("cell", ["vanilla", "ugrnn", "gru", "gru-reset-before", "lstm"])
def test_a_network_and_its_step_as_a_function_have_the_same_points(stream, cell):
    network = random_network(cell, 4, 2)
    states = stream.uniform(-1, 1, (60, network.state_size))
    x = [0.3, -0.2]
    native = accrue.find_fixed_points(network, states, static_input=x)
    function = accrue.find_fixed_points(lambda h, x: network.step(h, x[0]), states, static_input=x)
    assert len(native) > 0 and native.certified.all()
    # Where a gate rounds to 1 any state stands still: the native search knows the box outside which no point lies.
    inside = (np.abs(function.states[:, :4]) <= 1.0).all(axis=1)
    found = native.states[native.initial_state >= 0]
    if cell == "lstm":
        inside &= np.isin(
            np.arange(len(function)), [np.linalg.norm(function.states - p, axis=1).argmin() for p in found]
        )
    assert same_points(found, function.states[inside], 1e-8)
    far = np.abs(function.states).max(axis=1) > 4.0
    assert any("far outside" in note for note in function.notes) == far.any()
    for i in range(len(native)):
        j = np.linalg.norm(function.states - native.states[i], axis=1).argmin()
        if np.linalg.norm(function.states[j] - native.states[i]) < 1e-8:
            assert np.abs(native.jacobian(i) - function.jacobian(int(j))).max() < 1e-9


@pytest.mark.parametrize("cell", ["ugrnn-relu", "gru-relu", "gru-reset-before-relu", "lstm-relu"])
def test_cells_with_a_rectified_candidate_step_as_their_equations_say(stream, cell):
    n = 4
    network = random_network(cell, n, 2)
    states = stream.uniform(-1, 1, (6, network.state_size))
    x = np.array([0.3, -0.2])
    h = states[:, :n]
    a = network.input_weights @ x + network.input_bias
    w = h @ network.recurrent_weights.T + network.recurrent_bias
    gate = lambda g: 1 / (1 + np.exp(-(a + w)[:, g * n : (g + 1) * n]))  # noqa: E731
    block = lambda m, g: m[..., g * n : (g + 1) * n]  # noqa: E731
    if cell == "lstm-relu":
        c = gate(1) * states[:, n:] + gate(0) * np.maximum(0, block(a, 2) + block(w, 2))
        truth = np.concatenate([gate(3) * np.tanh(c), c], axis=1)
    else:
        u = gate(0 if cell == "ugrnn-relu" else 1)
        z = {
            "ugrnn-relu": lambda: block(a, 1) + block(w, 1),
            "gru-relu": lambda: block(a, 2) + gate(0) * block(w, 2),
            "gru-reset-before-relu": lambda: (
                block(a, 2)
                + (gate(0) * h) @ network.recurrent_weights[2 * n :].T
                + block(network.recurrent_bias, 2)
            ),
        }[cell]()
        truth = u * h + (1 - u) * np.maximum(0, z)
    assert np.abs(network.step(states, x) - truth).max() < 1e-14


def test_left_and_right_vectors_satisfy_their_equations(stream):
    network = random_network("gru", 6, 1)
    fp = accrue.find_fixed_points(network, stream.uniform(-1, 1, (50, 6)))
    for i in range(len(fp)):
        j, modes = fp.jacobian(i), fp.eig(i)
        size = np.abs(j).max()
        assert np.abs(j @ modes.right - modes.right * modes.values).max() < 1e-10 * size
        assert np.abs(modes.left.T @ j - modes.values[:, None] * modes.left.T).max() < 1e-9 * size
        assert np.allclose(modes.left.T @ modes.right, np.eye(6), atol=1e-9)
        assert np.allclose(np.linalg.norm(modes.right, axis=0), 1)
        assert (np.diff(np.abs(modes.values)) <= 1e-15).all()
        assert np.allclose(modes.values, fp.eigenvalues(i), atol=1e-12)
        assert np.array_equal(fp.jacobians[i], j)


def test_input_jacobians_are_differences_of_the_step(stream):
    network = random_network("gru", 3, 2)
    fp = accrue.find_fixed_points(network, stream.uniform(-1, 1, (20, 3)), static_input=[0.1, 0.2])
    d = 1e-5
    columns = [
        (
            network.step(fp.states[:1], [0.1 + d * a, 0.2 + d * b])
            - network.step(fp.states[:1], [0.1 - d * a, 0.2 - d * b])
        )[0]
        / (2 * d)
        for a, b in ((1, 0), (0, 1))
    ]
    assert np.allclose(fp.input_jacobian(0), np.array(columns).T, atol=1e-9)


def three_bits():
    """``h_i' = tanh(2 h_i)``: 27 fixed points, by hand: each number at −r, 0 or r."""
    return accrue.Network("vanilla", 2.0 * np.eye(3))


def test_three_bits_have_27_points_that_the_text_counts(stream):
    fp = accrue.fixed_points(three_bits(), stream.uniform(-1, 1, (300, 3)), noise=0.5, mix=True)
    assert repr(fp) == "27: 8 stable, 12/6/1 with 1/2/3 unstable, all proved"
    assert fp.complete is True and fp.index_sum == 8 - 12 + 6 - 1
    assert fp.stability.count("stable") == 8 and fp.stability.count("unstable") == 19


@pytest.mark.parametrize("native", [True, False])
def test_saddles_of_three_bits_connect_the_corners_of_a_cube(stream, native):
    states = stream.uniform(-1, 1, (300, 3))
    fp = accrue.find_fixed_points(three_bits() if native else lambda h: np.tanh(2 * h), states)
    assert len(fp) == 27
    signs = lambda h: "".join("+" if x > 0 else "-" for x in h)  # noqa: E731
    flow = fp.transitions(label=signs)
    assert flow.orbits["end"].unique().to_list() == ["point"] and flow.cycles == []
    assert flow.connections.height == 19
    for saddle, unstable, reaches, labels in flow.connections.select(
        "saddle", "unstable", "reaches", "labels"
    ).iter_rows():
        h = fp.states[saddle]
        free = np.abs(h) < 0.5
        # It leads to every corner that agrees with it where it is decided; those alone.
        assert unstable == free.sum()
        corners = {signs(fp.states[i]) for i in reaches}
        assert all(c[k] == signs(h)[k] for c in corners for k in np.flatnonzero(~free))
        assert len(corners) == 2**unstable or unstable == 3
        assert labels == " | ".join(sorted(corners))


def test_several_inputs_are_told_apart():
    network = accrue.Network("vanilla", [[2.0]], [[1.0]])
    fp = accrue.fixed_points(network, [[0.5], [-0.5], [0.1]], inputs={"rest": [0.0], "pushed": [3.0]}, noise=0.3)
    assert fp.input == ["rest"] * 3 + ["pushed"]
    assert fp.index_sum == {"rest": 1, "pushed": 1} and fp.complete
    assert repr(fp) == "rest – 3: 2 stable, 1 with 1 unstable, all proved\npushed – 1: 1 stable, all proved"
    pushed = fp.states[3, 0]
    assert abs(pushed - np.tanh(2 * pushed + 3)) < 1e-15
    assert fp.connections("rest")["reaches"].to_list() == [[0, 1]]
    with pytest.raises(ValueError, match="say which: rest, pushed"):
        fp.connections()
    with pytest.raises(ValueError, match="'elsewhere' is not held"):
        fp.transitions("elsewhere")


def test_the_table_has_what_the_points_have(stream):
    fp = accrue.find_fixed_points(accrue.Network("vanilla", circulant(4)), stream.uniform(-1, 1, (400, 4)))
    table = fp.to_polars()
    assert table.height == 9 and table["certified"].all() and table["stable"].sum() == 2
    assert table["state"].dtype == pl.Array(pl.Float64, 4)
    assert np.array_equal(table["state"].to_numpy(), fp.states) and np.array_equal(table["q"].to_numpy(), fp.q)
    assert "all proved" in fp._repr_html_() and "<table" in fp._repr_html_()
    with pytest.raises(IndexError, match="there are 9"):
        fp.eigenvalues(9)


def test_the_same_seed_gives_the_same_points_and_no_shown_progress_changes_them(stream, capsys):
    states = stream.uniform(-1, 1, (200, 6))
    one, other = (
        accrue.fixed_points(random_network("gru", 6, 1), states, noise=0.4, mix=True, seed=3, progress=p)
        for p in (False, True)
    )
    assert np.array_equal(one.states, other.states) and one.searches == other.searches


def test_a_tolerance_for_slow_points_keeps_them_where_they_were_found():
    """``h' = (0.5 h_1, h_2)``: a line of fixed points; with q < 1e-6 points stay near the states."""
    states = np.stack([np.full(20, 0.3), np.linspace(-1, 1, 20)], axis=1)
    fp = accrue.find_fixed_points(lambda h: h * np.array([0.5, 1.0]), states, tolerance=1e-6, unique=0.05)
    assert len(fp) > 10 and (fp.q < 1e-6).all()
    assert np.abs(fp.states[:, 1]).max() > 0.99, "a line stays a line"


def test_max_distance_is_kept(stream):
    states = stream.uniform(-1, 1, (100, 4))
    fp = accrue.find_fixed_points(accrue.Network("vanilla", circulant(4)), states, max_distance=0.2)
    found = fp.initial_state >= 0
    assert (fp.distance_from_init[found] <= 0.2).all() and fp.searches["input"]["too_far"] > 0


def test_points_of_a_network_are_kept_by_pickle(stream):
    fp = accrue.fixed_points(three_bits(), stream.uniform(-1, 1, (100, 3)), noise=0.5)
    again = pickle.loads(pickle.dumps(fp))
    assert np.array_equal(again.states, fp.states) and repr(again) == repr(fp)
    assert np.array_equal(again.jacobians, fp.jacobians) and again.connections().equals(fp.connections())


def test_a_function_of_jax_is_differentiated_by_jax(stream):
    jax = pytest.importorskip("jax")
    w = circulant(4)
    with jax.enable_x64(True):
        fp = accrue.find_fixed_points(lambda h: jax.numpy.tanh(h @ w.T), stream.uniform(-1, 1, (400, 4)))
        assert len(fp) == 9 and fp.notes == []
        truth = (1 - np.tanh(fp.states @ w.T) ** 2)[:, :, None] * w
        assert np.abs(fp.jacobians - truth).max() < 1e-14


def test_figures_are_drawn_where_a_library_is_there(stream):
    fp = accrue.fixed_points(three_bits(), stream.uniform(-1, 1, (100, 3)), noise=0.5)
    walks = stream.uniform(-1, 1, (5, 7, 3))
    for backend in ("plotly", "matplotlib"):
        pytest.importorskip(backend)
        for color in ("index", "unstable", "tau", "q", np.arange(len(fp))):
            assert fp.plot3d(trajectories=walks, color=color, backend=backend) is not None
        figure = fp.plot(dimensions=2, backend=backend)
        if backend == "plotly":
            told = [t for trace in figure.data if trace.text is not None for t in trace.text]
            assert len(told) == len(fp)
    with pytest.raises(ValueError, match="color: 'blue'"):
        fp.plot(color="blue")
    with pytest.raises(ValueError, match=r"trajectories: shape \(2, 2\)|expected \[trials, steps, 3\]"):
        fp.plot(trajectories=np.zeros((2, 2)))
