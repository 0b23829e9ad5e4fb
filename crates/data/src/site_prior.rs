//! What a training lets expect of the weights of sites that it had no day of, as it is kept beside its own: a safetensors file.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Result};
use efflux_process::{LeftOut, SiteLaw};
use safetensors::Dtype;
use serde::{Deserialize, Serialize};

use crate::sealed::{self, Named, Seal, Versions, values};

const ATTRIBUTES: &str = "attributes";
const INTERCEPT: &str = "intercept";
const SLOPES: &str = "slopes";
const VERSIONS: &Versions = &[(1, Seal::Everything)];

/// The law of the weights of sites, and which sites need none.
#[derive(Clone, Debug, PartialEq)]
pub struct SitePrior {
    /// The ids of the sites whose weights are of days of their own, in the order of the training's pack.
    pub sites: Vec<String>,
    /// What those of all others follow from.
    pub law: SiteLaw,
}

/// The file's header.
#[derive(Serialize, Deserialize)]
struct Header {
    sites: Vec<String>,
    /// Numbers for people, as of [`LeftOut`].
    penalty: Option<f64>,
    error: Option<f64>,
    error_of_mean: Option<f64>,
    /// P and R.
    shape: [usize; 2],
}

impl SitePrior {
    /// Keeps it; the file is there as a whole or not at all.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let SiteLaw {
            attributes,
            intercept,
            slopes,
            found,
        } = &self.law;
        let shape @ [count, width] = [attributes.len(), intercept.len()];
        let header = Header {
            sites: self.sites.clone(),
            penalty: found.penalty,
            error: found.error,
            error_of_mean: found.error_of_mean,
            shape,
        };
        let named = |name: &str, shape, values: &mut dyn Iterator<Item = f64>| Named {
            name: name.to_owned(),
            dtype: Dtype::F64,
            shape,
            bytes: values.flat_map(f64::to_le_bytes).collect(),
        };
        let tensors = [
            named(
                ATTRIBUTES,
                vec![count, 2],
                &mut attributes.iter().flatten().copied(),
            ),
            named(INTERCEPT, vec![width], &mut intercept.iter().copied()),
            named(
                SLOPES,
                vec![count, width],
                &mut slopes.iter().flatten().copied(),
            ),
        ];
        sealed::write(path, VERSIONS, header, &tensors)
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if the file cannot be read, [`Error::Data`] if it is not whole.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes =
            fs::read(path).map_err(Error::io("read what is expected of new sites", path))?;
        let broken = |reason: String| {
            let advice = "expected what weights of new sites follow from (remove the folder: the same sweep trains the \
                member again)";
            Error::file(path, format!("{reason}, {advice}"))
        };
        let (header, tensors) = sealed::read::<Header>(VERSIONS, &bytes).map_err(broken)?;
        let [count, width] = header.shape;
        let tensor = |name, shape: &[usize]| {
            values(&tensors, name, shape, Dtype::F64, f64::from_le_bytes).map_err(broken)
        };
        let attributes = tensor(ATTRIBUTES, &[count, 2])?;
        let slopes = tensor(SLOPES, &[count, width])?;
        let row = |of: usize| slopes[of * width..][..width].to_vec();
        Ok(Self {
            sites: header.sites,
            law: SiteLaw {
                attributes: attributes.as_chunks::<2>().0.to_vec(),
                intercept: tensor(INTERCEPT, &[width])?,
                slopes: (0..count).map(row).collect(),
                found: LeftOut {
                    penalty: header.penalty,
                    error: header.error,
                    error_of_mean: header.error_of_mean,
                },
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_comes_back_to_the_bit_and_damage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("site-prior.safetensors");
        let kept = SitePrior {
            sites: vec!["A".to_owned(), "B".to_owned()],
            law: SiteLaw {
                attributes: vec![[0.1, 1.0 / 3.0], [-2.0, 0.0]],
                intercept: vec![1.0 / 7.0, 0.0, -1e-300],
                slopes: vec![vec![0.2, 0.3, 0.4], vec![0.0; 3]],
                found: LeftOut {
                    penalty: Some(10.0),
                    error: Some(1.0 / 9.0),
                    error_of_mean: None,
                },
            },
        };
        kept.write(&path).unwrap();
        assert_eq!(SitePrior::read(&path).unwrap(), kept);
        let mut bytes = fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        fs::write(&path, bytes).unwrap();
        let error = SitePrior::read(&path).unwrap_err().to_string();
        assert!(
            error.contains("the same sweep trains the member again"),
            "{error}"
        );
    }
}
