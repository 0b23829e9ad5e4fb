"""Every call to the system that changes files, made to fail, to be lost or to be the last one: `faults.py --calls`.

The library that does it is `tests/it/shims/fault.c`, which says what its variables mean; the tests try some of the calls.
"""

import errno
import os
import shutil
import subprocess
from pathlib import Path

SHIM = Path(__file__).parent.parent / "tests/it/shims/fault.c"

FAULTS = (
    ("write", str(errno.EIO)),
    ("write", str(errno.ENOSPC)),
    ("write", "lost"),
    ("fsync", str(errno.EIO)),
    ("close", str(errno.EDQUOT)),
    ("rename", str(errno.EIO)),
)

TABLES = ("scores.csv", "members.csv")


def compiled(folder):
    library = folder / "fault.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-o", library, SHIM, "-ldl"], check=True)
    return library


def run(command, folder, **faults):
    variables = {f"FAULT_{name.upper()}": str(value) for name, value in faults.items() if name != "shim"}
    if "shim" in faults:
        variables["LD_PRELOAD"] = str(faults["shim"])
    return subprocess.run(command, cwd=folder, env=os.environ | variables, capture_output=True, text=True)


def count(command, folder, **faults):
    calls = folder / "count"
    calls.unlink(missing_ok=True)
    ended = run(command, folder, at=0, how=0, count=calls, **faults)
    if ended.returncode != 0:
        raise SystemExit(ended.stderr)
    return calls.stat().st_size if calls.exists() else 0


def writes(shim, folder, command, file, every):
    """Lines on what became of a file when the calls that make it went wrong, one of them at a time."""
    good = file.read_bytes()
    for call, how in FAULTS:
        calls = count(command, folder, shim=shim, call=call, path=file.name)
        wrong = refused = 0
        tried = range(1, calls + 1, every)
        for at in tried:
            file.write_bytes(b"old")
            ended = run(command, folder, shim=shim, call=call, path=file.name, how=how, at=at)
            found = file.read_bytes()
            refused += ended.returncode != 0
            wrong += found != (good if ended.returncode == 0 else b"old")
        file.write_bytes(good)
        name = how if how == "lost" else errno.errorcode[int(how)]
        yield f"{file.name}: {len(tried)} of {calls} times {call} {name}: {refused} refused, {wrong} wrong\n"


def kills(shim, program, folder, every):
    """A line on sweeps that were killed at their calls, one of them at a time, and went on."""
    sweep = [program, "sweep", "job.toml", "--slots", "2", "--run-dir"]
    tables = lambda run: [(folder / run / "report/tables" / name).read_bytes() for name in TABLES]
    ended = run([*sweep, "whole"], folder)
    if ended.returncode != 0:
        raise SystemExit(ended.stderr)
    whole = tables("whole")
    faults = {"shim": shim, "call": "any", "path": "/", "program": "/efflux"}
    calls = count([*sweep, "counted"], folder, **faults)
    early = other = left = 0
    tried = range(1, calls + 1, every)
    for at in tried:
        shutil.rmtree(folder / "killed", ignore_errors=True)
        run([*sweep, "killed"], folder, how="kill", at=at, **faults)
        status = run([program, "status", "killed", "--exit-code"], folder)
        early += status.returncode == 0 and (not (folder / "killed/report/index.html").exists() or tables("killed") != whole)
        ended = run([*sweep, "killed"], folder)
        other += ended.returncode != 0 or tables("killed") != whole
        left += any(path.name.endswith(".tmp") for path in (folder / "killed").rglob("*"))
    yield f"{len(tried)} kills at {calls} calls: {other} other tables, {early} called complete too early, {left} with files left behind\n"


def report(program, folder, every):
    """All of it, on a folder with `pack.h5`, with one of so many calls."""
    shim = compiled(folder)
    (folder / "job.toml").write_text(
        'pack = "pack.h5"\n[training]\nepochs = 2\n[grid]\nhidden_size = [8]\nwindow_days = [30]\n'
        "[seeds]\nsearch = [0, 1]\nfinal = [0, 1]\n"
    )
    small = [program, "synth", "-o", "small.h5", "--sites", "3", "--years", "1"]
    run(small, folder)
    yield from writes(shim, folder, small, folder / "small.h5", every)
    run([program, "sweep", "job.toml", "--run-dir", "run"], folder)
    evaluate = [program, "evaluate", "run"]
    yield from writes(shim, folder, evaluate, folder / "run/ensemble/predictions.nc", every)
    yield from kills(shim, program, folder, every)
