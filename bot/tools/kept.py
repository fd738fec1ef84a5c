"""The commands over what is kept: cases, accounts, history, keys and privacy.

Apart from the others, because the store takes longer to import than all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import typer

from bot.settings import read_settings
from bot.store import Keys, Retention, Store, engine
from bot.tools.escalations import escalations_app
from bot.tools.staff_cli import staff_app
from bot.tools.upkeep_cli import StorePlace, audit_app, keys_app, privacy_app


def commands() -> dict[str, typer.Typer]:
    """Each group of commands by its name."""
    return {
        "escalations": escalations_app(_open_store, _reasons),
        "staff": staff_app(_open_store, _make_store),
        "audit": audit_app(_open_store),
        "keys": keys_app(_place),
        "privacy": privacy_app(_open_store, _retention),
    }


async def _open_store() -> Store:
    """The store of the settings, where there is one; the command that opened it closes it."""
    settings = read_settings()
    engine.need_file(settings.database)
    keys = Keys.load(settings.keys_file)
    return await Store.open(settings.database, keys, rules=settings.rules, create=False)


async def _make_store() -> Store:
    """The same, made where there is none: for the first account."""
    settings = read_settings()
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    keys, _ = Keys.load_or_create(settings.keys_file)
    return await Store.open(settings.database, keys, rules=settings.rules)


def _reasons() -> Mapping[str, str]:
    """What each rule of the content means; nothing where it cannot be read."""
    from bot.content.reasons import rule_reasons

    return rule_reasons(read_settings().content_dir)


def _place() -> StorePlace:
    settings = read_settings()
    return StorePlace(
        settings.database, settings.work_database, settings.keys_file, settings.var_dir
    )


def _retention() -> Retention:
    settings = read_settings()
    return Retention(
        texts=timedelta(days=settings.retention_text_days),
        skeletons=timedelta(days=settings.retention_skeleton_days),
    )
