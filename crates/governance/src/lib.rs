//! Projects: folders of manifests, validated, planned and applied
