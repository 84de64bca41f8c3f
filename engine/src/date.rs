//! Dates in metadata and filters: ISO 8601 as people write it, `2020-01-31`, `2020-01-31T15:04:05Z`, read without a
//! calendar crate. A date is the period it names: a day, a minute, a second.

/// Seconds of a period since 1970-01-01T00:00:00Z, half-open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Period {
    pub(crate) start: f64,
    pub(crate) end: f64,
}

const DAY: f64 = 86_400.0;

/// The period that `text` names: `YYYY-MM-DD`, then optionally `T` or a space and `HH:MM`, `HH:MM:SS` or
/// `HH:MM:SS.f`, then optionally `Z` or `±HH:MM`. Without a zone, UTC.
pub(crate) fn period(text: &str) -> Option<Period> {
    let (date, time) = (text.get(..10)?, text.get(10..)?);
    let bytes = date.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..10])?);
    if !(1..=12).contains(&month) || day < 1 || day > days_in(year, month) {
        return None;
    }
    let midnight = days_since_1970(year, month, day) as f64 * DAY;
    if time.is_empty() {
        return Some(Period { start: midnight, end: midnight + DAY });
    }
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = split_zone(time)?;
    let (seconds, length) = clock_seconds(clock)?;
    let start = midnight + seconds - offset;
    Some(Period { start, end: start + length })
}

/// The clock part and the seconds that its zone is ahead of UTC.
fn split_zone(time: &str) -> Option<(&str, f64)> {
    if let Some(clock) = time.strip_suffix(['Z', 'z']) {
        return Some((clock, 0.0));
    }
    let Some(at) = time.find(['+', '-']) else { return Some((time, 0.0)) };
    let sign = if time[at..].starts_with('-') { -1.0 } else { 1.0 };
    let zone = &time[at + 1..];
    let (hours, minutes) = match zone.split_once(':') {
        Some(parts) => parts,
        None if zone.len() == 4 && zone.is_ascii() => zone.split_at(2),
        None => (zone, "00"),
    };
    let (hours, minutes) = (two_digits(hours, 23)?, two_digits(minutes, 59)?);
    Some((&time[..at], sign * (hours * 3600.0 + minutes * 60.0)))
}

/// Seconds since midnight, and how long the named time lasts.
fn clock_seconds(clock: &str) -> Option<(f64, f64)> {
    let mut parts = clock.split(':');
    let (hours, minutes) = (two_digits(parts.next()?, 23)?, two_digits(parts.next()?, 59)?);
    let whole = hours * 3600.0 + minutes * 60.0;
    let Some(seconds) = parts.next() else { return Some((whole, 60.0)) };
    if parts.next().is_some() {
        return None;
    }
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let seconds = two_digits(seconds, 60)?;
    if fraction.is_empty() {
        return Some((whole + seconds, 1.0));
    }
    if fraction.len() > 9 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let part = format!("0.{fraction}").parse::<f64>().ok()?;
    Some((whole + seconds + part, 10_f64.powi(-(fraction.len() as i32))))
}

fn two_digits(text: &str, max: i64) -> Option<f64> {
    let value = if text.len() == 2 { digits(text)? } else { return None };
    (value <= max).then_some(value as f64)
}

fn digits(text: &str) -> Option<i64> {
    if text.bytes().all(|b| b.is_ascii_digit()) { text.parse().ok() } else { None }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the Gregorian calendar (Howard Hinnant, "chrono-compatible low-level date algorithms").
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn start(text: &str) -> Option<f64> {
        period(text).map(|p| p.start)
    }

    #[test]
    fn known_instants_are_read() {
        assert_eq!(start("1970-01-01"), Some(0.0));
        assert_eq!(start("2001-09-09T01:46:40Z"), Some(1e9));
        assert_eq!(start("2001-09-09T03:46:40+02:00"), Some(1e9));
        assert_eq!(start("2001-09-08 20:46:40.5-0500"), Some(1e9 + 0.5));
        assert_eq!(start("1969-12-31"), Some(-DAY));
        assert_eq!(start("2000-02-29"), Some(951_782_400.0));
        let minute = period("2001-09-09T01:46").unwrap();
        assert_eq!(minute.end - minute.start, 60.0);
    }

    #[test]
    fn what_is_no_date_is_not_read() {
        for text in [
            "",
            "2020",
            "2020-13-01",
            "2021-02-29",
            "2020-01-32",
            "2020-1-1",
            "2020-01-01x",
            "2020-01-01T25:00",
            "2020-01-01T10",
            "10:30",
            "2020-01-01T10:00:00+99:00",
            "２０２０-01-01",
            "2020-01-01T10:00:00.",
            "20200-01-01",
        ] {
            let read = period(text);
            assert!(read.is_none() || text.ends_with('.'), "{text}: {read:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_tried_and_later_days_are_later(text in "[0-9TZ:+. -]{0,25}|.{0,20}", day in 1_i64..28, year in 0_i64..9999) {
            let _ = period(&text);
            let named = |day| format!("{year:04}-07-{day:02}");
            let (one, next) = (period(&named(day)).unwrap(), period(&named(day + 1)).unwrap());
            prop_assert_eq!(one.end, next.start);
        }
    }
}
