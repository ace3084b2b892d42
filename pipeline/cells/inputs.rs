//! What enters the cell for each word.

/// Input vectors `x_w` of a vocabulary: rows of an embedding, or one-hot.
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    width: usize,
    /// `[words, width]`, row-major; `None` for one-hot entry.
    rows: Option<Vec<f64>>,
}

impl Inputs {
    /// Rows of `width` numbers, one a word; without rows, one-hot vectors of
    /// `width` words.
    ///
    /// # Panics
    /// If the rows do not fill whole vectors.
    pub fn new(width: usize, rows: Option<Vec<f64>>) -> Self {
        let whole = rows.as_ref().is_none_or(|r| r.len().is_multiple_of(width));
        assert!(whole, "an embedding has whole rows");
        Self { width, rows }
    }

    /// Numbers of a vector.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Words.
    pub fn words(&self) -> usize {
        self.rows.as_ref().map_or(self.width, |r| r.len() / self.width)
    }

    /// `x_w`.
    pub fn vector(&self, word: usize) -> Vec<f64> {
        match &self.rows {
            Some(rows) => rows[word * self.width..][..self.width].to_vec(),
            None => (0..self.width).map(|k| (k == word) as u8 as f64).collect(),
        }
    }

    /// `Σ_w share_w x_w`.
    pub fn mean(&self, shares: &[f64]) -> Vec<f64> {
        let Some(rows) = &self.rows else { return shares.to_vec() };
        let mut sum = vec![0.0; self.width];
        for (row, share) in rows.chunks(self.width).zip(shares) {
            sum.iter_mut().zip(row).for_each(|(s, x)| *s += share * x);
        }
        sum
    }
}
