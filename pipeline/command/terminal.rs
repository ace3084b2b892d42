//! What a person sees while work goes on: bars on a terminal, lines in a pipe.

use crate::corpus::{fetch, store};
use crate::report::escape::on_a_line;
use crate::studies::grid::{self, Outcome};
use crate::train::checkpoint::Progress;
use crate::train::{Tally, Watch};
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashSet;
use std::io::IsTerminal;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Time between two lines of training progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// `print!` that goes on where nobody reads any more (`accrue … | head -1`): what is
/// printed is told beside the work, and must not end it. Control characters of what is told are shown, not obeyed.
macro_rules! out {
    ($($told:tt)*) => {{
        use std::io::Write;
        let told = format!($($told)*);
        let _ = write!(std::io::stdout(), "{}", $crate::report::escape::visible(&told));
    }};
}

/// [`out!`] with the end of a line.
macro_rules! outln {
    ($($told:tt)*) => {{
        $crate::command::terminal::out!("{}\n", format_args!($($told)*));
    }};
}

/// [`outln!`] on standard error.
macro_rules! errln {
    ($($told:tt)*) => {{
        use std::io::Write;
        let told = format!($($told)*);
        let _ = writeln!(std::io::stderr(), "{}", $crate::report::escape::visible(&told));
    }};
}

pub(crate) use {errln, out, outln};

/// Writes text whose colours are meant; its words have been made [visible](on_a_line) before.
pub fn coloured(text: &str) {
    use std::io::Write;
    let _ = write!(std::io::stdout(), "{text}");
}

/// Says one line on standard error, unless told to be quiet.
pub fn say(quiet: bool, line: impl AsRef<str>) {
    if !quiet {
        errln!("{}", line.as_ref());
    }
}

/// Follows training.
pub struct Training {
    quiet: bool,
    bar: Option<ProgressBar>,
    spoken: Instant,
    begun: Option<(Instant, u64, usize)>,
    loss: f64,
    accuracy: f64,
}

impl Training {
    /// A watcher for one network.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("  {bar:24} {pos}/{len}  {msg}  {eta} left");
            let bar = ProgressBar::new(0);
            bar.set_style(style.expect("the template is well-formed").progress_chars("━╸─"));
            bar
        });
        let spoken = Instant::now();
        Self { quiet, bar, spoken, begun: None, loss: f64::NAN, accuracy: f64::NAN }
    }

    /// Loss, accuracy and speed as one short line.
    fn line(&self, progress: &Progress) -> String {
        let (since, tokens, _) = self.begun.expect("a line follows a step");
        let speed = (progress.tokens - tokens) as f64 / since.elapsed().as_secs_f64().max(1e-9);
        let (loss, accuracy) = (self.loss, self.accuracy);
        format!("loss {loss:.3}  right {accuracy:.3}  {:.0}k tok/s", speed / 1e3)
    }
}

/// Share of the newest step in the running means that are shown.
const NEWEST: f64 = 0.05;

impl Watch for Training {
    fn step(&mut self, progress: &Progress, planned: usize, tally: &Tally) {
        let blend = |old: f64, new: f64| {
            if old.is_finite() { old + NEWEST * (new - old) } else { new }
        };
        self.loss = blend(self.loss, tally.mean_loss());
        self.accuracy = blend(self.accuracy, tally.accuracy());
        let first = self.begun.is_none();
        self.begun.get_or_insert((Instant::now(), progress.tokens, progress.step));
        if let Some(bar) = &self.bar {
            if first {
                bar.set_length(planned as u64);
                bar.set_position(progress.step as u64);
                bar.reset_eta();
            }
            bar.set_message(self.line(progress));
            bar.set_position(progress.step as u64);
        } else if !self.quiet && self.spoken.elapsed() > LINE_EVERY {
            self.spoken = Instant::now();
            let (since, _, from) = self.begun.expect("set above");
            let pace = since.elapsed().as_secs_f64() / (progress.step - from).max(1) as f64;
            let left = pace * (planned - progress.step) as f64;
            let line = self.line(progress);
            errln!("  step {}/{planned}  {line}  {left:.0} s left", progress.step);
        }
    }

    fn validated(&mut self, progress: &Progress, tally: &Tally) {
        let line = format!(
            "  step {}: validation loss {:.4}, right {:.4}",
            progress.step,
            tally.mean_loss(),
            tally.accuracy()
        );
        match &self.bar {
            Some(bar) => bar.println(line),
            None => say(self.quiet, line),
        }
    }
}

impl Drop for Training {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Follows long work within a stage.
pub struct Steps {
    quiet: bool,
    bar: Option<ProgressBar>,
    spoken: Instant,
    pace: Option<Pace>,
}

/// How fast pieces of one kind of work are done.
#[derive(Clone, Copy)]
struct Pace {
    begun: Instant,
    /// Pieces done when it was first asked.
    from: usize,
    done: usize,
    of: usize,
}

impl Pace {
    /// The pace of this work; a new one where other pieces are counted, or these from the start.
    fn follow(before: Option<Self>, done: usize, of: usize, now: Instant) -> Self {
        match before {
            Some(before) if before.of == of && before.done <= done => Self { done, ..before },
            _ => Self { begun: now, from: done, done, of },
        }
    }

    /// Seconds until all is done; none before a piece is.
    fn left(&self, now: Instant) -> Option<f64> {
        let made = self.done - self.from;
        let spent = now.duration_since(self.begun).as_secs_f64();
        (made > 0).then(|| spent / made as f64 * self.of.saturating_sub(self.done) as f64)
    }
}

impl Steps {
    /// A watcher that says nothing until there is something to say.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, bar: None, spoken: Instant::now(), pace: None }
    }

    /// Another stage begins: what it counts is its own.
    pub fn begin(&mut self) {
        self.pace = None;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// `done` of `of` pieces are done.
    pub fn show(&mut self, what: &str, done: usize, of: usize) {
        if self.quiet {
            return;
        }
        let pace = Pace::follow(self.pace, done, of, Instant::now());
        self.pace = Some(pace);
        if std::io::stderr().is_terminal() {
            let bar = self.bar.get_or_insert_with(|| {
                let look = "  {msg} {bar:24} {pos}/{len}  {eta} left";
                let style = ProgressStyle::with_template(look);
                let bar = ProgressBar::new(of as u64);
                bar.set_style(style.expect("the template is well-formed").progress_chars("━╸─"));
                bar
            });
            if pace.from == done && bar.length() != Some(of as u64) {
                bar.set_length(of as u64);
                bar.reset_eta();
            }
            bar.set_message(what.to_string());
            bar.set_position(done as u64);
            if done >= of {
                bar.finish_and_clear();
                self.bar = None;
            }
        } else if self.spoken.elapsed() > LINE_EVERY {
            self.spoken = Instant::now();
            let left = pace.left(Instant::now());
            let left = left.map_or(String::new(), |left| format!(", {left:.0} s left"));
            errln!("  {what} {done}/{of}{left}");
        }
    }
}

/// Follows a transfer from the network.
pub struct Transfer {
    quiet: bool,
    bar: Option<ProgressBar>,
    file: String,
}

impl Transfer {
    /// A watcher for one corpus.
    pub fn new(quiet: bool) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let look = "  {msg}  {bar:24} {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
            let style = ProgressStyle::with_template(look);
            let bar = ProgressBar::new(0);
            bar.set_style(style.expect("the template is well-formed").progress_chars("━╸─"));
            bar
        });
        Self { quiet, bar, file: String::new() }
    }
}

impl fetch::Watch for Transfer {
    fn begin(&mut self, file: &str, bytes: u64) {
        match &self.bar {
            Some(bar) => {
                let shown = on_a_line(file.rsplit('/').next().unwrap_or(file));
                bar.set_message(shown);
                bar.set_length(bytes);
                bar.set_position(0);
                bar.reset_eta();
            }
            // A transfer that is taken up again is the same file.
            None if self.file != file => say(self.quiet, format!("  {file}: {bytes} bytes")),
            None => {}
        }
        self.file = file.into();
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn end(&mut self) {}
}

impl Drop for Transfer {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

/// Follows the cases of a grid.
pub struct Cases {
    quiet: bool,
    begun: Instant,
    /// What was said of the cases' corpora: most share one.
    noted: Mutex<HashSet<String>>,
}

impl Cases {
    /// A watcher for one grid.
    pub fn new(quiet: bool) -> Self {
        Self { quiet, begun: Instant::now(), noted: Mutex::default() }
    }

    /// Says what there is to be known of a case's corpus, each thing once.
    fn told_of(&self, folder: &Path) {
        let Ok((_, notes)) = store::about(folder) else { return };
        let mut noted = self.noted.lock().unwrap_or_else(|e| e.into_inner());
        for note in notes {
            if noted.insert(note.clone()) {
                say(self.quiet, format!("note: {note}"));
            }
        }
    }
}

impl grid::Progress for Cases {
    fn note(&self, note: &str) {
        say(self.quiet, format!("note: {note}"));
    }

    fn ended(&self, done: usize, cases: usize, case: &str, outcome: &Outcome, seconds: f64) {
        let spent = self.begun.elapsed().as_secs_f64();
        let left = spent / done as f64 * (cases - done) as f64;
        let how = outcome.failure.clone().unwrap_or_else(|| format!("{seconds:.0} s"));
        self.told_of(&outcome.folder);
        say(self.quiet, format!("{done}/{cases} {case}: {how}; {left:.0} s left"));
    }

    fn training(&self, networks: usize) -> Box<dyn Watch> {
        say(self.quiet, format!("training {networks} networks side by side; the first of them:"));
        Box::new(Training::new(self.quiet))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_is_that_of_the_stage_at_its_own_pace() {
        let start = Instant::now();
        let at = |seconds: u64| start + Duration::from_secs(seconds);
        let training = Pace::follow(None, 0, 600, at(0));
        assert_eq!(training.left(at(10)), None, "nothing is done yet");
        let training = Pace::follow(Some(training), 300, 600, at(300));
        assert_eq!(training.left(at(300)), Some(300.0));
        // The next stage counts nine pieces; the first of them took ten seconds.
        let tuning = Pace::follow(Some(training), 0, 9, at(600));
        let tuning = Pace::follow(Some(tuning), 1, 9, at(610));
        assert_eq!(tuning.left(at(610)), Some(80.0));
        // The same number of pieces from the start again.
        let again = Pace::follow(Some(tuning), 0, 9, at(700));
        assert_eq!(again.left(at(701)), None);
    }
}
