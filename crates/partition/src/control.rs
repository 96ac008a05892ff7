//! Control entries of a partition's log: commands that every replica applies at the same index (docs/formats/control.md).

use ouzel_model::Offset;

const LOG_START: u8 = 1;

/// A command in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Control {
    /// Records below this offset are gone: retention or DeleteRecords. Applying it clamps to what the log holds.
    LogStart(Offset),
}

impl Control {
    /// As it stands in the log.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Control::LogStart(offset) => [&[LOG_START][..], &offset.0.to_le_bytes()].concat(),
        }
    }

    /// `None` for what isn't a command of this version.
    pub fn decode(bytes: &[u8]) -> Option<Control> {
        match bytes.split_first()? {
            (&LOG_START, offset) => Some(Control::LogStart(Offset(i64::from_le_bytes(offset.try_into().ok()?)))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_keep_their_bytes() {
        let bytes = Control::LogStart(Offset(258)).encode();
        assert_eq!(bytes, [1, 2, 1, 0, 0, 0, 0, 0, 0]);
        assert_eq!(Control::decode(&bytes), Some(Control::LogStart(Offset(258))));
        for bad in [&bytes[..8], &[], &[9, 0, 0, 0, 0, 0, 0, 0, 0]] {
            assert_eq!(Control::decode(bad), None);
        }
    }
}
