"""A classifier of one's own, from its torch module to the explained sentence."""

import warnings

import numpy as np
import pytest

import accrue

torch = pytest.importorskip("torch", reason="torch is not here")
pytestmark = pytest.mark.torch

WORDS = ["<unk>", "good", "fine", "bad", "poor", "the", "film", "was"]
IDS = {w: i for i, w in enumerate(WORDS)}


class Reader(torch.nn.Module):
    def __init__(self, mean=False):
        super().__init__()
        self.mean = mean
        self.embedding = torch.nn.Embedding(len(WORDS), 8)
        self.rnn = torch.nn.GRU(8, 12, batch_first=True)
        self.readout = torch.nn.Linear(12, 2)

    def forward(self, x):
        h, _ = self.rnn(self.embedding(x))
        return self.readout(h.mean(dim=1) if self.mean else h[:, -1])


def documents(count, seed):
    stream = np.random.default_rng(seed)
    texts, labels = [], []
    while len(texts) < count:
        words = [str(w) for w in stream.choice(WORDS[1:], size=12)]
        score = sum((w in ("good", "fine")) - (w in ("bad", "poor")) for w in words)
        if score != 0:
            texts.append(" ".join(words))
            labels.append(int(score > 0))
    return texts, labels


def trained(mean=False):
    torch.manual_seed(0)
    model = Reader(mean)
    adam = torch.optim.Adam(model.parameters(), 1e-2)
    texts, labels = documents(600, 1)
    x = torch.tensor([[IDS[w] for w in t.split()] for t in texts])
    y = torch.tensor(labels)
    for _ in range(40):
        for i in range(0, len(x), 60):
            adam.zero_grad()
            torch.nn.functional.cross_entropy(model(x[i : i + 60]), y[i : i + 60]).backward()
            adam.step()
    return model.eval()


def test_a_classifier_is_analysed_explained_and_reported(tmp_path):
    model = trained()
    clf = accrue.text(model, tokenizer=str.split, vocabulary=IDS)
    train, test = documents(600, 1), documents(200, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = clf.analyze(train, test, out=tmp_path / "runs")
    said = torch.stack([model(torch.tensor([clf.ids(t)]))[0] for t in test[0]]).argmax(dim=1).numpy()
    assert run.summary["accuracy.network"] == pytest.approx((said == test[1]).mean(), abs=1e-9)
    found = run.explain("the film was not a good kettle")
    assert found.words["word"].to_list()[:3] == ["the", "film", "was"]
    good = found.words.filter(found.words["word"] == "good")["network"][0]
    assert found.words["network"].abs().max() == abs(good) or abs(good) > 0.5
    assert run.report(tmp_path / "out").is_file()


def test_a_network_that_is_read_otherwise_than_it_is_meant_warns(tmp_path):
    model = trained()
    clf = accrue.text(model, str.split, IDS)
    # What it says follows from its state dict no more.
    model.forward = lambda x: torch.zeros(1, 2)
    with pytest.warns(UserWarning, match=r"model\(x\) is right on 0\.\d+ of 200 .*label_order"):
        clf.analyze(documents(300, 1), documents(200, 2), out=tmp_path)


def test_what_a_session_cannot_take_is_refused():
    model = Reader()
    with pytest.raises(TypeError, match="vocabulary"):
        accrue.text(model, str.split, ["a", "b"])
    with pytest.raises(TypeError, match="tokenizer"):
        accrue.text(model, None, IDS)
    model.rnn = torch.nn.GRU(8, 12, num_layers=2, dropout=0.4, batch_first=True)
    with pytest.raises(ValueError, match=r"dropout 0.4; call module.eval\(\)"):
        accrue.text(model, str.split, IDS)
    clf = accrue.text(Reader().eval(), lambda t: [t], IDS)
    with pytest.raises(ValueError, match="tokenizer: .*white space"):
        clf.analyze((["a b"], [1]), (["a b"], [1]))
    with pytest.raises(TypeError, match="train: give a DataFrame"):
        clf.analyze("file.csv", "file.csv")
