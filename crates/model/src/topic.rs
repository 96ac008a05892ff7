//! Topic names.

use std::fmt;
use std::sync::Arc;

/// A legal topic name: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`. Cheap to clone, can cross cores.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TopicName(Arc<str>);

/// Why a topic name isn't legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TopicNameError {
    /// No characters.
    #[error("a topic name can't be empty")]
    Empty,
    /// `.` or `..`.
    #[error("a topic name can't be '.' or '..'")]
    Dots,
    /// Over 249 characters.
    #[error("a topic name has at most 249 characters, this one has {0}")]
    TooLong(usize),
    /// Something outside `[a-zA-Z0-9._-]`.
    #[error("a topic name holds letters, digits, '.', '_' and '-' only")]
    Character,
}

impl TopicName {
    /// Longest name, characters.
    pub const LENGTH_MAX: usize = 249;

    /// Checks and takes a name.
    pub fn new(name: &str) -> Result<TopicName, TopicNameError> {
        match name {
            "" => return Err(TopicNameError::Empty),
            "." | ".." => return Err(TopicNameError::Dots),
            _ => {}
        }
        if !name.bytes().all(|c| c.is_ascii_alphanumeric() || matches!(c, b'.' | b'_' | b'-')) {
            return Err(TopicNameError::Character);
        }
        if name.len() > Self::LENGTH_MAX {
            return Err(TopicNameError::TooLong(name.len()));
        }
        Ok(TopicName(name.into()))
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Two names that agree here collide: Kafka refuses `a.b` beside `a_b`, since metrics can't tell them apart.
    pub fn collision_key(&self) -> String {
        self.0.replace('.', "_")
    }

    /// Whether this is a topic that only coordinators write (`__consumer_offsets`, `__transaction_state`, …).
    pub fn is_internal(&self) -> bool {
        matches!(&*self.0, "__consumer_offsets" | "__transaction_state" | "__share_group_state")
    }
}

impl std::borrow::Borrow<str> for TopicName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for TopicName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_kafkas_rules() {
        for good in ["a", "A.b-c_9", "...", &"x".repeat(249)] {
            assert!(TopicName::new(good).is_ok(), "{good}");
        }
        for (bad, why) in [
            ("", TopicNameError::Empty),
            (".", TopicNameError::Dots),
            ("..", TopicNameError::Dots),
            ("a b", TopicNameError::Character),
            ("é", TopicNameError::Character),
            (&*"x".repeat(250), TopicNameError::TooLong(250)),
        ] {
            assert_eq!(TopicName::new(bad), Err(why), "{bad}");
        }
        assert_eq!(TopicName::new("a.b").unwrap().collision_key(), TopicName::new("a_b").unwrap().collision_key());
    }
}
