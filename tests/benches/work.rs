//! The work that is timed: training on documents of one length.

use accrue::corpus::{Documents, Labels, Split};
use accrue::model::{Config, Head, Network};
use accrue::ops::cuda::Precision;
use accrue::ops::{CellKind, Pool};
use accrue::seed;
use accrue::train::{self, Fit, Settings};
use rand::Rng;
use rand_distr::Distribution;
use rand_distr::weighted::WeightedIndex;

/// One size of the work.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Units `n`.
    pub units: usize,
    /// Numbers of an embedding row; 0: one-hot words.
    pub inputs: usize,
    /// Documents a batch.
    pub batch: usize,
    /// Tokens a document.
    pub tokens: usize,
    /// Words.
    pub vocabulary: usize,
    /// Which states the readout sees.
    pub pool: Pool,
    /// Words by Zipf's law, as in text; else all alike.
    pub zipf: bool,
}

/// Text: the reference size of natural text.
pub const TEXT: Size = Size {
    units: 256,
    inputs: 128,
    batch: 64,
    tokens: 256,
    vocabulary: 20_000,
    pool: Pool::Mean,
    zipf: true,
};

/// The same with every word as frequent as any other: the most distinct words a
/// batch can have, which text never has.
pub const UNIFORM: Size = Size { zipf: false, ..TEXT };

/// Film reviews as `imdb.ron` has them.
#[allow(dead_code)]
pub const REVIEWS: Size =
    Size { units: 128, tokens: 280, vocabulary: 10_000, pool: Pool::Last, ..TEXT };

/// The synthetic studies: one-hot words, last state.
pub const SYNTHETIC: Size = Size {
    units: 128,
    inputs: 0,
    batch: 128,
    tokens: 50,
    vocabulary: 4,
    pool: Pool::Last,
    zipf: false,
};

/// Sizes for a card: 64 × 256 tokens × 256 units, 256 × 256 × 256, 64 × 1024 × 512.
#[allow(dead_code)]
pub const CARD: [Size; 3] =
    [TEXT, Size { batch: 256, ..TEXT }, Size { tokens: 1024, units: 512, ..TEXT }];

/// A network of a grid: 128 units, one-hot words.
#[allow(dead_code)]
pub const GRID: Size = Size { batch: 64, vocabulary: 20, ..SYNTHETIC };

/// A network and documents to train it on.
pub struct Work {
    network: Network,
    train: Split,
    validation: Split,
    batch: usize,
    folder: tempfile::TempDir,
    /// How exact products are, on a card.
    pub precision: Precision,
}

impl Work {
    /// Words drawn one by one, two classes; `batches` different batches.
    pub fn new(cell: CellKind, size: Size, batches: usize) -> Self {
        let mut stream = seed::stream(1, "bench");
        let shares: Vec<f64> =
            (1..=size.vocabulary).map(|r| if size.zipf { 1.0 / r as f64 } else { 1.0 }).collect();
        let words = WeightedIndex::new(shares).expect("every word has a share");
        let mut split = |documents: usize, tokens: usize| {
            let mut all = Documents::new();
            for _ in 0..documents {
                let document: Vec<u32> =
                    (0..tokens).map(|_| words.sample(&mut stream) as u32).collect();
                all.push(&document);
            }
            let classes = (0..documents).map(|_| stream.random_range(0..2)).collect();
            Split { documents: all, labels: Labels::Class(classes) }
        };
        let config = Config {
            cell,
            units: size.units,
            embedding: (size.inputs > 0).then_some(size.inputs),
            pool: size.pool,
            ..Config::default()
        };
        let network = Network::new(&config, Head::Softmax, size.vocabulary, 2, 1)
            .expect("the sizes fit each other");
        Self {
            network,
            train: split(batches * size.batch, size.tokens),
            validation: split(1, 1),
            batch: size.batch,
            folder: tempfile::tempdir().expect("a folder can be made"),
            precision: Precision::F32,
        }
    }

    /// Token ids, end to end, and classes of a batch.
    #[allow(dead_code)]
    pub fn batch(&self, number: usize) -> (Vec<u32>, Vec<u32>) {
        let Labels::Class(classes) = &self.train.labels else { panic!("two classes") };
        let first = number * self.batch % self.train.documents.len();
        let rows = first..first + self.batch;
        let documents = rows.clone().flat_map(|d| self.train.documents.get(d).to_vec());
        (documents.collect(), classes[rows].to_vec())
    }

    fn settings(&self, steps: usize) -> Settings {
        Settings {
            epochs: steps,
            steps,
            batch: self.batch,
            checkpoint_every: usize::MAX,
            precision: self.precision,
            ..Settings::default()
        }
    }

    /// Takes `steps` optimiser steps: forward, backward, clip, Adam.
    pub fn steps(&self, steps: usize) -> Fit {
        let settings = self.settings(steps);
        let checkpoint = self.folder.path().join("none");
        let (train, validation) = (&self.train, &self.validation);
        train::fit(&self.network, train, validation, &settings, 1, (&checkpoint, ""), &mut ())
            .expect("random words train without error")
    }

    /// The same for `networks` networks of other initial weights, side by side where they can be.
    #[allow(dead_code)]
    pub fn steps_together(&self, networks: usize, steps: usize) -> f64 {
        let config = self.network.config();
        let networks: Vec<Network> = (0..networks as u64)
            .map(|seed| {
                Network::new(config, Head::Softmax, self.network.vocabulary(), 2, seed)
                    .expect("the sizes fit each other")
            })
            .collect();
        let settings = self.settings(steps);
        let checkpoint = self.folder.path().join("none");
        let mut watchers = vec![(); networks.len()];
        let members =
            networks.iter().zip(&mut watchers).enumerate().map(|(seed, (network, watch))| {
                let (train, validation, seed) = (&self.train, &self.validation, seed as u64);
                let (settings, checkpoint) = (&settings, (&*checkpoint, ""));
                train::Member {
                    network,
                    train: train.into(),
                    validation: validation.into(),
                    settings,
                    seed,
                    checkpoint,
                    watch,
                }
            });
        let fits = train::fit_together(members.collect()).expect("alike networks stack");
        fits.iter().map(|fit| fit.as_ref().expect("random words train without error").seconds).sum()
    }
}
