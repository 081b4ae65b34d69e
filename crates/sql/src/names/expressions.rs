//! Identifiers within expressions.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    AccessExpr, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, Spanned,
    Subscript, Value, VisitMut, VisitorMut, WindowType,
};
use datafusion::sql::sqlparser::tokenizer::Span;

use super::Resolver;
use super::scope::{Missing, Outputs, quoted, same};
use super::suggest::nearest;
use crate::definitions::Problem;
use crate::statement::keyword;

impl Resolver<'_> {
    /// Resolves every identifier of an expression; what is wrong is noted.
    pub(super) fn expression(&mut self, expr: &mut Expr, outputs: Outputs) {
        self.visit(expr, outputs);
    }

    /// Resolves every identifier of some syntax.
    pub(super) fn visit(&mut self, syntax: &mut impl VisitMut, outputs: Outputs) {
        let mut walk = Walk { resolver: self, outputs, skipping: 0, lambdas: 0 };
        let flow = syntax.visit(&mut walk);
        debug_assert!(flow.is_continue(), "the walk never stops");
    }

    /// A path of names as it is to be written; `None` where it stays as it is.
    fn path(&mut self, path: &[Ident], outputs: Outputs, is_sure: bool) -> Option<Vec<Ident>> {
        if let [name] = path
            && let Some(output) = self.scopes.last().and_then(|scope| scope.output(name, outputs))
        {
            let span = name.span;
            return Some(vec![Ident { span, ..quoted(output) }]);
        }
        let mut first = None;
        for scope in self.scopes.iter_mut().rev() {
            match scope.find(path) {
                Ok(found) => {
                    let mut written = scope.path(&found);
                    written[0].span = Span::union_iter(path.iter().map(|name| name.span));
                    return Some(written);
                }
                Err(Missing::LeaveIt) => {
                    scope.bound.iter_mut().for_each(|bound| {
                        bound.used.insert(path[0].value.clone());
                    });
                    return None;
                }
                Err(missing @ Missing::Ambiguous { .. }) => {
                    first = Some(missing);
                    break;
                }
                Err(missing) => {
                    first.get_or_insert(missing);
                }
            }
        }
        if is_sure && let Some(missing) = first {
            let problem = self.missing(path, missing);
            self.note(problem);
        }
        None
    }

    /// Notes a `*` in another aggregate than `count`.
    fn check_star(&mut self, call: &Function) {
        let FunctionArguments::List(list) = &call.args else { return };
        let is_star =
            |argument: &FunctionArg| matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Wildcard));
        let name = call.name.to_string().to_lowercase();
        if name == "count" || !list.args.iter().any(is_star) || !self.relations.is_function(&name) {
            return;
        }
        let mut problem = self.problem(call.span(), format!("only count takes *, and not {name}"));
        problem.help = Some(format!("write a column: {name}(total)"));
        self.note(problem);
    }

    /// Writes the window that a call names as it is defined.
    fn window_of(&mut self, call: &mut Function) {
        let Some(WindowType::NamedWindow(name)) = &mut call.over else { return };
        let known = self.scopes.last().map(|scope| scope.windows.as_slice()).unwrap_or_default();
        if let Some(window) = known.iter().find(|window| same(name, &window.value)) {
            let span = name.span;
            *name = Ident { span, ..window.clone() };
            return;
        }
        let near = nearest(&name.value, known.iter().map(|window| window.value.as_str()));
        let help = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write OVER (ORDER BY …), or WINDOW w AS (…) at the end".to_owned(),
        };
        let problem = self.problem(name.span, format!("there is no window `{}`", name.value));
        self.note(Problem { help: Some(help), ..problem });
    }

    pub(super) fn missing(&self, path: &[Ident], missing: Missing) -> Problem {
        let span = Span::union_iter(path.iter().map(|name| name.span));
        match missing {
            Missing::Unknown { message, suggestion } => {
                let mut problem = self.problem(span, message);
                problem.help = suggestion.map(|name| format!("did you mean `{name}`?")).or_else(|| {
                    let [name] = path else { return None };
                    if name.quote_style == Some('"') {
                        return Some(format!("a text stands in single quotes: '{}'", name.value));
                    }
                    keyword(&name.value).map(|keyword| format!("did you mean the keyword `{keyword}`?"))
                });
                problem
            }
            Missing::Ambiguous { one, other } => {
                let written = path.iter().map(|name| name.value.as_str()).collect::<Vec<_>>().join(".");
                self.problem(span, format!("`{written}` can mean {one} and {other}: write which"))
            }
            Missing::LeaveIt => self.problem(span, "this name means two columns"),
        }
    }
}

struct Walk<'r, 'a> {
    resolver: &'r mut Resolver<'a>,
    outputs: Outputs,
    /// Within something that is resolved already.
    skipping: usize,
    /// Within a lambda, whose parameters are columns of no relation.
    lambdas: usize,
}

impl VisitorMut for Walk<'_, '_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        if self.skipping == 0
            && let Err(failure) = self.resolver.query(query)
        {
            self.resolver.note(failure);
        }
        self.skipping += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        self.skipping -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let is_outermost = self.skipping == 0;
        match expr {
            Expr::Identifier(name) if is_outermost => {
                let written = self.resolver.path(std::slice::from_ref(name), self.outputs, self.lambdas == 0);
                if let Some(path) = written {
                    *expr = of_path(path);
                }
            }
            Expr::CompoundIdentifier(path) if is_outermost => {
                if let Some(path) = self.resolver.path(path, self.outputs, self.lambdas == 0) {
                    *expr = of_path(path);
                }
            }
            Expr::CompoundFieldAccess { root, access_chain } => {
                if is_outermost {
                    self.access(root, access_chain);
                }
                self.skipping += 1;
            }
            Expr::Lambda(_) => self.lambdas += 1,
            Expr::Function(call) if is_outermost => {
                self.resolver.check_star(call);
                self.resolver.window_of(call);
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::CompoundFieldAccess { .. } => self.skipping -= 1,
            Expr::Lambda(_) => self.lambdas -= 1,
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

impl Walk<'_, '_> {
    /// Names after a dot are fields as they are written: what they are fields of may have no name.
    fn access(&mut self, root: &mut Expr, chain: &mut [AccessExpr]) {
        let mut parts = vec![root];
        for access in chain {
            match access {
                AccessExpr::Subscript(Subscript::Index { index }) => parts.push(index),
                AccessExpr::Subscript(Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    parts.extend([lower_bound, upper_bound, stride].into_iter().flatten());
                }
                AccessExpr::Dot(field) => {
                    // The planner takes a field of an item by its name as a text.
                    if let Expr::Identifier(name) = field {
                        *field = Expr::value(Value::SingleQuotedString(name.value.clone()));
                    }
                }
            }
        }
        for part in parts {
            let flow = part.visit(self);
            debug_assert!(flow.is_continue(), "the walk never stops");
        }
    }
}

fn of_path(mut path: Vec<Ident>) -> Expr {
    match path.len() {
        1 => Expr::Identifier(path.remove(0)),
        _ => Expr::CompoundIdentifier(path),
    }
}
