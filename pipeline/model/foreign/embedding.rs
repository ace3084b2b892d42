//! Which array holds the words' vectors.

use super::case::{Case, leaf};
use crate::Result;

impl Case<'_> {
    /// The bias that stands beside a layer's weights.
    pub fn bias_beside(&self, name: &str, outputs: usize) -> Option<String> {
        let bias = match name.strip_suffix(leaf(name)) {
            Some(before) => format!("{before}bias"),
            None => return None,
        };
        (self.shape(&bias) == [outputs]).then_some(bias)
    }

    pub fn is_embedding_by_name(name: &str) -> bool {
        let lower = name.to_lowercase();
        lower.contains("emb") || lower.contains("lookup") || lower.contains("wte")
    }

    /// Name of the embedding.
    pub fn embedding(&self, inputs: usize, used: &dyn Fn(&str) -> bool) -> Result<Option<String>> {
        if let Some(name) = &self.settings.embedding {
            if name == "none" {
                return Ok(None);
            }
            let name = &self.named(name);
            return match self.shape(name) {
                [_, width] if *width == inputs => Ok(Some(name.clone())),
                _ => Err(self.refuse(
                    "",
                    format!("`{name}` is no matrix of {inputs} columns"),
                    &format!("one of: {}", self.listed(self.arrays.keys().map(String::as_str))),
                )),
            };
        }
        let fits = |name: &&String| {
            matches!(self.shape(name), [rows, width] if *width == inputs && *rows > 1)
                && !used(name)
        };
        let all: Vec<&String> = self.arrays.keys().filter(fits).collect();
        let named: Vec<&String> =
            all.iter().copied().filter(|n| Self::is_embedding_by_name(n)).collect();
        let unbiased = |n: &&&String| self.bias_beside(n, self.shape(n)[0]).is_none();
        let plain: Vec<&String> = all.iter().filter(unbiased).copied().collect();
        let mut candidates = if named.is_empty() { plain } else { named };
        // One array under two names, as where words are read through a module that drops some of them.
        candidates.dedup_by(|b, a| self.arrays[*a] == self.arrays[*b]);
        match candidates.as_slice() {
            [] => match self.arrays.keys().find(|n| {
                Self::is_embedding_by_name(n) && self.shape(n).len() == 2 && !used(n)
            }) {
                None => Ok(None),
                Some(other) => Err(self.refuse(
                    &format!("array `{other}`"),
                    format!(
                        "shape {:?}, and the cell reads {inputs} numbers: something stands between them",
                        self.shape(other)
                    ),
                    "fold it into the embedding before saving, or give `--embedding none` where words enter one-hot",
                )),
            },
            [one] => Ok(Some(one.to_string())),
            several => Err(self.refuse(
                "",
                format!(
                    "more than one array could be the embedding: {}",
                    self.listed(several.iter().map(|n| n.as_str()))
                ),
                "name it (`--embedding NAME`, or `none`)",
            )),
        }
    }
}
