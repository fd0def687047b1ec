//! Reading what strace wrote down.

use std::collections::HashMap;

/// A system call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: String,
    /// As they stand there; texts without their quotes, their escapes undone.
    pub(super) args: Vec<Arg>,
    /// What came back, below zero if it failed; nothing if the process ended before.
    pub(super) returned: Option<i64>,
    /// The path behind what came back, if that is a descriptor.
    pub(super) opened: Option<Vec<u8>>,
}

/// An argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Arg {
    /// A text, or bytes that were written.
    Text(Vec<u8>),
    /// A descriptor, and what it is open on.
    Descriptor(i64, Vec<u8>),
    /// Anything else, as it stands there.
    Word(String),
}

/// Where a call stands in the row of all that began and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    Begins(usize),
    Ends(usize),
}

/// Reads the lines of all threads, in the order in which they were written. A call that never came back, since its
/// process ended, begins and does not end.
pub(super) fn read(text: &str) -> Result<(Vec<Call>, Vec<Edge>), String> {
    let mut halves: HashMap<&str, (&str, usize)> = HashMap::new();
    let (mut calls, mut edges) = (Vec::new(), Vec::new());
    for line in text.lines() {
        let Some((thread, rest)) = line.split_once(' ') else { continue };
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        if let Some(half) = rest.strip_suffix("<unfinished ...>") {
            halves.insert(thread, (half.trim_end(), edges.len()));
            edges.push(None);
            continue;
        }
        let (whole, began) = match resumed(rest) {
            None => (rest.to_owned(), None),
            Some(end) => {
                let (half, began) =
                    halves.remove(thread).ok_or_else(|| format!("what goes on in: {line}"))?;
                (format!("{half}{end}"), Some(began))
            }
        };
        let whole = match whole.strip_suffix("<detached ...>") {
            Some(half) => cut_off(half),
            None => whole,
        };
        let call = readable(&whole)?;
        match began {
            Some(began) => edges[began] = Some(Edge::Begins(calls.len())),
            None => edges.push(Some(Edge::Begins(calls.len()))),
        }
        if call.returned.is_some() {
            edges.push(Some(Edge::Ends(calls.len())));
        }
        calls.push(call);
    }
    for (half, began) in halves.into_values() {
        edges[began] = Some(Edge::Begins(calls.len()));
        calls.push(readable(&cut_off(half))?);
    }
    Ok((calls, edges.into_iter().flatten().collect()))
}

/// As strace mostly writes down a call that was cut off; where the thread was gone too soon, it wrote the half only.
fn cut_off(half: &str) -> String {
    format!("{}) = ?", half.trim_end())
}

fn readable(line: &str) -> Result<Call, String> {
    let end = || line.get(line.len().saturating_sub(80)..).unwrap_or_default();
    call(line).ok_or_else(|| format!("a call that cannot be read: {line:.80} ... {}", end()))
}

/// The rest of a call that was interrupted by another thread's.
fn resumed(line: &str) -> Option<&str> {
    let (_, rest) = line.strip_prefix("<... ")?.split_once(" resumed>")?;
    Some(rest)
}

/// `name(argument, ...) = returned`, or `name(argument, ... <unfinished ...>) = ?`.
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (rest, result) = rest.rsplit_once(" = ")?;
    let rest = rest.trim_end().strip_suffix(')')?.trim_end();
    let args = args(rest.strip_suffix("<unfinished ...>").unwrap_or(rest))?;
    if result == "?" {
        return Some(Call { name: name.to_owned(), args, returned: None, opened: None });
    }
    let number: String = result.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    let opened = result.split_once('<').and_then(|(_, path)| path.split_once('>')).map(|(path, _)| path);
    let opened = opened.map(unescape).unwrap_or_default();
    Some(Call { name: name.to_owned(), args, returned: Some(number.parse().ok()?), opened })
}

/// No comma is within an argument: all texts are in hexadecimal.
fn args(text: &str) -> Option<Vec<Arg>> {
    text.split(',').map(str::trim).filter(|arg| !arg.is_empty()).map(arg).collect()
}

fn arg(text: &str) -> Option<Arg> {
    if let Some(quoted) = text.strip_prefix('"') {
        return Some(Arg::Text(unescape(quoted.strip_suffix('"')?)?));
    }
    match text.split_once('<').and_then(|(number, path)| Some((number.parse().ok()?, path))) {
        Some((number, path)) => Some(Arg::Descriptor(number, unescape(path.split_once('>')?.0)?)),
        None => Some(Arg::Word(text.to_owned())),
    }
}

/// `\x41\x42` is "AB". What is named otherwise, as a pipe is, stays as it is.
fn unescape(text: &str) -> Option<Vec<u8>> {
    if !text.starts_with('\\') {
        return Some(text.as_bytes().to_vec());
    }
    text.split("\\x").skip(1).map(|digits| u8::from_str_radix(digits.get(..2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::Edge::{Begins, Ends};
    use super::*;

    const TEXT: &str = r#"7 openat(AT_FDCWD</>, "\x2f\x61", O_RDWR|O_CREAT, 0600) = 3<\x2f\x61>
7 pwrite64(3<\x2f\x61>, "\x00\xff", 2, 512) = 2
8 write(1<pipe:[9]>, "\x68", 1 <unfinished ...>
7 fsync(3<\x2f\x61> <unfinished ...>
8 <... write resumed>) = 1
7 <... fsync resumed>) = -1 EIO (Input/output error)
7 +++ exited with 0 +++
"#;

    #[test]
    fn calls_of_several_threads_are_told_apart() {
        let (calls, edges) = read(TEXT).unwrap();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["openat", "pwrite64", "write", "fsync"]);
        let ends: Vec<i64> = calls.iter().filter_map(|call| call.returned).collect();
        assert_eq!(ends, [3, 2, 1, -1]);
        assert_eq!(calls[0].opened.as_deref(), Some(&b"/a"[..]));
        assert_eq!(calls[1].args[0], Arg::Descriptor(3, b"/a".to_vec()));
        assert_eq!(calls[1].args[1], Arg::Text(vec![0, 255]));
        assert_eq!(calls[1].args[3], Arg::Word("512".to_owned()));
        assert_eq!(calls[2].args[0], Arg::Descriptor(1, b"pipe:[9]".to_vec()));
        let order = [Begins(0), Ends(0), Begins(1), Ends(1), Begins(2), Begins(3), Ends(2), Ends(3)];
        assert_eq!(edges, order);
    }

    const CUT: &str = r#"7 pwrite64(3<\x2f\x61>, "\x00", 1, 5) = ?
8 pwrite64(3<\x2f\x61>, "\x01", 1, 6 <unfinished ...>
9 fsync(3<\x2f\x61> <unfinished ...>
10 ftruncate(3<\x2f\x61>, 7 <unfinished ...>
8 <... pwrite64 resumed>) = ?
9 <... fsync resumed> <unfinished ...>) = ?
11 pwrite64(3<\x2f\x61>, "\x01", 1, 8 <detached ...>
"#;

    #[test]
    fn a_call_that_was_cut_off_begins_and_does_not_end() {
        let (calls, edges) = read(CUT).unwrap();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["pwrite64", "pwrite64", "fsync", "pwrite64", "ftruncate"]);
        assert!(calls.iter().all(|call| call.returned.is_none()));
        assert_eq!(calls[1].args[3], Arg::Word("6".to_owned()));
        assert_eq!(calls[3].args[3], Arg::Word("8".to_owned()));
        assert_eq!(calls[4].args[1], Arg::Word("7".to_owned()));
        assert_eq!(edges, [Begins(0), Begins(1), Begins(2), Begins(4), Begins(3)]);
    }
}
