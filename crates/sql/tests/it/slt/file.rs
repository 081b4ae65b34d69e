//! A golden file, taken apart and put together again.

use std::fmt::Write;

/// Some lines of a file that belong together, up to an empty line.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Comments and empty lines before it.
    pub(super) before: String,
    /// The first line, by its words.
    pub(super) head: Vec<String>,
    /// What follows it.
    pub(super) body: Vec<String>,
    /// What follows `----`, if there is such a line.
    pub(super) expected: Option<Vec<String>>,
}

impl Record {
    /// The records of a file; the last one may have nothing but comments.
    pub(super) fn all(text: &str) -> Vec<Self> {
        let (mut records, mut current) = (Vec::new(), Self::default());
        for line in text.lines() {
            if line.trim().is_empty() && !current.head.is_empty() {
                records.push(std::mem::take(&mut current));
            }
            if current.head.is_empty() && (line.trim().is_empty() || line.starts_with('#')) {
                current.before.push_str(line);
                current.before.push('\n');
            } else if current.head.is_empty() {
                current.head = line.split_whitespace().map(str::to_owned).collect();
            } else if line == "----" && current.expected.is_none() {
                current.expected = Some(Vec::new());
            } else {
                current.expected.as_mut().unwrap_or(&mut current.body).push(line.to_owned());
            }
        }
        records.push(current);
        records
    }

    /// The record as it stands in a file, with `answer` for what was expected.
    pub(super) fn write(&self, answer: Option<&[String]>, into: &mut String) {
        into.push_str(&self.before);
        if self.head.is_empty() {
            return;
        }
        writeln!(into, "{}", self.head.join(" ")).expect("a string takes all");
        for line in &self.body {
            writeln!(into, "{line}").expect("a string takes all");
        }
        if let Some(answer) = answer {
            into.push_str("----\n");
            for line in answer {
                writeln!(into, "{line}").expect("a string takes all");
            }
        }
    }

    pub(super) fn word(&self, place: usize) -> &str {
        self.head.get(place).map_or("", String::as_str)
    }

    /// The word behind `name` in the first line.
    pub(super) fn option(&self, name: &str) -> Option<&str> {
        let place = self.head.iter().position(|word| word == name)?;
        Some(self.word(place + 1))
    }

    pub(super) fn text(&self) -> String {
        self.body.join("\n")
    }
}
