//! The JSON event format (CloudEvents 1.0.2) and its batch form.
//!
//! JSON data is never parsed further than to find its end: it becomes a slice of the text it came in.

mod read;
mod write;
