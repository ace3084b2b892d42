"""Networks across the border, both ways.

1. Weights of a run load into PyTorch under its own names; the accuracy there is
   the run's.
2. An LSTM trained in PyTorch on sentences of known valence goes through `accrue
   analyze`, with text in a CSV and its vocabulary a word a line; the accuracy
   here is PyTorch's.

    tests/peers/run tests/peers/interchange.py PROGRAM RUN

PROGRAM: the built `accrue`; RUN: a finished run of a GRU or LSTM with an
embedding and class labels.
"""
import json, pathlib, random, subprocess, sys, tempfile

import polars as pl
import torch
from safetensors.torch import load_file, save_file

program, run = sys.argv[1], pathlib.Path(sys.argv[2])


def out():
    # -- the example of the tour --------------------------------------------
    state = load_file(run / "model.safetensors")
    lstm = state["rnn.weight_hh_l0"].shape[0] == 4 * state["rnn.weight_hh_l0"].shape[1]
    units, inputs = state["rnn.weight_hh_l0"].shape[1], state["rnn.weight_ih_l0"].shape[1]
    rnn = (torch.nn.LSTM if lstm else torch.nn.GRU)(inputs, units, batch_first=True)
    rnn.load_state_dict({k[4:]: v for k, v in state.items() if k.startswith("rnn.")})
    embedding = torch.nn.Embedding.from_pretrained(state["embedding.weight"])
    h0 = state["initial_state"].view(1, 1, -1)
    start = (h0[..., :units], h0[..., units:]) if lstm else h0

    def read(tokens):
        states, last = rnn(embedding(torch.tensor([tokens])), start)
        end = torch.cat(last, -1) if lstm else last
        return torch.nn.functional.linear(end[0, 0], state["readout.weight"], state["readout.bias"])

    # ------------------------------------------------------------------------
    documents = pl.read_parquet(run / "tables/documents.parquet").filter(pl.col("split") == "test")
    right = 0
    with torch.no_grad():
        for tokens, label in documents.select("tokens", "label").iter_rows():
            logits = read(tokens)
            said = int(logits[0] > 0) if len(logits) == 1 else int(logits.argmax())
            right += said == label
    there = right / documents.height
    here = json.load(open(run / "summary.json"))["accuracy.network"]
    print(f"a run in PyTorch: {there:.6f}, by the run itself {here:.6f}")
    # A logit within rounding of zero may fall on either side.
    assert abs(there - here) <= 2 / documents.height


class Sentiment(torch.nn.Module):
    def __init__(self, words):
        super().__init__()
        self.embed = torch.nn.Embedding(words, 12, padding_idx=0)
        self.lstm = torch.nn.LSTM(12, 24, batch_first=True)
        self.classify = torch.nn.Linear(24, 2)

    def forward(self, ids):
        _, (h, _) = self.lstm(self.embed(ids))
        return self.classify(h[0])


def back():
    draw = random.Random(1)
    valence = {"awful": -2, "bad": -1, "the": 0, "film": 0, "plot": 0, "good": 1, "superb": 2}
    words = ["<pad>", "<unk>", *valence]
    rows = []
    while len(rows) < 4000:
        text = draw.choices(list(valence), k=12)
        total = sum(valence[w] for w in text)
        if total:
            rows.append((" ".join(text), "good" if total > 0 else "bad"))
    ids = torch.tensor([[words.index(w) for w in text.split()] for text, _ in rows])
    labels = torch.tensor([label == "good" for _, label in rows]).long()
    torch.manual_seed(1)
    network = Sentiment(len(words))
    optimiser = torch.optim.Adam(network.parameters(), 1e-2)
    for epoch in range(12):
        for batch in torch.randperm(3000).split(100):
            optimiser.zero_grad()
            torch.nn.functional.cross_entropy(network(ids[batch]), labels[batch]).backward()
            optimiser.step()
    with torch.no_grad():
        there = (network(ids[3000:]).argmax(1) == labels[3000:]).double().mean().item()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        save_file(network.state_dict(), folder / "own.safetensors")
        (folder / "words.txt").write_text("\n".join(words) + "\n")
        frame = pl.DataFrame(rows, schema=["text", "label"], orient="row")
        frame[:3000].write_csv(folder / "train.csv")
        frame[3000:].write_csv(folder / "test.csv")
        text = f'(corpus: (source: File(train: "{folder}/train.csv", test: "{folder}/test.csv")))'
        (folder / "own.ron").write_text(text)
        arguments = ["analyze", folder / "own.safetensors", "--corpus", folder / "own.ron",
                     "--vocabulary", folder / "words.txt", "--out", folder, "--json"]
        done = subprocess.run([program, *arguments], stdout=subprocess.PIPE, text=True)
        assert done.returncode == 0
        found = json.loads(done.stdout)
    print(f"an LSTM of PyTorch: {there:.6f} there, {found['accuracy.network']:.6f} by accrue; "
          f"states in {found['dimension.states']:.2f} dimensions")
    assert abs(there - found["accuracy.network"]) <= 2 / 1000


out()
back()
