//! A few lines of a file as text, with marks under a place.
//!
//! ```text
//!   2 | CREATE MATERIALIZED VIEW top AS
//!   3 |   SELECT sum(d.quantty) AS sold
//!     |              ^^^^^^^^^
//! ```
//!
//! Invariants: at most [`MAX_CHARS`] characters of a line are shown, and every mark is under its character.

/// A contract may be one line of a mebibyte.
const MAX_CHARS: usize = 160;

/// The line of `text` in which byte `offset` lies, and the one before it.
pub(super) fn of(text: &str, offset: usize, length: usize) -> String {
    let offset = (0..=offset.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let start = text[..offset].rfind('\n').map_or(0, |at| at + 1);
    let line = text[start..].lines().next().unwrap_or("");
    let number = text[..start].matches('\n').count() + 1;
    let width = number.to_string().len();
    let before = text[start..offset].chars().count();
    let marked = text.get(offset..offset + length).unwrap_or("").lines().next().unwrap_or("").chars().count();
    // The place stands in the middle of a line that is too long.
    let skip = if line.chars().count() > MAX_CHARS { before.saturating_sub(MAX_CHARS / 2) } else { 0 };
    let indent = (before - skip).min(MAX_CHARS);
    let mut shown = String::new();
    if let Some(previous) = text[..start].strip_suffix('\n').map(|all| all.rsplit('\n').next().unwrap_or(all))
    {
        shown = format!("{:>width$} | {}\n", number - 1, cut(previous, 0));
    }
    let marks = "^".repeat(marked.clamp(1, (MAX_CHARS - indent).max(1)));
    shown + &format!("{number:>width$} | {}\n{:width$} | {:indent$}{marks}", cut(line, skip), "", "")
}

/// A tab is as wide as a space, so that marks stay under what they mark.
fn cut(line: &str, skip: usize) -> String {
    let blank = |c: char| if c.is_control() { ' ' } else { c };
    line.trim_end().chars().skip(skip).take(MAX_CHARS).map(blank).collect()
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn the_place_is_marked() {
        let text = "a: 1\n\tb: é two\r\nc: 3\n";
        let at = text.find("two").expect("it is there");
        assert_eq!(of(text, at, 3), "1 | a: 1\n2 |  b: é two\n  |       ^^^");
        assert_eq!(of(text, 0, 1), "1 | a: 1\n  | ^");
        assert_eq!(of(text, text.len(), 0), "3 | c: 3\n4 | \n  | ^");
        assert_eq!(of("", 0, 0), "1 | \n  | ^");
        assert_eq!(of("one\ntwo", 2, 4), "1 | one\n  |   ^");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let text = format!("{}HERE{}", "é".repeat(5_000), "y".repeat(5_000));
        let shown = of(&text, 10_000, 4);
        let lines: Vec<&str> = shown.lines().collect();
        let at = lines[0].find("HERE").expect("it is shown");
        assert_eq!(lines[0][..at].chars().count(), lines[1].find('^').expect("marked"));
        assert!(lines.iter().all(|line| line.chars().count() < 180), "{shown}");
        assert!(of(&text, 0, text.len()).lines().all(|line| line.chars().count() < 180));
    }
}
