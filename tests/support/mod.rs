//! What the tests of the binary share: running it, serving with it, pictures that no data set holds.

#![allow(dead_code, reason = "every test file uses a part")]

pub mod pictures;

use flate2::read::GzDecoder;
use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for what must come: far beyond what a slow and busy machine takes.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// Times that something is killed on its way, in case it was over before: then the machine was slow at the wrong moment.
pub const KILLS: usize = 10;

/// Largest absolute difference between Burn and a runtime.
pub const MODEL_TOLERANCE: f64 = 1e-4;

/// The binary under test.
pub fn selfie() -> Command {
    Command::new(env!("CARGO_BIN_EXE_selfie"))
}

/// Runs the binary in a folder and gives exit code, standard output and standard error.
pub fn run(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output: Output = selfie().current_dir(folder).args(arguments).stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// Runs the binary, which must succeed, and gives its standard output.
pub fn succeed(folder: &Path, arguments: &[&str]) -> String {
    let (code, stdout, stderr) = run(folder, arguments);
    assert_eq!(code, 0, "selfie {arguments:?}\n{stdout}\n{stderr}");
    stdout
}

/// The Python of the tests, with the packages of `tests/python/requirements.txt`; none, and a word about it, where there is none.
pub fn python() -> Option<OsString> {
    let python = std::env::var_os("SELFIE_TEST_PYTHON");
    if python.is_none() {
        eprintln!("SKIPPED: SELFIE_TEST_PYTHON names no Python with tests/python/requirements.txt; ./check makes one");
    }
    python
}

/// Runs a script of `tests/python`, which must succeed, and gives its standard output; nothing where there is no Python.
pub fn script<A: AsRef<OsStr>>(name: &str, arguments: impl IntoIterator<Item = A>) -> Option<String> {
    let path = format!("{}/tests/python/{name}", env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(python()?).arg(path).args(arguments).output().unwrap();
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(output.status.success(), "{name}: {stdout}{stderr}");
    Some(stdout)
}

/// A running `selfie serve` on a free port of the loopback address.
pub struct Serving {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// `http://127.0.0.1:PORT`
    pub address: String,
}

impl Serving {
    /// Starts the server and waits until it listens.
    pub fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::start_logging(folder, arguments, Stdio::inherit())
    }

    /// As [`Serving::start`], with its log somewhere else.
    pub fn start_logging(folder: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut command = selfie();
        command.current_dir(folder).arg("serve").args(arguments).args(["--port", "0"]).stderr(log);
        Self::spawn(command)
    }

    /// Starts the server by this command.
    pub fn spawn(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let mut serving = Self { address: String::new(), child, stdout };
        serving.address = serving.told("listening on ");
        serving
    }

    /// The rest of the next line that it prints.
    pub fn told(&mut self, beginning: &str) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).unwrap();
        let rest = line.trim().strip_prefix(beginning).unwrap_or_else(|| panic!("no {beginning:?} in {line:?}"));
        rest.to_owned()
    }

    /// Asks the server to stop, as an orchestrator does.
    pub fn terminate(&self) {
        self.signal("TERM");
    }

    /// Sends a signal.
    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// The memory that the process has, in kB.
    pub fn resident_kb(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Processor time so far, all threads, in hundredths of a second.
    pub fn cpu_ticks(&self) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap();
        // Fields 14 and 15, counted after the name, which may hold anything: proc_pid_stat(5).
        let fields = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().skip(11).take(2);
        fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum()
    }

    /// Waits for the end and gives exit code and time.
    pub fn wait(&mut self) -> (i32, Duration) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status.code().unwrap_or(-1), started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the server does not stop");
    }
}

/// A client with [`PATIENCE`].
pub fn client() -> reqwest::blocking::Client {
    reqwest::blocking::Client::builder().timeout(PATIENCE).build().unwrap()
}

/// Kills a process when `is_under_way` says so; false when it ended before.
pub fn kill_when(mut child: Child, mut is_under_way: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !is_under_way() {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return false;
        }
        assert!(started.elapsed() < PATIENCE, "it does not get under way");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    !child.wait().unwrap().success()
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A JPEG of a shirt-like shape, 320 x 400, that is in no data set.
pub fn jpeg() -> Vec<u8> {
    let inside = |x: i32, y: i32| {
        let body = (100..220).contains(&x) && (80..360).contains(&y);
        let sleeves = (40..280).contains(&x) && (80..160).contains(&y);
        let neck = (x - 160).pow(2) + (y - 70).pow(2) < 900;
        (body || sleeves) && !neck
    };
    let picture = image::RgbImage::from_fn(320, 400, |x, y| match inside(x as i32, y as i32) {
        true => image::Rgb([200 - (y / 8) as u8, 190, 180]),
        false => image::Rgb([4, 4, 4]),
    });
    let mut bytes = Vec::new();
    picture.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Jpeg).unwrap();
    bytes
}

/// The bytes of a gzip file behind an IDX header of the given length.
pub fn idx(path: &Path, header: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_end(&mut bytes).unwrap();
    bytes.split_off(header)
}

/// A picture of Fashion-MNIST as PNG.
pub fn png(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let picture = image::GrayImage::from_raw(28, 28, pixels.to_vec()).unwrap();
    picture.write_to(&mut Cursor::new(&mut bytes), image::ImageFormat::Png).unwrap();
    bytes
}

/// The first `count` test images of the bundled sample of Fashion-MNIST as PNG, with their classes.
pub fn fashion(count: usize) -> Vec<(Vec<u8>, u8)> {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("train/assets/fashion-mnist-sample");
    let images = idx(&sample.join("t10k-images-idx3-ubyte.gz"), 16);
    let labels = idx(&sample.join("t10k-labels-idx1-ubyte.gz"), 8);
    assert!(labels.len() >= count, "the sample holds {} images", labels.len());
    images.chunks(28 * 28).map(png).zip(labels).take(count).collect()
}
