//! Vectors of sites, learned with the weights and joined to the inputs of every day, with libtorch.
//!
//! A site without a day to fit on has no vector, which a row of zeros stands for: no gradient reaches it and the ridge leaves it
//! alone, so it stays as it is. Such a site, and one that the training did not have, is read with the mean of all vectors.

use efflux_numerics::random::Stream;
use tch::{Kind, Tensor};

use super::network::SeriesTensors;

/// Standard deviation of a vector's numbers before the first update.
const SPREAD: f64 = 0.1;

/// Draws the vectors with which a training begins.
pub(super) fn draw(stream: &mut Stream, vectors: &mut Tensor) {
    let draws: Vec<f64> = (0..vectors.numel())
        .map(|_| stream.normal() * SPREAD)
        .collect();
    let size = vectors.size();
    vectors.copy_(&Tensor::from_slice(&draws).view(&size[..]));
}

/// The mean of the vectors that are there, `[1, K]`.
pub(super) fn mean(vectors: &Tensor) -> Tensor {
    let count = are_there(vectors).sum(Kind::Int64).clamp_min(1);
    vectors.detach().sum_dim_intlist(0, true, vectors.kind()) / count
}

/// Which sites have a vector, `[S]`.
fn are_there(vectors: &Tensor) -> Tensor {
    vectors.detach().ne(0.0).any_dim(1, false)
}

/// The vectors of a model, `[S, K]`.
#[derive(Debug)]
pub(super) struct Embedding(Tensor);

impl Embedding {
    pub(super) fn of(vectors: &Tensor) -> Self {
        Self(vectors.shallow_clone())
    }

    /// The inputs `[T, B, nx]` with the vector of each series behind those of every day, `[T, B, nx + K]`; without series, the
    /// mean of all vectors.
    pub(super) fn join(&self, inputs: &Tensor, series: Option<&SeriesTensors>) -> Tensor {
        let Self(vectors) = self;
        let (days, rows) = (inputs.size()[0], inputs.size()[1]);
        let (sites, width) = (vectors.size()[0], vectors.size()[1]);
        // Behind the vectors lies their mean, through which no gradient goes.
        let all = Tensor::cat(&[vectors, &mean(vectors)], 0);
        let there = are_there(vectors);
        let none = Tensor::zeros([1], (Kind::Bool, vectors.device()));
        let there = Tensor::cat(&[there, none], 0);
        let of_series = match series {
            Some(series) => {
                let is_there = there.index_select(0, &series.sites);
                series.sites.where_scalarother(&is_there, sites)
            }
            None => Tensor::full([rows], sites, (Kind::Int64, vectors.device())),
        };
        let joined = all
            .index_select(0, &of_series)
            .expand([days, rows, width], true);
        Tensor::cat(&[inputs, &joined], 2)
    }
}
