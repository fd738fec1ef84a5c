"""Why a text is no YAML, told where the mistake was made and not where the parser gave up."""

from __future__ import annotations

from itertools import takewhile

import yaml

Place = tuple[int, int]

OPEN_QUOTE = (
    "the quote that opens here is never closed; close it, or write the text after '|' on lines of "
    "its own"
)
LATE_QUOTE = (
    "the quote that opens here is closed only in line {line}; close it where the text ends, and "
    "write '' for a quote within it"
)
NO_COLON = (
    "a line without ':' stands among 'key: value' lines; write 'key: value', or indent it under '|'"
)
OPEN_LIST = (
    "the '[' that opens here is not closed; close it with ']', or write each item on a line after "
    "'- '"
)
OPEN_MAPPING = (
    "the '{' that opens here is not closed; close it with '}', or put the text that holds it in "
    "quotes"
)


def fault_of(error: yaml.YAMLError, text: str) -> tuple[Place, str, str]:
    """The place, the rule and the sentence of what is wrong with `text`."""
    if isinstance(error, yaml.reader.ReaderError):
        return _character_of(error, text)
    if not isinstance(error, yaml.MarkedYAMLError):
        return (1, 1), "yaml", f"not valid YAML ({error}); check the file"
    mark, context = error.problem_mark or error.context_mark, error.context_mark
    if mark is None:
        return (1, 1), "yaml", f"{error.problem or 'not valid YAML'}; check the file"
    if context is not None and error.context == "while scanning a quoted scalar":
        return _place(context), "yaml", OPEN_QUOTE
    begun = _begun_before(text, mark)
    if begun is not None:
        return begun[0], "yaml", begun[1]
    if context is not None and error.context == "while scanning a simple key":
        return _place(context), "yaml", NO_COLON
    what = error.problem or "not valid YAML"
    return _place(mark), "yaml", f"{what}; check the indent, quotes and colons here"


def place_after(before: str) -> Place:
    """The line and column right behind the text `before`."""
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _place(mark: yaml.Mark) -> Place:
    return mark.line + 1, mark.column + 1


def _character_of(error: yaml.reader.ReaderError, text: str) -> tuple[Place, str, str]:
    """A character that no text file holds. The parser counts bytes or characters; we look."""
    before = "".join(takewhile(_is_text, text))
    code = ord(text[len(before)]) if len(before) < len(text) else error.character
    return place_after(before), "yaml", f"the character U+{int(code):04X} is no text; delete it"


def _is_text(character: str) -> bool:
    return not yaml.reader.Reader.NON_PRINTABLE.match(character)


def _begun_before(text: str, mark: yaml.Mark) -> tuple[Place, str] | None:
    """What was begun before `mark` and is to blame: a bracket still open there, or a quoted text
    that runs over several lines and ends right before it.
    """
    last: yaml.Token | None = None
    brackets: list[yaml.Token] = []
    try:
        for token in yaml.scan(text, Loader=yaml.SafeLoader):
            if token.start_mark.index >= mark.index:
                break
            last = token
            if isinstance(token, yaml.FlowSequenceStartToken | yaml.FlowMappingStartToken):
                brackets.append(token)
            elif isinstance(token, yaml.FlowSequenceEndToken | yaml.FlowMappingEndToken):
                brackets[-1:] = []
    except yaml.YAMLError:
        pass
    if brackets:
        is_list = isinstance(brackets[-1], yaml.FlowSequenceStartToken)
        return _place(brackets[-1].start_mark), OPEN_LIST if is_list else OPEN_MAPPING
    if not isinstance(last, yaml.ScalarToken) or last.style not in {"'", '"'}:
        return None
    runs_on = last.start_mark.line < last.end_mark.line == mark.line
    return (_place(last.start_mark), LATE_QUOTE.format(line=mark.line + 1)) if runs_on else None
