//! RAW controls: what the machine itself gives, in the same run. They are the denominators, and tell when a window isn't
//! comparable.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};

use crate::load::histogram;
use crate::machine::{memory, own_cpu_seconds};

/// One round of controls.
#[derive(Clone, Copy, Debug)]
pub struct Control {
    /// 4 KiB over written blocks and fdatasync, p50, us.
    pub sync_p50: f64,
    /// The same, p99.
    pub sync_p99: f64,
    /// 100 bytes to another thread and back by TCP, p50, us.
    pub echo_p50: f64,
    /// 64 KiB writes through loopback TCP, 10^6 bytes per second.
    pub copy_mb_per_s: f64,
    /// CPU-seconds of both ends per 10^9 bytes of that.
    pub copy_cpu_per_gb: f64,
}

/// Runs all three, each for about `each`.
pub fn run(dir: &Path, each: Duration) -> Result<Control> {
    let (sync_p50, sync_p99) = sync(dir, each)?;
    let echo_p50 = echo(each)?;
    let (copy_mb_per_s, copy_cpu_per_gb) = copy(each)?;
    Ok(Control { sync_p50, sync_p99, echo_p50, copy_mb_per_s, copy_cpu_per_gb })
}

fn sync(dir: &Path, each: Duration) -> Result<(f64, f64)> {
    const BLOCKS: u64 = 256;
    let path = dir.join("control-sync");
    let block = [0x5a; 4096];
    let file = File::options().create(true).truncate(false).write(true).open(path)?;
    for n in 0..BLOCKS {
        file.write_all_at(&block, n * 4096)?;
    }
    file.sync_all()?;
    let mut times = histogram();
    let end = Instant::now() + each;
    for n in (0..BLOCKS).cycle() {
        let begin = Instant::now();
        file.write_all_at(&block, n * 4096)?;
        file.sync_data()?;
        times.saturating_record(begin.elapsed().as_micros() as u64);
        if Instant::now() >= end {
            break;
        }
    }
    Ok((times.value_at_quantile(0.5) as f64, times.value_at_quantile(0.99) as f64))
}

fn pair() -> Result<(TcpStream, TcpStream)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let one = TcpStream::connect(listener.local_addr()?)?;
    let (other, _) = listener.accept()?;
    for stream in [&one, &other] {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        stream.set_write_timeout(Some(Duration::from_secs(30)))?;
    }
    Ok((one, other))
}

fn echo(each: Duration) -> Result<f64> {
    let (mut one, mut other) = pair()?;
    let answering = thread::spawn(move || {
        let mut buf = [0; 100];
        while other.read_exact(&mut buf).is_ok() && other.write_all(&buf).is_ok() {}
    });
    let (mut times, mut buf) = (histogram(), [0; 100]);
    let end = Instant::now() + each;
    while Instant::now() < end {
        let begin = Instant::now();
        one.write_all(&buf)?;
        one.read_exact(&mut buf)?;
        times.saturating_record(begin.elapsed().as_micros() as u64);
    }
    drop(one);
    answering.join().map_err(|_| anyhow!("the echo panicked"))?;
    Ok(times.value_at_quantile(0.5) as f64)
}

fn copy(each: Duration) -> Result<(f64, f64)> {
    let (mut one, mut other) = pair()?;
    let reading = thread::spawn(move || {
        let (mut buf, mut bytes, before) = (vec![0; 64 << 10], 0u64, own_cpu_seconds());
        while let Ok(n @ 1..) = other.read(&mut buf) {
            bytes += n as u64;
        }
        (bytes, own_cpu_seconds() - before)
    });
    let (buf, before, begin) = (vec![0x5a; 64 << 10], own_cpu_seconds(), Instant::now());
    while begin.elapsed() < each {
        one.write_all(&buf)?;
    }
    drop(one);
    let (bytes, theirs) = reading.join().map_err(|_| anyhow!("the reader panicked"))?;
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), own_cpu_seconds() - before + theirs);
    Ok((bytes as f64 / 1e6 / seconds, cpu / (bytes as f64 / 1e9)))
}

/// Fills the page cache, so that new pages are recycled ones: reads a file of holes as large as the memory that is free, but for
/// 512 MiB. Takes no disk. Returns the bytes read.
pub fn fill_page_cache(dir: &Path, bytes_max: u64) -> Result<u64> {
    let bytes = memory("MemFree").saturating_sub(512 << 20).min(bytes_max);
    let path = dir.join("control-fill");
    File::create(&path)?.set_len(bytes)?;
    let (mut file, mut buf) = (File::open(&path)?, vec![0; 1 << 20]);
    while file.read(&mut buf)? > 0 {}
    Ok(bytes)
}

/// CPU-seconds per 10^9 bytes of plain 1 MiB writes to a new file: above 0.3 the page cache isn't filled.
pub fn plain_write(dir: &Path, bytes: u64) -> Result<f64> {
    let path = dir.join(format!("control-plain-{}", fs::read_dir(dir)?.count()));
    let (mut file, buf) = (File::create(path)?, vec![0x5a; 1 << 20]);
    let before = own_cpu_seconds();
    for _ in 0..bytes >> 20 {
        file.write_all(&buf)?;
    }
    let cpu = own_cpu_seconds() - before;
    file.sync_all()?;
    Ok(cpu / ((bytes >> 20 << 20) as f64 / 1e9))
}
