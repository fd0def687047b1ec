//! Reading what strace wrote: what the child said between its calls.

use std::fs;
use std::path::Path;

use super::judge::Happened;
use crate::work::words;

/// What happened, in order. Files are called by the end of their names: `db`, `-wal`; the folder by nothing.
pub(super) fn read(trace: &Path, folder: &Path) -> Result<Vec<Happened>, String> {
    let text = fs::read_to_string(trace).map_err(words)?;
    let prefix = folder.to_str().ok_or("a folder with a strange name")?;
    text.lines().filter_map(|line| one(line, prefix).transpose()).collect()
}

/// `PID CALL(ARGUMENTS) = RESULT`.
fn one(line: &str, folder: &str) -> Result<Option<Happened>, String> {
    let call = line.split_once(' ').map_or(line, |(_, call)| call.trim_start());
    let Some((name, arguments)) = call.split_once('(') else { return Ok(None) };
    if name == "write" {
        let said = arguments.split_once('"').and_then(|(_, rest)| rest.rsplit_once("\\n\""));
        return said.map(|(said, _)| said.parse()).transpose();
    }
    let file = arguments.split_once(folder).map_or("", |(_, rest)| rest);
    let file = file.split(['"', '>']).next().unwrap_or_default();
    let file = match file.strip_prefix("/books.db") {
        Some("") => "db",
        Some(end) => end,
        None => file,
    };
    let (name, file) = (name.to_owned(), file.to_owned());
    let is_fault = call.contains("(INJECTED)") || call.contains("(DELAYED)");
    Ok(Some(if is_fault { Happened::Fault { name, file } } else { Happened::Call { name, file } }))
}
