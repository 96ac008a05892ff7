//! The offline check behind `ouzel verify`: reads everything, changes nothing.
//!
//! It replays the journal as a start would, then reads every run and footer of every segment that the result names. Bytes
//! above a segment's end are nothing, to it as to a reader.

use std::path::Path;

use bytes::Bytes;
use ouzel_model::{Index, Offset};
use ouzel_runtime::{File, Open, Runtime};

use crate::checkpoint::SegmentRow;
use crate::codec::{PAGE, align};
use crate::entry::{Kind, LogId};
use crate::footer::{Footer, RunRow};
use crate::log::Inner;
use crate::reader::row_of;
use crate::recovery::{OpenError, ReadOnly, read_only};
use crate::segment::{Run, RunHeader, SEGMENT_HEADER_BYTES, SegmentHeader, file_name};
use crate::store::StoreConfig;

/// What the check of one shard found.
#[derive(Clone, Debug, Default)]
pub struct Verified {
    /// Journal blocks read that a start needs.
    pub blocks: u64,
    /// What is wrong with journal and checkpoint; empty: nothing.
    pub problems: Vec<String>,
    /// The logs, by id.
    pub logs: Vec<LogReport>,
}

impl Verified {
    /// Whether nothing is wrong anywhere.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty() && self.logs.iter().all(|log| log.problems.is_empty())
    }
}

/// What the check of one log found.
#[derive(Clone, Debug)]
pub struct LogReport {
    /// Its id.
    pub id: LogId,
    /// Its directory below the data directory.
    pub dir: String,
    /// First index that is there.
    pub first_index: Index,
    /// Last index; the one before the first in an empty log.
    pub last_index: Index,
    /// First offset that may be read.
    pub log_start: Offset,
    /// Offset of the next record.
    pub log_end: Offset,
    /// Segment files.
    pub segments: usize,
    /// Entries in them.
    pub segment_entries: u64,
    /// Bytes of them.
    pub segment_bytes: u64,
    /// Entries in the journal alone.
    pub journal_entries: u64,
    /// What is wrong; empty: nothing.
    pub problems: Vec<String>,
}

/// Checks every checksum and invariant of a shard's files. The store must not be open. `config` names the directory, the
/// shard, the node's uuid and the layout; the rest of it doesn't matter.
pub async fn verify(rt: &Runtime, config: &StoreConfig) -> Result<Verified, OpenError> {
    let mut out = Verified::default();
    let ReadOnly { bad_slots, choice, replays } = read_only(rt, config).await?;
    if bad_slots > 0 {
        out.problems.push("one slot of state.ckpt isn't valid: rotten, or cut off while it was written".into());
    }
    out.blocks = choice.chain.len() as u64;
    if let (Some(first), Some(last)) = (choice.missing.first(), choice.missing.last()) {
        out.problems.push(format!("journal blocks {first} to {last}, below the durable mark, can't be read"));
    }
    for (_, replayed) in replays.logs {
        let id = replayed.id;
        let inner = replayed.finish(rt, config, choice.mark);
        out.logs.push(check_log(rt, config, id, &inner).await);
    }
    out.logs.sort_by_key(|log| log.id);
    Ok(out)
}

async fn check_log(rt: &Runtime, config: &StoreConfig, id: LogId, inner: &Inner) -> LogReport {
    let mut report = LogReport {
        id,
        dir: inner.options.dir.clone(),
        first_index: inner.origin.index.next(),
        last_index: inner.last_index(),
        log_start: inner.log_start,
        log_end: inner.log_end,
        segments: inner.segments.len(),
        segment_entries: 0,
        segment_bytes: 0,
        journal_entries: inner.last_index().0 - inner.written().0,
        problems: inner.damage.iter().cloned().collect(),
    };
    let (mut index, mut offset) = (inner.origin.index.next(), inner.origin.offset);
    for segment in &inner.segments {
        let row = &segment.row;
        if row.base_index != index || row.base_offset != offset {
            report.problems.push(format!(
                "segment {} begins at index {}, offset {}; {index}, {offset} was expected",
                row.base_offset, row.base_index, row.base_offset
            ));
        }
        (index, offset) = (row.end_index, row.end_offset);
        let path = config.dir.join(&report.dir).join(file_name(row.base_offset));
        report.segment_bytes += row.end_position;
        if let Err(problem) = check_segment(rt, &path, id, row, &mut report).await {
            report.problems.push(format!("{}: {problem}", path.display()));
        }
    }
    report
}

/// Reads all of a segment up to its end.
async fn check_segment(
    rt: &Runtime,
    path: &Path,
    id: LogId,
    segment: &SegmentRow,
    report: &mut LogReport,
) -> Result<(), String> {
    let how = Open { read_only: true, ..Open::default() };
    let file = rt.disk().open(path, how).await.map_err(|e| e.to_string())?;
    let head = read(rt, &file, 0, SEGMENT_HEADER_BYTES as u64).await?;
    let header = SegmentHeader::decode(&head).ok_or("the header fails its checksum")?;
    if header.log != id || header.base_index != segment.base_index || header.base_offset != segment.base_offset {
        return Err("the header is of another segment".into());
    }
    let (mut rows, mut position) = (Vec::new(), SEGMENT_HEADER_BYTES as u64);
    let (mut index, mut offset) = (segment.base_index, segment.base_offset);
    while position < segment.end_position {
        let head = read(rt, &file, position, PAGE as u64).await?;
        let left = segment.end_position - position;
        let run = RunHeader::decode(&head).filter(|header| header.length() <= left);
        if let Some(header) = run {
            let bytes = read(rt, &file, position, header.length()).await?;
            let run = Run::check(&id, bytes).map_err(|e| format!("run at {position}: {e}"))?;
            for entry in &run.entries {
                if entry.header.index != index || entry.header.base_offset != offset {
                    return Err(format!("run at {position}: entry {} in the place of {index}", entry.header.index));
                }
                index = index.next();
                if entry.header.kind == Kind::Batch {
                    offset = entry.last_offset.next();
                }
            }
            report.segment_entries += run.entries.len() as u64;
            rows.push(row_of(&run, position, header.length() as u32));
            position += align(header.length());
        } else if let Some(length) = Footer::peek_length(&head) {
            position += align(u64::from(length));
        } else {
            return Err(format!("neither a run nor a footer at {position}"));
        }
    }
    if index != segment.end_index || offset != segment.end_offset {
        return Err(format!(
            "ends at index {index}, offset {offset}; not at {}, {}",
            segment.end_index, segment.end_offset
        ));
    }
    let listed = listed_rows(rt, &file, id, segment).await?;
    if listed != rows {
        return Err(format!("the footers list {} runs, the file holds {}, or others", listed.len(), rows.len()));
    }
    Ok(())
}

/// The rows of a segment's chain of footers.
async fn listed_rows(rt: &Runtime, file: &File, id: LogId, segment: &SegmentRow) -> Result<Vec<RunRow>, String> {
    let (mut parts, mut position, mut length) = (Vec::new(), segment.footer_position, segment.footer_length);
    while length > 0 {
        let bytes = read(rt, file, position, u64::from(length)).await?;
        let footer = Footer::decode(&id, &bytes).ok_or_else(|| format!("footer at {position} fails its checksum"))?;
        if footer.previous_length > 0 && footer.previous >= position {
            return Err(format!("footer at {position} doesn't point backwards"));
        }
        (position, length) = (footer.previous, footer.previous_length);
        parts.push(footer.rows);
    }
    Ok(parts.into_iter().rev().flatten().collect())
}

async fn read(rt: &Runtime, file: &File, position: u64, length: u64) -> Result<Bytes, String> {
    let buf = rt.buffers().take(align(length) as usize);
    let (read, buf) = file.read_at(buf, position).await;
    let read = read.map_err(|e| e.to_string())? as u64;
    if read < length {
        return Err(format!("the file ends at {}, {} was expected", position + read, position + length));
    }
    Ok(buf.into_bytes().slice(..length as usize))
}
