//! What became of every row: read = kept + dropped.

/// What became of the rows of all sites.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// One for each site, in the order of the sites.
    pub sites: Vec<Rows>,
}

/// What became of the rows of one site. A row is dropped by the first rule that drops it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// The site, or `*` for all together where rules are not told by site.
    pub site: String,
    /// Rows that were read.
    pub read: u64,
    /// Each rule that a row can be dropped by, in the order in which they are asked, with the rows that it dropped.
    pub dropped: Vec<(String, u64)>,
}

impl Rows {
    /// No rows yet.
    ///
    /// # Arguments
    ///
    /// * `rules`: what rows can be dropped by, in the order in which it is asked.
    pub fn new(site: &str, rules: &[&str]) -> Self {
        Self {
            site: site.to_owned(),
            read: 0,
            dropped: rules.iter().map(|rule| ((*rule).to_owned(), 0)).collect(),
        }
    }

    /// One more row was read.
    pub fn read(&mut self) {
        self.read += 1;
    }

    /// A row that was read is dropped by this rule, one of those of [`Rows::new`] or another one.
    pub fn drop(&mut self, rule: &str) {
        match self.dropped.iter_mut().find(|(name, _)| name == rule) {
            Some((_, rows)) => *rows += 1,
            None => self.dropped.push((rule.to_owned(), 1)),
        }
    }

    /// Rows that were read and not dropped.
    pub fn kept(&self) -> u64 {
        let dropped: u64 = self.dropped.iter().map(|(_, rows)| rows).sum();
        self.read.saturating_sub(dropped)
    }

    /// A site of which there is nothing to read, and why.
    pub fn absent(site: &str, reason: &str) -> Self {
        Self {
            site: site.to_owned(),
            read: 0,
            dropped: vec![(reason.to_owned(), 1)],
        }
    }

    /// Each rule with its rows: read, those that dropped rows or could, kept.
    pub fn lines(&self) -> impl Iterator<Item = (&str, u64)> {
        let is_absent = self.read == 0 && self.dropped.iter().any(|(_, rows)| *rows > 0);
        let read = (!is_absent).then_some(("read", self.read));
        let kept = (!is_absent).then(|| ("kept", self.kept()));
        let dropped = self
            .dropped
            .iter()
            .map(|(rule, rows)| (rule.as_str(), *rows));
        read.into_iter().chain(dropped).chain(kept)
    }
}
