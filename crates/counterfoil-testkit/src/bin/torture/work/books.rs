//! Holding the books against what was told.

use std::cmp::Ordering;

use counterfoil::store::{PaymentStore, Position};

use super::expect::{Expect, kind};
use super::told::{Place, Said, Told};
use super::{Op, words};

/// How much of the feed is read at a time.
const PAGE: usize = 1_000;

/// A reader of the feed, who has seen all before its position.
#[derive(Debug, Default)]
pub(crate) struct Books {
    position: Position,
}

/// An event, and whose it is.
#[derive(Debug)]
struct Found {
    op: Op,
    kind: &'static str,
    place: Place,
}

/// What was found about the operations that something was told of.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// Said to have taken effect, and did, once.
    pub(crate) acknowledged: u64,
    /// Said to repeat or to change nothing, and wrote nothing.
    pub(crate) repeated: u64,
    /// Refused or not committed, and not there.
    pub(crate) refused: u64,
    /// Those of which nobody knew, and where they are, if they are there.
    pub(crate) in_doubt: Vec<(Op, Vec<Place>)>,
}

/// How an operation stands, by what was told of it.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    /// It is there; the first that was told of it says where.
    There(Place),
    /// It wrote nothing, for it had all been written.
    Repeats(Place),
    /// It is not.
    Absent,
    /// Nobody knows.
    Doubt,
}

impl Books {
    /// Reads on, and holds what is new against what was told since the last time: no more, no less.
    pub(crate) async fn check(
        &mut self,
        store: &dyn PaymentStore,
        mut told: Vec<Told>,
    ) -> Result<Checked, String> {
        let mut found = self.read_on(store).await?;
        told.sort_by_key(|told| told.op);
        found.sort_by_key(|found| found.op);
        hold(&told, &found)
    }

    async fn read_on(&mut self, store: &dyn PaymentStore) -> Result<Vec<Found>, String> {
        let mut found = Vec::new();
        loop {
            let feed = store.feed(None, self.position, PAGE).await.map_err(words)?;
            if feed.next == self.position {
                return Ok(found);
            }
            self.position = feed.next;
            for entry in &feed.entries {
                let event = &entry.event;
                let place = Place { stream: event.stream().to_string(), sequence: event.sequence() };
                found.push(Found { op: event.actor().as_str().parse()?, kind: kind(event), place });
            }
        }
    }
}

/// Both sorted by operation.
fn hold(told: &[Told], mut found: &[Found]) -> Result<Checked, String> {
    let mut checked = Checked::default();
    let mut before: Vec<(Op, Place)> = Vec::new();
    for about in told.chunk_by(|one, next| one.op == next.op) {
        let op = about[0].op;
        let own = take_while(&mut found, op)?;
        let standing = standing(op, about)?;
        let is_there = !own.is_empty();
        let mut kinds: Vec<_> = own.iter().map(|found| found.kind).collect();
        kinds.sort_unstable();
        if is_there && !op.is_whole(&kinds) {
            return Err(format!("{op} has left {kinds:?}"));
        }
        match standing {
            Standing::There(place) => {
                if !own.iter().any(|found| found.place == place) {
                    return Err(format!("{op} was acknowledged as {place:?}, and there is {own:?}"));
                }
                checked.acknowledged += 1;
                before.push((op, place));
            }
            Standing::Doubt => {
                checked.in_doubt.push((op, own.iter().map(|found| found.place.clone()).collect()));
            }
            _ if is_there => return Err(format!("{op} has left {kinds:?}, and was told {about:?}")),
            Standing::Absent => checked.refused += 1,
            Standing::Repeats(place) => {
                repeats(op, &place, &before)?;
                checked.repeated += 1;
            }
        }
    }
    match found.first() {
        Some(first) => Err(format!("nobody asked for what {} has left: {first:?}", first.op)),
        None => Ok(checked),
    }
}

/// The events of `op`. Those of operations before it are nobody's.
fn take_while<'a>(found: &mut &'a [Found], op: Op) -> Result<&'a [Found], String> {
    match found.first().map(|first| first.op.cmp(&op)) {
        Some(Ordering::Less) => return Err(format!("nobody asked for this, or not again: {:?}", found[0])),
        Some(Ordering::Greater) | None => return Ok(&[]),
        Some(Ordering::Equal) => {}
    }
    let (own, rest) = found.split_at(found.iter().take_while(|found| found.op == op).count());
    *found = rest;
    Ok(own)
}

/// What was told of one operation, one after the other.
fn standing(op: Op, about: &[Told]) -> Result<Standing, String> {
    let mut standing = Standing::Absent;
    let mut asked = false;
    for told in about {
        if !can_be(&told.said, &standing, op.expect()) {
            return Err(format!(
                "{op} was told {:?}",
                about.iter().map(|told| &told.said).collect::<Vec<_>>()
            ));
        }
        asked = told.said == Said::Asked;
        standing = match (&told.said, op.expect()) {
            (Said::Repeated(place), Expect::Repeats(_) | Expect::ChangesNothing) => {
                Standing::Repeats(place.clone())
            }
            (Said::Wrote(place) | Said::Repeated(place), _) => Standing::There(place.clone()),
            (Said::Refused, _) => Standing::Absent,
            (Said::Unknown(_), _) if standing == Standing::Absent => Standing::Doubt,
            (Said::Asked | Said::NotCommitted(_) | Said::Unknown(_), _) => standing,
        };
    }
    // The answer to the last question did not come.
    Ok(if asked && standing == Standing::Absent { Standing::Doubt } else { standing })
}

/// Whether this can be said of an operation that stands so.
fn can_be(said: &Said, standing: &Standing, expect: Expect) -> bool {
    let writes = matches!(expect, Expect::Writes(_) | Expect::WritesOrRefused(_));
    let is_there = matches!(standing, Standing::There(_));
    match said {
        Said::Asked | Said::NotCommitted(_) | Said::Unknown(_) => true,
        Said::Wrote(_) => writes && !is_there,
        // Nothing can have been there before but what was in doubt.
        Said::Repeated(_) if writes => *standing != Standing::Absent,
        Said::Repeated(_) => !matches!(expect, Expect::Refused),
        Said::Refused => matches!(expect, Expect::Refused | Expect::WritesOrRefused(_)) && !is_there,
    }
}

/// A repeat is answered with the place of what it repeats, where that was told of here too.
fn repeats(op: Op, place: &Place, before: &[(Op, Place)]) -> Result<(), String> {
    let Expect::Repeats(back) = op.expect() else { return Ok(()) };
    let first = Op { number: op.number - back, ..op };
    match before.iter().rev().take(32).find(|(op, _)| *op == first) {
        Some((_, known)) if known != place => {
            Err(format!("{op} repeats {first}, which stands at {known:?}, and was answered {place:?}"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_memory::MemoryStore;
    use counterfoil_testkit::block_on;

    use super::*;
    use crate::work::ROUND;

    /// A round is worked off; then what was told is changed, and held against the books.
    fn checked(change: impl FnOnce(&mut Vec<Told>)) -> Result<Checked, String> {
        let store = MemoryStore::new();
        let mut told = Vec::new();
        for number in 0..ROUND {
            let op = Op { writer: 0, number };
            told.push(Told { op, said: Said::Asked });
            told.push(Told { op, said: Said::of(&block_on(store.execute(op.command()))) });
        }
        change(&mut told);
        block_on(Books::default().check(&store, told))
    }

    #[test]
    fn what_was_told_and_what_is_there_are_the_same() {
        let checked = checked(|_| ()).unwrap();
        assert_eq!((checked.acknowledged, checked.repeated, checked.refused), (11, 3, 3));
        assert!(checked.in_doubt.is_empty());
    }

    #[test]
    fn without_an_answer_it_is_in_doubt_wherever_it_is() {
        let checked = checked(|told| {
            told.truncate(told.len() - 1);
            told.push(Told { op: Op { writer: 1, number: 0 }, said: Said::Asked });
        });
        let there: Vec<_> = checked.unwrap().in_doubt.into_iter().map(|(_, there)| there.len()).collect();
        assert_eq!(there, [1, 0]);
    }

    #[test]
    fn what_is_lost_or_too_much_is_found() {
        let wrote = || Said::Wrote(Place { stream: "pay_1".to_owned(), sequence: 1 });
        let lost = checked(|told| told.push(Told { op: Op { writer: 1, number: 0 }, said: wrote() }));
        assert!(lost.unwrap_err().contains("1-0 was acknowledged"));
        let untold = checked(|told| told.truncate(told.len() - 2));
        assert!(untold.unwrap_err().contains("nobody asked for"));
        let another_place = checked(|told| told[1].said = wrote());
        assert!(another_place.unwrap_err().contains("0-0 was acknowledged"));
        let not_written = checked(|told| told[1].said = Said::NotCommitted("Io".to_owned()));
        assert!(not_written.unwrap_err().contains("0-0 has left"));
        let twice = checked(|told| told.insert(2, told[1].clone()));
        assert!(twice.unwrap_err().contains("0-0 was told"));
        let replayed_from_nothing =
            checked(|told| told[1].said = Said::Repeated(Place { ..place(&told[1]) }));
        assert!(replayed_from_nothing.unwrap_err().contains("0-0 was told"));
        let refused = checked(|told| told[1].said = Said::Refused);
        assert!(refused.unwrap_err().contains("0-0 was told"));
    }

    fn place(told: &Told) -> Place {
        match &told.said {
            Said::Wrote(place) => place.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn half_an_operation_is_found() {
        let op = Op { writer: 0, number: 1 };
        assert!(op.is_whole(&["payment.created", "wallet.debited"]));
        assert!(!op.is_whole(&["payment.created"]));
        let place = || Place { stream: "pay_1".to_owned(), sequence: 1 };
        let told = [Told { op, said: Said::Asked }];
        let found = [Found { op, kind: "payment.created", place: place() }];
        assert!(hold(&told, &found).unwrap_err().contains("has left"));
    }

    #[test]
    fn lines_are_read_as_they_were_written() {
        let op = Op { writer: 3, number: 77 };
        let place = || Place { stream: "wallet:a b".to_owned(), sequence: 9 };
        let kind = || "Io".to_owned();
        for said in [
            Said::Asked,
            Said::Wrote(place()),
            Said::Repeated(place()),
            Said::Refused,
            Said::NotCommitted(kind()),
            Said::Unknown(kind()),
        ] {
            let told = Told { op, said };
            assert_eq!(told.to_string().parse(), Ok(told));
        }
    }
}
