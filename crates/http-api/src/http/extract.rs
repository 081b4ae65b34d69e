//! Extractors: the caller, and the names in a request's path and query.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Path};
use axum::http::request::Parts;
use factum_base::clients::ClientAddress;
use factum_types::auth::Client;
use factum_types::{Action, Authorizer, GroupId, Principal, Resource, TopicName, TransactionalId};
use serde::de::DeserializeOwned;

use crate::api::Api;
use crate::http::client_limit::client_of;
use crate::http::parameter;
use crate::http::problem::Problem;

/// The address that a request came from, as its connection noted it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PeerAddress(pub(crate) Option<IpAddr>);

/// Who sends the request. The one place that decides it, by the log-in that the request has (see [`crate::http::login`]).
pub(crate) struct Caller {
    principal: Principal,
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
        self.authorizer.check(asked, action, resource).map_err(|denied| match self.may_log_in {
            true => Problem::unauthenticated(denied),
            false => denied.into(),
        })
    }

    /// What the caller may see of what there is.
    pub(crate) fn visibility(&self) -> factum_sql::Visibility {
        let (principal, authorizer) = (self.principal.clone(), Arc::clone(&self.authorizer));
        let address = self.address;
        Arc::new(move |resource| {
            let asked = Client { principal: &principal, address };
            authorizer.check(asked, Action::Describe, resource).is_ok()
        })
    }

    /// Who the caller is.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
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
        let principal = api.logins.principal(head, client).await?;
        let may_log_in = api.logins.is_asked() && principal == Principal::anonymous();
        Ok(Self { principal, address, may_log_in, client, authorizer })
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
