//! Files of PyTorch and NumPy, written byte by byte: what tests read must not come from what they test.

use flate2::{Compression, Crc, write::DeflateEncoder};
use std::io::Write;

/// A zip of these entries, stored or deflated.
pub fn zip(entries: &[(&str, Vec<u8>)], deflate: bool) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut crc = Crc::new();
        crc.update(bytes);
        let packed = if deflate {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(bytes).unwrap();
            encoder.finish().unwrap()
        } else {
            bytes.clone()
        };
        let method: u16 = if deflate { 8 } else { 0 };
        let mut about = Vec::new();
        about.extend([20, 0, 0, 0]);
        about.extend(method.to_le_bytes());
        about.extend([0; 4]);
        about.extend(crc.sum().to_le_bytes());
        about.extend((packed.len() as u32).to_le_bytes());
        about.extend((bytes.len() as u32).to_le_bytes());
        about.extend((name.len() as u16).to_le_bytes());
        about.extend([0; 2]);
        let at = file.len() as u32;
        file.extend(b"PK\x03\x04");
        file.extend(&about);
        file.extend(name.as_bytes());
        file.extend(packed);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&about);
        directory.extend([0; 10]);
        directory.extend(at.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (at, count) = (file.len() as u32, entries.len() as u16);
    let size = directory.len() as u32;
    file.extend(directory);
    file.extend(b"PK\x05\x06\x00\x00\x00\x00");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend(size.to_le_bytes());
    file.extend(at.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// An array as NumPy writes it.
pub fn npy(descr: &str, fortran: bool, shape: &[usize], numbers: &[u8]) -> Vec<u8> {
    let sides: String = shape.iter().map(|side| format!("{side},")).collect();
    let order = if fortran { "True" } else { "False" };
    let mut text =
        format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': ({sides}), }}");
    while (text.len() + 11) % 64 != 0 {
        text.push(' ');
    }
    text.push('\n');
    let length = (text.len() as u16).to_le_bytes();
    [b"\x93NUMPY\x01\x00", &length[..], text.as_bytes(), numbers].concat()
}

/// What a pickle of PyTorch's may hold.
#[derive(Clone)]
pub enum Object {
    Table(Vec<(&'static str, Object)>),
    List(Vec<Object>),
    Text(&'static str),
    Whole(i32),
    Decimal(f64),
    /// Storage class, its bytes, shape, strides (in numbers).
    Tensor {
        storage: &'static str,
        bytes: Vec<u8>,
        shape: Vec<usize>,
        strides: Vec<usize>,
    },
    /// A class, and the fields that an object of it was given.
    Made(&'static str, &'static str, Vec<(&'static str, Object)>),
}

impl Object {
    /// A tensor of floats, row by row.
    pub fn floats(shape: &[usize], numbers: &[f32]) -> Self {
        let mut strides = vec![1; shape.len()];
        for axis in (1..shape.len()).rev() {
            strides[axis - 1] = strides[axis] * shape[axis];
        }
        let bytes = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        Self::Tensor { storage: "FloatStorage", bytes, shape: shape.to_vec(), strides }
    }

    fn pickle(&self, to: &mut Vec<u8>, stored: &mut Vec<Vec<u8>>) {
        let text = |to: &mut Vec<u8>, text: &str| {
            to.push(b'X');
            to.extend((text.len() as u32).to_le_bytes());
            to.extend(text.as_bytes());
        };
        let whole = |to: &mut Vec<u8>, n: i32| {
            to.push(b'J');
            to.extend(n.to_le_bytes());
        };
        match self {
            Self::Text(value) => text(to, value),
            Self::Whole(n) => whole(to, *n),
            Self::Decimal(x) => {
                to.push(b'G');
                to.extend(x.to_be_bytes());
            }
            Self::List(items) => {
                to.extend(b"](");
                items.iter().for_each(|item| item.pickle(to, stored));
                to.push(b'e');
            }
            Self::Table(pairs) => {
                to.extend(b"ccollections\nOrderedDict\n)R(");
                for (key, value) in pairs {
                    text(to, key);
                    value.pickle(to, stored);
                }
                to.push(b'u');
            }
            Self::Made(module, class, fields) => {
                to.extend(format!("c{module}\n{class}\n)").bytes());
                to.extend(b"\x81}(");
                for (key, value) in fields {
                    text(to, key);
                    value.pickle(to, stored);
                }
                to.extend(b"ub");
            }
            Self::Tensor { storage, bytes, shape, strides } => {
                let width = match *storage {
                    "DoubleStorage" | "LongStorage" => 8,
                    "HalfStorage" | "BFloat16Storage" => 2,
                    _ => 4,
                };
                to.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
                text(to, "storage");
                to.extend(format!("ctorch\n{storage}\n").bytes());
                text(to, &stored.len().to_string());
                text(to, "cpu");
                whole(to, (bytes.len() / width) as i32);
                to.extend(b"tQ");
                whole(to, 0);
                for sides in [shape, strides] {
                    to.push(b'(');
                    sides.iter().for_each(|&side| whole(to, side as i32));
                    to.push(b't');
                }
                to.extend(b"\x89ccollections\nOrderedDict\n)RtR");
                stored.push(bytes.clone());
            }
        }
    }
}

/// A file of PyTorch's.
pub fn torch(object: &Object) -> Vec<u8> {
    let (mut pickle, mut stored) = (b"\x80\x02".to_vec(), Vec::new());
    object.pickle(&mut pickle, &mut stored);
    pickle.push(b'.');
    let names: Vec<String> = (0..stored.len()).map(|i| format!("archive/data/{i}")).collect();
    let mut entries = vec![("archive/data.pkl", pickle), ("archive/byteorder", b"little".to_vec())];
    entries.extend(names.iter().map(String::as_str).zip(stored));
    zip(&entries, false)
}
