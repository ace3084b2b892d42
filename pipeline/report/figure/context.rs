//! Where modifiers move the state, and how words count at both ends.

use super::Figure;
use super::axes::{self, area, chart, colour, dots, key, line, range};
use crate::Result;
use crate::records::{Frame, ModifierSubspace, Positions};
use crate::report::plot::{Plot, Series};
use plotters::prelude::*;

/// Modifiers named in the drawing, of each kind.
const NAMED: usize = 8;

/// Modifiers in their subspace; none for fewer than two.
pub fn subspace(table: &Frame<ModifierSubspace>) -> Result<Option<Figure>> {
    let (words, gain) = (table.word()?, table.gain()?);
    let (first, second) = (table.s_1()?, table.s_2()?);
    if words.len() < 2 {
        return Ok(None);
    }
    // Beside the only direction of a subspace stands what the words do.
    let single = second.iter().all(|s| s.is_nan());
    let at = |i: usize| (first[i], if single { gain[i] } else { second[i] });
    let all: Vec<(f64, f64)> = (0..words.len()).map(at).collect();
    let groups = [("turn the next words (gain below 0)", 1), ("strengthen them", 0)];
    let group = |i: usize| (gain[i] >= 0.0) as usize;
    let across = "direction 1 of the modifier subspace";
    let up = if single { "gain on the next words" } else { "direction 2 of the modifier subspace" };
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let keys = groups.map(|(name, c)| key(colour(c), name));
        let mut chart = chart(
            &area,
            &keys,
            (range(all.iter().map(|p| p.0).chain([0.0])), across),
            (range(all.iter().map(|p| p.1).chain([0.0])), up),
        );
        for (g, (_, c)) in groups.iter().enumerate() {
            let own = (0..words.len()).filter(|&i| group(i) == g).map(|i| all[i]);
            dots(&mut chart, own, 4, colour(*c).mix(0.8).filled());
        }
        dots(&mut chart, [(0.0, 0.0)], 4, axes::INK.filled());
        // The table is sorted, strongest first.
        let side = |g: usize| (0..words.len()).filter(move |&i| group(i) == g).take(NAMED);
        let named = side(0).chain(side(1)).map(|i| (all[i], words[i].as_str()));
        axes::names(&mut chart, named, axes::GREY);
        area.present().expect("drawing into text cannot fail");
    }
    let mut series = groups.map(|(name, c)| Series::points(name, axes::css(c), 8.0, 0.8));
    for i in 0..words.len() {
        let text = format!("{}: gain {:+.3}", words[i], gain[i]);
        series[group(i)].add(all[i].0, all[i].1, text);
    }
    let first = |column: Vec<f64>| column.first().copied().unwrap_or(f64::NAN);
    let (directions, inside) = (table.directions()?.first().copied().unwrap_or(0), table.inside()?);
    let share = first(table.share_1()?);
    let share = if single { share } else { share + first(table.share_2()?) };
    let mean = inside.iter().sum::<f64>() / inside.len() as f64;
    let share = 100.0 * share;
    let held = match single {
        true => format!("The direction across holds {share:.0} %"),
        false => format!("{directions:.0} directions hold 90 %, the two drawn {share:.0} %"),
    };
    Ok(Some(Figure {
        name: "modifier_subspace",
        title: "Where modifiers move the state",
        caption: format!(
            "{} words beyond 99 % of the null: what they do to the state besides what words of \
             their valence do, the direction of the line left aside. {held} of it; of a \
             modifier's displacement {mean:.2} of the length lies in the subspace. Black: words that modify \
             nothing.",
            words.len()
        ),
        alt: format!("Scatter plot of {} modifiers in two directions.", words.len()),
        tables: &[ModifierSubspace::NAME],
        svg,
        plot: Some(Plot { series: series.into(), x: across, y: up, equal: false, search: true }),
    }))
}

/// How much words count at the beginning and at the end.
pub fn positions(table: &Frame<Positions>) -> Result<Figure> {
    let (from, words) = (table.from()?, axes::numbers(&table.words()?));
    let (gain, blocked) = (table.gain()?, table.gain_blocked()?);
    let of = |end: &str, values: &[f64]| -> Vec<(f64, f64)> {
        let rows = (0..from.len()).filter(|&i| from[i] == end && !values[i].is_nan());
        rows.map(|i| (words[i], values[i])).collect()
    };
    let curves = [
        (of("beginning", &gain), colour(0), "from the beginning"),
        (of("beginning", &blocked), colour(5), "from the beginning, modifier subspace removed"),
        (of("end", &gain), colour(1), "from the end"),
    ];
    let mut svg = String::new();
    {
        let area = area(&mut svg);
        let shown = curves.iter().filter(|c| !c.0.is_empty());
        let keys: Vec<_> = shown.map(|c| key(c.1, c.2)).collect();
        let all = gain.iter().chain(&blocked).copied().filter(|g| !g.is_nan());
        let mut chart = chart(
            &area,
            &keys,
            (range(words.iter().copied()), "words from that end"),
            (range(all.chain([0.0, 1.0])), "gain against a word in the middle"),
        );
        let ends = words.iter().copied().fold(0.0, f64::max);
        line(&mut chart, &[(0.0, 1.0), (ends, 1.0)], axes::GREY.stroke_width(1));
        for (points, colour, _) in &curves {
            line(&mut chart, points, colour.stroke_width(3));
        }
        area.present().expect("drawing into text cannot fail");
    }
    let inside = table.initial_inside()?.first().copied().unwrap_or(f64::NAN);
    let inside = match inside {
        x if x.is_nan() => String::new(),
        x => format!(
            " The initial state's distance to the line lies in the modifier subspace by {x:.2} of \
             its length."
        ),
    };
    Ok(Figure {
        name: "positions",
        title: "Words at the beginning and at the end",
        caption: format!(
            "What probe words leave behind after some more tokens, against what they leave behind in \
             the middle of a document (1). From the beginning: they follow the trained initial state \
             and a few held inputs. From the end: what they have added when as many words are still \
             to come, part of which is forgotten soon.{inside}"
        ),
        alt: format!("Gain of words at {} places from either end.", from.len() / 2),
        tables: &[Positions::NAME],
        svg,
        plot: None,
    })
}
