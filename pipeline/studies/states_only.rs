//! A network without text: slow points, proofs and spectra from states that were given.
//!
//! Stages: states → fixed points → transitions → curves → geometry → report, each as in [`text`],
//! without what needs documents or labels.

use super::curves;
use super::text::{self, FixedPointProblem, Options};
use super::transitions::Flow;
use crate::analyses::flow::signs;
use crate::engine::{Context, Run, StageOutput, StageRecord};
use crate::experiment::{Experiment, StatesOrder};
use crate::geometry::{Moments, Pca, participation_ratio, varied};
use crate::model::{Foreign, Inputs, foreign};
use crate::ops::{CellKind, Nonlinearity, cuda};
use crate::records::{self, column, keys};
use crate::report::{Summary, page, plot};
use crate::{Error, Result, notation};
use std::path::{Path, PathBuf};

/// Names of the stages, in order.
pub const STAGES: [&str; 6] =
    ["states", "fixed_points", "transitions", "curves", "geometry", "report"];

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
    let Options { out, force, watch, .. } = options;
    let sources = [given, &weights.file].map(|p| Ok::<_, Error>(crate::files::fingerprint(p)?.1));
    let sources: Vec<String> = sources.into_iter().collect::<Result<_>>()?;
    let stages = vec![
        text::stage("states", &(&e.states, &sources, weights), &[]),
        text::stage(
            "fixed_points",
            &(text::points_part(&e.fixed_points, e.seed)?, words),
            &["states"],
        ),
        text::stage("transitions", &(&e.transitions, e.seed), &["states", "fixed_points"]),
        text::stage("curves", &e.curves, &["states", "fixed_points"]),
        text::stage("geometry", &e.fixed_points.primary.to_string(), &["states", "fixed_points"]),
        text::stage("report", e, &STAGES[..STAGES.len() - 1]),
    ];
    let device = cuda::current_name();
    let context = Context { out, study: &e.study, name: &e.name, force, device: &device };
    let mut run = Run::open(context, e.clone(), stages)?;
    watch.left(run.left());
    for name in STAGES {
        watch.begin(name);
        let ran = run.pass(name, |workspace, rows| {
            let folder = workspace.folder();
            match name {
                "states" => states(e, &network, given, folder),
                "fixed_points" | "transitions" | "curves" => {
                    let states = given_states(e, &network, given)?.states;
                    points(e, &network, (words, &states), (name, folder))
                }
                "geometry" => {
                    let readout =
                        network.readout_of_states(&given_states(e, &network, given)?.states);
                    text::measure(&readout.0, (&[], "output"), folder)
                }
                _ => report(e, weights, folder, rows),
            }
        })?;
        let seconds = run.stages().last().map(|s| s.seconds);
        watch.passed(name, seconds.filter(|_| ran));
    }
    plot::place(&out.join("assets"))?;
    Ok(run.folder().to_path_buf())
}

/// The states that were given, `[h; c]` for an LSTM.
///
/// `h` of every cell but a rectified or linear one is a mean of numbers between −1 and 1, and an LSTM's `h = o tanh c`
/// is never beyond `tanh c`: what is, was not visited, or stands in another order.
fn given_states(e: &Experiment, network: &Foreign, given: &Path) -> Result<foreign::States> {
    let mut read = foreign::read_states(given)?;
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
    let n = network.units;
    if e.states.order == StatesOrder::Ch {
        if size == n {
            let problem = "--states-order ch: only an LSTM's state has two parts";
            return Err(Error::Usage(problem.into()));
        }
        read.states.iter_mut().for_each(|state| state.rotate_left(n));
    }
    // An LSTM's `h = o tanh c` is bounded whatever its candidate.
    let bounded = (network.kind.nonlinearity() == Nonlinearity::Tanh
        || network.kind.architecture() == CellKind::Lstm)
        && network.initial.as_ref().is_none_or(|h| h.iter().all(|x| x.abs() <= 1.0));
    let Some((row, unit)) = impossible(&read.states, n).filter(|_| bounded) else {
        return Ok(read);
    };
    let state = &read.states[row];
    let problem = match size > n {
        true => format!(
            "h of unit {unit} is {} where c is {}, and h = o tanh c has the sign of c and is never beyond tanh c",
            state[unit],
            state[unit + n]
        ),
        false => format!(
            "unit {unit} is {}, and a {:?}'s state stays between −1 and 1",
            state[unit], network.kind
        ),
    };
    let turned: Vec<Vec<f64>> =
        read.states.iter().map(|s| [&s[n..], &s[..n]].concat()).filter(|_| size > n).collect();
    let remedy = match (!turned.is_empty() && impossible(&turned, n).is_none(), e.states.order) {
        (true, StatesOrder::Hc) => "the order is [c, h], it seems: `--states-order ch`",
        (true, StatesOrder::Ch) => "the order is [h, c], it seems: leave `--states-order` out",
        _ => "give states that this network visited, before any norm or readout",
    };
    Err(Error::input(given.display(), format!("row {row}"), problem, remedy))
}

/// Row and unit of the first state that no cell of this kind comes to.
fn impossible(states: &[Vec<f64>], n: usize) -> Option<(usize, usize)> {
    // Half precision keeps three digits.
    let beyond = |state: &[f64], i: usize| match state.len() > n {
        true => {
            let (h, most) = (state[i], state[i + n].tanh());
            h > most.max(0.0) + 2e-3 || h < most.min(0.0) - 2e-3
        }
        false => state[i].abs() > 1.0 + 2e-3,
    };
    states.iter().enumerate().find_map(|(row, s)| Some((row, (0..n).find(|&i| beyond(s, i))?)))
}

fn states(e: &Experiment, network: &Foreign, given: &Path, folder: &Path) -> Result<StageOutput> {
    let read = given_states(e, network, given)?;
    let size = network.kind.state_size(network.units);
    let mut moments = Moments::new(size);
    read.states.iter().for_each(|s| moments.add(s));
    let pca = Pca::from_moments(&moments)?;
    let every = read.states.len().div_ceil(e.states.most).max(1);
    let kept: Vec<usize> = (0..read.states.len()).step_by(every).collect();
    let points: Vec<Vec<f64>> =
        kept.iter().map(|&i| text::padded(pca.coordinates(&read.states[i], 3))).collect();
    let table = records::States {
        document: column(kept.iter().map(|i| i / read.walk)),
        token: column(kept.iter().map(|i| i % read.walk)),
        length: None,
        word: None,
        label: column(kept.iter().map(|_| "given")),
        predicted: None,
        pc_1: column(points.iter().map(|p| p[0])),
        pc_2: column(points.iter().map(|p| p[1])),
        pc_3: column(points.iter().map(|p| p[2])),
        readout: None,
        state: column(kept.iter().map(|&i| read.states[i].as_slice())),
    };
    let files = [
        table.write(folder)?,
        text::axes(folder, &pca, None)?,
        text::write_taken(folder, network)?,
    ];
    let first_two: f64 = pca.ratios().iter().take(2).sum();
    Ok(StageOutput::files(files)
        .with(keys::DIMENSION_STATES, participation_ratio(varied(&pca.variances)))
        .with(keys::STATES_VARIANCE_2, first_two))
}

/// Fixed points, what leads where between them, and how they move with the input.
fn points(
    e: &Experiment,
    network: &Foreign,
    (words, states): (&[String], &[Vec<f64>]),
    (stage, folder): (&str, &Path),
) -> Result<StageOutput> {
    // What a layer above others reads are states, and no words.
    let own = network.whole.as_ref().is_none_or(|w| w.reads_words());
    let rows = network.embedding.as_ref().filter(|_| own);
    let rows = rows.map(|r| r.iter().map(|&x| x as f64).collect());
    let inputs = Inputs::new(network.inputs, rows);
    let held = e.fixed_points.inputs.iter();
    let problem = FixedPointProblem {
        settings: &e.fixed_points,
        seed: e.seed,
        cell: &network.cell(),
        inputs: text::apart(
            held.map(|h| Ok((h.to_string(), h.vector(&inputs, words, None)?)))
                .collect::<Result<_>>()?,
        )?,
        readout: network.readout_of_states(states),
    };
    match stage {
        "fixed_points" => text::find_fixed_points(&problem, folder),
        "transitions" => {
            Flow { problem: &problem, settings: &e.transitions, label: &signs }.write(folder)
        }
        _ => curves::write(&problem, &e.curves, folder),
    }
}

fn report(
    e: &Experiment,
    weights: &foreign::Settings,
    folder: &Path,
    stages: &[StageRecord],
) -> Result<StageOutput> {
    let mut summary = Summary::of(stages);
    text::costs(&mut summary, stages, e.seed);
    let mut notes = text::assumed(weights)?;
    let held: Vec<String> = e.fixed_points.inputs.iter().map(ToString::to_string).collect();
    notes.push(format!(
        "No corpus was given: no accuracy, no prediction and nothing about words; the input is held at {}.",
        held.join(", ")
    ));
    let mut notes: Vec<(&str, String)> = notes.into_iter().map(|n| ("states", n)).collect();
    notes.extend(curves::left_out(&e.curves, e.fixed_points.finder.smallest(), folder)?);
    let mut files = vec![text::write_notes(folder, &notes)?, summary.write(folder)?];
    let network = text::describe(&e.model);
    let page = page::Page {
        title: &e.title,
        corpus: "a network alone",
        network: &network,
        reads: page::Reads::Given,
        labels: 0,
        lists: false,
        settings: &notation::to_ron(e),
        stages,
        assets: &text::assets(&e.study, &e.name),
        walk: None,
    };
    files.extend(page::write(folder, &page, &summary)?);
    Ok(StageOutput::files(files))
}
