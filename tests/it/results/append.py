"""Adds to predictions.nc with netCDF4, h5netcdf and xarray, each to a copy, and says in JSON what is in it afterwards."""

import json
import pathlib
import shutil
import sys

import h5netcdf
import netCDF4
import numpy
import xarray

source = pathlib.Path(sys.argv[1])
before = xarray.load_dataset(source, engine="h5netcdf")
site = before.sizes["site"]


def with_netcdf4(path):
    with netCDF4.Dataset(path, "a") as file:
        file.history = "mine"
        mine = file.createVariable("mine", "f8", ("site",))
        mine.units = "1"
        mine[:] = numpy.arange(site)
        file.createDimension("band", 2)
        file.createVariable("bands", "i4", ("site", "band"))[:] = 7


def with_h5netcdf(path):
    with h5netcdf.File(path, "a") as file:
        file.attrs["history"] = "mine"
        mine = file.create_variable("mine", ("site",), "f8")
        mine.attrs["units"] = "1"
        mine[:] = numpy.arange(site)
        file.dimensions["band"] = 2
        file.create_variable("bands", ("site", "band"), "i4")[...] = 7


def with_xarray(engine):
    def add(path):
        mine = xarray.Dataset(
            {
                "mine": ("site", numpy.arange(site, dtype="f8"), {"units": "1"}),
                "bands": (("site", "band"), numpy.full((site, 2), 7, "i4")),
            },
            attrs={"history": "mine"},
        )
        mine.to_netcdf(path, mode="a", engine=engine)

    return add


said = {}
for name, add in {
    "netCDF4": with_netcdf4,
    "h5netcdf": with_h5netcdf,
    "xarray, netCDF4": with_xarray("netcdf4"),
    "xarray, h5netcdf": with_xarray("h5netcdf"),
}.items():
    path = source.with_name(f"{name}.nc")
    shutil.copy(source, path)
    add(path)
    for engine in ["netcdf4", "h5netcdf"]:
        after = xarray.load_dataset(path, engine=engine)
        assert after.attrs["history"] == "mine", name
        assert after["mine"].values.tolist() == list(range(site)), name
        assert (after["bands"].values == 7).all() and after["bands"].dims == ("site", "band"), name
        for kept in before.variables:
            assert before[kept].identical(after[kept]), (name, engine, kept)
    path.unlink()
    said[name] = len(after.variables) - len(before.variables)
print(json.dumps(said))
