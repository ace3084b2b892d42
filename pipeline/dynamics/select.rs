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
    /// A hundredth of the median state norm, no outliers.
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
    let places = places(points);
    let mut near = Near::default();
    let mut kept: Vec<usize> = Vec::new();
    for candidate in order {
        if !near.any(points, &places, candidate, unique) {
            near.add(&places, candidate);
            kept.push(candidate);
        }
    }
    let outlier = selection.outlier * scale;
    if selection.outlier > 0.0 && kept.len() > 1 {
        kept.retain(|&i| near.any(points, &places, i, outlier));
    }
    kept
}

/// Where each point lies along the direction from the mean to the point farthest from
/// it: two points are at least as far apart as their places.
fn places(points: &[(&[f64], f64)]) -> Vec<f64> {
    let Some(size) = points.first().map(|p| p.0.len()) else { return Vec::new() };
    let mut mean = vec![0.0; size];
    for (p, _) in points {
        mean.iter_mut().zip(*p).for_each(|(m, x)| *m += x / points.len() as f64);
    }
    let farthest =
        points.iter().max_by(|a, b| distance(a.0, &mean).total_cmp(&distance(b.0, &mean)));
    let far = farthest.expect("there are points").0;
    let length = distance(far, &mean);
    let along = |p: &[f64]| -> f64 {
        let sum: f64 = p.iter().zip(far).zip(&mean).map(|((x, f), m)| (x - m) * (f - m)).sum();
        if length > 0.0 { sum / length } else { 0.0 }
    };
    points.iter().map(|p| along(p.0)).collect()
}

/// Points by their place, to ask only those that could be near.
#[derive(Default)]
struct Near(Vec<(f64, usize)>);

impl Near {
    fn add(&mut self, places: &[f64], i: usize) {
        let at = self.0.partition_point(|(place, _)| *place < places[i]);
        self.0.insert(at, (places[i], i));
    }

    /// Whether one of them, not `i` itself, is within `radius` of point `i`.
    fn any(&self, points: &[(&[f64], f64)], places: &[f64], i: usize, radius: f64) -> bool {
        // Places are rounded; a little wider finds what lies on the edge.
        let margin = radius + 1e-9 * (radius + places[i].abs());
        let first = self.0.partition_point(|(place, _)| *place < places[i] - margin);
        let within = self.0[first..].iter().take_while(|(place, _)| *place <= places[i] + margin);
        within.into_iter().any(|&(_, j)| j != i && distance(points[i].0, points[j].0) <= radius)
    }
}

/// Euclidean distance of two states.
pub fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}
