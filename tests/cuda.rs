//! The card against the equations: the same cases, the same tolerances as on the processor.
//!
//! `make check-cuda` compiles this everywhere; without a card the tests say so and pass over.

use crate::ops::{CELLS, Case, rounding};
use crate::train::corpus;
use accrue::corpus::Corpus;
use accrue::model::{Config, HeadChoice, Network};
use accrue::ops::cuda::{self, Precision, Way};
use accrue::ops::{CellKind, Nonlinearity, Pool};
use accrue::train::{self, Fit, Penalty, Settings};
use candle_core::Device;
use std::path::Path;
use std::sync::OnceLock;

/// The first card, or none, loudly.
pub fn card() -> Option<Device> {
    static THERE: OnceLock<bool> = OnceLock::new();
    match cuda::device("cuda") {
        Ok(device) => {
            THERE.get_or_init(|| true);
            Some(device)
        }
        // A card that is lost on the way was broken by what ran on it.
        Err(e) => {
            assert!(!THERE.get_or_init(|| false), "the card was there before: {e}");
            println!("SKIPPED: {e}");
            None
        }
    }
}

const EXACT: [Way; 3] = [Way::Naive, Way::Fast, Way::Global];
const ROUNDED: [Way; 2] = [Way::Rounded(Precision::Tf32), Way::Rounded(Precision::Bf16)];

#[test]
fn every_cell_pool_and_way_on_the_card_equals_its_equation() {
    every_cell(&EXACT);
}

#[test]
fn every_cell_and_pool_with_rounded_operands_equals_its_equation() {
    every_cell(&ROUNDED);
}

fn every_cell(ways: &[Way]) {
    let Some(card) = card() else { return };
    for kind in CELLS {
        for &way in ways {
            // A ReLU near 0 takes the other side when its operands are rounded: no tolerance bridges that.
            if kind.nonlinearity() == Nonlinearity::Relu && matches!(way, Way::Rounded(_)) {
                continue;
            }
            for pool in [Pool::Last, Pool::Mean, Pool::Every] {
                for one_hot in [false, true] {
                    Case::new(kind, pool, 21, 5, &[3, 9, 1, 9, 6], one_hot, 1).check_on(&card, way);
                }
            }
            Case::new(kind, Pool::Last, 1, 1, &[1], false, 3).check_on(&card, way);
            let lengths: Vec<usize> = (0..75).map(|i| 1 + (i * 5) % 7).collect();
            Case::new(kind, Pool::Last, 50, 19, &lengths, false, 2).check_on(&card, way);
        }
    }
}

/// Every cut of the weights: groups of one block to groups too large for a cluster.
#[test]
fn wide_cells_on_the_card_equal_their_equations() {
    wide_cells(&[Way::Fast]);
}

#[test]
fn wide_cells_with_rounded_operands_equal_their_equations() {
    wide_cells(&ROUNDED);
}

fn wide_cells(ways: &[Way]) {
    let Some(card) = card() else { return };
    for (units, lengths) in [
        (64, vec![7, 3, 5, 1, 2]),
        (200, vec![4, 4, 2]),
        (256, vec![5; 9]),
        (300, vec![3, 1]),
        (512, vec![2, 3]),
    ] {
        let gated = CELLS.into_iter().filter(|kind| kind.gates() > 1);
        let rounds = |way: &Way| matches!(way, Way::Rounded(_));
        for kind in gated
            .filter(|kind| kind.nonlinearity() == Nonlinearity::Tanh || !ways.iter().any(rounds))
        {
            let case = Case::new(kind, Pool::Mean, units, 9, &lengths, false, 7);
            ways.iter().for_each(|&way| case.check_on(&card, way));
        }
    }
    let widest = Case::new(CellKind::Gru, Pool::Last, 1100, 5, &[2, 1], false, 7);
    ways.iter().for_each(|&way| widest.check_on(&card, way));
}

/// `‖found − exact‖ / ‖exact‖` of the states and of all gradients.
fn errors(case: &Case, card: &Device, way: Way) -> [f64; 2] {
    let (states, gradients) = case.outcome_on(Some((card, way)));
    let (exact_states, exact_gradients) = case.outcome_on(None);
    [apart(&states, &exact_states), apart(&gradients.concat(), &exact_gradients.concat())]
}

fn apart(found: &[f64], exact: &[f64]) -> f64 {
    let of = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    of(&mut found.iter().zip(exact).map(|(x, y)| x - y)) / of(&mut exact.iter().copied())
}

/// What a document of 100 tokens is off by, states and gradients, at each precision.
#[test]
fn rounded_operands_cost_what_their_rounding_says() {
    let Some(card) = card() else { return };
    let lengths: Vec<usize> = (0..24).map(|i| 100 - 3 * i).collect();
    for kind in [CellKind::Ugrnn, CellKind::Gru, CellKind::Lstm] {
        let case = Case::new(kind, Pool::Mean, 128, 32, &lengths, false, 11);
        for precision in [Precision::F32, Precision::Tf32, Precision::Bf16] {
            let [states, gradients] = errors(&case, &card, precision.into());
            println!(
                "{kind:?} {precision:?}: states off by {states:.1e}, gradients by {gradients:.1e}"
            );
            if precision != Precision::F32 {
                let rounding = rounding(precision);
                assert!(states < 8.0 * rounding, "{kind:?} {precision:?}");
                assert!(gradients < 16.0 * rounding, "{kind:?} {precision:?}");
                assert!(
                    states > rounding / 50.0,
                    "{kind:?} {precision:?}: {states:e}, nothing was rounded"
                );
            }
        }
    }
}

#[test]
fn two_runs_on_the_card_have_equal_bits() {
    let Some(card) = card() else { return };
    let lengths: Vec<usize> = (0..90).map(|i| 1 + (i * 13) % 29).collect();
    for kind in CELLS {
        let case = Case::new(kind, Pool::Mean, 96, 16, &lengths, false, 5);
        for way in EXACT.into_iter().chain(ROUNDED) {
            let first = case.outcome_on(Some((&card, way)));
            assert!(
                (0..3).all(|_| first == case.outcome_on(Some((&card, way)))),
                "{kind:?} {way:?}"
            );
        }
    }
}

/// Networks of three seeds, on a device.
fn networks(
    device: &Device,
    cell: CellKind,
    embedding: Option<usize>,
    head: HeadChoice,
    corpus: &Corpus,
) -> Vec<Network> {
    let config = Config { cell, units: 24, embedding, head, ..Config::default() };
    let head = train::head(config.head, &corpus.train.labels, 3);
    let make = |seed| {
        Network::on(device, &config, head, corpus.words.len(), head.outputs(3), seed).unwrap()
    };
    (3..6).map(make).collect()
}

fn settings(steps: usize) -> Settings {
    Settings {
        epochs: 40,
        steps,
        batch: 32,
        learning_rate: 0.01,
        clip: 0.5,
        penalty: Penalty::All(1e-4),
        dropout: 0.2,
        input_dropout: 0.1,
        average: 40,
        checkpoint_every: 7,
        record_every: 1,
        ..Settings::default()
    }
}

/// Trains networks together, each with a checkpoint `n` in `folder`.
fn together(
    networks: &[Network],
    corpus: &Corpus,
    settings: &Settings,
    folder: &Path,
) -> Vec<accrue::Result<Fit>> {
    let paths: Vec<_> = (0..networks.len()).map(|n| folder.join(n.to_string())).collect();
    let mut watchers = vec![(); networks.len()];
    let members = networks.iter().zip(&paths).zip(&mut watchers).enumerate().map(
        |(n, ((network, path), watch))| train::Member {
            network,
            train: &corpus.train,
            validation: &corpus.validation,
            settings,
            seed: n as u64,
            checkpoint: (path, "key"),
            watch,
        },
    );
    train::fit_together(members.collect()).unwrap()
}

#[test]
fn a_stack_on_the_card_learns_what_the_processor_learns() {
    let Some(card) = card() else { return };
    let corpus = corpus();
    for (cell, embedding) in
        [(CellKind::Gru, Some(9)), (CellKind::Lstm, None), (CellKind::GruResetBefore, Some(5))]
    {
        let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
        let fits = [&Device::Cpu, &card].map(|device| {
            let networks = networks(device, cell, embedding, HeadChoice::default(), &corpus);
            let folder = &folders[device.is_cuda() as usize];
            let fits = together(&networks, &corpus, &settings(30), folder.path());
            (fits.into_iter().map(|fit| fit.unwrap()).collect::<Vec<_>>(), networks)
        });
        for n in 0..3 {
            let (here, there) = (&fits[0].0[n], &fits[1].0[n]);
            assert_eq!((here.steps, here.tokens), (there.steps, there.tokens));
            for (a, b) in here.records.iter().zip(&there.records) {
                // Rounding of 30 steps; the losses fall by a hundred times as much.
                assert!(
                    (a.loss - b.loss).abs() < 2e-4,
                    "{cell:?} step {}: {} and {}",
                    a.step,
                    a.loss,
                    b.loss
                );
                assert!((a.gradient_norm - b.gradient_norm).abs() < 1e-3 * (1.0 + a.gradient_norm));
            }
            let score =
                |network: &Network| train::score(network, &corpus.test).unwrap().mean_loss();
            assert!((score(&fits[0].1[n]) - score(&fits[1].1[n])).abs() < 2e-4);
        }
    }
}

#[test]
fn training_on_the_card_goes_on_from_a_checkpoint_to_the_same_bits() {
    let Some(card) = card() else { return };
    let corpus = corpus();
    let arrays =
        |networks: &[Network]| networks.iter().map(|n| n.arrays().unwrap()).collect::<Vec<_>>();
    let make = || networks(&card, CellKind::Gru, Some(9), HeadChoice::default(), &corpus);
    let (first, second) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let whole = make();
    together(&whole, &corpus, &settings(50), first.path());
    together(&make(), &corpus, &settings(31), second.path());
    let resumed = make();
    together(&resumed, &corpus, &settings(50), second.path());
    assert!(arrays(&resumed) == arrays(&whole));
}

#[test]
fn a_network_that_diverges_leaves_its_neighbours_alone() {
    let Some(card) = card() else { return };
    let corpus = corpus();
    let networks = networks(&card, CellKind::Gru, Some(9), HeadChoice::default(), &corpus);
    let mut arrays = networks[1].arrays().unwrap();
    arrays.get_mut("readout.weight").unwrap().1[0] = f32::NAN;
    networks[1].set_arrays(&arrays).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let fits = together(&networks, &corpus, &settings(20), folder.path());
    assert!(fits[1].as_ref().unwrap_err().to_string().contains("diverged at step 1"));
    for n in [0, 2] {
        let records = &fits[n].as_ref().unwrap().records;
        assert!(records[19].loss.is_finite() && records[19].loss < records[0].loss);
    }
}
