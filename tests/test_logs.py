"""The log: nothing waits for its reader."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHATTERS = """
import logging
from bot.logs import log_to_stderr
from bot.settings import Settings

log_to_stderr(Settings(_env_file=None))
for number in range(5000):
    logging.warning("line %d %s", number, "x" * 80)
print("went on", flush=True)
"""


@pytest.mark.parametrize("reads", [False, True], ids=["nobody reads", "somebody reads"])
def test_nothing_waits_for_whoever_reads_the_log(reads: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CHATTERS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        try:
            if reads:
                lines = process.stderr.read().splitlines()
                assert "line 4999 x" in lines[-1]
                assert len(lines) == 5000
            assert process.stdout.readline() == "went on\n"
        finally:
            process.kill()
