//! Reading what strace wrote down.
//!
//! What it writes is true while the process goes on. From the call on that ends it (`exit_group`, which kills all threads
//! wherever they are), it is not: a thread that was stopped after a call, or before one, and is killed before strace
//! asks for the details, is stopped once more where it ends. There the kernel tells no details, and strace (7.2 too)
//! takes those that it was told last, which are another thread's: `pwrite64(..., 4096, 0) = 42`, or a call that nobody
//! made. So of what stands behind that call no result counts, and no call is taken for granted.

use std::collections::HashMap;

/// A system call.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) name: String,
    /// As they stand there; texts without their quotes, their escapes undone.
    pub(super) args: Vec<Arg>,
    /// What came back, below zero if it failed; nothing if the process was ended before that was certain.
    pub(super) returned: Option<i64>,
    /// The path behind what came back, if that is a descriptor.
    pub(super) opened: Option<Vec<u8>>,
    /// It stands behind the end of the process, and may never have been made.
    pub(super) doubtful: bool,
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

/// Reads the lines of all threads, in the order in which they were written. A call of which it is not certain that it
/// came back begins and does not end.
pub(super) fn read(text: &str) -> Result<(Vec<Call>, Vec<Edge>), String> {
    let mut reading = Reading::default();
    let mut ending = false;
    for (thread, line) in text.lines().filter_map(|line| line.split_once(' ')) {
        let line = line.trim_start();
        match line {
            _ if line.starts_with("+++") || line.starts_with("---") => {}
            _ if line.starts_with("exit_group(") => ending = true,
            _ if ending => reading.last_words(line),
            _ => reading.line(thread, line)?,
        }
    }
    if !ending {
        return Err("the recording does not say when the process was ended".to_owned());
    }
    reading.finish()
}

/// What was read so far.
#[derive(Debug, Default)]
struct Reading<'a> {
    calls: Vec<Call>,
    /// Nothing where a call begins of which only the half was read.
    edges: Vec<Option<Edge>>,
    /// By thread; with the place of the edge.
    halves: HashMap<&'a str, (&'a str, usize)>,
}

impl<'a> Reading<'a> {
    /// A line of a thread that goes on.
    fn line(&mut self, thread: &'a str, line: &'a str) -> Result<(), String> {
        if let Some(half) = line.strip_suffix("<unfinished ...>") {
            self.halves.insert(thread, (half, self.edges.len()));
            self.edges.push(None);
            return Ok(());
        }
        let begins = Some(Edge::Begins(self.calls.len()));
        let call = match resumed(line) {
            None => {
                self.edges.push(begins);
                readable(line)?
            }
            Some(end) => {
                let (half, began) =
                    self.halves.remove(thread).ok_or_else(|| format!("what goes on in: {line}"))?;
                self.edges[began] = begins;
                readable(&format!("{}{end}", half.trim_end()))?
            }
        };
        self.edges.push(Some(Edge::Ends(self.calls.len())));
        self.calls.push(call);
        Ok(())
    }

    /// A line from when the process was being ended. What cannot be read there did not begin: its thread was gone
    /// before it could be let go on. And how a call ended is not to be learned from it.
    fn last_words(&mut self, line: &str) {
        if resumed(line).is_some() {
            return;
        }
        if let Some(call) = call(&cut_off(line)) {
            self.edges.push(Some(Edge::Begins(self.calls.len())));
            self.calls.push(Call { doubtful: true, ..call });
        }
    }

    fn finish(mut self) -> Result<(Vec<Call>, Vec<Edge>), String> {
        for (half, began) in self.halves.into_values() {
            self.edges[began] = Some(Edge::Begins(self.calls.len()));
            self.calls.push(readable(&cut_off(half))?);
        }
        Ok((self.calls, self.edges.into_iter().flatten().collect()))
    }
}

/// A line, or the half of one, as strace mostly writes down a call that never came back.
fn cut_off(line: &str) -> String {
    let half = match line.rsplit_once(" = ") {
        Some((whole, _)) => whole.trim_end().strip_suffix(')').unwrap_or(whole),
        None => line,
    };
    let half =
        ["<unfinished ...>", "<detached ...>"].iter().find_map(|end| half.strip_suffix(end)).unwrap_or(half);
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

/// `name(argument, ...) = returned`, or `= ?`.
fn call(line: &str) -> Option<Call> {
    let (name, rest) = line.split_once('(')?;
    let (rest, result) = rest.rsplit_once(" = ")?;
    let rest = rest.trim_end().strip_suffix(')')?.trim_end();
    let (name, args) = (name.to_owned(), args(rest)?);
    if result == "?" {
        return Some(Call { name, args, returned: None, opened: None, doubtful: false });
    }
    let number: String = result.chars().take_while(|c| c.is_ascii_digit() || *c == '-').collect();
    let opened = result.split_once('<').and_then(|(_, path)| path.split_once('>')).map(|(path, _)| path);
    let opened = opened.map(unescape).unwrap_or_default();
    Some(Call { name, args, returned: Some(number.parse().ok()?), opened, doubtful: false })
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
    let byte = |escaped: &[u8]| match escaped {
        [b'\\', b'x', high, low] => Some(16 * digit(*high)? + digit(*low)?),
        _ => None,
    };
    text.as_bytes().chunks(4).map(byte).collect()
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16)?.try_into().ok()
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
7 exit_group(0) = ?
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

    const CUT: &str = r#"8 pwrite64(3<\x2f\x61>, "\x00", 1, 5 <unfinished ...>
9 write(1<pipe:[9]>, "\x68", 1 <unfinished ...>
10 fsync(3<\x2f\x61> <unfinished ...>
11 ftruncate(3<\x2f\x61>, 7 <unfinished ...>
7 exit_group(0 <unfinished ...>
9 <... write resumed>) = 42
8 <... pwrite64 resumed>) = 42
10 <... fsync resumed> <unfinished ...>) = ?
11 <... ftruncate resumed> <detached ...>
12 pwrite64(3<\x2f\x61>, "\x01", 1, 8) = ?
13 pwrite64(3<\x2f\x61>, "\x01", 1, 9) = 1
14 pwrite64(3<\x2f\x61>, "\x01", 1, 10 <detached ...>
15 pwrite64(3<\x2f\x61>, "\x01", 1, 11) = ? <unavailable>
16 pwrite64(3<\x2f\x61>, 0x7f00, 1, 12 <unfinished ...>
17 ????( <detached ...>
16 <... pwrite64 resumed> <unfinished ...>) = ?
7 <... exit_group resumed>) = ?
"#;

    #[test]
    fn of_what_stands_behind_the_end_of_the_process_nothing_is_certain() {
        let (calls, mut edges) = read(CUT).unwrap();
        assert!(calls.iter().all(|call| call.returned.is_none()));
        let at = |call: &Call| call.args.get(3).cloned();
        let doubtful: Vec<_> = calls.iter().filter(|call| call.doubtful).filter_map(at).collect();
        let expected = ["8", "9", "10", "11", "12"].map(|at| Arg::Word(at.to_owned()));
        assert_eq!(doubtful, expected);
        let certain = edges.iter().map(|edge| match edge {
            Begins(call) => calls[*call].name.as_str(),
            Ends(_) => "nothing ends",
        });
        assert_eq!(certain.take(4).collect::<Vec<_>>(), ["pwrite64", "write", "fsync", "ftruncate"]);
        edges.sort_by_key(|edge| format!("{edge:?}"));
        assert_eq!(edges, (0..calls.len()).map(Begins).collect::<Vec<_>>());
    }

    #[test]
    fn a_recording_without_an_end_is_refused() {
        let (_, text) = CUT.split_once('\n').unwrap();
        assert!(read(&text.replace("exit_group(", "exit(")).is_err());
    }
}
