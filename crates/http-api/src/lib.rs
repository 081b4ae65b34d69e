//! The HTTP face: ingest, browsing, administration, OpenAPI
