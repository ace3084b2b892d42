//! How a batch of token sequences is laid out for the recurrent loop.
//!
//! Sequences are sorted by length, longest first, and dealt in turn to shards
//! of at most [`SHARD_ROWS`] rows. A shard is the unit of parallel work: it
//! carries its rows through all tokens without meeting the others. Because the
//! rows of a shard are sorted, those still running at token `t` are its first
//! `active[t]`, and finished rows simply drop out.
//!
//! Every (token, row) that really exists has a *slot*: slots of a shard are
//! consecutive, token after token, row after row. Nothing is padded.

use crate::seed::Stream;
use crate::{Error, Result};
use rand::Rng;
use rand_distr::StandardNormal;

/// Rows that one thread carries together.
///
/// 32 rows reuse each weight that is fetched from the second-level cache often
/// enough to run at the processor's arithmetic peak, and a batch of 64 still
/// splits over two cores. Part of the definition of the results' bits: the
/// sums over shards are in shard order, whatever the number of threads.
pub const SHARD_ROWS: usize = 32;

/// Tokens of a batch that shards sum the gradients of on their way back: their sums lie in the
/// caches. By Zipf's law 32 of 20,000 words are two fifths of a text.
pub const FREQUENT: usize = 32;

/// One shard of a batch.
#[derive(Clone, Debug)]
pub struct Shard {
    /// For each row, longest first: which sequence of the batch it is.
    pub rows: Vec<usize>,
    /// `active[t]`: rows still running at token `t`; non-increasing.
    pub active: Vec<usize>,
    /// First slot of the shard among all slots of the batch.
    pub first: usize,
    /// `offset[t]`: slots of the shard before token `t`; one more entry than `active`.
    pub offset: Vec<usize>,
}

impl Shard {
    /// Tokens of the longest row.
    pub fn tokens(&self) -> usize {
        self.active.len()
    }

    /// Slots of the shard: the sum of its rows' lengths.
    pub fn slots(&self) -> usize {
        *self.offset.last().expect("offset has tokens + 1 entries")
    }

    /// Tokens of row `r`.
    pub fn row_length(&self, r: usize) -> usize {
        self.active.partition_point(|&active| active > r)
    }

    /// Rows running at token `t`; none after the last.
    pub fn active(&self, t: usize) -> usize {
        self.active.get(t).copied().unwrap_or(0)
    }
}

/// Normal noise that is added to every number of the state after each token.
///
/// It says how finely a network can tell states apart: a difference smaller than the noise carries nothing. Gradients
/// pass it by, for it depends on nothing.
#[derive(Clone, Debug)]
pub struct Noise {
    /// Its standard deviation.
    pub deviation: f32,
    /// Where it comes from: each sequence draws from a stream of its own.
    pub stream: Stream,
}

impl Noise {
    /// What sequence `row` of a batch draws, number after number, token after token.
    pub fn of(&self, row: usize) -> impl Iterator<Item = f32> + use<> {
        let (deviation, mut stream) = (self.deviation, self.stream.clone());
        stream.set_stream(row as u64);
        std::iter::repeat_with(move || deviation * stream.sample::<f32, _>(StandardNormal))
    }
}

/// A batch of token sequences of any lengths.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Token ids that occur, ascending.
    pub distinct: Vec<u32>,
    /// Length of each sequence, in the order given.
    pub lengths: Vec<usize>,
    /// The shards.
    pub shards: Vec<Shard>,
    /// For each slot, the index of its token in `distinct`.
    pub token_of_slot: Vec<u32>,
    /// Slots sorted by token: those of `distinct[d]` are
    /// `slots_by_token[occurrences[d]..occurrences[d + 1]]`, ascending.
    pub slots_by_token: Vec<u32>,
    /// Where each token's slots start in `slots_by_token`; one more entry than `distinct`.
    pub occurrences: Vec<usize>,
    /// For each of `distinct`, its place among the [`FREQUENT`] that occur most, if it is one of them.
    pub frequent: Vec<Option<u8>>,
    /// Added to the states on the way, on the processor.
    pub noise: Option<Noise>,
}

impl Batch {
    /// Lays out `sequences` of token ids.
    ///
    /// # Errors
    /// [`Error::Shape`] if there is no sequence, or one without tokens.
    pub fn new(sequences: &[&[u32]]) -> Result<Self> {
        let lengths: Vec<usize> = sequences.iter().map(|s| s.len()).collect();
        check(&lengths)?;
        let mut distinct: Vec<u32> = sequences.concat();
        distinct.sort_unstable();
        distinct.dedup();
        let (index, shards) = (Index::of(&distinct), deal(&lengths));
        let token_of_slot = tokens_of_slots(&shards, |row, t| index.get(sequences[row][t]));
        let (slots_by_token, occurrences) = group(&token_of_slot, distinct.len());
        let frequent = frequent(&occurrences);
        Ok(Self {
            distinct,
            lengths,
            shards,
            token_of_slot,
            slots_by_token,
            occurrences,
            frequent,
            noise: None,
        })
    }

    /// Lays out sequences of vectors: each vector is a token that occurs once, numbered as the
    /// sequences lie end to end.
    ///
    /// # Errors
    /// As [`Batch::new`].
    pub fn of_vectors(lengths: &[usize]) -> Result<Self> {
        check(lengths)?;
        let mut total = 0;
        let firsts: Vec<u32> = lengths
            .iter()
            .map(|&length| {
                total += length as u32;
                total - length as u32
            })
            .collect();
        let shards = deal(lengths);
        let token_of_slot = tokens_of_slots(&shards, |row, t| firsts[row] + t as u32);
        // Each token has one slot: nothing is to be counted or sorted.
        let mut slots_by_token = vec![0; token_of_slot.len()];
        for (slot, &token) in token_of_slot.iter().enumerate() {
            slots_by_token[token as usize] = slot as u32;
        }
        let place = |d: usize| (d < FREQUENT).then_some(d as u8);
        Ok(Self {
            distinct: (0..total).collect(),
            lengths: lengths.to_vec(),
            shards,
            token_of_slot,
            slots_by_token,
            occurrences: (0..=total as usize).collect(),
            frequent: (0..total as usize).map(place).collect(),
            noise: None,
        })
    }

    /// Number of sequences.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Never: a batch has at least one sequence.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Number of slots: tokens of all sequences together.
    pub fn slots(&self) -> usize {
        self.token_of_slot.len()
    }

    /// Whether every token occurs once, as those of vectors do.
    pub fn each_once(&self) -> bool {
        self.distinct.len() == self.slots()
    }

    /// Tokens of the longest sequence.
    pub fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(0)
    }
}

fn check(lengths: &[usize]) -> Result<()> {
    if lengths.is_empty() {
        return Err(Error::shape("batch", "0 sequences", "at least one"));
    }
    match lengths.iter().position(|&length| length == 0) {
        Some(empty) => Err(Error::shape(format!("sequence {empty}"), "0 tokens", "at least one")),
        None => Ok(()),
    }
}

/// Sorts rows by length and deals them to shards in turn, so that shards are alike.
fn deal(lengths: &[usize]) -> Vec<Shard> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&row| std::cmp::Reverse(lengths[row])); // stable: ties in the order given
    let count = lengths.len().div_ceil(SHARD_ROWS);
    let mut first = 0;
    (0..count)
        .map(|s| {
            let rows: Vec<usize> = order.iter().copied().skip(s).step_by(count).collect();
            let mut still = rows.len();
            let active: Vec<usize> = (0..lengths[rows[0]])
                .map(|t| {
                    while lengths[rows[still - 1]] <= t {
                        still -= 1;
                    }
                    still
                })
                .collect();
            let mut offset = vec![0];
            for n in &active {
                offset.push(offset[offset.len() - 1] + n);
            }
            let shard = Shard { rows, active, first, offset };
            first += shard.slots();
            shard
        })
        .collect()
}

/// The token of each slot, slots in their order.
///
/// * `token`: index among the distinct ones of a sequence's token
fn tokens_of_slots(shards: &[Shard], token: impl Fn(usize, usize) -> u32) -> Vec<u32> {
    let mut all = Vec::with_capacity(shards.iter().map(Shard::slots).sum());
    for shard in shards {
        for (t, &active) in shard.active.iter().enumerate() {
            all.extend(shard.rows[..active].iter().map(|&row| token(row, t)));
        }
    }
    all
}

/// Counting sort of slots by token.
fn group(token_of_slot: &[u32], tokens: usize) -> (Vec<u32>, Vec<usize>) {
    let mut occurrences = vec![0; tokens + 1];
    for &d in token_of_slot {
        occurrences[d as usize + 1] += 1;
    }
    for d in 0..tokens {
        occurrences[d + 1] += occurrences[d];
    }
    let mut next = occurrences.clone();
    let mut slots = vec![0; token_of_slot.len()];
    for (slot, &d) in token_of_slot.iter().enumerate() {
        slots[next[d as usize]] = slot as u32;
        next[d as usize] += 1;
    }
    (slots, occurrences)
}

/// Places of the [`FREQUENT`] tokens that occur most, in the order of their ids.
fn frequent(occurrences: &[usize]) -> Vec<Option<u8>> {
    let count = |d: &usize| occurrences[d + 1] - occurrences[*d];
    let mut order: Vec<usize> = (0..occurrences.len() - 1).collect();
    if order.len() > FREQUENT {
        // Ties by id, so that the choice is one choice.
        order.select_nth_unstable_by_key(FREQUENT, |d| (std::cmp::Reverse(count(d)), *d));
        order.truncate(FREQUENT);
        order.sort_unstable();
    }
    let mut places = vec![None; occurrences.len() - 1];
    for (place, d) in order.into_iter().enumerate() {
        places[d] = Some(place as u8);
    }
    places
}

/// Position of a token id among the distinct ones.
struct Index(Vec<u32>);

impl Index {
    fn of(distinct: &[u32]) -> Self {
        let largest = distinct.last().map_or(0, |&id| id as usize);
        let mut positions = vec![u32::MAX; largest + 1];
        for (d, &id) in distinct.iter().enumerate() {
            positions[id as usize] = d as u32;
        }
        Self(positions)
    }

    fn get(&self, id: u32) -> u32 {
        self.0[id as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_has_one_slot_and_finished_rows_drop_out() {
        let sequences: Vec<Vec<u32>> = (0..70u32)
            .map(|row| (0..1 + (row * 7) % 11).map(|t| row * 3 % 17 + t).collect())
            .collect();
        let views: Vec<&[u32]> = sequences.iter().map(Vec::as_slice).collect();
        let batch = Batch::new(&views).unwrap();
        assert_eq!(batch.shards.len(), 3);
        assert_eq!(batch.slots(), sequences.iter().map(Vec::len).sum::<usize>());
        let mut seen = 0;
        for shard in &batch.shards {
            for (t, &offset) in shard.offset[..shard.tokens()].iter().enumerate() {
                for (r, &row) in shard.rows[..shard.active(t)].iter().enumerate() {
                    let slot = shard.first + offset + r;
                    let token = batch.distinct[batch.token_of_slot[slot] as usize];
                    assert_eq!(token, sequences[row][t]);
                    seen += 1;
                }
                assert!(shard.rows[shard.active(t)..].iter().all(|&row| batch.lengths[row] <= t));
            }
        }
        assert_eq!(seen, batch.slots());
        for d in 0..batch.distinct.len() {
            let slots = &batch.slots_by_token[batch.occurrences[d]..batch.occurrences[d + 1]];
            assert!(slots.iter().all(|&slot| batch.token_of_slot[slot as usize] == d as u32));
            assert!(slots.is_sorted());
        }
    }

    #[test]
    fn the_tokens_that_occur_most_are_frequent() {
        // Token `i` occurs 1 + i % 5 times, so that 20 occur five times and as many four times.
        let tokens: Vec<u32> =
            (0..100u32).flat_map(|i| std::iter::repeat_n(i, 1 + i as usize % 5)).collect();
        let batch = Batch::new(&[&tokens]).unwrap();
        let chosen: Vec<u32> = (0..100).filter(|d| batch.frequent[*d as usize].is_some()).collect();
        // All of the twenty, and the first twelve of the next.
        let expected: Vec<u32> = (0..100).filter(|d| d % 5 == 4 || d % 5 == 3 && *d < 60).collect();
        assert_eq!(chosen, expected);
        assert_eq!(batch.frequent.iter().flatten().map(|p| *p as usize).max(), Some(FREQUENT - 1));

        let few = Batch::new(&[&[5, 5, 9]]).unwrap();
        assert_eq!(few.frequent, [Some(0), Some(1)]);
    }

    #[test]
    fn an_empty_batch_and_an_empty_sequence_are_errors() {
        assert!(Batch::new(&[]).is_err());
        assert!(Batch::new(&[&[1], &[]]).is_err());
    }
}
