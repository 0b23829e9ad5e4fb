"""Scores and bands by efflux, and by numpy and pandas, of the same run: whether they agree, and what they take.

    python3 benches/scores.py EFFLUX RUN [--rounds N] [--save FILE]

EFFLUX is a release build, RUN a run directory with members (`benches/evaluation.py --keep` makes one); Python has numpy,
pandas and h5py. The peer reads `ensemble/predictions.nc` and computes NSE, KGE, r and RMSE of every site, part and member
and of their mean, and those of the mean in the bands and on the spikes of the test part. It counts from its imports on.
efflux does that and all else that `efflux evaluate` does: it reads and checks the pack and the members, and writes the
netCDF file and all tables. Rounds alternate.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

SCORES = ["nse", "kge", "pearson_r", "rmse_umol_m-2_s-1"]
PARTS = ["train", "validation", "test"]


def scores(observed, simulated, group, groups):
    """Columns of SCORES by group for flat arrays of days, `simulated` with any axes before that of the days."""
    import numpy as np

    order = np.argsort(group, kind="stable")
    observed, simulated = observed[order], simulated[..., order]
    n = np.bincount(group, minlength=groups)
    there = n > 0
    starts = (np.cumsum(n) - n)[there]
    total = lambda values: np.add.reduceat(values, starts, axis=-1)
    n = n[there]
    spread = lambda values: np.repeat(values, n, axis=-1)
    mean_observed, mean_simulated = total(observed) / n, total(simulated) / n
    a, b = observed - spread(mean_observed), simulated - spread(mean_simulated)
    aa, bb, ab = total(a * a), total(b * b), total(a * b)
    errors = total((simulated - observed) ** 2)
    r = ab / np.sqrt(aa * bb)
    kge = 1 - np.sqrt((r - 1) ** 2 + (np.sqrt(bb / aa) - 1) ** 2 + (mean_simulated / mean_observed - 1) ** 2)
    found = np.full((*simulated.shape[:-1], groups, 4), np.nan)
    found[..., there, :] = np.stack([1 - errors / aa, kge, r, np.sqrt(errors / n)], axis=-1)
    return found


def peer(run):
    """{(part, "scores"): [M + 1, S, 4], the mean first; (group, "bands"): [S, 4]}"""
    import h5py
    import numpy as np
    import pandas as pd

    with h5py.File(run / "ensemble/predictions.nc") as file:
        observed = file["observed"][:].astype(float)
        simulated = file["simulated"][:].astype(float)
    sites = len(observed)
    series = np.concatenate([simulated.mean(axis=0)[None], simulated])
    days = pd.read_csv(run / "report/tables/sites.csv")[[f"{part}_days" for part in PARTS]].to_numpy()
    site, day = np.nonzero(np.isfinite(observed))
    # The how manieth observed day of its site each one is says which part it lies in.
    place = np.arange(len(site)) - np.searchsorted(site, site)
    part = (place[:, None] >= np.cumsum(days, axis=1)[site]).sum(axis=1)
    flat, flat_series = observed[site, day], series[:, site, day]
    found = {}
    for index, name in enumerate(PARTS):
        of_part = part == index
        found[name, "scores"] = scores(flat[of_part], flat_series[:, of_part], site[of_part], sites)

    windows = pd.DataFrame(observed.T).rolling(30, center=True, min_periods=11)
    is_spike = (((observed.T - windows.mean()) / windows.std()).abs() > 3).to_numpy().T[site, day]
    test = part == PARTS.index("test")
    flat, mean, of_site, is_spike = flat[test], flat_series[0, test], site[test], is_spike[test]
    by_site = pd.Series(flat).groupby(of_site)
    low, high = (by_site.quantile(q).reindex(range(sites)).to_numpy()[of_site] for q in (0.05, 0.95))
    bottom, top = flat < low, flat > high
    kinds = {"bottom": bottom, "middle": ~bottom & ~top, "top": top, "spikes": is_spike, "no-spikes": ~is_spike}
    for name, days in kinds.items():
        found[name, "bands"] = scores(flat[days], mean[days], of_site[days], sites)
    return found


def compare(run):
    """How many numbers of efflux's tables the peer gives, too, and the largest relative difference."""
    import numpy as np
    import pandas as pd

    found, tables = peer(run), run / "report/tables"
    sites = pd.read_csv(tables / "sites.csv").site
    all_scores, extremes = (pd.read_csv(tables / name) for name in ("scores.csv", "extremes.csv"))
    members = [name for name in all_scores.series.unique() if name.startswith("member-")]
    count, worst = 0, 0.0

    def check(ours, theirs):
        nonlocal count, worst
        ours = ours.set_index("site").reindex(sites)[SCORES].to_numpy()
        # Where efflux says why a score is not defined, numpy has a number without meaning, or none.
        known = np.isfinite(ours)
        difference = np.abs(ours - theirs)[known] / np.maximum(1, np.abs(ours[known]))
        if not (difference < 1e-6).all():
            raise SystemExit(f"{(~(difference < 1e-6)).sum()} numbers differ, by {np.nanmax(difference):.1e} at the most")
        count += known.sum()
        worst = max(worst, difference.max(initial=0))

    for (name, kind), theirs in found.items():
        if kind == "bands":
            check(extremes[extremes.group == name], theirs)
        else:
            for series, values in zip(["ensemble-mean", *members], theirs):
                check(all_scores[(all_scores.part == name) & (all_scores.series == series)], values)
    return count, worst


def timed(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    return time.monotonic() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("run", type=Path, metavar="RUN")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--save", type=Path)
    arguments.add_argument("--peer", action="store_true", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.peer:
        peer(given.run)
        return
    ours = [given.program.resolve(), "evaluate", given.run]
    theirs = [sys.executable, __file__, given.program, given.run, "--peer"]
    lines = ["efflux evaluate, then numpy and pandas: seconds of wall time, seconds of processors, MiB at the most"]
    rounds = []
    for _ in range(given.rounds):
        rounds.append((timed(ours), timed(theirs)))
        lines.append("  ".join(f"{value:8.2f}{processor:8.2f}{memory:7.0f}" for value, processor, memory in rounds[-1]))
    for column, what in enumerate(["wall time", "processor time", "memory"]):
        ratio = statistics.median(them[column] / us[column] for us, them in rounds)
        lines.append(f"  median ratio of {what}, theirs to ours: {ratio:.2f}")
    count, worst = compare(given.run)
    lines.append(f"{count} scores compared, at most {worst:.1e} apart (relative to 1 or the score)")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if given.save:
        given.save.write_text(text)


if __name__ == "__main__":
    main()
