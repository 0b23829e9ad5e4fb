"""Whole trials, wall time: four on two slots of efflux against four in two PyTorch processes.

    cargo bench -p efflux-model --bench update                      writes the days that PyTorch reads
    python3 benches/trials.py EFFLUX PYTHON [--epochs N] [--rounds N] [--save FILE]

EFFLUX is a release build; PYTHON has torch 2.11, numpy and safetensors. Both sides start from nothing (efflux reads its
pack, PyTorch a file of the same days), train hidden 128, window 30, dropout 0.2 with Adadelta on one thread a trial, leave
out windows without a target, and simulate the calendar of 82 sites at the end. efflux also validates after each epoch.
"""

import argparse
import os
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
ITERATIONS = 961
JOB = """
pack = "pack.h5"
[training]
epochs = {epochs}
[seeds]
search = [0, 1, 2, 3]
final = [0]
"""


def efflux(program, folder, epochs, name):
    """Seconds until the sweep has its four trials; what it does after them is stopped."""
    (folder / "job.toml").write_text(JOB.format(epochs=epochs))
    began = time.monotonic()
    command = [program, "sweep", "job.toml", "--slots", "2", "--run-dir", name]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True) as sweep:
        for line in sweep.stderr:
            if " 4/4 " in line:
                took = time.monotonic() - began
                sweep.send_signal(signal.SIGTERM)
                sweep.stderr.read()
                return took
    raise SystemExit("efflux ended before its fourth trial")


def pytorch(python, days, epochs, environment):
    """Seconds until both processes have had their two trials."""
    began = time.monotonic()
    command = [python, HERE / "pytorch.py", days, "30", "trials", str(epochs), str(ITERATIONS)]
    environment = {**os.environ, **environment, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    both = [
        subprocess.Popen([*command, *seeds], env=environment, stdout=subprocess.DEVNULL)
        for seeds in (["0", "1"], ["2", "3"])
    ]
    if any([process.wait() for process in both]):
        raise SystemExit("PyTorch failed")
    return time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("efflux", type=Path)
    parser.add_argument("python")
    parser.add_argument("--days", type=Path, default=HERE.parent / "target/tmp/update")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--save", type=Path)
    arguments = parser.parse_args()
    program, epochs = arguments.efflux.resolve(), arguments.epochs
    lines = [f"4 trials of {epochs} epochs ({epochs * ITERATIONS} updates), 2 at a time; seconds of wall time"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        subprocess.run([program, "synth", "-o", folder / "pack.h5"], check=True, stdout=subprocess.DEVNULL)
        ratios = []
        for number in range(arguments.rounds):
            ours = efflux(program, folder, epochs, f"run-{number}")
            theirs = pytorch(arguments.python, arguments.days, epochs, {})
            ratios.append(theirs / ours)
            lines.append(f"  efflux {ours:7.1f}   PyTorch {theirs:7.1f}   ratio {theirs / ours:.2f}")
    lines.append(f"  median ratio {statistics.median(ratios):.2f}")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if arguments.save:
        arguments.save.write_text(text)


main()
