//! Programs from the package registries, installed by name for the tests that run them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What stands beside the tests: the programs that use the published clients, and what they need.
pub(crate) fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients")
}

/// A folder with the packages of a `requirements.txt` of [`clients`]; for `PYTHONPATH`.
pub(crate) fn python(requirements: &str) -> Result<PathBuf, String> {
    install(requirements, |folder| {
        let mut pip = Command::new("python3");
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--upgrade"]);
        pip.arg("--target").arg(folder).arg("--requirement").arg(clients().join(requirements));
        pip
    })
}

/// A folder with the packages of the `package.json` of [`clients`], and the programs that use them.
pub(crate) fn node() -> Result<PathBuf, String> {
    let folder = install("package.json", |folder| {
        let mut npm = Command::new("npm");
        npm.args(["install", "--silent", "--no-audit", "--no-fund", "--prefix"]).arg(folder);
        npm
    })?;
    fs::copy(clients().join("flexprice_node.mjs"), folder.join("flexprice_node.mjs")).unwrap();
    Ok(folder)
}

/// Installs what `list` names into a folder of its own, unless that was done before.
fn install(list: &str, command: impl FnOnce(&Path) -> Command) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(list.replace('.', "-"));
    let (wanted, done) = (fs::read_to_string(clients().join(list)).unwrap(), folder.join("installed"));
    if fs::read_to_string(&done).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join(list), &wanted).unwrap();
    let output = command(&folder).stdin(Stdio::null()).output().map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    fs::write(done, wanted).unwrap();
    Ok(folder)
}

/// Says that a test could not run, past the harness, which would keep it to itself. Where nobody watches, in CI,
/// that is a failure.
pub(crate) fn not_run(test: &str, why: &str) {
    let words = format!("\n*** NOT RUN: {test}, which installs packages from a registry: {why}\n");
    assert!(std::env::var_os("CI").is_none(), "{words}");
    std::io::stderr().write_all(words.as_bytes()).unwrap();
}

/// Runs `command`, which must end well.
pub(crate) fn must_succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", said(&output.stdout), said(&output.stderr));
}
