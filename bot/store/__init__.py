"""What the bot keeps: people, escalations and their history."""
