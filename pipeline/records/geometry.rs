//! Shape and dimension of states, of slow points and of counts.

use super::kind::Even;
use super::table::tables;

tables! {
    /// Variance along each principal component of one set of points.
    Spectrum("spectrum") {
        /// states, untrained (states before training), fixed_points (headline)
        source: String,
        /// from 1, descending variance
        component: u64,
        /// variance, 1/(m−1); squared units of the points
        variance: f64,
        /// share of the total
        ratio: f64,
        /// sum of the shares so far
        cumulative: f64,
    }

    /// The same for the class means of word counts, which know no network.
    SpectrumPredicted("spectrum_predicted") {
        /// predicted (class means of word counts), predicted_unbiased (corrected for sampling noise, from
        /// split halves), predicted_scaled (and each word divided by the root of its share)
        source: String,
        /// from 1, descending variance
        component: u64,
        /// variance, 1/(rows−1); squared shares of tokens; may be negative for predicted_unbiased
        variance: f64,
        /// share of the total
        ratio: f64,
        /// sum of the shares so far
        cumulative: f64,
    }

    /// One row a set of points and measure of dimension.
    Dimensions("dimensions") {
        /// as in `spectrum`
        source: String,
        /// participation_ratio, variance_90, variance_95, variance_n (share N/(N+1) for N labels);
        /// from close by, on at most 2,000 points: local_participation_ratio (of the nearest 50 a
        /// label, mean over 20 points), levina_bickel_10, _50, _100 (maximum likelihood from so
        /// many neighbours), correlation (slope of the share of close pairs)
        measure: String,
        /// dimensions
        value: f64,
        /// points
        n: u64,
    }

    /// The dimensions that word counts predict.
    DimensionsPredicted("dimensions_predicted") {
        /// as in `spectrum_predicted`
        source: String,
        /// participation_ratio
        measure: String,
        /// dimensions
        value: f64,
        /// 2.5th percentile of the bootstrap over documents
        low: f64,
        /// 97.5th percentile
        high: f64,
        /// training documents
        n: u64,
    }

    /// One row a class (or combination of labels): a row of the class-mean matrix.
    Prediction("prediction") {
        /// class, label, or combination
        row: String,
        /// training documents behind it
        documents: u64,
    }

    /// One row an output of the network.
    Readouts("readouts") {
        /// index
        output: u64,
        /// its label
        name: String,
        /// length of the readout vector
        norm: f64,
        /// its share along the first principal component of the states
        pc_1: f64,
        /// along the second
        pc_2: f64,
        /// along the third
        pc_3: f64,
        /// share of its length within the span of the other readouts
        in_span: f64,
        /// [outputs] angle to every readout, degrees
        angles: Even<f64>,
    }
}
