//! Foreign toolchains: is one there, and client libraries for it in the cache folder.
//!
//! A folder of the cache carries the hash of what was asked for; it is used once its `done` file stands, so an installation that was
//! cut short is made anew.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// Whether kcat is there.
pub fn kcat() -> Result<()> {
    need("kcat", &["-V"])
}

/// A Python suite, in a virtual environment with its client library.
pub fn python(name: &str) -> Result<Command> {
    need("python3", &["--version"])?;
    let suites = folder("python");
    let venv = cached("python", &suites, &["requirements.txt"], |dir| {
        check(Command::new("python3").args(["-m", "venv"]).arg(dir))?;
        let pip = ["-m", "pip", "install", "-q", "--disable-pip-version-check", "--only-binary=:all:", "-r"];
        check(Command::new(dir.join("bin/python")).args(pip).arg(suites.join("requirements.txt")))
    })?;
    let mut command = Command::new(venv.join("bin/python"));
    command
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("-u")
        .arg(suites.join(format!("{}_suite.py", name.replace('-', "_"))));
    Ok(command)
}

/// A Node suite. Node finds packages beside the file it runs, so the files are copied to where the packages are.
pub fn node(name: &str) -> Result<Command> {
    need("node", &["--version"])?;
    need("npm", &["--version"])?;
    let suites = folder("node");
    let dir = cached("node", &suites, &["package.json", "package-lock.json"], |dir| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(suites.join(file), dir.join(file))?;
        }
        check(Command::new("npm").current_dir(dir).args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]))
    })?;
    for file in ["suite.mjs", &format!("{name}.mjs")] {
        std::fs::copy(suites.join(file), dir.join(file))?;
    }
    let mut command = Command::new("node");
    command.arg(dir.join(format!("{name}.mjs")));
    Ok(command)
}

/// A Go suite: one program, its first word says which.
pub fn go(name: &str) -> Result<Command> {
    need("go", &["version"])?;
    let suites = folder("go");
    let sources = ["go.mod", "go.sum", "main.go", "franz.go", "sarama.go"];
    let dir = cached("go", &suites, &sources, |dir| {
        check(Command::new("go").current_dir(&suites).args(["build", "-o"]).arg(dir.join("suite")).arg("."))
    })?;
    let mut command = Command::new(dir.join("suite"));
    command.arg(name);
    Ok(command)
}

/// A Java suite: Kafka's own jars, and a class of ours per suite.
pub fn java(name: &str) -> Result<Command> {
    need("javac", &["-version"])?;
    need("mvn", &["-version"])?;
    let suites = folder("java");
    let jars = cached("java", &suites, &["pom.xml"], |dir| {
        let to = format!("-DoutputDirectory={}", dir.display());
        let mut mvn = Command::new("mvn");
        mvn.current_dir(dir).args(["-q", "-B", "-f"]).arg(suites.join("pom.xml"));
        check(mvn.args(["dependency:copy-dependencies", "-DincludeScope=runtime", &to]))
    })?;
    let sources = ["Suite.java", "Client.java", "Tools.java"];
    let path = format!("{}/*", jars.display());
    let classes = cached("java-classes", &suites, &[&["pom.xml"], &sources[..]].concat(), |dir| {
        let files = sources.map(|file| suites.join(file));
        check(Command::new("javac").args(["-cp", &path, "-d"]).arg(dir).args(files))
    })?;
    let class = if name == "java-client" { "Client" } else { "Tools" };
    let mut command = Command::new("java");
    command.args(["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-cp"]);
    command.arg(format!("{}:{path}", classes.display())).arg(class);
    Ok(command)
}

/// The suites' folder of this toolchain.
pub fn folder(family: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("suites").join(family)
}

fn need(program: &str, args: &[&str]) -> Result<()> {
    let found =
        Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null()).status();
    match found {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("no `{program}` here"),
    }
}

/// A folder of the cache for these files of `suites`, made by `install` if it isn't complete.
fn cached(kind: &str, suites: &Path, files: &[&str], install: impl Fn(&Path) -> Result<()>) -> Result<PathBuf> {
    let mut hash = DefaultHasher::new();
    for file in files {
        let path = suites.join(file);
        std::fs::read(&path).with_context(|| path.display().to_string())?.hash(&mut hash);
    }
    let dir = cache()?.join(format!("{kind}-{:016x}", hash.finish()));
    let done = dir.join("done");
    let make = || {
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir).with_context(|| dir.display().to_string())?;
        install(&dir)?;
        std::fs::write(&done, "").context("done")
    };
    // Once more: what is fetched over a network fails now and then.
    if !done.exists() {
        make().or_else(|_| make())?;
    }
    Ok(dir)
}

fn cache() -> Result<PathBuf> {
    let var = |name| std::env::var_os(name).map(PathBuf::from);
    let base =
        || var("XDG_CACHE_HOME").or_else(|| var("HOME").map(|home| home.join(".cache"))).map(|c| c.join("ouzel"));
    var("OUZEL_CACHE").or_else(base).context("neither OUZEL_CACHE nor HOME is set")
}

fn check(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("{command:?}"))?;
    if !output.status.success() {
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        let tail: Vec<&str> = text.lines().rev().take(8).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!("{:?} failed: {}", command.get_program(), tail.join("\n"));
    }
    Ok(())
}
