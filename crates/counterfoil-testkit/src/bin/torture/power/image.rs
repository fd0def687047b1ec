//! What can become of changes that were not synced.

use super::disk::Change;
use crate::dice::Dice;

/// What became of the changes of one file.
#[derive(Debug, Clone)]
pub(super) enum Fate {
    /// All of them are there.
    All,
    /// So many are there, in their order, and of the next one so many bytes.
    Prefix(usize, usize),
    /// Each of them is there, or is not.
    Some(Vec<bool>),
    /// The disk wrote piece after piece of so many bytes, each at a moment of its own; where the power went while
    /// it did, it may be torn.
    Pieces { size: usize, seed: Dice, torn: Torn },
}

/// What a piece may be like that was being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Torn {
    /// Old or new.
    Whole,
    /// New up to somewhere, old behind.
    Cut,
    /// What was to be written may be anything.
    Noise,
}

impl Fate {
    /// Any of them, for so many changes.
    pub(super) fn any(dice: &mut Dice, changes: usize) -> Fate {
        match dice.below(10) {
            0 => Fate::Prefix(0, 0),
            1 => Fate::All,
            2 => Fate::Prefix(dice.below(changes + 1), 0),
            3 => Fate::Prefix(dice.below(changes + 1), dice.below(4_096)),
            4 => Fate::Some((0..changes).map(|_| dice.one_in(2)).collect()),
            5 => {
                let missing = dice.below(changes + 1);
                Fate::Some((0..changes).map(|place| place != missing).collect())
            }
            _ => Fate::Pieces {
                size: dice.of(&[512, 512, 4_096]),
                torn: dice.of(&[Torn::Whole, Torn::Whole, Torn::Cut, Torn::Noise]),
                seed: dice.fork(),
            },
        }
    }
}

/// What the file holds when that became of `changes`.
pub(super) fn settle(certain: &[u8], changes: &[&Change], fate: &Fate) -> Vec<u8> {
    let mut bytes = certain.to_vec();
    match fate {
        Fate::All => changes.iter().for_each(|change| apply(&mut bytes, change)),
        Fate::Prefix(upto, more) => {
            changes[..*upto].iter().for_each(|change| apply(&mut bytes, change));
            if let Some(Change::Write(at, data)) = changes.get(*upto) {
                write(&mut bytes, *at, &data[..data.len().min(*more)]);
            }
        }
        Fate::Some(there) => {
            let there = changes.iter().zip(there).filter(|(_, there)| **there);
            there.for_each(|(change, _)| apply(&mut bytes, change));
        }
        Fate::Pieces { size, seed, torn } => pieces(&mut bytes, changes, *size, seed, *torn),
    }
    bytes
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, data) => write(bytes, *at, data),
        Change::Length(length) => bytes.resize(*length, 0),
    }
}

fn write(bytes: &mut Vec<u8>, at: usize, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    let end = at + data.len();
    bytes.resize(bytes.len().max(end), 0);
    bytes[at..end].copy_from_slice(data);
}

/// Of each piece the changes up to one of its own are there, and the length is that after yet another one.
fn pieces(bytes: &mut Vec<u8>, changes: &[&Change], size: usize, seed: &Dice, torn: Torn) {
    let mut lengths = vec![bytes.len()];
    let cut_of_length = cut(seed, usize::MAX, changes.len());
    for (place, change) in changes.iter().enumerate() {
        match change {
            Change::Length(length) if place < cut_of_length => bytes.resize(*length, 0),
            Change::Length(_) => {}
            Change::Write(at, data) => {
                bytes.resize(bytes.len().max(at + data.len()), 0);
                for (at, part) in parts(*at, data, size) {
                    let mut chance = piece(seed, at / size);
                    match cut(seed, at / size, changes.len()) {
                        upto if place < upto => bytes[at..at + part.len()].copy_from_slice(part),
                        upto if place == upto => tear(&mut bytes[at..], part, torn, &mut chance),
                        _ => {}
                    }
                }
            }
        }
        let before = lengths.last().copied().unwrap_or(0);
        lengths.push(match change {
            Change::Length(length) => *length,
            Change::Write(at, data) => before.max(at + data.len()),
        });
    }
    bytes.resize(lengths[cut_of_length], 0);
}

/// What is written, piece by piece.
fn parts(at: usize, data: &[u8], size: usize) -> impl Iterator<Item = (usize, &[u8])> {
    let mut done = 0;
    std::iter::from_fn(move || {
        let start = at + done;
        let length = (size - start % size).min(data.len() - done);
        let part = &data[done..done + length];
        done += length;
        (length > 0).then_some((start, part))
    })
}

fn tear(bytes: &mut [u8], part: &[u8], torn: Torn, chance: &mut Dice) {
    let upto = chance.below(part.len() + 1);
    match torn {
        Torn::Whole => {}
        Torn::Cut => bytes[..upto].copy_from_slice(&part[..upto]),
        Torn::Noise => bytes[..upto].iter_mut().for_each(|byte| *byte = chance.number().to_be_bytes()[0]),
    }
}

/// Chance for one piece.
fn piece(seed: &Dice, number: usize) -> Dice {
    let number = u64::try_from(number).expect("a place in a file");
    Dice::new(seed.clone().number() ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d)).fork()
}

/// How many of the changes a piece has seen: often none or all of them.
fn cut(seed: &Dice, number: usize, changes: usize) -> usize {
    let mut chance = piece(seed, number);
    match chance.below(3) {
        0 => 0,
        1 => changes,
        _ => chance.below(changes + 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(fate: &Fate) -> Vec<u8> {
        let changes = [Change::Write(0, vec![1; 6]), Change::Length(4), Change::Write(4, vec![2; 4])];
        settle(&[0; 8], &changes.iter().collect::<Vec<_>>(), fate)
    }

    #[test]
    fn what_is_there_is_there_in_order() {
        assert_eq!(image(&Fate::All), [1, 1, 1, 1, 2, 2, 2, 2]);
        assert_eq!(image(&Fate::Prefix(0, 0)), [0; 8]);
        assert_eq!(image(&Fate::Prefix(0, 2)), [1, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(image(&Fate::Prefix(2, 0)), [1; 4]);
        assert_eq!(image(&Fate::Some(vec![true, false, true])), [1, 1, 1, 1, 2, 2, 2, 2]);
        assert_eq!(image(&Fate::Some(vec![false, true, false])), [0; 4]);
    }

    #[test]
    fn pieces_are_each_old_or_new_and_all_of_both_are_met() {
        let changes = [Change::Write(0, vec![1; 4])];
        let changes: Vec<_> = changes.iter().collect();
        let mut met = std::collections::BTreeSet::new();
        for number in 0..200 {
            let fate = Fate::Pieces { size: 2, seed: Dice::new(number), torn: Torn::Whole };
            met.insert(settle(&[0; 4], &changes, &fate));
        }
        let all = [[0, 0, 0, 0], [0, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]].map(Vec::from);
        assert_eq!(met, all.into());
    }

    #[test]
    fn what_was_not_to_be_written_stays() {
        let changes = [Change::Write(3, vec![1; 4])];
        for number in 0..200 {
            let fate = Fate::Pieces { size: 4, seed: Dice::new(number), torn: Torn::Noise };
            let image = settle(&[7; 10], &changes.iter().collect::<Vec<_>>(), &fate);
            assert_eq!((&image[..3], &image[7..]), (&[7; 3][..], &[7; 3][..]));
        }
    }
}
