"""What many trials take: of slots, of `efflux status` and of a sweep that goes on.

    python3 benches/scale.py EFFLUX [--short N] [--looks N] [--finished N]

EFFLUX is a release build. `--short` trials of about 0.1 s are trained on two slots, while `status` looks at them `--looks` times:
the share of slot time that was training, and looks that were refused. Then a run is made that has `--finished` trials in its
journal, all copies of one that was trained: seconds and memory of `status`, and of the same sweep until it dispatches the first of two
new ones. The coordinator by itself, with up to 100,000 simulated slots: `cargo bench --locked -p efflux-cluster --bench coordinator`.
"""

import argparse
import json
import re
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

from dispatch import dispatched

JOB = """
pack = "pack.h5"
[training]
epochs = {epochs}
[grid]
hidden_size = [{hidden}]
window_days = [30]
dropout = [{dropout}]
[seeds]
search = [{seeds}]
final = [0]
"""


def write_job(folder, configurations, seeds, hidden=8, epochs=1):
    dropout = ", ".join(f"{number / 2000:.4f}" for number in range(configurations))
    seeds = ", ".join(str(seed) for seed in range(seeds))
    (folder / "job.toml").write_text(JOB.format(epochs=epochs, hidden=hidden, dropout=dropout, seeds=seeds))


def run(program, folder, *arguments):
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: {done.returncode}: {done.stderr}")
    return done.stdout


def short(program, folder, trials, looks):
    """Trains short trials on two slots, and looks at them meanwhile."""
    write_job(folder, 1, trials, hidden=16, epochs=2)
    command = [program, "sweep", "job.toml", "--run-dir", "short", "--slots", "2"]
    with open(folder / "short.log", "w") as log:
        sweep = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=log)
    while not (folder / "short/live.json").exists():
        time.sleep(0.01)
    refused, while_written, finished = 0, 0, 0
    for _ in range(looks):
        is_at_work = sweep.poll() is None
        look = subprocess.run([program, "status", "short", "--json"], cwd=folder, capture_output=True, text=True)
        while_written += is_at_work
        now = json.loads(look.stdout)["search"]["finished"] if look.returncode == 0 else -1
        refused += now < finished
        finished = max(finished, now)
    if sweep.wait():
        raise SystemExit((folder / "short.log").read_text()[-2000:])
    yield f"status {looks} times, {while_written} of them while the sweep was at work: {refused} refused or with fewer trials than before\n"
    said = re.search(r"search: (\d+ slots trained.*)", (folder / "short.log").read_text())[1]
    yield f"{trials} trials: {said}\n"


def finished(program, folder, trials):
    """A run that has so many finished trials: what it takes to look at it, and to go on."""
    write_job(folder, 1, 1)
    run(program, folder, "sweep", "job.toml", "--run-dir", "many")
    (journal,) = (folder / "many/journal").glob("*.jsonl")
    entry = json.loads(journal.read_text().splitlines()[0])["entry"]
    configurations = max(1, trials // 1000)
    write_job(folder, configurations, trials // configurations)
    plan = run(program, folder, "plan", "job.toml", "--run-dir", "many", "--trials")
    found = re.findall(r"^\s*([0-9a-f]{16})\s+search\b.*?dropout ([0-9.]+).*?seed (\d+)", plan, re.MULTILINE)
    trial = entry["trial"]["trial"]
    with journal.open("w") as lines:
        for name, dropout, seed in found:
            trial["id"], trial["seed"], trial["params"]["dropout"] = name, int(seed), float(dropout)
            text = json.dumps(entry, separators=(",", ":"))
            lines.write(f'{{"crc":"{zlib.crc32(text.encode()):08x}","entry":{text}}}\n')
    for job in (folder / "many/jobs").glob("*.toml"):
        job.write_text((folder / "job.toml").read_text().replace('"pack.h5"', f'"{folder}/pack.h5"'))
    yield f"{len(found)} finished trials, journal {journal.stat().st_size / len(found):.0f} bytes a trial\n"
    timed = ["/usr/bin/time", "-f", "%e s, %U s of a processor and %S s of the kernel, %M KB"]
    for _ in range(3):
        looked = subprocess.run([*timed, program, "status", "many"], cwd=folder, capture_output=True, text=True, check=True)
        yield f"  status: {looked.stderr.strip()}\n"
    write_job(folder, configurations, trials // configurations + 1)
    for _ in range(3):
        with dispatched(program, folder, "many", 1) as (sweep, took):
            memory = Path(f"/proc/{sweep.pid}/status").read_text()
            peak = re.search(r"VmHWM:\s*(.*)", memory)[1]
            processor = sum(int(ticks) for ticks in Path(f"/proc/{sweep.pid}/stat").read_text().split()[13:15]) / 100
            yield f"  sweep to its first dispatch: {took:.2f} s, {processor:.2f} s of processors, {peak}\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("--short", type=int, default=2000)
    arguments.add_argument("--looks", type=int, default=1000)
    arguments.add_argument("--finished", type=int, default=1_000_000)
    given = arguments.parse_args()
    program = given.program.resolve()
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        run(program, folder, "synth", "-o", "pack.h5", "--sites", "6", "--years", "3")
        parts = []
        if given.short:
            parts.append(short(program, folder, given.short, given.looks))
        if given.finished:
            parts.append(finished(program, folder, given.finished))
        for part in parts:
            for line in part:
                print(line, end="", flush=True)


if __name__ == "__main__":
    main()
