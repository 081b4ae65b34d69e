//! A little language for members of one group.
//!
//! ```text
//!   join NAME [first] [old] [skips] [static=I] [protocols=P,…] [type=T]   `first`: only the round that gives an id
//!   sync NAME [MEMBER=SHARE …] [generation=N] [protocol=P] [type=T]       leave NAME|- [static=I]
//!   beat NAME [generation=N] [static=I]    commit [NAME]    hangup NAME   wait TIME    show
//!   restart    storing fails    stable NAME …    session TIME   delay TIME   members N   metadata BYTES
//! ```

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use expect_test::Expect;
use factum_base::clock::Clock as _;
use factum_base::random::Random;
use factum_testkit::HeldClock;
use factum_types::{ByteSize, GroupId, Timestamp, units};

use crate::coordinator::group::{Group, Reply, Ticket};
use crate::coordinator::memory::GroupMemory;
use crate::coordinator::{CoordinatorError, JoinGroup, JoinResult, Leaving, Options, SyncGroup, SyncResult};

/// Runs `script` and compares what was answered.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "an expectation is written where it is used")]
pub(super) fn check(script: &str, expected: Expect) {
    let mut run = Run::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        run.line(line);
    }
    expected.assert_eq(&run.out);
}

/// What one client knows of itself.
#[derive(Default, Clone)]
struct Client {
    id: String,
    generation: i32,
    ticket: Option<Ticket>,
}

struct Run {
    group: Group,
    memory: Arc<GroupMemory>,
    options: Options,
    clock: HeldClock,
    random: Random,
    session: Duration,
    clients: BTreeMap<String, Client>,
    tickets: Ticket,
    out: String,
}

/// The words of a line: plain ones, and those with a value.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn has(&self, word: &str) -> bool {
        self.0.contains(&word)
    }

    fn value(&self, key: &str) -> Option<&'a str> {
        self.0.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix('='))
    }
}

impl Run {
    fn new() -> Self {
        let memory = GroupMemory::new(Options::default().memory);
        Self {
            group: Group::new(Arc::clone(&memory)),
            memory,
            options: Options::default(),
            clock: HeldClock::at(Timestamp::from_millis(0)),
            random: Random::seeded(1),
            session: Duration::from_secs(10),
            clients: BTreeMap::new(),
            tickets: 0,
            out: String::new(),
        }
    }

    fn line(&mut self, line: &str) {
        let words: Vec<_> = line.split_whitespace().collect();
        let (verb, name) = (words[0], words.get(1).copied().unwrap_or_default());
        let rest = Words(words.get(1..).unwrap_or_default().to_vec());
        match verb {
            "join" => self.join(name, &rest),
            "sync" => self.sync(name, &rest),
            "beat" => self.beat(name, &rest),
            "commit" => self.commit(name, &rest),
            "leave" => self.leave(name, &rest),
            "hangup" => self.hangup(name),
            "wait" => self.wait(units::duration::parse(name).expect("a time")),
            "show" => self.show(),
            "restart" => {
                self.group = Group::restore(self.group.stored(), Arc::clone(&self.memory), self.now());
            }
            "storing" => self.group.storing_failed(self.clock.monotonic()),
            "stable" => self.stable(&rest.0),
            "session" => self.session = units::duration::parse(name).expect("a time"),
            "delay" => self.options.initial_rebalance_delay = units::duration::parse(name).expect("a time"),
            "members" => self.options.max_members = name.parse().expect("a number"),
            "metadata" => self.options.max_group_metadata = ByteSize(name.parse().expect("a number")),
            other => panic!("{other} is no verb of the script"),
        }
        self.tell_replies();
    }

    fn now(&self) -> Instant {
        self.clock.monotonic()
    }

    fn tell(&mut self, name: &str, what: std::fmt::Arguments<'_>) {
        writeln!(self.out, "{name}: {what}").expect("a string takes it");
    }

    fn tell_result(&mut self, name: &str, done: &str, result: Result<(), CoordinatorError>) {
        match result {
            Ok(()) => self.tell(name, format_args!("{done}")),
            Err(error) => self.tell(name, format_args!("refused, {error}")),
        }
    }

    fn join(&mut self, name: &str, words: &Words<'_>) {
        self.send_join(name, words);
        self.tell_replies();
        let client = self.clients.get(name).cloned().unwrap_or_default();
        let has_id_only = client.ticket.is_none() && client.generation == 0 && !client.id.is_empty();
        if has_id_only && !words.has("first") && !words.has("old") && words.value("static").is_none() {
            self.send_join(name, words);
            self.tell_replies();
        }
        if self.clients.get(name).is_some_and(|client| client.ticket.is_some()) {
            self.tell(name, format_args!("waits"));
        }
    }

    fn send_join(&mut self, name: &str, words: &Words<'_>) {
        self.tickets += 1;
        let client = self.clients.entry(name.to_owned()).or_default();
        client.ticket = Some(self.tickets);
        let metadata = |protocol: &str| (protocol.to_owned(), Bytes::from(name.to_owned()));
        let request = JoinGroup {
            group: GroupId::new("g").expect("valid"),
            member_id: client.id.clone(),
            instance_id: words.value("static").map(str::to_owned),
            client_id: name.to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            session_timeout: self.session,
            rebalance_timeout: Duration::from_secs(60),
            protocol_type: words.value("type").unwrap_or("consumer").to_owned(),
            protocols: words.value("protocols").unwrap_or("range").split(',').map(metadata).collect(),
            requires_known_member_id: !words.has("old"),
            supports_skipping_assignment: words.has("skips"),
        };
        let uuid = self.random.uuid();
        self.group.join(request, self.tickets, uuid, &self.options, self.clock.monotonic());
    }

    fn sync(&mut self, name: &str, words: &Words<'_>) {
        self.tickets += 1;
        let known: BTreeMap<_, _> =
            self.clients.iter().map(|(name, c)| (name.clone(), c.id.clone())).collect();
        let share = |word: &&str| {
            let (member, share) = word.split_once('=')?;
            Some((known.get(member)?.clone(), Bytes::from(share.to_owned())))
        };
        let client = self.clients.entry(name.to_owned()).or_default();
        client.ticket = Some(self.tickets);
        let request = SyncGroup {
            group: GroupId::new("g").expect("valid"),
            generation: words.value("generation").map_or(client.generation, |n| n.parse().expect("a number")),
            member_id: client.id.clone(),
            instance_id: words.value("static").map(str::to_owned),
            protocol_type: words.value("type").map(str::to_owned),
            protocol: words.value("protocol").map(str::to_owned),
            assignments: words.0.iter().filter_map(share).collect(),
        };
        self.group.sync(request, self.tickets, &self.options, self.clock.monotonic());
        self.tell_replies();
        if self.clients.get(name).is_some_and(|client| client.ticket.is_some()) {
            self.tell(name, format_args!("waits"));
        }
    }

    fn beat(&mut self, name: &str, words: &Words<'_>) {
        let client = self.clients.get(name).cloned().unwrap_or_default();
        let generation =
            words.value("generation").map_or(client.generation, |n| n.parse().expect("a number"));
        let now = self.now();
        let result = self.group.heartbeat(generation, &client.id, words.value("static"), now);
        self.tell_result(name, "alive", result);
    }

    fn commit(&mut self, name: &str, words: &Words<'_>) {
        let client = match self.clients.get(name) {
            Some(client) => client.clone(),
            None => Client { generation: -1, ..Client::default() },
        };
        let generation =
            words.value("generation").map_or(client.generation, |n| n.parse().expect("a number"));
        let now = self.now();
        let result = self.group.check_commit(generation, &client.id, words.value("static"), now);
        self.tell_result(if name.is_empty() { "outsider" } else { name }, "may commit", result);
    }

    fn leave(&mut self, name: &str, words: &Words<'_>) {
        let member_id = self.clients.get(name).map(|client| client.id.clone()).unwrap_or_default();
        let leaving = Leaving { member_id, instance_id: words.value("static").map(str::to_owned) };
        let now = self.now();
        let result = self.group.leave(&[leaving], now).remove(0);
        self.tell_result(name, "left", result);
    }

    fn hangup(&mut self, name: &str) {
        let ticket = self.clients.get_mut(name).and_then(|client| client.ticket.take());
        let now = self.now();
        self.group.abandon(ticket.expect("it waits"), now);
    }

    /// Lets time pass, stopping wherever the group has something to do.
    fn wait(&mut self, time: Duration) {
        let end = self.now() + time;
        while let Some(next) = self.group.next_deadline().filter(|next| *next <= end) {
            self.clock.advance(next.saturating_duration_since(self.now()));
            let now = self.now();
            self.group.expire(now);
            assert!(self.group.next_deadline().is_none_or(|later| later > next), "a deadline stands still");
        }
        self.clock.advance(end.saturating_duration_since(self.now()));
    }

    fn show(&mut self) {
        let leader = self.group.stored().leader;
        let name = |id: &str| {
            let found = self.clients.iter().find(|(_, client)| client.id == id);
            found.map_or_else(|| "?".to_owned(), |(name, _)| name.clone())
        };
        let mut line = format!("{} {}", self.group.state(), self.group.stored().generation);
        for member in self.group.members() {
            let mark = if leader.as_ref() == Some(&member.id) { "*" } else { "" };
            write!(line, " {}{mark}", name(&member.id)).expect("a string takes it");
            if !member.assignment.is_empty() {
                write!(line, "={}", String::from_utf8_lossy(&member.assignment)).expect("a string takes it");
            }
        }
        writeln!(self.out, "{line}").expect("a string takes it");
    }

    /// Members in their first generation, each with a share named after its place; says nothing.
    fn stable(&mut self, names: &[&str]) {
        let out = std::mem::take(&mut self.out);
        self.options.initial_rebalance_delay = Duration::from_secs(1);
        for name in names {
            self.join(name, &Words(vec![]));
        }
        self.wait(Duration::from_secs(2));
        self.options.initial_rebalance_delay = Duration::ZERO;
        self.tell_replies();
        let shares: Vec<_> = names.iter().enumerate().map(|(at, name)| format!("{name}={at}")).collect();
        for name in names.iter().rev() {
            self.sync(name, &Words(shares.iter().map(String::as_str).collect()));
        }
        self.out = out;
    }

    fn tell_replies(&mut self) {
        let mut told: Vec<(String, String)> = Vec::new();
        for reply in self.group.take_outcome().replies {
            let ticket = match &reply {
                Reply::Join(ticket, _) | Reply::Sync(ticket, _) => *ticket,
            };
            let found = self.clients.iter().find(|(_, client)| client.ticket == Some(ticket));
            let name = found.map_or_else(|| "?".to_owned(), |(name, _)| name.clone());
            if let Some(client) = self.clients.get_mut(&name) {
                client.ticket = None;
            }
            told.push(match reply {
                Reply::Join(_, result) => self.joined(name, result),
                Reply::Sync(_, result) => synced(name, result),
            });
        }
        for (name, what) in told {
            self.tell(&name, format_args!("{what}"));
        }
    }

    fn joined(&mut self, name: String, result: Result<JoinResult, CoordinatorError>) -> (String, String) {
        let client = self.clients.entry(name.clone()).or_default();
        let joined = match result {
            Err(CoordinatorError::MemberIdRequired { member_id }) => {
                client.id = member_id;
                return (name, "member id given".to_owned());
            }
            Err(error) => return (name, format!("refused, {error}")),
            Ok(joined) => joined,
        };
        client.id = joined.member_id;
        client.generation = joined.generation;
        let client_of = |id: &str| id[..id.len() - 37].to_owned();
        let mut line = format!(
            "joined {} leader={} protocol={}",
            joined.generation,
            client_of(&joined.leader),
            joined.protocol.unwrap_or_default()
        );
        if !joined.members.is_empty() {
            let names =
                joined.members.iter().map(|member| String::from_utf8_lossy(&member.metadata).into_owned());
            write!(line, " members={}", names.collect::<Vec<_>>().join(" ")).expect("a string takes it");
        }
        if joined.skip_assignment {
            line.push_str(" keeps the assignment");
        }
        (name, line)
    }
}

fn synced(name: String, result: Result<SyncResult, CoordinatorError>) -> (String, String) {
    match result {
        Ok(synced) => (name, format!("synced {}", String::from_utf8_lossy(&synced.assignment))),
        Err(error) => (name, format!("refused, {error}")),
    }
}
