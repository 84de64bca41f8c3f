"""The pump of the water works."""


def pressure():
    # The pump stops above nine bar.
    return 9
