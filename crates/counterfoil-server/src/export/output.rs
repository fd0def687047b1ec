//! Where an export goes, and a head.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// How many names are tried for a file that is not whole yet.
const NAMES: u32 = 1_000;

/// Stdout, or a file that has its name only when it is whole.
#[derive(Debug)]
pub(crate) enum Output {
    /// Stdout.
    Stdout(BufWriter<io::Stdout>),
    /// A new file.
    File(NewFile),
}

/// A file on its way.
#[derive(Debug)]
pub(crate) struct NewFile {
    to: BufWriter<File>,
    /// Its name until it is whole.
    partial: Option<PathBuf>,
    path: PathBuf,
}

impl Output {
    /// Into the file at `path`, where there must be none yet; else to stdout.
    pub(crate) fn open(path: Option<&Path>) -> Result<Output, Error> {
        let Some(path) = path else { return Ok(Output::Stdout(BufWriter::new(io::stdout()))) };
        // It may be last month's export, or the very file that is to be exported.
        if fs::symlink_metadata(path).is_ok() {
            return Err(Error::new(format_args!("{}: there is such a file already", cannot_write(path))));
        }
        let (file, partial) = create(path)?;
        Ok(Output::File(NewFile { to: BufWriter::new(file), partial: Some(partial), path: path.to_owned() }))
    }

    /// Makes what was written last: a file gets its name now.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(to) => to.flush(),
            Output::File(file) => {
                file.to.flush()?;
                file.to.get_ref().sync_all()?;
                if let Some(partial) = &file.partial {
                    fs::rename(partial, &file.path)?;
                }
                file.partial = None;
                sync_folder(&file.path)
            }
        }
    }

    /// What to say when it cannot be written.
    pub(crate) fn problem(&self) -> String {
        match self {
            Output::Stdout(_) => "cannot write to stdout".to_owned(),
            Output::File(file) => cannot_write(&file.path),
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Output::Stdout(to) => to.write(bytes),
            Output::File(file) => file.to.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(to) => to.flush(),
            Output::File(file) => file.to.flush(),
        }
    }
}

/// A file beside `path` under a name that is free: `.partial` may be left by a run that was killed, or be another's that
/// is still at it.
fn create(path: &Path) -> Result<(File, PathBuf), Error> {
    let mut number = 1;
    loop {
        let mut partial = OsString::from(path);
        partial.push(if number == 1 { ".partial".to_owned() } else { format!(".partial{number}") });
        let partial = PathBuf::from(partial);
        match File::create_new(&partial) {
            Ok(file) => return Ok((file, partial)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < NAMES => number += 1,
            Err(error) => return Err(Error::because(cannot_write(&partial), &error)),
        }
    }
}

/// So that the name is as durable as what is in the file.
fn sync_folder(path: &Path) -> io::Result<()> {
    let Some(folder) = path.parent().filter(|_| cfg!(unix)) else { return Ok(()) };
    let here = folder.as_os_str().is_empty();
    File::open(if here { Path::new(".") } else { folder })?.sync_all()
}

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if let Some(partial) = &self.partial {
            // It is of no use, and in nobody's way.
            let _ = fs::remove_file(partial);
        }
    }
}
