//! The real binary as a child process: started, killed, started again on the same ports and data.
//!
//! Invariants: a started process has said that it is ready; no child outlives its handle; what a child wrote to
//! standard error is shown when a wait for it fails.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use factum_base::clock::{Clock, SystemClock};
use parking_lot::Mutex;
use rustix::process::{Pid, Signal, kill_process};

/// A debug build on a loaded machine, opening a log that has to be recovered.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(5);
/// Below the range that the system draws ports of outgoing connections from: a client that knocks at a dead
/// server's port could otherwise be given that very port, and the server could not come back to it.
const PORTS: std::ops::Range<u16> = 12_000..30_000;
/// Another program may take a port between the look and the start.
const ATTEMPTS: usize = 5;

/// How a process is started: `factum dev`, `factum demo` or `factum server`, with these settings.
#[derive(Debug, Clone)]
pub struct Launch {
    binary: PathBuf,
    case: Option<String>,
    config: Option<PathBuf>,
    data_dir: Option<PathBuf>,
    project: Option<PathBuf>,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    may_be_unready: bool,
    is_encrypted: bool,
}

impl Launch {
    /// Starts `binary`; a test gives `env!("CARGO_BIN_EXE_factum")`.
    pub fn new(binary: impl Into<PathBuf>) -> Self {
        Self {
            binary: binary.into(),
            case: None,
            config: None,
            data_dir: None,
            project: None,
            arguments: vec![],
            environment: vec![],
            may_be_unready: false,
            is_encrypted: false,
        }
    }

    /// Runs a case study: `factum demo CASE`.
    #[must_use]
    pub fn demo(mut self, case: impl Into<String>) -> Self {
        self.case = Some(case.into());
        self
    }

    /// Runs by a configuration file, `factum server --config FILE`, with ports and data as chosen here.
    #[must_use]
    pub fn config(mut self, file: impl Into<PathBuf>) -> Self {
        self.config = Some(file.into());
        self
    }

    /// Keeps its data in `folder`, beyond its end.
    #[must_use]
    pub fn data_dir(mut self, folder: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(folder.into());
        self
    }

    /// Applies and watches the project in `folder`.
    #[must_use]
    pub fn project(mut self, folder: impl Into<PathBuf>) -> Self {
        self.project = Some(folder.into());
        self
    }

    /// Adds an argument.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Has it speak TLS (`--tls`), with an authority that is kept below `folder`.
    #[must_use]
    pub fn tls(mut self, folder: &Path) -> Self {
        self.is_encrypted = true;
        self.argument("--tls").variable("XDG_DATA_HOME", folder.display().to_string())
    }

    /// Takes it as started also where `/health/ready` says that something is wrong with it.
    #[must_use]
    pub fn may_be_unready(mut self) -> Self {
        self.may_be_unready = true;
        self
    }

    /// Starts it on free ports and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready; with what it wrote to standard error.
    pub fn start(self) -> FactumProcess {
        // HTTP clients of tests ask for one, also where nothing is encrypted.
        crate::install_cryptography();
        let mut failures = String::new();
        for _ in 0..ATTEMPTS {
            let (http, kafka) = (free_port(), free_port());
            match Running::spawn(&self, http, kafka) {
                Ok(running) => return FactumProcess { launch: self, http, kafka, running: Some(running) },
                Err(failure) if failure.contains("in use") => failures += &failure,
                Err(failure) => panic!("{failure}"),
            }
        }
        panic!("no pair of free ports was found\n{failures}");
    }
}

/// A child process that serves, or was killed and can be started again.
#[derive(Debug)]
pub struct FactumProcess {
    launch: Launch,
    http: SocketAddr,
    kafka: SocketAddr,
    running: Option<Running>,
}

impl FactumProcess {
    /// Starts `binary` with its data in `data_dir`; [`Launch`] has more to choose from.
    ///
    /// # Panics
    /// As [`Launch::start`].
    pub fn start(binary: impl Into<PathBuf>, data_dir: &Path) -> Self {
        Launch::new(binary).data_dir(data_dir).start()
    }

    /// The base URL of its HTTP interface.
    pub fn http(&self) -> String {
        let scheme = if self.launch.is_encrypted { "https" } else { "http" };
        format!("{scheme}://{}", self.http)
    }

    /// The bootstrap address for Kafka clients.
    pub fn kafka(&self) -> String {
        self.kafka.to_string()
    }

    /// The process id while it runs.
    pub fn process(&self) -> Option<u32> {
        self.running.as_ref().map(|running| running.child.id())
    }

    /// What it has printed at the start, and since.
    pub fn stdout(&self) -> String {
        self.running.as_ref().map(|running| running.stdout.lock().clone()).unwrap_or_default()
    }

    /// What it has written to standard error so far.
    pub fn stderr(&self) -> String {
        self.running.as_ref().map(|running| running.stderr.lock().clone()).unwrap_or_default()
    }

    /// SIGKILL: no handler of it runs, nothing is flushed by it.
    pub fn kill(&mut self) {
        drop(self.running.take());
    }

    /// Starts it again on the same ports and data, and waits until it is ready.
    ///
    /// # Panics
    /// If it still runs, or does not become ready.
    pub fn restart(&mut self) {
        assert!(self.running.is_none(), "kill or stop the process before it is started again");
        self.running =
            Some(Running::spawn(&self.launch, self.http, self.kafka).unwrap_or_else(|why| panic!("{why}")));
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub fn stop(&mut self) -> ExitStatus {
        let mut running = self.running.take().expect("the process runs");
        running.ask_to_stop();
        running.wait()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// If it does not run, or does not end.
    pub fn wait(&mut self) -> ExitStatus {
        self.running.take().expect("the process runs").wait()
    }
}

#[derive(Debug)]
struct Running {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Running {
    fn spawn(launch: &Launch, http: SocketAddr, kafka: SocketAddr) -> Result<Self, String> {
        let mut command = Command::new(&launch.binary);
        match (&launch.config, &launch.case) {
            (Some(file), _) => {
                command.arg("server").arg("--config").arg(file);
                command.env("FACTUM__HTTP__LISTEN", http.to_string());
                command.env("FACTUM__KAFKA__LISTEN", kafka.to_string());
                command.envs(launch.data_dir.as_ref().map(|folder| ("FACTUM__DATA_DIR", folder)));
            }
            (None, case) => {
                match case {
                    Some(case) => command.args(["demo", case]),
                    None => command.arg("dev"),
                };
                command.args(["--http", &http.to_string(), "--kafka", &kafka.to_string()]);
                if let Some(folder) = &launch.data_dir {
                    command.arg("--data-dir").arg(folder);
                }
            }
        }
        command.args(&launch.project).args(&launch.arguments).envs(launch.environment.iter().cloned());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child =
            command.spawn().map_err(|error| format!("start {}: {error}", launch.binary.display()))?;
        let (pipe_out, pipe_err) = (child.stdout.take().expect("piped"), child.stderr.take().expect("piped"));
        let (said, ready) = mpsc::channel();
        let stdout = collect(pipe_out, Some(said));
        let running = Self { child, stdout, stderr: collect(pipe_err, None) };
        let path = if launch.may_be_unready { "/health/live" } else { "/health/ready" };
        running.wait_until_ready(http, launch.is_encrypted, path, &ready)
    }

    /// The start-up block tells that it got its ports; `path`, most often `/health/ready`, tells that it serves.
    fn wait_until_ready(
        mut self,
        http: SocketAddr,
        is_encrypted: bool,
        path: &str,
        said: &mpsc::Receiver<String>,
    ) -> Result<Self, String> {
        let deadline = SystemClock.monotonic() + PATIENCE;
        loop {
            match said.recv_timeout(deadline.saturating_duration_since(SystemClock.monotonic())) {
                // Its last line: all of it has been collected by then.
                Ok(line) if line.starts_with("Ctrl-C") => break,
                Ok(_) => {}
                // The pipe closes when the process ends.
                Err(_) => return Err(self.explain("it printed no start-up block")),
            }
        }
        // Over TLS the start-up block alone tells: it is printed when every port accepts.
        while !is_encrypted && !is_ready(http, path) {
            if is_past(deadline) || matches!(self.child.try_wait(), Ok(Some(_))) {
                return Err(self.explain(&format!("{path} did not answer 200")));
            }
            std::thread::park_timeout(PAUSE);
        }
        Ok(self)
    }

    fn explain(&mut self, what: &str) -> String {
        self.child.kill().ok();
        let status = self.child.wait();
        // The readers end with the pipes; a moment later all is there.
        std::thread::park_timeout(PAUSE * 10);
        format!(
            "factum did not become ready: {what} ({status:?})\n{}\n{}",
            self.stdout.lock(),
            self.stderr.lock()
        )
    }

    fn ask_to_stop(&self) {
        let process =
            i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a child has a process id");
        kill_process(process, Signal::TERM).expect("a child of this process can be signalled");
    }

    fn wait(&mut self) -> ExitStatus {
        let deadline = SystemClock.monotonic() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child of this process can be waited for") {
                return status;
            }
            assert!(!is_past(deadline), "factum did not end\n{}", self.stderr.lock());
            std::thread::park_timeout(PAUSE);
        }
    }
}

/// SIGKILL, and no zombie left.
impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "the test harness captures it and shows it with the failure")]
    fn drop(&mut self) {
        // Both fail only where the child is gone already.
        self.child.kill().ok();
        self.child.wait().ok();
        if std::thread::panicking() {
            eprintln!("factum's standard error:\n{}", self.stderr.lock());
        }
    }
}

/// Reads a pipe to its end on a thread of its own: a full pipe would stop the child.
fn collect(pipe: impl Read + Send + 'static, tell: Option<mpsc::Sender<String>>) -> Arc<Mutex<String>> {
    let collected = Arc::new(Mutex::new(String::new()));
    let into = Arc::clone(&collected);
    let read = move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            writeln!(into.lock(), "{line}").expect("text grows");
            if let Some(tell) = &tell {
                // No one listens once it is ready.
                tell.send(line).ok();
            }
        }
    };
    std::thread::Builder::new().name("pipe".to_owned()).spawn(read).expect("a thread can be started");
    collected
}

fn is_ready(http: SocketAddr, path: &str) -> bool {
    let ask = || -> std::io::Result<Vec<u8>> {
        let mut stream = TcpStream::connect_timeout(&http, Duration::from_secs(1))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes())?;
        let mut head = vec![0; "HTTP/1.1 200".len()];
        stream.read_exact(&mut head)?;
        Ok(head)
    };
    ask().is_ok_and(|head| head.ends_with(b" 200"))
}

fn is_past(deadline: Instant) -> bool {
    SystemClock.monotonic() > deadline
}

fn free_port() -> SocketAddr {
    let random = RandomState::new().hash_one(());
    let span = u64::from(PORTS.end - PORTS.start);
    let candidates = (0..span).map(|step| {
        PORTS.start + u16::try_from((random.wrapping_add(step)) % span).expect("within the range")
    });
    let mut candidates = candidates.map(|port| SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    candidates.find(|address| TcpListener::bind(address).is_ok()).expect("one of so many ports is free")
}
