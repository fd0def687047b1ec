//! Replays all seeds.

use std::fs;
use std::path::Path;

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

/// How many there were.
fn replay(target: &str, body: fn(&[u8])) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(target);
    let mut count = 0;
    for seed in fs::read_dir(&folder).expect("every target has seeds") {
        let path = seed.expect("the folder can be read").path();
        eprintln!("{}", path.display());
        body(&fs::read(&path).expect("the seed can be read"));
        count += 1;
    }
    count
}
