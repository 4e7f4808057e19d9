"""How long the tests that play at random go on: a little by default, all night with NIGHTLY=1."""

import os

from hypothesis import HealthCheck, Phase, settings

IS_NIGHTLY = bool(os.environ.get("NIGHTLY"))


def examples(number=30, *, nightly=300, **more):
    """Return the settings of such a test. The short run is the same each time."""
    return settings(
        max_examples=nightly if IS_NIGHTLY else number,
        derandomize=not IS_NIGHTLY,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate, Phase.shrink],
        print_blob=True,
        **more,
    )
