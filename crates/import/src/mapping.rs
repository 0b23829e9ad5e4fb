//! The mapping: which files there are, in which layout, and what people alone can know of them. TOML in, checked by key.

use std::path::{Path, PathBuf};

use efflux_base::error::{Error, Result};
use serde::Deserialize;

use crate::ameriflux::AmerifluxKeys;
use crate::carbonfluxbench::CarbonFluxBenchKeys;
use crate::chamber::ChamberKeys;
use crate::cosore::CosoreKeys;
use crate::fluxnet::FluxnetKeys;
use crate::folder;
use crate::hydrodl::HydroDlKeys;
use crate::layout::Layout;
use crate::neon::NeonKeys;
use crate::neuralhydrology::NeuralHydrologyKeys;
use crate::record::Site;
use crate::table::{TableKeys, WeatherKeys};
use crate::target::TargetKeys;

/// A mapping as it was written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Where it was read; its files are relative to its folder.
    #[serde(skip)]
    pub(crate) path: PathBuf,
    /// How the files are laid out.
    pub layout: Layout,
    /// Names of files, with `*` and `?`, relative to the mapping.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// The column that is the flux, where the layout has several, and what it is.
    #[serde(default)]
    pub(crate) target: TargetKeys,
    /// Daily variables to write, by their names; all that are known if not said.
    pub(crate) drivers: Option<Vec<String>>,
    /// Words and numbers that stand for a missing value, beside those of the layout.
    #[serde(default)]
    pub(crate) missing: Vec<String>,
    /// Numbers that are measured although they look like fill values.
    #[serde(default)]
    pub(crate) measured: Vec<f64>,
    /// What is known of the sites, before what files say.
    #[serde(default)]
    pub(crate) sites: Vec<SiteKeys>,
    pub(crate) table: Option<TableKeys>,
    #[serde(default)]
    pub(crate) weather: Vec<WeatherKeys>,
    #[serde(rename = "ameriflux-base")]
    pub(crate) ameriflux: Option<AmerifluxKeys>,
    pub(crate) fluxnet: Option<FluxnetKeys>,
    pub(crate) neon: Option<NeonKeys>,
    pub(crate) chamber: Option<ChamberKeys>,
    pub(crate) neuralhydrology: Option<NeuralHydrologyKeys>,
    pub(crate) hydrodl: Option<HydroDlKeys>,
    pub(crate) cosore: Option<CosoreKeys>,
    pub(crate) carbonfluxbench: Option<CarbonFluxBenchKeys>,
}

/// What a person says of a site. What is not said is taken from the files.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SiteKeys {
    /// The site's id: letters, digits, `_`, `-`, `.`.
    pub(crate) id: String,
    /// Degrees north.
    pub(crate) lat: Option<f64>,
    /// Degrees east.
    pub(crate) lon: Option<f64>,
    pub(crate) elevation_m: Option<f64>,
    pub(crate) name: Option<String>,
    pub(crate) igbp: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) licence: Option<String>,
    /// Hours that the site's standard time is ahead of UTC: −5, 9.5.
    pub(crate) utc_offset: Option<f64>,
    /// The site's own files, where their names or cells do not tell the site.
    #[serde(default)]
    pub(crate) files: Vec<String>,
    /// What is otherwise there than `[chamber]` says.
    pub(crate) chamber: Option<ChamberKeys>,
}

impl Mapping {
    /// Reads a mapping.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] if it cannot be read, [`Error::Job`] with line and key of what is wrong in it.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(Error::io("read the mapping", path))?;
        Self::parse(path, &text)
    }

    /// [`Mapping::read`] of a text; `path` names it in messages, and its folder is where its files are.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] with line and key of what is wrong in it.
    pub fn parse(path: &Path, text: &str) -> Result<Self> {
        let mut mapping: Self =
            toml::from_str(text).map_err(|error| efflux_job::toml_error(path, text, &error))?;
        path.clone_into(&mut mapping.path);
        mapping.check()?;
        Ok(mapping)
    }

    /// The mapping with another column as its flux.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] if its layout tells the flux otherwise.
    pub fn with_target(mut self, target: &str) -> Result<Self> {
        self.target.column = Some(target.to_owned());
        self.check()?;
        Ok(self)
    }

    fn check(&self) -> Result<()> {
        let sections = [
            ("table", self.table.is_some(), &[Layout::Table][..]),
            ("weather", !self.weather.is_empty(), &[Layout::Table]),
            (
                "ameriflux-base",
                self.ameriflux.is_some(),
                &[Layout::AmerifluxBase],
            ),
            (
                "fluxnet",
                self.fluxnet.is_some(),
                &[Layout::Fluxnet, Layout::IcosL2],
            ),
            ("neon", self.neon.is_some(), &[Layout::Neon]),
            (
                "chamber",
                self.chamber.is_some() || self.sites.iter().any(|site| site.chamber.is_some()),
                &Layout::OF_CHAMBERS,
            ),
            (
                "neuralhydrology",
                self.neuralhydrology.is_some(),
                &[Layout::NeuralHydrology],
            ),
            ("hydrodl", self.hydrodl.is_some(), &[Layout::HydroDl]),
            ("cosore", self.cosore.is_some(), &[Layout::Cosore]),
            (
                "carbonfluxbench",
                self.carbonfluxbench.is_some(),
                &[Layout::CarbonFluxBench],
            ),
        ];
        for (section, is_there, of) in sections {
            if is_there && !of.contains(&self.layout) {
                let of = of[0].name();
                return Err(self.wrong(format!(
                    "has a section `{section}`, which belongs to `layout = \"{of}\"`, but the layout is \"{}\" (remove the \
                     section or change the layout)",
                    self.layout.name()
                )));
            }
        }
        if self.layout == Layout::Table && (self.target.column.is_some() || self.drivers.is_some())
        {
            return Err(self.wrong(
                "has the column of a `target` or `drivers` at its top, but a table names its columns in `table.flux` and [[table.drivers]]".into(),
            ));
        }
        for (index, site) in self.sites.iter().enumerate() {
            check_id(&site.id).map_err(|reason| self.wrong(reason))?;
            if self.sites[..index].iter().any(|other| other.id == site.id) {
                return Err(self.wrong(format!("has two [[sites]] with id = \"{}\"", site.id)));
            }
            if site
                .utc_offset
                .is_some_and(|hours| hours.is_nan() || hours.abs() > 14.0)
            {
                return Err(self.wrong(format!(
                    "`utc_offset` of site `{}` is no number of hours from -14 to 14",
                    site.id
                )));
            }
        }
        Ok(())
    }

    /// What is wrong with the mapping.
    pub(crate) fn wrong(&self, reason: String) -> Error {
        Error::Job {
            path: self.path.clone(),
            reason,
        }
    }

    /// The files that the top of the mapping names, sorted.
    pub(crate) fn all_files(&self) -> Result<Vec<PathBuf>> {
        if self.files.is_empty() {
            return Err(self.wrong(
                "has no `files`, expected a list of names such as [\"data/*.csv\"]".into(),
            ));
        }
        self.found(&self.files)
    }

    /// The files that patterns name, each once, sorted by name.
    ///
    /// # Errors
    ///
    /// [`Error::Job`] where a pattern finds nothing or is none.
    pub(crate) fn found(&self, patterns: &[String]) -> Result<Vec<PathBuf>> {
        let folder = self.path.parent().unwrap_or(Path::new(""));
        let mut files = Vec::new();
        for pattern in patterns {
            let whole = if Path::new(pattern).is_absolute() {
                pattern.clone()
            } else {
                let folder = glob::Pattern::escape(&folder.to_string_lossy());
                if folder.is_empty() {
                    pattern.clone()
                } else {
                    format!("{folder}/{pattern}")
                }
            };
            let paths = glob::glob(&whole)
                .map_err(|error| self.wrong(format!("`files` has `{pattern}`: {error}")))?;
            let before = files.len();
            for path in paths {
                let path = path.map_err(|error| {
                    let path = error.path().to_owned();
                    Error::io("look into", path)(error.into())
                })?;
                if path.is_file() && !folder::is_in_output(&path) {
                    files.push(path);
                }
            }
            if files.len() == before {
                return Err(self.wrong(format!(
                    "`files` has `{pattern}`, and no file is called so (names are relative to the mapping's folder)"
                )));
            }
        }
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// What the mapping says of a site.
    pub(crate) fn site(&self, id: &str) -> Option<&SiteKeys> {
        self.sites.iter().find(|site| site.id == id)
    }

    /// Whether a daily variable is wanted.
    pub(crate) fn wants(&self, driver: &str) -> bool {
        self.drivers
            .as_ref()
            .is_none_or(|wanted| wanted.iter().any(|name| name == driver))
    }
}

impl SiteKeys {
    /// A site with what is said here, and what is known otherwise in the place of what is not.
    pub(crate) fn over(&self, site: &mut Site) {
        site.id.clone_from(&self.id);
        site.lat = self.lat.or(site.lat);
        site.lon = self.lon.or(site.lon);
        site.elevation_m = self.elevation_m.or(site.elevation_m);
        for (said, text) in [
            (&self.name, &mut site.name),
            (&self.igbp, &mut site.igbp),
            (&self.source, &mut site.source),
            (&self.licence, &mut site.licence),
        ] {
            if let Some(said) = said {
                text.clone_from(said);
            }
        }
    }
}

/// Whether this can be a site's id, which names its file.
pub(crate) fn check_id(id: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if id.is_empty() || id.starts_with('.') || !id.chars().all(allowed) {
        return Err(format!(
            "the site id `{id}` cannot name a file, expected letters, digits, `_`, `-` and `.`"
        ));
    }
    if ["sites", "account"]
        .iter()
        .any(|taken| id.eq_ignore_ascii_case(taken))
    {
        return Err(format!(
            "the site id `{id}` is the name of another file of the folder, expected another id"
        ));
    }
    Ok(())
}
