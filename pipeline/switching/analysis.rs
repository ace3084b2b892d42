//! What the linear system says of the network: how well it follows, where its expansion points lie, what inputs do there.

use crate::linalg::{Complex, Matrix, Vector};
use crate::{Result, summary};
use accrue_cells::Map;
use accrue_dynamics::Dynamics;
use accrue_dynamics::linearise::Linearisation;
use rayon::prelude::*;

/// Mean over steps of `‖h − a‖/‖h‖`; steps at which `h = 0` are left out.
///
/// * `h`, `a`: `[t, s]`
pub fn relative_error(h: &[f32], a: &[f32], s: usize) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let errors: Vec<f64> = h
        .chunks_exact(s)
        .zip(a.chunks_exact(s))
        .map(|(h, a)| {
            let apart = norm(&mut h.iter().zip(a).map(|(h, a)| *h as f64 - *a as f64));
            apart / norm(&mut h.iter().map(|h| *h as f64))
        })
        .filter(|e| e.is_finite())
        .collect();
    summary::mean(&errors)
}

/// A map linearised at one point: state, next state, both Jacobians.
struct Local {
    point: Vector,
    next: Vector,
    by_state: Matrix,
    by_input: Matrix,
}

/// Points to linearise around: what a search after training gives.
pub struct Locals {
    at_rest: Vec<f64>,
    locals: Vec<Local>,
}

impl Locals {
    /// Linearises `map`, whose input is held at `u*`, at each point.
    pub fn at(map: &Map, points: &[Vec<f64>]) -> Self {
        let of = |point: &Vec<f64>| {
            let (next, by_state) = map.step_and_jacobian(point);
            let by_input = map.input_jacobian(point);
            Local { point: Vector::from_column_slice(point), next, by_state, by_input }
        };
        Self { at_rest: map.input().to_vec(), locals: points.par_iter().map(of).collect() }
    }

    /// Number of the point nearest to a state, and its distance (Euclid); `None` without points.
    pub fn nearest(&self, state: &[f64]) -> Option<(usize, f64)> {
        let state = Vector::from_column_slice(state);
        let far = |l: &Local| (&l.point - &state).norm();
        let all = self.locals.iter().map(far).enumerate();
        all.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Mean over steps of `‖h_t − ĥ_t‖/‖h_t‖`, where `ĥ_t` is one linear step from the network's own `h_{t−1}` at the
    /// nearest point: `F(h*) + J_rec (h_{t−1} − h*) + J_inp (u_t − u*)`. NaN without points.
    ///
    /// * `initial`: `h_0`; `inputs`: `[t, u]`; `states`: `[t, s]`
    pub fn one_step_error(&self, initial: &[f64], inputs: &[f32], states: &[f32]) -> f64 {
        let s = initial.len();
        let wide = |x: &[f32]| x.iter().map(|x| *x as f64).collect::<Vec<f64>>();
        let mut before = initial.to_vec();
        let mut errors = Vec::new();
        for (h, u) in states.chunks_exact(s).zip(inputs.chunks_exact(self.at_rest.len())) {
            let h = wide(h);
            let Some((nearest, _)) = self.nearest(&before) else { return f64::NAN };
            let l = &self.locals[nearest];
            let away = wide(u).into_iter().zip(&self.at_rest).map(|(u, r)| u - r).collect();
            let moved = Vector::from_column_slice(&before) - &l.point;
            let next = &l.next + &l.by_state * moved + &l.by_input * Vector::from_vec(away);
            let truth = Vector::from_column_slice(&h);
            let error = (&next - &truth).norm() / truth.norm();
            if error.is_finite() {
                errors.push(error);
            }
            before = h;
        }
        summary::mean(&errors)
    }
}

/// Groups of points that hang together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Clusters {
    /// Which group each point is in; `None`: in none that is large enough.
    pub of: Vec<Option<usize>>,
    /// For each group, largest first, the point nearest to its mean.
    pub centres: Vec<usize>,
    /// Points of each.
    pub sizes: Vec<usize>,
}

/// Points within `near` of each other are of one group, and so are those that a chain of such points joins.
///
/// * `near`: in units of the root mean square distance of the points from their mean
/// * `least`: share of the points that makes a group; smaller ones are scattered points
pub fn clusters(points: &[Vec<f64>], near: f64, least: f64) -> Clusters {
    let m = points.len();
    let Some(first) = points.first() else { return Clusters::default() };
    let mean_of = |members: &mut dyn Iterator<Item = usize>| {
        let (mut sum, mut n) = (vec![0.0; first.len()], 0.0);
        for i in members {
            sum.iter_mut().zip(&points[i]).for_each(|(s, x)| *s += x);
            n += 1.0;
        }
        sum.iter().map(|s| s / n).collect::<Vec<f64>>()
    };
    let square = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
    let mean = mean_of(&mut (0..m));
    let spread = points.iter().map(|p| square(p, &mean)).sum::<f64>() / m as f64;
    let within = near * near * spread;
    let neighbours: Vec<Vec<usize>> = (0..m)
        .into_par_iter()
        .map(|i| (0..i).filter(|&j| square(&points[i], &points[j]) <= within).collect())
        .collect();
    let mut parent: Vec<usize> = (0..m).collect();
    fn root(parent: &mut [usize], mut i: usize) -> usize {
        while parent[i] != i {
            parent[i] = parent[parent[i]];
            i = parent[i];
        }
        i
    }
    for (i, near) in neighbours.iter().enumerate() {
        for &j in near {
            let (a, b) = (root(&mut parent, i), root(&mut parent, j));
            parent[a.max(b)] = a.min(b);
        }
    }
    let mut groups = std::collections::BTreeMap::<usize, Vec<usize>>::new();
    for i in 0..m {
        groups.entry(root(&mut parent, i)).or_default().push(i);
    }
    let fewest = (least * m as f64).ceil().max(1.0) as usize;
    let mut groups: Vec<Vec<usize>> = groups.into_values().filter(|g| g.len() >= fewest).collect();
    groups.sort_by_key(|g| std::cmp::Reverse(g.len()));
    let mut found = Clusters { of: vec![None; m], ..Clusters::default() };
    for (c, group) in groups.iter().enumerate() {
        group.iter().for_each(|&i| found.of[i] = Some(c));
        let mean = mean_of(&mut group.iter().copied());
        let far = |&&i: &&usize| square(&points[i], &mean);
        let centre = group.iter().min_by(|a, b| far(a).total_cmp(&far(b)));
        found.centres.push(*centre.expect("a group has points"));
        found.sizes.push(group.len());
    }
    found
}

/// How much of an input enters the slow modes at a point: `√Σ_a |ℓ_aᵀ J_inp u|²` over the first `modes` left
/// eigenvectors, each of unit length.
///
/// * `effective`: `J_inp u`, `[s]`
pub fn selected(near: &Linearisation, effective: &[f64], modes: usize) -> f64 {
    let of = |a: usize| {
        let length = near.eigen.left.column(a).iter().map(|l| l.norm_sqr()).sum::<f64>();
        near.selected(a, effective).norm_sqr() / length
    };
    (0..modes.min(near.eigen.values.len())).map(of).sum::<f64>().sqrt()
}

/// `J_inp u` at a point.
pub fn effective_input(map: &Map, point: &[f64], input: &[f64]) -> Vec<f64> {
    let moved = map.input_jacobian(point) * Vector::from_column_slice(input);
    moved.iter().copied().collect()
}

/// The mode with the largest real part: number, eigenvalue.
pub fn slowest(near: &Linearisation) -> (usize, Complex) {
    let all = near.eigen.values.iter().copied().enumerate();
    all.max_by(|a, b| a.1.re.total_cmp(&b.1.re)).expect("a state has a number at least")
}

/// Axes of context-dependent integration: choice, and both streams, orthonormal in this order.
///
/// The first is the mean right eigenvector of the slowest mode over the points, the others the mean effective inputs
/// of a unit of each stream, by QR.
///
/// * `of`: points with their maps, and `w`, towards which eigenvectors are turned
///
/// Returns `[s, 3]`.
///
/// # Errors
/// What linearising returns.
pub fn axes(of: &[(&Map, &[f64])], readout: &[f64], streams: [usize; 2]) -> Result<Matrix> {
    let mut sums = Matrix::zeros(readout.len(), 3);
    for (map, point) in of {
        let near = Linearisation::at(*map, point, Some(readout))?;
        let (mode, _) = slowest(&near);
        let right: Vector = near.eigen.right.column(mode).map(|z| z.re);
        let sign = right.iter().zip(readout).map(|(r, w)| r * w).sum::<f64>().signum();
        let mut column = sums.column_mut(0);
        column += right * sign;
        let by_input = map.input_jacobian(point);
        for (k, stream) in streams.into_iter().enumerate() {
            let mut column = sums.column_mut(1 + k);
            column += by_input.column(stream);
        }
    }
    let q = sums.clone().qr().q();
    // QR leaves the signs open: along what was averaged.
    let turned = |k: usize| q.column(k) * q.column(k).dot(&sums.column(k)).signum();
    Ok(Matrix::from_columns(&[turned(0), turned(1), turned(2)]))
}

/// Unit selection vector of the slowest mode, its real part turned so that evidence for the readout is positive.
///
/// # Errors
/// What linearising returns.
pub fn selection_vector(map: &Map, point: &[f64], readout: &[f64]) -> Result<Vector> {
    let near = Linearisation::at(map, point, Some(readout))?;
    let (mode, _) = slowest(&near);
    let left: Vector = near.eigen.left.column(mode).map(|z| z.re);
    let along: f64 = near.eigen.right.column(mode).iter().zip(readout).map(|(r, w)| r.re * w).sum();
    Ok(left.normalize() * along.signum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use accrue_cells::{Cell, CellKind};

    /// `h' = W h + A u` of two units and two inputs.
    fn linear(w: [f64; 4], a: [f64; 4]) -> Map {
        let cell = Cell {
            kind: CellKind::Linear,
            units: 2,
            inputs: 2,
            input_weights: a.to_vec(),
            recurrent_weights: w.to_vec(),
            input_bias: vec![0.0; 2],
            recurrent_bias: vec![0.0; 2],
        };
        Map::new(&cell, &[0.0, 0.0]).unwrap()
    }

    #[test]
    fn the_relative_error_is_the_mean_of_its_steps() {
        // |(0, 1)|/|(3, 4)| and |(3, 0)|/|(0, 2)|; the step at zero is left out.
        let error =
            relative_error(&[3.0, 4.0, 0.0, 2.0, 0.0, 0.0], &[3.0, 5.0, 3.0, 2.0, 1.0, 1.0], 2);
        assert!((error - (0.2 + 1.5) / 2.0).abs() < 1e-12, "{error}");
    }

    #[test]
    fn one_linear_step_of_a_linear_map_has_no_error_from_any_point() {
        let map = linear([0.9, 0.2, -0.1, 0.5], [1.0, 0.0, 0.5, 2.0]);
        let inputs = [0.3_f32, -0.7, 1.0, 0.2];
        let first = [0.9 + 0.3, -0.1 + 0.15 - 1.4];
        let second =
            [0.9 * first[0] + 0.2 * first[1] + 1.0, -0.1 * first[0] + 0.5 * first[1] + 0.9];
        let states: Vec<f32> = first.iter().chain(&second).map(|x| *x as f32).collect();
        let locals = Locals::at(&map, &[vec![5.0, 5.0], vec![-1.0, 0.0]]);
        assert!(locals.one_step_error(&[1.0, 0.0], &inputs, &states) < 1e-6);
        assert_eq!(locals.nearest(&[4.0, 5.0]), Some((0, 1.0)));
        assert!(Locals::at(&map, &[]).one_step_error(&[1.0, 0.0], &inputs, &states).is_nan());
    }

    #[test]
    fn a_cube_of_clouds_has_eight_clusters_and_scattered_points_are_in_none() {
        let mut points = Vec::new();
        for i in 0..400 {
            let corner = |k: usize| if (i % 8) >> k & 1 == 1 { 1.0 } else { -1.0 };
            let off = |k: usize| 0.05 * ((i * 31 + k * 17) % 13) as f64 / 13.0;
            points.push((0..3).map(|k| corner(k) + off(k)).collect::<Vec<f64>>());
        }
        points.push(vec![0.0, 0.0, 0.0]);
        let found = clusters(&points, 0.25, 0.01);
        assert_eq!((found.centres.len(), found.of[400]), (8, None));
        assert_eq!(found.sizes, [50; 8]);
        assert!((0..400).all(|i| found.of[i] == found.of[i % 8]));
        assert_eq!(clusters(&[], 0.25, 0.01), Clusters::default());
    }

    #[test]
    fn inputs_are_selected_along_the_slow_mode_alone() {
        // Modes: e₁ with .99, e₂ with .1; input 0 moves e₁, input 1 moves e₂.
        let map = linear([0.99, 0.0, 0.0, 0.1], [2.0, 0.0, 0.0, 3.0]);
        let near = Linearisation::at(&map, &[0.0, 0.0], None).unwrap();
        let of = |input: &[f64]| selected(&near, &effective_input(&map, &[0.0, 0.0], input), 1);
        assert!((of(&[1.0, 0.0]) - 2.0).abs() < 1e-12 && of(&[0.0, 1.0]) < 1e-12);
        assert_eq!(slowest(&near).0, 0);
        let selection = selection_vector(&map, &[0.0, 0.0], &[-1.0, 0.0]).unwrap();
        assert!((selection[0] + 1.0).abs() < 1e-12 && selection[1].abs() < 1e-12);
    }

    #[test]
    fn axes_are_those_of_the_slow_mode_and_of_each_stream() {
        // e₁ is slow; streams move e₁ and e₂, or e₁ and e₃, by unlike amounts.
        let cell = Cell {
            kind: CellKind::Linear,
            units: 3,
            inputs: 2,
            input_weights: vec![1.0, 2.0, 3.0, 0.0, 0.0, -4.0],
            recurrent_weights: vec![0.9, 0.0, 0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.1],
            input_bias: vec![0.0; 3],
            recurrent_bias: vec![0.0; 3],
        };
        let map = Map::new(&cell, &[0.0, 0.0]).unwrap();
        let axes = axes(&[(&map, &[0.0; 3])], &[-1.0, 0.0, 0.0], [0, 1]).unwrap();
        // Choice along the readout; of each stream what is left beside the axes before.
        let expected = [[-1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, -1.0]];
        for (k, column) in expected.iter().enumerate() {
            for (i, x) in column.iter().enumerate() {
                assert!((axes[(i, k)] - x).abs() < 1e-12, "{axes}");
            }
        }
    }
}
