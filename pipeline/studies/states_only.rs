//! A network without text: slow points, proofs and spectra from states that were given.
//!
//! Stages: states → fixed points → geometry → report, each as in [`text`](super::text),
//! without what needs documents or labels.

use super::text::{self, FixedPointProblem, Options};
use crate::experiment::Experiment;
use crate::geometry::{Moments, Pca, participation_ratio, varied};
use crate::model::{Foreign, Inputs, foreign};
use crate::report::{Summary, Table, page};
use crate::run::{Made, Run, StageRecord};
use crate::{Error, Result, notation};
use std::path::{Path, PathBuf};

/// Names of the stages, in order.
pub const STAGES: [&str; 4] = ["states", "fixed_points", "geometry", "report"];

/// Runs every stage that is not in place; returns the run's folder.
///
/// * `words`: names of the embedding's rows, for inputs held at a word; may be empty
///
/// # Errors
/// [`Error::Usage`] without weights or states; what the stages return.
pub fn run(experiment: &Experiment, words: &[String], options: Options) -> Result<PathBuf> {
    let (Some(weights), Some(given)) = (&experiment.weights, &experiment.states.given) else {
        let problem = "without a corpus, `weights` and `states.given` are needed";
        return Err(Error::Usage(problem.into()));
    };
    if let Some(unknown) = options.force.iter().find(|f| !STAGES.contains(&f.as_str())) {
        let hint = crate::nearest::hint(unknown, &STAGES);
        return Err(Error::Usage(format!("--force {unknown}: no such stage here; {hint}")));
    }
    let network = Foreign::read(weights)?;
    let mut experiment = experiment.clone();
    experiment.model = network.config(&experiment.model);
    let e = &experiment;
    let folder = options.out.join(&e.study).join(&e.name);
    let mut run = Run::open(&folder, e.clone(), options.force)?;
    let watch = options.watch;
    let sources = [given, &weights.file].map(|p| Ok::<_, Error>(crate::files::fingerprint(p)?.1));
    let sources: Vec<String> = sources.into_iter().collect::<Result<_>>()?;

    let stages = [
        text::stage("states", &(&e.states, &sources, weights), &[]),
        text::stage("fixed_points", &(&e.fixed_points, e.seed, words), &["states"]),
        text::stage("geometry", &e.fixed_points.headline.to_string(), &["states", "fixed_points"]),
        text::stage("report", &e.title, &["states", "fixed_points", "geometry"]),
    ];
    for part in &stages {
        watch.begin(part.name);
        let before = run.stages().to_vec();
        let ran = run.pass(part, |folder, _| match part.name {
            "states" => states(e, &network, given, folder),
            "fixed_points" => fixed_points(e, &network, words, folder),
            "geometry" => text::measure(e, &readout(&network).0, (&[], "output"), folder),
            _ => report(e, weights, folder, &before),
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        watch.passed(part.name, seconds.filter(|_| ran));
    }
    Ok(folder)
}

/// Weights and bias of the readout in f64; nothing where there is none.
fn readout(network: &Foreign) -> (Vec<f64>, Vec<f64>) {
    let wide = |x: &[f32]| x.iter().map(|&x| x as f64).collect();
    network.readout.as_ref().map_or((Vec::new(), Vec::new()), |r| (wide(&r.weights), wide(&r.bias)))
}

fn states(e: &Experiment, network: &Foreign, given: &Path, folder: &Path) -> Result<Made> {
    let read = foreign::read_states(given)?;
    let size = network.kind.state_size(network.units);
    let width = read.states[0].len();
    if width != size {
        let remedy = if size == 2 * network.units {
            "an LSTM's state is [h, c]: numpy.concatenate([h, c], axis=-1)"
        } else {
            "give states of this network, [n, units]"
        };
        let problem = format!("states of {width} numbers, the cell has {size}");
        return Err(Error::input(given.display(), "", problem, remedy));
    }
    let mut moments = Moments::new(size);
    read.states.iter().for_each(|s| moments.add(s));
    let pca = Pca::from_moments(&moments)?;
    let every = read.states.len().div_ceil(e.states.most).max(1);
    let kept: Vec<usize> = (0..read.states.len()).step_by(every).collect();
    let points: Vec<Vec<f64>> =
        kept.iter().map(|&i| text::padded(pca.coordinates(&read.states[i], 3))).collect();
    let table = Table::new("states")
        .u64("document", kept.iter().map(|i| i / read.walk))
        .u64("token", kept.iter().map(|i| i % read.walk))
        .text("label", kept.iter().map(|_| "given"))
        .f64("pc_1", points.iter().map(|p| p[0]))
        .f64("pc_2", points.iter().map(|p| p[1]))
        .f64("pc_3", points.iter().map(|p| p[2]))
        .lists("state", kept.iter().map(|&i| read.states[i].as_slice()));
    let files = [
        table.write(folder)?,
        text::axes(folder, &pca, None)?,
        text::write_taken(folder, network)?,
    ];
    let first_two: f64 = pca.ratios().iter().take(2).sum();
    Ok(Made::files(files)
        .with("dimension.states", participation_ratio(varied(&pca.variances)))
        .with("states.variance_2", first_two))
}

fn fixed_points(
    e: &Experiment,
    network: &Foreign,
    words: &[String],
    folder: &Path,
) -> Result<Made> {
    let rows = network.embedding.as_ref().map(|r| r.iter().map(|&x| x as f64).collect());
    let inputs = Inputs::new(network.inputs, rows);
    let held = e.fixed_points.inputs.iter();
    let problem = FixedPointProblem {
        settings: &e.fixed_points,
        seed: e.seed,
        cell: &network.cell(),
        inputs: held
            .map(|h| Ok((h.to_string(), h.vector(&inputs, words, None)?)))
            .collect::<Result<_>>()?,
        readout: readout(network),
    };
    text::find_fixed_points(&problem, folder)
}

fn report(
    e: &Experiment,
    weights: &foreign::Settings,
    folder: &Path,
    stages: &[StageRecord],
) -> Result<Made> {
    let mut summary = Summary::new();
    for (key, number) in stages.iter().flat_map(|s| &s.numbers) {
        summary.number(key, *number);
    }
    text::costs(&mut summary, stages, e.seed);
    let mut notes = text::assumed(weights)?;
    notes.push(
        "No corpus was given: no accuracy, no prediction and nothing about words; the input is \
         held at zero, or at the mean of all words."
            .into(),
    );
    let notes: Vec<(&str, String)> = notes.into_iter().map(|n| ("states", n)).collect();
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let network = text::describe(&e.model);
    let page = page::Page {
        title: &e.title,
        corpus: "a network alone",
        network: &network,
        labels: 0,
        lists: false,
        settings: &notation::to_ron(e),
        stages,
        assets: &text::assets(e),
        walk: None,
    };
    files.extend(page::write(folder, &page, &summary)?);
    Ok(Made::files(files))
}
