//! Corpora drawn from processes whose structure is known.
//!
//! Every generator of Aitken et al. (2021, arXiv:2010.15114; `synthetic_data.py` in
//! kaitken17/colab_based_projects), the toy language of Maheswaranathan & Sussillo (2020,
//! arXiv:2004.08013), and words of known valence as a substitute for film reviews. Token 0 is
//! always the neutral word.

mod counts;
mod labels;
mod toy;
mod valence;
mod words;

pub use labels::{Rule, correlate, rule};
pub use toy::{TOY_VALUES, TOY_WORDS, running_score};
pub use valence::valences;
pub use words::{Lexicon, lexicon};

use crate::seed::{self, Stream};
use crate::{Corpus, Documents, Labels, Split};
use crate::{Error, Result, setting};
use rand::Rng;
use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

/// Most tokens of a corpus: 4 GB.
const MOST_TOKENS: usize = 1_000_000_000;
/// Phrases drawn for each phrase kept, on average, before balancing gives up.
const DRAWS_PER_PHRASE: usize = 5_000;

/// Settings of a synthetic corpus; the default is three unordered classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Which process.
    pub kind: Kind,
    /// Tokens of a phrase, `L`; 50 in the papers.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub length: usize,
    /// Shortest phrase; lengths are uniform from here up to, not including,
    /// `length`. `None`: all phrases have `length` tokens.
    #[serde(deserialize_with = "setting::optional::<_, 1, 100000>")]
    pub shortest: Option<usize>,
    /// Phrases to learn from.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub train: usize,
    /// Phrases that choose when to stop.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub validation: usize,
    /// Phrases on which accuracy is measured and states are looked at.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub test: usize,
    /// The same number of phrases of every class, by rejection.
    pub balanced: bool,
    /// Toy language: the first so many tokens count double.
    #[serde(deserialize_with = "setting::count", skip_serializing_if = "setting::is_zero")]
    pub beginning: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: Kind::Unordered(Unordered::default()),
            length: 50,
            shortest: None,
            train: 24_000,
            validation: 1_200,
            test: 1_200,
            balanced: true,
            beginning: 0,
        }
    }
}

/// Which process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// One evidence word a class, and the neutral one.
    Unordered(Unordered),
    /// Words that move one score, cut into classes.
    Ordered(Ordered),
    /// Words that move a sentiment and a neutrality, five classes.
    TwoScores(TwoScores),
    /// Independent yes-or-no labels.
    Labels(LabelCount),
    /// Modifiers and valence words with a running score.
    Toy,
    /// 40 words, 20 of them with a valence; the sign of the sum.
    Valence,
}

/// Unordered classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Unordered {
    /// Number of classes `N`.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub classes: usize,
    /// Every token uniform over the vocabulary, instead of count vectors
    /// uniform over all that fit into the phrase.
    pub independent: bool,
    /// Words of weight +2, −1 and −2 for each class besides the +1 word.
    pub extra_words: bool,
    /// Pairs of classes `(i, j, c)` that share evidence: at `c = 1` they are
    /// interchangeable and a coin decides.
    pub correlated: Vec<(usize, usize, f64)>,
    /// What the label does with evidence for several classes.
    pub between: Between,
}

impl Default for Unordered {
    fn default() -> Self {
        Self {
            classes: 3,
            independent: false,
            extra_words: false,
            correlated: Vec::new(),
            between: Between::Argmax,
        }
    }
}

/// Interpolations between unordered and ordered classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Between {
    /// The class with most evidence; ties to the lowest.
    #[default]
    Argmax,
    /// Three classes; class 1 is in the middle where classes 0 and 2 nearly
    /// balance (`eps2`), five classes likewise (`eps5`).
    Order(f64),
    /// Three classes; simultaneous evidence for 0 and 2 above `L/2 − m` counts for 1.
    Filter(usize),
}

/// Ordered classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ordered {
    /// Number of classes `N`.
    #[serde(deserialize_with = "setting::whole::<_, 2, 1000>")]
    pub classes: usize,
    /// Two strengths (good 1, awesome 2) instead of one.
    pub five_words: bool,
    /// Every token uniform over the vocabulary, with that variant's own
    /// thresholds (2, 3 or 5 classes), instead of a uniform score.
    pub independent: bool,
    /// Adds "not" (inverts the next three words) and "extremely" (doubles the
    /// next); independent tokens only.
    pub context_words: bool,
}

impl Default for Ordered {
    fn default() -> Self {
        Self { classes: 3, five_words: false, independent: false, context_words: false }
    }
}

/// Two scores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TwoScores {
    /// "good" counts (2, 1) instead of (1, ½).
    pub strong_good: bool,
}

/// Independent labels.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LabelCount {
    /// Number of labels `K`.
    #[serde(deserialize_with = "setting::whole::<_, 1, 16>")]
    pub labels: usize,
}

impl Default for LabelCount {
    fn default() -> Self {
        Self { labels: 2 }
    }
}

/// Draws a corpus; the splits come from streams of their own.
///
/// # Errors
/// [`Error::Usage`] for settings that contradict each other, or if a class is
/// so rare that balancing cannot fill it.
pub fn generate(settings: &Settings, seed: u64) -> Result<Corpus> {
    check(settings)?;
    let lexicon = lexicon(&settings.kind, seed);
    let source = counts::Source::new(settings, &lexicon);
    let split = |name: &str, size: usize| {
        let mut stream = seed::stream(seed, &format!("synthetic/{name}"));
        draw(settings, &lexicon, &source, size, &mut stream)
    };
    Ok(Corpus {
        name: name(settings),
        train: split("train", settings.train)?,
        validation: split("validation", settings.validation)?,
        test: split("test", settings.test)?,
        words: lexicon.words,
        label_names: label_names(&settings.kind),
        notes: Vec::new(),
    })
}

/// Names of the classes or labels.
pub fn label_names(kind: &Kind) -> Vec<String> {
    let numbered = |word: &str, n: usize| (0..n).map(|i| format!("{word} {i}")).collect();
    let named = |names: &[&str]| names.iter().map(|n| n.to_string()).collect();
    match kind {
        Kind::Unordered(u) => numbered("class", u.classes),
        Kind::Ordered(o) => match o.classes {
            2 => named(&["bad", "good"]),
            3 => named(&["bad", "neutral", "good"]),
            5 => named(&["one", "two", "three", "four", "five"]),
            n => numbered("level", n),
        },
        Kind::TwoScores(_) => named(&["one", "two", "three", "four", "five"]),
        Kind::Labels(l) => numbered("label", l.labels),
        Kind::Toy => Vec::new(),
        Kind::Valence => named(&["negative", "positive"]),
    }
}

/// Name for people.
fn name(settings: &Settings) -> String {
    let length = settings.length;
    match &settings.kind {
        Kind::Unordered(u) => format!("synthetic: {} unordered classes, L = {length}", u.classes),
        Kind::Ordered(o) => {
            let words = if o.five_words { 5 } else { 3 };
            format!("synthetic: {} ordered classes, {words} words, L = {length}", o.classes)
        }
        Kind::TwoScores(_) => format!("synthetic: two scores, five classes, L = {length}"),
        Kind::Labels(l) => format!("synthetic: {} independent labels, L = {length}", l.labels),
        Kind::Toy if settings.beginning > 0 => {
            format!("toy language, L = {length}, the first {} count double", settings.beginning)
        }
        Kind::Toy => format!("toy language, L = {length}"),
        Kind::Valence => format!("synthetic: words of known valence, L = {length}"),
    }
}

fn check(settings: &Settings) -> Result<()> {
    let refuse = |problem: &str| Err(Error::Usage(format!("corpus.source: {problem}")));
    let phrases = settings.train + settings.validation + settings.test;
    if phrases.saturating_mul(settings.length) > MOST_TOKENS {
        return refuse(&format!(
            "{phrases} phrases of {} tokens are more than {MOST_TOKENS} tokens; lower `train` or `length`",
            settings.length
        ));
    }
    if settings.shortest.is_some_and(|s| s == 0 || s >= settings.length) {
        return refuse("`shortest` must be at least 1 and below `length`");
    }
    match &settings.kind {
        Kind::Ordered(o) => {
            if o.five_words && !o.independent && settings.length > 80 {
                return refuse(
                    "count vectors of five words are listed exhaustively: `length` at most 80",
                );
            }
            if !o.independent && !o.five_words && settings.length % 2 == 1 {
                return refuse("three ordered words fill phrases in pairs: `length` must be even");
            }
            if !o.independent && settings.shortest.is_some() {
                return refuse(
                    "`shortest` needs independent tokens here: scores are cut by length",
                );
            }
            if o.independent && !matches!(o.classes, 2 | 3 | 5) {
                return refuse("independent ordered tokens have thresholds for 2, 3 or 5 classes");
            }
            if o.context_words && !o.independent {
                return refuse("`context_words` needs `independent: true`");
            }
        }
        Kind::TwoScores(_) if settings.length > 40 => {
            return refuse("two scores are listed exhaustively: `length` at most 40");
        }
        Kind::Unordered(u) => {
            if u.correlated.iter().any(|&(i, j, _)| i >= u.classes || j >= u.classes || i == j) {
                return refuse("`correlated` names two different classes below `classes`");
            }
            let fits = match u.between {
                Between::Argmax => true,
                Between::Order(_) => matches!(u.classes, 3 | 5),
                Between::Filter(_) => u.classes == 3,
            };
            if !fits {
                return refuse("`Order` is defined for 3 and 5 classes, `Filter` for 3");
            }
        }
        kind if settings.beginning > 0 && *kind != Kind::Toy => {
            return refuse("`beginning` is a setting of the toy language");
        }
        _ => {}
    }
    Ok(())
}

/// Draws `size` phrases.
fn draw(
    settings: &Settings,
    lexicon: &Lexicon,
    source: &counts::Source,
    size: usize,
    stream: &mut Stream,
) -> Result<Split> {
    if settings.kind == Kind::Toy {
        return Ok(toy::draw((settings.length, settings.beginning), size, stream));
    }
    let rule = rule(&settings.kind);
    let classes = rule.combinations();
    // Exactly floor(size / classes) a class, as the papers; without balance, `size` in all.
    let quota = if settings.balanced { size / classes } else { size };
    let wanted = if settings.balanced { quota * classes } else { size };
    if wanted == 0 {
        return Err(Error::Usage(format!(
            "corpus.source: {size} phrases cannot hold one of each of {classes} classes"
        )));
    }
    let mut filled = vec![0; classes];
    let mut phrases: Vec<(Vec<u32>, usize)> = Vec::with_capacity(wanted);
    let mut draws = 0;
    while phrases.len() < wanted {
        draws += 1;
        if draws > DRAWS_PER_PHRASE * wanted.max(100) {
            let rare = filled.iter().position(|&f| f < quota).expect("a class is not full");
            return Err(Error::Usage(format!(
                "corpus.source: class {rare} is too rare to balance ({} of {quota} phrases after \
                 {draws} draws); set `balanced: false` or change `length`",
                filled[rare]
            )));
        }
        let length = match settings.shortest {
            Some(shortest) => stream.random_range(shortest..settings.length),
            None => settings.length,
        };
        let phrase = source.phrase(length, stream);
        let class = rule.class(&phrase, lexicon, stream);
        if settings.balanced {
            if filled[class] == quota {
                continue;
            }
            filled[class] += 1;
        }
        phrases.push((phrase, class));
    }
    // Drawn until every class is full, a balanced set ends with its rarest class.
    phrases.shuffle(stream);
    let documents: Documents = phrases.iter().map(|(phrase, _)| &phrase[..]).collect();
    let classes = phrases.iter().map(|&(_, class)| class);
    let labels = match &settings.kind {
        Kind::Labels(l) => Labels::Multi {
            labels: l.labels,
            flags: classes.flat_map(|c| (0..l.labels).map(move |k| c >> k & 1 == 1)).collect(),
        },
        _ => Labels::Class(classes.map(|c| c as u32).collect()),
    };
    Ok(Split { documents, labels })
}
