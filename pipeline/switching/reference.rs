//! The loss from its equations, in f64, one sequence after the other, with Jacobians as matrices. Never optimised: the
//! truth that the fused operation is tested against.

use crate::linalg::{Matrix, Vector};
use crate::loss::{Counts, cross_entropy};
use crate::{Activation, Losses, Result, Sequence, Shape, Target, Terms};
use accrue_cells::Map;
use accrue_dynamics::Dynamics;

/// What happens at every step of one sequence.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Steps {
    /// `h_t`, `[t][s]`.
    pub states: Vec<Vector>,
    /// `a_t`.
    pub linear_states: Vec<Vector>,
    /// `e_t`.
    pub expansion_points: Vec<Vector>,
    /// `e_t − F(e_t, u*)`.
    pub residuals: Vec<Vector>,
}

/// One layer after the other: `tanh(z + W z + b)`, `max(0, z + W z + b)` or `z + tanh(W z + b)`.
pub fn expansion_point(shape: &Shape, parameters: &[f64], a: &Vector) -> Vector {
    let s = shape.state();
    let mut z = a.clone();
    for (weights, bias) in shape.ranges().expansion {
        let w = Matrix::from_row_slice(s, s, &parameters[weights]);
        let turned = w * &z + Vector::from_column_slice(&parameters[bias]);
        z = match shape.activation {
            Activation::Tanh => (&z + turned).map(f64::tanh),
            Activation::Relu => (&z + turned).map(|x| x.max(0.0)),
            Activation::Residual => &z + turned.map(f64::tanh),
        };
    }
    z
}

/// Runs one sequence.
///
/// # Errors
/// [`crate::Error::Shape`] or [`crate::Error::NotFinite`] for inputs or weights that cannot be used.
pub fn steps(shape: &Shape, parameters: &[f64], sequence: &Sequence) -> Result<Steps> {
    let wide = |x: &[f32]| x.iter().map(|x| *x as f64).collect::<Vec<f64>>();
    let at_rest = wide(sequence.expansion_input);
    let map = Map::new(&shape.cell(parameters), &at_rest)?;
    let initial = Vector::from_column_slice(&parameters[shape.ranges().initial]);
    let (mut h, mut a) = (initial.clone(), initial);
    let mut found = Steps::default();
    for input in sequence.inputs.chunks(shape.inputs) {
        let input = wide(input);
        h = map.with_input(&input)?.step(h.as_slice());
        let e = expansion_point(shape, parameters, &a);
        let away = Vector::from_vec(input.iter().zip(&at_rest).map(|(u, r)| u - r).collect());
        let next = map.step(e.as_slice());
        let by_state = map.jacobian(e.as_slice()) * (&a - &e);
        a = &e + by_state + map.input_jacobian(e.as_slice()) * away;
        found.residuals.push(&e - next);
        found.states.push(h.clone());
        found.linear_states.push(a.clone());
        found.expansion_points.push(e);
    }
    Ok(found)
}

/// `W h + b`.
pub fn output(shape: &Shape, parameters: &[f64], state: &Vector) -> Vector {
    let of = shape.ranges();
    let w = Matrix::from_row_slice(shape.outputs, shape.state(), &parameters[of.readout_weights]);
    w * state + Vector::from_column_slice(&parameters[of.readout_bias])
}

/// Every term of the loss.
///
/// # Errors
/// As [`steps`].
pub fn terms(shape: &Shape, parameters: &[f64], sequences: &[Sequence]) -> Result<Terms> {
    let counts = Counts::of(sequences, shape.inputs, shape.outputs, shape.state());
    let mut terms = Terms::default();
    for sequence in sequences {
        let found = steps(shape, parameters, sequence)?;
        let last = found.states.len() - 1;
        let loss = |t: usize, state: &Vector| -> f64 {
            let o = output(shape, parameters, state);
            match sequence.target {
                Target::Steps { values, mask } => {
                    let wanted = &values[t * shape.outputs..][..shape.outputs];
                    let errors = o.iter().zip(wanted).map(|(o, y)| (o - *y as f64).powi(2));
                    mask[t] as f64 * errors.sum::<f64>()
                }
                Target::Class(class) if t == last => {
                    cross_entropy(o.as_slice(), class, &mut vec![0.0; shape.outputs])
                }
                Target::Class(_) | Target::Nothing => 0.0,
            }
        };
        for t in 0..=last {
            let (h, a) = (&found.states[t], &found.linear_states[t]);
            terms.rnn += loss(t, h) / counts.outputs;
            terms.jslds += loss(t, a) / counts.outputs;
            terms.expansion += found.residuals[t].norm_squared() / counts.states;
            terms.state += (a - h).norm_squared() / counts.states;
        }
    }
    Ok(terms)
}

/// The loss without the squares of the parameters.
///
/// # Errors
/// As [`steps`].
pub fn loss(
    shape: &Shape,
    parameters: &[f64],
    losses: &Losses,
    sequences: &[Sequence],
) -> Result<f64> {
    Ok(losses.total(&terms(shape, parameters, sequences)?))
}
