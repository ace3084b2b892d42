//! From text to token ids, in the Hugging Face format.

use super::words::{self, Scanner};
use crate::{Error, Result, setting};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NormalizerWrapper, Replace, Sequence};
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{AddedToken, SplitDelimiterBehavior, TokenizerBuilder};

/// Token 0: words that are not in the vocabulary.
pub const UNKNOWN: &str = "<unk>";

/// A word: letters, digits and underscores, with apostrophes inside ("don't");
/// any other visible character stands alone.
const WORD: &str = r"[\p{L}\p{N}_]+(?:'[\p{L}]+)*|[^\s\p{L}\p{N}_]";

/// Documents handed to the tokenizer at once.
const BATCH: usize = 1024;

/// How text becomes token ids.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What a token is.
    pub kind: Kind,
    /// Largest vocabulary, `<unk>` included; the most frequent stay.
    #[serde(deserialize_with = "setting::whole::<_, 2, { setting::MANY }>")]
    pub vocabulary: usize,
    /// Occurrences in the training split below which a word is unknown.
    #[serde(deserialize_with = "setting::at_least_one")]
    pub least: usize,
    /// Largest number of tokens of a document.
    #[serde(deserialize_with = "setting::whole::<_, 1, { setting::MANY }>")]
    pub longest: usize,
    /// What happens to longer documents.
    pub too_long: TooLong,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: Kind::Words,
            vocabulary: 20_000,
            least: 2,
            longest: 400,
            too_long: TooLong::Cut,
        }
    }
}

/// What a token is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// Lower-cased words, punctuation split off, `<br />` removed.
    #[default]
    Words,
    /// Word pieces: white space first, then greedily the longest known piece;
    /// pieces that continue a word carry `##`. As in the papers' library.
    WordPiece,
    /// A `tokenizer.json` in the Hugging Face format.
    Given(PathBuf),
    /// A vocabulary: one word a line, in the order of the ids, or JSON (a list,
    /// or ids by word). Text is cut as for `Words`, and lower-cased unless the
    /// vocabulary has words like `The`; words that are not in it become its
    /// unknown word, or are left out where it has none.
    List(PathBuf),
}

/// Names under which vocabularies keep the word for what they do not know.
const UNKNOWNS: [&str; 6] = [UNKNOWN, "[UNK]", "<UNK>", "<oov>", "<OOV>", "UNK"];

/// What stands for unknown words that are left out, behind the vocabulary.
const LEFT_OUT: &str = "<left out>";

/// What happens to documents with more tokens than allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TooLong {
    /// The first tokens stay.
    #[default]
    Cut,
    /// The document is left out, as in the papers.
    Drop,
}

/// A tokenizer with its vocabulary.
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    /// The id that is left out of every text.
    left_out: Option<u32>,
    /// The same words, faster, where they are of this program's own kind.
    scanner: Option<Scanner>,
}

impl Tokenizer {
    /// Learns a vocabulary from the training texts, or reads the given file.
    ///
    /// # Errors
    /// [`Error::Input`] if a given file is no tokenizer.
    pub fn new(settings: &Settings, texts: &[String]) -> Result<Self> {
        if let Kind::Given(path) | Kind::List(path) = &settings.kind {
            // A pipe or a device may have no end.
            crate::files::open(path)?;
        }
        match &settings.kind {
            Kind::Given(path) => Self::read(path),
            Kind::List(path) => Self::listed(path),
            Kind::Words => Ok(Self::counted(settings, words::count(texts))),
            Kind::WordPiece => Ok(Self::pieces_of(settings, texts.iter().map(String::as_str))),
        }
    }

    fn from(inner: tokenizers::Tokenizer) -> Self {
        let left_out = inner.token_to_id(LEFT_OUT);
        Self { inner, left_out, scanner: None }
    }

    /// A tokenizer of whole words with a vocabulary that is given.
    fn listed(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io(path))?;
        let mut ids = vocabulary(path, &text)?;
        let unknown = UNKNOWNS.into_iter().find(|u| ids.contains_key(*u)).unwrap_or(LEFT_OUT);
        if unknown == LEFT_OUT {
            let next = ids.values().max().map_or(0, |last| last + 1);
            ids.insert(LEFT_OUT.into(), next);
        }
        let cased = has_capitals(ids.keys());
        Ok(Self::of_words(ids, unknown, cased))
    }

    /// The id of words that are not in the vocabulary, where it has one.
    pub fn unknown(&self) -> Option<u32> {
        UNKNOWNS.into_iter().find_map(|u| self.inner.token_to_id(u))
    }

    /// A tokenizer of the most frequent words; equally frequent ones in the order of their
    /// letters.
    pub fn counted(settings: &Settings, counts: HashMap<String, u64>) -> Self {
        let mut frequent: Vec<(String, u64)> = counts
            .into_iter()
            .filter(|(word, count)| *count >= settings.least as u64 && word != UNKNOWN)
            .collect();
        frequent.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let words = std::iter::once(UNKNOWN.to_string());
        let words = words.chain(frequent.into_iter().map(|(word, _)| word));
        Self::of_words(words.take(settings.vocabulary).zip(0..).collect(), UNKNOWN, false)
    }

    /// A tokenizer of whole words with these ids; `cased`: whether capitals stay.
    fn of_words(ids: HashMap<String, u32>, unknown: &str, cased: bool) -> Self {
        let model = WordLevel::builder()
            .vocab(ids.clone().into_iter().collect())
            .unk_token(unknown.into())
            .build()
            .expect("a vocabulary with its unknown word is a model");
        let tokenizer = TokenizerBuilder::new()
            .with_model(model)
            .with_normalizer(Some(normalizer(cased)))
            .with_pre_tokenizer(Some(split()))
            .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
            .with_decoder(None::<tokenizers::DecoderWrapper>)
            .build()
            .expect("the parts are there");
        let mut found = Self::from(tokenizer.into());
        let stands_for_unknown = (unknown != LEFT_OUT).then(|| ids[unknown]);
        found.scanner = Some(Scanner::new(ids, stands_for_unknown, cased));
        found
    }

    fn pieces_of<'a>(settings: &Settings, texts: impl Iterator<Item = &'a str> + Send) -> Self {
        let model = WordPiece::builder().unk_token(UNKNOWN.into()).build();
        let mut trainer = WordPieceTrainer::builder()
            .vocab_size(settings.vocabulary)
            .min_frequency(settings.least as u64)
            .special_tokens(vec![AddedToken::from(UNKNOWN, true)])
            .show_progress(false)
            .build();
        let mut tokenizer = TokenizerBuilder::new()
            .with_model(model.expect("an empty vocabulary is a model"))
            .with_normalizer(Some(normalizer(false)))
            .with_pre_tokenizer(Some(WhitespaceSplit))
            .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
            .with_decoder(None::<tokenizers::DecoderWrapper>)
            .build()
            .expect("the parts are there");
        tokenizer.train(&mut trainer, texts).expect("counting pieces cannot fail");
        Self::from(tokenizer.into())
    }

    /// Reads a `tokenizer.json`.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Input`] if it is no tokenizer.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(Error::io(path))?;
        let mut tokenizer = tokenizers::Tokenizer::from_bytes(bytes).map_err(|e| {
            let remedy = "give a tokenizer.json in the format of the Hugging Face tokenizers";
            Error::input(path.display(), "", e, remedy)
        })?;
        // Cutting and padding are ours to decide.
        tokenizer.with_truncation(None).expect("no truncation is always possible");
        tokenizer.with_padding(None);
        Ok(Self::from(tokenizer))
    }

    /// The tokenizer as `tokenizer.json`.
    pub fn to_json(&self) -> String {
        self.inner.to_string(true).expect("a tokenizer is plain data")
    }

    /// The vocabulary: `words[id]`; ids without a word are named `[id]`.
    pub fn words(&self) -> Vec<String> {
        let mut vocabulary = self.inner.get_vocab(true);
        vocabulary.remove(LEFT_OUT);
        let size = vocabulary.values().max().map_or(0, |&id| id as usize + 1);
        let mut words: Vec<String> = (0..size).map(|id| format!("[{id}]")).collect();
        vocabulary.into_iter().for_each(|(word, id)| words[id as usize] = word);
        words
    }

    /// Token ids of each text, in the order of the texts, over all threads.
    ///
    /// Special tokens (`[CLS]` and the like) are not added.
    ///
    /// # Errors
    /// [`Error::Input`] if a given tokenizer has no token for what it does not know.
    pub fn encode(&self, texts: &[String]) -> Result<Vec<Vec<u32>>> {
        if let Some(scanner) = &self.scanner {
            return Ok(scanner.encode(texts));
        }
        let mut all = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            let encodings = self.inner.encode_batch_fast(batch, false).map_err(|e| {
                Error::input("tokenizer.json", "", e, "give a tokenizer with an unknown token")
            })?;
            let kept = |id: &&u32| Some(**id) != self.left_out;
            all.extend(
                encodings.iter().map(|e| e.get_ids().iter().filter(kept).copied().collect()),
            );
        }
        Ok(all)
    }
}

/// Words by id from lines, a JSON list, or a JSON object of ids by word.
fn vocabulary(path: &Path, text: &str) -> Result<HashMap<String, u32>> {
    let remedy = "give one word a line in the order of the ids, or JSON: a list of words or an \
                  object of ids by word";
    let refuse =
        |place: String, problem: String| Err(Error::input(path.display(), place, problem, remedy));
    let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let words: Vec<(String, u32)> = if json {
        if let Ok(list) = serde_json::from_str::<Vec<String>>(text) {
            list.into_iter().zip(0..).collect()
        } else {
            match serde_json::from_str::<HashMap<String, u32>>(text) {
                Ok(ids) => ids.into_iter().collect(),
                Err(e) => return refuse(format!("line {}", e.line()), e.to_string()),
            }
        }
    } else {
        text.lines().map(|line| line.trim_end_matches('\r').to_string()).zip(0..).collect()
    };
    let mut ids = HashMap::with_capacity(words.len());
    for (word, id) in words {
        // An empty line is a row that no word reaches.
        if !word.is_empty()
            && let Some(first) = ids.insert(word.clone(), id)
        {
            return refuse(
                format!("word {}", id + 1),
                format!("`{word}` is word {} too", first + 1),
            );
        }
    }
    if ids.is_empty() {
        return refuse(String::new(), "no word".into());
    }
    Ok(ids)
}

/// Text cut into words and single visible characters.
fn split() -> Split {
    Split::new(SplitPattern::Regex(WORD.into()), SplitDelimiterBehavior::Removed, true)
        .expect("the pattern is well-formed")
}

/// Whether a vocabulary has words like `The`. Those all in capitals (`UNK`, `EOS`) or in brackets
/// stand for something else.
fn has_capitals<'a>(mut words: impl Iterator<Item = &'a String>) -> bool {
    words.any(|word| {
        let plain = !word.starts_with(['<', '[']);
        plain && word.chars().any(char::is_uppercase) && word.chars().any(char::is_lowercase)
    })
}

/// Lower case unless `cased`, straight apostrophes, no line breaks of web pages.
fn normalizer(cased: bool) -> NormalizerWrapper {
    let replace = |pattern: ReplacePattern, with: &str| {
        Replace::new(pattern, with).expect("the pattern is well-formed").into()
    };
    let lower = (!cased).then(|| Lowercase.into());
    let rest = [
        replace(ReplacePattern::Regex(r"<br\s*/?>".into()), " "),
        replace(ReplacePattern::String("’".into()), "'"),
    ];
    NormalizerWrapper::Sequence(Sequence::new(lower.into_iter().chain(rest).collect()))
}
