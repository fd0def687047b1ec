//! Replays all seeds, and some bytes near each of them.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn create_requests() {
    assert!(replay("create_request", fuzz::create_request) > 0);
}

#[test]
fn amounts() {
    assert!(replay("amounts", fuzz::amounts) > 0);
}

#[test]
fn queries() {
    assert!(replay("queries", fuzz::queries) > 0);
}

#[test]
fn scripts() {
    assert!(replay("scripts", fuzz::scripts) > 0);
}

#[test]
fn events() {
    assert!(replay("events", fuzz::events) > 0);
}

#[test]
fn chains() {
    assert!(replay("chains", fuzz::chains) > 0);
}

#[test]
fn stores() {
    assert!(replay("stores", fuzz::stores) > 0);
}

#[test]
fn notifications() {
    assert!(replay("notifications", fuzz::notifications) > 0);
}

/// Bytes that are nearly those of a seed: what parses best is mostly right. The fuzzer finds more.
#[test]
fn bytes_near_the_seeds() {
    type Body = fn(&[u8]);
    let targets: [(&str, Body); 6] = [
        ("create_request", fuzz::create_request),
        ("amounts", fuzz::amounts),
        ("queries", fuzz::queries),
        ("events", fuzz::events),
        ("chains", fuzz::chains),
        ("notifications", fuzz::notifications),
    ];
    for (target, body) in targets {
        for path in seeds(target) {
            let seed = fs::read(&path).expect("the seed can be read");
            for number in 0..40 {
                let near = near(&seed, number);
                eprintln!("{} {number}: {near:02x?}", path.display());
                body(&near);
            }
        }
    }
}

/// The seed with a byte or two changed, added or taken away; another one for every number.
fn near(seed: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ seed.len() as u64;
    let mut next = |end: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % end
    };
    for _ in 0..=next(2) {
        let byte = u8::try_from(next(256)).expect("a byte");
        let place = next(bytes.len() + 1);
        match (next(4), bytes.get_mut(place)) {
            (0 | 1, Some(old)) => *old ^= 1 << (byte % 8),
            (2, Some(_)) => drop(bytes.remove(place)),
            (_, Some(old)) => *old = byte,
            (_, None) => bytes.push(byte),
        }
    }
    bytes
}

/// How many there were.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let seeds = seeds(target);
    for path in &seeds {
        eprintln!("{}", path.display());
        body(&fs::read(path).expect("the seed can be read"));
    }
    seeds.len()
}

fn seeds(target: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let seeds = fs::read_dir(&folder).expect("every target has seeds");
    let mut seeds: Vec<_> = seeds.map(|seed| seed.expect("the folder can be read").path()).collect();
    seeds.sort();
    seeds
}
