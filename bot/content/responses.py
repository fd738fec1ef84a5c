"""Answers, cards, guide questions and small talk from responses/<language>/."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from bot.content.orders import dose_orders
from bot.content.problems import Problems
from bot.content.unfilled import check_filled
from bot.content.yaml_text import Sheet, read
from bot.core.helplines import fold
from bot.core.knowledge import (
    Answer,
    Asked,
    Book,
    Card,
    DangerSigns,
    GuideAnswer,
    Question,
    StaffText,
    label_of,
)
from bot.core.model import Level

LINE_PLACEHOLDERS = ("emergency", "poison_centre", "crisis_line", "nurse_line", "drug_line")
STEP_PLACEHOLDERS = (*LINE_PLACEHOLDERS, "emergency_short")
PHRASE_PLACEHOLDERS = (
    *STEP_PLACEHOLDERS, "country", "question", "retention_days", "checked",
    "sources", "lines", "name", "number", "watch", "n", "copies", "cpr_line",
)  # fmt: skip
ANSWER_PLACEHOLDERS = (
    *LINE_PLACEHOLDERS, "retention_days", "watch", "ordinary", "channel_keeps", "channel_copies",
)  # fmt: skip
DANGER: dict[str, DangerSigns] = {
    "": "",
    "none": "",
    "overdose": "overdose",
    "withdrawal": "withdrawal",
    "both": "both",
}
# Groups whose every answer carries the danger signs (DESIGN, promise 6).
DANGEROUS_GROUPS = {"withdrawal", "mixing", "overdose"}
QUESTIONS = "responses/en/guide/questions.yml"
PENDING, SIGNED = "pending", "signed"
# Where no country is known the widest numbers are said in words of the copy.
MAY_NAME_WIDE_NUMBERS = {"emergency_unknown", "emergency_unknown_short", "country_no_number"}
_PHONE_LIKE = re.compile(
    r"(?<![\w,.])\+?\d[\d\s\-()]{5,}\d(?!\w)|(?<![\d,.])\b(?:911|999|112|988|000)\b"
)
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")
_LONGEST_ACTION = 48  # bytes, so that a button's action fits Telegram's 64


def read_book(root: Path, language: str, topics: dict[str, str], problems: Problems) -> Book:
    """All copy of one language. English must be complete; others may lack parts."""
    base = root / "responses" / language
    phrases = _phrases(base, root, problems)
    questions = _questions(base, root, problems)
    return Book(
        language=language,
        phrases=_texts_of(phrases, skip=("buttons", "lines")),
        buttons=_texts_of(phrases.sub("buttons")),
        lines=_texts_of(phrases.sub("lines")),
        answers=dict(_answers(base, root, topics, problems)),
        cards=dict(_cards(base, root, questions, problems)),
        questions=questions,
        asked=_asked_things(base, root, problems),
    )


def check_copy(sheet: Sheet, key: str, text: str, *, allowed: Iterable[str]) -> None:
    """Reports placeholders nobody knows, numbers that do not come from the helplines, doses that
    a reader is told to take (English alone), and what is not written yet.
    """
    known = tuple(allowed)
    check_filled(sheet, key, text)
    for name in re.findall(r"\{(.*?)\}", text):
        if name not in known:
            shown = ", ".join(f"{{{k}}}" for k in known)
            sheet.report(
                sheet.place_of(key, f"{{{name}}}"),
                "placeholder",
                f"{{{name}}} is no placeholder; use one of {shown}",
            )
    bare = re.sub(r"\{.*?\}", "", text)
    if text.count("{") != text.count("}"):
        sheet.report(sheet.place(key), "placeholder", "a { or } stands alone; write {name}")
    for number in _PHONE_LIKE.findall(bare):
        sheet.report(
            sheet.place_of(key, number),
            "number",
            f"'{number.strip()}' looks like a phone number; "
            "numbers come only from responses/helplines.yml, through placeholders",
        )
    for order in dose_orders(text) if sheet.path.startswith("responses/en/") else ():
        sheet.report(
            sheet.place_of(key, order),
            "dose-order",
            f"'{order}' tells the reader a dose; say that the prescriber decides, or tell it as a "
            "fact with its source (the US label sets ...)",
        )


def read_typed(root: Path, problems: Problems) -> dict[str, tuple[str, ...]]:
    """responses/en/guide/typed.yml: how typed replies to the guide are read, by group.

    typed_elsewhere.yml beside it adds to its groups what is said in other languages, and
    told.yml what people tell that is no new danger.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for name in ("typed.yml", "typed_elsewhere.yml", "told.yml"):
        path = root / "responses" / "en" / "guide" / name
        if name != "typed.yml" and not path.exists():
            continue
        sheet = read(path, root, problems)
        for key in sheet.table.items:
            said = tuple(fold(text) for text, _ in sheet.lines(key) if fold(text))
            groups[key] = groups.get(key, ()) + said
    return groups


def read_staff_texts(root: Path, problems: Problems) -> tuple[StaffText, ...]:
    """The approved texts of staff, in the order of their file; none without the file."""
    path = root / "responses" / "en" / "staff.yml"
    if not path.exists():
        return ()
    sheet = read(path, root, problems)
    return tuple(_staff_text(sheet.sub(key), key) for key in sheet.table.items)


def _staff_text(sheet: Sheet, text_id: str) -> StaffText:
    sheet.only("name", "text")
    text = sheet.text("text", required=True)
    check_copy(sheet, "text", text, allowed=LINE_PLACEHOLDERS)
    return StaffText(text_id, sheet.text("name", required=True), text)


# ---- small talk --------------------------------------------------------------------


def _phrases(base: Path, root: Path, problems: Problems) -> Sheet:
    sheet = read(base / "phrases.yml", root, problems)
    for part in (sheet, sheet.sub("buttons"), sheet.sub("lines")):
        for key in part.table.items:
            if part is sheet and key in {"buttons", "lines"}:
                continue
            text = part.text(key, required=True)
            if key not in MAY_NAME_WIDE_NUMBERS:
                check_copy(part, key, text, allowed=PHRASE_PLACEHOLDERS)
    return sheet


def _texts_of(sheet: Sheet, *, skip: tuple[str, ...] = ()) -> dict[str, str]:
    return {key: sheet.text(key) for key in sheet.table.items if key not in skip}


# ---- answers -----------------------------------------------------------------------


def _answers(
    base: Path, root: Path, topics: dict[str, str], problems: Problems
) -> Iterable[tuple[str, Answer]]:
    for path in sorted(base.glob("*/*.yml")):
        group, topic = path.parent.name, path.stem
        if group in {"levels", "guide"}:
            continue
        sheet = read(path, root, problems)
        if topics.get(topic) != group:
            sheet.report(
                (1, 1),
                "unknown-topic",
                f"no topic '{group}/{topic}'; add intents/en/{group}/{topic}.yml or rename this",
            )
        yield topic, _answer(sheet, group, topic, topics)


def _answer(sheet: Sheet, group: str, topic: str, topics: dict[str, str]) -> Answer:
    sheet.only("answer", "more", "see_also", "sources", "danger_signs", "reviewed")
    for key in ("answer", "more"):
        check_copy(sheet, key, sheet.text(key), allowed=ANSWER_PLACEHOLDERS)
    for other in sheet.texts("see_also"):
        if other not in topics:
            sheet.report(
                sheet.place("see_also"), "unknown-topic", f"see_also names no topic: '{other}'"
            )
    danger = sheet.text("danger_signs")
    if danger not in DANGER:
        sheet.report(
            sheet.place("danger_signs"),
            "value",
            f"danger_signs is '{danger}'; write overdose, withdrawal, both or none",
        )
    if group in DANGEROUS_GROUPS and not DANGER.get(danger):
        sheet.report(
            sheet.place("danger_signs"),
            "danger-signs",
            f"answers of '{group}' must carry danger signs; write overdose, withdrawal or both",
        )
    sources = sheet.texts("sources")
    for source in sources:
        check_filled(sheet, "sources", source)
    if group != "bot" and not sources:
        sheet.report(sheet.place("sources"), "sources", "no source; name where the facts are from")
    status, by, on, due = review_of(sheet)
    return Answer(
        topic=topic,
        group=group,
        answer=sheet.text("answer", required=True),
        more=sheet.text("more"),
        see_also=tuple(other for other in sheet.texts("see_also") if other in topics),
        sources=sources,
        danger_signs=DANGER.get(danger, ""),
        review_status=status,
        reviewed_by=by,
        reviewed_on=on,
        review_due=due,
    )


def review_of(sheet: Sheet) -> tuple[str, str, str, str]:
    """Who signed a text off and when: status, by, on, due. Pending means: nobody yet."""
    review = sheet.sub("reviewed", required=True)
    review.only("status", "by", "on", "due", "note")
    status, by = review.text("status", required=bool(review.table.items)), review.text("by")
    on, due = review.text("on"), review.text("due")
    if status and status not in {PENDING, SIGNED}:
        review.report(
            review.place("status"),
            "value",
            f"status '{status}' is not known; write pending or signed",
        )
    if status == SIGNED and not (by and _DATE.match(on)):
        review.report(review.place("status"), "review", "signed needs 'by' and 'on' (YYYY-MM-DD)")
    if due and not _DATE.match(due):
        review.report(review.place("due"), "value", f"due is '{due}'; write a date, YYYY-MM-DD")
    return status, by, on, due


# ---- cards and guide ---------------------------------------------------------------


def _cards(
    base: Path, root: Path, questions: dict[str, Question], problems: Problems
) -> Iterable[tuple[str, Card]]:
    for path in sorted((base / "levels").glob("*/*.yml")):
        sheet = read(path, root, problems)
        try:
            level = Level.parse(path.parent.name)
        except KeyError:
            sheet.report((1, 1), "unknown-level", "the folder names no level; rename it")
            continue
        card = _card(sheet, level, path.stem, questions)
        yield label_of(level, path.stem), card


def _card(sheet: Sheet, level: Level, kind: str, questions: dict[str, Question]) -> Card:
    sheet.only(
        "means", "first_line", "steps", "steps_if_self", "steps_if_cpr", "call_emergency_if",
        "say_to_call_handler", "guide", "sources", "reviewed",
    )  # fmt: skip
    first_line = sheet.text("first_line", required=True)
    check_copy(sheet, "first_line", first_line, allowed=LINE_PLACEHOLDERS)
    if level is Level.EMERGENCY and "{emergency}" not in first_line:
        sheet.report(
            sheet.place("first_line"),
            "number-first",
            "the first line of an emergency card must hold {emergency}",
        )
    for key in ("steps", "steps_if_self", "steps_if_cpr", "call_emergency_if"):
        for step in sheet.texts(key):
            check_copy(sheet, key, step, allowed=STEP_PLACEHOLDERS)
    for question in sheet.texts("guide"):
        if sheet.problems.is_unreadable(QUESTIONS) or not sheet.path.startswith("responses/en/"):
            break  # it cannot be known, or is not asked
        if question not in questions:
            sheet.report(
                sheet.place("guide"),
                "unknown-question",
                f"'{question}' is no question of {QUESTIONS}",
            )
    return Card(
        level=level,
        kind=kind,
        means=sheet.text("means"),
        first_line=first_line,
        steps=sheet.texts("steps", required=True),
        steps_if_self=sheet.texts("steps_if_self"),
        steps_if_cpr=sheet.texts("steps_if_cpr"),
        call_emergency_if=sheet.texts("call_emergency_if"),
        say_to_call_handler=sheet.text("say_to_call_handler"),
        guide=sheet.texts("guide"),
        sources=sheet.texts("sources"),
        review_status=review_of(sheet)[0],
    )


def _questions(base: Path, root: Path, problems: Problems) -> dict[str, Question]:
    path = base / "guide" / "questions.yml"
    if not path.exists() and base.name != "en":
        return {}
    sheet = read(path, root, problems)
    return {key: _question(sheet.sub(key), key) for key in sheet.table.items}


def _question(sheet: Sheet, question_id: str) -> Question:
    sheet.only("ask", "ask_self", "answers")
    answers = sheet.sub("answers", required=True)
    found = tuple(_guide_answer(answers.sub(key), key) for key in answers.table.items)
    if sum(answer.worse for answer in found) != 1:
        sheet.report(
            sheet.place("answers"),
            "worse",
            f"'{question_id}' needs exactly one answer with 'worse: yes' for \"not sure\"",
        )
    for answer in found:
        if len(f"guide:{question_id}:{answer.id}") > _LONGEST_ACTION:
            sheet.report(sheet.place("answers"), "length", f"'{answer.id}' is too long an id")
    if not sheet.text("ask") and not sheet.text("ask_self"):
        sheet.report(sheet.table.place, "shape", f"'{question_id}' needs 'ask' or 'ask_self'")
    return Question(question_id, sheet.text("ask"), sheet.text("ask_self"), found)


def _guide_answer(sheet: Sheet, answer_id: str) -> GuideAnswer:
    sheet.only("label", "says", "says_self", "worse", "goes_to", "also", "starts_cpr", "words")
    for key in ("says", "says_self"):
        check_copy(sheet, key, sheet.text(key), allowed=LINE_PLACEHOLDERS)
    return GuideAnswer(
        id=answer_id,
        label=sheet.text("label", required=True),
        says=sheet.text("says", required=True),
        says_self=sheet.text("says_self"),
        worse=sheet.text("worse") == "yes",
        goes_to=sheet.text("goes_to"),
        also=sheet.text("also"),
        starts_cpr=sheet.text("starts_cpr") == "yes",
        words=tuple(fold(word) for word in sheet.text("words").split(",") if fold(word)),
    )


def _asked_things(base: Path, root: Path, problems: Problems) -> dict[str, Asked]:
    path = base / "guide" / "asked.yml"
    if not path.exists():
        return {}
    sheet = read(path, root, problems)
    keys = [key for key in sheet.table.items if key != "reviewed"]
    return {key: _asked(sheet.sub(key), key, is_home=base.name == "en") for key in keys}


def _asked(sheet: Sheet, asked_id: str, *, is_home: bool) -> Asked:
    sheet.only(
        "says", "says_self", "says_cpr", "cards", "only_cpr", "shows_cpr", "words", "sources"
    )
    for key in ("says", "says_self", "says_cpr"):
        check_copy(sheet, key, sheet.text(key), allowed=STEP_PLACEHOLDERS)
    only_cpr = sheet.text("only_cpr") == "yes"
    return Asked(
        id=asked_id,
        says=sheet.text("says", required=is_home and not only_cpr),
        says_self=sheet.text("says_self"),
        says_cpr=sheet.text("says_cpr"),
        cards=sheet.texts("cards"),
        only_cpr=only_cpr,
        shows_cpr=sheet.text("shows_cpr") == "yes",
        wordings=tuple(_wording(line) for line, _ in sheet.lines("words") if fold(line)),
        sources=sheet.texts("sources"),
    )


def _wording(line: str) -> tuple[tuple[str, ...], ...]:
    """The parts of a wording: `give/feed some_water` is two, and `_` joins words."""
    return tuple(tuple(fold(one) for one in part.split("/") if fold(one)) for part in line.split())
