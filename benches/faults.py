"""What faults and leaving cost, in seconds and in epochs.

    python3 benches/faults.py EFFLUX [--times N] [--trials N] [--save FILE]
    python3 benches/faults.py EFFLUX --calls [--every N] [--save FILE]

EFFLUX is a release build. Two slots train a small job on synthetic sites. Measured are: from the kill of a trainer until
its trial runs again; from USR2 until the sweep has left; from the start of a sweep that has many finished trials in its
journals until it hands out the first one that is new; and for each kind of fault, done at random moments, how many epochs
running trials had behind them that they did not go on from. To kill a rank it takes an mpirun that knows
`--with-ft ulfm`.

With `--calls` nothing is timed: every call to the system that changes files, or every Nth, is made to fail, to be lost, or to
be the last one, and what comes of it is compared (`calls.py`).
"""

import argparse
import csv
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

import calls
from dispatch import dispatched

JOB = """
pack = "pack.h5"
[training]
epochs = {epochs}
[grid]
hidden_size = [{hidden}]
window_days = [30]
[seeds]
search = [{seeds}]
final = [0]
"""


# Seconds between two checkpoints where losses are measured; what the moments of faults are drawn with.
INTERVAL = 2
SEED = 5
# More than are ever trained.
EPOCHS = 100_000


KINDS = ("trainer SIGKILL", "sweep SIGKILL", "sweep SIGTERM", "sweep SIGUSR2", "rank SIGKILL, ULFM")


def write_job(folder, epochs, seeds, hidden=8):
    text = JOB.format(epochs=epochs, seeds=", ".join(str(seed) for seed in seeds), hidden=hidden)
    (folder / "job.toml").write_text(text)


def start(program, folder, run, *more):
    command = [program, "sweep", "job.toml", "--run-dir", run, "--slots", "2", *more]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def wait_for(what):
    began = time.monotonic()
    while not (found := what()):
        if time.monotonic() - began > 120:
            raise SystemExit("what was waited for never happened")
        time.sleep(0.001)
    return found


def is_training(folder, run):
    try:
        return "epochs_done" in (folder / run / "live.json").read_text()
    except FileNotFoundError:
        return False


def resumed(folder, run):
    return sum(log.read_text().count("goes on after epoch") for log in (folder / run / "logs").glob("*slot*"))


def trainers_of(parent):
    found = []
    for process in Path("/proc").iterdir():
        try:
            command = (process / "cmdline").read_bytes()
        except OSError:
            continue
        if b"efflux-trainer" in command and b"\0%d\0" % parent in command:
            found.append(int(process.name))
    return found


def kills(program, folder, times):
    """From the kill of a trainer until its trial goes on from its checkpoint."""
    write_job(folder, 5000, [0, 1])
    sweep = start(program, folder, "kills", "--checkpoint-seconds", "1", "--retries", "1000")
    checkpoints = folder / "kills/checkpoints"
    wait_for(lambda: checkpoints.exists() and len(list(checkpoints.glob("*.safetensors"))) == 2)
    took = []
    for _ in range(times):
        before = resumed(folder, "kills")
        victim = trainers_of(sweep.pid)[0]
        began = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        wait_for(lambda: resumed(folder, "kills") > before)
        took.append(time.monotonic() - began)
    sweep.kill()
    sweep.wait()
    return took


def drains(program, folder, times):
    """From USR2 until the sweep has left, checkpoints written."""
    write_job(folder, 5000, [0, 1])
    took = []
    for _ in range(times):
        sweep = start(program, folder, "drains")
        wait_for(lambda: is_training(folder, "drains"))
        began = time.monotonic()
        sweep.send_signal(signal.SIGUSR2)
        sweep.stderr.read()
        code = sweep.wait()
        took.append(time.monotonic() - began)
        if code != 75:
            raise SystemExit(f"a drain ended with {code}")
    return took


def goings_on(run):
    """For each time that a trial went on: which one, and the epochs and iterations that its checkpoint had."""
    logs = sorted((run / "logs").glob("*slot*"), key=lambda log: log.stat().st_mtime)
    pattern = r"^([0-9a-f]{16}): goes on after epoch (\d+), iteration (\d+)$"
    found = re.findall(pattern, "".join(log.read_text() for log in logs), re.MULTILINE)
    return [(trial, int(epoch), int(iteration)) for trial, epoch, iteration in found]


def sizes(run):
    return {path: path.stat().st_size for path in (run / "epochs").glob("*.csv")}


def epochs_since(run, sizes):
    """The latest whole epoch of each trial in what was added to the files of epochs since they had these sizes."""
    done = {}
    for path in (run / "epochs").glob("*.csv"):
        header, _, text = path.read_text().partition("\n")
        added = text[max(0, sizes.get(path, 0) - len(header) - 1) :]
        # What was cut off by a kill has no end of line.
        for row in csv.DictReader(added.splitlines(True)[: added.count("\n")], header.split(",")):
            done[row["trial"]] = int(row["epoch"])
    return done


def strike(kind, sweep):
    if kind == "trainer SIGKILL":
        os.kill(trainers_of(sweep.pid)[0], signal.SIGKILL)
    elif kind == "rank SIGKILL, ULFM":
        children = Path(f"/proc/{sweep.pid}/task/{sweep.pid}/children").read_text().split()
        is_rank = lambda pid: b"OMPI_COMM_WORLD_RANK=1\0" in Path(f"/proc/{pid}/environ").read_bytes()
        os.kill(next(int(pid) for pid in children if is_rank(pid)), signal.SIGKILL)
    else:
        sweep.send_signal(signal.Signals[f"SIG{kind.removeprefix('sweep ').removeprefix('SIG')}"])
        sweep.wait()


def losses(program, folder, times, kind):
    """Epochs that each running trial lost to a fault of this kind, and seconds that an epoch takes."""
    write_job(folder, EPOCHS, [0, 1], hidden=64)
    run = folder / re.sub(r"\W+", "-", kind)
    options = ["--checkpoint-seconds", str(INTERVAL), "--retries", "1000"]
    command = [program, "sweep", "job.toml", "--run-dir", run, "--slots", "2", *options]
    ranks = "ULFM" in kind
    if ranks:
        # A trial on each rank, and room for another one.
        command = ["mpirun", "--with-ft", "ulfm", "--oversubscribe", "--bind-to", "none", "-n", "2", *command]
    root = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    launch = lambda: subprocess.Popen(command, cwd=folder, env=os.environ | root, **silent)
    plan = subprocess.run([program, "plan", "job.toml"], cwd=folder, check=True, capture_output=True, text=True).stdout
    iterations = int(re.search(r"(\d+) updates", plan)[1]) / EPOCHS
    moments = random.Random(f"{SEED} {kind}")
    lost = []
    sweep = launch()
    while len(lost) < times:
        before, began = sizes(run), time.time()
        is_new = lambda file: file.stat().st_mtime > began
        wait_for(lambda: len(list(filter(is_new, (run / "checkpoints").glob("*.safetensors")))) == 2)
        time.sleep(moments.uniform(0, INTERVAL))
        known = len(goings_on(run))
        strike(kind, sweep)
        # Whoever goes on takes longer to begin than this takes.
        done = epochs_since(run, before)
        if kind.startswith("sweep"):
            sweep = launch()
        wait_for(lambda: len(goings_on(run)) >= known + (2 if kind.startswith("sweep") else 1))
        gone_on = goings_on(run)[known:]
        lost += [max(0.0, done[trial] - epoch - iteration / iterations) for trial, epoch, iteration in gone_on]
        if ranks:
            sweep.send_signal(signal.SIGUSR2)
            sweep.wait()
            sweep = launch()
    sweep.send_signal(signal.SIGUSR2)
    sweep.wait()
    rows = [row for path in (run / "epochs").glob("*.csv") for row in csv.DictReader(path.open())]
    pace = statistics.median(float(row["iterations_per_second"]) for row in rows if row["validation_kge"] is not None)
    return lost, iterations / pace


def many(program, folder, trials):
    """From the start of a sweep until it hands out the first of two new trials, the others being in a journal."""
    write_job(folder, 1, [0])
    subprocess.run([program, "sweep", "job.toml", "--run-dir", "many"], cwd=folder, check=True, capture_output=True)
    (journal,) = (folder / "many/journal").glob("*.jsonl")
    template = json.loads(journal.read_text().splitlines()[0])["entry"]
    write_job(folder, 1, range(trials))
    plan = subprocess.run(
        [program, "plan", "job.toml", "--run-dir", "many", "--trials"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout
    lines = []
    for name, seed in re.findall(r"^\s*([0-9a-f]{16})\s+search\b.*?seed (\d+)", plan, re.MULTILINE):
        template["trial"]["trial"]["id"] = name
        template["trial"]["trial"]["seed"] = int(seed)
        text = json.dumps(template, separators=(",", ":"))
        lines.append(f'{{"crc":"{zlib.crc32(text.encode()):08x}","entry":{text}}}\n')
    if len(lines) != trials:
        raise SystemExit(f"the plan lists {len(lines)} trials, expected {trials}")
    journal.write_text("".join(lines))
    write_job(folder, 1, range(trials + 2))
    took = []
    for _ in range(3):
        with dispatched(program, folder, "many", 2) as (_, seconds):
            took.append(seconds)
    return took


def measured(program, folder, given):
    """What times and losses were, a text each."""

    def said(line, raw):
        return f"{line}\n    {' '.join(f'{number:.2f}' for number in raw)}\n"

    for what, measure, count in (
        ("kill of a trainer to its trial running again", kills, given.times),
        ("USR2 to the sweep having left", drains, given.times),
        (f"start to first dispatch, {given.trials} trials finished", many, given.trials),
    ):
        took = measure(program, folder, count)
        yield said(f"{what}: median {statistics.median(took):.2f} s, max {max(took):.2f} s of {len(took)}", took)
    for kind in KINDS:
        lost, epoch = losses(program, folder, given.times, kind)
        yield said(
            f"epochs lost to {kind}: median {statistics.median(lost):.1f}, max {max(lost):.1f} of {len(lost)}"
            f" ({INTERVAL / epoch:.0f} epochs of {epoch:.3f} s between two checkpoints)",
            lost,
        )


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("--times", type=int, default=20)
    arguments.add_argument("--trials", type=int, default=100_000)
    arguments.add_argument("--calls", action="store_true")
    arguments.add_argument("--every", type=int, default=1, metavar="N")
    arguments.add_argument("--save", type=Path)
    given = arguments.parse_args()
    program = given.program.resolve()
    if not given.calls and shutil.which("mpirun") is None:
        raise SystemExit("mpirun is not in PATH, and ranks could not be killed: `. .deps/env.sh` puts one there")
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        synth = [program, "synth", "-o", "pack.h5", "--sites", "6", "--years", "3"]
        subprocess.run(synth, cwd=folder, check=True, capture_output=True)
        lines = []
        report = calls.report(program, folder, given.every) if given.calls else measured(program, folder, given)
        for line in report:
            lines.append(line)
            print(line, end="", flush=True)
    if given.save:
        given.save.write_text("".join(lines))


if __name__ == "__main__":
    main()
