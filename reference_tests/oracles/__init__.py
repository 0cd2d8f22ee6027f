"""Independent derivations of every expected value of the goldens.

One module a topic, one function an example. They use fractions, mpmath, NumPy and SciPy alone: neither TensorFlow
nor keras_course, so that an error of the library cannot hide in the number that should reveal it.
"""
