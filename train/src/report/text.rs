//! Text of a page: HTML, numbers, spans of time and dates.

/// Text between tags or in an attribute.
pub(super) fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            other => html.push(other),
        }
    }
    html
}

/// A part of a whole, `79.3 %` or `80.0 %`, which no line break divides.
pub(super) fn percent(part: f64) -> String {
    format!("{:.1}\u{A0}%", part * 100.0)
}

/// A part of a whole in few characters, `79.3 %` or `80 %`.
pub(super) fn share(part: f64) -> String {
    format!("{}\u{A0}%", (part * 1000.0).round() / 10.0)
}

/// A count with its thousands apart by narrow spaces.
pub(super) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push('\u{202F}');
        }
        text.push(digit);
    }
    text
}

/// A number in few characters: `120k`, `0.05`, `2e-5`.
pub(super) fn short(number: f64) -> String {
    let size = number.abs();
    let trimmed = |text: String| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    };
    match size {
        0.0 => "0".into(),
        size if !(1e-3..1e9).contains(&size) => format!("{number:.0e}"),
        size if size >= 1e6 => trimmed(format!("{:.2}", number / 1e6)) + "M",
        size if size >= 1e4 => trimmed(format!("{:.1}", number / 1e3)) + "k",
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 1.0 => trimmed(format!("{number:.2}")),
        _ => trimmed(format!("{number:.4}")),
    }
}

/// A span of time with its two largest units.
pub(super) fn span(seconds: f64) -> String {
    let whole = seconds.round() as u64;
    match whole {
        _ if seconds < 10.0 => format!("{seconds:.1} s"),
        0..60 => format!("{whole} s"),
        60..3600 => format!("{} min {} s", whole / 60, whole % 60),
        3600..86_400 => format!("{} h {} min", whole / 3600, whole % 3600 / 60),
        _ => format!("{} d {} h", whole / 86_400, whole % 86_400 / 3600),
    }
}

/// A date in Universal Time from seconds since 1970.
///
/// # Source
/// Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years begin in March.
pub(super) fn date(unix_s: u64) -> String {
    let (days, minutes) = (unix_s / 86_400 + 719_468, unix_s % 86_400 / 60);
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02} {:02}:{:02} UTC", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_text_is_taken_for_html() {
        assert_eq!(escaped("<a b=\"c\">'&'</a>"), "&lt;a b=&quot;c&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;");
    }

    #[test]
    fn numbers_are_short_and_keep_what_matters() {
        let table = [
            (0.0, "0"),
            (0.05, "0.05"),
            (-0.25, "-0.25"),
            (1e-4, "1e-4"),
            (1.386_294, "1.39"),
            (20.0, "20"),
            (120.4, "120"),
            (9500.0, "9500"),
            (120_000.0, "120k"),
            (12_500.0, "12.5k"),
            (1_200_000.0, "1.2M"),
        ];
        let wrong: Vec<_> =
            table.iter().map(|(number, text)| (short(*number), *text)).filter(|(a, b)| a != b).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
        assert_eq!(count(60_000), "60\u{202F}000");
        assert_eq!((count(123), count(1_234_567)), ("123".into(), "1\u{202F}234\u{202F}567".into()));
        assert_eq!([percent(0.7934), percent(0.8)], ["79.3\u{A0}%", "80.0\u{A0}%"]);
        assert_eq!([share(0.7934), share(0.8)], ["79.3\u{A0}%", "80\u{A0}%"]);
    }

    #[test]
    fn spans_and_dates_are_those_of_the_calendar() {
        let spans =
            [(9.94, "9.9 s"), (59.6, "1 min 0 s"), (95.0, "1 min 35 s"), (7380.0, "2 h 3 min"), (90_000.0, "1 d 1 h")];
        for (seconds, expected) in spans {
            assert_eq!(span(seconds), expected);
        }
        let dates = [
            (0, "1970-01-01 00:00 UTC"),
            (951_782_400, "2000-02-29 00:00 UTC"),
            (951_868_800, "2000-03-01 00:00 UTC"),
            (1_767_225_599, "2025-12-31 23:59 UTC"),
        ];
        for (unix_s, expected) in dates {
            assert_eq!(date(unix_s), expected);
        }
    }
}
