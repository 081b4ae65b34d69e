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

use super::{Action, Change, FieldChange, Plan, TopicChange};

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
        let count = |action| self.changes.iter().filter(|change| change.action == action).count();
        let (add, change, forget) = (count(Action::Add), count(Action::Update), count(Action::Forget));
        write!(f, "\nPlan: {add} to add, {change} to change, {forget} to forget.")
    }
}

/// Indented by two, a line for the change and one for each field; ends with a line break.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, definition, fields, topic } = self;
        write!(f, "  {} {:5}  {}", action.mark(), definition.label(), definition.name())?;
        match action {
            Action::Add => {
                let facts = definition.facts();
                if !facts.is_empty() {
                    write!(f, "  {facts}")?;
                }
            }
            Action::Update => {}
            Action::Forget => f.write_str("  forgotten")?,
        }
        match topic {
            Some(TopicChange::Adopt { records, .. }) => {
                write!(f, "; its topic exists, with {}", count(*records))?;
            }
            Some(TopicChange::Stay { records }) => write!(f, "; its topic stays, with {}", count(*records))?,
            Some(TopicChange::Create | TopicChange::Alter { .. }) | None => {}
        }
        writeln!(f)?;
        write_fields(f, fields)
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

fn count(records: i64) -> String {
    match records {
        0 => "no records".to_owned(),
        1 => "1 record".to_owned(),
        n => format!("{n} records"),
    }
}
