//! What the page needs to run the network on a document, gathered from the run's files.

use super::{label_text, read};
use crate::corpus::Corpus;
use crate::corpus::tokens::Kind;
use crate::experiment::Experiment;
use crate::geometry::Pca;
use crate::linalg::Matrix;
use crate::model::Network;
use crate::records;
use crate::report::figure;
use crate::report::walk::{Direction, Document, Packed, Walk};
use crate::studies::explain::{as_outputs, bag_of_words};
use crate::{Result, seed};
use rand::seq::SliceRandom;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

/// Most numbers of the words' vectors in a page: 2.4 MB of text.
const WORD_NUMBERS: usize = 900_000;
/// Most numbers of the cell; a larger network is not put into a page.
const CELL_NUMBERS: usize = 1_300_000;
/// Documents to choose from.
const DOCUMENTS: usize = 36;
/// States drawn behind the walk.
const POINTS: usize = 1500;
/// Words that name a document in the list.
const TITLE: usize = 7;
/// Words marked as modifiers, at most, and the quantile of the null they must pass.
const MODIFIERS: (usize, f64) = (60, 0.99);

/// The walk; none where the network is too large for a page, or more than the page runs: one layer, read at its last
/// state or at their mean.
pub fn gather(e: &Experiment, folder: &Path) -> Result<Option<Walk>> {
    let (corpus, network) = read(folder)?;
    if network.whole().is_some() {
        return Ok(None);
    }
    let cell = network.cell()?;
    let one_hot = network.embedding()?.is_none();
    let rows = cell.kind.gates() * cell.units;
    let own = rows * (cell.units + if one_hot { 0 } else { cell.inputs });
    let width = if one_hot { rows } else { cell.inputs };
    let most = WORD_NUMBERS / width;
    if own > CELL_NUMBERS || most < 100 {
        return Ok(None);
    }
    let documents = choose(e, &corpus, most / 2);
    let words = vocabulary(&corpus, &documents, most);
    let place: HashMap<u32, usize> = words.iter().enumerate().map(|(i, &w)| (w, i)).collect();

    let inputs = network.inputs()?;
    let vector = |&w: &u32| match one_hot {
        true => (0..rows).map(|r| cell.input_weights[r * cell.inputs + w as usize]).collect(),
        false => inputs.vector(w as usize),
    };
    let (readout, bias) = network.readout()?;
    let size = network.state_size();
    let (table, alone_bias) = bag_of_words(folder, corpus.words.len(), network.outputs())?;
    let like = |z: &[f64]| as_outputs(z, network.outputs());
    let alone: Vec<f64> = words.iter().flat_map(|&w| like(&table[w as usize])).collect();
    let axes = axes(folder, size)?;
    let mut directions = axes.mean.as_slice().to_vec();
    for a in 0..3 {
        let there = a < axes.directions.ncols();
        directions.extend((0..size).map(|i| if there { axes.directions[(i, a)] } else { 0.0 }));
    }
    let mut arrays = BTreeMap::from([
        ("words", Packed::new(&words.iter().flat_map(vector).collect::<Vec<_>>(), width)),
        ("recurrent_weights", Packed::new(&cell.recurrent_weights, cell.units)),
        ("input_bias", Packed::new(&cell.input_bias, rows)),
        ("recurrent_bias", Packed::new(&cell.recurrent_bias, rows)),
        ("initial", Packed::new(&network.initial_state()?, size)),
        ("readout", Packed::new(&readout, size)),
        ("bias", Packed::new(&bias, bias.len())),
        ("alone", Packed::new(&alone, bias.len())),
        ("axes", Packed::new(&directions, size)),
    ]);
    if !one_hot {
        arrays.insert("input_weights", Packed::new(&cell.input_weights, cell.inputs));
    }

    let states = records::States::read(folder)?;
    let labels = states.label()?;
    let names: Vec<String> = labels.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let every = labels.len().div_ceil(POINTS).max(1);
    let [x, y, z] = [states.pc_1()?, states.pc_2()?, states.pc_3()?];
    let label = |i: usize| names.binary_search(&labels[i]).expect("every label is listed") as f64;
    let points = (0..labels.len()).step_by(every);
    let points = points.map(|i| [short(x[i]), short(y[i]), short(z[i]), label(i)]).collect();
    let readouts = records::Readouts::read(folder)?;
    let outputs = readouts.name()?;
    let [dx, dy, dz] = [readouts.pc_1()?, readouts.pc_2()?, readouts.pc_3()?];
    let arrows = outputs.iter().enumerate();
    let arrows =
        arrows.map(|(o, name)| Direction { name: name.clone(), at: [dx[o], dy[o], dz[o]] });

    Ok(Some(Walk {
        cell: format!("{:?}", cell.kind),
        pool: format!("{:?}", network.pool()),
        head: format!("{:?}", network.head()),
        units: cell.units,
        inputs: width,
        one_hot,
        arrays,
        alone_bias: like(&alone_bias),
        vocabulary: words.iter().map(|&w| corpus.words[w as usize].clone()).collect(),
        spaced: !folder.join("tokenizer.json").is_file(),
        pieces: e.corpus.tokens.kind == Kind::WordPiece,
        labels: corpus.label_names.clone(),
        modifiers: modifiers(folder, &place)?,
        colours: figure::colours(&labels, &outputs, &corpus.label_names),
        point_labels: names,
        points,
        slow_points: slow_points(folder, size)?,
        readouts: arrows.collect(),
        outputs,
        documents: ready(&corpus, &network, &documents, &place)?,
    }))
}

/// Four digits are more than a screen shows.
fn short(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}

/// Test documents, as many of each label as there are of the others, whose words
/// are at most `most` different ones.
fn choose(e: &Experiment, corpus: &Corpus, most: usize) -> Vec<usize> {
    let test = &corpus.test;
    let mut order: Vec<usize> = (0..test.documents.len()).collect();
    order.shuffle(&mut seed::stream(e.seed, "report/walk"));
    let label = |d: usize| label_text(test, d, &corpus.label_names);
    let labels: BTreeSet<String> = order.iter().map(|&d| label(d)).collect();
    let each = (DOCUMENTS / labels.len().max(1)).max(1);
    let mut taken: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut known: BTreeSet<u32> = BTreeSet::new();
    for d in order {
        let chosen = taken.entry(label(d)).or_default();
        if chosen.len() >= each {
            continue;
        }
        let with: BTreeSet<u32> = known.iter().chain(test.documents.get(d)).copied().collect();
        if with.len() <= most {
            known = with;
            chosen.push(d);
        }
    }
    taken.into_values().flatten().take(DOCUMENTS).collect()
}

/// Words of the documents, then the most frequent others, `most` in all.
fn vocabulary(corpus: &Corpus, documents: &[usize], most: usize) -> Vec<u32> {
    let mut counts = vec![0_u64; corpus.words.len()];
    corpus.train.documents.tokens().iter().for_each(|&t| counts[t as usize] += 1);
    let needed: BTreeSet<u32> =
        documents.iter().flat_map(|&d| corpus.test.documents.get(d)).copied().collect();
    let mut order: Vec<u32> = (0..corpus.words.len() as u32).collect();
    order.sort_by_key(|&w| (!needed.contains(&w), std::cmp::Reverse(counts[w as usize]), w));
    order.truncate(most);
    order
}

/// The documents, with what the network says of each at its end.
fn ready(
    corpus: &Corpus,
    network: &Network,
    documents: &[usize],
    place: &HashMap<u32, usize>,
) -> Result<Vec<Document>> {
    let texts: Vec<&[u32]> = documents.iter().map(|&d| corpus.test.documents.get(d)).collect();
    let said = network.predict(&texts)?;
    let width = network.outputs();
    let document = |((&d, text), said): ((&usize, &&[u32]), &Vec<f32>)| {
        let title: Vec<&str> =
            text.iter().take(TITLE).map(|&t| corpus.words[t as usize].as_str()).collect();
        let dots = if text.len() > TITLE { " …" } else { "" };
        Document {
            label: label_text(&corpus.test, d, &corpus.label_names),
            title: format!("{}{dots}", title.join(" ")),
            tokens: text.iter().map(|t| place[t]).collect(),
            // A score is said at every token; the last one counts.
            said: said[said.len() - width..].to_vec(),
        }
    };
    Ok(documents.iter().zip(&texts).zip(&said).map(document).collect())
}

/// The principal components, of states of `size` numbers.
fn axes(folder: &Path, size: usize) -> Result<Pca> {
    let (axes, _) = super::states::read_axes(folder)?;
    if axes.mean.len() != size {
        let problem = format!("directions of {} numbers; a state has {size}", axes.mean.len());
        return Err(records::Axes::read(folder)?.refuse("column `direction`", problem));
    }
    Ok(axes)
}

fn slow_points(folder: &Path, size: usize) -> Result<Vec<[f64; 3]>> {
    let points: Matrix = super::geometry::primary_points(folder)?;
    let axes = axes(folder, size)?;
    if points.nrows() > 0 && points.ncols() != size {
        let problem = format!("points of {} numbers; a state has {size}", points.ncols());
        return Err(records::FixedPoints::read(folder)?.refuse("column `state`", problem));
    }
    Ok(points
        .row_iter()
        .map(|row| {
            let state: Vec<f64> = row.iter().copied().collect();
            let at = super::states::padded(axes.coordinates(&state, 3));
            [short(at[0]), short(at[1]), short(at[2])]
        })
        .collect())
}

/// Words of the page that change how others are read, strongest first.
fn modifiers(folder: &Path, place: &HashMap<u32, usize>) -> Result<Vec<usize>> {
    let Some(table) = records::Modifiers::read_if_there(folder)? else { return Ok(Vec::new()) };
    let (id, beyond) = (table.id()?, table.null_quantile()?);
    let found = (0..id.len()).filter(|&i| beyond[i] >= MODIFIERS.1).take(MODIFIERS.0);
    Ok(found.filter_map(|i| place.get(&(id[i] as u32)).copied()).collect())
}
