//! How far do words alone get, and words with context?
