//! Named random streams from one seed.
//!
//! Every random draw of a run comes from a stream that is named for its
//! purpose (`"initial weights"`, `"batch order/epoch 3"`). Streams with
//! different names are independent, so adding a draw in one place never moves
//! the draws of another, and work that is split over threads draws from one
//! stream a piece, named by the piece's number and not by the thread.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// A random stream; ChaCha with 8 rounds, the same bits on every machine.
pub type Stream = ChaCha8Rng;

/// The stream called `name` of a run with this `seed`.
///
/// Its 256-bit key is `SHA-256(seed as little-endian bytes ‖ name)`.
pub fn stream(seed: u64, name: &str) -> Stream {
    let mut hash = Sha256::new();
    hash.update(seed.to_le_bytes());
    hash.update(name.as_bytes());
    ChaCha8Rng::from_seed(hash.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::stream;
    use rand::Rng;

    #[test]
    fn a_stream_is_fixed_by_seed_and_name_alone() {
        let draw = |seed, name| stream(seed, name).random::<u64>();
        assert_eq!(draw(1, "weights"), draw(1, "weights"));
        assert_ne!(draw(1, "weights"), draw(2, "weights"));
        assert_ne!(draw(1, "weights"), draw(1, "batches"));
    }
}
