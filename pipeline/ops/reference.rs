//! Every cell from its equation, one token at a time, in candle's own
//! differentiable operations. Never optimised: the truth that the fused
//! operation is tested against, at any precision.

use super::CellKind;
use super::batch::Noise;
use super::sequence::{Entry, Pool, Sizes};
use crate::Result;
use candle_core::Tensor;

/// One step `h' = F(h, x)` for one sequence.
///
/// * `a`: `[G·n]`, the input's share `A x + b_ih`
/// * `state`: `[state]`, `[h; c]` for the LSTM
///
/// Returns the next state `[state]`. Equations, gate order and the default GRU
/// (PyTorch's): see [`CellKind`].
pub fn step(
    kind: CellKind,
    a: &Tensor,
    w: &Tensor,
    b_hh: &Tensor,
    state: &Tensor,
) -> Result<Tensor> {
    let n = w.dim(1)?;
    let h = state.narrow(0, 0, n)?;
    let product = |from: usize, blocks: usize, v: &Tensor| -> Result<Tensor> {
        let w = w.narrow(0, from * n, blocks * n)?;
        Ok((w.matmul(&v.unsqueeze(1)?)?.squeeze(1)? + b_hh.narrow(0, from * n, blocks * n)?)?)
    };
    let block = |v: &Tensor, g: usize| v.narrow(0, g * n, n);
    let gate =
        |v: &Tensor, g: usize| -> Result<Tensor> { logistic(&(block(a, g)? + block(v, g)?)?) };
    let bent = |z: Tensor| -> Result<Tensor> {
        Ok(match kind {
            CellKind::Linear => z,
            CellKind::VanillaRelu
            | CellKind::UgrnnRelu
            | CellKind::GruRelu
            | CellKind::GruResetBeforeRelu
            | CellKind::LstmRelu => z.relu()?,
            CellKind::Vanilla
            | CellKind::Ugrnn
            | CellKind::Gru
            | CellKind::GruResetBefore
            | CellKind::Lstm => z.tanh()?,
        })
    };
    let candidate =
        |v: &Tensor, g: usize| -> Result<Tensor> { bent((block(a, g)? + block(v, g)?)?) };
    // u∘h + (1−u)∘c
    let mix = |u: &Tensor, c: &Tensor| -> Result<Tensor> { Ok(((u * &h)? + (c - (u * c)?)?)?) };
    match kind {
        CellKind::Vanilla | CellKind::VanillaRelu | CellKind::Linear => {
            candidate(&product(0, 1, &h)?, 0)
        }
        CellKind::Ugrnn | CellKind::UgrnnRelu => {
            let w_h = product(0, 2, &h)?;
            mix(&gate(&w_h, 0)?, &candidate(&w_h, 1)?)
        }
        CellKind::Gru | CellKind::GruRelu => {
            let w_h = product(0, 3, &h)?;
            let (r, u) = (gate(&w_h, 0)?, gate(&w_h, 1)?);
            mix(&u, &bent((block(a, 2)? + (r * block(&w_h, 2)?)?)?)?)
        }
        CellKind::GruResetBefore | CellKind::GruResetBeforeRelu => {
            let w_h = product(0, 2, &h)?;
            let (r, u) = (gate(&w_h, 0)?, gate(&w_h, 1)?);
            let w_rh = product(2, 1, &(r * &h)?)?;
            mix(&u, &bent((block(a, 2)? + w_rh)?)?)
        }
        CellKind::Lstm | CellKind::LstmRelu => {
            let c = state.narrow(0, n, n)?;
            let w_h = product(0, 4, &h)?;
            let (i, f) = (gate(&w_h, 0)?, gate(&w_h, 1)?);
            let (g, o) = (candidate(&w_h, 2)?, gate(&w_h, 3)?);
            let c = ((f * c)? + (i * g)?)?;
            let h = (o * c.tanh()?)?;
            Ok(Tensor::cat(&[h, c], 0)?)
        }
    }
}

/// Runs sequences one after another; arguments and result as [`super::fused::run`],
/// with `vectors` given for every token id: `[vocabulary, u]`.
pub fn run(
    sizes: Sizes,
    pool: Pool,
    sequences: &[&[u32]],
    parameters: &Tensor,
    vectors: Option<&Tensor>,
    initial: &Tensor,
    noise: Option<&Noise>,
) -> Result<Tensor> {
    let (rows, u, n) = (sizes.kind.gates() * sizes.units, sizes.inputs(), sizes.units);
    let a = parameters.narrow(0, 0, rows * u)?.reshape((rows, u))?;
    let w = parameters.narrow(0, rows * u, rows * n)?.reshape((rows, n))?;
    let b_ih = parameters.narrow(0, rows * (u + n), rows)?;
    let b_hh = parameters.narrow(0, rows * (u + n + 1), rows)?;
    let longest = sequences.iter().map(|s| s.len()).max().unwrap_or(0);
    let mut pooled = Vec::new();
    for (row, sequence) in sequences.iter().enumerate() {
        let mut state = initial.clone();
        let mut noise = noise.map(|noise| noise.of(row));
        let mut states = Vec::new();
        for &token in *sequence {
            let a_x = match (sizes.entry, vectors) {
                (Entry::Vectors(_), Some(vectors)) => {
                    a.matmul(&vectors.narrow(0, token as usize, 1)?.t()?)?.squeeze(1)?
                }
                _ => a.narrow(1, token as usize, 1)?.squeeze(1)?,
            };
            state = step(sizes.kind, &(a_x + &b_ih)?, &w, &b_hh, &state)?;
            if let Some(noise) = &mut noise {
                let added: Vec<f32> = noise.take(state.dim(0)?).collect();
                let added = Tensor::new(added, state.device())?.to_dtype(state.dtype())?;
                state = (state + added)?;
            }
            states.push(state.clone());
        }
        pooled.push(match pool {
            Pool::Last => state,
            Pool::Mean => Tensor::stack(&states, 0)?.mean(0)?,
            Pool::Every => {
                let zero = state.zeros_like()?;
                states.resize(longest, zero);
                Tensor::stack(&states, 0)?
            }
        });
    }
    Ok(Tensor::stack(&pooled, 0)?)
}

/// `σ(x) = ½ + ½ tanh(x/2)`.
fn logistic(x: &Tensor) -> Result<Tensor> {
    Ok(((x * 0.5)?.tanh()? * 0.5)?.affine(1.0, 0.5)?)
}
