"""`python -m keras_course.cli` is `keras-course`."""

import sys

from keras_course.cli.main import main

sys.exit(main())
