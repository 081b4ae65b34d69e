//! Listing, describing and deleting groups.

use factum_types::GroupId;

use super::cell::Cell;
use super::{Coordinator, CoordinatorError, GroupDescription, GroupListing, GroupState, MemberDescription};

impl Coordinator {
    /// Every group, by name.
    pub fn list(&self) -> Vec<GroupListing> {
        let listing = |inside: &Cell| GroupListing {
            group: inside.id().clone(),
            protocol_type: inside.group.protocol_type().unwrap_or_default().to_owned(),
            state: inside.group.state(),
        };
        let mut groups: Vec<_> = self.0.cells().iter().map(|cell| listing(&cell.lock())).collect();
        groups.retain(|listing| listing.state != GroupState::Dead);
        groups.sort_by(|one, other| one.group.cmp(&other.group));
        groups
    }

    /// One group; [`GroupState::Dead`] if there is none of this name.
    pub fn describe(&self, group: &GroupId) -> GroupDescription {
        match self.0.cell(group) {
            Some(cell) => describe(&cell.lock()),
            None => GroupDescription {
                group: group.clone(),
                state: GroupState::Dead,
                protocol_type: String::new(),
                protocol: String::new(),
                members: Vec::new(),
            },
        }
    }

    /// Removes a group that has no members, with its offsets; resolves when that is on disk.
    ///
    /// # Errors
    /// [`CoordinatorError::GroupNotFound`], [`CoordinatorError::NonEmptyGroup`], [`CoordinatorError::Storage`].
    pub async fn delete(&self, group: &GroupId) -> Result<(), CoordinatorError> {
        let wall = self.0.clock.now();
        let removed = self.0.with(group, |inside| {
            if inside.group.state() != GroupState::Empty {
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

fn describe(cell: &Cell) -> GroupDescription {
    let is_stable = cell.group.state() == GroupState::Stable;
    let members = cell.group.members().map(|member| MemberDescription {
        member_id: member.id.clone(),
        instance_id: member.instance_id.clone(),
        client_id: member.client_id.clone(),
        client_host: member.client_host.clone(),
        metadata: cell.group.member_metadata(member),
        assignment: if is_stable { member.assignment.clone() } else { Default::default() },
    });
    GroupDescription {
        group: cell.id().clone(),
        state: cell.group.state(),
        protocol_type: cell.group.protocol_type().unwrap_or_default().to_owned(),
        protocol: cell.group.protocol().unwrap_or_default().to_owned(),
        members: members.collect(),
    }
}
