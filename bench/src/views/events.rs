//! Events to fill a topic with: orders of about 400 bytes, clicks of about 210.

use std::time::Duration;

use anyhow::{Result, anyhow};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// Users who click.
pub(super) const KEYS: usize = 1_000_000;

/// A kind of event.
#[derive(Clone, Copy)]
pub(super) enum Events {
    Orders,
    Clicks,
}

impl Events {
    pub(super) fn has_many_keys(self) -> bool {
        matches!(self, Self::Clicks)
    }

    /// Fills the topic with `count` events over the Kafka API.
    pub(super) fn produce(self, brokers: &str, count: usize) -> Result<()> {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("linger.ms", "20")
            .set("batch.size", "1000000")
            .set("queue.buffering.max.messages", "200000")
            .create()?;
        let topic = match self {
            Self::Orders => "bench.orders",
            Self::Clicks => "bench.clicks",
        };
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for number in 0..count {
            let event = match self {
                Self::Orders => order(number, &mut random),
                Self::Clicks => click(number, &mut random),
            };
            loop {
                let record = BaseRecord::<(), str>::to(topic).payload(&event);
                match producer.send(record) {
                    Ok(()) => break,
                    Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                        producer.poll(Duration::from_millis(10));
                    }
                    Err((error, _)) => return Err(anyhow!(error)),
                }
            }
        }
        Ok(producer.flush(Duration::from_secs(60))?)
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same events each time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// An order; a thousand of them a second of event time.
fn order(number: usize, random: &mut Random) -> String {
    let (second, milli) = (number / 1_000, number % 1_000);
    let customer = random.below(1_000);
    let mut line = || {
        format!(
            "{{\"Email\":\"customer{customer:04}@example.com\",\"ProductId\":{},\"Quantity\":{},\"UnitPrice\":{}.{:02}}}",
            1_000 + random.below(300),
            1 + random.below(3),
            5 + random.below(20),
            random.below(100)
        )
    };
    let lines = [line(), line()].join(",");
    format!(
        "{{\"Region\":\"Region{}\",\"OrderDate\":\"2026-03-{:02}T{:02}:{:02}:{:02}.{milli:03}Z\",\
         \"Customer\":\"c{customer:04}\",\"Email\":\"customer{customer:04}@example.com\",\"City\":\"Phoenix\",\
         \"Phone\":\"644-608-6436\",\"Total\":{}.{:02},\"Details\":[{lines}]}}",
        1 + random.below(2),
        1 + second / 86_400 % 28,
        second / 3_600 % 24,
        second / 60 % 60,
        second % 60,
        random.below(200),
        random.below(100),
    )
}

/// A click of one of a million users.
fn click(number: usize, random: &mut Random) -> String {
    // Every user comes once before any comes at random.
    let user = if number < KEYS { number as u64 } else { random.below(KEYS as u64) };
    format!(
        "{{\"UserId\":\"user-{user:07}\",\"Page\":\"/films/{}\",\"At\":\"2026-03-01T{:02}:{:02}:{:02}Z\",\
         \"Sequence\":{number},\"Agent\":\"Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0\",\
         \"Referrer\":\"https://films.example/new\"}}",
        random.below(300),
        number / 3_600_000 % 24,
        number / 60_000 % 60,
        number / 1_000 % 60,
    )
}
