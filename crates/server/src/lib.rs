//! The composition root: options in, a running task tree out
