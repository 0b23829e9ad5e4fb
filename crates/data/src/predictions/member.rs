//! The simulated calendar of one member: a safetensors file with the tensor `flux`, where it has one also `other_state`,
//! and what it belongs to.

use std::fs;
use std::path::Path;

use efflux_base::error::{Error, Result};
use safetensors::Dtype;
use safetensors::tensor::TensorView;
use serde::{Deserialize, Serialize};

use crate::sealed::{self, Named, Seal, Versions};
use crate::target::Target;

/// The tensors' names.
const FLUX: &str = "flux";
const OTHER_STATE: &str = "other_state";
/// The first had no digest, and was written by version 0.1.0.
const VERSIONS: &Versions = &[(1, Seal::Nothing), (2, Seal::Everything)];

/// What one member of an ensemble simulates for every day of the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The trial that was trained.
    pub trial_id: String,
    /// Its seed.
    pub seed: u64,
    /// Ids of the sites, shape `[S]`.
    pub sites: Vec<String>,
    /// What is simulated, shape `[S, D]`, in the unit of the target.
    pub flux: Vec<f32>,
    /// The same with the state that the job did not ask for, on the days with an observation alone, in order of sites and
    /// days. None from `efflux predict`, and from versions that did not keep it.
    pub other_state: Option<Vec<f32>>,
}

impl Member {
    /// The simulated flux of one site on a calendar of `days` days.
    pub fn site(&self, site: usize, days: usize) -> &[f32] {
        &self.flux[site * days..][..days]
    }
}

#[derive(Serialize, Deserialize)]
struct Metadata {
    trial_id: String,
    seed: u64,
    units: String,
    sites: Vec<String>,
}

/// Writes a member of a model of this target; the file is there as a whole or not at all.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be written; [`Error::Internal`] if `flux` is not as long for each site.
pub fn write_member(path: &Path, member: &Member, target: &Target) -> Result<()> {
    let sites = member.sites.len();
    let days = member.flux.len().checked_div(sites).unwrap_or(0);
    if days * sites != member.flux.len() {
        let found = member.flux.len();
        return Err(Error::Internal(format!(
            "a member has {found} values for {sites} sites"
        )));
    }
    let metadata = Metadata {
        trial_id: member.trial_id.clone(),
        seed: member.seed,
        units: target.units().to_owned(),
        sites: member.sites.clone(),
    };
    let named = |name: &str, shape, values: &[f32]| Named {
        name: name.to_owned(),
        dtype: Dtype::F32,
        shape,
        bytes: values
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect(),
    };
    let mut kept = vec![named(FLUX, vec![sites, days], &member.flux)];
    if let Some(other) = &member.other_state {
        kept.push(named(OTHER_STATE, vec![other.len()], other));
    }
    sealed::write(path, VERSIONS, metadata, &kept)
}

/// Reads a member.
///
/// # Errors
///
/// [`Error::Io`] if the file cannot be read; [`Error::Data`] if it is not a whole member.
pub fn read_member(path: &Path) -> Result<Member> {
    let bytes = fs::read(path).map_err(Error::io("read the member", path))?;
    let broken = |reason: &dyn std::fmt::Display| {
        let advice =
            "expected a member's simulated flux (remove the file: the same sweep makes it again)";
        Error::file(path, format!("{reason}, {advice}"))
    };
    let (metadata, tensors) =
        sealed::read::<Metadata>(VERSIONS, &bytes).map_err(|reason| broken(&reason))?;
    let values = |tensor: &TensorView<'_>, fits: bool| {
        if tensor.dtype() != Dtype::F32 || !fits {
            let (dtype, shape, sites) = (tensor.dtype(), tensor.shape(), metadata.sites.len());
            return Err(broken(&format!(
                "has {dtype:?} values of shape {shape:?} for {sites} sites"
            )));
        }
        let values = tensor.data().as_chunks::<4>().0.iter();
        Ok(values.map(|bytes| f32::from_le_bytes(*bytes)).collect())
    };
    let flux = tensors.tensor(FLUX).map_err(|error| broken(&error))?;
    let flux = values(&flux, flux.shape().first() == Some(&metadata.sites.len()))?;
    let other_state = match tensors.tensor(OTHER_STATE) {
        Ok(other) => Some(values(&other, other.shape().len() == 1)?),
        Err(_) => None,
    };
    Ok(Member {
        trial_id: metadata.trial_id,
        seed: metadata.seed,
        sites: metadata.sites,
        flux,
        other_state,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member() -> Member {
        Member {
            trial_id: "0123456789abcdef".to_owned(),
            seed: u64::MAX,
            sites: vec!["A".to_owned(), "Degerö".to_owned()],
            flux: vec![0.0, -0.5, 1.25, f32::MIN_POSITIVE, 3.0, 4.0],
            other_state: Some(vec![0.25, -0.5, 2.0]),
        }
    }

    #[test]
    fn a_member_comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        write_member(&path, &member(), &Target::default()).unwrap();
        assert_eq!(read_member(&path).unwrap(), member());
        let first = fs::read(&path).unwrap();
        write_member(&path, &member(), &Target::default()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        let alone = Member {
            other_state: None,
            ..member()
        };
        write_member(&path, &alone, &Target::default()).unwrap();
        assert_eq!(read_member(&path).unwrap(), alone);
    }

    #[test]
    fn a_bit_that_flips_anywhere_is_noticed_or_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        write_member(&path, &member(), &Target::default()).unwrap();
        let whole = fs::read(&path).unwrap();
        for place in 0..whole.len() * 8 {
            let mut flipped = whole.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            fs::write(&path, &flipped).unwrap();
            if let Ok(read) = read_member(&path) {
                assert_eq!(read, member(), "bit {place}");
            }
        }
    }

    #[test]
    fn a_member_of_another_length_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        let mut odd = member();
        odd.flux.pop();
        assert!(matches!(
            write_member(&path, &odd, &Target::default()),
            Err(Error::Internal(_))
        ));
        assert!(!path.exists());
    }

    #[test]
    fn what_is_not_a_whole_member_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        write_member(&path, &member(), &Target::default()).unwrap();
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = read_member(&path).unwrap_err();
            assert!(matches!(error, Error::Data { .. }), "{error}");
        }
        let missing = folder.path().join("missing");
        assert!(matches!(read_member(&missing), Err(Error::Io { .. })));
    }
}
