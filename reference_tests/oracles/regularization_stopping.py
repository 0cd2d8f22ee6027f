"""Oracle of early stopping: every epoch at which training could end is tried, by the words of C 6.9."""

import numpy as np


def early_stopping_points(errors, patience, min_delta):
    best, last = [], []
    for record, wait, least in zip(errors, patience, min_delta, strict=True):
        # Epochs that improved on the best recorded before them: what was recorded changes only there.
        records = [0]
        for epoch in range(1, len(record)):
            if record[epoch] < record[records[-1]] - least:
                records.append(epoch)
        # Training ends at the first epoch with `wait` epochs behind it in which nothing was recorded.
        wait = max(wait, 1)
        ends = [e for e in range(wait, len(record)) if not set(records) & set(range(e - wait + 1, e + 1))]
        end = min(ends, default=len(record) - 1)
        best.append(int(np.max([epoch for epoch in records if epoch <= end])))
        last.append(end)
    return {"best": best, "last": last}
