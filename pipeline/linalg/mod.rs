//! SVD, eigenvectors, least squares, in our fixed conventions.

/// Dense f64 matrix, column-major (nalgebra's storage).
pub type Matrix = nalgebra::DMatrix<f64>;
/// Dense f64 vector.
pub type Vector = nalgebra::DVector<f64>;
/// Complex f64.
pub type Complex = nalgebra::Complex<f64>;
