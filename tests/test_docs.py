"""The docs are true: every setting and command is told, and every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from bot.cli import app
from bot.settings import Settings

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_in_the_operators_page(name: str) -> None:
    assert f"`{name.upper()}`" in (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def test_every_command_is_in_the_changelog_or_readme() -> None:
    told = (ROOT / "CHANGELOG.md").read_text("utf-8") + (ROOT / "README.md").read_text("utf-8")
    names = [command.name or command.callback.__name__ for command in app.registered_commands]
    names += [group.typer_instance.info.name for group in app.registered_groups]

    assert names
    assert [name for name in names if name not in told] == []


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
