//! Runs a golden file.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use factum_eventlog::NewRecord;
use factum_sql::{Query, QueryLimits, Rows, ViewState};
use factum_testkit::HeldClock;
use factum_types::{Header, Timestamp};
use serde_json::Value;

use super::Crashes;
use super::answer;
use super::file::Record;
use crate::world::{World, everything, relation, small};

const NOON: &str = "2026-05-01T12:00:00Z";
const LIMITS: QueryLimits = QueryLimits { rows: 10_000, time: Duration::from_secs(60), client: None };

/// What came out, as a file.
pub(super) fn run(text: &str, crashes: Crashes) -> String {
    let clock = HeldClock::at(instant(NOON));
    let world = World::at(small(), Arc::new(clock.clone()));
    let mut script = Script { world, clock, crashes, declared: Vec::new(), awaited: BTreeSet::new() };
    let mut out = String::new();
    for mut record in Record::all(text) {
        let answer = script.step(&mut record);
        record.write(answer.as_deref(), &mut out);
    }
    out
}

/// A file under way.
struct Script {
    world: World,
    clock: HeldClock,
    crashes: Crashes,
    /// Statements that are in effect, by the names that they declare.
    declared: Vec<(String, String)>,
    /// Topics whose columns are not known before their first event.
    awaited: BTreeSet<String>,
}

impl Script {
    /// Does what a record says; what there is to be seen of it.
    fn step(&mut self, record: &mut Record) -> Option<Vec<String>> {
        match record.word(0) {
            "" => {}
            "topic" => self.topic(record),
            "table" => self.table(record),
            "events" => self.events(record),
            "clock" => self.clock.set(instant(record.word(1))),
            "restart" => self.restart(World::restart),
            "drop" => self.drop_view(record.word(1)),
            "statement" => return self.statement(record),
            "query" => return Some(self.query(record)),
            "status" => return Some(self.status(record.word(1))),
            "letters" => return Some(self.letters(record.word(1))),
            "explain" => return Some(self.explain(record.word(1))),
            other => panic!("{other} is no directive"),
        }
        None
    }

    fn topic(&mut self, record: &Record) {
        let partitions = record.option("partitions").map_or(1, |count| count.parse().expect("a number"));
        let lateness = record.option("lateness").map_or(0, |seconds| seconds.parse().expect("seconds"));
        let schema = record.text();
        let schema = (!schema.is_empty()).then(|| serde_json::from_str(&schema).expect("a JSON Schema"));
        if schema.is_none() {
            self.awaited.insert(record.word(1).to_owned());
        }
        self.world.topic(record.word(1), partitions);
        self.world.event(record.word(1), schema, record.option("time"), Duration::from_secs(lateness));
    }

    fn table(&mut self, record: &Record) {
        let key = record.option("key").expect("a table has a key");
        self.world.table(record.word(1), key, record.text());
        self.apply().expect("a table that fits");
    }

    fn events(&mut self, record: &Record) {
        let records = record.body.iter().map(|line| new_record(record, line)).collect();
        self.world.post_records(record.word(1), records);
        self.awaited.remove(record.word(1));
        if self.crashes == Crashes::AfterEvents {
            self.restart(World::crash);
            self.settle();
            self.restart(World::crash);
        }
    }

    fn restart(&mut self, end: impl Fn(&mut World)) {
        end(&mut self.world);
        self.apply().expect("what was in effect before");
    }

    fn drop_view(&mut self, name: &str) {
        self.declared.retain(|(declared, _)| declared != name);
        self.apply().expect("fewer views");
    }

    fn apply(&self) -> Result<(), Vec<String>> {
        let statements: String = self.declared.iter().map(|(_, sql)| format!("{sql};\n")).collect();
        let definitions = self.world.definitions(&statements);
        let applied = self.world.block(self.world.engine().apply(definitions));
        applied.map(drop).map_err(|error| answer::refused(&error))
    }

    fn statement(&mut self, record: &Record) -> Option<Vec<String>> {
        let sql = record.text();
        let outcome = match declared_name(&sql) {
            Some(name) => self.declare(name, &sql),
            None => self.ask(&sql).map(drop),
        };
        match (record.word(1), outcome) {
            ("ok", Ok(())) => None,
            ("error", Err(lines)) => Some(lines),
            ("ok", Err(lines)) => panic!("{sql}\n{}", lines.join("\n")),
            (_, Ok(())) => panic!("nothing is wrong with\n{sql}"),
            (other, _) => panic!("{other} is neither ok nor error"),
        }
    }

    fn declare(&mut self, name: &str, sql: &str) -> Result<(), Vec<String>> {
        let before = self.declared.clone();
        match self.declared.iter_mut().find(|(declared, _)| declared == name) {
            Some((_, statement)) => sql.clone_into(statement),
            None => self.declared.push((name.to_owned(), sql.to_owned())),
        }
        self.apply().inspect_err(|_| self.declared = before)
    }

    fn ask(&self, sql: &str) -> Result<Rows, Vec<String>> {
        self.settle();
        let rows = self.world.block(self.world.engine().statement(sql, LIMITS, everything()));
        rows.map_err(|error| answer::failed(&error))
    }

    fn query(&self, record: &mut Record) -> Vec<String> {
        let sql = record.text();
        let rows = self.ask(&sql).unwrap_or_else(|lines| panic!("{sql}\n{}", lines.join("\n")));
        let mut lines = answer::rows(&rows);
        // A whole view is read by its name as well.
        if let Some(view) = sql.strip_prefix("SELECT * FROM ").filter(|name| self.is_view(name)) {
            let read = self.world.block(self.world.engine().read(&relation(view), Query::default()));
            assert_eq!(answer::rows(&read.expect("rows")), lines, "{view}");
        }
        if record.head.iter().any(|word| word == "rowsort") {
            lines.sort_unstable();
        }
        lines.extend(rows.errors.iter().map(|error| {
            let key = serde_json::to_string(&error.key).expect("JSON");
            format!("! {}: {} of {key} is null: {}", error.view, error.column, error.reason)
        }));
        record.head.resize(record.head.len().max(2), String::new());
        record.head[1] = answer::types(&rows.schema);
        lines
    }

    fn is_view(&self, name: &str) -> bool {
        self.world.engine().views().iter().any(|view| view.name.to_string() == name)
    }

    fn status(&self, view: &str) -> Vec<String> {
        self.settle();
        answer::status(&self.world.status(view))
    }

    fn letters(&self, view: &str) -> Vec<String> {
        self.settle();
        let poisoned = usize::try_from(self.world.status(view).poisoned).expect("few");
        let topic = format!("{view}.dead-letter");
        self.world.until("all letters", |world| {
            let topics = world.block(factum_eventlog::Admin::topics(&world.log)).expect("topics");
            topics.iter().any(|known| known.name.as_str() == topic)
                && answer::letters(&world.records(&topic, 0)).len() == poisoned
        });
        answer::letters(&self.world.records(&topic, 0))
    }

    fn explain(&self, view: &str) -> Vec<String> {
        let explained =
            self.world.block(self.world.engine().explain(None, view, everything())).expect("a view");
        explained.words.lines().map(|line| line.trim_end().to_owned()).collect()
    }

    /// Waits until every view that can be planned has taken in all events.
    fn settle(&self) {
        let may_wait = !self.awaited.is_empty();
        self.world.settle_but_for(|view| may_wait && matches!(view.state, ViewState::Waiting(_)));
    }
}

/// The name that a statement declares.
fn declared_name(sql: &str) -> Option<&str> {
    let rest = sql.strip_prefix("CREATE ")?;
    let rest = rest.strip_prefix("MATERIALIZED ").unwrap_or(rest);
    rest.strip_prefix("VIEW ")?.split_whitespace().next()
}

fn new_record(record: &Record, line: &str) -> NewRecord {
    let field = |name: &str| {
        let event: Value = serde_json::from_str(line).expect("an event with a key");
        event[name].as_str().map(|text| Bytes::from(text.to_owned()))
    };
    let headers = record.option("headers").into_iter().flat_map(|headers| headers.split(','));
    let headers = headers.map(|header| {
        let (name, value) = header.split_once('=').expect("a name and a value");
        Header::new(name.to_owned(), Bytes::from(value.to_owned()))
    });
    NewRecord {
        partition: record.option("partition").map(|partition| partition.parse().expect("a partition")),
        key: record.option("key").and_then(field),
        value: Some(Bytes::from(line.to_owned())),
        headers: headers.collect(),
        ..NewRecord::default()
    }
}

fn instant(text: &str) -> Timestamp {
    let instant: jiff::Timestamp = text.parse().expect("a moment such as 2026-05-01T12:00:00Z");
    Timestamp::from_millis(instant.as_millisecond())
}
