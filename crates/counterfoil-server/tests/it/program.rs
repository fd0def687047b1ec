//! Running the program.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

/// The key of every server started here, strong enough not to be warned about.
pub(crate) const API_KEY: &str = "tests.0123456789abcdef01234567";

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The program, with nothing of this process's own settings.
pub(crate) fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_counterfoil"));
    command
        .args(arguments)
        .env_remove("COUNTERFOIL_API_KEY")
        .env_remove("COUNTERFOIL_SANDBOX_SECRET")
        .stdin(Stdio::null());
    command
}

/// Runs the program to its end.
pub(crate) fn run(arguments: &[&str]) -> Ended {
    Process::spawn(program(arguments).stdout(Stdio::piped())).end()
}

/// The name of a file as a store.
pub(crate) fn sqlite(path: &Path) -> String {
    format!("sqlite:{}", path.display())
}

/// A running program, ended with the test.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
}

impl Process {
    /// Starts `command`. Its stdout is read here, unless it has another one already.
    pub(crate) fn spawn(command: &mut Command) -> Process {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Process { stdout: child.stdout.take().map(BufReader::new), stderr, child }
    }

    /// The next line that it prints; empty at the end.
    pub(crate) fn next_line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        line
    }

    /// The next line that it complains with; empty at the end.
    pub(crate) fn next_complaint(&mut self) -> String {
        let mut line = String::new();
        self.stderr.read_line(&mut line).unwrap();
        line
    }

    /// Tells it to stop, by the signal of this name, as in `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for its end, and gives what it said since the last line that was read.
    pub(crate) fn end(mut self) -> Ended {
        let mut status = None;
        eventually("the program ends", || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        });
        let (mut stdout, mut stderr) = (String::new(), String::new());
        if let Some(pipe) = &mut self.stdout {
            pipe.read_to_string(&mut stdout).unwrap();
        }
        self.stderr.read_to_string(&mut stderr).unwrap();
        Ended { code: status.unwrap().code(), stdout, stderr }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running `counterfoil serve`.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Server {
    /// One over this store, on a free port, with [`API_KEY`].
    pub(crate) fn start(store: &str) -> Server {
        Server::with(store, &[])
    }

    /// The same with more options.
    pub(crate) fn with(store: &str, options: &[&str]) -> Server {
        let mut command = program(&["serve", "--listen", "127.0.0.1:0", "--store", store]);
        Server::spawn(command.args(["--api-key", API_KEY]).args(options))
    }

    /// Started by `command`; returns when it is ready.
    pub(crate) fn spawn(command: &mut Command) -> Server {
        let mut process = Process::spawn(command.stdout(Stdio::piped()));
        let first = process.next_line();
        let Some(address) = first.strip_prefix("listening on http://") else {
            panic!("{first:?} is no first line: {:?}", process.end());
        };
        Server { address: address.trim_end().parse().unwrap(), process }
    }

    /// Stops it as an operator would, and checks that all went well.
    pub(crate) fn stop(self) {
        self.process.signal("TERM");
        let ended = self.process.end();
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    }

    /// Stops it as a power cut would.
    pub(crate) fn kill(self) {
        drop(self.process);
    }
}

/// Waits until something is so; it has 30 seconds.
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    for _ in 0..3_000 {
        if is_so() {
            return;
        }
        thread::sleep(Duration::from_millis(10));
    }
    panic!("not in 30 seconds: {what}");
}
