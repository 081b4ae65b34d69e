//! Access: users and their credentials, logging in, the TLS of listeners, rules that say who may do what, and quotas that say
//! how much.
//!
//! ```text
//!   administration ─▶ AccessStore ─▶ topic _factum.access
//!                          ├─▶ Users ◀─ a log-in
//!                          ├─▶ Acls  ◀─ AclAuthorizer ◀─ every request
//!                          └─▶ Quotas ◀─ QuotaMeters ◀─ every request
//! ```
//!
//! Invariants: a password is never kept, and nothing that is kept lets one log in as the user (RFC 5802 §3); a credential's
//! `Debug` shows none of its keys. What is in effect is on disk. What no rule allows is denied, and a rule that denies wins.
//!
//! Not here: the requests in which a client proves who it is (see `factum-kafka-server`), how a project declares users.

mod acl;
mod acls;
mod authorizer;
mod password_checks;
mod patterns;
mod quota;
mod quotas;
mod regular_file;
pub mod sasl;
mod scram;
mod store;
pub mod tls;
mod users;

pub use acl::{
    ANY_NAME, ANY_PRINCIPAL, Acl, AclError, AclFilter, AclFilterSet, CLUSTER, Host, MAX_PRINCIPAL_BYTES,
    MAX_RESOURCE_BYTES, Operation, PatternFilter, PatternType, Permission, ResourcePattern, ResourceType,
    check_principal,
};
pub use acls::{Acls, Verdict};
pub use authorizer::AclAuthorizer;
pub use password_checks::{MAX_PASSWORD_BYTES, PasswordChecks, TooManyChecks};
pub use quota::{
    MAX_QUOTA_NAME_BYTES, QuotaChange, QuotaEntity, QuotaError, QuotaFilter, QuotaKey, QuotaLimits,
    QuotaMatch, QuotaPart,
};
pub use quotas::{MAX_METERS, QuotaClient, QuotaMeters, Quotas};
pub use scram::{ITERATIONS, MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism};
pub use store::{AccessStore, ChangeError, CredentialChange, MAX_ACLS, MAX_QUOTAS, TOPIC};
pub use users::{
    MAX_USER_BYTES, MAX_USERS, User, UserNameError, Users, check_new_user_name, check_user_name,
};
