//! The memory of all groups: who can use up how much of it, and what goes on when it is used up.

use bytes::Bytes;
use factum_types::ByteSize;

use super::memory_log::MemoryLog;
use super::rig::{self, Rig, commit, group, join, offsets, sync};
use crate::coordinator::memory::client_of;
use crate::coordinator::{
    Commit, CoordinatorError, GroupState, JoinGroup, Leaving, MemoryLimitError, Options,
};

const MEMORY: ByteSize = ByteSize(200_000);

fn small() -> Rig {
    Rig::with(MemoryLog::new(), options(), Rig::held_clock())
}

fn options() -> Options {
    Options { memory: MEMORY, ..Options::default() }
}

/// A join with 1,000 bytes of subscription.
fn join_from(host: &str, group: &str) -> JoinGroup {
    let protocols = vec![("range".to_owned(), Bytes::from(vec![b'm'; 1_000]))];
    JoinGroup { client_host: host.to_owned(), protocols, ..join(group, "a") }
}

/// An offset with a note of 1,000 bytes.
fn commit_from(host: &str, group: &str, offset: i64) -> Commit {
    let mut commit = Commit { client: client_of(host), ..commit(group, None, "t", offset) };
    commit.offsets[0].1.metadata = Some("n".repeat(1_000));
    commit
}

fn is_limit_of_client(error: &CoordinatorError) -> bool {
    matches!(
        error,
        CoordinatorError::NoMemoryForMember(MemoryLimitError::OfClient { limit: 100_000 })
            | CoordinatorError::NoMemoryForOffsets(MemoryLimitError::OfClient { limit: 100_000 })
    )
}

/// Joins one group after the other from one address until that is refused; gives how many were joined.
async fn fill_with_members(rig: &Rig) -> usize {
    for n in 0..1_000 {
        match rig.groups.join(join_from("/10.0.0.1", &format!("g{n}"))).await {
            Ok(_) => {}
            Err(error) if is_limit_of_client(&error) => return n,
            Err(error) => panic!("not {error}"),
        }
    }
    panic!("a thousand groups were joined")
}

#[tokio::test]
async fn members_of_one_address_leave_memory_for_others() {
    let rig = small();
    let count = fill_with_members(&rig).await;
    assert!(count > 10, "{count} groups were joined");
    assert_eq!(rig.groups.list().len(), count, "a refused join makes no group");
    let refused = rig.groups.commit(commit_from("/10.0.0.1", "offsets", 1)).await.expect_err("refused");
    assert!(is_limit_of_client(&refused), "{refused}");

    let joined = rig.groups.join(join_from("/10.0.0.2", "other")).await.expect("joined");
    let assignment = vec![(joined.member_id.clone(), Bytes::from_static(b"all"))];
    rig.groups.sync(sync("other", &joined.member_id, 1, assignment)).await.expect("synced");
    rig.groups.commit(commit("other", Some((&joined.member_id, 1)), "t", 7)).await.expect("committed");

    let first = rig.groups.describe(&group("g0")).members.remove(0).member_id;
    rig.groups.heartbeat(&group("g0"), 1, &first, None).expect("alive");
    let leaving = Leaving { member_id: first, instance_id: None };
    rig.groups.leave(&group("g0"), vec![leaving]).await.expect("stored")[0].as_ref().expect("left");
    rig.groups.delete(&group("g0")).await.expect("deleted");
    rig.groups.join(join_from("/10.0.0.1", "next")).await.expect("what was given back");
}

#[tokio::test]
async fn one_address_leaves_groups_for_others() {
    let options = Options { max_groups: 4, ..Options::default() };
    let rig = Rig::with(MemoryLog::new(), options, Rig::held_clock());
    for name in ["a", "b", "c"] {
        rig.groups.commit(commit_from("/10.0.0.1", name, 1)).await.expect("committed");
    }
    let refused = rig.groups.commit(commit_from("/10.0.0.1", "d", 1)).await.expect_err("refused");
    assert!(matches!(refused, CoordinatorError::TooManyGroupsOfClient { limit: 3 }), "{refused}");
    rig.groups.commit(commit_from("/10.0.0.2", "d", 1)).await.expect("another address");
    rig.groups.delete(&group("a")).await.expect("deleted");
    rig.groups.commit(commit_from("/10.0.0.1", "e", 1)).await.expect("what was given back");
}

#[tokio::test]
async fn members_that_come_and_go_leave_nothing() {
    let rig = small();
    for n in 0..500 {
        let name = format!("g{n}");
        let joined = rig.groups.join(join_from("/10.0.0.1", &name)).await.expect("joined");
        let leaving = Leaving { member_id: joined.member_id, instance_id: None };
        rig.groups.leave(&group(&name), vec![leaving]).await.expect("stored")[0].as_ref().expect("left");
        rig.groups.delete(&group(&name)).await.expect("deleted");
    }
    assert_eq!((rig.groups.0.memory.bytes(), rig.groups.0.timers.len()), (0, 0));
}

#[tokio::test]
async fn ids_that_are_never_used_are_counted_until_they_lapse() {
    let rig = small();
    let mut refused = None;
    for _ in 0..2_000 {
        let error =
            rig.groups.join(rig::with_given_id("g", &"c".repeat(200))).await.expect_err("no member yet");
        if !matches!(error, CoordinatorError::MemberIdRequired { .. }) {
            refused = Some(error);
            break;
        }
    }
    assert!(refused.as_ref().is_some_and(is_limit_of_client), "{refused:?}");
    rig.clock.advance(std::time::Duration::from_secs(11));
    rig.groups.0.expire_due(rig.now());
    assert_eq!(rig.groups.0.memory.bytes(), 0);
}

#[tokio::test]
async fn offsets_that_only_move_are_kept_whatever_is_taken() {
    let rig = small();
    let mut groups = 0;
    let refused = loop {
        match rig.groups.commit(commit_from("/10.0.0.1", &format!("g{groups}"), 1)).await {
            Ok(()) => groups += 1,
            Err(error) => break error,
        }
    };
    assert!(is_limit_of_client(&refused), "{refused}");
    rig.groups.commit(commit_from("/10.0.0.1", "g0", 2)).await.expect("it only moves");
    rig.groups.commit(commit("g0", None, "t", 3)).await.expect("it takes less, for another address");
    let refused = rig.groups.commit(commit("g0", None, "u", 3)).await;
    refused.expect("another address has memory");
    assert_eq!(offsets(&rig.groups, "g0").await, "t/0=3 note, u/0=3 note");
    rig.groups.delete(&group("g1")).await.expect("deleted");
    rig.groups.commit(commit_from("/10.0.0.1", "next", 1)).await.expect("what was given back");
}

#[tokio::test]
async fn stored_groups_are_read_back_beyond_the_limit() {
    let large = Rig::new();
    let mut ids = Vec::new();
    for n in 0..50 {
        let name = format!("g{n}");
        let joined = large.groups.join(join_from("/10.0.0.1", &name)).await.expect("joined");
        let assignment = vec![(joined.member_id.clone(), Bytes::from(vec![b'a'; 4_000]))];
        large.groups.sync(sync(&name, &joined.member_id, 1, assignment)).await.expect("synced");
        let commit = commit(&name, Some((&joined.member_id, 1)), "t", 7);
        large.groups.commit(commit).await.expect("committed");
        ids.push(joined.member_id);
    }
    let rig = Rig::with(large.log.clone(), options(), Rig::held_clock());
    assert!(rig.groups.0.memory.bytes() > 400_000, "{}", rig.groups.0.memory.bytes());
    for (n, id) in ids.iter().enumerate() {
        let name = format!("g{n}");
        rig.groups.heartbeat(&group(&name), 1, id, None).expect("alive");
        rig.groups.commit(commit(&name, Some((id, 1)), "t", 8)).await.expect("it only moves");
        assert_eq!(offsets(&rig.groups, &name).await, "t/0=8 note");
    }
    let again = JoinGroup { member_id: ids[0].clone(), ..join_from("/10.0.0.1", "g0") };
    let joined = rig.groups.join(again).await.expect("no more than before");
    let larger = vec![(ids[0].clone(), Bytes::from(vec![b'a'; 4_001]))];
    let refused = rig.groups.sync(sync("g0", &ids[0], joined.generation, larger)).await.expect_err("growth");
    assert!(
        matches!(refused, CoordinatorError::NoMemoryForMember(MemoryLimitError::OfAll { .. })),
        "{refused}"
    );
    let same = vec![(ids[0].clone(), Bytes::from(vec![b'a'; 4_000]))];
    rig.groups.sync(sync("g0", &ids[0], joined.generation, same)).await.expect("no more than before");
    assert_eq!(rig.groups.describe(&group("g0")).state, GroupState::Stable);
    let refused = rig.groups.join(join_from("/10.0.0.9", "new")).await.expect_err("growth");
    assert!(
        matches!(refused, CoordinatorError::NoMemoryForMember(MemoryLimitError::OfAll { .. })),
        "{refused}"
    );
    let refused = rig.groups.commit(commit_from("/10.0.0.9", "new", 1)).await.expect_err("growth");
    assert!(
        matches!(refused, CoordinatorError::NoMemoryForOffsets(MemoryLimitError::OfAll { .. })),
        "{refused}"
    );
}
