//! Changes of views as text, for the clients that follow them.

mod memory;
mod renderer;
mod text;

pub(crate) use renderer::Renderer;
pub(crate) use text::{Part, Text, is_large};
