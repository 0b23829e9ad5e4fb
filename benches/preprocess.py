"""A release of COSORE to daily means: efflux against pyreadr and pandas, and whether both find the same.

    python3 benches/preprocess.py EFFLUX RELEASE PYTHON [--rounds N] [--save FILE]

EFFLUX is a release build; PYTHON has pyreadr, pandas, numpy and h5py. Both sides start from nothing, read all data sets
(pyreadr all columns: it cannot leave any out), drop what is beyond the percentiles of its land cover, and write
daily means: efflux a pack, with day length, radiation and the account of what was dropped; pandas one array. pyreadr does
not tell the time zone of a column, so pandas is given what efflux found. Rounds alternate; what counts is the median of
their ratios.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

DAYS = 6269


def peer(release, zones, output):
    """The same rules in pandas."""
    import numpy as np
    import pandas as pd
    import pyreadr

    first = pd.Timestamp("2003-01-01")
    sites = {}
    for name, zone in json.loads(Path(zones).read_text()).items():
        folder = Path(release) / "datasets" / name
        frame = pyreadr.read_r(str(folder / "data/data.RDS"))[None][["CSR_TIMESTAMP_BEGIN", "CSR_FLUX_CO2"]]
        flux = pd.to_numeric(frame["CSR_FLUX_CO2"]).astype(float)
        begin = pd.to_datetime(frame["CSR_TIMESTAMP_BEGIN"])[flux.notna()]
        local = begin.dt.tz_localize("UTC").dt.tz_convert(zone).dt.tz_localize(None)
        day = (local.dt.normalize() - first).dt.days
        frame = pd.DataFrame({"day": day, "flux": flux[flux.notna()]})
        frame = frame[(frame.day >= 0) & (frame.day < DAYS)]
        text = (folder / "DESCRIPTION.txt").read_text(errors="replace")
        lines = [line.partition(":") for line in text.splitlines()]
        igbp = next(value.strip() for key, _, value in lines if key == "CSR_IGBP")
        if len(frame):
            sites[name] = (igbp, frame)
    classes = {}
    for igbp, frame in sites.values():
        classes.setdefault(igbp, []).append(frame.flux)
    limits = {igbp: pd.concat(all_of).quantile([0.01, 0.99]).tolist() for igbp, all_of in classes.items()}
    flux = np.full((len(sites), DAYS), np.nan)
    count = np.zeros((len(sites), DAYS), np.uint32)
    for row, (igbp, frame) in enumerate(sites.values()):
        low, high = limits[igbp]
        daily = frame[(frame.flux >= low) & (frame.flux <= high)].groupby("day").flux.agg(["mean", "count"])
        flux[row, daily.index] = daily["mean"]
        count[row, daily.index] = daily["count"]
    np.savez(output, sites=list(sites), flux=flux, count=count)


def compare(pack, output):
    """What both found, as a line."""
    import h5py
    import numpy as np

    theirs = np.load(output)
    with h5py.File(pack) as file:
        ids = [name.decode() for name in file["site/id"][:]]
        flux, count = file["target/flux"][:], file["target/count"][:]
    if ids != theirs["sites"].tolist() or not np.array_equal(count, theirs["count"]):
        raise SystemExit("the two sides have other sites, days or counts")
    known = count > 0
    apart = np.abs(flux[known] - theirs["flux"][known]) / np.abs(theirs["flux"][known])
    print(f"both: {len(ids)} sites, {known.sum()} daily values of {count.sum()} measurements; counts equal,")
    print(f"values at most {apart.max():.1e} apart (a pack has single precision, 6.0e-08)")


def timed(command):
    """Seconds of wall time and of processors, and MiB at the most."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise SystemExit(f"failed: {command}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("efflux", type=Path)
    parser.add_argument("release", type=Path)
    parser.add_argument("python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    program = arguments.efflux.resolve()
    lines = ["efflux, then pyreadr and pandas: seconds of wall time, seconds of processors, MiB at the most"]
    with tempfile.TemporaryDirectory() as folder:
        pack, zones, output = (str(Path(folder) / name) for name in ("pack.h5", "zones.json", "daily.npz"))
        ours = [program, "pack", "--cosore", arguments.release, "-o", pack]
        theirs = [arguments.python, __file__, "--peer", arguments.release, zones, output]
        timed(ours)
        shown = subprocess.run([program, "inspect", pack, "--json"], check=True, capture_output=True, text=True)
        shown = json.loads(shown.stdout)
        account = shown.get("account") or shown["ledger"]
        named = {entry["id"]: entry["time_zone"] for entry in account["data_sets"] if entry["days"]["kept"]}
        Path(zones).write_text(json.dumps(named))
        rounds = []
        for number in range(arguments.rounds):
            order = [ours, theirs] if number % 2 == 0 else [theirs, ours]
            found = [timed(command) for command in order]
            one, other = found if number % 2 == 0 else found[::-1]
            rounds.append((one, other))
            lines.append("  " + "   ".join(f"{wall:7.2f} {cpu:7.2f} {most:6.0f}" for wall, cpu, most in (one, other)))
        for index, what in enumerate(["wall time", "processor time", "memory"]):
            ratio = statistics.median(other[index] / one[index] for one, other in rounds)
            lines.append(f"  median ratio of {what}: {ratio:.1f}")
        check = [arguments.python, __file__, "--compare", pack, output]
        lines += subprocess.run(check, check=True, capture_output=True, text=True).stdout.splitlines()
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.save:
        arguments.save.write_text(text)


if sys.argv[1:2] == ["--peer"]:
    peer(*sys.argv[2:])
elif sys.argv[1:2] == ["--compare"]:
    compare(*sys.argv[2:])
else:
    main()
