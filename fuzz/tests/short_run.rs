//! Every target over its corpus and over mutations of it: the same ones in each run, on stable, in seconds.

use std::path::{Path, PathBuf};

use factum_fuzz::{TARGETS, Target};

/// How many mutations of each input are tried, unless `FACTUM_FUZZ_MUTATIONS` says otherwise; a real fuzzer goes on for
/// hours.
const MUTATIONS: u64 = 60;

/// SplitMix64 (Steele, Lea, Flood, 2014): small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).expect("below a usize")
    }
}

/// What a fuzzer does first: flip, cut, repeat, insert numbers that decoders stumble over.
fn mutate(input: &[u8], random: &mut Random) -> Vec<u8> {
    const STUMBLES: [&[u8]; 10] = [
        &[0xff; 4],
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x80, 0, 0, 0],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0; 8],
        b"\xf0\x9f\x98\x80",
        b"{{[[",
        b"((((",
        b"\"\\u0000\"",
        b"- - - &a *a\n",
    ];
    let mut bytes = input.to_vec();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 => bytes.truncate(at),
            2 => {
                let end = (at + random.below(64)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            3 if at < bytes.len() => bytes[at] = u8::try_from(random.below(256)).expect("a byte"),
            _ => {
                let stumble = STUMBLES[random.below(STUMBLES.len())];
                let end = (at + stumble.len()).min(bytes.len());
                bytes.splice(at..end, stumble.iter().copied());
            }
        }
    }
    bytes
}

fn mutations() -> u64 {
    let wanted = std::env::var("FACTUM_FUZZ_MUTATIONS").ok();
    wanted.map_or(MUTATIONS, |number| number.parse().expect("FACTUM_FUZZ_MUTATIONS is a number"))
}

fn corpus(target: &Target) -> Vec<(PathBuf, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
    let mut found: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.expect("readable").path())
        .map(|path| (path.clone(), std::fs::read(path).expect("readable")))
        .collect();
    found.sort();
    assert!(!found.is_empty(), "{} has no inputs", folder.display());
    found
}

/// Runs one input within its memory; a panic shows the input, to be kept in the corpus.
fn check(target: &Target, name: &str, input: &[u8]) {
    let limit = (target.memory)(input.len());
    let ran = std::panic::catch_unwind(|| allocation_counter::measure(|| (target.run)(input)).bytes_max);
    match ran {
        Ok(used) => assert!(
            used <= limit,
            "{} takes {used} bytes for {name}, more than {limit}: {}",
            target.name,
            input.escape_ascii()
        ),
        Err(_) => panic!("{} panics at {name}: {}", target.name, input.escape_ascii()),
    }
}

/// What a thread for queries has; a test's own is a quarter of it.
const STACK: usize = 8 << 20;

fn short_run(name: &'static str) {
    let run = std::thread::Builder::new().stack_size(STACK).spawn(move || run_all(name)).expect("a thread");
    if let Err(panic) = run.join() {
        std::panic::resume_unwind(panic);
    }
}

fn run_all(name: &str) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a target");
    // Whatever is made once is not the first input's fault.
    (target.run)(&[0, 0]);
    let seeded = |(path, input): (PathBuf, Vec<u8>)| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let random = Random(input.iter().fold(1, |seed, byte| seed * 31 % 1_000_003 + u64::from(*byte)));
        (name, input, random)
    };
    let mut inputs: Vec<_> = corpus(target).into_iter().map(seeded).collect();
    for (name, input, _) in &inputs {
        check(target, name, input);
    }
    // Of each input one after the other, so that a run that is ended has seen something of all.
    for number in 0..mutations() {
        for (name, input, random) in &mut inputs {
            check(target, &format!("{name}, mutation {number}"), &mutate(input, random));
        }
    }
}

#[test]
fn kafka_requests() {
    short_run("kafka_request");
}

#[test]
fn record_batches() {
    short_run("record_batch");
}

#[test]
fn compressed_records() {
    short_run("compressed");
}

#[test]
fn cloud_events() {
    short_run("cloud_event");
}

#[test]
fn project_files() {
    short_run("project_file");
}

#[test]
fn log_files() {
    short_run("log_files");
}

#[test]
fn state_files() {
    short_run("state_files");
}

#[test]
fn events_over_http() {
    short_run("http_events");
}

#[test]
fn ids_to_resume_at() {
    short_run("last_event_id");
}

#[test]
fn sql_texts() {
    short_run("sql_text");
}

#[test]
fn values_of_events() {
    short_run("event_data");
}

#[test]
fn protobuf_schemas() {
    short_run("protobuf_schema");
}

#[test]
fn avro_schemas() {
    short_run("avro_schema");
}

#[test]
fn avro_values() {
    short_run("avro_value");
}
