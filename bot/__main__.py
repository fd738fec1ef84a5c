"""The one command: `python -m bot`, or `baclofen-bot`."""

from bot.cli import main

if __name__ == "__main__":
    main()
