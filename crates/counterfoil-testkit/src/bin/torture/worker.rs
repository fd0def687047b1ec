//! Child processes of the campaigns: the binary itself, started once more as `torture worker NAME …`.

use std::env;
use std::io::{BufRead, BufReader};
use std::process::{self, ChildStdout, Command as Process, ExitStatus, Stdio};

use crate::work::{Said, Told};

/// What a child does, with what stands behind its name on the command line.
type Work = fn(&[String]);

/// Every kind of child.
const WORKERS: &[(&str, Work)] = &[
    ("kill", crate::kill::work),
    ("io", crate::io::work),
    ("power", crate::power::work),
    ("planted", crate::planted::work),
];

/// Does a child's work, if this process was started as one.
pub(crate) fn serve() -> bool {
    let args: Vec<String> = env::args().skip(1).collect();
    let ["worker", name] = args.iter().take(2).map(String::as_str).collect::<Vec<_>>()[..] else {
        return false;
    };
    let (_, work) = WORKERS.iter().find(|(known, _)| *known == name).expect("a worker that there is");
    work(&args[2..]);
    true
}

/// The command that starts a child.
pub(crate) fn command(name: &str) -> Process {
    let mut process = Process::new(env::current_exe().expect("the path of this program"));
    process.args(["worker", name]);
    process
}

/// A child that tells what it is told.
#[derive(Debug)]
pub(crate) struct Child {
    process: process::Child,
    lines: BufReader<ChildStdout>,
}

impl Child {
    pub(crate) fn start(mut command: Process) -> Result<Child, String> {
        let started = command.stdout(Stdio::piped()).spawn();
        let mut process = started.map_err(|error| format!("{command:?}: {error}"))?;
        let lines = BufReader::new(process.stdout.take().expect("the pipe that was asked for"));
        Ok(Child { process, lines })
    }

    /// What it tells, until it has given so many answers, or is dead. The last line may be cut off: then nobody was told.
    pub(crate) fn listen(&mut self, answers: u64) -> Result<Vec<Told>, String> {
        let mut told = Vec::new();
        let mut answered = 0;
        let mut line = String::new();
        while answered < answers && self.lines.read_line(&mut line).map_err(|error| error.to_string())? > 0 {
            if let Some(whole) = line.strip_suffix('\n') {
                let one: Told = whole.parse()?;
                answered += u64::from(one.said != Said::Asked);
                told.push(one);
            }
            line.clear();
        }
        Ok(told)
    }

    /// All that it says, line by line.
    pub(crate) fn read(&mut self) -> Result<Vec<String>, String> {
        (&mut self.lines).lines().collect::<Result<_, _>>().map_err(|error| error.to_string())
    }

    pub(crate) fn kill(&mut self) -> Result<(), String> {
        self.process.kill().map_err(|error| error.to_string())
    }

    pub(crate) fn wait(mut self) -> Result<ExitStatus, String> {
        self.process.wait().map_err(|error| error.to_string())
    }
}
