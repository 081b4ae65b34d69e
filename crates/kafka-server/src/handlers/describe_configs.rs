//! DescribeConfigs: the settings of topics, groups and the broker, defaults included, and the level of its log.

use factum_types::Action;

use super::{Call, Handle, configs, lookup};
use crate::error_code::ErrorCode;
use crate::messages::describe_configs::{
    BROKER, BROKER_LOGGER, CLIENT_METRICS, ConfigResource, DescribeConfigsRequest, DescribeConfigsResponse,
    DescribedConfig, GROUP, ResourceConfigs, TOPIC,
};

type ConfigRefusal = (ErrorCode, Option<String>);

impl Handle for DescribeConfigsRequest {
    type Response = DescribeConfigsResponse;

    async fn handle(self, call: &Call) -> DescribeConfigsResponse {
        let with_synonyms = self.include_synonyms;
        let resources =
            lookup::unique(self.resources, |each| (each.resource_type, each.resource_name.clone()));
        let results = resources.map(|resource| describe(call, resource, with_synonyms));
        DescribeConfigsResponse { throttle_time_ms: 0, results: results.collect() }
    }
}

fn describe(call: &Call, asked: ConfigResource, with_synonyms: bool) -> ResourceConfigs {
    let found = match asked.resource_type {
        TOPIC => topic(call, &asked.resource_name),
        BROKER => broker(call, &asked.resource_name),
        BROKER_LOGGER => logger(call, &asked.resource_name),
        CLIENT_METRICS => client_metrics(call, &asked.resource_name),
        GROUP => group(call, &asked.resource_name),
        other => {
            Err((ErrorCode::InvalidRequest, Some(format!("resources of type {other} have no settings"))))
        }
    };
    let (configs, (error_code, error_message)) = match found {
        Ok(configs) => (configs, (ErrorCode::None, None)),
        Err(refused) => (Vec::new(), refused),
    };
    let wanted = asked.configuration_keys.filter(|keys| !keys.is_empty());
    let configs = configs
        .into_iter()
        .filter(|config| wanted.as_ref().is_none_or(|keys| keys.contains(&config.name)))
        .map(
            |config| if with_synonyms { config } else { DescribedConfig { synonyms: Vec::new(), ..config } },
        );
    ResourceConfigs {
        error_code,
        error_message,
        resource_type: asked.resource_type,
        resource_name: asked.resource_name,
        configs: configs.collect(),
    }
}

fn topic(call: &Call, name: &str) -> Result<Vec<DescribedConfig>, ConfigRefusal> {
    let topic = call.session.topic(Action::DescribeConfigs, name).map_err(|code| (code, None))?;
    Ok(configs::describe_topic(&topic.config(), call.session.broker().options()))
}

fn broker(call: &Call, name: &str) -> Result<Vec<DescribedConfig>, ConfigRefusal> {
    call.session.check_cluster(Action::DescribeConfigs).map_err(|code| (code, None))?;
    let node = call.session.broker().node_id().to_string();
    match name {
        // The defaults for all brokers, of which none can be changed while they run.
        "" => Ok(Vec::new()),
        name if name == node => Ok(configs::describe_broker(&call.session)),
        name => Err((ErrorCode::InvalidRequest, Some(format!("this is broker {node}, not {name}")))),
    }
}

/// The level of the log, which is one for all that is logged.
fn logger(call: &Call, name: &str) -> Result<Vec<DescribedConfig>, ConfigRefusal> {
    call.session.check_cluster(Action::DescribeConfigs).map_err(|code| (code, None))?;
    let node = call.session.broker().node_id().to_string();
    match name == node {
        true => Ok(vec![configs::describe_log_level()]),
        false => Err((ErrorCode::InvalidRequest, Some(format!("this is broker {node}, not {name:?}")))),
    }
}

/// A subscription to clients' metrics, of which there is none: the defaults.
fn client_metrics(call: &Call, name: &str) -> Result<Vec<DescribedConfig>, ConfigRefusal> {
    call.session.check_cluster(Action::DescribeConfigs).map_err(|code| (code, None))?;
    match name {
        "" => Err((ErrorCode::InvalidRequest, Some("the subscription has no name".to_owned()))),
        _ => Ok(configs::describe_client_metrics()),
    }
}

/// Groups have no settings of their own: what all groups of the consumer protocol have.
fn group(call: &Call, name: &str) -> Result<Vec<DescribedConfig>, ConfigRefusal> {
    if name.is_empty() {
        return Err((ErrorCode::InvalidRequest, Some("the group has no name".to_owned())));
    }
    call.session.group(Action::DescribeConfigs, name).map_err(|code| (code, None))?;
    Ok(configs::describe_group(&call.session))
}
