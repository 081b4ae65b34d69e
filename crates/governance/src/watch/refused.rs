//! Applying the rest of a project when some of its definitions are refused (decision 0019).
//!
//! ```text
//!   new or changed, refused          withheld: what was applied of it stays
//!   unchanged, refused with changes  the changes that it does not bear are withheld
//!   unchanged, refused by itself     does not run (a newer Factum may refuse it); its state is kept
//! ```
//!
//! Invariants: each round withholds or leaves out at least one definition more, so it ends; nothing is dropped because
//! it was refused.

use std::collections::BTreeSet;
use std::path::Path;

use factum_eventlog::EventLog;

use super::Error;
use crate::definitions::Definitions;
use crate::effects::{Effect, EffectError};
use crate::plan::Plan;
use crate::problem::Problem;
use crate::project::Project;
use crate::record::AppliedDefinitions;
use crate::resource_id::ResourceId;

/// Among how many changes it is looked for those that break what is in force; among more, all of them are withheld.
const MAX_SUSPECTS: usize = 64;

/// Plans what of `project` can be put into effect, and withholds the rest of it.
pub(super) async fn plan_without(
    project: &mut Project,
    recorded: &AppliedDefinitions,
    log: &dyn EventLog,
    effects: &dyn Effect,
) -> Result<Plan, Error> {
    let mut is_settled = false;
    loop {
        let mut plan = Plan::from_recorded(project, recorded, log).await?;
        if !plan.problems.is_empty() {
            for (id, problem) in std::mem::take(&mut plan.problems) {
                project.withhold(id, Some(problem));
            }
            continue;
        }
        if is_settled {
            return Ok(plan);
        }
        let wanted = project.applied_to(&recorded.definitions());
        let problems = match effects.check(&wanted).await {
            Ok(()) => return Ok(plan),
            Err(EffectError::Refused(problems)) => problems,
            Err(error) => return Err(error.into()),
        };
        let mut withheld = BTreeSet::new();
        for problem in &problems {
            let ids = wanted.defined_in(problem.file());
            // Every problem of a definition is told, not only the one that withholds it.
            if ids.iter().any(|id| withheld.contains(id)) {
                project.add_problem(problem.clone());
            }
            for id in ids {
                if !project.is_withheld(&id) {
                    project.withhold(id.clone(), Some(problem.clone()));
                    withheld.insert(id);
                }
            }
        }
        if withheld.is_empty() {
            // All that is refused is what was applied before: a change must have broken it, or this version does.
            is_settled = !withhold_cause(project, recorded, problems, effects).await?;
        }
    }
}

/// Withholds the changes with which definitions that are in force cannot run; `false` where no change is the cause.
async fn withhold_cause(
    project: &mut Project,
    recorded: &AppliedDefinitions,
    problems: Vec<Problem>,
    effects: &dyn Effect,
) -> Result<bool, Error> {
    let wanted = project.applied_to(&recorded.definitions());
    let broken: BTreeSet<_> = problems.iter().flat_map(|problem| wanted.defined_in(problem.file())).collect();
    if broken.is_empty() {
        // At no file's place: nothing tells what to leave out.
        return Err(EffectError::Refused(problems).into());
    }
    let before = recorded.definitions();
    let mut suspects: Vec<_> = wanted.differences(&before).into_iter().collect();
    suspects.retain(|id| !project.is_withheld(id));
    let without = |innocent: &BTreeSet<ResourceId>| {
        let mut project = project.clone();
        let guilty = suspects.iter().filter(|id| !innocent.contains(*id));
        guilty.for_each(|id| project.withhold(id.clone(), None));
        project.applied_to(&before)
    };
    let mut innocent = BTreeSet::new();
    if suspects.is_empty() || !runs(&broken, &without(&innocent), effects).await? {
        return Ok(false);
    }
    if suspects.len() <= MAX_SUSPECTS {
        for suspect in &suspects {
            innocent.insert(suspect.clone());
            if !runs(&broken, &without(&innocent), effects).await? {
                innocent.remove(suspect);
            }
        }
    }
    let names = broken.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    for id in suspects.iter().filter(|id| !innocent.contains(*id)) {
        let message = format!("the change is not applied: {names}, which is in force, cannot run with it");
        let problem = Problem::of_file(Path::new(&id.manifest()), message);
        project.withhold(id.clone(), Some(problem.help("change both together, or put this file back")));
    }
    problems.into_iter().for_each(|problem| project.add_problem(problem));
    Ok(true)
}

/// Whether none of `broken` is refused among `wanted`.
async fn runs(
    broken: &BTreeSet<ResourceId>,
    wanted: &Definitions,
    effects: &dyn Effect,
) -> Result<bool, Error> {
    match effects.check(wanted).await {
        Ok(()) => Ok(true),
        Err(EffectError::Refused(problems)) => {
            let refused = problems.iter().flat_map(|problem| wanted.defined_in(problem.file()));
            Ok(refused.into_iter().all(|id| !broken.contains(&id)))
        }
        Err(error) => Err(error.into()),
    }
}

/// Puts `applied` into effect except what is refused of it, which is given with its problems.
pub(super) async fn apply_what_runs(
    mut applied: Definitions,
    effects: &dyn Effect,
) -> Result<Vec<Problem>, EffectError> {
    let mut all = Vec::new();
    loop {
        let problems = match effects.apply(&applied).await {
            Ok(()) => return Ok(all),
            Err(EffectError::Refused(problems)) => problems,
            Err(error) => return Err(error),
        };
        let refused: BTreeSet<_> =
            problems.iter().flat_map(|problem| applied.defined_in(problem.file())).collect();
        if refused.is_empty() {
            return Err(EffectError::Refused(problems));
        }
        applied.leave_out(&refused);
        all.extend(problems);
    }
}
