"""Oracles of C 14.3: sines and cosines in sixty digits."""

import mpmath

from reference_tests.oracles.precision import exact, rounded


def _row(position, depth, base):
    """sin and cos of position / base**(2i/depth), as imaginary and real part of e**(i angle)."""
    row = []
    for column in range(depth):
        angle = position / exact(base) ** (mpmath.mpf(column - column % 2) / depth)
        turn = mpmath.expj(angle)
        row.append(turn.real if column % 2 else turn.imag)
    return row


def positional_encoding_at(positions, depth, base):
    """One row a position."""
    return {"table": rounded([_row(position, depth, base) for position in exact(positions)])}


def positional_encoding_table(length, depth, base):
    """Positions 0, 1, ..., length - 1."""
    return positional_encoding_at(list(range(length)), depth, base)


def positional_encoding_added(x, base):
    """Embeddings plus the row of their position."""
    return {
        "output": rounded(
            [
                [
                    [value + shift for value, shift in zip(token, _row(mpmath.mpf(k), len(token), base), strict=True)]
                    for k, token in enumerate(sequence)
                ]
                for sequence in exact(x)
            ]
        )
    }


def position_rotation(positions, shift, depth, base):
    """P[k + shift], and each pair of P[k] multiplied by e**(i shift / base**(2i/depth)) as a complex number."""
    rotated = []
    for position in exact(positions):
        row, result = _row(position, depth, base), []
        for column in range(0, depth, 2):
            angle = exact(shift) / exact(base) ** (mpmath.mpf(column) / depth)
            turned = mpmath.mpc(row[column + 1], row[column]) * mpmath.expj(angle)
            result += [turned.imag, turned.real]
        rotated.append(result)
    shifted = [_row(position + exact(shift), depth, base) for position in exact(positions)]
    return {"shifted": rounded(shifted), "rotated": rounded(rotated)}
