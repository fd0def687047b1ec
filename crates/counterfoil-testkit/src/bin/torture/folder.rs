//! Folders for the files of a campaign.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// Names and what is in them.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A folder in memory, if the system has one.
pub(crate) fn make() -> Result<TempDir, String> {
    let memory = Path::new("/dev/shm");
    let made = if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
    made.map_err(|error| format!("making a folder: {error}"))
}

/// Makes the folder hold these files and no others.
pub(crate) fn put(folder: &Path, files: &Files) -> Result<(), String> {
    let failed = |error| format!("writing an image: {error}");
    for entry in fs::read_dir(folder).map_err(failed)? {
        fs::remove_file(entry.map_err(failed)?.path()).map_err(failed)?;
    }
    files.iter().try_for_each(|(name, bytes)| fs::write(folder.join(name), bytes)).map_err(failed)
}

/// The files that are there, but for the memory that SQLite shares.
pub(crate) fn found(folder: &Path) -> Result<Files, String> {
    let failed = |error| format!("reading the recorded files: {error}");
    let mut files = Files::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if !name.ends_with("-shm") {
            files.insert(name, fs::read(&path).map_err(failed)?);
        }
    }
    Ok(files)
}

/// Puts the files where they stay, and says where.
pub(crate) fn keep(files: &Files) -> Result<String, String> {
    let path = make()?.keep();
    put(&path, files)?;
    Ok(path.display().to_string())
}
