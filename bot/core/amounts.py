"""Amounts of medicine read as numbers and set against what the person usually takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

from bot.core.text import Token, Utterance
from bot.core.words import Lexicon

Groups = Mapping[str, frozenset[str]]
Size = Literal["large", "double", "some", "one", "missing", "usual", ""]

# LABELS.md, rule 10: three or more times the usual dose is an emergency. Where nobody says
# what is usual, we compare with what is prescribed at one time: 5 to 30 mg, one to three
# tablets (BNF: up to 100 mg a day in divided doses).
LARGE_RATIO = 3.0
DOUBLE_RATIO = 1.5
LARGE_COUNT = 5  # tablets
LARGE_MG = 60.0  # several tablets together
LARGE_ONE_MG = 100.0  # said as one figure, which may be a whole day's dose
LARGE_ML = 60.0  # the liquid has 1 mg in 1 ml
STRENGTHS = frozenset({5, 10, 20, 25})  # mg in one tablet, in any country
PACKS = frozenset({10, 14, 15, 20, 21, 24, 25, 28, 30, 40, 42, 50, 56, 60, 84, 90, 100, 112, 120})
UNITS_OF_DOSE = frozenset({"mg", "mcg", "years", "minutes", "hours", "year", "miles", "percent"})
FAR = 14  # tokens between a full pack and what is left of it
NEAR = 5  # tokens in which "instead of", "usually" and the like look for their amount


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount in the message: tokens `first` to `last`.

    `count` is a number of tablets, `mg` a total or a strength, `doses` a number of doses;
    None where the message does not say. `size` says what it means beside the usual dose.
    """

    first: int
    last: int
    count: float | None = None
    mg: float | None = None
    ml: float | None = None
    doses: float | None = None
    packs: float | None = None
    extra: bool = False
    size: Size = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A number in digits or words, at tokens `first` to `last`."""

    first: int
    last: int
    value: float


def read_amounts(utterance: Utterance, lexicon: Lexicon) -> tuple[Amount, ...]:
    """The amounts of medicine that a message names, each with its size.

    `large` is three times the usual dose or more, `double` up to one dose extra, `one` a
    single tablet or dose, `some` two to four tablets of which nobody says what is usual,
    `missing` many tablets gone from a pack, `usual` what should have been taken.
    """
    tokens = utterance.tokens
    numbers = tuple(read_numbers(tokens, lexicon))
    if not numbers:
        return ()
    found = [a for a in (_amount(n, numbers, tokens, lexicon) for n in numbers) if a is not None]
    missing = _missing(numbers, tokens, lexicon)
    usual = [a for a in found if _is_usual(a, tokens, lexicon)]
    taken = [a for a in _merged(found, tokens) if not any(u.first == a.first for u in usual)]
    sized = [replace(a, size=_size(a, usual)) for a in taken]
    return (*missing, *sized, *(replace(a, size="usual") for a in usual))


def read_numbers(tokens: Sequence[Token], lexicon: Lexicon) -> Iterator[Number]:
    """Numbers in order; "twenty five", "two hundred" and "a dozen" are one each."""
    place = 0
    while place < len(tokens):
        value = lexicon.value(tokens[place].word)
        if value is None:
            place += 1
            continue
        last = place
        while last + 1 < len(tokens) and tokens[last + 1].clause == tokens[place].clause:
            after = lexicon.value(tokens[last + 1].word)
            if (
                after is None
                or tokens[last + 1].word[0].isdigit()
                or tokens[last].word[0].isdigit()
            ):
                break
            if after >= 100 > value:
                value *= after
            elif value >= 20 and value % 10 == 0 and after < 10:
                value += after
            else:
                break
            last += 1
        yield Number(place, last, value)
        place = last + 1


def _amount(
    number: Number, numbers: Sequence[Number], tokens: Sequence[Token], lexicon: Lexicon
) -> Amount | None:
    """What the number counts, told by the words that follow it, or by the verb before it."""
    if _strength_of_another(number, numbers, tokens, lexicon):
        return None
    group = lexicon.amounts
    rest = _following(number.last, tokens, group["between"])
    unit = rest[0].word if rest else ""
    plain = Amount(
        number.first, _place_of(rest, tokens, number.last), extra=_extra(number, tokens, group)
    )
    if unit == "mg":
        return replace(plain, mg=number.value)
    if unit in ("ml", "mils"):
        return replace(plain, ml=number.value)
    if _is_multiple(number, tokens) or _is_repeated(number, tokens, group):
        return replace(plain, doses=number.value, last=number.last + 1)
    strength = _strength(number, numbers, tokens, lexicon)
    if strength is not None:
        return replace(
            plain, count=number.value, mg=number.value * strength.value, last=strength.last + 1
        )
    if unit in group["tablets"]:
        return replace(plain, count=number.value)
    if _is_instead(number, tokens):
        return replace(plain, count=number.value, last=number.last)
    if unit in group["doses"]:
        return replace(plain, doses=number.value)
    if _is_strength_alone(number, tokens, rest):
        return replace(plain, count=1, mg=number.value, last=number.last)
    if unit in group["packs"]:
        return replace(plain, packs=number.value)
    counted = tokens[number.last + 1].word if number.last + 1 < len(tokens) else ""
    if counted == "of" and (not rest or unit not in group["not_units"]):
        return (
            replace(plain, count=number.value, last=number.last + 1) if number.value >= 1 else None
        )
    if _follows_verb(number, tokens, group) and _stands_alone(number, tokens, lexicon):
        return replace(plain, count=number.value, last=number.last)
    return None


def _is_strength_alone(number: Number, tokens: Sequence[Token], rest: Sequence[Token]) -> bool:
    """Whether it names one tablet by its strength: "a twenty", "an extra 10"."""
    before = tokens[number.first - 1].word if number.first else ""
    named = before in ("a", "my", "another", "extra") or before == "an"
    return named and number.value in STRENGTHS and not (rest and rest[0].word in ("of", "or"))


def _following(last: int, tokens: Sequence[Token], between: frozenset[str]) -> list[Token]:
    """The tokens after `last` in its clause, without the words that may stand between."""
    rest: list[Token] = []
    for token in tokens[last + 1 : last + 7]:
        if token.sentence != tokens[last].sentence or token.clause != tokens[last].clause:
            break
        if not rest and token.word in between:
            continue
        rest.append(token)
    return rest


def _place_of(rest: Sequence[Token], tokens: Sequence[Token], last: int) -> int:
    if not rest:
        return last
    return next(p for p in range(last + 1, len(tokens)) if tokens[p] is rest[0])


def _is_multiple(number: Number, tokens: Sequence[Token]) -> bool:
    """3 times my dose, 4x the usual amount, 2 x what I should."""
    words = [token.word for token in tokens[number.last + 1 : number.last + 6]]
    if not words or words[0] not in ("times", "x"):
        return False
    return any(
        word in ("dose", "dosage", "amount", "normal", "usual", "what", "more", "prescribed")
        for word in words[1:]
    )


def _is_repeated(number: Number, tokens: Sequence[Token], group: Groups) -> bool:
    """Taken four times, gave it three times today; not three times a day."""
    after = [token.word for token in tokens[number.last + 1 : number.last + 3]]
    if after[:1] != ["times"] or after[1:] in (["a"], ["per"], ["each"], ["every"], ["daily"]):
        return False
    sentence = tokens[number.first].sentence
    before = tokens[max(0, number.first - 6) : number.first]
    return any(token.sentence == sentence and token.word in group["take"] for token in before)


def _strength(
    number: Number, numbers: Sequence[Number], tokens: Sequence[Token], lexicon: Lexicon
) -> Number | None:
    """The strength in "15 of the 10 s", "30 x 10 mg", "four 25 mg tablets"."""
    after = next((n for n in numbers if n.first > number.last), None)
    if after is None or after.first - number.last > 6 or after.last + 1 >= len(tokens):
        return None
    if tokens[after.last + 1].word not in ("mg", "s") or number.value > 200:
        return None
    between = [token.word for token in tokens[number.last + 1 : after.first]]
    allowed = lexicon.amounts["between"] | lexicon.amounts["tablets"]
    return after if all(w in allowed or w.endswith("s") for w in between) else None


def _strength_of_another(
    number: Number, numbers: Sequence[Number], tokens: Sequence[Token], lexicon: Lexicon
) -> bool:
    before = next((n for n in reversed(numbers) if n.last < number.first), None)
    return before is not None and _strength(before, numbers, tokens, lexicon) == number


def _extra(number: Number, tokens: Sequence[Token], group: Groups) -> bool:
    places = (number.first - 1, number.last + 1)
    return any(0 <= p < len(tokens) and tokens[p].word in group["extra"] for p in places)


def _is_instead(number: Number, tokens: Sequence[Token]) -> bool:
    """Whether it is the bare number of "four instead of one"."""
    before = [token.word for token in tokens[max(0, number.first - 2) : number.first]]
    return before in (["instead", "of"], ["rather", "than"])


def _follows_verb(number: Number, tokens: Sequence[Token], group: Groups) -> bool:
    verbs = group["take"]
    back = [
        token
        for token in tokens[max(0, number.first - 4) : number.first]
        if token.clause == tokens[number.first].clause
    ]
    for token in reversed(back):
        if token.word in verbs:
            return True
        if token.word not in group["roughly"]:
            return False
    return False


def _stands_alone(number: Number, tokens: Sequence[Token], lexicon: Lexicon) -> bool:
    """Whether nothing but the medicine is left to be counted: "took 8", "took 8 at once"."""
    if number.value != int(number.value) or number.value > 500:
        return False
    rest = _following(number.last, tokens, frozenset())
    return not rest or rest[0].word in lexicon.amounts["after"]


def _is_usual(amount: Amount, tokens: Sequence[Token], lexicon: Lexicon) -> bool:
    """Whether this is what somebody should take: "instead of 1", "I normally take 2"."""
    first = tokens[amount.first]
    before = [
        token.word
        for token in tokens[max(0, amount.first - NEAR) : amount.first]
        if token.sentence == first.sentence
    ]
    if any(lexicon.value(word) is not None for word in before[-3:]):
        before = before[
            max(i for i, word in enumerate(before) if lexicon.value(word) is not None) :
        ]
    after = [
        token.word
        for token in tokens[amount.last + 1 : amount.last + 3]
        if token.clause == first.clause
    ]
    usual = lexicon.amounts["usual"]
    return any(word in usual for word in before) or any(
        word in ("usually", "normally") for word in after
    )


def _merged(amounts: Sequence[Amount], tokens: Sequence[Token]) -> list[Amount]:
    """Amounts in order; of "3 or 4 tablets", "10-15 pills" only the larger one."""
    kept: list[Amount] = []
    for amount in amounts:
        before = kept[-1] if kept else None
        if before is not None and _is_range(before, amount, tokens):
            kept.pop()
            amount = replace(amount, first=before.first)
        kept.append(amount)
    return kept


def _is_range(few: Amount, many: Amount, tokens: Sequence[Token]) -> bool:
    between = [token.word for token in tokens[few.last + 1 : many.first]]
    larger = bool(few.count and many.count and many.count > few.count)
    return larger and between in (["or"], ["to"], ["maybe"], ["possibly"], [])


def _missing(
    numbers: Sequence[Number], tokens: Sequence[Token], lexicon: Lexicon
) -> tuple[Amount, ...]:
    """Tablets gone: "3 left from the 30", "28 minus 9", "it was 84, there are 31 now"."""
    left = lexicon.amounts["left"]
    found = []
    for one, other in pairwise(numbers):
        few, many = sorted((one, other), key=lambda number: number.value)
        if many.value - few.value < LARGE_COUNT or many.value not in PACKS:
            continue
        start, end = max(0, one.first - 3), other.last + 4
        near = {token.word for token in tokens[start:end]}
        if near & left and other.first - one.last <= FAR and not near & UNITS_OF_DOSE:
            gone = many.value - few.value
            found.append(Amount(one.first, other.last, count=gone, size="missing"))
    return tuple(found)


def _size(amount: Amount, usual: Sequence[Amount]) -> Size:
    """What the amount means beside the usual dose, or beside what is prescribed at all."""
    if amount.packs is not None:
        return "large"
    if amount.extra:
        return _extra_size(amount)
    if amount.doses is not None:
        return _ratio_size(amount.doses)
    ratios = [ratio for other in usual if (ratio := _ratio(amount, other)) is not None]
    if ratios:
        return _ratio_size(max(ratios))
    return _plain_size(amount)


def _extra_size(amount: Amount) -> Size:
    count = amount.count or amount.doses or 1
    return "large" if count >= LARGE_RATIO else "double"


def _ratio(amount: Amount, usual: Amount) -> float | None:
    for mine, other in ((amount.count, usual.count), (amount.mg, usual.mg), (amount.ml, usual.ml)):
        if mine and other:
            return mine / other
    return None


def _ratio_size(ratio: float) -> Size:
    if ratio >= LARGE_RATIO:
        return "large"
    return "double" if ratio >= DOUBLE_RATIO else "one"


def _plain_size(amount: Amount) -> Size:
    if amount.ml is not None:
        return "large" if amount.ml >= LARGE_ML else "one"
    if amount.count is None:
        return "large" if (amount.mg or 0) >= LARGE_ONE_MG else "one"
    if amount.count >= LARGE_COUNT or (amount.count >= 3 and (amount.mg or 0) >= LARGE_MG):
        return "large"
    return "some" if amount.count >= 2 else "one"
