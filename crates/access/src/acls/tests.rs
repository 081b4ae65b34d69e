//! The rules against a model that walks all of them.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

use factum_types::Principal;
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::acl::CLUSTER;

/// What Kafka's documentation says, rule by rule.
fn walk(acls: &[Acl], client: Client<'_>, operation: Operation, of: ResourceType, name: &str) -> Verdict {
    let about: Vec<_> = acls.iter().filter(|acl| applies(&acl.resource, of, name)).collect();
    let mine = || about.iter().filter(|acl| concerns(acl, client));
    let denies = |acl: &&&Acl| {
        acl.permission == Permission::Deny && [operation, Operation::All].contains(&acl.operation)
    };
    if mine().any(|acl| denies(&acl)) {
        return Verdict::Denied;
    }
    let allows = |acl: &&&Acl| acl.permission == Permission::Allow && implies(acl.operation, operation);
    match mine().any(|acl| allows(&acl)) {
        true => Verdict::Allowed,
        false => Verdict::Silent { is_ruled: !about.is_empty() },
    }
}

fn applies(resource: &ResourcePattern, of: ResourceType, name: &str) -> bool {
    resource.resource_type == of
        && match resource.pattern_type {
            PatternType::Literal => &*resource.name == name || &*resource.name == "*",
            PatternType::Prefixed => name.starts_with(&*resource.name),
        }
}

fn concerns(acl: &Acl, client: Client<'_>) -> bool {
    let is_host = match acl.host {
        Host::Any => true,
        Host::Address(address) => client.address == Some(address),
    };
    is_host && ["User:*", client.principal.as_str()].contains(&&*acl.principal)
}

fn implies(allowed: Operation, asked: Operation) -> bool {
    use Operation::*;
    allowed == asked
        || allowed == All
        || asked == Describe && [Read, Write, Delete, Alter].contains(&allowed)
        || asked == DescribeConfigs && allowed == AlterConfigs
}

/// Whether some name of those that rules could be about may be used; the model of `allows_with_some`.
fn walk_names(acls: &[Acl], client: Client<'_>, operation: Operation, of: ResourceType) -> bool {
    // Names that no literal rule has stand for what a prefix leaves open.
    let beyond = |acl: &Acl| format!("{}~", acl.resource.name);
    let names = acls.iter().flat_map(|acl| [acl.resource.name.to_string(), beyond(acl)]);
    names.filter(|name| name != "*").any(|name| walk(acls, client, operation, of, &name) == Verdict::Allowed)
}

fn host(last: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))
}

fn names() -> impl Strategy<Value = &'static str> {
    select(vec!["*", "a", "ab", "abc", "abd", "b", "é", "éa", "è", "store.", "store.orders", "store.x"])
}

fn rules() -> impl Strategy<Value = Acl> {
    (
        select(vec![ResourceType::Topic, ResourceType::Group]),
        select(PatternType::ALL.to_vec()),
        names(),
        select(vec!["User:*", "User:a", "User:b"]),
        select(vec![Host::Any, Host::Address(host(1)), Host::Address(host(2))]),
        select(Operation::ALL.to_vec()),
        select(Permission::ALL.to_vec()),
    )
        .prop_map(|(resource_type, pattern_type, name, principal, host, operation, permission)| Acl {
            resource: ResourcePattern { resource_type, pattern_type, name: name.into() },
            principal: principal.into(),
            host,
            operation,
            permission,
        })
}

proptest! {
    #[test]
    fn a_lookup_finds_as_much_as_a_walk_over_all_rules(
        mut all in prop::collection::vec(rules(), 0..40),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        name in names(),
        principal in select(vec!["User:a", "User:b", "User:c", "User:*"]),
        last in 1_u8..4,
        operation in select(Operation::ALL.to_vec()),
    ) {
        let acls = Acls::default();
        all.sort_unstable();
        all.dedup();
        for acl in &all {
            prop_assert!(acls.insert(acl));
            prop_assert!(!acls.insert(acl), "it is there already");
        }
        for index in removed {
            if !all.is_empty() {
                let acl = all.remove(index.index(all.len()));
                prop_assert!(acls.remove(&acl));
                prop_assert!(!acls.remove(&acl), "it is gone already");
            }
        }
        prop_assert_eq!(acls.len(), all.len());
        prop_assert_eq!(acls.list(&AclFilter::default()), all.clone());
        let principal = Principal::new(principal);
        let client = Client::at(&principal, host(last));
        for of in [ResourceType::Topic, ResourceType::Group, ResourceType::Cluster] {
            let expected = walk(&all, client, operation, of, name);
            prop_assert_eq!(acls.decide(client, operation, of, name), expected, "{} {}", of, name);
            let some = walk_names(&all, client, operation, of);
            prop_assert_eq!(acls.allows_with_some(client, operation, of), some, "some {}", of);
        }
    }

    #[test]
    fn a_filter_lists_as_much_as_a_walk_over_all_rules(
        mut all in prop::collection::vec(rules(), 0..40),
        like in rules(),
        pattern in select(vec![
            crate::PatternFilter::Any, crate::PatternFilter::Match, crate::PatternFilter::Only(PatternType::Literal),
            crate::PatternFilter::Only(PatternType::Prefixed),
        ]),
        given in any::<[bool; 6]>(),
    ) {
        let acls = Acls::default();
        all.sort_unstable();
        all.dedup();
        for acl in &all {
            acls.insert(acl);
        }
        let filter = AclFilter {
            resource_type: given[0].then_some(like.resource.resource_type),
            name: given[1].then(|| like.resource.name.to_string()),
            pattern,
            principal: given[2].then(|| like.principal.to_string()),
            host: given[3].then(|| like.host.to_string()),
            operation: given[4].then_some(like.operation),
            permission: given[5].then_some(like.permission),
        };
        all.retain(|acl| filter.matches(acl));
        prop_assert_eq!(acls.list(&filter), all);
    }
}

#[test]
fn a_name_matches_as_in_kafka() {
    let rule = |pattern_type, name: &str| Acl {
        resource: ResourcePattern { resource_type: ResourceType::Topic, pattern_type, name: name.into() },
        principal: "User:a".into(),
        host: Host::Any,
        operation: Operation::Read,
        permission: Permission::Allow,
    };
    let named =
        |name: &str, pattern| AclFilter { name: Some(name.to_owned()), pattern, ..AclFilter::default() };
    use crate::PatternFilter::{Any, Match, Only};
    for (wanted, pattern, matched) in [
        ("orders", Any, vec!["literal orders", "prefixed orders"]),
        ("orders", Match, vec!["literal *", "literal orders", "prefixed or", "prefixed orders"]),
        ("orders", Only(PatternType::Prefixed), vec!["prefixed orders"]),
        ("*", Only(PatternType::Literal), vec!["literal *"]),
        ("ord", Match, vec!["literal *", "prefixed or"]),
    ] {
        let acls = Acls::default();
        for (pattern, name) in [
            (PatternType::Literal, "orders"),
            (PatternType::Literal, "*"),
            (PatternType::Prefixed, "or"),
            (PatternType::Prefixed, "orders"),
        ] {
            acls.insert(&rule(pattern, name));
        }
        let found = acls.list(&named(wanted, pattern)).into_iter();
        let found = found.map(|acl| format!("{} {}", acl.resource.pattern_type, acl.resource.name));
        assert_eq!(found.collect::<Vec<_>>(), matched, "{wanted} {pattern:?}");
    }
    assert!(rule(PatternType::Literal, "").check().is_err());
    let mut cluster = rule(PatternType::Literal, "other");
    cluster.resource.resource_type = ResourceType::Cluster;
    assert!(cluster.check().is_err());
    cluster.resource.name = CLUSTER.into();
    assert_eq!(cluster.check(), Ok(()));
}

/// A measurement: `cargo test -p factum-access --release -- --ignored --nocapture`.
#[test]
#[ignore = "prints times, asserts none"]
#[expect(clippy::disallowed_methods, reason = "it measures")]
fn a_lookup_among_a_hundred_thousand_rules() {
    for (title, literal) in [("literal names", true), ("prefixes", false)] {
        let acls = Acls::default();
        for n in 0..100_000_u32 {
            let pattern_type = if literal { PatternType::Literal } else { PatternType::Prefixed };
            let name = format!("team-{}.topic-{n}", n % 100).into();
            acls.insert(&Acl {
                resource: ResourcePattern { resource_type: ResourceType::Topic, pattern_type, name },
                principal: format!("User:user-{}", n % 1_000).into(),
                host: Host::Any,
                operation: Operation::Read,
                permission: Permission::Allow,
            });
        }
        let principal = Principal::new("User:user-345");
        let client = Client::at(&principal, host(1));
        let began = Instant::now();
        let mut allowed = 0_u32;
        for n in 0..100_000_u32 {
            let name = format!("team-{}.topic-{n}", n % 100);
            let verdict = acls.decide(client, Operation::Read, ResourceType::Topic, &name);
            allowed += u32::from(verdict == Verdict::Allowed);
        }
        let each = began.elapsed() / 100_000;
        eprintln!("{title}: {each:?} a lookup among {} rules, {allowed} allowed", acls.len());
    }
}
