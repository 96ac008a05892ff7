//! One shard's journal: blocks of entries, each a multiple of 4 KiB, chained by number and hash.

use std::io;
use std::path::{Path, PathBuf};

use bytes::{Buf as _, BufMut};
use ouzel_model::{planted, reached};
use ouzel_runtime::sim::stream::hash_bytes;
use ouzel_runtime::{Buf, Durability, File, Open, Runtime};

use super::protocol::Entry;

const MAGIC: u64 = 0x7370_6563_696d_656e;
const HEADER: usize = 32;
const BLOCK_MAX: usize = 64 * 1024;
/// Entries that fit into one block.
pub const BLOCK_ENTRIES_MAX: usize = (BLOCK_MAX - HEADER) / Entry::BYTES;

/// An open journal.
pub struct Journal {
    file: File,
    next_block: u64,
    end: u64,
}

impl Journal {
    /// Opens or makes the journal in `dir`; all entries it holds, durable when this returns.
    pub async fn open(rt: &Runtime, dir: &Path) -> io::Result<(Journal, Vec<Entry>)> {
        let disk = rt.disk();
        disk.create_dir_all(dir).await?;
        let path: PathBuf = dir.join("journal");
        let file = disk.open(&path, Open { create: true, direct: true, ..Open::default() }).await?;
        if !planted!("specimen-no-dir-sync", true, false) {
            // Up to the root: a directory's own name lies in the one above it.
            for directory in dir.ancestors() {
                disk.sync_dir(directory).await?;
            }
        }
        let mut journal = Journal { file, next_block: 0, end: 0 };
        let entries = journal.recover(rt).await?;
        Ok((journal, entries))
    }

    async fn recover(&mut self, rt: &Runtime) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        let mut last: Option<Buf> = None;
        loop {
            let (read, buf) = self.file.read_at(rt.buffers().take(BLOCK_MAX), self.end).await;
            let read = read?;
            let Some((len, found)) = parse(&buf[..read], self.next_block) else { break };
            entries.extend(found);
            let mut block = rt.buffers().take(len);
            block.copy_from_slice(&buf[..len]);
            last = Some(block);
            self.next_block += 1;
            self.end += len as u64;
        }
        // Reading proves nothing durable: the last block may have been in flight when the process before ended. The
        // others lie below a block that was written after they were durable.
        if let Some(block) = last
            && !planted!("specimen-trusts-reading", true, false)
        {
            reached!("specimen-recovered");
            let len = block.len() as u64;
            self.file.write_at(block, self.end - len, Durability::Sync).await.0?;
        }
        Ok(entries)
    }

    /// Writes the entries as one block, at most [`BLOCK_ENTRIES_MAX`]; durable when this returns.
    pub async fn append(&mut self, rt: &Runtime, entries: &[Entry]) -> io::Result<()> {
        let block = self.build(rt, entries);
        let len = block.len() as u64;
        let writing = self.file.write_at(block, self.end, Durability::Sync);
        self.next_block += 1;
        self.end += len;
        writing.await.0
    }

    fn build(&self, rt: &Runtime, entries: &[Entry]) -> Buf {
        let payload = entries.len() * Entry::BYTES;
        let mut block = rt.buffers().take((HEADER + payload).next_multiple_of(4096));
        // Not zeros: a torn block must differ from its whole self in every sector.
        block.fill(self.next_block as u8 | 1);
        let mut out = &mut block[HEADER..];
        entries.iter().for_each(|e| e.put(&mut out));
        let hash = hash_bytes(&block[HEADER..]) ^ self.next_block;
        let mut header = &mut block[..HEADER];
        header.put_u64_le(MAGIC);
        header.put_u64_le(self.next_block);
        header.put_u64_le(entries.len() as u64);
        header.put_u64_le(hash);
        block
    }
}

/// The block at the front of `bytes`, if it is the one expected there: its length and its entries.
fn parse(bytes: &[u8], expected: u64) -> Option<(usize, Vec<Entry>)> {
    let mut header = bytes.get(..HEADER)?;
    let (magic, number) = (header.get_u64_le(), header.get_u64_le());
    let (count, hash) = (header.get_u64_le() as usize, header.get_u64_le());
    if magic != MAGIC || number != expected || count > BLOCK_ENTRIES_MAX {
        return None;
    }
    let len = (HEADER + count * Entry::BYTES).next_multiple_of(4096);
    let body = bytes.get(HEADER..len)?;
    if hash_bytes(body) ^ number != hash {
        reached!("specimen-torn-block");
        return None;
    }
    let mut body = body;
    let entries = (0..count).map_while(|_| Entry::get(&mut body)).collect();
    Some((len, entries))
}
