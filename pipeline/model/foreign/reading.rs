//! What a readout reads of the states of a text.
//!
//! `h`: the last state (of an LSTM its `h`); `c`, `hc`, `ch`: an LSTM's `c`, both, both the other way round; `last`,
//! `mean`, `max`: over tokens, several of them side by side with `-`; with two directions `last` is each direction's own
//! last state, `end` what both say at the last token, `sum` and `average` their last states added; `layers`: the last
//! state of every layer.

use crate::whole::{Block, Part, Pooling};

/// The shape of what is read.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub layers: usize,
    pub directions: usize,
    pub units: usize,
    pub lstm: bool,
}

/// A way of reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// As it is typed.
    pub name: String,
    pub blocks: Vec<Block>,
    /// Factor of weights that both directions share, where they are added.
    pub shared: Option<f32>,
}

impl Reading {
    /// Numbers it gives to the readout.
    pub fn width(&self, shape: Shape) -> usize {
        let blocks = self.blocks.len() * shape.units;
        if self.shared.is_some() { blocks / shape.directions } else { blocks }
    }

    /// What was typed; `None` for what is no way of reading such a network.
    pub fn of(name: &str, shape: Shape) -> Option<Self> {
        let top = shape.layers - 1;
        let both = |layer: usize, part: Part, pooling: Pooling| {
            (0..shape.directions).map(move |direction| Block { layer, direction, part, pooling })
        };
        let hidden = |pooling| both(top, Part::Hidden, pooling);
        let cell = || both(top, Part::Cell, Pooling::Last);
        let mut shared = None;
        let blocks: Vec<Block> = match name {
            "h" => hidden(Pooling::Last).collect(),
            "c" if shape.lstm => cell().collect(),
            "hc" if shape.lstm => hidden(Pooling::Last).chain(cell()).collect(),
            "ch" if shape.lstm => cell().chain(hidden(Pooling::Last)).collect(),
            "layers" if shape.layers > 1 => {
                (0..shape.layers).flat_map(|l| both(l, Part::Hidden, Pooling::Last)).collect()
            }
            "sum" | "average" if shape.directions > 1 => {
                shared = Some(if name == "sum" { 1.0 } else { 1.0 / shape.directions as f32 });
                hidden(Pooling::Last).collect()
            }
            _ => {
                let parts = name.split('-').map(|part| {
                    Some(match part {
                        "last" | "h" => Pooling::Last,
                        "end" if shape.directions > 1 => Pooling::End,
                        "mean" => Pooling::Mean,
                        "max" => Pooling::Max,
                        _ => return None,
                    })
                });
                let parts: Vec<Pooling> = parts.collect::<Option<_>>()?;
                parts.into_iter().flat_map(hidden).collect()
            }
        };
        Some(Self { name: name.into(), blocks, shared })
    }

    /// Every way that has a name here and gives `width` numbers.
    pub fn all(shape: Shape, width: usize) -> Vec<Self> {
        let fits = |reading: &Self| reading.width(shape) == width;
        names().iter().filter_map(|name| Self::of(name, shape)).filter(fits).collect()
    }
}

/// Every way that has a name here.
pub fn names() -> Vec<String> {
    let alone = ["last", "end", "mean", "max", "c", "hc", "ch", "layers", "sum", "average"];
    let mut names: Vec<String> = alone.map(String::from).into();
    let over = ["last", "mean", "max"];
    for a in over {
        for b in over.into_iter().filter(|b| *b != a) {
            names.push(format!("{a}-{b}"));
            let third = over.into_iter().filter(|c| *c != a && *c != b);
            names.extend(third.map(|c| format!("{a}-{b}-{c}")));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitting(shape: Shape, width: usize) -> Vec<String> {
        Reading::all(shape, width).into_iter().map(|r| r.name).collect()
    }

    #[test]
    fn twice_the_units_can_be_read_in_as_many_ways_as_there_are() {
        let lstm = Shape { layers: 1, directions: 1, units: 10, lstm: true };
        assert_eq!(fitting(lstm, 10), ["last", "mean", "max", "c"]);
        let pairs = ["last-mean", "last-max", "mean-last", "mean-max", "max-last", "max-mean"];
        assert_eq!(fitting(lstm, 20), [&["hc", "ch"][..], &pairs].concat());
        assert_eq!(fitting(lstm, 30).len(), 6);
        let gru = Shape { lstm: false, ..lstm };
        assert_eq!(fitting(gru, 20), pairs);
        let both = Shape { directions: 2, ..gru };
        assert_eq!(fitting(both, 20), ["last", "end", "mean", "max"]);
        assert_eq!(fitting(both, 10), ["sum", "average"]);
        assert_eq!(fitting(Shape { layers: 2, ..gru }, 20)[0], "layers");
        assert!(fitting(gru, 13).is_empty());
    }
}
