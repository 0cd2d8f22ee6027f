"""The catalogue: every system's slug, object, example arguments, recipe and sources. Loads no TensorFlow.

>>> from keras_course import catalog
>>> catalog.get("lenet").object
'keras_course.models.vision.lenet:LeNet'
"""

from keras_course.catalog import sources
from keras_course.catalog.entry import SHAPES, Entry
from keras_course.catalog.index import entries, get, resolve, resolve_member, topic_of, topics

__all__ = ["SHAPES", "Entry", "entries", "get", "resolve", "resolve_member", "sources", "topic_of", "topics"]
