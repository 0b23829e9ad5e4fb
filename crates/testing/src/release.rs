//! A small release of COSORE, written byte by byte as R writes it, with what makes the real one hard to read.

use std::fs;
use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;

/// R's missing number, as it is stored and as it comes out of arithmetic, and two numbers that are none.
pub const MISSING: [u64; 4] = [
    0x7ff0_0000_0000_07a2,
    0x7ff8_0000_0000_07a2,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0000,
];

/// A column of a data frame.
pub enum Column {
    /// Times, in the wrapping that R gives a vector it has looked at, and their zone.
    WrappedTimes(Vec<f64>, &'static str),
    /// The same, bare.
    Times(Vec<f64>, &'static str),
    /// Numbers without a class.
    Real(Vec<f64>),
    /// Whole numbers.
    Integer(Vec<i32>),
    /// `None` is R's missing text.
    Text(Vec<Option<&'static str>>),
    /// Truth values that are all missing.
    Nothing(usize),
}

/// Seconds since 1970 of each time.
pub fn times(times: &[&str]) -> Vec<f64> {
    let seconds = |time: &&str| time.parse::<Timestamp>().unwrap().as_second() as f64;
    times.iter().map(seconds).collect()
}

/// An R data file that holds a data frame.
pub fn data_frame(columns: &[(&str, Column)]) -> Vec<u8> {
    let mut rds = Rds::default();
    rds.bytes.extend(b"X\n");
    for word in [3, 0x0003_0601, 0x0003_0500, 5] {
        rds.word(word);
    }
    rds.bytes.extend(b"UTF-8");
    rds.word(0x0313);
    rds.word(i32::try_from(columns.len()).unwrap());
    let mut rows = 0;
    for (_, column) in columns {
        rows = rds.column(column);
    }
    rds.attribute("names");
    let names: Vec<_> = columns.iter().map(|(name, _)| Some(*name)).collect();
    rds.texts(&names);
    rds.attribute("row.names");
    rds.integers(&[i32::MIN, -i32::try_from(rows).unwrap()]);
    rds.attribute("class");
    rds.texts(&[Some("tbl_df"), Some("tbl"), Some("data.frame")]);
    rds.word(254);
    packed(&rds.bytes)
}

/// Bytes as a gzip file.
pub fn packed(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[derive(Default)]
struct Rds {
    bytes: Vec<u8>,
    symbols: Vec<String>,
}

impl Rds {
    fn word(&mut self, word: i32) {
        self.bytes.extend(word.to_be_bytes());
    }

    fn length(&mut self, length: usize) {
        self.word(i32::try_from(length).unwrap());
    }

    /// A name; from its second appearance on a reference to the first.
    fn symbol(&mut self, name: &str) {
        if let Some(index) = self.symbols.iter().position(|known| known == name) {
            self.word((i32::try_from(index + 1).unwrap() << 8) | 0xff);
        } else {
            self.symbols.push(name.to_owned());
            self.word(1);
            self.text(Some(name));
        }
    }

    fn attribute(&mut self, name: &str) {
        self.word(0x0402);
        self.symbol(name);
    }

    fn text(&mut self, text: Option<&str>) {
        self.word(0x0004_0009);
        match text {
            None => self.word(-1),
            Some(text) => {
                self.length(text.len());
                self.bytes.extend(text.as_bytes());
            }
        }
    }

    fn texts(&mut self, texts: &[Option<&str>]) {
        self.word(16);
        self.length(texts.len());
        texts.iter().for_each(|text| self.text(*text));
    }

    fn integers(&mut self, integers: &[i32]) {
        self.word(13);
        self.length(integers.len());
        integers.iter().for_each(|integer| self.word(*integer));
    }

    fn reals(&mut self, flags: i32, reals: &[f64]) {
        self.word(flags);
        self.length(reals.len());
        for real in reals {
            self.bytes.extend(real.to_bits().to_be_bytes());
        }
    }

    fn times_attributes(&mut self, zone: &str) {
        self.attribute("class");
        self.texts(&[Some("POSIXct"), Some("POSIXt")]);
        self.attribute("tzone");
        self.texts(&[Some(zone)]);
        self.word(254);
    }

    fn column(&mut self, column: &Column) -> usize {
        match column {
            Column::WrappedTimes(times, zone) => {
                self.word(0x01ee);
                self.word(2);
                self.symbol("wrap_real");
                self.word(2);
                self.symbol("base");
                self.word(2);
                self.integers(&[14]);
                self.word(254);
                // A pair whose second half is no list.
                self.word(2);
                self.reals(14, times);
                self.integers(&[0, 0]);
                self.times_attributes(zone);
                times.len()
            }
            Column::Times(times, zone) => {
                self.reals(0x030e, times);
                self.times_attributes(zone);
                times.len()
            }
            Column::Real(reals) => {
                self.reals(14, reals);
                reals.len()
            }
            Column::Integer(integers) => {
                self.integers(integers);
                integers.len()
            }
            Column::Text(texts) => {
                self.texts(texts);
                texts.len()
            }
            Column::Nothing(rows) => {
                self.word(10);
                self.length(*rows);
                (0..*rows).for_each(|_| self.word(i32::MIN));
                *rows
            }
        }
    }
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
