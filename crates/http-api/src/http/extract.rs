//! Extractors: the caller, and the names in a request's path and query.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use factum_access::Users;
use factum_base::clients::ClientAddress;
use factum_sql::{AccessCheck, QueryError};
use factum_types::auth::Client;
use factum_types::{
    AccessDeniedError, Action, Authorizer, GroupId, Principal, Resource, TopicName, TransactionalId,
};
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::http::client_limit::client_of;
use crate::http::login;
use crate::http::parameter;
use crate::http::problem::Problem;

/// The address that a request came from, as its connection noted it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) Option<IpAddr>);

/// What a caller may see of what there is.
pub(crate) type Visibility = Arc<dyn Fn(Resource<'_>) -> bool + Send + Sync>;

/// Who sends the request. The one place that decides it, by the log-in that the request has (see [`crate::http::login`]).
#[derive(Clone)]
pub(crate) struct Caller {
    principal: Principal,
    /// Says whether the user is still there that logged in, if one did.
    users: Option<Users>,
    address: Option<IpAddr>,
    /// Whether a log-in could change the answer.
    may_log_in: bool,
    client: ClientAddress,
    authorizer: Arc<dyn Authorizer>,
}

impl Caller {
    /// Asks whether the caller may do `action` with `resource`.
    pub(crate) fn may(&self, action: Action, resource: Resource<'_>) -> Result<(), Problem> {
        let asked = Client { principal: &self.principal, address: self.address };
        self.authorizer.check(asked, action, resource).map_err(|denied| self.denied(denied))
    }

    /// The same while a stream runs: the user may have been deleted since.
    pub(crate) fn still_may(&self, action: Action, resource: Resource<'_>) -> Result<(), Problem> {
        let is_there = match (&self.users, self.principal.as_str().split_once(':')) {
            (Some(users), Some((_, name))) => users.get(name).is_some(),
            _ => true,
        };
        match is_there {
            true => self.may(action, resource),
            false => Err(Problem::unauthenticated("the user was deleted")),
        }
    }

    /// What is answered to a refusal.
    pub(crate) fn denied(&self, denied: AccessDeniedError) -> Problem {
        match self.may_log_in {
            true => Problem::unauthenticated(denied),
            false => denied.into(),
        }
    }

    /// What is answered where what is there is hidden from the caller: as if it were not there, unless a log-in could show it.
    pub(crate) fn is_logged_in(&self) -> Result<(), Problem> {
        match self.may_log_in {
            true => Err(Problem::unauthenticated("log in to see what there is")),
            false => Ok(()),
        }
    }

    /// What the caller may see of what there is.
    pub(crate) fn visibility(&self) -> Visibility {
        let caller = self.clone();
        Arc::new(move |resource| caller.sees(resource))
    }

    /// Whether the caller may know that something exists.
    pub(crate) fn sees(&self, resource: Resource<'_>) -> bool {
        let asked = Client { principal: &self.principal, address: self.address };
        self.authorizer.check(asked, Action::Describe, resource).is_ok()
    }

    /// What is asked about the relations that a statement of the caller names.
    pub(crate) fn access(&self) -> AccessCheck {
        let caller = self.clone();
        Arc::new(move |action, resource| {
            let asked = Client { principal: &caller.principal, address: caller.address };
            caller.authorizer.check(asked, action, resource)
        })
    }

    /// Who the caller is.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// What `error` is answered with: where it is a refusal, a log-in may change it.
    pub(crate) fn query_problem(&self, error: QueryError) -> Problem {
        match error {
            QueryError::Denied(denied) => self.denied(denied),
            error => error.into(),
        }
    }

    /// Asks whether the caller may create the topic: as in Kafka, by a rule about it or about the cluster.
    pub(crate) fn may_create(&self, topic: Resource<'_>) -> Result<(), Problem> {
        let by_cluster = self.may(Action::Create, Resource::Cluster);
        by_cluster.or_else(|_| self.may(Action::Create, topic))
    }

    /// Where the request comes from.
    pub(crate) fn client(&self) -> ClientAddress {
        self.client
    }
}

impl FromRequestParts<Arc<Api>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(head: &mut Parts, api: &Arc<Api>) -> Result<Self, Problem> {
        let authorizer = Arc::clone(&api.state.authorizer);
        let address = head.extensions.get().and_then(|PeerAddress(address)| *address);
        let client = client_of(head);
        let principal = api.logins.principal(head, client).await;
        let principal = match principal {
            Ok(principal) => principal,
            Err(problem) if problem.is_unauthenticated() => {
                api.refuse_login(login::user_of(head), client).await;
                return Err(problem);
            }
            Err(problem) => return Err(problem),
        };
        let is_anonymous = principal == Principal::anonymous();
        let may_log_in = api.logins.is_asked() && is_anonymous;
        let users = (!is_anonymous).then(|| api.state.access.users().clone());
        Ok(Self { principal, users, address, may_log_in, client, authorizer })
    }
}

/// The topic that the path names.
pub(crate) struct TopicPath(pub(crate) TopicName);

impl<S: Send + Sync> FromRequestParts<S> for TopicPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = path_segment(parts, state).await?;
        Ok(Self(TopicName::new(name)?))
    }
}

/// The consumer group that the path names.
pub(crate) struct GroupPath(pub(crate) GroupId);

impl<S: Send + Sync> FromRequestParts<S> for GroupPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = path_segment(parts, state).await?;
        Ok(Self(GroupId::new(name)?))
    }
}

/// The transactional id that the path names.
pub(crate) struct TransactionPath(pub(crate) TransactionalId);

impl<S: Send + Sync> FromRequestParts<S> for TransactionPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = path_segment(parts, state).await?;
        Ok(Self(TransactionalId::new(name)?))
    }
}

/// A view, pipeline or dashboard that the path names, in full or by its bare name; or a subject.
pub(crate) struct NamePath(pub(crate) String);

impl<S: Send + Sync> FromRequestParts<S> for NamePath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        path_segment(parts, state).await.map(Self)
    }
}

/// The table that the path names, and a key in it.
pub(crate) struct TableRowPath {
    pub(crate) table: String,
    pub(crate) key: String,
}

impl<S: Send + Sync> FromRequestParts<S> for TableRowPath {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let found = Path::<(String, String)>::from_request_parts(parts, state).await;
        let Path((table, key)) = found.map_err(Problem::malformed)?;
        Ok(Self { table, key })
    }
}

async fn path_segment<S: Send + Sync>(parts: &mut Parts, state: &S) -> Result<String, Problem> {
    let Path(segment) = Path::<String>::from_request_parts(parts, state).await.map_err(Problem::malformed)?;
    Ok(segment)
}

/// The query's parameters; an unknown one is refused by `T`'s own `deny_unknown_fields`.
pub(crate) struct Params<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = axum::extract::Query::try_from_uri(&parts.uri);
        found
            .map(|axum::extract::Query(found)| Self(found))
            // The rejection itself says only that something is wrong; its cause names the parameter.
            .map_err(|rejection| match rejection.source() {
                Some(cause) => {
                    Problem::malformed(parameter::in_words(&cause.to_string())).with("in", "query")
                }
                None => Problem::malformed(rejection).with("in", "query"),
            })
    }
}
