//! Tools that routes share: they read requests and write responses, and hold the bounds of both.
//!
//! Not here: routes, and the parts of the server behind them. A tool takes what it needs and knows no route.

pub(crate) mod body;
pub(crate) mod change_text;
pub(crate) mod client_limit;
pub(crate) mod document;
pub(crate) mod extract;
pub(crate) mod group_metrics;
pub(crate) mod held_back;
pub(crate) mod host_check;
pub(crate) mod json;
pub(crate) mod lag_history;
pub(crate) mod log_item;
pub(crate) mod login;
pub(crate) mod lookup;
pub(crate) mod measure;
pub(crate) mod memory_pool;
pub(crate) mod parameter;
pub(crate) mod partition_ends;
pub(crate) mod percent;
pub(crate) mod position;
pub(crate) mod problem;
pub(crate) mod record_view;
pub(crate) mod responses;
pub(crate) mod rows;
pub(crate) mod sampler;
pub(crate) mod schema_reader;
pub(crate) mod server_sent;
pub(crate) mod streams;
pub(crate) mod subject_access;
pub(crate) mod time;

pub(crate) use factum_base::fair_work;
