use efflux_testing::rds::{Column as Written, Format, data_frame_as};
use proptest::prelude::*;

use super::*;

fn begin(rows: usize) -> (&'static str, Written) {
    let times = (0..rows).map(|row| 60.0 * row as f64).collect();
    (BEGIN, Written::Times(times, "UTC"))
}

/// The flux of a frame with such a column, whatever the format.
#[track_caller]
fn flux(column: impl Fn() -> Written, rows: usize) -> Result<Vec<f64>, String> {
    let formats = [Format::BigEndian, Format::LittleEndian, Format::Text];
    let [first, second, third] = formats.map(|format| {
        let bytes = data_frame_as(format, &[begin(rows), (FLUX, column())]);
        parse(&bytes, false).map(|frame| frame.flux)
    });
    let text = |flux: &Result<Vec<f64>, String>| format!("{flux:?}");
    assert_eq!(text(&first), text(&second));
    assert_eq!(text(&first), text(&third));
    first
}

#[test]
fn a_class_says_what_values_mean() {
    for (column, expected) in [
        (
            (|| Written::Factor(vec![2, 1, 2], vec!["1.05", "-3"])) as fn() -> Written,
            [-3.0, 1.05, -3.0],
        ),
        (|| Written::Long(vec![1, 2, 3]), [1.0, 2.0, 3.0]),
        (|| Written::Sequence(11, 3, true), [11.0, 12.0, 13.0]),
        (|| Written::Sequence(-1, 3, false), [-1.0, 0.0, 1.0]),
        (|| Written::Deferred(3), [1.0, 2.0, 3.0]),
        (
            || Written::Classed(vec![0.5, 1e-300, 3.0], "AsIs"),
            [0.5, 1e-300, 3.0],
        ),
        (
            || Written::Text(vec![Some("1"), Some(" 2e0"), Some("3")]),
            [1.0, 2.0, 3.0],
        ),
    ] {
        assert_eq!(flux(column, 3).unwrap(), expected);
    }
    let missing = flux(|| Written::Factor(vec![i32::MIN, 1, 2], vec!["NA", "7"]), 3).unwrap();
    assert!(missing[0].is_nan() && missing[1].is_nan());
    assert_eq!(missing[2], 7.0);
    let long = |format| {
        let numbers = Written::Long(vec![i64::MIN, -2]);
        parse(&data_frame_as(format, &[begin(2), (FLUX, numbers)]), false)
    };
    let numbers = long(Format::BigEndian).unwrap().flux;
    assert!(numbers[0].is_nan() && numbers[1] == -2.0);
    // Whole numbers below zero have the bits of what is no number, of which a text says no more.
    let message = long(Format::Text).unwrap_err();
    assert!(
        message.starts_with("CSR_FLUX_CO2 is a `integer64` in a text (ascii = TRUE)"),
        "{message}"
    );
}

#[test]
fn what_is_no_vector_of_numbers_is_refused_by_its_class() {
    for (column, expected) in [
        (
            (|| Written::Factor(vec![1, 2], vec!["1", "high"])) as fn() -> Written,
            "CSR_FLUX_CO2 has `high` in row 2, expected a number",
        ),
        (
            || Written::Factor(vec![1, 3], vec!["1", "2"]),
            "is damaged (CSR_FLUX_CO2 has no level 3)",
        ),
        (
            || Written::Classed(vec![1.0, 2.0], "units"),
            "CSR_FLUX_CO2 is a `units`, expected numbers; in R: x$CSR_FLUX_CO2 <- as.numeric(x$CSR_FLUX_CO2), in the",
        ),
        (
            || Written::Classed(vec![1.0, 2.0], "difftime"),
            "CSR_FLUX_CO2 is a `difftime`, expected numbers; in R: ",
        ),
        (
            || Written::Times(vec![1.0, 2.0], "UTC"),
            "CSR_FLUX_CO2 is a `POSIXct`, expected numbers; in R: ",
        ),
        (
            || Written::BrokenDown(2),
            "CSR_FLUX_CO2 is a `POSIXlt`, expected numbers; in R: ",
        ),
        (
            || Written::Logical(vec![Some(true), None]),
            "CSR_FLUX_CO2 holds true and false, expected numbers",
        ),
        (
            || Written::Sequence(1, 1 << 30, true),
            "is damaged (a sequence claims 1073741824 numbers)",
        ),
    ] {
        let message = flux(column, 2).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn times_are_times_or_refused_with_what_to_do() {
    for (column, expected) in [
        (
            Written::BrokenDown(1),
            "CSR_TIMESTAMP_BEGIN is a `POSIXlt`, expected times (POSIXct); in R: \
          x$CSR_TIMESTAMP_BEGIN <- as.POSIXct(x$CSR_TIMESTAMP_BEGIN, tz = ",
        ),
        (
            Written::Classed(vec![14_000.0], "Date"),
            "CSR_TIMESTAMP_BEGIN is a `Date`, expected times",
        ),
        (
            Written::Factor(vec![1], vec!["2010-01-01"]),
            "CSR_TIMESTAMP_BEGIN is a factor, expected times (POSIXct); \
          in R: x$CSR_TIMESTAMP_BEGIN <- as.POSIXct(as.character(x$CSR_TIMESTAMP_BEGIN), tz",
        ),
        (
            Written::Text(vec![Some("2010-01-01")]),
            "CSR_TIMESTAMP_BEGIN is a text, expected times",
        ),
        (
            Written::Real(vec![1.0]),
            "CSR_TIMESTAMP_BEGIN has no time zone (tzone), expected",
        ),
    ] {
        let bytes = data_frame_as(
            Format::BigEndian,
            &[(BEGIN, column), (FLUX, Written::Real(vec![1.0]))],
        );
        let message = parse(&bytes, false).unwrap_err();
        assert!(message.starts_with(expected), "{message}");
    }
}

#[test]
fn a_frame_has_ports_and_errors_where_it_has_them() {
    let columns = [
        begin(2),
        (FLUX, Written::Real(vec![1.0, 2.0])),
        (PORT, Written::Factor(vec![2, 1], vec!["11", "12"])),
        (ERROR, Written::Logical(vec![None, Some(true)])),
    ];
    let bytes = data_frame_as(Format::BigEndian, &columns);
    let expected = Frame {
        time_zone: "UTC".into(),
        begin: vec![0.0, 60.0],
        flux: vec![1.0, 2.0],
        port: vec![12.0, 11.0],
        error: vec![false, true],
    };
    assert_eq!(parse(&bytes, true).unwrap(), expected);
    assert_eq!(parse(&bytes, false).unwrap(), expected);
    let flags = Written::Text(vec![Some("FALSE"), Some("lid open")]);
    let columns = [
        begin(2),
        (FLUX, Written::Real(vec![1.0, 2.0])),
        (ERROR, flags),
    ];
    let bytes = data_frame_as(Format::BigEndian, &columns);
    let message = parse(&bytes, false).unwrap_err();
    assert_eq!(
        message,
        "CSR_ERROR has `lid open` in row 2, expected TRUE or FALSE"
    );
    assert_eq!(parse(&bytes, true).unwrap_err(), "has no column CSR_PORT");
    let columns = [
        begin(1),
        (FLUX, Written::Real(vec![1.0])),
        (FLUX, Written::Real(vec![2.0])),
    ];
    let message = parse(&data_frame_as(Format::BigEndian, &columns), false).unwrap_err();
    assert_eq!(
        message,
        "has more than one column CSR_FLUX_CO2, expected one"
    );
}

#[test]
fn a_frame_that_claims_more_rows_than_it_has_is_refused() {
    let columns = [begin(1), (FLUX, Written::Real(vec![1.0]))];
    let whole = data_frame_as(Format::BigEndian, &columns);
    let claim = [0x80, 0, 0, 0, 0xff, 0xff, 0xff, 0xff];
    let at = whole.windows(8).position(|of| of == claim).unwrap();
    let mut bytes = whole;
    bytes[at + 4..at + 8].copy_from_slice(&(-i32::MAX).to_be_bytes());
    let message = parse(&bytes, false).unwrap_err();
    assert!(message.contains("claims 2147483647 rows in 1"), "{message}");
}

#[test]
fn a_workspace_of_one_data_frame_is_read() {
    let frame = data_frame_as(
        Format::BigEndian,
        &[begin(1), (FLUX, Written::Real(vec![1.0]))],
    );
    let head = b"X\n\0\0\0\x03\0\x03\x06\x01\0\x03\x05\0\0\0\0\x05UTF-8";
    let object = |name: &[u8; 1]| {
        let mut bytes = b"\0\0\x04\x02\0\0\0\x01\0\x04\0\x09\0\0\0\x01".to_vec();
        bytes.extend(name);
        bytes
    };
    let end = 254i32.to_be_bytes();
    let one = [&b"RDX3\n"[..], head, &object(b"x"), b"\0\0\0\xfe", &end].concat();
    let message = parse(&one, false).unwrap_err();
    assert!(
        message.starts_with("does not hold a data frame"),
        "{message}"
    );
    let two = [
        &b"RDX3\n"[..],
        head,
        &object(b"x"),
        &end,
        &object(b"y"),
        &end,
        &end,
    ]
    .concat();
    let message = parse(&two, false).unwrap_err();
    assert!(
        message.starts_with("is a workspace (save) of 2 objects (x, y)"),
        "{message}"
    );
    // A reference of the frame now means the name of the object, but to an attribute that nobody needs.
    let version_two = [
        &b"RDX2\n"[..],
        head,
        &object(b"x"),
        &frame[head.len()..],
        &end,
    ]
    .concat();
    assert_eq!(parse(&version_two, false).unwrap().flux, [1.0]);
}

fn wide(format: Format) -> Vec<u8> {
    let columns = [
        (PORT, Written::Factor(vec![2, 1, 1], vec!["11", "12"])),
        (
            BEGIN,
            Written::WrappedTimes(vec![0.0, 60.0, f64::NAN], "UTC"),
        ),
        (
            "CSR_LABEL",
            Written::Text(vec![Some("ä \n"), None, Some("")]),
        ),
        ("CSR_T5", Written::Classed(vec![1.0, 2.0, 3.0], "units")),
        ("CSR_T10", Written::Deferred(3)),
        ("CSR_TIME", Written::BrokenDown(3)),
        (FLUX, Written::Sequence(1, 3, true)),
        (ERROR, Written::Logical(vec![None, Some(true), Some(false)])),
    ];
    data_frame_as(format, &columns)
}

#[test]
fn columns_that_nobody_needs_are_passed_over() {
    for format in [Format::BigEndian, Format::LittleEndian, Format::Text] {
        let frame = parse(&wide(format), true).unwrap();
        assert_eq!(frame.flux, [1.0, 2.0, 3.0]);
        assert_eq!(frame.port, [12.0, 11.0, 11.0]);
        assert_eq!(frame.error, [false, true, false]);
        assert!(frame.begin[2].is_nan());
    }
}

fn any_format() -> impl Strategy<Value = Format> {
    prop::sample::select(vec![Format::BigEndian, Format::LittleEndian, Format::Text])
}

proptest! {
    #[test]
    fn any_bytes_are_a_frame_or_an_error(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        header in any::<bool>(),
        ports in any::<bool>(),
    ) {
        let mut whole = Vec::new();
        if header {
            whole.extend(b"X\n\0\0\0\x03\0\x03\x06\x01\0\x03\x05\0\0\0\0\x05UTF-8\0\0\x03\x13\0\0\0\x02");
        }
        whole.extend(bytes);
        let _ = parse(&whole, ports);
        let _ = unpack(&whole[..], 1 << 20);
    }

    #[test]
    fn a_changed_file_is_a_frame_or_an_error(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        words in prop::collection::vec((any::<prop::sample::Index>(), any::<i32>()), 0..2),
        cut in prop::option::of(any::<prop::sample::Index>()),
        format in any_format(),
    ) {
        let mut bytes = wide(format);
        for (index, byte) in changes {
            *index.get_mut(&mut bytes) = byte;
        }
        for (index, word) in words {
            let at = index.index(bytes.len() - 4);
            bytes[at..at + 4].copy_from_slice(&word.to_be_bytes());
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = parse(&bytes, true);
    }
}
