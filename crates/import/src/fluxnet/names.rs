//! Names of the files of FLUXNET2015, ONEFlux and ICOS.

use std::cmp::Reverse;

/// How much of a file is one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Day,
    /// 48 a day.
    HalfHour,
    /// 24 a day.
    Hour,
}

/// What a file's name tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FileName {
    pub(crate) site: String,
    /// Product, set and version: `FLUXNET2015 FULLSET 1-4`, `ICOS ETC L2`.
    pub(crate) source: String,
    pub(crate) step: Step,
    /// `FLUXMET` and `FULLSET` before `SUBSET`.
    rank: u8,
}

/// A file by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Data(FileName),
    /// Tells of sites or variables.
    Metadata,
    /// Something else, and what.
    Other(&'static str),
    /// Of 2007, with other names and flags.
    LaThuile,
}

impl Step {
    pub(crate) fn rows_a_day(self) -> u32 {
        match self {
            Self::Day => 1,
            Self::HalfHour => 48,
            Self::Hour => 24,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        match text {
            "DD" => Some(Self::Day),
            "HH" => Some(Self::HalfHour),
            "HR" => Some(Self::Hour),
            _ => None,
        }
    }
}

impl Kind {
    pub(crate) fn of(name: &str) -> Self {
        if name.contains(".synth.") {
            return Self::LaThuile;
        }
        if crate::tower::is_metadata(name) {
            return Self::Metadata;
        }
        let Some(stem) = name.strip_suffix(".csv") else {
            return Self::Other("is no CSV");
        };
        let parts: Vec<&str> = stem.split('_').collect();
        if parts.contains(&"VARINFO") {
            return Self::Other("tells of variables");
        }
        let data = match parts[..] {
            ["ICOSETC", site, "FLUXNET", step, "L2", ..] => {
                Step::parse(step).map(|step| FileName {
                    site: site.to_owned(),
                    source: "ICOS ETC L2".to_owned(),
                    step,
                    rank: 0,
                })
            }
            [
                _,
                site,
                product,
                set @ ("FLUXMET" | "FULLSET" | "SUBSET"),
                step,
                _,
                ref version @ ..,
            ] if product.starts_with("FLUXNET") => Step::parse(step).map(|step| FileName {
                site: site.to_owned(),
                source: format!("{product} {set} {}", version.join("_"))
                    .trim_end()
                    .to_owned(),
                step,
                rank: u8::from(set == "SUBSET") + 2 * u8::from(set != "FLUXMET"),
            }),
            _ => None,
        };
        data.map_or(
            Self::Other("is no file of daily, half-hourly or hourly data"),
            Self::Data,
        )
    }
}

impl FileName {
    /// The least is read where a site has several: days or what the mapping prefers, then the larger set, then the later version.
    pub(crate) fn order(&self, prefers_days: bool) -> (bool, u8, Reverse<String>) {
        (
            (self.step == Step::Day) != prefers_days,
            self.rank,
            Reverse(self.source.clone()),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_are_told_from_what_is_called_like_data() {
        for (name, site, source, step) in [
            (
                "FLX_ZZ-Fn1_FLUXNET2015_FULLSET_DD_2004-2005_1-4.csv",
                "ZZ-Fn1",
                "FLUXNET2015 FULLSET 1-4",
                Step::Day,
            ),
            (
                "AMF_ZZ-Fn2_FLUXNET_FLUXMET_DD_2016-2016_v1.3_r1.csv",
                "ZZ-Fn2",
                "FLUXNET FLUXMET v1.3_r1",
                Step::Day,
            ),
            (
                "AMF_US-Ha1_FLUXNET_FULLSET_HR_1991-2020_3-5.csv",
                "US-Ha1",
                "FLUXNET FULLSET 3-5",
                Step::Hour,
            ),
            (
                "ICOSETC_ZZ-Ic1_FLUXNET_HH_L2.csv",
                "ZZ-Ic1",
                "ICOS ETC L2",
                Step::HalfHour,
            ),
            (
                "ICOSETC_ZZ-Ic1_FLUXNET_DD_L2_01.csv",
                "ZZ-Ic1",
                "ICOS ETC L2",
                Step::Day,
            ),
        ] {
            let Kind::Data(found) = Kind::of(name) else {
                panic!("{name} is data");
            };
            assert_eq!(
                (found.site.as_str(), found.source.as_str(), found.step),
                (site, source, step)
            );
        }
        for name in [
            "AMF_ZZ-Fn2_FLUXNET_BIFVARINFO_DD_2016-2016_v1.3_r1.csv",
            "FLX_AA-Flx_BIF_DD_20991231.csv",
            "ICOSETC_ZZ-Ic1_SITEINFO_L2.csv",
        ] {
            assert_eq!(Kind::of(name), Kind::Metadata, "{name}");
        }
        for name in [
            "FLX_ZZ-Fn1_FLUXNET2015_AUXMETEO_2004-2005_1-4.csv",
            "FLX_ZZ-Fn1_FLUXNET2015_FULLSET_WW_2004-2005_1-4.csv",
            "ICOSETC_ZZ-Ic1_VARINFO_FLUXNET_DD_L2.csv",
            "ICOSETC_ZZ-Ic1_METEOSENS_L2.csv",
        ] {
            assert!(matches!(Kind::of(name), Kind::Other(_)), "{name}");
        }
        assert_eq!(
            Kind::of("DEHai.2004.synth.daily.allvars.csv"),
            Kind::LaThuile
        );
    }
}
