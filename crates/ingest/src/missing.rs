//! What stands for a missing value: words and numbers that a person declares, and numbers that look like it.

/// Cells that count as empty, and numbers that do not although they look like fill values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Missing {
    words: Vec<String>,
    numbers: Vec<f64>,
    measured: Vec<f64>,
}

/// A number that looks like a fill value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sentinel {
    /// The number.
    pub value: f64,
    /// How often it is there.
    pub count: usize,
    /// At which index it is there first.
    pub first: usize,
    /// Least and greatest of the other values.
    pub others: Option<[f64; 2]>,
}

/// Numbers beyond this are fill values of netCDF and its relatives (9.96921e36, 1e20, 1e36, −3.4e38).
const ENORMOUS: f64 = 1e15;

/// Fill values of remote sensing, of integers of 16 and 32 bits, and of loggers. Those of nines, or of one digit alone,
/// are recognized without a list.
const CODES: [f64; 19] = [
    -28672.0,
    -32768.0,
    -32767.0,
    -32766.0,
    32767.0,
    32766.0,
    65535.0,
    65534.0,
    -2_147_483_648.0,
    -2_147_483_647.0,
    2_147_483_647.0,
    2_147_483_648.0,
    4_294_967_295.0,
    4_294_967_296.0,
    -999.0,
    -999.9,
    -999.99,
    -9999.9,
    -9999.99,
];

/// Numbers that may well be measured, so only telling where they are farther out or repeated.
const WEAK_CODES: [f64; 16] = [
    -99.0, -99.9, -99.99, -127.0, -128.0, -88.0, 127.0, 249.0, 250.0, 251.0, 252.0, 253.0, 254.0,
    255.0, 999.0, 999.9,
];

impl Missing {
    /// # Arguments
    ///
    /// * `missing`: words or numbers that stand for a missing value, as they are written.
    /// * `measured`: numbers that are measurements although they look like fill values.
    pub fn new(missing: &[String], measured: &[f64]) -> Self {
        Self {
            words: missing.to_vec(),
            numbers: missing
                .iter()
                .filter_map(|word| word.parse().ok())
                .collect(),
            measured: measured.to_vec(),
        }
    }

    /// Whether a cell of this text stands for a missing value: by its text, or by its number to single precision.
    pub fn covers(&self, text: &str) -> bool {
        if self.words.is_empty() {
            return false;
        }
        let number = || {
            text.parse()
                .is_ok_and(|number| holds(&self.numbers, number))
        };
        self.words.iter().any(|word| word == text) || number()
    }

    /// Numbers among these that look like fill values, the most frequent first. NaN is no number.
    pub fn sentinels(&self, values: &[f64]) -> Vec<Sentinel> {
        let mut found = Vec::new();
        let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let tallies = tallies(&sorted);
        let (codes, rest): (Vec<_>, Vec<_>) = tallies
            .into_iter()
            .partition(|(value, _)| strength(*value) != Strength::None);
        let others = range(&rest);
        for (value, count) in codes {
            if is_far(value, count, others, &rest) {
                found.push((value, count));
            }
        }
        found.extend(repeated_extremes(&rest));
        found.retain(|(value, _)| !holds(&self.measured, *value));
        found.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.total_cmp(&b.0)));
        found
            .into_iter()
            .map(|(value, count)| Sentinel {
                value,
                count,
                first: values.iter().position(|v| *v == value).unwrap_or(0),
                others: range_without(&rest, value),
            })
            .collect()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    None,
    Weak,
    Strong,
    /// Never measured.
    Certain,
}

fn strength(value: f64) -> Strength {
    if value.abs() >= ENORMOUS {
        Strength::Certain
    } else if CODES.contains(&value) || is_of_nines(value) {
        Strength::Strong
    } else if WEAK_CODES.contains(&value) {
        Strength::Weak
    } else {
        Strength::None
    }
}

/// Numbers like −9999, −6999, 99999 or −7777: four or more digits, all nines behind the first, or all the same.
fn is_of_nines(value: f64) -> bool {
    let size = value.abs();
    if size < 1000.0 || size.fract() != 0.0 {
        return false;
    }
    let digits = format!("{size:.0}");
    let behind = &digits.as_bytes()[1..];
    let first = digits.as_bytes()[0];
    let nines = behind.iter().all(|digit| *digit == b'9');
    nines || (first >= b'6' && behind.iter().all(|digit| *digit == first))
}

/// The same number to single precision.
fn holds(numbers: &[f64], value: f64) -> bool {
    numbers
        .iter()
        .any(|number| (number - value).abs() <= 1e-6 * number.abs() || *number == value)
}

/// Each number and how often it is there, from sorted ones.
fn tallies(sorted: &[f64]) -> Vec<(f64, usize)> {
    let mut tallies: Vec<(f64, usize)> = Vec::new();
    for &value in sorted {
        match tallies.last_mut() {
            Some((last, count)) if *last == value => *count += 1,
            _ => tallies.push((value, 1)),
        }
    }
    tallies
}

fn range(sorted: &[(f64, usize)]) -> Option<[f64; 2]> {
    Some([sorted.first()?.0, sorted.last()?.0])
}

fn range_without(sorted: &[(f64, usize)], value: f64) -> Option<[f64; 2]> {
    let mut others = sorted
        .iter()
        .map(|(other, _)| *other)
        .filter(|v| *v != value);
    let first = others.next()?;
    Some([first, others.next_back().unwrap_or(first)])
}

/// How far a number is outside a range; negative inside.
fn beyond(value: f64, [least, greatest]: [f64; 2]) -> f64 {
    (least - value).max(value - greatest)
}

/// Whether a number that may be a fill value is outside what the others could be.
fn is_far(value: f64, count: usize, others: Option<[f64; 2]>, rest: &[(f64, usize)]) -> bool {
    let strength = strength(value);
    let Some(others) = others else {
        return strength != Strength::Weak;
    };
    let [least, greatest] = others;
    let spread = match greatest - least {
        0.0 => least.abs().max(1.0),
        spread => spread,
    };
    let beyond = beyond(value, others);
    match strength {
        Strength::None => false,
        Strength::Certain => true,
        Strength::Strong => {
            let alone = value < 0.0 && least >= 0.0;
            let commonest = rest
                .iter()
                .all(|(other, times)| *other == 0.0 || *times < count);
            alone || beyond > spread || (value < 0.0 && count > 2 && commonest)
        }
        Strength::Weak if value < 0.0 => beyond > spread / 2.0,
        Strength::Weak if count == 1 => beyond > 10.0 * spread,
        Strength::Weak => beyond > if value < 256.0 { spread } else { 3.0 * spread },
    }
}

/// A least or greatest number that is there again and again, far outside all others.
fn repeated_extremes(rest: &[(f64, usize)]) -> Vec<(f64, usize)> {
    const DISTINCT: usize = 10;
    let mut found = Vec::new();
    let total: usize = rest.iter().map(|(_, count)| count).sum();
    if rest.len() <= DISTINCT {
        return found;
    }
    for (extreme, others) in [
        (rest[0], &rest[1..]),
        (rest[rest.len() - 1], &rest[..rest.len() - 1]),
    ] {
        let (value, count) = extreme;
        let Some(others) = range(others) else {
            continue;
        };
        let times = match count {
            0..3 => continue,
            3..5 => 10.0,
            _ => 2.0,
        };
        if 2 * count <= total && beyond(value, others) > times * (others[1] - others[0]) {
            found.push(extreme);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(values: &[f64]) -> Vec<f64> {
        let sentinels = Missing::default().sentinels(values);
        sentinels.iter().map(|sentinel| sentinel.value).collect()
    }

    /// Temperatures of a year.
    fn year() -> Vec<f64> {
        (0..365)
            .map(|day| 10.0 - 12.0 * (f64::from(day) / 58.1).cos())
            .collect()
    }

    #[test]
    fn fill_values_far_outside_are_found_however_often() {
        for value in [
            -9999.0,
            -6999.0,
            -999.0,
            -99.0,
            9999.0,
            99999.0,
            32767.0,
            -32768.0,
            -28672.0,
            65535.0,
            1e20,
            9.969_209_968_386_869e36,
            -3.4e38,
            -7777.0,
            -9999.9,
        ] {
            for days in [1, 7, 200] {
                let mut values = year();
                values[50..50 + days].fill(value);
                assert_eq!(found(&values), [value], "{days} days");
            }
        }
        for (value, days) in [(-500.0, 3), (1234.5, 3), (255.0, 2), (100.0, 5), (999.0, 1)] {
            let mut values = year();
            values[50..50 + days].fill(value);
            assert_eq!(found(&values), [value]);
        }
    }

    #[test]
    fn several_fill_values_are_all_found() {
        let mut values = year();
        values[3..9].fill(-9999.0);
        values[20..40].fill(1e20);
        let sentinels = Missing::default().sentinels(&values);
        assert_eq!(found(&values), [1e20, -9999.0]);
        assert_eq!((sentinels[1].count, sentinels[1].first), (6, 3));
        let [least, greatest] = sentinels[1].others.unwrap();
        assert!(least >= -2.0 && greatest <= 22.0);
    }

    #[test]
    fn what_may_be_measured_is_no_fill_value() {
        assert!(found(&year()).is_empty());
        // Rain: mostly 0, some large. Radiation in J m-2. Pressure in Pa. A flag. Codes inside the range.
        let mut rain = vec![0.0; 365];
        rain[4] = 255.0;
        rain[9] = 31.0;
        assert!(found(&rain).is_empty());
        let ramp = |from: f64, step: f64| {
            (0..365)
                .map(|day| from + step * f64::from(day))
                .collect::<Vec<_>>()
        };
        assert!(found(&ramp(0.0, 90_001.0)).is_empty());
        assert!(found(&ramp(90_000.0, 33.0)).is_empty());
        assert!(found(&ramp(0.0, 1.0)).is_empty());
        assert!(found(&ramp(9900.0, 1.0)).is_empty());
        let flags: Vec<f64> = (0..365).map(|day| f64::from(day % 2)).collect();
        assert!(found(&flags).is_empty());
    }

    #[test]
    fn declared_values_are_covered_to_single_precision() {
        let missing = Missing::new(
            &["-9999".into(), "NA".into(), "9.96921e36".into()],
            &[-99.0],
        );
        for text in ["-9999", "-9999.0", "-9.999e3", "NA", "9.969209968386869e36"] {
            assert!(missing.covers(text), "{text}");
        }
        for text in ["-9998", "9999", "NAN", "", "nan"] {
            assert!(!missing.covers(text), "{text}");
        }
        let mut values = year();
        values[3] = -99.0;
        assert!(missing.sentinels(&values).is_empty());
    }

    proptest! {
        #[test]
        fn any_numbers_are_looked_through(values in prop::collection::vec(any::<f64>(), 0..60)) {
            let _ = Missing::default().sentinels(&values);
        }
    }
}
