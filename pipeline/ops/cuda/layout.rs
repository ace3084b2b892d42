//! Batches as the kernels read them: one batch a network, rows sorted, nothing padded in time.

use crate::Batch;
use rayon::prelude::*;
use std::cmp::Reverse;

/// Slots of one token that one block adds up: a common word's are spread over many blocks.
pub const RUN: usize = 32;

/// Arrays of [`Part`].
const PARTS: usize = 8;

/// One batch a network. Everything is `[networks, …]`; shorter batches are filled up with rows of
/// no tokens, tokens of no word (−1) and slots that nobody reads.
#[derive(Clone, Debug)]
pub struct Stacked {
    /// Batches.
    pub networks: usize,
    /// Rows of the largest batch.
    pub rows: usize,
    /// Tokens of the largest batch.
    pub slots: usize,
    /// Distinct tokens of the batch that has most.
    pub distinct: usize,
    /// Tokens of the longest row.
    pub longest: usize,
    /// Runs of slots of the batch that has most.
    pub runs: usize,
    /// All arrays of [`Part`], end to end.
    pub numbers: Vec<i32>,
    starts: [usize; PARTS + 1],
}

/// An array of [`Stacked`].
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// `[longest, rows]`: index of a row's token among the distinct ones; −1 after the row's end.
    Token,
    /// `[longest + 1]`: slots before each token of the rows.
    Offset,
    /// `[rows]`: tokens of each row, longest first.
    Length,
    /// `[rows]`: which sequence of the batch a row is.
    Row,
    /// `[slots]`: slots sorted by token.
    SlotsByToken,
    /// `[runs + 1]`: where each run of at most [`RUN`] of one token's slots starts among them.
    Runs,
    /// `[distinct + 1]`: each token's first run.
    FirstRun,
    /// `[distinct]`: ids of the distinct tokens, −1 after the last.
    Distinct,
}

impl Stacked {
    /// Lays out one batch for each network.
    pub fn new(batches: &[&Batch]) -> Self {
        let most = |count: fn(&Batch) -> usize| batches.iter().map(|b| count(b)).max().unwrap_or(0);
        let (rows, slots) = (most(Batch::len), most(Batch::slots));
        let (distinct, longest) = (most(|b| b.distinct.len()), most(Batch::longest));
        let runs = most(|b| b.occurrences.windows(2).map(|o| (o[1] - o[0]).div_ceil(RUN)).sum());
        let networks = batches.len();
        let mut all = Self {
            networks,
            rows,
            slots,
            distinct,
            longest,
            runs,
            numbers: Vec::new(),
            starts: [0; PARTS + 1],
        };
        let parts: Vec<[Vec<i32>; PARTS]> =
            batches.par_iter().map(|batch| all.one(batch)).collect();
        for part in 0..PARTS {
            let size = parts.first().map_or(0, |p| p[part].len());
            all.starts[part + 1] = all.starts[part] + size * networks;
        }
        all.numbers.reserve_exact(all.starts[PARTS]);
        for part in 0..PARTS {
            parts.iter().for_each(|p| all.numbers.extend_from_slice(&p[part]));
        }
        all
    }

    /// The same without its arrays.
    pub fn sizes(&self) -> Self {
        Self { numbers: Vec::new(), ..*self }
    }

    /// Where an array begins in `numbers`.
    pub fn start(&self, part: Part) -> usize {
        self.starts[part as usize]
    }

    #[cfg(test)]
    fn of(&self, part: Part, network: usize) -> &[i32] {
        let (from, to) = (self.starts[part as usize], self.starts[part as usize + 1]);
        let size = (to - from) / self.networks;
        &self.numbers[from + network * size..][..size]
    }

    /// The arrays of one network, in the order of [`Part`].
    fn one(&self, batch: &Batch) -> [Vec<i32>; PARTS] {
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|&row| Reverse(batch.lengths[row]));
        let mut place = vec![0; batch.len()];
        for (r, &row) in order.iter().enumerate() {
            place[row] = r;
        }
        let (lengths, rows): (Vec<i32>, Vec<i32>) = (0..self.rows)
            .map(|r| match order.get(r) {
                Some(&row) => (batch.lengths[row] as i32, row as i32),
                None => (0, r as i32),
            })
            .unzip();
        let mut active = batch.len();
        let mut sum = 0;
        let mut offsets = Vec::with_capacity(self.longest + 1);
        for t in 0..=self.longest {
            while active > 0 && batch.lengths[order[active - 1]] <= t {
                active -= 1;
            }
            offsets.push(sum as i32);
            sum += active;
        }
        let mut tokens = vec![0; batch.slots()];
        let mut by_time = vec![-1; self.longest * self.rows];
        for shard in &batch.shards {
            for t in 0..shard.tokens() {
                let from = shard.first + shard.offset[t];
                for (r, &row) in shard.rows[..shard.active(t)].iter().enumerate() {
                    let token = batch.token_of_slot[from + r] as i32;
                    tokens[offsets[t] as usize + place[row]] = token;
                    by_time[t * self.rows + place[row]] = token;
                }
            }
        }
        let mut next: Vec<usize> = batch.occurrences.clone();
        let mut by_token = vec![0; self.slots];
        for (slot, &token) in tokens.iter().enumerate() {
            by_token[next[token as usize]] = slot as i32;
            next[token as usize] += 1;
        }
        // Runs of one token's slots, and where each token's runs begin.
        let (mut runs, mut first_run) = (Vec::with_capacity(self.runs + 1), Vec::new());
        for o in batch.occurrences.windows(2) {
            first_run.push(runs.len() as i32);
            runs.extend((o[0]..o[1]).step_by(RUN).map(|first| first as i32));
        }
        first_run.resize(self.distinct + 1, runs.len() as i32);
        runs.resize(self.runs + 1, batch.slots() as i32);
        let mut distinct: Vec<i32> = batch.distinct.iter().map(|&id| id as i32).collect();
        distinct.resize(self.distinct, -1);
        [by_time, offsets, lengths, rows, by_token, runs, first_run, distinct]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_every_batch_has_its_slot() {
        let sequences: Vec<Vec<u32>> = (0..170u32)
            .map(|row| (0..1 + (row * 7) % 11).map(|t| row * 3 % 17 + t).collect())
            .collect();
        let views: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let (whole, part) = (Batch::new(&views).unwrap(), Batch::new(&views[..9]).unwrap());
        let stacked = Stacked::new(&[&whole, &part]);
        for (network, (batch, sequences)) in
            [(&whole, &views[..]), (&part, &views[..9])].into_iter().enumerate()
        {
            let get = |part| stacked.of(part, network);
            let (token, offset) = (get(Part::Token), get(Part::Offset));
            let (length, row) = (get(Part::Length), get(Part::Row));
            let mut seen = vec![0; batch.slots()];
            let mut token_of = vec![-1; batch.slots()];
            for r in 0..stacked.rows {
                for t in 0..stacked.longest {
                    let found = token[t * stacked.rows + r];
                    if t >= length[r] as usize {
                        assert_eq!(found, -1);
                        continue;
                    }
                    let slot = offset[t] as usize + r;
                    assert_eq!(batch.distinct[found as usize], sequences[row[r] as usize][t]);
                    token_of[slot] = found;
                    seen[slot] += 1;
                }
            }
            assert!(seen.iter().all(|&times| times == 1));
            let (by_token, runs) = (get(Part::SlotsByToken), get(Part::Runs));
            let (first_run, ids) = (get(Part::FirstRun), get(Part::Distinct));
            for d in 0..stacked.distinct {
                let starts = &runs[first_run[d] as usize..=first_run[d + 1] as usize];
                assert!(starts.windows(2).all(|s| s[1] > s[0] && s[1] - s[0] <= RUN as i32));
                let slots = &by_token[starts[0] as usize..starts[starts.len() - 1] as usize];
                assert_eq!(slots.is_empty(), ids[d] < 0);
                assert!(slots.is_sorted());
                assert!(slots.iter().all(|&slot| token_of[slot as usize] == d as i32));
            }
        }
    }
}
