//! Governance's dashboards: nothing runs for them, but what they show must be there.

use async_trait::async_trait;
use factum_governance::{
    DashboardDefinition, Definitions, Effect, EffectError, Fault, KeptView, PipelineDefinition, ResourceId,
    ResourceKind,
};
use factum_sql::{Engine, ViewStatus};

/// The views that panels can show, as governance sees them.
pub(crate) struct DashboardEffect(pub(crate) Engine);

#[async_trait]
impl Effect for DashboardEffect {
    fn kinds(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<DashboardDefinition>()]
    }

    fn needs(&self) -> Vec<ResourceKind> {
        vec![ResourceKind::of::<PipelineDefinition>()]
    }

    async fn check(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }

    async fn apply(&self, _: &Definitions) -> Result<(), EffectError> {
        Ok(())
    }

    fn faults(&self, declared: &Definitions) -> Vec<(ResourceId, Fault)> {
        let views: Vec<_> = self.0.views().iter().map(kept).collect();
        let dashboards = declared.of::<DashboardDefinition>();
        let faults = dashboards.map(|dashboard| (ResourceId::of(dashboard), dashboard.faults(&views)));
        faults.flat_map(|(id, faults)| faults.into_iter().map(move |fault| (id.clone(), fault))).collect()
    }
}

fn kept(view: &ViewStatus) -> KeptView {
    let columns = view.columns.as_ref();
    KeptView {
        name: view.name.to_string(),
        columns: columns.map(|columns| columns.fields().iter().map(|field| field.name().clone()).collect()),
    }
}
