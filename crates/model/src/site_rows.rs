//! Weights of single sites as rows: those of a trained model, or of a model of other sites.

use efflux_numerics::single;
use tch::Tensor;

use super::device::values;
use super::embedding;
use super::layout::{Head, Layout, Shape};
use super::network::Network;

impl Shape {
    /// How many weights each site has to itself: on the state, a bias, and with `skip` on the inputs; none with a head that
    /// sites share.
    pub fn site_weights(self) -> i64 {
        match self.head {
            Head::Shared => 0,
            Head::Site { skip } => self.hidden + 1 + if skip { self.inputs } else { 0 },
        }
    }
}

impl Network {
    /// The weights that each site has to itself in the head, `[S]` rows of [`Shape::site_weights`].
    pub fn site_rows(&self) -> Vec<Vec<f64>> {
        if self.shape().head == Head::Shared {
            return Vec::new();
        }
        let layout = Layout::of(self.shape());
        let parameters = layout.split(self.flat());
        let parts: Vec<Vec<f32>> = parameters[layout.site_head()].iter().map(values).collect();
        let sites = usize::try_from(self.shape().sites).expect("sizes are positive");
        let row = |site: usize| {
            let parts = parts.iter().flat_map(|part| {
                let width = part.len() / sites;
                &part[site * width..][..width]
            });
            parts.map(|&weight| f64::from(weight)).collect()
        };
        (0..sites).map(row).collect()
    }

    /// The same model with other sites in the place of its own. If sites have vectors (`embedding`), each of these has their mean.
    ///
    /// * `rows`: of each of them what [`Network::site_rows`] are of its own.
    ///
    /// # Panics
    ///
    /// If its head is the same for all sites, or rows are of another length.
    #[must_use]
    pub fn of_sites(&self, rows: &[Vec<f64>]) -> Self {
        let own = Layout::of(self.shape());
        assert!(!own.site_head().is_empty());
        let layout = Layout::of(Shape {
            sites: rows.len() as i64,
            ..self.shape()
        });
        let common = usize::try_from(layout.common_weights()).expect("sizes are positive");
        let mut flat = values(self.flat());
        flat.truncate(common);
        let mut first = 0;
        for parameter in &layout.parameters()[layout.site_head()] {
            let width: i64 = layout.sizes(parameter)[1..].iter().product();
            let width = usize::try_from(width).expect("sizes are positive");
            let part = rows.iter().flat_map(|row| &row[first..][..width]);
            flat.extend(part.map(|&weight| single(weight)));
            first += width;
        }
        assert!(rows.iter().all(|row| row.len() == first));
        if let Some(at) = own.embedding() {
            let mean = values(&embedding::mean(&own.split(self.flat())[at]));
            flat.extend(mean.repeat(rows.len()));
        }
        let device = self.flat().device();
        Self::new(layout.shape(), Tensor::from_slice(&flat).to_device(device))
    }
}
