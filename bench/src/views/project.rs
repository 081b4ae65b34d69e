//! A project to measure: two topics with contracts, and one view at a time.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use tempfile::TempDir;

const ORDERS: &str = r#"{"type":"object","properties":{
  "Region":{"type":"string"},"OrderDate":{"type":"string"},"Email":{"type":"string"},"Customer":{"type":"string"},
  "Total":{"type":"number","multipleOf":0.01},
  "Details":{"type":"array","items":{"type":"object","properties":{
    "ProductId":{"type":"integer"},"Quantity":{"type":"integer"},"UnitPrice":{"type":"number","multipleOf":0.01}}}}}}"#;
const CLICKS: &str = r#"{"type":"object","properties":{
  "UserId":{"type":"string"},"Page":{"type":"string"},"At":{"type":"string"},"Sequence":{"type":"integer"}}}"#;

/// A project folder, removed on drop.
pub(super) struct Project(TempDir);

impl Project {
    /// A team `bench` with the events `orders` and `clicks`, one partition each.
    pub(super) fn new() -> Result<Self> {
        let project = Self(tempfile::tempdir()?);
        let team = project.team();
        fs::create_dir_all(team.join("events"))?;
        fs::create_dir_all(team.join("pipelines"))?;
        fs::write(project.path().join("factum.yaml"), "name: bench\n")?;
        fs::write(team.join("team.yaml"), "summary: Measures.\nmembers: [bench@example.com]\n")?;
        for (name, schema, time) in [("orders", ORDERS, "OrderDate"), ("clicks", CLICKS, "At")] {
            let manifest =
                format!("summary: Events to measure with.\nformat: json\ntime: {time}\npartitions: 1\n");
            fs::write(team.join(format!("events/{name}.yaml")), manifest)?;
            fs::write(team.join(format!("events/{name}.schema.json")), schema)?;
        }
        Ok(project)
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Adds a view; the server sees the file and applies it.
    pub(super) fn declare(&self, sql: &str) -> Result<()> {
        Ok(fs::write(self.team().join("pipelines/measured.sql"), sql)?)
    }

    fn team(&self) -> PathBuf {
        self.path().join("teams/bench")
    }
}
