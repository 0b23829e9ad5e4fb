//! Which variables a pack has for inputs.

use efflux_job::{Variable, Variables};

use super::pack::Pack;

/// The daily variables and static attributes of a pack, with the sites that lack them.
pub fn variables(pack: &Pack) -> Variables {
    let ids = |sites: Vec<usize>| {
        let ids = sites.into_iter().map(|site| pack.sites[site].id.clone());
        ids.collect()
    };
    let dynamic = pack.dynamic.iter().enumerate();
    let statics = pack.statics.iter().enumerate();
    Variables {
        sites: pack.sites.len(),
        dynamic: dynamic
            .map(|(index, variable)| Variable {
                name: variable.name.clone(),
                absent_at: ids(pack.sites_without(index)),
            })
            .collect(),
        statics: statics
            .map(|(index, variable)| Variable {
                name: variable.name.clone(),
                absent_at: ids(pack.sites_without_attribute(index)),
            })
            .collect(),
    }
}
