//! Which of the points found are kept.

use crate::setting;
use serde::{Deserialize, Serialize};

/// How points are thinned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// Two points closer than this are one, in units of the states' median norm.
    #[serde(deserialize_with = "setting::not_negative")]
    pub unique: f64,
    /// A point whose nearest neighbour is farther than this is an outlier, in
    /// the same units; 0: none is.
    #[serde(deserialize_with = "setting::not_negative")]
    pub outlier: f64,
}

impl Default for Selection {
    /// A hundredth of the median state norm (SPEC LINE 4.8), no outliers.
    fn default() -> Self {
        Self { unique: 0.01, outlier: 0.0 }
    }
}

/// Indices of the points that are kept, slowest first.
///
/// Points are taken slowest first (ties by their coordinates, so that the
/// order in which they were found does not matter) and kept if no *kept* point
/// is within `unique`. An ordered line of points therefore stays a line: it is
/// thinned to neighbours `unique` apart instead of collapsing onto its first.
///
/// * `points`: states with their speed `q`
/// * `scale`: the length the settings' units stand for
pub fn select(points: &[(&[f64], f64)], scale: f64, selection: &Selection) -> Vec<usize> {
    let mut order: Vec<usize> = (0..points.len()).collect();
    order.sort_by(|&i, &j| {
        let ((a, q_a), (b, q_b)) = (points[i], points[j]);
        q_a.total_cmp(&q_b).then_with(|| {
            let differing = a.iter().zip(b).map(|(x, y)| x.total_cmp(y));
            differing.into_iter().find(|o| o.is_ne()).unwrap_or(std::cmp::Ordering::Equal)
        })
    });
    let unique = selection.unique * scale;
    let mut kept: Vec<usize> = Vec::new();
    for candidate in order {
        if kept.iter().all(|&k| distance(points[k].0, points[candidate].0) > unique) {
            kept.push(candidate);
        }
    }
    let outlier = selection.outlier * scale;
    if selection.outlier > 0.0 && kept.len() > 1 {
        let near = |&&i: &&usize| {
            kept.iter().any(|&j| j != i && distance(points[i].0, points[j].0) <= outlier)
        };
        kept = kept.iter().filter(near).copied().collect();
    }
    kept
}

/// Euclidean distance.
fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}
