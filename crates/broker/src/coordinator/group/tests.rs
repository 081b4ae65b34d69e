//! Groups as their members see them, in scripts: one line in, the responses out.

mod invariants;
mod script;

use expect_test::expect;

use self::script::check;

#[test]
fn one_member_gets_everything_at_once() {
    check(
        "
        join a
        sync a a=0,1
        beat a
        show
        ",
        expect![[r#"
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: synced 0,1
            a: alive
            Stable 1 a*=0,1
        "#]],
    );
}

#[test]
fn a_second_member_makes_the_first_join_anew() {
    check(
        "
        join a
        sync a a=0,1
        join b
        beat a
        join a
        sync b
        sync a a=0 b=1
        beat b
        ",
        expect![[r#"
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: synced 0,1
            b: member id given
            b: waits
            a: refused, the group is rebalancing
            a: joined 2 leader=a protocol=range members=a b
            b: joined 2 leader=a protocol=range
            b: waits
            a: synced 0
            b: synced 1
            b: alive
        "#]],
    );
}

#[test]
fn a_silent_member_is_taken_out() {
    check(
        "
        stable a b
        wait 9s
        beat a
        wait 2s
        show
        join a
        sync a a=0,1
        show
        ",
        expect![[r#"
            a: alive
            PreparingRebalance 1 a*=0
            a: joined 2 leader=a protocol=range members=a
            a: synced 0,1
            Stable 2 a*=0,1
        "#]],
    );
}

#[test]
fn members_that_do_not_rejoin_in_time_are_removed() {
    check(
        "
        session 600s
        stable a b
        join c
        join a
        show
        wait 60s
        sync c
        sync a a=0 c=1
        beat b
        show
        ",
        expect![[r#"
            c: member id given
            c: waits
            a: waits
            PreparingRebalance 1 a*=0 b=1 c
            a: joined 2 leader=a protocol=range members=a c
            c: joined 2 leader=a protocol=range
            c: waits
            a: synced 0
            c: synced 1
            b: refused, the group has no such member
            Stable 2 a*=0 c=1
        "#]],
    );
}

#[test]
fn a_member_that_never_syncs_is_taken_out() {
    check(
        "
        session 600s
        stable a b
        join a
        join b
        sync a a=0 b=1
        wait 60s
        show
        ",
        expect![[r#"
            a: waits
            a: joined 2 leader=a protocol=range members=a b
            b: joined 2 leader=a protocol=range
            a: synced 0
            PreparingRebalance 2 a*=0
        "#]],
    );
}

#[test]
fn a_leader_that_goes_is_followed_by_another() {
    check(
        "
        stable a b
        leave a
        show
        join b
        sync b b=0,1
        leave b
        show
        ",
        expect![[r#"
            a: left
            PreparingRebalance 1 b*=1
            b: joined 2 leader=b protocol=range members=b
            b: synced 0,1
            b: left
            Empty 3
        "#]],
    );
}

#[test]
fn members_that_the_leader_leaves_out_get_an_empty_assignment() {
    check(
        "
        stable a b
        join a
        join b
        sync a a=0,1
        sync b
        show
        ",
        expect![[r#"
            a: waits
            a: joined 2 leader=a protocol=range members=a b
            b: joined 2 leader=a protocol=range
            a: synced 0,1
            b: synced 
            Stable 2 a*=0,1 b
        "#]],
    );
}

#[test]
fn an_old_generation_is_refused() {
    check(
        "
        stable a b
        beat a generation=0
        sync a generation=0
        commit a generation=0
        commit a
        commit
        sync a protocol=sticky
        sync a type=connect
        beat stranger
        ",
        expect![[r#"
            a: refused, generation 0 is not the group's, which is 1
            a: refused, generation 0 is not the group's, which is 1
            a: refused, generation 0 is not the group's, which is 1
            a: may commit
            outsider: refused, the group has no such member
            a: refused, the member's protocols do not fit those of the group
            a: refused, the member's protocols do not fit those of the group
            stranger: refused, the group has no such member
        "#]],
    );
}

#[test]
fn offsets_wait_for_the_share() {
    check(
        "
        commit
        join a
        commit a
        sync a a=0
        commit a
        commit
        leave a
        commit
        commit a
        ",
        expect![[r#"
            outsider: may commit
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: refused, the group is rebalancing
            a: synced 0
            a: may commit
            outsider: refused, the group has no such member
            a: left
            outsider: may commit
            a: refused, the group has no such member
        "#]],
    );
}

#[test]
fn the_votes_choose_the_protocol() {
    check(
        "
        join a protocols=range,sticky
        sync a
        join b protocols=sticky,range
        join c protocols=sticky
        join d protocols=range
        join e type=connect
        join a protocols=range,sticky
        sync a
        ",
        expect![[r#"
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: synced 
            b: member id given
            b: waits
            c: member id given
            c: waits
            d: refused, the member's protocols do not fit those of the group
            e: refused, the member's protocols do not fit those of the group
            a: joined 2 leader=a protocol=sticky members=a b c
            b: joined 2 leader=a protocol=sticky
            c: joined 2 leader=a protocol=sticky
            a: synced 
        "#]],
    );
}

#[test]
fn a_lone_member_may_change_its_protocols() {
    check(
        "
        join a protocols=range
        sync a
        join a protocols=sticky
        sync a a=0
        ",
        expect![[r#"
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: synced 
            a: joined 2 leader=a protocol=sticky members=a
            a: synced 0
        "#]],
    );
}

#[test]
fn an_older_client_is_let_in_without_an_id() {
    check(
        "
        join a old
        sync a a=0
        join b old
        hangup b
        beat a
        join a
        show
        ",
        expect![[r#"
            a: joined 1 leader=a protocol=range members=a
            a: synced 0
            b: waits
            a: refused, the group is rebalancing
            a: joined 2 leader=a protocol=range members=a
            CompletingRebalance 2 a*=0
        "#]],
    );
}

#[test]
fn a_given_id_that_is_not_used_lapses() {
    check(
        "
        stable a
        join b first
        join a
        show
        wait 11s
        show
        ",
        expect![[r#"
            b: member id given
            a: waits
            PreparingRebalance 1 a*=0
            a: joined 2 leader=a protocol=range members=a
            CompletingRebalance 2 a*=0
        "#]],
    );
}

#[test]
fn disconnected_members_may_come_back_within_their_session() {
    check(
        "
        stable a b
        join c
        join a
        hangup a
        wait 5s
        join b
        show
        join a
        show
        ",
        expect![[r#"
            c: member id given
            c: waits
            a: waits
            b: waits
            PreparingRebalance 1 a*=0 b=1 c
            a: joined 2 leader=a protocol=range members=a b c
            b: joined 2 leader=a protocol=range
            c: joined 2 leader=a protocol=range
            CompletingRebalance 2 a*=0 b=1 c
        "#]],
    );
}

#[test]
fn a_static_member_is_replaced_unnoticed() {
    check(
        "
        join a static=one
        sync a a=0
        join b static=two
        join a static=one
        sync b
        sync a a=0 b=1
        join b2 static=two
        sync b2
        beat b static=two
        beat a static=one
        show
        ",
        expect![[r#"
            a: joined 1 leader=one protocol=range members=a
            a: synced 0
            b: waits
            a: joined 2 leader=one protocol=range members=a b
            b: joined 2 leader=one protocol=range
            b: waits
            a: synced 0
            b: synced 1
            b2: joined 2 leader=one protocol=range
            b2: synced 1
            b: refused, another member has taken the instance id "two"
            a: alive
            Stable 2 a*=0 b2=1
        "#]],
    );
}

#[test]
fn a_static_leader_comes_back_as_its_client_can_bear() {
    check(
        "
        join a static=one
        sync a a=0
        join a2 static=one
        sync a2
        join a3 static=one skips
        sync a3
        ",
        expect![[r#"
            a: joined 1 leader=one protocol=range members=a
            a: synced 0
            a2: joined 1 leader=one protocol=range
            a2: synced 0
            a3: joined 1 leader=one protocol=range members=a3 keeps the assignment
            a3: synced 0
        "#]],
    );
}

#[test]
fn a_replaced_member_that_waits_is_fenced() {
    check(
        "
        join a static=one
        sync a a=0
        join b static=two
        join b2 static=two
        join a static=one
        sync b2
        join b3 static=two
        show
        ",
        expect![[r#"
            a: joined 1 leader=one protocol=range members=a
            a: synced 0
            b: waits
            b: refused, another member has taken the instance id "two"
            b2: waits
            a: joined 2 leader=one protocol=range members=a b2
            b2: joined 2 leader=one protocol=range
            b2: waits
            b2: refused, another member has taken the instance id "two"
            b3: waits
            PreparingRebalance 2 a* ?
        "#]],
    );
}

#[test]
fn a_static_member_keeps_its_place_until_its_session_ends() {
    check(
        "
        join a static=one
        sync a a=0
        join b static=two
        join a static=one
        sync b
        sync a a=0 b=1
        wait 9s
        beat a static=one
        wait 2s
        show
        leave - static=one
        show
        ",
        expect![[r#"
            a: joined 1 leader=one protocol=range members=a
            a: synced 0
            b: waits
            a: joined 2 leader=one protocol=range members=a b
            b: joined 2 leader=one protocol=range
            b: waits
            a: synced 0
            b: synced 1
            a: alive
            PreparingRebalance 2 a*=0
            -: left
            Empty 3
        "#]],
    );
}

#[test]
fn members_go_on_after_a_restart() {
    check(
        "
        stable a b
        restart
        show
        beat a
        beat b
        sync b
        wait 9s
        beat b
        wait 2s
        show
        ",
        expect![[r#"
            Stable 1 a*=0 b=1
            a: alive
            b: alive
            b: synced 1
            b: alive
            PreparingRebalance 1 b*=1
        "#]],
    );
}

#[test]
fn the_first_rebalance_can_wait_for_more() {
    check(
        "
        delay 3s
        join a
        wait 2s
        join b
        wait 2s
        show
        wait 2s
        sync b
        sync a a=0 b=1
        ",
        expect![[r#"
            a: member id given
            a: waits
            b: member id given
            b: waits
            PreparingRebalance 0 a* b
            a: joined 1 leader=a protocol=range members=a b
            b: joined 1 leader=a protocol=range
            b: waits
            a: synced 0
            b: synced 1
        "#]],
    );
}

#[test]
fn a_group_that_cannot_be_stored_shares_out_anew() {
    check(
        "
        stable a
        storing fails
        show
        beat a
        join a
        sync a a=0
        show
        ",
        expect![[r#"
            PreparingRebalance 1 a*
            a: refused, the group is rebalancing
            a: joined 2 leader=a protocol=range members=a
            a: synced 0
            Stable 2 a*=0
        "#]],
    );
}

#[test]
fn a_full_group_takes_no_more() {
    check(
        "
        members 2
        join a first
        join b old
        join c
        join c static=one
        join b
        ",
        expect![[r#"
            a: member id given
            b: waits
            c: refused, too many members: the limit of a group is 2
            c: refused, too many members: the limit of a group is 2
            b: refused, too many members: the limit of a group is 2
        "#]],
    );
}

#[test]
fn requests_are_bounded() {
    check(
        "
        session 1s
        join a
        session 10s
        metadata 60
        join a protocols=range,a-protocol-with-a-rather-long-name,another-protocol-with-a-long-name,sticky,and-more-of-it
        join a
        sync a a=0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789
        sync a a=0
        ",
        expect![[r#"
            a: refused, session timeout 1s is not within 6s and 1800s
            a: refused, the subscriptions of the group's members of 97 bytes is larger than 60
            a: member id given
            a: joined 1 leader=a protocol=range members=a
            a: refused, the assignment of the group's members of 138 bytes is larger than 60
            a: synced 0
        "#]],
    );
}
