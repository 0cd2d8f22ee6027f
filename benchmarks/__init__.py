"""Our systems against their peers, interleaved in one process; see README.md."""
