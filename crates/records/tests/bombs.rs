//! Few bytes that would become a gigabyte. One test, alone in its process, because it watches the process's memory.

use ouzel_records::{Codec, DecompressError, Limits, compress, decompress};

const MIB: usize = 1 << 20;

fn unpack(codec: Codec, bytes: &[u8], limits: Limits) -> Result<Vec<u8>, DecompressError> {
    let mut out = Vec::new();
    decompress(codec, bytes, limits, &mut out).map(|()| out)
}

/// One bomb: about `MIB * of` bytes come out of few.
fn bomb(codec: Codec, of: usize) -> Vec<u8> {
    match codec {
        Codec::None => vec![0; of * MIB],
        // A member of 1 MiB takes about 1 KiB; members repeat.
        Codec::Gzip => compress(codec, None, &vec![0; MIB]).repeat(of),
        // One xerial block of 32 KiB, repeated.
        Codec::Snappy => {
            let packed = compress(codec, None, &vec![0; 32 << 10]);
            [&packed[..16], &packed[16..].repeat(of * 32)].concat()
        }
        // One block of 64 KiB, repeated between the frame's header and its end mark.
        Codec::Lz4 => {
            let packed = compress(codec, None, &vec![0; 64 << 10]);
            let (header, end) = (7, packed.len() - 4);
            [&packed[..header], &packed[header..end].repeat(of * 16), &packed[end..]].concat()
        }
        // Window 2 MiB, no size declared, then blocks of one byte repeated 128 KiB times: 4 bytes each.
        Codec::Zstd => {
            let block = |last: u32| {
                let header = (128u32 << 10) << 3 | 1 << 1 | last;
                [header as u8, (header >> 8) as u8, (header >> 16) as u8, 0]
            };
            let header = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 11 << 3];
            [&header[..], &block(0).repeat(of * 8 - 1), &block(1)].concat()
        }
    }
}

/// Most memory this process ever held, bytes; `None` where the kernel doesn't say.
#[allow(clippy::disallowed_methods, reason = "a test watches its own process; no runtime is near")]
fn memory_peak() -> Option<usize> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_ascii_whitespace().nth(1)?.parse::<usize>().ok().map(|kib| kib << 10)
}

#[test]
fn a_bomb_stops_at_the_cap_in_bounded_memory() {
    for codec in &Codec::ALL[1..] {
        // The bomb is a real one: a small one of its kind comes out whole.
        let whole = Limits { output_max: usize::MAX >> 1, ratio_max: usize::MAX };
        assert_eq!(unpack(*codec, &bomb(*codec, 4), whole).unwrap(), vec![0; 4 * MIB], "{codec:?}");

        // A gigabyte each, but for snappy, which can't shrink more than 21-fold: 128 MiB from 6.
        let bomb = bomb(*codec, if *codec == Codec::Snappy { 128 } else { 1024 });
        let cap = 16 * MIB;
        let before = memory_peak();
        let got = unpack(*codec, &bomb, Limits { output_max: cap, ratio_max: usize::MAX });
        assert!(matches!(got, Err(DecompressError::TooLarge { allowed }) if allowed == cap), "{codec:?} {got:?}");
        if let (Some(before), Some(after)) = (before, memory_peak()) {
            // The output so far, its copy while it grows, the codec's own buffers (lz4 blocks, zstd's window).
            assert!(after - before <= cap + cap / 2 + 8 * MIB, "{codec:?} took {} MiB", (after - before) / MIB);
        }
        // By ratio alone, however large the cap.
        let limits = Limits { output_max: usize::MAX >> 1, ratio_max: 4 };
        let allowed = (4 * bomb.len()).max(Limits::RATIO_FREE);
        let got = unpack(*codec, &bomb, limits);
        assert!(matches!(got, Err(DecompressError::TooLarge { allowed: a }) if a == allowed), "{codec:?}");
    }
    // A window of 128 MiB is legal (zstd's level 22 declares it), and costs only what is written to it.
    let before = memory_peak();
    let tiny = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 17 << 3, 9, 0, 0, b'x'];
    assert_eq!(unpack(Codec::Zstd, &tiny, Limits::default()).unwrap(), b"x");
    let larger = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 18 << 3, 9, 0, 0, b'x'];
    assert!(matches!(unpack(Codec::Zstd, &larger, Limits::default()), Err(DecompressError::Damaged { .. })));
    if let (Some(before), Some(after)) = (before, memory_peak()) {
        assert!(after - before <= MIB, "a declared window took {} MiB", (after - before) / MIB);
    }
}
