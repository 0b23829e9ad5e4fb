"""What `efflux plan` says of four grids, beside what they take.

    python3 benches/plan.py EFFLUX [--slots 2] [--only NAME ...] [--save FILE.csv] [--keep DIR]

EFFLUX is a release build, its trainer beside it. Of each grid it prints the seconds of a core for the trials of the search and
for the members, as planned by the measured constants alone and with `--calibrate`, and as taken: the sum of what the trials'
records say; beside that the wall time from the first trial's beginning to the last one's end. Which configuration members will
have a plan cannot know, and takes the mean over all; here they are planned with the one that was selected.

On a machine that others use, give it priority: `nice -n -15 python3 …`.
"""

import argparse
import csv
import json
import re
import subprocess
import tempfile
from datetime import datetime
from pathlib import Path

import table

ROOT = Path(__file__).resolve().parent.parent
SECONDS = {"s": 1, "min": 60, "h": 3600}
# Of jobs/cosore-daily.toml, beside what is said below.
SITES = {
    'pack = "data/cosore-daily.h5"': 'pack = "sites.h5"',
    "hidden_size = 32\n": "",
    "learning_rate = 0.01\n": "",
}
GRIDS = {
    "paper": """
pack = "synthetic.h5"
[training]
epochs = 4
[grid]
hidden_size = [64, 128, 192]
window_days = [30, 90]
[seeds]
search = [0]
final = [0, 1]
""",
    "site head": {
        "[seeds]\nsearch = [0, 1]": "[grid]\nhidden_size = [16, 64]\nlearning_rate = [0.003, 0.01]\n[seeds]\nsearch = [0, 1]",
    },
    "folds": """
pack = "sites.h5"
[split]
kind = "sites"
folds = 4
[training]
epochs = 3
[grid]
hidden_size = [16, 32]
window_days = [30, 90]
[seeds]
search = [0]
final = [0, 1]
""",
    "no process": {
        "residual_process = true\n": "",
        "[seeds]\nsearch = [0, 1]\nfinal = [0, 1]": "[grid]\nhidden_size = [24, 48]\nlayers = [1, 2]\n[seeds]\nsearch = [0]\nfinal = [0, 1, 2]",
        "clip_norm = 1.0\n": "clip_norm = 1.0\nlearning_rate = 0.003\n",
    },
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("efflux", type=Path)
    parser.add_argument("--slots", default="2")
    parser.add_argument("--only", nargs="+", choices=GRIDS)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--keep", type=Path, help="work here and leave the run directories")
    arguments = parser.parse_args()
    efflux = arguments.efflux.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        run(folder, efflux, "synth", "-o", "synthetic.h5", "--sites", "82")
        days = ["--from", "2003-01-01", "--to", "2020-02-29"]
        run(folder, efflux, "pack", "--sites", ROOT / "data/cosore-daily", *days, "-o", "sites.h5")
        rows = []
        for name in arguments.only or GRIDS:
            rows += grid(efflux, folder, name, arguments.slots)
            for row in rows[-2:]:
                print(" | ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    table.save(rows, arguments.save)


def run(folder, *command):
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command}: {done.returncode}: {done.stderr}")
    return done.stdout


def grid(efflux, folder, name, slots):
    """Rows for search and members of a grid."""
    text = GRIDS[name]
    if not isinstance(text, str):
        changes, text = SITES | text, (ROOT / "jobs/cosore-daily.toml").read_text()
        for old, new in changes.items():
            if old not in text:
                raise SystemExit(f"jobs/cosore-daily.toml has no longer: {old}")
            text = text.replace(old, new)
    job, directory = f"{name.replace(' ', '-')}.toml", folder / name.replace(" ", "-")
    (folder / job).write_text(text)

    def planned(job, *options):
        lines = run(folder, efflux, "plan", job, "--run-dir", "none", "--slots", slots, *options).splitlines()
        return times(next(line for line in lines if line.startswith("  core time")))

    bases = {"by constants": (), "calibrated": ("--calibrate",)}
    of_search = {basis: planned(job, *options) for basis, options in bases.items()}
    run(folder, efflux, "sweep", job, "--run-dir", directory, "--slots", slots)
    (folder / "winner.toml").write_text(of_winner(text, directory))
    of_members = {basis: planned("winner.toml", *options) for basis, options in bases.items()}
    taken, wall = records(directory)
    rows = []
    for stage, told, parts in (("search", of_search, ["search"]), ("final", of_members, ["members", "members in folds"])):
        row = {"grid": name, "stage": stage, "trials": taken[stage][0], "taken s": round(taken[stage][1], 2)}
        for basis, said in told.items():
            seconds = sum(said.get(part, 0) for part in parts)
            row |= {f"{basis} s": round(seconds, 2), f"{basis} / taken": round(seconds / taken[stage][1], 2)}
        rows.append(row | {"wall s": round(wall, 1)})
    return rows


def of_winner(text, directory):
    """The job with the selected configuration alone."""
    with (directory / "report/tables/selection.csv").open() as file:
        winner = next(row for row in csv.DictReader(file) if row["selected"] == "1")
    before, grid = text.split("[grid]\n")
    axes, rest = grid.split("[seeds]", 1)
    chosen = re.sub(r"(\w+) = \[.*\]", lambda axis: f"{axis[1]} = [{winner[axis[1]]}]", axes)
    return f"{before}[grid]\n{chosen}[seeds]{rest}"


def times(line):
    """Seconds that a plan says, by what they are for."""
    found = re.findall(r"(search|members in folds|members|together) ([0-9.]+) (s|min|h)\b", line)
    return {what: float(count) * SECONDS[unit] for what, count, unit in reversed(found)}


def records(directory):
    """Trials of each stage with their seconds, and those from the first one's beginning to the last one's end."""
    taken, moments = {"search": (0, 0.0), "final": (0, 0.0)}, []
    for path in (directory / "journal").glob("*.jsonl"):
        for line in path.read_text().splitlines():
            record = json.loads(line)["entry"].get("trial")
            if record:
                count, seconds = taken[record["trial"]["stage"]]
                taken[record["trial"]["stage"]] = (count + 1, seconds + record["seconds"])
                begin = datetime.fromisoformat(record["started"].replace("Z", "+00:00")).timestamp()
                moments += [begin, begin + record["seconds"]]
    return taken, max(moments) - min(moments)


if __name__ == "__main__":
    main()
