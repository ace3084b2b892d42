//! A convolutional network that reads 8 × 8 digits.

use super::network::{Network, Shape};
use super::{Problem, Real, cast};
use crate::seed::{self, Stream};
use crate::{Error, Result, setting};
use rand::Rng;
use rand::seq::index::sample;
use serde::{Deserialize, Serialize};

/// Pixels across an image.
const SIDE: usize = 8;
/// Digits.
const CLASSES: usize = 10;

/// Images of digits, split for good into those to learn from and those to measure on.
#[derive(Clone, Debug, PartialEq)]
pub struct Images {
    /// Values from 0 to 1, 64 an image.
    pub pixels: Vec<f64>,
    /// Digit of each.
    pub labels: Vec<usize>,
    /// Images to learn from: the first.
    pub train: usize,
}

impl Images {
    /// Random pixels, for tests.
    pub fn planted(images: usize, seed: u64) -> Self {
        let mut stream = seed::stream(seed, "planted images");
        Self {
            pixels: (0..images * SIDE * SIDE).map(|_| stream.random()).collect(),
            labels: (0..images).map(|_| stream.random_range(0..CLASSES)).collect(),
            train: images / 2,
        }
    }
}

/// Convolutions of 3 × 3 with tanh, the first with stride 1 and all others with stride 2, then a readout of ten
/// digits; the mean cross-entropy over some images, drawn anew in each problem.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Digits {
    /// Images of a problem.
    #[serde(deserialize_with = "setting::whole::<_, 1, 100000>")]
    pub images: usize,
    /// Channels of each convolution, at most two: 8 × 8 pixels have room for no more.
    pub channels: Vec<usize>,
    /// Factor of the weights' Euclidean norm (not squared) in the loss.
    #[serde(deserialize_with = "setting::not_negative")]
    pub penalty: f64,
}

impl Default for Digits {
    fn default() -> Self {
        Self { images: 64, channels: vec![4, 8], penalty: 1e-4 }
    }
}

impl Digits {
    fn shape(&self) -> Result<Shape> {
        if !(1..=2).contains(&self.channels.len())
            || self.channels.iter().any(|c| *c == 0 || *c > 64)
        {
            return Err(Error::Usage(
                "task.channels: one or two convolutions of 1 to 64 channels fit 8 × 8 pixels"
                    .into(),
            ));
        }
        let mut shape = Shape::new(SIDE * SIDE);
        let (mut below, mut side) = (1, SIDE);
        for (l, &channels) in self.channels.iter().enumerate() {
            side = shape.add_convolution((below, side), channels, 3, if l == 0 { 1 } else { 2 });
            below = channels;
        }
        shape.add_dense(CLASSES);
        Ok(shape)
    }

    pub(super) fn draw<R: Real>(
        &self,
        images: &Images,
        test: bool,
        stream: &mut Stream,
    ) -> Result<impl Problem<R> + use<R>> {
        let all = images.labels.len();
        let (first, many) =
            if test { (images.train, all - images.train) } else { (0, images.train) };
        if many < self.images {
            return Err(Error::Usage(format!(
                "task.images: a problem takes {} images of {many}; give fewer",
                self.images
            )));
        }
        let chosen: Vec<usize> =
            sample(stream, many, self.images).into_iter().map(|i| first + i).collect();
        let pixel = |p: usize| chosen.iter().map(move |i| images.pixels[i * SIDE * SIDE + p]);
        let inputs: Vec<f64> = (0..SIDE * SIDE).flat_map(pixel).collect();
        let shape = self.shape()?;
        Ok(Network {
            start: cast(&shape.initial(stream)),
            shape: shape.into(),
            inputs: cast(&inputs),
            labels: chosen.iter().map(|&i| images.labels[i]).collect(),
            penalty: R::of(self.penalty),
        })
    }
}
