//! The select list: `*` written out where it would show too much, and names for what has none.

use std::collections::HashSet;

use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, SelectItem, SelectItemQualifiedWildcardKind, Spanned, WildcardAdditionalOptions,
};

use super::scope::{Outputs, Reach, quoted, same};
use super::suggest::nearest;
use super::wildcard::WildcardChanges;
use super::{Failure, Resolver};
use crate::statement::{identifiers, shortened};

/// The most characters in the name of a column that was given none: each row of an answer in JSON repeats it.
const LONGEST_NAME: usize = 200;

/// The names that a select list gives.
pub(super) fn outputs(items: &[SelectItem]) -> Vec<String> {
    let name = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(Expr::Identifier(name)) => Some(name.value.clone()),
        SelectItem::UnnamedExpr(Expr::CompoundIdentifier(path)) => Some(path.last()?.value.clone()),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.value.clone()),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

impl Resolver<'_> {
    pub(super) fn select_list(&mut self, items: Vec<SelectItem>) -> Result<Vec<SelectItem>, Failure> {
        let mut resolved = Vec::with_capacity(items.len());
        let mut names = HashSet::new();
        for item in items {
            let (span, begun) = (item.span(), resolved.len());
            match item {
                SelectItem::UnnamedExpr(expr) => resolved.push(self.unnamed(expr)),
                SelectItem::ExprWithAlias { mut expr, alias } => {
                    self.expression(&mut expr, Outputs::Unseen);
                    resolved.push(SelectItem::ExprWithAlias { expr, alias: quoted(alias.value) });
                }
                SelectItem::Wildcard(options) => self.wildcard(options, &mut resolved)?,
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    self.qualified_wildcard(&name, options, &mut resolved)?;
                }
                _ => return Err(self.problem(span, "this is not supported in a select list").into()),
            }
            let again =
                resolved[begun..].iter().filter_map(name_of).find(|name| !names.insert((*name).to_owned()));
            if let Some(name) = again {
                let message =
                    format!("two columns are called `{name}`: give one of them another name with AS");
                self.note(self.problem(span, message));
            }
        }
        Ok(resolved)
    }

    /// A column keeps the name that it was asked for by, and an expression is named as it is written.
    fn unnamed(&mut self, mut expr: Expr) -> SelectItem {
        let name = match &expr {
            Expr::Identifier(name) => Some(name.value.clone()),
            Expr::CompoundIdentifier(path) => path.last().map(|name| name.value.clone()),
            // A struct that is unnested gives many columns, each with a name of its own.
            Expr::Function(call) if is_named(&call.name, "unnest") => None,
            other => Some(shortened(&other.to_string(), LONGEST_NAME)),
        };
        self.expression(&mut expr, Outputs::Unseen);
        match name {
            Some(name) => SelectItem::ExprWithAlias { expr, alias: quoted(name) },
            None => SelectItem::UnnamedExpr(expr),
        }
    }

    fn wildcard(
        &mut self,
        mut options: WildcardAdditionalOptions,
        resolved: &mut Vec<SelectItem>,
    ) -> Result<(), Failure> {
        let scope = self.scope();
        let shows_too_much = scope.bound.iter().any(|bound| {
            bound.reach != Reach::Columns || bound.columns.iter().any(|column| column.is_envelope)
        });
        let columns = scope.bound.iter().flat_map(|bound| &bound.columns);
        let columns: Vec<_> = columns.map(|column| column.name.clone()).collect();
        let changes = self.wildcard_changes(&mut options, &columns)?;
        if shows_too_much {
            for bound in 0..self.scope().bound.len() {
                self.columns_of(bound, &changes, resolved);
            }
            return Ok(());
        }
        self.scope().bound.iter_mut().for_each(super::scope::BoundRelation::use_all);
        resolved.push(SelectItem::Wildcard(options));
        Ok(())
    }

    fn qualified_wildcard(
        &mut self,
        name: &ObjectName,
        mut options: WildcardAdditionalOptions,
        resolved: &mut Vec<SelectItem>,
    ) -> Result<(), Failure> {
        let path = identifiers(name).unwrap_or_default();
        let of_path = |alias: &str| path.last().is_some_and(|last| same(last, alias));
        let bound = self.scope().bound.iter().position(|bound| of_path(&bound.alias));
        let Some(bound) = bound else {
            let mut problem = self.problem(name.span(), format!("there is no `{name}` in FROM"));
            let written = path.last().map_or("", |last| last.value.as_str());
            let known = self.scope().bound.iter().map(|bound| bound.alias.as_str());
            problem.help = nearest(written, known).map(|alias| format!("did you mean `{alias}`?"));
            return Err(problem.into());
        };
        let columns = self.scope().bound[bound].columns.iter();
        let columns: Vec<_> = columns.map(|column| column.name.clone()).collect();
        let changes = self.wildcard_changes(&mut options, &columns)?;
        self.columns_of(bound, &changes, resolved);
        Ok(())
    }

    fn columns_of(&mut self, bound: usize, changes: &WildcardChanges, resolved: &mut Vec<SelectItem>) {
        let scope = self.scope();
        let shown: Vec<_> =
            scope.bound[bound].columns.iter().filter(|column| !column.is_envelope).cloned().collect();
        for column in shown {
            let name = column.name.clone();
            let found = super::scope::ColumnMatch {
                bound,
                column: column.name,
                fields: Vec::new(),
                data_type: column.data_type,
            };
            let expr = Expr::CompoundIdentifier(scope.path(&found));
            resolved.extend(changes.item(name, expr));
        }
    }
}

fn name_of(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::ExprWithAlias { alias, .. } => Some(&alias.value),
        _ => None,
    }
}

fn is_named(name: &ObjectName, wanted: &str) -> bool {
    let [part] = &name.0[..] else { return false };
    part.as_ident().is_some_and(|ident: &Ident| ident.value.eq_ignore_ascii_case(wanted))
}
