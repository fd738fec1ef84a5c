"""Where people write to the bot: Telegram, the web chat page and the terminal."""
