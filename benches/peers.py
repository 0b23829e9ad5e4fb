"""What a dispatch costs: efflux, mpi4py's pool and HyperQueue with tasks that do next to nothing, in turn in one run.

    python3 benches/peers.py EFFLUX PYTHON [--tasks N] [--rounds N]

EFFLUX is a release build; PYTHON has mpi4py (4.1.2 was used) and hyperqueue (0.27.0) from PyPI; mpirun is on PATH. Each has two
workers on this machine. efflux trains the smallest trials that there are, 20 updates of eight units at two sites, evaluates
each and flushes a record of it to the disk. mpi4py calls a Python function that returns its argument; HyperQueue starts `true`,
without files of its output. All figures are time of slots by task: that which efflux did not train, and all of the peers'.
"""

import argparse
import json
import statistics
import subprocess
import tempfile
import time
from datetime import datetime
from pathlib import Path

SLOTS = 2
JOB = """
pack = "pack.h5"
[training]
epochs = 1
epoch_updates = 20
[grid]
hidden_size = [8]
window_days = [30]
[seeds]
search = [{seeds}]
final = [0]
"""
MPI4PY = """
import sys, time
from mpi4py.futures import MPIPoolExecutor
if __name__ == "__main__":
    with MPIPoolExecutor() as pool:
        list(pool.map(abs, range(100)))
        began = time.monotonic()
        assert sum(pool.map(abs, range({tasks}))) == sum(range({tasks}))
        print(time.monotonic() - began)
"""
HYPERQUEUE = """
import time
from hyperqueue import Job, LocalCluster
from hyperqueue.cluster import WorkerConfig
def run(client, tasks):
    job = Job()
    for _ in range(tasks):
        job.program(["true"], stdout=None, stderr=None)
    began = time.monotonic()
    submitted = client.submit(job)
    client.wait_for_jobs([submitted], raise_on_error=True)
    return time.monotonic() - began
if __name__ == "__main__":
    with LocalCluster() as cluster:
        cluster.start_worker(WorkerConfig(cores={slots}))
        client = cluster.client()
        run(client, 10)
        print(run(client, {tasks}))
"""


def efflux(program, folder, tasks, name):
    """Slot time by trial that was not training, and that was, in ms."""
    (folder / "job.toml").write_text(JOB.format(seeds=", ".join(str(seed) for seed in range(tasks))))
    command = [program, "sweep", "job.toml", "--slots", str(SLOTS), "--run-dir", name]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    entries = [json.loads(line)["entry"] for file in (folder / name / "journal").glob("*.jsonl") for line in file.open()]
    trials = [entry["trial"] for entry in entries if entry.get("trial", {}).get("trial", {}).get("stage") == "search"]
    began = [datetime.fromisoformat(trial["started"][:26].rstrip("Z") + "+00:00").timestamp() for trial in trials]
    ended = max(start + trial["seconds"] for start, trial in zip(began, trials))
    trained = sum(trial["seconds"] for trial in trials)
    return 1000 * (SLOTS * (ended - min(began)) - trained) / tasks, 1000 * trained / tasks


def peer(command, script, folder):
    (folder / "peer.py").write_text(script)
    done = subprocess.run([*command, "peer.py"], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-1000:])
    return float(done.stdout.split()[-1])


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("python", type=Path, metavar="PYTHON")
    arguments.add_argument("--tasks", type=int, default=5000)
    arguments.add_argument("--rounds", type=int, default=5)
    given = arguments.parse_args()
    program, python, tasks = given.program.resolve(), given.python.absolute(), given.tasks
    pool = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(SLOTS + 1), python, "-m", "mpi4py.futures"]
    figures = {name: [] for name in ("efflux, beside training", "efflux, training", "mpi4py", "HyperQueue")}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run([program, "synth", "-o", "pack.h5", "--sites", "2", "--years", "3"], cwd=folder, check=True, capture_output=True)
        for number in range(given.rounds):
            beside, trained = efflux(program, folder, tasks, f"run-{number}")
            took = (
                beside,
                trained,
                1000 * SLOTS * peer(pool, MPI4PY.format(tasks=tasks), folder) / tasks,
                1000 * SLOTS * peer([python], HYPERQUEUE.format(tasks=tasks, slots=SLOTS), folder) / tasks,
            )
            for name, milliseconds in zip(figures, took):
                figures[name].append(milliseconds)
    print(f"{tasks} tasks, {SLOTS} workers, {given.rounds} rounds; ms of a slot by task: median, lowest, highest")
    for name, rounds in figures.items():
        print(f"{name:24} {statistics.median(rounds):8.3f} {min(rounds):8.3f} {max(rounds):8.3f}")


if __name__ == "__main__":
    main()
