//! What the guide says is there, is there.

use std::collections::BTreeSet;

use counterfoil_testkit::conformance::Case;

const GUIDE: &str = concat!(
    include_str!("../../docs/guide/one-lock/4-from-here.md"),
    include_str!("../../docs/guide/writing-a-store.md")
);

#[test]
fn every_case_that_the_guide_names_is_one() {
    let topics: BTreeSet<&str> =
        Case::all().iter().filter_map(|case| case.name().split("::").next()).collect();
    let of_a_topic = |word: &&str| {
        word.split_once("::").is_some_and(|(topic, case)| topics.contains(topic) && !case.is_empty())
    };
    let named: Vec<&str> = GUIDE.split('`').skip(1).step_by(2).filter(of_a_topic).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        let (start, end) = name.split_once('*').map_or((name, None), |(start, end)| (start, Some(end)));
        let is_meant = |case: &Case| match end {
            Some(_) => case.name().starts_with(start),
            None => case.name() == start,
        };
        assert!(Case::all().iter().any(is_meant), "there is no case {name}");
    }
}
