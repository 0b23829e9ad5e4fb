//! ICOS' level 2 archives: files with FLUXNET's columns, and one of the site's facts beside each.

use efflux_base::error::Result;

use crate::fluxnet;
use crate::mapping::Mapping;
use crate::record::Imported;

/// Reads the files of a mapping.
pub(crate) fn read(mapping: &Mapping) -> Result<Imported> {
    let mut imported = fluxnet::read(mapping)?;
    imported.warnings.push(
        "no efflux of chambers has been seen in archives of ICOS' level 2 (a station's own files would have it): the target is \
         made from tower data"
            .into(),
    );
    Ok(imported)
}
