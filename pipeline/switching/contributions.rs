//! What each input of one sequence says at the end, by the linear system: a sum without a rest.
//!
//! With `J_t = J_rec(e_t, u*)`, `B_t = J_inp(e_t, u*)` the linear system is `a_t = J_t a_{t−1} + (I − J_t) e_t + B_t (u_t − u*)`. Its
//! last state is a sum over steps, and so is every output `ô = w a_T + b`:
//!
//! ```text
//! ô = b + λ_0 a_0 + Σ_t λ_t B_t (u_t − u*) + Σ_t λ_t (I − J_t) e_t        λ_T = w,  λ_{t−1} = λ_t J_t
//! ```
//!
//! The first sum is what the inputs say, each as it is read at its expansion point and kept until the end; the second is
//! where the expansion points pull the state to. Which point stands at a step follows from all inputs before it.

use crate::linalg::{Matrix, Vector};
use crate::reference::{output, steps};
use crate::{Result, Sequence, Shape};
use accrue_cells::Map;
use accrue_dynamics::Dynamics;

/// The sum, term by term.
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// `b + λ_0 a_0`, `[k]`.
    pub start: Vec<f64>,
    /// `λ_t B_t (u_t − u*)`, `[t][k]`.
    pub inputs: Vec<Vec<f64>>,
    /// `λ_t (I − J_t) e_t`, `[t][k]`.
    pub points: Vec<Vec<f64>>,
    /// `ô_T`: all of these together, `[k]`.
    pub linear: Vec<f64>,
    /// Outputs of the network before the first step and after each, `[t + 1][k]`.
    pub network: Vec<Vec<f64>>,
    /// `‖e_t − e_{t−1}‖`, `[t]`; 0 at the first step.
    pub moved: Vec<f64>,
}

/// Runs one sequence and takes its last output apart.
///
/// * `parameters`: in f64, [`Shape::parameters`]
///
/// # Errors
/// As [`steps`].
pub fn contributions(
    shape: &Shape,
    parameters: &[f64],
    sequence: &Sequence,
) -> Result<Contributions> {
    let of = shape.ranges();
    let found = steps(shape, parameters, sequence)?;
    let wide = |x: &[f32]| x.iter().map(|x| *x as f64).collect::<Vec<f64>>();
    let at_rest = wide(sequence.expansion_input);
    let map = Map::new(&shape.cell(parameters), &at_rest)?;
    let readout = Matrix::from_row_slice(
        shape.outputs,
        shape.state(),
        &parameters[of.readout_weights.clone()],
    );
    let initial = Vector::from_column_slice(&parameters[of.initial.clone()]);
    let away: Vec<Vector> = sequence
        .inputs
        .chunks(shape.inputs)
        .map(|u| {
            Vector::from_iterator(u.len(), wide(u).into_iter().zip(&at_rest).map(|(u, r)| u - r))
        })
        .collect();
    let (mut inputs, mut points) = (Vec::new(), Vec::new());
    // `[k, s]`: how each output at the end reads the state after step t.
    let mut adjoint = readout;
    for (e, u) in found.expansion_points.iter().zip(&away).rev() {
        let by_state = map.jacobian(e.as_slice());
        let kept = &adjoint * &by_state;
        inputs.push((&adjoint * map.input_jacobian(e.as_slice()) * u).as_slice().to_vec());
        points.push(((&adjoint - &kept) * e).as_slice().to_vec());
        adjoint = kept;
    }
    inputs.reverse();
    points.reverse();
    let bias = Vector::from_column_slice(&parameters[of.readout_bias.clone()]);
    let said = |state: &Vector| output(shape, parameters, state).as_slice().to_vec();
    let moved = std::iter::once(0.0)
        .chain(found.expansion_points.windows(2).map(|e| (&e[1] - &e[0]).norm()))
        .take(found.states.len())
        .collect();
    Ok(Contributions {
        start: (bias + adjoint * &initial).as_slice().to_vec(),
        inputs,
        points,
        linear: said(found.linear_states.last().unwrap_or(&initial)),
        network: std::iter::once(&initial).chain(&found.states).map(said).collect(),
        moved,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::initial::{Initial, parameters};
    use crate::{Activation, CellKind, Target};

    #[test]
    fn the_terms_of_every_cell_add_up_to_what_the_linear_system_says() {
        for kind in CellKind::ALL {
            let shape = Shape {
                kind,
                units: 5,
                inputs: 3,
                outputs: 2,
                layers: 2,
                activation: Activation::Tanh,
            };
            let all: Vec<f64> =
                parameters(&shape, &Initial::default(), 4).iter().map(|x| *x as f64).collect();
            let inputs: Vec<f32> = (0..21).map(|i| (1.7 * i as f32).sin()).collect();
            let sequence = Sequence {
                inputs: &inputs,
                expansion_input: &[0.1, -0.2, 0.3],
                target: Target::Nothing,
            };
            let found = contributions(&shape, &all, &sequence).unwrap();
            assert_eq!((found.inputs.len(), found.moved.len(), found.network.len()), (7, 7, 8));
            for k in 0..2 {
                let sum = |of: &[Vec<f64>]| of.iter().map(|x| x[k]).sum::<f64>();
                let total = found.start[k] + sum(&found.inputs) + sum(&found.points);
                assert!(
                    (total - found.linear[k]).abs() < 1e-12,
                    "{kind:?}: {total} {:?}",
                    found.linear
                );
            }
            // By differences: one input a little larger changes the output by its own term's share, the expansion points
            // of later steps held. The last input moves no expansion point that is read.
            let mut more = inputs.clone();
            let step = 1e-2_f32;
            more[18] += step;
            let moved =
                contributions(&shape, &all, &Sequence { inputs: &more, ..sequence }).unwrap();
            let by =
                (moved.linear[0] - found.linear[0]) - (moved.inputs[6][0] - found.inputs[6][0]);
            assert!(by.abs() < 1e-12, "{kind:?}: {by}");
        }
    }
}
