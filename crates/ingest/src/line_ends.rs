//! Line ends of any system, and the lines that some programs put before the header.

use std::io::{self, BufRead, BufReader, Read};

/// Reads `\r` and `\r\n` as `\n`.
pub(super) struct LineEnds<R> {
    inner: R,
    after_return: bool,
}

/// What stands before the header of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// Lines to add to those that are counted from the header on.
    pub(super) lines: u64,
    /// What separates the cells.
    pub(super) separator: u8,
}

impl<R: BufRead> Read for LineEnds<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let bytes = self.inner.fill_buf()?;
            let length = bytes.len().min(out.len());
            if length == 0 {
                return Ok(0);
            }
            let bytes = &bytes[..length];
            let mut written = 0;
            if !self.after_return && !bytes.contains(&b'\r') {
                out[..length].copy_from_slice(bytes);
                written = length;
            } else {
                for &byte in bytes {
                    let second = self.after_return && byte == b'\n';
                    self.after_return = byte == b'\r';
                    if !second {
                        out[written] = if byte == b'\r' { b'\n' } else { byte };
                        written += 1;
                    }
                }
            }
            self.inner.consume(length);
            if written > 0 {
                return Ok(written);
            }
        }
    }
}

/// The text from the header on: without a byte order mark, lines that begin with `#`, and a spreadsheet's `sep=` line.
pub(super) fn header_on<R: BufRead>(input: R) -> io::Result<(BufReader<LineEnds<R>>, Head)> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let mut text = BufReader::new(LineEnds {
        inner: input,
        after_return: false,
    });
    if text.fill_buf()?.starts_with(MARK) {
        text.consume(MARK.len());
    }
    let mut head = Head {
        lines: 0,
        separator: b',',
    };
    loop {
        let start = text.fill_buf()?;
        let start = &start[..start.len().min(16)];
        let unquoted = start.strip_prefix(b"\"").unwrap_or(start);
        if unquoted.len() > 4 && unquoted[..4].eq_ignore_ascii_case(b"sep=") {
            head.separator = match unquoted[4] {
                b'\n' | b'"' => b',',
                separator => separator,
            };
        } else if !start.starts_with(b"#") {
            return Ok((text, head));
        }
        skip_line(&mut text)?;
        head.lines += 1;
    }
}

fn skip_line(text: &mut impl BufRead) -> io::Result<()> {
    loop {
        let bytes = text.fill_buf()?;
        let (length, found) = match bytes.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (bytes.len(), bytes.is_empty()),
        };
        text.consume(length);
        if found {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, Head) {
        let (mut rest, head) = header_on(text.as_bytes()).unwrap();
        let mut text = String::new();
        rest.read_to_string(&mut text).unwrap();
        (text, head)
    }

    #[test]
    fn lines_before_the_header_are_counted() {
        let head = |lines, separator| Head { lines, separator };
        let header = "a,b\n1,2\n".to_owned();
        for (text, expected) in [
            ("a,b\r\n1,2\r\n", head(0, b',')),
            ("a,b\r1,2\r", head(0, b',')),
            ("\u{feff}sep=,\r\na,b\n1,2\n", head(1, b',')),
            ("\u{feff}\"SEP=;\"\r\n# x\ra,b\n1,2\n", head(2, b';')),
            ("# Site: A\n#\n\"sep=\"\na,b\n1,2\n", head(3, b',')),
        ] {
            assert_eq!(read(text), (header.clone(), expected), "{text:?}");
        }
        assert_eq!(read("# alone"), (String::new(), head(1, b',')));
        assert_eq!(read("\r\n\n\r").0, "\n\n\n");
    }
}
