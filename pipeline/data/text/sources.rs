//! Which files a path means: itself, those of a pattern, or the shards of a folder, by split.

use super::settings::File;
use super::stream::shortened;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Endings of files of rows.
const ENDINGS: [&str; 7] = ["parquet", "csv", "tsv", "tab", "jsonl", "ndjson", "json"];

/// Endings of packed files, before which another one stands.
pub(super) const PACKED: [&str; 4] = ["gz", "gzip", "zst", "zstd"];

/// JSON that tells something of a corpus, and holds none of it.
const ABOUT: [&str; 6] =
    ["labels", "dataset_info", "dataset_infos", "dataset_dict", "state", "config"];

/// Folders below a folder in which shards are looked for.
const DEPTH: usize = 3;

/// The files of each split.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sources {
    pub train: Vec<PathBuf>,
    pub validation: Vec<PathBuf>,
    pub test: Vec<PathBuf>,
    /// Names of labels that lie beside the training file.
    pub label_names: Option<PathBuf>,
    /// What is read, where it is more than was named.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    const ALL: [(Part, &str); 3] =
        [(Part::Train, "training"), (Part::Validation, "validation"), (Part::Test, "test")];

    /// The split that a word of a file's name means, as the Hub has it.
    fn of(word: &str) -> Option<Self> {
        match word.to_lowercase().as_str() {
            "train" | "training" => Some(Part::Train),
            "validation" | "valid" | "val" | "dev" => Some(Part::Validation),
            "test" | "testing" | "eval" | "evaluation" => Some(Part::Test),
            _ => None,
        }
    }
}

/// Finds the files.
///
/// # Errors
/// [`Error::Usage`] where no file is named; [`Error::Input`] where none is there, or several readings are
/// possible.
pub(super) fn find(file: &File) -> Result<Sources> {
    if file.train.as_os_str().is_empty() {
        return Err(Error::Usage("corpus.source: `train` names no file".into()));
    }
    let mut found = Sources::default();
    let only = |path: &Option<PathBuf>| path.iter().cloned().collect::<Vec<_>>();
    let (validation, test) = (only(&file.validation), only(&file.test));
    let above = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
    if file.train.is_dir() && is_texts(&file.train) {
        let (mut train, mut test) = (file.train.clone(), test);
        if train.join("train").is_dir() {
            if test.is_empty() && train.join("test").is_dir() {
                test.push(train.join("test"));
            }
            train = train.join("train");
        }
        return Ok(Sources { train: vec![train], validation, test, ..found });
    }
    found.label_names = [file.train.clone(), above(&file.train)]
        .map(|folder| folder.join("labels.json"))
        .into_iter()
        .find(|path| path.is_file());
    let files = match named(&file.train)? {
        Named::One(path) => {
            found.notes.extend(shard_alone(&path));
            found.train = vec![path];
            None
        }
        Named::Several(files) => Some(files),
    };
    if let Some(files) = files {
        let root = if file.train.is_dir() { file.train.clone() } else { above(&files[0]) };
        let parts: Vec<Option<Part>> = files.iter().map(|f| part(f, &root)).collect();
        let has = |part: Part| parts.contains(&Some(part));
        let of = |part: Option<Part>| -> Vec<PathBuf> {
            let both = files.iter().zip(&parts);
            both.filter(|(_, p)| **p == part).map(|(f, _)| f.clone()).collect()
        };
        // Where names tell no split apart, all of them are the corpus.
        let one = parts.iter().all(|p| *p == parts[0]);
        if one {
            found.train = files.clone();
        } else if !has(Part::Train) {
            let problem = format!("none of {} is called by a training split", shown(&files, &root));
            let remedy = "name the training file, as train-….parquet, or give it by its path";
            return Err(Error::input(file.train.display(), "", problem, remedy));
        } else {
            found.train = of(Some(Part::Train));
            found.validation = of(Some(Part::Validation));
            found.test = of(Some(Part::Test));
            let others = of(None);
            if !others.is_empty() {
                found.notes.push(format!(
                    "{}: {} left out: its name tells no split",
                    file.train.display(),
                    shown(&others, &root)
                ));
            }
        }
        for (files, (_, name)) in
            [&found.train, &found.validation, &found.test].into_iter().zip(Part::ALL)
        {
            of_one_kind(files, &root)?;
            if !files.is_empty() {
                found.notes.push(format!(
                    "{}: {name} from {} file{}: {}",
                    file.train.display(),
                    files.len(),
                    if files.len() == 1 { "" } else { "s" },
                    shown(files, &root)
                ));
            }
        }
    }
    // A file that is named comes before what a folder holds.
    for (wanted, own, part) in [
        (&file.validation, &mut found.validation, Part::Validation),
        (&file.test, &mut found.test, Part::Test),
    ] {
        let Some(path) = wanted else { continue };
        *own = match named(path) {
            _ if path.is_dir() && is_texts(path) => vec![path.clone()],
            Err(error) => return Err(error),
            Ok(Named::One(path)) => vec![path],
            Ok(Named::Several(files)) => {
                let root = if path.is_dir() { path.clone() } else { above(&files[0]) };
                let fits = |f: &&PathBuf| self::part(f, &root) == Some(part);
                let some: Vec<PathBuf> = files.iter().filter(fits).cloned().collect();
                let files = if some.is_empty() { files } else { some };
                let shown = shown(&files, &root);
                found.notes.push(format!("{}: {} files: {shown}", path.display(), files.len()));
                files
            }
        };
    }
    Ok(found)
}

/// What a path names.
enum Named {
    One(PathBuf),
    /// Those of a pattern or of a folder, in the order of their names.
    Several(Vec<PathBuf>),
}

fn named(path: &Path) -> Result<Named> {
    let refuse =
        |problem: &str, remedy: &str| Err(Error::input(path.display(), "", problem, remedy));
    if path.is_dir() {
        let mut files = Vec::new();
        below(path, DEPTH, &mut files)?;
        let is_json = |f: &PathBuf| f.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
        if !files.iter().all(is_json) {
            files.retain(|f| !is_json(f));
        }
        return match files.len() {
            0 => refuse(
                "no label/*.txt and no file of rows in this folder",
                "place texts as LABEL/NAME.txt in it, or files such as train.csv, or train-00000-of-00002.parquet",
            ),
            1 => Ok(Named::One(files.remove(0))),
            _ => Ok(Named::Several(files)),
        };
    }
    // A path is a path, whatever characters are in it.
    if path.exists() {
        return Ok(Named::One(path.to_path_buf()));
    }
    let typed = path.to_string_lossy();
    if !is_pattern(path) {
        return refuse("no such file or folder", "check `corpus.source`");
    }
    // Brackets are often in the names of files, and mean themselves here.
    let pattern: String = typed
        .chars()
        .map(|c| if matches!(c, '[' | ']') { format!("[{c}]") } else { c.to_string() })
        .collect();
    let found = glob::glob(&pattern).map_err(|e| {
        Error::input(path.display(), "", e.msg, "give a pattern such as data/train-*.parquet")
    })?;
    let mut files: Vec<PathBuf> = found.flatten().filter(|f| f.is_file()).collect();
    files.sort();
    match files.is_empty() {
        true => refuse("no file is called so", "check the pattern"),
        false => Ok(Named::Several(files)),
    }
}

/// Whether a path that leads nowhere asks for several files.
pub fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?'])
}

/// Files of rows below a folder, in the order of their names.
fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = std::fs::read_dir(folder).map_err(Error::io(folder))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(Error::io(folder))?.path());
    }
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(['.', '_']) {
            continue;
        }
        if path.is_dir() {
            if depth > 0 {
                below(&path, depth - 1, files)?;
            }
        } else if let Some((stem, ending)) = ending(&name)
            && ENDINGS.contains(&ending.as_str())
            && !(ending == "json" && ABOUT.contains(&stem.as_str()))
        {
            files.push(path);
        }
    }
    Ok(())
}

/// A file's name and its ending in small letters, without what tells that it is packed.
pub(super) fn ending(name: &str) -> Option<(String, String)> {
    let (stem, last) = name.rsplit_once('.')?;
    let last = last.to_lowercase();
    match PACKED.contains(&last.as_str()) {
        true => ending(stem),
        false => Some((stem.to_lowercase(), last)),
    }
}

/// A file's name without its endings.
pub(super) fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, last)) if PACKED.contains(&last.to_lowercase().as_str()) => self::stem(stem),
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// The split of a file by its name, or by that of a folder that it lies in.
fn part(file: &Path, root: &Path) -> Option<Part> {
    let within = file.strip_prefix(root).unwrap_or(file);
    let names: Vec<String> =
        within.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    let words = |name: &String| -> Option<Part> {
        name.split(|c: char| !c.is_alphanumeric()).find_map(Part::of)
    };
    names.iter().rev().find_map(words)
}

/// Several kinds of files, or several folders, are rather the same rows twice.
fn of_one_kind(files: &[PathBuf], root: &Path) -> Result<()> {
    let mut kinds: Vec<String> =
        files.iter().filter_map(|f| Some(ending(&f.file_name()?.to_string_lossy())?.1)).collect();
    kinds.dedup();
    kinds.sort();
    kinds.dedup();
    let folder = |f: &PathBuf| -> PathBuf {
        let above = f.parent().unwrap_or(root);
        let names = above.strip_prefix(root).unwrap_or(above).components();
        // Folders named by a split hold parts of one corpus.
        names.filter(|c| Part::of(&c.as_os_str().to_string_lossy()).is_none()).collect()
    };
    let mut folders: Vec<PathBuf> = files.iter().map(folder).collect();
    folders.sort();
    folders.dedup();
    let problem = match (kinds.len(), folders.len()) {
        (2.., _) => {
            format!("files of several kinds ({}): {}", kinds.join(", "), shown(files, root))
        }
        (_, 2..) => format!("files in several folders: {}", shown(files, root)),
        _ => return Ok(()),
    };
    let remedy = "they may be the same rows twice; name one folder, or a pattern such as data/train-*.parquet";
    Err(Error::input(root.display(), "", problem, remedy))
}

fn shown(files: &[PathBuf], root: &Path) -> String {
    const MOST: usize = 6;
    let name =
        |f: &PathBuf| shortened(&f.strip_prefix(root).unwrap_or(f).display().to_string(), 70);
    let mut names: Vec<String> = files.iter().take(MOST).map(name).collect();
    if files.len() > MOST {
        names.push(format!("… and {} more", files.len() - MOST));
    }
    names.join(", ")
}

/// A note where one of several shards is read alone.
fn shard_alone(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_string_lossy();
    let (before, of) = name.split_once("-of-")?;
    let number: String = of.chars().take_while(char::is_ascii_digit).collect();
    let (name, at) = before.rsplit_once('-')?;
    let (all, at): (usize, usize) = (number.parse().ok()?, at.parse().ok()?);
    (all > 1).then(|| {
        format!(
            "{}: part {} of {all} alone is read; the folder, or `{name}-*`, reads all of them",
            path.display(),
            at + 1
        )
    })
}

/// Whether a folder holds texts in folders of labels.
fn is_texts(folder: &Path) -> bool {
    let has_texts = |folder: &Path| {
        let below = |folder: &Path| -> Vec<PathBuf> {
            let entries = std::fs::read_dir(folder).into_iter().flatten();
            entries.filter_map(|e| Some(e.ok()?.path())).collect()
        };
        let is_text = |path: &PathBuf| path.extension().is_some_and(|e| e == "txt");
        below(folder).iter().any(|label| label.is_dir() && below(label).iter().any(is_text))
    };
    has_texts(folder) || has_texts(&folder.join("train"))
}
