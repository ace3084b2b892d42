//! What dimension do word counts predict?
