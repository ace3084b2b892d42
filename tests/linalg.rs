//! Decompositions against their defining equations.

use accrue::linalg::{Complex, Matrix, eigen, eigenvalues, svd, symmetric, time_constant};
use accrue::seed;
use rand::Rng;

fn random(n: usize, m: usize, seed: u64) -> Matrix {
    let mut stream = seed::stream(seed, "tests/matrix");
    Matrix::from_fn(n, m, |_, _| stream.random_range(-1.0..1.0))
}

#[test]
fn time_constant_of_a_planted_mode() {
    // 1/|ln 0.99|, by hand.
    assert!((time_constant(Complex::new(0.99, 0.0)) - 99.499_162).abs() < 1e-6);
    assert!((time_constant(Complex::new(0.0, 0.99)) - 99.499_162).abs() < 1e-6);
}

#[test]
fn left_and_right_eigenvectors_satisfy_their_equations() {
    for n in [1, 2, 7, 40] {
        let j = random(n, n, n as u64);
        let e = eigen(&j).unwrap();
        let complex = j.map(|x| Complex::new(x, 0.0));
        for a in 0..n {
            let (r, l) = (e.right.column(a), e.left.column(a));
            let tolerance = 1e-11 * e.condition * n as f64;
            assert!((&complex * r - r * e.values[a]).norm() < tolerance);
            assert!((complex.transpose() * l - l * e.values[a]).norm() < tolerance * l.norm());
            assert!((r.norm() - 1.0).abs() < 1e-12);
            for b in 0..n {
                let overlap: Complex =
                    l.iter().zip(e.right.column(b).iter()).map(|(x, y)| x * y).sum();
                let wanted = if a == b { 1.0 } else { 0.0 };
                assert!((overlap - Complex::new(wanted, 0.0)).norm() < tolerance);
            }
        }
        assert!(e.values.windows(2).all(|w| w[0].norm() >= w[1].norm() * (1.0 - 1e-11)));
        assert_eq!(eigenvalues(&j).unwrap().len(), n);
    }
}

#[test]
fn a_rotation_has_its_pair_in_a_fixed_order() {
    let j = Matrix::from_row_slice(2, 2, &[0.0, -0.5, 0.5, 0.0]);
    let values = eigenvalues(&j).unwrap();
    assert!((values[0] - Complex::new(0.0, 0.5)).norm() < 1e-14);
    assert!((values[1] - Complex::new(0.0, -0.5)).norm() < 1e-14);
}

#[test]
fn a_mode_of_its_own_keeps_its_left_vector_beside_a_jordan_block() {
    // One mode that fades by .95, and one that is gone after two steps, which enters the first.
    let a = Matrix::from_row_slice(3, 3, &[0.95, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]);
    let e = eigen(&a).unwrap();
    assert!(e.is_nearly_defective());
    // lᵀ A = .95 lᵀ with lᵀ r = 1, by hand.
    for (found, wanted) in e.left.column(0).iter().zip([1.0, 1.0 / 0.95, 1.0 / 0.9025]) {
        assert!((found - Complex::new(wanted, 0.0)).norm() < 1e-12, "{found}, not {wanted}");
    }
    assert!(e.left.iter().all(|z| z.is_finite()), "{}", e.left);
}

#[test]
fn a_defective_matrix_is_flagged() {
    let jordan = Matrix::from_row_slice(2, 2, &[1.0, 1.0, 0.0, 1.0]);
    assert!(eigen(&jordan).unwrap().is_nearly_defective());
    assert!(!eigen(&Matrix::identity(3, 3)).unwrap().is_nearly_defective());
}

#[test]
fn not_a_number_is_an_error_that_names_its_place() {
    let mut a = Matrix::identity(3, 3);
    a[(1, 2)] = f64::NAN;
    for message in [eigen(&a).unwrap_err().to_string(), svd(&a).unwrap_err().to_string()] {
        assert!(message.contains("row 1, column 2"), "{message}");
    }
}

#[test]
fn singular_values_rebuild_the_matrix() {
    for (n, m) in [(5, 3), (3, 5), (4, 4)] {
        let a = random(n, m, 9);
        let s = svd(&a).unwrap();
        let diagonal = Matrix::from_diagonal(&nalgebra::DVector::from_vec(s.singular.clone()));
        assert!((&s.u * diagonal * s.v.transpose() - &a).norm() < 1e-13 * a.norm() * 10.0);
        assert!(s.singular.windows(2).all(|w| w[0] >= w[1]));
    }
    let (values, vectors) =
        symmetric(&Matrix::from_row_slice(2, 2, &[2.0, 1.0, 1.0, 2.0])).unwrap();
    assert!((values[0] - 3.0).abs() < 1e-14 && (values[1] - 1.0).abs() < 1e-14);
    assert!((vectors[(0, 0)] - vectors[(1, 0)]).abs() < 1e-14);
}
