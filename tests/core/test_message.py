from angarium.core.body import MemoryBody
from angarium.core.message import Message, Recipient, context_of


def test_what_we_add_in_front_counts_for_the_size() -> None:
    message = Message("a@b.example", MemoryBody(b"text\r\n"), header=b"Received: x\r\n")
    assert message.size == 19


def test_a_recipient_has_the_variables_of_its_message_and_its_own() -> None:
    message = Message("a@b", MemoryBody(b""), variables={"campaign": "may", "tenant": "x"})
    assert context_of(message, Recipient("c@d", "d")) is message.variables
    own = Recipient("c@d", "d", variables={"campaign": "june"})
    assert context_of(message, own) == {"campaign": "june", "tenant": "x"}
    assert message.variables == {"campaign": "may", "tenant": "x"}
