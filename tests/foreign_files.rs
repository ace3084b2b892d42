//! Files of weights as people have them: whatever stands around a network, and in whatever form its arrays are, it
//! says what it says.

use super::archive::{self, Object};
use accrue::model::foreign::{Foreign, Settings, read_states};
use accrue::model::{Config, weights};
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

type Arrays = BTreeMap<&'static str, (Vec<usize>, Vec<f32>)>;

const TEXTS: [&[u32]; 4] = [&[1, 2, 3, 0, 6], &[5], &[4, 4, 2], &[0, 6, 6, 1]];

/// Numbers that look drawn and are the same on every machine.
pub fn drawn(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / (1 << 24) as f32 * 2.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A GRU of four units under PyTorch's names.
fn gru() -> Arrays {
    let shapes: [(&str, &[usize]); 7] = [
        ("embedding.weight", &[7, 3]),
        ("rnn.weight_ih_l0", &[12, 3]),
        ("rnn.weight_hh_l0", &[12, 4]),
        ("rnn.bias_ih_l0", &[12]),
        ("rnn.bias_hh_l0", &[12]),
        ("fc.weight", &[2, 4]),
        ("fc.bias", &[2]),
    ];
    let arrays = shapes.iter().zip(1..).map(|((name, shape), seed)| {
        (*name, (shape.to_vec(), drawn(shape.iter().product(), seed)))
    });
    arrays.collect()
}

fn outputs(settings: &Settings) -> Vec<Vec<f32>> {
    let found = Foreign::read(settings).unwrap_or_else(|e| panic!("{e}"));
    let head = found.head(2, false).unwrap();
    found.network(&Config::default(), head, &TEXTS).unwrap().predict(&TEXTS).unwrap()
}

fn place(folder: &Path, name: &str, bytes: &[u8]) -> Settings {
    let file = folder.join(name);
    std::fs::write(&file, bytes).unwrap();
    Settings { file, ..Settings::default() }
}

fn safetensors(folder: &Path, arrays: &Arrays) -> Settings {
    let file = folder.join("network.safetensors");
    let arrays = arrays.iter().map(|(name, array)| (name.to_string(), array.clone())).collect();
    weights::write(&file, &arrays, HashMap::new()).unwrap();
    Settings { file, ..Settings::default() }
}

/// What the network of [`gru`] says.
fn truth() -> Vec<Vec<f32>> {
    outputs(&safetensors(tempfile::tempdir().unwrap().path(), &gru()))
}

fn state_dict(arrays: &Arrays) -> Vec<(&'static str, Object)> {
    arrays.iter().map(|(name, (shape, x))| (*name, Object::floats(shape, x))).collect()
}

fn message(settings: &Settings) -> String {
    Foreign::read(settings).unwrap_err().to_string()
}

/// An optimiser's state, which holds as many arrays as the network.
fn optimiser() -> Object {
    let moments = Object::Table(vec![
        ("step", Object::floats(&[], &[3.0])),
        ("exp_avg", Object::floats(&[12, 4], &[0.5; 48])),
    ]);
    let group = Object::Table(vec![
        ("lr", Object::Decimal(0.1)),
        ("params", Object::List(vec![Object::Whole(0)])),
    ]);
    Object::Table(vec![
        ("state", Object::Table(vec![("0", moments)])),
        ("param_groups", Object::List(vec![group])),
    ])
}

#[test]
fn a_checkpoint_is_the_network_in_it() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let read =
        |name: &str, object: Object| outputs(&place(folder.path(), name, &archive::torch(&object)));
    let network = || Object::Table(state_dict(&gru()));
    for key in ["model_state_dict", "state_dict", "model", "net"] {
        let checkpoint = Object::Table(vec![
            ("epoch", Object::Whole(3)),
            (key, network()),
            ("optimizer_state_dict", optimiser()),
            ("loss", Object::Decimal(0.5)),
        ]);
        assert_eq!(read("checkpoint.pt", checkpoint), truth, "{key}");
    }
    // As Lightning has it, its hyper-parameters an object of a class that is not known here.
    let lightning = Object::Table(vec![
        ("epoch", Object::Whole(9)),
        ("pytorch-lightning_version", Object::Text("2.1.0")),
        ("state_dict", network()),
        ("optimizer_states", Object::List(vec![optimiser()])),
        (
            "hyper_parameters",
            Object::Made("mine.settings", "Namespace", vec![("units", Object::Whole(4))]),
        ),
    ]);
    assert_eq!(read("epoch=9.ckpt", lightning), truth);
    let deep = Object::Table(vec![(
        "run",
        Object::Table(vec![("model", network()), ("optimizer", optimiser())]),
    )]);
    assert_eq!(read("deep.pth", deep), truth);
    assert_eq!(read("plain.bin", network()), truth);
}

#[test]
fn two_networks_in_one_file_are_listed_with_the_option() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let mut other = gru();
    other.get_mut("fc.weight").unwrap().1[0] = 3.0;
    let both = Object::Table(vec![
        ("model", Object::Table(state_dict(&gru()))),
        ("ema_model", Object::Table(state_dict(&other))),
        ("optimizer", optimiser()),
    ]);
    let mut settings = place(folder.path(), "both.pt", &archive::torch(&both));
    let said = message(&settings);
    assert!(
        said.contains("`model` (7 arrays), `ema_model` (7 arrays)")
            && said.contains("--state-dict"),
        "{said}"
    );
    settings.state_dict = Some("model".into());
    assert_eq!(outputs(&settings), truth);
    settings.state_dict = Some("ema_model".into());
    assert_ne!(outputs(&settings), truth);
    settings.state_dict = Some("best".into());
    assert!(
        message(&settings).contains("no `best` in it; arrays stand under `model`, `ema_model`")
    );
}

#[test]
fn a_module_that_was_pickled_whole_is_read_by_its_parts() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let module =
        |class, parameters: Vec<(&'static str, Object)>, parts: Vec<(&'static str, Object)>| {
            Object::Made(
                "torch.nn",
                class,
                vec![
                    ("training", Object::Whole(0)),
                    ("_parameters", Object::Table(parameters)),
                    ("_buffers", Object::Table(vec![])),
                    ("_modules", Object::Table(parts)),
                ],
            )
        };
    let arrays = gru();
    let of = |before: &str| -> Vec<(&'static str, Object)> {
        let named = arrays.iter().filter_map(|(name, (shape, x))| {
            Some((name.strip_prefix(before)?, Object::floats(shape, x)))
        });
        named.collect()
    };
    let whole = module(
        "Mine",
        vec![],
        vec![
            ("embedding", module("Embedding", of("embedding."), vec![])),
            ("rnn", module("GRU", of("rnn."), vec![])),
            ("fc", module("Linear", of("fc."), vec![])),
        ],
    );
    assert_eq!(outputs(&place(folder.path(), "whole.pt", &archive::torch(&whole))), truth);
}

#[test]
fn tensors_of_any_width_and_in_any_order_are_the_numbers_they_were() {
    let folder = tempfile::tempdir().unwrap();
    // Numbers that half and brain floats hold exactly.
    let mut arrays = gru();
    arrays.values_mut().for_each(|(_, x)| x.iter_mut().for_each(|x| *x = (*x * 8.0).round() / 8.0));
    let truth = outputs(&safetensors(folder.path(), &arrays));
    let narrow = |x: f32| {
        let (sign, bits) = ((x < 0.0) as u16, x.abs());
        if bits == 0.0 {
            return 0_u16;
        }
        let exponent = bits.log2().floor();
        let fraction = (bits / exponent.exp2() - 1.0) * 1024.0;
        sign << 15 | ((exponent as i32 + 15) as u16) << 10 | fraction as u16
    };
    for storage in ["DoubleStorage", "HalfStorage", "BFloat16Storage"] {
        let tensors = arrays.iter().map(|(name, (shape, x))| {
            let bytes = match storage {
                "DoubleStorage" => x.iter().flat_map(|&x| (x as f64).to_le_bytes()).collect(),
                "HalfStorage" => x.iter().flat_map(|&x| narrow(x).to_le_bytes()).collect(),
                _ => x.iter().flat_map(|&x| x.to_le_bytes()[2..].to_vec()).collect(),
            };
            let strides = if shape.len() == 2 { vec![shape[1], 1] } else { vec![1] };
            (*name, Object::Tensor { storage, bytes, shape: shape.clone(), strides })
        });
        let object = Object::Table(tensors.collect());
        assert_eq!(
            outputs(&place(folder.path(), "narrow.pt", &archive::torch(&object))),
            truth,
            "{storage}"
        );
    }
    // Columns first, as a transposed view is kept; a count of batches, which is no weight.
    let mut tensors = state_dict(&arrays);
    let (shape, x) = &arrays["rnn.weight_hh_l0"];
    let turned: Vec<u8> =
        (0..4).flat_map(|c| (0..12).flat_map(move |r| x[r * 4 + c].to_le_bytes())).collect();
    tensors.retain(|(name, _)| *name != "rnn.weight_hh_l0");
    tensors.push((
        "rnn.weight_hh_l0",
        Object::Tensor {
            storage: "FloatStorage",
            bytes: turned,
            shape: shape.clone(),
            strides: vec![1, 12],
        },
    ));
    let count = Object::Tensor {
        storage: "LongStorage",
        bytes: vec![0; 8],
        shape: vec![],
        strides: vec![],
    };
    tensors.push(("bn.num_batches_tracked", count));
    let settings = place(folder.path(), "turned.pt", &archive::torch(&Object::Table(tensors)));
    assert_eq!(outputs(&settings), truth);
    let notes = Foreign::read(&settings).unwrap().notes;
    assert!(notes.iter().any(|n| n.contains("`bn.num_batches_tracked` (long)")), "{notes:?}");
}

#[test]
fn archives_of_numpy_are_read_packed_turned_and_with_words_beside_the_weights() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let plain = |x: &[f32]| x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let arrays = gru();
    let mut entries: Vec<(String, Vec<u8>)> = Vec::new();
    for (name, (shape, x)) in &arrays {
        let array = match *name {
            "rnn.weight_ih_l0" => {
                let turned: Vec<f32> =
                    (0..3).flat_map(|c| (0..12).map(move |r| x[r * 3 + c])).collect();
                archive::npy("<f4", true, shape, &plain(&turned))
            }
            "rnn.weight_hh_l0" => {
                let big: Vec<u8> = x.iter().flat_map(|x| x.to_be_bytes()).collect();
                archive::npy(">f4", false, shape, &big)
            }
            "rnn.bias_hh_l0" => {
                let double: Vec<u8> = x.iter().flat_map(|&x| (x as f64).to_le_bytes()).collect();
                archive::npy("<f8", false, shape, &double)
            }
            _ => archive::npy("<f4", false, shape, &plain(x)),
        };
        entries.push((format!("{name}.npy"), array));
    }
    entries.push(("words.npy".into(), archive::npy("<U4", false, &[7], &[0; 112])));
    entries.push(("epoch.npy".into(), archive::npy("<i8", false, &[], &[0; 8])));
    entries.push(("history.npy".into(), archive::npy("|O", false, &[1], b"\x80\x03]q\x00.")));
    entries.push(("mask.npy".into(), archive::npy("|b1", false, &[3], &[1; 3])));
    entries.push(("phase.npy".into(), archive::npy("<c8", false, &[1], &[0; 8])));
    let views: Vec<(&str, Vec<u8>)> =
        entries.iter().map(|(n, b)| (n.as_str(), b.clone())).collect();
    for deflate in [false, true] {
        let settings = place(folder.path(), "weights.npz", &archive::zip(&views, deflate));
        assert_eq!(outputs(&settings), truth);
        let notes = Foreign::read(&settings).unwrap().notes.join("; ");
        for left_out in [
            "`words`: text",
            "`epoch`: whole numbers",
            "`history`: Python objects",
            "`mask`",
            "`phase`",
        ] {
            assert!(notes.contains(left_out), "{notes}");
        }
    }
}

#[test]
fn what_training_keeps_apart_is_put_together() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let near = |settings: &Settings| {
        let pairs = outputs(settings).concat().into_iter().zip(truth.concat());
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    };
    let with = |change: &dyn Fn(&mut Arrays)| {
        let mut arrays = gru();
        change(&mut arrays);
        safetensors(folder.path(), &arrays)
    };
    let thinned = |x: &[f32]| -> Vec<f32> { x.iter().map(|x| x * 0.5).collect() };
    // Weight drop, beside a thinned copy and without one.
    let settings = with(&|a| {
        let (shape, x) = a.remove("rnn.weight_hh_l0").unwrap();
        a.insert("rnn.weight_hh_l0_raw", (shape.clone(), x.clone()));
        a.insert("rnn.weight_hh_l0", (shape, thinned(&x)));
    });
    assert_eq!(near(&settings), 0.0);
    assert!(Foreign::read(&settings).unwrap().notes.iter().any(|n| n.contains("weight drop")));
    let settings = with(&|a| {
        for name in ["weight_ih_l0", "bias_ih_l0", "bias_hh_l0"] {
            let (_, array) = a.remove_entry(format!("rnn.{name}").as_str()).unwrap();
            a.insert(String::leak(format!("rnns.0.module.{name}")), array);
        }
        let (shape, x) = a.remove("rnn.weight_hh_l0").unwrap();
        a.insert("rnns.0.module.weight_hh_l0", (shape.clone(), thinned(&x)));
        a.insert("rnns.0.weight_hh_l0_raw", (shape, x));
    });
    assert_eq!(near(&settings), 0.0);
    // Weight norm, old and new.
    for (g, v) in [
        ("rnn.weight_hh_l0_g", "rnn.weight_hh_l0_v"),
        (
            "rnn.parametrizations.weight_hh_l0.original0",
            "rnn.parametrizations.weight_hh_l0.original1",
        ),
    ] {
        let settings = with(&|a| {
            let (shape, x) = a.remove("rnn.weight_hh_l0").unwrap();
            let norms =
                x.chunks(4).map(|row| row.iter().map(|x| x * x).sum::<f32>().sqrt()).collect();
            a.insert(g, (vec![12, 1], norms));
            a.insert(v, (shape, x.iter().map(|x| x * 3.0).collect()));
        });
        assert!(near(&settings) < 1e-6, "{g}");
    }
    // Pruned, compiled and run on many cards.
    let settings = with(&|a| {
        let (shape, x) = a.remove("fc.weight").unwrap();
        let mask: Vec<f32> = x.iter().map(|_| 1.0).collect();
        a.insert("fc.weight_mask", (shape.clone(), mask));
        a.insert("fc.weight_orig", (shape, x));
        for (name, array) in std::mem::take(a) {
            a.insert(String::leak(format!("module._orig_mod.{name}")), array);
        }
    });
    assert_eq!(near(&settings), 0.0);
    let settings = Settings { readout: Some("module._orig_mod.fc.weight".into()), ..settings };
    assert_eq!(near(&settings), 0.0, "a name as it stands in the file is understood");
    let settings = with(&|a| {
        let array = a.remove("fc.weight").unwrap();
        a.insert("fc.parametrizations.weight.original", array);
    });
    assert!(message(&settings).contains("parametrisation that is not known"));
}

#[test]
fn cells_of_flax_nnx_are_cells_of_pytorch_in_other_words() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let arrays = gru();
    let turned = |name: &str| -> (Vec<usize>, Vec<f32>) {
        let (shape, x) = &arrays[name];
        let (rows, columns) = (shape[0], shape[1]);
        (
            vec![columns, rows],
            (0..columns).flat_map(|c| (0..rows).map(move |r| x[r * columns + c])).collect(),
        )
    };
    let mut nnx = Arrays::new();
    nnx.insert("embed.embedding", arrays["embedding.weight"].clone());
    nnx.insert("layers.0.cell.dense_i.kernel.value", turned("rnn.weight_ih_l0"));
    nnx.insert("layers.0.cell.dense_i.bias.value", arrays["rnn.bias_ih_l0"].clone());
    nnx.insert("layers.0.cell.dense_h.kernel.value", turned("rnn.weight_hh_l0"));
    nnx.insert("layers.0.cell.dense_h.bias.value", arrays["rnn.bias_hh_l0"].clone());
    nnx.insert("['head']['kernel']", turned("fc.weight"));
    nnx.insert("['head']['bias']", arrays["fc.bias"].clone());
    assert_eq!(outputs(&safetensors(folder.path(), &nnx)), truth);

    // An LSTM, a layer for each gate, `if` under the name that Python leaves.
    let gates = ["i", "f", "g", "o"];
    let mut lstm = Arrays::new();
    let mut torch = Arrays::new();
    let (ih, hh, b) = (drawn(48, 21), drawn(64, 22), drawn(16, 23));
    for (k, gate) in gates.into_iter().enumerate() {
        let entry: &'static str =
            String::leak(format!("cell/i{gate}{}/kernel", if gate == "f" { "_" } else { "" }));
        let block = |x: &[f32], width: usize| -> Vec<f32> {
            let rows = &x[k * 4 * width..][..4 * width];
            (0..width).flat_map(|c| (0..4).map(move |r| rows[r * width + c])).collect()
        };
        lstm.insert(entry, (vec![3, 4], block(&ih, 3)));
        lstm.insert(String::leak(format!("cell/h{gate}/kernel")), (vec![4, 4], block(&hh, 4)));
        lstm.insert(
            String::leak(format!("cell/h{gate}/bias")),
            (vec![4], b[k * 4..][..4].to_vec()),
        );
    }
    torch.insert("rnn.weight_ih_l0", (vec![16, 3], ih));
    torch.insert("rnn.weight_hh_l0", (vec![16, 4], hh));
    torch.insert("rnn.bias_hh_l0", (vec![16], b));
    for arrays_of in [&mut lstm, &mut torch] {
        arrays_of.insert("embed.weight", arrays["embedding.weight"].clone());
        arrays_of.insert("fc.weight", arrays["fc.weight"].clone());
    }
    let other = tempfile::tempdir().unwrap();
    assert_eq!(
        outputs(&safetensors(folder.path(), &lstm)),
        outputs(&safetensors(other.path(), &torch))
    );
}

#[test]
fn words_may_begin_at_a_later_row() {
    let (folder, truth) = (tempfile::tempdir().unwrap(), truth());
    let mut arrays = gru();
    let (shape, rows) = arrays.get_mut("embedding.weight").unwrap();
    shape[0] += 1;
    rows.splice(0..0, [9.0, 9.0, 9.0]);
    let mut settings = safetensors(folder.path(), &arrays);
    assert_ne!(outputs(&settings), truth);
    settings.first_word = 1;
    assert_eq!(outputs(&settings), truth);
    assert_eq!(Foreign::read(&settings).unwrap().vocabulary(), 7);
    settings.first_word = 8;
    assert!(message(&settings).contains("row 8 of 8"));
}

#[test]
fn files_of_other_forms_say_what_they_are_and_how_that_framework_saves_what_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let old = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    let files: [(&str, &[u8], [&str; 2]); 8] = [
        ("old.pt", old, ["before 2020", "torch.save(torch.load("]),
        (
            "model.pkl",
            b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00}.",
            ["a pickle", "pickle.load"],
        ),
        ("params.msgpack", b"\x82\xa6params", ["Flax in msgpack", "msgpack_restore"]),
        ("model.eqx", b"\x93NUMPY\x01\x00", ["Equinox", "keystr"]),
        ("gru.weights.h5", b"\x89HDF\r\n\x1a\n", ["Keras", "numpy.savez"]),
        ("gru.keras", b"PK\x03\x04", ["Keras", "numpy.savez"]),
        ("array.npz", b"\x93NUMPY\x01\x00", ["single array", "numpy.savez"]),
        ("model.onnx", b"\x08\x07", ["neither .safetensors", "save_file"]),
    ];
    for (name, bytes, words) in files {
        let said = message(&place(folder.path(), name, bytes));
        assert!(said.contains(name) && words.iter().all(|w| said.contains(w)), "{said}");
    }
    let scripted =
        archive::zip(&[("m/data.pkl", b"\x80\x02}.".to_vec()), ("m/constants.pkl", vec![])], false);
    assert!(message(&place(folder.path(), "scripted.pt", &scripted)).contains("torch.jit.load"));
    let settings = Settings { file: folder.path().into(), ..Settings::default() };
    assert!(message(&settings).contains("a folder"));
}

#[cfg(unix)]
#[test]
fn pipes_and_devices_are_refused_before_they_are_read() {
    let settings = Settings { file: PathBuf::from("/dev/zero"), ..Settings::default() };
    assert!(message(&settings).contains("no regular file"));
    let said = read_states(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(said.contains("no regular file"), "{said}");
    let said = accrue::files::fingerprint(Path::new("/dev/zero")).unwrap_err().to_string();
    assert!(said.contains("no regular file"), "{said}");
}

#[test]
fn a_file_that_was_cut_or_changed_is_an_error_or_a_network_and_never_more() {
    let folder = tempfile::tempdir().unwrap();
    let arrays = gru();
    let npy = |(name, (shape, x)): (&&'static str, &(Vec<usize>, Vec<f32>))| {
        let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
        (*name, archive::npy("<f4", false, shape, &bytes))
    };
    let npz = archive::zip(&arrays.iter().map(npy).collect::<Vec<_>>(), true);
    let pt = archive::torch(&Object::Table(state_dict(&arrays)));
    for (name, whole) in [("cut.npz", npz), ("cut.pt", pt)] {
        for at in (0..whole.len()).step_by(11) {
            let _ = Foreign::read(&place(folder.path(), name, &whole[..at]));
            for byte in [0, 0x28, 0x52, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                let _ = Foreign::read(&place(folder.path(), name, &changed));
            }
        }
    }
    // A shape beyond what was stored, and one beyond any memory.
    for shape in [vec![12, 5], vec![1 << 30, 1 << 20]] {
        let mut tensors = state_dict(&arrays);
        tensors.retain(|(name, _)| *name != "rnn.weight_hh_l0");
        tensors.push((
            "rnn.weight_hh_l0",
            Object::Tensor {
                storage: "FloatStorage",
                bytes: vec![0; 192],
                strides: vec![shape[1], 1],
                shape,
            },
        ));
        let said =
            message(&place(folder.path(), "large.pt", &archive::torch(&Object::Table(tensors))));
        assert!(said.contains("large.pt") && said.contains("stored numbers"), "{said}");
    }
    // A few bytes that claim to unpack to a quarter of a gigabyte.
    let zeros = archive::npy("<f4", false, &[1 << 26], &[0; 64]);
    let bomb = archive::zip(&[("zeros.npy", zeros)], true);
    let said = message(&place(folder.path(), "bomb.npz", &bomb));
    assert!(said.contains("unpacks to more than"), "{said}");
}
