//! Recording what a process does to the files of a folder.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::cut::Cut;
use super::disk::{Change, FileId, Naming, Step};
use super::trace::{self, Arg, Call, Edge};
use crate::folder::Files;
use crate::{strace, worker};

/// Everything that changes a file or its name, and the end of the process. What is in here and unknown below is refused, and the rebuilt
/// files are held against the real ones: nothing can go unseen.
const CALLS: &str = "open,openat,creat,close,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,\
rename,renameat,renameat2,link,linkat,symlink,symlinkat,unlink,unlinkat,fsync,fdatasync,sync_file_range,\
copy_file_range,sendfile,dup,dup2,dup3,exit_group";

/// What a process did.
#[derive(Debug)]
pub(super) struct Recorded {
    pub(super) steps: Vec<Step>,
    /// Those that the end of the process cut off: how much of each was done is not known.
    pub(super) cut: Vec<Cut>,
    /// What strace wrote.
    pub(super) log: String,
}

/// Runs `torture worker power ARGS` and gives back what it did to the files of `folder`, which had become what they are by
/// `earlier` steps on `before`.
pub(super) fn record(
    folder: &Path,
    before: &Files,
    earlier: &[Step],
    args: &[&str],
) -> Result<Recorded, String> {
    let text = traced(folder, args)?;
    let (calls, edges) = trace::read(&text)?;
    let (steps, cut) = Recorder::new(folder, before, earlier).follow(&calls, &edges)?;
    Ok(Recorded { steps, cut, log: text })
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
    /// The call that is being read.
    call: usize,
    /// Whether somebody made it is not certain.
    doubtful: bool,
    /// The changes that have begun and not ended.
    under_way: Vec<UnderWay>,
}

/// A change that has begun and not ended.
#[derive(Debug)]
struct UnderWay {
    call: usize,
    cut: Cut,
    /// The file; nothing if it is the folder.
    file: Option<FileId>,
    /// How many changes of the same went before.
    earlier: usize,
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
            call: 0,
            doubtful: false,
            under_way: Vec::new(),
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

    /// The steps, and those that were cut off.
    fn follow(mut self, calls: &[Call], edges: &[Edge]) -> Result<(Vec<Step>, Vec<Cut>), String> {
        for edge in edges {
            match *edge {
                Edge::Begins(call) => {
                    self.call = call;
                    self.doubtful = calls[call].doubtful;
                    match self.begins(&calls[call]) {
                        // Perhaps nobody made it. If it is missing, the files will tell.
                        Err(_) if self.doubtful => {}
                        known => known?,
                    }
                }
                Edge::Ends(call) => {
                    self.under_way.retain(|change| change.call != call);
                    self.ends(&calls[call])?;
                }
            }
        }
        Ok((self.steps, self.under_way.iter().map(|change| change.cut).collect()))
    }

    /// A change may be on the disk from the moment at which it begins.
    fn begins(&mut self, call: &Call) -> Result<(), String> {
        if call.returned.is_some_and(|returned| returned < 0) {
            return Ok(());
        }
        let name = call.name.as_str();
        match (name, &call.args[..]) {
            ("open" | "openat" | "creat", _) => {}
            ("write", [Arg::Descriptor(1, _), ..]) if call.doubtful => {}
            ("write", [Arg::Descriptor(1, _), Arg::Text(said), ..]) => {
                self.steps.push(Step::Said(String::from_utf8_lossy(said).into_owned()));
            }
            ("unlink" | "unlinkat", args) => {
                if let Some(name) = args.iter().find_map(|arg| self.name(arg)) {
                    self.names.remove(&name);
                    self.has_begun(None, self.namings);
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
            ("close", ..) => {
                if call.returned.is_some() {
                    self.descriptors.remove(&number);
                }
            }
            ("fsync" | "fdatasync", Open::File(id), _) => {
                let done = self.done(Some(id), self.changes[id]);
                self.syncing.entry(number).or_default().push(done);
            }
            ("fsync" | "fdatasync", Open::Folder, _) => {
                let done = self.done(None, self.namings);
                self.syncing.entry(number).or_default().push(done);
            }
            ("pwrite64", Open::File(id), [Arg::Text(bytes), _, Arg::Word(at)]) => {
                let written = call.returned.map_or(Ok(bytes.len()), usize::try_from);
                let bytes =
                    written.ok().and_then(|written| bytes.get(..written)).ok_or_else(|| unknown(call))?;
                self.changed(id, Change::Write(at.parse().map_err(|_| unknown(call))?, bytes.to_vec()));
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
        match (call.name.as_str(), call.returned, &call.args[..]) {
            ("open" | "openat" | "creat", Some(number @ 0..), _) => self.opened(call, number),
            ("fsync" | "fdatasync", Some(0), [Arg::Descriptor(number, _)]) => {
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

    fn opened(&mut self, call: &Call, number: i64) -> Result<(), String> {
        let path = call.opened.as_deref().unwrap_or_default();
        if Path::new(OsStr::from_bytes(path)) == self.folder {
            self.descriptors.insert(number, Open::Folder);
            return Ok(());
        }
        let Some(name) = self.name(&Arg::Text(path.to_vec())) else { return Ok(()) };
        if call.args.iter().any(|arg| matches!(arg, Arg::Word(word) if word.contains("O_TRUNC"))) {
            return Err(unknown(call));
        }
        let known = self.names.get(&name).copied();
        let id = known.unwrap_or_else(|| self.made(name));
        self.descriptors.insert(number, Open::File(id));
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
        self.has_begun(Some(id), self.changes[id]);
        self.changes[id] += 1;
        self.steps.push(Step::Changed(id, change));
    }

    fn named(&mut self, naming: Naming) {
        self.namings += 1;
        self.steps.push(Step::Named(naming));
    }

    fn has_begun(&mut self, file: Option<FileId>, earlier: usize) {
        let cut = Cut { place: self.steps.len(), doubtful: self.doubtful };
        self.under_way.push(UnderWay { call: self.call, cut, file, earlier });
    }

    /// How many of so many changes a sync that begins now makes certain: not what another thread still does.
    fn done(&self, file: Option<FileId>, changes: usize) -> usize {
        let under_way = self.under_way.iter().filter(|change| change.file == file);
        under_way.map(|change| change.earlier).min().unwrap_or(changes)
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
    format!("the recorded process made a call that this campaign does not know: {name} = {returned:?}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"7 openat(AT_FDCWD</>, "\x2f\x66\x2f\x61", O_RDWR, 0600) = 3<\x2f\x66\x2f\x61>
7 pwrite64(3<\x2f\x66\x2f\x61>, "\x01", 1, 0) = 1
8 pwrite64(3<\x2f\x66\x2f\x61>, "\x02", 1, 1 <unfinished ...>
7 fsync(3<\x2f\x66\x2f\x61>) = 0
8 <... pwrite64 resumed>) = 1
7 fsync(3<\x2f\x66\x2f\x61>) = 0
7 pwrite64(3<\x2f\x66\x2f\x61>, "\x03\x04\x05", 3, 2 <unfinished ...>
8 write(1<pipe:[9]>, "\x68", 1 <unfinished ...>
9 exit_group(0) = ?
8 <... write resumed>) = 1
7 <... pwrite64 resumed>) = 1
8 close(3<\x2f\x66\x2f\x61>) = 0
10 fsync(3<\x2f\x66\x2f\x61>) = 0
10 write(1<pipe:[9]>, "\x68", 1) = 1
10 pwrite64(3<\x2f\x66\x2f\x61>, "\x03", 1, 5) = 1
"#;

    fn steps() -> (Vec<Step>, Vec<Cut>) {
        let (calls, edges) = trace::read(TEXT).unwrap();
        let before = [("a".to_owned(), Vec::new())].into();
        Recorder::new(Path::new("/f"), &before, &[]).follow(&calls, &edges).unwrap()
    }

    #[test]
    fn what_is_under_way_is_not_synced_and_may_be_cut_off() {
        let (steps, cut) = steps();
        let synced = |step: &Step| match step {
            Step::Synced(_, upto) => Some(*upto),
            _ => None,
        };
        assert_eq!(steps.iter().filter_map(synced).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(steps.len(), 7);
        assert_eq!(cut, [Cut { place: 4, doubtful: false }, Cut { place: 6, doubtful: true }]);
    }

    #[test]
    fn what_came_back_while_the_process_ended_does_not_count() {
        let (steps, _) = steps();
        let Step::Changed(0, Change::Write(2, bytes)) = &steps[4] else { panic!("{:?}", steps[4]) };
        assert_eq!(*bytes, [3, 4, 5], "another thread's 1 came back");
        let said = steps.iter().filter(|step| matches!(step, Step::Said(_))).count();
        assert_eq!(said, 1, "what begins when the process has ended was not said");
    }
}
