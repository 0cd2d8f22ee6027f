"""Masks that let a network of dense layers see only what comes before: degrees of units, and connections by degree.

inputs:   m(d) = place of variable d in the order, 1 ... D
hidden:   m(k) in 1 ... D - 1 (from 0, where a condition comes besides), drawn or spread evenly
hidden:   M_ik = 1 if m(i) <= m(k)        unit k knows variables of places 1 ... m(k)
outputs:  M_kd = 1 if m(k) <  m(d)        output d knows the variables before d, not d itself

Conventions that bite. Kernels are (inputs, units), as Keras's, so masks are the transposes of those in the notes.
Degrees count from 1, variables from 0. `order` lists the variables, first to last; degrees are its inverse plus one.
"""

from __future__ import annotations

from typing import Any

from keras import ops

__all__ = ["connections", "even_degrees", "order_degrees", "random_degrees"]


def order_degrees(order: Any) -> Any:
    """Degrees of the variables: m(order[k]) = k + 1.

    Args:
        order: integer tensor (..., D), a permutation of 0 ... D - 1, first variable first.

    Returns:
        int32 tensor (..., D).

    Example:
        >>> order_degrees([2, 0, 1]).numpy().tolist()
        [2, 3, 1]

    Source: R; Germain et al. 2015.
    """
    return ops.cast(ops.argsort(ops.convert_to_tensor(order), axis=-1), "int32") + 1


def even_degrees(units: int, features: int, lowest: int = 1) -> Any:
    """Degrees of a hidden layer spread evenly, ascending.

    m(k) = lowest - 1 + ceil(k (D - lowest) / (H + 1)),   k = 1 ... H

    Args:
        units: int H >= 1.
        features: int D > lowest, number of variables.
        lowest: int, least degree; 0 where hidden units may know no variable at all.

    Returns:
        int32 tensor (H,), values lowest ... D - 1.

    Raises:
        ValueError: if there is no degree between lowest and D - 1.

    Example:
        >>> even_degrees(5, features=4).numpy().tolist()
        [1, 1, 2, 2, 3]

    Source: R; Germain et al. 2015.
    """
    _require_room(features, lowest)
    k = ops.arange(1, units + 1, dtype="int32")
    return lowest - 1 + (k * (features - lowest) + units) // (units + 1)


def random_degrees(uniform: Any, features: int, lowest: int = 1) -> Any:
    """Degrees of a hidden layer drawn uniformly: m = lowest + floor(u (D - lowest)).

    With `lowest` the least degree of the layer below, every unit has an input.

    Args:
        uniform: floating tensor (..., H) in [0, 1).
        features: int D > lowest.
        lowest: int, least degree.

    Returns:
        int32 tensor (..., H), values lowest ... D - 1.

    Raises:
        ValueError: if there is no degree between lowest and D - 1.

    Example:
        >>> random_degrees([0.0, 0.4, 0.99], features=4).numpy().tolist()
        [1, 2, 3]

    Source: R; Germain et al. 2015.
    """
    _require_room(features, lowest)
    uniform = ops.convert_to_tensor(uniform)
    drawn = lowest + ops.cast(ops.floor(uniform * (features - lowest)), "int32")
    return ops.minimum(drawn, features - 1)  # rounding may make u = 1 - eps a 1


def connections(inputs: Any, outputs: Any, strict: bool = False) -> Any:
    """Which inputs a unit may see: M_ij = [m(i) <= m(j)], or [m(i) < m(j)] where the units are the outputs.

    A product of such masks, the last of them strict, links variable i to output d only if m(i) < m(d): the Jacobian of
    the network is strictly triangular in the order, so that each output may parametrise p(x_d | variables before d).

    Args:
        inputs: integer tensor (..., I), degrees of the inputs of a layer.
        outputs: integer tensor (..., J), degrees of its units.
        strict: bool, True into the outputs of the network.

    Returns:
        bool tensor (..., I, J).

    Example:
        >>> connections([1, 2], [1, 1, 2]).numpy().astype(int).tolist()
        [[1, 1, 1], [0, 0, 1]]
        >>> connections([1, 2], [1, 2], strict=True).numpy().astype(int).tolist()
        [[0, 1], [0, 0]]

    Source: R; Germain et al. 2015.
    """
    inputs, outputs = ops.expand_dims(inputs, -1), ops.expand_dims(outputs, -2)
    return ops.less(inputs, outputs) if strict else ops.less_equal(inputs, outputs)


def _require_room(features: int, lowest: int) -> None:
    if not 0 <= lowest < features:
        raise ValueError(f"Degrees need 0 <= lowest < features. Received: lowest={lowest!r}, features={features!r}")
