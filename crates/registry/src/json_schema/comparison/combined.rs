//! `allOf`, `anyOf` and `oneOf`: which alternative of the reader covers which of the writer.

use std::borrow::Cow;
use std::collections::HashSet;

use super::super::model::{Child, Criterion};
use super::matching::largest_matching;
use super::schema::PairView;

impl<'m> PairView<'_, 'm> {
    pub(super) fn compare_combined(
        &mut self,
        (mine, originals): (Criterion, &'m [Child]),
        (theirs, updates): (Criterion, &'m [Child]),
    ) {
        if mine != theirs {
            let (is_single, is_now_single) = (originals.len() == 1, updates.len() == 1);
            let is_extended = theirs == Criterion::Any
                || (is_single && (is_now_single || theirs == Criterion::One))
                || (is_now_single && mine == Criterion::All);
            if !is_extended {
                self.add("COMBINED_TYPE_CHANGED");
                return;
            }
            self.add("COMBINED_TYPE_EXTENDED");
        }
        let (originals, updates) = (different(originals), different(updates));
        match originals.len().cmp(&updates.len()) {
            std::cmp::Ordering::Less if theirs == Criterion::All => self.add("PRODUCT_TYPE_EXTENDED"),
            std::cmp::Ordering::Less => self.add("SUM_TYPE_EXTENDED"),
            std::cmp::Ordering::Greater if mine == Criterion::All => self.add("PRODUCT_TYPE_NARROWED"),
            std::cmp::Ordering::Greater => self.add("SUM_TYPE_NARROWED"),
            std::cmp::Ordering::Equal => {}
        }
        let mut edges: Vec<Vec<usize>> = Vec::with_capacity(originals.len());
        for original in &originals {
            let mut compatible = Vec::new();
            for (index, update) in updates.iter().enumerate() {
                if !self.may_go_on() {
                    return;
                }
                if self.is_compatible(*original, *update) {
                    compatible.push(index);
                }
            }
            edges.push(compatible);
        }
        // A graph that takes too long to match has no answer; that the steps are used up is seen at the end.
        let Some(matching) = largest_matching(&edges, updates.len(), || self.step()) else {
            self.use_up();
            return;
        };
        let mut matched = 0;
        for (index, (original, partner)) in originals.iter().zip(matching).enumerate() {
            if let Some(update) = partner.and_then(|partner| updates.get(partner)) {
                self.at(mine.as_str(), Some(Cow::Owned(index.to_string())));
                self.nest(*original, *update);
                matched += 1;
            }
        }
        self.at("", None);
        if matched < originals.len().min(updates.len()) {
            self.add("COMBINED_TYPE_SUBSCHEMAS_CHANGED");
        }
    }
}

/// The schemas without those that say what another one has said.
fn different(schemas: &[Child]) -> Vec<Child> {
    let mut seen = HashSet::new();
    schemas.iter().copied().filter(|schema| seen.insert(schema.print)).collect()
}
