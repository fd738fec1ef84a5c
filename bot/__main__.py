"""The one command: `python -m bot`, or `baclofen-bot`."""

import sys


def main() -> None:
    """Runs it. Ctrl-C while it is still being read ends it without a trace."""
    try:
        from bot import cli
    except KeyboardInterrupt:
        sys.exit(130)
    cli.main()


if __name__ == "__main__":
    main()
