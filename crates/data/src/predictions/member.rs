//! The simulated calendar of one member: a safetensors file with the tensor `flux`, where it has one also `other_state`,
//! and what it belongs to.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Result};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};

/// The tensors' names.
const FLUX: &str = "flux";
const OTHER_STATE: &str = "other_state";
/// The one entry of the file's metadata. Several would come in a different order in every file.
const METADATA: &str = "efflux";
/// Raised when an older reader would misread a newer file.
const VERSION: u32 = 1;

/// What one member of an ensemble simulates for every day of the calendar.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The trial that was trained.
    pub trial_id: String,
    /// Its seed.
    pub seed: u64,
    /// Ids of the sites, shape `[S]`.
    pub sites: Vec<String>,
    /// Simulated flux, shape `[S, D]`, µmol m⁻² s⁻¹.
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
    version: u32,
    trial_id: String,
    seed: u64,
    units: String,
    sites: Vec<String>,
}

/// Writes a member; the file is there as a whole or not at all.
///
/// # Errors
///
/// [`Error::Io`] if it cannot be written; [`Error::Internal`] if `flux` is not as long for each site.
pub fn write_member(path: &Path, member: &Member) -> Result<()> {
    let sites = member.sites.len();
    let days = member.flux.len().checked_div(sites).unwrap_or(0);
    if days * sites != member.flux.len() {
        let found = member.flux.len();
        return Err(Error::Internal(format!(
            "a member has {found} values for {sites} sites"
        )));
    }
    let metadata = Metadata {
        version: VERSION,
        trial_id: member.trial_id.clone(),
        seed: member.seed,
        units: "umol m-2 s-1".to_owned(),
        sites: member.sites.clone(),
    };
    let internal = |error: &dyn std::fmt::Display| Error::Internal(format!("a member: {error}"));
    let metadata = serde_json::to_string(&metadata).map_err(|error| internal(&error))?;
    let bytes = |values: &[f32]| -> Vec<u8> {
        let values = values.iter();
        values.flat_map(|value| value.to_le_bytes()).collect()
    };
    let mut kept = vec![(FLUX, vec![sites, days], bytes(&member.flux))];
    if let Some(other) = &member.other_state {
        kept.push((OTHER_STATE, vec![other.len()], bytes(other)));
    }
    let views = kept.iter().map(|(name, shape, bytes)| {
        let view = TensorView::new(Dtype::F32, shape.clone(), bytes);
        Ok((*name, view.map_err(|error| internal(&error))?))
    });
    let views = views.collect::<Result<Vec<_>>>()?;
    let info = HashMap::from([(METADATA.to_owned(), metadata)]);
    let file = safetensors::serialize(views, Some(info)).map_err(|error| internal(&error))?;
    durable::write_with(path, |temporary| {
        fs::write(temporary, &file).map_err(Error::io("write the member", path))
    })
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
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| broken(&error))?;
    let metadata = header
        .metadata()
        .as_ref()
        .and_then(|info| info.get(METADATA));
    let metadata = metadata.ok_or_else(|| broken(&"has no metadata of efflux"))?;
    let metadata: Metadata = serde_json::from_str(metadata).map_err(|error| broken(&error))?;
    if metadata.version != VERSION {
        return Err(broken(&format!(
            "has version {}, expected {VERSION}",
            metadata.version
        )));
    }
    let tensors = SafeTensors::deserialize(&bytes).map_err(|error| broken(&error))?;
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
        write_member(&path, &member()).unwrap();
        assert_eq!(read_member(&path).unwrap(), member());
        let first = fs::read(&path).unwrap();
        write_member(&path, &member()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), first);
        let alone = Member {
            other_state: None,
            ..member()
        };
        write_member(&path, &alone).unwrap();
        assert_eq!(read_member(&path).unwrap(), alone);
    }

    #[test]
    fn a_member_of_another_length_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        let mut odd = member();
        odd.flux.pop();
        assert!(matches!(write_member(&path, &odd), Err(Error::Internal(_))));
        assert!(!path.exists());
    }

    #[test]
    fn what_is_not_a_whole_member_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("member.safetensors");
        write_member(&path, &member()).unwrap();
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
