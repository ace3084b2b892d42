//! Pages in a real browser, without a window: they open without errors, the
//! document walk steps and agrees with this program, plots can be asked.
//!
//! Skipped, loudly, where there is no Chromium.

use accrue::experiment::Experiment;
use accrue::studies::text::{self, Options};
use std::path::{Path, PathBuf};
use std::process::Command;

const SMALL: &str = "(
    study: \"tests\",
    name: \"page\",
    corpus: (source: Synthetic(length: 12, train: 600, validation: 90, test: 120)),
    model: (embedding: EMBEDDING, units: 12, cell: CELL, pool: POOL),
    training: (epochs: 20, batch: 30, learning_rate: 0.05),
    states: (documents: 60),
    fixed_points: (inputs: [Uniform], primary: 1e-4, initial_states: 48, spectra: 6, proofs: 4),
    prediction: (bootstrap: 20),
)";

pub(super) fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| names.map(|name| folder.join(name)))
        .find(|p| p.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: no Chromium on the PATH, pages are not opened");
    }
    found
}

/// The page as the browser has made it, and what its console said.
pub(super) fn open(browser: &Path, page: &Path, fragment: &str) -> (String, Vec<String>) {
    let profile = tempfile::tempdir().unwrap();
    let out = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--virtual-time-budget=8000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#{fragment}", page.display()))
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&out.stderr).into_owned();
    let said = log.lines().filter(|l| l.contains("CONSOLE")).map(String::from).collect();
    (String::from_utf8_lossy(&out.stdout).into_owned(), said)
}

fn attribute<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let at = page.find(&format!("{name}=\""))? + name.len() + 2;
    page[at..].split('"').next()
}

fn run(out: &Path, cell: &str, embedding: &str, pool: &str) -> PathBuf {
    let text = SMALL.replace("CELL", cell).replace("EMBEDDING", embedding).replace("POOL", pool);
    let file = out.join("page.ron");
    std::fs::write(&file, text).unwrap();
    let name = format!("name={cell}-{pool}");
    let experiment = Experiment::read(&file, &[name]).unwrap();
    let mut watch = Quiet;
    let options = Options { data: Path::new("data"), out, force: &[], watch: &mut watch };
    text::run(&experiment, options).unwrap().join("index.html")
}

struct Quiet;

impl text::Watch for Quiet {
    fn begin(&mut self, _: &str) {}
    fn passed(&mut self, _: &str, _: Option<f64>) {}
    fn training(&mut self) -> Box<dyn accrue::train::Watch + '_> {
        Box::new(())
    }
}

#[test]
fn documents_are_read_in_the_page_as_this_program_reads_them() {
    let Some(browser) = browser() else { return };
    let out = tempfile::tempdir().unwrap();
    for (cell, embedding, pool) in [
        ("Gru", "None", "Last"),
        ("Lstm", "5", "Mean"),
        ("GruResetBefore", "5", "Last"),
        ("Ugrnn", "None", "Last"),
        ("GruRelu", "None", "Last"),
        ("LstmRelu", "5", "Last"),
        ("Vanilla", "5", "Last"),
        ("VanillaRelu", "None", "Mean"),
    ] {
        let page = run(out.path(), cell, embedding, pool);
        let (dom, said) = open(&browser, &page, "walk-1-7");
        assert!(said.is_empty(), "{cell}: {said:?}");
        assert_eq!(attribute(&dom, "data-step"), Some("7"), "{cell}");
        let difference: f64 = attribute(&dom, "data-difference").unwrap().parse().unwrap();
        assert!(difference < 2e-3, "{cell}: logits differ by {difference}");
        assert!(dom.contains("data-state=\"now\""), "{cell}: no word is marked");
        assert!(dom.matches("<svg").count() >= 5, "{cell}: figures are missing");
    }
}

#[test]
fn a_figure_turns_into_a_plot_without_the_network() {
    let Some(browser) = browser() else { return };
    let out = tempfile::tempdir().unwrap();
    let page = run(out.path(), "Gru", "None", "Last");
    let (dom, said) = open(&browser, &page, "plot-manifold");
    assert!(said.is_empty(), "{said:?}");
    // Three labels, slow points, and the fixed points proved stable and unstable.
    assert_eq!(attribute(&dom, "data-drawn"), Some("6"));
    assert!(dom.contains("Back to the drawing</button>") && dom.contains("class=\"main-svg\""));
    // Predicted against found over all runs: one group of one network.
    let index = accrue::report::index::write(out.path(), accrue::summary::pearson).unwrap();
    let (dom, said) = open(&browser, &index, "plot-dimensions");
    assert!(said.is_empty(), "{said:?}");
    assert_eq!(attribute(&dom, "data-drawn"), Some("1"));
    // Without the library the drawing stays, and the reason is said.
    std::fs::remove_dir_all(out.path().join("assets")).unwrap();
    let (dom, _) = open(&browser, &page, "plot-manifold");
    assert!(dom.contains("plotly-basic.min.js is not beside this page</button>"));
    assert!(attribute(&dom, "data-drawn").is_none());
}
