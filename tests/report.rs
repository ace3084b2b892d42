//! Tables, dictionary, page.

use accrue::report::{Frame, Summary, Table, dictionary, page};
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
fn a_table_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let lists = [vec![1.0, 2.0], vec![], vec![f64::MIN_POSITIVE]];
    Table::new("readouts")
        .u64("output", 0..3)
        .text("name", ["a", "<script>", "ü"])
        .f64("norm", [0.5, -1.0, 1e300])
        .lists("angles", lists.iter().map(Vec::as_slice))
        .write(folder.path())
        .unwrap();
    let frame = Frame::read(folder.path(), "readouts").unwrap();
    assert_eq!(frame.height(), 3);
    assert_eq!(frame.f64("norm").unwrap(), [0.5, -1.0, 1e300]);
    assert_eq!(frame.text("name").unwrap(), ["a", "<script>", "ü"]);
    assert_eq!(frame.lists("angles").unwrap(), lists);
    assert!(frame.f64("nothing").is_err());
    // For spreadsheets: the same without lists.
    let relative = accrue::report::table::csv(folder.path(), "readouts").unwrap();
    let text = std::fs::read_to_string(folder.path().join(relative)).unwrap();
    assert_eq!(text, "output,name,norm\n0,a,0.5\n1,<script>,-1.0\n2,ü,1e+300\n");
}

#[test]
#[should_panic(expected = "not in the dictionary")]
fn a_column_without_a_description_is_refused() {
    let _ = Table::new("readouts").f64("secret", [1.0]);
}

#[test]
#[should_panic(expected = "not in the dictionary")]
fn a_summary_key_without_a_description_is_refused() {
    Summary::new().number("secret", 1.0);
}

#[test]
fn the_summary_is_flat_json_in_the_order_of_the_dictionary() {
    let mut summary = Summary::new();
    summary.number("dimension.states", 2.5);
    summary.number("accuracy.network", 1.0);
    summary.number("dimension.predicted", f64::NAN);
    summary.text("corpus.name", "a \"b\"");
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
    assert_eq!(page::escape("<b a=\"1\">&'"), "&lt;b a=&quot;1&quot;&gt;&amp;&#39;");
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
    Table::new("cases")
        .u64("case", 0..6)
        .text("name", names())
        .maybe_bool("finished", [Some(true); 6])
        .text("failure", [""; 6])
        .write(folder)
        .unwrap();
    Table::new("case_settings")
        .u64("case", (0..12).map(|i| i / 2))
        .text("setting", (0..12).map(|i| ["model.cell", "training.penalty"][i % 2]))
        .text("value", cases.iter().flat_map(|(c, p)| [c.to_string(), format!("All({p})")]))
        .write(folder)
        .unwrap();
    Table::new("case_numbers")
        .u64("case", 0..6)
        .text("key", ["accuracy.network"; 6])
        .f64("value", [0.5; 6])
        .write(folder)
        .unwrap();
    Table::new("case_claims")
        .u64("case", 0..6)
        .text("claim", (0..6).map(claim))
        .f64("measured", [1.0; 6])
        .maybe_bool("holds", holds.map(Some))
        .text("reference", [""; 6])
        .write(folder)
        .unwrap();
    Table::new("case_trends")
        .text("setting", ["training.penalty"; 3])
        .text("among", ["", "model.cell = Gru", "model.cell = Lstm"])
        .text("key", ["dimension.states"; 3])
        .f64("spearman", [-0.25, -0.75, 0.5])
        .lists("medians", [[1.0; 3].as_slice(); 3])
        .text("claim", ["", "G13: falls", ""])
        .maybe_bool("holds", [None, Some(true), None])
        .write(folder)
        .unwrap();
    assert!(grid::rewrite(folder).unwrap());
    let html = std::fs::read_to_string(folder.join("index.html")).unwrap().replace("&nbsp;", " ");
    let table = html.split("Where they hold along training.penalty").nth(1).unwrap();
    let table = table.split("</table>").next().unwrap();
    assert!(table.contains("<th>1e-3</th><th>1e-2</th><th>1e-1</th>"), "{table}");
    for row in [
        "<td>G8</td><td class=text>Gru</td><td>0 of 1</td><td>1 of 1</td><td>–</td>",
        "<td></td><td class=text>Lstm</td><td>1 of 1</td><td>1 of 1</td><td>–</td>",
    ] {
        assert!(table.contains(row), "{row}: {table}");
    }
    // All networks together, and those that are otherwise alike where something is claimed of them.
    let trends = html.split("Along the axes").nth(1).unwrap().split("</table>").next().unwrap();
    assert!(trends.contains("<td>-0.25</td><td class=text></td>"), "{trends}");
    assert!(trends.contains("States, model.cell = Gru</td>"), "{trends}");
    assert!(trends.contains("<td>-0.75</td><td class=text>G13: falls: holds</td>"), "{trends}");
    assert!(!trends.contains("model.cell = Lstm"), "{trends}");
    // Tested at one penalty alone, there is nothing along the axis to see.
    assert!(!table.contains("G9") && html.contains("<td>G9</td>"));
}
