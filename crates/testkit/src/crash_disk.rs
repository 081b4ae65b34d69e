//! A disk in memory that forgets, at a crash, whatever no one made durable, and fails when it is told to.
//!
//! What a real disk may do and this one does, drawn from a seed
//! - Writes since the last sync of a file survive a crash not at all, wholly, or up to some point that may lie
//!   within one of them; [`CrashDisk::crash_out_of_order`] lets any of their sectors survive without those before.
//! - Names made, renamed or removed since the last sync of their directory survive up to some point.
//! - A sync that fails drops what it should have kept, and the next one calls itself a success.
//! - A full disk writes what fits and says so.
//! - Opening, making, listing and reading may be refused ([`FaultKind::Refused`]), and file descriptors may run
//!   out ([`CrashDisk::set_descriptors`]).
//!
//! Invariants: the same seed and the same calls give the same disk.

mod fault;
mod file;
mod reads;
mod tree;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use factum_log::{Disk, DiskDir, DiskFile};
use parking_lot::{Mutex, MutexGuard};

pub use fault::{Call, Fault, FaultKind};
use fault::{Operation, Outcome};
use file::Contents;
use reads::Reads;
use tree::Tree;

pub use reads::HeldReads;

/// A disk that crashes. A clone is the same disk.
#[derive(Clone)]
pub struct CrashDisk(Arc<Mutex<State>>);

#[derive(Clone)]
struct State {
    tree: Tree,
    files: Vec<Contents>,
    random: Random,
    /// Counts the crashes: a handle from before one is dead.
    life: u64,
    /// Changes and syncs asked for, failed ones included.
    operations: u64,
    failed_syncs: u64,
    faults: Vec<Fault>,
    is_down: bool,
    capacity: Option<u64>,
    /// Open files at most.
    descriptors: Option<usize>,
    /// One clone in each handle of this life.
    open_files: Arc<()>,
    reads: Arc<Reads>,
}

/// `EMFILE` on Linux.
const TOO_MANY_OPEN_FILES: i32 = 24;

impl CrashDisk {
    /// An empty disk whose accidents are drawn from `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State {
            tree: Tree::default(),
            files: Vec::new(),
            random: Random(seed),
            life: 0,
            operations: 0,
            failed_syncs: 0,
            faults: Vec::new(),
            is_down: false,
            capacity: None,
            descriptors: None,
            open_files: Arc::new(()),
            reads: Arc::default(),
        })))
    }

    /// Makes reads of files wait until what it returns is dropped, as a disk does that is busy with other things.
    pub fn hold_reads(&self) -> HeldReads {
        HeldReads::new(Arc::clone(&self.0.lock().reads))
    }

    /// Cuts the power and switches it on again: what was not durable is lost in part or whole, and every open
    /// handle is dead.
    pub fn crash(&self) {
        self.0.lock().crash(Contents::crash);
    }

    /// As [`CrashDisk::crash`], but sectors of unsynced writes survive each for itself.
    pub fn crash_out_of_order(&self) {
        self.0.lock().crash(Contents::crash_out_of_order);
    }

    /// Another disk with the same contents, known and durable, and the same future.
    pub fn fork(&self) -> Self {
        let mut state = self.0.lock().clone();
        state.open_files = Arc::new(());
        Self(Arc::new(Mutex::new(state)))
    }

    /// Whether a planned fault took the machine down.
    pub fn is_down(&self) -> bool {
        self.0.lock().is_down
    }

    /// Changes and syncs asked for so far.
    pub fn operations(&self) -> u64 {
        self.0.lock().operations
    }

    /// Syncs that a planned fault made fail, of files and of directories.
    pub fn failed_syncs(&self) -> u64 {
        self.0.lock().failed_syncs
    }

    /// Plans a fault; a crash of the disk forgets the plan.
    pub fn inject(&self, fault: Fault) {
        self.0.lock().faults.push(fault);
    }

    /// Forgets all planned faults.
    pub fn heal(&self) {
        self.0.lock().faults.clear();
    }

    /// Lets the disk hold at most `bytes` of file contents; `None` sets no limit.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.0.lock().capacity = bytes;
    }

    /// Lets at most so many files be open at once; opening, making or listing beyond that fails with `EMFILE`.
    /// `None` sets no limit.
    pub fn set_descriptors(&self, limit: Option<usize>) {
        self.0.lock().descriptors = limit;
    }

    /// Files open now.
    pub fn open_files(&self) -> usize {
        self.0.lock().open_files()
    }

    /// Bytes of all files.
    pub fn used(&self) -> u64 {
        self.0.lock().used()
    }

    /// Every file, in order of path.
    pub fn files(&self) -> Vec<PathBuf> {
        self.0.lock().tree.files()
    }

    /// The contents of a file, as a program would read them.
    pub fn contents(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.0.lock();
        Some(state.files[state.tree.file(path).ok()?].now().to_vec())
    }

    /// Makes `contents` what a file holds, durably: damage, or its repair.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn overwrite(&self, path: &Path, contents: Vec<u8>) {
        let mut state = self.0.lock();
        let file = state.tree.file(path).expect("the file is there");
        state.files[file] = Contents::durable(contents);
    }

    /// Flips one bit of a file, durably.
    ///
    /// # Panics
    /// If there is no such bit.
    pub fn flip_bit(&self, path: &Path, bit: usize) {
        let mut contents = self.contents(path).expect("the file is there");
        contents[bit / 8] ^= 1 << (bit % 8);
        self.overwrite(path, contents);
    }

    /// Removes a file, durably.
    ///
    /// # Panics
    /// If there is no such file.
    pub fn lose(&self, path: &Path) {
        let mut state = self.0.lock();
        state.tree.remove_file(path).expect("the file is there");
        let dir = path.parent().expect("a file lies in a directory");
        state.tree.sync(dir).expect("its directory is there");
    }
}

impl Disk for CrashDisk {
    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.look(Operation::Open)?;
        state.spare_descriptor()?;
        let file = state.tree.file(path)?;
        Ok(self.handle(&mut state, file))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.change(Operation::Create)?;
        state.spare_descriptor()?;
        let file = state.files.len();
        state.tree.create_file(path, file)?;
        state.files.push(Contents::default());
        Ok(self.handle(&mut state, file))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        let state = self.look(Operation::List)?;
        state.spare_descriptor()?;
        state.tree.list(dir)
    }

    fn create_dir_all(&self, dir: &Path) -> io::Result<()> {
        if self.up()?.tree.list(dir).is_ok() {
            return Ok(());
        }
        self.change(Operation::Create)?.tree.create_dir_all(dir);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(Operation::Rename)?.tree.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.up()?.tree.file(path)?;
        self.change(Operation::Remove)?.tree.remove_file(path)
    }

    fn remove_dir_all(&self, dir: &Path) -> io::Result<()> {
        self.change(Operation::Remove)?.tree.remove_dir_all(dir)
    }

    fn open_dir(&self, dir: &Path) -> io::Result<Box<dyn DiskDir>> {
        let state = self.look(Operation::Open)?;
        state.spare_descriptor()?;
        state.tree.list(dir)?;
        let descriptor = Arc::clone(&state.open_files);
        let path = dir.to_owned();
        Ok(Box::new(OpenDir { disk: self.clone(), life: state.life, path, _descriptor: descriptor }))
    }
}

impl CrashDisk {
    fn handle(&self, state: &mut State, file: usize) -> Arc<dyn DiskFile> {
        let descriptor = Arc::clone(&state.open_files);
        Arc::new(Handle { disk: self.clone(), life: state.life, file, _descriptor: descriptor })
    }

    fn up(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.0.lock();
        if state.is_down { Err(down()) } else { Ok(state) }
    }

    /// Lets a planned fault strike an operation that changes nothing.
    fn look(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.up()?;
        match fault::strike(&mut state.faults, operation) {
            Outcome::Done | Outcome::Partly => Ok(state),
            Outcome::Failed(error) => Err(error),
        }
    }

    /// Counts an operation that changes something, and lets a planned fault strike it.
    fn change(&self, operation: Operation) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.up()?;
        match state.strike(operation) {
            Outcome::Done | Outcome::Partly => Ok(state),
            Outcome::Failed(error) => Err(error),
        }
    }
}

struct OpenDir {
    disk: CrashDisk,
    life: u64,
    path: PathBuf,
    _descriptor: Arc<()>,
}

impl DiskDir for OpenDir {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.change(Operation::Sync)?;
        if state.life == self.life { state.tree.sync(&self.path) } else { Err(down()) }
    }
}

struct Handle {
    disk: CrashDisk,
    life: u64,
    file: usize,
    _descriptor: Arc<()>,
}

impl Handle {
    fn up(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.up()?;
        if state.life == self.life { Ok(state) } else { Err(down()) }
    }

    fn read(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.up()?;
        match fault::strike(&mut state.faults, Operation::Read) {
            Outcome::Done | Outcome::Partly => Ok(state),
            Outcome::Failed(error) => Err(error),
        }
    }
}

impl DiskFile for Handle {
    fn size(&self) -> io::Result<u64> {
        Ok(self.read()?.files[self.file].now().len() as u64)
    }

    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        let reads = Arc::clone(&self.up()?.reads);
        reads.wait();
        let state = self.read()?;
        let now = state.files[self.file].now();
        let rest = usize::try_from(at).ok().and_then(|at| now.get(at..)).unwrap_or_default();
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], at: u64) -> io::Result<()> {
        let mut state = self.up()?;
        let outcome = state.strike(Operation::Write);
        let room = state.room_for(self.file, at, bytes.len());
        let fits = match outcome {
            Outcome::Done => room,
            Outcome::Partly => room.min(bytes.len() / 2),
            Outcome::Failed(error) => return Err(error),
        };
        state.files[self.file].write(&bytes[..fits], at);
        if fits == bytes.len() { Ok(()) } else { Err(io::ErrorKind::StorageFull.into()) }
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.up()?;
        match state.strike(Operation::Resize) {
            Outcome::Failed(error) => return Err(error),
            Outcome::Done | Outcome::Partly => {}
        }
        state.files[self.file].set_len(usize::try_from(bytes).map_err(io::Error::other)?);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.up()?;
        match state.strike(Operation::Sync) {
            Outcome::Done | Outcome::Partly => state.files[self.file].sync(),
            Outcome::Failed(error) => {
                state.files[self.file].drop_unsynced();
                return Err(error);
            }
        }
        Ok(())
    }
}

impl State {
    fn crash(&mut self, crash: fn(&mut Contents, &mut Random)) {
        self.tree.crash(&mut self.random);
        for contents in &mut self.files {
            crash(contents, &mut self.random);
        }
        self.life += 1;
        self.open_files = Arc::new(());
        self.is_down = false;
        self.faults.clear();
    }

    fn strike(&mut self, operation: Operation) -> Outcome {
        self.operations += 1;
        let outcome = fault::strike(&mut self.faults, operation);
        if fault::is_crash(&outcome) {
            self.is_down = true;
        } else if operation == Operation::Sync && matches!(outcome, Outcome::Failed(_)) {
            self.failed_syncs += 1;
        }
        outcome
    }

    fn open_files(&self) -> usize {
        Arc::strong_count(&self.open_files) - 1
    }

    /// Fails if no other file can be opened.
    fn spare_descriptor(&self) -> io::Result<()> {
        match self.descriptors {
            Some(limit) if self.open_files() >= limit => {
                Err(io::Error::from_raw_os_error(TOO_MANY_OPEN_FILES))
            }
            _ => Ok(()),
        }
    }

    fn used(&self) -> u64 {
        let live = self.tree.files().into_iter().filter_map(|path| self.tree.file(&path).ok());
        live.map(|file| self.files[file].now().len() as u64).sum()
    }

    /// How many of `length` bytes at `at` fit the disk.
    fn room_for(&self, file: usize, at: u64, length: usize) -> usize {
        let Some(capacity) = self.capacity else { return length };
        let there = self.files[file].now().len() as u64;
        let free = capacity.saturating_sub(self.used());
        let reach = (there + free).saturating_sub(at);
        length.min(usize::try_from(reach).unwrap_or(usize::MAX))
    }
}

fn down() -> io::Error {
    io::Error::other("the machine is down")
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, seeded, good enough for accidents.
#[derive(Clone)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("smaller than a usize")
    }
}
