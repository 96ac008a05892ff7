//! Frames of every API, damaged in every way we could think of: decoding ends, and within its memory.

use bytes::Bytes;

use super::{BUDGET, Chance, made_up};
use crate::message::{Message, Request, RequestHeader, decode_response_header, encode_request, encode_response};
use crate::{ApiKey, Decoder};

const FRAMES: u64 = 240_000;

/// How a frame of an API is decoded, as a request or as a response; says whether it was one, and its cost.
type Decode = fn(&Bytes, i16) -> (bool, usize);

struct Seed {
    version: i16,
    frame: Vec<u8>,
    decode: Decode,
}

fn decode_request<R: Request>(frame: &Bytes, _: i16) -> (bool, usize) {
    let mut d = Decoder::new(frame, BUDGET);
    let body = RequestHeader::decode(&mut d).and_then(|header| R::decode(&mut d, header.version));
    // What a caller does with it is mostly to look.
    let length = body.as_ref().map_or(0, |body| format!("{body:?}").len());
    (body.is_ok() && length > 0, BUDGET - d.budget())
}

fn decode_response<M: Message>(frame: &Bytes, version: i16) -> (bool, usize) {
    let mut d = Decoder::new(frame, BUDGET);
    let body = decode_response_header(&mut d, M::KEY, version).and_then(|_| M::decode(&mut d, version));
    (body.is_ok(), BUDGET - d.budget())
}

macro_rules! seeds {
    ($(($name:ident, $module:ident, $request:ident, $response:ident))*) => {{
        let mut seeds = Vec::new();
        $(
            let (min, max) = ApiKey::$name.versions();
            for version in min..=max {
                let request: crate::$module::$request = made_up(version, 3);
                let frame = encode_request(version, 1, Some("fuzz"), &request).unwrap().concat().split_off(4);
                seeds.push(Seed { version, frame, decode: decode_request::<crate::$module::$request> });
                let response: crate::$module::$response = made_up(version, 4);
                let frame = encode_response(version, 1, &response).unwrap().concat().split_off(4);
                seeds.push(Seed { version, frame, decode: decode_response::<crate::$module::$response> });
            }
        )*
        seeds
    }};
}

fn damage(frame: &mut Vec<u8>, other: &[u8], chance: &mut Chance) {
    let place = |frame: &Vec<u8>, chance: &mut Chance| chance.below(frame.len() as u64 + 1) as usize;
    let at = place(frame, chance);
    match chance.below(9) {
        0 if at < frame.len() => frame[at] ^= 1 << chance.below(8),
        1 if at < frame.len() => frame[at] = [0, 1, 0x7f, 0x80, 0xff][chance.below(5) as usize],
        // Lengths and counts: the largest, -2, null, one, a million.
        2 if at + 4 <= frame.len() => {
            let number = [i32::MAX, -2, -1, 1, 1_000_000][chance.below(5) as usize];
            frame[at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        3 => frame.truncate(at),
        4 => frame.insert(at, chance.next() as u8),
        5 if at < frame.len() => drop(frame.remove(at)),
        // A varint that is long, overflowing, or large.
        6 => {
            let bytes: &[u8] =
                [b"\xff\xff\xff\xff\x0f", b"\x80\x80\x80\x80\x80", b"\xff\xff\x7f\x00\x00"][chance.below(3) as usize];
            drop(frame.splice(at..(at + 5).min(frame.len()), bytes.iter().copied()));
        }
        7 => {
            let end = place(frame, chance);
            let part = frame[at.min(end)..at.max(end)].to_vec();
            drop(frame.splice(at..at, part.into_iter().take(64)));
        }
        _ => {
            let from = chance.below(other.len() as u64) as usize;
            frame.truncate(at);
            frame.extend(&other[from..]);
        }
    }
}

#[test]
fn a_damaged_frame_is_refused_or_read_within_its_memory() {
    let seeds: Vec<Seed> = crate::each_api!(seeds);
    let mut chance = Chance::new(44);
    let (mut read, mut refused) = (0u64, 0u64);
    for round in 0..FRAMES {
        let seed = &seeds[(round % seeds.len() as u64) as usize];
        let other = &seeds[chance.below(seeds.len() as u64) as usize].frame;
        let mut frame = seed.frame.clone();
        for _ in 0..=chance.below(3) {
            damage(&mut frame, other, &mut chance);
        }
        let frame = Bytes::from(frame);
        let (ok, cost) = (seed.decode)(&frame, seed.version);
        // The worst element is one byte in a frame and 32 in memory (an empty string), and a Vec may be half empty.
        assert!(cost <= 2 * ELEMENT_RATIO_MAX * frame.len() + 256 * 1024, "{cost} bytes of memory for {}", frame.len());
        if ok { read += 1 } else { refused += 1 }
    }
    assert!(read > FRAMES / 10 && refused > FRAMES / 10, "one-sided: {read} read, {refused} refused");
}

#[test]
fn whole_frames_are_the_control() {
    let seeds: Vec<Seed> = crate::each_api!(seeds);
    assert!(seeds.iter().all(|seed| (seed.decode)(&Bytes::from(seed.frame.clone()), seed.version).0));
}

/// Largest ratio of an element's memory to its least bytes in a frame, over all arrays.
const ELEMENT_RATIO_MAX: usize = 64;
