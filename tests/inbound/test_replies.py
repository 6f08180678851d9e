"""The words of Momentum are kept (reference: smtp_responses)."""

import pytest

from angarium.core.reply import Reply
from angarium.inbound import replies
from angarium.mail.format import conform
from angarium.wire import smtp_grammar, smtp_server

SEE = "(see RFC2822 section"
WORDS = [
    (replies.SHORT_OF_RESOURCES, "4.3.0 Resource limitations, please try later"),
    (replies.EXHAUSTED, "421 4.3.4 allocated resources exceeded"),
    (replies.BUSY, "421 4.4.5 Service unavailable, concurrency limit reached"),
    (replies.UNAVAILABLE, "421 4.4.5 Service unavailable"),
    (replies.FAILED, "451 4.3.0 transaction failed"),
    (replies.NO_MORE_MESSAGES, "452 4.5.3 Service unavailable, batch limit reached"),
    (
        replies.NO_MORE_ON_CONNECTION,
        "452 4.5.3 Service unavailable, recipients per connection limit reached",
    ),
    (
        replies.NO_MORE_RECIPIENTS,
        "452 4.5.3 Service unavailable, recipients per message limit reached",
    ),
    (smtp_grammar.UNRECOGNIZED, "500 5.5.2 unrecognized command"),
    (smtp_grammar.BAD_RCPT, "501 5.5.2 RCPT TO syntax error"),
    (smtp_grammar.BAD_MAIL, "501 5.5.2 MAIL FROM syntax error"),
    (smtp_grammar.BAD_EHLO, "501 5.5.2 invalid EHLO"),
    (smtp_grammar.BAD_HELO, "501 5.5.2 invalid HELO"),
    (smtp_grammar.BAD_RSET, "501 5.5.4 invalid arguments to RSET"),
    (smtp_grammar.BAD_DATA, "501 5.5.4 unexpected argument to DATA"),
    (smtp_grammar.NO_PARAMETERS, "501 5.5.4 Syntax error (no parameters allowed)"),
    (smtp_server.NO_SENDER, "RCPT TO without MAIL FROM"),
    (smtp_server.DATA_UNSENT, "503 5.5.1 DATA without MAIL FROM"),
    (smtp_server.BAD_SEQUENCE, "503 5.5.1 bad sequence of commands"),
    (smtp_server.NO_GREETING, "550 5.5.1 RFC2821 HELO/EHLO needed"),
    (conform.LONE_IN_HEADER, f"550 5.6.0 Lone CR or LF in headers {SEE} 2.2)"),
    (conform.NO_HEADER, f"550 5.6.0 Required headers not found {SEE} 3.6)"),
    (conform.UNTERMINATED, f"550 5.6.0 Header not terminated by CR LF {SEE} 2.2)"),
    (conform.INVALID, f"550 5.6.0 Invalid header found {SEE} 3.6)"),
    (conform.NO_DATE, f"550 5.6.0 Missing required RFC2822 Date field {SEE} 3.6)"),
    (conform.LONE_IN_BODY, f"550 5.6.0 Lone CR or LF in body {SEE} 2.3)"),
    (conform.LONG_IN_HEADER, f"550 5.6.0 Header line too long {SEE} 3.5)"),
    (conform.LONG_IN_BODY, f"550 5.6.0 Body line too long {SEE} 3.5)"),
    (replies.RELAYING_DENIED, "550 5.7.1 relaying denied"),
    (replies.BLACKHOLED, "551 5.7.1 recipient blackholed"),
    (replies.TOO_LARGE, "552 5.3.4 message size limit exceeded"),
]


@pytest.mark.parametrize(("reply", "words"), WORDS)
def test_replies_say_what_momentum_says(reply: Reply, words: str) -> None:
    assert str(reply).endswith(words)


def test_an_enhanced_code_has_the_class_of_its_code() -> None:
    for module in (replies, conform, smtp_grammar, smtp_server):
        for reply in vars(module).values():
            if isinstance(reply, Reply) and reply.enhanced:
                assert reply.enhanced[0] == str(reply.code)[0]
