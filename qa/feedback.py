"""What a person says of an answer: right or wrong, why, and what would have been right."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from index.errors import InputError

WRONG, OUTDATED, BESIDE, MISSING = REASONS = ("wrong", "outdated", "beside", "missing")
"""Why an answer is bad: a wrong person or figure, out of date, no answer to the question, and a
refusal that should have been an answer."""

LONGEST = 2_000
"""Characters that are kept of what a person types into one field."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the owner of a conversation said of a turn; `given` is UTC.

    A bad one may have a `reason` of REASONS, `words` of the person's own, the `right_answer`, and
    in `right_article` the article that has it, by its address or id.
    """

    given: dt.datetime
    good: bool
    reason: str = ""
    words: str = ""
    right_answer: str = ""
    right_article: str = ""

    def checked(self) -> Verdict:
        """Return the verdict as it is kept, a good one bare; raises InputError for the reason."""
        if self.good:
            return Verdict(self.given, True)
        if self.reason not in ("", *REASONS):
            raise InputError(
                f"The reason is {self.reason!r} but must be one of {', '.join(REASONS)}, or none."
            )
        typed = (self.words, self.right_answer, self.right_article)
        return Verdict(self.given, False, self.reason, *(part.strip()[:LONGEST] for part in typed))
