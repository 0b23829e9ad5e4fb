"""Trials an hour on one device, by slots and lanes, from whole sweeps.

    python3 benches/packing.py EFFLUX [--device cuda|cpu] [--hidden 64 128 256] [--slots 1 2 4 8 16]
        [--lanes 8 32 128] [--both 4x32 ...] [--mps] [--seconds 20] [--from 1] [--sites 82] [--bare]
        [--save FILE.csv] [--plot FILE.svg]

EFFLUX is a release build, its trainer beside it. For every hidden size a sweep of the paper's configuration on synthetic
sites runs with each number of slots (and one lane), with each number of lanes (and one slot), and with the pairs of
--both, all places taken, until all trials have had an epoch (or as much of one as --from says) and then for so many
seconds. What is counted is how far the
trials have come meanwhile, the validation after each epoch included, the final simulation not; a trial is 200 epochs. With
--mps the slots share the GPU by slurm/mps.sh instead of taking turns. Memory is the GPU's whole, before the sweep
subtracted.

With a GPU the device is described first, and it is counted how often cuDNN's LSTM was called in a sweep of one epoch. The
plot needs matplotlib.
"""

import argparse
import csv
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

EPOCHS = 200
JOB = """
pack = "pack.h5"
[training]
epochs = {epochs}
backend = "torch"
[grid]
hidden_size = [{hidden}]
window_days = [30]
dropout = [0.2]
[seeds]
search = [{seeds}]
final = [0]
"""


def write_job(folder, hidden, trials, epochs):
    seeds = ", ".join(map(str, range(trials)))
    (folder / "job.toml").write_text(JOB.format(hidden=hidden, seeds=seeds, epochs=epochs))


def gpu_memory():
    """Megabytes taken of the first GPU, by anybody."""
    query = ["nvidia-smi", "--query-gpu=memory.used", "--format=csv,noheader,nounits"]
    try:
        return int(subprocess.run(query, capture_output=True, text=True, check=True).stdout.split()[0])
    except (FileNotFoundError, subprocess.CalledProcessError, ValueError, IndexError):
        return 0


def snapshot(live):
    """When `live.json` was written, and how far each trial was."""
    try:
        text, written = live.read_text(), live.stat().st_mtime
        return written, [trial["epochs_done"] for trial in json.loads(text)["running"]]
    except (FileNotFoundError, json.JSONDecodeError):
        return 0.0, []


def pace(live, trials, seconds, begin, sweep):
    """Epochs a second of all trials together: the slope of a line through what was seen."""
    seen = {}
    while len(seen) < 3 or max(seen) - min(seen) < seconds:
        if sweep.poll() is not None:
            raise SystemExit(f"the sweep ended with {sweep.returncode}")
        written, epochs = snapshot(live)
        if len(epochs) == trials and min(epochs) >= begin:
            seen[written] = sum(epochs)
        time.sleep(0.05)
    return statistics.linear_regression(list(seen), list(seen.values())).slope


def measure(arguments, folder, hidden, slots, lanes, environment):
    """Epochs a second, and megabytes of the GPU's memory."""
    trials = slots * lanes
    write_job(folder, hidden, trials, 1_000_000)
    run = folder / f"run-{hidden}-{slots}-{lanes}"
    before = gpu_memory()
    command = [arguments.efflux, "sweep", "job.toml", "--run-dir", run, "--device", arguments.device]
    command += ["--slots", str(slots), "--lanes", str(lanes), "--checkpoint-seconds", "3600", "--until", "never"]
    with open(folder / "log", "w") as log:
        sweep = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
        try:
            epochs = pace(run / "live.json", trials, arguments.seconds, arguments.begin, sweep)
            memory = gpu_memory() - before
        except SystemExit:
            sys.stderr.write((folder / "log").read_text())
            raise
        finally:
            sweep.send_signal(signal.SIGTERM)
            sweep.wait()
    return epochs, memory


def describe(arguments, folder):
    """What there is, and that cuDNN's LSTM is what runs."""
    subprocess.run([arguments.efflux, "doctor"], check=False)
    if arguments.device != "cuda":
        return
    write_job(folder, 128, 1, 1)
    calls = folder / "cudnn.log"
    environment = {**os.environ, "CUDNN_LOGLEVEL_DBG": "3", "CUDNN_LOGDEST_DBG": str(calls)}
    command = [arguments.efflux, "sweep", "job.toml", "--run-dir", "cudnn", "--device", "cuda", "--slots", "1"]
    subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=True)
    text = calls.read_text(errors="replace") if calls.exists() else ""
    for name in ("cudnnRNNForward", "cudnnRNNBackwardData", "cudnnRNNBackwardWeights"):
        print(f"cuDNN logged {text.count(name)} times {name}")


def start_mps(folder, environment):
    script = Path(__file__).parent.parent / "slurm/mps.sh"
    environment["CUDA_MPS_PIPE_DIRECTORY"] = str(folder / "mps/pipe")
    daemon = subprocess.Popen(["bash", script], env=environment)
    while not (folder / "mps/pipe/control").exists():
        if daemon.poll() is not None:
            raise SystemExit("NVIDIA's Multi-Process Service cannot be started here")
        time.sleep(0.05)
    return daemon


def save(rows, path):
    """After every row: a machine may be taken away."""
    if path:
        with open(path, "w", newline="") as file:
            table = csv.DictWriter(file, rows[0].keys())
            table.writeheader()
            table.writerows(rows)


def plot(rows, path):
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 2, figsize=(9, 4), sharey=True, layout="constrained")
    for axis, what, other in zip(axes, ("slots", "lanes"), ("lanes", "slots")):
        for hidden in sorted({row["hidden"] for row in rows}):
            line = sorted((row[what], row["trials_per_hour"]) for row in rows if row["hidden"] == hidden and row[other] == 1)
            axis.plot(*zip(*line), marker="o", label=f"hidden {hidden}")
        axis.set(xscale="log", yscale="log", xlabel=f"{what} ({other}: 1)")
        axis.set_xscale("log", base=2)
        axis.grid(alpha=0.3)
    axes[0].set_ylabel("trials an hour")
    axes[0].legend()
    figure.suptitle(f"Trials of {EPOCHS} epochs an hour, {rows[0]['device']}{', MPS' if rows[0]['mps'] else ''}")
    figure.savefig(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("efflux", type=Path)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--hidden", type=int, nargs="+", default=[64, 128, 256])
    parser.add_argument("--slots", type=int, nargs="*", default=[1, 2, 4, 8, 16])
    parser.add_argument("--lanes", type=int, nargs="*", default=[8, 32, 128])
    parser.add_argument("--both", nargs="*", default=[])
    parser.add_argument("--mps", action="store_true")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--bare", action="store_true", help="without a description of the device")
    parser.add_argument("--from", dest="begin", type=float, default=1.0)
    parser.add_argument("--sites", type=int, default=82)
    parser.add_argument("--save", type=Path)
    parser.add_argument("--plot", type=Path)
    arguments = parser.parse_args()
    arguments.efflux = arguments.efflux.resolve()
    pairs = [(slots, 1) for slots in arguments.slots] + [(1, lanes) for lanes in arguments.lanes if lanes > 1]
    pairs += [tuple(map(int, pair.split("x"))) for pair in arguments.both]
    environment, daemon, rows = dict(os.environ), None, []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synth = [arguments.efflux, "synth", "-o", folder / "pack.h5", "--sites", str(arguments.sites)]
        subprocess.run(synth, check=True, stdout=subprocess.DEVNULL)
        if not arguments.bare:
            describe(arguments, folder)
        if arguments.mps:
            daemon = start_mps(folder, environment)
        try:
            print(f"{'hidden':>6} {'slots':>5} {'lanes':>5} {'trials/h':>9} {'epochs/s':>9} {'GPU MB':>7}")
            for hidden in arguments.hidden:
                for slots, lanes in pairs:
                    epochs, memory = measure(arguments, folder, hidden, slots, lanes, environment)
                    hourly = epochs * 3600 / EPOCHS
                    print(f"{hidden:>6} {slots:>5} {lanes:>5} {hourly:>9.1f} {epochs:>9.3f} {memory:>7}", flush=True)
                    row = dict(device=arguments.device, mps=arguments.mps, hidden=hidden, slots=slots, lanes=lanes)
                    rows.append({**row, "trials_per_hour": hourly, "epochs_per_second": epochs, "gpu_mb": memory})
                    save(rows, arguments.save)
        finally:
            if daemon:
                daemon.send_signal(signal.SIGTERM)
                daemon.wait()
    if arguments.plot:
        plot(rows, arguments.plot)


main()
