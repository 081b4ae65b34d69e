//! Samples of DescribeAcls, CreateAcls, DeleteAcls, DescribeUserScramCredentials and AlterUserScramCredentials.

use factum_kafka_server::messages::alter_user_scram_credentials::*;
use factum_kafka_server::messages::create_acls::*;
use factum_kafka_server::messages::delete_acls::*;
use factum_kafka_server::messages::describe_acls::*;
use factum_kafka_server::messages::describe_user_scram_credentials::*;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    alter_user_scram_credentials_request as their_alter,
    alter_user_scram_credentials_response as their_altered, create_acls_request as their_create,
    create_acls_response as their_created, delete_acls_request as their_delete,
    delete_acls_response as their_deleted, describe_acls_response as their_described,
    describe_user_scram_credentials_request as their_ask,
    describe_user_scram_credentials_response as their_scram,
};

use crate::exchange::{maybe, request, response, text};
use crate::source::Source;

fn filter(s: &mut Source<'_>) -> AclFilterFields {
    AclFilterFields {
        resource_type: s.i8(),
        resource_name: s.maybe_text(),
        pattern_type: s.i8(),
        principal: s.maybe_text(),
        host: s.maybe_text(),
        operation: s.i8(),
        permission_type: s.i8(),
    }
}

fn fields(s: &mut Source<'_>) -> AclFields {
    AclFields {
        resource_type: s.i8(),
        resource_name: s.text(),
        pattern_type: s.i8(),
        principal: s.text(),
        host: s.text(),
        operation: s.i8(),
        permission_type: s.i8(),
    }
}

pub(crate) fn describe_acls(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_resources, resources) = s.pairs(|s| {
        let (their_acls, acls) = s.pairs(|s| {
            let ours = AclDescription {
                principal: s.text(),
                host: s.text(),
                operation: s.i8(),
                permission_type: s.i8(),
            };
            let mut expected = their_described::AclDescription::default();
            (expected.principal, expected.host) = (text(&ours.principal), text(&ours.host));
            (expected.operation, expected.permission_type) = (ours.operation, ours.permission_type);
            (expected, ours)
        });
        let ours = AclResource { resource_type: s.i8(), resource_name: s.text(), pattern_type: s.i8(), acls };
        let mut expected = their_described::DescribeAclsResource::default();
        (expected.resource_type, expected.pattern_type) = (ours.resource_type, ours.pattern_type);
        (expected.resource_name, expected.acls) = (text(&ours.resource_name), their_acls);
        (expected, ours)
    });
    let ours = DescribeAclsResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        resources,
    };
    let mut expected = theirs::DescribeAclsResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.resources = their_resources;
    response(v, (expected, ours));

    let ours = DescribeAclsRequest { filter: filter(s) };
    let mut sent = theirs::DescribeAclsRequest::default();
    sent.resource_type_filter = ours.filter.resource_type;
    sent.resource_name_filter = maybe(ours.filter.resource_name.as_ref());
    sent.pattern_type_filter = ours.filter.pattern_type;
    sent.principal_filter = maybe(ours.filter.principal.as_ref());
    sent.host_filter = maybe(ours.filter.host.as_ref());
    (sent.operation, sent.permission_type) = (ours.filter.operation, ours.filter.permission_type);
    request(v, (sent, ours))
}

pub(crate) fn create_acls(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let ours = AclCreationResult { error_code: s.error(), error_message: s.maybe_text() };
        let mut expected = their_created::AclCreationResult::default();
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        (expected, ours)
    });
    let ours = CreateAclsResponse { throttle_time_ms: s.i32(), results };
    let mut expected = theirs::CreateAclsResponse::default();
    (expected.throttle_time_ms, expected.results) = (ours.throttle_time_ms, their_results);
    response(v, (expected, ours));

    let (their_creations, creations) = s.pairs(|s| {
        let ours = fields(s);
        let mut sent = their_create::AclCreation::default();
        (sent.resource_type, sent.resource_name) = (ours.resource_type, text(&ours.resource_name));
        sent.resource_pattern_type = ours.pattern_type;
        (sent.principal, sent.host) = (text(&ours.principal), text(&ours.host));
        (sent.operation, sent.permission_type) = (ours.operation, ours.permission_type);
        (sent, ours)
    });
    let mut sent = theirs::CreateAclsRequest::default();
    sent.creations = their_creations;
    request(v, (sent, CreateAclsRequest { creations }))
}

pub(crate) fn delete_acls(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, filter_results) = s.pairs(|s| {
        let (their_acls, matching_acls) = s.pairs(|s| {
            let ours = MatchingAcl { error_code: s.error(), error_message: s.maybe_text(), acl: fields(s) };
            let mut expected = their_deleted::DeleteAclsMatchingAcl::default();
            expected.error_code = ours.error_code.code();
            expected.error_message = maybe(ours.error_message.as_ref());
            (expected.resource_type, expected.pattern_type) = (ours.acl.resource_type, ours.acl.pattern_type);
            expected.resource_name = text(&ours.acl.resource_name);
            (expected.principal, expected.host) = (text(&ours.acl.principal), text(&ours.acl.host));
            (expected.operation, expected.permission_type) = (ours.acl.operation, ours.acl.permission_type);
            (expected, ours)
        });
        let ours = AclDeletionResult { error_code: s.error(), error_message: s.maybe_text(), matching_acls };
        let mut expected = their_deleted::DeleteAclsFilterResult::default();
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.matching_acls = their_acls;
        (expected, ours)
    });
    let ours = DeleteAclsResponse { throttle_time_ms: s.i32(), filter_results };
    let mut expected = theirs::DeleteAclsResponse::default();
    (expected.throttle_time_ms, expected.filter_results) = (ours.throttle_time_ms, their_results);
    response(v, (expected, ours));

    let (their_filters, filters) = s.pairs(|s| {
        let ours = filter(s);
        let mut sent = their_delete::DeleteAclsFilter::default();
        sent.resource_type_filter = ours.resource_type;
        sent.resource_name_filter = maybe(ours.resource_name.as_ref());
        sent.pattern_type_filter = ours.pattern_type;
        sent.principal_filter = maybe(ours.principal.as_ref());
        sent.host_filter = maybe(ours.host.as_ref());
        (sent.operation, sent.permission_type) = (ours.operation, ours.permission_type);
        (sent, ours)
    });
    let mut sent = theirs::DeleteAclsRequest::default();
    sent.filters = their_filters;
    request(v, (sent, DeleteAclsRequest { filters }))
}

pub(crate) fn describe_user_scram_credentials(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let (their_infos, credential_infos) = s.pairs(|s| {
            let ours = CredentialInfo { mechanism: s.i8(), iterations: s.i32() };
            let mut expected = their_scram::CredentialInfo::default();
            (expected.mechanism, expected.iterations) = (ours.mechanism, ours.iterations);
            (expected, ours)
        });
        let ours = UserScramDescription {
            user: s.text(),
            error_code: s.error(),
            error_message: s.maybe_text(),
            credential_infos,
        };
        let mut expected = their_scram::DescribeUserScramCredentialsResult::default();
        (expected.user, expected.error_code) = (text(&ours.user), ours.error_code.code());
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.credential_infos = their_infos;
        (expected, ours)
    });
    let ours = DescribeUserScramCredentialsResponse {
        throttle_time_ms: s.i32(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        results,
    };
    let mut expected = theirs::DescribeUserScramCredentialsResponse::default();
    (expected.throttle_time_ms, expected.error_code) = (ours.throttle_time_ms, ours.error_code.code());
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.results = their_results;
    response(v, (expected, ours));

    let ours = DescribeUserScramCredentialsRequest { users: s.option(|s| s.list(Source::text)) };
    let mut sent = theirs::DescribeUserScramCredentialsRequest::default();
    sent.users = ours.users.as_ref().map(|users| {
        let user = |name: &String| their_ask::UserName::default().with_name(text(name));
        users.iter().map(user).collect()
    });
    request(v, (sent, ours))
}

pub(crate) fn alter_user_scram_credentials(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| {
        let ours = AlteredUser { user: s.text(), error_code: s.error(), error_message: s.maybe_text() };
        let mut expected = their_altered::AlterUserScramCredentialsResult::default();
        (expected.user, expected.error_code) = (text(&ours.user), ours.error_code.code());
        expected.error_message = maybe(ours.error_message.as_ref());
        (expected, ours)
    });
    let ours = AlterUserScramCredentialsResponse { throttle_time_ms: s.i32(), results };
    let mut expected = theirs::AlterUserScramCredentialsResponse::default();
    (expected.throttle_time_ms, expected.results) = (ours.throttle_time_ms, their_results);
    response(v, (expected, ours));

    let (their_deletions, deletions) = s.pairs(|s| {
        let ours = ScramDeletion { name: s.text(), mechanism: s.i8() };
        let mut sent = their_alter::ScramCredentialDeletion::default();
        (sent.name, sent.mechanism) = (text(&ours.name), ours.mechanism);
        (sent, ours)
    });
    let (their_upsertions, upsertions) = s.pairs(|s| {
        let ours = ScramUpsertion {
            name: s.text(),
            mechanism: s.i8(),
            iterations: s.i32(),
            salt: s.bytes(),
            salted_password: s.bytes(),
        };
        let mut sent = their_alter::ScramCredentialUpsertion::default();
        (sent.name, sent.mechanism) = (text(&ours.name), ours.mechanism);
        (sent.iterations, sent.salt) = (ours.iterations, ours.salt.clone());
        sent.salted_password = ours.salted_password.clone();
        (sent, ours)
    });
    let mut sent = theirs::AlterUserScramCredentialsRequest::default();
    (sent.deletions, sent.upsertions) = (their_deletions, their_upsertions);
    request(v, (sent, AlterUserScramCredentialsRequest { deletions, upsertions }))
}
