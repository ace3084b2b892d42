//! A pickle read as data: nothing in it is called.
//!
//! PyTorch's files are a pickled tree of dictionaries beside the numbers. This machine knows the containers, the
//! numbers and the functions that stand for tensors; every other object is kept as a name with what it was given, so
//! that optimisers and hyper-parameters are passed over. Its memory is bounded by the bytes of the pickle.

use super::bounds::Number;

/// Place of a value among all.
pub type Id = usize;

/// What a pickle may hold.
#[derive(Clone, Debug)]
pub enum Value {
    /// `None`, and what is of no interest here: bytes, sets.
    Nothing,
    /// A whole number (or true and false).
    Whole(i64),
    /// A decimal number.
    Decimal,
    Text(String),
    /// A list or tuple.
    Items(Vec<Id>),
    /// A dictionary, in its order.
    Table(Vec<(Id, Id)>),
    /// A class or function, `module name`.
    Named(String),
    /// Numbers that stand beside the pickle.
    Storage {
        key: String,
        number: Option<Number>,
        kind: String,
        count: usize,
    },
    /// A view of a storage.
    Tensor {
        storage: Id,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
        number: Option<Number>,
    },
    /// An object of some class: what it was set to, and its items.
    Object {
        state: Option<Id>,
        items: Vec<(Id, Id)>,
    },
}

/// A pickle that was read.
#[derive(Debug)]
pub struct Pickle {
    values: Vec<Value>,
    /// The outermost value.
    pub top: Id,
}

/// Why a pickle cannot be read.
type Problem = String;

impl Pickle {
    /// # Errors
    /// A sentence, where the bytes are no pickle.
    pub fn read(bytes: &[u8]) -> Result<Self, Problem> {
        let mut machine = Machine {
            bytes,
            at: 0,
            values: Vec::new(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: Default::default(),
            copies: bytes.len().saturating_mul(8).saturating_add(1 << 20),
        };
        let top = machine.run()?;
        Ok(Self { values: machine.values, top })
    }

    /// The value at a place.
    pub fn get(&self, id: Id) -> &Value {
        &self.values[id]
    }

    /// Text of a key, numbers too.
    pub fn key(&self, id: Id) -> Option<String> {
        match self.get(id) {
            Value::Text(text) => Some(text.clone()),
            Value::Whole(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    values: Vec<Value>,
    stack: Vec<Id>,
    marks: Vec<usize>,
    memo: std::collections::HashMap<u64, Id>,
    /// What may still be copied: a few bytes can ask for a long list again and again.
    copies: usize,
}

impl Machine<'_> {
    fn bytes(&mut self, count: usize) -> Result<&[u8], Problem> {
        let end = self.at.checked_add(count).filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| format!("the pickle is cut short at byte {}", self.at))?;
        let part = &self.bytes[self.at..end];
        self.at = end;
        Ok(part)
    }

    /// A number of so many bytes, the smallest first.
    fn whole(&mut self, count: usize) -> Result<u64, Problem> {
        Ok(self.bytes(count)?.iter().rev().fold(0, |n, &b| n << 8 | b as u64))
    }

    fn copy(&mut self, size: usize) -> Result<(), Problem> {
        let left = self.copies.checked_sub(size + 1);
        self.copies = left.ok_or("the pickle repeats itself without end")?;
        Ok(())
    }

    fn line(&mut self) -> Result<String, Problem> {
        let rest = &self.bytes[self.at..];
        let length =
            rest.iter().position(|&b| b == b'\n').ok_or("the pickle is cut short in a line")?;
        let text = String::from_utf8_lossy(&rest[..length]).into_owned();
        self.at += length + 1;
        Ok(text)
    }

    fn text(&mut self, width: usize) -> Result<String, Problem> {
        let length = self.whole(width)? as usize;
        Ok(String::from_utf8_lossy(self.bytes(length)?).into_owned())
    }

    fn push(&mut self, value: Value) {
        self.values.push(value);
        self.stack.push(self.values.len() - 1);
    }

    fn pop(&mut self) -> Result<Id, Problem> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(format!("the pickle takes what is not there, at byte {}", self.at));
        }
        Ok(self.stack.pop().expect("it is longer than the floor"))
    }

    fn top(&self) -> Result<Id, Problem> {
        self.stack
            .last()
            .copied()
            .ok_or_else(|| format!("the pickle takes what is not there, at byte {}", self.at))
    }

    /// Everything since the last mark.
    fn marked(&mut self) -> Result<Vec<Id>, Problem> {
        let mark = self.marks.pop().filter(|mark| *mark <= self.stack.len());
        let mark = mark
            .ok_or_else(|| format!("the pickle closes what was not opened, at byte {}", self.at))?;
        Ok(self.stack.split_off(mark))
    }

    fn run(&mut self) -> Result<Id, Problem> {
        loop {
            let code = self.bytes(1)?[0];
            match code {
                b'.' => return self.pop(),
                0x80 => self.at += 1,
                0x95 => self.at += 8,
                b'(' => self.marks.push(self.stack.len()),
                b'0' => {
                    if self.pop().is_err() {
                        self.marked()?;
                    }
                }
                b'1' => drop(self.marked()?),
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'N' => self.push(Value::Nothing),
                0x88 => self.push(Value::Whole(1)),
                0x89 => self.push(Value::Whole(0)),
                b'J' => {
                    let n = self.whole(4)? as u32 as i32;
                    self.push(Value::Whole(n as i64));
                }
                b'K' => {
                    let n = self.whole(1)?;
                    self.push(Value::Whole(n as i64));
                }
                b'M' => {
                    let n = self.whole(2)?;
                    self.push(Value::Whole(n as i64));
                }
                b'I' | b'L' => {
                    let line = self.line()?;
                    let n = line.trim_end_matches('L').parse().unwrap_or(0);
                    self.push(Value::Whole(n));
                }
                0x8a | 0x8b => {
                    let length = self.whole(if code == 0x8a { 1 } else { 4 })? as usize;
                    let bytes = self.bytes(length)?;
                    // More than 64 bits is no shape.
                    let n = (bytes.len() <= 8).then(|| {
                        let sign = bytes.last().is_some_and(|b| b & 0x80 != 0);
                        let fill = if sign { -1_i64 } else { 0 };
                        bytes.iter().rev().fold(fill, |n, &b| n << 8 | b as i64)
                    });
                    self.push(n.map_or(Value::Nothing, Value::Whole));
                }
                b'G' => {
                    self.bytes(8)?;
                    self.push(Value::Decimal);
                }
                b'F' => {
                    self.line()?;
                    self.push(Value::Decimal);
                }
                b'X' | 0x8c | 0x8d | b'T' | b'U' => {
                    let width = match code {
                        b'X' | b'T' => 4,
                        0x8d => 8,
                        _ => 1,
                    };
                    let text = self.text(width)?;
                    self.push(Value::Text(text));
                }
                b'V' | b'S' => {
                    let line = self.line()?;
                    self.push(Value::Text(line.trim_matches(['\'', '"']).to_string()));
                }
                b'B' | b'C' | 0x8e | 0x96 => {
                    let width = match code {
                        b'B' => 4,
                        b'C' => 1,
                        _ => 8,
                    };
                    let length = self.whole(width)? as usize;
                    self.bytes(length)?;
                    self.push(Value::Nothing);
                }
                b']' | b')' => self.push(Value::Items(Vec::new())),
                b'}' => self.push(Value::Table(Vec::new())),
                0x8f => self.push(Value::Nothing),
                b't' | b'l' => {
                    let items = self.marked()?;
                    self.push(Value::Items(items));
                }
                0x85..=0x87 => {
                    let mut items = Vec::new();
                    for _ in 0..code - 0x84 {
                        items.push(self.pop()?);
                    }
                    items.reverse();
                    self.push(Value::Items(items));
                }
                b'd' => {
                    let items = self.marked()?;
                    self.push(Value::Table(items.chunks_exact(2).map(|p| (p[0], p[1])).collect()));
                }
                0x90 => drop(self.marked()?),
                0x91 => {
                    self.marked()?;
                    self.push(Value::Nothing);
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item])?;
                }
                b'e' => {
                    let items = self.marked()?;
                    self.append(items)?;
                }
                b's' => {
                    let value = self.pop()?;
                    let key = self.pop()?;
                    self.set(vec![(key, value)])?;
                }
                b'u' => {
                    let items = self.marked()?;
                    self.set(items.chunks_exact(2).map(|p| (p[0], p[1])).collect())?;
                }
                b'q' | b'r' | b'p' | 0x94 => {
                    let place = match code {
                        b'q' => self.whole(1)?,
                        b'r' => self.whole(4)?,
                        b'p' => {
                            self.line()?.trim().parse().map_err(|_| "a memo without a number")?
                        }
                        _ => self.memo.len() as u64,
                    };
                    let top = self.top()?;
                    self.memo.insert(place, top);
                }
                b'h' | b'j' | b'g' => {
                    let place = match code {
                        b'h' => self.whole(1)?,
                        b'j' => self.whole(4)?,
                        _ => self.line()?.trim().parse().map_err(|_| "a memo without a number")?,
                    };
                    let id =
                        *self.memo.get(&place).ok_or("the pickle recalls what it did not keep")?;
                    self.stack.push(id);
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    self.push(Value::Named(format!("{module} {name}")));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let text = |id: Id| match &self.values[id] {
                        Value::Text(text) => text.clone(),
                        _ => "?".into(),
                    };
                    let named = format!("{} {}", text(module), text(name));
                    self.copy(2 * named.len())?;
                    self.push(Value::Named(named));
                }
                b'Q' => {
                    let id = self.pop()?;
                    let storage = self.storage(id);
                    if let Value::Storage { key, kind, .. } = &storage {
                        self.copy(2 * (key.len() + kind.len()))?;
                    }
                    self.push(storage);
                }
                b'P' => {
                    self.line()?;
                    self.push(Value::Nothing);
                }
                b'R' | 0x81 => {
                    let (given, class) = (self.pop()?, self.pop()?);
                    self.call(class, given, code == b'R')?;
                }
                0x92 => {
                    let (_, given, class) = (self.pop()?, self.pop()?, self.pop()?);
                    self.call(class, given, false)?;
                }
                b'i' | b'o' => {
                    let mut items = Vec::new();
                    let class = match code {
                        b'i' => {
                            let named = format!("{} {}", self.line()?, self.line()?);
                            self.values.push(Value::Named(named));
                            items.extend(self.marked()?);
                            self.values.len() - 1
                        }
                        _ => {
                            let mut all = self.marked()?;
                            if all.is_empty() {
                                return Err("an object without a class".into());
                            }
                            let class = all.remove(0);
                            items.extend(all);
                            class
                        }
                    };
                    self.values.push(Value::Items(items));
                    let given = self.values.len() - 1;
                    self.call(class, given, false)?;
                }
                b'b' => {
                    let (state, object) = (self.pop()?, self.top()?);
                    if let Value::Object { state: of, .. } = &mut self.values[object] {
                        *of = Some(state);
                    }
                }
                other => return Err(format!("no pickle: byte {} is {other:#04x}", self.at - 1)),
            }
        }
    }

    fn append(&mut self, items: Vec<Id>) -> Result<(), Problem> {
        let to = self.top()?;
        if let Value::Items(list) = &mut self.values[to] {
            list.extend(items);
        }
        Ok(())
    }

    fn set(&mut self, pairs: Vec<(Id, Id)>) -> Result<(), Problem> {
        let to = self.top()?;
        if let Value::Table(table) | Value::Object { items: table, .. } = &mut self.values[to] {
            table.extend(pairs);
        }
        Ok(())
    }

    fn items(&self, id: Id) -> &[Id] {
        match &self.values[id] {
            Value::Items(items) => items,
            _ => &[],
        }
    }

    fn number(&self, id: Option<&Id>) -> Option<usize> {
        match self.values[*id?] {
            Value::Whole(n) => usize::try_from(n).ok(),
            _ => None,
        }
    }

    fn numbers(&self, id: Option<&Id>) -> Option<Vec<usize>> {
        match &self.values[*id?] {
            Value::Items(items) => items.iter().map(|i| self.number(Some(i))).collect(),
            _ => None,
        }
    }

    /// `('storage', torch.FloatStorage, '0', 'cpu', 504)`.
    fn storage(&self, id: Id) -> Value {
        let items = self.items(id);
        let (Some(Value::Named(class)), Some(Value::Text(key)), Some(count)) = (
            items.get(1).map(|&i| &self.values[i]),
            items.get(2).map(|&i| &self.values[i]),
            self.number(items.get(4)),
        ) else {
            return Value::Nothing;
        };
        let kind =
            class.rsplit(' ').next().unwrap_or_default().trim_end_matches("Storage").to_string();
        Value::Storage { key: key.clone(), number: of_name(&kind.to_lowercase()), kind, count }
    }

    /// What a function, or a class, makes of what it was given.
    fn call(&mut self, class: Id, given: Id, function: bool) -> Result<(), Problem> {
        let Value::Named(class) = &self.values[class] else {
            self.push(Value::Nothing);
            return Ok(());
        };
        let class = class.clone();
        self.copy(class.len())?;
        let first = self.items(given).first().copied();
        match (class.as_str(), first) {
            (
                "collections OrderedDict"
                | "builtins dict"
                | "__builtin__ dict"
                | "collections defaultdict",
                first,
            ) => {
                let pairs = first.map_or(&[][..], |id| self.items(id)).to_vec();
                self.copy(pairs.len())?;
                let pairs = pairs.iter().filter_map(|&pair| match *self.items(pair) {
                    [key, value] => Some((key, value)),
                    _ => None,
                });
                let table = pairs.collect();
                self.push(Value::Table(table));
            }
            ("torch Size" | "builtins list" | "builtins tuple", Some(first)) if function => {
                self.stack.push(first);
            }
            (
                "torch._utils _rebuild_parameter" | "torch._utils _rebuild_parameter_with_state",
                Some(first),
            ) => {
                self.stack.push(first);
            }
            ("torch._tensor _rebuild_from_type_v2", Some(function)) => {
                let inner = self.items(given).get(2).copied();
                match inner {
                    Some(inner) => self.call_once(function, inner)?,
                    None => self.push(Value::Nothing),
                }
            }
            (
                "torch._utils _rebuild_tensor"
                | "torch._utils _rebuild_tensor_v2"
                | "torch._utils _rebuild_tensor_v3",
                _,
            ) => {
                let tensor = self.tensor(given, class.ends_with("v3"));
                if let Some(Value::Tensor { shape, strides, .. }) = &tensor {
                    self.copy(shape.len() + strides.len())?;
                }
                self.push(tensor.unwrap_or(Value::Nothing));
            }
            _ => self.push(Value::Object { state: None, items: Vec::new() }),
        }
        Ok(())
    }

    /// A call within a call: of one that makes a tensor, and not of itself again.
    fn call_once(&mut self, function: Id, given: Id) -> Result<(), Problem> {
        match &self.values[function] {
            Value::Named(name) if !name.contains("_rebuild_from_type") => {
                self.call(function, given, true)
            }
            _ => {
                self.push(Value::Nothing);
                Ok(())
            }
        }
    }

    fn tensor(&self, given: Id, typed: bool) -> Option<Value> {
        let items = self.items(given);
        let storage = *items.first()?;
        let Value::Storage { number, .. } = &self.values[storage] else { return None };
        let named = items.iter().rev().filter(|_| typed).find_map(|&id| match &self.values[id] {
            Value::Named(name) => Some(name.rsplit(' ').next().unwrap_or_default().to_lowercase()),
            _ => None,
        });
        Some(Value::Tensor {
            storage,
            offset: self.number(items.get(1))?,
            shape: self.numbers(items.get(2))?,
            strides: self.numbers(items.get(3))?,
            number: match named {
                Some(name) => of_name(&name),
                None => *number,
            },
        })
    }
}

/// `float`, as storages and types of PyTorch's are called.
fn of_name(name: &str) -> Option<Number> {
    Some(match name {
        "float" | "float32" => Number::Single,
        "double" | "float64" => Number::Double,
        "half" | "float16" => Number::Half,
        "bfloat16" => Number::Brain,
        "long" | "int64" => Number::Integer(true, 8),
        "int" | "int32" => Number::Integer(true, 4),
        "short" | "int16" => Number::Integer(true, 2),
        "char" | "int8" => Number::Integer(true, 1),
        "byte" | "uint8" | "bool" => Number::Integer(false, 1),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_into_a_pickle_comes_out() {
        // pickle.dumps({"a": [1, -2, None], "b": (300,)}, protocol=2)
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffNeX\x01\x00\x00\x00bq\x03M,\x01\x85q\x04u.";
        let read = Pickle::read(bytes).unwrap();
        let Value::Table(table) = read.get(read.top) else { panic!("a dictionary") };
        assert_eq!(table.len(), 2);
        assert_eq!(read.key(table[1].0).as_deref(), Some("b"));
        let Value::Items(items) = read.get(table[0].1) else { panic!("a list") };
        assert!(matches!(read.get(items[1]), Value::Whole(-2)));
    }

    #[test]
    fn broken_pickles_are_refused_whatever_is_broken() {
        let whole = b"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01K\x02ecollections\nOrderedDict\n)R0u.";
        for cut in 0..whole.len() {
            let _ = Pickle::read(&whole[..cut]);
            for byte in 0..=255 {
                let mut other = whole.to_vec();
                other[cut] = byte;
                let _ = Pickle::read(&other);
            }
        }
        assert!(Pickle::read(b"\x80\x02X\xff\xff\xff\xff.").unwrap_err().contains("cut short"));
        assert!(Pickle::read(b"\x80\x02R.").is_err());
    }
}
