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
from numpy.typing import NDArray

from bot import training
from bot.content import Loaded
from bot.core.decide import Content, decide
from bot.core.learn import STANDARD, Learned, Recipe
from bot.core.model import Message, Person
from bot.core.policy import Policy
from bot.core.readers import Readers, Taught, seen_elsewhere
from bot.reading import Embedders, teaches_elsewhere, words_of
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


class Lessons:
    """The teaching examples as the readers see them, embedded once, so that readers can be
    taught again and again without some of them."""

    def __init__(
        self,
        loaded: Loaded,
        embedders: Embedders,
        *,
        trained: Path,
        progress: training.Progress = training.in_silence,
    ) -> None:
        self.examples = loaded.teaching
        self.words = words_of(loaded, embedders.english, trained=trained)
        self._topics = loaded.knowledge.topics
        self._embedders = embedders
        self._labels = [one.label for one in self.examples]
        self._texts = [self.words.as_read(one.text).text for one in self.examples]
        self._here = np.ones(len(self.examples), bool)
        if embedders.elsewhere is not None:
            self._here[:] = [self.words.sound_english(one.text) for one in self.examples]
        self._embeddings = None
        if embedders.english is not None:
            self._embeddings = training.embed_all(
                self._texts, embedders.english, cache=trained, progress=progress
            )
        self._abroad = np.array([teaches_elsewhere(one) for one in self.examples])
        self._embeddings_abroad = None
        if embedders.elsewhere is not None:
            seen = [seen_elsewhere(one.text) for one in self.examples if teaches_elsewhere(one)]
            self._embeddings_abroad = training.embed_all(
                seen, embedders.elsewhere, cache=trained, progress=progress
            )
        self._whole_abroad: Learned | None = None

    def readers(
        self,
        kept: NDArray[np.bool_],
        *,
        recipe: Recipe = STANDARD,
        policy: Policy = Policy(),  # noqa: B008 - a frozen value
    ) -> Readers:
        """Readers taught by the examples that are `kept`."""
        words = self.words
        return Readers(
            lexicon=words.lexicon,
            vocabulary=words.vocabulary,
            signals=words.signals,
            learned=self._taught(kept & self._here, self._embeddings, kept & self._here, recipe),
            topics=self._topics,
            embed=self._embedders.english,
            elsewhere=self._elsewhere(kept),
            language_of=words.language_of,
            policy=policy,
        )

    def _elsewhere(self, kept: NDArray[np.bool_]) -> Taught | None:
        if self._embeddings_abroad is None:
            return None
        chosen = kept & self._abroad
        if (chosen == self._abroad).all() and self._whole_abroad is not None:
            learned = self._whole_abroad
        else:
            learned = self._taught(chosen, self._embeddings_abroad, chosen[self._abroad], STANDARD)
        if (chosen == self._abroad).all():
            self._whole_abroad = learned
        return Taught(learned, self._embedders.elsewhere, as_typed=True)

    def _taught(
        self,
        kept: NDArray[np.bool_],
        embeddings: NDArray[np.float16] | None,
        rows: NDArray[np.bool_],
        recipe: Recipe,
    ) -> Learned:
        # Imported here: scipy takes a second to import, and only training needs it.
        from bot.core.teach import train

        places = np.flatnonzero(kept).tolist()
        return train(
            [self._texts[place] for place in places],
            [self._labels[place] for place in places],
            None if embeddings is None else embeddings[rows],
            recipe=recipe,
        )


def leave_one_voice_out(
    loaded: Loaded,
    embedders: Embedders,
    *,
    trained: Path,
    policy: Policy,
    recipe: Recipe = STANDARD,
    voices: Sequence[str] = (),
    progress: training.Progress = training.in_silence,
) -> Iterator[tuple[str, tuple[Judged, ...]]]:
    """Each voice (all, or those named) with the verdicts on its messages by readers that
    never heard it. Takes about as long as a training for each."""
    lessons = Lessons(loaded, embedders, trained=trained, progress=progress)
    styles = {voice.id: voice.style for voice in loaded.voices}
    rows = from_examples(loaded.teaching, loaded.knowledge.topics, styles=styles, source="taught")
    chosen = tuple(voices) or voices_of(loaded, embedders.heard)
    for done, voice in enumerate(chosen):
        progress("Leaving out each voice", done / len(chosen))
        kept = np.array([row.voice != voice for row in rows])
        readers = lessons.readers(kept, recipe=recipe, policy=policy)
        held = [replace(row, source="left out") for row in rows if row.voice == voice]
        yield voice, judge(held, classifier(Content(loaded.knowledge, readers)))
