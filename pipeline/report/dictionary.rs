//! What every table and every summary number means.

use crate::records::{self, Presence};
use std::fmt::Write;

/// One column.
pub struct Field {
    /// Name.
    pub name: &'static str,
    /// Type, as polars calls it.
    pub kind: &'static str,
    /// Meaning, with unit and shape.
    pub about: &'static str,
}

const fn f(name: &'static str, kind: &'static str, about: &'static str) -> Field {
    Field { name, kind, about }
}

/// Every key of `summary.json`.
pub const SUMMARY: &[Field] = &[
    f("accuracy.network", "number", "test accuracy of the network (share right; R² for a score)"),
    f(
        "accuracy.start",
        "number",
        "the same before training, where that went on from weights trained elsewhere",
    ),
    f("accuracy.bag_of_words", "number", "the same of logistic regression on word counts"),
    f(
        "accuracy.bigrams",
        "number",
        "the same for a bag of words and of frequent pairs of them (where `baseline.ngrams` asks)",
    ),
    f("accuracy.trigrams", "number", "the same with triples"),
    f(
        "accuracy.encoder",
        "number",
        "the same for a logistic probe on a frozen pretrained encoder (where `baseline.encoder` asks)",
    ),
    f(
        "accuracy.augmented",
        "number",
        "the same of the bag of words in context that validation data prefer",
    ),
    f("accuracy.majority", "number", "the same of always giving the commonest answer"),
    f(
        "task.error",
        "number",
        "mean squared error on test trials, over the steps that are scored (task studies)",
    ),
    f("task.chance", "number", "the same of the best constant answer, by the law of the task"),
    f("task.best", "number", "the same of the best answer there is, by the law of the task"),
    f("claims.held", "number", "claims of the papers that hold on this run"),
    f("claims.tested", "number", "claims that were tested"),
    f("corpus.documents", "number", "training documents"),
    f("corpus.tokens", "number", "training tokens"),
    f("corpus.vocabulary", "number", "words"),
    f("dimension.states", "number", "participation ratio of the states on test documents"),
    f("dimension.untrained", "number", "the same before training"),
    f(
        "dimension.fixed_points",
        "number",
        "participation ratio of the slow points (headline input and tolerance); 0 for none",
    ),
    f("dimension.predicted", "number", "participation ratio of the class means of word counts"),
    f("dimension.predicted.low", "number", "2.5th percentile, bootstrap over documents"),
    f("dimension.predicted.high", "number", "97.5th percentile"),
    f(
        "dimension.predicted_unbiased",
        "number",
        "the same without sampling noise, from split halves",
    ),
    f(
        "dimension.predicted_scaled",
        "number",
        "the same, each word's share divided by the root of its overall share",
    ),
    f("dimension.predicted_scaled.low", "number", "2.5th percentile"),
    f("dimension.predicted_scaled.high", "number", "97.5th percentile"),
    f("dimension.predicted_unbiased.low", "number", "2.5th percentile"),
    f("dimension.predicted_unbiased.high", "number", "97.5th percentile"),
    f("fixed_points.count", "number", "distinct slow points (headline input and tolerance)"),
    f(
        "fixed_points.reached",
        "number",
        "share of the searches that came below the headline tolerance",
    ),
    f(
        "fixed_points.tried",
        "number",
        "points below the smallest tolerance for which a proof was tried (headline input)",
    ),
    f("fixed_points.certified", "number", "of these, proved to be fixed points"),
    f("fixed_points.stable", "number", "of these, proved to attract"),
    f("fixed_points.tau_1", "number", "median slowest time constant, tokens"),
    f(
        "fixed_points.slow_modes",
        "number",
        "modes whose median time constant is at least the median document length",
    ),
    f(
        "recovered.fraction",
        "number",
        "share of the network's gain over words that words in context recover; null where it reads no better than words",
    ),
    f("recovered.fraction.low", "number", "2.5th percentile, bootstrap over test documents"),
    f("recovered.fraction.high", "number", "97.5th percentile"),
    f(
        "shape.predicted",
        "text",
        "line, curve, simplex, product or other: the figure the class means draw",
    ),
    f(
        "text_gains.agreement",
        "number",
        "rank correlation of the gains of words by the text and by the network, over words whose gain by the text is known to ±1",
    ),
    f("text_gains.agreement.low", "number", "2.5th percentile, bootstrap over words"),
    f("text_gains.agreement.high", "number", "97.5th percentile"),
    f("text_gains.compared", "number", "these words"),
    f(
        "text_gains.count",
        "number",
        "words after which the next ones count otherwise, by the labels alone (false discoveries .05)",
    ),
    f(
        "text_gains.words",
        "text",
        "these words, the surest first (only from `accrue predict --modifiers --json`)",
    ),
    f("states.variance_2", "number", "share of the states' variance in two components"),
    f(
        "train.tokens_per_second",
        "number",
        "tokens a second of training, forward, backward and update",
    ),
    f("train.seconds", "number", "seconds in training steps"),
    f("train.steps", "number", "optimiser steps"),
    f("train.stopped_early", "number", "1 if the patience ran out"),
    f("time.seconds", "number", "seconds of all stages, each counted when it last ran"),
    f("memory.peak_bytes", "number", "largest resident memory of any stage"),
    f("seed", "number", "seed of every random draw"),
    f("corpus.name", "text", "name of the corpus"),
];

/// What each of the papers' claims is about, in a few words: L from 1906.10720, G from 2010.15114, C from 2004.08013.
pub const CLAIMS: &[(&str, &str)] = &[
    ("L1", "the accuracy is the published one"),
    ("L2", "states in few dimensions"),
    ("L3", "slow points on a line"),
    ("L4", "the slow mode outlasts the document"),
    ("L5", "it points along the line"),
    ("L6", "words enter it by their valence"),
    ("L7", "one linear step suffices"),
    ("L8", "linear pieces in a chain do not"),
    ("G1", "the task is solved"),
    ("G2", "variance in the first N − 1 components"),
    ("G3", "N − 1 dimensions"),
    ("G4", "readouts at the simplex's angles"),
    ("G5", "slow points fill the simplex"),
    ("G6", "N − 1 slow modes"),
    ("G7", "words move the state along their readouts"),
    ("G8", "three ordered classes on a line"),
    ("G9", "five on a line that bends, two slow modes"),
    ("G10", "two labels make a square"),
    ("G11", "three labels make a cube"),
    ("G12", "the counts have N − 1 dimensions"),
    ("G13", "a stronger penalty, fewer dimensions"),
    ("G14", "the same answer with the words shuffled"),
    ("G15", "classes more alike, fewer dimensions"),
    ("C1", "the network follows the running score"),
    ("C2", "a slow mode and a turning pair"),
    ("C3", "the input Jacobian reads words in context"),
    ("C4", "modifiers move the state off the line"),
    ("C5", "without the turning pair \"not bad\" is bad"),
    ("C6", "some words turn how others are read, some strengthen it"),
    ("C7", "the beginning counts more"),
    ("C8", "words in context recover the network's gain"),
    ("dimension", "the states' dimension is the one the counts predict"),
];

/// What a claim is about; nothing for an unknown one.
pub fn claim(name: &str) -> &'static str {
    CLAIMS.iter().find(|(claim, _)| *claim == name).map_or("", |(_, about)| about)
}

/// `reports/README.md`.
pub fn readme() -> String {
    let mut text = String::from(INTRODUCTION);
    for table in records::tables() {
        let _ = write!(text, "\n## tables/{}.parquet\n\n{}\n\n", table.name, table.about);
        text.push_str("| column | type | meaning |\n|---|---|---|\n");
        for c in table.columns {
            let missing = match c.presence {
                Presence::Always => "",
                Presence::Nullable => ", may be null",
                Presence::Optional => ", column may be absent",
            };
            let about = c.about.replace('|', "\\|");
            let _ = writeln!(text, "| `{}` | {}{missing} | {about} |", c.name, c.kind);
        }
    }
    text.push_str("\n## Claims\n\nTables `claims` and `case_claims` name them.\n\n");
    text.push_str("| claim | what is tested |\n|---|---|\n");
    for (name, about) in CLAIMS {
        let _ = writeln!(text, "| {name} | {about} |");
    }
    text.push_str("\n## summary.json\n\nFlat: one object, these keys. A key is absent where its stage has nothing to say.\n\n");
    text.push_str("| key | type | meaning |\n|---|---|---|\n");
    for c in SUMMARY {
        let _ = writeln!(text, "| `{}` | {} | {} |", c.name, c.kind, c.about.replace('|', "\\|"));
    }
    text
}

const INTRODUCTION: &str = "# Reports: the data dictionary

<!-- Written by `accrue dictionary > reports/README.md`; a test keeps it true. -->

A run leaves one folder, `reports/<study>/<name>/`:

| file | what it is |
|---|---|
| `index.html` | the report, readable offline |
| `summary.json` | the headline numbers, for programs |
| `run.ron` | the whole resolved experiment, seed, program version, and one row a stage with its key, seconds, peak memory, device and files |
| `model.safetensors` | weights under PyTorch's names, the make-up of the network in the metadata |
| `tokenizer.json` | the tokenizer in the Hugging Face format (text corpora) |
| `corpus.json` | corpus name, label names, notes |
| `tables/*.parquet` | every table below |
| `figures/*.svg` | every figure, drawn from a table |

Read a table:

```python
import polars as pl
points = pl.read_parquet(\"reports/quickstart/three_topics/tables/fixed_points.parquet\")
points.group_by(\"input\", \"tolerance\").agg(pl.len(), pl.col(\"q\").median())
```

```python
import pandas as pd; pd.read_parquet(\"…/tables/spectrum.parquet\")     # pandas
```

```r
arrow::read_parquet(\"…/tables/spectrum.parquet\")                      # R
```

```sql
SELECT source, value FROM '…/tables/dimensions.parquet';               -- DuckDB
```
";
