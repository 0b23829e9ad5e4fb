"""All that a GPU has to show, in one go and against the clock: whether it works, how fast, and what limits it.

    python3 benches/gpu.py FOLDER --efflux EFFLUX --update UPDATE [--tests PROGRAM ...] [--python PYTHON]
        [--device cuda|cpu] [--seconds 400] [--steps doctor update lanes tests slots curves profile]

EFFLUX is a release build, its trainer beside it; UPDATE is the built bench of updates; PROGRAMs are built test binaries.
Steps run in the order of their names above, each with a share of the time that is left, and each writes what it found
into FOLDER as soon as it has found it: a machine that is taken away costs the step it was at and those after it.

| step | files | |
| --- | --- | --- |
| doctor | doctor.txt | `efflux doctor`, the card, and how often cuDNN's LSTM was called in a sweep of one epoch |
| update | update.txt | the time of one update, alone and in lanes, beside PyTorch with cuDNN |
| lanes | lanes.csv | trials an hour from whole sweeps, by lanes |
| tests | tests-*.txt | the golden numbers, lanes, and a GPU beside a processor (`EFFLUX_TEST_DEVICE`) |
| slots | slots*.csv | the same by slots, time-sliced and under MPS |
| curves | curves.csv | the loss of each epoch on the GPU, twice, and on a processor; whether the bits are equal |
| profile | profile.csv | the time of each kernel of some updates in 128 lanes, from Nsight Compute |
"""

import argparse
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
# What the trainers of a sweep are started with: every product with all its bits, the same sums in every run.
EXACT = {"NVIDIA_TF32_OVERRIDE": "0", "CUBLAS_WORKSPACE_CONFIG": ":4096:8", "OMP_NUM_THREADS": "1"}
# Seconds that a step may take at most, and what is left for those after it.
STEPS = {"doctor": 25, "update": 60, "lanes": 80, "tests": 90, "slots": 100, "curves": 60, "profile": 40}
CURVES = """
pack = "pack.h5"
[training]
epochs = 3
backend = "torch"
[grid]
hidden_size = [128]
window_days = [30]
dropout = [0.2]
[seeds]
search = [0]
final = [0]
"""


def run(command, log, seconds, **options):
    """Runs a command, all that it prints into a file; ends it and what it started when its time is up."""
    with open(log, "a") as file:
        print("$", *command, file=file, flush=True)
        child = subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT, start_new_session=True, **options)
        try:
            status = child.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, 15)
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, 9)
                child.wait()
            status = "ended after its time"
        print("exit", status, file=file, flush=True)
    return status


def doctor(given, folder, seconds):
    log = folder / "doctor.txt"
    if shutil.which("nvidia-smi"):
        run(["nvidia-smi"], log, 10)
    run([given.efflux, "doctor"], log, seconds)


def tests(given, folder, seconds):
    environment = {**os.environ, **EXACT, "EFFLUX_TEST_DEVICE": given.device}
    for program in given.tests:
        names = ["gpu::", "lanes", "reference::lstm", "kernels"]
        command = [program.resolve(), "--test-threads", "4", *names]
        run(command, folder / f"tests-{program.name}.txt", seconds / len(given.tests), env=environment)


def update(given, folder, seconds):
    command = [given.update.resolve(), "--device", given.device, "--python", given.python, "--rounds", str(given.rounds)]
    run([*command, "--save", folder / "update.txt", "30"], folder / "update-log.txt", seconds)


def packing(given, folder, seconds, name, options):
    command = [sys.executable, HERE / "packing.py", given.efflux, "--device", given.device, "--hidden", "128"]
    command += ["--bare", "--seconds", str(given.pace), "--save", folder / f"{name}.csv", *options]
    run(command, folder / f"{name}.txt", seconds)


def lanes(given, folder, seconds):
    packing(given, folder, seconds, "lanes", ["--slots", "--lanes", "128", "32", "256"])


def slots(given, folder, seconds):
    # Several processes that take turns on a GPU come to their first epoch late.
    packing(given, folder, seconds * 0.65, "slots", ["--slots", "1", "4", "8", "--lanes", "--from", "0.05"])
    if given.device == "cuda":
        packing(given, folder, seconds * 0.35, "slots-mps", ["--slots", "8", "--lanes", "--from", "0.05", "--mps"])


def curves(given, folder, seconds):
    log = folder / "curves-log.txt"
    end = time.monotonic() + seconds
    rows, kept = [], {}
    with tempfile.TemporaryDirectory() as name:
        study = Path(name)
        (study / "job.toml").write_text(CURVES)
        run([given.efflux, "synth", "-o", "pack.h5"], log, seconds, cwd=study)
        devices = {"first": given.device, "second": given.device, "processor": "cpu"}
        for which, device in devices.items():
            command = [given.efflux, "sweep", "job.toml", "--run-dir", which, "--device", device, "--slots", "1"]
            run(command, log, max(end - time.monotonic(), 5), cwd=study)
            for file in sorted((study / which / "epochs").glob("*.csv")):
                with open(file) as text:
                    rows += [{"run": which, "device": device, **row} for row in csv.DictReader(text)]
            weights = sorted((study / which).glob("trials/*/*/weights.safetensors"))
            kept[which] = [file.read_bytes() for file in weights]
    with open(folder / "curves.csv", "w", newline="") as file:
        table = csv.DictWriter(file, rows[0].keys())
        table.writeheader()
        table.writerows(rows)
    same = kept["first"] == kept["second"] and len(kept["first"]) > 0
    with open(log, "a") as file:
        print(f"{len(kept['first'])} files of weights, the same bytes twice: {same}", file=file)


def profile(given, folder, seconds):
    if not shutil.which("ncu"):
        (folder / "profile.txt").write_text("no Nsight Compute here\n")
        return
    orders = folder / "orders"
    # Beginning a trial in each lane takes some thousand launches, an update some forty.
    orders.write_text("60\n60\n")
    command = ["ncu", "--clock-control", "none", "--metrics", "gpu__time_duration.sum", "--csv", "--page", "raw"]
    command += ["--launch-skip", "2500", "--launch-count", "400", "--log-file", folder / "profile.csv"]
    command += [given.update.resolve(), "--hidden", "128", "--device", "cuda", "--work", "targets", given.lanes, "30"]
    with open(orders) as order:
        run(command, folder / "profile-log.txt", seconds, stdin=order, env={**os.environ, **EXACT})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--efflux", type=Path, required=True)
    parser.add_argument("--update", type=Path, required=True)
    parser.add_argument("--tests", type=Path, nargs="*", default=[])
    parser.add_argument("--python", default="python3")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--seconds", type=float, default=400)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--pace", type=float, default=8)
    parser.add_argument("--lanes", default="128", help="lanes that are profiled")
    parser.add_argument("--steps", nargs="*", choices=list(STEPS), default=list(STEPS))
    given = parser.parse_args()
    given.efflux = given.efflux.resolve()
    given.folder.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + given.seconds
    for step in (step for step in STEPS if step in given.steps):
        began = time.monotonic()
        left = end - began
        if left < 10:
            print(f"{step}: no time left", flush=True)
            continue
        try:
            globals()[step](given, given.folder, min(STEPS[step], left))
            print(f"{step}: {time.monotonic() - began:.0f} s", flush=True)
        except Exception as error:
            print(f"{step}: {error!r}", flush=True)


main()
