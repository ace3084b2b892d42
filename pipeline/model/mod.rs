//! Embedding, recurrent cell, readout; checkpoints and foreign weights.
