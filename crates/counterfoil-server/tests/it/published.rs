//! The clients that others published for the API that this implements, unchanged, over a real socket.

use std::process::Command;

use crate::packages::{clients, must_succeed, node, not_run, python};
use crate::program::{API_KEY, Server, sqlite};

/// Runs a client program against a server that answers amounts as these clients read them.
fn against_a_server(client: &mut Command) {
    let directory = tempfile::tempdir().unwrap();
    let server = Server::with(&sqlite(&directory.path().join("books.db")), &["--amounts", "string"]);
    let url = format!("http://{}", server.address);
    must_succeed(client.env("COUNTERFOIL_URL", url).env("COUNTERFOIL_KEY", API_KEY));
    server.stop();
}

#[test]
fn the_published_python_client_works_unchanged() {
    match python("requirements.txt") {
        Ok(packages) => against_a_server(
            Command::new("python3").env("PYTHONPATH", packages).arg(clients().join("flexprice_python.py")),
        ),
        Err(why) => not_run("the_published_python_client_works_unchanged", &why),
    }
}

#[test]
fn the_published_node_client_works_unchanged() {
    match node() {
        Ok(folder) => against_a_server(Command::new("node").arg(folder.join("flexprice_node.mjs"))),
        Err(why) => not_run("the_published_node_client_works_unchanged", &why),
    }
}
