"""How fast a message is decided, as a ratio to a plain similarity search in the same run.

    python -m benchmarks.decisions [--growth]

Prints the time from nothing to the first answer, decision times over the proving messages,
the baseline (rapidfuzz `process.extractOne` with WRatio over the same examples), memory, and
with --growth the decision time with 1, 4 and 16 times the examples.
"""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rapidfuzz import fuzz, process

from bot.content import load
from bot.core.decide import Content, decide
from bot.core.model import Message, Person
from bot.reading import Embedders, build, readers_from
from bot.settings import read_settings
from bot.tools.measure import proving_rows

MESSAGES = 400
BASELINE = 60
TIMES = (1, 4, 16)


def main() -> None:
    """Measures and prints everything."""
    settings = read_settings()
    root = settings.content_dir
    began = time.perf_counter()
    content = build(root, trained=settings.trained, embeddings=settings.embeddings)
    decide(Message("bench", "he wont wake up"), Person(), content)
    print(f"start to first answer: {time.perf_counter() - began:.2f} s (trained before)")
    print(f"command to first verdict: {command_s():.2f} s (a process of its own, with its imports)")
    texts = [row.text for row in proving_rows(root, dict(content.knowledge.topics))]
    texts = texts[:: max(1, len(texts) // MESSAGES)]
    ours = timed(lambda text: decide(Message("bench", text), Person(), content), texts)
    # Before the baseline's own copy of the examples.
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB at most")
    examples = [example.text for example in load(root).teaching]
    plain = timed(
        lambda text: process.extractOne(text, examples, scorer=fuzz.WRatio), texts[:BASELINE]
    )
    show("decision", ours)
    show(f"WRatio over {len(examples)} examples", plain)
    print(f"ratio of medians: {statistics.median(ours) / statistics.median(plain):.3f}")
    lexical = Content(content.knowledge, replace(content.reader, embed=None, elsewhere=None))  # type: ignore[type-var]
    show("decision without embeddings", timed(lambda text: decide(
        Message("bench", text), Person(), lexical), texts))  # fmt: skip
    if "--growth" in sys.argv:
        grow(root, texts)


def command_s() -> float:
    """Seconds from calling `classify` to its first line."""
    began = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "classify"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(json.dumps({"text": "he wont wake up"}) + "\n")
        process.stdin.close()
        process.stdout.readline()
        return time.perf_counter() - began


def grow(root: Path, texts: Sequence[str]) -> None:
    """Decision time as the number of examples grows; the extra ones are the same, numbered."""
    loaded = load(root)
    for times in TIMES:
        teaching = [
            replace(example, text=f"{example.text} {copy}" if copy else example.text)
            for copy in range(times)
            for example in loaded.teaching
        ]
        readers = readers_from(loaded, Embedders(), teaching, trained=Path("var/bench"))
        content = Content(loaded.knowledge, readers)
        found = timed(lambda t, c=content: decide(Message("bench", t), Person(), c), texts)  # type: ignore[misc]
        show(f"{len(teaching)} examples, words only", found)


def timed(run: Callable[[str], object], texts: Sequence[str]) -> list[float]:
    """Milliseconds for each text, after a warm-up."""
    for text in texts[:5]:
        run(text)
    found = []
    for text in texts:
        began = time.perf_counter()
        run(text)
        found.append(1000 * (time.perf_counter() - began))
    return found


def show(name: str, times: Sequence[float]) -> None:
    """One line of percentiles."""
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    print(f"{name}: p50 {statistics.median(times):.2f} ms, p99 {p99:.2f} ms, n {len(times)}")


if __name__ == "__main__":
    main()
