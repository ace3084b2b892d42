//! Many networks side by side.

use super::table::tables;

tables! {
    /// One row a case of a grid (in the grid's own folder).
    Cases("cases") {
        /// number, from 0
        case: u64,
        /// folder under `cases/`
        name: String,
        /// whether all its stages were passed
        finished: bool,
        /// why not; empty where it finished
        failure: String,
    }

    /// One row a case and axis of the grid.
    CaseSettings("case_settings") {
        /// as in `cases`
        case: u64,
        /// path of the setting
        setting: String,
        /// its value
        value: String,
    }

    /// One row a case and summary key.
    CaseNumbers("case_numbers") {
        /// as in `cases`
        case: u64,
        /// key of `summary.json`
        key: String,
        /// its number
        value: f64,
    }

    /// One row a case and claim.
    CaseClaims("case_claims") {
        /// as in `cases`
        case: u64,
        /// as in `claims`
        claim: String,
        /// as in `claims`
        measured: f64,
        /// as in `claims`
        holds: bool,
        /// as in `claims`
        reference: String,
    }

    /// One row an axis of a grid (of three values or more that have an order) and a number: how it
    /// changes along the axis.
    CaseTrends("case_trends") {
        /// the axis
        setting: String,
        /// what the cases share along the other axes but for the seed; empty for all cases together
        stratum: String,
        /// the summary number
        key: String,
        /// rank correlation with the value's place on the axis, over these cases
        spearman: f64,
        /// whether the median falls from each value to the next
        falls: bool,
        /// median over these cases, for each value in order
        medians: Vec<f64>,
        /// cases
        n: u64,
        /// what a paper says of this number along this axis; else empty
        claim: String,
        /// whether it is so; null where none speaks of it
        holds: Option<bool>,
    }

    /// One row a word that all networks of a grid have measured that differ by their seed alone,
    /// smallest p first: how it changes the reading of other words, over these networks.
    CaseModifiers("case_modifiers") {
        /// the other settings along the grid's axes
        group: String,
        /// text
        word: String,
        /// median over the networks of `gain` in `modifiers`
        gain: f64,
        /// its smallest value
        gain_low: f64,
        /// its largest value
        gain_high: f64,
        /// networks
        networks: u64,
        /// of them, those in which it lies beyond the null's 99th percentile
        beyond: u64,
        /// the networks' p-values put together (Fisher)
        p: f64,
        /// share of false discoveries among the words from the first to this one (Benjamini &
        /// Hochberg)
        discovery_rate: f64,
        /// median over the networks of `gain` in `text_gains`, each from the part of the text it
        /// was taught with; NaN where none came to rest
        text_gain: f64,
        /// median of the lower ends of its 95 % interval
        text_low: f64,
        /// median of the upper ends
        text_high: f64,
    }

    /// One row a model of `augmented`, for the networks of a grid that differ by their seed alone:
    /// what words in context recover of these networks' gain.
    CaseAugmented("case_augmented") {
        /// the other settings along the grid's axes
        group: String,
        /// which extensions are on, as in `augmented`
        model: String,
        /// networks
        networks: u64,
        /// median over the networks of its accuracy on the test split
        accuracy: f64,
        /// its smallest value
        accuracy_low: f64,
        /// its largest value
        accuracy_high: f64,
        /// (model - words) / (network - words), of means over the networks; NaN for words and
        /// networks themselves, and where these read no better than words
        recovered: f64,
        /// lower end of its 95 % interval, bootstrap over networks
        recovered_low: f64,
        /// upper end
        recovered_high: f64,
    }

    /// One row a network of the folder of runs, beside its `index.html`: the predicted and the
    /// found dimension.
    Runs("runs") {
        /// its folder, below the folder of runs
        run: String,
        /// participation ratio of the class means of counts, scaled, without noise
        predicted: f64,
        /// participation ratio of the network's states
        found: f64,
        /// where they are more than .5 apart: what the accuracies say of it
        reason: String,
    }
}
