//! Tables, dictionary, page.

use accrue::records::{self, column, keys};
use accrue::report::{Summary, dictionary, escape};
use std::path::Path;

#[test]
fn the_data_dictionary_is_the_one_in_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/README.md");
    let written = std::fs::read_to_string(path).unwrap();
    assert!(
        written == dictionary::readme(),
        "reports/README.md is stale: accrue dictionary > reports/README.md"
    );
}

#[test]
fn the_glossary_has_each_term_once_in_order_of_the_alphabet() {
    let terms: Vec<String> = dictionary::GLOSSARY.iter().map(|t| t.0.to_lowercase()).collect();
    assert!(terms.is_sorted_by(|a, b| a < b), "{terms:?}");
    for (term, meaning) in dictionary::GLOSSARY {
        assert!(meaning.ends_with('.') && !meaning.contains('\n'), "{term}: {meaning}");
    }
}

#[test]
fn a_table_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let lists = [vec![1.0, 2.0], vec![-0.5, 1e300], vec![f64::MIN_POSITIVE, 0.0]];
    records::Readouts {
        output: column(0..3),
        name: column(["a", "<script>", "ü"]),
        norm: column([0.5, -1.0, 1e300]),
        pc_1: column([0.0; 3]),
        pc_2: column([0.5; 3]),
        pc_3: column([f64::NAN; 3]),
        in_span: column([1.0; 3]),
        angles: column(&lists),
    }
    .write(folder.path())
    .unwrap();
    let frame = records::Readouts::read(folder.path()).unwrap();
    assert_eq!(frame.height(), 3);
    assert_eq!(frame.norm().unwrap(), [0.5, -1.0, 1e300]);
    assert_eq!(frame.name().unwrap(), ["a", "<script>", "ü"]);
    assert_eq!(frame.angles().unwrap(), lists);
    // For spreadsheets: the same without lists.
    let relative = records::csv(folder.path(), records::Readouts::NAME).unwrap();
    let text = std::fs::read_to_string(folder.path().join(relative)).unwrap();
    assert_eq!(
        text,
        "output,name,norm,pc_1,pc_2,pc_3,in_span\n0,a,0.5,0.0,0.5,NaN,1.0\n1,<script>,-1.0,0.0,0.5,NaN,1.0\n\
         2,ü,1e+300,0.0,0.5,NaN,1.0\n"
    );
}

#[test]
fn a_column_of_another_type_or_absent_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    std::fs::create_dir(run.join("tables")).unwrap();
    let other = records::Prediction { row: column(["a"]), documents: column([2]) };
    other.write(run).unwrap();
    let from = records::Prediction::path(run);
    std::fs::copy(&from, records::Restricted::path(run)).unwrap();
    let error = records::Restricted::read(run).unwrap().accuracy().unwrap_err().to_string();
    assert!(error.contains("restricted.parquet") && error.contains("accuracy"), "{error}");
    // There `documents` is text.
    std::fs::copy(&from, records::Blocking::path(run)).unwrap();
    let error = records::Blocking::read(run).unwrap().documents().unwrap_err().to_string();
    assert!(error.contains("blocking.parquet") && error.contains("documents"), "{error}");
    assert_eq!(records::Prediction::read(run).unwrap().documents().unwrap(), [2]);
    assert!(records::Axes::read_if_there(run).unwrap().is_none());
}

#[test]
fn a_column_that_may_be_absent_is_there_or_not() {
    let folder = tempfile::tempdir().unwrap();
    let table = |before: Option<[f64; 2]>| records::Axes {
        component: column(0..2),
        variance: column([0.0, 1.0]),
        untrained_variance: before.map(column),
        direction: column([&[0.5][..], &[1.0]]),
    };
    for before in [None, Some([0.0, 2.0])] {
        table(before).write(folder.path()).unwrap();
        let read = records::Axes::read(folder.path()).unwrap().untrained_variance().unwrap();
        assert_eq!(read, before.map(Vec::from));
    }
}

#[test]
fn tables_are_declared_once_and_a_file_has_its_columns_in_their_order() {
    let mut names: Vec<&str> = records::tables().map(|t| t.name).collect();
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    let folder = tempfile::tempdir().unwrap();
    records::Notes { stage: column(["train"]), note: column(["cut"]) }
        .write(folder.path())
        .unwrap();
    let csv = records::csv(folder.path(), records::Notes::NAME).unwrap();
    let text = std::fs::read_to_string(folder.path().join(csv)).unwrap();
    let columns = records::described("notes").unwrap().columns.iter().map(|c| c.name);
    assert_eq!(text.lines().next(), Some(columns.collect::<Vec<_>>().join(",").as_str()));
}

#[test]
fn the_summary_is_flat_json_in_the_order_of_the_dictionary() {
    let mut summary = Summary::new();
    summary.number(keys::DIMENSION_STATES, 2.5);
    summary.number(keys::ACCURACY_NETWORK, 1.0);
    summary.number(keys::DIMENSION_PREDICTED, f64::NAN);
    summary.text(keys::CORPUS_NAME, "a \"b\"");
    let json: serde_json::Value = serde_json::from_str(&summary.to_json()).unwrap();
    assert_eq!(json["dimension.states"], 2.5);
    assert_eq!(json["corpus.name"], "a \"b\"");
    assert!(json.get("dimension.predicted").is_none(), "NaN has no place in JSON");
    let text = summary.to_json();
    assert!(text.find("accuracy.network") < text.find("dimension.states"));
}

#[test]
fn an_explained_text_is_coloured_to_one_scale() {
    use accrue::report::reading::{Reader, page};
    let reader = |name, evidence| Reader { name, verdict: "good <1>", evidence };
    let readers = [reader("Network", vec![2.0, -1.0]), reader("Words alone", vec![0.5, 0.0])];
    let text = page("good", &["fine", "<b>"], &readers);
    assert!(text.contains("rgba(0,114,178,0.60)\">fine"), "the strongest word");
    assert!(text.contains("rgba(213,94,0,0.30)\">&lt;b&gt;"), "half as strong, against");
    assert!(text.contains("rgba(0,114,178,0.15)\">fine"), "the other reader, same scale");
    assert!(text.contains("good &lt;1&gt;") && !text.contains("<b>"));
}

#[test]
fn text_means_itself_in_the_page() {
    assert_eq!(escape::html("<b a=\"1\">&'"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
}

#[test]
fn a_grids_page_counts_claims_by_cell_and_along_the_other_axes() {
    use accrue::studies::grid;
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // Two cells, three penalties; the third penalty's networks were tested for another claim.
    let cases: Vec<(&str, &str)> =
        ["Gru", "Lstm"].iter().flat_map(|&c| ["1e-3", "1e-2", "1e-1"].map(|p| (c, p))).collect();
    let holds = [false, true, true, true, true, false];
    let claim = |i: usize| if i % 3 == 2 { "G9" } else { "G8" };
    let names = || cases.iter().map(|(cell, penalty)| format!("{cell}-{penalty}"));
    records::Cases {
        case: column(0..6),
        name: column(names()),
        finished: column([true; 6]),
        failure: column([""; 6]),
    }
    .write(folder)
    .unwrap();
    records::CaseSettings {
        case: column((0..12).map(|i| i / 2)),
        setting: column((0..12).map(|i| ["model.cell", "training.penalty"][i % 2])),
        value: column(cases.iter().flat_map(|(c, p)| [c.to_string(), format!("All({p})")])),
    }
    .write(folder)
    .unwrap();
    records::CaseNumbers {
        case: column(0..6),
        key: column(["accuracy.network"; 6]),
        value: column([0.5; 6]),
    }
    .write(folder)
    .unwrap();
    records::CaseClaims {
        case: column(0..6),
        claim: column((0..6).map(claim)),
        measured: column([1.0; 6]),
        holds: column(holds),
        reference: column([""; 6]),
    }
    .write(folder)
    .unwrap();
    records::CaseTrends {
        setting: column(["training.penalty"; 3]),
        stratum: column(["", "model.cell = Gru", "model.cell = Lstm"]),
        key: column(["dimension.states"; 3]),
        spearman: column([-0.25, -0.75, 0.5]),
        falls: column([false; 3]),
        medians: column([[1.0; 3].as_slice(); 3]),
        n: column([6; 3]),
        claim: column(["", "G13: falls", ""]),
        holds: column([None, Some(true), None]),
    }
    .write(folder)
    .unwrap();
    // Without the record of a grid nobody knows which networks these tables are of.
    assert!(grid::rewrite(folder).unwrap_err().to_string().contains("run.ron"));
    let files: Vec<String> =
        ["cases", "case_settings", "case_numbers", "case_claims", "case_trends"]
            .map(|name| format!("tables/{name}.parquet"))
            .to_vec();
    let none = accrue::experiment::Experiment::default();
    accrue::engine::record_gathered(folder, &none, Vec::new(), &files).unwrap();
    assert!(grid::rewrite(folder).unwrap());
    let html = std::fs::read_to_string(folder.join("index.html")).unwrap().replace('\u{a0}', " ");
    let table = html.split("Where they hold along training.penalty").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    assert!(table.contains("<th>1e-3</th><th>1e-2</th><th>1e-1</th>"), "{table}");
    for row in [
        "<td>G8</td><td class=\"text\">Gru</td><td>0 of 1</td><td>1 of 1</td><td>–</td>",
        "<td></td><td class=\"text\">Lstm</td><td>1 of 1</td><td>1 of 1</td><td>–</td>",
    ] {
        assert!(table.contains(row), "{row}: {table}");
    }
    // All networks together, and those that are otherwise alike where something is claimed of them.
    let trends = html.split("Along the axes").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(trends.contains("<td>-0.25</td><td class=\"text\"></td>"), "{trends}");
    assert!(trends.contains("States, model.cell = Gru</td>"), "{trends}");
    assert!(trends.contains("<td>-0.75</td><td class=\"text\">G13: falls: holds</td>"), "{trends}");
    assert!(!trends.contains("model.cell = Lstm"), "{trends}");
    // Tested at one penalty alone, there is nothing along the axis to see.
    assert!(!table.contains("G9") && html.contains("<td>G9</td>"));
}
