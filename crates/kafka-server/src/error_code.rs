//! Kafka's error codes, under Kafka's names.
//!
//! Only the codes that Factum answers with are here. Which error of the broker becomes which code is
//! decided in the handlers, nowhere else.

use std::fmt;

macro_rules! error_codes {
    ($($code:literal $variant:ident $name:literal $meaning:literal;)*) => {
        /// A code of the [protocol guide](https://kafka.apache.org/protocol#protocol_error_codes).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
        #[repr(i16)]
        pub enum ErrorCode {
            $(
                #[doc = $meaning]
                $variant = $code,
            )*
        }

        impl ErrorCode {
            /// Every code, in ascending order.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Kafka's name, such as `UNKNOWN_TOPIC_OR_PARTITION`.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }
        }
    };
}

error_codes! {
    -1 UnknownServerError "UNKNOWN_SERVER_ERROR" "A failure of the server that no other code describes.";
    0 None "NONE" "Success.";
    1 OffsetOutOfRange "OFFSET_OUT_OF_RANGE" "The offset lies outside the partition.";
    2 CorruptMessage "CORRUPT_MESSAGE" "A record batch whose checksum, length or counts are wrong.";
    3 UnknownTopicOrPartition "UNKNOWN_TOPIC_OR_PARTITION" "No such topic or partition here.";
    4 InvalidFetchSize "INVALID_FETCH_SIZE" "A fetch size that makes no sense.";
    5 LeaderNotAvailable "LEADER_NOT_AVAILABLE" "The partition has no leader yet; ask again.";
    6 NotLeaderOrFollower "NOT_LEADER_OR_FOLLOWER" "This node does not serve the partition.";
    7 RequestTimedOut "REQUEST_TIMED_OUT" "The request's own time limit passed.";
    9 ReplicaNotAvailable "REPLICA_NOT_AVAILABLE" "The replica is not there.";
    10 MessageTooLarge "MESSAGE_TOO_LARGE" "A record batch over the topic's limit.";
    12 OffsetMetadataTooLarge "OFFSET_METADATA_TOO_LARGE" "A committed offset's metadata is over the limit.";
    14 CoordinatorLoadInProgress "COORDINATOR_LOAD_IN_PROGRESS" "The groups are still being read; ask again.";
    15 CoordinatorNotAvailable "COORDINATOR_NOT_AVAILABLE" "No coordinator can be named now; ask again.";
    16 NotCoordinator "NOT_COORDINATOR" "This node does not coordinate the group.";
    17 InvalidTopicException "INVALID_TOPIC_EXCEPTION" "The topic's name breaks the rules.";
    18 RecordListTooLarge "RECORD_LIST_TOO_LARGE" "Record batches larger than a segment.";
    19 NotEnoughReplicas "NOT_ENOUGH_REPLICAS" "Fewer replicas in sync than the topic demands.";
    21 InvalidRequiredAcks "INVALID_REQUIRED_ACKS" "`acks` is none of -1, 0 and 1.";
    22 IllegalGeneration "ILLEGAL_GENERATION" "The generation is not the group's present one.";
    23 InconsistentGroupProtocol "INCONSISTENT_GROUP_PROTOCOL" "The member shares no protocol with its group.";
    24 InvalidGroupId "INVALID_GROUP_ID" "The group's name is empty or too long.";
    25 UnknownMemberId "UNKNOWN_MEMBER_ID" "The member is not in the group.";
    26 InvalidSessionTimeout "INVALID_SESSION_TIMEOUT" "The session timeout is outside the allowed range.";
    27 RebalanceInProgress "REBALANCE_IN_PROGRESS" "The group rebalances; join again.";
    28 InvalidCommitOffsetSize "INVALID_COMMIT_OFFSET_SIZE" "A committed offset takes more room than there is.";
    29 TopicAuthorizationFailed "TOPIC_AUTHORIZATION_FAILED" "The principal may not do this with the topic.";
    30 GroupAuthorizationFailed "GROUP_AUTHORIZATION_FAILED" "The principal may not do this with the group.";
    31 ClusterAuthorizationFailed "CLUSTER_AUTHORIZATION_FAILED" "The principal may not do this with the cluster.";
    32 InvalidTimestamp "INVALID_TIMESTAMP" "A record's timestamp is out of the allowed range.";
    33 UnsupportedSaslMechanism "UNSUPPORTED_SASL_MECHANISM" "The SASL mechanism is not offered.";
    34 IllegalSaslState "ILLEGAL_SASL_STATE" "The request does not fit the state of authentication.";
    35 UnsupportedVersion "UNSUPPORTED_VERSION" "The API's version is not served.";
    36 TopicAlreadyExists "TOPIC_ALREADY_EXISTS" "A topic of that name exists.";
    37 InvalidPartitions "INVALID_PARTITIONS" "The number of partitions is below one or too great.";
    38 InvalidReplicationFactor "INVALID_REPLICATION_FACTOR" "More replicas than there are nodes.";
    39 InvalidReplicaAssignment "INVALID_REPLICA_ASSIGNMENT" "Replicas assigned to nodes that do not exist.";
    40 InvalidConfig "INVALID_CONFIG" "A configuration key or value is not accepted.";
    41 NotController "NOT_CONTROLLER" "This node is not the controller.";
    42 InvalidRequest "INVALID_REQUEST" "The request contradicts itself or the protocol.";
    43 UnsupportedForMessageFormat "UNSUPPORTED_FOR_MESSAGE_FORMAT" "A record format older than magic 2.";
    44 PolicyViolation "POLICY_VIOLATION" "A rule of this installation forbids it.";
    45 OutOfOrderSequenceNumber "OUT_OF_ORDER_SEQUENCE_NUMBER" "An idempotent producer's batch does not follow its last.";
    46 DuplicateSequenceNumber "DUPLICATE_SEQUENCE_NUMBER" "An idempotent producer's batch was seen long ago.";
    47 InvalidProducerEpoch "INVALID_PRODUCER_EPOCH" "A newer incarnation of the producer exists.";
    48 InvalidTxnState "INVALID_TXN_STATE" "The transaction is in a state that does not allow it.";
    49 InvalidProducerIdMapping "INVALID_PRODUCER_ID_MAPPING" "The producer id does not belong to the transactional id.";
    50 InvalidTransactionTimeout "INVALID_TRANSACTION_TIMEOUT" "The transaction timeout is over the limit.";
    51 ConcurrentTransactions "CONCURRENT_TRANSACTIONS" "An earlier transaction is still ending; ask again.";
    52 TransactionCoordinatorFenced "TRANSACTION_COORDINATOR_FENCED" "A newer transaction coordinator has taken over.";
    53 TransactionalIdAuthorizationFailed "TRANSACTIONAL_ID_AUTHORIZATION_FAILED" "The principal may not use the transactional id.";
    54 SecurityDisabled "SECURITY_DISABLED" "Security features are switched off.";
    55 OperationNotAttempted "OPERATION_NOT_ATTEMPTED" "An earlier part of the request failed, this was not tried.";
    56 KafkaStorageError "KAFKA_STORAGE_ERROR" "The disk failed or holds damage.";
    58 SaslAuthenticationFailed "SASL_AUTHENTICATION_FAILED" "The credentials were refused.";
    59 UnknownProducerId "UNKNOWN_PRODUCER_ID" "The partition remembers nothing of the producer.";
    68 NonEmptyGroup "NON_EMPTY_GROUP" "The group still has members.";
    69 GroupIdNotFound "GROUP_ID_NOT_FOUND" "No such group.";
    70 FetchSessionIdNotFound "FETCH_SESSION_ID_NOT_FOUND" "No such fetch session; start a new one.";
    71 InvalidFetchSessionEpoch "INVALID_FETCH_SESSION_EPOCH" "The fetch session is at another epoch.";
    72 ListenerNotFound "LISTENER_NOT_FOUND" "The node has no address for this listener.";
    73 TopicDeletionDisabled "TOPIC_DELETION_DISABLED" "Topics may not be deleted here.";
    74 FencedLeaderEpoch "FENCED_LEADER_EPOCH" "The client's leader epoch is older than the partition's.";
    75 UnknownLeaderEpoch "UNKNOWN_LEADER_EPOCH" "The client's leader epoch is newer than the partition's.";
    76 UnsupportedCompressionType "UNSUPPORTED_COMPRESSION_TYPE" "The codec is not allowed in this version of the API.";
    78 OffsetNotAvailable "OFFSET_NOT_AVAILABLE" "The offset cannot be given yet; ask again.";
    79 MemberIdRequired "MEMBER_ID_REQUIRED" "Join again with the member id of this answer (KIP-394).";
    81 GroupMaxSizeReached "GROUP_MAX_SIZE_REACHED" "The group is full.";
    82 FencedInstanceId "FENCED_INSTANCE_ID" "Another member took the static identity (KIP-345).";
    84 ElectionNotNeeded "ELECTION_NOT_NEEDED" "The partition is led by the node that it should be led by.";
    85 NoReassignmentInProgress "NO_REASSIGNMENT_IN_PROGRESS" "The partition is not being moved.";
    86 GroupSubscribedToTopic "GROUP_SUBSCRIBED_TO_TOPIC" "Members of the group read the topic.";
    87 InvalidRecord "INVALID_RECORD" "A record that the topic does not accept.";
    88 UnstableOffsetCommit "UNSTABLE_OFFSET_COMMIT" "Offsets of an open transaction are in the way; ask again.";
    89 ThrottlingQuotaExceeded "THROTTLING_QUOTA_EXCEEDED" "The quota is used up; ask later.";
    90 ProducerFenced "PRODUCER_FENCED" "A newer incarnation of the transactional producer exists.";
    91 ResourceNotFound "RESOURCE_NOT_FOUND" "No such resource.";
    92 DuplicateResource "DUPLICATE_RESOURCE" "The request names a resource twice.";
    93 UnacceptableCredential "UNACCEPTABLE_CREDENTIAL" "A credential that is too weak, or no one's.";
    95 InvalidUpdateVersion "INVALID_UPDATE_VERSION" "The feature cannot have this level.";
    100 UnknownTopicId "UNKNOWN_TOPIC_ID" "No topic has this id (KIP-516).";
    103 InconsistentTopicId "INCONSISTENT_TOPIC_ID" "The id and the name belong to two topics.";
    105 TransactionalIdNotFound "TRANSACTIONAL_ID_NOT_FOUND" "No such transactional id.";
    106 FetchSessionTopicIdError "FETCH_SESSION_TOPIC_ID_ERROR" "A fetch session mixes names and ids.";
    110 FencedMemberEpoch "FENCED_MEMBER_EPOCH" "The member is in another epoch; it starts over (KIP-848).";
    111 UnreleasedInstanceId "UNRELEASED_INSTANCE_ID" "A live member has the static identity (KIP-848).";
    112 UnsupportedAssignor "UNSUPPORTED_ASSIGNOR" "The server has no such assignor (KIP-848).";
    113 StaleMemberEpoch "STALE_MEMBER_EPOCH" "The member's epoch has moved on; ask again with the new one (KIP-848).";
    114 MismatchedEndpointType "MISMATCHED_ENDPOINT_TYPE" "A broker was asked for controllers, or the reverse.";
    115 UnsupportedEndpointType "UNSUPPORTED_ENDPOINT_TYPE" "Neither brokers nor controllers were asked for.";
    120 TransactionAbortable "TRANSACTION_ABORTABLE" "The transaction has failed; the producer may abort it and go on (KIP-890).";
    128 InvalidRegularExpression "INVALID_REGULAR_EXPRESSION" "The pattern is no regular expression, or too large.";
}

impl ErrorCode {
    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// Whether it reports no error.
    pub fn is_none(self) -> bool {
        self == Self::None
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
