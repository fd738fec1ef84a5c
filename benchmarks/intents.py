"""Our matcher on public intent sets, beside two plain baselines and published numbers.

    python benchmarks/intents.py --data DIR            validation sets only, to choose on
    python benchmarks/intents.py --data DIR --final    the test sets, once a version

Everything is chosen on validation. The shares of the mix: by accuracy, in the full setting
by the mean of plain and mistyped accuracy. For rejection, shares and threshold: by the mean
of in-scope accuracy and out-of-scope recall. CLINC150's 100 out-of-scope training queries
are not used at all. Case is folded everywhere.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process

from benchmarks.sets import NAMES, PUBLISHED, Labelled, Set, draw, read_set
from bot import models, training
from bot.content.problems import Problems
from bot.content.yaml_text import plain_table, read
from bot.core.embed import Embedder
from bot.core.learn import STANDARD, Learned, Matrix, Recipe
from bot.core.repair import repair, vocabulary_from
from bot.core.teach import learn_grams, train
from bot.core.text import normalise
from bot.core.words import Lexicon, lexicon_from
from bot.tools.mutate import mutate

ROOT = Path(__file__).resolve().parent.parent
DRAWS = 5  # of our own, beside the fixed one
SHOTS = 10
SETTINGS = ("full", f"{SHOTS}-shot")
GRAM_WEIGHTS = (0.15, 0.25, 0.3, 0.4)
NEAREST_WEIGHTS = (0.0, 2.5, 5.0, 8.0)
TIMED = 200  # texts
FEW = 2_000  # texts below which an n-gram counts though it was seen only once

Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Guess:
    """The label of each text, and a score that is low where no label fits."""

    labels: list[str]
    scores: Scores


Matcher = Callable[[Sequence[str]], Guess]


class Ours:
    """The product's matcher: text normalised, typos repaired, three models mixed."""

    def __init__(self, lexicon: Lexicon, embed: Embedder, cache: Path) -> None:
        # The words that the embedding model knows whole are spelt rightly.
        self.lexicon = replace(lexicon, common=lexicon.common | embed.words)
        self.embed = embed
        self.cache = cache

    def fit(self, taught: Labelled, recipe: Recipe) -> Fitted:
        """A matcher taught by `taught`."""
        words = Counter(
            word
            for text in taught.texts
            for word in {token.word for token in normalise(text, self.lexicon).tokens}
        )
        vocabulary = vocabulary_from([word for word, _ in words.most_common()], self.lexicon)

        def prepare(text: str) -> str:
            return repair(normalise(text, self.lexicon), vocabulary).text

        texts = [prepare(text) for text in taught.texts]
        embeddings = training.embed_all(texts, self.embed, cache=self.cache)
        learned = train(texts, taught.labels, embeddings, recipe=recipe)
        return Fitted(learned, self.embed, prepare)


@dataclass
class Fitted:
    """A trained matcher that can be mixed anew without training or embedding again."""

    learned: Learned
    embed: Embedder
    prepare: Callable[[str], str]
    seen: dict[str, tuple[str, Matrix]] = field(default_factory=dict)

    def __call__(self, texts: Sequence[str]) -> Guess:
        """The likeliest label of each text, and how familiar the text is."""
        readings = [self.learned.read(*self._seen(text)) for text in texts]
        return Guess(
            [reading.best for reading in readings],
            np.array([reading.familiarity for reading in readings]),
        )

    def mixed(self, recipe: Recipe) -> Fitted:
        """The same models with other shares."""
        return replace(self, learned=replace(self.learned, recipe=recipe))

    def _seen(self, text: str) -> tuple[str, Matrix]:
        if text not in self.seen:
            prepared = self.prepare(text)
            self.seen[text] = (prepared, self.embed(prepared))
        return self.seen[text]


def milliseconds(matcher: Matcher, texts: Sequence[str]) -> float:
    """The mean time for a text that was not seen before."""
    fresh = [f"{text} please" for text in texts[:TIMED]]
    started = time.perf_counter()
    matcher(fresh)
    return 1000 * (time.perf_counter() - started) / len(fresh)


def nearest_string(taught: Labelled) -> Matcher:
    """Baseline: the label of the example with the most letters in common and in order."""

    def guess(texts: Sequence[str]) -> Guess:
        likeness = process.cdist(texts, taught.texts, scorer=fuzz.ratio, dtype=np.uint8)
        best = likeness.argmax(axis=1)
        return Guess(
            [taught.labels[place] for place in best], likeness.max(axis=1).astype(np.float64)
        )

    return guess


def linear_grams(taught: Labelled, recipe: Recipe) -> Matcher:
    """Baseline: a linear model on word and character n-grams."""
    vocabulary, linear = learn_grams(taught.texts, taught.labels, recipe=recipe)
    names = sorted(set(taught.labels))

    def guess(texts: Sequence[str]) -> Guess:
        found = [vocabulary.features(text) for text in texts]
        scores = np.stack(
            [one.weights @ linear.coefficients[one.places] + linear.biases for one in found]
        )
        return Guess([names[place] for place in scores.argmax(axis=1)], scores.max(axis=1))

    return guess


def accuracy(guess: Guess, wanted: Labelled) -> float:
    """Percent right, nothing rejected."""
    return 100 * float(np.mean([a == b for a, b in zip(guess.labels, wanted.labels, strict=True)]))


@dataclass(frozen=True)
class Rejecting:
    """Percentages with rejection; `auroc` is that of the score, 0 to 1."""

    in_scope: float
    recall: float
    precision: float
    auroc: float

    @classmethod
    def at(cls, threshold: float, inside: Guess, wanted: Labelled, outside: Guess) -> Rejecting:
        """What a threshold gives: a rejected in-scope query is wrong."""
        right = np.array([a == b for a, b in zip(inside.labels, wanted.labels, strict=True)])
        rejected_in = inside.scores < threshold
        rejected_out = outside.scores < threshold
        rejected = rejected_in.sum() + rejected_out.sum()
        above = inside.scores[:, None] > outside.scores[None, :]
        equal = inside.scores[:, None] == outside.scores[None, :]
        return cls(
            in_scope=100 * float((right & ~rejected_in).mean()),
            recall=100 * float(rejected_out.mean()),
            precision=100 * float(rejected_out.sum() / max(rejected, 1)),
            auroc=float(above.mean() + equal.mean() / 2),
        )

    def __str__(self) -> str:
        return (
            f"in scope {self.in_scope:.1f}, OOS recall {self.recall:.1f}, "
            f"precision {self.precision:.1f}, AUROC {self.auroc:.3f}"
        )


def threshold_from(inside: Guess, wanted: Labelled, outside: Guess) -> float:
    """The threshold with the highest mean of in-scope accuracy and OOS recall."""
    right = np.array([a == b for a, b in zip(inside.labels, wanted.labels, strict=True)])
    tried = np.unique(np.concatenate([inside.scores, outside.scores]))
    gains = [
        (right & (inside.scores >= one)).mean() + (outside.scores < one).mean() for one in tried
    ]
    return float(tried[int(np.argmax(gains))])


def recipe_for(texts: int) -> Recipe:
    """The product's recipe; in a small set every n-gram counts."""
    return STANDARD if texts >= FEW else replace(STANDARD, least=1)


def _recipes(recipe: Recipe) -> list[Recipe]:
    """The shares that are tried."""
    return [
        replace(recipe, gram_weight=grams, nearest_weight=nearest)
        for grams in GRAM_WEIGHTS
        for nearest in NEAREST_WEIGHTS
    ]


def chosen(fitted: Fitted, validations: Sequence[Labelled]) -> Recipe:
    """The shares with the best mean accuracy on the validation sets."""
    found = [
        (sum(accuracy(fitted.mixed(one)(rows.texts), rows) for rows in validations), one)
        for one in _recipes(fitted.learned.recipe)
    ]
    return max(found, key=lambda item: item[0])[1]


def run(name: str, data: Set, ours: Ours, settings: Sequence[str], *, final: bool) -> None:
    """The settings of one set that are asked for, ours and the baselines."""
    for setting in settings:
        taught = data.train if setting == "full" else data.few
        base = recipe_for(len(taught.texts))
        started = time.perf_counter()
        kept = data.without_validation(taught)
        fitted = ours.fit(kept, base)
        noisy = mistyped(data.validation)
        recipe = chosen(fitted, [data.validation, *([noisy] if setting == "full" else [])])
        trained = time.perf_counter() - started
        print(
            f"\n== {name}, {setting}: {len(kept.texts)} texts taught, "
            f"{len(data.validation.texts)} to choose on ({trained:.0f} s)"
        )
        print(f"chosen: gram_weight {recipe.gram_weight}, nearest_weight {recipe.nearest_weight}")
        baselines = {
            "nearest string": nearest_string(kept),
            "linear n-grams": linear_grams(kept, base),
        }
        found = accuracy(fitted.mixed(recipe)(data.validation.texts), data.validation)
        print(f"{'validation':<34}{found:6.2f}  ours")
        for title, matcher in baselines.items():
            print(
                f"{'':<34}{accuracy(matcher(data.validation.texts), data.validation):6.2f}  {title}"
            )
        mixed = fitted.mixed(recipe)
        matchers: dict[str, Matcher] = {"ours": mixed, **baselines}
        if data.outside_validation and setting == "full":
            _rejection(fitted, matchers, data, final=final)
        if setting == "full":
            _typos(matchers, data.test if final else data.validation)
        if final:
            if len(kept.texts) != len(taught.texts):
                matchers["ours"] = ours.fit(taught, recipe)
            for title, matcher in matchers.items():
                found = accuracy(matcher(data.test.texts), data.test)
                each = milliseconds(matcher, data.test.texts)
                print(f"{'test':<34}{found:6.2f}  {title} ({each:.2f} ms a text)")
        if setting != "full":
            _draws(data, ours, recipe, final=final)
        for model, value in PUBLISHED.get((name, setting), {}).items():
            print(f"{'published':<34}{value:>6}  {model}")


def _rejection(fitted: Fitted, matchers: dict[str, Matcher], data: Set, *, final: bool) -> None:
    """Shares and threshold are chosen together here: rejecting is a task of its own."""
    tried: list[tuple[float, str, Matcher]] = []
    for recipe in _recipes(fitted.learned.recipe):
        one = fitted.mixed(recipe)
        at = Rejecting.at(*_chosen_threshold(one, data))
        title = f"ours ({recipe.gram_weight}, {recipe.nearest_weight})"
        tried.append((at.in_scope + at.recall, title, one))
    _, title, ours = max(tried, key=lambda item: item[0])
    for name, matcher in {**matchers, title: ours}.items():
        if name == "ours":
            continue
        threshold, inside, wanted, outside = _chosen_threshold(matcher, data)
        print(f"rejection, validation: {Rejecting.at(threshold, inside, wanted, outside)}  {name}")
        if final:
            inside = matcher(data.test.texts)
            for where, texts in data.outside_test.items():
                at = Rejecting.at(threshold, inside, data.test, matcher(texts))
                print(f"rejection, test, {where}: {at}  {name}")


def _chosen_threshold(matcher: Matcher, data: Set) -> tuple[float, Guess, Labelled, Guess]:
    """The threshold that validation asks for, and what it was chosen on."""
    inside, outside = matcher(data.validation.texts), matcher(data.outside_validation)
    return threshold_from(inside, data.validation, outside), inside, data.validation, outside


def _typos(matchers: dict[str, Matcher], rows: Labelled) -> None:
    noisy = mistyped(rows)
    for title, matcher in matchers.items():
        found = accuracy(matcher(noisy.texts), noisy)
        print(f"{'typos in 30 % of the words':<34}{found:6.2f}  {title}")


def mistyped(rows: Labelled) -> Labelled:
    """The rows with a slip in 30 % of the words, always the same."""
    return Labelled([mutate(text, "typos", seed=1) for text in rows.texts], rows.labels)


def _draws(data: Set, ours: Ours, recipe: Recipe, *, final: bool) -> None:
    rows = data.test if final else data.validation
    found = []
    for seed in range(DRAWS):
        taught = draw(data.without_validation(data.train), SHOTS, random.Random(seed))
        found.append(accuracy(ours.fit(taught, recipe)(rows.texts), rows))
    spread = float(np.std(found, ddof=1))
    print(f"{f'mean of {DRAWS} own draws':<34}{np.mean(found):6.2f}  ours (spread {spread:.2f})")


def main() -> None:
    """Runs the sets that are asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with the public sets")
    parser.add_argument("--sets", nargs="+", choices=NAMES, default=list(NAMES))
    parser.add_argument("--settings", nargs="+", choices=SETTINGS, default=list(SETTINGS))
    parser.add_argument("--cache", type=Path, default=ROOT / "var" / "benchmarks")
    parser.add_argument("--final", action="store_true", help="run the test sets")
    asked = parser.parse_args()

    embed = models.embedder(tuned=False)  # what we tuned on is no help with banking
    words = plain_table(read(ROOT / "intents" / "en" / "words.yml", ROOT, Problems()).table)
    for name in asked.sets:
        ours = Ours(lexicon_from(words), embed, asked.cache / name)
        run(name, read_set(asked.data, name), ours, asked.settings, final=asked.final)


if __name__ == "__main__":
    main()
