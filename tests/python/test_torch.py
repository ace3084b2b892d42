"""Networks of torch: their points, Jacobians and refusals, against torch itself and the command line."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from conftest import same_points

import accrue

torch = pytest.importorskip("torch", reason="torch is not here")
pytestmark = pytest.mark.torch


def made(kind, units=8, inputs=3, seed=0, dtype=torch.float64, **more):
    torch.manual_seed(seed)
    module = getattr(torch.nn, kind)(inputs, units, dtype=dtype, **more)
    with torch.no_grad():
        for p in module.parameters():
            p.mul_(3.0)
    return module.requires_grad_(False)


def stepped(module, x):
    """One step of a recurrent module, ``[h; c]`` of an LSTM, as a function of one state."""
    cell = isinstance(module, torch.nn.RNNCellBase)
    lstm = "LSTM" in type(module).__name__

    def step(h):
        parts = h[None].chunk(2, dim=1) if lstm else (h[None],)
        if cell:
            out = module(x[None], parts if lstm else parts[0])
            out = out if lstm else (out,)
        else:
            out = module(x[None, None], tuple(p[None] for p in parts) if lstm else parts[0][None])[1]
            out = [p[0] for p in out] if lstm else (out[0],)
        return torch.cat(list(out), dim=1)[0]

    return step


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM", "RNNCell", "GRUCell", "LSTMCell"])
def test_points_stand_still_in_torch_and_eigenvalues_are_those_of_jacrev(kind):
    module = made(kind)
    x = torch.tensor([0.5, -0.3, 0.1], dtype=torch.float64)
    size = 16 if "LSTM" in kind else 8
    states = np.random.default_rng(0).uniform(-1, 1, (60, size))
    fp = accrue.find_fixed_points(module, states, static_input=x)
    assert len(fp) > 0 and fp.certified.all()
    # Modules over sequences go through fused kernels that torch.func does not take: their cell does.
    step = stepped(module, x)
    for i in range(len(fp)):
        h = torch.tensor(fp.states[i])
        assert (step(h) - h).abs().max() < 1e-12
        jacobian = (
            torch.autograd.functional.jacobian(step, h) if not kind.endswith("Cell") else torch.func.jacrev(step)(h)
        )
        assert np.abs(fp.jacobian(i) - jacobian.numpy()).max() < 1e-12
        truth = torch.linalg.eigvals(jacobian).numpy()
        far = np.abs(truth[:, None] - fp.eigenvalues(i)[None])
        assert far.min(axis=0).max() < 1e-9 and far.min(axis=1).max() < 1e-9


def test_relu_is_told_from_tanh():
    relu = accrue.Network.from_torch(made("RNN", nonlinearity="relu"))
    assert relu.cell == "relu" and accrue.Network.from_torch(made("RNNCell")).cell == "vanilla"


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_there_and_back_gives_the_same_numbers(kind):
    module = made(kind, dtype=torch.float32, batch_first=True)
    network = accrue.Network.from_torch(module)
    again = network.to_torch()
    for name, value in module.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    x = torch.randn(2, 5, 3)
    assert torch.allclose(module(x)[0], again(x)[0], atol=1e-6)
    exact = network.to_torch(torch.float64)
    states = network.run(x.double().numpy())
    assert np.abs(states[:, :, :8] - exact(x.double())[0].detach().numpy()).max() < 1e-14


def test_a_network_without_biases_has_none_that_count():
    module = made("GRU", bias=False)
    network = accrue.Network.from_torch(module)
    assert not network.input_bias.any()
    h = torch.randn(1, 4, 8, dtype=torch.float64)
    x = torch.zeros(4, 1, 3, dtype=torch.float64).transpose(0, 1)
    assert np.allclose(network.step(h[0].numpy()), module(x, h)[1][0].numpy(), atol=1e-15)


def test_a_function_of_torch_is_differentiated_in_double_precision():
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh())
    with torch.no_grad():
        module[0].weight.mul_(4)
    states = torch.rand(200, 4) * 2 - 1
    fp = accrue.find_fixed_points(module, states)
    assert module[0].weight.dtype == torch.float32, "the caller's module stays as it is"
    w, b = module[0].weight.detach().double().numpy(), module[0].bias.detach().double().numpy()
    native = accrue.find_fixed_points(accrue.Network("vanilla", w, None, b), states)
    assert len(fp) > 0 and (fp.q < 1e-28).all()
    known = native.states[native.initial_state >= 0]
    assert same_points(fp.states, known, 1e-9)
    for h, j in zip(fp.states, fp.jacobians):
        truth = torch.func.jacrev(lambda h: torch.tanh(torch.tensor(w) @ h + torch.tensor(b)))(torch.tensor(h)).numpy()
        assert np.abs(j - truth).max() < 1e-12


def test_a_closure_in_single_precision_is_searched_as_far_as_its_digits_go():
    w = torch.tensor([[0.0, -2.0], [2.0, 0.0]]).T
    fp = accrue.find_fixed_points(lambda h: torch.tanh(h.float() @ w), torch.rand(50, 2) - 0.5)
    assert len(fp) == 1 and np.abs(fp.states).max() < 1e-4


def test_what_cannot_be_differentiated_is_differenced_and_told():
    w = np.array([[0.0, -2.0], [2.0, 0.0]])
    fp = accrue.find_fixed_points(
        lambda h: torch.tensor(np.tanh(h.detach().numpy() @ w.T)), torch.rand(50, 2, dtype=torch.float64) - 0.5
    )
    assert len(fp) == 1 and np.allclose(np.abs(fp.eigenvalues(0)), 2.0, atol=1e-9)
    assert any("central differences" in note for note in fp.notes)


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: made("GRU", num_layers=2), "2 layers"),
        (lambda: made("LSTM", bidirectional=True), "two directions"),
        (lambda: made("LSTM", proj_size=2), "a projection to 2"),
        (
            lambda: torch.nn.GRU(3, 8, num_layers=2, dropout=0.5),
            r"training mode with dropout 0.5; call module.eval\(\)",
        ),
        (
            lambda: torch.nn.Sequential(torch.nn.GRU(3, 8), torch.nn.Dropout(0.3)),
            r"Dropout \(1\) is in training mode with dropout 0.3",
        ),
        (lambda: torch.nn.Linear(3, 3), "state_dict"),
    ],
)
def test_what_is_not_understood_is_refused_by_name(make, words):
    with pytest.raises(ValueError, match=words):
        accrue.Network.from_torch(make())


def test_a_module_in_training_mode_with_dropout_is_refused_and_told_how():
    module = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), torch.nn.Dropout(0.5))
    with pytest.raises(ValueError, match=r"f: .*\.eval\(\)"):
        accrue.find_fixed_points(module, torch.rand(100, 4))
    assert len(accrue.find_fixed_points(module.eval(), torch.rand(100, 4))) > 0


def test_tensors_on_other_devices_are_refused():
    with pytest.raises(ValueError, match="initial_states: a tensor on meta"):
        accrue.find_fixed_points(made("GRU"), torch.empty(4, 8, device="meta"))
    with pytest.raises(ValueError, match=r"module: a tensor on meta.*module.cpu\(\)"):
        accrue.Network.from_torch(made("GRU").to("meta"))
    with pytest.raises(TypeError, match="no torch.nn.Module"):
        accrue.Network.from_torch({})


def test_an_lstm_takes_its_states_as_a_pair():
    module = made("LSTM", units=4)
    h, c = torch.rand(2, 30, 4, dtype=torch.float64)
    pair = accrue.find_fixed_points(module, (h, c))
    joined = accrue.find_fixed_points(module, torch.cat([h, c], dim=1))
    assert np.array_equal(pair.states, joined.states) and pair.states.shape[1] == 8


class Net(torch.nn.Module):
    def __init__(self, units=16):
        super().__init__()
        self.rnn = torch.nn.GRU(3, units, batch_first=True)
        self.readout = torch.nn.Linear(units, 3)

    def forward(self, x):
        h, _ = self.rnn(x)
        return self.readout(h), h


THREE_BITS = Path(__file__).parents[1] / "references" / "three_bits.npz"


@pytest.fixture(scope="module")
def memory():
    """A GRU that torch has trained to hold three bits (`tests/references/three_bits.py`), and states it visits."""
    net = Net(24)
    net.load_state_dict({name: torch.tensor(value) for name, value in np.load(THREE_BITS).items()})
    trials = accrue.tasks.memory(bits=3, steps=32).draw(64, seed=1, split="test")
    with torch.no_grad():
        said, h = net(torch.tensor(trials.inputs))
    return net.eval(), h, float(((said - torch.tensor(trials.targets)) ** 2).mean())


def test_a_network_that_holds_three_bits_has_its_corners_and_their_graph(memory):
    net, h, loss = memory
    assert loss < 0.01
    torch.manual_seed(0)
    fp = accrue.fixed_points(net.rnn, states=h, inputs={"rest": [0, 0, 0]}, noise=0.5, mix=True)
    network = accrue.Network.from_torch(net)
    said = np.sign(network.outputs(fp.states[fp.stable]))
    assert {tuple(s) for s in said} >= {(a, b, c) for a in (-1, 1) for b in (-1, 1) for c in (-1, 1)}
    assert fp.certified.all() and fp.index_sum == 1
    signs = lambda state: "".join("+" if y > 0 else "-" for y in network.outputs(state[None])[0])  # noqa: E731
    edges = fp.transitions(label=signs)
    # A saddle with one unstable mode lies between two corners.
    assert all(len(r) <= 2 for r, k in edges.connections.select("reaches", "unstable").iter_rows() if k == 1)


def test_points_are_those_of_the_command_line(memory, tmp_path):
    net, h, _ = memory
    torch.save(net.state_dict(), tmp_path / "gru.pt")
    states = h.reshape(-1, h.shape[-1]).double().numpy()[::4]
    np.save(tmp_path / "states.npy", states)
    command = [
        sys.executable,
        "-c",
        "from accrue._command import main; main()",
        "analyze",
        "gru.pt",
        "--states",
        "states.npy",
        "--static-input",
        "zero",
        "--out",
        "runs",
        "--quiet",
    ]
    subprocess.run(command, cwd=tmp_path, check=True)
    table = accrue.open(tmp_path / "runs" / "analyze" / "gru").table("fixed_points")
    theirs = table.filter((pl.col("tolerance") == 1e-12) & pl.col("certified"))
    fp = accrue.fixed_points(
        accrue.Network.from_file(tmp_path / "gru.pt"), states, noise=0.5, mix=True, initial_states=3000
    )
    ours = fp.states[fp.certified]
    # Each of theirs within its proved radius of one of ours, and the other way round.
    far = np.abs(np.stack(theirs["state"].to_list())[:, None] - ours[None]).max(axis=2)
    assert len(ours) == theirs.height == (far.min(axis=1) < theirs["radius"].to_numpy() + 1e-9).sum()
    match = far.argmin(axis=1)
    assert sorted(match) == list(range(len(ours)))
    assert np.array_equal(fp.unstable[match], theirs["unstable"].to_numpy())
    assert np.allclose(fp.time_constants[match, 0], theirs["tau_1"].to_numpy(), rtol=1e-4)


def test_a_whole_module_is_read_as_the_command_line_reads_its_file(memory, tmp_path):
    net, _, _ = memory
    torch.save(net.state_dict(), tmp_path / "gru.pt")
    module, file = accrue.Network.from_torch(net), accrue.Network.from_file(tmp_path / "gru.pt")
    for name in ("recurrent_weights", "input_weights", "input_bias", "recurrent_bias", "readout", "readout_bias"):
        assert np.array_equal(getattr(module, name), getattr(file, name))
    states = torch.rand(5, module.units)
    assert np.allclose(module.outputs(states), net.readout(states).detach().numpy(), atol=1e-6)
