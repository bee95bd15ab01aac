"""`python -m lmrl` does what the command `lmrl` does, from a bare checkout too."""

import sys

from lmrl.cli import train

if __name__ == "__main__":
    sys.exit(train())
