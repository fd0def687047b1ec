//! The API's own description, held against the server by somebody who reads nothing else.

use std::process::Command;

use crate::packages::{must_succeed, not_run, python};
use crate::program::{API_KEY, Server, sqlite};

/// A slice: as many requests per route as a minute allows. More: `SCHEMATHESIS_EXAMPLES=1000 cargo test described`.
const EXAMPLES: &str = "30";

/// Whatever is asked, no answer is a server's error, and none is one that the description does not have.
#[test]
fn schemathesis_finds_no_answer_that_is_not_described() {
    let packages = match python("requirements-schemathesis.txt") {
        Ok(packages) => packages,
        Err(why) => return not_run("schemathesis_finds_no_answer_that_is_not_described", &why),
    };
    let directory = tempfile::tempdir().unwrap();
    let server = Server::with(&sqlite(&directory.path().join("books.db")), &[]);
    let examples = std::env::var("SCHEMATHESIS_EXAMPLES").unwrap_or_else(|_| EXAMPLES.to_owned());
    let checks = "not_a_server_error,status_code_conformance,content_type_conformance,\
                  response_headers_conformance,response_schema_conformance";
    let mut command = Command::new("python3");
    command.arg(packages.join("bin/st")).env("PYTHONPATH", &packages).current_dir(directory.path());
    command.args(["run", &format!("http://{}/openapi.json", server.address)]);
    command.args(["--header", &format!("x-api-key: {API_KEY}"), "--checks", checks]);
    command.args(["--max-examples", &examples, "--seed", "20261122", "--no-color"]);
    must_succeed(&mut command);
    server.stop();
}
