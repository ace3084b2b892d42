//! Base models that are trained here, and their copies with units in another order.

use super::collection::{Base, file};
use super::networks::permuted;
use super::rules::{shuffled, splits};
use super::text::Watch;
use crate::corpus::{self, Labels};
use crate::engine::Workspace;
use crate::experiment::{Group, MetaModel, Training};
use crate::model::{Config, Network};
use crate::ops::CellKind;
use crate::{Error, Result, seed, train};
use rand::seq::SliceRandom;
use std::path::Path;

/// Names of the networks to train: group, cell, units, number.
pub fn jobs(groups: &[Group]) -> Vec<(usize, CellKind, usize, usize)> {
    let mut all = Vec::new();
    for (g, group) in groups.iter().enumerate() {
        for &cell in &group.cells {
            for &units in &group.units {
                all.extend((0..group.replicates).map(|r| (g, cell, units, r)));
            }
        }
    }
    all
}

/// Trains the networks of every group; beside them training phrases that no network reads.
pub fn trained(
    e: &MetaModel,
    place: &Workspace,
    watch: &mut dyn Watch,
) -> Result<(Vec<Base>, usize)> {
    let corpus = corpus::store::read(place.folder())?;
    if !matches!(corpus.train.labels, Labels::Class(_)) {
        return Err(Error::Usage(
            "trained.corpus: documents with a class each are needed here".into(),
        ));
    }
    let (train_splits, left_out) = splits(e, &corpus, &corpus.train);
    let (validation, _) = splits(e, &corpus, &corpus.validation);
    let (test, _) = splits(e, &corpus, &corpus.test);
    let jobs = jobs(&e.trained.groups);
    let classes = corpus.label_names.len();
    let mut all = Vec::new();
    for (i, (g, cell, units, _)) in jobs.iter().copied().enumerate() {
        let group = &e.trained.groups[g];
        let own_seed = e.seed.wrapping_add(1000 * (i as u64 + 1));
        let config = Config { cell, units, ..e.trained.model.clone() };
        let head = train::head(config.head, &corpus.train.labels, classes);
        let network =
            Network::new(&config, head, corpus.words.len(), head.outputs(classes), own_seed)?;
        let mut settings = e.trained.training.clone();
        let mut split = train_splits[g].clone();
        match group.reads {
            Training::Shuffled => split = shuffled(&split, own_seed),
            Training::Crops(shortest, longest) => settings.crop = train::Crop { shortest, longest },
            _ => {}
        }
        let name = format!("{} {} {units} {}", group.name, cell.facts().spelling, i + 1);
        watch.progress("base models", i, jobs.len());
        let checkpoint = place.checkpoint(&format!("base_{i}"));
        // What is trained already stands beside the checkpoint.
        let ready = place.checkpoint(&format!("base_{i}.safetensors"));
        let network = match Network::load(&ready) {
            Ok(network) => network,
            Err(_) => {
                let at = (checkpoint.as_path(), place.key());
                train::fit(&network, &split, &validation[g], &settings, own_seed, at, &mut ())?;
                if let Some(below) = ready.parent() {
                    std::fs::create_dir_all(below).map_err(Error::io(below))?;
                }
                network.save(&ready)?;
                network
            }
        };
        let accuracy = train::score(&network, &test[g])?.accuracy();
        all.push(Base { name, group: g, network, copy_of: None, accuracy: Some(accuracy) });
    }
    Ok((all, left_out))
}

/// The first networks of each group again, with their units in another order.
pub fn copies(
    e: &MetaModel,
    made: &mut Vec<Base>,
    numbers: &mut Vec<Option<usize>>,
    (folder, files): (&Path, &mut Vec<String>),
) -> Result<()> {
    for g in 0..e.trained.groups.len() {
        let own = (0..made.len()).filter(|&i| made[i].group == g && made[i].copy_of.is_none());
        let own: Vec<usize> = own.filter(|&i| numbers[i].is_some()).collect();
        // Spread over cells and sizes.
        let every = (own.len() / e.trained.copies.max(1)).max(1);
        for &i in own.iter().step_by(every).take(e.trained.copies) {
            let base = &made[i];
            let mut order: Vec<usize> = (0..base.units()).collect();
            order.shuffle(&mut seed::stream(e.seed, &format!("embedding/copy {i}")));
            let network = Network::new(
                base.network.config(),
                base.network.head(),
                base.network.reads(),
                base.network.outputs(),
                0,
            )?;
            network.set_arrays(&permuted(&base.network.arrays()?, base.cell(), &order))?;
            let number = files.len();
            network.save(&folder.join(file(number)))?;
            files.push(file(number));
            let copy = Base {
                name: format!("{}, units in another order", base.name),
                group: g,
                network,
                copy_of: numbers[i],
                accuracy: base.accuracy,
            };
            made.push(copy);
            numbers.push(Some(number));
        }
    }
    Ok(())
}
