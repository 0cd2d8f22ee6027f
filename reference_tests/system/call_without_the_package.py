"""Calls an exported model in a process where keras_course and tfp cannot be imported; run as a plain script.

    python call_without_the_package.py EXPORT INPUTS.npz OUT.npz [INPUTS.npz OUT.npz ...]

Answers every signature through tf.saved_model.load, and the default one through the v1 Session loader too.
"""

import gc
import sys

gc.disable()  # slow while all of TensorFlow is imported, and the process is short


class Forbidden:
    """Refuses what a server has not got."""

    names = ("keras_course", "tensorflow_probability", "reference_tests")

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{name} is not on this server")
        return None


def session_answer(tf, export, inputs):
    """The default signature through the loader that TensorFlow Serving uses."""
    with tf.compat.v1.Session(graph=tf.Graph()) as session:
        meta = tf.compat.v1.saved_model.loader.load(session, ["serve"], export)
        signature = meta.signature_def["serving_default"]
        feed = {signature.inputs[name].name: value for name, value in inputs.items()}
        fetch = {name: tensor.name for name, tensor in signature.outputs.items()}
        return session.run(fetch, feed)


def main(export, *files):
    sys.meta_path.insert(0, Forbidden())
    import numpy as np
    import tensorflow as tf

    loaded = tf.saved_model.load(export)
    for inputs_file, out in zip(files[::2], files[1::2], strict=True):
        np.savez(out, **answers_to(tf, export, loaded, dict(np.load(inputs_file))))


def answers_to(tf, export, loaded, inputs):
    answers = {}
    for name, signature in loaded.signatures.items():
        wanted = signature.structured_input_signature[1]
        if set(wanted) <= set(inputs):
            for output, value in signature(**{key: tf.constant(inputs[key]) for key in wanted}).items():
                answers[f"{name}/{output}"] = value.numpy()
    default = loaded.signatures["serving_default"].structured_input_signature[1]
    for output, value in session_answer(tf, export, {key: inputs[key] for key in default}).items():
        answers[f"session/{output}"] = value
    return answers


if __name__ == "__main__":
    main(*sys.argv[1:])
