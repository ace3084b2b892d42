//! Which conditions of a task a network has learned, and which it has not.

use super::page::{table, table_link};
use crate::Result;
use crate::records::Conditions;
use maud::{Markup, html};
use std::path::Path;

/// The section of table `conditions`: the worst learned first.
///
/// # Errors
/// [`crate::Error::Polars`] if the table cannot be understood.
pub(super) fn section(run: &Path) -> Result<Markup> {
    let rows = Conditions::read(run)?;
    let (name, trials) = (rows.name()?, rows.trials()?);
    let (error, constant) = (rows.error()?, rows.constant()?);
    // Targets that never change have nothing to explain.
    let left = |i: usize| if constant[i] > 0.0 { error[i] / constant[i] } else { f64::NAN };
    let mut order: Vec<usize> = (0..name.len()).collect();
    order.sort_by(|&a, &b| left(b).total_cmp(&left(a)));
    let poor = order.iter().filter(|&&i| left(i) > 0.5).count();
    Ok(html! {
        section #conditions {
            h2 { "Errors by condition" }
            p {
                "Mean squared errors on test trials of each condition, beside that of the best constant answer for this \
                 condition alone. In " (poor) " of " (name.len()) " conditions more than half of that is left."
            }
            div.wide {
                (table(["Condition", "Trials", "Error", "Constant answer", "Share left"], html! {
                    @for &i in &order {
                        tr {
                            td.text { (name[i]) }
                            td { (trials[i]) }
                            td { (format!("{:.4}", error[i])) }
                            td { (format!("{:.4}", constant[i])) }
                            td { @if left(i).is_nan() { "–" } @else { (format!("{:.3}", left(i))) } }
                        }
                    }
                }))
            }
            p.small { (table_link(Conditions::NAME)) }
        }
    })
}
