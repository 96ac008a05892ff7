//! House rules that a compiler doesn't know: arrows between rooms, owners of foreign crates, no stubs, where `unsafe` and the
//! simulator's feature may stand.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use toml::Table;

/// Checks the tree at `root`; fails with one line per breach.
pub fn run(root: &Path) -> Result<()> {
    let mut breaches = Vec::new();
    arrows(root, &mut breaches)?;
    sources(root, &mut breaches)?;
    for breach in &breaches {
        eprintln!("tidy: {breach}");
    }
    match breaches.len() {
        0 => Ok(()),
        n => bail!("{n} breaches of the house rules"),
    }
}

fn arrows(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let layers: Table = read(&root.join("xtask/layers.toml"))?.parse()?;
    let names = |table: &str| -> Result<BTreeMap<String, Vec<String>>> {
        layers[table]
            .as_table()
            .context("a table")?
            .iter()
            .map(|(k, v)| {
                let list = v.as_array().context("a list")?;
                Ok((k.clone(), list.iter().filter_map(|x| x.as_str().map(String::from)).collect()))
            })
            .collect()
    };
    let (rooms, foreign, tests) = (names("rooms")?, names("foreign")?, names("tests")?);
    for dir in packages(root)? {
        let room = dir.file_name().and_then(|n| n.to_str()).context("a UTF-8 name")?.to_string();
        let place = dir.strip_prefix(root)?.display();
        let manifest: Table = read(&dir.join("Cargo.toml"))?.parse()?;
        let Some(allowed) = rooms.get(&room) else {
            breaches.push(format!("{place} has no row in xtask/layers.toml"));
            continue;
        };
        for section in ["dependencies", "dev-dependencies"] {
            let Some(used) = manifest.get(section).and_then(|d| d.as_table()) else { continue };
            for name in used.keys() {
                let fine = match name.strip_prefix("ouzel-") {
                    Some(other) => allowed.iter().any(|a| a == other) || other == room,
                    None => {
                        foreign["any"].contains(name)
                            || foreign.get(name).is_some_and(|owners| owners.contains(&room))
                            || section == "dev-dependencies" && tests.get(name).is_some_and(|t| t.contains(&room))
                    }
                };
                if !fine {
                    breaches.push(format!("{place} may not use {name} ({section}): see xtask/layers.toml"));
                }
            }
        }
    }
    Ok(())
}

/// Folders of all packages: the rooms, and those beside `crates`.
fn packages(root: &Path) -> Result<Vec<PathBuf>> {
    let mut dirs = vec![root.join("benches"), root.join("xtask")];
    for entry in std::fs::read_dir(root.join("crates"))? {
        dirs.push(entry?.path());
    }
    dirs.sort();
    Ok(dirs)
}

fn sources(root: &Path, breaches: &mut Vec<String>) -> Result<()> {
    let allowed: Table = read(&root.join("xtask/unsafe.toml"))?.parse()?;
    let unsafe_files: Vec<&str> =
        allowed["files"].as_array().context("files")?.iter().filter_map(|f| f.as_str()).collect();
    let mut files = Vec::new();
    for dir in packages(root)? {
        rust_files(&dir, &mut files)?;
    }
    for path in files {
        let name = path.strip_prefix(root)?.display().to_string();
        for (number, line) in (1..).zip(read(&path)?.lines()) {
            let code = line.split("//").next().unwrap_or("");
            let mut breach = |what: &str| breaches.push(format!("{name}:{number}: {what}"));
            // Said in two pieces, for this file is read too.
            if ["todo", "unimplemented", "dbg"].iter().any(|stub| code.contains(&format!("{stub}!("))) {
                breach("a stub or debug output");
            }
            if code.contains(concat!("#[", "ignore")) {
                breach("an ignored test asserts nothing");
            }
            if code.contains(concat!("unsafe", " {")) && !unsafe_files.contains(&name.as_str()) {
                breach("unsafe code outside the files of xtask/unsafe.toml");
            }
            let at_the_seam =
                ["crates/runtime/", "crates/model/src/hooks.rs", "crates/sim/"].iter().any(|d| name.starts_with(d));
            if code.contains(concat!("feature", " = \"sim\"")) && !at_the_seam && !name.contains("/tests/") {
                breach("the feature `sim` belongs to runtime and model::hooks; use the marks of model");
            }
        }
    }
    Ok(())
}

fn rust_files(dir: &Path, out: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() && !path.ends_with("target") {
            rust_files(&path, out)?;
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    Ok(())
}

fn read(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).with_context(|| path.display().to_string())
}
