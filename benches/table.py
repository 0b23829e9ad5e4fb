"""Rows of equal keys, printed and saved: of stopping.py, replay.py and plan.py."""

import csv


def show(rows):
    print(" | ".join(rows[0]))
    for row in rows:
        print(" | ".join(str(value) for value in row.values()))


def save(rows, path):
    """As CSV; nowhere without a path."""
    if path:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0])
            writer.writeheader()
            writer.writerows(rows)
