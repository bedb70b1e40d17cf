//! Kubernetes quantities (`250m`, `51234Ki`, `1.5Gi`, `2e3`) as numbers.

/// A quantity in its unit: cores, bytes or pieces; `None` where it is none.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_ascii_digit() || "+-.".contains(c))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1024f64.powi(2),
        "Gi" => 1024f64.powi(3),
        "Ti" => 1024f64.powi(4),
        "Pi" => 1024f64.powi(5),
        "Ei" => 1024f64.powi(6),
        exponent => 10f64.powi(exponent.strip_prefix(['e', 'E'])?.parse().ok()?),
    };
    Some(number * factor)
}

/// A quantity in whole bytes or pieces.
#[allow(clippy::cast_possible_truncation)]
pub fn whole(text: &str) -> Option<i64> {
    parse(text).filter(|number| number.abs() < 9e18).map(|number| number.round() as i64)
}

/// Bytes in a word: `312Mi`, `1.4Gi`.
pub fn memory(bytes: f64) -> String {
    let mebi = bytes / 1024f64.powi(2);
    if mebi < 1000.0 { format!("{mebi:.0}Mi") } else { format!("{:.1}Gi", mebi / 1024.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_the_server_writes_them() {
        let cases = [
            ("250m", Some(0.25)),
            ("2", Some(2.0)),
            ("1.5", Some(1.5)),
            ("64Ki", Some(65_536.0)),
            ("1Gi", Some(1_073_741_824.0)),
            ("500000000n", Some(0.5)),
            ("2e3", Some(2000.0)),
            ("12G", Some(12e9)),
            ("", None),
            ("many", None),
            ("1Zi", None),
        ];
        for (text, expected) in cases {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(whole("16375312Ki"), Some(16_768_319_488));
    }
}
