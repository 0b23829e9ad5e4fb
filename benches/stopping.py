"""What stopping rules save on a grid of real sites, and what they find.

    python3 benches/stopping.py EFFLUX [--slots 2] [--save FILE.csv] [--keep DIR]

EFFLUX is a release build, its trainer beside it. The 56 sites of data/cosore-daily are packed, and a grid of 48
configurations of jobs/cosore-daily.toml, with 3 seeds each, is trained in full, 27 short epochs a trial. Then every rule runs the same job in a run
directory of its own, from nothing. Printed, and saved with --save, are for each rule

* epochs: of the search, as the run's files of epochs count them, and how many times fewer that is than the full grid's;
* winner: the configuration that was selected, its rank in the full grid and the mean of its scores there;
* short of the best: by how much that mean is below the full grid's best, and the standard deviation of the winning
  configuration's scores over its seeds, which is what no difference can be told from.

Scores are median NSE over sites on the validation days; no test day is looked at. `replay.py` has the rules decide on the
curves of one full grid instead.
"""

import argparse
import csv
import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import table

SEEDS = 3
GRID = """
[grid]
hidden_size = [8, 16, 32]
state_dropout = [0.0, 0.2]
learning_rate = [0.001, 0.003, 0.01, 0.03]
site_penalty = [0.3, 3.0]
"""
# What jobs/cosore-daily.toml has otherwise: as many updates in more epochs, so that there are rungs.
CHANGES = {
    "epochs = 10\nepoch_updates = 30": "epochs = 27\nepoch_updates = 11",
    'pack = "data/cosore-daily.h5"': 'pack = "pack.h5"',
    "[split]\nvalidation = 0.25\n": "",
    "search = [0, 1]\nfinal = [0, 1]": f"search = {list(range(SEEDS))}\nfinal = [0]",
    'members = ["lstm", "gp", "site-fit"]': 'members = ["lstm"]',
}
RULES = {
    "none": "",
    "top": 'policy = "top"\nleast = 3\nkeep = 3',
    "top, one epoch": 'policy = "top"\nleast = 1\nkeep = 1',
    "halving": 'policy = "halving"\nleast = 1\neta = 3',
    "asha": 'policy = "asha"\nleast = 1\neta = 3',
    "median": 'policy = "median"\nleast = 3\nevery = 3',
    "paired": 'policy = "paired"\nleast = 1\neta = 3',
}
AXES = ["hidden_size", "state_dropout", "learning_rate", "site_penalty"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("efflux", type=Path)
    parser.add_argument("--slots", default="2")
    parser.add_argument("--save", type=Path)
    parser.add_argument("--keep", type=Path, help="work here and leave the run directories")
    arguments = parser.parse_args()
    efflux = arguments.efflux.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        job = prepared(efflux, folder)
        found = [search(efflux, folder, job, rule, arguments.slots) for rule in RULES.items()]
    rows = compared(found)
    table.show(rows)
    table.save(rows, arguments.save)


def prepared(efflux, folder):
    """Makes the pack in a folder. Returns the job, which has no rule."""
    root = Path(__file__).resolve().parent.parent
    job = (root / "jobs/cosore-daily.toml").read_text()
    for old, new in CHANGES.items():
        if old not in job:
            raise SystemExit(f"jobs/cosore-daily.toml has no longer: {old}")
        job = job.replace(old, new)
    folder.mkdir(parents=True, exist_ok=True)
    days = ["--from", "2003-01-01", "--to", "2020-02-29"]
    run([efflux, "pack", "--sites", root / "data/cosore-daily", *days, "-o", "pack.h5"], folder)
    return job + GRID


def run(command, folder):
    subprocess.run([str(part) for part in command], cwd=folder, check=True, capture_output=True)


def search(efflux, folder, job, named_rule, slots):
    """A sweep of the job under a rule."""
    name, rule = named_rule
    where = name.replace(", ", "-").replace(" ", "-")
    (folder / f"{where}.toml").write_text(job + (f"[stop]\n{rule}\n" if rule else ""))
    began = time.monotonic()
    run([efflux, "sweep", f"{where}.toml", "--run-dir", where, "--slots", slots], folder)
    seconds = time.monotonic() - began
    scores = {}
    with (folder / where / "report/tables/selection.csv").open() as file:
        for row in csv.DictReader(file):
            value = float(row["value"]) if row["value"] else None
            scores.setdefault(tuple(row[axis] for axis in AXES), []).append(value)
    with (folder / where / "report/tables/selection.csv").open() as file:
        winner = next(tuple(row[axis] for axis in AXES) for row in csv.DictReader(file) if row["selected"] == "1")
    return {
        "rule": name,
        "epochs": search_epochs(folder / where),
        "seconds": round(seconds, 1),
        "winner": winner,
        "scores": scores,
    }


def search_epochs(run_directory):
    """Epochs that search trials were trained for: those of members are not counted."""
    members = set()
    for path in sorted((run_directory / "journal").glob("*.jsonl")):
        for line in path.read_text().splitlines():
            entry = json.loads(line)["entry"]
            if "trial" in entry and entry["trial"]["trial"]["stage"] == "final":
                members.add(entry["trial"]["trial"]["id"])
    lines = set()
    for path in (run_directory / "epochs").glob("*.csv"):
        with path.open() as file:
            lines |= {(row["trial"], row["epoch"]) for row in csv.DictReader(file)}
    return sum(trial not in members for trial, _ in lines)


def compared(found):
    """A row for each rule, beside the full grid."""
    full = next(one for one in found if one["rule"] == "none")
    means = {params: statistics.mean(scores) for params, scores in full["scores"].items()}
    ranked = sorted(means, key=means.get, reverse=True)
    spread = statistics.stdev(full["scores"][ranked[0]])
    rows = []
    for one in found:
        short = means[ranked[0]] - means[one["winner"]]
        rows.append(
            {
                "rule": one["rule"],
                "epochs": one["epochs"],
                "times fewer": round(full["epochs"] / one["epochs"], 2),
                "seconds": one["seconds"],
                "winner": " ".join(one["winner"]),
                "rank in full grid": ranked.index(one["winner"]) + 1,
                "mean in full grid": round(means[one["winner"]], 4),
                "short of the best": round(short, 4),
                "seed standard deviation": round(spread, 4),
            }
        )
    return rows


if __name__ == "__main__":
    main()
