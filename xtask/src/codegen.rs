//! Writes `crates/wire/src/schema/*.rs` from the descriptions in `crates/wire/schema/`.
//!
//! The language stands in `docs/formats/wire-schema.md`. A fault in a description names its file and line.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};

/// Generates all files. With `check`, changes nothing and fails if a committed file isn't what would be generated.
pub fn run(check: bool) -> Result<()> {
    let wire = crate::run::root().join("crates/wire");
    let mut files = Vec::new();
    for path in sorted(&wire.join("schema"))? {
        let text = fs::read_to_string(&path)?;
        files.push(parse(&text).with_context(|| format!("{}", path.display()))?);
    }
    let mut wanted = BTreeMap::new();
    for file in &files {
        wanted.insert(format!("{}.rs", file.module()), rustfmt(&generate(file)?)?);
    }
    wanted.insert("mod.rs".to_owned(), rustfmt(&generate_root(&files))?);

    let folder = wire.join("src/schema");
    let mut drift = Vec::new();
    for path in sorted(&folder)? {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !wanted.contains_key(&name) {
            drift.push(name);
            if !check {
                fs::remove_file(&path)?;
            }
        }
    }
    for (name, text) in wanted {
        if fs::read_to_string(folder.join(&name)).ok().as_ref() != Some(&text) {
            if !check {
                fs::write(folder.join(&name), text)?;
            }
            drift.push(name);
        }
    }
    if check && !drift.is_empty() {
        bail!("not as generated: {}; run `cargo xtask codegen`", drift.join(", "));
    }
    Ok(())
}

fn sorted(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("{}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

// ---- the description ----

/// Both ends inclusive.
type Range = (i16, i16);

struct File {
    name: String,
    /// API key; `None` for a file of records.
    key: Option<i16>,
    versions: Range,
    flexible: Option<i16>,
    structs: Vec<Struct>,
}

#[derive(PartialEq)]
enum Role {
    Request,
    Response,
    Record,
    Nested,
}

struct Struct {
    name: String,
    role: Role,
    /// Whether it is part of a request: fields outside a version are refused there.
    in_request: bool,
    versions: Range,
    flexible: Option<i16>,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    /// `i32`, `string`, … or a struct's name.
    base: String,
    array: bool,
    versions: Range,
    /// Versions in which null is legal; the Rust type is an `Option` then.
    null: Option<Range>,
    tag: Option<u32>,
    default: Option<String>,
    ignorable: bool,
}

impl File {
    fn module(&self) -> String {
        snake(&self.name)
    }
    fn find(&self, name: &str) -> Option<&Struct> {
        self.structs.iter().find(|s| s.name == name)
    }
}

fn parse(text: &str) -> Result<File> {
    let mut file = File { name: String::new(), key: None, versions: (0, 0), flexible: None, structs: Vec::new() };
    // Structs that are open, outermost first: the depth of their fields, and their place in `file.structs`.
    let mut open: Vec<(usize, usize)> = Vec::new();
    let mut in_request = false;
    for (number, line) in text.lines().enumerate() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() || words[0].starts_with('#') {
            continue;
        }
        let depth = (line.len() - line.trim_start().len()) / 2;
        let line_of = || format!("line {}: {}", number + 1, line.trim());
        open.retain(|(fields_at, _)| *fields_at <= depth);
        let start = |file: &mut File, open: &mut Vec<_>, name: String, role, in_request| {
            open.push((depth + 1, file.structs.len()));
            let (versions, flexible) = (file.versions, file.flexible);
            file.structs.push(Struct { name, role, in_request, versions, flexible, fields: Vec::new() });
        };
        match words[..] {
            ["api", key, name] if depth == 0 => {
                file.key = Some(key.parse().with_context(line_of)?);
                file.name = name.to_owned();
            }
            ["records", name] if depth == 0 => file.name = name.to_owned(),
            ["versions", range] if depth == 0 => file.versions = parse_range(range, (0, 0)).with_context(line_of)?,
            ["flexible", "none"] if depth == 0 => file.flexible = None,
            ["flexible", from] if depth == 0 => {
                file.flexible = Some(from.trim_end_matches('+').parse().with_context(line_of)?);
            }
            ["request"] if depth == 0 => {
                in_request = true;
                let name = format!("{}Request", file.name);
                start(&mut file, &mut open, name, Role::Request, true);
            }
            ["response"] if depth == 0 => {
                in_request = false;
                let name = format!("{}Response", file.name);
                start(&mut file, &mut open, name, Role::Response, false);
            }
            ["record", name, range, ref flexible @ ..] if depth == 0 => {
                file.versions = parse_range(range, (0, 0)).with_context(line_of)?;
                file.flexible = match flexible {
                    [] => None,
                    [from] => {
                        let from = from.strip_prefix("flexible=").with_context(line_of)?;
                        Some(from.trim_end_matches('+').parse().with_context(line_of)?)
                    }
                    _ => bail!(line_of()),
                };
                start(&mut file, &mut open, name.to_owned(), Role::Record, false);
            }
            ["struct", name] if depth == 1 => start(&mut file, &mut open, name.to_owned(), Role::Nested, in_request),
            [name, kind, ref options @ ..] => {
                let &(_, place) = open.last().with_context(line_of)?;
                let parent = file.structs[place].versions;
                let field = parse_field(name, kind, options, parent).with_context(line_of)?;
                // Whatever is indented below belongs to the struct this field names.
                if field.base.starts_with(char::is_uppercase) {
                    open.push((depth + 1, file.structs.len()));
                    let (name, versions, flexible) = (field.base.clone(), field.versions, file.flexible);
                    let role = Role::Nested;
                    file.structs.push(Struct { name, role, in_request, versions, flexible, fields: Vec::new() });
                }
                file.structs[place].fields.push(field);
            }
            _ => bail!("not understood: {}", line_of()),
        }
    }
    // A field without an indented part names a shared struct of the same file.
    file.structs.retain(|s| !(s.role == Role::Nested && s.fields.is_empty()));
    for i in 0..file.structs.len() {
        let s = &file.structs[i];
        ensure!(file.structs[..i].iter().all(|other| other.name != s.name), "two structs are called {}", s.name);
        for field in &s.fields {
            let known = !field.base.starts_with(char::is_uppercase) || file.find(&field.base).is_some();
            ensure!(known, "no struct {}", field.base);
        }
    }
    ensure!(!file.name.is_empty() && !file.structs.is_empty(), "no `api` or `records` line, or nothing described");
    Ok(file)
}

fn parse_field(name: &str, kind: &str, options: &[&str], parent: Range) -> Result<Field> {
    let (nullable, kind) = kind.strip_prefix('?').map_or((false, kind), |kind| (true, kind));
    let (array, base) = kind.strip_prefix("[]").map_or((false, kind), |base| (true, base));
    let mut field = Field {
        name: name.to_owned(),
        base: base.to_owned(),
        array,
        versions: parent,
        null: None,
        tag: None,
        default: None,
        ignorable: false,
    };
    let mut null = None;
    for option in options {
        match option.split_once('=') {
            Some(("null", range)) => null = Some(parse_range(range, parent)?),
            Some(("tag", tag)) => field.tag = Some(tag.parse()?),
            Some(("default", value)) => field.default = Some(value.to_owned()),
            None if *option == "ignorable" => field.ignorable = true,
            None => field.versions = parse_range(option, parent)?,
            Some(_) => bail!("no option `{option}`"),
        }
    }
    ensure!(nullable || null.is_none(), "`null=` needs a nullable type");
    field.null = nullable.then(|| null.unwrap_or(field.versions));
    Ok(field)
}

/// `3`, `3-5`, or `3+` to the end of `within`.
fn parse_range(text: &str, within: Range) -> Result<Range> {
    let (min, max) = match text.split_once('-') {
        Some((min, max)) => (min.parse()?, max.parse()?),
        None => match text.strip_suffix('+') {
            Some(min) => (min.parse()?, within.1),
            None => (text.parse()?, text.parse()?),
        },
    };
    ensure!(min <= max, "an empty range of versions");
    Ok((min, max))
}

fn snake(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
    }
    out
}

// ---- the code ----

impl Field {
    fn rust_type(&self) -> String {
        let base = match &*self.base {
            "string" => "Str",
            "bytes" | "records" => "Bytes",
            "slices" => "Records",
            "uuid" => "TopicId",
            other => other,
        };
        let inner = if self.array { format!("Vec<{base}>") } else { base.to_owned() };
        if self.null.is_some() { format!("Option<{inner}>") } else { inner }
    }

    /// The default as an expression; `None` when it is the type's own.
    fn special_default(&self) -> Option<String> {
        let value = self.default.as_deref();
        match value {
            None if self.base == "uuid" && !self.array && self.null.is_none() => Some("TopicId::ZERO".to_owned()),
            None => None,
            Some("\"\"" | "[]" | "{}") => Some("Some(Default::default())".to_owned()),
            Some(text) if self.base == "string" => Some(format!("Str::from_static({text:?})")),
            Some(number) => Some(number.to_owned()),
        }
    }

    /// Whether the value (`self.name`) isn't the default.
    fn is_set(&self) -> String {
        let name = format!("self.{}", ident(&self.name));
        match (&self.special_default(), self.null.is_some(), self.array, &*self.base) {
            (Some(_), true, _, base) if self.default.as_deref() == Some("{}") => {
                format!("{name}.as_ref() != Some(&{base}::default())")
            }
            (Some(_), true, _, _) => format!("{name}.as_ref().is_none_or(|x| !x.is_empty())"),
            (Some(value), ..) if value == "true" => format!("!{name}"),
            (Some(value), ..) => format!("{name} != {value}"),
            (None, true, ..) => format!("{name}.is_some()"),
            (None, _, true, _) | (None, _, _, "string" | "bytes" | "records" | "slices") => {
                format!("!{name}.is_empty()")
            }
            (None, _, _, "bool") => name,
            (None, _, _, base) if base.starts_with(char::is_uppercase) => format!("{name} != {base}::default()"),
            (None, _, _, "f64") => format!("{name} != 0.0"),
            (None, ..) => format!("{name} != 0"),
        }
    }

    fn doc(&self, parent: Range) -> String {
        let mut parts = Vec::new();
        if self.versions != parent {
            parts.push(say("Versions", self.versions, parent.1));
        } else {
            parts.push("Every version".to_owned());
        }
        if let Some(tag) = self.tag {
            parts.push(format!("tag {tag}"));
        }
        match self.null {
            Some(null) if null != self.versions => parts.push(say("null in", null, parent.1)),
            Some(_) => parts.push("can be null".to_owned()),
            None => {}
        }
        if let Some(default) = &self.default {
            parts.push(format!("default `{default}`"));
        }
        parts.join(", ")
    }
}

fn say(word: &str, (min, max): Range, last: i16) -> String {
    match (min == max, max == last) {
        (true, false) => format!("{word} {min}"),
        (_, true) => format!("{word} {min}+"),
        _ => format!("{word} {min}-{max}"),
    }
}

/// `3` or `3 to 5`.
fn within((min, max): Range) -> String {
    if min == max { min.to_string() } else { format!("{min} to {max}") }
}

fn ident(name: &str) -> String {
    if matches!(name, "type" | "match" | "ref") { format!("r#{name}") } else { name.to_owned() }
}

/// The condition "`version` is in `range`", given that it is in `within`.
fn condition(range: Range, within: Range) -> Option<String> {
    match (range.0 > within.0, range.1 < within.1) {
        (false, false) => None,
        (true, false) => Some(format!("v >= {}", range.0)),
        (false, true) => Some(format!("v <= {}", range.1)),
        (true, true) if range.0 == range.1 => Some(format!("v == {}", range.0)),
        (true, true) => Some(format!("({}..={}).contains(&v)", range.0, range.1)),
    }
}

/// The opposite of what [`condition`] gave.
fn negated(condition: &str) -> String {
    for (is, not) in [("v >= ", "v < "), ("v <= ", "v > "), ("v == ", "v != ")] {
        if let Some(version) = condition.strip_prefix(is) {
            return format!("{not}{version}");
        }
    }
    format!("!{condition}")
}

fn generate(file: &File) -> Result<String> {
    let mut out = String::new();
    let source = if file.key.is_some() { "api" } else { "records" };
    writeln!(out, "// Generated from schema/{}.{source} by `cargo xtask codegen`. Not edited by hand.", file.name)?;
    match file.key {
        Some(key) => {
            let (min, max) = file.versions;
            writeln!(out, "//! {} (key {key}), versions {min} to {max}.", file.name)?
        }
        None => writeln!(out, "//! Formats of records: {}.", file.name)?,
    }
    let mut body = String::new();
    for s in &file.structs {
        generate_struct(file, s, &mut body)?;
    }
    let uses = |word: &str| body.contains(word);
    writeln!(out)?;
    if uses("Bytes") {
        writeln!(out, "use bytes::Bytes;")?;
    }
    if uses("TopicId") {
        writeln!(out, "use ouzel_model::TopicId;\n")?;
    }
    let mut codec = vec!["Field"];
    if uses("Nullable") {
        codec.push("Nullable");
    }
    if file.structs.iter().any(|s| s.fields.iter().any(|f| f.base == "slices")) {
        codec.push("Records");
    }
    writeln!(out, "use crate::codec::{{{}}};", codec.join(", "))?;
    writeln!(out, "use crate::decode::{{DecodeError, Decoder}};\nuse crate::encode::{{EncodeError, Encoder}};")?;
    if file.key.is_some() {
        writeln!(out, "use crate::api::ApiKey;\nuse crate::message::{{Message, Request}};")?;
    } else {
        writeln!(out, "use crate::record::Record;")?;
    }
    if uses("Str") {
        writeln!(out, "use crate::text::Str;")?;
    }
    Ok(out + &body)
}

fn generate_struct(file: &File, s: &Struct, out: &mut String) -> Result<()> {
    let name = &s.name;
    let (key, module) = (file.key.unwrap_or_default(), &file.name);
    let doc = match s.role {
        Role::Request => format!("Body of a {module} request."),
        Role::Response => format!("Body of a {module} response."),
        Role::Record if s.name.ends_with("Key") => format!("A key, type {}.", within(s.versions)),
        Role::Record => format!("A value, version {}.", within(s.versions)),
        Role::Nested if file.key.is_some() => format!("Part of {module} (key {key})."),
        Role::Nested => format!("Part of {module}."),
    };
    let special = s.fields.iter().any(|f| f.special_default().is_some());
    let derive = if special { "" } else { ", Default" };
    writeln!(out, "\n/// {doc}\n#[derive(Clone, Debug{derive}, PartialEq)]\npub struct {name} {{")?;
    for field in &s.fields {
        writeln!(out, "/// {}.", field.doc(s.versions))?;
        writeln!(out, "pub {}: {},", ident(&field.name), field.rust_type())?;
    }
    writeln!(out, "}}")?;
    if special {
        writeln!(out, "\nimpl Default for {name} {{ fn default() -> Self {{ {name} {{")?;
        for field in &s.fields {
            let value = field.special_default().unwrap_or_else(|| "Default::default()".to_owned());
            writeln!(out, "{}: {value},", ident(&field.name))?;
        }
        writeln!(out, "}} }} }}")?;
    }
    writeln!(out, "\nimpl Field for {name} {{")?;
    generate_read(s, out)?;
    generate_write(s, out)?;
    generate_least(file, s, out)?;
    writeln!(out, "}}")?;
    let mut all_fields = file.structs.iter().flat_map(|other| &other.fields);
    if let Some(user) = all_fields.find(|f| f.base == *name && f.null.is_some() && !f.array) {
        // Kafka says null with -1, but in a tag with a varint 0.
        let null = if user.tag.is_some() { 0 } else { 0xff };
        writeln!(
            out,
            "\nimpl Nullable for {name} {{
                fn read_nullable(d: &mut Decoder<'_>, v: i16) -> Result<Option<Self>, DecodeError> {{
                    if d.present({null})? {{ d.read(v).map(Some) }} else {{ Ok(None) }}
                }}
                fn write_some(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {{
                    e.put(&[1]);
                    self.write(e, v)
                }}
                fn write_null(e: &mut Encoder) {{ e.put(&[{null}]); }}
                fn least_nullable(_: bool) -> usize {{ 1 }}
            }}"
        )?;
    }
    if matches!(s.role, Role::Request | Role::Response) {
        writeln!(out, "\nimpl Message for {name} {{ const KEY: ApiKey = ApiKey::{module}; }}")?;
    }
    if s.role == Role::Record {
        writeln!(
            out,
            "\nimpl Record for {name} {{
                const VERSIONS: (i16, i16) = {:?};
                const FLEXIBLE: Option<i16> = {:?};
            }}",
            s.versions, s.flexible
        )?;
    }
    if s.role == Role::Request {
        writeln!(out, "\nimpl Request for {name} {{ type Response = {module}Response; }}")?;
    }
    Ok(())
}

fn generate_read(s: &Struct, out: &mut String) -> Result<()> {
    writeln!(out, "fn read(d: &mut Decoder<'_>, v: i16) -> Result<Self, DecodeError> {{")?;
    writeln!(out, "let mut m = Self::default();")?;
    let read = |field: &Field| match field.null {
        Some(null) if null != field.versions => {
            let legal = condition(null, field.versions).unwrap_or_default();
            format!("m.{} = d.read_null({legal}, v)?", ident(&field.name))
        }
        _ => format!("m.{} = d.read(v)?", ident(&field.name)),
    };
    for field in s.fields.iter().filter(|f| f.tag.is_none()) {
        match condition(field.versions, s.versions) {
            Some(condition) => writeln!(out, "if {condition} {{ {}; }}", read(field))?,
            None => writeln!(out, "{};", read(field))?,
        }
    }
    let tagged: Vec<_> = s.fields.iter().filter(|f| f.tag.is_some()).collect();
    if tagged.is_empty() {
        if s.flexible.is_some_and(|from| from <= s.versions.1) {
            writeln!(out, "d.skip_tags()?;")?;
        }
    } else {
        writeln!(out, "d.tags(|d, tag| {{ match tag {{")?;
        for field in tagged {
            // Tags are there in flexible versions alone.
            let within = (s.versions.0.max(s.flexible.unwrap_or(0)), s.versions.1);
            let guard = condition(field.versions, within).map(|c| format!(" if {c}")).unwrap_or_default();
            writeln!(out, "{}{guard} => {},", field.tag.unwrap_or_default(), read(field))?;
        }
        writeln!(out, "_ => return Ok(false), }} Ok(true) }})?;")?;
    }
    writeln!(out, "Ok(m) }}\n")?;
    Ok(())
}

fn generate_write(s: &Struct, out: &mut String) -> Result<()> {
    writeln!(out, "fn write(&self, e: &mut Encoder, v: i16) -> Result<(), EncodeError> {{")?;
    let refuse = |field: &Field| {
        let name = format!("{}.{}", s.name, field.name);
        format!("if {} {{ return Err(EncodeError::Unsupported(\"{name}\")); }}", field.is_set())
    };
    let must_refuse = |field: &Field| s.in_request && !field.ignorable;
    for field in s.fields.iter().filter(|f| f.tag.is_none()) {
        let name = ident(&field.name);
        let write = match field.null {
            Some(null) if null != field.versions => {
                let legal = condition(null, field.versions).unwrap_or_default();
                format!("e.null_if({legal}, &self.{name}, v, \"{}.{}\")?;", s.name, field.name)
            }
            _ => format!("self.{name}.write(e, v)?;"),
        };
        match condition(field.versions, s.versions) {
            None => writeln!(out, "{write}")?,
            Some(condition) if must_refuse(field) => {
                writeln!(out, "if {condition} {{ {write} }} else {}", refuse(field))?
            }
            Some(condition) => writeln!(out, "if {condition} {{ {write} }}")?,
        }
    }
    let mut tagged: Vec<_> = s.fields.iter().filter(|f| f.tag.is_some()).collect();
    tagged.sort_by_key(|f| f.tag);
    for field in tagged.iter().filter(|f| must_refuse(f)) {
        if let Some(condition) = condition(field.versions, s.versions) {
            writeln!(out, "if {} && {} {{", negated(&condition), field.is_set())?;
            writeln!(out, "return Err(EncodeError::Unsupported(\"{}.{}\")); }}", s.name, field.name)?;
        }
    }
    let flexible = s.flexible.and_then(|from| (from <= s.versions.1).then_some((from.max(s.versions.0), s.versions.1)));
    match flexible {
        None => {}
        Some(_) if tagged.is_empty() => writeln!(out, "e.no_tags();")?,
        Some(flexible) => {
            let gate = condition(flexible, s.versions);
            if let Some(gate) = &gate {
                writeln!(out, "if {gate} {{")?;
            }
            let present: Vec<String> = tagged
                .iter()
                .map(|f| match condition(f.versions, flexible) {
                    Some(c) => format!("{c} && {}", f.is_set()),
                    None => f.is_set(),
                })
                .collect();
            writeln!(out, "let present = [{}];", present.join(", "))?;
            writeln!(out, "e.tags(&present);")?;
            for (place, field) in tagged.iter().enumerate() {
                let tag = field.tag.unwrap_or_default();
                writeln!(out, "if present[{place}] {{ e.tag({tag}, &self.{}, v)?; }}", ident(&field.name))?;
            }
            if gate.is_some() {
                writeln!(out, "}}")?;
            }
        }
    }
    writeln!(out, "Ok(()) }}\n")?;
    Ok(())
}

/// Fewest bytes of a struct, per run of versions where it is the same.
fn generate_least(file: &File, s: &Struct, out: &mut String) -> Result<()> {
    let mut runs: Vec<(i16, i16, usize)> = Vec::new();
    for version in s.versions.0..=s.versions.1 {
        let least = least_of_struct(file, s, version);
        match runs.last_mut() {
            Some(run) if run.2 == least => run.1 = version,
            _ => runs.push((version, version, least)),
        }
    }
    if let [(_, _, least)] = runs[..] {
        writeln!(out, "fn least(_: i16, _: bool) -> usize {{ {least} }}")?;
        return Ok(());
    }
    writeln!(out, "fn least(v: i16, _: bool) -> usize {{ match v {{")?;
    let last = runs.len() - 1;
    for (place, (min, max, least)) in runs.into_iter().enumerate() {
        if place == last {
            writeln!(out, "_ => {least},")?;
        } else if min == max {
            writeln!(out, "{min} => {least},")?;
        } else {
            writeln!(out, "{min}..={max} => {least},")?;
        }
    }
    writeln!(out, "}} }}")?;
    Ok(())
}

fn least_of_struct(file: &File, s: &Struct, version: i16) -> usize {
    let flexible = s.flexible.is_some_and(|from| version >= from);
    let there = |f: &&Field| f.tag.is_none() && (f.versions.0..=f.versions.1).contains(&version);
    let fields: usize = s.fields.iter().filter(there).map(|f| least_of_field(file, f, version, flexible)).sum();
    fields + usize::from(flexible)
}

fn least_of_field(file: &File, field: &Field, version: i16, flexible: bool) -> usize {
    let can_be_null = field.null.is_some_and(|null| (null.0..=null.1).contains(&version));
    if field.array {
        return if flexible { 1 } else { 4 };
    }
    match &*field.base {
        "bool" | "i8" => 1,
        "i16" | "u16" => 2,
        "i32" => 4,
        "i64" | "f64" => 8,
        "uuid" => 16,
        "string" => 2 - usize::from(flexible),
        "bytes" | "records" | "slices" => 4 - 3 * usize::from(flexible),
        _ if can_be_null => 1,
        name => file.find(name).map_or(0, |s| least_of_struct(file, s, version)),
    }
}

fn generate_root(files: &[File]) -> String {
    let mut out = String::from("// Generated by `cargo xtask codegen`. Not edited by hand.\n");
    out.push_str("//! One module per API, and one per file of records.\n\n");
    for file in files {
        out += &format!("pub mod {};\n", file.module());
    }
    let mut apis: Vec<(i16, &File)> = files.iter().filter_map(|f| f.key.map(|key| (key, f))).collect();
    apis.sort_by_key(|(key, _)| *key);
    out.push_str(
        "\nuse crate::api::Facts;\n\n/// Every API there is a codec for. Its number is the key on the wire.\n",
    );
    out.push_str(
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]\n#[repr(i16)]\npub enum ApiKey {\n",
    );
    for (key, file) in &apis {
        let (min, max) = file.versions;
        out += &format!("/// Key {key}, versions {min} to {max}.\n{} = {key},\n", file.name);
    }
    out.push_str("}\n\nimpl ApiKey {\n/// All of them, ascending.\n");
    out += &format!("pub const ALL: [ApiKey; {}] = [", apis.len());
    for (_, file) in &apis {
        out += &format!("ApiKey::{},", file.name);
    }
    out.push_str("];\n\npub(crate) const fn facts(self) -> Facts { match self {\n");
    for (_, file) in &apis {
        let ((min, max), flexible) = (file.versions, file.flexible);
        out += &format!("ApiKey::{0} => Facts::new(\"{0}\", {min}, {max}, {flexible:?}),\n", file.name);
    }
    out.push_str(
        "} }\n}\n\n/// Calls `$with!` with one `(Name, module, Request, Response)` per API, ascending by key.\n",
    );
    out.push_str("#[macro_export]\nmacro_rules! each_api {\n($with:ident) => { $with! {\n");
    for (_, file) in &apis {
        out += &format!("({0}, {1}, {0}Request, {0}Response)\n", file.name, file.module());
    }
    out.push_str("} };\n}\n");
    out
}

fn rustfmt(code: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(crate::run::root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("rustfmt")?;
    // rustfmt reads all before it writes, so this can't block both ends.
    child.stdin.take().context("rustfmt's input")?.write_all(code.as_bytes())?;
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "rustfmt refused the generated code:\n{code}");
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "\
api 7 Ask
versions 1-4
flexible 3+

request
  # Why.
  names ?[]string null=2+ default=[]
  part Part 2-3 ignorable
    level i8 3 default=-1
  struct Shared
    id uuid

response
  parts []Answer
    rack ?string tag=0
";

    #[test]
    fn a_description_is_read_as_written() {
        let file = parse(GOOD).unwrap();
        assert_eq!((file.key, file.versions, file.flexible, file.module()), (Some(7), (1, 4), Some(3), "ask".into()));
        let names: Vec<_> = file.structs.iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["AskRequest", "Part", "Shared", "AskResponse", "Answer"]);
        let request = &file.structs[0];
        assert_eq!((request.fields[0].null, request.fields[0].rust_type()), (Some((2, 4)), "Option<Vec<Str>>".into()));
        assert_eq!((request.fields[1].versions, request.fields[1].ignorable), ((2, 3), true));
        assert_eq!(file.structs[1].versions, (2, 3), "a part has the versions of its field");
        // Null or not, a compact array is a byte; from version 3 on a byte of tags ends the struct.
        let least: Vec<_> = (1..=4).map(|version| least_of_struct(&file, request, version)).collect();
        assert_eq!(least, [4, 4, 4, 2]);
    }

    #[test]
    fn a_fault_in_a_description_names_its_line() {
        let check = |from: &str, to: &str, expect: &str| {
            let text = GOOD.replace(from, to);
            assert_ne!(text, GOOD);
            let error = format!("{:#}", parse(&text).err().expect("a fault"));
            assert!(error.contains(expect), "{error}");
        };
        check("null=2+", "nil=2+", "line 7");
        check("2-3 ignorable", "3-2 ignorable", "line 8");
        check("Part 2-3 ignorable\n    level i8 3 default=-1", "Part", "no struct Part");
        check("[]Answer", "[]Part", "two structs are called Part");
        check("?[]string", "[]string", "needs a nullable type");
        check("response", "reply", "line 13");
    }

    #[test]
    fn conditions_name_only_the_ends_that_matter() {
        let check = |range, expect: Option<&str>, opposite: &str| {
            let condition = condition(range, (2, 5));
            assert_eq!(condition.as_deref(), expect);
            assert_eq!(condition.map(|c| negated(&c)).unwrap_or_default(), opposite);
        };
        check((2, 5), None, "");
        check((0, 9), None, "");
        check((3, 5), Some("v >= 3"), "v < 3");
        check((2, 4), Some("v <= 4"), "v > 4");
        check((3, 3), Some("v == 3"), "v != 3");
        check((3, 4), Some("(3..=4).contains(&v)"), "!(3..=4).contains(&v)");
    }
}
