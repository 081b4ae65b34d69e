//! The behaviours of every store, on real files and on the disk that crashes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use factum_state::{Options, StateStore, conformance};
use factum_testkit::CrashDisk;
use factum_types::ByteSize;

use crate::support::Running;

#[tokio::test(flavor = "multi_thread")]
async fn it_behaves_as_every_store_does_on_files() {
    let root = tempfile::tempdir().expect("a directory");
    let number = AtomicUsize::new(0);
    conformance::run(|| async {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let running = Running::on_files(&root.path().join(number.to_string()), Options::default());
        // The threads live as long as the process; the behaviours need no more.
        Arc::new(running.store) as Arc<dyn StateStore>
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_behaves_as_every_store_does_with_next_to_no_memory() {
    conformance::run(|| async {
        let options = Options { memory: ByteSize::kib(1), ..Options::default() };
        let disk = Arc::new(CrashDisk::seeded(1));
        let running = Running::open(disk, Path::new("/state"), options).expect("opened");
        Arc::new(running.store) as Arc<dyn StateStore>
    })
    .await;
}
