//! Listing, describing and deleting groups.

use factum_types::{GroupId, TopicPartition};

use super::cell::Cell;
use super::service::Groups;
use super::{
    AssignedTopic, ConsumerGroupDescription, ConsumerMemberDescription, Coordinator, CoordinatorError,
    GroupDescription, GroupListing, GroupState, GroupType, MemberDescription, consumer_protocol,
};

impl Coordinator {
    /// Every group, by name.
    pub fn list(&self) -> Vec<GroupListing> {
        let listing = |inside: &Cell| GroupListing {
            group: inside.id().clone(),
            group_type: group_type(inside),
            protocol_type: protocol_type(inside),
            state: inside.state(),
        };
        let mut groups: Vec<_> = self.0.cells().iter().map(|cell| listing(&cell.lock())).collect();
        groups.retain(|listing| listing.state != GroupState::Dead);
        groups.sort_by(|one, other| one.group.cmp(&other.group));
        groups
    }

    /// One group; [`GroupState::Dead`] if there is none of this name.
    pub fn describe(&self, group: &GroupId) -> GroupDescription {
        match self.0.cell(group) {
            Some(cell) => self.0.describe(&cell.lock()),
            None => GroupDescription {
                group_type: GroupType::Classic,
                group: group.clone(),
                state: GroupState::Dead,
                protocol_type: String::new(),
                protocol: String::new(),
                members: Vec::new(),
            },
        }
    }

    /// One group of the consumer protocol; none if there is no such group of this name.
    pub fn describe_consumers(&self, group: &GroupId) -> Option<ConsumerGroupDescription> {
        let cell = self.0.cell(group)?;
        let inside = cell.lock();
        let consumers = inside.consumers.as_ref()?;
        Some(consumers.describe(&|id| self.0.directory.name(id)))
    }

    /// Removes a group that has no members, with its offsets; resolves when that is on disk.
    ///
    /// # Errors
    /// [`CoordinatorError::GroupNotFound`], [`CoordinatorError::NonEmptyGroup`], [`CoordinatorError::Storage`].
    pub async fn delete(&self, group: &GroupId) -> Result<(), CoordinatorError> {
        let wall = self.0.clock.now();
        let removed = self.0.with(group, |inside| {
            if inside.state() != GroupState::Empty {
                return Err(CoordinatorError::NonEmptyGroup);
            }
            let committed = inside.offsets.iter().map(|(partition, _)| partition);
            let partitions: Vec<_> = committed.chain(inside.pending.partitions()).cloned().collect();
            inside.remove(&partitions, true, &self.0.journal, wall)?;
            Ok(inside.last)
        });
        let last = removed.ok_or(CoordinatorError::GroupNotFound)??;
        Ok(self.0.journal.durable(last).await?)
    }
}

impl Groups {
    fn describe(&self, cell: &Cell) -> GroupDescription {
        let (protocol, members) = match &cell.consumers {
            Some(consumers) => {
                let described = consumers.describe(&|id| self.directory.name(id));
                let members = described.members.into_iter().map(as_classic);
                (described.assignor.to_owned(), members.collect())
            }
            None => (cell.group.protocol().unwrap_or_default().to_owned(), classic_members(cell)),
        };
        GroupDescription {
            group: cell.id().clone(),
            state: cell.state(),
            group_type: group_type(cell),
            protocol_type: protocol_type(cell),
            protocol,
            members,
        }
    }
}

fn group_type(cell: &Cell) -> GroupType {
    if cell.consumers.is_some() { GroupType::Consumer } else { GroupType::Classic }
}

fn protocol_type(cell: &Cell) -> String {
    match &cell.consumers {
        Some(_) => consumer_protocol::PROTOCOL_TYPE.to_owned(),
        None => cell.group.protocol_type().unwrap_or_default().to_owned(),
    }
}

fn classic_members(cell: &Cell) -> Vec<MemberDescription> {
    let is_stable = cell.group.state() == GroupState::Stable;
    let members = cell.group.members().map(|member| MemberDescription {
        member_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: cell.group.member_metadata(member),
        assignment: if is_stable { member.assignment.clone() } else { Default::default() },
    });
    members.collect()
}

/// A member of the consumer protocol as a classic member would be shown.
fn as_classic(member: ConsumerMemberDescription) -> MemberDescription {
    let assigned = member.assignment.into_iter().flat_map(|AssignedTopic { name, partitions, .. }| {
        partitions.into_iter().map(move |number| TopicPartition::new(name.clone(), number))
    });
    let assigned: Vec<_> = assigned.collect();
    MemberDescription {
        member_id: member.member_id,
        instance_id: member.instance_id,
        client_id: member.client_id,
        client_host: member.client_host,
        metadata: consumer_protocol::encode_subscription(&member.subscribed_topics),
        assignment: consumer_protocol::encode_assignment(&assigned),
    }
}
