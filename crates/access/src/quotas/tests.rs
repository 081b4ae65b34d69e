use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use factum_base::clients::ClientAddress;
use factum_testkit::HeldClock;
use factum_types::Timestamp;

use super::*;
use crate::quota::{QuotaMatch, QuotaPart};

const KEY: QuotaKey = QuotaKey::ProducerByteRate;

fn entity(parts: &[(&str, Option<&str>)]) -> QuotaEntity {
    QuotaEntity::from_parts(parts.iter().copied()).expect("an entity")
}

fn set(quotas: &Quotas, parts: &[(&str, Option<&str>)], key: QuotaKey, value: f64) {
    let entity = entity(parts);
    let mut limits = quotas.get(&entity);
    limits.set(key, Some(value));
    quotas.set(&entity, limits);
}

/// Every entity, from the closest to the client `ann`, `app` on.
const LEVELS: [&[(&str, Option<&str>)]; 8] = [
    &[("user", Some("ann")), ("client-id", Some("app"))],
    &[("user", Some("ann")), ("client-id", None)],
    &[("user", Some("ann"))],
    &[("user", None), ("client-id", Some("app"))],
    &[("user", None), ("client-id", None)],
    &[("user", None)],
    &[("client-id", Some("app"))],
    &[("client-id", None)],
];

#[test]
fn the_closest_quota_with_the_key_goes() {
    let quotas = Quotas::default();
    assert_eq!(quotas.find("ann", "app", KEY), None);
    for (level, parts) in LEVELS.iter().enumerate().rev() {
        // Another key of a closer one is in no one's way.
        set(&quotas, LEVELS[0], QuotaKey::ConsumerByteRate, 1.0);
        set(&quotas, parts, KEY, 100.0 + level as f64);
        let found = quotas.find("ann", "app", KEY).expect("limited");
        assert_eq!((found.bound, &found.entity), (100.0 + level as f64, &entity(parts)), "{level}");
        let scope = match parts {
            [_, _] => Scope::UserAndClientId,
            [("user", _)] => Scope::User,
            _ => Scope::ClientId,
        };
        assert_eq!(found.scope, scope);
    }
    // Of others, what is about them.
    let bound = |user, client_id| quotas.find(user, client_id, KEY).map(|found| found.bound);
    assert_eq!(bound("ann", "other"), Some(101.0));
    assert_eq!(bound("bob", "app"), Some(103.0));
    assert_eq!(bound("bob", ""), Some(104.0));
    for parts in LEVELS {
        quotas.set(&entity(parts), QuotaLimits::default());
    }
    assert_eq!(bound("ann", "app"), None);
    assert!(quotas.is_empty() && !quotas.has_limits(KEY));
    assert!(!quotas.has_limits(QuotaKey::ConsumerByteRate));
    assert!(quotas.0.index.read().users.named.is_empty());
}

#[test]
fn filters_mean_entities_that_have_their_parts() {
    let quotas = Quotas::default();
    for parts in LEVELS {
        set(&quotas, parts, KEY, 1.0);
    }
    set(&quotas, &[("ip", Some("10.0.0.1"))], QuotaKey::ConnectionCreationRate, 1.0);
    let count = |parts: &[(QuotaPart, QuotaMatch)], is_strict| {
        quotas.list(&QuotaFilter { parts: parts.to_vec(), is_strict }).len()
    };
    let (user, client_id) = (QuotaPart::User, QuotaPart::ClientId);
    let ann = || (user, QuotaMatch::Name("ann".to_owned()));
    assert_eq!((count(&[], false), count(&[], true)), (9, 0));
    assert_eq!((count(&[ann()], false), count(&[ann()], true)), (3, 1));
    assert_eq!(count(&[ann(), (client_id, QuotaMatch::Any)], true), 2);
    assert_eq!(count(&[(user, QuotaMatch::Default), (client_id, QuotaMatch::Default)], false), 1);
    let same = QuotaMatch::Name("::ffff:10.0.0.1".to_owned());
    assert_eq!(count(&[(QuotaPart::Ip, same)], true), 1);
}

struct Rig {
    clock: HeldClock,
    quotas: Quotas,
    meters: QuotaMeters,
}

impl Rig {
    fn new() -> Self {
        let clock = HeldClock::at(Timestamp::from_millis(0));
        let quotas = Quotas::default();
        let meters = QuotaMeters::new(quotas.clone(), Arc::new(clock.clone()));
        Self { clock, quotas, meters }
    }

    fn charge(&self, user: &str, client_id: &str, address: u8, amount: f64) -> Duration {
        let address = ClientAddress::from(IpAddr::V4(Ipv4Addr::new(10, 0, 0, address)));
        self.meters.charge(QuotaClient { user, client_id, address }, KEY, amount)
    }
}

#[test]
fn clients_of_one_quota_do_not_use_each_others() {
    let rig = Rig::new();
    assert_eq!(rig.charge("ann", "app", 1, 1e12), Duration::ZERO, "there is no quota yet");
    set(&rig.quotas, &[("user", None)], KEY, 100.0);
    assert_eq!(rig.charge("ann", "app", 1, 1_000.0), Duration::ZERO);
    assert_eq!(
        rig.charge("ann", "other", 1, 500.0),
        Duration::from_secs(5),
        "a user has it with all client ids"
    );
    assert_eq!(rig.charge("bob", "app", 1, 1_000.0), Duration::ZERO);
    set(&rig.quotas, &[("user", Some("bob")), ("client-id", None)], KEY, 10.0);
    assert_eq!(rig.charge("bob", "app", 1, 150.0), Duration::from_secs(5));
    assert_eq!(rig.charge("bob", "other", 1, 100.0), Duration::ZERO, "each client id has it");
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!(
        rig.charge("ann", "app", 1, 0.0),
        Duration::from_secs(5),
        "time alone is no credit within the windows"
    );
    rig.clock.advance(Duration::from_secs(6));
    assert_eq!(rig.charge("ann", "app", 1, 0.0), Duration::ZERO);
    assert_eq!(rig.charge("ann", "app", 1, 1e30), LONGEST_WAIT);
}

const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[test]
fn invented_client_ids_share_a_meter_and_leave_others_theirs() {
    let rig = Rig::new();
    set(&rig.quotas, &[("client-id", None)], KEY, 100.0);
    let waits = (0..MAX_METERS).filter(|n| rig.charge("ann", &format!("id-{n}"), 1, 900.0) > Duration::ZERO);
    assert_eq!(waits.count(), MAX_METERS / 2 - 1, "half have their own, and the others share one");
    assert!(rig.charge("ann", &"n".repeat(256), 2, 1.0) > Duration::ZERO, "a long one shares it too");
    assert_eq!(rig.charge("bob", "app", 2, 900.0), Duration::ZERO, "there is room for another address");
    assert_eq!(rig.meters.table.lock().meters.len(), MAX_METERS / 2 + 1);
    rig.clock.advance(Duration::from_secs(11));
    assert_eq!(rig.charge("ann", "new", 1, 900.0), Duration::ZERO);
    let table = rig.meters.table.lock();
    assert_eq!(
        (table.meters.len(), table.by_address.len(), table.shared.len()),
        (1, 1, 0),
        "idle ones are forgotten"
    );
}

#[test]
fn connections_of_an_address_are_limited_and_those_that_wait_do_not_count() {
    let rig = Rig::new();
    let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
    assert_eq!(rig.meters.connect(one), Ok(()));
    set(&rig.quotas, &[("ip", Some("10.0.0.1"))], QuotaKey::ConnectionCreationRate, 2.0);
    for _ in 0..20 {
        assert_eq!(rig.meters.connect(one), Ok(()));
        assert_eq!(rig.meters.connect(other), Ok(()));
    }
    for _ in 0..100 {
        assert_eq!(rig.meters.connect(one), Err(Duration::from_millis(500)));
    }
    assert_eq!(
        rig.meters.connect(IpAddr::V6(Ipv4Addr::new(10, 0, 0, 1).to_ipv6_mapped())),
        Err(Duration::from_millis(500))
    );
    rig.clock.advance(Duration::from_millis(500));
    assert_eq!(rig.meters.connect(one), Ok(()));
    // One host may have every address of its network.
    set(&rig.quotas, &[("ip", None)], QuotaKey::ConnectionCreationRate, 1.0);
    let of_network = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
    let admitted = (0..100).filter(|last| rig.meters.connect(of_network(*last)).is_ok()).count();
    assert_eq!(admitted, 10);
}

#[test]
fn changes_of_topics_are_refused_when_none_are_left() {
    let rig = Rig::new();
    let address = ClientAddress::UNKNOWN;
    let client = QuotaClient { user: "ann", client_id: "", address };
    assert_eq!(rig.meters.spend(client, 1e9), Ok(()));
    set(&rig.quotas, &[("user", Some("ann"))], QuotaKey::ControllerMutationRate, 2.0);
    assert_eq!(rig.meters.spend(client, 30.0), Ok(()), "a burst may go beyond");
    assert_eq!(rig.meters.spend(client, 1.0), Err(Duration::from_secs(4)));
    assert_eq!(rig.meters.overspend(client, 2.0), Duration::from_secs(5));
    rig.clock.advance(Duration::from_secs(5));
    assert_eq!(rig.meters.spend(client, 1.0), Ok(()));
}
