//! Tokenised documents with their labels: what every later room reads.

/// Token ids of many documents, laid end to end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Documents {
    tokens: Vec<u32>,
    /// Where each document ends in `tokens`; it starts where the one before ends.
    ends: Vec<usize>,
}

impl Documents {
    /// No documents yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one document.
    pub fn push(&mut self, tokens: &[u32]) {
        self.tokens.extend_from_slice(tokens);
        self.ends.push(self.tokens.len());
    }

    /// Number of documents.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no documents.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of tokens of all documents together.
    pub fn token_count(&self) -> usize {
        self.tokens.len()
    }

    /// Token ids of document `d`.
    ///
    /// # Panics
    /// If there is no document `d`.
    pub fn get(&self, d: usize) -> &[u32] {
        &self.tokens[self.start(d)..self.ends[d]]
    }

    /// Position of document `d`'s first token among all tokens.
    pub fn start(&self, d: usize) -> usize {
        if d == 0 { 0 } else { self.ends[d - 1] }
    }

    /// The documents in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        (0..self.len()).map(|d| self.get(d))
    }

    /// All tokens, end to end.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }
}

impl<'a> FromIterator<&'a [u32]> for Documents {
    fn from_iter<I: IntoIterator<Item = &'a [u32]>>(documents: I) -> Self {
        let mut all = Documents::new();
        documents.into_iter().for_each(|d| all.push(d));
        all
    }
}

/// What is to be said of each document.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// One class a document, as an index into the label names.
    Class(Vec<u32>),
    /// Any number of labels a document: flags `[documents, labels]`, row-major.
    Multi {
        /// Number of labels a document can carry.
        labels: usize,
        /// `flags[d * labels + k]`: document `d` carries label `k`.
        flags: Vec<bool>,
    },
    /// A number to follow at every token (the toy language's running score),
    /// laid end to end as [`Documents::tokens`].
    Score(Vec<f32>),
}

/// Documents and their labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Split {
    /// Token ids.
    pub documents: Documents,
    /// Labels, one entry (or row, or run of numbers) a document.
    pub labels: Labels,
}

impl Split {
    /// The documents that are kept, by their numbers, with their labels.
    pub fn part(&self, keep: impl Fn(usize) -> bool) -> Split {
        let kept: Vec<usize> = (0..self.documents.len()).filter(|&d| keep(d)).collect();
        let mut documents = Documents::new();
        kept.iter().for_each(|&d| documents.push(self.documents.get(d)));
        let labels = match &self.labels {
            Labels::Class(classes) => Labels::Class(kept.iter().map(|&d| classes[d]).collect()),
            Labels::Multi { labels, flags } => {
                let rows = kept.iter().flat_map(|&d| &flags[d * labels..][..*labels]);
                Labels::Multi { labels: *labels, flags: rows.copied().collect() }
            }
            Labels::Score(scores) => {
                let run =
                    |&d: &usize| &scores[self.documents.start(d)..][..self.documents.get(d).len()];
                Labels::Score(kept.iter().flat_map(run).copied().collect())
            }
        };
        Split { documents, labels }
    }
}

/// A corpus ready for counting and training.
#[derive(Clone, Debug, PartialEq)]
pub struct Corpus {
    /// Name for people: the catalogue's, the file's, or the generator's.
    pub name: String,
    /// The vocabulary: `words[id]` is the text of token `id`.
    pub words: Vec<String>,
    /// Label names by index; empty for [`Labels::Score`].
    pub label_names: Vec<String>,
    /// What the network learns from.
    pub train: Split,
    /// What stops training and chooses penalties; never reported as accuracy.
    pub validation: Split,
    /// What every reported accuracy is measured on.
    pub test: Split,
    /// What was cut, dropped or doubtful on the way here, counted, in sentences.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_keeps_documents_and_their_labels_together() {
        let mut documents = Documents::new();
        [&[1, 2, 3][..], &[4], &[5, 6]].iter().for_each(|d| documents.push(d));
        let all = |labels: Labels| Split { documents: documents.clone(), labels };
        let flags = [true, false, false, true, true, true];
        for (labels, kept) in [
            (Labels::Class(vec![7, 8, 9]), Labels::Class(vec![7, 9])),
            (
                Labels::Multi { labels: 2, flags: flags.to_vec() },
                Labels::Multi { labels: 2, flags: [&flags[..2], &flags[4..]].concat() },
            ),
            (
                Labels::Score(vec![0.1, 0.2, 0.3, 0.4, 0.5, 0.6]),
                Labels::Score(vec![0.1, 0.2, 0.3, 0.5, 0.6]),
            ),
        ] {
            let part = all(labels).part(|d| d != 1);
            assert_eq!(part.documents.iter().collect::<Vec<_>>(), [&[1, 2, 3][..], &[5, 6]]);
            assert_eq!(part.labels, kept);
        }
    }
}
