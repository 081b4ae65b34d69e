//! Table functions that cut time into windows.

use arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{
    Expr, FunctionArg, FunctionArgExpr, Ident, ObjectName, Spanned, TableFactor,
};

use super::scope::{BoundColumn, BoundRelation, pick, quoted};
use super::suggest::nearest;
use super::unnest::{derived, generated};
use super::{Failure, Resolver, bound_of};
use crate::statement::spellings;
use crate::tumble::{self, Tumble};
use crate::wording;

const USAGE: &str = "write TUMBLE(orders, order_date, INTERVAL '1 hour')";

impl Resolver<'_> {
    /// Writes a call of TUMBLE out as a query with `window_start` and `window_end`.
    pub(super) fn table_function(
        &mut self,
        factor: &TableFactor,
    ) -> Result<(TableFactor, BoundRelation), Failure> {
        let TableFactor::Table { name, alias, args: Some(arguments), .. } = factor else {
            return Err(self.problem(factor.span(), "a table function is expected here").into());
        };
        let function = name.to_string();
        if !function.eq_ignore_ascii_case("tumble") {
            let message =
                format!("there is no function `{function}` that gives rows in FROM: TUMBLE is the only one");
            let mut problem = self.problem(name.span(), message);
            let is_series =
                ["generate_series", "range"].iter().any(|name| function.eq_ignore_ascii_case(name));
            let series = "write FROM (SELECT unnest(range(1, 4)) AS n) AS numbers, which gives 1, 2 and 3";
            problem.help = match spellings::function(&function) {
                _ if is_series => Some(series.to_owned()),
                meant => meant.map(str::to_owned),
            };
            return Err(problem.into());
        }
        let [source, column, size] = self.arguments(&arguments.args, name)?;
        let mut bound = self.windowed(&source)?;
        let from = bound.0;
        let alias_name = alias.as_ref().map_or(&bound.1.alias, |alias| &alias.name.value).clone();
        bound.1.alias.clone_from(&alias_name);
        let (column_name, relation) = (self.time_column(&column, &bound.1)?, bound.1.relation.clone());
        let interval = self.window_size(&size)?;
        let place = self.source.range(column.span()).unwrap_or_else(|| self.statement.clone());
        self.tumbles.push(Tumble { relation, column: column_name.clone(), size: interval, place });
        let time = quoted(column_name.clone()).to_string();
        let query = generated(&tumble::query(&from, &time, &size.to_string()));
        let time_type = bound.1.columns.iter().find(|other| other.name == column_name);
        let time_type = time_type.map_or(DataType::Null, |column| column.data_type.clone());
        for name in [tumble::WINDOW_START, tumble::WINDOW_END] {
            if bound.1.columns.iter().any(|column| column.name == name) {
                let message = format!("{from} has a column {name} already, so that TUMBLE cannot add one");
                return Err(self.problem(source.span(), message).into());
            }
            bound.1.columns.push(BoundColumn {
                name: name.to_owned(),
                data_type: time_type.clone(),
                is_envelope: false,
            });
        }
        let mut written = derived(query, &alias_name);
        if let (TableFactor::Derived { alias: Some(new), .. }, Some(old)) = (&mut written, alias) {
            new.columns.clone_from(&old.columns);
        }
        Ok((written, bound.1))
    }

    fn arguments(&self, arguments: &[FunctionArg], name: &ObjectName) -> Result<[Expr; 3], Failure> {
        let plain = arguments.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
            _ => None,
        });
        let plain: Option<Vec<Expr>> = plain.collect();
        plain.and_then(|plain| <[Expr; 3]>::try_from(plain).ok()).ok_or_else(|| {
            let mut problem =
                self.problem(name.span(), "TUMBLE takes a relation, its column of time and an interval");
            problem.help = Some(USAGE.to_owned());
            problem.into()
        })
    }

    /// The relation that is cut into windows: how SQL names it, and its columns.
    fn windowed(&self, source: &Expr) -> Result<(String, BoundRelation), Failure> {
        let path = match source {
            Expr::Identifier(name) => vec![name.clone()],
            Expr::CompoundIdentifier(path) => path.clone(),
            other => {
                let message = "TUMBLE takes the name of a topic, table or view: name a subquery with WITH";
                return Err(self.problem(other.span(), message).into());
            }
        };
        if let [single] = &path[..]
            && let Some((name, plan)) = self.cte(single)
        {
            return Ok((quoted(name.clone()).to_string(), bound_of(name.clone(), plan)));
        }
        let written = ObjectName::from(path.clone());
        let (relation, columns) = self.relation(&path, &written)?;
        let text = format!("{}.{}", quoted(&*relation.team), quoted(&*relation.name));
        let bound = BoundRelation::new(relation.name.to_string(), columns);
        Ok((text, BoundRelation { relation: Some(relation), ..bound }))
    }

    fn time_column(&self, column: &Expr, bound: &BoundRelation) -> Result<String, Failure> {
        let name: &Ident = match column {
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(path) if path.len() == 2 => &path[1],
            other => {
                return Err(self.problem(other.span(), "TUMBLE takes the name of a column of time").into());
            }
        };
        let names = bound.columns.iter().map(|column| column.name.as_str());
        let found = pick(name, names.clone()).map_err(|(one, other)| {
            let message = format!("`{}` can mean {one} and {other}: write which", name.value);
            self.problem(name.span, message)
        })?;
        let Some(found) = found else {
            let mut problem =
                self.problem(name.span, format!("there is no column `{}` in {}", name.value, bound.alias));
            problem.help = nearest(&name.value, names).map(|name| format!("did you mean `{name}`?"));
            return Err(problem.into());
        };
        let found = &bound.columns[found];
        if !matches!(found.data_type, DataType::Timestamp(_, _)) {
            let kind = wording::type_name(&found.data_type);
            let message = format!("`{}` holds no time but {kind}", found.name);
            return Err(self.problem(name.span, message).into());
        }
        Ok(found.name.clone())
    }

    fn window_size(&self, size: &Expr) -> Result<tumble::Size, Failure> {
        let constant = self.relations.constant(size.clone()).ok();
        constant.as_ref().and_then(tumble::Size::of).ok_or_else(|| {
            let message =
                "the size of a window is an interval above zero, of months alone or of days and shorter";
            let mut problem = self.problem(size.span(), message);
            problem.help = Some(USAGE.to_owned());
            problem.into()
        })
    }
}
