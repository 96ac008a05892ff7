//! A real broker in a process of its own, and commands against it.
// Not each test uses all of this.
#![allow(dead_code)]

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

pub const OUZEL: &str = env!("CARGO_BIN_EXE_ouzel");

/// What a command said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// Runs the binary in `dir` to its end.
pub fn ouzel(dir: &Path, brokers: &str, args: &[&str], input: &[u8]) -> Said {
    let mut command = Command::new(OUZEL);
    command.args(args).env("OUZEL_X_BROKERS", brokers).current_dir(dir);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // A command that doesn't read its input closes it early; that is no failure.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory of its own, gone at the end.
pub struct Dir(pub PathBuf);

impl Dir {
    pub fn new(name: &str) -> Dir {
        let path = std::env::temp_dir().join(format!("ouzel-cli-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).unwrap();
        Dir(path.canonicalize().unwrap())
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A running `ouzel dev`.
pub struct Dev {
    child: Child,
    out: BufReader<ChildStdout>,
    /// The lines it printed when it was ready.
    pub block: Vec<String>,
    pub brokers: String,
    pub dir: PathBuf,
}

impl Dev {
    /// Starts one in `dir` and waits for its last line.
    pub fn start(dir: &Path, args: &[&str]) -> Dev {
        let mut command = Command::new(OUZEL);
        command.args(["dev", "--any-port"]).args(args).current_dir(dir);
        if !args.contains(&"--cores") {
            command.args(["--cores", "1"]);
        }
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut block = Vec::new();
        while !block.last().is_some_and(|line: &String| line.contains("topic consume")) {
            let mut line = String::new();
            assert!(out.read_line(&mut line).unwrap() > 0, "it ended after {block:?}");
            block.push(line.trim_end().to_owned());
        }
        let kafka = block.iter().find(|line| line.contains("kafka")).unwrap();
        let brokers = kafka.split_whitespace().nth(1).unwrap().to_owned();
        Dev { child, out, block, brokers, dir: dir.to_owned() }
    }

    /// Runs a command against it.
    pub fn ouzel(&self, args: &[&str], input: &[u8]) -> Said {
        ouzel(&self.dir, &self.brokers, args, input)
    }

    /// A command that works and says this.
    #[track_caller]
    pub fn check(&self, args: &[&str], input: &str, out: &str) {
        let said = self.ouzel(args, input.as_bytes());
        assert_eq!((said.code, said.out.as_str(), said.err.as_str()), (0, out, ""), "{args:?}");
    }

    /// A command that fails like this.
    #[track_caller]
    pub fn fails(&self, args: &[&str], code: i32, err: &str) {
        let said = self.ouzel(args, b"");
        assert_eq!((said.code, said.err.as_str()), (code, err), "{args:?}");
    }

    /// Ends it with SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as an operator does; its exit code and last words.
    pub fn stop(mut self, signal: &str) -> (i32, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code().unwrap_or(-1), rest)
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
