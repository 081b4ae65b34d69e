//! DescribeUserScramCredentials and AlterUserScramCredentials: the users that may log in by SCRAM.

use std::collections::{HashMap, HashSet};
use std::num::NonZeroU32;

use factum_access::{
    ChangeError, CredentialChange, MAX_ITERATIONS, MIN_ITERATIONS, ScramCredential, ScramMechanism, User,
    check_user_name,
};
use factum_types::Action;
use tracing::error;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::alter_user_scram_credentials::{
    AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse, AlteredUser, ScramDeletion,
    ScramUpsertion,
};
use crate::messages::describe_user_scram_credentials::{
    CredentialInfo, DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
    UserScramDescription,
};

/// Bytes of a salt, and of a salted password; Kafka's clients send 20 and 64.
const MAX_SECRET_BYTES: usize = 1024;

/// What is said of one user.
type Outcome<T> = Result<T, (ErrorCode, String)>;

fn number(mechanism: ScramMechanism) -> i8 {
    match mechanism {
        ScramMechanism::Sha256 => 1,
        ScramMechanism::Sha512 => 2,
    }
}

fn mechanism(asked: i8) -> Outcome<ScramMechanism> {
    let found = ScramMechanism::ALL.into_iter().find(|mechanism| number(*mechanism) == asked);
    found.ok_or_else(|| (ErrorCode::UnsupportedSaslMechanism, format!("unknown SCRAM mechanism {asked}")))
}

impl Handle for DescribeUserScramCredentialsRequest {
    type Response = DescribeUserScramCredentialsResponse;

    async fn handle(self, call: &Call) -> DescribeUserScramCredentialsResponse {
        let mut response = DescribeUserScramCredentialsResponse {
            throttle_time_ms: 0,
            error_code: ErrorCode::None,
            error_message: None,
            results: Vec::new(),
        };
        if let Err(code) = call.session.check_access_rules(Action::Describe) {
            response.error_code = code;
            return response;
        }
        let users = call.session.node.access.users();
        response.results = match self.users {
            Some(asked) if !asked.is_empty() => {
                let mut times: HashMap<&str, u32> = HashMap::new();
                asked.iter().for_each(|name| *times.entry(name).or_default() += 1);
                let mut seen = HashSet::new();
                let once = asked.iter().filter(|name| seen.insert(name.as_str()));
                once.map(|name| describe(name, users.get(name), times[name.as_str()] > 1)).collect()
            }
            _ => {
                let all = users.list().into_iter();
                all.map(|user| describe(&user.name.clone(), Some(user), false)).collect()
            }
        };
        response
    }
}

fn describe(name: &str, user: Option<User>, is_named_twice: bool) -> UserScramDescription {
    let found = match user {
        _ if is_named_twice => Err((ErrorCode::DuplicateResource, "the request names the user twice")),
        Some(user) => Ok(user.mechanisms),
        None => Err((ErrorCode::ResourceNotFound, "there is no such user")),
    };
    let (error_code, error_message, mechanisms) = match found {
        Ok(mechanisms) => (ErrorCode::None, None, mechanisms),
        Err((code, reason)) => (code, Some(reason.to_owned()), Vec::new()),
    };
    let info = |(mechanism, iterations): (ScramMechanism, NonZeroU32)| CredentialInfo {
        mechanism: number(mechanism),
        iterations: i32::try_from(iterations.get()).unwrap_or(i32::MAX),
    };
    UserScramDescription {
        user: name.to_owned(),
        error_code,
        error_message,
        credential_infos: mechanisms.into_iter().map(info).collect(),
    }
}

impl Handle for AlterUserScramCredentialsRequest {
    type Response = AlterUserScramCredentialsResponse;

    async fn handle(self, call: &Call) -> AlterUserScramCredentialsResponse {
        let changes = changes(self);
        let allowed = call.session.check_access_rules(Action::Alter);
        let mut results = Vec::with_capacity(changes.len());
        for (user, change) in changes {
            let outcome = match (&allowed, change) {
                (Err(code), _) => Err((*code, None)),
                (Ok(()), Err((code, reason))) => Err((code, Some(reason))),
                (Ok(()), Ok(change)) => alter(call, &user, change).await,
            };
            let (error_code, error_message) = outcome.err().unwrap_or((ErrorCode::None, None));
            results.push(AlteredUser { user, error_code, error_message });
        }
        AlterUserScramCredentialsResponse { throttle_time_ms: 0, results }
    }
}

/// What is to become of each user, in the order in which they are named first. As in Kafka, a user that is named twice does
/// not change, whatever the mechanisms are.
fn changes(request: AlterUserScramCredentialsRequest) -> Vec<(String, Outcome<CredentialChange>)> {
    let mut all: Vec<(String, Outcome<CredentialChange>)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    let deletions = request.deletions.into_iter().map(deletion);
    for (name, change) in deletions.chain(request.upsertions.into_iter().map(upsertion)) {
        match places.get(&name) {
            Some(place) if all[*place].1.is_ok() => {
                let reason = "the request names the user twice".to_owned();
                all[*place].1 = Err((ErrorCode::DuplicateResource, reason));
            }
            Some(_) => {}
            None => {
                places.insert(name.clone(), all.len());
                all.push((name, change));
            }
        }
    }
    all
}

fn deletion(asked: ScramDeletion) -> (String, Outcome<CredentialChange>) {
    let change = mechanism(asked.mechanism).map(CredentialChange::Remove);
    (asked.name, change)
}

fn upsertion(asked: ScramUpsertion) -> (String, Outcome<CredentialChange>) {
    let unacceptable = |reason: String| (ErrorCode::UnacceptableCredential, reason);
    let read = || {
        check_user_name(&asked.name).map_err(|error| unacceptable(error.to_string()))?;
        let mechanism = mechanism(asked.mechanism)?;
        let iterations = u32::try_from(asked.iterations).ok().and_then(NonZeroU32::new);
        let range = MIN_ITERATIONS..=MAX_ITERATIONS;
        let iterations = iterations.filter(|iterations| range.contains(iterations)).ok_or_else(|| {
            let (least, most) = (MIN_ITERATIONS, MAX_ITERATIONS);
            unacceptable(format!("{} iterations: from {least} to {most}", asked.iterations))
        })?;
        let (salt, salted) = (&asked.salt, &asked.salted_password);
        let sizes = 1..=MAX_SECRET_BYTES;
        if !sizes.contains(&salt.len()) || !sizes.contains(&salted.len()) {
            let reason = format!("a salt and a salted password have 1 to {MAX_SECRET_BYTES} bytes");
            return Err(unacceptable(reason));
        }
        let credential = ScramCredential::from_salted_password(mechanism, salted, salt.to_vec(), iterations);
        Ok(CredentialChange::Set(credential))
    };
    let change = read();
    (asked.name, change)
}

async fn alter(call: &Call, user: &str, change: CredentialChange) -> Result<(), (ErrorCode, Option<String>)> {
    let changed = call.session.node.access.change_user(call.session.principal(), user, vec![change]).await;
    changed.map_err(|failure| {
        if failure.is_transient() {
            error!(error = &failure as &dyn std::error::Error, "cannot change a user");
        }
        let code = match &failure {
            ChangeError::Name(_) => ErrorCode::UnacceptableCredential,
            failure => failure.into(),
        };
        (code, Some(failure.to_string()))
    })
}
