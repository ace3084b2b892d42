//! What a column may hold, in Rust and on disk.

use super::schema::Presence;
use polars::prelude::{
    Column as Stored, DataType, NamedFrom, PlSmallStr, PolarsResult, Series, polars_bail,
    polars_ensure,
};
use std::marker::PhantomData;

/// The type of a column's cells.
pub trait Kind: Sized {
    /// As the dictionary and polars call it.
    const NAME: &'static str;
    /// Whether a cell may be null.
    const NULLABLE: bool = false;
    /// A cell on its way to disk.
    type Cell;
    /// A cell that was read.
    type Value;
    /// The column of these cells.
    fn stored(cells: Vec<Self::Cell>) -> Stored;
    /// The cells of a column.
    ///
    /// # Errors
    /// What polars says of a column of another type.
    fn values(column: &Stored) -> PolarsResult<Vec<Self::Value>>;
}

/// What can be written as a cell of kind `K`.
pub trait Cell<K: Kind> {
    /// The cell.
    fn cell(self) -> K::Cell;
}

/// Cells of kind `K`, without a name: the table has the names.
pub struct Column<K> {
    pub(super) cells: Stored,
    kind: PhantomData<K>,
}

/// A column of a table; its kind is the one that the table declares.
pub fn column<K: Kind, V: Cell<K>>(values: impl IntoIterator<Item = V>) -> Column<K> {
    let cells = values.into_iter().map(V::cell).collect();
    Column { cells: K::stored(cells), kind: PhantomData }
}

/// A column that a table may lack altogether.
pub struct Optional<K>(PhantomData<K>);

/// A declared column: what its table's writer gives and its reader gets.
pub trait Field {
    /// As the dictionary and polars call its cells.
    const KIND: &'static str;
    /// Whether it, or a cell of it, may be missing.
    const PRESENCE: Presence;
    /// From the writer.
    type Written;
    /// To the reader.
    type Read;
    /// The column, where there is one.
    fn placed(written: Self::Written) -> Option<Stored>;
    /// What the reader gets of a column that was found, or of none.
    ///
    /// # Errors
    /// What polars says of a column that is missing or of another type.
    fn found(found: PolarsResult<&Stored>) -> PolarsResult<Self::Read>;
}

impl<K: Kind> Field for K {
    const KIND: &'static str = K::NAME;
    const PRESENCE: Presence = if K::NULLABLE { Presence::Nullable } else { Presence::Always };
    type Written = Column<K>;
    type Read = Vec<K::Value>;
    fn placed(written: Column<K>) -> Option<Stored> {
        Some(written.cells)
    }
    fn found(found: PolarsResult<&Stored>) -> PolarsResult<Vec<K::Value>> {
        K::values(found?)
    }
}

impl<K: Kind> Field for Optional<K> {
    const KIND: &'static str = K::NAME;
    const PRESENCE: Presence = Presence::Optional;
    type Written = Option<Column<K>>;
    type Read = Option<Vec<K::Value>>;
    fn placed(written: Option<Column<K>>) -> Option<Stored> {
        written.map(|w| w.cells)
    }
    fn found(found: PolarsResult<&Stored>) -> PolarsResult<Option<Vec<K::Value>>> {
        found.ok().map(K::values).transpose()
    }
}

fn no_nulls(column: &Stored) -> PolarsResult<()> {
    polars_ensure!(column.null_count() == 0, NoData: "column `{}` has nulls", column.name());
    Ok(())
}

/// Numbers.
impl Kind for f64 {
    const NAME: &'static str = "f64";
    type Cell = f64;
    type Value = f64;
    fn stored(cells: Vec<f64>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<f64>> {
        no_nulls(column)?;
        Ok(column.f64()?.into_no_null_iter().collect())
    }
}

/// Numbers of which some are unknown: null on disk, NaN to the reader.
impl Kind for Option<f64> {
    const NAME: &'static str = "f64";
    const NULLABLE: bool = true;
    type Cell = Option<f64>;
    type Value = f64;
    fn stored(cells: Vec<Option<f64>>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<f64>> {
        Ok(column.f64()?.iter().map(|x| x.unwrap_or(f64::NAN)).collect())
    }
}

/// Counts and indices.
impl Kind for u64 {
    const NAME: &'static str = "u64";
    type Cell = u64;
    type Value = usize;
    fn stored(cells: Vec<u64>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<usize>> {
        no_nulls(column)?;
        Ok(column.u64()?.into_no_null_iter().map(|x| x as usize).collect())
    }
}

/// Counts and indices, of which some are unknown.
impl Kind for Option<u64> {
    const NAME: &'static str = "u64";
    const NULLABLE: bool = true;
    type Cell = Option<u64>;
    type Value = Option<usize>;
    fn stored(cells: Vec<Option<u64>>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<Option<usize>>> {
        Ok(column.u64()?.iter().map(|x| x.map(|x| x as usize)).collect())
    }
}

/// Token ids and class indices.
impl Kind for u32 {
    const NAME: &'static str = "u32";
    type Cell = u32;
    type Value = u32;
    fn stored(cells: Vec<u32>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<u32>> {
        no_nulls(column)?;
        Ok(column.u32()?.into_no_null_iter().collect())
    }
}

/// Yes and no.
impl Kind for bool {
    const NAME: &'static str = "bool";
    type Cell = bool;
    type Value = bool;
    fn stored(cells: Vec<bool>) -> Stored {
        // Through options: the file's bytes are those of columns that may be null.
        <Option<bool>>::stored(cells.into_iter().map(Some).collect())
    }
    fn values(column: &Stored) -> PolarsResult<Vec<bool>> {
        no_nulls(column)?;
        Ok(column.bool()?.iter().flatten().collect())
    }
}

/// Yes and no, of which some are unknown.
impl Kind for Option<bool> {
    const NAME: &'static str = "bool";
    const NULLABLE: bool = true;
    type Cell = Option<bool>;
    type Value = Option<bool>;
    fn stored(cells: Vec<Option<bool>>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<Option<bool>>> {
        Ok(column.bool()?.iter().collect())
    }
}

/// Text.
impl Kind for String {
    const NAME: &'static str = "str";
    type Cell = String;
    type Value = String;
    fn stored(cells: Vec<String>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<String>> {
        no_nulls(column)?;
        Ok(column.str()?.iter().flatten().map(String::from).collect())
    }
}

/// Text, of which some is unknown.
impl Kind for Option<String> {
    const NAME: &'static str = "str";
    const NULLABLE: bool = true;
    type Cell = Option<String>;
    type Value = Option<String>;
    fn stored(cells: Vec<Option<String>>) -> Stored {
        Stored::new(PlSmallStr::EMPTY, cells)
    }
    fn values(column: &Stored) -> PolarsResult<Vec<Option<String>>> {
        Ok(column.str()?.iter().map(|s| s.map(str::to_string)).collect())
    }
}

/// Lists that are equally long in every row: a matrix, a row a row.
pub struct Even<N>(PhantomData<N>);

macro_rules! list {
    ($number:ty, $name:literal, $type:ident, $column:ident) => {
        #[doc = concat!("Lists of ", stringify!($number), ".")]
        impl Kind for Vec<$number> {
            const NAME: &'static str = $name;
            type Cell = Series;
            type Value = Vec<$number>;
            fn stored(cells: Vec<Series>) -> Stored {
                if cells.is_empty() {
                    // polars cannot tell the type of no list.
                    let lists = DataType::List(Box::new(DataType::$type));
                    return Stored::new_empty(PlSmallStr::EMPTY, &lists);
                }
                Stored::new(PlSmallStr::EMPTY, cells)
            }
            fn values(column: &Stored) -> PolarsResult<Vec<Vec<$number>>> {
                no_nulls(column)?;
                let lists = column.list()?;
                let list = |row: usize| -> PolarsResult<Vec<$number>> {
                    let Some(inner) = lists.get_as_series(row) else { return Ok(Vec::new()) };
                    let inner = inner.$column()?;
                    polars_ensure!(inner.null_count() == 0, NoData: "row {}: nulls", row + 1);
                    Ok(inner.into_no_null_iter().collect())
                };
                (0..lists.len()).map(list).collect()
            }
        }

        impl Kind for Even<$number> {
            const NAME: &'static str = $name;
            type Cell = Series;
            type Value = Vec<$number>;
            fn stored(cells: Vec<Series>) -> Stored {
                <Vec<$number>>::stored(cells)
            }
            fn values(column: &Stored) -> PolarsResult<Vec<Vec<$number>>> {
                let lists = <Vec<$number>>::values(column)?;
                let wanted = lists.first().map_or(0, Vec::len);
                if let Some(row) = lists.iter().position(|list| list.len() != wanted) {
                    let (found, row) = (lists[row].len(), row + 1);
                    polars_bail!(ShapeMismatch: "row {row}: {found} numbers, the first row has {wanted}");
                }
                Ok(lists)
            }
        }

        list!(written $number as Vec<$number>);
        list!(written $number as Even<$number>);
    };
    (written $number:ty as $kind:ty) => {
        impl Cell<$kind> for &[$number] {
            fn cell(self) -> Series {
                Series::new(PlSmallStr::EMPTY, self)
            }
        }

        impl Cell<$kind> for &Vec<$number> {
            fn cell(self) -> Series {
                Series::new(PlSmallStr::EMPTY, self.as_slice())
            }
        }
    };
}

list!(f64, "list[f64]", Float64, f64);
list!(f32, "list[f32]", Float32, f32);
list!(u32, "list[u32]", UInt32, u32);

macro_rules! cells {
    ($($from:ty => $kind:ty: $value:ident -> $cell:expr;)+) => {
        $(impl Cell<$kind> for $from {
            fn cell(self) -> <$kind as Kind>::Cell {
                let $value = self;
                $cell
            }
        })+
    };
}

cells! {
    f64 => f64: x -> x;
    Option<f64> => Option<f64>: x -> x;
    usize => u64: x -> x as u64;
    Option<usize> => Option<u64>: x -> x.map(|x| x as u64);
    u32 => u32: x -> x;
    bool => bool: x -> x;
    Option<bool> => Option<bool>: x -> x;
    &str => String: s -> s.into();
    &String => String: s -> s.clone();
    String => String: s -> s;
    Option<&str> => Option<String>: s -> s.map(str::to_string);
}
