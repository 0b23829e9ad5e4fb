//! How much of the rain evaporates in the long run.

/// Evapotranspiration over precipitation from potential evapotranspiration over precipitation, both long-term means:
/// `√(φ tanh(1/φ) (1 − exp(−φ)))`, between 0 and the lesser of 1 and φ.
///
/// # Source
///
/// Budyko (1974), *Climate and Life*, Academic Press.
pub fn evaporative_index(aridity: f64) -> f64 {
    if aridity <= 0.0 {
        return 0.0;
    }
    (aridity * (1.0 / aridity).tanh() * (1.0 - (-aridity).exp())).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn neither_more_than_rains_nor_more_than_could_evaporates(aridity in 0.0f64..50.0) {
            let index = evaporative_index(aridity);
            let least = aridity.min(1.0);
            prop_assert!((0.0..=least + 1e-12).contains(&index), "{}", index);
        }
    }
}
