//! How a pass is cut into blocks of a GPU. No GPU is needed to know.
//!
//! The recurrent weights stay in the registers of a *group* of blocks from the first token to the
//! last (`kernels/persistent.cuh`). A block owns `width` units, a thread `gates · slice` weights:
//! as wide as 64 weights a thread allow, so that a group has as few blocks as can be.

use crate::CellKind;
use serde::{Deserialize, Serialize};

/// Threads of a block of the persistent kernels.
pub const THREADS: usize = 512;

/// Rows whose products a thread holds at once.
pub const TILE: usize = 4;

/// How exact the products of training are on a card. Sums are f32 always, and so is all that is stored.
///
/// A rounded operand is off by at most the figure's share of itself; what a whole pass is off by is measured in
/// [`cuda`](super).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Precision {
    /// Exact products of f32.
    #[default]
    F32,
    /// Operands of 10 bits after the point (2⁻¹¹), on the tensor cores.
    Tf32,
    /// Operands of 7 bits (2⁻⁸), likewise.
    Bf16,
}

impl Precision {
    /// Rows whose products come at once.
    fn tile(self) -> usize {
        if self == Self::F32 { TILE } else { 2 * TILE }
    }

    /// Numbers after a row in shared memory.
    fn spare(self) -> usize {
        if self == Self::F32 { 0 } else { 4 }
    }
}

/// Weights that a thread holds in registers.
const HELD: usize = 64;

/// Blocks that every card of compute capability 9 can join to a cluster.
const CLUSTER: usize = 8;

/// What a card offers.
#[derive(Clone, Copy, Debug)]
pub struct Card {
    /// Multiprocessors.
    pub processors: usize,
    /// Bytes of shared memory that one block can have.
    pub shared: usize,
    /// Whether blocks can form clusters (compute capability 9).
    pub clusters: bool,
}

/// The weights' share of blocks and threads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// Units of a block.
    pub width: usize,
    /// Numbers of the state that a thread multiplies: 4, 8 or 16.
    pub slice: usize,
    /// Blocks of a group.
    pub blocks: usize,
    /// Numbers of a state row in shared memory: `slice` for each slice of the block.
    pub padded: usize,
    /// Whether a group is a cluster; else it meets in global memory.
    pub clustered: bool,
    /// What the kernels round to: nothing, where those that round were not made for so many units.
    pub precision: Precision,
}

impl Cut {
    /// The cut for a cell, or none where its weights do not fit the card's registers.
    pub fn of(kind: CellKind, units: usize, precision: Precision, card: &Card) -> Option<Self> {
        let exact = precision == Precision::F32;
        let cut = [32, 16, 8].into_iter().find_map(|width| {
            let slices = THREADS / width;
            // The kernels that are compiled: narrow blocks are for wide cells alone.
            let made: &[usize] = match (width, exact) {
                (32, true) => &[4, 8, 16],
                (32, false) => &[8, 16],
                (8, false) => &[],
                _ => &[16],
            };
            let slice = made.iter().copied().find(|slice| slices * slice >= units)?;
            let blocks = units.div_ceil(width);
            (slice * kind.gates() <= HELD && blocks <= card.processors).then_some(Self {
                width,
                slice,
                blocks,
                padded: slices * slice,
                clustered: card.clusters && blocks <= CLUSTER,
                precision,
            })
        });
        if exact { cut } else { cut.or_else(|| Self::of(kind, units, Precision::F32, card)) }
    }

    /// Numbers of a row of `gates` gates in shared memory, and where groups meet in global memory.
    pub fn row(&self, gates: usize) -> usize {
        gates * self.padded + self.precision.spare()
    }
}

/// The rows' share of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Rows of a group, a multiple of what a product takes at once.
    pub group_rows: usize,
    /// Groups of a network.
    pub groups: usize,
    /// Groups of a network in one launch: all of them if they are clusters.
    pub at_once: usize,
    /// Networks in one launch.
    pub networks: usize,
    /// Tiles that follow each other at every token, all waves of groups together: what time goes by.
    pub tiles: usize,
    /// Bytes of shared memory, forward.
    pub forward: usize,
    /// Bytes of shared memory, backward.
    pub backward: usize,
}

impl Share {
    /// Shares `rows` of each of `networks` among `teams` groups that run side by side; none
    /// where not even one product's rows fit in shared memory.
    pub fn of(
        kind: CellKind,
        cut: &Cut,
        card: &Card,
        teams: usize,
        networks: usize,
        rows: usize,
    ) -> Option<Self> {
        let teams = teams.max(1);
        let tile = cut.precision.tile();
        let wanted = rows.div_ceil((teams / networks).max(1)).next_multiple_of(tile);
        (1..=wanted / tile).rev().find_map(|tiles| {
            let group_rows = tiles * tile;
            let (forward, backward) = shared(kind, cut, group_rows);
            let groups = rows.div_ceil(group_rows);
            // Blocks that meet in global memory must all run at once.
            let at_once = if cut.clustered { groups } else { groups.min(teams) };
            let together = if cut.clustered { networks } else { networks.min(teams / at_once) };
            let waves = if cut.clustered {
                (networks * groups).div_ceil(teams)
            } else {
                groups.div_ceil(at_once) * networks.div_ceil(together.max(1))
            };
            (forward.max(backward) <= card.shared).then_some(Self {
                tiles: waves * tiles,
                group_rows,
                groups,
                at_once,
                networks: together,
                forward,
                backward,
            })
        })
    }
}

/// Bytes of shared memory that `kernels/persistent.cuh` lays out, forward and backward.
fn shared(kind: CellKind, cut: &Cut, group_rows: usize) -> (usize, usize) {
    let gates = kind.gates();
    // A cluster writes the next step's numbers while the last one's are read.
    let copies = if cut.clustered { 2 } else { 1 };
    let reset = (kind.architecture() == CellKind::GruResetBefore) as usize;
    let own = group_rows * cut.width;
    // What the parts of a tile's sums take, and the sums on the way back.
    let (parts, parts_back, total) = match cut.precision {
        Precision::F32 => (THREADS * TILE * gates, 4 * THREADS * TILE, group_rows / TILE * THREADS),
        rounded => {
            let part = |columns: usize| rounded.tile() * (columns + rounded.spare());
            let parts = THREADS / 2 / cut.width;
            (parts * part(gates * cut.width), parts * part(cut.width), own)
        }
    };
    let forward = (copies + reset) * group_rows * cut.row(1)
        + 2 * parts
        + (gates + 1) * own
        + 2 * gates * cut.width
        + 4 * own
        + 2 * group_rows;
    let backward =
        copies * group_rows * cut.row(gates) + 2 * parts_back + total + 2 * own + 2 * group_rows;
    (4 * forward, 4 * backward)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOPPER: Card = Card { processors: 132, shared: 232_448, clusters: true };

    #[test]
    fn every_weight_has_a_thread_and_every_row_a_group() {
        for kind in [
            CellKind::Vanilla,
            CellKind::Ugrnn,
            CellKind::Gru,
            CellKind::GruResetBefore,
            CellKind::GruResetBeforeRelu,
            CellKind::Lstm,
        ] {
            for (units, precision) in (1..=1024)
                .flat_map(|n| [Precision::F32, Precision::Tf32, Precision::Bf16].map(|p| (n, p)))
            {
                let cut = Cut::of(kind, units, precision, &HOPPER).expect("1,024 units fit");
                assert!(cut.width * cut.blocks >= units && cut.padded >= units, "{kind:?} {units}");
                // Products of more than 512 units stay exact.
                assert!(cut.precision == if units > 512 { Precision::F32 } else { precision });
                assert!(cut.slice * kind.gates() <= HELD);
                assert!(!cut.clustered || cut.blocks <= 8);
                for (networks, rows) in [(1, 1), (1, 64), (1, 300), (256, 64)] {
                    let teams = HOPPER.processors / cut.blocks;
                    let share = Share::of(kind, &cut, &HOPPER, teams, networks, rows).unwrap();
                    assert!(share.group_rows.is_multiple_of(cut.precision.tile()));
                    assert!(share.groups * share.group_rows >= rows);
                    assert!((share.groups - 1) * share.group_rows < rows, "no group is empty");
                    assert!(share.forward.max(share.backward) <= HOPPER.shared);
                    let blocks = share.networks * share.at_once * cut.blocks;
                    assert!(cut.clustered || blocks <= HOPPER.processors);
                }
            }
        }
    }

    #[test]
    fn the_papers_sizes_use_the_whole_card() {
        let cut = Cut::of(CellKind::Gru, 256, Precision::F32, &HOPPER).unwrap();
        assert_eq!((cut.width, cut.slice, cut.blocks, cut.clustered), (32, 16, 8, true));
        let share = Share::of(CellKind::Gru, &cut, &HOPPER, 16, 1, 64).unwrap();
        assert_eq!((share.group_rows, share.groups), (4, 16));
        // Eight rows at once: eight clusters, which an H200 has room for (15).
        let cut = Cut::of(CellKind::Gru, 256, Precision::Tf32, &HOPPER).unwrap();
        let share = Share::of(CellKind::Gru, &cut, &HOPPER, 15, 1, 64).unwrap();
        assert_eq!((share.group_rows, share.groups, share.tiles), (8, 8, 1));
    }
}
