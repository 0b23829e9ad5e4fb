//! An array that has one value for each site and day.

use std::ops::{Deref, DerefMut, Index, IndexMut};

/// One value for each of S sites and D days, `[S, D]`: indexed by (site, day), and as a slice the sites one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteByDay<T> {
    days: usize,
    values: Vec<T>,
}

impl<T> SiteByDay<T> {
    /// The same value everywhere.
    pub fn filled(sites: usize, days: usize, value: T) -> Self
    where
        T: Clone,
    {
        Self {
            days,
            values: vec![value; sites * days],
        }
    }

    /// These values, site after site.
    ///
    /// # Panics
    ///
    /// If they are not as many for each site.
    pub fn of(days: usize, values: Vec<T>) -> Self {
        let whole = values.len().checked_rem(days).unwrap_or(values.len()) == 0;
        assert!(whole, "{} values for sites of {days} days", values.len());
        Self { days, values }
    }

    /// Appends a site.
    ///
    /// # Panics
    ///
    /// If it does not have one value for each day.
    pub fn push_site(&mut self, values: impl IntoIterator<Item = T>) {
        let before = self.values.len();
        self.values.extend(values);
        let found = self.values.len() - before;
        assert!(found == self.days, "{found} values for {} days", self.days);
    }

    /// S.
    pub fn sites(&self) -> usize {
        self.values.len().checked_div(self.days).unwrap_or(0)
    }

    /// D.
    pub fn days(&self) -> usize {
        self.days
    }

    /// The days of one site, `[D]`.
    pub fn site(&self, site: usize) -> &[T] {
        &self.values[site * self.days..][..self.days]
    }

    /// The days of one site, `[D]`, to be changed.
    pub fn site_mut(&mut self, site: usize) -> &mut [T] {
        &mut self.values[site * self.days..][..self.days]
    }

    /// The days of each site, `[D]`.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[T]> {
        (0..self.sites()).map(|site| self.site(site))
    }

    /// Where a day of a site lies among the values.
    pub fn place(&self, site: usize, day: usize) -> usize {
        site * self.days + day
    }

    /// The values, site after site.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// The values, site after site, to be changed.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// An array of the same shape.
    pub fn map<U>(&self, value: impl FnMut(&T) -> U) -> SiteByDay<U> {
        SiteByDay {
            days: self.days,
            values: self.values.iter().map(value).collect(),
        }
    }
}

impl<T> Index<(usize, usize)> for SiteByDay<T> {
    type Output = T;

    fn index(&self, (site, day): (usize, usize)) -> &T {
        &self.site(site)[day]
    }
}

impl<T> IndexMut<(usize, usize)> for SiteByDay<T> {
    fn index_mut(&mut self, (site, day): (usize, usize)) -> &mut T {
        &mut self.site_mut(site)[day]
    }
}

impl<T> Deref for SiteByDay<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.values
    }
}

impl<T> DerefMut for SiteByDay<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.values
    }
}
