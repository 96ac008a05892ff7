//! A record as JSON, the same for printing and for reading. Bytes that aren't text go by base64, so nothing is lost.

use bytes::Bytes;
use ouzel_client::{Message, Outgoing};
use ouzel_model::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::text;

#[derive(Serialize)]
struct Printed<'a> {
    topic: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
    headers: Vec<PrintedHeader<'a>>,
    timestamp: i64,
    partition: i32,
    offset: i64,
}

#[derive(Serialize)]
struct PrintedHeader<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key_base64: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

/// Text as it is, or base64; null is text here.
fn shown(bytes: Option<&[u8]>) -> (Option<Option<&str>>, Option<String>) {
    match bytes.map(|bytes| (std::str::from_utf8(bytes), bytes)) {
        None => (Some(None), None),
        Some((Ok(text), _)) => (Some(Some(text)), None),
        Some((Err(_), bytes)) => (None, Some(text::base64(bytes, true))),
    }
}

/// Adds a record's JSON and a line end; `values` off leaves the value out.
pub fn print_json(message: &Message, values: bool, pretty: bool, into: &mut Vec<u8>) {
    let (key, key_base64) = shown(message.key.as_deref());
    let (value, value_base64) = if values { shown(message.value.as_deref()) } else { (None, None) };
    let headers = message.headers.iter().map(|(name, value)| {
        let (key, key_base64) = shown(Some(name));
        let (value, value_base64) = shown(value.as_deref());
        PrintedHeader { key: key.flatten(), key_base64, value, value_base64 }
    });
    let printed = Printed {
        topic: &message.place.topic,
        key,
        key_base64,
        value,
        value_base64,
        headers: headers.collect(),
        timestamp: message.timestamp.0,
        partition: message.place.partition,
        offset: message.offset.0,
    };
    // Strings and numbers always have a JSON form, and a vector takes all that is written.
    let written = if pretty {
        serde_json::to_writer_pretty(&mut *into, &printed)
    } else {
        serde_json::to_writer(&mut *into, &printed)
    };
    debug_assert!(written.is_ok());
    into.push(b'\n');
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "topic")]
    _topic: Option<String>,
    key: Option<Value>,
    key_base64: Option<String>,
    value: Option<Value>,
    value_base64: Option<String>,
    #[serde(default)]
    headers: Vec<ReadHeader>,
    timestamp: Option<i64>,
    partition: Option<i32>,
    #[serde(rename = "offset")]
    _offset: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadHeader {
    key: Option<String>,
    key_base64: Option<String>,
    value: Option<Value>,
    value_base64: Option<String>,
}

/// A text as its bytes, null as nothing, any other JSON as written.
fn bytes_of(plain: Option<Value>, base64: Option<String>) -> Result<Option<Bytes>, String> {
    match (plain, base64) {
        (_, Some(base64)) => match text::from_base64(base64.as_bytes()) {
            Some(bytes) => Ok(Some(bytes.into())),
            None => Err(format!("{base64:?} isn't base64")),
        },
        (None | Some(Value::Null), None) => Ok(None),
        (Some(Value::String(text)), None) => Ok(Some(text.into())),
        (Some(other), None) => Ok(Some(other.to_string().into())),
    }
}

/// What reading JSON found.
pub enum Json {
    /// A record, and how many bytes it took, those before it included.
    Record(Outgoing, usize),
    /// The input ends inside a record.
    More,
    /// There is nothing but white space.
    Blank,
}

/// Reads the record at the front of `input`, as printed above; topic and offset are ignored.
pub fn read_json(input: &[u8]) -> Result<Json, String> {
    let mut stream = serde_json::Deserializer::from_slice(input).into_iter::<Read>();
    let read = match stream.next() {
        None => return Ok(Json::Blank),
        Some(Err(error)) if error.is_eof() => return Ok(Json::More),
        Some(Err(error)) => return Err(format!("not a record in JSON: {error}")),
        Some(Ok(read)) => read,
    };
    let used = stream.byte_offset();
    let mut headers = Vec::new();
    for header in read.headers {
        let key = match (header.key, header.key_base64) {
            (Some(key), None) => key,
            (None, Some(base64)) => {
                let bytes = text::from_base64(base64.as_bytes()).and_then(|bytes| String::from_utf8(bytes).ok());
                bytes.ok_or("a header's key isn't text, which this client can't write")?
            }
            _ => return Err("a header needs a key".to_owned()),
        };
        headers.push((key, bytes_of(header.value, header.value_base64)?));
    }
    let record = Outgoing {
        key: bytes_of(read.key, read.key_base64)?,
        value: bytes_of(read.value, read.value_base64)?,
        headers,
        timestamp: read.timestamp.map(Timestamp),
        partition: read.partition,
    };
    Ok(Json::Record(record, used))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ouzel_client::Place;
    use ouzel_model::Offset;

    fn message(key: Option<&'static [u8]>, value: Option<&'static [u8]>) -> Message {
        Message {
            place: Place::new("t", 3),
            offset: Offset(9),
            leader_epoch: 0,
            timestamp: Timestamp(1_700_000_000_000),
            attributes: Default::default(),
            producer_id: -1,
            producer_epoch: -1,
            key: key.map(Bytes::from_static),
            value: value.map(Bytes::from_static),
            headers: vec![("h".into(), None), ("i".into(), Some(Bytes::from_static(&[0xff])))],
        }
    }

    #[test]
    fn json_reads_back_for_text_bytes_and_null() {
        let parts = [None, Some(&b""[..]), Some(b"text \"q\" \n"), Some(&[0xff, 0, 0xfe])];
        for key in parts {
            for value in parts {
                for pretty in [false, true] {
                    let message = message(key, value);
                    let mut printed = Vec::new();
                    print_json(&message, true, pretty, &mut printed);
                    let Ok(Json::Record(read, used)) = read_json(&printed) else { panic!("it is a record") };
                    assert_eq!((read.key, read.value), (message.key, message.value));
                    assert_eq!(read.headers, [("h".into(), None), ("i".into(), Some(Bytes::from_static(&[0xff])))]);
                    assert_eq!((read.timestamp, read.partition), (Some(message.timestamp), Some(3)));
                    assert_eq!(used, printed.len() - 1);
                    let cut = printed.len() - 2;
                    assert!(matches!(read_json(&printed[..cut]), Ok(Json::More)));
                }
            }
        }
    }

    #[test]
    fn the_shape_is_pinned() {
        let mut printed = Vec::new();
        print_json(&message(Some(b"k"), Some(&[0xff])), true, false, &mut printed);
        let expect = r#"{"topic":"t","key":"k","value_base64":"/w==","headers":[{"key":"h","value":null},{"key":"i","value_base64":"/w=="}],"timestamp":1700000000000,"partition":3,"offset":9}"#;
        assert_eq!(String::from_utf8(printed).unwrap().trim_end(), expect);
        let mut printed = Vec::new();
        print_json(&message(None, Some(b"v")), false, false, &mut printed);
        assert!(String::from_utf8(printed).unwrap().starts_with(r#"{"topic":"t","key":null,"headers":"#));
    }

    #[test]
    fn what_is_no_record_is_said() {
        for bad in ["1", "[]", "{\"valeu\":1}", "{\"value_base64\":\"*\"}", "{\"headers\":[{}]}"] {
            assert!(read_json(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(matches!(read_json(b" \n"), Ok(Json::Blank)));
        let Ok(Json::Record(read, _)) = read_json(b"{\"value\":{\"a\":[1]}}") else { panic!("it is a record") };
        assert_eq!(read.value, Some("{\"a\":[1]}".into()));
    }
}
