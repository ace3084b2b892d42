"""Bad input is an exception that names the argument and what to do; the interpreter goes on."""

import numpy as np
import pytest
from conftest import random_network

import accrue

F = lambda h: np.tanh(h)  # noqa: E731
GOOD = np.full((4, 3), 0.1)


@pytest.mark.parametrize(
    "call, error, words",
    [
        (lambda: accrue.find_fixed_points(F, [[np.nan, 0.0]]), ValueError, r"initial_states: nan at \[0, 0\].*visited"),
        (lambda: accrue.find_fixed_points(F, np.zeros((0, 3))), ValueError, "initial_states: .*no state"),
        (lambda: accrue.find_fixed_points(F, 1.0), ValueError, r"initial_states: shape \(\); give \[k, state\]"),
        (lambda: accrue.find_fixed_points(F, np.zeros((1, 2, 3, 4))), ValueError, "initial_states: shape"),
        (lambda: accrue.find_fixed_points(F, [["a", "b"]]), TypeError, "initial_states: an array of real numbers"),
        (lambda: accrue.find_fixed_points(F, [[1j, 0.0]]), TypeError, "initial_states: .*complex128"),
        (
            lambda: accrue.find_fixed_points(lambda h: h[:, :2], GOOD),
            ValueError,
            r"f: it returned shape \(4, 2\) for states of shape \(4, 3\)",
        ),
        (lambda: accrue.find_fixed_points(lambda h: h.sum(), GOOD), ValueError, r"f: it returned shape \(\)"),
        (lambda: accrue.find_fixed_points(lambda h: None, GOOD), (TypeError, ValueError), "f: "),
        (
            lambda: accrue.find_fixed_points(lambda h: h * np.nan, GOOD),
            ValueError,
            "f: nan for unit 0 of initial state 0",
        ),
        (
            lambda: accrue.find_fixed_points(lambda h: h + np.random.standard_normal(h.shape), GOOD),
            ValueError,
            r"f: .*dropout needs .eval\(\)",
        ),
        (lambda: accrue.find_fixed_points(lambda h: h * len(h), GOOD), ValueError, "f: .*other states of the batch"),
        (lambda: accrue.find_fixed_points(3, GOOD), TypeError, "f: int is no function"),
        (lambda: accrue.find_fixed_points(F, GOOD, tolerance=0.0), ValueError, "tolerance: 0.0"),
        (lambda: accrue.find_fixed_points(F, GOOD, tolerance=np.nan), ValueError, "tolerance: nan"),
        (lambda: accrue.find_fixed_points(F, GOOD, steps=0), ValueError, "steps: 0"),
        (lambda: accrue.find_fixed_points(F, GOOD, max_distance=-1), ValueError, "max_distance: -1"),
        (lambda: accrue.find_fixed_points(F, GOOD, unique=np.nan), ValueError, "unique: nan"),
        (lambda: accrue.find_fixed_points(F, GOOD, static_input=[np.inf]), ValueError, "static_input: inf"),
        (lambda: accrue.find_fixed_points("nowhere.pt", GOOD), FileNotFoundError, "nowhere.pt"),
        (lambda: accrue.fixed_points(F, GOOD), TypeError, "find_fixed_points"),
        (
            lambda: accrue.fixed_points(random_network("gru", 3, 2), np.zeros((5, 4))),
            ValueError,
            "states: states of 4 numbers, the network has 3",
        ),
        (lambda: accrue.fixed_points(random_network("lstm", 3, 2), np.zeros((5, 3))), ValueError, r"\[h, c\]"),
        (
            lambda: accrue.fixed_points(random_network("gru", 3, 2), GOOD, inputs={"rest": [0.0]}),
            ValueError,
            r"inputs\['rest'\]: 1 numbers, an input has 2",
        ),
        (lambda: accrue.fixed_points(random_network("gru", 3, 2), GOOD, inputs={}), ValueError, "inputs: none"),
        (lambda: accrue.fixed_points(random_network("gru", 3, 2), GOOD, noise=-1), ValueError, "noise: -1"),
        (lambda: accrue.fixed_points(random_network("gru", 3, 2), GOOD, seed=-1), ValueError, "seed: -1"),
        (lambda: accrue.Network("gru", np.zeros((3, 3))), ValueError, r"recurrent_weights: shape \(3, 3\)"),
        (lambda: accrue.Network("elman", np.zeros((3, 3))), ValueError, "cell: 'elman' is not known; one of vanilla"),
        (lambda: accrue.Network("vanilla", np.full((3, 3), np.nan)), ValueError, "recurrent_weights: nan"),
        (lambda: accrue.Network("vanilla", np.zeros((3, 3)), np.zeros((4, 1))), ValueError, "input_weights"),
        (lambda: accrue.Network("vanilla", np.zeros((3, 3)), None, np.zeros(2)), ValueError, "input_bias"),
        (lambda: accrue.Network.from_state_dict({"weight": np.zeros((3, 3))}), ValueError, "state_dict"),
        (lambda: accrue.Network.from_state_dict({}), ValueError, "state_dict: no array"),
        (
            lambda: accrue.Network.from_state_dict({"rnn.weight_ih": np.full((4, 2), np.inf)}),
            ValueError,
            "rnn.weight_ih.*not finite",
        ),
        (lambda: accrue.Network.from_state_dict([1]), TypeError, "arrays: list"),
        (lambda: accrue.Network.from_file("nowhere.npz"), FileNotFoundError, "nowhere.npz"),
        (lambda: accrue.Network.from_file("nowhere.npz", cell="elman"), ValueError, "cell: 'elman'"),
        (lambda: accrue.Network.from_file("nowhere.npz", readuot="x"), ValueError, "readuot"),
        (lambda: random_network("gru", 3, 2).map([1.0]), ValueError, "static_input: 1 numbers"),
        (lambda: random_network("gru", 3, 2).outputs(GOOD), ValueError, "no readout"),
        (lambda: accrue.tasks.memory(bits=0), ValueError, "bits|at least|1"),
        (lambda: accrue.tasks.memory(bit=3), ValueError, "unknown field `bit`"),
        (lambda: accrue.tasks.memory().draw(0), ValueError, "count: 0"),
        (lambda: accrue.tasks.memory().draw(10**9), ValueError, "count: 1000000000"),
        (lambda: accrue.geometry.pca([[np.inf, 1.0]]), ValueError, "points: inf"),
        (lambda: accrue.geometry.participation_ratio([-1.0, 2.0]), ValueError, "below 0"),
        (lambda: accrue.geometry.cube(np.zeros((4, 2)), np.full((4, 2), 0.5)), ValueError, "codes"),
        (
            lambda: accrue.similarity.cka(np.ones((5, 2)), np.ones((6, 2))),
            ValueError,
            "same samples.*'first' 5, 'second' 6",
        ),
        (lambda: accrue.similarity.cka(np.ones((5, 2))), (TypeError, ValueError), "one network alone|"),
        (lambda: accrue.similarity.svcca(np.ones((5, 2)), np.ones((5, 2))), ValueError, "first"),
        (lambda: accrue.similarity.mds(np.ones((2, 3))), ValueError, "distances: shape"),
        (lambda: accrue.predict(["a", "b"], [1]), ValueError, "labels: 1 for 2 texts"),
        (lambda: accrue.predict(["a", "b"]), ValueError, "labels: none given"),
        (lambda: accrue.predict([1, 2], [1, 2]), TypeError, "text 0 is int"),
        (lambda: accrue.predict("no/such/file.csv"), FileNotFoundError, "no/such/file.csv"),
        (lambda: accrue.open("no/such/run"), FileNotFoundError, "no/such/run"),
        (lambda: accrue.run("no/such.ron"), FileNotFoundError, "no/such.ron"),
        (lambda: accrue.command(["run"]), ValueError, "FILE.ron"),
        (lambda: accrue.text(F, str.split, {"a": 0}), TypeError, "model: "),
    ],
)
def test_bad_input_is_an_exception_that_names_it(call, error, words):
    with pytest.raises(error, match=words):
        call()


class OnACard:
    """What a tensor on a GPU looks like, where there is none."""

    class device:
        type = "cuda"

        def __str__(self):
            return "cuda:0"

    device = device()

    def cpu(self):
        return GOOD

    def __array__(self, *_, **__):
        raise TypeError("can't convert cuda:0 device type tensor to numpy")


def test_a_tensor_on_a_card_is_refused_with_the_remedy():
    with pytest.raises(ValueError, match=r"initial_states: a tensor on cuda:0.*initial_states.cpu\(\)"):
        accrue.find_fixed_points(F, OnACard())
    with pytest.raises(ValueError, match=r"f: a tensor on cuda:0"):
        accrue.find_fixed_points(lambda h: OnACard(), GOOD)


def test_what_a_function_raises_is_passed_on():
    def f(h):
        raise KeyError("of my own")

    with pytest.raises(KeyError, match="of my own"):
        accrue.find_fixed_points(f, GOOD)
    calls = []

    def later(h):
        calls.append(1)
        if len(calls) > 6:
            raise KeyError("in the middle")
        return np.tanh(2 * h)

    with pytest.raises(KeyError, match="in the middle"):
        accrue.find_fixed_points(later, GOOD)


def test_nan_in_the_middle_of_a_search_ends_that_search_alone():
    """``h' = tanh(2 h)``, NaN beyond 2: searches that leave end; others go on."""
    f = lambda h: np.where(np.abs(h) > 2.0, np.nan, np.tanh(2 * h))  # noqa: E731
    fp = accrue.find_fixed_points(f, [[0.3], [1.9], [-0.2]])
    assert 1 <= len(fp) <= 3 and np.isfinite(fp.states).all()


def test_no_fixed_point_is_a_result_and_no_error():
    fp = accrue.find_fixed_points(lambda h: h + 1.0, GOOD)
    assert len(fp) == 0 and repr(fp) == "0: no search came to a fixed point"
    assert fp.searches["input"]["converged"] == 0 and fp.to_polars().height == 0
    assert fp.index_sum == 0 and fp.jacobians.shape == (0, 3, 3) and fp.connections().height == 0


def test_native_parts_refuse_what_does_not_fit():
    from accrue import _native

    network = random_network("gru", 3, 2)
    with pytest.raises(ValueError, match="rows of 3"):
        network.map().step(b"\0" * 8 * 4)
    with pytest.raises(ValueError):
        _native.eigen(b"\0" * 8 * 5, 2, False)
    with pytest.raises(ValueError, match="weights"):
        _native.Map("gru", 3, 2, [b""] * 4, b"\0" * 16)
    with pytest.raises(ValueError, match="cell `elman`"):
        _native.Map("elman", 3, 2, [b""] * 4, b"")
    search = _native.Search(GOOD.tobytes(), 3, 1e-12, 10, 1.0)
    with pytest.raises(ValueError, match="next states"):
        search.tell_steps(b"")
    with pytest.raises(ValueError, match="not every search has ended"):
        search.results()
