//! Calls that were under way when their process ended.
//!
//! A process that ends without closing its file kills its threads wherever they are. The recording says what such a
//! call was about to do, not whether it did: all of it may be done, or nothing, or a write up to the end of some
//! page of the system's. What is there afterwards tells. Of a call that strace wrote down while the process was ending
//! already, it is not even certain that it was made: it counts only if the files cannot be explained without it.

use super::disk::{Change, Step};
use super::run;
use crate::folder::Files;

/// How far into a file the system goes at once. A write ends early only between two of these.
const PAGE: usize = 4_096;

/// A step that was under way when its process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Where it stands among the steps.
    pub(super) place: usize,
    /// It may never have begun.
    pub(super) doubtful: bool,
}

/// Makes of the steps that were `cut` off what was done of each, and says whether all steps on `before` then lead to
/// the files that were found.
pub(super) fn settle(before: &Files, steps: &mut Vec<Step>, cut: &[Cut], found: &Files) -> bool {
    // From the last to the first, so that places stay good where a step is left out.
    let Some((&Cut { place, doubtful }, cut)) = cut.split_last() else {
        return run::at(before, steps).whole() == *found;
    };
    let (whole, after) = (steps[place].clone(), steps[place + 1..].to_vec());
    let mut parts = parts(&whole);
    if doubtful {
        parts.reverse();
    }
    for done in parts {
        steps.truncate(place);
        steps.extend(done);
        steps.extend_from_slice(&after);
        if settle(before, steps, cut, found) {
            return true;
        }
    }
    steps.truncate(place);
    steps.push(whole);
    steps.extend(after);
    false
}

/// What can have been done of a step: all, a part, nothing.
fn parts(step: &Step) -> Vec<Option<Step>> {
    let mut parts = vec![Some(step.clone())];
    if let Step::Changed(id, Change::Write(at, bytes)) = step {
        let ends = (at / PAGE + 1..).map(|page| page * PAGE - at).take_while(|length| *length < bytes.len());
        parts.extend(
            ends.map(|length| Some(Step::Changed(*id, Change::Write(*at, bytes[..length].to_vec())))),
        );
    }
    parts.push(None);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(at: usize, with: u8, length: usize) -> Step {
        Step::Changed(0, Change::Write(at, vec![with; length]))
    }

    fn cut(place: usize) -> Cut {
        Cut { place, doubtful: false }
    }

    fn file(parts: &[(u8, usize)]) -> Files {
        let bytes = parts.iter().flat_map(|(with, length)| vec![*with; *length]).collect();
        [("a".to_owned(), bytes)].into()
    }

    /// What is left of the second of three steps, in bytes; nothing if the steps do not lead to `found`.
    fn done(found: &Files) -> Option<Vec<usize>> {
        let before = file(&[(0, 9_000)]);
        let recorded = vec![write(0, 1, 10), write(100, 2, 4_896), write(8_000, 3, 10)];
        let mut steps = recorded.clone();
        let settled = settle(&before, &mut steps, &[cut(1)], found);
        assert!(settled || format!("{steps:?}") == format!("{recorded:?}"));
        let length = |step: &Step| match step {
            Step::Changed(_, Change::Write(_, bytes)) => bytes.len(),
            _ => 0,
        };
        settled.then(|| steps.iter().map(length).collect())
    }

    fn with(written: usize) -> Files {
        file(&[(1, 10), (0, 90), (2, written), (0, 7_900 - written), (3, 10), (0, 990)])
    }

    #[test]
    fn of_a_write_that_was_cut_off_what_is_there_was_done() {
        assert_eq!(done(&with(4_896)), Some(vec![10, 4_896, 10]));
        assert_eq!(done(&with(4_096 - 100)), Some(vec![10, 3_996, 10]));
        assert_eq!(done(&with(0)), Some(vec![10, 10]));
    }

    #[test]
    fn what_no_end_of_it_explains_is_not_explained() {
        assert_eq!(done(&with(4_000)), None);
        let others = file(&[(1, 10), (0, 90), (2, 4_896), (0, 3_004), (4, 10), (0, 990)]);
        assert_eq!(done(&others), None);
    }

    #[test]
    fn several_are_told_apart() {
        let (before, mut steps) =
            (file(&[(0, 30)]), vec![write(0, 1, 10), write(10, 2, 10), write(20, 3, 10)]);
        assert!(settle(&before, &mut steps, &[cut(0), cut(2)], &file(&[(0, 10), (2, 10), (3, 10)])));
        assert_eq!(steps.len(), 2);
    }

    #[test]
    fn what_may_never_have_begun_counts_only_if_it_is_needed() {
        let (before, found) = (file(&[(0, 30)]), file(&[(1, 20), (0, 10)]));
        let mut steps = vec![write(0, 1, 10), write(10, 1, 10), write(5, 1, 5)];
        let doubtful = [1, 2].map(|place| Cut { place, doubtful: true });
        assert!(settle(&before, &mut steps, &doubtful, &found));
        assert_eq!(format!("{steps:?}"), format!("{:?}", [write(0, 1, 10), write(10, 1, 10)]));
    }
}
