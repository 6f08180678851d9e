"""`make bench`: relay beside Postfix, then the other rows. Takes about half an hour."""

import sys

from benchmarks import relay, rows

if __name__ == "__main__":
    relay.main()
    sys.argv[1:] = []
    rows.main()
