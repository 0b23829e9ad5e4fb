"""The network of `jobs/cosore-daily.toml` with its residuals' process, in plain PyTorch and numpy, seed by seed.

    efflux pack --sites data/cosore-daily --from 2003-01-01 --to 2020-02-29 -o cosore-daily.h5
    python3 benches/recipe.py cosore-daily.h5 [--seeds N] [--threads N]

Python has torch, numpy and h5py. Written from the recipe alone and sharing no code or random number with efflux, it tells whether
efflux's single networks are where the recipe's are: fitted on the first 80 % of each site's observed days, judged on the rest, median
NSE and KGE over the sites of each seed. It differs from efflux in what the recipe says of a record's ends: 60 repeated days before it
instead of the calendar's, and a simulation that begins there.
"""

import argparse
import math
from pathlib import Path

import h5py
import numpy as np
import torch
from torch import nn

WINDOW, WARM_UP, BEFORE, BATCH, UPDATES, HIDDEN = 120, 30, 60, 48, 300, 32


def mean_of_last(values, days):
    """The mean of the last days, of fewer at the beginning."""
    summed = np.concatenate([[0.0], np.cumsum(values)])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - days, 0)
    return (summed[last] - summed[first]) / (last - first)


def exponential_mean(values, days):
    weight, out = 2 / (days + 1), np.empty_like(values)
    out[0] = values[0]
    for day in range(1, len(values)):
        out[day] = weight * values[day] + (1 - weight) * out[day - 1]
    return out


class Site:
    """A site's record: inputs `[days, 13]`, targets in asinh units, and which observed days are for the training."""

    def __init__(self, pack, number, names):
        values = {name: pack["dynamic/values"][number, :, at].astype(float) for at, name in enumerate(names)}
        held = pack["dynamic/filled"][number, :, names.index("soil_temp_c")] == 2
        flux = pack["target/flux"][number].astype(float)
        known = ~np.isnan(values["soil_temp_c"]) & (~held | ~np.isnan(flux))
        self.first, last = np.flatnonzero(known)[[0, -1]]
        record = slice(self.first, last + 1)
        self.flux = flux[record]
        observed = np.flatnonzero(~np.isnan(self.flux))
        self.train, self.test = np.split(observed, [int(0.8 * len(observed))])
        self.target = np.arcsinh(self.flux)
        temperature, moisture = values["soil_temp_c"][record], values["soil_moisture_m3_m3"][record]
        latitude = pack["site/latitude"][number]
        date = np.datetime64(pack.attrs["calendar_start"]) + np.arange(self.first, last + 1)
        day_of_year = (date - date.astype("datetime64[Y]")).astype(int) + 1
        phase = 2 * math.pi * (day_of_year + (182.6 if latitude < 0 else 0)) / 365.25
        zero = np.zeros_like(temperature)
        anomaly = month = dry = zero
        if not np.isnan(moisture).any():
            mean, sd = moisture[self.train].mean(), max(moisture[self.train].std(), 0.02)
            anomaly = np.clip((moisture - mean) / sd, -3, 3)
            month = np.clip((mean_of_last(moisture, 30) - mean) / sd, -3, 3)
            dry = np.clip((moisture - exponential_mean(moisture, 10)) / sd, -3, 3)
        month_of_temperature = (mean_of_last(temperature, 30) - temperature) / 5
        inputs = [
            (temperature - 12) / 8,
            (values["day_length_h"][record] - 12) / 3,
            (values["toa_radiation_w_m2"][record] - 300) / 100,
            anomaly,
            zero + (not np.isnan(moisture).any()),
            np.cos(phase),
            np.sin(phase),
            zero + abs(latitude) / 30 - 1.2,
            (mean_of_last(temperature, 7) - temperature) / 3,
            month_of_temperature,
            (mean_of_last(temperature, 90) - temperature) / 8,
            month,
            dry,
        ]
        self.inputs = np.stack(inputs, axis=1)
        # What the process of the residuals goes by, over its lengths.
        deep = (mean_of_last(temperature, 30) - temperature) / 5
        self.near = np.stack([inputs[0] / 1.0, anomaly / 1.5, np.cos(phase) / 0.7, np.sin(phase) / 0.7, deep / 3, dry / 3], axis=1)


class Network(nn.Module):
    def __init__(self, inputs, sites):
        super().__init__()
        self.input, self.lstm = nn.Linear(inputs, HIDDEN), nn.LSTM(HIDDEN, HIDDEN, batch_first=True)
        self.head, self.skip = nn.Linear(HIDDEN, 1), nn.Linear(inputs, 1, bias=False)
        self.of_site = nn.Parameter(torch.zeros(sites, HIDDEN + 1 + inputs))
        with torch.no_grad():
            self.lstm.bias_ih_l0[HIDDEN : 2 * HIDDEN] = 3.0
            self.lstm.bias_hh_l0[HIDDEN : 2 * HIDDEN] = 0.0

    def forward(self, inputs, sites, dropout):
        def masked(values):
            if not dropout:
                return values
            kept = torch.rand(values.shape[0], 1, values.shape[2]) >= dropout
            return values * kept / (1 - dropout)

        state = masked(self.lstm(masked(torch.relu(self.input(inputs))))[0])
        own = self.of_site[sites][:, None, :]
        by_site = (own[..., :HIDDEN] * state).sum(-1) + own[..., HIDDEN] + (own[..., HIDDEN + 1 :] * inputs).sum(-1)
        return self.head(state)[..., 0] + self.skip(inputs)[..., 0] + by_site


def padded(site):
    """Inputs and targets of training, with the first day 60 times before the record and the last one behind it."""
    front, back = site.inputs[:1].repeat(BEFORE, 0), site.inputs[-1:].repeat(WINDOW, 0)
    target = np.full(len(front) + len(site.inputs) + len(back), np.nan)
    target[BEFORE + site.train] = site.target[site.train]
    return np.concatenate([front, site.inputs, back]), target


def train(sites, seed):
    torch.manual_seed(seed)
    draws = np.random.default_rng(seed)
    network = Network(sites[0].inputs.shape[1], len(sites))
    own = [network.of_site]
    common = [weights for name, weights in network.named_parameters() if name != "of_site"]
    groups = [{"params": common, "weight_decay": 0.01}, {"params": own, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=0.01)
    days = [padded(site) for site in sites]
    starts = []
    for inputs, target in days:
        judged = np.concatenate([[0], np.cumsum(~np.isnan(target))])
        first = np.arange(len(inputs) - WINDOW + 1)
        starts.append(first[judged[first + WINDOW] - judged[first + WARM_UP] > 0])
    share = np.sqrt([len(site.train) for site in sites])
    share /= share.sum()
    count = sum(len(site.train) for site in sites)
    for update in range(UPDATES):
        chosen = draws.choice(len(sites), BATCH, p=share)
        windows = [draws.choice(starts[site]) for site in chosen]
        inputs = torch.tensor(np.stack([days[s][0][w : w + WINDOW] for s, w in zip(chosen, windows)]), dtype=torch.float32)
        target = torch.tensor(np.stack([days[s][1][w : w + WINDOW] for s, w in zip(chosen, windows)]), dtype=torch.float32)
        target[:, :WARM_UP] = torch.nan
        is_judged = ~torch.isnan(target)
        rate = 0.01 * (update + 1) / 20 if update < 20 else 1e-5 + (0.01 - 1e-5) * (1 + math.cos(math.pi * (update - 20) / (UPDATES - 20))) / 2
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        simulated = network(inputs, torch.tensor(chosen), 0.1)
        loss = ((simulated - target)[is_judged] ** 2).mean() + (network.of_site**2).sum() / count
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
    return network


def with_process(site, simulated):
    """The simulation and what a process of its residuals on the training days expects, on the test days."""

    def kernel(a, b):
        lag = np.abs(a[:, None] - b[None, :])
        apart = ((site.near[a][:, None, :] - site.near[b][None, :, :]) ** 2).sum(-1)
        return 0.19**2 * np.exp(-lag / 350) + 0.133**2 * np.exp(-lag / 10) + 0.15**2 * np.exp(-apart / 2)

    residuals = site.target[site.train] - simulated[site.train]
    covariance = kernel(site.train, site.train) + 0.123**2 * np.eye(len(site.train))
    return simulated[site.test] + kernel(site.test, site.train) @ np.linalg.solve(covariance, residuals)


def scores(observed, simulated):
    nse = 1 - ((simulated - observed) ** 2).sum() / ((observed - observed.mean()) ** 2).sum()
    r = np.corrcoef(observed, simulated)[0, 1]
    ratio, bias = simulated.std() / observed.std(), simulated.mean() / observed.mean()
    return nse, 1 - math.sqrt((r - 1) ** 2 + (ratio - 1) ** 2 + (bias - 1) ** 2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("pack", type=Path, metavar="PACK")
    arguments.add_argument("--seeds", type=int, default=10)
    arguments.add_argument("--threads", type=int, default=1)
    given = arguments.parse_args()
    torch.set_num_threads(given.threads)
    with h5py.File(given.pack) as pack:
        names = [name.decode() if isinstance(name, bytes) else name for name in pack["dynamic/name"][:]]
        sites = [Site(pack, number, names) for number in range(len(pack["site/id"]))]
    print("seed, network: NSE, KGE; with the process of its residuals: NSE, KGE", flush=True)
    for seed in range(given.seeds):
        network = train(sites, seed).eval()
        alone, together = [], []
        for number, site in enumerate(sites):
            inputs = np.concatenate([site.inputs[:1].repeat(BEFORE, 0), site.inputs])
            with torch.no_grad():
                simulated = network(torch.tensor(inputs[None], dtype=torch.float32), torch.tensor([number]), 0.0)[0, BEFORE:]
            simulated = simulated.numpy().astype(float)
            observed = site.flux[site.test]
            alone.append(scores(observed, np.sinh(simulated[site.test])))
            together.append(scores(observed, np.sinh(with_process(site, simulated))))
        line = [*np.median(alone, axis=0), *np.median(together, axis=0)]
        print(seed, *(f"{value:.3f}" for value in line), flush=True)


if __name__ == "__main__":
    main()
