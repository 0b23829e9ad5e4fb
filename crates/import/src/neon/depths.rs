//! How deep NEON's sensors are. A vertical position is an index, another one in each product, site and plot.

use std::path::Path;

use efflux_base::error::Result;

use crate::cells::{Cells, Dialect};
use crate::record::Site;

/// The depth that predictors of the soil are taken at, metres.
const WANTED_M: f64 = 0.05;

/// Sensors with their depths and the times from and to which they hold, in any order.
#[derive(Default)]
pub(super) struct Depths(Vec<Sensor>);

struct Sensor {
    /// `001`: a text, as everywhere.
    plot: String,
    /// `502`
    level: String,
    depth_m: f64,
    /// In UTC, as written; empty without a begin.
    from: String,
    /// Empty if it still holds.
    to: String,
}

impl Depths {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads `sensor_positions_…csv`, which tells the site, too.
    pub(super) fn read_positions(&mut self, path: &Path, site: &mut Site) -> Result<()> {
        let mut cells = Cells::open(path, &Dialect::default())?;
        let head = cells.head();
        let (position, depth) = (head.require("HOR.VER")?, head.require("zOffset")?);
        let id = head.require("siteID")?;
        let begin = ["positionStartDateTime", "startDateTime", "start"];
        let end = ["positionEndDateTime", "endDateTime", "end"];
        let first = |names: &[&str]| names.iter().find_map(|name| head.find(name));
        let (from, to) = (first(&begin), first(&end));
        let place = [
            "locationReferenceLatitude",
            "locationReferenceLongitude",
            "locationReferenceElevation",
        ];
        let place = place.map(|name| head.find(name));
        while let Some(row) = cells.next()? {
            let Some((plot, level)) = row.cell(position).split_once('.') else {
                return Err(row.wrong(position, "a horizontal and a vertical position, 001.501"));
            };
            if !site.id.is_empty() && site.id != row.cell(id) {
                return Err(row.wrong(
                    id,
                    &format!(
                        "`{}` as in the rows before: keep each site in its folder",
                        site.id
                    ),
                ));
            }
            row.cell(id).clone_into(&mut site.id);
            for (column, value) in
                place
                    .into_iter()
                    .zip([&mut site.lat, &mut site.lon, &mut site.elevation_m])
            {
                if let Some(column) = column {
                    *value = value.or(row.number(column)?);
                }
            }
            let time = |column: Option<usize>| match column {
                Some(column) if !row.is_missing(column) => row.cell(column).to_owned(),
                _ => String::new(),
            };
            if let Some(offset) = row.number(depth)? {
                self.0.push(Sensor {
                    plot: plot.to_owned(),
                    level: level.to_owned(),
                    depth_m: -offset,
                    from: time(from),
                    to: time(to),
                });
            }
        }
        Ok(())
    }

    /// Reads `swc_depthsV3.csv`.
    pub(super) fn read_table(&mut self, path: &Path) -> Result<()> {
        let mut cells = Cells::open(path, &Dialect::default())?;
        let head = cells.head();
        let (plot, level) = (
            head.require("horizontalPosition.HOR")?,
            head.require("verticalPosition.VER")?,
        );
        let depth = head.require("sensorDepth")?;
        let (from, to) = (head.find("startDateTime"), head.find("endDateTime"));
        while let Some(row) = cells.next()? {
            let time = |column: Option<usize>| match column {
                Some(column) if !row.is_missing(column) => row.cell(column).to_owned(),
                _ => String::new(),
            };
            if let Some(offset) = row.number(depth)? {
                self.0.push(Sensor {
                    plot: row.cell(plot).to_owned(),
                    level: row.cell(level).to_owned(),
                    depth_m: offset.abs(),
                    from: time(from),
                    to: time(to),
                });
            }
        }
        Ok(())
    }

    /// Whether a sensor is the one of its plot that is nearest to 5 cm at a time (UTC, `2019-07-01T00:00:00Z`).
    pub(super) fn is_nearest(&self, plot: &str, level: &str, time: &str) -> bool {
        // Times of one format are in the order of their texts.
        let holds = |sensor: &&Sensor| {
            sensor.plot == plot
                && (sensor.from.is_empty() || sensor.from.as_str() <= time)
                && (sensor.to.is_empty() || time < sensor.to.as_str())
        };
        let far = |sensor: &&Sensor| (sensor.depth_m - WANTED_M).abs();
        let held = self.0.iter().filter(holds);
        let nearest = held.min_by(|a, b| far(a).total_cmp(&far(b)));
        nearest.is_some_and(|nearest| nearest.level == level)
    }
}
