//! What a declaration says, for the dictionary.

/// Whether something of a column may be missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Every cell is there.
    Always,
    /// The column is there, a cell may be null.
    Nullable,
    /// The column itself may be absent.
    Optional,
}

/// One column, or one key of `summary.json`.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name.
    pub name: &'static str,
    /// Type, as polars calls it.
    pub kind: &'static str,
    /// Whether something of it may be missing.
    pub presence: Presence,
    /// Meaning, with unit and shape.
    pub about: &'static str,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Schema {
    /// Name: the file is `tables/NAME.parquet`.
    pub name: &'static str,
    /// What a row is.
    pub about: &'static str,
    /// Columns, in the order of the file.
    pub columns: &'static [Column],
}
