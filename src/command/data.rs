//! `efflux synth`, `efflux pack`, `efflux inspect`: packs in and out.

use std::path::Path;

use efflux::data::{self, CosoreOptions, Pack, SynthOptions};
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
    match (&args.sites, &args.cosore) {
        (Some(folder), None) => pack_sites(args, folder),
        (None, Some(folder)) => pack_cosore(args, folder),
        _ => Err(Error::Usage("expected either --sites or --cosore".into())),
    }
}

fn pack_sites(args: &PackArgs, folder: &Path) -> Result<Exit> {
    let packed = data::pack_sites(folder)?;
    packed.pack.write(&args.output)?;
    for warning in &packed.warnings {
        tracing::warn!("{warning}");
    }
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

fn pack_cosore(args: &PackArgs, folder: &Path) -> Result<Exit> {
    let options = CosoreOptions {
        filter: args.release.filter,
        fluxes: args.release.variables.clone(),
        treatments: args.release.treatments,
        skip_unreadable: args.release.skip_unreadable,
    };
    let release = data::read_cosore(folder, &options)?;
    for warning in &release.warnings {
        tracing::warn!("{warning}");
    }
    let ledger = release.ledger.clone();
    let pack = release.into_pack();
    pack.write(&args.output)?;
    println!(
        "{}: {} sites, {}\n{ledger}",
        args.output.display(),
        pack.sites.len(),
        pack.calendar
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
