"""Finds a dose that a text orders its reader to take. Facts about doses are none.

A dose order is an amount of a medicine behind an order ("Take 10 mg"), a leave or a duty of the
reader ("you can take two tablets"), a dose called theirs ("your dose is 5 mg") or advice of ours
("we suggest 5 mg"). A fact has somebody else for its subject ("most adults start at 5 mg", "the
usual maximum is 80 mg a day"). A plain "do not take two tablets" passes; "do not take more than
80 mg" names an amount that would seem safe, and does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_COUNT = (
    r"(?:\d[\d.,/]*(?:\s*(?:-|–|to|or)\s*\d[\d.,]*)?|one|two|three|four|five|six|seven|eight|"
    r"nine|ten|half(?:\s+of)?(?:\s+an?)?|a\s+(?:half|quarter|couple|few)(?:\s+of)?(?:\s+an?)?|"
    r"an?\s+(?:extra|double|second|third)|another|double|[½¼¾])"
)
_UNIT = (
    r"(?:mg|mcg|µg|ml|milligrams?|milligrammes?|micrograms?|millilit(?:er|re)s?|tablets?|pills?|"
    r"capsules?|tabs?|teaspoons?(?:ful)?)"
)
_THINGS = r"(?!\s+(?:box|boxes|organi[sz]er|cutter|crusher|packet|pack|bottle|diary|card|strip))"
AMOUNT = (
    rf"(?<![\w.])(?:{_COUNT}[\s-]*(?:(?:extra|more|whole|full|small|single|baclofen)\s+)*"
    rf"(?:{_UNIT}|doses?)\b|an?\s+(?:\w+\s+)?{_UNIT}\b"
    rf"|(?:half|double|twice)\s+(?:your|the)\s+(?:\w+\s+)?(?:dose|tablets?|pills?)\b){_THINGS}"
)
_VERB = (
    r"(?:take|use|swallow|have|give|start|begin|try|increase|raise|reduce|lower|cut|drop|go|add|"
    r"switch|stick|keep|drink|stay|inject|chew|halve|skip|double(?=\s+(?:your|the|it|up)\b))"
)
# What stands between a verb and its amount: one clause, in which nobody else comes up.
_GAP = r"(?:(?!\b(?:if|when|that|which|who|because|than people)\b)[^.!?;:\n]){0,60}?"
_LEAD = r"(?:please|just|simply|instead|always|only|now|first|next|then|so|also|either)"
_ORDER = re.compile(
    rf"(?:^|(?P<joined>\b(?:and|or|but|then)\s+)|[,:–—(]\s*)(?:{_LEAD},?\s+)*"
    rf"(?P<verb>{_VERB})\b(?!\s+you\b){_GAP}{AMOUNT}",
    re.IGNORECASE,
)
_LEAVE = re.compile(
    r"\byou(?:'d|\u2019d)?\s+(?:can|could|may|might|should|must|shall|will|need\s+to|have\s+to|"
    r"ought\s+to|are\s+(?:allowed|able|free)\s+to|better|need|want\s+to)\s+"
    rf"(?!not\b|never\b)(?:\w+\s+){{0,3}}?(?:{_VERB}\b{_GAP})?{AMOUNT}",
    re.IGNORECASE,
)
_THEIRS = re.compile(
    rf"(?:\byour\s+(?:\w+\s+){{0,3}}dose|\bdose\s+for\s+you)\s+(?:is|are|was|should|would|could|can|"
    rf"may|will)\b{_GAP}{AMOUNT}",
    re.IGNORECASE,
)
_ADVICE = re.compile(
    rf"\b(?:we|i)(?:\s+\w+)?\s+(?:recommend|suggest|advise|propose)\b{_GAP}{AMOUNT}"
    rf"|\btry\s+(?:taking|using)\b{_GAP}{AMOUNT}",
    re.IGNORECASE,
)
_CEILING = re.compile(
    rf"\b(?:do\s+not|don['\u2019]t|never|not|cannot|can['\u2019]t)\s+(?:\w+\s+)?{_VERB}\s+"
    rf"(?:\w+\s+)?(?:more|less|fewer)\s+than\s+{AMOUNT}",
    re.IGNORECASE,
)
# Somebody else does it: what follows "and" then tells of them.
_OTHERS = re.compile(
    r"\b(?:people|adults?|children|patients?|doctors?|specialists?|nurses?|prescribers?|labels?|"
    r"leaflets?|stud(?:y|ies)|trials?|some|most|many|others?|they|he|she|who)\b",
    re.IGNORECASE,
)
# A sentence ends at a mark before a space; the point of "2.5 mg" is none.
_SENTENCE = re.compile(r"[^\n.!?;]+(?:[.!?;](?!\s|$)[^\n.!?;]*)*")


def dose_orders(text: str) -> Iterator[str]:
    """The words of `text` that order a dose, each as it stands there."""
    for sentence in _SENTENCE.finditer(text):
        found = _order_in(sentence.group())
        if found:
            yield found


def _order_in(sentence: str) -> str:
    said = sentence.lstrip(" -*•\"'“(")
    for pattern in (_CEILING, _LEAVE, _THEIRS, _ADVICE):
        match = pattern.search(said)
        if match:
            return match.group().strip()
    for match in _ORDER.finditer(said):
        told = match.group("joined") and _OTHERS.search(said[: match.start("verb")])
        if not told:
            return match.group().lstrip(" ,:–—(")
    return ""
