//! Phrases, and what base models did on them.

use crate::{Error, Reads, Result, Rows};
use std::ops::Range;
use std::path::Path;

/// Inputs that all base models read.
#[derive(Clone, Debug, PartialEq)]
pub struct Phrases {
    /// One word a step; empty where vectors are read.
    tokens: Vec<u32>,
    /// A vector a step, end to end; empty where words are read.
    vectors: Vec<f32>,
    width: usize,
    /// First step of each phrase, and the end.
    starts: Vec<usize>,
}

impl Phrases {
    /// Phrases of words.
    ///
    /// # Errors
    /// [`Error::Shape`] for a phrase without words.
    pub fn of_words<'a>(phrases: impl IntoIterator<Item = &'a [u32]>) -> Result<Self> {
        let mut all = Self { tokens: Vec::new(), vectors: Vec::new(), width: 0, starts: vec![0] };
        for phrase in phrases {
            all.tokens.extend_from_slice(phrase);
            all.ends_at(all.tokens.len())?;
        }
        Ok(all)
    }

    /// Phrases of vectors of `width` numbers, each end to end.
    ///
    /// # Errors
    /// [`Error::Shape`] for one without vectors, or not of whole ones.
    pub fn of_vectors<'a>(
        width: usize,
        phrases: impl IntoIterator<Item = &'a [f32]>,
    ) -> Result<Self> {
        let mut all = Self { tokens: Vec::new(), vectors: Vec::new(), width, starts: vec![0] };
        for phrase in phrases {
            if width == 0 || !phrase.len().is_multiple_of(width) {
                return Err(Error::shape("a phrase", phrase.len(), format!("vectors of {width}")));
            }
            all.vectors.extend_from_slice(phrase);
            all.ends_at(all.vectors.len() / width)?;
        }
        Ok(all)
    }

    fn ends_at(&mut self, end: usize) -> Result<()> {
        if end == self.starts[self.starts.len() - 1] {
            return Err(Error::shape("a phrase", 0, "at least one step"));
        }
        self.starts.push(end);
        Ok(())
    }

    /// Phrases.
    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Steps of all phrases together.
    pub fn steps(&self) -> usize {
        self.starts[self.len()]
    }

    /// Steps of phrase `i`, as places among all steps.
    pub fn range(&self, i: usize) -> Range<usize> {
        self.starts[i]..self.starts[i + 1]
    }

    /// Steps of phrase `i`.
    pub fn length(&self, i: usize) -> usize {
        self.range(i).len()
    }

    /// The word at a step, where words are read.
    pub fn word(&self, step: usize) -> Option<u32> {
        self.tokens.get(step).copied()
    }

    /// Words of phrase `i`; none where vectors are read.
    pub fn words(&self, i: usize) -> &[u32] {
        match self.tokens.is_empty() {
            true => &[],
            false => &self.tokens[self.range(i)],
        }
    }

    /// The vector at a step; empty where words are read.
    pub fn vector(&self, step: usize) -> &[f32] {
        &self.vectors[step * self.width..][..self.width]
    }

    /// Some of them, one after the other.
    pub fn part(&self, phrases: Range<usize>) -> Self {
        let first = self.starts[phrases.start];
        let steps = first..self.starts[phrases.end];
        let of_steps = |width: usize| steps.start * width..steps.end * width;
        Self {
            tokens: self.tokens.get(steps.clone()).map_or_else(Vec::new, <[u32]>::to_vec),
            vectors: self.vectors.get(of_steps(self.width)).map_or_else(Vec::new, <[f32]>::to_vec),
            width: self.width,
            starts: self.starts[phrases.start..=phrases.end].iter().map(|s| s - first).collect(),
        }
    }

    /// Checks that a meta-model can read them.
    ///
    /// # Errors
    /// [`Error::Shape`] for vectors of another width or an unknown word.
    pub fn fit(&self, reads: Reads) -> Result<()> {
        match reads {
            Reads::Words(words) | Reads::Embedded(words, _) => {
                match self.tokens.iter().find(|t| **t as usize >= words) {
                    _ if self.tokens.is_empty() => Err(Error::shape("phrases", "vectors", "words")),
                    Some(t) => Err(Error::shape("word of a phrase", t, format!("below {words}"))),
                    None => Ok(()),
                }
            }
            Reads::Vectors(width) if width == self.width => Ok(()),
            Reads::Vectors(width) => Err(Error::shape("vectors of a phrase", self.width, width)),
        }
    }
}

/// What outputs are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// A distribution over classes a step; the divergence from it is minimised.
    Distribution,
    /// Numbers a step; the squared error as a share of their variance is minimised.
    Numbers,
}

/// Which steps' outputs are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Every step's.
    Every,
    /// The last one's, as where a label is known and nothing else.
    Last,
}

/// What one base model did on the phrases.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// Its name.
    pub name: String,
    /// Numbers of its state; 0 where states are not asked for.
    pub width: usize,
    /// `(h − mean) / √Var h`, `[steps, width]`, Var the sum of the units' variances.
    pub states: Rows,
    /// Mean of its states, `[width]`.
    pub mean: Vec<f64>,
    /// `Var h`.
    pub variance: f64,
    /// Probabilities or numbers, `[steps, outputs]`.
    pub outputs: Vec<f32>,
    /// What a squared error of outputs is multiplied by: one over their variance.
    pub weight: f64,
}

impl Recording {
    /// Of a base model's states `[steps, width]` and outputs `[steps, k]`: probabilities, or numbers.
    ///
    /// # Errors
    /// [`Error::NotFinite`] for states or outputs that are not finite, [`Error::Input`] for states that stand still.
    pub fn new(
        name: &str,
        width: usize,
        states: &[f32],
        k: usize,
        outputs: Vec<f32>,
    ) -> Result<Self> {
        let finite = |what: &str, x: &[f32]| match x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => Err(Error::NotFinite {
                what: format!("{what} of base model `{name}`"),
                place: format!("number {at}"),
                remedy: "leave it out of the collection, or train it again".into(),
            }),
        };
        finite("states", states)?;
        finite("outputs", &outputs)?;
        let (mean, variance) = moments(states, width);
        if width > 0 && !(variance > 0.0) {
            return Err(Error::input(
                format!("base model `{name}`"),
                "",
                "its state never moves on these phrases",
                "leave it out of the collection",
            ));
        }
        let scale = 1.0 / variance.sqrt();
        let standard = |(i, x): (usize, &f32)| ((f64::from(*x) - mean[i % width]) * scale) as f32;
        let (_, spread) = moments(&outputs, k);
        Ok(Self {
            name: name.into(),
            width,
            states: states.iter().enumerate().map(standard).collect::<Vec<_>>().into(),
            mean,
            variance,
            weight: if spread > 0.0 { 1.0 / spread } else { 1.0 },
            outputs,
        })
    }

    /// Of other phrases, in the units of this one: the same mean, variance and weight.
    pub fn on(&self, states: &[f32], outputs: Vec<f32>) -> Self {
        let scale = 1.0 / self.variance.sqrt();
        let standard =
            |(i, x): (usize, &f32)| ((f64::from(*x) - self.mean[i % self.width]) * scale) as f32;
        let states = states.iter().enumerate().map(standard).collect::<Vec<_>>().into();
        Self { states, outputs, ..self.named() }
    }

    /// Of some phrases one after the other, in the units of this one.
    ///
    /// * `of`: all phrases, as this was recorded
    pub fn part(&self, of: &Phrases, phrases: Range<usize>) -> Self {
        let steps = match phrases.is_empty() {
            true => 0..0,
            false => of.range(phrases.start).start..of.range(phrases.end - 1).end,
        };
        let k = self.outputs.len() / of.steps().max(1);
        let rows = |width: usize| steps.start * width..steps.end * width;
        Self {
            states: self.states.part(rows(self.width)),
            outputs: self.outputs[rows(k)].to_vec(),
            ..self.named()
        }
    }

    /// The same with its states in a file ([`Rows::stored`]).
    ///
    /// # Errors
    /// As [`Rows::stored`].
    pub fn stored(self, path: &Path) -> Result<Self> {
        Ok(Self { states: self.states.stored(path)?, ..self })
    }

    /// Name and units without steps.
    fn named(&self) -> Self {
        Self {
            name: self.name.clone(),
            width: self.width,
            states: Vec::new().into(),
            mean: self.mean.clone(),
            variance: self.variance,
            outputs: Vec::new(),
            weight: self.weight,
        }
    }

    /// A target that asks for outputs alone.
    pub fn of_outputs(name: &str, outputs: Vec<f32>) -> Self {
        Self {
            name: name.into(),
            width: 0,
            states: Vec::new().into(),
            mean: Vec::new(),
            variance: 0.0,
            outputs,
            weight: 1.0,
        }
    }
}

/// Mean of rows of `width` numbers, and the sum of the columns' variances.
fn moments(rows: &[f32], width: usize) -> (Vec<f64>, f64) {
    let mut mean = vec![0.0; width];
    if rows.is_empty() || width == 0 {
        return (mean, 0.0);
    }
    let count = (rows.len() / width) as f64;
    for row in rows.chunks_exact(width) {
        mean.iter_mut().zip(row).for_each(|(m, x)| *m += f64::from(*x) / count);
    }
    let of = |row: &[f32]| -> f64 {
        row.iter().zip(&mean).map(|(x, m)| (f64::from(*x) - m).powi(2)).sum()
    };
    let variance = rows.chunks_exact(width).map(of).sum::<f64>() / count;
    (mean, variance)
}

/// What a base model reads and says, for [`check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreement {
    /// Its name.
    pub name: String,
    /// Words it knows, in order; empty where it reads vectors.
    pub words: Vec<String>,
    /// Numbers of a vector; 0 where it reads words.
    pub inputs: usize,
    /// Numbers of an output.
    pub outputs: usize,
}

/// Checks that base models can share one meta-model.
///
/// # Errors
/// [`Error::Input`] naming the first that differs from the one before all, in what, and what must agree.
pub fn check(all: &[Agreement]) -> Result<()> {
    let Some((first, rest)) = all.split_first() else {
        return Err(Error::Usage(
            "a collection without base models; name folders of runs, or networks to train".into(),
        ));
    };
    let reads = |a: &Agreement| match a.words.is_empty() {
        true => format!("vectors of {}", a.inputs),
        false => format!("{} words", a.words.len()),
    };
    for other in rest {
        let refuse = |problem: String| {
            let remedy = "base models of one collection must agree in vocabulary (or inputs) and outputs; leave out those \
                          that differ";
            Err(Error::input(format!("base model `{}`", other.name), "", problem, remedy))
        };
        if reads(first) != reads(other) {
            let (a, b) = (reads(other), reads(first));
            return refuse(format!("it reads {a}, `{}` reads {b}", first.name));
        }
        if let Some(at) = (0..first.words.len()).find(|&i| first.words[i] != other.words[i]) {
            let (a, b) = (&other.words[at], &first.words[at]);
            let problem = format!("its word {at} is `{a}`, that of `{}` is `{b}`", first.name);
            let remedy = "base models of one collection must agree in vocabulary: networks that differ by `seed` read other documents, and so \
                          other words, unless `corpus.seed` is the same in all: set it, train again, or leave out those that differ";
            return Err(Error::input(format!("base model `{}`", other.name), "", problem, remedy));
        }
        if first.outputs != other.outputs {
            let (a, b) = (other.outputs, first.outputs);
            return refuse(format!("it has {a} outputs, `{}` has {b}", first.name));
        }
    }
    Ok(())
}
