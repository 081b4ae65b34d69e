//! The APIs that are served, in which versions, and how each version is encoded.
//!
//! This table is all there is: ApiVersions advertises it, the header decoder refuses what is not in it, and the
//! tests compare every version in it with an independent implementation.

use std::fmt;
use std::ops::RangeInclusive;

macro_rules! apis {
    ($($key:ident = $code:literal, $advertised:expr, decoded from $decoded:literal, flexible from $flexible:literal;)*) => {
        /// An API of the [protocol guide](https://kafka.apache.org/protocol#protocol_api_keys).
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
        #[repr(i16)]
        #[expect(missing_docs, reason = "each variant is the API of its name in the protocol guide")]
        pub enum ApiKey {
            $($key = $code,)*
        }

        impl ApiKey {
            /// Every API served, by ascending code.
            pub const ALL: &[Self] = &[$(Self::$key),*];

            /// The API's name in the protocol guide.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$key => stringify!($key),)*
                }
            }

            const fn row(self) -> Row {
                match self {
                    $(Self::$key => Row { advertised: $advertised, decoded_from: $decoded, flexible_from: $flexible },)*
                }
            }
        }
    };
}

// Produce 0–2 are advertised and refused: librdkafka before 2.11.1 takes a lowest version above 0 for a broker
// that cannot compress (KAFKA-18659).
apis! {
    Produce           =  0, 0..=13, decoded from 3, flexible from 9;
    Fetch             =  1, 4..=18, decoded from 4, flexible from 12;
    ListOffsets       =  2, 1..=11, decoded from 1, flexible from 6;
    Metadata          =  3, 0..=13, decoded from 0, flexible from 9;
    OffsetCommit      =  8, 2..=10, decoded from 2, flexible from 8;
    OffsetFetch       =  9, 1..=10, decoded from 1, flexible from 6;
    FindCoordinator   = 10, 0..=6,  decoded from 0, flexible from 3;
    JoinGroup         = 11, 0..=9,  decoded from 0, flexible from 6;
    Heartbeat         = 12, 0..=4,  decoded from 0, flexible from 4;
    LeaveGroup        = 13, 0..=5,  decoded from 0, flexible from 4;
    SyncGroup         = 14, 0..=5,  decoded from 0, flexible from 4;
    DescribeGroups    = 15, 0..=6,  decoded from 0, flexible from 5;
    ListGroups        = 16, 0..=5,  decoded from 0, flexible from 3;
    SaslHandshake     = 17, 0..=1,  decoded from 0, flexible from 2;
    ApiVersions       = 18, 0..=4,  decoded from 0, flexible from 3;
    CreateTopics      = 19, 2..=7,  decoded from 2, flexible from 5;
    DeleteTopics      = 20, 1..=6,  decoded from 1, flexible from 4;
    DeleteRecords     = 21, 0..=2,  decoded from 0, flexible from 2;
    InitProducerId    = 22, 0..=5,  decoded from 0, flexible from 2;
    OffsetForLeaderEpoch = 23, 2..=4, decoded from 2, flexible from 4;
    AddPartitionsToTxn = 24, 0..=5, decoded from 0, flexible from 3;
    AddOffsetsToTxn   = 25, 0..=4,  decoded from 0, flexible from 3;
    EndTxn            = 26, 0..=5,  decoded from 0, flexible from 3;
    WriteTxnMarkers   = 27, 1..=2,  decoded from 1, flexible from 1;
    TxnOffsetCommit   = 28, 0..=5,  decoded from 0, flexible from 3;
    DescribeAcls      = 29, 1..=3,  decoded from 1, flexible from 2;
    CreateAcls        = 30, 1..=3,  decoded from 1, flexible from 2;
    DeleteAcls        = 31, 1..=3,  decoded from 1, flexible from 2;
    DescribeConfigs   = 32, 1..=4,  decoded from 1, flexible from 4;
    AlterConfigs      = 33, 0..=2,  decoded from 0, flexible from 2;
    DescribeLogDirs   = 35, 1..=4,  decoded from 1, flexible from 2;
    SaslAuthenticate  = 36, 0..=2,  decoded from 0, flexible from 2;
    CreatePartitions  = 37, 0..=3,  decoded from 0, flexible from 2;
    DeleteGroups      = 42, 0..=2,  decoded from 0, flexible from 2;
    ElectLeaders      = 43, 0..=2,  decoded from 0, flexible from 2;
    IncrementalAlterConfigs = 44, 0..=1, decoded from 0, flexible from 1;
    AlterPartitionReassignments = 45, 0..=1, decoded from 0, flexible from 0;
    ListPartitionReassignments = 46, 0..=0, decoded from 0, flexible from 0;
    OffsetDelete      = 47, 0..=0,  decoded from 0, flexible from 1;
    DescribeClientQuotas = 48, 0..=1, decoded from 0, flexible from 1;
    AlterClientQuotas = 49, 0..=1, decoded from 0, flexible from 1;
    DescribeUserScramCredentials = 50, 0..=0, decoded from 0, flexible from 0;
    AlterUserScramCredentials = 51, 0..=0, decoded from 0, flexible from 0;
    DescribeQuorum    = 55, 0..=2,  decoded from 0, flexible from 0;
    UpdateFeatures    = 57, 0..=2,  decoded from 0, flexible from 0;
    DescribeCluster   = 60, 0..=2,  decoded from 0, flexible from 0;
    DescribeProducers = 61, 0..=0,  decoded from 0, flexible from 0;
    DescribeTransactions = 65, 0..=0, decoded from 0, flexible from 0;
    ListTransactions  = 66, 0..=2,  decoded from 0, flexible from 0;
    ConsumerGroupHeartbeat = 68, 0..=1, decoded from 0, flexible from 0;
    ConsumerGroupDescribe = 69, 0..=1, decoded from 0, flexible from 0;
    ListConfigResources = 74, 0..=1, decoded from 0, flexible from 0;
    DescribeTopicPartitions = 75, 0..=0, decoded from 0, flexible from 0;
}

struct Row {
    advertised: RangeInclusive<i16>,
    decoded_from: i16,
    flexible_from: i16,
}

impl ApiKey {
    /// The API with this code, if it is served.
    pub fn from_code(code: i16) -> Option<Self> {
        Self::ALL.iter().copied().find(|api| api.code() == code)
    }

    /// The number on the wire.
    pub const fn code(self) -> i16 {
        self as i16
    }

    /// The versions that ApiVersions tells a client.
    pub fn advertised_versions(self) -> RangeInclusive<i16> {
        self.row().advertised
    }

    /// The versions that are decoded and answered.
    pub fn versions(self) -> RangeInclusive<i16> {
        let Row { advertised, decoded_from, .. } = self.row();
        decoded_from..=*advertised.end()
    }

    /// Whether `version` has compact lengths and tagged fields (KIP-482).
    pub fn is_flexible(self, version: i16) -> bool {
        version >= self.row().flexible_from
    }

    /// The request header's version: 2 carries tagged fields, 1 does not.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// The response header's version: 1 carries tagged fields, 0 does not. ApiVersions always has 0, because
    /// a client that does not know the version yet must be able to read it (KIP-511).
    pub fn response_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) && self != Self::ApiVersions { 1 } else { 0 }
    }
}

impl fmt::Display for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
