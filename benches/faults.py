"""What faults and leaving cost, in seconds.

    python3 benches/faults.py EFFLUX [--times N] [--trials N] [--save FILE]

EFFLUX is a release build. Two slots train a small job on synthetic sites. Measured are: from the kill of a trainer until
its trial runs again, from USR2 until the sweep has left, and from the start of a sweep that has many finished trials in
its journals until it hands out the first one that is new.
"""

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

JOB = """
pack = "pack.h5"
[training]
epochs = {epochs}
[grid]
hidden_size = [8]
window_days = [30]
[seeds]
search = [{seeds}]
final = [0]
"""


def write_job(folder, epochs, seeds):
    text = JOB.format(epochs=epochs, seeds=", ".join(str(seed) for seed in seeds))
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
        os.kill(victim, signal.SIGABRT)
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
        began = time.monotonic()
        sweep = start(program, folder, "many")
        for line in sweep.stderr:
            if f"{trials} of {trials + 2} trials known" in line:
                took.append(time.monotonic() - began)
                break
        sweep.kill()
        sweep.wait()
        sweep.stderr.close()
        for mark in (folder / "many/launches").glob("*.json"):
            mark.unlink()
    return took


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("--times", type=int, default=20)
    arguments.add_argument("--trials", type=int, default=100_000)
    arguments.add_argument("--save", type=Path)
    given = arguments.parse_args()
    program = given.program.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        synth = [program, "synth", "-o", "pack.h5", "--sites", "6", "--years", "3"]
        subprocess.run(synth, cwd=folder, check=True, capture_output=True)
        found = {
            "kill of a trainer to its trial running again": kills(program, folder, given.times),
            "USR2 to the sweep having left": drains(program, folder, given.times),
            f"start to first dispatch, {given.trials} trials finished": many(program, folder, given.trials),
        }
    text = "".join(
        f"{what}: median {statistics.median(took):.2f} s, max {max(took):.2f} s of {len(took)}\n" for what, took in found.items()
    )
    print(text, end="")
    if given.save:
        given.save.write_text(text)


if __name__ == "__main__":
    main()
