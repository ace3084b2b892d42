//! The look that all figures share.

use crate::report::escape::on_a_line;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::ops::Range;

/// Width and height of a figure, in pixels of its own coordinates.
pub const SIZE: (u32, u32) = (760, 500);
/// Blank border.
const MARGIN: u32 = 12;
/// Space below and left of the plot for numbers and names of axes.
const BELOW: u32 = 48;
const BESIDE: u32 = 68;
/// Height of a line of the key above the plot.
const KEY_LINE: u32 = 22;
/// Size of text.
const TEXT: u32 = 15;
/// Width of a letter, on average, as a share of the size of text.
const LETTER: f64 = 0.54;

/// Colours that people with any colour vision can tell apart (Okabe & Ito
/// 2008), those first that show on light and dark pages alike.
pub const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(140, 140, 140),
];

/// For what must stand out from everything. The page paints it, and [`PAPER`], in its own
/// colours for dark and light.
pub const INK: RGBColor = RGBColor(20, 20, 20);
/// Around [`INK`], so that it is seen on a crowd of dots.
pub const PAPER: RGBColor = RGBColor(245, 245, 245);
/// Axes and text: readable on light and dark.
pub const GREY: RGBColor = RGBColor(125, 125, 125);

/// Colour of series `i`.
pub fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// Colour of series `i` as CSS has it.
pub fn css(i: usize) -> String {
    in_css(colour(i))
}

/// A colour as CSS has it.
pub fn in_css(RGBColor(r, g, b): RGBColor) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A colour halfway to white.
pub fn lighter(RGBColor(r, g, b): RGBColor) -> RGBColor {
    let half = |x: u8| 128 + x / 2;
    RGBColor(half(r), half(g), half(b))
}

/// A drawing area whose SVG lands in `svg`.
pub fn area(svg: &mut String) -> DrawingArea<SVGBackend<'_>, Shift> {
    SVGBackend::with_string(svg, SIZE).into_drawing_area()
}

/// Text of axes.
pub fn label() -> TextStyle<'static> {
    ("sans-serif", TEXT as i32).into_font().color(&GREY)
}

/// Width of a text in pixels, roughly.
fn width(text: &str) -> f64 {
    text.chars().count() as f64 * LETTER * TEXT as f64
}

/// Counts as places on an axis.
pub fn numbers(counts: &[usize]) -> Vec<f64> {
    counts.iter().map(|&n| n as f64).collect()
}

/// Largest number that is drawn: beyond it the distance of two numbers is none.
const FARTHEST: f64 = 1e100;
/// Least width of an axis, and as a share of its numbers: below, they have no digits to part them.
const NARROWEST: (f64, f64) = (1e-60, 1e-9);

/// From the least to the greatest finite value, with a margin of 5 %.
pub fn range(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = values.into_iter().filter(|x| x.is_finite());
    let finite = finite.map(|x| x.clamp(-FARTHEST, FARTHEST));
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        return 0.0..1.0;
    }
    let narrowest = NARROWEST.0.max(NARROWEST.1 * low.abs().max(high.abs()));
    let wide = high - low > narrowest;
    let margin = if wide { 0.05 * (high - low) } else { 0.5 * high.abs().max(1.0) };
    low - margin..high + margin
}

/// The ranges widened so that a unit is as long across as up: shapes keep their angles.
pub fn equal(x: Range<f64>, y: Range<f64>, key: &[Key]) -> (Range<f64>, Range<f64>) {
    let across = (SIZE.0 - 2 * MARGIN - BESIDE) as f64;
    let up = (SIZE.1 - 2 * MARGIN - BELOW - key_height(key)) as f64;
    let unit = ((x.end - x.start) / across).max((y.end - y.start) / up);
    let widen = |r: Range<f64>, pixels: f64| {
        let (centre, half) = ((r.start + r.end) / 2.0, unit * pixels / 2.0);
        centre - half..centre + half
    };
    (widen(x, across), widen(y, up))
}

/// One entry of the key above the plot.
#[derive(Clone)]
pub struct Key {
    /// Its colour.
    pub colour: RGBColor,
    /// What it stands for.
    pub name: String,
}

/// An entry of the key.
pub fn key(colour: RGBColor, name: impl Into<String>) -> Key {
    Key { colour, name: short(&name.into()) }
}

/// Letters of a name that are drawn.
const LETTERS: usize = 60;

/// A name on one line, cut where it is too long for a figure.
fn short(name: &str) -> String {
    let name = on_a_line(name);
    match name.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{}…", &name[..end]),
        None => name,
    }
}

/// Where each entry stands: line and left edge.
fn places(key: &[Key]) -> Vec<(u32, f64)> {
    let (mut line, mut left) = (0, 0.0);
    let room = (SIZE.0 - 2 * MARGIN - BESIDE) as f64;
    key.iter()
        .map(|k| {
            let needed = width(&k.name) + 34.0;
            if left > 0.0 && left + needed > room {
                (line, left) = (line + 1, 0.0);
            }
            let place = (line, left);
            left += needed;
            place
        })
        .collect()
}

fn key_height(key: &[Key]) -> u32 {
    places(key).last().map_or(0, |(line, _)| (line + 1) * KEY_LINE)
}

/// A chart on two linear axes.
pub type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// How an axis shows its numbers.
pub type Numbers = fn(&f64) -> String;

/// A number as an axis shows it: no zeros that say nothing.
pub fn plain(x: &f64) -> String {
    let text = format!("{x:.3}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".into() } else { text.into() }
}

/// A power of ten as an axis shows it.
pub fn power(x: &f64) -> String {
    let value = 10f64.powf(*x);
    if value >= 9.5 { format!("{value:.0}") } else { format!("{value:.1}") }
}

/// A small power of ten as an axis shows it.
pub fn small_power(x: &f64) -> String {
    let value = 10f64.powf(*x);
    if value >= 0.01 { plain(&value) } else { format!("{value:.0e}") }
}

/// No number: where only the order counts.
pub fn nothing(_: &f64) -> String {
    String::new()
}

/// Axes with names and a light grid, the key above.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn chart<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    key: &[Key],
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
) -> Chart<'a, 'b> {
    chart_with(area, key, x, y, plain)
}

/// The same with other numbers up the side.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn chart_with<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    key: &[Key],
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
    up: Numbers,
) -> Chart<'a, 'b> {
    chart_both(area, key, x, y, (plain, up))
}

/// The same with other numbers along both sides.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn chart_both<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    key: &[Key],
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
    (along, up): (Numbers, Numbers),
) -> Chart<'a, 'b> {
    for (k, (line, left)) in key.iter().zip(places(key)) {
        let at =
            ((MARGIN + BESIDE) as i32 + left as i32 + 6, (MARGIN + line * KEY_LINE) as i32 + 8);
        let style = label().pos(Pos::new(HPos::Left, VPos::Center));
        area.draw(&Circle::new(at, 5, k.colour.filled())).expect("drawing into text cannot fail");
        area.draw(&Text::new(k.name.clone(), (at.0 + 11, at.1), style))
            .expect("drawing into text cannot fail");
    }
    let mut chart = ChartBuilder::on(area)
        .margin(MARGIN)
        .margin_top(MARGIN + key_height(key))
        .x_label_area_size(BELOW)
        .y_label_area_size(BESIDE)
        .build_cartesian_2d(x.0, y.0)
        .expect("drawing into text cannot fail");
    chart
        .configure_mesh()
        .light_line_style(TRANSPARENT)
        .bold_line_style(GREY.mix(0.18))
        .axis_style(GREY)
        .label_style(label())
        .axis_desc_style(label())
        .x_labels(7)
        .y_labels(7)
        .x_label_formatter(&along)
        .y_label_formatter(&up)
        .x_desc(x.1)
        .y_desc(y.1)
        .draw()
        .expect("drawing into text cannot fail");
    chart
}

/// Points of a map, each with the number of what lies there.
pub type Places = Vec<(usize, f64, f64)>;

/// Height of a row of maps.
const ROW: u32 = 320;

/// Maps in one row, each with its name above and an equal scale of its own on both sides, without numbers: places of named points.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn panels(
    maps: &[(String, Places)],
    key: &[Key],
    colour: impl Fn(usize) -> RGBColor,
) -> String {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (SIZE.0, ROW)).into_drawing_area();
        for (k, (line, left)) in key.iter().zip(places(key)) {
            let at = (MARGIN as i32 + left as i32 + 6, (MARGIN + line * KEY_LINE) as i32 + 8);
            let style = label().pos(Pos::new(HPos::Left, VPos::Center));
            area.draw(&Circle::new(at, 5, k.colour.filled()))
                .expect("drawing into text cannot fail");
            area.draw(&Text::new(k.name.clone(), (at.0 + 11, at.1), style))
                .expect("drawing into text cannot fail");
        }
        let above = MARGIN + key_height(key);
        let (wide, high) = (SIZE.0 / maps.len() as u32, ROW - above);
        // A square: the same length across and up.
        let side = (wide - 2 * MARGIN).min(high - KEY_LINE - MARGIN);
        for (m, (name, points)) in maps.iter().enumerate() {
            let left = (m as u32 * wide + (wide - side) / 2) as i32;
            let top = (above + KEY_LINE) as i32;
            let style = label().pos(Pos::new(HPos::Left, VPos::Bottom));
            area.draw(&Text::new(name.clone(), (left, top - 3), style))
                .expect("drawing into text cannot fail");
            let corners = [(left, top), (left + side as i32, top + side as i32)];
            area.draw(&Rectangle::new(corners, GREY.mix(0.5).stroke_width(1)))
                .expect("drawing into text cannot fail");
            let (xs, ys) = (range(points.iter().map(|p| p.1)), range(points.iter().map(|p| p.2)));
            let unit = (xs.end - xs.start).max(ys.end - ys.start) / f64::from(side);
            let middle = ((xs.start + xs.end) / 2.0, (ys.start + ys.end) / 2.0);
            let half = f64::from(side) / 2.0;
            for &(point, x, y) in points.iter().filter(|p| p.1.is_finite() && p.2.is_finite()) {
                let at = (
                    left + (half + (x - middle.0) / unit) as i32,
                    top + (half - (y - middle.1) / unit) as i32,
                );
                area.draw(&Circle::new(at, 5, colour(point).mix(0.8).filled()))
                    .expect("drawing into text cannot fail");
            }
        }
        area.present().expect("drawing into text cannot fail");
    }
    svg
}

/// Draws elements.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn draw<'a, 'b, E, I>(chart: &mut Chart<'a, 'b>, elements: I)
where
    E: plotters::element::Drawable<SVGBackend<'b>>,
    for<'c> &'c E: plotters::element::PointCollection<'c, (f64, f64)>,
    I: IntoIterator<Item = E>,
{
    chart.draw_series(elements).expect("drawing into text cannot fail");
}

/// A line; what lies outside the plot is left out.
pub fn line(chart: &mut Chart, points: &[(f64, f64)], style: impl Into<ShapeStyle>) {
    let (xs, ys) = (chart.x_range(), chart.y_range());
    let style = style.into();
    let within =
        |p: &(f64, f64)| (xs.start..=xs.end).contains(&p.0) && (ys.start..=ys.end).contains(&p.1);
    for piece in points.split(|p| !within(p)).filter(|piece| piece.len() > 1) {
        draw(chart, [PathElement::new(piece.to_vec(), style)]);
    }
}

/// Dots.
pub fn dots(
    chart: &mut Chart,
    points: impl IntoIterator<Item = (f64, f64)>,
    size: i32,
    style: impl Into<ShapeStyle>,
) {
    let style = style.into();
    let known = points.into_iter().filter(|p| p.0.is_finite() && p.1.is_finite());
    draw(chart, known.map(|p| Circle::new(p, size, style)));
}

/// Names beside points, the first of them first; one that would lie on another is left out. Returns the points that
/// have one.
pub fn names<'a>(
    chart: &mut Chart,
    points: impl IntoIterator<Item = ((f64, f64), &'a str)>,
    colour: RGBColor,
) -> Vec<(f64, f64)> {
    let (xs, ys) = (chart.x_range(), chart.y_range());
    let (width, height) = (xs.end - xs.start, ys.end - ys.start);
    let mut taken: Vec<(f64, f64)> = Vec::new();
    for (at, text) in points {
        if !at.0.is_finite() || !at.1.is_finite() {
            continue;
        }
        let covers = |t: &(f64, f64)| {
            (t.0 - at.0).abs() < 0.14 * width && (t.1 - at.1).abs() < 0.04 * height
        };
        if !taken.iter().any(covers) {
            taken.push(at);
            name(chart, at, text, colour);
        }
    }
    taken
}

/// A name beside a point, on the side where there is room.
pub fn name(chart: &mut Chart, at: (f64, f64), text: &str, colour: RGBColor) {
    Name::beside(chart, at, text).draw(chart, 0, (0, 0), colour);
}

/// Lines by which a name may move up or down to lie on no other.
const LIFTS: [i32; 9] = [0, 1, -1, 2, -2, 3, -3, 4, -4];

/// A name beside every point, legible on a crowd of dots: one that would lie on another moves up or down.
pub fn all_names<'a>(chart: &mut Chart, points: impl IntoIterator<Item = ((f64, f64), &'a str)>) {
    let mut taken: Vec<[f64; 4]> = Vec::new();
    let finite = |p: &((f64, f64), &str)| p.0.0.is_finite() && p.0.1.is_finite();
    for (at, text) in points.into_iter().filter(finite) {
        let name = Name::beside(chart, at, text);
        let free = |lift: &&i32| !taken.iter().any(|t| overlap(t, &name.place(chart, **lift)));
        let lift = *LIFTS.iter().find(free).unwrap_or(&0);
        taken.push(name.place(chart, lift));
        for around in [(-1, 0), (1, 0), (0, -1), (0, 1)] {
            name.draw(chart, lift, around, PAPER);
        }
        name.draw(chart, lift, (0, 0), INK);
    }
}

/// Whether two boxes of left, right, top and bottom share a point.
fn overlap(a: &[f64; 4], b: &[f64; 4]) -> bool {
    a[0] < b[1] && b[0] < a[1] && a[2] < b[3] && b[2] < a[3]
}

/// A name beside a point, to its right and above it where there is room.
struct Name {
    at: (f64, f64),
    text: String,
    right: bool,
    up: bool,
}

impl Name {
    fn beside(chart: &Chart, at: (f64, f64), text: &str) -> Self {
        let text = short(text).to_string();
        let (xs, ys) = (chart.x_range(), chart.y_range());
        let per_pixel = (xs.end - xs.start) / chart.plotting_area().dim_in_pixel().0 as f64;
        Self {
            at,
            right: at.0 + (width(&text) + 8.0) * per_pixel < xs.end,
            up: at.1 + 0.05 * (ys.end - ys.start) < ys.end,
            text,
        }
    }

    /// Pixels from the point to where the text begins or ends.
    fn offset(&self, lift: i32) -> (i32, i32) {
        let line = TEXT as i32 + 1;
        (if self.right { 5 } else { -5 }, if self.up { -2 } else { 2 } - lift * line)
    }

    /// Left, right, top and bottom in pixels, moved up by `lift` lines.
    fn place(&self, chart: &Chart, lift: i32) -> [f64; 4] {
        let (x, y) = chart.backend_coord(&self.at);
        let (dx, dy) = self.offset(lift);
        let (x, y) = ((x + dx) as f64, (y + dy) as f64);
        let (wide, high) = (width(&self.text), TEXT as f64);
        let (left, right) = if self.right { (x, x + wide) } else { (x - wide, x) };
        let (top, bottom) = if self.up { (y - high, y) } else { (y, y + high) };
        [left, right, top, bottom]
    }

    fn draw(&self, chart: &mut Chart, lift: i32, (dx, dy): (i32, i32), colour: RGBColor) {
        let style = ("sans-serif", TEXT as i32).into_font().color(&colour).pos(Pos::new(
            if self.right { HPos::Left } else { HPos::Right },
            if self.up { VPos::Bottom } else { VPos::Top },
        ));
        let (x, y) = self.offset(lift);
        let text = Text::new(self.text.clone(), (x + dx, y + dy), style);
        draw(chart, [EmptyElement::at(self.at) + text]);
    }
}
