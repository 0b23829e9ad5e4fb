//! `efflux synth`, `efflux pack`, `efflux inspect`: packs in and out.

use std::path::Path;

use efflux_base::durable;
use efflux_base::error::{Error, Exit, Result};
use efflux_data::Pack;
use efflux_ingest as ingest;
use efflux_ingest::{CosoreOptions, Missing, Products, SiteOptions, SynthOptions};
use efflux_job::Split;

use super::tell;
use crate::cli::{InspectArgs, PackArgs, SynthArgs};
use crate::console::say;

/// Writes a synthetic pack, or synthetic predictors of one.
pub(crate) fn synth(args: &SynthArgs) -> Result<Exit> {
    if let Some(path) = &args.predictors_for {
        let pack = Pack::read(path)?;
        let tables = ingest::synthesize_predictors(&pack, args.seed, &args.output)?;
        say!(
            "{}: {tables} tables of synthetic predictors for {} sites",
            args.output.display(),
            pack.sites.len()
        );
        return Ok(Exit::Complete);
    }
    let options = SynthOptions {
        sites: args.sites as usize,
        years: args.years.map(|years| years as usize),
        seed: args.seed,
        ..SynthOptions::default()
    };
    let pack = ingest::synthesize(&options)?;
    pack.write(&args.output)?;
    say!(
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
    let missing = Missing::new(&args.tables.missing, &args.tables.measured);
    let Sites {
        mut pack,
        mut warnings,
        notes,
        account,
    } = match (&args.sites, &args.cosore) {
        (Some(folder), None) => Sites::of_folder(folder, args, &missing)?,
        (None, Some(folder)) => Sites::of_release(folder, args)?,
        _ => return Err(Error::Usage("expected either --sites or --cosore".into())),
    };
    let products = match &args.predictors_config {
        Some(file) => Products::read(file)?,
        None => Products::paper()?,
    };
    if let Some(table) = &args.elevations {
        let (with_elevations, told) = ingest::add_elevations(pack, table, &missing)?;
        pack = with_elevations;
        warnings.extend(told);
    }
    if let Some(folder) = &args.predictors {
        let predictors =
            ingest::read_predictors(folder, &products, &pack.sites, pack.calendar, &missing)?;
        pack = predictors.join(&pack)?;
        warnings.extend(predictors.warnings);
    }
    let findings = ingest::check(
        &pack,
        &products,
        Split::default().train,
        args.tables.same_place,
    );
    warnings.extend(findings.into_iter().map(|finding| finding.message));
    tell(&notes, &warnings, args.strict, &args.output)?;
    pack.write(&args.output)?;
    say!(
        "{}: {} sites, {}{account}",
        args.output.display(),
        pack.sites.len(),
        pack.calendar
    );
    Ok(Exit::Complete)
}

/// Sites with their fluxes.
struct Sites {
    pack: Pack,
    warnings: Vec<String>,
    notes: Vec<String>,
    /// What was kept and dropped, for people.
    account: String,
}

impl Sites {
    fn of_folder(folder: &Path, args: &PackArgs, missing: &Missing) -> Result<Self> {
        let options = SiteOptions {
            from: args.tables.from,
            to: args.tables.to,
            missing: missing.clone(),
            keep_columns: args.tables.keep_columns.clone(),
        };
        let packed = ingest::pack_sites(folder, &options)?;
        Ok(Self {
            account: format!(
                ", {} observed site-days, {} outside the calendar left out",
                packed.observed_days, packed.dropped_days
            ),
            pack: packed.pack,
            warnings: packed.warnings,
            notes: packed.notes,
        })
    }

    fn of_release(folder: &Path, args: &PackArgs) -> Result<Self> {
        let options = CosoreOptions {
            filter: args.release.filter,
            fluxes: args.release.variables.clone(),
            treatments: args.release.treatments,
            embargoed: args.release.embargoed,
            from: args.tables.from,
            to: args.tables.to,
            skip_unreadable: args.release.skip_unreadable,
        };
        let mut release = ingest::read_cosore(folder, &options)?;
        Ok(Self {
            warnings: std::mem::take(&mut release.warnings),
            notes: Vec::new(),
            account: format!("\n{}", release.account),
            pack: release.into_pack(),
        })
    }
}

/// Shows what is in a pack.
pub(crate) fn inspect(args: &InspectArgs) -> Result<Exit> {
    let pack = Pack::read(&args.pack)?;
    if let Some(path) = &args.sites_csv {
        durable::write(path, ingest::site_table(&pack.sites)?)?;
    }
    let inspection = ingest::inspect(&pack, args.train_fraction, args.same_place)?;
    if args.json {
        let text = serde_json::to_string_pretty(&inspection)
            .map_err(|error| Error::Internal(format!("inspection: {error}")))?;
        say!("{text}");
    } else {
        say!("{inspection}");
    }
    Ok(Exit::Complete)
}
