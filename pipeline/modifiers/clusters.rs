//! Modifiers that do the same to other words, together.
//!
//! Average linkage over the cosine of barcodes: the two groups whose members are on average most
//! alike become one, until no two are alike by as much as asked (Sokal & Michener 1958). "not"
//! and "never" have like barcodes whatever their strengths; "very" points the other way.

use crate::linalg::Matrix;

/// Group of each barcode, the largest group 0; equal sizes in the order of their first members.
///
/// * `codes`: barcodes, `[modifiers][probes]`; `least`: mean cosine below which groups
///   stay apart
pub fn clusters(codes: &[&[f64]], least: f64) -> Vec<usize> {
    let count = codes.len();
    let norm = |c: &[f64]| c.iter().map(|x| x * x).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
    let cosine = |i: usize, j: usize| {
        let dot: f64 = codes[i].iter().zip(codes[j]).map(|(a, b)| a * b).sum();
        dot / (norm(codes[i]) * norm(codes[j]))
    };
    // Mean cosine between the members of two groups, kept at the place of the first of each.
    let mut alike = Matrix::from_fn(count, count, cosine);
    let mut groups: Vec<Vec<usize>> = (0..count).map(|i| vec![i]).collect();
    loop {
        let open: Vec<usize> = (0..count).filter(|&i| !groups[i].is_empty()).collect();
        let pairs =
            open.iter().enumerate().flat_map(|(n, &i)| open[..n].iter().map(move |&j| (j, i)));
        let best = pairs.max_by(|a, b| alike[*a].total_cmp(&alike[*b]).then(b.cmp(a)));
        let Some((i, j)) = best.filter(|&pair| alike[pair] >= least) else { break };
        let (a, b) = (groups[i].len() as f64, groups[j].len() as f64);
        for k in open {
            let mean = (a * alike[(i, k)] + b * alike[(j, k)]) / (a + b);
            alike[(i, k)] = mean;
            alike[(k, i)] = mean;
        }
        let joined = std::mem::take(&mut groups[j]);
        groups[i].extend(joined);
    }
    groups.retain(|g| !g.is_empty());
    groups.iter_mut().for_each(|g| g.sort_unstable());
    groups.sort_by(|a, b| b.len().cmp(&a.len()).then(a[0].cmp(&b[0])));
    let mut of = vec![0; count];
    for (number, group) in groups.iter().enumerate() {
        group.iter().for_each(|&i| of[i] = number);
    }
    of
}
