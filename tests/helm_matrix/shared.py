"""What is the admission soak's and is used here as well: its client of the API server, its pods, its verdicts."""

import pathlib
import sys

# Behind our own folder: what both have is ours.
sys.path.append(str(pathlib.Path(__file__).parents[1] / "admission_soak"))

# pylint: disable=unused-import,wrong-import-position
from client import APPS, CONFIGURATION, CORE, MERGE_PATCH, SERVICES, SYSTEM, Api, Away, GaveUp, Json, wait_for  # noqa: E402,F401
from pace import Pace  # noqa: E402,F401
from plan import LABELLED, NAMESPACES, RESTRICTED, SELECTED, Pod, manifest, pods, services  # noqa: E402,F401
from verdict import Outcome, judge, pattern_of, unsized_because  # noqa: E402,F401
