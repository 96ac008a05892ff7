//! Text to value and back, by Kafka's rules.

use std::fmt;

use super::list::{Found, Scope, find, names};
use super::nearest::nearest;
use super::setting::{Bounds, Effect, Setting, ValueType};

/// Longest value, bytes. Source: Kafka stores the length in 15 bits.
pub const VALUE_BYTES_MAX: usize = 32_767;

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Of a Boolean.
    Bool(bool),
    /// Of a Short, Int or Long.
    Int(i64),
    /// Of a Double; finite.
    Double(f64),
    /// Of a String, Class or Password.
    Text(String),
    /// Of a List, without empty words.
    List(Vec<String>),
}

/// The canonical text: as Kafka reports it.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Bool(value) => value.fmt(f),
            Value::Int(value) => value.fmt(f),
            // Debug keeps the decimal point of whole numbers, as Java does.
            Value::Double(value) => fmt::Debug::fmt(value, f),
            Value::Text(value) => f.write_str(value),
            Value::List(words) => f.write_str(&words.join(",")),
        }
    }
}

/// Why a setting isn't taken. The texts are Kafka's where it has one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// No broker that we know of has such a setting.
    #[error("Unknown {scope} config name: {name}{}", hint(*.nearest))]
    Unknown {
        /// `topic`, `group` or `broker`.
        scope: &'static str,
        /// What was asked for, cut at 128 bytes.
        name: String,
        /// The known name most like it, if any is.
        nearest: Option<&'static str>,
    },
    /// The text isn't a legal value.
    #[error("Invalid value {value} for configuration {name}: {why}")]
    Invalid {
        /// The setting.
        name: String,
        /// The text, or `[hidden]` of a sensitive one, cut at 128 bytes.
        value: String,
        /// What is wrong.
        why: String,
    },
    /// The value is legal in Kafka, but what it asks for isn't built.
    #[error("Configuration {name} can't be {value}: {why}")]
    Refused {
        /// The setting.
        name: String,
        /// The text, or `[hidden]`.
        value: String,
        /// What is missing.
        why: &'static str,
    },
    /// Over [`VALUE_BYTES_MAX`].
    #[error(
        "The configuration value cannot be added because it exceeds the maximum value size of {VALUE_BYTES_MAX} bytes."
    )]
    TooLong,
    /// Two values of one resource contradict each other.
    #[error("{0}")]
    Conflict(String),
}

fn hint(nearest: Option<&'static str>) -> String {
    nearest.map_or(String::new(), |name| format!(" (did you mean {name}?)"))
}

/// Checks a name and a value together: the name values are stored under, and the canonical text.
///
/// ```
/// use ouzel_model::config::{Scope, check};
/// assert_eq!(check(Scope::Broker, "log.retention.hours", " 2 ").unwrap(), ("log.retention.ms".into(), "7200000".into()));
/// assert!(check(Scope::Topic, "retentoin.ms", "1").unwrap_err().to_string().ends_with("(did you mean retention.ms?)"));
/// ```
pub fn check(scope: Scope, name: &str, text: &str) -> Result<(String, String), SettingError> {
    let found = find(scope, name).ok_or_else(|| unknown(scope, name))?;
    let text = scale(&found, name, text)?;
    let value = parse(found.setting, &text).map_err(|why| invalid(found.setting, name, &text, why))?;
    let canonical = value.to_string();
    if let Effect::Refused(why) = found.setting.effect
        && found.setting.default != Some(&*canonical)
    {
        return Err(SettingError::Refused { name: shown(name), value: shown_value(found.setting, &canonical), why });
    }
    Ok((found.name.into_owned(), canonical))
}

/// The error for a name that isn't in the list.
pub fn unknown(scope: Scope, name: &str) -> SettingError {
    // A topic's name at broker level is meant for the default of all topics.
    let elsewhere = || find(Scope::Topic, name)?.setting.broker_name;
    let nearest = elsewhere().or_else(|| nearest(name, &names(scope)));
    SettingError::Unknown { scope: scope.word(), name: shown(name), nearest }
}

/// A value given under an alias in another unit, in the setting's own unit.
fn scale(found: &Found<'_>, name: &str, text: &str) -> Result<String, SettingError> {
    let (times, per) = (found.alias.times, found.alias.per);
    if text.len() > VALUE_BYTES_MAX {
        return Err(SettingError::TooLong);
    }
    if times == per {
        return Ok(text.to_string());
    }
    let number = integer(text.trim(), i64::MIN, i64::MAX).map_err(|why| invalid(found.setting, name, text, why))?;
    if number < 0 {
        return Ok(number.to_string());
    }
    let scaled = (number as i128 * times as i128 + per as i128 - 1) / per as i128;
    Ok(scaled.min(i64::MAX as i128).to_string())
}

/// Parses a value of `setting` and checks its bounds; the error is the reason in Kafka's words.
pub fn parse(setting: &Setting, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let value = match setting.value_type {
        ValueType::Boolean if trimmed.eq_ignore_ascii_case("true") => Value::Bool(true),
        ValueType::Boolean if trimmed.eq_ignore_ascii_case("false") => Value::Bool(false),
        ValueType::Boolean => return Err("Expected value to be either true or false".into()),
        ValueType::Short => Value::Int(number(setting, trimmed, i16::MIN as i64, i16::MAX as i64)?),
        ValueType::Int => Value::Int(number(setting, trimmed, i32::MIN as i64, i32::MAX as i64)?),
        ValueType::Long => Value::Int(number(setting, trimmed, i64::MIN, i64::MAX)?),
        ValueType::Double => match trimmed.parse::<f64>() {
            Ok(value) if value.is_finite() => Value::Double(value),
            _ => return Err("Not a number of type DOUBLE".into()),
        },
        ValueType::List => Value::List(words(trimmed)),
        ValueType::String | ValueType::Class | ValueType::Password => Value::Text(trimmed.to_string()),
    };
    within(&value, setting.bounds).map(|()| value)
}

/// The words of a list: separated by commas, spaces around them dropped, empty ones and repetitions left out.
pub fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split(',').map(str::trim).filter(|word| !word.is_empty()) {
        if !words.iter().any(|known| known == word) {
            words.push(word.to_string());
        }
    }
    words
}

fn number(setting: &Setting, text: &str, min: i64, max: i64) -> Result<i64, String> {
    let kind = match setting.value_type {
        ValueType::Short => "SHORT",
        ValueType::Int => "INT",
        _ => "LONG",
    };
    integer(text, min, max).map_err(|_| format!("Not a number of type {kind}"))
}

fn integer(text: &str, min: i64, max: i64) -> Result<i64, String> {
    match text.parse::<i64>() {
        Ok(value) if (min..=max).contains(&value) => Ok(value),
        _ => Err("Not a number of type LONG".into()),
    }
}

fn within(value: &Value, bounds: Bounds) -> Result<(), String> {
    match (bounds, value) {
        (Bounds::AtLeast(min), Value::Int(value)) if *value < min => Err(format!("Value must be at least {min}")),
        (Bounds::Between(min, _), Value::Int(value)) if *value < min => Err(format!("Value must be at least {min}")),
        (Bounds::Between(_, max), Value::Int(value)) if *value > max => {
            Err(format!("Value must be no more than {max}"))
        }
        (Bounds::OneOrBetween(one, min, max), Value::Int(value)) if *value != one && !(min..=max).contains(value) => {
            Err(format!("Value must be between {min} and {max} or equal to {one}"))
        }
        (Bounds::Fraction, Value::Double(value)) if *value < 0.0 => Err("Value must be at least 0".into()),
        (Bounds::Fraction, Value::Double(value)) if *value > 1.0 => Err("Value must be no more than 1".into()),
        (Bounds::OneOf(known), Value::Text(word)) => one_of(known, word),
        (Bounds::OneOf(known), Value::List(words)) => words.iter().try_for_each(|word| one_of(known, word)),
        (Bounds::ThrottledReplicas, Value::List(words)) => throttled(words),
        _ => Ok(()),
    }
}

fn one_of(known: &[&str], word: &str) -> Result<(), String> {
    if known.contains(&word) {
        return Ok(());
    }
    Err(format!("String must be one of: {}", known.join(", ")))
}

fn throttled(words: &[String]) -> Result<(), String> {
    let number = |text: &str| text.parse::<u32>().is_ok();
    let pair =
        |word: &String| word.split_once(':').is_some_and(|(partition, broker)| number(partition) && number(broker));
    if words.iter().all(pair) || words == ["*"] {
        return Ok(());
    }
    Err("Must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...".into())
}

fn invalid(setting: &Setting, name: &str, text: &str, why: String) -> SettingError {
    SettingError::Invalid { name: shown(name), value: shown_value(setting, text), why }
}

fn shown_value(setting: &Setting, text: &str) -> String {
    if setting.sensitive { "[hidden]".into() } else { shown(text) }
}

/// What a client sent, short enough for a message.
fn shown(text: &str) -> String {
    const SHOWN_BYTES_MAX: usize = 128;
    let mut end = text.len().min(SHOWN_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    if end < text.len() { format!("{}…", &text[..end]) } else { text.to_string() }
}
