//! From text to token ids, in the Hugging Face format.

use super::stream::{self, brief, caught};
use super::words::{self, Rules, Scanner};
use crate::{Error, Result, setting};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use tokenizers::models::ModelWrapper;
use tokenizers::models::wordlevel::WordLevel;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, NFC, NormalizerWrapper, Replace, Sequence};
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::pre_tokenizers::whitespace::WhitespaceSplit;
use tokenizers::{
    AddedToken, PostProcessor, PreTokenizerWrapper, SplitDelimiterBehavior, TokenizerBuilder,
    TruncationParams,
};

/// Token 0: words that are not in the vocabulary.
pub const UNKNOWN: &str = "<unk>";

/// A word: letters with their marks, digits and underscores, with apostrophes inside ("don't");
/// any other visible character stands alone, with the marks on it. The joiners of Indian and Persian words are marks.
const WORD: &str = r"[\p{L}\p{M}\p{N}_\x{200C}\x{200D}]+(?:'[\p{L}\p{M}\x{200C}\x{200D}]+)*|[^\s\p{L}\p{M}\p{N}_\x{200C}\x{200D}][\p{M}\x{200C}\x{200D}]*";

/// Bytes of a list of words, or of a tokenizer.
const LARGEST: u64 = 512 << 20;

/// Ids may leave rows free that no word reaches: so many for each word, and so many besides.
const FREE: (usize, usize) = (16, 1 << 16);

/// Length that no text reaches: a stored tokenizer that is cut there adds its special tokens. Other cuts are never
/// stored.
const SPECIAL: usize = 1 << 40;

/// Texts on which other ways of cutting are tried.
const TRIED: usize = 1000;

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
    /// What ends a word, for `Words` and `List`.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub cut: Cut,
    /// Characters that are taken out of the text first, for `Words` and `List`.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub strip: Strip,
    /// Unicode's normal form: composed and decomposed letters read alike.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub normal_form: NormalForm,
    /// Add the special tokens of a given tokenizer, as `[CLS]` … `[SEP]`.
    #[serde(skip_serializing_if = "setting::is_zero")]
    pub special: bool,
}

/// What ends a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Cut {
    /// White space and punctuation; words of a given list stay whole between white space.
    #[default]
    Words,
    /// White space alone, for text that is cut already.
    Whitespace,
}

/// Characters that are taken out of the text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strip {
    /// None.
    #[default]
    Nothing,
    /// As Keras' `TextVectorization`: ASCII punctuation and `'` are dropped (`well-made` is `wellmade`), and white
    /// space alone ends a word.
    TextVectorization,
    /// As Keras' `Tokenizer`: ASCII punctuation without `'` becomes a blank, and white space alone ends a word.
    KerasTokenizer,
    /// These characters are dropped.
    Characters(String),
}

/// What Keras' `TextVectorization` drops.
const PUNCTUATION: &str = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~'";

/// What Keras' `Tokenizer` makes blanks of; tabs and ends of lines are blanks already.
const FILTERED: &str = "!\"#$%&()*+,-./:;<=>?@[\\]^_`{|}~";

/// Unicode's normal form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum NormalForm {
    /// Letters and marks are composed (NFC).
    #[default]
    Composed,
    /// Text stays as it is.
    None,
}

impl Settings {
    /// How words are cut.
    fn rules(&self, cased: bool) -> Rules {
        let (dropped, blanked) = match &self.strip {
            Strip::Nothing => ("", ""),
            Strip::TextVectorization => (PUNCTUATION, ""),
            Strip::KerasTokenizer => ("", FILTERED),
            Strip::Characters(characters) => (characters.as_str(), ""),
        };
        let keras = matches!(self.strip, Strip::TextVectorization | Strip::KerasTokenizer);
        Rules {
            cased,
            uncomposed: self.normal_form == NormalForm::None,
            at_blanks: keras || self.cut == Cut::Whitespace,
            dropped: dropped.into(),
            blanked: blanked.into(),
            ..Rules::default()
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            kind: Kind::Words,
            vocabulary: 20_000,
            least: 2,
            longest: 400,
            too_long: TooLong::Cut,
            cut: Cut::Words,
            strip: Strip::Nothing,
            normal_form: NormalForm::Composed,
            special: false,
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
const UNKNOWNS: [&str; 22] = [
    UNKNOWN,
    "[UNK]",
    "<UNK>",
    "<oov>",
    "<OOV>",
    "UNK",
    "[unk]",
    "xxunk",
    "@@UNKNOWN@@",
    "<unknown>",
    "<UNKNOWN>",
    "[UNKNOWN]",
    "[OOV]",
    "[oov]",
    "<Unk>",
    "_UNK",
    "_UNK_",
    "__UNK__",
    "__unk__",
    "OOV",
    "unk",
    "oov",
];

/// The id of the word that stands for what is unknown, by its usual names.
///
/// * `words`: the vocabulary
pub fn unknown_of(words: &[String]) -> Option<u32> {
    let id = UNKNOWNS.iter().find_map(|name| words.iter().position(|w| w == name))?;
    Some(id as u32)
}

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
    /// Whether special tokens are added.
    special: bool,
    /// Whether the vocabulary was given.
    given: bool,
}

/// What is seen in texts before they are cut.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Texts of scripts without blanks between words.
    pub unspaced: usize,
    /// Texts with a listed word that would be cut, were it not listed.
    pub kept_whole: usize,
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
            Kind::Given(path) => Self::given(path, settings.special),
            Kind::List(path) => Self::listed(path, settings),
            Kind::Words => Ok(Self::counted(settings, words::count(texts, &settings.rules(false)))),
            Kind::WordPiece => Ok(Self::pieces_of(settings, texts.iter().map(String::as_str))),
        }
    }

    fn from(inner: tokenizers::Tokenizer) -> Self {
        let left_out = inner.token_to_id(LEFT_OUT);
        Self { inner, left_out, scanner: None, special: false, given: false }
    }

    /// A tokenizer of whole words with a vocabulary that is given.
    fn listed(path: &Path, settings: &Settings) -> Result<Self> {
        let text = stream::small(path, LARGEST)?;
        let mut ids = vocabulary(path, &text)?;
        let unknown = UNKNOWNS.into_iter().find(|u| ids.contains_key(*u)).unwrap_or(LEFT_OUT);
        let mut rules = settings.rules(has_capitals(ids.keys()));
        if !rules.uncomposed {
            ids = composed(ids).unwrap_or_else(|apart| {
                // The list itself tells composed and decomposed words apart.
                rules.uncomposed = true;
                apart
            });
        }
        if !rules.at_blanks {
            let cut = ids.keys().filter(|w| !w.contains(char::is_whitespace) && words::is_cut(w));
            rules.whole = cut.filter(|w| *w != unknown).cloned().collect();
        }
        if unknown == LEFT_OUT {
            let next = ids.values().max().map_or(0, |last| last + 1);
            ids.insert(LEFT_OUT.into(), next);
        }
        Ok(Self { given: true, ..Self::of_words(ids, unknown, rules) })
    }

    /// Whether the vocabulary was given, not learned.
    pub fn is_given(&self) -> bool {
        self.given
    }

    /// The id of words that are not in the vocabulary, where it has one.
    pub fn unknown(&self) -> Option<u32> {
        let named = match self.inner.get_model() {
            ModelWrapper::WordLevel(model) => Some(model.unk_token.as_str()),
            ModelWrapper::WordPiece(model) => Some(model.unk_token.as_str()),
            ModelWrapper::BPE(model) => model.unk_token.as_deref(),
            ModelWrapper::Unigram(_) => None,
        };
        let named = named.filter(|name| *name != LEFT_OUT);
        let own = named.and_then(|name| self.inner.token_to_id(name));
        own.or_else(|| {
            // A list without such a word leaves words out.
            let usual = UNKNOWNS.into_iter().filter(|_| self.left_out.is_none());
            usual.into_iter().find_map(|u| self.inner.token_to_id(u))
        })
    }

    /// What there is to say of a vocabulary that was given.
    pub fn notes(&self, settings: &Settings) -> Vec<String> {
        let mut notes = Vec::new();
        let (Kind::Given(path) | Kind::List(path)) = &settings.kind else { return notes };
        let path = path.display();
        let adds = self.inner.get_post_processor().map_or(0, |p| p.added_tokens(false));
        match (adds, self.special, &settings.kind) {
            (1.., true, _) => notes.push(format!("{path}: {adds} special tokens are added to each document")),
            (1.., false, _) => notes.push(format!(
                "{path}: the tokenizer adds {adds} special tokens to each document, and they are left away; \
                 `--special-tokens` (`corpus.tokens.special`) adds them"
            )),
            (0, true, Kind::Given(_)) => notes.push(format!("{path}: the tokenizer has no special tokens to add")),
            _ => {}
        }
        if let (Kind::List(_), Some(unknown)) = (&settings.kind, self.unknown())
            && let Some(word) = self.inner.id_to_token(unknown)
            && word != UNKNOWN
            && word != "[UNK]"
        {
            notes.push(format!(
                "{path}: `{}` was taken as the word for what it does not know",
                brief(&word)
            ));
        }
        notes
    }

    /// What is seen in texts before they are cut.
    pub fn see(&self, settings: &Settings, texts: &[String]) -> Seen {
        let kept_whole = self.scanner.as_ref().map_or(0, |scanner| scanner.kept_whole(texts));
        if matches!(settings.kind, Kind::Given(_)) {
            return Seen { unspaced: 0, kept_whole };
        }
        let unspaced = texts.iter().filter(|text| words::is_unspaced(text)).count();
        Seen { unspaced, kept_whole }
    }

    /// A note where another way of cutting finds far more words of a given list in the first training texts.
    pub fn better(&self, settings: &Settings, texts: &[String]) -> Option<String> {
        let scanner = self.scanner.as_ref().filter(|_| self.given)?;
        let texts = &texts[..texts.len().min(TRIED)];
        let share = |rules: &Rules| {
            let (words, unknown) = scanner.unknown_of(texts, rules);
            unknown as f64 / words.max(1) as f64
        };
        let own = share(scanner.rules());
        if own < 0.05 {
            return None;
        }
        let others = [
            ("cut=Whitespace", Settings { cut: Cut::Whitespace, ..settings.clone() }),
            (
                "strip=TextVectorization",
                Settings { strip: Strip::TextVectorization, ..settings.clone() },
            ),
            ("strip=KerasTokenizer", Settings { strip: Strip::KerasTokenizer, ..settings.clone() }),
        ];
        let tried = others.map(|(name, other)| (name, share(&other.rules(scanner.rules().cased))));
        let (name, least) = tried.into_iter().min_by(|a, b| a.1.total_cmp(&b.1))?;
        (least < 0.5 * own).then(|| {
            format!(
                "of the first training documents the vocabulary does not know {:.1} % of the words; with `--set \
                 corpus.tokens.{name}` it would not know {:.1} %: was its text cut so?",
                100.0 * own,
                100.0 * least
            )
        })
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
        let ids = words.take(settings.vocabulary).zip(0..).collect();
        Self::of_words(ids, UNKNOWN, settings.rules(false))
    }

    /// Counts the words of texts as a vocabulary is learned from them.
    pub fn count(settings: &Settings, texts: &[String]) -> HashMap<String, u64> {
        words::count(texts, &settings.rules(false))
    }

    /// A tokenizer of whole words with these ids, cut by these rules.
    fn of_words(ids: HashMap<String, u32>, unknown: &str, rules: Rules) -> Self {
        let model = WordLevel::builder()
            .vocab(ids.clone().into_iter().collect())
            .unk_token(unknown.into())
            .build()
            .expect("a vocabulary with its unknown word is a model");
        let split: PreTokenizerWrapper = match rules.at_blanks {
            true => WhitespaceSplit.into(),
            false => split(&rules).into(),
        };
        let tokenizer = TokenizerBuilder::new()
            .with_model(model)
            .with_normalizer(Some(normalizer(&rules)))
            .with_pre_tokenizer(Some(split))
            .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
            .with_decoder(None::<tokenizers::DecoderWrapper>)
            .build()
            .expect("the parts are there");
        let mut found = Self::from(tokenizer.into());
        let stands_for_unknown = (unknown != LEFT_OUT).then(|| ids[unknown]);
        found.scanner = Some(Scanner::new(ids, stands_for_unknown, rules));
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
            .with_normalizer(Some(normalizer(&Rules { at_blanks: false, ..settings.rules(false) })))
            .with_pre_tokenizer(Some(WhitespaceSplit))
            .with_post_processor(None::<tokenizers::PostProcessorWrapper>)
            .with_decoder(None::<tokenizers::DecoderWrapper>)
            .build()
            .expect("the parts are there");
        tokenizer.train(&mut trainer, texts).expect("counting pieces cannot fail");
        Self::from(tokenizer.into())
    }

    /// Reads a `tokenizer.json`, as one that is stored with a run.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::Input`] if it is no tokenizer.
    pub fn read(path: &Path) -> Result<Self> {
        Self::given(path, false)
    }

    /// Reads a `tokenizer.json`; `special`: whether its special tokens are added.
    fn given(path: &Path, special: bool) -> Result<Self> {
        let text = stream::small(path, LARGEST)?;
        let refuse = |problem: String| {
            let remedy = "give a tokenizer.json in the format of the Hugging Face tokenizers";
            Error::input(path.display(), "", problem, remedy)
        };
        let read = caught(|| tokenizers::Tokenizer::from_bytes(text.as_bytes()))
            .map_err(|panic| refuse(format!("its parts contradict each other ({panic})")))?;
        let mut tokenizer = read.map_err(|e| refuse(e.to_string()))?;
        let vocabulary = tokenizer.get_vocab(true);
        if let Some((word, id)) = far(&vocabulary) {
            return Err(refuse(format!(
                "`{}` has the id {id}, and there are {} words",
                brief(word),
                vocabulary.len()
            )));
        }
        let stored = tokenizer.get_truncation().is_some_and(|t| t.max_length == SPECIAL);
        // Cutting and padding are ours to decide.
        tokenizer.with_truncation(None).expect("no truncation is always possible");
        tokenizer.with_padding(None);
        Ok(Self { special: special || stored, given: true, ..Self::from(tokenizer) })
    }

    /// The tokenizer as `tokenizer.json`.
    pub fn to_json(&self) -> String {
        let mut stored = self.inner.clone();
        if self.special {
            let never = TruncationParams { max_length: SPECIAL, ..TruncationParams::default() };
            stored.with_truncation(Some(never)).expect("no text is so long");
        }
        stored.to_string(true).expect("a tokenizer is plain data")
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
    /// Special tokens (`[CLS]` and the like) are added where that is asked for.
    ///
    /// # Errors
    /// [`Error::Input`] if a given tokenizer has no token for what it does not know, or cannot be used.
    pub fn encode(&self, texts: &[String]) -> Result<Vec<Vec<u32>>> {
        Ok(self.encode_counting(texts)?.0)
    }

    /// The tokens of one text, each with the part of the text that it stands for.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_with_parts(&self, text: &str) -> Result<Vec<(u32, String)>> {
        let refuse = |problem: String| {
            Err(Error::input("tokenizer.json", "", problem, "give another tokenizer.json"))
        };
        let encoding = match caught(|| self.inner.encode(text, self.special)) {
            Ok(Ok(encoding)) => encoding,
            Ok(Err(e)) => return refuse(e.to_string()),
            Err(panic) => return refuse(format!("its parts contradict each other ({panic})")),
        };
        let parts = encoding.get_ids().iter().zip(encoding.get_offsets());
        let parts = parts.filter(|(id, _)| Some(**id) != self.left_out);
        let part = |(id, (begin, end)): (&u32, &(usize, usize))| {
            (*id, text.get(*begin..*end).unwrap_or_default().to_string())
        };
        Ok(parts.map(part).collect())
    }

    /// As [`Tokenizer::encode`], and how many words were left out.
    ///
    /// # Errors
    /// As [`Tokenizer::encode`].
    pub fn encode_counting(&self, texts: &[String]) -> Result<(Vec<Vec<u32>>, usize)> {
        let mut left_out = 0;
        if let Some(scanner) = &self.scanner {
            let count = |(ids, without): (Vec<u32>, usize)| {
                left_out += without;
                ids
            };
            let all = scanner.encode(texts).into_iter().map(count).collect();
            return Ok((all, left_out));
        }
        let mut all = Vec::with_capacity(texts.len());
        for batch in texts.chunks(BATCH) {
            let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
            let refuse = |problem: String, remedy: &str| {
                Err(Error::input("tokenizer.json", "", problem, remedy))
            };
            let encodings = match caught(|| self.inner.encode_batch_fast(batch, self.special)) {
                Ok(Ok(encodings)) => encodings,
                Ok(Err(e)) => {
                    return refuse(e.to_string(), "give a tokenizer with an unknown token");
                }
                Err(panic) => {
                    let problem = format!("its parts contradict each other ({panic})");
                    return refuse(problem, "give another tokenizer.json, or save it again");
                }
            };
            for encoding in &encodings {
                let kept = encoding.get_ids().iter().filter(|id| Some(**id) != self.left_out);
                let kept: Vec<u32> = kept.copied().collect();
                left_out += encoding.get_ids().len() - kept.len();
                all.push(kept);
            }
        }
        Ok((all, left_out))
    }
}

/// A word whose id lies far beyond the number of words.
fn far(ids: &HashMap<String, u32>) -> Option<(&str, u32)> {
    let most = FREE.0 * ids.len() + FREE.1;
    let (word, id) = ids.iter().max_by_key(|(_, id)| **id)?;
    (*id as usize >= most).then_some((word.as_str(), *id))
}

/// Words in Unicode's normal form C; as they are where two of them would be one.
fn composed(
    ids: HashMap<String, u32>,
) -> std::result::Result<HashMap<String, u32>, HashMap<String, u32>> {
    if ids.keys().all(|word| word.is_ascii()) {
        return Ok(ids);
    }
    let all: HashMap<String, u32> =
        ids.iter().map(|(word, id)| (words::composed(word).into_owned(), *id)).collect();
    if all.len() == ids.len() { Ok(all) } else { Err(ids) }
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
            // In the order of the words, so that of two faults always the same one is told.
            match serde_json::from_str::<BTreeMap<String, u32>>(text) {
                Ok(ids) => ids.into_iter().collect(),
                Err(e) => return refuse(format!("line {}", e.line()), e.to_string()),
            }
        }
    } else {
        if let Some((problem, remedy)) = numbers_beside(text) {
            return Err(Error::input(path.display(), "", problem, remedy));
        }
        text.lines().map(|line| line.trim_end_matches('\r').to_string()).zip(0..).collect()
    };
    let mut ids = HashMap::with_capacity(words.len());
    for (word, id) in words {
        // An empty line is a row that no word reaches.
        if !word.is_empty()
            && let Some(first) = ids.insert(word.clone(), id)
        {
            return refuse(
                format!("word {}", id as u64 + 1),
                format!("`{}` is word {} too", brief(&word), first as u64 + 1),
            );
        }
    }
    if ids.is_empty() {
        return refuse(String::new(), "no word".into());
    }
    if let Some((word, id)) = far(&ids) {
        let problem = format!("it has the id {id}, and there are {} words", ids.len());
        return refuse(format!("word `{}`", brief(word)), problem);
    }
    Ok(ids)
}

/// What lines are that hold a word and numbers, and what to do instead.
fn numbers_beside(text: &str) -> Option<(String, &'static str)> {
    const LOOKED_AT: usize = 200;
    let (mut lines, mut counts, mut vectors, mut numbers, mut before) = (0, 0, 0, 0, 0);
    for line in text.lines().map(str::trim).filter(|l| !l.is_empty()).take(LOOKED_AT) {
        lines += 1;
        let mut parts = line.split([' ', '\t', ',']).filter(|p| !p.is_empty()).skip(1).peekable();
        let any = parts.peek().is_some();
        let numbered =
            line.split([' ', '\t', ',']).next().is_some_and(|n| n.parse::<u64>().is_ok());
        before += (any && numbered) as usize;
        let count = parts.clone().count();
        if any && parts.all(|part| part.parse::<f64>().is_ok()) {
            counts += (count == 1) as usize;
            vectors += (count > 1) as usize;
            numbers = numbers.max(count);
        }
    }
    if 10 * vectors >= 9 * lines && vectors > 0 {
        let remedy =
            "give the words alone, in the same order: `cut -d' ' -f1 vectors.txt > words.txt`";
        return Some((
            format!("every line holds a word and {numbers} numbers, as vectors of words do"),
            remedy,
        ));
    }
    if 10 * before >= 9 * lines && before > 1 && counts == 0 {
        let remedy =
            "give the words alone, in the order of the ids (`cut -f2`), or JSON: ids by word";
        return Some(("every line holds a number and a word".into(), remedy));
    }
    (10 * counts >= 9 * lines && counts > 1).then(|| {
        let problem = "every line holds a word and a number: its count, or its id".to_string();
        let first = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
        let remedy = if first.contains('\t') {
            "give the words alone, in the order of the ids (`cut -f1`), or JSON: ids by word"
        } else if first.contains(',') {
            "give the words alone, in the order of the ids (`cut -d, -f1`), or JSON: ids by word"
        } else {
            "give the words alone, in the order of the ids (`cut -d' ' -f1`), or JSON: ids by word"
        };
        (problem, remedy)
    })
}

/// Text cut into words and single visible characters; listed words stay whole between white space.
fn split(rules: &Rules) -> Split {
    let mut whole: Vec<&String> = rules.whole.iter().collect();
    // The longest first: what stands there is one of them as a whole, or none.
    whole.sort_by(|a, b| b.len().cmp(&a.len()).then(a.cmp(b)));
    let mut pattern = String::new();
    for some in whole.chunks(1000) {
        let words: Vec<String> = some.iter().map(|word| escaped(word)).collect();
        pattern += &format!(r"(?<!\S)(?:{})(?!\S)|", words.join("|"));
    }
    pattern += WORD;
    Split::new(SplitPattern::Regex(pattern), SplitDelimiterBehavior::Removed, true)
        .expect("the pattern is well-formed")
}

/// A text as a pattern of itself.
fn escaped(text: &str) -> String {
    let one = |c: char| match r"\.+*?()|[]{}^$#&-~".contains(c) {
        true => format!("\\{c}"),
        false => c.to_string(),
    };
    text.chars().map(one).collect()
}

/// Whether a vocabulary has words like `The`. Those all in capitals (`UNK`, `EOS`) or in brackets
/// stand for something else.
fn has_capitals<'a>(mut words: impl Iterator<Item = &'a String>) -> bool {
    words.any(|word| {
        let plain = !word.starts_with(['<', '[']);
        plain && word.chars().any(char::is_uppercase) && word.chars().any(char::is_lowercase)
    })
}

/// As [`words::normalised`] has it.
fn normalizer(rules: &Rules) -> NormalizerWrapper {
    let replace = |pattern: ReplacePattern, with: &str| {
        Replace::new(pattern, with).expect("the pattern is well-formed").into()
    };
    let mut parts: Vec<NormalizerWrapper> = Vec::new();
    if !rules.uncomposed {
        parts.push(NFC.into());
    }
    if !rules.cased {
        parts.push(Lowercase.into());
    }
    if !rules.at_blanks {
        parts.push(replace(ReplacePattern::Regex(r"<br\s*/?>".into()), " "));
        parts.push(replace(ReplacePattern::String("’".into()), "'"));
    }
    for (characters, with) in [(&rules.dropped, ""), (&rules.blanked, " ")] {
        if !characters.is_empty() {
            parts.push(replace(ReplacePattern::Regex(format!("[{}]", escaped(characters))), with));
        }
    }
    NormalizerWrapper::Sequence(Sequence::new(parts))
}
