"""`python -m pyerlcoin`."""

import sys

from pyerlcoin.cli import main

sys.exit(main())
