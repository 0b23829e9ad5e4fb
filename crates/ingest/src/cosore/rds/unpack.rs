//! R packs its data files with gzip, bzip2, xz or not at all, and tells none of them by the name.

use std::io::Read;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

/// KiB that unpacking xz may take. What R writes takes 65 MiB at most.
const MOST_XZ_KIB: u32 = 256 << 10;
/// What is known by its first bytes, but not unpacked.
const OTHERS: [(&[u8], &str); 5] = [
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"PK\x03\x04", "zip"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"\x5d\0\0", "lzma"),
    (b"\x0b\x0e\x0a\x0c", "qs, which is no format of R itself"),
];
/// What makes a file that can be read of one that cannot.
pub(super) const AGAIN: &str = "in R: saveRDS(as.data.frame(x), \"data.RDS\", compress = \"gzip\")";

/// Unpacks a file of at most `most` bytes; or says what is wrong with it.
pub(super) fn unpack(packed: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut read = |packing, from: &mut dyn Read| {
        from.take(most + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| format!("is not a whole {packing} file ({error}): get it again"))
    };
    if packed.is_empty() {
        return Err("is empty: get it again".into());
    }
    if packed.starts_with(b"\x1f\x8b") {
        read("gzip", &mut MultiGzDecoder::new(packed))?;
    } else if packed.starts_with(b"BZh") {
        read("bzip2", &mut MultiBzDecoder::new(packed))?;
    } else if packed.starts_with(b"\xfd7zXZ\0") {
        read(
            "xz",
            &mut XzReader::new_mem_limit(packed, true, MOST_XZ_KIB),
        )?;
    } else if let Some((_, name)) = OTHERS.iter().find(|(start, _)| packed.starts_with(start)) {
        return Err(format!(
            "is packed with {name}, expected gzip, bzip2, xz or nothing; {AGAIN}"
        ));
    } else {
        read("plain", &mut { packed })?;
    }
    if bytes.len() as u64 > most {
        return Err(format!(
            "unpacks to more than {most} bytes, expected one data set"
        ));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    const TEXT: &[u8] = b"X\nwhat is packed comes out again, again and again and again";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn bzip2(bytes: &[u8]) -> Vec<u8> {
        let mut to = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    /// What `xz -9` makes of `TEXT`.
    const XZ: &[u8] = &[
        253, 55, 122, 88, 90, 0, 0, 4, 230, 214, 180, 70, 2, 0, 33, 1, 28, 0, 0, 0, 16, 207, 88,
        204, 224, 0, 58, 0, 44, 93, 0, 44, 2, 139, 93, 253, 163, 66, 136, 141, 80, 108, 237, 75,
        158, 134, 138, 44, 149, 244, 144, 117, 70, 221, 169, 88, 178, 58, 70, 104, 13, 126, 186,
        186, 37, 220, 115, 176, 71, 21, 155, 193, 128, 214, 128, 0, 157, 150, 53, 45, 153, 35, 163,
        183, 0, 1, 72, 59, 2, 153, 45, 169, 31, 182, 243, 125, 1, 0, 0, 0, 0, 4, 89, 90,
    ];

    #[test]
    fn every_way_that_r_packs_is_known() {
        for packed in [TEXT.to_vec(), gzip(TEXT), bzip2(TEXT), XZ.to_vec()] {
            let whole = TEXT.len() as u64;
            assert_eq!(unpack(&packed, whole).unwrap(), TEXT);
            let message = unpack(&packed, whole - 1).unwrap_err();
            assert!(message.starts_with("unpacks to more than"), "{message}");
        }
        let twice = [gzip(b"X\n"), gzip(b"more")].concat();
        assert_eq!(unpack(&twice, 100).unwrap(), b"X\nmore");
        let message = unpack(b"\x28\xb5\x2f\xfd\x04", 100).unwrap_err();
        assert!(message.starts_with("is packed with zstd"), "{message}");
        assert!(message.ends_with(AGAIN), "{message}");
    }

    #[test]
    fn a_bomb_of_any_kind_ends_at_the_bound() {
        let zeros = vec![0; 8 << 20];
        for bomb in [gzip(&zeros), bzip2(&zeros)] {
            assert!(bomb.len() < 64 << 10);
            let message = unpack(&bomb, 1 << 20).unwrap_err();
            assert!(message.starts_with("unpacks to more than"), "{message}");
        }
    }

    proptest! {
        #[test]
        fn damage_is_refused_or_does_not_matter(
            at in any::<prop::sample::Index>(),
            byte in any::<u8>(),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            for mut packed in [gzip(TEXT), bzip2(TEXT), XZ.to_vec()] {
                *at.get_mut(&mut packed) = byte;
                if let Some(cut) = cut {
                    packed.truncate(cut.index(packed.len()));
                }
                let _ = unpack(&packed, 1 << 16);
            }
        }
    }
}
