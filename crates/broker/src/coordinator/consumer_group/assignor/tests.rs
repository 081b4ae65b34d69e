use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn topic(number: u128) -> TopicId {
    TopicId::new(Uuid::from_u128(number + 1))
}

/// Members with the topics that each reads and what it had before, over topics with these counts.
fn assign(
    assignor: Assignor,
    counts: &[PartitionId],
    wishes: &[u8],
    before: &[PartitionSet],
) -> Vec<PartitionSet> {
    let names: Vec<String> = (0..wishes.len()).map(|n| format!("m{n:03}")).collect();
    let topics: BTreeMap<_, _> =
        counts.iter().enumerate().map(|(n, count)| (topic(n as u128), *count)).collect();
    let mut classes: Vec<Vec<TopicId>> = Vec::new();
    let members = names.iter().zip(wishes).zip(before).map(|((id, wish), before)| {
        let wished: Vec<_> =
            (0..counts.len()).filter(|n| wish & (1 << n) != 0).map(|n| topic(n as u128)).collect();
        let class = classes.iter().position(|class| *class == wished).unwrap_or_else(|| {
            classes.push(wished);
            classes.len() - 1
        });
        Candidate { id, instance_id: None, class, before }
    });
    let members = members.collect();
    assignor.assign(&Spec { members, classes, topics })
}

fn show(shares: &[PartitionSet]) -> String {
    let share = |share: &PartitionSet| {
        let one =
            |(topic, number): (TopicId, PartitionId)| format!("{}/{number}", topic.uuid().as_u128() - 1);
        share.iter().map(one).collect::<Vec<_>>().join(" ")
    };
    shares.iter().map(share).collect::<Vec<_>>().join("; ")
}

#[test]
fn ranges_of_topics_that_are_alike_go_to_the_same_members() {
    let none = vec![PartitionSet::default(); 2];
    let shares = assign(Assignor::Range, &[3, 3], &[3, 3], &none);
    assert_eq!(show(&shares), "0/0 0/1 1/0 1/1; 0/2 1/2");
    let few = assign(Assignor::Range, &[1], &[1, 1], &none);
    assert_eq!(show(&few), "0/0; ");
}

#[test]
fn a_member_that_joins_takes_only_its_own_part() {
    let none = vec![PartitionSet::default(); 3];
    let two = assign(Assignor::Uniform, &[4, 2], &[3, 3], &none);
    assert_eq!(show(&two), "0/0 0/1 0/2; 0/3 1/0 1/1");
    let before = [two, vec![PartitionSet::default()]].concat();
    let three = assign(Assignor::Uniform, &[4, 2], &[3, 3, 3], &before);
    assert_eq!(show(&three), "0/0 0/1; 0/3 1/0; 0/2 1/1");
}

proptest! {
    #[test]
    fn every_partition_has_one_reader_and_shares_are_even(
        counts in proptest::collection::vec(0..12_i32, 1..4),
        wishes in proptest::collection::vec(0..8_u8, 1..9),
        is_range: bool,
        rounds in 1..4_usize,
    ) {
        let assignor = if is_range { Assignor::Range } else { Assignor::Uniform };
        let mut shares = vec![PartitionSet::default(); wishes.len()];
        for _ in 0..rounds {
            shares = assign(assignor, &counts, &wishes, &shares);
        }
        let wanted = |place: usize, n: usize| wishes[place] & (1 << n) != 0;
        for (n, count) in counts.iter().enumerate() {
            let is_read = (0..wishes.len()).any(|place| wanted(place, n));
            for number in 0..*count {
                let owners: Vec<_> =
                    (0..wishes.len()).filter(|place| shares[*place].contains(topic(n as u128), number)).collect();
                prop_assert_eq!(owners.len(), usize::from(is_read));
                prop_assert!(owners.iter().all(|place| wanted(*place, n)));
            }
        }
        let used = (1 << counts.len()) - 1;
        let is_alike = wishes.iter().all(|wish| wish & used == wishes[0] & used);
        if is_alike && !is_range {
            let sizes: Vec<_> = shares.iter().map(PartitionSet::len).collect();
            prop_assert!(sizes.iter().max().unwrap_or(&0) - sizes.iter().min().unwrap_or(&0) <= 1, "{:?}", sizes);
        }
        prop_assert_eq!(&assign(assignor, &counts, &wishes, &shares), &shares, "nothing moves without a reason");
    }

    #[test]
    fn uniform_moves_no_more_than_it_must(
        count in 0..40_i32,
        members in 1..8_usize,
        joins in 0..3_usize,
        leaves in 0..3_usize,
    ) {
        let none = vec![PartitionSet::default(); members];
        let first = assign(Assignor::Uniform, &[count], &vec![1; members], &none);
        let stay = members.saturating_sub(leaves);
        let mut before: Vec<_> = first[..stay].to_vec();
        before.extend(std::iter::repeat_n(PartitionSet::default(), joins));
        let now = before.len();
        let second = assign(Assignor::Uniform, &[count], &vec![1; now], &before);
        let largest = usize::try_from(count).expect("small").div_ceil(now.max(1));
        for (before, after) in before.iter().zip(&second) {
            let lost = before.iter().filter(|(topic, number)| !after.contains(*topic, *number)).count();
            prop_assert!(lost == 0 || after.len() + 1 >= largest, "{before:?} {after:?}");
            prop_assert!(after.len() <= largest);
        }
    }
}
