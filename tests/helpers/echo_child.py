"""A child for the tests of `run/child`: says what it was started with, and exits with 7."""

import socket
import sys

from angarium.run import link


def main() -> int:
    speak, descriptors = (socket.socket(fileno=int(number)) for number in sys.argv[1:])
    frames = link.Frames()
    messages: list[link.Message] = []
    while not messages:
        messages = frames.feed(speak.recv(65536))
    start = messages[0]
    assert isinstance(start, link.Start)
    labels = ",".join(link.receive_descriptors(descriptors))
    speak.sendall(link.frame(link.Ready()))
    speak.sendall(link.frame(link.Alarm(f"state={start.state} fds={labels}")))
    return 7


if __name__ == "__main__":
    sys.exit(main())
