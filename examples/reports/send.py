"""Send one message to two mailboxes and ask for reports (RFC 3461), with the standard library.

python3 send.py --server 127.0.0.1:2525
"""

import argparse
import email.policy
import smtplib
from email.message import EmailMessage

SENDER = "me@example.com"
RECIPIENTS = ("you@example.net", "nobody@example.net")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default="127.0.0.1:2525", help="host and port")
    host, _, port = parser.parse_args().server.rpartition(":")

    message = EmailMessage(policy=email.policy.SMTP)  # lines end in CRLF, as on the wire
    message["From"] = SENDER
    message["To"] = ", ".join(RECIPIENTS)
    message["Subject"] = "Do you read me?"
    message.set_content("Hello,\n\nplease tell me whether this arrives.\n")

    with smtplib.SMTP(host, int(port)) as server:
        server.ehlo_or_helo_if_needed()
        if not server.has_extn("dsn"):
            raise SystemExit("this server makes no reports")
        # RET: of a message that fails only the header comes back. ENVID: a name of ours for it,
        # by which its reports can be told.
        server.mail(SENDER, ["RET=HDRS", "ENVID=example-1"])
        for each in RECIPIENTS:
            code, text = server.rcpt(each, ["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{each}"])
            if code != 250:
                raise SystemExit(f"{each} refused: {code} {text.decode()}")
        code, text = server.data(message.as_bytes())
    print(f"{code} {text.decode()}")
    if code != 250:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
