//! The line on which a record of a file starts.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

/// Counts the lines of a file. The reader of records gives the position from which it looked for a record: before the
/// line feed of a CRLF, and before blank lines. So the counter reads the same file a second time, up to each record.
#[derive(Debug)]
pub(super) struct LineCounter {
    file: BufReader<File>,
    /// How many bytes were read.
    offset: u64,
    /// The line of the next byte.
    line: u64,
}

impl LineCounter {
    pub(super) fn open(path: &Path) -> io::Result<LineCounter> {
        Ok(LineCounter { file: BufReader::new(File::open(path)?), offset: 0, line: 1 })
    }

    /// The line of the first record at or behind `position`. Positions must not decrease.
    pub(super) fn line_at(&mut self, position: &csv::Position) -> u64 {
        // A file that can no longer be read has no lines any more; the reader of its records says so.
        self.advance(position.byte()).map_or(position.line(), |()| self.line)
    }

    fn advance(&mut self, start: u64) -> io::Result<()> {
        loop {
            let bytes = self.file.fill_buf()?;
            let mut used = 0;
            let mut is_found = bytes.is_empty();
            for byte in bytes {
                if self.offset >= start && !matches!(byte, b'\r' | b'\n') {
                    is_found = true;
                    break;
                }
                self.line += u64::from(*byte == b'\n');
                self.offset += 1;
                used += 1;
            }
            self.file.consume(used);
            if is_found {
                return Ok(());
            }
        }
    }
}
