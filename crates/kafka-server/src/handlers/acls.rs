//! DescribeAcls, CreateAcls and DeleteAcls: the rules that say who may do what.
//!
//! Where no listener goes by rules there are none to see or change, as in a Kafka without an authoriser: a rule must not look
//! as if it protected something.

mod numbers;

use factum_access::{AccessStore, Acl, AclFilter, AclFilterSet, ChangeError};
use factum_types::{Action, Principal};
use tracing::error;

use super::{Call, Handle, Session};
use crate::error_code::ErrorCode;
use crate::messages::create_acls::{AclCreationResult, CreateAclsRequest, CreateAclsResponse};
use crate::messages::delete_acls::{AclDeletionResult, DeleteAclsRequest, DeleteAclsResponse, MatchingAcl};
use crate::messages::describe_acls::{
    AclDescription, AclResource, DescribeAclsRequest, DescribeAclsResponse,
};

/// Filters in one DeleteAcls.
const MAX_FILTERS: usize = 1_000;
const TOO_MANY_FILTERS: &str = "too many filters: the limit is 1000";
const NO_RULES: &str = "no listener goes by ACLs; access = \"acl\" in the configuration has them do so";

/// Why something was not done, with the code that says it.
#[derive(Debug, Clone)]
struct Refusal {
    code: ErrorCode,
    reason: Option<String>,
}

impl Refusal {
    fn invalid(reason: impl Into<String>) -> Self {
        Self { code: ErrorCode::InvalidRequest, reason: Some(reason.into()) }
    }
}

impl From<ErrorCode> for Refusal {
    fn from(code: ErrorCode) -> Self {
        Self { code, reason: None }
    }
}

impl From<ChangeError> for Refusal {
    fn from(failure: ChangeError) -> Self {
        if failure.is_transient() {
            error!(error = &failure as &dyn std::error::Error, "cannot change access rules");
        }
        Self { code: ErrorCode::from(&failure), reason: Some(failure.to_string()) }
    }
}

/// The store of rules, for a client that may do `action` with them.
fn rules(session: &Session, action: Action) -> Result<&AccessStore, Refusal> {
    session.check_access_rules(action)?;
    match session.node.access.is_enforced() {
        true => Ok(&session.node.access),
        false => Err(Refusal { code: ErrorCode::SecurityDisabled, reason: Some(NO_RULES.to_owned()) }),
    }
}

impl Handle for DescribeAclsRequest {
    type Response = DescribeAclsResponse;

    async fn handle(self, call: &Call) -> DescribeAclsResponse {
        let (code, reason, resources) = match describe(call, self).await {
            Ok(resources) => (ErrorCode::None, None, resources),
            Err(Refusal { code, reason }) => (code, reason, Vec::new()),
        };
        DescribeAclsResponse { throttle_time_ms: 0, error_code: code, error_message: reason, resources }
    }
}

async fn describe(call: &Call, request: DescribeAclsRequest) -> Result<Vec<AclResource>, Refusal> {
    let acls = rules(&call.session, Action::Describe)?.acls().clone();
    let filter = numbers::filter(request.filter)?;
    let _turn = call.session.turn_for_long_answer().await;
    let walk = move || by_resource(&acls.list(&filter));
    Ok(call.session.node.side_work.run(call.session.client(), walk).await)
}

/// The rules, which come in order, by what they are about.
fn by_resource(acls: &[Acl]) -> Vec<AclResource> {
    let groups = acls.chunk_by(|one, next| one.resource == next.resource);
    let render = |group: &[Acl]| {
        let resource = numbers::fields(&group[0]);
        let acls = group.iter().map(|acl| {
            let fields = numbers::fields(acl);
            AclDescription {
                principal: fields.principal,
                host: fields.host,
                operation: fields.operation,
                permission_type: fields.permission_type,
            }
        });
        AclResource {
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
            pattern_type: resource.pattern_type,
            acls: acls.collect(),
        }
    };
    groups.map(render).collect()
}

impl Handle for CreateAclsRequest {
    type Response = CreateAclsResponse;

    async fn handle(self, call: &Call) -> CreateAclsResponse {
        let count = self.creations.len();
        let results = match rules(&call.session, Action::Alter) {
            Ok(store) => create(call.session.principal(), store, self).await,
            Err(refusal) => vec![Err(refusal); count],
        };
        let results = results.into_iter().map(|result| match result {
            Ok(()) => AclCreationResult { error_code: ErrorCode::None, error_message: None },
            Err(Refusal { code, reason }) => AclCreationResult { error_code: code, error_message: reason },
        });
        CreateAclsResponse { throttle_time_ms: 0, results: results.collect() }
    }
}

/// Puts those in place that can be, together.
async fn create(by: &Principal, store: &AccessStore, request: CreateAclsRequest) -> Vec<Result<(), Refusal>> {
    let read: Vec<_> = request.creations.into_iter().map(numbers::acl).collect();
    let valid: Vec<Acl> = read.iter().filter_map(|acl| acl.as_ref().ok().cloned()).collect();
    let written = match valid.is_empty() {
        true => Ok(()),
        false => store.add_acls(by, valid).await.map_err(Refusal::from),
    };
    read.into_iter().map(|acl| acl.and_then(|_| written.clone())).collect()
}

impl Handle for DeleteAclsRequest {
    type Response = DeleteAclsResponse;

    async fn handle(self, call: &Call) -> DeleteAclsResponse {
        let count = self.filters.len();
        let results = match rules(&call.session, Action::Alter) {
            Ok(_) if count > MAX_FILTERS => vec![Err(Refusal::invalid(TOO_MANY_FILTERS)); count],
            Ok(store) => delete(call, store, self).await,
            Err(refusal) => vec![Err(refusal); count],
        };
        let results = results.into_iter().map(|result| match result {
            Ok(acls) => AclDeletionResult {
                error_code: ErrorCode::None,
                error_message: None,
                matching_acls: acls.iter().map(gone).collect(),
            },
            Err(Refusal { code, reason }) => {
                AclDeletionResult { error_code: code, error_message: reason, matching_acls: Vec::new() }
            }
        });
        DeleteAclsResponse { throttle_time_ms: 0, filter_results: results.collect() }
    }
}

/// Takes away what the filters mean, together. As if one filter came after the other: a rule is the first's that means it,
/// so that the answer is no larger than what there was.
async fn delete(
    call: &Call,
    store: &AccessStore,
    request: DeleteAclsRequest,
) -> Vec<Result<Vec<Acl>, Refusal>> {
    let filters: Vec<_> = request.filters.into_iter().map(numbers::filter).collect();
    let acls = store.acls().clone();
    let _turn = call.session.turn_for_long_answer().await;
    let find = move || meant(filters, &acls.list(&AclFilter::default()));
    let (all, meant) = call.session.node.side_work.run(call.session.client(), find).await;
    match store.remove_acls(call.session.principal(), all).await {
        Ok(()) => meant,
        Err(error) => {
            let refusal = Refusal::from(error);
            meant.into_iter().map(|found| found.and_then(|_| Err(refusal.clone()))).collect()
        }
    }
}

/// The rules that any filter means, and those of each.
fn meant(
    filters: Vec<Result<AclFilter, Refusal>>,
    acls: &[Acl],
) -> (Vec<Acl>, Vec<Result<Vec<Acl>, Refusal>>) {
    let (places, valid): (Vec<usize>, Vec<&AclFilter>) =
        filters.iter().enumerate().filter_map(|(at, filter)| Some((at, filter.as_ref().ok()?))).unzip();
    let set = AclFilterSet::new(valid);
    let mut of_each: Vec<Vec<Acl>> = vec![Vec::new(); filters.len()];
    let mut all = Vec::new();
    for acl in acls {
        if let Some(first) = set.first(acl) {
            of_each[places[first]].push(acl.clone());
            all.push(acl.clone());
        }
    }
    (all, filters.into_iter().zip(of_each).map(|(filter, found)| filter.map(|_| found)).collect())
}

fn gone(acl: &Acl) -> MatchingAcl {
    MatchingAcl { error_code: ErrorCode::None, error_message: None, acl: numbers::fields(acl) }
}
