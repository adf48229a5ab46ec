"""The four parsers under a fuzzer that sees which branches an input takes (atheris): `scripts/fuzz` runs it.

For each parser a child process, which libFuzzer ends when it has done what was asked, or found something. Prints one
line for each: how many inputs went through, and what was found. Exits 1 if anything was.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

__all__ = ["main"]

NAMES = ("codec", "handshake", "link", "epmd")
#: Longer inputs find nothing that these do not, and are slower.
MAX_LENGTH = 1024
#: An input that takes longer, in seconds, is a finding; and one that takes more memory, in megabytes.
SLOW = 20
MEMORY = 2048


def main(argv: list[str]) -> int:
    """Run what the command line asks for; the exit status."""
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Fuzz the four parsers of peer bytes.")
    parser.add_argument("parsers", nargs="*", metavar="PARSER", help=f"some of: {', '.join(NAMES)} (all)")
    parser.add_argument("--inputs", type=int, metavar="N", help="as many inputs for each parser")
    parser.add_argument("--seconds", type=int, metavar="N", help="as many seconds for each parser (60)")
    parser.add_argument("--corpus", type=Path, metavar="FOLDER", help="keep what reached something new, to go on from")
    parser.add_argument("--findings", type=Path, default=Path("build/findings"), metavar="FOLDER", help="%(default)s")
    options = parser.parse_args(argv)
    unknown = set(options.parsers) - set(NAMES)
    if unknown:
        parser.error(f"no such parser: {', '.join(sorted(unknown))}")
    limits = [] if options.inputs is None else [f"-runs={options.inputs}"]
    if options.seconds is not None or not limits:
        limits.append(f"-max_total_time={60 if options.seconds is None else options.seconds}")

    total, found = 0, 0
    for name in options.parsers or NAMES:
        with tempfile.TemporaryDirectory() as temporary:
            folder = (options.corpus or Path(temporary)) / name
            folder.mkdir(parents=True, exist_ok=True)
            inputs, finding = _fuzz(name, folder, options.findings, limits)
        total += inputs
        found += finding is not None
        print(f"{name}: {inputs} inputs, {'1 finding' if finding else 'no findings'}", flush=True)
        if finding:
            print(finding, flush=True)
    print(f"all: {total} inputs, {found or 'no'} finding{'' if found == 1 else 's'}")
    return 1 if found else 0


def _fuzz(name: str, corpus: Path, findings: Path, limits: list[str]) -> tuple[int, str | None]:
    """The inputs that went through, and the end of what the child said if it found something."""
    findings.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.fuzz.guided", "--child", name, str(corpus), *limits]
    command += ["-print_final_stats=1", f"-max_len={MAX_LENGTH}", f"-timeout={SLOW}", f"-rss_limit_mb={MEMORY}"]
    command += [f"-artifact_prefix={findings}/{name}-"]
    child = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    counted = re.search(r"^stat::number_of_executed_units: (\d+)$", child.stdout, re.MULTILINE)
    return int(counted[1]) if counted else 0, None if child.returncode == 0 else child.stdout[-4000:]


def _child(argv: list[str]) -> None:
    """Fuzz one parser in this process, and end it."""
    import atheris

    with atheris.instrument_imports(include=["pyerlcoin.beam"]):
        from tests.support.fuzzing import PARSERS
    name, corpus, *options = argv
    parser = PARSERS[name]
    for number, seed in enumerate(parser.seeds):
        Path(corpus, f"seed-{number}").write_bytes(seed)
    atheris.Setup([sys.argv[0], *options, corpus], parser.check)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        _child(sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
