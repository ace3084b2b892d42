//! Tokens a second of training, for every cell at both sizes: `make bench`.

mod work;

use accrue::ops::CellKind;
use divan::counter::ItemsCount;
use work::{SYNTHETIC, Size, TEXT, UNIFORM, Work};

const CELLS: [CellKind; 6] = [
    CellKind::Gru,
    CellKind::GruResetBefore,
    CellKind::Lstm,
    CellKind::Ugrnn,
    CellKind::Vanilla,
    CellKind::VanillaRelu,
];
/// Steps of one timed run.
const STEPS: usize = 4;

fn main() {
    divan::main();
}

fn measure(bencher: divan::Bencher, cell: CellKind, size: Size) {
    let work = Work::new(cell, size, STEPS);
    work.steps(STEPS);
    bencher
        .counter(ItemsCount::new(STEPS * size.batch * size.tokens))
        .bench_local(|| work.steps(STEPS));
}

#[divan::bench(args = CELLS, sample_count = 8, sample_size = 1)]
fn text_64x256_tokens_256_units_20000_words(bencher: divan::Bencher, cell: CellKind) {
    measure(bencher, cell, TEXT);
}

#[divan::bench(args = CELLS, sample_count = 8, sample_size = 1)]
fn uniform_64x256_tokens_256_units_20000_words(bencher: divan::Bencher, cell: CellKind) {
    measure(bencher, cell, UNIFORM);
}

#[divan::bench(args = CELLS, sample_count = 20, sample_size = 1)]
fn synthetic_128x50_tokens_128_units_one_hot(bencher: divan::Bencher, cell: CellKind) {
    measure(bencher, cell, SYNTHETIC);
}
