//! Which arrays say what the network says, and of what.

use super::case::{Case, leaf, prefix};
use super::cells::transposed;
use super::reading::{Reading, Shape};
use crate::whole::Norm;
use crate::{Error, Result};

/// An affine readout as it stands in the file.
pub struct Affine {
    pub name: String,
    pub bias_name: Option<String>,
    /// `[outputs, inputs]`.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub inputs: usize,
}

/// Where a norm acts.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Position {
    /// On what the readout reads.
    Readout,
    /// On the states of every token.
    States,
    /// On the vectors of words.
    Words,
}

/// A norm as it stands in the file.
struct Found {
    /// What its arrays' names begin with.
    before: String,
    names: Vec<String>,
    scale: Vec<f32>,
    shift: Vec<f32>,
    /// Running mean and variance: a batch norm.
    running: Option<(Vec<f32>, Vec<f32>)>,
    /// What its framework adds to a variance where nobody says otherwise.
    epsilon: f64,
}

/// What norms leave to be done.
#[derive(Default)]
pub struct Norms {
    /// A layer norm between states and readout.
    pub before_readout: Option<Norm>,
    pub roles: Vec<(String, &'static str)>,
    pub notes: Vec<String>,
}

impl Case<'_> {
    /// The readout; `None` where there is none, or none is wanted.
    pub fn affine(&self, shape: Shape, used: &dyn Fn(&str) -> bool) -> Result<Option<Affine>> {
        let wide = shape.units * shape.directions;
        let widths: Vec<usize> = (1..=3 * wide.max(shape.units * shape.layers * shape.directions))
            .filter(|w| w % shape.units == 0 && !Reading::all(shape, *w).is_empty())
            .collect();
        // Keras and Flax keep a dense layer as `kernel`, [inputs, outputs].
        let sides = |name: &str| -> Option<(usize, usize)> {
            match (self.shape(name), leaf(name)) {
                (&[inputs, outputs], "kernel") => Some((inputs, outputs)),
                (&[outputs, inputs], _) => Some((inputs, outputs)),
                _ => None,
            }
        };
        let fits = |name: &str| sides(name).is_some_and(|(i, _)| widths.contains(&i));
        let name = match self.settings.readout.as_deref() {
            Some("none") => return Ok(None),
            Some(name) if fits(&self.named(name)) => self.named(name),
            Some(name) => {
                return Err(self.refuse(
                    "",
                    format!("`{name}` is no matrix that reads {} units", shape.units),
                    &format!("one of: {}", self.listed(self.arrays.keys().map(String::as_str))),
                ));
            }
            None => {
                let names = self.arrays.keys().map(String::as_str);
                let found: Vec<&str> = names
                    .filter(|n| fits(n) && !used(n) && !Self::is_embedding_by_name(n))
                    .collect();
                match found.as_slice() {
                    [] => return Ok(None),
                    [one] => one.to_string(),
                    several => {
                        return Err(self.refuse(
                            "",
                            format!(
                                "more than one array could be the readout: {}",
                                self.listed(several.iter().copied())
                            ),
                            "name it (`--readout NAME`, or `none`)",
                        ));
                    }
                }
            }
        };
        let (inputs, outputs) = sides(&name).expect("a matrix was chosen");
        let next = self.arrays.keys().find(|n| {
            **n != name
                && !used(n)
                && leaf(n) == leaf(&name)
                && sides(n).is_some_and(|(i, _)| i == outputs)
        });
        if let (Some(next), None) = (next, &self.settings.readout) {
            return Err(self.refuse(
                "",
                format!("the readout seems to have two layers, `{name}` and `{next}`"),
                "only affine readouts are understood: `--readout NAME` takes one layer as the \
                 readout, `--readout none` leaves it out",
            ));
        }
        let numbers = &self.arrays[&name].1;
        let weights = match leaf(&name) {
            "kernel" => transposed(numbers, inputs, outputs),
            _ => numbers.clone(),
        };
        let bias_name = self.bias_beside(&name, outputs);
        let bias = match &bias_name {
            Some(name) => self.arrays[name].1.clone(),
            None => vec![0.0; outputs],
        };
        Ok(Some(Affine { name, bias_name, weights, bias, inputs }))
    }

    /// What the readout reads: as the settings say, or the one way that there is. What could be read in several ways is
    /// an error, but for as many numbers as there are units, which are usually the last state: `None`.
    pub fn reading(
        &self,
        shape: Shape,
        affine: &Affine,
        notes: &mut Vec<String>,
    ) -> Result<Option<Reading>> {
        let all = Reading::all(shape, affine.inputs);
        let names = |all: &[Reading]| {
            all.iter().map(|r| format!("`{}`", r.name)).collect::<Vec<_>>().join(", ")
        };
        let place = format!("array `{}`", affine.name);
        let of = match (shape.layers, shape.directions, shape.lstm) {
            (1, 1, true) => format!("an LSTM of {} units", shape.units),
            (1, 1, false) => format!("a cell of {} units", shape.units),
            (1, d, _) => format!("{d} directions of {} units", shape.units),
            (l, 1, _) => format!("{l} layers of {} units", shape.units),
            (l, d, _) => format!("{l} layers of {d} directions of {} units", shape.units),
        };
        if let Some(name) = &self.settings.reads {
            let known = Reading::of(name, shape).filter(|r| r.width(shape) == affine.inputs);
            return match known {
                Some(reading) => Ok(Some(reading)),
                None => {
                    let gives = match Reading::of(name, shape) {
                        Some(r) => format!("gives {} numbers", r.width(shape)),
                        None => "is no way of reading it".into(),
                    };
                    let problem = format!(
                        "{} numbers of {of}, and `{name}` {gives}; they can be {}",
                        affine.inputs,
                        names(&all)
                    );
                    Err(self.refuse(&place, problem, "say which (`--readout-reads WHAT`)"))
                }
            };
        }
        if affine.inputs == shape.units && shape.directions == 1 {
            notes.push(
                "the readout is taken to read the last state (`--readout-reads mean` or `max` for what \
                 was pooled over the words)"
                    .into(),
            );
            return Ok(None);
        }
        match all.as_slice() {
            [one] => Ok(Some(one.clone())),
            _ => Err(self.refuse(
                &place,
                format!(
                    "{} numbers of {of} can be read in several ways: {}",
                    affine.inputs,
                    names(&all)
                ),
                "say which (`--readout-reads WHAT`: h and c are the last state, last, mean and max are over \
                 the words; joined in the order of the readout's columns), or leave it out \
                 (`--readout none`, with `--states` in place of a corpus)",
            )),
        }
    }

    /// Finds norms, folds those that are affine in what they read into its neighbours, and returns the rest.
    ///
    /// * `affine`: the readout, into which a batch norm before it goes
    /// * `embedding`: rows of `inputs` numbers, into which a norm of words goes
    pub fn norms(
        &self,
        shape: Shape,
        inputs: usize,
        affine: Option<&mut Affine>,
        embedding: Option<&mut Vec<f32>>,
        used: &dyn Fn(&str) -> bool,
    ) -> Result<Norms> {
        let mut made = Norms::default();
        let (mut affine, mut embedding) = (affine, embedding);
        let mut taken: Vec<(Position, String)> = Vec::new();
        let wanted = self.settings.norm.as_deref();
        for found in self.find_norms(used) {
            let Some(position) =
                self.position(&found, shape, inputs, affine.as_deref(), embedding.is_some())?
            else {
                continue;
            };
            if let Some((_, other)) = taken.iter().find(|(p, _)| *p == position) {
                return Err(self.refuse(
                    "",
                    format!("two norms at one place, `{other}` and `{}`", found.before),
                    "say which stands where: `--norm PREFIX=readout`, `PREFIX=words` or `PREFIX=none`",
                ));
            }
            let epsilon = self.settings.norm_epsilon.unwrap_or(found.epsilon);
            let what = match &found.running {
                Some(_) => "batch norm",
                None => "layer norm",
            };
            let lower = found.before.to_lowercase();
            let of_a_batch = ["batchnorm", "batch_norm", "bn"].iter().any(|n| lower.contains(n));
            let other = ["group", "instance"].iter().any(|n| lower.contains(n));
            if found.running.is_none() && (of_a_batch || other) {
                let (problem, remedy) = match of_a_batch {
                    true => (
                        "a batch norm without its running mean and variance",
                        "save those too (Flax: `batch_stats` beside `params`), or leave it out (`--norm none`)",
                    ),
                    false => (
                        "a norm of a kind that is not understood",
                        "layer norms and batch norms are; `--norm none` leaves it out",
                    ),
                };
                let name = found.before.trim_end_matches(['.', '/']);
                return Err(self.refuse(&format!("`{name}`"), problem, remedy));
            }
            let (scale, shift) = found.affine(epsilon);
            let place = match (position, &mut affine, &mut embedding) {
                (Position::Words, _, Some(rows)) => {
                    for row in rows.chunks_exact_mut(inputs) {
                        if found.running.is_none() {
                            standardise(row, epsilon);
                        }
                        row.iter_mut()
                            .zip(&scale)
                            .zip(&shift)
                            .for_each(|((x, a), b)| *x = *x * a + b);
                    }
                    "was folded into the words' vectors"
                }
                (Position::Readout | Position::States, Some(affine), _)
                    if found.running.is_some() =>
                {
                    fold(affine, &scale, &shift);
                    "was folded into the readout"
                }
                (position, Some(_), _) => {
                    made.before_readout = Some(Norm {
                        epsilon,
                        stepwise: position == Position::States,
                        scale,
                        shift,
                    });
                    "stands between the states and the readout"
                }
                _ => continue,
            };
            let name = found.before.trim_end_matches(['.', '/']);
            let said = if wanted.is_some() {
                ""
            } else {
                "; `--norm none` where the network does not use it"
            };
            made.notes.push(format!(
                "`{name}`: {what}, {place}; ε = {epsilon:e} (`--norm-epsilon`, the file does not say){said}"
            ));
            made.roles.extend(found.names.iter().map(|name| (name.clone(), what)));
            taken.push((position, found.before));
        }
        Ok(made)
    }

    /// Where a norm acts, by the settings or by its size; `None`: nowhere.
    fn position(
        &self,
        found: &Found,
        shape: Shape,
        inputs: usize,
        affine: Option<&Affine>,
        embedding: bool,
    ) -> Result<Option<Position>> {
        let size = found.scale.len();
        let states = shape.units * shape.directions;
        let reads = affine.is_some_and(|a| a.inputs == size);
        let steps = affine.is_some() && !reads && size == states;
        let words = embedding && size == inputs;
        let name = found.before.trim_end_matches(['.', '/']);
        let own = self.settings.norm.iter().flat_map(|n| n.split(',')).find_map(|part| match part
            .trim()
            .split_once('=')
        {
            Some((prefix, position)) if prefix.trim_end_matches(['.', '/']) == name => {
                Some(position)
            }
            Some(_) => None,
            None => Some(part.trim()),
        });
        let misfit = |what: &str| {
            let problem = format!("a norm of {size} numbers, and {what}");
            Err(self.refuse(
                &format!("`{name}`"),
                problem,
                "leave `--norm` out, or say another place",
            ))
        };
        match own {
            Some("none") => Ok(None),
            Some("readout") if reads => Ok(Some(Position::Readout)),
            Some("readout") if steps => Ok(Some(Position::States)),
            Some("readout") => misfit("the readout reads another count"),
            Some("words") if words => Ok(Some(Position::Words)),
            Some("words") => misfit("words are vectors of another count"),
            Some(other) => Err(Error::Usage(format!(
                "--norm {other}: `readout`, `words` or `none`, or `PREFIX=` one of them"
            ))),
            None if (reads || steps) && words => Err(self.refuse(
                &format!("`{name}`"),
                format!(
                    "a norm of {size} numbers fits the words' vectors and what the readout reads"
                ),
                "say where it stands: `--norm words`, `--norm readout` or `--norm none`",
            )),
            None if reads => Ok(Some(Position::Readout)),
            None if steps => Ok(Some(Position::States)),
            None if words => Ok(Some(Position::Words)),
            None => Ok(None),
        }
    }

    /// Pairs of vectors beside each other that only a norm has.
    fn find_norms(&self, used: &dyn Fn(&str) -> bool) -> Vec<Found> {
        let pairs = [("weight", "bias", 1e-5), ("gamma", "beta", 1e-3), ("scale", "bias", 1e-6)];
        let mut all = Vec::new();
        for name in self.arrays.keys().filter(|n| !used(n)) {
            let Some(&(_, shift, epsilon)) = pairs.iter().find(|(scale, ..)| leaf(name) == *scale)
            else {
                continue;
            };
            let before = prefix(name);
            let shift = format!("{before}{shift}");
            let &[size] = self.shape(name) else { continue };
            if self.shape(&shift) != [size] || used(&shift) {
                continue;
            }
            let beside = |leaves: [&str; 2], before: &str| {
                let names = leaves.map(|leaf| format!("{before}{leaf}"));
                names.iter().all(|n| self.shape(n) == [size]).then_some(names)
            };
            // Flax keeps running means in a tree of their own.
            let stats = before.replacen("params", "batch_stats", 1);
            let running = beside(["running_mean", "running_var"], before)
                .or_else(|| beside(["moving_mean", "moving_variance"], before))
                .or_else(|| beside(["mean", "var"], before))
                .or_else(|| beside(["mean", "var"], &stats));
            let numbers = |name: &str| self.arrays[name].1.clone();
            let mut names = vec![name.clone(), shift.clone()];
            names.extend(running.iter().flatten().cloned());
            // A batch norm of Flax adds more than its layer norm.
            let epsilon = if leaf(name) == "scale" && running.is_some() { 1e-5 } else { epsilon };
            all.push(Found {
                before: before.into(),
                names,
                scale: numbers(name),
                shift: numbers(&shift),
                running: running.map(|[mean, var]| (numbers(&mean), numbers(&var))),
                epsilon,
            });
        }
        all
    }
}

impl Found {
    /// Scale and shift; of a batch norm with its running mean and variance:
    /// `γ/√(σ² + ε)` and `β − γ μ/√(σ² + ε)` (arXiv:1502.03167).
    fn affine(&self, epsilon: f64) -> (Vec<f32>, Vec<f32>) {
        let Some((mean, var)) = &self.running else {
            return (self.scale.clone(), self.shift.clone());
        };
        let scale: Vec<f64> = self
            .scale
            .iter()
            .zip(var)
            .map(|(scale, var)| *scale as f64 / (*var as f64 + epsilon).sqrt())
            .collect();
        let shift = self.shift.iter().zip(mean).zip(&scale);
        let shift =
            shift.map(|((shift, mean), scale)| (*shift as f64 - *mean as f64 * scale) as f32);
        (scale.iter().map(|&x| x as f32).collect(), shift.collect())
    }
}

/// `(z − μ)/√(σ² + ε)`.
fn standardise(z: &mut [f32], epsilon: f64) {
    let n = z.len() as f64;
    let mean = z.iter().map(|&x| x as f64).sum::<f64>() / n;
    let spread = (z.iter().map(|&x| (x as f64 - mean).powi(2)).sum::<f64>() / n + epsilon).sqrt();
    z.iter_mut().for_each(|x| *x = ((*x as f64 - mean) / spread) as f32);
}

/// `W (a ⊙ z + b) + c = (W diag a) z + (c + W b)`; vectors shorter than `z` are those of each of its parts.
fn fold(affine: &mut Affine, scale: &[f32], shift: &[f32]) {
    for (row, bias) in affine.weights.chunks_exact_mut(affine.inputs).zip(&mut affine.bias) {
        let mut sum = *bias as f64;
        for (i, w) in row.iter_mut().enumerate() {
            sum += *w as f64 * shift[i % shift.len()] as f64;
            *w *= scale[i % scale.len()];
        }
        *bias = sum as f32;
    }
}
