//! Which values of the inputs were not measured.

use efflux_numerics::SiteByDay;

use crate::pack::{HELD, OBSERVED, Pack};

/// How the values of daily inputs came about, over S sites and D days.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// The inputs that are not measured somewhere, in the order that was asked for.
    pub inputs: Vec<FilledInput>,
    /// How the least known of the inputs came about, shape `[S, D]`: of [`OBSERVED`], [`INTERPOLATED`](crate::INTERPOLATED)
    /// and [`HELD`] the last that there is.
    pub least_known: SiteByDay<u8>,
}

/// How the values of one daily input came about.
#[derive(Clone, Debug, PartialEq)]
pub struct FilledInput {
    /// What packs call it.
    pub name: String,
    /// [`OBSERVED`], [`INTERPOLATED`](crate::INTERPOLATED) or [`HELD`], shape `[S, D]`; a site without the input counts as
    /// observed.
    pub flags: SiteByDay<u8>,
}

/// How many of some days have a value that was not measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilledDays {
    /// All of these days.
    pub days: usize,
    /// Between two measured values.
    pub interpolated: usize,
    /// Before the first or after the last measured value, which is repeated.
    pub held: usize,
}

impl Filled {
    /// Of these daily variables of a pack; those that it does not have are passed over.
    pub fn of(pack: &Pack, names: &[String]) -> Self {
        let (sites, days) = (pack.sites.len(), pack.calendar.days);
        let mut least_known = SiteByDay::filled(sites, days, OBSERVED);
        let mut inputs = Vec::new();
        for name in names {
            let Some(variable) = pack.dynamic.iter().position(|of| of.name == *name) else {
                continue;
            };
            let flags: Vec<u8> = (0..sites)
                .flat_map(|site| pack.flags(site, variable))
                .collect();
            if flags.iter().all(|flag| *flag == OBSERVED) {
                continue;
            }
            let flags = SiteByDay::of(days, flags);
            for site in 0..sites {
                let worst = least_known.site_mut(site).iter_mut();
                for (worst, flag) in worst.zip(flags.site(site)) {
                    *worst = (*worst).max(*flag);
                }
            }
            inputs.push(FilledInput {
                name: name.clone(),
                flags,
            });
        }
        Self {
            inputs,
            least_known,
        }
    }

    /// The days of a site on which none of the inputs repeats its nearest measured value.
    pub fn own_days(&self, site: usize) -> impl Iterator<Item = usize> + '_ {
        let days = self.least_known.site(site).iter().enumerate();
        days.filter_map(|(day, flag)| (*flag != HELD).then_some(day))
    }

    /// An input by its name; none if all of its values were measured.
    pub fn input(&self, name: &str) -> Option<&FilledInput> {
        self.inputs.iter().find(|input| input.name == name)
    }
}

impl FilledDays {
    /// Of these days of a site.
    pub fn among(flags: &[u8], days: impl IntoIterator<Item = usize>) -> Self {
        let mut found = Self::default();
        for day in days {
            found.days += 1;
            match flags[day] {
                OBSERVED => {}
                HELD => found.held += 1,
                _ => found.interpolated += 1,
            }
        }
        found
    }

    /// Days whose value was not measured.
    pub fn filled(self) -> usize {
        self.interpolated + self.held
    }
}
