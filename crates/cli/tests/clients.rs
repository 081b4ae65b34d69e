//! Clients that know nothing of Factum: three client libraries by the programs in `tests/clients`, librdkafka as it
//! is built here, and kcat with the librdkafka of the machine.

mod clients {
    pub(crate) mod kcat;
    pub(crate) mod librdkafka;
    pub(crate) mod librdkafka_groups;
    pub(crate) mod librdkafka_quotas;
    pub(crate) mod librdkafka_transactions;
    pub(crate) mod programs;
    pub(crate) mod security;
}

use factum_testkit::{FactumProcess, Launch};
use tempfile::TempDir;

/// `factum dev` with data of its own, which goes when it does.
pub(crate) fn factum() -> FactumProcess {
    Launch::new(env!("CARGO_BIN_EXE_factum")).start()
}

/// The same with data that outlives a kill, in a folder that goes with what is returned.
pub(crate) fn factum_that_comes_back() -> (TempDir, FactumProcess) {
    let data = tempfile::tempdir().expect("a folder");
    let factum = FactumProcess::start(env!("CARGO_BIN_EXE_factum"), data.path());
    (data, factum)
}
