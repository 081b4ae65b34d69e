//! Places in a schema's JSON, written as JSON pointers only once one is asked for.

use crate::InvalidSchema;

/// A place, which borrows those around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    around: Option<&'a Place<'a>>,
    step: Step<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Root,
    Property(&'a str),
    Item(usize),
}

impl<'a> Place<'a> {
    pub(crate) fn root() -> Self {
        Self { around: None, step: Step::Root }
    }

    pub(crate) fn property(&'a self, name: &'a str) -> Self {
        Self { around: Some(self), step: Step::Property(name) }
    }

    pub(crate) fn item(&'a self, at: usize) -> Self {
        Self { around: Some(self), step: Step::Item(at) }
    }

    /// `/fields/1/type`; `/` is the whole.
    pub(crate) fn pointer(&self) -> String {
        let mut steps = Vec::new();
        let mut next = Some(self);
        while let Some(place) = next {
            match place.step {
                Step::Root => {}
                Step::Property(name) => steps.push(name.to_owned()),
                Step::Item(at) => steps.push(at.to_string()),
            }
            next = place.around;
        }
        steps.reverse();
        format!("/{}", steps.join("/"))
    }

    pub(crate) fn error(&self, reason: impl Into<String>) -> InvalidSchema {
        InvalidSchema::at(self.pointer(), reason)
    }
}
