"""Other processes that use the same cache: small programs, started together."""

from __future__ import annotations

import subprocess
import sys
import textwrap

__all__ = ["run", "start"]


def start(code: str, *arguments: str) -> subprocess.Popen[str]:
    """Start a Python process that runs `code`; `sys.argv[1:]` are the arguments."""
    program = textwrap.dedent(code)
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(count: int, code: str, *arguments: str) -> list[str]:
    """Run `code` in several processes at once; the number of each is its last argument.

    They begin their work together: each waits for a line of input after it has started, which
    `input()` in the code reads. Returns what each printed; a failure is an assertion.
    """
    workers = [start(code, *arguments, str(number)) for number in range(count)]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n", worker.communicate()[1]
    results: list[str] = []
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        output, errors = worker.communicate(timeout=60)
        assert worker.returncode == 0, errors
        results.append(output.strip())
    return results
