//! The vocabulary from outside: bytes in, values out, and what hostile bytes may not do.

mod batches;
mod codecs;
mod events;
mod hostile;
mod records;
