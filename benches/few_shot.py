"""What a few days of a new site are worth: `efflux adapt` at held-out sites, by the number of days and how they lie.

    python3 benches/few_shot.py EFFLUX [--data data/cosore-daily] [--job jobs/cosore-daily.toml] [--groups 4] [--only N]

Places are dealt into groups; for each group the job is swept on all other places, and the run is adapted to the group's
sites with their first 5 to 240 observed days, and with as many days spread evenly over the first 240. Judged are the days
behind the 240th, of sites with 30 of them. Python has numpy and h5py. Prints a table of medians over sites, and the seconds
that one site takes.
"""

import argparse
import csv
import subprocess
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np

DAYS = [5, 15, 30, 60, 120, 240]
FIRST = 240
JUDGED = 30


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {done.stdout}{done.stderr}")


def table(path):
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    return rows, list(rows[0])


def write(path, rows, columns):
    with open(path, "w", newline="") as file:
        out = csv.DictWriter(file, columns)
        out.writeheader()
        out.writerows(rows)


def packed(efflux, folder, data, sites, listed, columns, known):
    """A pack of these sites, of whose fluxes the days in `known` are left, or all if there is none."""
    source = folder / "sites"
    source.mkdir(parents=True)
    write(source / "sites.csv", [row for row in listed if row["site"] in sites], columns)
    for site in sites:
        rows, names = table(data / f"{site}.csv")
        for row in rows if known is not None else []:
            if row["date"] not in known[site]:
                row["co2_flux_umol_m2_s"], row["n_flux_values"] = "", ""
        write(source / f"{site}.csv", rows, names)
    calendar = ["--from", "2003-01-01", "--to", "2020-02-29"]
    run(efflux, "pack", "--sites", source, *calendar, "-o", folder / "pack.h5")
    return folder / "pack.h5"


def predictions(path):
    with h5py.File(path) as file:
        ids = [text.decode() for text in file["site"][:]]
        return dict(zip(ids, file["simulated_mean"][:].astype(float)))


def scores(observed, simulated):
    nse = 1 - np.sum((observed - simulated) ** 2) / np.sum((observed - observed.mean()) ** 2)
    r = np.corrcoef(observed, simulated)[0, 1]
    ratios = simulated.std() / observed.std(), simulated.mean() / observed.mean()
    return nse, 1 - np.sqrt((r - 1) ** 2 + (ratios[0] - 1) ** 2 + (ratios[1] - 1) ** 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("efflux", type=Path)
    parser.add_argument("--data", type=Path, default=Path("data/cosore-daily"))
    parser.add_argument("--job", type=Path, default=Path("jobs/cosore-daily.toml"))
    parser.add_argument("--groups", type=int, default=4)
    parser.add_argument("--only", type=int, help="so many of the groups")
    args = parser.parse_args()
    listed, columns = table(args.data / "sites.csv")
    places = sorted({(row["lat"], row["lon"]) for row in listed})
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        for group in range(args.only or args.groups):
            folder = Path(scratch) / str(group)
            held = {place for index, place in enumerate(places) if index % args.groups == group}
            new = [row["site"] for row in listed if (row["lat"], row["lon"]) in held]
            others = [row["site"] for row in listed if row["site"] not in new]
            observed = {}
            for site in new:
                rows, _ = table(args.data / f"{site}.csv")
                rows = [row for row in rows if row["co2_flux_umol_m2_s"]]
                observed[site] = [(row["date"], float(row["co2_flux_umol_m2_s"])) for row in rows]
            new = [site for site in new if len(observed[site]) >= FIRST + JUDGED]
            pack = packed(args.efflux, folder / "others", args.data, others, listed, columns, None)
            trained = folder / "run"
            run(args.efflux, "sweep", args.job, "--pack", pack, "--run-dir", trained, "--slots", 2)
            for layout in ["in a row", "spread"]:
                for days in [0, *DAYS] if layout == "in a row" else DAYS:
                    last = days - 1 if layout == "in a row" else FIRST - 1
                    chosen = np.unique(np.round(np.linspace(0, max(last, 0), days)).astype(int))
                    known = {site: {observed[site][day][0] for day in chosen} for site in new}
                    out = folder / f"{layout}-{days}"
                    pack = packed(args.efflux, out, args.data, new, listed, columns, known)
                    command = "adapt" if days else "predict"
                    run(args.efflux, command, trained, "--pack", pack, "-o", out / "out", "--device", "cpu")
                    simulated = predictions(out / "out" / "predictions.nc")
                    start = np.datetime64("2003-01-01")
                    for site in new:
                        judged = observed[site][FIRST:]
                        places_of = [int((np.datetime64(date) - start).astype(int)) for date, _ in judged]
                        truth = np.array([value for _, value in judged])
                        found.setdefault((layout, days), []).append(scores(truth, simulated[site][places_of]))
            one = packed(args.efflux, folder / "one", args.data, new[:1], listed, columns, None)
            began = time.perf_counter()
            run(args.efflux, "adapt", trained, "--pack", one, "-o", folder / "one" / "out", "--device", "cpu")
            seconds = time.perf_counter() - began
    print("days,layout,sites,median_nse,median_kge")
    for (layout, days), values in found.items():
        nse, kge = np.nanmedian(np.array(values), axis=0)
        print(f"{days},{layout},{len(values)},{nse:.3f},{kge:.3f}")
    print(f"# adapt to one site with all its days: {seconds:.2f} s")


if __name__ == "__main__":
    main()
