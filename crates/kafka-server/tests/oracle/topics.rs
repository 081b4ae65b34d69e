//! Samples of CreateTopics, DeleteTopics, DescribeProducers, and of what shows and changes settings.

use factum_kafka_server::messages::alter_configs::*;
use factum_kafka_server::messages::create_topics::*;
use factum_kafka_server::messages::delete_records::*;
use factum_kafka_server::messages::delete_topics::*;
use factum_kafka_server::messages::describe_configs::*;
use factum_kafka_server::messages::describe_producers::*;
use factum_kafka_server::messages::incremental_alter_configs::*;
use factum_types::TopicId;
use kafka_protocol::messages as theirs;
use kafka_protocol::messages::{
    alter_configs_request as their_replacement, alter_configs_response as their_replaced,
    create_topics_request as their_creation, create_topics_response as their_created,
    delete_records_request as their_cut, delete_records_response as their_rest,
    delete_topics_request as their_deletion, delete_topics_response as their_deleted,
    describe_configs_request as their_question, describe_configs_response as their_configs,
    describe_producers_request as their_producers_asked, describe_producers_response as their_producers,
    incremental_alter_configs_request as their_edit, incremental_alter_configs_response as their_edited,
};

use crate::exchange::{maybe, request, response, text, topic};
use crate::source::Source;

pub(crate) fn create_topics(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(|s| created_topic(v, s));
    let ours = CreateTopicsResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::CreateTopicsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.topics = their_topics;
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(creatable_topic);
    let ours = CreateTopicsRequest { topics, timeout_ms: s.i32(), validate_only: s.bool() };
    let mut sent = theirs::CreateTopicsRequest::default();
    sent.topics = their_topics;
    sent.timeout_ms = ours.timeout_ms;
    sent.validate_only = ours.validate_only;
    request(v, (sent, ours))
}

fn creatable_topic(s: &mut Source<'_>) -> (their_creation::CreatableTopic, CreatableTopic) {
    let (their_assignments, assignments) = s.pairs(|s| {
        let ours = ReplicaAssignment { partition_index: s.i32(), broker_ids: s.list(Source::i32) };
        let mut assignment = their_creation::CreatableReplicaAssignment::default();
        assignment.partition_index = ours.partition_index;
        assignment.broker_ids = ours.broker_ids.iter().map(|id| (*id).into()).collect();
        (assignment, ours)
    });
    let (their_configs, configs) = s.pairs(|s| {
        let ours = ConfigEntry { name: s.text(), value: s.maybe_text() };
        let mut config = their_creation::CreatableTopicConfig::default();
        (config.name, config.value) = (text(&ours.name), maybe(ours.value.as_ref()));
        (config, ours)
    });
    let ours = CreatableTopic {
        name: s.text(),
        num_partitions: s.i32(),
        replication_factor: s.i16(),
        assignments,
        configs,
    };
    let mut sent = their_creation::CreatableTopic::default();
    sent.name = topic(&ours.name);
    sent.num_partitions = ours.num_partitions;
    sent.replication_factor = ours.replication_factor;
    sent.assignments = their_assignments;
    sent.configs = their_configs;
    (sent, ours)
}

fn created_topic(v: i16, s: &mut Source<'_>) -> (their_created::CreatableTopicResult, CreatedTopic) {
    let (their_configs, configs) = s.pairs(created_config);
    let has_configs = s.bool();
    let ours = CreatedTopic {
        name: s.text(),
        topic_id: s.topic_id(),
        error_code: s.error(),
        error_message: s.maybe_text(),
        topic_config_error_code: s.error(),
        num_partitions: s.i32(),
        replication_factor: s.i16(),
        configs: has_configs.then_some(configs),
    };
    let mut expected = their_created::CreatableTopicResult::default();
    expected.name = topic(&ours.name);
    if v >= 7 {
        expected.topic_id = ours.topic_id.uuid();
    }
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    if v >= 5 {
        expected.topic_config_error_code = ours.topic_config_error_code.code();
        expected.num_partitions = ours.num_partitions;
        expected.replication_factor = ours.replication_factor;
        expected.configs = has_configs.then_some(their_configs);
    }
    (expected, ours)
}

fn created_config(s: &mut Source<'_>) -> (their_created::CreatableTopicConfigs, CreatedConfig) {
    let ours = CreatedConfig {
        name: s.text(),
        value: s.maybe_text(),
        read_only: s.bool(),
        config_source: config_source(s),
        is_sensitive: s.bool(),
    };
    let mut expected = their_created::CreatableTopicConfigs::default();
    expected.name = text(&ours.name);
    expected.value = maybe(ours.value.as_ref());
    expected.read_only = ours.read_only;
    expected.config_source = ours.config_source as i8;
    expected.is_sensitive = ours.is_sensitive;
    (expected, ours)
}

fn config_source(s: &mut Source<'_>) -> ConfigSource {
    [ConfigSource::DynamicTopicConfig, ConfigSource::StaticBrokerConfig, ConfigSource::DefaultConfig]
        [usize::from(s.byte() % 3)]
}

pub(crate) fn delete_topics(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, responses) = s.pairs(|s| deleted_topic(v, s));
    let ours = DeleteTopicsResponse { throttle_time_ms: s.i32(), responses };
    let mut expected = theirs::DeleteTopicsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.responses = their_topics;
    response(v, (expected, ours));

    let mut sent = theirs::DeleteTopicsRequest::default();
    let timeout_ms = s.i32();
    sent.timeout_ms = timeout_ms;
    let topics = if v >= 6 {
        let (their_topics, topics) = s.pairs(|s| {
            let ours = DeletableTopic { name: s.maybe_text(), topic_id: s.topic_id() };
            let mut state = their_deletion::DeleteTopicState::default();
            state.name = ours.name.as_ref().map(|name| topic(name));
            state.topic_id = ours.topic_id.uuid();
            (state, ours)
        });
        sent.topics = their_topics;
        topics
    } else {
        let (their_names, topics) = s.pairs(|s| {
            let name = s.text();
            (topic(&name), DeletableTopic { name: Some(name), topic_id: TopicId::NIL })
        });
        sent.topic_names = their_names;
        topics
    };
    request(v, (sent, DeleteTopicsRequest { topics, timeout_ms }))
}

fn deleted_topic(v: i16, s: &mut Source<'_>) -> (their_deleted::DeletableTopicResult, DeletedTopic) {
    let ours = DeletedTopic {
        name: s.maybe_text(),
        topic_id: s.topic_id(),
        error_code: s.error(),
        error_message: s.maybe_text(),
    };
    let mut expected = their_deleted::DeletableTopicResult::default();
    expected.name = ours.name.as_ref().map(|name| topic(name));
    if v >= 6 {
        expected.topic_id = ours.topic_id.uuid();
    } else {
        expected.name = Some(expected.name.unwrap_or_default());
    }
    expected.error_code = ours.error_code.code();
    if v >= 5 {
        expected.error_message = maybe(ours.error_message.as_ref());
    }
    (expected, ours)
}

pub(crate) fn describe_configs(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_results, results) = s.pairs(|s| resource_configs(v, s));
    let ours = DescribeConfigsResponse { throttle_time_ms: s.i32(), results };
    let mut expected = theirs::DescribeConfigsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.results = their_results;
    response(v, (expected, ours));

    let (their_resources, resources) = s.pairs(|s| {
        let configuration_keys = s.option(|s| s.list(Source::text));
        let ours = ConfigResource { resource_type: s.i8(), resource_name: s.text(), configuration_keys };
        let mut resource = their_question::DescribeConfigsResource::default();
        resource.resource_type = ours.resource_type;
        resource.resource_name = text(&ours.resource_name);
        resource.configuration_keys =
            ours.configuration_keys.as_ref().map(|keys| keys.iter().map(|key| text(key)).collect());
        (resource, ours)
    });
    let ours = DescribeConfigsRequest {
        resources,
        include_synonyms: s.bool(),
        include_documentation: v >= 3 && s.bool(),
    };
    let mut sent = theirs::DescribeConfigsRequest::default();
    sent.resources = their_resources;
    sent.include_synonyms = ours.include_synonyms;
    sent.include_documentation = ours.include_documentation;
    request(v, (sent, ours))
}

fn resource_configs(v: i16, s: &mut Source<'_>) -> (their_configs::DescribeConfigsResult, ResourceConfigs) {
    let (their_entries, configs) = s.pairs(|s| described_config(v, s));
    let ours = ResourceConfigs {
        error_code: s.error(),
        error_message: s.maybe_text(),
        resource_type: s.i8(),
        resource_name: s.text(),
        configs,
    };
    let mut expected = their_configs::DescribeConfigsResult::default();
    expected.error_code = ours.error_code.code();
    expected.error_message = maybe(ours.error_message.as_ref());
    expected.resource_type = ours.resource_type;
    expected.resource_name = text(&ours.resource_name);
    expected.configs = their_entries;
    (expected, ours)
}

fn described_config(
    v: i16,
    s: &mut Source<'_>,
) -> (their_configs::DescribeConfigsResourceResult, DescribedConfig) {
    let (their_synonyms, synonyms) = s.pairs(|s| {
        let ours = ConfigSynonym { name: s.text(), value: s.maybe_text(), source: config_source(s) };
        let mut synonym = their_configs::DescribeConfigsSynonym::default();
        synonym.name = text(&ours.name);
        synonym.value = maybe(ours.value.as_ref());
        synonym.source = ours.source as i8;
        (synonym, ours)
    });
    let ours = DescribedConfig {
        name: s.text(),
        value: s.maybe_text(),
        read_only: s.bool(),
        source: config_source(s),
        is_sensitive: s.bool(),
        synonyms,
        config_type: [ConfigType::Boolean, ConfigType::Long, ConfigType::List][usize::from(s.byte() % 3)],
        documentation: s.maybe_text(),
    };
    let mut expected = their_configs::DescribeConfigsResourceResult::default();
    expected.name = text(&ours.name);
    expected.value = maybe(ours.value.as_ref());
    expected.read_only = ours.read_only;
    expected.config_source = ours.source as i8;
    expected.is_sensitive = ours.is_sensitive;
    expected.synonyms = their_synonyms;
    if v >= 3 {
        expected.config_type = ours.config_type as i8;
        expected.documentation = maybe(ours.documentation.as_ref());
    }
    (expected, ours)
}

pub(crate) fn alter_configs(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_responses, responses) = s.pairs(|s| {
        let ours = altered(s);
        let mut expected = their_replaced::AlterConfigsResourceResponse::default();
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.resource_type = ours.resource_type;
        expected.resource_name = text(&ours.resource_name);
        (expected, ours)
    });
    let ours = AlterConfigsResponse { throttle_time_ms: s.i32(), responses };
    let mut expected = theirs::AlterConfigsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.responses = their_responses;
    response(v, (expected, ours));

    let (their_resources, resources) = s.pairs(|s| {
        let (their_configs, configs) = s.pairs(|s| {
            let ours = ConfigEntry { name: s.text(), value: s.maybe_text() };
            let mut config = their_replacement::AlterableConfig::default();
            (config.name, config.value) = (text(&ours.name), maybe(ours.value.as_ref()));
            (config, ours)
        });
        let ours = ReplacedConfig { resource_type: s.i8(), resource_name: s.text(), configs };
        let mut resource = their_replacement::AlterConfigsResource::default();
        resource.resource_type = ours.resource_type;
        resource.resource_name = text(&ours.resource_name);
        resource.configs = their_configs;
        (resource, ours)
    });
    let ours = AlterConfigsRequest { resources, validate_only: s.bool() };
    let mut sent = theirs::AlterConfigsRequest::default();
    sent.resources = their_resources;
    sent.validate_only = ours.validate_only;
    request(v, (sent, ours))
}

pub(crate) fn incremental_alter_configs(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_responses, responses) = s.pairs(|s| {
        let ours = altered(s);
        let mut expected = their_edited::AlterConfigsResourceResponse::default();
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.resource_type = ours.resource_type;
        expected.resource_name = text(&ours.resource_name);
        (expected, ours)
    });
    let ours = IncrementalAlterConfigsResponse { throttle_time_ms: s.i32(), responses };
    let mut expected = theirs::IncrementalAlterConfigsResponse::default();
    expected.throttle_time_ms = ours.throttle_time_ms;
    expected.responses = their_responses;
    response(v, (expected, ours));

    let (their_resources, resources) = s.pairs(|s| {
        let (their_configs, configs) = s.pairs(|s| {
            let entry = ConfigEntry { name: s.text(), value: s.maybe_text() };
            let ours = ConfigEdit { operation: s.i8(), entry };
            let mut config = their_edit::AlterableConfig::default();
            config.name = text(&ours.entry.name);
            config.config_operation = ours.operation;
            config.value = maybe(ours.entry.value.as_ref());
            (config, ours)
        });
        let ours = EditedConfig { resource_type: s.i8(), resource_name: s.text(), configs };
        let mut resource = their_edit::AlterConfigsResource::default();
        resource.resource_type = ours.resource_type;
        resource.resource_name = text(&ours.resource_name);
        resource.configs = their_configs;
        (resource, ours)
    });
    let ours = IncrementalAlterConfigsRequest { resources, validate_only: s.bool() };
    let mut sent = theirs::IncrementalAlterConfigsRequest::default();
    sent.resources = their_resources;
    sent.validate_only = ours.validate_only;
    request(v, (sent, ours))
}

fn altered(s: &mut Source<'_>) -> AlteredResource {
    AlteredResource {
        error_code: s.error(),
        error_message: s.maybe_text(),
        resource_type: s.i8(),
        resource_name: s.text(),
    }
}

pub(crate) fn delete_records(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(deleted_records);
    let ours = DeleteRecordsResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::DeleteRecordsResponse::default();
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_partitions, partitions) = s.pairs(|s| {
            let ours = DeleteRecordsPartition { partition_index: s.i32(), offset: s.i64() };
            let mut partition = their_cut::DeleteRecordsPartition::default();
            (partition.partition_index, partition.offset) = (ours.partition_index, ours.offset);
            (partition, ours)
        });
        let ours = DeleteRecordsTopic { name: s.text(), partitions };
        let mut sent = their_cut::DeleteRecordsTopic::default();
        (sent.name, sent.partitions) = (topic(&ours.name), their_partitions);
        (sent, ours)
    });
    let ours = DeleteRecordsRequest { topics, timeout_ms: s.i32() };
    let mut sent = theirs::DeleteRecordsRequest::default();
    (sent.topics, sent.timeout_ms) = (their_topics, ours.timeout_ms);
    request(v, (sent, ours))
}

fn deleted_records(s: &mut Source<'_>) -> (their_rest::DeleteRecordsTopicResult, DeletedRecordsTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let ours = DeletedRecordsPartition {
            partition_index: s.i32(),
            low_watermark: s.i64(),
            error_code: s.error(),
        };
        let mut partition = their_rest::DeleteRecordsPartitionResult::default();
        (partition.partition_index, partition.low_watermark) = (ours.partition_index, ours.low_watermark);
        partition.error_code = ours.error_code.code();
        (partition, ours)
    });
    let ours = DeletedRecordsTopic { name: s.text(), partitions };
    let mut expected = their_rest::DeleteRecordsTopicResult::default();
    (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
    (expected, ours)
}

pub(crate) fn describe_producers(v: i16, s: &mut Source<'_>) -> Vec<u8> {
    let (their_topics, topics) = s.pairs(producers_of_topic);
    let ours = DescribeProducersResponse { throttle_time_ms: s.i32(), topics };
    let mut expected = theirs::DescribeProducersResponse::default();
    (expected.throttle_time_ms, expected.topics) = (ours.throttle_time_ms, their_topics);
    response(v, (expected, ours));

    let (their_topics, topics) = s.pairs(|s| {
        let (their_indexes, partition_indexes) = s.pairs(|s| {
            let index = s.i32();
            (index, index)
        });
        let ours = DescribeProducersTopic { name: s.text(), partition_indexes };
        let mut sent = their_producers_asked::TopicRequest::default();
        (sent.name, sent.partition_indexes) = (topic(&ours.name), their_indexes);
        (sent, ours)
    });
    let ours = DescribeProducersRequest { topics };
    let mut sent = theirs::DescribeProducersRequest::default();
    sent.topics = their_topics;
    request(v, (sent, ours))
}

fn producers_of_topic(s: &mut Source<'_>) -> (their_producers::TopicResponse, ProducersOfTopic) {
    let (their_partitions, partitions) = s.pairs(|s| {
        let (their_active, active_producers) = s.pairs(active_producer);
        let ours = ProducersOfPartition {
            partition_index: s.i32(),
            error_code: s.error(),
            error_message: s.maybe_text(),
            active_producers,
        };
        let mut expected = their_producers::PartitionResponse::default();
        expected.partition_index = ours.partition_index;
        expected.error_code = ours.error_code.code();
        expected.error_message = maybe(ours.error_message.as_ref());
        expected.active_producers = their_active;
        (expected, ours)
    });
    let ours = ProducersOfTopic { name: s.text(), partitions };
    let mut expected = their_producers::TopicResponse::default();
    (expected.name, expected.partitions) = (topic(&ours.name), their_partitions);
    (expected, ours)
}

fn active_producer(s: &mut Source<'_>) -> (their_producers::ProducerState, ActiveProducer) {
    let ours = ActiveProducer {
        producer_id: s.i64(),
        producer_epoch: s.i32(),
        last_sequence: s.i32(),
        last_timestamp: s.i64(),
        coordinator_epoch: s.i32(),
        current_txn_start_offset: s.i64(),
    };
    let mut expected = their_producers::ProducerState::default();
    expected.producer_id = ours.producer_id.into();
    (expected.producer_epoch, expected.last_sequence) = (ours.producer_epoch, ours.last_sequence);
    (expected.last_timestamp, expected.coordinator_epoch) = (ours.last_timestamp, ours.coordinator_epoch);
    expected.current_txn_start_offset = ours.current_txn_start_offset;
    (expected, ours)
}
