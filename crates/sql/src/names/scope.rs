//! The relations and columns that a name can mean at one place of a query.

use std::collections::BTreeSet;

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::sql::sqlparser::ast::Ident;

use super::suggest::{nearest, squash};
use crate::definitions::RelationName;

/// What one SELECT sees.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    pub(crate) bound: Vec<BoundRelation>,
    /// The names that its select list gives.
    pub(crate) outputs: Vec<String>,
    /// The windows that it names.
    pub(crate) windows: Vec<Ident>,
}

/// A relation in FROM.
#[derive(Debug)]
pub(crate) struct BoundRelation {
    pub(crate) alias: String,
    /// The relation under its full name, if it is one.
    pub(crate) relation: Option<RelationName>,
    pub(crate) columns: Vec<BoundColumn>,
    pub(crate) reach: Reach,
    /// The item of FROM that begins with it.
    pub(crate) place: Option<usize>,
    /// Columns that something refers to.
    pub(crate) used: BTreeSet<String>,
}

#[derive(Debug, Clone)]
pub(crate) struct BoundColumn {
    pub(crate) name: String,
    pub(crate) data_type: DataType,
    /// Left out of `*`.
    pub(crate) is_envelope: bool,
}

/// How columns are written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// `alias.column`.
    Columns,
    /// Fields of a column that holds an unnested struct.
    Fields { owner: usize, column: String },
    /// The one column is another relation's unnested one.
    Value { owner: usize, column: String },
}

/// A column and the path of fields within it.
#[derive(Debug)]
pub(crate) struct ColumnMatch {
    pub(crate) bound: usize,
    pub(crate) column: String,
    pub(crate) fields: Vec<String>,
    pub(crate) data_type: DataType,
}

/// Why no column was found.
#[derive(Debug)]
pub(crate) enum Missing {
    /// Nothing of that name.
    Unknown { message: String, suggestion: Option<String> },
    /// Two of that name.
    Ambiguous { one: String, other: String },
    /// Two that are written exactly so; the SQL planner knows whether a join makes them one.
    LeaveIt,
}

/// In what order columns and outputs are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outputs {
    Unseen,
    AfterColumns,
    BeforeColumns,
}

impl Scope {
    /// Whether a lone name means an output; the output as it is written there.
    pub(crate) fn output(&self, name: &Ident, outputs: Outputs) -> Option<&str> {
        if outputs == Outputs::Unseen {
            return None;
        }
        let exact = |column: &BoundColumn| column.name == name.value;
        let is_column = self.bound.iter().any(|bound| bound.columns.iter().any(exact));
        if is_column && outputs == Outputs::AfterColumns {
            return None;
        }
        let same = self.outputs.iter().find(|output| **output == name.value);
        let near = || {
            let fits = |output: &&String| squash(output) == squash(&name.value);
            let mut fitting = self.outputs.iter().filter(fits);
            fitting.next().filter(|_| name.quote_style.is_none() && !is_column && fitting.next().is_none())
        };
        let squashed_column = || {
            let fits = |column: &BoundColumn| squash(&column.name) == squash(&name.value);
            self.bound.iter().any(|bound| bound.columns.iter().any(fits))
        };
        match same {
            Some(output) => Some(output),
            None if squashed_column() => None,
            None => near().map(String::as_str),
        }
    }

    /// The column that a path of names means.
    pub(crate) fn find(&self, path: &[Ident]) -> Result<ColumnMatch, Missing> {
        let mut qualified = None;
        for (bound, relation) in self.bound.iter().enumerate() {
            let Some(rest) = relation.strip_qualifier(path) else { continue };
            match self.within(bound, rest) {
                Ok(found) => return Ok(found),
                Err(missing) => qualified = Some(missing),
            }
        }
        match (self.unqualified(path), qualified) {
            (Err(Missing::Unknown { .. }), Some(missing)) => Err(missing),
            (result, _) => result,
        }
    }

    fn within(&self, bound: usize, path: &[Ident]) -> Result<ColumnMatch, Missing> {
        let relation = &self.bound[bound];
        let names = relation.columns.iter().map(|column| column.name.as_str());
        let column = pick(&path[0], names.clone())
            .map_err(|(one, other)| Missing::Ambiguous {
                one: relation.shown(one),
                other: relation.shown(other),
            })?
            .ok_or_else(|| Missing::Unknown {
                message: format!("there is no column `{}` in {}", path[0].value, relation.alias),
                suggestion: nearest(&path[0].value, names).map(str::to_owned),
            })?;
        let data_type = relation.columns[column].data_type.clone();
        fields_of(bound, relation.columns[column].name.clone(), data_type, &path[1..])
    }

    fn unqualified(&self, path: &[Ident]) -> Result<ColumnMatch, Missing> {
        let every = || {
            let relations = self.bound.iter().enumerate();
            relations.flat_map(|(bound, relation)| relation.columns.iter().map(move |column| (bound, column)))
        };
        let exact: Vec<_> = every().filter(|(_, column)| column.name == path[0].value).collect();
        let fits = |column: &BoundColumn| squash(&column.name) == squash(&path[0].value);
        let candidates = match (exact.is_empty(), path[0].quote_style) {
            (true, None) => every().filter(|(_, column)| fits(column)).collect(),
            _ => exact.clone(),
        };
        match candidates[..] {
            [] => Err(self.unknown(&path[0], path.len() > 1)),
            [(bound, column)] => fields_of(bound, column.name.clone(), column.data_type.clone(), &path[1..]),
            [(one, column), (other, second), ..] => {
                let plain = |bound: usize| self.bound[bound].reach == Reach::Columns;
                if !exact.is_empty() && path.len() == 1 && plain(one) && plain(other) {
                    return Err(Missing::LeaveIt);
                }
                Err(Missing::Ambiguous {
                    one: self.bound[one].shown(&column.name),
                    other: self.bound[other].shown(&second.name),
                })
            }
        }
    }

    fn unknown(&self, name: &Ident, is_qualifier: bool) -> Missing {
        let columns = self.bound.iter().flat_map(|bound| &bound.columns).map(|column| column.name.as_str());
        let relations = self.bound.iter().map(|bound| bound.alias.as_str());
        let shown = relations.clone().collect::<Vec<_>>().join(", ");
        let place = if shown.is_empty() { String::new() } else { format!(" in {shown}") };
        let written = &name.value;
        let (message, suggestion) = if is_qualifier {
            let known = relations.chain(columns);
            (
                format!("`{written}` is neither a relation in FROM nor a column{place}"),
                nearest(written, known),
            )
        } else {
            // What is selected without an alias goes by the very name that is not known.
            let outputs =
                self.outputs.iter().map(String::as_str).filter(|name| squash(name) != squash(written));
            let known = columns.chain(outputs);
            (format!("there is no column `{written}`{place}"), nearest(written, known))
        };
        Missing::Unknown { message, suggestion: suggestion.map(str::to_owned) }
    }

    /// How a found column is written out, and notes that it is used.
    pub(crate) fn path(&mut self, found: &ColumnMatch) -> Vec<Ident> {
        self.bound[found.bound].used.insert(found.column.clone());
        self.peek_path(found)
    }

    /// How a found column is written out.
    pub(crate) fn peek_path(&self, found: &ColumnMatch) -> Vec<Ident> {
        let relation = &self.bound[found.bound];
        let mut names = match &relation.reach {
            Reach::Columns => vec![relation.alias.clone(), found.column.clone()],
            Reach::Fields { owner, column } => {
                vec![self.bound[*owner].alias.clone(), column.clone(), found.column.clone()]
            }
            Reach::Value { owner, column } => vec![self.bound[*owner].alias.clone(), column.clone()],
        };
        names.extend(found.fields.iter().cloned());
        names.into_iter().map(quoted).collect()
    }

    /// The relation whose rows an unnested one multiplies.
    pub(crate) fn owner(&self, bound: usize) -> usize {
        match &self.bound[bound].reach {
            Reach::Columns => bound,
            Reach::Fields { owner, .. } | Reach::Value { owner, .. } => *owner,
        }
    }
}

impl BoundRelation {
    pub(crate) fn new(alias: String, columns: Vec<BoundColumn>) -> Self {
        Self { alias, relation: None, columns, reach: Reach::Columns, place: None, used: BTreeSet::new() }
    }

    pub(crate) fn use_all(&mut self) {
        self.used.extend(self.columns.iter().map(|column| column.name.clone()));
    }

    fn shown(&self, column: &str) -> String {
        format!("{}.{column}", self.alias)
    }

    /// What remains of a path that begins with this relation's name.
    fn strip_qualifier<'a>(&self, path: &'a [Ident]) -> Option<&'a [Ident]> {
        let full = self.relation.as_ref();
        match path {
            [team, name, rest @ ..]
                if !rest.is_empty()
                    && full.is_some_and(|full| same(team, &full.team) && same(name, &full.name)) =>
            {
                Some(rest)
            }
            [alias, rest @ ..] if !rest.is_empty() && same(alias, &self.alias) => Some(rest),
            _ => None,
        }
    }
}

/// Columns of a planned query.
pub(crate) fn columns_of(schema: &DFSchema) -> Vec<BoundColumn> {
    let columns = schema.fields().iter().map(|field| BoundColumn {
        name: field.name().clone(),
        data_type: field.data_type().clone(),
        is_envelope: false,
    });
    columns.collect()
}

pub(crate) fn quoted(name: impl Into<String>) -> Ident {
    Ident::with_quote('"', name)
}

/// Whether an identifier is this relation's name.
pub(crate) fn same(ident: &Ident, name: &str) -> bool {
    ident.value == name || (ident.quote_style.is_none() && squash(&ident.value) == squash(name))
}

/// The one name that is meant: written exactly so, else the only one that is nearly so. An error names two.
pub(crate) fn pick<'a>(
    ident: &Ident,
    names: impl Iterator<Item = &'a str> + Clone,
) -> Result<Option<usize>, (&'a str, &'a str)> {
    if let Some(exact) = names.clone().position(|name| name == ident.value) {
        return Ok(Some(exact));
    }
    if ident.quote_style.is_some() {
        return Ok(None);
    }
    let mut near = names.enumerate().filter(|(_, name)| squash(name) == squash(&ident.value));
    match (near.next(), near.next()) {
        (Some((_, one)), Some((_, other))) => Err((one, other)),
        (one, _) => Ok(one.map(|(place, _)| place)),
    }
}

/// Follows a path of fields.
fn fields_of(
    bound: usize,
    column: String,
    mut data_type: DataType,
    path: &[Ident],
) -> Result<ColumnMatch, Missing> {
    let mut fields: Vec<String> = Vec::new();
    for name in path {
        let so_far = std::iter::once(column.as_str()).chain(fields.iter().map(String::as_str));
        let so_far = so_far.collect::<Vec<_>>().join(".");
        let unknown = |message, suggestion| Missing::Unknown { message, suggestion };
        let DataType::Struct(children) = &data_type else {
            let message = match data_type {
                DataType::List(_) => {
                    format!("`{so_far}` is a list: name its items with UNNEST({so_far}) AS item")
                }
                _ => format!("`{so_far}` has no fields"),
            };
            return Err(unknown(message, None));
        };
        let names = children.iter().map(|child| child.name().as_str());
        let place = pick(name, names.clone()).map_err(|(one, other)| Missing::Ambiguous {
            one: format!("{so_far}.{one}"),
            other: format!("{so_far}.{other}"),
        })?;
        let place = place.ok_or_else(|| {
            let suggestion = nearest(&name.value, names).map(str::to_owned);
            unknown(format!("there is no field `{}` in {so_far}", name.value), suggestion)
        })?;
        fields.push(children[place].name().clone());
        data_type = children[place].data_type().clone();
    }
    Ok(ColumnMatch { bound, column, fields, data_type })
}
