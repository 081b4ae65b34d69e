//! Relations by the names that queries give them, and the name that was probably meant where there is none.

use datafusion::sql::sqlparser::ast::Ident;

use super::scope::{quoted, same};
use super::suggest::nearest;
use crate::access::RelationAccess;
use crate::definitions::RelationName;
use crate::plan::relations::{Relation, Relations};

/// Help for a name that is like no other.
const READABLE: &str =
    "SQL reads views, tables, and topics that a project declares as events; SHOW TABLES lists them";

/// Help for the catalogues of other systems.
const NO_CATALOGUE: &str =
    "SHOW TABLES lists what can be queried, and DESCRIBE store.orders the columns of one";

/// The relation that a path means, of those that `access` sees: the one that is written so, else the only one that is
/// nearly so. `team` is whose
/// relations go by their bare names.
pub(crate) fn relation<'r>(
    relations: &'r Relations,
    access: RelationAccess<'_>,
    team: &str,
    path: &[Ident],
) -> Option<(&'r RelationName, &'r Relation)> {
    let (team, name) = match path {
        [name] => (quoted(team), name.clone()),
        [team, name] => (team.clone(), name.clone()),
        // The event `orders.v1` of a team is a topic as well.
        [team, rest @ ..] if !rest.is_empty() => {
            let joined = rest.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
            (team.clone(), Ident { value: joined, quote_style: rest[0].quote_style, span: rest[0].span })
        }
        _ => return None,
    };
    let exact = RelationName::new(team.value.as_str(), name.value.as_str());
    let sees = |(name, relation): &(&RelationName, &Relation)| access.sees(name, relation);
    if let Some(found) = relations.get_with_key(&exact).filter(sees) {
        return Some(found);
    }
    let near = relations.all().filter(|(known, _)| same(&team, &known.team) && same(&name, &known.name));
    let mut near = near.filter(sees);
    let (one, other) = (near.next()?, near.next());
    other.is_none().then_some(one)
}

/// What to do about a path that means none of the relations that `known` are.
pub(crate) fn help<'r>(known: impl Iterator<Item = &'r RelationName>, team: &str, path: &[Ident]) -> String {
    let schemas = ["information_schema", "pg_catalog"];
    if path.first().is_some_and(|first| schemas.iter().any(|name| first.value.eq_ignore_ascii_case(name))) {
        return NO_CATALOGUE.to_owned();
    }
    let known: Vec<_> = known.collect();
    let nearest = nearest_relation(&known, team, path);
    nearest.map_or_else(|| READABLE.to_owned(), |name| format!("did you mean `{name}`?"))
}

fn nearest_relation(known: &[&RelationName], team: &str, path: &[Ident]) -> Option<String> {
    let written: Vec<_> = path.iter().map(|part| part.value.as_str()).collect();
    let full: Vec<String> = known.iter().map(ToString::to_string).collect();
    if written.len() > 1 {
        return nearest(&written.join("."), full.iter().map(String::as_str)).map(str::to_owned);
    }
    let last = written.last().copied()?;
    let own = known.iter().filter(|name| *name.team == *team).map(|name| &*name.name);
    let elsewhere = || known.iter().position(|name| *name.name == *last).map(|at| full[at].clone());
    nearest(last, own).map(str::to_owned).or_else(elsewhere)
}
