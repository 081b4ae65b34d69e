//! Runs small scripts against a log and writes down what happens.

use std::fmt::Write as _;

use expect_test::Expect;
use factum_log::ReadError;
use factum_types::{Offset, RecordBatch, Timestamp};

use crate::bench::{Bench, batch_at, file, read_all, sent};

const DAY: i64 = 24 * 3_600_000;

/// A script's log, and the time that its appends and retention see.
struct Script {
    bench: Bench,
    now: i64,
    out: String,
    /// Saved bytes of the checkpoint file.
    notes: Option<Vec<u8>>,
}

/// Where in the checkpoint file the notes of the synced end begin.
const NOTES: usize = 8192;

/// Runs one command per line and compares what they print.
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes a value")]
pub(crate) fn check(script: &str, expected: Expect) {
    let mut run = Script { bench: Bench::new(7), now: 1_000, out: String::new(), notes: None };
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<_> = line.split_whitespace().collect();
        run.command(words[0], &words[1..]);
    }
    expected.assert_eq(&run.out);
}

impl Script {
    fn command(&mut self, command: &str, words: &[&str]) {
        match command {
            "append" => self.append(batch_at(self.now, words)),
            "append-dated" => self.append(batch_at(number(words[0]), &words[1..])),
            "send" => self.send(words),
            "sync" => drop(self.bench.environment.committer().round()),
            "close" => self.bench.log.close().expect("the disk is well"),
            "kill" => self.reopen(),
            "crash" => {
                self.bench.disk.crash();
                self.reopen();
            }
            "read" => self.read(number(words[0])),
            "bounds" => self.bounds(),
            "segments" => self.segments(),
            "cut" => self.cut(words[0], number(words[1])),
            "lose" => self.bench.disk.lose(&file(words[0])),
            "save-notes" => self.notes = Some(self.checkpoint()[NOTES..].to_vec()),
            "forget-notes" => self.replace_notes(None),
            "restore-notes" => {
                let saved = self.notes.take();
                self.replace_notes(saved);
            }
            "zeros" => self.zeros(words[0], number(words[1])),
            "options" => self.options(words),
            "days" => self.now += number(words[0]) * DAY,
            "retain" => self.retain(),
            "truncate-before" => self.truncate_before(number(words[0])),
            "at" => self.at(number(words[0])),
            "latest" => {
                let latest = self.bench.log.max_timestamp().expect("the disk is well");
                self.say(format_args!("latest {latest:?}"));
            }
            "epoch-end" => {
                let epoch = i32::try_from(number(words[0])).expect("an epoch");
                let end = self.bench.log.epoch_end(epoch);
                self.say(format_args!("epoch {epoch} ends at {end:?}"));
            }
            other => panic!("no command {other}"),
        }
    }

    fn say(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.out, "{line}").expect("text grows");
    }

    fn append(&mut self, batch: RecordBatch) {
        match self.bench.log.append(batch, Timestamp::from_millis(self.now)) {
            Ok(appended) => {
                let again = if appended.duplicate { " again" } else { "" };
                let (base, last) = (appended.base_offset, appended.last_offset);
                self.say(format_args!("appended{again} {base}..={last}"));
            }
            Err(error) => self.say(format_args!("refused: {error}")),
        }
    }

    /// `send PRODUCER EPOCH SEQUENCE VALUES…`
    fn send(&mut self, words: &[&str]) {
        let [producer, epoch, sequence] = [words[0], words[1], words[2]].map(number);
        let epoch = i16::try_from(epoch).expect("an epoch");
        let sequence = i32::try_from(sequence).expect("a sequence number");
        self.append(sent(producer, epoch, sequence, &words[3..]));
    }

    fn reopen(&mut self) {
        self.bench = Bench::on(self.bench.disk.clone());
        let recovery = &self.bench.recovery;
        let mut line = format!("opened epoch={}", recovery.leader_epoch);
        if recovery.clean {
            line += " clean";
        }
        if recovery.truncated_bytes > 0 {
            line += &format!(" cut={}", recovery.truncated_bytes);
        }
        if let Some(damage) = &recovery.quarantined {
            line += &format!(" quarantined: {damage}");
        }
        self.say(format_args!("{line}"));
    }

    fn read(&mut self, from: i64) {
        let (records, error) = read_all(&self.bench.log, from);
        let records: Vec<_> = records.iter().map(|(offset, value)| format!("{offset}:{value}")).collect();
        let records = if records.is_empty() { "nothing".to_owned() } else { records.join(" ") };
        self.say(format_args!("read {records}"));
        match error {
            Some(ReadError::OutOfRange { asked, .. }) => self.say(format_args!("{asked} is out of range")),
            Some(error) => self.say(format_args!("{error}")),
            None => {}
        }
    }

    fn bounds(&mut self) {
        let bounds = self.bench.log.bounds();
        let (start, mark, end) = (bounds.log_start, bounds.high_watermark, bounds.log_end);
        let (epoch, bytes) = (bounds.leader_epoch, bounds.bytes);
        self.say(format_args!("start={start} high-watermark={mark} end={end} epoch={epoch} bytes={bytes}"));
    }

    fn segments(&mut self) {
        for segment in self.bench.log.segments() {
            let (base, next, bytes) = (segment.base_offset, segment.next_offset, segment.bytes);
            self.say(format_args!("segment {base}..{next} bytes={bytes}"));
        }
    }

    fn cut(&mut self, name: &str, bytes: i64) {
        let mut contents = self.bench.disk.contents(&file(name)).expect("the file is there");
        contents.truncate(contents.len() - usize::try_from(bytes).expect("a length"));
        self.bench.disk.overwrite(&file(name), contents);
    }

    fn checkpoint(&self) -> Vec<u8> {
        self.bench.disk.contents(&file("checkpoint")).expect("the file is there")
    }

    /// Puts `notes` in place of the notes of the synced end, or nothing.
    fn replace_notes(&mut self, notes: Option<Vec<u8>>) {
        let mut contents = self.checkpoint();
        contents.truncate(NOTES);
        contents.extend(notes.unwrap_or_default());
        self.bench.disk.overwrite(&file("checkpoint"), contents);
    }

    fn zeros(&mut self, name: &str, bytes: i64) {
        let mut contents = self.bench.disk.contents(&file(name)).expect("the file is there");
        contents.resize(contents.len() + usize::try_from(bytes).expect("a length"), 0);
        self.bench.disk.overwrite(&file(name), contents);
    }

    fn options(&mut self, words: &[&str]) {
        let mut options = self.bench.log.options();
        for word in words {
            let (name, value) = word.split_once('=').expect("name=value");
            let value = u64::try_from(number(value)).expect("a size");
            match name {
                "days" => options.retention = Some(std::time::Duration::from_secs(value * 86_400)),
                "bytes" => options.retention_bytes = Some(value),
                other => panic!("no option {other}"),
            }
        }
        self.bench.log.set_options(options);
    }

    fn retain(&mut self) {
        let retained = self.bench.log.retain(Timestamp::from_millis(self.now)).expect("the disk is well");
        self.say(format_args!("removed {} segments, {} bytes", retained.segments, retained.bytes));
    }

    fn truncate_before(&mut self, start: i64) {
        match self.bench.log.truncate_before(Offset::new(start)) {
            Ok(retained) => self.say(format_args!("removed {} segments", retained.segments)),
            Err(error) => self.say(format_args!("refused: {error}")),
        }
    }

    fn at(&mut self, time: i64) {
        let found = self.bench.log.offset_for_time(Timestamp::from_millis(time)).expect("the disk is well");
        let found = found.map(|(offset, time)| format!("{offset} of {}", time.as_millis()));
        self.say(format_args!("at {time}: {}", found.as_deref().unwrap_or("none")));
    }
}

fn number(word: &str) -> i64 {
    word.parse().expect("a number")
}
