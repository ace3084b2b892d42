//! Parts of a sweep: which of its cases are whose.

use crate::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::str::FromStr;

/// Most parts of a sweep.
pub const MOST_PARTS: usize = 100_000;

/// Part `number` of `of`, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

impl FromStr for Part {
    type Err = Error;

    /// `3/20`.
    fn from_str(text: &str) -> Result<Self> {
        let (number, of) = text
            .split_once('/')
            .and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)))
            .ok_or_else(|| {
                Error::Usage(format!("--part {text}: give part and parts, as `--part 3/20`"))
            })?;
        Self::new(number, of).map_err(|problem| Error::Usage(format!("--part {text}: {problem}")))
    }
}

impl std::fmt::Display for Part {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.number, self.of)
    }
}

impl Part {
    fn new(number: usize, of: usize) -> std::result::Result<Self, String> {
        if !(1..=MOST_PARTS).contains(&of) {
            return Err(format!("a sweep has 1 to {MOST_PARTS} parts"));
        }
        if !(1..=of).contains(&number) {
            return Err(format!("parts are numbered from 1 to {of}"));
        }
        Ok(Self { number, of })
    }

    /// The part that a task of an array is, as Slurm and HyperQueue tell it: also which variable said so.
    ///
    /// HyperQueue comes first: its workers may themselves be tasks of Slurm. It does not say how many tasks there are, so
    /// that each is one case. An array of Slurm counts from 0 or 1 without gaps; what begins elsewhere was a part of another.
    ///
    /// # Errors
    /// [`Error::Usage`] for numbers that make no part.
    pub fn of_environment(
        variable: impl Fn(&str) -> Option<String>,
        cases: usize,
    ) -> Result<Option<(Self, &'static str)>> {
        let number = |name: &str| -> Result<Option<usize>> {
            let Some(text) = variable(name) else { return Ok(None) };
            let parsed = text.trim().parse();
            parsed.map(Some).map_err(|_| {
                Error::Usage(format!("{name}={text}: no number; say which with `--part 3/20`"))
            })
        };
        let refuse = |name: &str, problem: String| {
            Err(Error::Usage(format!("{name}: {problem}; say which with `--part 3/20`")))
        };
        if let Some(id) = number("HQ_TASK_ID")? {
            return match Self::new(id, cases) {
                Ok(part) => Ok(Some((part, "HQ_TASK_ID"))),
                Err(_) => refuse(
                    "HQ_TASK_ID",
                    format!("task {id} of {cases} networks, each a task, numbered from 1"),
                ),
            };
        }
        let Some(id) = number("SLURM_ARRAY_TASK_ID")? else { return Ok(None) };
        let Some(count) = number("SLURM_ARRAY_TASK_COUNT")? else {
            return refuse("SLURM_ARRAY_TASK_ID", "without SLURM_ARRAY_TASK_COUNT".into());
        };
        let first = number("SLURM_ARRAY_TASK_MIN")?.unwrap_or(1);
        let last = number("SLURM_ARRAY_TASK_MAX")?.unwrap_or(first + count.saturating_sub(1));
        if first > 1 || last + 1 != first + count {
            let problem = format!(
                "an array of {count} tasks from {first} to {last} does not say which part of the whole task {id} is"
            );
            return refuse("SLURM_ARRAY_TASK_ID", problem);
        }
        match Self::new((id + 1).saturating_sub(first), count) {
            Ok(part) => Ok(Some((part, "SLURM_ARRAY_TASK_ID"))),
            Err(problem) => refuse("SLURM_ARRAY_TASK_ID", problem),
        }
    }
}

/// Cases of each part, each part's costliest first.
///
/// The costliest case of all goes to the part that has least to do, and so on (longest processing time first, at most
/// 4/3 of the shortest time possible; Graham 1969). It follows from `seconds` and `parts` alone.
pub fn shares(seconds: &[f64], parts: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..seconds.len()).collect();
    order.sort_by(|&a, &b| seconds[b].total_cmp(&seconds[a]).then(a.cmp(&b)));
    // Loads as whole microseconds: they are ordered, and add up the same in any order.
    let mut loads: BinaryHeap<Reverse<(u64, usize)>> =
        (0..parts).map(|part| Reverse((0, part))).collect();
    let mut shares = vec![Vec::new(); parts];
    for case in order {
        let Some(Reverse((load, part))) = loads.pop() else { break };
        shares[part].push(case);
        loads.push(Reverse((load + (seconds[case].max(0.0) * 1e6) as u64 + 1, part)));
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<(Part, &'static str)>> {
        let get = |name: &str| {
            variables.iter().find(|(n, _)| *n == name).map(|(_, value)| value.to_string())
        };
        Part::of_environment(get, 12)
    }

    #[test]
    fn the_costliest_case_goes_to_the_part_with_least_to_do() {
        // By hand: 7 | 6 | 5, then 4 to the third (9), 3 to the second (9), 2 to the first (9).
        let shared = shares(&[2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 3);
        assert_eq!(shared, [vec![5, 0], vec![4, 1], vec![3, 2]]);
        // Graham's worst case for two machines: 3 3 2 2 2 makes 7 where 6 is possible.
        assert_eq!(shares(&[3.0, 3.0, 2.0, 2.0, 2.0], 2), [vec![0, 2, 4], vec![1, 3]]);
    }

    #[test]
    fn every_case_is_in_one_part_whatever_they_cost() {
        for (cases, parts) in [(0, 3), (1, 4), (7, 7), (200, 20), (1000, 7)] {
            let seconds: Vec<f64> = (0..cases)
                .map(|i| match i % 5 {
                    0 => 0.0,
                    1 => f64::NAN,
                    2 => 1e9,
                    k => (i * 7919 % 101) as f64 * k as f64,
                })
                .collect();
            let mut all: Vec<usize> = shares(&seconds, parts).concat();
            all.sort();
            assert_eq!(all, (0..cases).collect::<Vec<_>>(), "{cases} cases in {parts} parts");
        }
        // Cases that cost nothing that is known are shared out all the same.
        assert!(shares(&[0.0; 20], 5).iter().all(|share| share.len() == 4));
    }

    #[test]
    fn parts_that_are_none_are_refused_with_what_may_be_said() {
        assert_eq!("3/20".parse::<Part>().unwrap(), Part { number: 3, of: 20 });
        for (bad, word) in [
            ("0/4", "from 1 to 4"),
            ("5/4", "from 1 to 4"),
            ("1/0", "1 to 100000"),
            ("1/1000000", "1 to 100000"),
            ("3", "--part 3/20"),
            ("-1/4", "--part 3/20"),
            ("a/b", "--part 3/20"),
        ] {
            let said = bad.parse::<Part>().unwrap_err().to_string();
            assert!(said.contains(bad) && said.contains(word), "{said}");
        }
    }

    #[test]
    fn an_array_says_which_part_a_task_is_unless_it_is_a_part_of_another_array() {
        let slurm = |id, count, min, max| {
            of(&[
                ("SLURM_ARRAY_TASK_ID", id),
                ("SLURM_ARRAY_TASK_COUNT", count),
                ("SLURM_ARRAY_TASK_MIN", min),
                ("SLURM_ARRAY_TASK_MAX", max),
            ])
        };
        let part = |number, of| Part { number, of };
        assert_eq!(slurm("3", "5", "1", "5").unwrap().unwrap().0, part(3, 5));
        assert_eq!(slurm("0", "5", "0", "4").unwrap().unwrap().0, part(1, 5));
        assert_eq!(slurm("4", "5", "0", "4").unwrap().unwrap().0, part(5, 5));
        for (id, count, min, max) in
            [("7", "1", "7", "7"), ("3", "2", "1", "3"), ("6", "5", "1", "5"), ("x", "5", "1", "5")]
        {
            let said = slurm(id, count, min, max).unwrap_err().to_string();
            assert!(said.contains("--part 3/20"), "{said}");
        }
        assert_eq!(of(&[]).unwrap(), None);
        // A worker of HyperQueue within an array of Slurm: the inner one counts.
        let both = of(&[("HQ_TASK_ID", "12"), ("SLURM_ARRAY_TASK_ID", "1")]).unwrap().unwrap();
        assert_eq!(both, (part(12, 12), "HQ_TASK_ID"));
        assert!(of(&[("HQ_TASK_ID", "13")]).unwrap_err().to_string().contains("12 networks"));
    }
}
