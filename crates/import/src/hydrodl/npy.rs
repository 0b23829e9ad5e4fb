//! Arrays of NumPy's format `.npy`.
//!
//! # Source
//!
//! NumPy, `numpy.lib.format`, versions 1 to 3.

/// Numbers in C order.
pub(super) struct Array {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f64>,
}

impl Array {
    /// # Errors
    ///
    /// Why the bytes are no array of numbers.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let broken = || "is broken off or is no .npy file".to_owned();
        let start = bytes
            .get(..8)
            .filter(|start| start.starts_with(b"\x93NUMPY"))
            .ok_or_else(broken)?;
        let (length, from) = match start[6] {
            1 => (
                usize::from(u16::from_le_bytes([
                    *bytes.get(8).ok_or_else(broken)?,
                    *bytes.get(9).ok_or_else(broken)?,
                ])),
                10,
            ),
            _ => {
                let length: [u8; 4] = bytes
                    .get(8..12)
                    .and_then(|length| length.try_into().ok())
                    .ok_or_else(broken)?;
                (u32::from_le_bytes(length) as usize, 12)
            }
        };
        let header = bytes.get(from..from + length).ok_or_else(broken)?;
        let header = String::from_utf8_lossy(header);
        let kind = text_after(&header, "'descr':").ok_or_else(broken)?;
        if header.contains("'fortran_order': True") {
            return Err(
                "is in Fortran's order, expected C's: save it with `numpy.ascontiguousarray`"
                    .into(),
            );
        }
        let shape = header
            .split_once("'shape': (")
            .and_then(|(_, rest)| rest.split_once(')'))
            .ok_or_else(broken)?
            .0;
        let lengths = shape
            .split(',')
            .map(str::trim)
            .filter(|length| !length.is_empty());
        let shape: Vec<usize> = lengths
            .map(|length| length.parse().map_err(|_| broken()))
            .collect::<Result<_, _>>()?;
        let data = &bytes[from + length..];
        let values: Vec<f64> = match kind {
            "<f4" => data
                .as_chunks::<4>()
                .0
                .iter()
                .map(|chunk| f32::from_le_bytes(*chunk).into())
                .collect(),
            "<f8" => data
                .as_chunks::<8>()
                .0
                .iter()
                .map(|chunk| f64::from_le_bytes(*chunk))
                .collect(),
            other => {
                return Err(format!(
                    "has values of the type {other}, expected <f4 or <f8"
                ));
            }
        };
        let cells = shape
            .iter()
            .try_fold(1_usize, |cells, length| cells.checked_mul(*length));
        if cells != Some(values.len()) {
            return Err(broken());
        }
        Ok(Self { shape, values })
    }
}

fn text_after<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    header.split_once(key)?.1.split('\'').nth(1)
}
