//! Small texts and what they mean: sizes, pairs, base64, hex, the nearest name.

use ouzel_client::{Acks, Codec};

/// Bytes from `4096`, `512M`, `4GiB`; K, M, G and T are powers of 1,024.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let shift = match text[digits.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(format!("`{text}` isn't a size such as 512M or 4GiB")),
    };
    let number: u64 = digits.parse().map_err(|_| format!("`{text}` isn't a size such as 512M or 4GiB"))?;
    number.checked_mul(1 << shift).ok_or_else(|| format!("`{text}` is too large"))
}

/// `name=value`; the name isn't empty.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` isn't of the form name=value")),
    }
}

/// A codec by its name.
pub fn codec(text: &str) -> Result<Codec, String> {
    Codec::from_name(text).ok_or_else(|| format!("`{text}` isn't none, gzip, snappy, lz4 or zstd"))
}

/// `all`, `-1`, `1` or `0`.
pub fn acks(text: &str) -> Result<Acks, String> {
    match text {
        "all" | "-1" => Ok(Acks::All),
        "1" => Ok(Acks::Leader),
        "0" => Ok(Acks::None),
        _ => Err(format!("`{text}` isn't all, 1 or 0")),
    }
}

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, with padding if asked.
pub fn base64(bytes: &[u8], padded: bool) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for digit in 0..4 {
            match digit <= chunk.len() {
                true => text.push(BASE64[(word >> (18 - 6 * digit)) as usize & 63] as char),
                false if padded => text.push('='),
                false => {}
            }
        }
    }
    text
}

/// Of RFC 4648, with or without padding; `None` for anything else.
pub fn from_base64(text: &[u8]) -> Option<Vec<u8>> {
    let digits = match text {
        [digits @ .., b'=', b'='] if text.len().is_multiple_of(4) => digits,
        [digits @ .., b'='] if text.len().is_multiple_of(4) => digits,
        digits => digits,
    };
    let mut bytes = Vec::with_capacity(digits.len() / 4 * 3 + 2);
    for chunk in digits.chunks(4) {
        let mut word = 0u32;
        for digit in chunk {
            word = word << 6 | BASE64.iter().position(|known| known == digit)? as u32;
        }
        let whole = chunk.len() * 6 / 8;
        let spare = chunk.len() * 6 % 8;
        if whole == 0 || word & ((1 << spare) - 1) != 0 {
            return None;
        }
        let word = (word >> spare).to_be_bytes();
        bytes.extend_from_slice(&word[4 - whole..]);
    }
    Some(bytes)
}

/// Two lower-case digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Of [`hex`], either case; `None` for anything else.
pub fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.chunks(2).map(pair).collect()
}

/// The name most like `wanted`, if one is like it at all: at most a third of its letters wrong.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (wanted.chars().count() / 3).max(1);
    let near = names.map(|name| (distance(wanted, name), name)).min()?;
    (near.0 <= allowed).then_some(near.1)
}

/// Edits from one text to the other. Source: Levenshtein.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = replaced.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_powers_of_1024() {
        let check = |text, expect| assert_eq!(size(text).ok(), expect, "{text}");
        check("4096", Some(4096));
        check("512M", Some(512 << 20));
        check("4GiB", Some(4 << 30));
        check("1kb", Some(1024));
        for bad in ["", "M", "1X", "-1", "1.5G", "99999999999T"] {
            check(bad, None);
        }
    }

    #[test]
    fn base64_and_hex_come_back() {
        let mut bytes = Vec::new();
        for next in 0..=255u8 {
            for padded in [true, false] {
                assert_eq!(from_base64(base64(&bytes, padded).as_bytes()).as_ref(), Some(&bytes));
            }
            assert_eq!(from_hex(hex(&bytes).as_bytes()).as_ref(), Some(&bytes));
            bytes.push(next.wrapping_mul(31));
        }
        assert_eq!(base64(b"foobar!", true), "Zm9vYmFyIQ==");
        for bad in ["A", "AB=", "A===", "====", "AA*A", "AB"] {
            assert_eq!(from_base64(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(from_hex(b"0"), None);
        assert_eq!(from_hex(b"0g"), None);
    }

    #[test]
    fn the_nearest_name_is_near() {
        let names = ["orders", "payments", "hello"];
        let check = |wanted, expect| assert_eq!(nearest(wanted, names.into_iter()), expect, "{wanted}");
        check("order", Some("orders"));
        check("helo", Some("hello"));
        check("payment", Some("payments"));
        check("xyz", None);
    }
}
