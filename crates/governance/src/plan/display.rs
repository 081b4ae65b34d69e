//! A plan as a person reads it: Terraform's marks, grouped by team. Colour is the terminal's business.
//!
//! ```text
//!   store
//!     + event  store.orders  4 partitions, key Email, kept 30d
//!     ~ event  store.clicks
//!         retention  7d → 30d
//!     - event  store.carts  forgotten; its topic stays, with 12 records
//!
//!   Plan: 1 to add, 1 to change, 1 to forget.
//! ```

use std::fmt;

use super::Plan;
use super::change::{Change, Definition, FieldChange};
use crate::human;
use crate::project::EventDefinition;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "No changes: {} is applied as it stands.", self.project);
        }
        let mut teams: Vec<&str> = self.changes.iter().map(Change::team).collect();
        teams.sort_unstable();
        teams.dedup();
        for team in teams {
            writeln!(f, "{team}")?;
            for change in self.changes.iter().filter(|change| change.team() == team) {
                write!(f, "{change}")?;
            }
        }
        let count = |mark| self.changes.iter().filter(|change| change.mark() == mark).count();
        write!(f, "\nPlan: {} to add, {} to change, {} to forget.", count('+'), count('~'), count('-'))
    }
}

impl Change {
    /// `+` comes in, `~` changes, `-` is forgotten.
    pub fn mark(&self) -> char {
        match self {
            Self::AddTeam(_) | Self::AddEvent(_) | Self::AdoptTopic { .. } | Self::Add(_) => '+',
            Self::UpdateTeam { .. } | Self::UpdateEvent { .. } | Self::Update { .. } => '~',
            Self::ForgetTeam(_) | Self::ForgetEvent { .. } | Self::Forget(_) => '-',
        }
    }
}

/// Indented by two, a line for the change and one for each field; ends with a line break.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "  {} ", self.mark())?;
        match self {
            Self::AddTeam(team) => writeln!(f, "team   {}", team.name),
            Self::UpdateTeam { team, fields } => {
                writeln!(f, "team   {}", team.name)?;
                write_fields(f, fields)
            }
            Self::ForgetTeam(team) => writeln!(f, "team   {}  forgotten", team.name),
            Self::AddEvent(event) => writeln!(f, "event  {}  {}", event.topic, facts(event)),
            Self::AdoptTopic { event, records, .. } => {
                let facts = facts(event);
                writeln!(f, "event  {}  {facts}; its topic exists, with {}", event.topic, count(*records))
            }
            Self::UpdateEvent { event, fields, .. } => {
                writeln!(f, "event  {}", event.topic)?;
                write_fields(f, fields)
            }
            Self::ForgetEvent { event, records: Some(records) } => {
                writeln!(f, "event  {}  forgotten; its topic stays, with {}", event.topic, count(*records))
            }
            Self::ForgetEvent { event, records: None } => writeln!(f, "event  {}  forgotten", event.topic),
            Self::Add(definition) => match definition {
                Definition::Table(table) => {
                    let from = table.from.file_name().unwrap_or_default().to_string_lossy();
                    writeln!(f, "table  {}  key {}, from {from}", table.name, table.key)
                }
                Definition::Pipeline(pipeline) => writeln!(f, "sql    {}", pipeline.name),
                Definition::Feed(feed) => {
                    let (what, into, rate) = (feed.generate.as_str(), &feed.into, feed.rate);
                    writeln!(f, "feed   {}  {what} into {into}, {rate}", feed.name)
                }
                Definition::Dashboard(dashboard) => match dashboard.panels.len() {
                    1 => writeln!(f, "dashboard  {}  1 panel", dashboard.name),
                    n => writeln!(f, "dashboard  {}  {n} panels", dashboard.name),
                },
            },
            Self::Update { definition, fields } => {
                writeln!(f, "{}  {}", label(definition), definition.name())?;
                write_fields(f, fields)
            }
            Self::Forget(definition) => {
                writeln!(f, "{}  {}  forgotten", label(definition), definition.name())
            }
        }
    }
}

/// As wide as `event` where that is possible.
fn label(definition: &Definition) -> &'static str {
    match definition {
        Definition::Table(_) => "table",
        Definition::Pipeline(_) => "sql  ",
        Definition::Feed(_) => "feed ",
        Definition::Dashboard(_) => "dashboard",
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, fields: &[FieldChange]) -> fmt::Result {
    let width = fields.iter().map(|field| field.name.len()).max().unwrap_or(0);
    for field in fields {
        let unset = || "(not set)".to_owned();
        let (from, to) = (field.from.clone().unwrap_or_else(unset), field.to.clone().unwrap_or_else(unset));
        writeln!(f, "      {:width$}  {from} → {to}", field.name)?;
    }
    Ok(())
}

fn facts(event: &EventDefinition) -> String {
    let mut facts = vec![event.format.as_str().to_owned()];
    facts.extend(event.partitions.map(|count| match count {
        1 => "1 partition".to_owned(),
        n => format!("{n} partitions"),
    }));
    facts.extend(event.key.as_ref().map(|key| format!("key {key}")));
    facts.extend(event.retention.map(|retention| format!("kept {}", human::retention(retention))));
    facts.join(", ")
}

fn count(records: i64) -> String {
    match records {
        0 => "no records".to_owned(),
        1 => "1 record".to_owned(),
        n => format!("{n} records"),
    }
}
