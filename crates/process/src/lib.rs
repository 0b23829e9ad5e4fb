//! Gaussian processes in asinh units: of what a network leaves over at one site, and of all sites together.
//!
//! Every covariance is dense and exact, in `f64`, on one thread: a site has at most a few thousand days, and what sites
//! have in common passes through the weights of a few hundred features. So the cost is linear in the number of sites, and
//! results do not depend on how many threads there are.
//!
//! | file | answers |
//! | --- | --- |
//! | `day` | what a process knows of a day, and what it has seen of one |
//! | `dense` | how linear systems are solved |
//! | `kernel` | how alike two days are |
//! | `residual` | the process of what a network leaves over |
//! | `ridge` | what a linear part of a site is |
//! | `site_law` | what the weights of a site follow from |
//! | `pooled` | a process with common weights and a part of each site |
//! | `plain` | the first such process |
//! | `effects` | the second: its site effects are correlated |
//! | `constants` | the numbers of the second, measured once |
//! | `numbers` | the amplitude and the noise of a site |

mod constants;
mod day;
mod dense;
mod effects;
mod kernel;
mod numbers;
mod plain;
mod pooled;
mod residual;
mod ridge;
mod site_law;

pub use day::{Day, INPUTS, Seen, Stretch};
pub use dense::Singular;
pub use effects::Effects;
pub use kernel::Fourier;
pub use numbers::{PRIOR_SD, SiteNumbers};
pub use plain::Plain;
pub use pooled::{Climate, Definition, Pooled, Posterior, Site};
pub use residual::{Residual, ResidualPosterior};
pub use ridge::ridge;
pub use site_law::{LeftOut, PENALTIES, SiteLaw};
