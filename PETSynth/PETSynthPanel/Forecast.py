"""The time that is left, as a person reads it: it counts down and does not jump about."""

GRACE_S = 2.0
"""No number in the first seconds: it would only be a guess."""
TOLERANCE_S = 1.0
"""Growth beyond this is told in words."""
OVERDUE_SHARE = 0.1
"""Of the elapsed time, taken as left at least."""


class Forecast:
    """Turns the worker's forecasts into one that counts down.

    Parameters
    ----------
    now
        Monotonic clock in seconds.
    """

    def __init__(self, now):
        self._now = now
        self.started = now()
        self._end = None
        self._fraction = 0.0
        self._grew = False

    @property
    def elapsed(self):
        """Seconds since the run began."""
        return self._now() - self.started

    def update(self, eta):
        """The worker now expects ``eta`` seconds more."""
        end = self._now() + max(float(eta), 0.0)
        if self._end is not None:
            grown = end - max(self._end, self._now())
            self._grew = grown > TOLERANCE_S or (self._grew and grown > -TOLERANCE_S)
        self._end = end

    @property
    def longer(self):
        """Whether the run takes longer than was said before."""
        return self._end is not None and (self._grew or self._now() > self._end + TOLERANCE_S)

    @property
    def left(self):
        """Whole seconds left, or None while it is too early to say."""
        if self._end is None or self.elapsed < GRACE_S:
            return None
        return max(round(self._end - self._now()), 0)

    @property
    def fraction(self):
        """Share of the run that is over, 0 to 1; never goes back."""
        if self._end is not None:
            # A run that is overdue is not nearly done: something of it is always left.
            left = max(self._end - self._now(), OVERDUE_SHARE * self.elapsed)
            total = self.elapsed + left
            self._fraction = max(self._fraction, self.elapsed / total if total > 0 else 0.0)
        return self._fraction
