//! Rows of any bytes.

use std::path::Path;

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::predictors::Products;
use crate::predictors::daily::Series;

/// A row of each kind of table; the header names every column that the paper's products need.
const HEADER: &str = "site,date,total_precipitation_hourly,volumetric_soil_water_layer_1,\
    volumetric_soil_water_layer_2,LST_Day_1km,QC_Day,LST_Night_1km,QC_Night,TMIN,TMAX,ET,PET,ET_QC,SR_B3,SR_B4,\
    QA_PIXEL,QA_RADSAT,Fpar,Lai,FparLai_QC,vs,soc_0-5cm_mean,sand_0-5cm_mean,silt_0-5cm_mean,clay_0-5cm_mean,\
    bdod_0-5cm_mean,bio_1,bio_12,filled\n";
const ROWS: &str = "A,2003-01-01T05:00,0.001,0.2,0.3,14000,0,13500,0,13650,14150,160,320,0,10000,20000,64,0,40,15,0,\
    250,120,450,300,240,130,8.5,1040,0\n\
    A,2003-01-01T06:00,,0.2,0.3,0,2,13500,65,13650,14150,32761,320,8,10000,20000,72,4,255,15,2,\
    250,120,450,300,240,130,8.5,1040,1\n";

/// What rows are made of.
const CHARACTERS: &[u8] = b"0123456789,-.eE\"\n;_T:";

/// Reads bytes as the table of every product. What is not an error has nothing but values that were to be kept.
fn read(bytes: &[u8]) {
    let site = Site {
        id: "A".into(),
        name: String::new(),
        latitude: 0.0,
        longitude: 0.0,
        elevation: None,
        igbp: String::new(),
        publication: String::new(),
    };
    let calendar = Calendar {
        start: date(2003, 1, 1),
        days: 20,
    };
    for product in Products::paper().unwrap().iter() {
        let mut records = Records::new(&[product], std::slice::from_ref(&site), calendar);
        let rows = Rows::new(Path::new("t.csv"), bytes);
        if rows.and_then(|rows| records.add(rows)).is_err() {
            continue;
        }
        let series = Series::of(product, &records.products[0].1[0], calendar);
        assert_eq!((series.values.len(), series.flags.len()), (20, 20));
        let [least, greatest] = product.valid.unwrap().map(|stored| {
            let value = stored * product.scale + product.offset;
            if product.step == Step::Hour {
                24.0 * value
            } else {
                8.0 * value
            }
        });
        for value in &series.values {
            assert!(value.is_nan() || within(product.keep, *value));
            let kept = product.keep.is_some() || (least.min(0.0)..=greatest).contains(value);
            assert!(value.is_nan() || kept, "{} is {value}", product.name);
        }
    }
}

#[test]
fn the_rows_to_mutate_are_read_by_every_product() {
    let text = format!("{HEADER}{ROWS}");
    let rows = Rows::new(Path::new("t.csv"), text.as_bytes()).unwrap();
    for product in Products::paper().unwrap().iter() {
        Columns::of(&rows.header, product).unwrap();
    }
    read(text.as_bytes());
}

proptest! {
    #[test]
    fn any_bytes_are_rows_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        read(&bytes);
        read(&[HEADER.as_bytes(), &bytes].concat());
    }

    #[test]
    fn mutated_bytes_are_rows_or_an_error(
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0u8..4), 1..6),
    ) {
        let mut bytes = format!("{HEADER}{ROWS}").into_bytes();
        for (place, byte, kind) in edits {
            let place = place.index(bytes.len());
            let character = CHARACTERS[usize::from(byte) % CHARACTERS.len()];
            match kind {
                0 => bytes[place] = byte,
                1 => bytes[place] = character,
                2 => bytes.insert(place, character),
                _ => {
                    bytes.remove(place);
                }
            }
        }
        read(&bytes);
    }
}
