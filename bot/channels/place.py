"""The country of a shared location, found offline."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from timezonefinder import TimezoneFinder


def country_at(latitude: float, longitude: float) -> str:
    """The ISO 3166-1 alpha-2 code of the country at a place, or "" at sea.

    It is the country of the place's time zone in zone.tab, which is true to the border.
    The first call takes about a second, as it loads the map.
    """
    try:
        zone = _map().timezone_at(lat=latitude, lng=longitude)
    except ValueError:
        return ""
    return _countries().get(zone or "", "")


@lru_cache(maxsize=1)
def _map() -> TimezoneFinder:
    return TimezoneFinder()


@lru_cache(maxsize=1)
def _countries() -> dict[str, str]:
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line[:1] not in ("#", ""))
    return {row[2]: row[0] for row in rows}
