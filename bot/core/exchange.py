"""What a person said and what the bot answered, where no alarm was raised."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.core.model import Decision, DeliveryStatus, Message, Person

# What was said before an alarm is kept with it: so much of it, and from so long before at most.
BEFORE = timedelta(minutes=30)
EXCHANGES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One message and its answer, as staff read them beside an alarm.

    `said` stands for a button or a file too. `delivery_status` is None while the answer is
    still on its way.
    """

    chat: str
    channel: str
    received_at: datetime
    said: str
    update_id: str = ""
    edited: bool = False
    reply: tuple[str, ...] = ()
    delivery_status: DeliveryStatus | None = None

    @classmethod
    def of(
        cls, message: Message, person: Person, decision: Decision, *, received_at: datetime
    ) -> Exchange:
        """The exchange of `message` and the reply of `decision`, before it was delivered.

        `person` is who wrote, as they were known before: with the buttons that they saw.
        """
        return cls(
            chat=message.chat,
            channel=message.chat.partition(":")[0],
            received_at=received_at,
            said=_in_words(message, person),
            update_id=message.update_id,
            edited=message.edited,
            reply=decision.reply.texts,
        )

    @property
    def own(self) -> str:
        """What tells the message from others of its chat. Private: it may hold its words."""
        return self.update_id or f"{self.received_at.isoformat()}\0{self.said}"

    @property
    def identity(self) -> str:
        """What makes it the same one when it comes twice, as of an `Entry`. Private."""
        return f"{self.chat}\0{self.channel}\0{self.own}"

    @property
    def size(self) -> int:
        """How many characters it holds."""
        return len(self.said) + sum(map(len, self.reply))


def _in_words(message: Message, person: Person) -> str:
    """The message in words: its text, the label of the button, or what kind of file it was."""
    if message.button:
        labels = {button.action: button.label for button in person.state.buttons}
        return f"[button] {labels.get(message.button, message.button)}"
    return message.text or (f"[{message.attachment}]" if message.attachment else "")
