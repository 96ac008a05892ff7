//! A simulated file system: names, files, and what of both survives a power cut.
//!
//! Every change takes a number. Per file there is a durable content and pending pieces ([`Content`]); per directory
//! a durable set of entries and a journal of changes, sizes of its files included, of which a power cut keeps a
//! prefix. Changes apply when a command is called; latency and errors are the disk home's.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path};

use super::pages::{Content, CutOdds, CutReport, PAGE};
use super::stream::{Stream, hash_bytes, mix};

/// Number of a file or directory; never reused.
pub type Ino = u32;

const ROOT: Ino = 1;
/// Entries removed before unreachable files are looked for.
const GARBAGE_BATCH: u32 = 32;

#[derive(Clone)]
enum Change {
    Link {
        name: String,
        ino: Ino,
    },
    Unlink {
        name: String,
    },
    Rename {
        from: String,
        to: String,
        ino: Ino,
    },
    /// Half of a rename between directories: both halves survive or none.
    Out {
        name: String,
        other: Ino,
    },
    In {
        name: String,
        ino: Ino,
        other: Ino,
    },
}

#[derive(Clone, Default)]
struct Directory {
    durable: BTreeMap<String, Ino>,
    current: BTreeMap<String, Ino>,
    journal: Vec<(u64, Change)>,
}

#[derive(Clone, Copy)]
struct Resize {
    seq: u64,
    to: u64,
    shrink: bool,
}

#[derive(Clone)]
struct FileNode {
    content: Content,
    len: u64,
    durable_len: u64,
    resizes: Vec<Resize>,
    allocated: u64,
    charged: u64,
    parent: Ino,
    handles: u32,
}

#[derive(Clone)]
enum Inode {
    Directory(Directory),
    File(Box<FileNode>),
}

/// Damage to bytes at rest, behind every check the device makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// One bit of the page flips; `bit` counts from the page's start and wraps.
    Flip {
        /// Which bit.
        bit: u32,
    },
    /// The page reads as zeros.
    Zero,
    /// The page changes places with another one of the file: a misdirected write.
    Swap {
        /// The other page.
        with: u32,
    },
    /// The page holds random bytes.
    Scramble,
}

/// An entry of a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListEntry {
    /// Name within the directory.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
    /// Bytes of a file, 0 for a directory.
    pub len: u64,
}

/// A whole simulated file system.
#[derive(Clone)]
pub struct Image {
    inodes: BTreeMap<Ino, Inode>,
    next: Ino,
    seq: u64,
    capacity: u64,
    used: u64,
    garbage: u32,
}

impl Image {
    /// An empty file system of `capacity` bytes.
    pub fn new(capacity: u64) -> Image {
        let inodes = BTreeMap::from([(ROOT, Inode::Directory(Directory::default()))]);
        Image { inodes, next: ROOT + 1, seq: 0, capacity, used: 0, garbage: 0 }
    }

    /// Number of the last change: what a sync that begins now will cover.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Bytes that files may still take.
    pub fn free(&self) -> u64 {
        self.capacity.saturating_sub(self.used)
    }

    /// Bytes in all.
    pub fn capacity(&self) -> u64 {
        self.capacity
    }

    /// Sets the bytes in all; below what is used, everything that takes space fails.
    pub fn set_capacity(&mut self, bytes: u64) {
        self.capacity = bytes;
    }

    fn next_seq(&mut self) -> u64 {
        self.seq += 1;
        self.seq
    }

    fn directory(&self, ino: Ino) -> io::Result<&Directory> {
        match self.inodes.get(&ino) {
            Some(Inode::Directory(d)) => Ok(d),
            Some(Inode::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn directory_mut(&mut self, ino: Ino) -> &mut Directory {
        match self.inodes.get_mut(&ino) {
            Some(Inode::Directory(d)) => d,
            _ => panic!("inode {ino} is no directory"),
        }
    }

    fn file(&self, ino: Ino) -> &FileNode {
        match self.inodes.get(&ino) {
            Some(Inode::File(f)) => f,
            _ => panic!("inode {ino} is no file"),
        }
    }

    fn file_mut(&mut self, ino: Ino) -> &mut FileNode {
        match self.inodes.get_mut(&ino) {
            Some(Inode::File(f)) => f,
            _ => panic!("inode {ino} is no file"),
        }
    }

    /// The file or directory at `path`.
    pub fn lookup(&self, path: &Path) -> io::Result<Ino> {
        let mut ino = ROOT;
        for name in components(path)? {
            ino = *self.directory(ino)?.current.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(ino)
    }

    fn parent_of<'p>(&self, path: &'p Path) -> io::Result<(Ino, &'p str)> {
        let mut names = components(path)?;
        let name = names.pop().ok_or(io::ErrorKind::InvalidInput)?;
        let mut ino = ROOT;
        for name in names {
            ino = *self.directory(ino)?.current.get(name).ok_or(io::ErrorKind::NotFound)?;
        }
        self.directory(ino)?;
        Ok((ino, name))
    }

    /// Whether `ino` is a file.
    pub fn is_file(&self, ino: Ino) -> bool {
        matches!(self.inodes.get(&ino), Some(Inode::File(_)))
    }

    /// The file at `path`; makes it when `create`. `create_new` fails when it is there.
    pub fn open(&mut self, path: &Path, create: bool, create_new: bool) -> io::Result<Ino> {
        let (parent, name) = self.parent_of(path)?;
        if let Some(&ino) = self.directory(parent)?.current.get(name) {
            if create_new {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            return if self.is_file(ino) { Ok(ino) } else { Err(io::ErrorKind::IsADirectory.into()) };
        }
        if !create && !create_new {
            return Err(io::ErrorKind::NotFound.into());
        }
        if self.used >= self.capacity {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let file = FileNode {
            content: Content::default(),
            len: 0,
            durable_len: 0,
            resizes: Vec::new(),
            allocated: 0,
            charged: 0,
            parent,
            handles: 0,
        };
        Ok(self.link(parent, name, Inode::File(Box::new(file))))
    }

    fn link(&mut self, parent: Ino, name: &str, inode: Inode) -> Ino {
        let ino = self.next;
        self.next += 1;
        self.inodes.insert(ino, inode);
        let seq = self.next_seq();
        let directory = self.directory_mut(parent);
        directory.current.insert(name.to_owned(), ino);
        directory.journal.push((seq, Change::Link { name: name.to_owned(), ino }));
        ino
    }

    /// Makes `path` and what is missing above it.
    pub fn create_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let mut ino = ROOT;
        for name in components(path)? {
            ino = match self.directory(ino)?.current.get(name) {
                Some(&child) => {
                    self.directory(child)?;
                    child
                }
                None if self.used >= self.capacity => return Err(io::ErrorKind::StorageFull.into()),
                None => self.link(ino, name, Inode::Directory(Directory::default())),
            };
        }
        Ok(())
    }

    /// Moves `from` over `to`, atomically also across a power cut.
    pub fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let (from_dir, from_name) = self.parent_of(from)?;
        let (to_dir, to_name) = self.parent_of(to)?;
        let ino = *self.directory(from_dir)?.current.get(from_name).ok_or(io::ErrorKind::NotFound)?;
        if let Some(&target) = self.directory(to_dir)?.current.get(to_name) {
            if target == ino {
                return Ok(());
            }
            if !self.is_file(target) && !self.directory(target)?.current.is_empty() {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            self.discharge(target);
        }
        let (from_name, to_name) = (from_name.to_owned(), to_name.to_owned());
        let seq = self.next_seq();
        self.directory_mut(from_dir).current.remove(&from_name);
        self.directory_mut(to_dir).current.insert(to_name.clone(), ino);
        if from_dir == to_dir {
            let change = Change::Rename { from: from_name, to: to_name, ino };
            self.directory_mut(from_dir).journal.push((seq, change));
        } else {
            self.directory_mut(from_dir).journal.push((seq, Change::Out { name: from_name, other: to_dir }));
            self.directory_mut(to_dir).journal.push((seq, Change::In { name: to_name, ino, other: from_dir }));
        }
        if let Some(Inode::File(file)) = self.inodes.get_mut(&ino) {
            file.parent = to_dir;
        }
        Ok(())
    }

    /// Removes a file's name; open handles keep its bytes.
    pub fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent_of(path)?;
        let ino = *self.directory(parent)?.current.get(name).ok_or(io::ErrorKind::NotFound)?;
        if !self.is_file(ino) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        self.unlink(parent, name);
        Ok(())
    }

    /// Removes a directory and all below it, entry by entry.
    pub fn remove_dir_all(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.parent_of(path)?;
        let ino = *self.directory(parent)?.current.get(name).ok_or(io::ErrorKind::NotFound)?;
        self.directory(ino)?;
        self.empty(ino);
        self.unlink(parent, name);
        Ok(())
    }

    fn empty(&mut self, ino: Ino) {
        let entries: Vec<(String, Ino)> = match self.directory(ino) {
            Ok(d) => d.current.iter().map(|(n, &i)| (n.clone(), i)).collect(),
            Err(_) => return,
        };
        for (name, child) in entries {
            self.empty(child);
            self.unlink(ino, &name);
        }
    }

    fn unlink(&mut self, parent: Ino, name: &str) {
        let seq = self.next_seq();
        let directory = self.directory_mut(parent);
        let ino = directory.current.remove(name).expect("an entry that was looked up");
        directory.journal.push((seq, Change::Unlink { name: name.to_owned() }));
        self.discharge(ino);
    }

    fn discharge(&mut self, ino: Ino) {
        self.garbage += 1;
        if let Some(Inode::File(file)) = self.inodes.get_mut(&ino) {
            self.used -= std::mem::take(&mut file.charged);
        }
    }

    /// What the directory holds, by name.
    pub fn list(&self, path: &Path) -> io::Result<Vec<ListEntry>> {
        let directory = self.directory(self.lookup(path)?)?;
        Ok(directory
            .current
            .iter()
            .map(|(name, ino)| match &self.inodes[ino] {
                Inode::File(file) => ListEntry { name: name.clone(), is_dir: false, len: file.len },
                Inode::Directory(_) => ListEntry { name: name.clone(), is_dir: true, len: 0 },
            })
            .collect())
    }

    /// Bytes of the file as a reader sees it.
    pub fn len(&self, ino: Ino) -> u64 {
        self.file(ino).len
    }

    /// Bytes of the file that a power cut leaves at least, if its entry survives.
    pub fn durable_len(&self, ino: Ino) -> u64 {
        self.file(ino).durable_len
    }

    /// Copies from the file into `out`; short only at its end.
    pub fn read(&self, ino: Ino, pos: u64, out: &mut [u8]) -> usize {
        let file = self.file(ino);
        let len = file.len.saturating_sub(pos).min(out.len() as u64) as usize;
        file.content.read(pos, &mut out[..len]);
        len
    }

    /// Writes, durably or pending, and grows the file when needed.
    pub fn write(&mut self, ino: Ino, pos: u64, bytes: &[u8], durable: bool) -> io::Result<()> {
        let end = pos + bytes.len() as u64;
        self.charge(ino, end)?;
        let seq = self.next_seq();
        let file = self.file_mut(ino);
        file.content.write(pos, bytes, if durable { None } else { Some(seq) });
        if durable {
            // The kernel commits the size a synced write needs. A pending shrink is committed with it: else the
            // shrink could survive alone and cut synced bytes, which no file system does.
            if file.resizes.iter().any(|r| r.shrink) {
                settle_sizes(file, seq);
            }
            file.durable_len = file.durable_len.max(end);
            file.len = file.len.max(end);
        } else if end > file.len {
            file.len = end;
            file.resizes.push(Resize { seq, to: end, shrink: false });
        }
        Ok(())
    }

    fn charge(&mut self, ino: Ino, end: u64) -> io::Result<()> {
        let free = self.free();
        let file = self.file_mut(ino);
        let need = pages_of(file.allocated.max(file.len).max(end)).saturating_sub(file.charged);
        if need == 0 {
            return Ok(());
        }
        if need > free {
            return Err(io::ErrorKind::StorageFull.into());
        }
        file.charged += need;
        self.used += need;
        Ok(())
    }

    /// Reserves space for `len` bytes and makes the file at least that long.
    pub fn allocate(&mut self, ino: Ino, len: u64) -> io::Result<()> {
        self.charge(ino, len)?;
        let seq = self.next_seq();
        let file = self.file_mut(ino);
        file.allocated = file.allocated.max(len);
        if len > file.len {
            file.len = len;
            file.resizes.push(Resize { seq, to: len, shrink: false });
        }
        Ok(())
    }

    /// Sets the file's length; what grows is zeros, not reserved.
    pub fn set_len(&mut self, ino: Ino, len: u64) -> io::Result<()> {
        self.charge(ino, len)?;
        let seq = self.next_seq();
        let file = self.file_mut(ino);
        if len < file.len {
            file.content.shrink(len, seq);
            file.allocated = file.allocated.min(len);
            file.resizes.push(Resize { seq, to: len, shrink: true });
        } else if len > file.len {
            file.resizes.push(Resize { seq, to: len, shrink: false });
        }
        file.len = len;
        let charged = pages_of(len.max(file.allocated));
        let back = file.charged.saturating_sub(charged);
        file.charged -= back;
        self.used -= back;
        Ok(())
    }

    /// Makes the file's pieces and sizes up to change `upto` durable.
    pub fn datasync(&mut self, ino: Ino, upto: u64) {
        if let Some(Inode::File(file)) = self.inodes.get_mut(&ino) {
            settle_sizes(file, upto);
            file.content.sync(upto);
        }
    }

    /// A sync of the file failed: its pieces up to `upto` are clean and lost.
    pub fn fail_sync(&mut self, ino: Ino, upto: u64) {
        if let Some(Inode::File(file)) = self.inodes.get_mut(&ino) {
            file.content.lose(upto);
        }
    }

    /// Makes the directory's changes up to `upto` durable, sizes of its files included.
    pub fn sync_dir(&mut self, ino: Ino, upto: u64) {
        if !matches!(self.inodes.get(&ino), Some(Inode::Directory(_))) {
            return;
        }
        let directory = self.directory_mut(ino);
        let settled = directory.journal.partition_point(|(seq, _)| *seq <= upto);
        let changes: Vec<(u64, Change)> = directory.journal.drain(..settled).collect();
        let mut partners = Vec::new();
        for (seq, change) in changes {
            if let Change::Out { other, .. } | Change::In { other, .. } = &change {
                partners.push((*other, seq));
            }
            change.apply(&mut directory.durable);
        }
        for inode in self.inodes.values_mut() {
            if let Inode::File(file) = inode
                && file.parent == ino
            {
                settle_sizes(file, upto);
            }
        }
        for (other, seq) in partners {
            self.sync_dir(other, seq);
        }
        if self.garbage >= GARBAGE_BATCH {
            self.collect();
        }
    }

    /// Makes everything up to `upto` durable.
    pub fn sync_all(&mut self, upto: u64) {
        let all: Vec<Ino> = self.inodes.keys().copied().collect();
        for &ino in &all {
            if self.is_file(ino) {
                self.datasync(ino, upto);
            } else {
                self.sync_dir(ino, upto);
            }
        }
    }

    /// A handle to the file was opened.
    pub fn hold(&mut self, ino: Ino) {
        self.file_mut(ino).handles += 1;
    }

    /// A handle to the file was closed.
    pub fn release(&mut self, ino: Ino) {
        if let Some(Inode::File(file)) = self.inodes.get_mut(&ino) {
            file.handles = file.handles.saturating_sub(1);
        }
    }

    /// The process ended: no handle is open any more.
    pub fn release_all(&mut self) {
        for inode in self.inodes.values_mut() {
            if let Inode::File(file) = inode {
                file.handles = 0;
            }
        }
    }

    /// Pieces a power cut would decide over.
    pub fn pending(&self) -> usize {
        self.inodes.values().map(|i| if let Inode::File(f) = i { f.content.pending() } else { 0 }).sum()
    }

    /// The power goes. What remains is what a disk could hold then.
    pub fn cut(&mut self, odds: CutOdds, dice: &mut Stream) -> CutReport {
        let mut report = CutReport::default();
        let cuts = self.draw_cuts(dice);
        for (ino, &cut) in &cuts {
            let directory = self.directory_mut(*ino);
            for (seq, change) in std::mem::take(&mut directory.journal) {
                if seq <= cut {
                    change.apply(&mut directory.durable);
                } else {
                    report.entries_lost += 1;
                }
            }
            directory.current = directory.durable.clone();
        }
        for inode in self.inodes.values_mut() {
            let Inode::File(file) = inode else { continue };
            let cut = cuts.get(&file.parent).copied().unwrap_or(0);
            for resize in std::mem::take(&mut file.resizes) {
                if resize.seq <= cut {
                    resize.apply(&mut file.durable_len);
                }
            }
            let part = file.content.cut(file.durable_len, |seq| seq <= cut, odds, dice);
            report.kept += part.kept;
            report.dropped += part.dropped;
            report.torn += part.torn;
            file.len = file.durable_len;
            file.allocated = file.allocated.min(file.len);
            file.handles = 0;
        }
        self.collect();
        self.used = 0;
        for inode in self.inodes.values_mut() {
            if let Inode::File(file) = inode {
                file.charged = pages_of(file.len.max(file.allocated));
                self.used += file.charged;
            }
        }
        report
    }

    /// For each directory the number of its last change that survives.
    fn draw_cuts(&self, dice: &mut Stream) -> BTreeMap<Ino, u64> {
        let mut spans: BTreeMap<Ino, (u64, u64)> = BTreeMap::new();
        let mut widen = |ino: Ino, seq: u64| {
            let span = spans.entry(ino).or_insert((seq, seq));
            *span = (span.0.min(seq), span.1.max(seq));
        };
        for (&ino, inode) in &self.inodes {
            match inode {
                Inode::Directory(d) => d.journal.iter().for_each(|(seq, _)| widen(ino, *seq)),
                Inode::File(f) => f.resizes.iter().for_each(|r| widen(f.parent, r.seq)),
            }
        }
        let mut cuts: BTreeMap<Ino, u64> = BTreeMap::new();
        for (&ino, inode) in &self.inodes {
            if let Inode::Directory(_) = inode {
                let cut = match spans.get(&ino) {
                    None => self.seq,
                    Some(&(first, last)) => match dice.below(4) {
                        0 => 0,
                        1 => last,
                        _ => dice.between(first - 1, last),
                    },
                };
                cuts.insert(ino, cut);
            }
        }
        // A move between directories survives on both sides or on none.
        loop {
            let mut lowered = false;
            for (&ino, inode) in &self.inodes {
                let Inode::Directory(d) = inode else { continue };
                for (seq, change) in &d.journal {
                    if let Change::Out { other, .. } | Change::In { other, .. } = change {
                        let there = cuts.get(other).copied().unwrap_or(self.seq);
                        if *seq <= cuts[&ino] && *seq > there {
                            cuts.insert(ino, seq - 1);
                            lowered = true;
                        }
                    }
                }
            }
            if !lowered {
                return cuts;
            }
        }
    }

    /// Forgets files that nothing can reach, now or after a power cut.
    fn collect(&mut self) {
        self.garbage = 0;
        let mut reached = std::collections::BTreeSet::new();
        let mut todo = vec![ROOT];
        for (&ino, inode) in &self.inodes {
            if let Inode::File(file) = inode
                && file.handles > 0
            {
                todo.push(ino);
            }
        }
        while let Some(ino) = todo.pop() {
            if !self.inodes.contains_key(&ino) || !reached.insert(ino) {
                continue;
            }
            if let Some(Inode::Directory(d)) = self.inodes.get(&ino) {
                todo.extend(d.durable.values().chain(d.current.values()));
                todo.extend(d.journal.iter().filter_map(|(_, change)| match change {
                    Change::Link { ino, .. } | Change::Rename { ino, .. } | Change::In { ino, .. } => Some(*ino),
                    Change::Unlink { .. } | Change::Out { .. } => None,
                }));
            }
        }
        self.inodes.retain(|ino, _| reached.contains(ino));
    }

    /// Files with bytes on the platter, by path: candidates for damage.
    pub fn files(&self) -> Vec<(String, Ino, u64)> {
        let mut found = Vec::new();
        let mut todo = vec![(String::new(), ROOT)];
        while let Some((path, ino)) = todo.pop() {
            match self.inodes.get(&ino) {
                Some(Inode::Directory(d)) => {
                    todo.extend(d.current.iter().map(|(name, &ino)| (format!("{path}/{name}"), ino)));
                }
                Some(Inode::File(file)) => found.push((path, ino, file.len)),
                None => {}
            }
        }
        found.sort();
        found
    }

    /// Damages one page of the file as it is on the platter.
    pub fn damage(&mut self, ino: Ino, page: u32, damage: Damage, dice: &mut Stream) {
        let content = &mut self.file_mut(ino).content;
        match damage {
            Damage::Flip { bit } => {
                let bit = bit as usize % (PAGE * 8);
                content.damage(page, |data| data[bit / 8] ^= 1 << (bit % 8));
            }
            Damage::Zero => content.damage(page, |data| data.fill(0)),
            Damage::Scramble => content.damage(page, |data| dice.fill(data)),
            Damage::Swap { with } => {
                let (one, other) = (content.platter(page), content.platter(with));
                content.damage(page, |data| *data = other);
                content.damage(with, |data| *data = one);
            }
        }
    }

    /// A page of the file as it is on the platter; zeros where nothing was ever written.
    pub fn platter(&self, ino: Ino, page: u32) -> [u8; PAGE] {
        match self.inodes.get(&ino) {
            Some(Inode::File(file)) => file.content.platter(page),
            _ => [0; PAGE],
        }
    }

    /// Changes a page of the file on the platter; a pending write over it hides the change.
    pub fn set_platter(&mut self, ino: Ino, page: u32, bytes: &[u8; PAGE]) {
        self.file_mut(ino).content.damage(page, |data| *data = *bytes);
    }

    /// A hash over names, sizes and bytes, durable and pending.
    pub fn hash(&self) -> u64 {
        let mut hash = self.seq;
        for (&ino, inode) in &self.inodes {
            hash = mix(hash ^ u64::from(ino));
            match inode {
                Inode::Directory(d) => {
                    for (name, ino) in d.durable.iter().chain(&d.current) {
                        hash = mix(hash ^ hash_bytes(name.as_bytes()) ^ u64::from(*ino));
                    }
                }
                Inode::File(f) => {
                    hash = mix(hash ^ f.len ^ f.durable_len.rotate_left(32));
                    f.content.each_page(|page, durable, cached| {
                        let durable = durable.map_or(1, |p| hash_bytes(p));
                        let cached = cached.map_or(2, |p| hash_bytes(p));
                        hash = mix(hash ^ u64::from(page) ^ durable ^ cached.rotate_left(17));
                    });
                }
            }
        }
        hash
    }
}

impl Change {
    fn apply(self, entries: &mut BTreeMap<String, Ino>) {
        match self {
            Change::Link { name, ino } | Change::In { name, ino, .. } => {
                entries.insert(name, ino);
            }
            Change::Unlink { name } | Change::Out { name, .. } => {
                entries.remove(&name);
            }
            Change::Rename { from, to, ino } => {
                entries.remove(&from);
                entries.insert(to, ino);
            }
        }
    }
}

impl Resize {
    fn apply(self, len: &mut u64) {
        *len = if self.shrink { self.to } else { self.to.max(*len) };
    }
}

/// Sizes up to `upto` become durable, and with a shrink the zeros it left.
fn settle_sizes(file: &mut FileNode, upto: u64) {
    if file.resizes.is_empty() {
        return;
    }
    let settled = file.resizes.partition_point(|r| r.seq <= upto);
    for resize in file.resizes.drain(..settled) {
        resize.apply(&mut file.durable_len);
        if resize.shrink {
            file.content.sync_holes(resize.seq);
        }
    }
}

fn pages_of(len: u64) -> u64 {
    len.div_ceil(PAGE as u64) * PAGE as u64
}

fn components(path: &Path) -> io::Result<Vec<&str>> {
    let mut names = Vec::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(name) => names.push(name.to_str().ok_or(io::ErrorKind::InvalidInput)?),
            Component::ParentDir | Component::Prefix(_) => return Err(io::ErrorKind::InvalidInput.into()),
        }
    }
    Ok(names)
}

#[cfg(test)]
#[path = "image_tests.rs"]
mod tests;
