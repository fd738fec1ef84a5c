"""The baclofen support bot: it answers, notices an emergency and keeps a record."""
