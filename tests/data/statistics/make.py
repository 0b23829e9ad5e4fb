"""Writes statistics.json beside this file: small inputs and what scipy, statsmodels, scoringrules and numpy make of them.

    pip install numpy scipy statsmodels scoringrules && python make.py
"""

import json
import pathlib

import numpy as np
import scipy
import scoringrules
import statsmodels
from scipy import optimize, stats
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(20240611)


def wilcoxon(values, method):
    found = stats.wilcoxon(values, method=method, correction=False)
    positive = stats.rankdata(np.abs(values))[values > 0].sum()
    return {"differences": values.tolist(), "positive": positive, "p": found.pvalue}


def anova(groups):
    found = stats.f_oneway(*groups)
    return {"groups": [group.tolist() for group in groups], "f": found.statistic, "p": found.pvalue}


def crps(members, observed):
    return {
        "members": members.tolist(),
        "observed": observed,
        "ordinary": float(scoringrules.crps_ensemble(observed, members, estimator="nrg")),
        "fair": float(scoringrules.crps_ensemble(observed, members, estimator="fair")),
    }


def conformal(errors, level):
    rank = int(np.ceil(np.round((len(errors) + 1) * level, 9)))
    factor = None if rank > len(errors) else float(np.sort(errors)[rank - 1])
    return {"scaled_errors": errors.tolist(), "level": level, "factor": factor}


def q10(temperature, flux):
    (a, b), _ = optimize.curve_fit(lambda t, a, b: a * np.exp(b * t), temperature, flux, p0=[1, 0.05], xtol=1e-14, ftol=1e-14)
    return {"temperature": temperature.tolist(), "flux": flux.tolist(), "q10": float(np.exp(10 * b)), "at_zero": a}


temperature = rng.uniform(-5, 28, 60)
p_values = np.concatenate([rng.uniform(0, 1, 12), rng.uniform(0, 0.01, 4), [0.02, 0.02]])
errors = rng.exponential(1.3, 57)
cases = {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "statsmodels": statsmodels.__version__, "scoringrules": scoringrules.__version__},
    "student": [{"t": t, "df": df, "p": 2 * stats.t.sf(abs(t), df)} for t in (0.0, 0.3, -2.1, 8.0, 40.0) for df in (1, 2.5, 17, 80, 5000)],
    "fisher": [{"f": f, "df": [a, b], "p": stats.f.sf(f, a, b)} for f in (0.2, 1.0, 4.5, 60.0) for a, b in ((1, 3), (3, 4), (26, 54), (4, 2000))],
    "normal": [{"z": z, "p": 2 * stats.norm.sf(z)} for z in (0.0, 0.5, 1.96, 2.8, 2.9, 5.0, 12.0)],
    "signed_rank": [wilcoxon(rng.normal(0.2, 1, n), "exact") for n in (6, 15, 56, 200)] + [wilcoxon(rng.normal(0.05, 1, 700), "approx")],
    "anova": [anova([rng.normal(m, 1, n) for m, n in zip(means, sizes)]) for means, sizes in (((0, 0), (3, 5)), ((0, 0.5, 1, 3), (4, 4, 4, 4)))],
    "benjamini_hochberg": {"p": p_values.tolist(), "adjusted": multipletests(p_values, method="fdr_bh")[1].tolist()},
    "crps": [crps(rng.normal(2, 1, m), float(rng.normal(2, 1.5))) for m in (2, 5, 10, 20)],
    "conformal": [conformal(errors, level) for level in (0.5, 0.8, 0.9, 0.95)] + [conformal(errors[:15], 0.95)],
    "q10": [q10(temperature, 0.9 * np.exp(0.07 * temperature) * rng.lognormal(0, 0.3, 60)), q10(temperature, 3 - 0.05 * temperature + rng.normal(0, 0.2, 60))],
}
path = pathlib.Path(__file__).with_name("statistics.json")
path.write_text(json.dumps(cases, indent=1) + "\n")
