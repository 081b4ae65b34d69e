//! The routes, one file for each resource: it has the handlers, their descriptions and a router of them.
//!
//! Invariants: a handler asks the [`Authorizer`](factum_types::Authorizer) before it reads a body.

pub(crate) mod acls;
pub(crate) mod catalogue;
pub(crate) mod console;
pub(crate) mod dashboards;
pub(crate) mod events;
pub(crate) mod groups;
pub(crate) mod health;
pub(crate) mod overview;
pub(crate) mod pages;
pub(crate) mod pipelines;
pub(crate) mod project;
pub(crate) mod quotas;
pub(crate) mod records;
pub(crate) mod registry;
pub(crate) mod schema_groups;
pub(crate) mod sql;
pub(crate) mod tables;
pub(crate) mod tail;
pub(crate) mod topics;
pub(crate) mod transactions;
pub(crate) mod users;
pub(crate) mod views;
