//! `efflux synth`, `efflux pack`, `efflux inspect`: packs in and out.

use efflux::data::{self, Pack, Products, SynthOptions};
use efflux::error::{Error, Exit, Result};

use crate::cli::{InspectArgs, PackArgs, SynthArgs};

/// Writes a synthetic pack.
pub(crate) fn synth(args: &SynthArgs) -> Result<Exit> {
    let options = SynthOptions {
        sites: args.sites as usize,
        years: args.years.map(|years| years as usize),
        seed: args.seed,
        ..SynthOptions::default()
    };
    let pack = data::synthesize(&options)?;
    pack.write(&args.output)?;
    println!(
        "{}: {} synthetic sites, {}, {} observed site-days",
        args.output.display(),
        pack.sites.len(),
        pack.calendar,
        pack.count.iter().filter(|count| **count > 0).count()
    );
    Ok(Exit::Complete)
}

/// Writes a pack of real sites.
pub(crate) fn pack(args: &PackArgs) -> Result<Exit> {
    let mut packed = data::pack_sites(&args.sites)?;
    if let Some(folder) = &args.predictors {
        let products = match &args.predictors_config {
            Some(file) => Products::read(file)?,
            None => Products::paper()?,
        };
        let Pack {
            sites, calendar, ..
        } = &packed.pack;
        let predictors = data::read_predictors(folder, &products, sites, *calendar)?;
        packed.pack = predictors.join(&packed.pack)?;
        packed.warnings.extend(predictors.warnings);
    }
    for warning in &packed.warnings {
        tracing::warn!("{warning}");
    }
    if args.strict && !packed.warnings.is_empty() {
        let count = packed.warnings.len();
        let reason = format!("not written: --strict, and {count} warnings, shown above");
        return Err(Error::file(&args.output, reason));
    }
    packed.pack.write(&args.output)?;
    println!(
        "{}: {} sites, {}, {} observed site-days, {} outside the calendar left out",
        args.output.display(),
        packed.pack.sites.len(),
        packed.pack.calendar,
        packed.observed_days,
        packed.dropped_days
    );
    Ok(Exit::Complete)
}

/// Shows what is in a pack.
pub(crate) fn inspect(args: &InspectArgs) -> Result<Exit> {
    let inspection = data::inspect(&Pack::read(&args.pack)?);
    if args.json {
        let text = serde_json::to_string_pretty(&inspection)
            .map_err(|error| Error::Internal(format!("inspection: {error}")))?;
        println!("{text}");
    } else {
        println!("{inspection}");
    }
    Ok(Exit::Complete)
}
