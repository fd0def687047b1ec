//! Recording what a process does to the files of a folder.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::str::FromStr;

use super::disk::{Change, FileId, Naming, Step};
use super::trace::{self, Arg, Call, Edge};
use crate::folder::Files;
use crate::{strace, worker};

/// Everything that changes a file or its name. What is in here and unknown below is refused, and the rebuilt
/// files are held against the real ones: nothing can go unseen.
const CALLS: &str = "open,openat,creat,close,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,fsync,fdatasync,sync_file_range,\
copy_file_range,sendfile,dup,dup2,dup3";

/// Whose books are written.
pub(super) const TENANTS: [&str; 3] = ["one", "two", "three"];

/// What the process says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Saying {
    /// The file is open, and so many events could be read.
    Opened(usize),
    /// A command was acknowledged: this event stands for it.
    Done { tenant: String, stream: String, sequence: u64 },
}

impl fmt::Display for Saying {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Saying::Opened(events) => write!(f, "opened {events}"),
            Saying::Done { tenant, stream, sequence } => write!(f, "done {tenant} {sequence} {stream}"),
        }
    }
}

impl FromStr for Saying {
    type Err = String;

    fn from_str(line: &str) -> Result<Saying, String> {
        let words: Vec<&str> = line.trim_end().splitn(4, ' ').collect();
        let number = |word: &str| word.parse::<u64>().map_err(|_| format!("no number: {line}"));
        match words[..] {
            ["opened", events] => Ok(Saying::Opened(number(events)?.try_into().map_err(|_| "too many")?)),
            ["done", tenant, sequence, stream] => Ok(Saying::Done {
                tenant: tenant.to_owned(),
                stream: stream.to_owned(),
                sequence: number(sequence)?,
            }),
            _ => Err(format!("nobody says: {line}")),
        }
    }
}

/// Runs `torture worker power ARGS` and gives back what it did to the files of `folder`, which had become what they are by
/// `earlier` steps on `before`.
pub(super) fn record(
    folder: &Path,
    before: &Files,
    earlier: &[Step],
    args: &[&str],
) -> Result<Vec<Step>, String> {
    let text = traced(folder, args)?;
    let (calls, edges) = trace::read(&text)?;
    let mut recorder = Recorder::new(folder, before, earlier);
    for edge in edges {
        match edge {
            Edge::Begins(call) => recorder.begins(&calls[call])?,
            Edge::Ends(call) => recorder.ends(&calls[call])?,
        }
    }
    Ok(recorder.steps)
}

fn traced(folder: &Path, args: &[&str]) -> Result<String, String> {
    strace::check()?;
    let log = folder.with_extension("strace");
    let child = worker::command("power");
    let mut traced = Command::new("strace");
    traced.args(["-f", "-qq", "-y", "-xx", "-s", "16777216", "--seccomp-bpf", "-e", "signal=none", "-e"]);
    traced.arg(format!("trace={CALLS}")).arg("-o").arg(&log);
    traced.arg(child.get_program()).args(child.get_args()).args(args);
    let output = traced.stdin(Stdio::null()).stdout(Stdio::null()).output();
    let output = output.map_err(|error| format!("{traced:?}: {error}"))?;
    if !output.status.success() {
        return Err(format!("the recorded process failed: {}", String::from_utf8_lossy(&output.stderr)));
    }
    let text = fs::read_to_string(&log).map_err(|error| format!("reading what strace wrote: {error}"))?;
    // Nothing depends on it being gone.
    let _ = fs::remove_file(&log);
    Ok(text)
}

/// What a descriptor is open on.
#[derive(Debug, Clone, Copy)]
enum Open {
    File(FileId),
    Folder,
}

struct Recorder<'a> {
    folder: &'a Path,
    steps: Vec<Step>,
    names: HashMap<String, FileId>,
    descriptors: HashMap<i64, Open>,
    /// How often each file was changed.
    changes: Vec<usize>,
    /// How often the folder was.
    namings: usize,
    /// How far a sync that has begun will have come.
    syncing: HashMap<i64, Vec<usize>>,
}

impl<'a> Recorder<'a> {
    fn new(folder: &'a Path, before: &Files, earlier: &[Step]) -> Recorder<'a> {
        let mut recorder = Recorder {
            folder,
            steps: Vec::new(),
            names: before.keys().cloned().enumerate().map(|(id, name)| (name, id)).collect(),
            descriptors: HashMap::new(),
            changes: vec![0; before.len()],
            namings: 0,
            syncing: HashMap::new(),
        };
        for step in earlier {
            recorder.know(step);
        }
        recorder
    }

    /// Something that another process did.
    fn know(&mut self, step: &Step) {
        match step {
            Step::Changed(id, _) => self.changes[*id] += 1,
            Step::Named(naming) => {
                self.namings += 1;
                match naming {
                    Naming::New(name, id) => {
                        self.names.insert(name.clone(), *id);
                        self.changes.resize(self.changes.len().max(id + 1), 0);
                    }
                    Naming::Gone(name) => drop(self.names.remove(name)),
                }
            }
            Step::Synced(..) | Step::NamesSynced(_) | Step::Said(_) => {}
        }
    }

    /// A change may be on the disk from the moment at which it begins.
    fn begins(&mut self, call: &Call) -> Result<(), String> {
        if call.returned < 0 {
            return Ok(());
        }
        let name = call.name.as_str();
        match (name, &call.args[..]) {
            ("open" | "openat" | "creat", _) => {}
            ("write", [Arg::Descriptor(1, _), Arg::Text(said), ..]) => {
                self.steps.push(Step::Said(String::from_utf8_lossy(said).into_owned()));
            }
            ("unlink" | "unlinkat", args) => {
                if let Some(name) = args.iter().find_map(|arg| self.name(arg)) {
                    self.names.remove(&name);
                    self.named(Naming::Gone(name));
                }
            }
            (_, [Arg::Descriptor(number, _), rest @ ..]) if self.descriptors.contains_key(number) => {
                self.on_descriptor(call, *number, rest)?;
            }
            (_, args) => {
                if args.iter().any(|arg| self.name(arg).is_some()) {
                    return Err(unknown(call));
                }
            }
        }
        Ok(())
    }

    fn on_descriptor(&mut self, call: &Call, number: i64, args: &[Arg]) -> Result<(), String> {
        let open = self.descriptors[&number];
        match (call.name.as_str(), open, args) {
            ("close", ..) => drop(self.descriptors.remove(&number)),
            ("fsync" | "fdatasync", Open::File(id), _) => {
                self.syncing.entry(number).or_default().push(self.changes[id]);
            }
            ("fsync" | "fdatasync", Open::Folder, _) => {
                self.syncing.entry(number).or_default().push(self.namings);
            }
            ("pwrite64", Open::File(id), [Arg::Text(bytes), _, Arg::Word(at)]) => {
                let written = usize::try_from(call.returned).map_err(|_| unknown(call))?;
                let bytes = bytes.get(..written).ok_or_else(|| unknown(call))?.to_vec();
                self.changed(id, Change::Write(at.parse().map_err(|_| unknown(call))?, bytes));
            }
            ("ftruncate", Open::File(id), [Arg::Word(length)]) => {
                self.changed(id, Change::Length(length.parse().map_err(|_| unknown(call))?));
            }
            _ => return Err(unknown(call)),
        }
        Ok(())
    }

    /// A sync is worth something from the moment at which it ends.
    fn ends(&mut self, call: &Call) -> Result<(), String> {
        match (call.name.as_str(), &call.args[..]) {
            ("open" | "openat" | "creat", _) if call.returned >= 0 => self.opened(call),
            ("fsync" | "fdatasync", [Arg::Descriptor(number, _)]) => {
                let (Some(open), Some(upto)) =
                    (self.descriptors.get(number), self.syncing.get_mut(number).and_then(Vec::pop))
                else {
                    return Ok(());
                };
                self.steps.push(match open {
                    Open::File(id) => Step::Synced(*id, upto),
                    Open::Folder => Step::NamesSynced(upto),
                });
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn opened(&mut self, call: &Call) -> Result<(), String> {
        let path = call.opened.as_deref().unwrap_or_default();
        if Path::new(OsStr::from_bytes(path)) == self.folder {
            self.descriptors.insert(call.returned, Open::Folder);
            return Ok(());
        }
        let Some(name) = self.name(&Arg::Text(path.to_vec())) else { return Ok(()) };
        if call.args.iter().any(|arg| matches!(arg, Arg::Word(word) if word.contains("O_TRUNC"))) {
            return Err(unknown(call));
        }
        let known = self.names.get(&name).copied();
        let id = known.unwrap_or_else(|| self.made(name));
        self.descriptors.insert(call.returned, Open::File(id));
        Ok(())
    }

    fn made(&mut self, name: String) -> FileId {
        let id = self.changes.len();
        self.changes.push(0);
        self.names.insert(name.clone(), id);
        self.named(Naming::New(name, id));
        id
    }

    fn changed(&mut self, id: FileId, change: Change) {
        self.changes[id] += 1;
        self.steps.push(Step::Changed(id, change));
    }

    fn named(&mut self, naming: Naming) {
        self.namings += 1;
        self.steps.push(Step::Named(naming));
    }

    /// The name in the folder that is meant, if one is. The memory that SQLite shares is none: it is mapped, and
    /// made anew by whoever opens the file first.
    fn name(&self, arg: &Arg) -> Option<String> {
        let (Arg::Text(path) | Arg::Descriptor(_, path)) = arg else { return None };
        let name = Path::new(OsStr::from_bytes(path)).strip_prefix(self.folder).ok()?.to_str()?;
        (!name.is_empty() && !name.ends_with("-shm")).then(|| name.to_owned())
    }
}

fn unknown(call: &Call) -> String {
    let Call { name, returned, .. } = call;
    format!("the recorded process made a call that this campaign does not know: {name} = {returned}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_read_back() {
        let stream = "account wallet:w".to_owned();
        for saying in [Saying::Opened(7), Saying::Done { tenant: "one".to_owned(), stream, sequence: 3 }] {
            assert_eq!(saying.to_string().parse(), Ok(saying));
        }
        assert!("done".parse::<Saying>().is_err());
    }
}
