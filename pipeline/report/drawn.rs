//! A figure as a section of a page.

use super::figure::Figure;
use super::page::{dotted, drawing, table_link};
use maud::{Markup, html};

/// Heading, drawing and caption, links to the tables it was drawn from and to the SVG, and the plot to zoom.
pub(super) fn drawn(figure: &Figure) -> Markup {
    linked(figure, dotted(figure.tables.iter().map(|name| table_link(name))))
}

/// The same with other links to its tables.
pub(super) fn linked(figure: &Figure, tables: Markup) -> Markup {
    html! {
        section id=(figure.name) {
            h2 { (figure.title) }
            figure {
                (drawing(figure))
                figcaption {
                    (figure.caption) " "
                    span.links {
                        (tables) " · "
                        a href={ "figures/" (figure.name) ".svg" } { "SVG" }
                    }
                }
            }
            @if let Some(plot) = &figure.plot { (plot.island(figure.name)) }
        }
    }
}
