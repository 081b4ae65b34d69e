use std::net::IpAddr;
use std::sync::atomic::AtomicBool;
use std::task::Wake;

use factum_types::ByteSize;
use proptest::prelude::*;

use super::super::addresses::Addresses;
use super::*;

const KIB: usize = 1024;

/// Whether a waker was called.
#[derive(Default)]
struct WakeFlag(AtomicBool);

impl Wake for WakeFlag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Connections that share memory for two requests of 64 KiB: one is shared, one is for the one with priority.
struct Rig {
    memory: Arc<RequestMemory>,
    reservations: Vec<(Reservation, Arc<WakeFlag>)>,
    /// What the next to ask lacks.
    lacking: usize,
}

impl Rig {
    /// The connections of address 0 are the even ones.
    fn new(connections: u8, address_limit: usize) -> Self {
        let options = Options {
            max_frame_bytes: ByteSize::kib(64),
            max_in_flight_bytes: ByteSize::kib(128),
            max_address_in_flight_bytes: ByteSize(address_limit as u64),
            ..Options::default()
        };
        let memory = Arc::new(RequestMemory::new(&options));
        let addresses = Arc::new(Addresses::new(100));
        let [even, odd] = [0, 1].map(|n| addresses.connect(IpAddr::from([192, 0, 2, n])).expect("room"));
        let reservations = (0..connections).map(|n| {
            let address = Arc::clone(if n % 2 == 0 { &even.address } else { &odd.address });
            (Reservation::new(Arc::clone(&memory), address), Arc::new(WakeFlag::default()))
        });
        Self { reservations: reservations.collect(), memory, lacking: 0 }
    }

    /// Asks for room to hold `kib` beyond what is free.
    fn extend(&mut self, connection: usize, kib: usize) -> bool {
        let (reservation, woken) = &mut self.reservations[connection];
        woken.0.store(false, Ordering::Relaxed);
        let waker = Waker::from(Arc::clone(woken));
        reservation
            .poll_extend(FREE_BYTES + kib * KIB, self.lacking, &mut Context::from_waker(&waker))
            .is_ready()
    }

    fn shrink(&mut self, connection: usize, kib: usize) {
        self.reservations[connection].0.shrink_to(FREE_BYTES + kib * KIB);
    }

    fn is_woken(&self, connection: usize) -> bool {
        self.reservations[connection].1.0.load(Ordering::Relaxed)
    }
}

#[test]
fn the_first_that_waits_goes_on_when_nothing_is_left() {
    let mut rig = Rig::new(3, 1 << 20);
    assert!(rig.extend(0, 40));
    assert!(rig.extend(1, 30), "it does not fit, and none has priority");
    assert!(rig.extend(1, 64), "with priority it goes on to its end");
    assert!(!rig.extend(2, 30), "priority is for one");
    rig.shrink(1, 0);
    assert!(rig.is_woken(2) && rig.extend(2, 30));
}

#[test]
fn requests_that_lack_little_go_before_those_that_lack_much() {
    let mut rig = Rig::new(4, 1 << 20);
    assert!(rig.extend(0, 64) && rig.extend(1, 64));
    rig.lacking = 16 << 20;
    assert!(!rig.extend(2, 64));
    rig.lacking = 100 * KIB;
    assert!(!rig.extend(3, 64));
    rig.shrink(1, 0);
    assert!(!rig.is_woken(2) && rig.is_woken(3));
}

#[test]
fn an_address_at_its_limit_holds_back_no_other() {
    let mut rig = Rig::new(6, 10 * KIB);
    assert!(rig.extend(0, 10));
    assert!(rig.extend(2, 5), "with priority");
    assert!(!rig.extend(4, 5), "its address has all that it may have");
    assert!(rig.extend(1, 10) && !rig.extend(3, 10), "so has the other");
    rig.shrink(1, 0);
    assert!(!rig.is_woken(4) && rig.is_woken(3), "one that fits goes before one that does not");
}

#[test]
fn a_reservation_that_leaves_the_queue_leaves_nothing_behind() {
    let mut rig = Rig::new(4, 1 << 20);
    assert!(rig.extend(0, 64) && rig.extend(1, 64) && !rig.extend(2, 64) && !rig.extend(3, 64));
    rig.reservations[2].0.stop_waiting();
    rig.reservations.clear();
    let state = rig.memory.lock();
    assert_eq!((state.reserved, state.has_priority, state.queue.len()), (0, false, 0));
    assert!(!rig.memory.is_crowded());
}

proptest! {
    #[test]
    fn the_limit_holds_and_one_can_always_go_on(
        steps in prop::collection::vec((0..6_usize, 0..64_usize, 0..3_u8), 1..200),
        address_limit in 1..128_usize,
    ) {
        let mut rig = Rig::new(6, address_limit * KIB);
        for (connection, kib, action) in steps {
            match action {
                0 => rig.shrink(connection, kib),
                1 => rig.reservations[connection].0.stop_waiting(),
                _ => { rig.extend(connection, kib); }
            }
            let (reserved, has_priority, queued) = {
                let state = rig.memory.lock();
                (state.reserved, state.has_priority, state.queue.values().any(|each| each.granted.is_none()))
            };
            prop_assert!(reserved <= 128 * KIB, "{reserved} bytes are reserved");
            prop_assert!(has_priority || !queued, "one of those that wait has priority");
            prop_assert_eq!(queued, rig.memory.is_crowded());
        }
    }
}
