//! What every table and every summary number means.

use crate::records::{self, Presence};
use std::fmt::Write;

/// What each of the papers' claims is about, in a few words: L from 1906.10720, G from 2010.15114, C from 2004.08013, M
/// of the task with memory (1907.08549), J of the switching linear system (2111.01256).
/// of the task with memory (1907.08549), O from 2011.02159, D from 2302.14078.
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
    ("M1", "as many fixed points as the task asks for"),
    ("M2", "those that hold every sign are stable"),
    ("M3", "those with one undecided channel have one unstable direction"),
    ("M4", "those with two undecided channels have two"),
    ("M5", "those with three undecided channels have three"),
    ("M6", "from the saddles between two corners orbits run along the cube's edges"),
    ("U1", "as many stable fixed points as the task has memories"),
    ("U2", "architectures are clusters by their states"),
    ("U3", "fixed points tell architectures worse than states do"),
    ("U4", "the linear frequency follows the cue"),
    ("U4a", "one fixed point under each cue"),
    ("U4b", "the network's cycle goes round as fast as the wave"),
    ("U5", "the slowest mode reads the cued stream alone"),
    ("U6", "one mode answers an input without gates, several with"),
    ("U7", "the slow points' dimension is the same in all architectures"),
    ("J1", "the linear system stays with the network on three bits"),
    ("J2", "it does so on integration by context"),
    ("J3", "expansion points at the corners of a cube, none of them a saddle"),
    ("J4", "only inputs that flip a bit enter the slow modes"),
    ("J5", "without its term, expansion points are not fixed"),
    ("J6", "without its term, the linear system leaves the network"),
    ("F1", "without a gate a code looks gated"),
    ("F2", "by as much as the decision signal says"),
    ("F3", "and no longer without the axes of choice"),
    ("F4", "where there is a gate it is found"),
    ("F5", "without a decision both features are seen"),
    ("F6", "with one a gated model wins, gate or none"),
    ("F7", "an answer tied to one feature: one context looks gated"),
    ("F8", "networks without a gate look gated"),
    ("F9", "and no longer without the axes of the decision"),
    ("F10", "a gate at a network's input is found"),
    ("F11", "apparent gating grows within a trial"),
    ("F12", "networks mix three mechanisms of selection"),
    ("F13", "the label that is not asked is not kept"),
    ("F13a", "nor does it show beside the choice"),
    ("R1", "planted shares of variance are found"),
    ("R2", "movements explain more than the task"),
    ("R3", "leaky networks forget as fast as the leak"),
    ("R4", "kernels of choices tell the strategy"),
    ("R5", "fixed points tell the strategy"),
    ("R6", "states tell the strategy"),
    ("R6a", "states of other cells tell it too"),
    ("R7", "states of other cells tell it worse"),
    ("R8", "recording and network correlate"),
    ("O1", "the learned optimiser beats tuned gradient descent"),
    ("O1a", "it beats every tuned method"),
    ("O2", "its slowest mode is momentum near the best"),
    ("O3", "it clips large gradients"),
    ("O4", "it has a learning-rate schedule of its own"),
    ("O5", "it learns more slowly where gradients are large"),
    ("O6", "on problems of another kind it beats tuned Adam"),
    ("D1", "the meta-model emulates every network of the collection"),
    ("D2", "the map does not see the order of units"),
    ("D2a", "the map's clusters are what was trained"),
    ("D3", "the mean of a group is a working network"),
    ("D4", "a search over the map beats training a network further"),
    ("dimension", "the states' dimension is the one the counts predict"),
];

/// Terms of the field as tables, pages and messages use them.
pub const GLOSSARY: &[(&str, &str)] = &[
    (
        "bag of words",
        "Logistic regression on how often each word occurs in a document; it knows nothing of their order.",
    ),
    (
        "barcode",
        "What a modifier does, as a list of numbers: how the effect of each probe word on the readout changes after it.",
    ),
    (
        "bootstrap interval",
        "An interval from repeating a measurement on documents, points or networks that are drawn again with replacement.",
    ),
    (
        "certified",
        "Proved: with rounding errors bounded, a fixed point lies within the stated radius of the point that was found.",
    ),
    (
        "complex pair",
        "Two modes with conjugate eigenvalues: a state near the point turns as it decays.",
    ),
    ("deflection", "The step F(h, x) − h that a word x makes the state take from h."),
    (
        "distance from init",
        "Euclidean distance between a slow point and the initial state of its search; the column `moved`.",
    ),
    (
        "evidence",
        "Log odds of a word inside and outside the documents of a label, from counts alone, in nats.",
    ),
    ("fixed point", "A state that does not change while the input is held: F(h, x) = h."),
    (
        "gain",
        "How much more or less the next words count after a word: −2 turns good into as much of bad, +1 doubles it, 0 changes nothing.",
    ),
    (
        "initial state",
        "A visited state from which a search for fixed points starts; not the state in which a document begins.",
    ),
    (
        "input Jacobian",
        "The derivative of one step with respect to the input, J_inp = ∂F/∂x: how the state would take in any word.",
    ),
    (
        "joint search",
        "A search that moves all initial states at once and stops by the mean of their speeds.",
    ),
    ("linked settings", "Settings of an experiment that change together along one axis of a grid."),
    ("logits", "Outputs of the readout before they become probabilities or an answer."),
    (
        "Lyapunov exponent",
        "Mean logarithm of how much a small difference grows or shrinks at each token while documents are read.",
    ),
    (
        "mode",
        "An eigenvector of the Jacobian ∂F/∂h at a slow point with its eigenvalue λ: a direction, and how it grows, shrinks or turns at each step.",
    ),
    ("modifier", "A word that changes how the words after it are read, as *not* and *very* do."),
    (
        "null",
        "How large an effect is by chance: that of displacements whose components were shuffled among the words.",
    ),
    (
        "participation ratio",
        "A dimension, (Σ v)² / Σ v² over the variances v along principal components: d equal variances give d.",
    ),
    (
        "prediction",
        "Either the answer of a network for a document, or the dimension that word counts give without any network.",
    ),
    (
        "primary tolerance",
        "The one of several tolerances whose slow points the summary, figures and claims speak of.",
    ),
    ("probe word", "A word that is read after another one, to see what that one changed."),
    (
        "readout",
        "The linear map W h + b from the state to the logits; a row of W is a readout vector.",
    ),
    ("replicates", "Networks that differ by their seed alone."),
    (
        "selection vector",
        "The left eigenvector ℓ₁ of the slow mode: what a word adds to that mode is ℓ₁ᵀ J_inp (x − x*).",
    ),
    (
        "sequential search",
        "A search that follows each initial state by itself until its own speed is small enough.",
    ),
    (
        "slow manifold",
        "The line or surface to which states fall within a few steps and along which they drift slowly.",
    ),
    ("slow mode", "The mode with the longest time constant."),
    (
        "slow point",
        "A state whose speed is below a tolerance, so that it hardly moves while the input is held; a fixed point or near one.",
    ),
    (
        "speed",
        "q(h) = ½ Σ (F(h, x) − h)², half the squared length of one step with the input x held.",
    ),
    ("stable", "Said of a fixed point to which all states close to it return."),
    (
        "static input",
        "The input x* that is held while fixed points are sought: zero, a mean of words, or one word.",
    ),
    ("time constant", "τ = |1/ln|λ||: steps in which a mode shrinks or grows by a factor of e."),
    ("tolerance", "The speed below which a search counts a state as a slow point."),
    (
        "valence",
        "What a word adds to the score of a text: above zero for good words, below for bad ones.",
    ),
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
    for c in records::keys::KEYS {
        let _ = writeln!(text, "| `{}` | {} | {} |", c.name, c.kind, c.about.replace('|', "\\|"));
    }
    text.push_str("\n## Glossary\n\n| term | meaning |\n|---|---|\n");
    for (term, meaning) in GLOSSARY {
        let _ = writeln!(text, "| {term} | {} |", meaning.replace('|', "\\|"));
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
| `run.ron` | the whole resolved experiment, seed, program version, and one row a stage with its key, the keys of the stages it read, seconds, peak memory, device, and its files with size and SHA-256 |
| `model.safetensors` | weights under PyTorch's names, the make-up of the network in the metadata |
| `tokenizer.json` | the tokenizer in the Hugging Face format (text corpora) |
| `corpus.json` | corpus name, label names, notes |
| `tables/*.parquet` | every table below |
| `figures/*.svg` | every figure, drawn from a table |

The files are links to `reports/.store/`, where each stage lies once under its key: runs with the same corpus share it, and
a run that was stopped goes on from the last stage there. Copy them before you change them. `accrue prune` removes
what no run holds any more.

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
