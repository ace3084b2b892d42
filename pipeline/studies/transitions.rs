//! Stage `transitions`: how orbits end under each held input, and what leads where from the saddles.

use super::text::{FixedPointProblem, logits, read_axes};
use crate::Result;
use crate::analyses::flow::{Closed, Transitions, ending, graph, reached};
use crate::dynamics::Map;
use crate::dynamics::cycles::Cycle;
use crate::dynamics::finder::median_norm;
use crate::dynamics::graph::{Direction, Edge, End, Graph};
use crate::engine::StageOutput;
use crate::geometry::Pca;
use crate::records::{self, column, keys};
use std::path::Path;

/// States of a cycle that are kept to be drawn.
const DRAWN: usize = 256;

/// A cycle or circle, and under which input.
struct Row {
    input: String,
    closed: Closed,
    starts: usize,
}

/// Fixed points, the unstable modes of each, and its row in the table.
type Points = (Vec<Vec<f64>>, Vec<usize>, Vec<usize>);

/// A network whose fixed points are in the table, and what it says at a state.
pub(super) struct Flow<'a> {
    pub problem: &'a FixedPointProblem<'a>,
    pub settings: &'a Transitions,
    /// Name of what the outputs say.
    pub label: &'a dyn Fn(&[f64]) -> String,
}

impl Flow<'_> {
    /// Writes tables `orbits`, `cycles`, `transitions` and `saddles`.
    pub fn write(&self, folder: &Path) -> Result<StageOutput> {
        let states = records::States::read(folder)?.state()?;
        let visited: Vec<&[f64]> = states.iter().map(Vec::as_slice).collect();
        let FixedPointProblem { cell, inputs, seed, .. } = self.problem;
        let (mut counts, mut rows): (Vec<_>, Vec<Row>) = (Vec::new(), Vec::new());
        for (held, input) in inputs {
            let found = ending(&Map::new(cell, input)?, &visited, self.settings, *seed)?;
            counts.push((held.as_str(), found.counts));
            let row = |(closed, starts)| Row { input: held.clone(), closed, starts };
            rows.extend(found.closed.into_iter().map(row));
        }
        // Those of the first input stand first: the graph counts them so.
        let of_first = |r: &&Row| r.input == inputs[0].0;
        let known: Vec<&Closed> = rows.iter().filter(of_first).map(|r| &r.closed).collect();
        let (points, unstable, row_of) = self.points(folder)?;
        let scale = median_norm(visited.iter().copied());
        let map = Map::new(cell, &inputs[0].1)?;
        let found = graph(&map, &points, &known, scale, self.settings, *seed)?;
        let closed = known.len();
        let saddles = (0..points.len()).filter(|&i| unstable[i] > 0);
        let files = vec![
            write_orbits(folder, &counts)?,
            write_cycles(folder, &rows, &read_axes(folder)?.0)?,
            self.write_edges(folder, &found, &row_of, closed)?,
            self.write_saddles(folder, &found, &row_of)?,
        ];
        let ended = found.edges.iter().filter(|e| matches!(e.end, End::Point(_) | End::Cycle(_)));
        Ok(StageOutput::files(files)
            .with(keys::TRANSITIONS_SADDLES, saddles.count() as f64)
            .with(keys::TRANSITIONS_ATTRACTORS, (found.attractors().count() + closed) as f64)
            .with(keys::TRANSITIONS_ORBITS, found.edges.len() as f64)
            .with(keys::TRANSITIONS_LEFT_OUT, found.left_out as f64)
            .with(keys::TRANSITIONS_ENDED, ended.count() as f64)
            .with(keys::CYCLES_COUNT, rows.len() as f64))
    }

    /// Proved fixed points of the first input, with their unstable modes and rows: those that attract, and saddles as far
    /// as the settings go.
    fn points(&self, folder: &Path) -> Result<Points> {
        let table = records::FixedPoints::read(folder)?;
        let (input, tolerance, certified) =
            (table.input()?, table.tolerance()?, table.certified()?);
        let (unstable, states) = (table.unstable()?, table.state()?);
        let smallest = self.problem.settings.finder.smallest();
        let (mut points, mut modes, mut rows) = (Vec::new(), Vec::new(), Vec::new());
        let mut saddles = 0;
        for i in 0..states.len() {
            let proved = certified[i] == Some(true) && tolerance[i] == smallest;
            let Some(k) = unstable[i].filter(|_| proved && input[i] == self.problem.inputs[0].0)
            else {
                continue;
            };
            saddles += (k > 0) as usize;
            if k == 0 || saddles <= self.settings.saddles {
                points.push(states[i].clone());
                modes.push(k);
                rows.push(i);
            }
        }
        Ok((points, modes, rows))
    }

    /// What the network says at an attractor: at the mean output of a cycle.
    fn said(&self, states: &[Vec<f64>]) -> String {
        let mut mean = vec![0.0; states[0].len()];
        for state in states {
            mean.iter_mut().zip(state).for_each(|(m, x)| *m += x / states.len() as f64);
        }
        (self.label)(&logits(&self.problem.readout, &mean))
    }

    fn write_edges(
        &self,
        folder: &Path,
        graph: &Graph,
        row_of: &[usize],
        closed: usize,
    ) -> Result<String> {
        let edges = &graph.edges;
        let phase = |e: &Edge| match e.direction {
            Direction::Mode { mode, phase } => Some((mode, phase)),
            Direction::Drawn(_) => None,
        };
        let end = |e: &Edge| match e.end {
            End::Point(_) => "point",
            End::Cycle(_) => "cycle",
            End::Diverged => "diverged",
            End::Unended => "unended",
        };
        let label = |e: &Edge| match e.end {
            End::Point(i) => self.said(std::slice::from_ref(&graph.points[i].state)),
            End::Cycle(i) => self.said(&graph.cycles[i]),
            _ => String::new(),
        };
        let to = |e: &Edge| match e.end {
            End::Point(i) => Some(row_of[i]),
            _ => None,
        };
        let cycle = |e: &Edge| match e.end {
            End::Cycle(i) if i < closed => Some(i),
            _ => None,
        };
        let passes =
            |e: &Edge| -> Vec<f64> { e.passes.iter().map(|p| row_of[p.point] as f64).collect() };
        let passes: Vec<Vec<f64>> = edges.iter().map(passes).collect();
        records::Transitions {
            from: column(edges.iter().map(|e| row_of[e.from])),
            mode: column(edges.iter().map(|e| phase(e).map(|p| p.0))),
            phase: column(edges.iter().map(|e| phase(e).map(|p| p.1))),
            end: column(edges.iter().map(end)),
            to: column(edges.iter().map(to)),
            cycle: column(edges.iter().map(cycle)),
            label: column(edges.iter().map(label).collect::<Vec<_>>().iter().map(String::as_str)),
            steps: column(edges.iter().map(|e| e.steps)),
            passes: column(passes.iter().map(Vec::as_slice)),
        }
        .write(folder)
    }

    fn write_saddles(&self, folder: &Path, graph: &Graph, row_of: &[usize]) -> Result<String> {
        let saddles = (0..graph.points.len()).filter(|&i| graph.points[i].unstable > 0);
        let rows: Vec<(usize, usize, String, usize)> = saddles
            .map(|i| {
                let (labels, attractors) = reached(graph, i, |states| self.said(states));
                let labels: Vec<String> = labels.into_iter().collect();
                (row_of[i], graph.points[i].unstable, labels.join(" | "), attractors)
            })
            .collect();
        records::Saddles {
            point: column(rows.iter().map(|r| r.0)),
            unstable: column(rows.iter().map(|r| r.1)),
            reaches: column(rows.iter().map(|r| r.2.as_str())),
            attractors: column(rows.iter().map(|r| r.3)),
        }
        .write(folder)
    }
}

fn write_orbits(folder: &Path, counts: &[(&str, [usize; 5])]) -> Result<String> {
    let of = |kind: usize| column(counts.iter().map(move |c| c.1[kind]));
    records::Orbits {
        input: column(counts.iter().map(|c| c.0)),
        starts: column(counts.iter().map(|c| c.1.iter().sum::<usize>())),
        points: of(0),
        cycles: of(1),
        circles: of(2),
        irregular: of(3),
        diverged: of(4),
    }
    .write(folder)
}

fn write_cycles(folder: &Path, rows: &[Row], axes: &Pca) -> Result<String> {
    fn cycle(r: &Row) -> Option<&Cycle> {
        match &r.closed {
            Closed::Cycle(cycle) => Some(cycle),
            Closed::Circle(_) => None,
        }
    }
    let exponents = |r: &Row| match &r.closed {
        Closed::Cycle(_) => Vec::new(),
        Closed::Circle(circle) => circle.exponents.clone(),
    };
    let along = |axis: usize| -> Vec<Vec<f64>> {
        let of = |r: &Row| {
            let states = r.closed.states().iter().take(DRAWN);
            states
                .map(|s| axes.coordinates(s, axis + 1).get(axis).copied().unwrap_or(0.0))
                .collect()
        };
        rows.iter().map(of).collect()
    };
    let (x, y) = (along(0), along(1));
    let exponents: Vec<Vec<f64>> = rows.iter().map(exponents).collect();
    let rotation: Vec<Option<f64>> =
        rows.iter().map(|r| r.closed.rotation()).collect::<Result<_>>()?;
    records::Cycles {
        input: column(rows.iter().map(|r| r.input.as_str())),
        kind: column(rows.iter().map(|r| if cycle(r).is_some() { "cycle" } else { "circle" })),
        period: column(rows.iter().map(|r| Some(cycle(r)?.period()))),
        rotation: column(rotation),
        multiplier: column(rows.iter().map(|r| Some(cycle(r)?.multipliers.first()?.norm()))),
        exponents: column(exponents.iter().map(Vec::as_slice)),
        stable: column(rows.iter().map(|r| cycle(r).is_none_or(|c| c.is_stable()))),
        residual: column(rows.iter().map(|r| Some(cycle(r)?.residual))),
        starts: column(rows.iter().map(|r| r.starts)),
        pc_1: column(x.iter().map(Vec::as_slice)),
        pc_2: column(y.iter().map(Vec::as_slice)),
        state: column(rows.iter().map(|r| r.closed.states()[0].as_slice())),
    }
    .write(folder)
}
