//! The nearest valid name to one that is not.

/// The candidate with the fewest edits from `name`, capitals aside; `None` if
/// more than a third of the longer of the two would have to change.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    let wanted = name.to_lowercase();
    let scored = candidates.iter().map(|&c| (edits(&wanted, &c.to_lowercase()), c));
    let (distance, best) = scored.min_by_key(|(distance, _)| *distance)?;
    let longer = wanted.chars().count().max(best.chars().count());
    (distance <= longer.div_ceil(3)).then_some(best)
}

/// `"; did you mean `x`?"` where something is near, else a list of what there is.
pub fn hint(name: &str, candidates: &[&str]) -> String {
    match nearest(name, candidates) {
        Some(near) => format!("did you mean `{near}`? There are: {}", candidates.join(", ")),
        None => format!("there are: {}", candidates.join(", ")),
    }
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn one
/// word into the other (optimal string alignment).
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]) as usize;
            let mut least = change.min(rows[i - 1][j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::{edits, nearest};

    #[test]
    fn edits_by_hand() {
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("epohcs", "epochs"), 1);
        assert_eq!(edits("", "abc"), 3);
    }

    #[test]
    fn a_far_name_is_not_offered() {
        assert_eq!(nearest("epohcs", &["batch", "epochs"]), Some("epochs"));
        assert_eq!(nearest("zebra", &["batch", "epochs"]), None);
    }
}
