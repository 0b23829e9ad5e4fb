"""Opens predictions.nc as a user of xarray would and says in JSON what is in it."""

import json
import sys

import numpy
import xarray

with xarray.open_dataset(sys.argv[1], engine="h5netcdf") as dataset:
    mean = dataset["simulated"].mean("member", dtype="float64")
    scores = []
    for site in dataset["site"].values:
        observed = dataset["observed"].sel(site=site).values.astype("float64")
        days = numpy.flatnonzero(~numpy.isnan(observed))
        # The last fifth of the observed days is the test part.
        days = days[len(days) * 8 // 10 :]
        truth, simulated = observed[days], mean.sel(site=site).values[days]
        variation = ((truth - truth.mean()) ** 2).sum()
        scores.append(1 - ((truth - simulated) ** 2).sum() / variation)
    said = {
        "dimensions": dataset["simulated"].dims,
        "sites": [str(site) for site in dataset["site"].values],
        "seeds": dataset["seed"].values.tolist(),
        "units": dataset["simulated"].attrs["units"],
        "first_day": str(dataset["time"].values[0].astype("datetime64[D]")),
        "days": dataset.sizes["time"],
        "median_nse": float(numpy.median(scores)),
    }
print(json.dumps(said))
