//! Where in a partition: `start`, `47`, `-3`, `@-48h:-24h`, and what a time is.

/// A place in every partition that is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    Start,
    End,
    At(i64),
    /// So many records behind the start.
    AfterStart(i64),
    /// So many records before the end.
    BeforeEnd(i64),
    /// The first record at or after a time, in milliseconds since the epoch.
    Time(i64),
}

/// From a place (inclusive) to another (exclusive); without one, without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Bound,
    pub to: Option<Bound>,
}

impl Bound {
    /// Of one place. `now` is in milliseconds since the epoch.
    pub fn parse(text: &str, now: i64) -> Result<Bound, String> {
        let number = |text: &str| -> Option<i64> {
            text.parse().ok().filter(|number: &i64| *number >= 0 && text.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let bound = match text {
            "start" | "oldest" | "earliest" => Some(Bound::Start),
            "end" | "newest" | "latest" => Some(Bound::End),
            _ => match (text.split_at_checked(1), text) {
                (Some(("+", rest)), _) => number(rest).map(Bound::AfterStart),
                (Some(("-", rest)), _) => number(rest).map(Bound::BeforeEnd),
                (Some(("@", rest)), _) => return time(rest, now).map(Bound::Time),
                _ => number(text).map(Bound::At),
            },
        };
        bound.ok_or_else(|| format!("`{text}` isn't an offset: start, end, 47, +2, -3 or @TIME"))
    }
}

impl Span {
    /// Of a place, or two with a colon between.
    pub fn parse(text: &str, now: i64) -> Result<Span, String> {
        if let Some(times) = text.strip_prefix('@') {
            return match split_times(times) {
                Some((from, to)) => {
                    let to = match to {
                        "end" => Bound::End,
                        to => Bound::Time(time(to.strip_prefix('@').unwrap_or(to), now)?),
                    };
                    Ok(Span { from: Bound::Time(time(from, now)?), to: Some(to) })
                }
                None => Ok(Span { from: Bound::Time(time(times, now)?), to: None }),
            };
        }
        match text.split_once(':') {
            None => Ok(Span { from: Bound::parse(text, now)?, to: None }),
            Some((from, to)) => {
                let from = if from.is_empty() { Bound::Start } else { Bound::parse(from, now)? };
                let to = if to.is_empty() { None } else { Some(Bound::parse(to, now)?) };
                Ok(Span { from, to })
            }
        }
    }
}

/// Two times with a colon between; an RFC 3339 time has colons of its own.
fn split_times(text: &str) -> Option<(&str, &str)> {
    let sound = |text: &str| text == "end" || time(text.strip_prefix('@').unwrap_or(text), 0).is_ok();
    let colons = text.match_indices(':').map(|(at, _)| (&text[..at], &text[at + 1..]));
    let mut halves = colons.filter(|(from, to)| sound(from) && sound(to));
    halves.next().filter(|_| time(text, 0).is_err())
}

/// Milliseconds since the epoch, of `1700000000` (s), `1700000000000` (ms), `2026-07-01`, RFC 3339, or `-48h`.
pub fn time(text: &str, now: i64) -> Result<i64, String> {
    let bad = || format!("`{text}` isn't a time: ms or s since the epoch, 2026-07-01, 2026-07-01T10:00:00Z, or -48h");
    if let Some(rest) = text.strip_prefix('-').or_else(|| text.strip_prefix('+')) {
        let ms = duration(rest).ok_or_else(bad)?;
        return Ok(if text.starts_with('-') { now.saturating_sub(ms) } else { now.saturating_add(ms) });
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        let number: i64 = text.parse().map_err(|_| bad())?;
        // Ten digits count seconds until the year 2286.
        return if text.len() <= 10 { Ok(number * 1_000) } else { Ok(number) };
    }
    rfc3339(text).ok_or_else(bad)
}

/// Milliseconds of `90s`, `48h`, `7d`, `500ms`, `1h30m`.
fn duration(text: &str) -> Option<i64> {
    let mut total = 0i64;
    let mut rest = text;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number: i64 = rest[..digits].parse().ok()?;
        rest = &rest[digits..];
        let letters = rest.bytes().take_while(u8::is_ascii_alphabetic).count();
        let unit = match &rest[..letters] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return None,
        };
        rest = &rest[letters..];
        total = total.checked_add(number.checked_mul(unit)?)?;
    }
    Some(total)
}

/// A day (midnight UTC) or a time of RFC 3339.
fn rfc3339(text: &str) -> Option<i64> {
    let number = |text: Option<&str>| -> Option<i64> {
        let text = text?;
        if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { text.parse().ok() }
    };
    let (day, rest) = text.split_at_checked(10)?;
    if day.as_bytes()[4] != b'-' || day.as_bytes()[7] != b'-' {
        return None;
    }
    let (year, month, day) = (number(day.get(..4))?, number(day.get(5..7))?, number(day.get(8..))?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=month_days).contains(&day) {
        return None;
    }
    let midnight = days(year, month, day) * 86_400_000;
    if rest.is_empty() {
        return Some(midnight);
    }
    let clock = rest.strip_prefix(['T', 't', ' '])?;
    let (clock, zone) = clock.split_at(clock.find(['Z', 'z', '+', '-'])?);
    let minutes_off = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let off = number(Some(hours))? * 60 + number(Some(minutes))?;
            if zone.starts_with('-') { -off } else { off }
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let (hour, minute, second) = (number(parts.next())?, number(parts.next())?, number(parts.next())?);
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 || fraction.is_empty() {
        return None;
    }
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let ms = fraction.bytes().chain(*b"00").take(3).fold(0i64, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some(midnight + ((hour * 60 + minute - minutes_off) * 60 + second) * 1_000 + ms)
}

/// Days from 1970-01-01. Source: Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn spans_are_read_as_the_manual_says() {
        let check = |text: &str, from, to| assert_eq!(Span::parse(text, NOW), Ok(Span { from, to }), "{text}");
        check("start", Bound::Start, None);
        check("end", Bound::End, None);
        check("47", Bound::At(47), None);
        check("+2", Bound::AfterStart(2), None);
        check("-3", Bound::BeforeEnd(3), None);
        check(":end", Bound::Start, Some(Bound::End));
        check("3:7", Bound::At(3), Some(Bound::At(7)));
        check("3:", Bound::At(3), None);
        check("-3:end", Bound::BeforeEnd(3), Some(Bound::End));
        let hour = 3_600_000;
        check("@-48h:-24h", Bound::Time(NOW - 48 * hour), Some(Bound::Time(NOW - 24 * hour)));
        check("@-1h:end", Bound::Time(NOW - hour), Some(Bound::End));
        check("@1700000000", Bound::Time(NOW), None);
        check("@2023-11-14T22:13:20Z:2023-11-15", Bound::Time(NOW), Some(Bound::Time(1_700_006_400_000)));
        for bad in ["", "x", "--1", "+", "-x", "1:2:3", "@", "@x", "@-1y", "1e3", "@1:x"] {
            assert!(Span::parse(bad, NOW).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_milliseconds_since_the_epoch() {
        let check = |text: &str, expect| assert_eq!(time(text, NOW).ok(), expect, "{text}");
        check("1700000000", Some(NOW));
        check("1700000000000", Some(NOW));
        check("1970-01-01", Some(0));
        check("2000-02-29", Some(951_782_400_000));
        check("2023-11-14T22:13:20Z", Some(NOW));
        check("2023-11-14T22:13:20.5Z", Some(NOW + 500));
        check("2023-11-15T00:13:20+02:00", Some(NOW));
        check("-1h30m", Some(NOW - 5_400_000));
        check("+500ms", Some(NOW + 500));
        for bad in ["", "2023-02-29", "2023-13-01", "2023-11-14T25:00:00Z", "2023-11-14T10:00Z", "5h", "-", "-5"] {
            check(bad, None);
        }
    }
}
