"""How long a sweep takes to its first dispatch: of scale.py and faults.py."""

import subprocess
import time
from contextlib import contextmanager


@contextmanager
def dispatched(program, folder, run, slots):
    """A sweep at its first dispatch, and the seconds to it. It is ended and what it wrote is removed, so that it does
    not count for the next one."""

    def files():
        return {*(folder / run / "launches").glob("*.json"), *(folder / run / "journal").glob("*.jsonl")}

    before = files()
    began = time.monotonic()
    command = [program, "sweep", "job.toml", "--run-dir", run, "--slots", str(slots), "--log", "efflux=debug"]
    sweep = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        if not any("is dispatched" in line for line in sweep.stderr):
            raise SystemExit(f"{run}: the sweep dispatched nothing")
        yield sweep, time.monotonic() - began
    finally:
        sweep.kill()
        sweep.wait()
        sweep.stderr.close()
        for file in files() - before:
            file.unlink()
