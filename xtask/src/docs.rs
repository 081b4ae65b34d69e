//! `cargo xtask docs`: the book lists every page, and no relative link leads nowhere.
//!
//! The book is `docs/` itself (`src = "."`), so a page reads the same in the book and in a code browser.
//! Links with a scheme are not followed: a check must not fail with the network.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result};

use crate::finding::Finding;
use crate::workspace::{self, TextFile};

const SUMMARY: &str = "docs/SUMMARY.md";

/// A link as it stands in a page.
struct Link {
    line: usize,
    target: String,
}

pub(crate) fn check(root: &Path) -> Result<Vec<Finding>> {
    let texts = workspace::read_texts(root)?;
    let pages: Vec<_> =
        texts.iter().filter(|file| file.path.extension().is_some_and(|e| e == "md")).collect();
    let summary =
        pages.iter().find(|page| page.path == Path::new(SUMMARY)).context("docs/SUMMARY.md is missing")?;
    let mut findings = unlisted(summary, &pages);
    for page in &pages {
        let broken = links(&page.text).into_iter().filter_map(|link| {
            let why = fault(root, page, &link.target, &pages)?;
            Some(Finding::failure(&page.path, link.line, "link", why))
        });
        findings.extend(broken);
    }
    Ok(findings)
}

/// Pages below `docs/` that the table of contents forgets.
fn unlisted(summary: &TextFile, pages: &[&TextFile]) -> Vec<Finding> {
    let listed: BTreeSet<_> =
        links(&summary.text).iter().map(|link| resolve(&summary.path, &link.target)).collect();
    let in_book = pages.iter().filter(|page| page.path.starts_with("docs") && page.path != summary.path);
    let forgotten = in_book.filter(|page| !listed.contains(&page.path));
    forgotten
        .map(|page| {
            let what = format!("is in no chapter; add it to {SUMMARY}");
            Finding::failure(&page.path, 1, "book", what)
        })
        .collect()
}

/// Why a link leads nowhere, if it does.
fn fault(root: &Path, page: &TextFile, target: &str, pages: &[&TextFile]) -> Option<String> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = target.split_once('#').map_or((target, None), |(file, anchor)| (file, Some(anchor)));
    let path = if file.is_empty() { page.path.clone() } else { resolve(&page.path, file) };
    if !root.join(&path).exists() {
        return Some(format!("{target} does not exist; mend the link or write {}", path.display()));
    }
    let (anchor, page) = (anchor?, pages.iter().find(|page| page.path == path)?);
    let known = headings(&page.text).any(|heading| heading == anchor);
    (!known).then(|| format!("{} has no heading #{anchor}", path.display()))
}

/// A relative target as seen from the root.
fn resolve(from: &Path, target: &str) -> PathBuf {
    let mut path = from.parent().map(Path::to_owned).unwrap_or_default();
    for component in Path::new(target).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            Component::CurDir => {}
            other => path.push(other),
        }
    }
    path
}

/// The lines of a page outside fenced code, numbered from 1, inline code blanked.
fn prose(text: &str) -> impl Iterator<Item = (usize, String)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(at, line)| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        let plain = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        (!fenced && !is_fence).then_some((at + 1, plain))
    })
}

fn links(text: &str) -> Vec<Link> {
    let mut found = Vec::new();
    for (line, prose) in prose(text) {
        let inline = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
        let definition =
            prose.strip_prefix('[').and_then(|rest| rest.split_once("]: ")).map(|(_, target)| target);
        let targets = inline.chain(definition).filter(|target| !target.is_empty());
        found.extend(targets.map(|target| Link { line, target: target.trim().to_owned() }));
    }
    found
}

/// The anchors of a page's headings, as mdBook and code browsers make them.
fn headings(text: &str) -> impl Iterator<Item = String> {
    let mut fenced = false;
    text.lines().filter_map(move |line| {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.strip_prefix('#')?.trim_start_matches('#').strip_prefix(' ')?;
        (!fenced).then(|| slug(title))
    })
}

fn slug(title: &str) -> String {
    let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

#[cfg(test)]
mod tests {
    use super::{links, slug};

    #[test]
    fn links_in_code_are_not_links() {
        let text = "see [a](b.md) and `[c](d.md)`\n```\n[e](f.md)\n```\n[g]: h.md\n";
        let found: Vec<_> = links(text).into_iter().map(|link| (link.line, link.target)).collect();
        assert_eq!(found, [(1, "b.md".to_owned()), (5, "h.md".to_owned())]);
    }

    #[test]
    fn a_heading_becomes_its_anchor() {
        assert_eq!(slug("Where do I add a `Disk`, or…?"), "where-do-i-add-a-disk-or");
    }
}
