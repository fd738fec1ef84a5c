"""`evaluate --leave-one-voice-out`: how we do on the next stranger.

For each voice the learned reader is taught anew without that voice and then read by it.
Signals and vocabulary stay: they are not learned from single voices.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from bot import models
from bot.content import Loaded
from bot.core.decide import Content, decide
from bot.core.embed import Embedder
from bot.core.learn import STANDARD, Recipe
from bot.core.model import Message, Person
from bot.core.readers import Policy, Readers
from bot.reading import as_read, language_of, words_of
from bot.tools.evaluate import Classify, Judged, Verdict, judge
from bot.tools.labelled import from_examples

FEWEST = 60  # messages that make a voice one of its own here; near misses have no voice


def classifier(content: Content) -> Classify:
    """Messages on their own, from a blank person, as `classify` reads them."""

    def classify(text: str) -> Verdict:
        return Verdict.of(decide(Message(chat="evaluate", text=text), Person(), content))

    return classify


def voices_of(loaded: Loaded, heard: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """The teaching voices that are large enough to be left out, by name, without those
    that the embedding model has `heard`: leaving out its examples would not make it forget."""
    sizes = Counter(example.voice for example in loaded.teaching)
    return tuple(
        sorted(
            voice
            for voice, size in sizes.items()
            if size >= FEWEST and not voice.startswith("near_") and voice not in heard
        )
    )


def leave_one_voice_out(
    loaded: Loaded,
    embed: Embedder | None,
    *,
    trained: Path,
    policy: Policy,
    recipe: Recipe = STANDARD,
    voices: Sequence[str] = (),
    progress: models.Progress = models.in_silence,
) -> Iterator[tuple[str, tuple[Judged, ...]]]:
    """Each voice (all, or those named) with the verdicts on its messages by readers that
    never heard it. Takes about as long as a training for each."""
    # Imported here: scipy takes a second to import, and only training needs it.
    from bot.core.teach import train

    lexicon, signals, vocabulary = words_of(loaded, embed, trained=trained)
    styles = {voice.id: voice.style for voice in loaded.voices}
    rows = from_examples(loaded.teaching, loaded.knowledge.topics, styles=styles, source="taught")
    texts = [as_read(row.text, lexicon, vocabulary).text for row in rows]
    embeddings = None
    if embed is not None:
        embeddings = models.embed_all(texts, embed, cache=trained, progress=progress)
    chosen = tuple(voices) or voices_of(loaded, embed.heard if embed else frozenset())
    for done, voice in enumerate(chosen):
        progress("Leaving out each voice", done / len(chosen))
        kept = [place for place, row in enumerate(rows) if row.voice != voice]
        learned = train(
            [texts[place] for place in kept],
            [rows[place].label for place in kept],
            None if embeddings is None else embeddings[np.array(kept)],
            recipe=recipe,
        )
        readers = Readers(
            lexicon=lexicon,
            vocabulary=vocabulary,
            signals=signals,
            learned=learned,
            topics=loaded.knowledge.topics,
            embed=embed,
            language_of=language_of,
            policy=policy,
        )
        content = Content(loaded.knowledge, readers)
        held = [replace(row, source="left out") for row in rows if row.voice == voice]
        yield voice, judge(held, classifier(content))
