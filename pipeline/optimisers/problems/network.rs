//! A feed-forward network as a function of its weights: loss, gradient, and product with the Hessian.
//!
//! Samples lie side by side, `[units, samples]`, so that every inner loop runs along them. A layer is a list of
//! connections, each with the weight it uses: a convolution is one whose connections share weights. Layers have tanh
//! between them; the loss is the mean logistic loss of one output, or the mean cross-entropy of several.

use super::{Real, logistic, normal, softplus};
use crate::seed::Stream;
use pulp::Arch;
use std::sync::Arc;

/// From unit `from` below to unit `to`, by the weight at `weight` among all parameters.
#[derive(Clone, Copy, Debug)]
struct Connection {
    to: u32,
    from: u32,
    weight: u32,
}

/// One layer.
#[derive(Clone, Debug)]
struct Layer {
    outputs: usize,
    connections: Vec<Connection>,
    /// Where each output's bias lies among all parameters.
    biases: Vec<u32>,
}

/// How units are connected, the same for all problems of a task.
#[derive(Clone, Debug, Default)]
pub(super) struct Shape {
    layers: Vec<Layer>,
    /// Standard deviation of each parameter at the start: the root of one over the inputs of a weight's unit; 0 for
    /// biases.
    deviations: Vec<f64>,
    inputs: usize,
}

impl Shape {
    /// Fully connected layers. Parameters: a layer after the other, `W [out, in]`, row-major, then `b [out]`.
    pub(super) fn dense(sizes: &[usize]) -> Self {
        let mut shape = Self { inputs: sizes[0], ..Self::default() };
        sizes[1..].iter().for_each(|&outputs| shape.add_dense(outputs));
        shape
    }

    /// For `inputs` units, with no layer yet.
    pub(super) fn new(inputs: usize) -> Self {
        Self { inputs, ..Self::default() }
    }

    fn below(&self) -> usize {
        self.layers.last().map_or(self.inputs, |l| l.outputs)
    }

    /// Adds a layer in which every unit sees all below.
    pub(super) fn add_dense(&mut self, outputs: usize) {
        let (inputs, first) = (self.below(), self.parameters());
        let all = (0..outputs).flat_map(|to| (0..inputs).map(move |from| (to, from)));
        let connections = all.map(|(to, from)| Connection {
            to: to as u32,
            from: from as u32,
            weight: (first + to * inputs + from) as u32,
        });
        let connections = connections.collect();
        let biases = (0..outputs).map(|to| (first + inputs * outputs + to) as u32).collect();
        self.deviations.extend(vec![1.0 / (inputs as f64).sqrt(); inputs * outputs]);
        self.deviations.extend(vec![0.0; outputs]);
        self.layers.push(Layer { outputs, connections, biases });
    }

    /// Adds a convolution of `width × width` with a stride, without padding, from images `[channels, side, side]`;
    /// returns the side of its own. Parameters: `W [out, in, width, width]`, then `b [out]`.
    pub(super) fn add_convolution(
        &mut self,
        (channels, side): (usize, usize),
        outputs: usize,
        width: usize,
        stride: usize,
    ) -> usize {
        let (first, own) = (self.parameters(), (side - width) / stride + 1);
        let area = width * width;
        let (mut connections, mut biases) = (Vec::new(), Vec::new());
        for o in 0..outputs {
            for (y, x) in (0..own).flat_map(|y| (0..own).map(move |x| (y, x))) {
                let to = (o * own + y) * own + x;
                biases.push((first + outputs * channels * area + o) as u32);
                for c in 0..channels {
                    for (dy, dx) in (0..width).flat_map(|a| (0..width).map(move |b| (a, b))) {
                        let from = (c * side + stride * y + dy) * side + stride * x + dx;
                        let weight = first + ((o * channels + c) * width + dy) * width + dx;
                        connections.push(Connection {
                            to: to as u32,
                            from: from as u32,
                            weight: weight as u32,
                        });
                    }
                }
            }
        }
        let fan = channels * area;
        self.deviations.extend(vec![1.0 / (fan as f64).sqrt(); outputs * fan]);
        self.deviations.extend(vec![0.0; outputs]);
        self.layers.push(Layer { outputs: outputs * own * own, connections, biases });
        own
    }

    /// Parameters of all layers.
    pub(super) fn parameters(&self) -> usize {
        self.deviations.len()
    }

    /// Parameters at the start.
    pub(super) fn initial(&self, stream: &mut Stream) -> Vec<f64> {
        let drawn = normal(stream, self.parameters());
        drawn.into_iter().zip(&self.deviations).map(|(x, d)| x * d).collect()
    }
}

/// A network with the samples it is asked about.
pub(super) struct Network<R> {
    pub shape: Arc<Shape>,
    /// `[inputs, samples]`.
    pub inputs: Vec<R>,
    /// Class of each sample; of a single output 0 or 1.
    pub labels: Vec<usize>,
    /// Factor of the parameters' Euclidean norm (not squared) in the loss.
    pub penalty: R,
    /// `x_0`.
    pub start: Vec<R>,
}

/// `Σ a_i b_i` in sixteen sums, so that it is done in vectors.
#[inline(always)]
fn long_dot<R: Real>(a: &[R], b: &[R]) -> R {
    let mut sums = [R::zero(); 16];
    let (a16, b16) = (a.chunks_exact(16), b.chunks_exact(16));
    let rest: R = a16.remainder().iter().zip(b16.remainder()).map(|(a, b)| *a * *b).sum();
    for (a, b) in a16.zip(b16) {
        for k in 0..16 {
            sums[k] += a[k] * b[k];
        }
    }
    sums.into_iter().sum::<R>() + rest
}

/// `to += factor · from`.
#[inline(always)]
fn add_scaled<R: Real>(to: &mut [R], factor: R, from: &[R]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * *f);
}

/// Values of all layers, the inputs left out.
type Values<R> = Vec<Vec<R>>;

impl<R: Real> Network<R> {
    fn samples(&self) -> usize {
        self.labels.len()
    }

    /// Unit `unit` of the layer below `l`.
    #[inline(always)]
    fn below<'a>(&'a self, values: &'a Values<R>, l: usize, unit: u32) -> &'a [R] {
        let s = self.samples();
        let all = if l == 0 { &self.inputs } else { &values[l - 1] };
        &all[unit as usize * s..][..s]
    }

    /// Values of every layer; the last are the outputs before the loss.
    #[inline(always)]
    fn forward(&self, x: &[R]) -> Values<R> {
        let (s, layers) = (self.samples(), &self.shape.layers);
        let mut values: Values<R> = Vec::with_capacity(layers.len());
        for (l, layer) in layers.iter().enumerate() {
            let mut z = vec![R::zero(); layer.outputs * s];
            for (z, bias) in z.chunks_mut(s).zip(&layer.biases) {
                z.fill(x[*bias as usize]);
            }
            for c in &layer.connections {
                let a = self.below(&values, l, c.from);
                add_scaled(&mut z[c.to as usize * s..][..s], x[c.weight as usize], a);
            }
            if l + 1 < layers.len() {
                z.iter_mut().for_each(|z| *z = z.hyperbolic_tangent());
            }
            values.push(z);
        }
        values
    }

    /// Probabilities of the outputs, `[outputs, samples]`, and the mean loss.
    #[inline(always)]
    fn probabilities(&self, outputs: &[R]) -> (Vec<R>, R) {
        let s = self.samples();
        let share = R::one() / R::of(s as f64);
        let mut loss = R::zero();
        if outputs.len() == s {
            for (z, &label) in outputs.iter().zip(&self.labels) {
                loss += softplus(*z) - if label == 1 { *z } else { R::zero() };
            }
            return (outputs.iter().map(|z| logistic(*z)).collect(), loss * share);
        }
        let (mut p, classes) = (outputs.to_vec(), outputs.len() / s);
        for d in 0..s {
            let largest = (0..classes).map(|k| p[k * s + d]).fold(R::neg_infinity(), R::max);
            let sum: R = (0..classes).map(|k| (p[k * s + d] - largest).exp()).sum();
            loss += sum.ln() + largest - p[self.labels[d] * s + d];
            for k in 0..classes {
                p[k * s + d] = (p[k * s + d] - largest).exp() / sum;
            }
        }
        (p, loss * share)
    }

    /// The gradient of the mean loss by the outputs: `(p − y)/samples`.
    #[inline(always)]
    fn errors(&self, mut p: Vec<R>) -> Vec<R> {
        let s = self.samples();
        let share = R::one() / R::of(s as f64);
        let single = p.len() == s;
        for (d, &label) in self.labels.iter().enumerate() {
            let at = if single { d } else { label * s + d };
            let hit = !single || label == 1;
            p[at] = p[at] - if hit { R::one() } else { R::zero() };
        }
        p.iter_mut().for_each(|d| *d *= share);
        p
    }

    #[inline(always)]
    fn loss_and_gradient(&self, x: &[R], gradient: &mut [R]) -> R {
        let (s, layers) = (self.samples(), &self.shape.layers);
        let values = self.forward(x);
        let (p, loss) = self.probabilities(values.last().expect("a network has layers"));
        let mut d = self.errors(p);
        gradient.fill(R::zero());
        for (l, layer) in layers.iter().enumerate().rev() {
            for (d, bias) in d.chunks(s).zip(&layer.biases) {
                gradient[*bias as usize] += d.iter().copied().sum();
            }
            let mut up = vec![R::zero(); if l > 0 { values[l - 1].len() } else { 0 }];
            for c in &layer.connections {
                let d = &d[c.to as usize * s..][..s];
                gradient[c.weight as usize] += long_dot(d, self.below(&values, l, c.from));
                if l > 0 {
                    add_scaled(&mut up[c.from as usize * s..][..s], x[c.weight as usize], d);
                }
            }
            if l > 0 {
                up.iter_mut().zip(&values[l - 1]).for_each(|(u, a)| *u *= R::one() - *a * *a);
                d = up;
            }
        }
        loss
    }

    /// `R{·}` of each line of [`Network::loss_and_gradient`] along `v` (Pearlmutter 1994).
    #[inline(always)]
    fn directional(&self, x: &[R], v: &[R], out: &mut [R]) {
        let (s, layers) = (self.samples(), &self.shape.layers);
        let share = R::one() / R::of(s as f64);
        let values = self.forward(x);
        let mut moved: Values<R> = Vec::with_capacity(layers.len());
        for (l, layer) in layers.iter().enumerate() {
            let mut rz = vec![R::zero(); layer.outputs * s];
            for (rz, bias) in rz.chunks_mut(s).zip(&layer.biases) {
                rz.fill(v[*bias as usize]);
            }
            for c in &layer.connections {
                let rz = &mut rz[c.to as usize * s..][..s];
                add_scaled(rz, v[c.weight as usize], self.below(&values, l, c.from));
                if l > 0 {
                    add_scaled(rz, x[c.weight as usize], self.below(&moved, l, c.from));
                }
            }
            if l + 1 < layers.len() {
                rz.iter_mut().zip(&values[l]).for_each(|(r, a)| *r *= R::one() - *a * *a);
            }
            moved.push(rz);
        }
        let last = layers.len() - 1;
        let (p, _) = self.probabilities(&values[last]);
        let mut rd = vec![R::zero(); p.len()];
        let classes = p.len() / s;
        for d in 0..s {
            // Of one output σ' ż; of several p_k (ż_k − Σ_j p_j ż_j).
            let z = |k: usize| moved[last][k * s + d];
            let mean: R = (0..classes).map(|k| p[k * s + d] * z(k)).sum();
            for k in 0..classes {
                rd[k * s + d] = share * p[k * s + d] * (z(k) - mean);
            }
        }
        let mut d = self.errors(p);
        out.fill(R::zero());
        for (l, layer) in layers.iter().enumerate().rev() {
            for (rd, bias) in rd.chunks(s).zip(&layer.biases) {
                out[*bias as usize] += rd.iter().copied().sum();
            }
            let below = if l > 0 { values[l - 1].len() } else { 0 };
            let (mut up, mut r_up) = (vec![R::zero(); below], vec![R::zero(); below]);
            for c in &layer.connections {
                let (to, from, w) = (c.to as usize * s, c.from as usize * s, c.weight as usize);
                let (d, rd) = (&d[to..][..s], &rd[to..][..s]);
                out[w] += long_dot(rd, self.below(&values, l, c.from));
                if l > 0 {
                    out[w] += long_dot(d, self.below(&moved, l, c.from));
                    add_scaled(&mut up[from..][..s], x[w], d);
                    add_scaled(&mut r_up[from..][..s], v[w], d);
                    add_scaled(&mut r_up[from..][..s], x[w], rd);
                }
            }
            if l > 0 {
                for k in 0..below {
                    let (a, ra) = (values[l - 1][k], moved[l - 1][k]);
                    let slope = R::one() - a * a;
                    r_up[k] = r_up[k] * slope - R::of(2.0) * up[k] * a * ra;
                    up[k] *= slope;
                }
                (d, rd) = (up, r_up);
            }
        }
    }
}

impl<R: Real> super::Problem<R> for Network<R> {
    fn start(&self) -> &[R] {
        &self.start
    }

    fn evaluate(&self, x: &[R], gradient: &mut [R]) -> R {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                let value = self.loss_and_gradient(x, gradient);
                let norm = long_dot(x, x).sqrt();
                if norm > R::zero() {
                    add_scaled(gradient, self.penalty / norm, x);
                }
                value + self.penalty * norm
            },
        )
    }

    /// Of the penalty `λ‖x‖`: `λ (v − x̂ x̂ᵀ v)/‖x‖`.
    fn hessian_product(&self, x: &[R], v: &[R], out: &mut [R]) {
        Arch::new().dispatch(
            #[inline(always)]
            || {
                self.directional(x, v, out);
                let norm = long_dot(x, x).sqrt();
                if norm > R::zero() {
                    let along = long_dot(x, v) / (norm * norm);
                    add_scaled(out, self.penalty / norm, v);
                    add_scaled(out, -self.penalty / norm * along, x);
                }
            },
        );
    }
}
