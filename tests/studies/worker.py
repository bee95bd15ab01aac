"""One worker of a study whose runs are stand-ins: `python worker.py STUDY.yaml [key=value ...]`."""

import sys
from pathlib import Path

from lmrl.studies import sweep

COMMAND = (sys.executable, str(Path(__file__).with_name("standin.py")))

if __name__ == "__main__":
    sys.exit(sweep.main(command=COMMAND))
