//! How a pass is cut into blocks of a GPU. No GPU is needed to know.
//!
//! The recurrent weights stay in the registers of a *group* of blocks from the first token to the
//! last (`kernels/persistent.cu`). A block owns `width` units, a thread `gates · slice` weights:
//! as wide as 64 weights a thread allow, so that a group has as few blocks as can be.

use crate::ops::CellKind;

/// Threads of a block of the persistent kernels.
pub const THREADS: usize = 512;

/// Rows whose products a thread holds at once.
pub const TILE: usize = 4;

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
}

impl Cut {
    /// The cut for a cell, or none where its weights do not fit the card's registers.
    pub fn of(kind: CellKind, units: usize, card: &Card) -> Option<Self> {
        [32, 16, 8].into_iter().find_map(|width| {
            let slices = THREADS / width;
            // The kernels that are compiled: narrow blocks are for wide cells alone.
            let made: &[usize] = if width == 32 { &[4, 8, 16] } else { &[16] };
            let slice = made.iter().copied().find(|slice| slices * slice >= units)?;
            let blocks = units.div_ceil(width);
            (slice * kind.gates() <= HELD && blocks <= card.processors).then_some(Self {
                width,
                slice,
                blocks,
                padded: slices * slice,
                clustered: card.clusters && blocks <= CLUSTER,
            })
        })
    }
}

/// The rows' share of groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Rows of a group, a multiple of [`TILE`].
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
    /// where not even [`TILE`] rows fit in shared memory.
    pub fn of(
        kind: CellKind,
        cut: &Cut,
        card: &Card,
        teams: usize,
        networks: usize,
        rows: usize,
    ) -> Option<Self> {
        let teams = teams.max(1);
        let wanted = rows.div_ceil((teams / networks).max(1)).next_multiple_of(TILE);
        (1..=wanted / TILE).rev().find_map(|tiles| {
            let group_rows = tiles * TILE;
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

/// Bytes of shared memory that `kernels/persistent.cu` lays out, forward and backward.
fn shared(kind: CellKind, cut: &Cut, group_rows: usize) -> (usize, usize) {
    let gates = kind.gates();
    // A cluster writes the next step's numbers while the last one's are read.
    let copies = if cut.clustered { 2 } else { 1 };
    let reset = (kind == CellKind::GruResetBefore) as usize;
    let own = group_rows * cut.width;
    let forward = (copies + reset) * group_rows * cut.padded
        + 2 * THREADS * TILE * gates
        + (gates + 1) * own
        + 2 * gates * cut.width
        + 4 * own
        + 2 * group_rows;
    let backward = copies * group_rows * gates * cut.padded
        + 2 * THREADS * TILE * 4
        + group_rows / TILE * THREADS
        + 2 * own
        + 2 * group_rows;
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
            CellKind::Lstm,
        ] {
            for units in 1..=1024 {
                let cut = Cut::of(kind, units, &HOPPER).expect("1,024 units fit");
                assert!(cut.width * cut.blocks >= units && cut.padded >= units, "{kind:?} {units}");
                assert!(cut.slice * kind.gates() <= HELD);
                assert!(!cut.clustered || cut.blocks <= 8);
                for (networks, rows) in [(1, 1), (1, 64), (1, 300), (256, 64)] {
                    let teams = HOPPER.processors / cut.blocks;
                    let share = Share::of(kind, &cut, &HOPPER, teams, networks, rows).unwrap();
                    assert!(share.group_rows.is_multiple_of(TILE));
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
        let cut = Cut::of(CellKind::Gru, 256, &HOPPER).unwrap();
        assert_eq!((cut.width, cut.slice, cut.blocks, cut.clustered), (32, 16, 8, true));
        let share = Share::of(CellKind::Gru, &cut, &HOPPER, 16, 1, 64).unwrap();
        assert_eq!((share.group_rows, share.groups), (4, 16));
    }
}
