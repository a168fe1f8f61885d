"""``python -m lab.hosts --state DIR``: the hosts supervisor. `python -m lab up` starts it."""

from __future__ import annotations

import argparse
import sys

from lab.hosts.supervisor import main
from lab.instance.state import find

parser = argparse.ArgumentParser(prog="python -m lab.hosts", description="Supervises the Edge hosts of a lab.")
parser.add_argument("--state", required=True, help="the lab's state directory")
sys.exit(main(find(parser.parse_args().state)))
