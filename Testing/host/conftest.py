"""The test host's fixtures, for its own tests."""

from slicerhost.fixtures import *  # noqa: F403 - fixtures are found by name
