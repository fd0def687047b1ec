//! Damage to the bytes of a file and of its log, as disks, copies and people do it.
#![allow(clippy::ptr_arg, reason = "some of them cut or append, and all of them stand in one table")]

use super::books::Books;
use super::dice::Dice;

const PAGE: usize = 4_096;
const SECTOR: usize = 512;
/// Before the frames of a log.
const LOG_HEAD: usize = 32;
/// A page, and what stands before it in the log.
const FRAME: usize = 24 + PAGE;

/// A file, the log beside it, and the index of that, if there are any.
#[derive(Debug, Default, Clone)]
pub(super) struct Files {
    pub(super) file: Vec<u8>,
    pub(super) log: Option<Vec<u8>>,
    pub(super) index: Option<Vec<u8>>,
}

impl Files {
    /// The books in one file.
    pub(super) fn whole(books: &Books) -> Files {
        Files { file: books.whole.clone(), ..Files::default() }
    }

    /// The same books, the last part of them in the log.
    fn logged(books: &Books) -> Files {
        Files { file: books.older.clone(), log: Some(books.log.clone()), index: None }
    }
}

/// Something that is done to bytes, and what it is called.
type Way = (&'static str, fn(&mut Vec<u8>, &mut Dice));

const WAYS: [Way; 9] = [
    ("bits flipped", flip),
    ("bits flipped in the first page", flip_in_front),
    ("a page zeroed", |bytes, dice| stretch(bytes, dice, PAGE).fill(0)),
    ("a sector zeroed", |bytes, dice| stretch(bytes, dice, SECTOR).fill(0)),
    ("a sector of noise", noise),
    ("two pages swapped", swap),
    ("a page over another", copy),
    ("cut off", cut),
    ("something appended", append),
];

/// Damages the books, and says how.
pub(super) fn damage(books: &Books, other: &Books, dice: &mut Dice) -> (Files, &'static str) {
    let mut files = if dice.below(3) == 0 { Files::logged(books) } else { Files::whole(books) };
    if files.log.is_none() || dice.below(4) == 0 {
        let (what, way) = dice.pick(&WAYS);
        way(&mut files.file, dice);
        return (files, what);
    }
    let log = files.log.get_or_insert_default();
    let what = match dice.below(9) {
        0 => {
            flip(log, dice);
            "bits flipped in the log"
        }
        1 => {
            cut(log, dice);
            "the log cut off"
        }
        2 => {
            stretch(log, dice, SECTOR).fill(0);
            "a sector of the log zeroed"
        }
        3 => {
            frames(log, dice);
            "two frames of the log swapped"
        }
        4 => {
            files.index = Some((0..32_768).map(|_| dice.byte()).collect());
            "an index of the log of noise"
        }
        5 => {
            files.log = None;
            "no log"
        }
        6 => {
            files.log = Some(other.log.clone());
            "another file's log"
        }
        7 => {
            files = Files { file: books.oldest.clone(), ..Files::default() };
            "an old backup"
        }
        _ => {
            files.file.clone_from(&books.oldest);
            "an old backup with a new log"
        }
    };
    (files, what)
}

fn flip(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let place = dice.below(bytes.len());
        bytes[place] ^= 1 << dice.below(8);
    }
}

/// The first page holds the schema and what SQLite knows of the file.
fn flip_in_front(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let place = dice.below(PAGE.min(bytes.len()));
    bytes[place] ^= 1 << dice.below(8);
}

/// A stretch of this size, at a place that such stretches begin at.
fn stretch<'a>(bytes: &'a mut Vec<u8>, dice: &mut Dice, size: usize) -> &'a mut [u8] {
    let start = dice.below(bytes.len() / size) * size;
    &mut bytes[start..start + size]
}

fn noise(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let start = dice.below(bytes.len() / SECTOR) * SECTOR;
    bytes[start..start + SECTOR].fill_with(|| dice.byte());
}

fn swap(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let pages = bytes.len() / PAGE;
    let [one, other] = [(); 2].map(|()| dice.below(pages) * PAGE);
    for offset in 0..PAGE {
        bytes.swap(one + offset, other + offset);
    }
}

fn copy(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let pages = bytes.len() / PAGE;
    let [from, to] = [(); 2].map(|()| dice.below(pages) * PAGE);
    bytes.copy_within(from..from + PAGE, to);
}

fn cut(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let unit = dice.pick(&[1, SECTOR, PAGE]);
    bytes.truncate(dice.below(bytes.len() / unit + 1) * unit);
}

fn append(bytes: &mut Vec<u8>, dice: &mut Dice) {
    let size = dice.pick(&[1, 100, PAGE, 3 * PAGE]);
    let zeros = dice.below(2) == 0;
    bytes.extend((0..size).map(|_| if zeros { 0 } else { dice.byte() }));
}

fn frames(log: &mut Vec<u8>, dice: &mut Dice) {
    let frames = (log.len() - LOG_HEAD) / FRAME;
    let [one, other] = [(); 2].map(|()| LOG_HEAD + dice.below(frames) * FRAME);
    for offset in 0..FRAME {
        log.swap(one + offset, other + offset);
    }
}
