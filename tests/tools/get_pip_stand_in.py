# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stands in for the get-pip script that ansible-test downloads, where its server cannot be reached but PyPI can.

``scripts/test`` puts it into ansible-test's cache then. As with get-pip, the arguments are
requirements and options for pip.
"""

from __future__ import annotations

import subprocess
import sys

# In a process of its own, as ensurepip hides pip's configuration (index, certificates) from whatever runs after it.
subprocess.run([sys.executable, "-m", "ensurepip"], check=True, stdout=subprocess.DEVNULL)
wanted = [argument for argument in sys.argv[1:] if argument not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "--quiet", *wanted]))
