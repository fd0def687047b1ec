//! Where an export goes, and a head.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::error::Error;

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
    partial: PathBuf,
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
        let mut partial = OsString::from(path);
        partial.push(".partial");
        let partial = PathBuf::from(partial);
        let file = File::create_new(&partial);
        let file = file.map_err(|error| Error::because(cannot_write(&partial), &error))?;
        Ok(Output::File(NewFile { to: BufWriter::new(file), partial, path: path.to_owned() }))
    }

    /// Makes what was written last: a file gets its name now.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        match self {
            Output::Stdout(to) => to.flush(),
            Output::File(file) => {
                file.to.flush()?;
                file.to.get_ref().sync_all()?;
                fs::rename(&file.partial, &file.path)
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

fn cannot_write(path: &Path) -> String {
    format!("cannot write {}", path.display())
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Gone already if all went well.
        let _ = fs::remove_file(&self.partial);
    }
}
