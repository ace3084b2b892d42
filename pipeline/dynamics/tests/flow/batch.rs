use crate::maps::{circulant, random_cell, states};
use accrue_cells::CellKind;
use accrue_dynamics::batch::{Ask, Batch};
use accrue_dynamics::{Dynamics, Finder, SearchResult, search};

/// Answers a batch by a map, a state at a time.
fn answered(
    map: &dyn Dynamics,
    states: &[Vec<f64>],
    scale: f64,
    finder: &Finder,
) -> Vec<SearchResult> {
    let n = map.state_size();
    let mut batch = Batch::new(states, scale, finder).unwrap();
    loop {
        match batch.ask() {
            Ask::Steps(h) => {
                let next: Vec<f64> =
                    h.chunks(n).flat_map(|h| map.step(h).as_slice().to_vec()).collect();
                batch.tell_steps(&next).unwrap();
            }
            Ask::Jacobians(h) => {
                let rows =
                    h.chunks(n).flat_map(|h| map.jacobian(h).transpose().as_slice().to_vec());
                batch.tell_jacobians(&rows.collect::<Vec<_>>()).unwrap();
            }
            Ask::Nothing => return batch.results(),
        }
    }
}

#[test]
fn a_batch_takes_the_steps_that_searches_take_alone() {
    let maps = [
        circulant(4),
        random_cell(CellKind::Gru, 6, 2.0, 1),
        random_cell(CellKind::Vanilla, 5, 3.0, 2),
    ];
    for map in &maps {
        let states = states(map, 60, 3);
        for max_distance in [0.4, 1e9] {
            let finder = Finder { max_distance, ..Finder::default() };
            let mut alone = Vec::new();
            search(map, states.iter().map(Vec::as_slice), 1.0, &finder, |result| {
                alone.push(result);
                Ok(())
            })
            .unwrap();
            assert_eq!(answered(map, &states, 1.0, &finder), alone);
        }
    }
}

#[test]
fn what_a_batch_is_told_fits_what_it_asked() {
    let finder = Finder::default();
    let mut batch = Batch::new(&[vec![0.5, 0.5], vec![0.1, 0.2]], 1.0, &finder).unwrap();
    assert_eq!(batch.ask(), Ask::Steps(vec![0.5, 0.5, 0.1, 0.2]));
    let message = batch.tell_steps(&[0.0; 3]).unwrap_err().to_string();
    assert!(message.contains("next states") && message.contains('4'), "{message}");
    assert!(batch.tell_jacobians(&[0.0; 8]).is_err(), "steps come first");
    // A state that stands still ends at once; one whose next is no number goes nowhere.
    batch.tell_steps(&[0.5, 0.5, f64::NAN, 0.0]).unwrap();
    assert_eq!((batch.ended(), batch.ask()), (1, Ask::Jacobians(vec![0.1, 0.2])));
    batch.tell_jacobians(&[f64::NAN; 4]).unwrap();
    assert_eq!((batch.ended(), batch.ask()), (2, Ask::Nothing));
    assert!(Batch::new(&[vec![0.5], vec![0.5, 0.1]], 1.0, &finder).is_err());
    assert!(Batch::new(&[vec![f64::NAN]], 1.0, &finder).is_err());
}
