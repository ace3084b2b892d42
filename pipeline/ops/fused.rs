//! The whole-sequence operation as candle sees it: one node of the graph.

use super::Batch;
use super::cuda::Way;
#[cfg(feature = "cuda")]
use super::cuda::{layout, pass};
use super::sequence::{self, Entry, Pool, Saved, Sizes};
use crate::{Error, Result};
use candle_core::{CpuStorage, CustomOp3, Device, Layout, Shape, Tensor};
use std::sync::{Arc, Mutex};

/// Runs `batch` through one cell, differentiably.
///
/// * `parameters`: the cell's parameters end to end, see [`Sizes::split`]
/// * `vectors`: `[distinct, u]` input vectors of `batch.distinct`; `None` for one-hot entry
/// * `initial`: `[state]`, the state before the first token
/// * `gradients`: whether [`Tensor::backward`] will be called on what follows
///
/// Returns the pooled states: `[b, state]`, or `[b, t, state]` for [`Pool::Every`].
///
/// # Errors
/// [`Error::Shape`] if an argument does not fit `sizes` or `batch`; an error of candle's for a batch with noise on a card.
pub fn run(
    sizes: Sizes,
    pool: Pool,
    batch: &Arc<Batch>,
    parameters: &Tensor,
    vectors: Option<&Tensor>,
    initial: &Tensor,
    gradients: bool,
) -> Result<Tensor> {
    run_by(Way::Fast, sizes, pool, batch, parameters, vectors, initial, gradients)
}

/// [`run`] by other kernels of the card; the processor has one way.
///
/// # Errors
/// As [`run`].
#[allow(clippy::too_many_arguments)]
pub fn run_by(
    way: Way,
    sizes: Sizes,
    pool: Pool,
    batch: &Arc<Batch>,
    parameters: &Tensor,
    vectors: Option<&Tensor>,
    initial: &Tensor,
    gradients: bool,
) -> Result<Tensor> {
    let state = sizes.kind.state_size(sizes.units);
    fits("cell parameters", parameters.dims(), &[sizes.parameters()])?;
    fits("initial state", initial.dims(), &[state])?;
    let vectors = match (sizes.entry, vectors) {
        (Entry::Vectors(u), Some(vectors)) => {
            fits("input vectors", vectors.dims(), &[batch.distinct.len(), u])?;
            vectors.clone()
        }
        (Entry::OneHot(v), None) => {
            if let Some(token) = batch.distinct.last().filter(|&&token| token as usize >= v) {
                return Err(Error::shape("token id", token, format!("below {v}, the vocabulary")));
            }
            Tensor::zeros(1, candle_core::DType::F32, parameters.device())?
        }
        (Entry::Vectors(u), None) => {
            return Err(Error::shape("input vectors", "none", format!("[distinct, {u}]")));
        }
        (Entry::OneHot(_), Some(v)) => {
            return Err(Error::shape("input vectors", format!("{:?}", v.dims()), "none (one-hot)"));
        }
    };
    let (batch, saved) = (batch.clone(), Mutex::new(None));
    let op = Recurrence { sizes, pool, batch, saved, gradients, way };
    let (parameters, vectors) = (parameters.contiguous()?, vectors.contiguous()?);
    let initial = initial.contiguous()?;
    Ok(if gradients {
        parameters.apply_op3(&vectors, &initial, op)?
    } else {
        parameters.apply_op3_no_bwd(&vectors, &initial, &op)?
    })
}

fn fits(what: &str, found: &[usize], expected: &[usize]) -> Result<()> {
    if found == expected {
        Ok(())
    } else {
        Err(Error::shape(what, format!("{found:?}"), format!("{expected:?}")))
    }
}

/// What a forward pass leaves for the way back.
enum Kept {
    Processor(Saved),
    #[cfg(feature = "cuda")]
    Card(Box<(pass::Laid, pass::Saved)>),
}

/// The node.
struct Recurrence {
    sizes: Sizes,
    pool: Pool,
    batch: Arc<Batch>,
    /// What the forward pass left for the way back, which uses it up.
    saved: Mutex<Option<Kept>>,
    gradients: bool,
    #[cfg_attr(not(feature = "cuda"), allow(dead_code))]
    way: Way,
}

impl Recurrence {
    fn keep(&self, saved: Option<Kept>) {
        *self.saved.lock().expect("no pass panics while it holds the lock") = saved;
    }

    fn shape(&self) -> Shape {
        sequence::pooled_shape(self.sizes, self.pool, &self.batch)
    }

    #[cfg(feature = "cuda")]
    fn back_on_card(
        &self,
        [parameters, vectors, initial, gradient]: [&Tensor; 4],
        laid: &pass::Laid,
        saved: pass::Saved,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let device = gradient.device().as_cuda_device()?;
        let run = pass::Run::new(device, self.sizes, self.pool, laid, self.way)?;
        let gradient = gradient.contiguous()?;
        let [p, v, i, g] = [parameters, vectors, initial, &gradient].map(pass::tensor_address);
        // SAFETY: shapes were checked on the way forward; `gradient` has that of the result.
        let d = unsafe { run.backward(p?, v?, i?, saved, g?)? };
        let tensor = |numbers, like: &Tensor| pass::tensor(numbers, like.shape(), device);
        let d_vectors = d.vectors.map(|numbers| tensor(numbers, vectors));
        Ok((Some(tensor(d.parameters, parameters)), d_vectors, Some(tensor(d.initial, initial))))
    }
}

impl CustomOp3 for Recurrence {
    fn name(&self) -> &'static str {
        "recurrence"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> candle_core::Result<(CpuStorage, Shape)> {
        let (parameters, vectors) = (numbers(s1, l1)?, numbers(s2, l2)?);
        let initial = numbers(s3, l3)?;
        let (out, saved) = sequence::forward(
            self.sizes,
            self.pool,
            &self.batch,
            parameters,
            vectors,
            initial,
            self.gradients,
        );
        self.keep(saved.map(Kept::Processor));
        Ok((CpuStorage::F32(out), self.shape()))
    }

    #[cfg(feature = "cuda")]
    fn cuda_fwd(
        &self,
        s1: &candle_core::CudaStorage,
        l1: &Layout,
        s2: &candle_core::CudaStorage,
        l2: &Layout,
        s3: &candle_core::CudaStorage,
        l3: &Layout,
    ) -> candle_core::Result<(candle_core::CudaStorage, Shape)> {
        if self.batch.noise.is_some() {
            candle_core::bail!("noise is added to states on the processor alone");
        }
        let device = &s1.device;
        let laid = pass::Laid::new(device, &layout::Stacked::new(&[&self.batch]))?;
        let run = pass::Run::new(device, self.sizes, self.pool, &laid, self.way)?;
        let (parameters, vectors) =
            (pass::storage_address(s1, l1)?, pass::storage_address(s2, l2)?);
        let initial = pass::storage_address(s3, l3)?;
        // SAFETY: `run` of this file has checked the shapes of the three arrays.
        let (out, saved) = unsafe { run.forward(parameters, vectors, initial, self.gradients)? };
        self.keep(saved.map(|saved| Kept::Card(Box::new((laid, saved)))));
        Ok((candle_core::CudaStorage::wrap_cuda_slice(out, device.clone()), self.shape()))
    }

    fn bwd(
        &self,
        parameters: &Tensor,
        vectors: &Tensor,
        initial: &Tensor,
        _: &Tensor,
        gradient: &Tensor,
    ) -> candle_core::Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let saved = self.saved.lock().expect("no pass panics while it holds the lock").take();
        let mut saved = match saved {
            Some(Kept::Processor(saved)) => saved,
            #[cfg(feature = "cuda")]
            Some(Kept::Card(kept)) => {
                let (laid, saved) = *kept;
                return self.back_on_card([parameters, vectors, initial, gradient], &laid, saved);
            }
            None => candle_core::bail!("a recurrence can be run backward once"),
        };
        let (p, v) = (flat(parameters)?, flat(vectors)?);
        let g = flat(gradient)?;
        let wanted = sequence::Wanted::Vectors;
        let (sizes, pool) = (self.sizes, self.pool);
        let d = sequence::backward(sizes, pool, &self.batch, &p, &v, &mut saved, &g, wanted);
        let tensor = |numbers: Vec<f32>, like: &Tensor| {
            Tensor::from_vec(numbers, like.shape(), &Device::Cpu)
        };
        let d_vectors = match self.sizes.entry {
            Entry::Vectors(_) => Some(tensor(d.vectors, vectors)?),
            Entry::OneHot(_) => None,
        };
        Ok((Some(tensor(d.parameters, parameters)?), d_vectors, Some(tensor(d.initial, initial)?)))
    }
}

fn numbers<'a>(storage: &'a CpuStorage, layout: &Layout) -> candle_core::Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((from, to)) => Ok(&storage.as_slice::<f32>()?[from..to]),
        None => candle_core::bail!("a recurrence needs contiguous arguments"),
    }
}

fn flat(tensor: &Tensor) -> candle_core::Result<Vec<f32>> {
    tensor.flatten_all()?.to_vec1::<f32>()
}
