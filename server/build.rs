//! Makes sure that there is a dashboard to build in, so that the server compiles on a machine without Node, and a folder of
//! agents, be it empty.

use std::fs;
use std::path::Path;

const PLACEHOLDER: &str = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Muster</title></head>\n\
    <body><p>This Muster was built without its dashboard: run <code>make web</code> and build it again. \
    The API works.</p></body>\n</html>\n";

fn main() -> std::io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let agents = root.join("target/agents");
    println!("cargo::rerun-if-changed={}", agents.display());
    fs::create_dir_all(agents)?;
    let folder = root.join("web/dist");
    println!("cargo::rerun-if-changed={}", folder.display());
    let page = folder.join("index.html");
    if !page.exists() {
        fs::create_dir_all(&folder)?;
        fs::write(page, PLACEHOLDER)?;
    }
    Ok(())
}
