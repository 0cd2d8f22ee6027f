"""One process of a search on several: `python search_on_workers.py FOLDER`, roles by KerasTuner's variables."""

import os
import sys
import time

from keras_course.pipeline.search import search
from keras_course.pipeline.search_space import Choice


def slow_bowl(values, seed):
    time.sleep(1.0)
    return {"score": (values["x"] - 2) ** 2, "worker": float(os.environ["KERASTUNER_TUNER_ID"][-1])}


if __name__ == "__main__":
    search(slow_bowl, {"x": Choice((0, 1, 2, 3))}, tuner="grid", out=sys.argv[1])
