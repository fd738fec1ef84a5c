from dataclasses import replace

import numpy as np
import pytest

from bot.core.grams import Vocabulary, gather
from bot.core.learn import Learned, LearnedReading, Recipe
from bot.core.softmax import fit
from bot.core.teach import learn_grams, train

SMALL = Recipe(least=1, components=8, gram_rounds=40, meaning_rounds=40)
TAUGHT = (
    ("what is the weather like today", "weather"),
    ("will it rain tomorrow", "weather"),
    ("is it going to be sunny this weekend", "weather"),
    ("play some jazz", "music"),
    ("put on my running playlist", "music"),
    ("turn the song up", "music"),
    ("wake me at seven", "alarm"),
    ("set an alarm for half past six", "alarm"),
    ("cancel the morning alarm", "alarm"),
)
TEXTS = [text for text, _ in TAUGHT]
LABELS = [label for _, label in TAUGHT]


def vector(*numbers: float) -> np.ndarray:
    """An embedding of two layers of width four that points the given way."""
    row = np.array(numbers, np.float32)
    row /= np.linalg.norm(row)
    return np.stack([row, row])


def embeddings() -> np.ndarray:
    """Each label points its own way, each text a little aside."""
    way = {"weather": (1, 0, 0), "music": (0, 1, 0), "alarm": (0, 0, 1)}
    return np.stack([vector(*way[label], 0.05 * place) for place, (_, label) in enumerate(TAUGHT)])


def lexical() -> Learned:
    return train(TEXTS, LABELS, recipe=SMALL)


def test_an_unseen_wording_is_read_by_its_words_and_letters():
    assert lexical().read("plaay a jaz song").best == "music"


def test_probabilities_sum_to_one_and_come_best_first():
    found = list(lexical().read("rain").probabilities.values())

    assert sum(found) == pytest.approx(1)
    assert found == sorted(found, reverse=True)


def test_a_text_without_any_known_letter_still_gets_a_reading():
    assert set(lexical().read("☂").probabilities) == {"weather", "music", "alarm"}


def test_the_embedding_decides_where_the_words_are_unknown():
    reader = train(TEXTS, LABELS, embeddings(), recipe=SMALL)

    assert reader.read("xxxx", vector(0.1, 0, 1, 0)).best == "alarm"
    assert reader.read("xxxx", vector(0.1, 1, 0, 0)).best == "music"


def test_a_reader_with_embeddings_reads_without_one_too():
    reader = train(TEXTS, LABELS, embeddings(), recipe=SMALL)

    assert reader.read("will it rain").best == "weather"


def test_training_twice_gives_the_same_numbers():
    first = train(TEXTS, LABELS, embeddings(), recipe=SMALL)
    second = train(TEXTS, LABELS, embeddings(), recipe=SMALL)
    asked = vector(1, 1, 0, 0)

    assert first.read("jazz", asked) == second.read("jazz", asked)


def test_many_examples_are_read_by_a_network():
    """Exclusive or: no linear model tells these apart."""
    ways = {(1, 1): "same", (-1, -1): "same", (1, -1): "other", (-1, 1): "other"}
    rows = [(way, label) for way, label in ways.items() for _ in range(20)]
    points = np.stack([vector(*way, 0.1 * (place % 20)) for place, (way, _) in enumerate(rows)])
    by_network = replace(
        SMALL, hidden=16, hidden_from=1, hidden_rounds=300, gram_weight=0.0, nearest_weight=0.0
    )

    reader = train(["x"] * len(rows), [label for _, label in rows], points, recipe=by_network)

    assert len(reader.by_meaning) == 2
    for way, label in ways.items():
        assert reader.read("x", vector(*way, 0)).best == label


def test_a_text_that_was_taught_word_for_word_is_known_whatever_it_looks_like():
    reader = train(TEXTS, LABELS, embeddings(), recipe=SMALL)
    looks_like_an_alarm = vector(0, 0, 1, 0)

    assert reader.read("play some jazz", looks_like_an_alarm).probabilities["music"] > 0.9


def test_a_text_that_was_taught_under_two_labels_is_left_to_the_models():
    texts, labels = (*TEXTS, "tomorrow", "tomorrow"), (*LABELS, "weather", "alarm")

    reader = train(texts, labels, recipe=SMALL)

    assert "tomorrow" not in reader.known
    assert "play some jazz" in reader.known


def test_the_parts_may_be_trained_apart():
    by_grams = learn_grams(TEXTS, LABELS, recipe=SMALL)

    apart = train(TEXTS, LABELS, embeddings(), recipe=SMALL, by_grams=by_grams)
    at_once = train(TEXTS, LABELS, embeddings(), recipe=SMALL)

    assert apart.read("jazz", embeddings()[0]) == at_once.read("jazz", embeddings()[0])


def test_temperature_makes_humble():
    bold = train(TEXTS, LABELS, recipe=SMALL).read("play jazz")
    humble = train(
        TEXTS, LABELS, recipe=Recipe(least=1, gram_rounds=40, lexical_temperature=3)
    ).read("play jazz")

    assert max(humble.probabilities.values()) < max(bold.probabilities.values())


def test_one_label_cannot_be_learned():
    with pytest.raises(ValueError, match="two labels"):
        train(["a", "b"], ["same", "same"])


def test_progress_rises_to_its_end():
    shares: list[float] = []

    train(TEXTS, LABELS, recipe=SMALL, progress=shares.append)

    assert shares == sorted(shares)
    assert shares[0] == 0
    assert shares[-1] == 1


def test_nearest_examples_come_by_cosine_with_their_close_reading():
    reader = train(TEXTS, LABELS, embeddings(), recipe=SMALL)

    first, second = reader.nearest(
        "play some jazz", embeddings()[3], labels=["music", "alarm"], count=2
    )

    assert (first.text, first.label) == ("play some jazz", "music")
    assert first.cosine == pytest.approx(1, abs=1e-3)
    assert first.likeness == 1
    assert second.label == "music"


def test_nearest_examples_without_embeddings_come_by_letters():
    (found,) = lexical().nearest("wil it rian tomorow", labels=["weather"], count=1)

    assert found.text == "will it rain tomorrow"
    assert found.cosine is None


def test_a_text_like_the_examples_is_more_familiar_than_one_that_is_not():
    reader = train(TEXTS, LABELS, embeddings(), recipe=SMALL)

    taught = reader.read("play some jazz", embeddings()[3])
    strange = reader.read("xxxx", vector(0.1, -1, 0.1, 1))

    assert taught.familiarity > strange.familiarity


def test_the_nearest_example_weighs_in():
    by_example = replace(SMALL, nearest_weight=50.0, gram_weight=0.0, meaning_rounds=1)
    reader = train(TEXTS, LABELS, embeddings(), recipe=by_example)

    assert reader.read("xxxx", embeddings()[6]).probabilities["alarm"] > 0.99


def test_a_reading_is_summed_by_group():
    reading = LearnedReading({"urgent/a": 0.5, "info": 0.3, "urgent/b": 0.2})

    assert reading.by(lambda label: label.split("/")[0]) == {"urgent": 0.7, "info": 0.3}


def test_a_vocabulary_is_restored_as_it_was():
    vocabulary = gather(TEXTS, least=1)

    restored = Vocabulary.restore(vocabulary.lines(), vocabulary.idf)

    assert restored.places == vocabulary.places
    assert (restored.idf == vocabulary.idf).all()


def test_rare_grams_are_left_out():
    vocabulary = gather(["red car", "red bus"], least=2)

    assert set(vocabulary.places[0]) == {"red"}


def test_the_regression_separates_what_can_be_separated():
    rows = np.array([[0, 1], [0.2, 1], [1, 0], [1, 0.2]], np.float32)

    model = fit(rows, np.array([0, 0, 1, 1]), strength=100, rounds=50)

    assert (rows @ model.coefficients + model.biases).argmax(axis=1).tolist() == [0, 0, 1, 1]
