//! `PORTS.txt`: what each chamber (port) of a data set measures, and under which treatment.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Result};

use super::options::{Flux, Treatments};
use super::tables::Table;

/// The number that stands for all chambers.
const ALL: u32 = 0;

/// The chambers of a data set.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports(Vec<Port>);

#[derive(Clone, Debug, PartialEq)]
struct Port {
    number: u32,
    flux: Flux,
    treated: bool,
}

impl Ports {
    /// Reads the file.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read; [`Error::Data`] with the line if a chamber is not as the file's own comments
    /// say.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let bytes = fs::read(path).map_err(Error::io("read", path))?;
        Self::parse(path, &bytes)
    }

    fn parse(path: &Path, bytes: &[u8]) -> Result<Self> {
        let text = String::from_utf8_lossy(bytes);
        let lines = text.lines().zip(1..);
        let mut lines = lines.filter(|(line, _)| !line.starts_with('#') && !line.trim().is_empty());
        let Some((header, line)) = lines.next() else {
            return Err(Error::file(
                path,
                "is empty, expected a header line and ports",
            ));
        };
        let header = cells(header);
        let column = |name: &str| {
            header
                .iter()
                .position(|cell| cell == name)
                .ok_or_else(|| Error::line(path, line, format!("has no column {name}")))
        };
        let (number, flux) = (column("CSR_PORT")?, column("CSR_MSMT_VAR")?);
        let treatment = column("CSR_TREATMENT")?;
        let port = |(text, line): (&str, u64)| {
            let cells = cells(text);
            let cell = |column: usize| cells.get(column).map_or("", String::as_str);
            let wrong = |column: usize, expected: &str| {
                let (name, found) = (&header[column], cell(column));
                Error::line(
                    path,
                    line,
                    format!("`{name}` has `{found}`, expected {expected}"),
                )
            };
            Ok(Port {
                number: whole(cell(number)).ok_or_else(|| wrong(number, "a whole number"))?,
                flux: Flux::of(cell(flux)).ok_or_else(|| wrong(flux, "Rs, Rh, NEE or Reco"))?,
                treated: !cell(treatment).eq_ignore_ascii_case("none"),
            })
        };
        Ok(Self(lines.map(port).collect::<Result<_>>()?))
    }

    /// The chambers of each data set that the column `data_set` of a table names.
    ///
    /// # Errors
    ///
    /// As for [`Self::read`].
    pub(super) fn of_table(table: &Table, data_set: &str) -> Result<BTreeMap<String, Self>> {
        let mut all: BTreeMap<String, Self> = BTreeMap::new();
        for row in 0..table.rows.len() {
            let cell = |column| table.find(row, column).unwrap_or("").trim();
            let wrong = |column, expected| {
                let found = cell(column);
                table.wrong(
                    row,
                    format!("`{column}` has `{found}`, expected {expected}"),
                )
            };
            let number = whole(cell("CSR_PORT"));
            let flux = Flux::of(cell("CSR_MSMT_VAR"));
            let port = Port {
                number: number.ok_or_else(|| wrong("CSR_PORT", "a whole number"))?,
                flux: flux.ok_or_else(|| wrong("CSR_MSMT_VAR", "Rs, Rh, NEE or Reco"))?,
                treated: !cell("CSR_TREATMENT").eq_ignore_ascii_case("none"),
            };
            let id = table.cell(row, data_set)?.to_owned();
            all.entry(id).or_default().0.push(port);
        }
        Ok(all)
    }

    /// Whether a chamber measures this.
    pub(super) fn measure(&self, flux: Flux) -> bool {
        self.0.iter().any(|port| port.flux == flux)
    }

    /// Whether a chamber is one of those asked for. One that is described more than once must be so each time. `None`
    /// if the file does not describe it.
    pub(super) fn wanted(
        &self,
        number: f64,
        fluxes: &[Flux],
        treatments: Treatments,
    ) -> Option<bool> {
        let wanted = |port: &Port| {
            fluxes.contains(&port.flux) && (treatments == Treatments::All || !port.treated)
        };
        let described = |number: f64| {
            let same = |port: &&Port| f64::from(port.number) == number;
            let mut ports = self.0.iter().filter(same).peekable();
            ports.peek().is_some().then(|| ports.all(wanted))
        };
        described(number).or_else(|| described(f64::from(ALL)))
    }
}

/// A whole number, also as `1.0`.
fn whole(text: &str) -> Option<u32> {
    let whole = text.split_once('.').map_or(text, |(whole, rest)| {
        let is_zero = rest.bytes().all(|byte| byte == b'0');
        if is_zero { whole } else { text }
    });
    whole.parse().ok()
}

/// The cells of a line: after a comma blanks and tabs may come, and then a quoted text with commas in it.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(other);
                }
            }
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TEXT: &str = "# CSR_PORT: number\nCSR_PORT,\tCSR_MSMT_VAR,\tCSR_OPAQUE,\tCSR_TREATMENT,\tCSR_SPECIES\n\
                        0601,\tRs,\t,\tNone,\tchamber# 1\n2,\t\tRh,,\t\t\"Irrigated,\t in-growth core\"\n3, NEE, , None\n\
                        3, Rs, , None\n";

    fn ports(text: &str) -> Result<Ports> {
        Ports::parse(Path::new("PORTS.txt"), text.as_bytes())
    }

    #[test]
    fn tabs_quotes_zeros_and_short_rows_are_read() {
        let ports = ports(TEXT).unwrap();
        assert_eq!(
            ports.0[1],
            Port {
                number: 2,
                flux: Flux::Rh,
                treated: true
            }
        );
        let soil = |port| ports.wanted(port, &[Flux::Rs, Flux::Rh], Treatments::All);
        assert_eq!(soil(601.0), Some(true));
        assert_eq!(soil(2.0), Some(true));
        // Described twice, and once as something else.
        assert_eq!(soil(3.0), Some(false));
        assert_eq!(soil(4.0), None);
        let untreated = |port| ports.wanted(port, &[Flux::Rs, Flux::Rh], Treatments::None);
        assert_eq!(untreated(601.0), Some(true));
        assert_eq!(untreated(2.0), Some(false));
    }

    #[test]
    fn port_zero_stands_for_all() {
        let ports = ports("CSR_PORT,CSR_MSMT_VAR,CSR_TREATMENT\n0,Rs,None\n").unwrap();
        assert_eq!(ports.wanted(7.0, &[Flux::Rs], Treatments::None), Some(true));
        assert_eq!(ports.wanted(7.0, &[Flux::Rh], Treatments::All), Some(false));
    }

    #[test]
    fn what_is_no_port_is_refused_with_its_line() {
        for (from, to, expected) in [
            (
                "0601",
                "six",
                "PORTS.txt:3: `CSR_PORT` has `six`, expected a whole number",
            ),
            (
                "Rh",
                "Rx",
                "PORTS.txt:4: `CSR_MSMT_VAR` has `Rx`, expected Rs, Rh, NEE or Reco",
            ),
            (
                "CSR_TREATMENT",
                "CSR_X",
                "PORTS.txt:2: has no column CSR_TREATMENT",
            ),
        ] {
            let message = ports(&TEXT.replace(from, to)).unwrap_err().to_string();
            assert!(message.starts_with(expected), "{message}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_ports_or_an_error(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            at in 0..TEXT.len(),
        ) {
            let mut mutated = TEXT.as_bytes().to_vec();
            mutated.splice(at..at, bytes.iter().copied());
            let _ = Ports::parse(Path::new("PORTS.txt"), &bytes);
            let _ = Ports::parse(Path::new("PORTS.txt"), &mutated);
        }
    }
}
