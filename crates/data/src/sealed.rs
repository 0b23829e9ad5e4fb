//! Safetensors files that vouch for themselves: a digest in the header covers the header and every tensor.
//!
//! The metadata of such a file has one entry, `efflux`, because the order of several would change from file to file: a JSON
//! object with `version`, `digest`, and what the kind of file says of itself.

use std::fs;
use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use efflux_numerics::hex;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// The one entry of the file's metadata.
const METADATA: &str = "efflux";

/// What the digest of a version covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    /// There is none.
    Nothing,
    /// Names and bytes of the tensors.
    Tensors,
    /// The header, and names, types, shapes and bytes of the tensors.
    Everything,
}

/// Versions of a kind of file that are read, with what the digest of each covers. The last one is written, and is sealed
/// with [`Seal::Everything`].
pub type Versions = [(u32, Seal)];

/// A tensor to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Named {
    /// Unique in the file.
    pub name: String,
    /// Type of its numbers.
    pub dtype: Dtype,
    /// Its shape.
    pub shape: Vec<usize>,
    /// Its numbers, little-endian, row by row.
    pub bytes: Vec<u8>,
}

/// The metadata's entry.
#[derive(Serialize, Deserialize)]
struct Sealed<H> {
    version: u32,
    #[serde(default)]
    digest: String,
    #[serde(flatten)]
    header: H,
}

/// Writes a file of the latest version; it is there as a whole or not at all.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be written.
pub fn write(
    path: &Path,
    versions: &Versions,
    header: impl Serialize,
    tensors: &[Named],
) -> Result<()> {
    let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("tensors: {error}"));
    let views = tensors.iter().map(|named| {
        let view = TensorView::new(named.dtype, named.shape.clone(), &named.bytes);
        Ok((named.name.as_str(), view.map_err(|error| internal(&error))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let mut sealed = Sealed {
        version: versions.last().map_or(0, |(version, _)| *version),
        digest: String::new(),
        header,
    };
    sealed.digest = digest(Seal::Everything, &sealed, &views).map_err(|error| internal(&error))?;
    let entry = serde_json::to_string(&sealed).map_err(|error| internal(&error))?;
    let metadata = [(METADATA.to_owned(), entry)].into();
    let bytes = safetensors::serialize(views, Some(metadata)).map_err(|error| internal(&error))?;
    durable::write(path, bytes)
}

/// The header and the tensors in these bytes of a file, once they agree with its digest.
///
/// # Errors
///
/// What is wrong with the file, in words that follow its name.
pub fn read<'a, H: Serialize + DeserializeOwned>(
    versions: &Versions,
    bytes: &'a [u8],
) -> Result<(H, SafeTensors<'a>), String> {
    let (mut sealed, tensors) = parse::<H>(bytes)?;
    let known = versions.iter().find(|(known, _)| *known == sealed.version);
    let (_, seal) = known.ok_or_else(|| {
        let known: Vec<String> = versions
            .iter()
            .map(|(known, _)| known.to_string())
            .collect();
        let known = known.join(" or ");
        format!("is of version {}, expected {known}", sealed.version)
    })?;
    let expected = std::mem::take(&mut sealed.digest);
    let found = digest(*seal, &sealed, &tensors.tensors()).map_err(damaged)?;
    if found == expected {
        Ok((sealed.header, tensors))
    } else {
        Err(damaged("its digest is not that of its content"))
    }
}

/// The numbers of a tensor that must have this shape.
pub(crate) fn values<T, const N: usize>(
    tensors: &SafeTensors<'_>,
    name: &str,
    shape: &[usize],
    dtype: Dtype,
    of: fn([u8; N]) -> T,
) -> Result<Vec<T>, String> {
    let tensor = tensors.tensor(name).map_err(|error| error.to_string())?;
    if (tensor.dtype(), tensor.shape()) != (dtype, shape) {
        let (found, there) = (tensor.dtype(), tensor.shape());
        return Err(format!(
            "has {found:?} values of shape {there:?} in `{name}`, not {dtype:?} of shape {shape:?}"
        ));
    }
    Ok(tensor
        .data()
        .as_chunks::<N>()
        .0
        .iter()
        .copied()
        .map(of)
        .collect())
}

/// Checks that a file of any kind agrees with its digest, if it has one.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be read, [`Error::Data`] with what is wrong with it.
pub fn check(path: &Path) -> Result<()> {
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    let agrees = || {
        let (mut sealed, tensors) = parse::<Map<String, Value>>(&bytes)?;
        let expected = std::mem::take(&mut sealed.digest);
        for seal in [Seal::Nothing, Seal::Tensors, Seal::Everything] {
            if digest(seal, &sealed, &tensors.tensors()).map_err(damaged)? == expected {
                return Ok(());
            }
        }
        Err(damaged("its digest is not that of its content"))
    };
    agrees().map_err(|reason| Error::file(path, reason))
}

fn parse<H: DeserializeOwned>(bytes: &[u8]) -> Result<(Sealed<H>, SafeTensors<'_>), String> {
    if bytes.is_empty() {
        return Err("is empty".into());
    }
    let tensors = SafeTensors::deserialize(bytes).map_err(damaged)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
    let entries = metadata.metadata().as_ref();
    let entry = entries.and_then(|entries| entries.get(METADATA));
    let entry = entry.ok_or("was not written by efflux")?;
    Ok((serde_json::from_str(entry).map_err(damaged)?, tensors))
}

fn damaged(reason: impl std::fmt::Display) -> String {
    format!("is damaged: {reason}")
}

/// SHA-256 over the header without the digest and the tensors in the order of their names, as hexadecimal digits.
fn digest<N: AsRef<str>>(
    seal: Seal,
    sealed: &Sealed<impl Serialize>,
    tensors: &[(N, TensorView<'_>)],
) -> serde_json::Result<String> {
    if seal == Seal::Nothing {
        return Ok(String::new());
    }
    let mut hash = Sha256::new();
    if seal == Seal::Everything {
        // With sorted keys.
        hash.update(serde_json::to_value(sealed)?.to_string());
        hash.update([0]);
    }
    let mut sorted: Vec<_> = tensors.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.as_ref().cmp(b.as_ref()));
    for (name, tensor) in sorted {
        hash.update(name.as_ref());
        hash.update([0]);
        if seal == Seal::Everything {
            hash.update(format!("{:?} {:?}\0", tensor.dtype(), tensor.shape()));
        }
        hash.update(tensor.data());
    }
    Ok(hex(&hash.finalize()))
}
