//! A figure as a section of a page.

use super::figure::Figure;
use super::page::{drawing, table_link};
use maud::{Markup, html};

/// Heading, drawing and caption, links to the tables it was drawn from and to the SVG, and the plot to zoom.
pub(super) fn drawn(figure: &Figure) -> Markup {
    html! {
        section id=(figure.name) {
            h2 { (figure.title) }
            figure {
                (drawing(figure))
                figcaption {
                    (figure.caption) " "
                    span.links {
                        @for name in figure.tables { (table_link(name)) " · " }
                        a href={ "figures/" (figure.name) ".svg" } { "SVG" }
                    }
                }
            }
            @if let Some(plot) = &figure.plot { (plot.island(figure.name)) }
        }
    }
}
