//! Batches as the kernels read them: one batch a network, rows sorted, nothing padded in time.

use crate::ops::Batch;
use std::cmp::Reverse;

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
    /// All arrays of [`Part`], end to end.
    pub numbers: Vec<i32>,
    starts: [usize; 8],
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
    /// `[distinct + 1]`: where each token's slots start among them.
    Occurrences,
    /// `[distinct]`: ids of the distinct tokens, −1 after the last.
    Distinct,
}

impl Stacked {
    /// Lays out one batch for each network.
    pub fn new(batches: &[&Batch]) -> Self {
        let most = |count: fn(&Batch) -> usize| batches.iter().map(|b| count(b)).max().unwrap_or(0);
        let (rows, slots) = (most(Batch::len), most(Batch::slots));
        let (distinct, longest) = (most(|b| b.distinct.len()), most(Batch::longest));
        let networks = batches.len();
        let sizes = [longest * rows, longest + 1, rows, rows, slots, distinct + 1, distinct];
        let mut starts = [0; 8];
        for (i, size) in sizes.iter().enumerate() {
            starts[i + 1] = starts[i] + size * networks;
        }
        let mut all =
            Self { networks, rows, slots, distinct, longest, numbers: vec![0; starts[7]], starts };
        for (network, batch) in batches.iter().enumerate() {
            all.fill(network, batch);
        }
        all
    }

    /// Where an array begins in `numbers`.
    pub fn start(&self, part: Part) -> usize {
        self.starts[part as usize]
    }

    fn of(&mut self, part: Part, network: usize) -> &mut [i32] {
        let (from, to) = (self.starts[part as usize], self.starts[part as usize + 1]);
        let size = (to - from) / self.networks;
        &mut self.numbers[from + network * size..][..size]
    }

    fn fill(&mut self, network: usize, batch: &Batch) {
        let mut order: Vec<usize> = (0..batch.len()).collect();
        order.sort_by_key(|&row| Reverse(batch.lengths[row]));
        let mut place = vec![0; batch.len()];
        for (r, &row) in order.iter().enumerate() {
            place[row] = r;
        }
        for (r, length) in self.of(Part::Length, network).iter_mut().enumerate() {
            *length = order.get(r).map_or(0, |&row| batch.lengths[row] as i32);
        }
        for (r, row) in self.of(Part::Row, network).iter_mut().enumerate() {
            *row = order.get(r).copied().unwrap_or(r) as i32;
        }
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
        let rows = self.rows;
        let by_time = self.of(Part::Token, network);
        by_time.fill(-1);
        for shard in &batch.shards {
            for t in 0..shard.tokens() {
                let from = shard.first + shard.offset[t];
                for (r, &row) in shard.rows[..shard.active(t)].iter().enumerate() {
                    let slot = offsets[t] as usize + place[row];
                    tokens[slot] = batch.token_of_slot[from + r] as i32;
                    by_time[t * rows + place[row]] = tokens[slot];
                }
            }
        }
        let mut next: Vec<i32> = batch.occurrences.iter().map(|&x| x as i32).collect();
        let by_token = self.of(Part::SlotsByToken, network);
        for (slot, &token) in tokens.iter().enumerate() {
            by_token[next[token as usize] as usize] = slot as i32;
            next[token as usize] += 1;
        }
        self.of(Part::Offset, network).copy_from_slice(&offsets);
        for (d, start) in self.of(Part::Occurrences, network).iter_mut().enumerate() {
            *start = batch.occurrences[d.min(batch.distinct.len())] as i32;
        }
        for (d, id) in self.of(Part::Distinct, network).iter_mut().enumerate() {
            *id = batch.distinct.get(d).map_or(-1, |&id| id as i32);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_of_every_batch_has_its_slot() {
        let sequences: Vec<Vec<u32>> = (0..70u32)
            .map(|row| (0..1 + (row * 7) % 11).map(|t| row * 3 % 17 + t).collect())
            .collect();
        let views: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let (whole, part) = (Batch::new(&views).unwrap(), Batch::new(&views[..9]).unwrap());
        let mut stacked = Stacked::new(&[&whole, &part]);
        for (network, (batch, sequences)) in
            [(&whole, &views[..]), (&part, &views[..9])].into_iter().enumerate()
        {
            let get = |stacked: &mut Stacked, part| stacked.of(part, network).to_vec();
            let (token, offset) = (get(&mut stacked, Part::Token), get(&mut stacked, Part::Offset));
            let (length, row) = (get(&mut stacked, Part::Length), get(&mut stacked, Part::Row));
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
            let (by_token, starts) =
                (get(&mut stacked, Part::SlotsByToken), get(&mut stacked, Part::Occurrences));
            let ids = get(&mut stacked, Part::Distinct);
            for d in 0..stacked.distinct {
                let slots = &by_token[starts[d] as usize..starts[d + 1] as usize];
                assert_eq!(slots.is_empty(), ids[d] < 0);
                assert!(
                    slots.is_sorted()
                        && slots.iter().all(|&slot| token_of[slot as usize] == d as i32)
                );
            }
        }
    }
}
