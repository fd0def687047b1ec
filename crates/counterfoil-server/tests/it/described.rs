//! The API's own description, held against the server by somebody who reads nothing else.

use std::process::Command;

use crate::packages::{clients, must_succeed, not_run, python};
use crate::program::{API_KEY, Server, sqlite};

/// A slice: as many requests per route as a minute allows. More, and others:
/// `SCHEMATHESIS_EXAMPLES=1000 SCHEMATHESIS_SEED=7 cargo test described`.
const EXAMPLES: &str = "30";

/// Which ones.
const SEED: &str = "20261122";

/// Whatever is asked, no answer is a server's error, and none is one that the description does not have.
#[test]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let packages = match python("requirements-schemathesis.txt") {
        Ok(packages) => packages,
        Err(why) => return not_run("schemathesis_finds_no_answer_that_is_not_described", &why),
    };
    let directory = tempfile::tempdir().unwrap();
    let server = Server::with(&sqlite(&directory.path().join("books.db")), &[]);
    let setting = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
    let (examples, seed) = (setting("SCHEMATHESIS_EXAMPLES", EXAMPLES), setting("SCHEMATHESIS_SEED", SEED));
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_headers_conformance,response_schema_conformance";
    let mut command = Command::new("python3");
    command.arg(packages.join("bin/st")).env("PYTHONPATH", &packages).current_dir(directory.path());
    command.env("SCHEMATHESIS_HOOKS", clients().join("schemathesis_hooks.py"));
    command.args(["run", &format!("http://{}/openapi.json", server.address)]);
    command.args(["--header", &format!("x-api-key: {API_KEY}"), "--checks", checks]);
    command.args(["--max-examples", &examples, "--seed", &seed, "--no-color"]);
    must_succeed(&mut command);
    server.stop();
}
