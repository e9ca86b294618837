"""``python -m PETSynthLib`` is ``petsynth``."""

import sys

from .cli import main

sys.exit(main())
