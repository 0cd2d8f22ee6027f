"""`python -m reference_tests.goldens`: see reference_tests/pinning."""

import sys

from reference_tests.pinning.command import main

if __name__ == "__main__":
    sys.exit(main())
