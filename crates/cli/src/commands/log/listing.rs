//! The findings of an inspection, as people and as programs read them.

use std::fmt::Write as _;

use factum_server::data_files::{DamagedOffsets, Inspection};
use serde::Serialize;

use crate::output::{Column, Row, numbers, words};

/// One log, in numbers.
#[derive(Debug, Serialize)]
pub(super) struct LogLine {
    pub(super) log: String,
    pub(super) segments: usize,
    pub(super) log_start: i64,
    pub(super) log_end: i64,
    /// Up to where everything was acknowledged, as far as that is known.
    pub(super) synced_end: Option<i64>,
    pub(super) bytes: u64,
    pub(super) is_sound: bool,
}

/// Damage in one log.
#[derive(Debug, Serialize)]
pub(super) struct DamageLine {
    log: String,
    file: String,
    byte: u64,
    bytes: u64,
    first_offset: i64,
    next_offset: i64,
    is_acknowledged: bool,
    fault: String,
}

/// Something that is no damage.
#[derive(Debug, Serialize)]
pub(super) struct NoteLine {
    pub(super) log: String,
    pub(super) note: String,
}

/// One line of `-o json`.
#[derive(Serialize)]
#[serde(tag = "item", rename_all = "lowercase")]
pub(super) enum Item<'a> {
    Log(&'a LogLine),
    Damage(&'a DamageLine),
    Note(&'a NoteLine),
}

impl LogLine {
    pub(super) fn of(log: &str, found: &Inspection) -> Self {
        Self {
            log: log.to_owned(),
            segments: found.segments.len(),
            log_start: found.log_start.get(),
            log_end: found.log_end.get(),
            synced_end: found.synced_end.map(|end| end.get()),
            bytes: found.segments.iter().map(|segment| segment.bytes).sum(),
            is_sound: found.damage.is_empty(),
        }
    }
}

impl Row for LogLine {
    const COLUMNS: &'static [Column<Self>] = &[
        words("partition", |line| line.log.clone()),
        numbers("segments", |line| line.segments.to_string()),
        numbers("log_start", |line| line.log_start.to_string()),
        numbers("log_end", |line| line.log_end.to_string()),
        numbers("synced_end", |line| line.synced_end.map_or_else(|| "?".to_owned(), |end| end.to_string())),
        numbers("bytes", |line| line.bytes.to_string()),
        words("state", |line| if line.is_sound { "sound" } else { "DAMAGED" }.to_owned()),
    ];

    fn name(&self) -> String {
        self.log.clone()
    }
}

impl DamageLine {
    pub(super) fn of(log: &str, damage: &DamagedOffsets) -> Self {
        Self {
            log: log.to_owned(),
            file: format!("{:020}.log", damage.segment.get()),
            byte: damage.byte,
            bytes: damage.bytes,
            first_offset: damage.from.get(),
            next_offset: damage.next.get(),
            is_acknowledged: damage.is_acknowledged,
            fault: damage.fault.to_string(),
        }
    }
}

/// What is lost, a paragraph for each damaged range.
pub(super) fn lost(log: &str, damage: &[DamageLine]) -> String {
    let mut text = format!("{log}\n");
    for line in damage {
        let told = if line.is_acknowledged { "acknowledged" } else { "not acknowledged to anybody" };
        let offsets = match line.next_offset - line.first_offset {
            0 => format!("no offset behind {}", line.first_offset),
            1 => format!("offset {}, {told}", line.first_offset),
            many => format!("offsets {} to {} ({many}), {told}", line.first_offset, line.next_offset - 1),
        };
        let place = match line.bytes {
            0 => format!("at byte {} of {}", line.byte, line.file),
            bytes => format!("{bytes} bytes from byte {} of {}", line.byte, line.file),
        };
        writeln!(text, "  {offsets}: {}\n    {place}", line.fault).expect("text grows");
    }
    text
}
