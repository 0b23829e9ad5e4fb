// Exports the predictor tables that `efflux pack --predictors DIR` reads, one set of rows a site, from Google Earth
// Engine. What is exported is described in configs/predictors.toml; a test holds the names of both together.
//
// CI DOES NOT RUN THIS SCRIPT: it needs an Earth Engine account. Look at the first rows of every table you get.
//
// How to use it
//   1. Make a table of your sites with the columns `site`, `lat`, `lon` (`efflux inspect PACK --sites-csv sites.csv` writes
//      it; sites.csv of a folder for `--sites` will do, too) and upload it as a table asset (Assets, New, CSV file; the columns of longitude and latitude are `lon` and `lat`).
//   2. For WorldClim, which Earth Engine has only in version 1: download wc2.1_30s_bio.zip from worldclim.org, upload
//      bio_1 and bio_12 as one image asset with the bands `bio_1` and `bio_12`, or leave it empty here to go without.
//   3. Put both below, paste the script into https://code.earthengine.google.com, run it and start the tasks.
//   4. Download the folder `efflux` of your Drive and give it to --predictors. A table may lie in parts,
//      `era5_land-2003.csv`, `era5_land-2004.csv` and so on: all parts are read.
//
// Values are exported as they are stored. Scales, fill values and quality bits are applied by efflux, not here.
// A value is that of the grid cell in which the site lies: means over cells would spoil quality bits.

var SITES = 'users/NAME/sites';
var WORLDCLIM = '';
var FOLDER = 'efflux';

// The paper's period, "from 01-01-2003 to 29-02-2020" (line 184), with a month on either side to interpolate from.
var START = '2002-12-01';
var END = '2020-04-01';

// One table a product. `bands` holds values and quality bands; `scale` is the side of a grid cell in metres. Tables with
// many rows are exported in parts of a year.
var TABLES = [
  {
    table: 'era5_land',
    collection: 'ECMWF/ERA5_LAND/HOURLY',
    bands: ['total_precipitation_hourly', 'volumetric_soil_water_layer_1', 'volumetric_soil_water_layer_2'],
    scale: 11132,
    hourly: true,
    yearly: true
  },
  {
    table: 'modis_lst',
    collection: 'MODIS/061/MOD11A1',
    bands: ['LST_Day_1km', 'QC_Day', 'LST_Night_1km', 'QC_Night'],
    scale: 1000,
    yearly: true
  },
  {
    table: 'modis_et',
    collection: 'MODIS/061/MOD16A2GF',
    bands: ['ET', 'PET', 'ET_QC'],
    scale: 500
  },
  {
    table: 'landsat7',
    collection: 'LANDSAT/LE07/C02/T1_L2',
    bands: ['SR_B3', 'SR_B4', 'QA_PIXEL', 'QA_RADSAT'],
    scale: 30,
    // Few of the world's scenes show a site.
    nearby: true
  },
  {
    table: 'modis_lai',
    collection: 'MODIS/061/MCD15A3H',
    bands: ['Fpar', 'Lai', 'FparLai_QC'],
    scale: 500
  },
  {
    table: 'terraclimate',
    collection: 'IDAHO_EPSCOR/TERRACLIMATE',
    bands: ['vs'],
    scale: 4638
  }
];

// GSHTD has a collection a variable, with the band `b1`. Minimum and maximum become two bands of one table.
var GSHTD = {
  table: 'gshtd',
  bands: {
    TMIN: 'projects/sat-io/open-datasets/GSHTD/TMIN',
    TMAX: 'projects/sat-io/open-datasets/GSHTD/TMAX'
  },
  scale: 1000
};

// Images without a date: one row a site.
var SOILGRIDS = {
  table: 'soilgrids',
  bands: {
    'soc_0-5cm_mean': 'projects/soilgrids-isric/soc_mean',
    'sand_0-5cm_mean': 'projects/soilgrids-isric/sand_mean',
    'silt_0-5cm_mean': 'projects/soilgrids-isric/silt_mean',
    'clay_0-5cm_mean': 'projects/soilgrids-isric/clay_mean',
    'bdod_0-5cm_mean': 'projects/soilgrids-isric/bdod_mean'
  },
  scale: 250
};

var sites = ee.FeatureCollection(SITES);

// The bands of an image at every site, as features with `site` and, for a dated image, `date`. A masked band gives an
// empty cell: the row stays.
function rows(image, bands, scale, format) {
  var sampled = image.select(bands).reduceRegions({
    collection: sites.select(['site']),
    // With one band, `first` would call its column `first`.
    reducer: bands.length > 1 ? ee.Reducer.first() : ee.Reducer.first().setOutputs(bands),
    scale: scale
  });
  if (!format) {
    return sampled;
  }
  var date = image.date().format(format);
  return sampled.map(function (feature) {
    return feature.set('date', date);
  });
}

function save(features, table, part, columns) {
  var name = part ? table + '-' + part : table;
  Export.table.toDrive({
    collection: features,
    description: name,
    folder: FOLDER,
    fileNamePrefix: name,
    fileFormat: 'CSV',
    selectors: columns
  });
}

function exportDated(images, entry, bands, start, end, part) {
  var format = entry.hourly ? "yyyy-MM-dd'T'HH:mm" : 'yyyy-MM-dd';
  var features = images.filterDate(start, end).map(function (image) {
    return rows(image, bands, entry.scale, format);
  }).flatten();
  // Where a scene does not reach, no band has a value and the row says nothing.
  if (entry.nearby) {
    features = features.filter(ee.Filter.notNull(bands));
  }
  save(features, entry.table, part, ['site', 'date'].concat(bands));
}

TABLES.forEach(function (entry) {
  var images = ee.ImageCollection(entry.collection);
  if (entry.nearby) {
    images = images.filterBounds(sites);
  }
  if (!entry.yearly) {
    exportDated(images, entry, entry.bands, START, END);
    return;
  }
  for (var year = 2002; year <= 2020; year += 1) {
    var start = year === 2002 ? START : year + '-01-01';
    var end = year === 2020 ? END : (year + 1) + '-01-01';
    exportDated(images, entry, entry.bands, start, end, String(year));
  }
});

// Minimum and maximum of a month share its date.
var minima = ee.ImageCollection(GSHTD.bands.TMIN).select(['b1'], ['TMIN']);
var maxima = ee.ImageCollection(GSHTD.bands.TMAX).select(['b1'], ['TMAX']);
var same = ee.Filter.equals({ leftField: 'system:time_start', rightField: 'system:time_start' });
var both = ee.ImageCollection(ee.Join.inner().apply(minima, maxima, same).map(function (pair) {
  return ee.Image(pair.get('primary')).addBands(ee.Image(pair.get('secondary')));
}));
exportDated(both, GSHTD, ['TMIN', 'TMAX'], START, END);

var soils = Object.keys(SOILGRIDS.bands);
var soil = ee.Image.cat(soils.map(function (band) {
  return ee.Image(SOILGRIDS.bands[band]).select(band);
}));
save(rows(soil, soils, SOILGRIDS.scale), SOILGRIDS.table, '', ['site'].concat(soils));

if (WORLDCLIM) {
  var normals = ['bio_1', 'bio_12'];
  save(rows(ee.Image(WORLDCLIM), normals, 1000), 'worldclim', '', ['site'].concat(normals));
}
