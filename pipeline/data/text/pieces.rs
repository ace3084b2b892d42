//! The training split of a corpus that is larger than memory, read piece by piece.
//!
//! [`Pieces::open`] reads the label column, sets the same documents apart as
//! [`load`](super::load()) does, and learns the vocabulary; [`Pieces::each`] then hands on the
//! training documents in the order of their rows. What stays in memory is four bytes a row,
//! the vocabulary, and one piece.

use super::load::{self, Tally};
use super::read::{Input, Places, Value};
use super::settings::{Settings, Source};
use super::tokens::{Kind, Tokenizer};
use super::{Split, split};
use crate::{Error, Result};
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};

/// Bytes of a training file above which its words are better counted in pieces; read whole, a
/// file takes several times its size.
const LARGE: u64 = 256 << 20;

/// Words that may be counted at once. Above, those seen once so far are forgotten, and how
/// many is noted: a word that is that rare in so large a file would be unknown anyway.
const MOST_WORDS: usize = 4_000_000;

/// A row that belongs to no training document.
const LEFT_OUT: u32 = u32::MAX;

/// A training split that is read in pieces.
pub struct Pieces {
    input: Input,
    /// What is to be said of the files.
    notes: Vec<String>,
    /// Labels as they are written, to tell a row within a text by.
    is_label: Box<dyn Fn(&str) -> bool>,
    /// Distinct combinations of labels of the training documents.
    sets: Vec<Vec<usize>>,
    /// The combination of each row.
    of_row: Vec<u32>,
    settings: Settings,
    tokenizer: Tokenizer,
    /// Words that were forgotten while they were counted.
    forgotten: usize,
    /// Whether documents carry lists of labels.
    pub lists: bool,
    /// Name for people.
    pub name: String,
    /// The vocabulary.
    pub words: Vec<String>,
    /// Label names by index.
    pub label_names: Vec<String>,
}

/// Whether the training file of a corpus is so large that it is better read in pieces, and can be.
///
/// # Errors
/// As [`files`](load::files).
pub fn large(settings: &Settings, data: &Path) -> Result<bool> {
    if settings.tokens.kind == Kind::WordPiece {
        return Ok(false);
    }
    let Some(files) = load::locate(settings, data)? else { return Ok(false) };
    let mut bytes = 0;
    for path in &files.sources.train {
        let about = std::fs::metadata(path).map_err(Error::io(path))?;
        if !about.is_file() {
            return Ok(false);
        }
        bytes += about.len() * if is_packed(path) { PACKED } else { 1 };
    }
    Ok(bytes > LARGE)
}

/// Bytes of text that a byte of a packed file holds, about.
const PACKED: u64 = 3;

fn is_packed(path: &Path) -> bool {
    let is =
        |ending: &std::ffi::OsStr| super::sources::PACKED.iter().any(|packed| ending == *packed);
    path.extension().is_some_and(is)
}

impl Pieces {
    /// Reads labels and vocabulary.
    ///
    /// * `progress`: is told how many rows are counted, of how many
    ///
    /// # Errors
    /// As [`load`](super::load()); [`Error::Usage`] for a source that is no single file, and for
    /// word pieces that are yet to be learned.
    pub fn open(
        settings: &Settings,
        data: &Path,
        seed: u64,
        progress: &mut dyn FnMut(usize, usize),
    ) -> Result<Self> {
        let usage = |problem: &str| Err(Error::Usage(problem.into()));
        let is_folder = |path: &PathBuf| path.is_dir();
        let files = match (load::locate(settings, data)?, &settings.source) {
            (Some(files), _) if !files.sources.train.iter().any(is_folder) => files,
            (_, Source::Synthetic(_)) => return usage("synthetic phrases are not read in pieces"),
            _ => return usage("a folder of texts is not read in pieces: make it one file"),
        };
        if settings.tokens.kind == Kind::WordPiece {
            return usage(
                "word pieces are not learned in pieces: give a tokenizer.json with \
                 `--set corpus.tokens.kind=Given(\"…\")`, or count words",
            );
        }
        let input = files.train()?;
        let column = input.column();
        let mut notes = files.sources.notes.clone();
        notes.extend(input.notes());

        // Rows by distinct value of the label column.
        let mut distinct: HashMap<Vec<Value>, u32> = HashMap::new();
        let mut first_rows: Vec<usize> = Vec::new();
        let mut of_row: Vec<u32> = Vec::new();
        let (mut lists, mut places) = (false, Places::default());
        input.each(false, |raw, before| {
            lists = raw.lists;
            for (row, values) in raw.labels.into_iter().enumerate() {
                let next = first_rows.len() as u32;
                let index = *distinct.entry(values).or_insert_with(|| {
                    first_rows.push(before + row);
                    next
                });
                of_row.push(index);
            }
            places = raw.places;
            Ok(())
        })?;
        let mut cells: Vec<(&[Value], usize)> =
            distinct.iter().map(|(cell, &at)| (cell.as_slice(), first_rows[at as usize])).collect();
        cells.sort_unstable_by_key(|(_, row)| *row);
        let at = (&places, column.as_str());
        let known = (&cells[..], lists, of_row.len());
        let (form, labelling) = load::label_form(settings, &files, known, at, &mut notes)?;
        let is_label = Box::new(load::is_label(&cells));
        let known: Vec<Option<Vec<usize>>> = cells
            .iter()
            .map(|(cell, row)| labelling.document(&form.read(cell, lists, *row, at)?, *row, at))
            .collect::<Result<_>>()?;
        drop(cells);
        drop(distinct);

        // The same documents as are set apart when the file is read whole.
        let kept: Vec<usize> =
            (0..of_row.len()).filter(|&row| known[of_row[row] as usize].is_some()).collect();
        let strata: Vec<&[usize]> =
            kept.iter().filter_map(|&row| known[of_row[row] as usize].as_deref()).collect();
        let file = places.of(0).0.to_string();
        notes.extend(load::none_kept(&file, of_row.len() - kept.len()));
        let there = (!files.sources.validation.is_empty(), !files.sources.test.is_empty());
        let [training, ..] = split::three(&strata, there, settings, seed);
        let mut next = training.iter().map(|&at| kept[at]).peekable();
        for (row, set) in of_row.iter_mut().enumerate() {
            if next.next_if_eq(&row).is_none() {
                *set = LEFT_OUT;
            }
        }
        let sets: Vec<Vec<usize>> = known.into_iter().map(Option::unwrap_or_default).collect();
        let carried: BTreeSet<u32> = of_row.iter().copied().filter(|&s| s != LEFT_OUT).collect();
        let carried = carried.iter().flat_map(|&s| sets[s as usize].iter().copied());
        load::absent(carried, labelling.names(), (&file, &column))?;

        let mut counts: HashMap<String, u64> = HashMap::new();
        let mut forgotten = 0;
        if settings.tokens.kind == Kind::Words {
            input.each(true, |raw, before| {
                let rows = before + raw.texts.len();
                let texts = training_texts(raw.texts, &of_row[before..]);
                for (word, count) in Tokenizer::count(&settings.tokens, &texts) {
                    *counts.entry(word).or_default() += count;
                }
                if counts.len() > MOST_WORDS {
                    let all = counts.len();
                    counts.retain(|_, count| *count > 1);
                    forgotten += all - counts.len();
                }
                progress(rows, of_row.len());
                Ok(())
            })?;
        }
        let tokenizer = match settings.tokens.kind {
            Kind::Words => Tokenizer::counted(&settings.tokens, counts),
            _ => Tokenizer::new(&settings.tokens, &[])?,
        };
        notes.extend(tokenizer.notes(&settings.tokens));
        Ok(Self {
            name: files.name.clone(),
            words: tokenizer.words(),
            label_names: labelling.names().to_vec(),
            settings: settings.clone(),
            input,
            notes,
            is_label,
            sets,
            of_row,
            lists: form.lists,
            tokenizer,
            forgotten,
        })
    }

    /// Combinations of labels and the number of training documents that carry each.
    pub fn label_sets(&self) -> Vec<(Vec<usize>, usize)> {
        let mut counts = vec![0; self.sets.len()];
        self.of_row.iter().filter(|&&s| s != LEFT_OUT).for_each(|&s| counts[s as usize] += 1);
        self.sets.iter().cloned().zip(counts).filter(|(_, count)| *count > 0).collect()
    }

    /// Hands on the training documents, piece by piece; returns what there is to say of them.
    ///
    /// * `progress`: as for [`Pieces::open`]
    ///
    /// # Errors
    /// As [`load`](super::load()), and the first of `each`.
    pub fn each(
        &self,
        progress: &mut dyn FnMut(usize, usize),
        mut each: impl FnMut(&Split) -> Result<()>,
    ) -> Result<Vec<String>> {
        let mut tally = Tally::default();
        let mut better = None;
        let mut carried = vec![0; self.label_names.len()];
        let mut places = Places::default();
        let noticed = self.input.each(true, |raw, before| {
            let rows = before + raw.texts.len();
            places = raw.places;
            let sets = &self.of_row[before..rows];
            let texts = training_texts(raw.texts, sets);
            if before == 0 {
                better = self.tokenizer.better(&self.settings.tokens, &texts);
            }
            tally.see(&self.tokenizer, &self.settings.tokens, &texts);
            let (tokens, left_out) = self.tokenizer.encode_counting(&texts)?;
            tally.left_out += left_out;
            let labels = sets.iter().filter(|&&s| s != LEFT_OUT);
            let labels = labels.map(|&s| self.sets[s as usize].clone()).collect();
            let cut = (&self.settings.tokens, self.tokenizer.unknown());
            let classes = (self.label_names.len(), self.lists);
            let (split, _) = load::collect(cut, tokens, labels, classes, &mut tally);
            let more = load::each_label(&split.labels, carried.len());
            carried.iter_mut().zip(more).for_each(|(all, more)| *all += more);
            each(&split)?;
            progress(rows, self.of_row.len());
            Ok(())
        })?;
        let mut notes = self.notes.clone();
        notes.extend(noticed.notes(&self.input, &places, &self.is_label));
        notes.extend(tally.notes("training", &self.settings.tokens, &self.tokenizer));
        notes.extend(better);
        notes.extend(load::single(&carried, &self.label_names, self.lists));
        if self.forgotten > 0 {
            notes.push(format!(
                "training split: {} words were forgotten that had been seen once when there were \
                 over {MOST_WORDS}",
                self.forgotten
            ));
        }
        Ok(notes)
    }
}

/// Texts of a piece's training documents.
fn training_texts(texts: Vec<String>, sets: &[u32]) -> Vec<String> {
    texts.into_iter().zip(sets).filter(|(_, s)| **s != LEFT_OUT).map(|(t, _)| t).collect()
}
