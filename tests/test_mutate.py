import pytest

from bot.core.model import Level
from bot.tools.evaluate import Verdict
from bot.tools.labelled import Row
from bot.tools.mutate import MUTATIONS, mutate, recall

TEXT = 'My mum won\'t wake up, she took 10 of her baclofen tablets "for a laugh"'


@pytest.mark.parametrize("name", MUTATIONS)
def test_the_same_seed_gives_the_same_text(name: str):
    assert mutate(TEXT, name, seed=3) == mutate(TEXT, name, seed=3)


@pytest.mark.parametrize("name", MUTATIONS)
def test_every_mutation_changes_a_long_text(name: str):
    assert mutate(TEXT * 3, name) != TEXT * 3


@pytest.mark.parametrize("name", MUTATIONS)
@pytest.mark.parametrize("text", ["", " ", "a", "😭", "a\nb", "ß ﬁ"])
def test_no_text_is_too_odd(name: str, text: str):
    assert isinstance(mutate(text, name), str)


def test_typos_change_about_a_third_of_the_words():
    words = ["breathing"] * 1000

    changed = mutate(" ".join(words), "typos").split()

    # Swapping the two e's of a word would change nothing; "breathing" has no double letter.
    assert 250 < sum(word != "breathing" for word in changed) < 350


def test_numbers_are_not_mistyped():
    assert mutate("20 40 100 25 " * 50, "typos") == "20 40 100 25 " * 50


def test_curly_quotes():
    assert mutate('won\'t "wake"', "curly quotes") == "won’t “wake”"


def test_capitals_and_punctuation():
    assert mutate("she's blue!", "capitals") == "SHE'S BLUE!"
    assert mutate("she's blue!", "no punctuation") == "shes blue"


def test_recall_says_what_each_mutation_costs():
    rows = [Row("can't wake her", Level.EMERGENCY), Row("can I drive", Level.INFO)]

    def classify(text: str) -> Verdict:
        return Verdict(Level.EMERGENCY if "can't" in text else Level.INFO)

    lines = dict(line.split("  ", 1) for line in recall(rows, classify))

    assert "100.0 %  1 of 1" in lines["unchanged"]
    assert "lost +100.0 points" in lines["curly quotes"]
    assert "lost +0.0 points" in lines["emoji"]


def test_recall_of_nothing_serious_says_nothing():
    assert list(recall([Row("hello", Level.CHAT)], lambda _: Verdict(Level.CHAT))) == []
