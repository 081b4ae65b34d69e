//! The identity of this data directory, as Kafka clients see it.

use std::path::Path;

use factum_base::random::Random;
use factum_log::Disk;
use serde::{Deserialize, Serialize};

use crate::json_file::{self, VersionedFile};

/// `cluster.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClusterFile {
    format: u32,
    cluster_id: String,
}

impl VersionedFile for ClusterFile {
    const FORMAT: u32 = 1;

    fn format(&self) -> u32 {
        self.format
    }
}

/// The cluster id kept in `data_dir`, drawn at the first start and the same ever after.
pub(crate) fn id(disk: &dyn Disk, data_dir: &Path, random: &Random) -> Result<String, json_file::Error> {
    let path = data_dir.join("cluster.json");
    if let Some(file) = json_file::read::<ClusterFile>(disk, &path)? {
        return Ok(file.cluster_id);
    }
    let cluster_id = random.uuid().simple().to_string();
    let file = ClusterFile { format: ClusterFile::FORMAT, cluster_id };
    json_file::write(disk, &path, &file)?;
    Ok(file.cluster_id)
}
