//! Expired history: events that a view's state was made from and the log no longer holds, and who may give them up.
//!
//! ```text
//!   state begins at ─┬──────────────┬─────────────┬─ state is read to
//!                    │ expired      │ still there │
//!                    └── lost with ─┴─ read again ┘
//!                        the state
//! ```
//!
//! Invariants: a definition that would be rebuilt from less than the one before was made from is refused, with
//! its place in the file, unless a line above the statement accepts it. Nothing is judged by the size of state.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use factum_eventlog::{AdminError, Topic};
use factum_state::{Progress, TaskId};
use factum_types::{Offset, Timestamp, TopicName, TopicPartition};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Effective, Engine};
use crate::definitions::{Definitions, PipelineDefinition, Place, Problem};
use crate::error::ApplyError;
use crate::operator::OWNER;
use crate::plan::{PlanResult, ViewPlan};
use crate::task::{Environment, history};

/// What a comment line begins with that accepts the loss.
const ACCEPT: &str = "rebuild without events before ";

/// Events that a state holds and that the log could not give again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Loss {
    /// How many, as offsets.
    pub(super) events: u64,
    /// When the first event happened that the log still holds, where something is lost: the latest of all partitions;
    /// none where a partition holds none.
    since: Option<Timestamp>,
    /// Whether a partition that lost something holds nothing any more.
    is_empty: bool,
}

/// Tasks with how far they are.
pub(super) type Tasks = Vec<(TaskId, Progress)>;

/// Looks at topics once, however many tasks read them.
struct Topics<'e> {
    environment: &'e Environment,
    known: HashMap<TopicName, Option<Topic>>,
}

impl Topics<'_> {
    async fn find(&mut self, name: &TopicName) -> Result<Option<&Topic>, ApplyError> {
        if !self.known.contains_key(name) {
            let found = match self.environment.log.topic(name).await {
                Ok(topic) => Some(topic),
                // What is out of reach could not be read again any more than what is gone.
                Err(AdminError::UnknownTopic { .. } | AdminError::UnusableTopic { .. }) => None,
                Err(error) => return Err(unavailable(error)),
            };
            self.known.insert(name.clone(), found);
        }
        Ok(self.known.get(name).and_then(Option::as_ref))
    }
}

/// What a state made from the log now, or from `from` where a new definition has state already, lacks of `old`.
pub(super) async fn loss(
    environment: &Environment,
    old: &[(TaskId, Progress)],
    from: &BTreeMap<TopicPartition, Offset>,
) -> Result<Loss, ApplyError> {
    let mut topics = Topics { environment, known: HashMap::new() };
    let mut loss = Loss::default();
    for (task, progress) in old {
        let past = history(&*environment.state, task).await.map_err(unavailable)?;
        for (place, next) in &progress.offsets {
            let topic = topics.find(&place.topic).await?;
            if topic.is_some_and(|topic| past.topic.is_some_and(|known| known != topic.id)) {
                // Another topic of the same name: what it replaced was deleted on purpose.
                continue;
            }
            let bounds =
                topic.and_then(|topic| topic.partitions.iter().find(|at| at.partition == place.partition));
            let kept_from = bounds.map_or(*next, |bounds| bounds.log_start);
            let start = from.get(place).copied().unwrap_or(kept_from);
            let Ok(lost @ 1..) = u64::try_from(start.min(*next).since(past.began)) else { continue };
            loss.events += lost;
            match first_time(environment, place, kept_from).await {
                Some(time) => loss.since = loss.since.max(Some(time)),
                None => loss.is_empty = true,
            }
        }
    }
    Ok(loss)
}

/// When the first event from `offset` on happened.
async fn first_time(environment: &Environment, place: &TopicPartition, offset: Offset) -> Option<Timestamp> {
    let chunk = environment.log.read(place, offset, 1, Duration::ZERO).await.ok()?;
    chunk.records.first().map(|record| record.timestamp)
}

impl Engine {
    /// Refuses what would be rebuilt from less than what is served, or was kept of it, unless that is accepted.
    pub(super) async fn guard_history(
        &self,
        definitions: &Definitions,
        planned: &PlanResult,
    ) -> Result<(), ApplyError> {
        let tasks = self.0.environment.state.tasks(&OWNER).await.map_err(unavailable)?;
        let tasks: Tasks = tasks.into_iter().map(|kept| (kept.task, kept.progress)).collect();
        let retired = self.0.kept_state.all().await.map_err(unavailable)?;
        let before = self.effective();
        let mut problems = Vec::new();
        for plan in &planned.views {
            let new: HashSet<String> = (0..plan.cuts.len()).map(|cut| plan.pipeline(cut)).collect();
            let old = old_tasks(plan, &new, &before, &tasks, |pipeline| retired.contains_key(pipeline));
            if old.is_empty() {
                continue;
            }
            let from = begun(&self.0.environment, &new, &tasks).await?;
            let loss = loss(&self.0.environment, &old, &from).await?;
            if loss.events > 0
                && let Some(problem) = refuse(definitions, plan, &loss, self.0.environment.clock.now())
            {
                problems.push(problem);
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(ApplyError::Refused(problems)) }
    }
}

/// The state that a view has by another definition than this: of the one that is served; after a start, what is kept
/// of it and was not given up before. Of topics that the new one reads as well.
fn old_tasks(
    plan: &ViewPlan,
    new: &HashSet<String>,
    before: &Effective,
    tasks: &Tasks,
    is_retired: impl Fn(&str) -> bool,
) -> Tasks {
    let serving = before.views.get(&plan.name).and_then(|view| view.versions().0);
    let prefix = format!("{}@", plan.name);
    let is_old = |task: &TaskId| match &serving {
        Some(version) => version.pipelines.iter().any(|pipeline| **pipeline.id() == *task.name()),
        None => task.name().starts_with(&prefix) && !is_retired(task.name()),
    };
    let is_read = |progress: &Progress| {
        progress.offsets.iter().any(|(place, _)| plan.cuts.iter().any(|cut| cut.topic == place.topic))
    };
    let old = tasks
        .iter()
        .filter(|(task, progress)| is_old(task) && !new.contains(task.name()) && is_read(progress));
    old.cloned().collect()
}

/// Where the state begins that a definition has already.
async fn begun(
    environment: &Environment,
    new: &HashSet<String>,
    tasks: &Tasks,
) -> Result<BTreeMap<TopicPartition, Offset>, ApplyError> {
    let mut begun = BTreeMap::new();
    for (task, progress) in tasks.iter().filter(|(task, _)| new.contains(task.name())) {
        let past = history(&*environment.state, task).await.map_err(unavailable)?;
        begun.extend(progress.offsets.iter().map(|(place, _)| (place.clone(), past.began)));
    }
    Ok(begun)
}

/// The problem, at the statement; none where the loss is accepted.
fn refuse(definitions: &Definitions, plan: &ViewPlan, loss: &Loss, now: Timestamp) -> Option<Problem> {
    let (pipeline, at) = place(definitions, plan)?;
    let accepted = accepted(&pipeline.text, at);
    let problem = |span: Range<usize>, message: String, help: String| Problem {
        place: Place::File(pipeline.file.clone()),
        text: Arc::clone(&pipeline.text),
        span,
        message,
        help: Some(help),
    };
    let needed = match (loss.is_empty, loss.since) {
        (false, Some(since)) => since,
        _ => now,
    };
    let line = format!("-- {ACCEPT}{}", day_after(needed));
    match accepted {
        Some(Ok(until)) if until >= needed => return None,
        Some(Err(span)) => {
            let message = "this line accepts the loss of history, but its end is no time".to_owned();
            return Some(problem(span, message, format!("write a day or a time in UTC: {line}")));
        }
        Some(Ok(_)) | None => {}
    }
    let rest = match loss.since {
        Some(since) if !loss.is_empty => format!("what the log still holds begins at {since}"),
        _ => "the log holds nothing of them any more".to_owned(),
    };
    let message = format!(
        "{} would be rebuilt and lose {} events that its rows were made from and that have expired: {rest}",
        plan.name, loss.events
    );
    let help = format!(
        "the view goes on as it was; undo the change (of the statement, or of a contract or table that it reads), \
         give the statement another name, or accept the loss with this line above it: {line}"
    );
    Some(problem(at..at + first_line(&plan.sql), message, help))
}

fn first_line(sql: &str) -> usize {
    sql.find('\n').unwrap_or(sql.len())
}

/// The file that declares a view, and where in it.
fn place<'d>(definitions: &'d Definitions, plan: &ViewPlan) -> Option<(&'d PipelineDefinition, usize)> {
    let of_team = definitions.pipelines.iter().filter(|pipeline| pipeline.team.as_str() == &*plan.name.team);
    of_team.into_iter().find_map(|pipeline| Some((pipeline, pipeline.text.find(&*plan.sql)?)))
}

/// What the comment lines directly above a statement accept: the loss of events before a time, or the place of a line
/// that means to and names none.
fn accepted(text: &str, statement: usize) -> Option<Result<Timestamp, Range<usize>>> {
    let mut end = text[..statement].rfind('\n')?;
    loop {
        let start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = text[start..end].trim();
        if let Some(comment) = line.strip_prefix("--") {
            if let Some(time) = comment.trim_start().strip_prefix(ACCEPT) {
                return Some(parse(time.trim()).ok_or(start..end));
            }
        } else if !line.is_empty() {
            return None;
        }
        end = start.checked_sub(1)?;
    }
}

/// A day in UTC, or a time.
fn parse(text: &str) -> Option<Timestamp> {
    let time = match text.parse::<Date>() {
        Ok(day) if !text.contains(['T', ' ']) => day.to_zoned(TimeZone::UTC).ok()?.timestamp(),
        _ => text.parse::<jiff::Timestamp>().ok()?,
    };
    Some(Timestamp::from_millis(time.as_millisecond()))
}

/// The first day that begins behind a time.
fn day_after(time: Timestamp) -> String {
    let day = jiff::Timestamp::from_millisecond(time.as_millis()).unwrap_or_default();
    let day = day.to_zoned(TimeZone::UTC).date();
    day.tomorrow().unwrap_or(day).to_string()
}

fn unavailable(error: impl std::fmt::Display) -> ApplyError {
    ApplyError::Unavailable { reason: error.to_string() }
}

/// Whether the log could not give again all that went into the state of these tasks. Where that cannot be told, it
/// could not.
pub(super) async fn is_only_copy(environment: &Environment, tasks: &[(TaskId, Progress)]) -> bool {
    !loss(environment, tasks, &BTreeMap::new()).await.is_ok_and(|loss| loss.events == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn the_line_that_accepts_a_loss_stands_directly_above_the_statement() {
        let until = |text: &str| {
            let accepted = accepted(text, text.find("CREATE").expect("a statement"));
            accepted.map(|accepted| accepted.map(Timestamp::as_millis))
        };
        for (text, expected) in [
            ("CREATE", None),
            ("-- a view\nCREATE", None),
            ("-- rebuild without events before 1970-01-02\nCREATE", Some(Ok(DAY))),
            ("--rebuild without events before 1970-01-02\n\n-- top\nCREATE", Some(Ok(DAY))),
            ("-- rebuild without events before 1970-01-02T00:00:01Z\nCREATE", Some(Ok(DAY + 1_000))),
            ("-- rebuild without events before 1970-01-02\nSELECT 1;\nCREATE", None),
            ("-- rebuild without events before yesterday\nCREATE", Some(Err(0..42))),
        ] {
            assert_eq!(until(text), expected, "{text}");
        }
    }

    #[test]
    fn the_day_after_a_time_begins_behind_it() {
        assert_eq!(day_after(Timestamp::from_millis(0)), "1970-01-02");
        assert_eq!(day_after(Timestamp::from_millis(DAY - 1)), "1970-01-02");
        assert_eq!(day_after(Timestamp::from_millis(DAY)), "1970-01-03");
    }
}
