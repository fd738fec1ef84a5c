"""The docs are true: every setting and command is told, and every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.cli import KEPT, app
from bot.settings import Settings
from bot.tools.kept import commands

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_operators_page(name: str) -> None:
    assert f"`{name.upper()}`" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_changelog_or_readme() -> None:
    told = (ROOT / "CHANGELOG.md").read_text("utf-8") + (ROOT / "README.md").read_text("utf-8")
    group = typer.main.get_group(app)
    names = group.list_commands(typer.Context(group))

    assert {"run", "classify", "escalations", "staff", "audit", "keys", "privacy"} <= {*names}
    assert [name for name in names if name not in told] == []


def test_every_group_of_commands_is_found_by_its_name() -> None:
    assert tuple(commands()) == KEPT


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_dependency_is_justified() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    wanted = re.findall(r'^    "([a-z0-9-]+)(?:\[[a-z-]+\])?[>=]=', project, re.M)
    told = (ROOT / "docs/dependencies.md").read_text(encoding="utf-8").lower()

    assert len(wanted) > 20
    assert [name for name in wanted if name.lower() not in told] == []


FORMATS = {
    "classify": (
        *("text", "id", "country", "level", "kind", "topic", "confidence", "asks", "offers"),
        *("reasons", "rule", "start", "end", "first_line"),
    ),
    "chat": ("chat", "text", "button", "country", "level", "kind", "topic", "replies", "buttons"),
}


@pytest.mark.parametrize("command", FORMATS)
def test_every_field_of_json_lines_is_in_the_help_and_the_readme(command: str) -> None:
    helped = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "200"}).output
    readme = (ROOT / "README.md").read_text("utf-8").partition("### For scripts")[2]

    assert [name for name in FORMATS[command] if f'"{name}"' not in helped] == []
    assert [name for name in FORMATS[command] if not re.search(rf"\b{name}\b", readme)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_command_is_written_as_it_is_called_in_a_clone(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert re.findall(r"(?<![\w./-])baclofen-bot (?!\.)[a-z]+", text) == []
    assert re.findall(r"(?<![\w./-])python -m (?:bot|benchmarks)[ .][a-z]+", text) == []
