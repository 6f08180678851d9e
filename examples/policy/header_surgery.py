"""Header surgery: what is inside stays inside, what is missing is put in."""

from angarium.policy.script import Message, on

INSIDE = ("X-Originating-IP", "X-Internal-Id", "X-Mailer")


@on.message
def tidy(message: Message) -> None:
    headers = message.headers
    for name in INSIDE:
        headers.pop(name, None)
    if headers.get("Subject", "").startswith("[TEST]"):
        headers["Subject"] = headers["Subject"].removeprefix("[TEST]").strip()
    if "List-Unsubscribe" not in headers and "List-Id" in headers:
        headers.add("List-Unsubscribe", f"<mailto:leave@{message.sender_domain}>")
    headers.add("Feedback-ID", f"{message.variables.get('campaign', 'none')}:shop")
