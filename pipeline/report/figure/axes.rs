//! The look that all figures share.

use plotters::coord::Shift;
use plotters::prelude::*;
use std::ops::Range;

/// Width and height of a figure, in pixels of its own coordinates.
pub const SIZE: (u32, u32) = (760, 480);

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

/// Axes and text: readable on light and dark.
pub const GREY: RGBColor = RGBColor(125, 125, 125);

/// Colour of series `i`.
pub fn colour(i: usize) -> RGBColor {
    COLOURS[i % COLOURS.len()]
}

/// A drawing area whose SVG lands in `svg`.
pub fn area(svg: &mut String) -> DrawingArea<SVGBackend<'_>, Shift> {
    SVGBackend::with_string(svg, SIZE).into_drawing_area()
}

/// Text of axes.
pub fn label() -> TextStyle<'static> {
    ("sans-serif", 15).into_font().color(&GREY)
}

/// From the least to the greatest finite value, with a margin of 5 %.
pub fn range(values: impl IntoIterator<Item = f64>) -> Range<f64> {
    let finite = values.into_iter().filter(|x| x.is_finite());
    let (low, high) =
        finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
    if low > high {
        return 0.0..1.0;
    }
    let margin = if high > low { 0.05 * (high - low) } else { 0.5 * high.abs().max(1.0) };
    low - margin..high + margin
}

/// A chart on two linear axes.
pub type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

/// Axes with names and a light grid.
///
/// # Panics
/// Never: drawing into text cannot fail.
pub fn chart<'a, 'b>(
    area: &'a DrawingArea<SVGBackend<'b>, Shift>,
    x: (Range<f64>, &str),
    y: (Range<f64>, &str),
) -> Chart<'a, 'b> {
    let mut chart = ChartBuilder::on(area)
        .margin(12)
        .x_label_area_size(48)
        .y_label_area_size(64)
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
        .x_desc(x.1)
        .y_desc(y.1)
        .draw()
        .expect("drawing into text cannot fail");
    chart
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

/// A line with a name in the legend.
pub fn line<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    points: Vec<(f64, f64)>,
    colour: RGBColor,
    name: &str,
) {
    chart
        .draw_series(LineSeries::new(points, colour.stroke_width(2)))
        .expect("drawing into text cannot fail")
        .label(name)
        .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
}

/// Dots with a name in the legend.
pub fn dots<'a, 'b: 'a>(
    chart: &mut Chart<'a, 'b>,
    points: Vec<(f64, f64)>,
    size: i32,
    style: RGBAColor,
    name: &str,
) {
    chart
        .draw_series(points.into_iter().map(|p| Circle::new(p, size, style.filled())))
        .expect("drawing into text cannot fail")
        .label(name)
        .legend(move |(x, y)| Circle::new((x + 9, y), 4, style.mix(2.0).filled()));
}

/// The legend, at a corner.
pub fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, corner: SeriesLabelPosition) {
    chart
        .configure_series_labels()
        .position(corner)
        .background_style(TRANSPARENT)
        .border_style(TRANSPARENT)
        .label_font(label())
        .draw()
        .expect("drawing into text cannot fail");
}
