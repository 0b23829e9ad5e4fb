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

/// The same for a landscape: `φ / (1 + φ^n)^(1/n)`. The larger `n`, the more of what could evaporate does; Budyko's own
/// curve lies near `n = 1.9`.
///
/// # Source
///
/// Choudhury (1999), *J. Hydrol.* 216(1–2), 99–110, doi:10.1016/S0022-1694(98)00293-5, after Turc and Pike.
pub fn landscape_index(aridity: f64, n: f64) -> f64 {
    if aridity <= 0.0 {
        return 0.0;
    }
    // By the inverse where φ is large, so that no power leaves its range.
    if aridity > 1.0 {
        (1.0 + aridity.powf(-n)).powf(-1.0 / n)
    } else {
        aridity / (1.0 + aridity.powf(n)).powf(1.0 / n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_landscape_of_two_evaporates_one_over_the_root_of_two_where_rain_meets_demand() {
        assert!((landscape_index(1.0, 2.0) - 0.5_f64.sqrt()).abs() < 1e-15);
        assert!((landscape_index(3.0, 1.0) - 0.75).abs() < 1e-15);
        assert!((landscape_index(1.0, 1.9) - evaporative_index(1.0)).abs() < 0.01);
    }

    proptest! {
        #[test]
        fn no_landscape_evaporates_more_than_rains_or_could(aridity in 0.0f64..50.0, n in 0.5f64..5.0) {
            let index = landscape_index(aridity, n);
            prop_assert!((0.0..=aridity.min(1.0) + 1e-12).contains(&index), "{}", index);
        }

        #[test]
        fn neither_more_than_rains_nor_more_than_could_evaporates(aridity in 0.0f64..50.0) {
            let index = evaporative_index(aridity);
            let least = aridity.min(1.0);
            prop_assert!((0.0..=least + 1e-12).contains(&index), "{}", index);
        }
    }
}
