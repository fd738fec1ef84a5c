"""The web chat: one page that works with and without JavaScript, and a JSON API."""

from bot.channels.web.app import Webhook, web_app

__all__ = ["Webhook", "web_app"]
