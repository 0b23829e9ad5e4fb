"""What `efflux evaluate` and `efflux report` cost, in seconds and memory, by the number of sites and members.

    python3 benches/evaluation.py EFFLUX [--sites N ...] [--members N] [--rounds N] [--keep FOLDER] [--save FILE]

EFFLUX is a release build; Python has numpy. The sites are those of `efflux synth` on the paper's calendar of 6,269 days. A
sweep of one epoch trains one small member; the others are that member's simulations with a level and a noise of their own.
To what is timed they are members like any: their files and journal records are those that a sweep leaves.
"""

import argparse
import hashlib
import json
import multiprocessing
import os
import statistics
import struct
import subprocess
import tempfile
import time
import zlib
from pathlib import Path

JOB = """
pack = "pack.h5"
[training]
epochs = 1
[grid]
hidden_size = [8]
dropout = [0.2]
window_days = [30]
[seeds]
search = [0]
final = [{seeds}]
"""


def compact(value, **how):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, **how)


def trial_id(contract, trial):
    content = [1, contract, trial["stage"], trial["fit"], trial["params"], trial["seed"]]
    return hashlib.sha256(compact(content, sort_keys=True).encode()).hexdigest()[:16]


def clone(run, members):
    """Gives a run with one member as many as asked for."""
    import numpy

    contract = json.loads((run / "manifest.json").read_text())["contract"]
    (journal,) = (run / "journal").glob("*.jsonl")
    entries = [json.loads(line)["entry"] for line in journal.read_text().splitlines()]
    is_member = lambda entry: "trial" in entry and entry["trial"]["trial"]["stage"] == "final"
    entry = next(filter(is_member, entries))
    trial = entry["trial"]["trial"]
    if trial_id(contract, trial) != trial["id"]:
        raise SystemExit("trials have other names than this program gives them")
    trained = (run / "trials" / trial["id"] / "attempt-1/simulation.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", trained[:8])
    header = json.loads(trained[8 : 8 + length])
    by_place = lambda name: header[name]["data_offsets"]
    kept = [numpy.frombuffer(trained, "<f4", offset=8 + length + begin, count=(end - begin) // 4)
            for begin, end in map(by_place, sorted(header.keys() - {"__metadata__"}, key=by_place))]
    sites = header["flux"]["shape"][0]
    with journal.open("a") as lines:
        for seed in range(1, members):
            trial["seed"] = seed
            trial["id"] = trial_id(contract, trial)
            text = compact(entry)
            lines.write(f'{{"crc":"{zlib.crc32(text.encode()):08x}","entry":{text}}}\n')
            metadata = json.loads(header["__metadata__"]["efflux"]) | {"trial_id": trial["id"], "seed": seed}
            start = json.dumps(header | {"__metadata__": {"efflux": json.dumps(metadata)}}).encode()
            start += b" " * (-len(start) % 8)
            random = numpy.random.default_rng(seed)
            folder = run / "trials" / trial["id"] / "attempt-1"
            folder.mkdir(parents=True)
            with (folder / "simulation.safetensors").open("wb") as file:
                file.write(struct.pack("<Q", len(start)) + start)
                for values in kept:
                    for part in numpy.array_split(values, sites):
                        noise = random.normal(0, 0.2, len(part)) + random.normal(0, 0.3)
                        file.write((part + noise).astype("<f4").tobytes())


def prepare(program, folder, sites, members):
    """A run directory with that many members."""
    call = lambda *command: subprocess.run([program, *command], cwd=folder, check=True, capture_output=True)
    call("synth", "-o", "pack.h5", "--sites", str(sites))
    for seeds in (1, members):
        (folder / "job.toml").write_text(JOB.format(seeds=", ".join(map(str, range(seeds)))))
        if seeds == 1:
            call("sweep", "job.toml", "--run-dir", "run", "--slots", "1")
            (job,) = (folder / "run/jobs").glob("*.toml")
    job.write_text((folder / "job.toml").read_text().replace("pack.h5", str(folder / "pack.h5")))
    clone(folder / "run", members)


def timed(program, command, folder):
    """Wall seconds, processor seconds and MiB at the most."""
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen([program, command, "run"], cwd=folder, stdout=said, stderr=subprocess.STDOUT)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            said.seek(0)
            raise SystemExit(f"efflux {command} ended with {process.returncode}: {said.read().decode()}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def measure(program, folder, sites, members, rounds):
    if not (folder / "run").exists():
        # A process of its own: what it holds would count as memory of the programs that are started next.
        making = multiprocessing.Process(target=prepare, args=(program, folder, sites, members))
        making.start()
        making.join()
        if making.exitcode:
            raise SystemExit("no run to evaluate")
    taken = {command: [timed(program, command, folder) for _ in range(rounds)] for command in ("evaluate", "report")}
    lines = []
    for command, rows in taken.items():
        wall, processor, memory = (statistics.median(column) for column in zip(*rows))
        lines.append(f"{sites:6} {members:8} {command:9} {wall:7.2f} {processor:7.2f} {memory:7.0f}")
    page = (folder / "run/report/index.html").stat().st_size
    lines.append(f"{sites:6} {members:8} page      {page / 1e6:.2f} MB")
    return lines


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program", type=Path, metavar="EFFLUX")
    arguments.add_argument("--sites", type=int, nargs="+", default=[77])
    arguments.add_argument("--members", type=int, default=10)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--keep", type=Path, help="makes the runs here, or takes those that are here")
    arguments.add_argument("--save", type=Path)
    given = arguments.parse_args()
    program = given.program.resolve()
    lines = [f" sites  members           wall s  cpu s  max MiB   medians of {given.rounds}"]
    for sites in given.sites:
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary)
            if given.keep:
                folder = (given.keep / f"{sites}-{given.members}").resolve()
                folder.mkdir(parents=True, exist_ok=True)
            lines += measure(program, folder, sites, given.members, given.rounds)
    text = "\n".join(lines) + "\n"
    print(text, end="")
    if given.save:
        given.save.write_text(text)


if __name__ == "__main__":
    main()
