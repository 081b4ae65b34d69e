//! Taking a mapping apart by name, noting what is wrong and going on.

use std::collections::BTreeSet;
use std::fmt::Display;

use miette::SourceSpan;

use factum_types::suggest::nearest;

use super::document::{self, Entry, Mapping, Node, Value};
use super::source::SourceFile;
use crate::problem::Problem;

/// The fields of one mapping that are still to be read.
pub(crate) struct Fields<'a> {
    file: &'a SourceFile,
    /// `in defaults`, or empty at the top.
    within: String,
    entries: Vec<Entry>,
    known: BTreeSet<&'static str>,
    problems: &'a mut Vec<Problem>,
}

impl<'a> Fields<'a> {
    /// The fields of the whole of `file`; a file that is not YAML has none, and a problem.
    pub(crate) fn of_file(file: &'a SourceFile, problems: &'a mut Vec<Problem>) -> Option<Self> {
        match document::parse(file) {
            Ok(mapping) => Some(Self::new(file, String::new(), mapping, problems)),
            Err(problem) => {
                problems.push(problem);
                None
            }
        }
    }

    fn new(file: &'a SourceFile, within: String, mapping: Mapping, problems: &'a mut Vec<Problem>) -> Self {
        Self { file, within, entries: mapping.entries, known: BTreeSet::new(), problems }
    }

    /// Takes the value of `name` with its place.
    pub(crate) fn take(&mut self, name: &'static str) -> Option<Node> {
        self.known.insert(name);
        let at = self.entries.iter().position(|entry| entry.name == name)?;
        let entry = self.entries.remove(at);
        if matches!(entry.value.value, Value::Null) {
            let problem = self.file.problem(entry.name_span, format!("`{name}` has no value"));
            self.problems.push(problem.label("give it one, or remove the line"));
            return None;
        }
        Some(entry.value)
    }

    /// Takes a text, trimmed; it must not be empty.
    pub(crate) fn text(&mut self, name: &'static str) -> Option<String> {
        self.parsed(
            name,
            |text| if text.is_empty() { Err("it is empty") } else { Ok(text.to_owned()) },
            "some text",
        )
        .map(|(text, _)| text)
    }

    /// Takes a value that `parse` understands; `example` shows a good one.
    pub(crate) fn parsed<T, E: Display>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, E>,
        example: &str,
    ) -> Option<(T, SourceSpan)> {
        let node = self.take(name)?;
        let Value::Scalar(text) = &node.value else {
            self.wrong_shape(name, &node, example);
            return None;
        };
        match parse(text.trim()) {
            Ok(value) => Some((value, node.span)),
            Err(error) => {
                let problem = self.file.problem(node.span, format!("`{name}` is not usable: {error}"));
                self.problems.push(problem.help(format!("for example `{name}: {example}`")));
                None
            }
        }
    }

    /// Takes one of a few words.
    pub(crate) fn word<T: Copy>(
        &mut self,
        name: &'static str,
        words: &[(&'static str, T)],
    ) -> Option<(T, SourceSpan)> {
        let node = self.take(name)?;
        let all = words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        let Value::Scalar(text) = &node.value else {
            self.wrong_shape(name, &node, words.first().map_or("", |(word, _)| word));
            return None;
        };
        if let Some((_, value)) = words.iter().find(|(word, _)| word == text) {
            return Some((*value, node.span));
        }
        let problem = self.file.problem(node.span, format!("`{name}` cannot be {text:?}"));
        let near = nearest(text, words.iter().map(|(word, _)| *word));
        let problem = match near {
            Some(near) => problem.label(format!("did you mean `{near}`?")),
            None => problem,
        };
        self.problems.push(problem.help(format!("one of: {all}")));
        None
    }

    /// Whether `name` is still to be taken.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name)
    }

    /// Takes a list of texts; one text alone will do.
    pub(crate) fn texts(&mut self, name: &'static str) -> Vec<String> {
        self.places(name).into_iter().map(|(text, _)| text).collect()
    }

    /// The same, each with its place.
    pub(crate) fn places(&mut self, name: &'static str) -> Vec<(String, SourceSpan)> {
        let Some(node) = self.take(name) else { return Vec::new() };
        let items = match node.value {
            Value::Scalar(text) => return vec![(text, node.span)],
            Value::List(items) => items,
            _ => {
                self.wrong_shape(name, &node, "[ada, grace]");
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match &item.value {
                Value::Scalar(text) => texts.push((text.clone(), item.span)),
                other => {
                    let message = format!("`{name}` is a list of texts, but this is {}", other.noun());
                    self.problems.push(self.file.problem(item.span, message));
                }
            }
        }
        texts
    }

    /// Takes a mapping and hands its fields to `read`.
    pub(crate) fn mapping<T>(
        &mut self,
        name: &'static str,
        example: &str,
        read: impl FnOnce(&mut Fields<'_>) -> T,
    ) -> Option<(T, SourceSpan)> {
        let node = self.take(name)?;
        let Value::Mapping(mapping) = node.value else {
            self.wrong_shape(name, &node, example);
            return None;
        };
        Some((self.within(name, mapping, read), node.span))
    }

    /// Takes a list of mappings and hands the fields of each, with its place, to `read`.
    pub(crate) fn items<T>(
        &mut self,
        name: &'static str,
        example: &str,
        mut read: impl FnMut(&mut Fields<'_>, SourceSpan) -> T,
    ) -> Vec<T> {
        let Some(node) = self.take(name) else { return Vec::new() };
        let Value::List(items) = node.value else {
            self.wrong_shape(name, &node, &format!("[{example}]"));
            return Vec::new();
        };
        let mut found = Vec::with_capacity(items.len());
        for item in items {
            let span = self.file.first_line(item.span);
            match item.value {
                Value::Mapping(mapping) => {
                    found.push(self.within(name, mapping, |fields| read(fields, span)));
                }
                other => {
                    let message = format!("`{name}` is a list of mappings, but this is {}", other.noun());
                    self.refuse(span, message, format!("for example `- {example}`"));
                }
            }
        }
        found
    }

    /// Takes a mapping whose names the user chooses, and hands each with its fields to `read`.
    pub(crate) fn each<T>(
        &mut self,
        name: &'static str,
        example: &str,
        mut read: impl FnMut(&str, &mut Fields<'_>) -> T,
    ) -> Vec<(String, T)> {
        let Some(node) = self.take(name) else { return Vec::new() };
        let Value::Mapping(mapping) = node.value else {
            self.wrong_shape(name, &node, example);
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in mapping.entries {
            let Value::Mapping(inner) = entry.value.value else {
                self.wrong_shape(name, &entry.value, example);
                continue;
            };
            let chosen = entry.name;
            let value = self.within(&format!("{name}.{chosen}"), inner, |fields| read(&chosen, fields));
            found.push((chosen, value));
        }
        found
    }

    /// Notes something at `span` that cannot be.
    pub(crate) fn refuse(&mut self, span: SourceSpan, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.file.problem(span, message).help(help));
    }

    /// Notes something at `span` that has no effect.
    pub(crate) fn warn(&mut self, span: SourceSpan, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.file.problem(span, message).help(help).warning());
    }

    /// Takes a field that this version understands but does not act on, and says so.
    pub(crate) fn not_yet(&mut self, name: &'static str, consequence: &str) {
        if let Some(node) = self.take(name) {
            self.warn(node.span, format!("`{name}` is not supported by this version yet"), consequence);
        }
    }

    /// Every field that no one asked for is a problem, with the nearest known name.
    pub(crate) fn finish(self) {
        for entry in self.entries {
            let at = if self.within.is_empty() { String::new() } else { format!(" in `{}`", self.within) };
            let problem =
                self.file.problem(entry.name_span, format!("there is no field `{}`{at}", entry.name));
            let problem = match nearest(&entry.name, self.known.iter().copied()) {
                Some(near) => problem.label(format!("did you mean `{near}`?")),
                None => problem,
            };
            let known = self.known.iter().copied().collect::<Vec<_>>().join(", ");
            self.problems.push(problem.help(format!("known here: {known}")));
        }
    }

    fn within<T>(&mut self, name: &str, mapping: Mapping, read: impl FnOnce(&mut Fields<'_>) -> T) -> T {
        let mut inner = Fields::new(self.file, name.to_owned(), mapping, self.problems);
        let value = read(&mut inner);
        inner.finish();
        value
    }

    fn wrong_shape(&mut self, name: &str, node: &Node, example: &str) {
        let message = format!("`{name}` cannot be {}", node.value.noun());
        let problem = self.file.problem(node.span, message);
        self.problems.push(problem.help(format!("for example `{name}: {example}`")));
    }
}
