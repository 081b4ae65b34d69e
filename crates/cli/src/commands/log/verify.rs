//! `factum log verify`: every log read whole, and what is wrong with it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use factum_server::data_files::{self, DataFiles, Inspection, UnusableDirectory};
use miette::{Diagnostic, IntoDiagnostic, Report, WrapErr};

use super::listing::{DamageLine, Item, LogLine, NoteLine, lost};
use crate::args::{Format, whole};
use crate::{output, report};

/// What the journal of views' state is called here.
const STATE_JOURNAL: &str = "the state of views";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The data directory
    #[arg(long, value_name = "FOLDER")]
    data_dir: PathBuf,
    /// One topic alone
    #[arg(long)]
    topic: Option<String>,
    /// One partition of the topic alone
    #[arg(long, requires = "topic", allow_negative_numbers = true, value_parser = whole::<i32>(0, None, 0))]
    partition: Option<i32>,
}

/// Something is damaged.
#[derive(Debug, thiserror::Error, Diagnostic)]
#[error("{} damaged", if *.count == 1 { "one log is".to_owned() } else { format!("{} logs are", .count) })]
#[diagnostic(help("{advice}"))]
struct DamagedLogs {
    count: usize,
    advice: String,
}

/// Everything that was found.
#[derive(Default)]
struct Findings {
    logs: Vec<LogLine>,
    damage: Vec<(String, Vec<DamageLine>)>,
    notes: Vec<NoteLine>,
    /// Topics whose directories cannot be used.
    lost_topics: usize,
    /// Logs that cannot be read.
    unreadable: usize,
}

pub(super) fn run(args: &Args, format: Format) -> Result<(), Report> {
    let files = super::find(&args.data_dir)?;
    if files.is_in_use() {
        report::say("a server uses this directory: what it writes meanwhile may look like a torn tail");
    }
    let findings = look(args, &files)?;
    print(&findings, format)?;
    let count = findings.damage.len() + findings.lost_topics + findings.unreadable;
    match count {
        0 => Ok(()),
        count => Err(DamagedLogs { count, advice: advice(args, &findings) }.into()),
    }
}

fn look(args: &Args, files: &DataFiles) -> Result<Findings, Report> {
    let mut findings = Findings::default();
    let (partitions, unusable) = files.partitions().into_diagnostic()?;
    let asked = super::asked(partitions, &args.data_dir, args.topic.as_deref(), args.partition)?;
    for partition in asked {
        let log = format!("{}/{}", partition.topic, partition.partition);
        findings.add_log(&log, &partition.dir, files);
    }
    if args.topic.is_none() {
        unusable.iter().for_each(|entry| findings.add_unusable(entry));
        let journal =
            data_files::state_journal(&args.data_dir).into_diagnostic().wrap_err("list the state")?;
        if let Some(journal) = journal {
            findings.add_log(STATE_JOURNAL, &journal, files);
        }
    }
    Ok(findings)
}

impl Findings {
    /// Inspects the log in `dir`. One that cannot be read stops no other.
    fn add_log(&mut self, log: &str, dir: &Path, files: &DataFiles) {
        match files.inspect(dir) {
            Ok(found) => self.add(log, &found),
            Err(error) => {
                self.unreadable += 1;
                self.notes.push(NoteLine { log: log.to_owned(), note: format!("CANNOT BE READ: {error}") });
            }
        }
    }

    fn add(&mut self, log: &str, found: &Inspection) {
        self.logs.push(LogLine::of(log, found));
        let damage: Vec<_> = found.damage.iter().map(|damage| DamageLine::of(log, damage)).collect();
        if !damage.is_empty() {
            self.damage.push((log.to_owned(), damage));
        }
        let notes = found.notes.iter().map(|note| NoteLine { log: log.to_owned(), note: note.to_string() });
        self.notes.extend(notes);
    }

    fn add_unusable(&mut self, entry: &UnusableDirectory) {
        let note = match entry.is_topic {
            true => format!("the topic cannot be used: {}", entry.reason),
            false => "it is no topic and is passed over".to_owned(),
        };
        self.lost_topics += usize::from(entry.is_topic);
        self.notes.push(NoteLine { log: format!("topics/{}", entry.directory), note });
    }

    fn items(&self) -> impl Iterator<Item = Item<'_>> {
        let damage = self.damage.iter().flat_map(|(_, lines)| lines).map(Item::Damage);
        self.logs.iter().map(Item::Log).chain(damage).chain(self.notes.iter().map(Item::Note))
    }
}

fn print(findings: &Findings, format: Format) -> Result<(), output::Error> {
    match format {
        Format::Json => {
            let line = |item| serde_json::to_string(&item).expect("plain data always has a JSON form") + "\n";
            output::print(&findings.items().map(line).collect::<String>())
        }
        Format::Yaml => output::one(format, &findings.items().collect::<Vec<_>>(), String::new),
        Format::Csv | Format::Name => output::list(format, &findings.logs),
        Format::Table => {
            let mut text = output::table(&findings.logs);
            for (log, damage) in &findings.damage {
                write!(text, "\ndamage in {}", lost(log, damage)).expect("text grows");
            }
            if !findings.notes.is_empty() {
                text += "\n";
            }
            for line in &findings.notes {
                let line = format!("note: {}: {}", line.log, line.note);
                writeln!(text, "{}", output::printable(&line)).expect("text grows");
            }
            output::print(&text)
        }
    }
}

/// What to do about it.
fn advice(args: &Args, findings: &Findings) -> String {
    let mut lines = Vec::new();
    let data_dir = args.data_dir.display();
    for (log, _) in &findings.damage {
        match log.rsplit_once('/') {
            Some((topic, partition)) => lines.push(format!(
                "factum log repair --data-dir {data_dir} --topic {topic} --partition {partition}"
            )),
            None => lines.push(
                "what views keep is computed again where it is needed; nothing need be done".to_owned(),
            ),
        }
    }
    if findings.unreadable > 0 {
        lines.push("see to the logs that cannot be read: the notes say why".to_owned());
    }
    if findings.lost_topics > 0 {
        lines.push("restore the topics' directories that cannot be used, or remove them".to_owned());
    }
    format!(
        "restore the data directory from a copy; or stop the server and give up what is damaged\n{}",
        lines.join("\n")
    )
}
