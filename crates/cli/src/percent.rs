//! The percent language: one description of a record's text, for printing and for reading.
//!
//! Reading is printing turned round: a text ends where the literal behind it begins, or has the length that stood before
//! it (`%K`, `%V`, `%T`), or runs to the end of the input. A description that leaves this open can print but not read.

use bytes::Bytes;
use ouzel_client::Message;

use crate::text;

/// A record, as far as it has a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    pub topic: Bytes,
    pub key: Bytes,
    pub value: Bytes,
    pub headers: Vec<(Bytes, Bytes)>,
    pub partition: i64,
    pub offset: i64,
    pub epoch: i64,
    pub timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i64,
    pub attributes: i16,
    pub log_start: i64,
    pub last_stable: i64,
    pub high_watermark: i64,
    pub count: i64,
}

impl From<&Message> for View {
    fn from(message: &Message) -> View {
        let or_empty = |bytes: &Option<Bytes>| bytes.clone().unwrap_or_default();
        View {
            topic: Bytes::copy_from_slice(message.place.topic.as_bytes()),
            key: or_empty(&message.key),
            value: or_empty(&message.value),
            headers: message.headers.iter().map(|(name, value)| (name.clone(), or_empty(value))).collect(),
            partition: message.place.partition.into(),
            offset: message.offset.0,
            epoch: message.leader_epoch.into(),
            timestamp: message.timestamp.0,
            producer_id: message.producer_id,
            producer_epoch: message.producer_epoch.into(),
            attributes: message.attributes.0,
            log_start: -1,
            last_stable: -1,
            high_watermark: -1,
            count: 0,
        }
    }
}

/// A description of a record's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Literal(Vec<u8>),
    Text(Text, Coding),
    Number(Number, Digits),
    Headers(Layout),
    Attribute(Attribute),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Text {
    Topic,
    Key,
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Number {
    Length(Text),
    Headers,
    Partition,
    Offset,
    Epoch,
    Timestamp,
    ProducerId,
    ProducerEpoch,
    LogStart,
    LastStable,
    HighWatermark,
    Count,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Compression,
    TimestampType,
    Control,
    Transactional,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Plain,
    Hex,
    Base64,
    Base64Raw,
}

/// How a number is written. Sizes are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Digits {
    Ascii,
    Big(usize),
    Little(usize),
    Hex(usize),
    Bool,
}

/// Input that doesn't fit the description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unfit(pub String);

/// The fields that a description names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mentions {
    pub topic: bool,
    pub key: bool,
    pub value: bool,
    pub partition: bool,
    pub timestamp: bool,
}

/// What reading found.
// Made once per record and taken apart at once.
#[allow(clippy::large_enum_variant)]
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A record, and how many bytes it took.
    Record(View, usize),
    /// The input ends inside a record.
    More,
}

impl Layout {
    /// Of a description.
    pub fn parse(text: &str) -> Result<Layout, String> {
        let mut rest = text;
        let mut parts: Vec<Part> = Vec::new();
        let literal = |parts: &mut Vec<Part>, bytes: &[u8]| match parts.last_mut() {
            Some(Part::Literal(open)) => open.extend_from_slice(bytes),
            _ => parts.push(Part::Literal(bytes.to_vec())),
        };
        while let Some(first) = rest.chars().next() {
            rest = &rest[first.len_utf8()..];
            match first {
                '\\' => {
                    let (byte, behind) = escape(rest)?;
                    literal(&mut parts, &[byte]);
                    rest = behind;
                }
                '%' => {
                    let verb = rest.chars().next().ok_or("a lone % at the end: a percent sign is %%")?;
                    rest = &rest[verb.len_utf8()..];
                    if verb == '%' {
                        literal(&mut parts, b"%");
                        continue;
                    }
                    let (braces, behind) = braces(rest)?;
                    rest = behind;
                    parts.push(part(verb, braces)?);
                }
                other => literal(&mut parts, other.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if parts.is_empty() {
            return Err("an empty format".to_owned());
        }
        Ok(Layout { parts })
    }

    /// Adds a record's text.
    pub fn print(&self, view: &View, into: &mut Vec<u8>) {
        for part in &self.parts {
            match part {
                Part::Literal(bytes) => into.extend_from_slice(bytes),
                Part::Text(text, coding) => coding.print(text.of(view), into),
                Part::Number(number, digits) => digits.print(number.of(view), into),
                Part::Headers(inner) => {
                    for (key, value) in &view.headers {
                        let header = View { key: key.clone(), value: value.clone(), ..View::default() };
                        inner.print(&header, into);
                    }
                }
                Part::Attribute(attribute) => into.extend_from_slice(attribute.of(view).as_bytes()),
            }
        }
    }

    /// Whether records can be read by it, and why not.
    pub fn check_readable(&self) -> Result<(), String> {
        let mut sized: Vec<Number> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let last = index + 1 == self.parts.len();
            let ended = last || matches!(self.parts.get(index + 1), Some(Part::Literal(_)));
            match part {
                Part::Literal(_) => {}
                Part::Text(text, _) if sized.contains(&Number::Length(*text)) => {}
                Part::Text(text, _) if !ended => {
                    return Err(format!(
                        "nothing says where {} ends: put text behind it, or its length before it",
                        text.name()
                    ));
                }
                Part::Text(..) => {}
                Part::Number(Number::Count | Number::LogStart | Number::LastStable | Number::HighWatermark, _)
                | Part::Attribute(_) => {
                    return Err("%i, %[, %|, %] and %a can be printed but not read".to_owned());
                }
                Part::Number(number, digits) => {
                    if *digits == Digits::Ascii && !ended {
                        return Err(
                            "nothing says where a number ends: put text behind it, or give it a size".to_owned()
                        );
                    }
                    sized.push(*number);
                }
                Part::Headers(inner) => {
                    if !sized.contains(&Number::Headers) {
                        return Err("to read headers, say how many there are first: %H".to_owned());
                    }
                    inner.check_readable()?;
                    let open = inner.parts.last().is_some_and(|part| match part {
                        Part::Text(text, _) => !inner
                            .parts
                            .iter()
                            .any(|part| matches!(part, Part::Number(Number::Length(length), _) if length == text)),
                        Part::Number(_, digits) => *digits == Digits::Ascii,
                        _ => false,
                    });
                    if open {
                        return Err("nothing says where a header ends: put text behind it".to_owned());
                    }
                }
            }
        }
        match self.parts.iter().all(|part| matches!(part, Part::Literal(_))) {
            true => Err("a format to read by needs a field, such as %v".to_owned()),
            false => Ok(()),
        }
    }

    /// Which fields a record that is read by it brings.
    pub fn mentions(&self) -> Mentions {
        let text = |wanted| self.parts.iter().any(|part| matches!(part, Part::Text(text, _) if *text == wanted));
        let number =
            |wanted| self.parts.iter().any(|part| matches!(part, Part::Number(number, _) if *number == wanted));
        Mentions {
            topic: text(Text::Topic),
            key: text(Text::Key),
            value: text(Text::Value),
            partition: number(Number::Partition),
            timestamp: number(Number::Timestamp),
        }
    }

    /// Reads the record at the front of `input`, which isn't empty. With `ended` nothing follows it: a literal that ends
    /// the description may be missing there. [`Layout::check_readable`] must have said yes.
    pub fn read(&self, input: &[u8], ended: bool) -> Result<Found, Unfit> {
        let mut cursor = Cursor { input, at: 0, ended };
        let mut view = View::default();
        match self.read_into(&mut cursor, &mut view)? {
            Some(()) => Ok(Found::Record(view, cursor.at)),
            None if ended => Err(Unfit("the input ends inside a record".to_owned())),
            None => Ok(Found::More),
        }
    }

    fn read_into(&self, cursor: &mut Cursor<'_>, view: &mut View) -> Result<Option<()>, Unfit> {
        let mut lengths: Vec<(Number, usize)> = Vec::new();
        for (index, part) in self.parts.iter().enumerate() {
            let end = match self.parts.get(index + 1) {
                Some(Part::Literal(bytes)) => Some(bytes.as_slice()),
                _ => None,
            };
            let last = index + 1 == self.parts.len();
            match part {
                Part::Literal(bytes) => {
                    let Some(()) = cursor.literal(bytes, last)? else { return Ok(None) };
                }
                Part::Text(text, coding) => {
                    let length = lengths.iter().find(|(number, _)| *number == Number::Length(*text));
                    // The length is that of the text itself, before it was coded.
                    let raw = match length {
                        Some((_, length)) => cursor.take(coding.coded_len(*length)),
                        None => cursor.until(end, index + 2 == self.parts.len()),
                    };
                    let Some(raw) = raw else { return Ok(None) };
                    text.set(view, coding.read(raw)?);
                }
                Part::Number(number, digits) => {
                    let raw = match digits.size() {
                        Some(size) => cursor.take(size),
                        None => cursor.until(end, index + 2 == self.parts.len()),
                    };
                    let Some(raw) = raw else { return Ok(None) };
                    let value = digits.read(raw)?;
                    if let Number::Length(_) | Number::Headers = number {
                        let length = usize::try_from(value).ok().filter(|length| *length <= LENGTH_MAX);
                        let length = length.ok_or_else(|| Unfit(format!("a length of {value}")))?;
                        lengths.push((*number, length));
                    }
                    number.set(view, value);
                }
                Part::Headers(inner) => {
                    let count = lengths.iter().find(|(number, _)| *number == Number::Headers);
                    for _ in 0..count.map_or(0, |(_, count)| *count) {
                        let mut header = View::default();
                        let Some(()) = inner.read_into(cursor, &mut header)? else { return Ok(None) };
                        view.headers.push((header.key, header.value));
                    }
                }
                Part::Attribute(_) => return Err(Unfit("%a can't be read".to_owned())),
            }
        }
        Ok(Some(()))
    }
}

/// Longest text and most headers that a length may announce.
const LENGTH_MAX: usize = 64 << 20;

struct Cursor<'a> {
    input: &'a [u8],
    at: usize,
    ended: bool,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a [u8] {
        &self.input[self.at..]
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let taken = self.rest().get(..len)?;
        self.at += len;
        Some(taken)
    }

    fn literal(&mut self, bytes: &[u8], last: bool) -> Result<Option<()>, Unfit> {
        let rest = self.rest();
        if rest.starts_with(bytes) {
            self.at += bytes.len();
            return Ok(Some(()));
        }
        match rest.len() < bytes.len() && bytes.starts_with(rest) {
            // The last line of a file need not end as the others do.
            true if self.ended && last => {
                self.at = self.input.len();
                Ok(Some(()))
            }
            true => Ok(None),
            false => {
                let (want, got) =
                    (String::from_utf8_lossy(bytes), String::from_utf8_lossy(&rest[..rest.len().min(20)]));
                Err(Unfit(format!("{want:?} should stand where {got:?} does")))
            }
        }
    }

    /// Up to the literal behind, or to the end of the input where nothing has to follow.
    fn until(&mut self, end: Option<&[u8]>, end_is_last: bool) -> Option<&'a [u8]> {
        let rest = self.rest();
        let found = end.and_then(|end| rest.windows(end.len()).position(|window| window == end));
        match (found, end) {
            (Some(len), _) => self.take(len),
            (None, None) if self.ended => self.take(rest.len()),
            (None, Some(_)) if self.ended && end_is_last => self.take(rest.len()),
            _ => None,
        }
    }
}

fn escape(rest: &str) -> Result<(u8, &str), String> {
    let letter = rest.chars().next().ok_or("a lone \\ at the end: a backslash is \\\\")?;
    let behind = &rest[letter.len_utf8()..];
    let byte = match letter {
        'n' => b'\n',
        't' => b'\t',
        'r' => b'\r',
        '0' => 0,
        '\\' => b'\\',
        'x' => {
            let digits = behind.get(..2).and_then(|digits| text::from_hex(digits.as_bytes()));
            let digits = digits.ok_or("\\x needs two hexadecimal digits")?;
            return Ok((digits[0], &behind[2..]));
        }
        other => return Err(format!("\\{other} isn't known: \\n \\t \\r \\0 \\\\ \\xXX are")),
    };
    Ok((byte, behind))
}

/// What stands in braces, if any do; inner braces must match.
fn braces(rest: &str) -> Result<(Option<&str>, &str), String> {
    if !rest.starts_with('{') {
        return Ok((None, rest));
    }
    let mut depth = 0;
    for (at, char) in rest.char_indices() {
        match char {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Ok((Some(&rest[1..at]), &rest[at + 1..]));
        }
    }
    Err("a { without its }".to_owned())
}

fn part(verb: char, braces: Option<&str>) -> Result<Part, String> {
    let number = |number| Ok(Part::Number(number, digits(braces)?));
    let plain = |text| Ok(Part::Text(text, coding(braces)?));
    match verb {
        't' => plain(Text::Topic),
        'k' => plain(Text::Key),
        'v' => plain(Text::Value),
        'T' => number(Number::Length(Text::Topic)),
        'K' => number(Number::Length(Text::Key)),
        'V' => number(Number::Length(Text::Value)),
        'H' => number(Number::Headers),
        'p' => number(Number::Partition),
        'o' => number(Number::Offset),
        'e' => number(Number::Epoch),
        'd' => number(Number::Timestamp),
        'x' => number(Number::ProducerId),
        'y' => number(Number::ProducerEpoch),
        'i' => number(Number::Count),
        '[' => number(Number::LogStart),
        '|' => number(Number::LastStable),
        ']' => number(Number::HighWatermark),
        'h' => {
            let inner = Layout::parse(braces.ok_or("%h needs what to print of each header: %h{%k=%v }")?)?;
            let fits = |part: &Part| match part {
                Part::Literal(_) => true,
                Part::Text(text, _) | Part::Number(Number::Length(text), _) => *text != Text::Topic,
                _ => false,
            };
            match inner.parts.iter().all(fits) {
                true => Ok(Part::Headers(inner)),
                false => Err("a header has %k, %v, %K and %V only".to_owned()),
            }
        }
        'a' => Ok(Part::Attribute(match braces {
            Some("compression") => Attribute::Compression,
            Some("timestamp-type") => Attribute::TimestampType,
            Some("control") | Some("control-bit") => Attribute::Control,
            Some("transactional") | Some("transactional-bit") => Attribute::Transactional,
            _ => return Err("%a needs compression, timestamp-type, control or transactional in braces".to_owned()),
        })),
        other => Err(format!("%{other} isn't known; a percent sign is %%")),
    }
}

fn coding(braces: Option<&str>) -> Result<Coding, String> {
    match braces {
        None => Ok(Coding::Plain),
        Some("hex") => Ok(Coding::Hex),
        Some("base64") => Ok(Coding::Base64),
        Some("base64raw") => Ok(Coding::Base64Raw),
        Some(other) => Err(format!("a text can be {{hex}}, {{base64}} or {{base64raw}}, not {{{other}}}")),
    }
}

fn digits(braces: Option<&str>) -> Result<Digits, String> {
    Ok(match braces {
        None | Some("ascii") | Some("number") => Digits::Ascii,
        Some("big64") => Digits::Big(8),
        Some("big32") => Digits::Big(4),
        Some("big16") => Digits::Big(2),
        Some("big8") | Some("byte") | Some("little8") => Digits::Big(1),
        Some("little64") => Digits::Little(8),
        Some("little32") => Digits::Little(4),
        Some("little16") => Digits::Little(2),
        Some("hex64") => Digits::Hex(8),
        Some("hex32") => Digits::Hex(4),
        Some("hex16") => Digits::Hex(2),
        Some("hex8") => Digits::Hex(1),
        Some("bool") => Digits::Bool,
        Some(other) => {
            return Err(format!(
                "a number can be ascii, big8 to big64, little8 to little64, hex8 to hex64, not {other}"
            ));
        }
    })
}

impl Text {
    fn of(self, view: &View) -> &Bytes {
        match self {
            Text::Topic => &view.topic,
            Text::Key => &view.key,
            Text::Value => &view.value,
        }
    }

    fn set(self, view: &mut View, bytes: Vec<u8>) {
        let slot = match self {
            Text::Topic => &mut view.topic,
            Text::Key => &mut view.key,
            Text::Value => &mut view.value,
        };
        *slot = bytes.into();
    }

    fn name(self) -> &'static str {
        match self {
            Text::Topic => "%t",
            Text::Key => "%k",
            Text::Value => "%v",
        }
    }
}

impl Number {
    fn of(self, view: &View) -> i64 {
        match self {
            Number::Length(text) => text.of(view).len() as i64,
            Number::Headers => view.headers.len() as i64,
            Number::Partition => view.partition,
            Number::Offset => view.offset,
            Number::Epoch => view.epoch,
            Number::Timestamp => view.timestamp,
            Number::ProducerId => view.producer_id,
            Number::ProducerEpoch => view.producer_epoch,
            Number::LogStart => view.log_start,
            Number::LastStable => view.last_stable,
            Number::HighWatermark => view.high_watermark,
            Number::Count => view.count,
        }
    }

    fn set(self, view: &mut View, value: i64) {
        match self {
            Number::Partition => view.partition = value,
            Number::Offset => view.offset = value,
            Number::Epoch => view.epoch = value,
            Number::Timestamp => view.timestamp = value,
            Number::ProducerId => view.producer_id = value,
            Number::ProducerEpoch => view.producer_epoch = value,
            // Lengths show in what they measure; the others aren't read.
            Number::Length(_) | Number::Headers => {}
            Number::LogStart | Number::LastStable | Number::HighWatermark | Number::Count => {}
        }
    }
}

impl Attribute {
    fn of(self, view: &View) -> &'static str {
        let bit = |mask: i16| view.attributes & mask != 0;
        match self {
            Attribute::Compression => match view.attributes & 7 {
                0 => "none",
                1 => "gzip",
                2 => "snappy",
                3 => "lz4",
                4 => "zstd",
                _ => "unknown",
            },
            Attribute::TimestampType => {
                if bit(8) {
                    "LogAppendTime"
                } else {
                    "CreateTime"
                }
            }
            Attribute::Control => {
                if bit(32) {
                    "true"
                } else {
                    "false"
                }
            }
            Attribute::Transactional => {
                if bit(16) {
                    "true"
                } else {
                    "false"
                }
            }
        }
    }
}

impl Coding {
    fn print(self, bytes: &[u8], into: &mut Vec<u8>) {
        match self {
            Coding::Plain => into.extend_from_slice(bytes),
            Coding::Hex => into.extend_from_slice(text::hex(bytes).as_bytes()),
            Coding::Base64 => into.extend_from_slice(text::base64(bytes, true).as_bytes()),
            Coding::Base64Raw => into.extend_from_slice(text::base64(bytes, false).as_bytes()),
        }
    }

    fn read(self, raw: &[u8]) -> Result<Vec<u8>, Unfit> {
        let shown = || Unfit(format!("{:?} isn't what the format says", String::from_utf8_lossy(raw)));
        match self {
            Coding::Plain => Ok(raw.to_vec()),
            Coding::Hex => text::from_hex(raw).ok_or_else(shown),
            Coding::Base64 | Coding::Base64Raw => text::from_base64(raw).ok_or_else(shown),
        }
    }

    /// Bytes that `len` bytes take.
    fn coded_len(self, len: usize) -> usize {
        match self {
            Coding::Plain => len,
            Coding::Hex => 2 * len,
            Coding::Base64 => len.div_ceil(3) * 4,
            Coding::Base64Raw => (len * 8).div_ceil(6),
        }
    }
}

impl Digits {
    fn size(self) -> Option<usize> {
        match self {
            Digits::Ascii => None,
            Digits::Big(size) | Digits::Little(size) => Some(size),
            Digits::Hex(size) => Some(2 * size),
            Digits::Bool => Some(4),
        }
    }

    fn print(self, value: i64, into: &mut Vec<u8>) {
        match self {
            Digits::Ascii => into.extend_from_slice(value.to_string().as_bytes()),
            Digits::Big(size) => into.extend_from_slice(&value.to_be_bytes()[8 - size..]),
            Digits::Little(size) => into.extend_from_slice(&value.to_le_bytes()[..size]),
            Digits::Hex(size) => into.extend_from_slice(text::hex(&value.to_be_bytes()[8 - size..]).as_bytes()),
            Digits::Bool => into.extend_from_slice(if value != 0 { b"true" } else { b"false" }),
        }
    }

    fn read(self, raw: &[u8]) -> Result<i64, Unfit> {
        let shown = || Unfit(format!("{:?} isn't a number", String::from_utf8_lossy(raw)));
        let whole = |bytes: &[u8]| bytes.iter().fold(0i64, |value, byte| value << 8 | i64::from(*byte));
        match self {
            Digits::Ascii => std::str::from_utf8(raw).ok().and_then(|text| text.trim().parse().ok()).ok_or_else(shown),
            Digits::Big(_) => Ok(whole(raw)),
            Digits::Little(_) => Ok(whole(&raw.iter().rev().copied().collect::<Vec<u8>>())),
            Digits::Hex(_) => text::from_hex(raw).map(|bytes| whole(&bytes)).ok_or_else(shown),
            Digits::Bool => Err(Unfit("a number can't be read from a bool".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests;
