"""Gradient boosting on a pack, as a baseline of a job: writes what `[baselines] external` reads.

    python3 benches/boosting.py PACK -o preds.csv [--train 0.8] [--trees 200] [--folds RUN/report/tables/unseen_sites.csv]

Python has numpy, h5py and lightgbm. One model of all sites learns asinh of the flux from the first `--train` of each site's
observed days: temperature and its means of 7, 30 and 90 days, moisture in units of the site's own and its mean of 30 days
and anomaly, day length, radiation, the season, latitude, and mean and standard deviation of the site's training targets.
Every input of a day is known on that day, and nothing of the days behind a site's training part is read of the flux.

With --folds there is one model for each fold of a run, of the whole records of the other sites, and nothing of a site's own
flux is among its inputs; moisture is in units of all its days.
"""

import argparse
import csv
import datetime

import h5py
import lightgbm
import numpy as np


def running_mean(values, days):
    sums = np.cumsum(np.insert(values, 0, 0.0))
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - days, 0)
    return (sums[last] - sums[first]) / (last - first)


def exponential_mean(values, days):
    share, mean, out = 2.0 / (days + 1.0), values[0], np.empty(len(values))
    for day, value in enumerate(values):
        mean += share * (value - mean)
        out[day] = mean
    return out


def texts(dataset):
    return [text.decode() if isinstance(text, bytes) else text for text in dataset[:]]


def features(values, filled, names, latitude, of_year, training, target):
    """Columns of a site, [days, features]."""

    def series(begin):
        place = next(i for i, name in enumerate(names) if name.startswith(begin))
        return values[:, place].astype(float), filled[:, place]

    temperature, flags = series("soil_temp")
    own = np.flatnonzero(flags != 2)
    first = own[0] if len(own) else 0
    since = np.full(len(temperature), temperature[first])
    means = []
    for days in (7, 30, 90):
        mean = since.copy()
        mean[first:] = running_mean(temperature[first:], days)
        means.append(mean - temperature)
    moisture, _ = series("soil_moisture")
    if np.isnan(moisture).any():
        wet = [np.full(len(moisture), np.nan)] * 3
    else:
        mean, sd = moisture[training].mean(), max(moisture[training].std(), 0.02)
        wet = [moisture, running_mean(moisture, 30), moisture - exponential_mean(moisture, 10) + mean]
        wet = [np.clip((of - mean) / sd, -3, 3) for of in wet]
    phase = 2 * np.pi * (of_year + (182.6 if latitude < 0 else 0)) / 365.25
    day_length, radiation = series("day_length")[0], series("toa_radiation")[0]
    site = [abs(latitude)]
    if target is not None:
        site += [target[training].mean(), target[training].std()]
    constant = [np.full(len(temperature), value) for value in site]
    columns = [temperature, *means, *wet, day_length, radiation, np.cos(phase), np.sin(phase), *constant]
    return np.column_stack(columns)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pack")
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--train", type=float, default=0.8, help="share of each site's observed days, as split.train")
    parser.add_argument("--trees", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folds", help="unseen_sites.csv of a run's report: predict each fold by a model of the others")
    args = parser.parse_args()
    with h5py.File(args.pack) as pack:
        start = datetime.date.fromisoformat(pack.attrs["calendar_start"])
        ids, names = texts(pack["site/id"]), texts(pack["dynamic/name"])
        latitudes, flux = pack["site/latitude"][:], pack["target/flux"][:]
        values, filled = pack["dynamic/values"][:], pack["dynamic/filled"][:]
    dates = [start + datetime.timedelta(days=day) for day in range(flux.shape[1])]
    of_year = np.array([date.timetuple().tm_yday for date in dates])
    fold_of = {}
    if args.folds:
        with open(args.folds, newline="") as file:
            fold_of = {row["site"]: row["fold"] for row in csv.DictReader(file) if row["fold"]}
    parts = []
    for site in range(len(ids)):
        observed = np.flatnonzero(~np.isnan(flux[site]))
        training, judged = np.split(observed, [int(args.train * len(observed))])
        if not len(training):
            continue
        target = np.arcsinh(flux[site].astype(float))
        if args.folds:
            whole = np.arange(flux.shape[1])
            columns = features(values[site], filled[site], names, latitudes[site], of_year, whole, None)
            parts.append((site, judged, columns[observed], target[observed], columns[judged], 0.0, 1.0))
            continue
        columns = features(values[site], filled[site], names, latitudes[site], of_year, training, target)
        # Deviations from the site's own level: a tree finds no level of a site that it has few days of.
        level, spread = target[training].mean(), max(target[training].std(), 0.05)
        answers = (target[training] - level) / spread
        parts.append((site, judged, columns[training], answers, columns[judged], level, spread))
    parameters = {
        "objective": "regression",
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_data_in_leaf": 40,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "feature_fraction": 0.8,
        "lambda_l2": 1.0,
        "seed": args.seed,
        "num_threads": 1,
        "verbose": -1,
    }

    def trained(parts):
        data = lightgbm.Dataset(np.concatenate([part[2] for part in parts]), np.concatenate([part[3] for part in parts]))
        return lightgbm.train(parameters, data, num_boost_round=args.trees)

    folds = sorted(set(fold_of.values())) or [None]
    models = {fold: trained([part for part in parts if fold is None or fold_of.get(ids[part[0]]) != fold]) for fold in folds}
    with open(args.output, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["site_id", "date", "value"])
        for site, judged, _, _, columns, level, spread in parts:
            model = models.get(fold_of.get(ids[site]))
            if not len(judged) or model is None:
                continue
            predicted = np.sinh(level + spread * model.predict(columns))
            rows.writerows((ids[site], dates[day], f"{value:.6g}") for day, value in zip(judged, predicted))


if __name__ == "__main__":
    main()
