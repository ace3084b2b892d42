//! Fixed points of the first meta-model: at middles of groups, over the map, and on the way between middles.

use super::collection::Opened;
use super::inspect::{Placed, middle};
use crate::embedding::clusters::clusters;
use crate::embedding::segment::{self, CriticalMode, Followed};
use crate::embedding::topology::{self, Topology};
use crate::embedding::{self, Measure, Reads, analysis};
use crate::experiment::MetaModel;
use crate::geometry::Pca;
use crate::linalg::Matrix;
use crate::{Result, interrupt, summary};

/// A place on the map where fixed points were sought.
pub struct Stand {
    pub place: String,
    pub theta: Vec<f64>,
    pub at: [f64; 2],
    pub found: Topology,
}

/// A segment between two middles, with its curves.
pub struct Segment {
    pub from: String,
    pub to: String,
    pub curves: Vec<Curve>,
}

/// A curve, seen through the readout.
pub struct Curve {
    pub followed: Followed,
    /// Outputs and their first component at each point.
    pub said: Vec<(Vec<f64>, f64)>,
    /// At each crossing: `θ`, outputs with their first component, the mode.
    pub met: Vec<Met>,
}

/// A crossing, seen through the readout.
pub struct Met {
    pub theta: Vec<f64>,
    pub said: (Vec<f64>, f64),
    pub mode: CriticalMode,
}

/// What was found at places and between them.
pub struct Standing {
    pub stands: Vec<Stand>,
    pub segments: Vec<Segment>,
    pub notes: Vec<String>,
}

/// Members of each middle, with its name: the groups; clusters of the map where there is one group.
fn middles(
    meta: &embedding::MetaModel,
    opened: &Opened,
    notes: &mut Vec<String>,
) -> Result<Vec<(String, Vec<usize>)>> {
    let groups: Vec<(String, Vec<usize>)> = (0..opened.groups.len())
        .map(|g| (opened.groups[g].clone(), opened.of_group(g)))
        .filter(|(_, own)| !own.is_empty())
        .collect();
    if groups.len() > 1 {
        return Ok(groups);
    }
    let originals = opened.originals();
    let distances = analysis::distances(&meta.thetas())?.of(&originals);
    let (of, silhouette) = clusters(&distances);
    let count = of.iter().max().map_or(0, |most| most + 1);
    if count < 2 {
        return Ok(groups);
    }
    notes.push(format!(
        "one group: topology is followed between the middles of {count} clusters of the map (average linkage; their silhouette, {silhouette:.2}, \
         is the largest of 2 to {} clusters)",
        embedding::clusters::MOST
    ));
    let cluster = |c: usize| {
        let own = originals.iter().zip(&of).filter(|(_, o)| **o == c).map(|(i, _)| *i);
        (format!("cluster {}", c + 1), own.collect())
    };
    Ok(groups.into_iter().chain((0..count).map(cluster)).collect())
}

/// The input at which the state is left to itself, as the meta-model reads it.
fn held(meta: &embedding::MetaModel, opened: &Opened) -> Vec<f64> {
    let Reads::Embedded(..) = opened.reads else { return opened.rest.clone() };
    let words = &meta.parameters[meta.layout.words()];
    let u = meta.layout.shape.sizes().inputs();
    let of = |j: usize| {
        opened.rest.iter().enumerate().map(|(w, s)| s * f64::from(words[w * u + j])).sum()
    };
    (0..u).map(of).collect()
}

/// Fixed points at the middles, over a grid where the map has two dimensions, and along the segments between middles.
pub fn standing(
    e: &MetaModel,
    meta: &embedding::MetaModel,
    opened: &Opened,
    placed: &[Placed],
) -> Result<Standing> {
    let mut notes = Vec::new();
    let input = held(meta, opened);
    let middles = middles(meta, opened, &mut notes)?;
    let mut places: Vec<(String, Vec<f32>, [f64; 2])> = Vec::new();
    for (name, own) in &middles {
        let at =
            |c: usize| summary::mean(&own.iter().map(|&i| placed[i].at[c]).collect::<Vec<_>>());
        places.push((name.clone(), middle(meta, own), [at(0), at(1)]));
    }
    places.extend(grid(e, meta, placed));
    let length = opened.length();
    let batch: Vec<usize> = (0..opened.test.len().min(e.inspect.starts)).collect();
    let s = meta.layout.shape.state();
    let mut stands = Vec::new();
    for (place, theta, at) in places {
        interrupt::check("while fixed points were sought")?;
        let traces = meta.emulate(&theta, &opened.test, &batch);
        // One state of each phrase, at another step in each.
        let starts: Vec<Vec<f64>> = traces
            .iter()
            .enumerate()
            .map(|(i, t)| {
                let step = (7 * i + 3) % (t.states.len() / s);
                t.states[step * s..][..s].iter().map(|x| f64::from(*x)).collect()
            })
            .collect();
        let wide: Vec<f64> = theta.iter().map(|x| f64::from(*x)).collect();
        let found = topology::at(meta, &wide, &input, &starts, length)?;
        stands.push(Stand { place, theta: wide, at, found });
    }
    // Where there are clusters, the one group's own middle comes first and is no end of a segment.
    let first = (opened.groups.len() < 2 && middles.len() > 1) as usize;
    let ends = &stands[first.min(middles.len())..middles.len()];
    let segments = segments(e, (meta, &input, opened.measure), ends, &mut notes)?;
    Ok(Standing { stands, segments, notes })
}

/// Places of a grid over the map, where it has two dimensions.
fn grid(
    e: &MetaModel,
    meta: &embedding::MetaModel,
    placed: &[Placed],
) -> Vec<(String, Vec<f32>, [f64; 2])> {
    let mut places = Vec::new();
    if meta.layout.shape.dimension != 2 || e.inspect.grid < 2 {
        return places;
    }
    let range = |c: usize| {
        let values = placed.iter().map(|p| p.at[c]);
        let low = values.clone().fold(f64::INFINITY, f64::min);
        (low, values.fold(f64::NEG_INFINITY, f64::max))
    };
    let (xs, ys) = (range(0), range(1));
    let along = |(low, high): (f64, f64), k: usize| {
        low + (high - low) * k as f64 / (e.inspect.grid - 1) as f64
    };
    for i in 0..e.inspect.grid {
        for j in 0..e.inspect.grid {
            let at = [along(xs, i), along(ys, j)];
            places.push(("grid".into(), vec![at[0] as f32, at[1] as f32], at));
        }
    }
    places
}

/// Curves of fixed points between all pairs of middles, as many as were asked for.
fn segments(
    e: &MetaModel,
    (meta, input, measure): (&embedding::MetaModel, &[f64], Measure),
    ends: &[Stand],
    notes: &mut Vec<String>,
) -> Result<Vec<Segment>> {
    let most = e.inspect.curves;
    if most == 0 || ends.len() < 2 {
        return Ok(Vec::new());
    }
    let pairs: Vec<(&Stand, &Stand)> = (0..ends.len())
        .flat_map(|i| (i + 1..ends.len()).map(move |j| (&ends[i], &ends[j])))
        .collect();
    let left = pairs.len().saturating_sub(e.inspect.segments);
    if left > 0 {
        notes.push(format!(
            "fixed points are followed on {} segments between middles; {left} more are left out (`inspect.segments`)",
            e.inspect.segments
        ));
    }
    let more: usize = ends.iter().map(|s| s.found.fixed.len().saturating_sub(most)).sum();
    if more > 0 {
        notes.push(format!(
            "{most} proved fixed points are followed from each middle; {more} more are left out (`inspect.curves`)"
        ));
    }
    let mut all = Vec::new();
    for (from, to) in pairs.into_iter().take(e.inspect.segments) {
        interrupt::check("while fixed points were followed over the map")?;
        let starts = [from, to].map(|s| &s.found.fixed[..s.found.fixed.len().min(most)]);
        let thetas = [&from.theta[..], &to.theta[..]];
        let found = segment::along(meta, thetas, input, starts, &e.inspect.follow)?;
        let curves = seen(meta, (thetas, input, measure), found)?;
        all.push(Segment { from: from.place.clone(), to: to.place.clone(), curves });
    }
    Ok(all)
}

/// Curves of one segment through the readout.
fn seen(
    meta: &embedding::MetaModel,
    (thetas, input, measure): ([&[f64]; 2], &[f64], Measure),
    found: Vec<Followed>,
) -> Result<Vec<Curve>> {
    let (layout, wide) = (&meta.layout, meta.wide());
    let (s, k) = (layout.shape.state(), layout.shape.outputs);
    let (readout, bias) = (&wide[layout.readout()], &wide[layout.readout_bias()]);
    let outputs = |h: &[f64]| -> Vec<f64> {
        let row = |o: usize| readout[o * s..][..s].iter().zip(h).map(|(w, x)| w * x).sum::<f64>();
        (0..k).map(|o| bias[o] + row(o)).collect()
    };
    // A number added to all logits says nothing.
    let centred = |mut y: Vec<f64>| {
        if measure == Measure::Distribution {
            let mean = summary::mean(&y);
            y.iter_mut().for_each(|y| *y -= mean);
        }
        y
    };
    let all: Vec<f64> = found
        .iter()
        .flat_map(|f| f.branch.points.iter().flat_map(|p| centred(outputs(&p.state))))
        .collect();
    if all.is_empty() {
        let curve = |followed| Curve { followed, said: Vec::new(), met: Vec::new() };
        return Ok(found.into_iter().map(curve).collect());
    }
    let pca = Pca::of(&Matrix::from_row_slice(all.len() / k, k, &all))?;
    let said = |h: &[f64]| {
        let y = outputs(h);
        let first = pca.coordinates(&centred(y.clone()), 1)[0];
        (y, first)
    };
    let theta = |share: f64| -> Vec<f64> {
        thetas[0].iter().zip(thetas[1]).map(|(a, b)| a + share * (b - a)).collect()
    };
    let met = |followed: &Followed| -> Result<Vec<Met>> {
        let of = |event| {
            let crossing: &crate::dynamics::continuation::Event = event;
            let theta = theta(crossing.lambda);
            let mode = segment::critical_mode(meta, &theta, input, crossing)?;
            Ok(Met { theta, said: said(&crossing.state), mode })
        };
        followed.branch.events.iter().map(of).collect()
    };
    found
        .into_iter()
        .map(|followed| {
            Ok(Curve {
                said: followed.branch.points.iter().map(|p| said(&p.state)).collect(),
                met: met(&followed)?,
                followed,
            })
        })
        .collect()
}
