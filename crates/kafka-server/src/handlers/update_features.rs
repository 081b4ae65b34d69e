//! UpdateFeatures: the features that ApiVersions names have the levels that they have, and no others.

use std::collections::HashSet;

use factum_types::Action;

use super::{Call, Handle};
use crate::error_code::ErrorCode;
use crate::messages::api_versions::ApiVersionsResponse;
use crate::messages::update_features::{
    FeatureResult, FeatureUpdate, UpdateFeaturesRequest, UpdateFeaturesResponse,
};

/// The kinds of changes that there are.
const UPGRADE_TYPES: std::ops::RangeInclusive<i8> = 1..=3;

impl Handle for UpdateFeaturesRequest {
    type Response = UpdateFeaturesResponse;

    async fn handle(self, call: &Call) -> UpdateFeaturesResponse {
        if let Err(error_code) = call.session.check_cluster(Action::Alter) {
            return answer(error_code, None, Vec::new());
        }
        let mut seen = HashSet::new();
        if let Some(twice) = self.feature_updates.iter().find(|update| !seen.insert(&update.feature)) {
            let reason = format!("the request names the feature {} twice", twice.feature);
            return answer(ErrorCode::InvalidRequest, Some(reason), Vec::new());
        }
        let results: Vec<_> = self.feature_updates.into_iter().map(update).collect();
        let failed = results.iter().find(|result| !result.error_code.is_none());
        match failed.filter(|_| call.header.version >= 2) {
            Some(failed) => answer(failed.error_code, failed.error_message.clone(), Vec::new()),
            None => answer(ErrorCode::None, None, results),
        }
    }
}

/// Agrees to the level that a feature has.
fn update(asked: FeatureUpdate) -> FeatureResult {
    let FeatureUpdate { feature, max_version_level: level, upgrade_type } = asked;
    let known = ApiVersionsResponse::new(ErrorCode::None).finalized_features;
    let known = known.into_iter().find(|known| known.name == feature);
    let refused = match known {
        _ if !UPGRADE_TYPES.contains(&upgrade_type) => {
            Some((ErrorCode::InvalidRequest, format!("there is no upgrade type {upgrade_type}")))
        }
        None => Some((ErrorCode::InvalidUpdateVersion, format!("there is no feature {feature}"))),
        Some(known) if known.max_version_level == level => None,
        Some(known) => {
            let has = known.max_version_level;
            let reason = format!("{feature} is at level {has} and stays there, whatever else is asked for");
            Some((ErrorCode::InvalidUpdateVersion, reason))
        }
    };
    let (error_code, error_message) =
        refused.map_or((ErrorCode::None, None), |(code, reason)| (code, Some(reason)));
    FeatureResult { feature, error_code, error_message }
}

fn answer(
    error_code: ErrorCode,
    error_message: Option<String>,
    results: Vec<FeatureResult>,
) -> UpdateFeaturesResponse {
    UpdateFeaturesResponse { throttle_time_ms: 0, error_code, error_message, results }
}
