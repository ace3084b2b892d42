//! Tables, figures, pages.
