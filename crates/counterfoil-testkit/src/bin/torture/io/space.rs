//! Space that runs out for real, and comes back.

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command as Process, Stdio};
use std::sync::OnceLock;

use tempfile::TempDir;

use super::judge::Happened;
use super::plan::Class;
use super::{hold, plain};
use crate::campaign::Counts;
use crate::say;
use crate::work::words;
use crate::worker::Child;

/// How large the small file system is: enough for a new database and some work.
const SIZE: u64 = 1 << 20;

/// No file may grow by more than so many bytes beyond the log's length, for a while.
pub(super) fn limited(folder: &TempDir, bytes: u64) -> Result<Counts, String> {
    let path = folder.path().join("books.db");
    let happened = run(&path, &["limit".to_owned(), bytes.to_string()])?;
    ended(&path, &happened, "files that may not grow")
}

/// A file system of its own with so many bytes less than it needs, until something is removed.
pub(super) fn full(folder: &TempDir, bytes: u64) -> Result<Counts, String> {
    let Some(disk) = Disk::mount(folder.path())? else {
        return Ok([("disks that could not be mounted", 1)].into());
    };
    let ballast = disk.place.join("ballast");
    let length = usize::try_from(300_000 + bytes).map_err(words)?;
    fs::write(&ballast, vec![1; length]).map_err(words)?;
    let path = disk.place.join("books.db");
    let happened = run(&path, &["ballast".to_owned(), ballast.display().to_string()])?;
    ended(&path, &happened, "disks that were full")
}

fn run(path: &Path, args: &[String; 2]) -> Result<Vec<Happened>, String> {
    let mut child = Child::start(plain(path, args))?;
    let lines = child.read()?;
    let status = child.wait()?;
    let happened = lines.iter().map(|line| line.parse()).collect::<Result<Vec<_>, _>>()?;
    if status.success() { Ok(happened) } else { Err(format!("the child ended with {status}: {lines:#?}")) }
}

fn ended(path: &Path, happened: &[Happened], name: &'static str) -> Result<Counts, String> {
    if !happened.contains(&Happened::Relieved) {
        return Err("nothing was ever in the way".to_owned());
    }
    let mut counts = Counts::from([("cases", 1), (name, 1)]);
    hold(path, Class::NoSpace, happened, &mut counts)?;
    Ok(counts)
}

/// In whose name a file system is mounted: one's own, or that of the superuser, where that takes no password.
const NAMES: [&[&str]; 2] = [&[], &["sudo", "-n"]];

/// A small file system, gone when it is dropped.
struct Disk {
    place: PathBuf,
    name: &'static [&'static str],
}

impl Disk {
    /// `None` where nothing may be mounted. That is said, and where the build is checked it is a failure.
    fn mount(folder: &Path) -> Result<Option<Disk>, String> {
        static TOLD: OnceLock<()> = OnceLock::new();
        let place = folder.join("disk");
        fs::create_dir(&place).map_err(words)?;
        let owner = fs::metadata(&place).map_err(words)?.uid();
        let options = format!("size={SIZE},mode=700,uid={owner}");
        let args = ["mount", "-t", "tmpfs", "-o", &options, "tmpfs"];
        let mut tried = Vec::new();
        for name in NAMES {
            match in_name_of(name, &args, &place).stderr(Stdio::null()).status() {
                Ok(status) if status.success() => return Ok(Some(Disk { place, name })),
                other => tried.push(other),
            }
        }
        let what = format!(
            "NOT SHOWN: a full disk, for no file system can be mounted here, by sudo neither ({tried:?})"
        );
        if env::var_os("CI").is_some() {
            return Err(what);
        }
        TOLD.get_or_init(|| say(&what));
        Ok(None)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: another case's child that has just been forked holds all files of this process until it executes its
        // program.
        let umount = in_name_of(self.name, &["umount", "--lazy"], &self.place).status();
        assert!(umount.is_ok_and(|status| status.success()), "{} stays mounted", self.place.display());
    }
}

/// A program with its arguments, the last of which is a place.
fn in_name_of(name: &[&str], args: &[&str], place: &Path) -> Process {
    let mut words = name.iter().chain(args);
    let mut process = Process::new(words.next().expect("a program"));
    process.args(words).arg(place);
    process
}
