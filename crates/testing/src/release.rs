//! A small release of COSORE, with what makes the real one hard to read.

use std::fs;
use std::path::Path;

use jiff::Timestamp;

pub use crate::rds::{Column, Format, MISSING, data_frame, data_frame_as, packed};

/// Seconds since 1970 of each time.
pub fn times(times: &[&str]) -> Vec<f64> {
    let seconds = |time: &&str| time.parse::<Timestamp>().unwrap().as_second() as f64;
    times.iter().map(seconds).collect()
}

/// Writes the folder of a data set.
pub fn data_set(release: &Path, id: &str, igbp: &str, ports: &str, data: Option<&[u8]>) {
    let folder = release.join("datasets").join(id);
    fs::create_dir_all(folder.join("data")).unwrap();
    let description = format!(
        "# CSR_LATITUDE: decimal degrees\nCSR_SITE_NAME: {id}: a \"site\", in the woods\nCSR_LONGITUDE: -72.2\n\
         CSR_LATITUDE: 42.5\nCSR_ELEVATION:\nCSR_TIMEZONE: Etc/GMT+5\nCSR_IGBP: {igbp} \n\
         CSR_PRIMARY_PUB: 10.1000/{id}\n"
    );
    fs::write(folder.join("DESCRIPTION.txt"), description).unwrap();
    fs::write(folder.join("PORTS.txt"), ports).unwrap();
    if let Some(data) = data {
        fs::write(folder.join("data/data.RDS"), data).unwrap();
    }
}

const PORTS: &str =
    "# CSR_PORT: port number\nCSR_PORT,\tCSR_MSMT_VAR,\tCSR_TREATMENT,\tCSR_AREA,\tCSR_SPECIES\n";

/// Five data sets, of which two are sites.
pub fn example() -> tempfile::TempDir {
    let release = tempfile::tempdir().unwrap();
    let at = release.path();

    // Not in order of time, one row twice, values beyond belief, everything that is missing, the first time after
    // midnight in UTC and before it in New York.
    let begin = times(&[
        "2010-07-03T12:00:00Z",
        "2010-07-02T03:30:00Z",
        "2010-07-01T12:00:00Z",
        "2010-07-01T12:00:00Z",
        "2010-07-02T12:00:00Z",
        "2010-07-02T13:00:00Z",
        "2010-07-05T12:00:00Z",
        "2010-07-05T12:00:00Z",
        "2010-07-05T12:00:00Z",
        "2010-07-05T12:00:00Z",
    ]);
    let flux = [3.0, 2.0, 4.0, 4.0, -2_147_483.75, 2_183_823.25];
    let flux = flux
        .into_iter()
        .chain(MISSING.map(f64::from_bits))
        .collect();
    let data = data_frame(&[
        (
            "CSR_PORT",
            Column::Integer(vec![1, 1, 601, 601, 1, 1, 1, 1, 1, 1]),
        ),
        (
            "CSR_TIMESTAMP_BEGIN",
            Column::WrappedTimes(begin.clone(), "America/New_York"),
        ),
        (
            "CSR_TIMESTAMP_END",
            Column::WrappedTimes(begin, "America/New_York"),
        ),
        ("CSR_FLUX_CO2", Column::Real(flux)),
        ("CSR_SM10", Column::Nothing(10)),
    ]);
    let ports = "1,\t\tRs,\t\tNone\n0601,\t\tRh,\t\t\"Trenched,\t deep\",\t324,\toak\n";
    data_set(
        at,
        "WET",
        "Wetland",
        &format!("{PORTS}{ports}"),
        Some(&data),
    );

    // Numbers as text; the day is that of UTC-5, whatever the sign in the zone's name suggests.
    let begin = times(&[
        "2011-01-01T04:00:00Z",
        "2011-01-02T12:00:00Z",
        "2011-01-02T12:00:00Z",
        "2011-01-02T12:00:00Z",
        "2011-01-02T13:00:00Z",
        "2002-12-31T12:00:00Z",
    ]);
    let flux = vec![
        Some("1.5"),
        None,
        Some(""),
        Some("2.5"),
        Some(" 1.5 "),
        Some("9"),
    ];
    let data = data_frame(&[
        ("CSR_PORT", Column::Integer(vec![1, 2, 3, 4, 5, 6])),
        ("CSR_TIMESTAMP_BEGIN", Column::Times(begin, "Etc/GMT+5")),
        ("CSR_FLUX_CO2", Column::Text(flux)),
    ]);
    data_set(
        at,
        "crop",
        "Cropland",
        &format!("{PORTS}0,\tRs,\tNone\n"),
        Some(&data),
    );

    let frame = |begin: &str, flux| {
        let begin = Column::WrappedTimes(times(&[begin]), "UTC");
        let port = Column::Integer(vec![1]);
        data_frame(&[
            ("CSR_PORT", port),
            ("CSR_TIMESTAMP_BEGIN", begin),
            ("CSR_FLUX_CO2", flux),
        ])
    };
    let methane = frame("2010-01-01T00:00:00Z", Column::Nothing(1));
    data_set(at, "methane", "Wetland", PORTS, Some(&methane));
    let early = frame("2001-01-01T00:00:00Z", Column::Real(vec![1.0]));
    data_set(
        at,
        "early",
        "Wetland",
        &format!("{PORTS}0,Rs,None\n"),
        Some(&early),
    );
    data_set(at, "embargo", "", PORTS, None);
    release
}
