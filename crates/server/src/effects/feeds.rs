//! Governance's feeds, run by `factum-feeds`.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use factum_feeds::{Catalogue, CatalogueError, Feed, Handle, Recipe};
use factum_governance::{
    Definitions, Effect, EffectError, EventDefinition, FeedDefinition, Generator, Problem, ResourceId,
    ResourceKind, TableDefinition,
};

/// The regions of a feed that names none.
const REGIONS: [&str; 2] = ["Region1", "Region2"];
/// The table of a feed that names none.
const PRODUCTS: &str = "products";

/// The generators, as governance sees them. Without a handle none runs; feeds are checked all the same.
pub(crate) struct FeedEffect(pub(crate) Option<Handle>);

#[async_trait]
impl Effect for FeedEffect {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<FeedDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<EventDefinition>(), ResourceKind::of::<TableDefinition>()]
    }

    async fn check(&self, wanted: &Definitions) -> Result<(), EffectError> {
        feeds(wanted).map(drop)
    }

    async fn apply(&self, applied: &Definitions) -> Result<(), EffectError> {
        if let Some(handle) = &self.0 {
            handle.set(feeds(applied)?);
        }
        Ok(())
    }
}

/// Every feed with what it is made of, or everything that is wrong with them.
fn feeds(declared: &Definitions) -> Result<Vec<Feed>, EffectError> {
    let (mut feeds, mut problems) = (Vec::new(), Vec::new());
    for definition in declared.of::<FeedDefinition>() {
        match feed(definition, declared) {
            Ok(feed) => feeds.push(feed),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(feeds) } else { Err(EffectError::Refused(problems)) }
}

fn feed(definition: &FeedDefinition, declared: &Definitions) -> Result<Feed, Problem> {
    let FeedDefinition { name, team, into, rate, seed, customers, .. } = definition;
    let Generator::Orders = definition.generate;
    let table =
        definition.products.as_ref().map_or_else(|| format!("{team}.{PRODUCTS}"), ToString::to_string);
    let table = declared.get::<TableDefinition>(&table).ok_or_else(|| no_products(definition))?;
    let catalogue =
        Catalogue::from_csv(table.rows.as_bytes()).map_err(|error| unusable(table, name.as_str(), &error))?;
    let regions: Vec<String> = match definition.regions.as_slice() {
        [] => REGIONS.map(str::to_owned).to_vec(),
        named => named.to_vec(),
    };
    let recipe = Recipe { catalogue: Arc::new(catalogue), seed: *seed, customers: *customers, regions };
    recipe.check().map_err(|error| Problem::of_file(&manifest(definition), error.to_string()))?;
    let event = declared.get::<EventDefinition>(into.as_str());
    Ok(Feed {
        name: name.to_string(),
        into: into.clone(),
        rate: rate.events_per_second(),
        recipe,
        event_type: event.map_or_else(|| into.to_string(), |event| event.event_type.clone()),
        source: event.map_or_else(|| format!("/topics/{into}"), |event| event.source.clone()),
        key: event.and_then(|event| event.key.clone()),
    })
}

fn manifest(feed: &FeedDefinition) -> PathBuf {
    ResourceId::of(feed).manifest().into()
}

fn no_products(feed: &FeedDefinition) -> Problem {
    let problem = Problem::of_file(&manifest(feed), "the feed does not say which products are ordered");
    problem.help("add a line such as `products: products`, which names a table of the team")
}

/// The table at the line that no order can be made from.
fn unusable(table: &TableDefinition, feed: &str, error: &CatalogueError) -> Problem {
    let line = error.line().and_then(|line| usize::try_from(line).ok()).unwrap_or(1);
    let before: usize = table.rows.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let length = table.rows[before..].lines().next().map_or(0, str::len);
    let message = match std::error::Error::source(error) {
        Some(source) => format!("feed {feed} cannot order from this: {error}: {source}"),
        None => format!("feed {feed} cannot order from this: {error}"),
    };
    let help = "a generator takes the columns ItemId, UnitPrice and, if it is there, Popularity".to_owned();
    Problem::in_text(&table.from, Arc::clone(&table.rows), before..before + length, message, Some(help))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use factum_governance::project;

    use super::*;

    /// What is wrong with the feed of a project whose table `products` has these rows.
    fn wrong(rows: &str) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store = folder.path().join("teams/store");
        let write = |file: &str, text: &str| {
            let path = store.join(file);
            std::fs::create_dir_all(path.parent().expect("in a folder")).expect("a folder");
            std::fs::write(path, text).expect("written");
        };
        std::fs::write(folder.path().join("factum.yaml"), "name: contoso\n").expect("written");
        write("team.yaml", "contact: store@contoso.com\n");
        write("events/orders.yaml", "format: json\n");
        write("tables/products.yaml", "from: products.csv\nkey: ItemId\n");
        write("tables/products.csv", rows);
        write("feeds/orders.yaml", "generate: orders\ninto: orders\n");
        let project = project::load(folder.path()).expect("it loads");
        match feeds(&project.definitions) {
            Ok(feeds) => format!("{} feed\n", feeds.len()),
            Err(error) => error
                .problems()
                .iter()
                .map(|problem| {
                    let (line, _) = problem.line_and_column().expect("a place");
                    format!("{}:{line}: {}\n", problem.file().display(), problem.message())
                })
                .collect(),
        }
    }

    #[test]
    fn a_table_that_nothing_can_be_ordered_from_is_shown_at_its_line() {
        expect![[r#"
            1 feed
            teams/store/tables/products.csv:3: feed store.orders cannot order from this: line 3 has no price that could be read: "cheap" is not a price from 0 to 1000000 with two digits behind the point
            teams/store/tables/products.csv:1: feed store.orders cannot order from this: there is no column UnitPrice; there are: ItemId, Price
            teams/store/tables/products.csv:1: feed store.orders cannot order from this: there is nothing to buy: no rows below the header
        "#]].assert_eq(
            &[
                "ItemId,UnitPrice\n1,2.50\n",
                "ItemId,UnitPrice\n1,2.50\n2,cheap\n",
                "ItemId,Price\n1,2.50\n",
                "ItemId,UnitPrice\n",
            ]
            .map(wrong)
            .concat(),
        );
    }
}
