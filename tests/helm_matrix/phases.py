"""What must hold of pods that are created while an installation comes, stays and goes. Pure."""

from __future__ import annotations

import enum


class Phase(enum.Enum):
    ABSENT = "nothing is installed"
    INSTALLING = "an installation is under way"
    INSTALLED = "it is installed, upgraded or rolled back"
    UNINSTALLING = "an uninstallation is under way"


class Fate(enum.Enum):
    """Of one pod."""
    SIZED = "admitted and sized"
    UNSIZED = "admitted as it was"
    NOT_SERVING = "refused: no webhook answered"
    REFUSED = "refused otherwise"


# While an installation is under way the webhook configuration is there before a webhook answers, and labelled pods fail
# closed; what is not labelled is let through unsized.
FINE: dict[Phase, frozenset[Fate]] = {
    Phase.ABSENT: frozenset({Fate.UNSIZED}),
    Phase.INSTALLING: frozenset({Fate.SIZED, Fate.UNSIZED, Fate.NOT_SERVING}),
    Phase.INSTALLED: frozenset({Fate.SIZED}),
    Phase.UNINSTALLING: frozenset({Fate.SIZED, Fate.UNSIZED}),
}
_LAXER = (Phase.INSTALLED, Phase.ABSENT, Phase.UNINSTALLING, Phase.INSTALLING)


def laxer(begun: Phase, ended: Phase) -> Phase:
    """Which of the two a creation that began in one and ended in the other is held to."""
    return max(begun, ended, key=_LAXER.index)


def fate_of_refusal(message: str) -> Fate:
    return Fate.NOT_SERVING if "failed calling webhook" in message else Fate.REFUSED
