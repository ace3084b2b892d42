"""Tasks, words and runs: against their laws, a recount, and the command line's own numbers."""

import json
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

import accrue

QUICK = """(
    corpus: (source: Synthetic(kind: Unordered(classes: 3), train: 400, validation: 60, test: 60)),
    model: (units: 8, embedding: Some(4)),
    training: (epochs: 2, batch: 40),
)
"""


def command(*words, cwd):
    program = [sys.executable, "-c", "from accrue._command import main; main()", *words]
    return subprocess.run(program, cwd=cwd, capture_output=True, text=True)


def test_trials_of_the_memory_task_follow_their_law():
    task = accrue.tasks.memory(bits=2, steps=20, pulse=0.3)
    trials = task.draw(50, seed=4)
    assert (
        trials.inputs.shape == (50, 20, 2)
        and len(trials) == 50
        and (task.inputs, task.outputs, task.steps) == (2, 2, 20)
    )
    held = np.zeros((50, 2))
    for t in range(20):
        pulse = trials.inputs[:, t]
        held = np.where(pulse != 0, pulse, held)
        assert np.array_equal(trials.targets[:, t], held)
    assert (trials.conditions == (held > 0) @ [1, 2]).all()
    assert set(np.unique(trials.inputs)) <= {-1.0, 0.0, 1.0} and (trials.mask == 1).all()
    again, other = task.draw(50, seed=4), task.draw(50, seed=5)
    assert np.array_equal(again.inputs, trials.inputs) and not np.array_equal(other.inputs, trials.inputs)


def test_every_task_draws_what_it_says():
    for make in (
        accrue.tasks.memory,
        accrue.tasks.sine,
        accrue.tasks.integration,
        accrue.tasks.discrimination,
        accrue.tasks.path,
        accrue.tasks.accumulation,
        accrue.tasks.labels,
    ):
        task = make()
        trials = task.draw(6)
        assert trials.inputs.shape == (6, trials.lengths.max(), task.inputs)
        assert trials.targets.shape[2] == task.outputs and trials.lengths.max() <= task.steps
        assert np.isfinite(trials.inputs).all() and trials.mask.max() > 0
        assert all(x.shape == (task.inputs,) for x in task.held.values()) and task.name in repr(task)
        padding = np.arange(trials.inputs.shape[1]) >= trials.lengths[:, None]
        assert not trials.mask[padding].any()


TEXTS = [f"{w} {w} film {o}" for w, o in zip(["good", "bad", "odd"] * 60, ["the", "a", "an", "and"] * 45)]
LABELS = ["yes", "no", "maybe"] * 60


def test_dimension_from_counts_is_that_of_three_classes_and_the_same_from_every_kind_of_corpus(tmp_path):
    found = accrue.predict(TEXTS, LABELS, bootstrap=20)
    assert sorted(found.rows) == ["maybe", "no", "yes"]
    assert found.dimension_scaled.value == pytest.approx(2.0, abs=0.1) and found.shape == "simplex"
    assert found.table.height == len(found.variances)
    frame = pl.DataFrame({"review": TEXTS, "stars": LABELS})
    again = accrue.predict(frame, text="review", label="stars", bootstrap=20)
    frame.write_csv(tmp_path / "reviews.csv")
    file = accrue.predict(tmp_path / "reviews.csv", text="review", label="stars", bootstrap=20)
    assert again.dimension == found.dimension == file.dimension
    told = command(
        "predict",
        "reviews.csv",
        "--text",
        "review",
        "--label",
        "stars",
        "--json",
        "--set",
        "prediction.bootstrap=20",
        cwd=tmp_path,
    )
    numbers = json.loads(told.stdout)
    assert numbers["dimension.predicted"] == pytest.approx(found.dimension.value, rel=1e-6) or numbers[
        "dimension.predicted"
    ] == pytest.approx(found.dimension_scaled.value, rel=1e-6)
    with pytest.raises(ValueError, match="no column 'text'; it has review, stars"):
        accrue.predict(frame)


def test_a_word_that_cancels_the_next_ones_is_told_from_the_labels():
    stream = np.random.default_rng(0)
    texts, labels = [], []
    for _ in range(3000):
        score, words = 0.0, []
        for _ in range(8):
            sign = stream.choice([-1, 1])
            word = str(stream.choice(["good", "fine", "great"] if sign > 0 else ["bad", "poor", "awful"]))
            if stream.random() < 0.25:
                words += ["not", word]
                score -= sign
            else:
                words += [str(stream.choice(["the", "film", "was"])), word]
                score += sign
        texts.append(" ".join(words))
        labels.append(int(score + 0.1 * stream.standard_normal() > 0))
    table = accrue.words_in_context(texts, labels)
    row = table.row(by_predicate=pl.col("word") == "not", named=True)
    assert row["significant"] and row["high"] < -0.5 and row["low"] < row["gain"] < row["high"]
    # Gains are told beside the usual word's, and here every fourth word is turned: the others stand above it.
    others = table.filter(pl.col("word").is_in(["the", "film", "was"]))
    assert others.height == 3 and (others["low"] > row["high"]).all()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    (folder / "quick.ron").write_text(QUICK)
    run = accrue.run(folder / "quick.ron", out=folder / "reports", set={"training.epochs": 3, "name": "three"})
    return folder, run


def test_a_run_is_made_opened_and_not_made_twice(finished):
    folder, run = finished
    assert run.folder.name == "three" and run.page.is_file()
    assert "fixed_points" in run.tables and run["fixed_points"].height > 0 and "<svg" in run.figure(run.figures[0])
    opened = accrue.open(run.folder)
    assert opened.summary == run.summary and 0.0 <= run.summary["accuracy.network"] <= 1.0
    before = (run.folder / "summary.json").stat().st_mtime_ns
    again = accrue.run(folder / "quick.ron", out=folder / "reports", set={"training.epochs": 3, "name": "three"})
    assert again.summary == run.summary and (run.folder / "summary.json").stat().st_mtime_ns == before
    with pytest.raises(KeyError, match="no such table; there are"):
        run.table("nothing")
    with pytest.raises(ValueError, match="no run lies here; it holds"):
        accrue.open(folder)
    assert "accuracy.network" in run._repr_html_()
    told = command(
        "run",
        "quick.ron",
        "--set",
        "training.epochs=3",
        "--set",
        "name=three",
        "--out",
        "reports",
        "--json",
        cwd=folder,
    )
    assert told.returncode == 0 and json.loads(told.stdout)["accuracy.network"] == run.summary["accuracy.network"]


def test_a_text_is_explained_and_the_report_copied(finished, tmp_path):
    _, run = finished
    word = run["vocabulary"]["word"][1]
    found = run.explain(f"{word} {word}")
    assert (
        found.words["word"].to_list() == [word, word]
        and found.network in repr(found)
        and "<span" in found._repr_html_()
    )
    page = run.report(tmp_path / "out")
    assert page.is_file() and accrue.open(tmp_path / "out").table("fixed_points").height > 0


def test_the_network_of_a_run_has_the_runs_points(finished):
    _, run = finished
    network = accrue.Network.from_file(run.folder)
    table = run["fixed_points"].filter(pl.col("certified") & (pl.col("input") == "zero"))
    states = np.stack(run["states"]["state"].to_list())
    fp = accrue.fixed_points(network, states)
    for h, radius in table.select("state", "radius").iter_rows():
        h = np.asarray(h)
        assert np.abs(network.step(h[None])[0] - h).max() < 1e-5
    assert fp.certified.all()


def test_settings_that_make_no_sense_are_told_with_their_names(tmp_path):
    (tmp_path / "quick.ron").write_text(QUICK)
    with pytest.raises(ValueError, match="epoks"):
        accrue.run(tmp_path / "quick.ron", set={"training.epoks": 3}, out=tmp_path)
    (tmp_path / "bad.ron").write_text("(modle: ())")
    with pytest.raises(ValueError, match="modle"):
        accrue.run(tmp_path / "bad.ron", out=tmp_path)


def test_the_command_line_is_in_the_wheel(tmp_path):
    assert command("--version", cwd=tmp_path).stdout.strip() == f"accrue {accrue.__version__}"
    refused = command("predict", "nothing.csv", cwd=tmp_path)
    assert refused.returncode == 1 and "nothing.csv" in refused.stderr
    assert command("run", cwd=tmp_path).returncode == 2
