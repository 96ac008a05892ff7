//! Codecs: round trips, foreign variants of their framing, and damage. Bombs have a process of their own: `bombs.rs`.

use ouzel_records::{Codec, DecompressError, Limits, compress, decompress};

const MIB: usize = 1 << 20;

fn samples() -> Vec<Vec<u8>> {
    let mut state = 9u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let random: Vec<u8> = (0..200_000).map(|_| noise()).collect();
    let text = b"{\"user\":\"someone\",\"action\":\"clicked\",\"at\":1700000000000}".repeat(4_000);
    vec![vec![], vec![7], b"short".to_vec(), vec![0; 3 * MIB], text, random]
}

fn unpack(codec: Codec, bytes: &[u8], limits: Limits) -> Result<Vec<u8>, DecompressError> {
    let mut out = Vec::new();
    let done = decompress(codec, bytes, limits, &mut out);
    let allowed = limits.allowed(bytes.len());
    assert!(out.capacity() <= allowed + 1 + 8, "{codec:?} holds {} of {allowed}", out.capacity());
    done.map(|()| out)
}

fn check_damaged(codec: Codec, bytes: &[u8]) {
    let got = unpack(codec, bytes, Limits::default());
    assert!(matches!(got, Err(DecompressError::Damaged { .. })), "{codec:?} {got:?}");
}

#[test]
fn what_goes_in_comes_out_and_always_the_same() {
    for sample in samples() {
        for codec in Codec::ALL {
            for level in [None, Some(i32::MIN), Some(1), Some(i32::MAX)] {
                if codec == Codec::Zstd && level == Some(i32::MAX) && sample.len() > MIB {
                    continue; // The strongest level is slow, and nothing about it is ours.
                }
                let packed = compress(codec, level, &sample);
                assert!(codec.starts(&packed) || sample.is_empty());
                assert_eq!(packed, compress(codec, level, &sample));
                let out = unpack(codec, &packed, Limits { ratio_max: usize::MAX, ..Limits::default() });
                assert_eq!(out.unwrap(), sample, "{codec:?} {level:?}");
            }
        }
    }
}

#[test]
fn names_and_numbers_lead_back() {
    for codec in Codec::ALL {
        assert_eq!(Codec::from_name(codec.name()), Some(codec));
        assert_eq!(Codec::from_number(codec.number()), Some(codec));
    }
    assert_eq!(Codec::from_name("uncompressed"), Some(Codec::None));
    assert_eq!((Codec::from_name("producer"), Codec::from_number(5)), (None, None));
}

#[test]
fn raw_snappy_and_xerial_read_alike() {
    let text = b"the same words, the same words, the same words".repeat(3_000);
    let raw = snap::raw::Encoder::new().compress_vec(&text).unwrap();
    assert_eq!(unpack(Codec::Snappy, &raw, Limits::default()).unwrap(), text);
    let xerial = compress(Codec::Snappy, None, &text);
    assert_eq!(xerial[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    assert_eq!(unpack(Codec::Snappy, &xerial, Limits::default()).unwrap(), text);
}

#[test]
fn linked_and_checked_lz4_frames_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use std::io::Write;
    let text: Vec<u8> = samples().swap_remove(4);
    for mode in [BlockMode::Linked, BlockMode::Independent] {
        for size in [BlockSize::Max64KB, BlockSize::Max4MB] {
            for checked in [false, true] {
                let frame = FrameInfo::new().block_mode(mode).block_size(size);
                let frame = frame.content_checksum(checked).block_checksums(checked);
                let frame = frame.content_size(checked.then_some(text.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(frame, Vec::new());
                encoder.write_all(&text).unwrap();
                let packed = encoder.finish().unwrap();
                assert_eq!(unpack(Codec::Lz4, &packed, Limits::default()).unwrap(), text);
                check_damaged(Codec::Lz4, &packed[..packed.len() - 1]);
                let end = if checked { 8 } else { 4 };
                check_damaged(Codec::Lz4, &packed[..packed.len() - end]);
                check_damaged(Codec::Lz4, &[&packed[..], b"more"].concat());
            }
        }
    }
}

#[test]
fn members_and_frames_in_a_row_are_one_stream() {
    for codec in [Codec::Gzip, Codec::Zstd] {
        let two = [compress(codec, None, b"first "), compress(codec, None, b"second")].concat();
        assert_eq!(unpack(codec, &two, Limits::default()).unwrap(), b"first second");
    }
}

#[test]
fn cut_and_foreign_bytes_are_damage() {
    let text = b"some words that are not long".repeat(50);
    for codec in &Codec::ALL[1..] {
        let packed = compress(*codec, None, &text);
        for len in 0..packed.len() {
            let got = unpack(*codec, &packed[..len], Limits::default());
            // A cut between two xerial blocks is a shorter stream; the record count will tell.
            let between_blocks = *codec == Codec::Snappy && len == 16;
            assert!(between_blocks || matches!(got, Err(DecompressError::Damaged { .. })), "{codec:?} {len}: {got:?}");
        }
        check_damaged(*codec, b"");
        if *codec != Codec::Snappy {
            check_damaged(*codec, &text);
        }
    }
}

#[test]
fn declared_sizes_are_never_believed() {
    // Raw snappy that says 4 GiB - 1; xerial with a block that does, and one whose length is 4 GiB - 1.
    check_damaged(Codec::Snappy, &[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    let xerial = &compress(Codec::Snappy, None, b"x")[..16];
    check_damaged(Codec::Snappy, &[xerial, &[0, 0, 0, 6, 0xff, 0xff, 0xff, 0xff, 0x0f, 0]].concat());
    check_damaged(Codec::Snappy, &[xerial, &[0xff, 0xff, 0xff, 0xff, 0, 0]].concat());
    // Zstd: a window of 2^41 bytes; a content size of 2^62 in a frame of nothing.
    check_damaged(Codec::Zstd, &[0x28, 0xb5, 0x2f, 0xfd, 0x00, 31 << 3, 1, 0, 0]);
    let size = [0x28, 0xb5, 0x2f, 0xfd, 0b1110_0000, 0, 0, 0, 0, 0, 0, 0, 0x40, 1, 0, 0];
    check_damaged(Codec::Zstd, &size);
    // Gzip: an extra field and a name that never end.
    check_damaged(Codec::Gzip, &[0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 1, 2, 3]);
    let name = [&[0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3][..], &vec![b'a'; MIB]].concat();
    check_damaged(Codec::Gzip, &name);
}
