//! Metrics of consumer groups and transactions: how far groups are behind and what is held back, when `/metrics` is read.
//!
//! Groups, topics and partitions are labels, so their number is bounded: the [`MOST_PARTITIONS`] that are furthest behind
//! have series, and sums over each group go on for [`MOST_GROUPS`]. A series is gone with its group.
//!
//! Each is told under a name of ours and under that of `kafka_exporter`, whose dashboards and alerts thus work.

use std::cmp::Reverse;
use std::fmt::{Display, Write};
use std::time::Instant;

use factum_eventlog::{Group, GroupOffset, HeldPartition, Transaction};

use super::partition_ends::{MOST_PARTITIONS, PartitionEnds};

/// Groups with series of their own.
const MOST_GROUPS: usize = 1_000;

/// A committed offset of a group.
struct Row<'a> {
    group: &'a str,
    offset: &'a GroupOffset,
    lag: i64,
}

/// Transactions that are open, and what they hold back of partitions.
pub(crate) fn render_transactions(transactions: &[Transaction], held: &[HeldPartition]) -> String {
    let mut text = String::new();
    let open = transactions.iter().filter(|transaction| transaction.open_since.is_some()).count();
    let records = held.iter().map(|held| held.records).fold(0, i64::saturating_add);
    let hanging = held.iter().filter(|held| held.id.is_none()).count();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    for (name, help, value) in [
        (
            "factum_transactions_open",
            "Transactions that are open, or whose markers are being written",
            count(open),
        ),
        ("factum_held_back_partitions", "Partitions that an open transaction holds back", count(held.len())),
        ("factum_held_back_records", "Records that readers of committed records wait for", records),
        (
            "factum_transactions_hanging",
            "Partitions held back by a transaction that no one ends",
            count(hanging),
        ),
    ] {
        head(&mut text, name, help);
        line(&mut text, name, &[], value);
    }
    text
}

/// The text of all series, in Prometheus' format.
pub(crate) fn render(groups: &[Group], ends: &PartitionEnds, now: Instant) -> String {
    let mut text = String::new();
    partitions(&mut text, groups, ends, now);
    let mut totals: Vec<_> = groups.iter().map(|group| (group, total(group))).collect();
    totals.sort_by_key(|(_, lag)| Reverse(*lag));
    let left_out = totals.len().saturating_sub(MOST_GROUPS);
    totals.truncate(MOST_GROUPS);
    for (name, help) in [
        ("factum_group_lag_sum", "Records that a group has not committed yet, over all partitions"),
        ("kafka_consumergroup_lag_sum", "The same, under the name of kafka_exporter"),
    ] {
        head(&mut text, name, help);
        for (group, lag) in &totals {
            line(&mut text, name, &[(label_of(name), group.id.as_str())], *lag);
        }
    }
    for (name, help) in [
        ("factum_group_members", "Members of a group"),
        ("kafka_consumergroup_members", "The same, under the name of kafka_exporter"),
    ] {
        head(&mut text, name, help);
        for (group, _) in &totals {
            let members = i64::try_from(group.members.len()).unwrap_or(i64::MAX);
            line(&mut text, name, &[(label_of(name), group.id.as_str())], members);
        }
    }
    head(&mut text, "factum_groups", "Consumer groups");
    line(&mut text, "factum_groups", &[], i64::try_from(groups.len()).unwrap_or(i64::MAX));
    head(&mut text, "factum_groups_left_out", "Consumer groups without series of their own");
    line(&mut text, "factum_groups_left_out", &[], i64::try_from(left_out).unwrap_or(i64::MAX));
    text
}

fn partitions(text: &mut String, groups: &[Group], ends: &PartitionEnds, now: Instant) {
    let rows = groups.iter().flat_map(|group| {
        let id = group.id.as_str();
        group.offsets.iter().filter_map(move |offset| Some(Row { group: id, offset, lag: offset.lag? }))
    });
    let mut rows: Vec<_> = rows.collect();
    if rows.len() > MOST_PARTITIONS {
        rows.select_nth_unstable_by_key(MOST_PARTITIONS, |row| Reverse(row.lag));
        rows.truncate(MOST_PARTITIONS);
        rows.sort_by(|a, b| (a.group, &a.offset.partition).cmp(&(b.group, &b.offset.partition)));
    }
    type Value = fn(&Row<'_>) -> i64;
    let series: [(&str, &str, Value); 3] = [
        ("factum_group_lag", "Records of a partition that a group has not committed yet", |row| row.lag),
        ("kafka_consumergroup_lag", "The same, under the name of kafka_exporter", |row| row.lag),
        ("kafka_consumergroup_current_offset", "The offset that a group reads next", |row| {
            row.offset.offset.get()
        }),
    ];
    for (name, help, value) in series {
        head(text, name, help);
        for row in &rows {
            let partition = &row.offset.partition;
            let labels = [
                (label_of(name), row.group),
                ("topic", partition.topic.as_str()),
                ("partition", &partition.partition.to_string()),
            ];
            line(text, name, &labels, value(row));
        }
    }
    let asked = rows.iter().map(|row| {
        let offset = row.offset.offset.get();
        (&row.offset.partition, offset, offset.saturating_add(row.lag))
    });
    let seconds = ends.seconds(&asked.collect::<Vec<_>>(), now);
    let name = "factum_group_lag_seconds";
    head(text, name, "Time since the offset that a group reads next was the end of its partition");
    for (row, seconds) in rows.iter().zip(seconds) {
        let partition = &row.offset.partition;
        let labels = [
            (label_of(name), row.group),
            ("topic", partition.topic.as_str()),
            ("partition", &partition.partition.to_string()),
        ];
        line(text, name, &labels, format_args!("{seconds:.3}"));
    }
}

fn total(group: &Group) -> i64 {
    group.offsets.iter().filter_map(|offset| offset.lag).fold(0, i64::saturating_add)
}

/// The label that has the group's name.
fn label_of(metric: &str) -> &'static str {
    if metric.starts_with("kafka_") { "consumergroup" } else { "group" }
}

fn head(text: &mut String, name: &str, help: &str) {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge").expect("text takes all");
}

fn line(text: &mut String, name: &str, labels: &[(&str, &str)], value: impl Display) {
    text.push_str(name);
    for (at, (label, value)) in labels.iter().enumerate() {
        text.push(if at == 0 { '{' } else { ',' });
        write!(text, "{label}=\"").expect("text takes all");
        escape(text, value);
        text.push('"');
    }
    if !labels.is_empty() {
        text.push('}');
    }
    writeln!(text, " {value}").expect("text takes all");
}

/// What a client chose, so that it ends neither its label nor its line.
fn escape(text: &mut String, value: &str) {
    for letter in value.chars() {
        match letter {
            '\\' => text.push_str("\\\\"),
            '"' => text.push_str("\\\""),
            '\n' => text.push_str("\\n"),
            letter => text.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use factum_base::clock::{Clock, SystemClock};
    use factum_types::{Offset, TopicName, TopicPartition};

    use super::*;

    fn group(id: &str, lags: &[i64]) -> Group {
        let offset = |(partition, lag): (usize, &i64)| GroupOffset {
            partition: TopicPartition::new(
                TopicName::new("store.orders").expect("valid"),
                i32::try_from(partition).expect("few"),
            ),
            offset: Offset::new(7),
            end: Some(Offset::new(7 + lag)),
            lag: Some(*lag),
            metadata: String::new(),
        };
        Group {
            id: id.parse().expect("a group's name"),
            state: "Empty".to_owned(),
            members: Vec::new(),
            protocol_type: String::new(),
            protocol: String::new(),
            offsets: lags.iter().enumerate().map(offset).collect(),
        }
    }

    fn shown(groups: &[Group]) -> String {
        render(groups, &PartitionEnds::default(), SystemClock.monotonic())
    }

    #[test]
    fn lag_is_told_by_partition_and_group() {
        let text = shown(&[group("mail \"er\\\n", &[3, 0])]);
        let lines: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        expect![[r#"
            factum_group_lag{group="mail \"er\\\n",topic="store.orders",partition="0"} 3
            factum_group_lag{group="mail \"er\\\n",topic="store.orders",partition="1"} 0
            kafka_consumergroup_lag{consumergroup="mail \"er\\\n",topic="store.orders",partition="0"} 3
            kafka_consumergroup_lag{consumergroup="mail \"er\\\n",topic="store.orders",partition="1"} 0
            kafka_consumergroup_current_offset{consumergroup="mail \"er\\\n",topic="store.orders",partition="0"} 7
            kafka_consumergroup_current_offset{consumergroup="mail \"er\\\n",topic="store.orders",partition="1"} 7
            factum_group_lag_seconds{group="mail \"er\\\n",topic="store.orders",partition="0"} 0.000
            factum_group_lag_seconds{group="mail \"er\\\n",topic="store.orders",partition="1"} 0.000
            factum_group_lag_sum{group="mail \"er\\\n"} 3
            kafka_consumergroup_lag_sum{consumergroup="mail \"er\\\n"} 3
            factum_group_members{group="mail \"er\\\n"} 0
            kafka_consumergroup_members{consumergroup="mail \"er\\\n"} 0
            factum_groups 1
            factum_groups_left_out 0"#]]
        .assert_eq(&lines.join("\n"));
    }

    #[test]
    fn those_furthest_behind_have_series() {
        let groups: Vec<_> = (0..2_000).map(|n| group(&format!("g{n}"), &[n, n + 1])).collect();
        let text = shown(&groups);
        let count = |start: &str| text.lines().filter(|line| line.starts_with(start)).count();
        assert_eq!(count("factum_group_lag{"), MOST_PARTITIONS);
        assert_eq!(count("kafka_consumergroup_lag_sum{"), MOST_GROUPS);
        assert!(text.contains("factum_group_lag_sum{group=\"g1999\"} 3999"));
        assert!(!text.contains("\"g9\""), "one that is hardly behind");
        assert!(text.contains("factum_groups_left_out 1000"));
    }
}
