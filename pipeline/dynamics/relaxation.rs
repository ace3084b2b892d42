//! How fast a state comes to rest while the input is held
//! (Maheswaranathan, Williams et al. 2019, arXiv:1906.10720).

use crate::Dynamics;

/// `‖h_{t+1} − h_t‖ / ‖h_t‖` of each of `steps` steps from `state`.
pub fn speeds(map: &dyn Dynamics, state: &[f64], steps: usize) -> Vec<f64> {
    let mut h = state.to_vec();
    let norm = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    (0..steps)
        .map(|_| {
            let next = map.step(&h).as_slice().to_vec();
            let moved = norm(&mut next.iter().zip(&h).map(|(a, b)| a - b));
            let size = norm(&mut h.iter().copied());
            h = next;
            moved / size.max(f64::MIN_POSITIVE)
        })
        .collect()
}
