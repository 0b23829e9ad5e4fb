//! The layouts by name, and who reads each.

use efflux_base::error::Result;
use serde::Deserialize;

use crate::mapping::Mapping;
use crate::record::Imported;
use crate::{
    ameriflux, carbonfluxbench, chamber, cosore, fluxnet, hydrodl, icos, neon, neuralhydrology,
    table,
};

/// How files are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Layout {
    /// Any delimited text, with its columns told by the mapping.
    #[serde(rename = "table")]
    Table,
    /// Half-hourly or hourly files of AmeriFlux.
    #[serde(rename = "ameriflux-base")]
    AmerifluxBase,
    /// Daily or half-hourly files of FLUXNET2015 and of ONEFlux.
    #[serde(rename = "fluxnet")]
    Fluxnet,
    /// An unpacked level 2 archive of ICOS' Ecosystem Thematic Centre.
    #[serde(rename = "icos-l2")]
    IcosL2,
    /// Stacked tables of NEON's soil sensors, and fluxes computed of them.
    #[serde(rename = "neon")]
    Neon,
    /// Raw files of the LI-8100A and LI-8150.
    #[serde(rename = "licor-81x")]
    Licor81x,
    /// A line a measurement, exported by LI-COR's programs for the LI-8100A.
    #[serde(rename = "licor-export")]
    LicorExport,
    /// Daily summaries of the LI-8250.
    #[serde(rename = "licor-8250")]
    Licor8250,
    /// JSON files of the LI-8200-01S smart chamber.
    #[serde(rename = "licor-smart-chamber")]
    LicorSmartChamber,
    /// Tables of forced-diffusion chambers.
    #[serde(rename = "eosfd")]
    Eosfd,
    /// Data sets of NeuralHydrology's class `GenericDataset`.
    #[serde(rename = "neuralhydrology")]
    NeuralHydrology,
    /// Folders of hydroDL and of its relatives for rivers.
    #[serde(rename = "hydrodl")]
    HydroDl,
    /// Releases of COSORE.
    #[serde(rename = "cosore")]
    Cosore,
    /// Tables of CarbonFluxBench.
    #[serde(rename = "carbonfluxbench")]
    CarbonFluxBench,
}

impl Layout {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Table,
        Self::AmerifluxBase,
        Self::Fluxnet,
        Self::IcosL2,
        Self::Neon,
        Self::Licor81x,
        Self::LicorExport,
        Self::Licor8250,
        Self::LicorSmartChamber,
        Self::Eosfd,
        Self::NeuralHydrology,
        Self::HydroDl,
        Self::Cosore,
        Self::CarbonFluxBench,
    ];

    /// Those of automatic chambers.
    pub(crate) const OF_CHAMBERS: [Self; 5] = [
        Self::Licor81x,
        Self::LicorExport,
        Self::Licor8250,
        Self::LicorSmartChamber,
        Self::Eosfd,
    ];

    /// As mappings write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::AmerifluxBase => "ameriflux-base",
            Self::Fluxnet => "fluxnet",
            Self::IcosL2 => "icos-l2",
            Self::Neon => "neon",
            Self::Licor81x => "licor-81x",
            Self::LicorExport => "licor-export",
            Self::Licor8250 => "licor-8250",
            Self::LicorSmartChamber => "licor-smart-chamber",
            Self::Eosfd => "eosfd",
            Self::NeuralHydrology => "neuralhydrology",
            Self::HydroDl => "hydrodl",
            Self::Cosore => "cosore",
            Self::CarbonFluxBench => "carbonfluxbench",
        }
    }

    /// The unit that its fluxes always come in; none where files or mapping tell it, and readers convert.
    pub(crate) fn unit(self) -> Option<&'static str> {
        match self {
            Self::AmerifluxBase
            | Self::Fluxnet
            | Self::IcosL2
            | Self::Neon
            | Self::Licor81x
            | Self::LicorExport
            | Self::LicorSmartChamber
            | Self::Cosore => Some("umol m-2 s-1"),
            Self::Table
            | Self::Licor8250
            | Self::Eosfd
            | Self::NeuralHydrology
            | Self::HydroDl
            | Self::CarbonFluxBench => None,
        }
    }

    /// Reads the files of a mapping of this layout.
    pub(crate) fn read(self, mapping: &Mapping) -> Result<Imported> {
        match self {
            Self::Table => table::read(mapping),
            Self::AmerifluxBase => ameriflux::read(mapping),
            Self::Fluxnet => fluxnet::read(mapping),
            Self::IcosL2 => icos::read(mapping),
            Self::Neon => neon::read(mapping),
            Self::Licor81x => chamber::read_81x(mapping),
            Self::LicorExport => chamber::read_export(mapping),
            Self::Licor8250 => chamber::read_8250(mapping),
            Self::LicorSmartChamber => chamber::read_smart(mapping),
            Self::Eosfd => chamber::read_eosfd(mapping),
            Self::NeuralHydrology => neuralhydrology::read(mapping),
            Self::HydroDl => hydrodl::read(mapping),
            Self::Cosore => cosore::read(mapping),
            Self::CarbonFluxBench => carbonfluxbench::read(mapping),
        }
    }
}
