//! One record after another beside connections that have announced large requests and send no more of them.

use std::time::Duration;

use anyhow::Result;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::Arguments;
use crate::partitions::{self, Producing};
use crate::report::Report;

const CONNECTIONS: usize = 4;
/// What each announces.
const ANNOUNCED: u32 = 16 << 20;
/// What each sends of it: a produce request of version 9 that begins well.
const SENT: usize = 4 << 10;
const ROUNDS: usize = 2_000;
const TOPIC: &str = "bench-stalled";

/// Measures produce to one partition alone, and beside four requests of 16 MiB that stand still.
pub(crate) async fn measure(arguments: &Arguments, brokers: &str, report: &mut Report) -> Result<()> {
    let name = "beside four stalled requests";
    if !arguments.wants(name) {
        return Ok(());
    }
    let alone = p99(brokers).await?;
    report.one("one by one alone, p99", "ms", f64::NAN, alone);
    let mut stalled = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut stream = TcpStream::connect(brokers).await?;
        let mut bytes = ANNOUNCED.to_be_bytes().to_vec();
        // Produce, version 9, correlation id 1, client id "b", no tagged fields.
        bytes.extend([0, 0, 0, 9, 0, 0, 0, 1, 0, 1, b'b', 0]);
        bytes.resize(SENT, 0);
        stream.write_all(&bytes).await?;
        stalled.push(stream);
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    let beside = p99(brokers).await?;
    report.one(&format!("{name}: one by one, p99"), "ms", 2.0 * alone, beside);
    Ok(())
}

async fn p99(brokers: &str) -> Result<f64> {
    let brokers = brokers.to_owned();
    let seen = tokio::task::spawn_blocking(move || -> Result<Vec<f64>> {
        let producing = Producing::connect(&brokers)?;
        (0..ROUNDS).map(|_| producing.write(TOPIC, 1)).collect()
    });
    Ok(partitions::share(seen.await??, 0.99))
}
