//! The server as its users run it: a process of its own, on a file.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use crate::process::Size;
use crate::work::words;

/// The key of every caller.
pub(super) const API_KEY: &str = "torture.0123456789abcdef01234567";
/// How many descriptors the server and its callers may need.
const DESCRIPTORS: u64 = 12_000;
/// How often it is looked whether it has ended, and how many times.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 3_000;

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    process: Child,
    pub(super) address: SocketAddr,
}

impl Server {
    /// On the file at `path`, with these options.
    pub(super) fn start(path: &Path, options: &[&str]) -> Result<Server, String> {
        let mut command = with_descriptors(program()?);
        command.args(["serve", "--listen", "127.0.0.1:0", "--api-key", API_KEY, "--store"]);
        command.arg(format!("sqlite:{}", path.display())).args(options);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().map_err(|error| format!("{command:?}: {error}"))?;
        let mut line = String::new();
        let stdout = process.stdout.take().expect("the pipe that was asked for");
        BufReader::new(stdout).read_line(&mut line).map_err(words)?;
        let address = line.trim_end().strip_prefix("listening on http://").and_then(|to| to.parse().ok());
        // Dropped, it is ended.
        let server = Server { process, address: address.unwrap_or_else(|| ([0; 4], 0).into()) };
        if address.is_some() { Ok(server) } else { Err(format!("the server says {line:?}")) }
    }

    pub(super) fn size(&self) -> Result<Size, String> {
        Size::of(self.process.id())
    }

    /// Ends it as an operator would; all must have gone well.
    pub(super) fn stop(mut self) -> Result<(), String> {
        let told = Process::new("kill").args(["-s", "TERM", &self.process.id().to_string()]).status();
        told.map_err(words)?;
        for _ in 0..LOOKS {
            let Some(status) = self.process.try_wait().map_err(words)? else {
                thread::sleep(LOOK);
                continue;
            };
            let mut complaints = String::new();
            let stderr = self.process.stderr.as_mut().expect("the pipe that was asked for");
            stderr.read_to_string(&mut complaints).map_err(words)?;
            let well = status.success() && complaints.is_empty();
            return if well { Ok(()) } else { Err(format!("the server ended with {status}: {complaints}")) };
        }
        Err("the server does not end".to_owned())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Both fail only if it has ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `program`, allowed as many descriptors as it may be.
fn with_descriptors(program: &Path) -> Process {
    let mut shell = Process::new("sh");
    shell.args(["-c", &format!("ulimit -n {DESCRIPTORS} && exec \"$@\""), "sh"]).arg(program);
    shell.env_remove("COUNTERFOIL_API_KEY").env_remove("COUNTERFOIL_SANDBOX_SECRET");
    shell
}

/// Lets this process have as many.
pub(super) fn raise_own_limit() -> Result<(), String> {
    let process = format!("--pid={}", std::process::id());
    let raised = Process::new("prlimit").args([process, format!("--nofile={DESCRIPTORS}:")]).status();
    match raised {
        Ok(status) if status.success() => Ok(()),
        tried => Err(format!(
            "this campaign needs {DESCRIPTORS} descriptors (`ulimit -Hn`), and prlimit, of util-linux: {tried:?}"
        )),
    }
}

/// The server's program, which stands beside this one. Where cargo has started this one, it brings it up to date first:
/// the server of another day proves nothing.
fn program() -> Result<&'static Path, String> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let find = || {
        let own = env::current_exe().map_err(words)?;
        let folder = own.parent().ok_or("a program in no folder")?;
        let profile = match folder.file_name().and_then(|name| name.to_str()) {
            Some("release") => "release",
            _ => "dev",
        };
        let build = ["build", "--quiet", "--profile", profile, "-p", "counterfoil-server"];
        if let (Some(cargo), Some(target)) = (env::var_os("CARGO"), folder.parent()) {
            let mut cargo = Process::new(cargo);
            cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
            let ended = cargo.args(build).arg("--target-dir").arg(target).status().map_err(words)?;
            if !ended.success() {
                return Err(format!("{cargo:?} ended with {ended}"));
            }
        }
        let program = folder.join("counterfoil");
        let missing =
            || format!("there is no {}: build it first, with cargo {}", program.display(), build.join(" "));
        if program.is_file() { Ok(program.clone()) } else { Err(missing()) }
    };
    FOUND.get_or_init(find).as_deref().map_err(Clone::clone)
}
