"""What may go wrong does, to a Parley of its own under load; then everything is counted.

`make drill` runs it all and prints a table. `Load` is what people do meanwhile, `audit` looks into
the database afterwards, past the application, and `coherence` into every page that was shown.
"""
