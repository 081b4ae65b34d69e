//! `*` with EXCEPT, EXCLUDE and REPLACE: which columns they mean.
//!
//! Invariant: each name means a column of the relations that `*` stands for, by the rules of other names, or is a
//! problem at its place.

use datafusion::sql::sqlparser::ast::{
    ExceptSelectItem, ExcludeSelectItem, Expr, Ident, ObjectName, SelectItem, Spanned,
    WildcardAdditionalOptions,
};

use super::scope::{Outputs, pick, quoted};
use super::suggest::nearest;
use super::{Failure, Resolver};
use crate::statement::identifiers;

/// What a `*` leaves out, and what it puts in the place of columns.
#[derive(Debug, Default)]
pub(super) struct WildcardChanges {
    without: Vec<String>,
    replaced: Vec<(String, Expr)>,
}

impl WildcardChanges {
    /// A column as it is selected; `None` if it is left out.
    pub(super) fn item(&self, name: String, expr: Expr) -> Option<SelectItem> {
        if self.without.contains(&name) {
            return None;
        }
        let replaced = self.replaced.iter().find(|(column, _)| *column == name);
        let expr = replaced.map_or(expr, |(_, replaced)| replaced.clone());
        Some(SelectItem::ExprWithAlias { expr, alias: quoted(name) })
    }
}

impl Resolver<'_> {
    /// Resolves the names in the options of a `*` over `columns`, and writes them so in the options.
    pub(super) fn wildcard_changes(
        &mut self,
        options: &mut WildcardAdditionalOptions,
        columns: &[String],
    ) -> Result<WildcardChanges, Failure> {
        let refused = [
            (options.opt_rename.is_some(), "RENAME", "select the columns by their names: id AS number"),
            (options.opt_ilike.is_some(), "ILIKE", "select the columns by their names"),
            (options.opt_alias.is_some(), "AS", "an alias belongs to one column: id AS number"),
        ];
        if let Some((_, clause, help)) = refused.into_iter().find(|(is_there, ..)| *is_there) {
            let mut problem = self.problem(options.span(), format!("`*` with {clause} is not supported"));
            problem.help = Some(help.to_owned());
            return Err(problem.into());
        }
        let mut changes = WildcardChanges::default();
        for name in left_out(options) {
            let path = identifiers(&name).unwrap_or_default();
            let Some(last) = path.last() else { continue };
            changes.without.push(self.column_of_wildcard(last, columns)?);
        }
        options.opt_exclude = None;
        options.opt_except = changes.without.split_first().map(|(first, others)| ExceptSelectItem {
            first_element: quoted(first.clone()),
            additional_elements: others.iter().map(|name| quoted(name.clone())).collect(),
        });
        for item in options.opt_replace.iter_mut().flat_map(|replace| &mut replace.items) {
            let name = self.column_of_wildcard(&item.column_name, columns)?;
            self.expression(&mut item.expr, Outputs::Unseen);
            item.column_name = quoted(name.clone());
            changes.replaced.push((name, item.expr.clone()));
        }
        let is_left_out = |name: &String| changes.without.contains(name);
        if !changes.without.is_empty() && columns.iter().all(is_left_out) {
            return Err(self.problem(options.span(), "EXCEPT leaves no column").into());
        }
        Ok(changes)
    }

    fn column_of_wildcard(&self, name: &Ident, columns: &[String]) -> Result<String, Failure> {
        let known = columns.iter().map(String::as_str);
        match pick(name, known.clone()) {
            Ok(Some(place)) => Ok(columns[place].clone()),
            Ok(None) => {
                let message = format!("there is no column `{}` in `*`", name.value);
                let mut problem = self.problem(name.span, message);
                problem.help = nearest(&name.value, known).map(|near| format!("did you mean `{near}`?"));
                Err(problem.into())
            }
            Err((one, other)) => {
                let message = format!("`{}` can mean {one} and {other}: write which", name.value);
                Err(self.problem(name.span, message).into())
            }
        }
    }
}

/// The columns that EXCEPT and EXCLUDE name.
fn left_out(options: &WildcardAdditionalOptions) -> Vec<ObjectName> {
    let mut names = Vec::new();
    if let Some(ExceptSelectItem { first_element, additional_elements }) = &options.opt_except {
        let all = std::iter::once(first_element).chain(additional_elements);
        names.extend(all.map(|name| ObjectName::from(vec![name.clone()])));
    }
    match &options.opt_exclude {
        Some(ExcludeSelectItem::Single(name)) => names.push(name.clone()),
        Some(ExcludeSelectItem::Multiple(several)) => names.extend(several.iter().cloned()),
        None => {}
    }
    names
}
