//! Least squares, free and non-negative; designs that have no one solution are refused.

use crate::linalg::{Cholesky, Matrix, Vector, singular_values};
use crate::{Error, Result};

/// Singular value of a z-scored design, as a share of its largest, below which regressors cannot be told apart.
const COLLINEAR: f64 = 1e-8;

/// Weights of regressors.
#[derive(Clone, Debug, PartialEq)]
pub struct Fit {
    /// One a regressor, of the regressors as they were given.
    pub weights: Vec<f64>,
    /// Of the z-scored regressors: what one standard deviation of each adds.
    pub standard: Vec<f64>,
    /// `R²` on the values it was fitted to.
    pub explained: f64,
}

/// Regressors, centred and scaled, and what they are called.
#[derive(Clone, Debug)]
pub struct Design {
    names: Vec<String>,
    /// `[rows, regressors]`, mean 0 and standard deviation 1.
    scaled: Matrix,
    deviations: Vec<f64>,
}

impl Design {
    /// * `columns`: names and values of the regressors, equally long; an intercept is understood
    ///
    /// # Errors
    /// [`Error::Input`] naming the regressor that does not vary, regressors that are sums of others, and too few rows;
    /// [`Error::Shape`] for columns of different lengths; [`Error::NotFinite`] for values that are no numbers.
    pub fn new<'a>(columns: impl IntoIterator<Item = (&'a str, &'a [f64])>) -> Result<Self> {
        let columns: Vec<(&str, &[f64])> = columns.into_iter().collect();
        let rows = columns.first().map_or(0, |(_, values)| values.len());
        if columns.is_empty() || rows < columns.len() + 2 {
            return Err(Error::input(
                "regression",
                "",
                format!("{rows} rows for {} regressors and an intercept", columns.len()),
                "give more trials or conditions, or leave regressors out",
            ));
        }
        let (mut scaled, mut deviations) = (Matrix::zeros(rows, columns.len()), Vec::new());
        for (k, (name, values)) in columns.iter().enumerate() {
            if values.len() != rows {
                return Err(Error::shape(format!("regressor `{name}`"), values.len(), rows));
            }
            if let Some(at) = values.iter().position(|x| !x.is_finite()) {
                return Err(Error::NotFinite {
                    what: format!("regressor `{name}`"),
                    place: format!("row {at}"),
                    remedy: "leave the row out".into(),
                });
            }
            let mean = values.iter().sum::<f64>() / rows as f64;
            let square = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64;
            let size = values.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
            // The mean of equal numbers is rounded: what is left is that.
            if !(square.sqrt() > 1e-12 * size) {
                return Err(Error::input(
                    "regression",
                    format!("regressor `{name}`"),
                    "it does not vary",
                    "leave it out, or vary it between conditions",
                ));
            }
            deviations.push(square.sqrt());
            scaled.column_mut(k).iter_mut().zip(*values).for_each(|(to, x)| {
                *to = (x - mean) / square.sqrt();
            });
        }
        let names: Vec<String> = columns.iter().map(|(name, _)| name.to_string()).collect();
        let singular = singular_values(&scaled)?;
        if !(singular[columns.len() - 1] > COLLINEAR * singular[0]) {
            return Err(Error::input(
                "regression",
                format!("regressors {}", names.join(", ")),
                "one is a weighted sum of the others: they have no weights of their own",
                "leave one of them out",
            ));
        }
        Ok(Self { names, scaled, deviations })
    }

    /// Names of the regressors.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Rows.
    pub fn rows(&self) -> usize {
        self.scaled.nrows()
    }

    /// Weights of least squares, an intercept understood.
    ///
    /// # Errors
    /// [`Error::Shape`] if the values do not fit the rows.
    pub fn ordinary(&self, values: &[f64]) -> Result<Fit> {
        let y = self.centred(values)?;
        let normal = Cholesky::new(&self.scaled.tr_mul(&self.scaled));
        let normal = normal.expect("regressors that can be told apart have a definite product");
        Ok(self.fit(normal.solve(&self.scaled.tr_mul(&y)), &y))
    }

    /// Weights of least squares for each column of values, `[regressors, columns]`, of the z-scored regressors.
    ///
    /// # Errors
    /// [`Error::Shape`] if the values do not fit the rows.
    pub fn each(&self, values: &Matrix) -> Result<Matrix> {
        if values.nrows() != self.rows() {
            return Err(Error::shape("values of a regression", values.nrows(), self.rows()));
        }
        let normal = Cholesky::new(&self.scaled.tr_mul(&self.scaled));
        let normal = normal.expect("regressors that can be told apart have a definite product");
        // Regressors have mean 0: the mean of the values does not enter.
        let right = crate::linalg::inner(&self.scaled, values);
        let mut weights = Matrix::zeros(right.nrows(), right.ncols());
        for (mut to, from) in weights.column_iter_mut().zip(right.column_iter()) {
            to.copy_from(&normal.solve(&from.into_owned()));
        }
        Ok(weights)
    }

    /// Weights of least squares, none below 0 (Lawson & Hanson 1974), an intercept of either sign understood.
    ///
    /// # Errors
    /// [`Error::Shape`] if the values do not fit the rows.
    pub fn non_negative(&self, values: &[f64]) -> Result<Fit> {
        let y = self.centred(values)?;
        let (normal, right) = (self.scaled.tr_mul(&self.scaled), self.scaled.tr_mul(&y));
        Ok(self.fit(non_negative(&normal, &right), &y))
    }

    fn centred(&self, values: &[f64]) -> Result<Vector> {
        if values.len() != self.rows() {
            return Err(Error::shape("values of a regression", values.len(), self.rows()));
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        Ok(Vector::from_iterator(values.len(), values.iter().map(|x| x - mean)))
    }

    fn fit(&self, standard: Vector, y: &Vector) -> Fit {
        let left = (y - &self.scaled * &standard).norm_squared();
        let weights = standard.iter().zip(&self.deviations).map(|(w, d)| w / d).collect();
        let standard = standard.iter().copied().collect();
        Fit { weights, standard, explained: 1.0 - left / y.norm_squared() }
    }
}

/// The `x ≥ 0` with the smallest `½ xᵀ N x − xᵀ r`, of a definite `N`, by an active set.
fn non_negative(normal: &Matrix, right: &Vector) -> Vector {
    let n = right.len();
    let (mut x, mut free) = (Vector::zeros(n), vec![false; n]);
    let tolerance = 1e-12 * right.amax();
    // Each round lowers the sum of squares, and there are finitely many sets.
    loop {
        let slope = right - normal * &x;
        let steepest = (0..n).filter(|&i| !free[i]).max_by(|&i, &j| slope[i].total_cmp(&slope[j]));
        match steepest {
            Some(i) if slope[i] > tolerance => free[i] = true,
            _ => return x,
        }
        loop {
            let trial = restricted(normal, right, &free);
            let lowest = (0..n).filter(|&i| free[i] && trial[i] <= 0.0);
            // As far towards the trial as none turns negative.
            let step = lowest.map(|i| x[i] / (x[i] - trial[i])).fold(f64::INFINITY, f64::min);
            if step == f64::INFINITY {
                x = trial;
                break;
            }
            x += (&trial - &x) * step;
            for i in 0..n {
                if free[i] && x[i] <= 1e-15 * x.amax() {
                    (x[i], free[i]) = (0.0, false);
                }
            }
        }
    }
}

/// Solves the rows and columns that are free; 0 elsewhere.
fn restricted(normal: &Matrix, right: &Vector, free: &[bool]) -> Vector {
    let on: Vec<usize> = (0..free.len()).filter(|&i| free[i]).collect();
    let part = Matrix::from_fn(on.len(), on.len(), |i, j| normal[(on[i], on[j])]);
    let r = Vector::from_iterator(on.len(), on.iter().map(|&i| right[i]));
    let solved = Cholesky::new(&part).expect("a part of a definite matrix is definite").solve(&r);
    let mut x = Vector::zeros(free.len());
    on.iter().zip(solved.iter()).for_each(|(&i, s)| x[i] = *s);
    x
}
