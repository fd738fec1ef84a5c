"""Reads what somebody types while the guide waits: an answer, a question, or neither.

Nobody in fear writes "No, or gasping". A typed answer is read in this order: words of doubt,
the answer's own wordings (the gravest one that stands un-negated; a negated yes is a no),
then a plain yes, no or half yes in any of its forms. What is in doubt is the worse answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.core.helplines import fold
from bot.core.knowledge import GuideAnswer, Question, Wordings
from bot.core.wordings import MAX_WORDS_OF_A_REPLY, TELLING, means

NOT_SURE = "not_sure"
REACH = 3  # words that a "not" reaches over
REACH_TO_CALM = 2  # words that it reaches over where it would take a danger away
SHORT = 4  # words; in so short a reply a yes or no counts wherever it stands


@dataclass(frozen=True, slots=True)
class _Found:
    """An answer whose wording stands in a reply; `weight` is higher the graver it is."""

    weight: tuple[bool, bool, int, int]
    answer: GuideAnswer


def answer_id(text: str, question: Question, wordings: Wordings) -> str:
    """The id of the answer that a typed reply means, "not_sure", or "" for neither."""
    words = fold(text).split()
    if not words or len(words) > MAX_WORDS_OF_A_REPLY * 3:
        return ""
    for answer in question.answers:
        if words == fold(answer.label).split():
            return answer.id
    if is_wholly(text, "says_little", wordings):
        return NOT_SURE
    own, bare = _own_wordings(words, question, wordings)
    if own and own.goes_to:
        return own.id
    plain_no = " ".join(words) in _group(wordings, "no")  # "dont think so", beside "think so"
    if means(text, "not_sure", wordings) and not plain_no:
        return NOT_SURE
    if own:
        return own.id
    said = bare.id if bare else _plain_answer(words, question, wordings)
    return said if _stays(said, words, question, wordings) else NOT_SURE


def is_beside_more(text: str, question: Question, wordings: Wordings) -> bool:
    """Whether a reply has a plain yes or no that is no answer, since other things follow it."""
    words = fold(text).split()
    own, bare = _own_wordings(words, question, wordings)
    if own or means(text, "not_sure", wordings) or is_wholly(text, "says_little", wordings):
        return False
    said = bare.id if bare else _plain_answer(words, question, wordings)
    return said not in ("", NOT_SURE) and not _stays(said, words, question, wordings)


def _stays(said: str, words: Sequence[str], question: Question, wordings: Wordings) -> bool:
    """Whether a plain answer stands beside the rest of the reply. CPR does not start for a "no"
    that something else follows: "no we are at my house". A "yes, but" is half a one."""
    answer = next((each for each in question.answers if each.id == said), None)
    if answer is None:
        return True
    if not answer.starts_cpr:
        return answer.worse or not _group_words(wordings, "yes_but").intersection(words)
    known = _group_words(wordings, "no_stays") | _group_words(wordings, "after_no")
    for group in ("no", "yes", "bare", "fillers"):
        known.update(word for phrase in _group(wordings, group) for word in phrase.split())
    return known.issuperset(words)


def told_unasked(text: str, question: Question, wordings: Wordings) -> str:
    """The id of the answer whose own words stand un-negated in the text, or ""."""
    words = fold(text).split()
    found = [
        (len(phrase), meant.id)
        for answer, phrase, place in _standing(words, question)
        if len(phrase) >= TELLING
        if (meant := _meant(answer, question, words, (place, phrase), wordings))
    ]
    return max(found)[1] if found else ""


def says_yes(text: str, wordings: Wordings) -> bool:
    """Whether a reply is a yes in any of its forms, and not half a one."""
    if means(text, "not_sure", wordings):
        return False
    return _polarity(_after_fillers(fold(text).split(), wordings), wordings) == "yes"


def is_question(text: str, wordings: Wordings) -> bool:
    """Whether a message plainly asks something: "can I ...", "what is ...", "... right?"."""
    words = _after_fillers(fold(text).split(), wordings)
    if len(words) < 2:
        return False
    first, second = words[0], words[1]
    if first in _group(wordings, "question_words"):
        return True
    asks = first in _group(wordings, "question_verbs") and len(words) > 2
    if asks and second in _group(wordings, "question_subjects"):
        return True
    return text.rstrip().endswith("?") and len(words) > 2


def is_small_talk(text: str, wordings: Wordings) -> bool:
    """Whether a message answers nothing: "ok", "hang on", "please help", "calling now"."""
    if fold(text) and not _after_fillers(fold(text).split(), wordings):
        return True
    return is_wholly(text, "small_talk", wordings)


def is_wholly(text: str, group: str, wordings: Wordings) -> bool:
    """Whether a message is one of the group's wordings and nothing else but fillers."""
    words = fold(text).split()
    known = _group(wordings, group)
    return " ".join(words) in known or " ".join(_after_fillers(words, wordings)) in known


def says_breathing_again(text: str, wordings: Wordings) -> bool:
    """Whether breath came back: plainly, and not a bad one, which is none to stop CPR for."""
    words = set(fold(text).split())
    if words & _group_words(wordings, "breath_is_bad"):
        return False
    if words & _group_words(wordings, "breath_in_doubt") or "?" in text:
        return False
    if means(text, "not_sure", wordings) or means(text, "hedge", wordings):
        return False
    return speaks_of_breath(text, wordings)


def speaks_of_breath(text: str, wordings: Wordings) -> bool:
    """Whether a message says, in doubt or not, that the patient breathes or is awake."""
    words = _after_fillers(fold(text).split(), wordings)
    words = words[_leads(words, _group(wordings, "yes")) :]
    if _leads(words, _group(wordings, "breathing_again_bare")):
        return True
    if " ".join(words) in _group(wordings, "breath_is_there"):
        return True
    return means(text, "breathing_again", wordings)


def says_own_breath(text: str, wordings: Wordings) -> bool:
    """Whether the one who writes says "I cannot breathe", in any language."""
    alone = fold(text) in _group(wordings, "own_breath_alone")
    return alone or means(text, "own_breath", wordings)


def names_cpr(text: str, wordings: Wordings) -> bool:
    """Whether a message names CPR, in one of the words for it."""
    return means(text, "cpr", wordings)


def speaks_of_dying(text: str, wordings: Wordings) -> bool:
    """Whether a message has a word of death, life or self-harm."""
    return bool(set(fold(text).split()) & _group_words(wordings, "dying"))


def says_crew_took_over(text: str, wordings: Wordings) -> bool:
    """Whether the crew is here or took over, or whoever knows said to stop CPR."""
    words = set(fold(text).split())
    if words & _group_words(wordings, "not_here_yet") or "?" in text:
        return False
    return not is_question(text, wordings) and means(text, "crew_took_over", wordings)


def says_breath_stopped_again(text: str, wordings: Wordings) -> bool:
    """Whether breath that had come back after CPR stopped once more."""
    if is_question(text, wordings):
        return False
    if means(text, "breath_stops_again", wordings) or is_wholly(text, "breath_stopped", wordings):
        return True
    return says_no_breath(text, wordings)


def says_no_breath(text: str, wordings: Wordings) -> bool:
    """Whether somebody plainly says that there is no breath or pulse, so that CPR must start.

    Not where the breath is only bad, or comes and goes: then the guide asks.
    """
    words = fold(text).split()
    if means(text, "no_breath_of_writer", wordings):
        return False
    if means(" ".join(_without_again(words, wordings)), "breath_comes_back", wordings):
        return False
    weak = _group(wordings, "breath_is_only_bad")
    for phrase in _group(wordings, "no_breath"):
        parts = phrase.split()
        for place in _places(words, parts):
            after = words[place + len(parts) : place + len(parts) + 1]
            negated = _is_negated(words, place, wordings, reach=REACH)
            if not negated and not (after and after[0] in weak):
                return True
    return False


def _without_again(words: Sequence[str], wordings: Wordings) -> list[str]:
    """The words without an "again" right after "stopped breathing": it is no breath come back."""
    if "again" not in words:
        return list(words)
    ends = {
        place + len(parts)
        for phrase in _group(wordings, "no_breath")
        for parts in (phrase.split(),)
        for place in _places(words, parts)
    }
    return [word for at, word in enumerate(words) if word != "again" or at not in ends]


def _own_wordings(
    words: Sequence[str], question: Question, wordings: Wordings
) -> tuple[GuideAnswer | None, GuideAnswer | None]:
    """The gravest answer whose own wording stands in the reply; and the one whose plain yes or
    no of another language does. English has more forms of those, and they are read apart."""
    foreign = {*_group(wordings, "bare")}
    plain = {*_group(wordings, "yes"), *_group(wordings, "no"), *foreign}
    own: list[_Found] = []
    bare: list[_Found] = []
    for answer, phrase, place in _standing(words, question):
        meant = _meant(answer, question, words, (place, phrase), wordings)
        if meant is None:
            continue
        rank = -question.answers.index(meant)
        found = _Found((bool(meant.goes_to), meant.worse, rank, len(phrase)), meant)
        if phrase not in plain:
            own.append(found)
        elif foreign.intersection(words):
            bare.append(found)
    return _gravest(own), _gravest(bare)


def _gravest(found: Sequence[_Found]) -> GuideAnswer | None:
    return max(found, key=lambda each: each.weight).answer if found else None


def _standing(words: Sequence[str], question: Question) -> Iterator[tuple[GuideAnswer, str, int]]:
    """The wordings of a question's answers that stand in the reply, and where. One within a
    longer one says nothing of its own: "fever" in "no fever"."""
    found = [
        (answer, phrase, place, place + len(parts))
        for answer in question.answers
        for phrase in answer.words
        for parts in (phrase.split(),)
        for place in _places(words, parts)
    ]
    for answer, phrase, start, end in found:
        if not any(s <= start and end <= e and e - s > end - start for _, _, s, e in found):
            yield answer, phrase, start


def _meant(
    answer: GuideAnswer,
    question: Question,
    words: Sequence[str],
    where: tuple[int, str],
    wordings: Wordings,
) -> GuideAnswer | None:
    """The answer that a wording at its place means: a yes that is negated is the no, and a
    negated no is the yes where that is the worse one."""
    place, phrase = where
    behind = words[place + len(phrase.split()) :][:1]
    follows = set(behind) & _group_words(wordings, "negation_behind")  # of other languages
    says_yes, says_no = _polar(question, "yes"), _polar(question, "no")
    if says_yes and says_yes.worse and answer is says_no:  # "not an accident"
        return says_yes if _is_negated(words, place, wordings, reach=REACH) else answer
    turned = answer is says_yes and says_no is not None
    calms = turned and says_no is not None and says_no.worse < answer.worse
    reach = REACH_TO_CALM if calms else REACH
    if not follows and not _is_negated(words, place, wordings, reach=reach):
        return answer
    return says_no if turned else None


def _plain_answer(words: Sequence[str], question: Question, wordings: Wordings) -> str:
    said = _polarity(_after_fillers(words, wordings), wordings)
    if said == NOT_SURE:
        return NOT_SURE
    answer = _polar(question, said) if said else None
    return answer.id if answer else ""


def _polarity(words: Sequence[str], wordings: Wordings) -> str:
    """ "yes", "no", "not_sure" for a half yes, or "" for neither."""
    text = " ".join(words)
    yes, no = _group(wordings, "yes"), _group(wordings, "no")
    if text in no:
        return "no"
    if any(f" {hedge} " in f" {text} " for hedge in _group(wordings, "hedge")):
        return NOT_SURE
    if text in yes:
        return "yes"
    if len(words) <= SHORT and set(yes).intersection(words) and set(no).intersection(words):
        return NOT_SURE  # "yes and no"
    if _leads(words, no):
        return "no"
    negations = set(_group(wordings, "negation"))
    lead = _leads(words, yes)
    if lead and negations.intersection(words[lead : lead + 2]):
        return "no"
    # "yes ..." is one whatever follows; "i am" is one, but "i am alone" is not.
    echoes = {*_group(wordings, "after_no"), *" ".join(yes).split()}
    if lead == 1 or (lead and echoes.issuperset(words[lead:])):
        return "yes"
    denied = next((at for at, word in enumerate(words[:REACH]) if word in negations), None)
    if denied is not None and set(words[denied + 1 :]) <= _group_words(wordings, "after_no"):
        return "no"
    if len(words) <= SHORT and set(yes).intersection(words):
        return "yes"
    return "no" if len(words) <= SHORT and set(no).intersection(words) else ""


def _polar(question: Question, said: str) -> GuideAnswer | None:
    """The answer that a plain yes (or no) means: the one that lists it, or has it as its id."""
    listing = (answer for answer in question.answers if said in answer.words)
    named = (answer for answer in question.answers if answer.id == said)
    return next(listing, None) or next(named, None)


def _leads(words: Sequence[str], phrases: Sequence[str]) -> int:
    """How many words of the reply's start are one of the phrases; the longest counts."""
    return max(
        (len(parts) for phrase in phrases if list(words[: len(parts := phrase.split())]) == parts),
        default=0,
    )


def _places(words: Sequence[str], parts: Sequence[str]) -> Iterator[int]:
    """Where the parts stand one after the other."""
    if not parts or parts[0] not in words:  # most do not, and there are many to try
        return
    size = len(parts)
    for place in range(len(words) - size + 1):
        if list(words[place : place + size]) == list(parts):
            yield place


def _is_negated(words: Sequence[str], place: int, wordings: Wordings, *, reach: int) -> bool:
    """Whether a "not" reaches the word at `place`, over any words that carry it ("dont have a
    fever"); a bare "no" reaches only the next word, and over fewer ("no sign of a fever")."""
    negations, ends = _group(wordings, "negation"), _group(wordings, "ends_negation")
    carries, no_carries = _group(wordings, "negation_carries"), _group(wordings, "no_carries")
    between: list[str] = []
    for word in reversed(words[:place]):
        carried = set(carries).issuperset(between)
        if word in ends or not (carried or len(between) < reach):
            return False
        if word in negations or (word == "no" and set(no_carries).issuperset(between)):
            return True
        between.append(word)
    return False


def _after_fillers(words: Sequence[str], wordings: Wordings) -> list[str]:
    fillers = _group(wordings, "fillers")
    start = next((place for place, word in enumerate(words) if word not in fillers), len(words))
    return list(words[start:])


def _group(wordings: Wordings, name: str) -> tuple[str, ...]:
    return wordings.groups.get(name, ())


def _group_words(wordings: Wordings, name: str) -> set[str]:
    return set(_group(wordings, name))
