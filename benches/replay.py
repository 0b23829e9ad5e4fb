"""What stopping rules find on the curves of one full grid, by many settings and orders of arrival.

    cargo build --release --locked -p efflux-run --example decisions
    python3 benches/replay.py EFFLUX target/release/examples/decisions [--slots 2] [--orders 100] [--save FILE.csv] [--keep DIR]

EFFLUX is a release build, its trainer beside it. The grid of `stopping.py` is trained once, in full, under a `paired` that gives
nothing up, so that the scores of sites are known at its rungs. Then every rule of efflux, asked through the example
`decisions`, is told the scores of these very trials: what it stops is not trained again, so what it finds does not depend on
another training.

`asha` and `median` decide by what has arrived. They are replayed in --orders orders: the configurations begin in a shuffled
order on so many slots, and an epoch of a trial takes half to one and a half times as long as another one's. Of those orders the
median is printed, and the range. The other rules wait for all, and have one order.

* times fewer: epochs of the full grid over those of the search;
* rank: of the selected configuration in the full grid, by the mean of its final scores;
* short of the best: by how much that mean is below the best one; beside it the standard deviation of the best configuration's
  scores over its seeds.

With --keep DIR a full grid that is there already is replayed. Scores are median NSE over sites on the validation days.
"""

import argparse
import csv
import json
import random
import statistics
import subprocess
import tempfile
from collections import deque
from pathlib import Path

import stopping
import table

EPOCHS = 27
# Below any p value that 56 sites can give.
NOTHING = 'policy = "paired"\nleast = 1\neta = 3\nalpha = 1e-300'
ETA = {"eta": 3}
RULES = [
    *({"policy": "top", "least": least, "keep": keep} for least in (1, 3, 9) for keep in (1, 3, 6)),
    *({"policy": "halving", "least": least, **ETA} for least in (1, 3, 9)),
    *({"policy": "halving", "least": least, "eta": 2} for least in (1, 3)),
    *({"policy": "asha", "least": least, **ETA} for least in (1, 3)),
    {"policy": "asha", "least": 3, "eta": 2},
    *({"policy": "median", "least": least, "every": 1} for least in (1, 3, 9)),
    {"policy": "median", "least": 3, "every": 3},
    *({"policy": "paired", "least": least, **ETA, "alpha": alpha} for least in (1, 3, 9) for alpha in (0.1, 0.01)),
]
IN_ORDERS = ("asha", "median")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("efflux", type=Path)
    parser.add_argument("decisions", type=Path, help="the example `decisions` of efflux-run")
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--orders", type=int, default=100)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--keep", type=Path, help="work here and leave the run directory")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (arguments.keep or Path(temporary)).resolve()
        if not (folder / "grid/report/tables/selection.csv").exists():
            job = stopping.prepared(arguments.efflux.resolve(), folder)
            stopping.search(arguments.efflux.resolve(), folder, job, ("grid", NOTHING), str(arguments.slots))
        grid = Grid(folder / "grid")
    command = [str(arguments.decisions.resolve())]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        rows = [row(grid, program, stop, arguments) for stop in RULES]
        program.stdin.close()
    print(f"standard deviation of the best configuration over its seeds: {grid.spread:.4f}")
    table.show(rows)
    table.save(rows, arguments.save)


class Grid:
    """The trials of a full grid: by configuration and seed."""

    def __init__(self, run_directory):
        trials, final, self.sites = {}, {}, {}
        entries = []
        for path in sorted((run_directory / "journal").glob("*.jsonl")):
            entries += [json.loads(line)["entry"] for line in path.read_text().splitlines()]
        for record in (entry["trial"] for entry in entries if "trial" in entry):
            trial = record["trial"]
            if trial["stage"] == "search":
                trials[trial["id"]] = (tuple(trial["params"][axis] for axis in stopping.AXES), trial["seed"])
                final[trial["id"]] = record["outcome"]["finished"]["validation"]["nse"]
        order = sorted({params for params, _ in trials.values()})
        places = {id: (order.index(params), seed) for id, (params, seed) in trials.items()}
        for rung in (entry["rung"] for entry in entries if "rung" in entry):
            self.sites[*places[rung["trial"]], rung["epoch"]] = rung["sites"]
        self.scores = {}
        for path in (run_directory / "epochs").glob("*.csv"):
            with path.open() as file:
                for line in csv.DictReader(file):
                    if line["trial"] in places:
                        value = float(line["validation_nse"])
                        self.scores[*places[line["trial"]], int(line["epoch"])] = value
        if len(self.scores) != len(order) * stopping.SEEDS * EPOCHS:
            raise SystemExit(f"{run_directory} is no full grid: {len(self.scores)} epochs")
        self.finals = [[0.0] * stopping.SEEDS for _ in order]
        for id, (configuration, seed) in places.items():
            self.finals[configuration][seed] = final[id]
        self.means = [statistics.mean(one) for one in self.finals]
        self.ranked = sorted(range(len(order)), key=self.means.__getitem__, reverse=True)
        self.spread = statistics.stdev(self.finals[self.ranked[0]])


class Replay:
    """A search of a rule: trials wait in line for slots, as in a sweep; those that go on before those that begin."""

    def __init__(self, grid, program, stop, slots, seed):
        self.grid, self.program, self.slots = grid, program, slots
        self.rng = random.Random(seed)
        self.names = list(range(len(grid.means)))
        self.rng.shuffle(self.names)
        self.stop, self.rungs = stop, rungs(stop)
        self.goals = {}
        self.epochs, self.line, self.running, self.known = {}, deque(), [], set()
        self.now, self.ended = 0.0, set()

    def run(self):
        """Epochs of the search, and the configuration that is selected."""
        search = {"stop": self.stop, "configurations": len(self.names), "replications": stopping.SEEDS, "epochs": EPOCHS}
        self.told([], search)
        if self.stop["policy"] != "asha":
            for number in range(len(self.names)):
                self.go_on(number, 0)
        while self.fill() or self.running:
            self.running.sort()
            self.now, number, seed, goal = self.running.pop(0)
            self.epochs[number, seed] = goal
            rung = self.rungs.index(goal) if goal < EPOCHS else len(self.rungs)
            name = self.names[number]
            if goal == EPOCHS:
                self.ended.add((number, seed))
                event = [number, seed, rung, self.grid.finals[name][seed]]
            else:
                event = [number, seed, rung, self.grid.scores[name, seed, goal]]
            if self.stop["policy"] == "paired" and goal < EPOCHS:
                event.append(self.grid.sites[name, seed, goal])
            for decided, verdict, to in self.told([event])[0]:
                if verdict == "go_on":
                    self.go_on(decided, to)
        whole = [one for one in range(len(self.names)) if all((one, seed) in self.ended for seed in range(stopping.SEEDS))]
        names = [self.names[one] for one in whole]
        return sum(self.epochs.values()), max(names, key=self.grid.means.__getitem__)

    def told(self, events, search=None):
        """What the rule says to each event."""
        self.program.stdin.write(json.dumps({**(search or {}), "events": events}) + "\n")
        self.program.stdin.flush()
        return json.loads(self.program.stdout.readline())

    def go_on(self, number, rung):
        goal = self.rungs[rung] if rung < len(self.rungs) else EPOCHS
        trials = [(number, seed, goal) for seed in range(stopping.SEEDS)]
        if number in self.known:
            self.line.extendleft(reversed(trials))
        else:
            self.known.add(number)
            self.line.extend(trials)

    def fill(self):
        """Begins trials where there is room. Says whether any are in training."""
        while len(self.running) < self.slots:
            if not self.line:
                asked = self.told(["ask"])[0]
                for number, _, rung in asked:
                    self.go_on(number, rung)
                if not asked:
                    break
            number, seed, goal = self.line.popleft()
            length = (goal - self.epochs.get((number, seed), 0)) * self.rng.uniform(0.5, 1.5)
            self.running.append((self.now + length, number, seed, goal))
        return bool(self.running)


def rungs(stop):
    """Epochs at which a rule compares."""
    if stop["policy"] == "median":
        return list(range(stop["every"], EPOCHS, stop["every"]))
    found, rung = [], stop["least"]
    while rung < EPOCHS:
        found.append(rung)
        if stop["policy"] == "top":
            break
        rung *= stop["eta"]
    return found


def row(grid, program, stop, arguments):
    """What a rule finds."""
    orders = arguments.orders if stop["policy"] in IN_ORDERS else 1
    found = [Replay(grid, program, stop, arguments.slots, f"{order}").run() for order in range(orders)]
    every = len(grid.scores)
    fewer = sorted(every / epochs for epochs, _ in found)
    ranks = sorted(grid.ranked.index(winner) + 1 for _, winner in found)
    best = grid.means[grid.ranked[0]]
    short = sorted(best - grid.means[winner] for _, winner in found)
    return {
        "rule": stop["policy"],
        "keys": " ".join(f"{key} {value}" for key, value in stop.items() if key != "policy"),
        "orders": orders,
        "times fewer": said(fewer, 2),
        "rank": said(ranks, 0),
        "short of the best": said(short, 4),
    }


def said(values, digits):
    """The median, and the range if there is one."""
    middle = f"{statistics.median(values):.{digits}f}"
    if values[0] == values[-1]:
        return middle
    return f"{middle} ({values[0]:.{digits}f} to {values[-1]:.{digits}f})"


if __name__ == "__main__":
    main()
