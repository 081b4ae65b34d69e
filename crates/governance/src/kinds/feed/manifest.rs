//! The fields of `feeds/F.yaml`.

use std::collections::BTreeMap;
use std::path::Path;

use factum_types::QualifiedName;
use factum_types::suggest::nearest;
use miette::SourceSpan;

use super::{FeedDefinition, Generator, Rate};
use crate::kind::{Context, Kind, Origin};
use crate::kinds::event::EventDefinition;
use crate::kinds::name;
use crate::kinds::table::TableDefinition;
use crate::manifest::{Fields, SourceFile};
use crate::problem::Problem;

const DEFAULT_RATE: Rate = Rate::per_second(10);
const DEFAULT_CUSTOMERS: u32 = 1_000;
/// Each customer is remembered by the generator.
const MAX_CUSTOMERS: u32 = 1_000_000;

/// Reads the manifest at `path`, named `stem` without its ending.
pub(super) fn read(
    context: &Context<'_>,
    path: &Path,
    stem: &str,
    problems: &mut Vec<Problem>,
) -> Option<(FeedDefinition, Origin)> {
    let named = name::relation(context.team, path, stem, "a feed's", "orders.yaml");
    let named = named.map_err(|problem| problems.push(problem)).ok();
    let file = SourceFile::read(context.files, path).map_err(|problem| problems.push(problem)).ok()?;
    let told = problems.len();
    let mut fields = Fields::of_file(&file, problems)?;
    let generate = fields.word("generate", &Generator::WORDS).map(|(generate, _)| generate);
    let into = fields.parsed("into", name::bare, "orders");
    let rate = fields.parsed("rate", str::parse::<Rate>, "20/s").map(|(rate, _)| rate);
    let seed = fields.parsed("seed", seed, "7").map(|(seed, _)| seed);
    let products = fields.parsed("products", name::bare, "products");
    let customers = fields.parsed("customers", customers, "2000").map(|(customers, _)| customers);
    let regions = fields.texts("regions");
    let summary = fields.text("summary");
    fields.finish();
    let into = resolve::<EventDefinition>(context, &file, into, problems);
    let products = resolve::<TableDefinition>(context, &file, products, problems);
    if problems.len() == told {
        let missing = |field: &str, what: &str| {
            let problem = Problem::of_file(path, format!("the feed does not say {what}"));
            problem.help(format!("add a line such as `{field}: orders`"))
        };
        problems.extend(generate.is_none().then(|| missing("generate", "what it makes")));
        problems.extend(into.is_none().then(|| missing("into", "which event it fills")));
    }
    let feed = FeedDefinition {
        name: named?,
        team: context.team.clone(),
        project: context.project.to_owned(),
        summary,
        generate: generate?,
        into: into?.to_topic(),
        rate: rate.unwrap_or(DEFAULT_RATE),
        seed: seed.unwrap_or_default(),
        products,
        customers: customers.unwrap_or(DEFAULT_CUSTOMERS),
        regions,
    };
    Some((feed, Origin { file, places: BTreeMap::new() }))
}

/// The full name of the definition that the file names, if the team has it.
fn resolve<K: Kind>(
    context: &Context<'_>,
    file: &SourceFile,
    written: Option<(String, SourceSpan)>,
    problems: &mut Vec<Problem>,
) -> Option<QualifiedName> {
    let (written, span) = written?;
    let (team, noun, known) = (context.team.as_str(), K::WORD, context.stems::<K>());
    let bare = written.strip_prefix(team).and_then(|rest| rest.strip_prefix('.')).unwrap_or(&written);
    if known.contains(&bare) {
        return QualifiedName::new(context.team, bare).ok();
    }
    let problem = file.problem(span, format!("team {team} has no {noun} {bare}"));
    let problem = match nearest(bare, known.iter().copied()) {
        Some(near) => problem.label(format!("did you mean `{near}`?")),
        None => problem,
    };
    problems.push(problem.help(match known.as_slice() {
        [] => format!("make teams/{team}/{}/{bare}{}", K::FOLDER, K::ENDING),
        known => format!("{noun}s of the team: {}", known.join(", ")),
    }));
    None
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("{text:?} is not a whole number from 0 to {}", u64::MAX))
}

fn customers(text: &str) -> Result<u32, String> {
    match text.parse::<u32>() {
        Ok(count) if (1..=MAX_CUSTOMERS).contains(&count) => Ok(count),
        _ => Err(format!("{text:?} is not a whole number from 1 to {MAX_CUSTOMERS}")),
    }
}
