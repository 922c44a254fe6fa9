"""Stand-ins for the vendors of models, as strict as they: what the documents do not allow, they refuse.

Written from the vendors' documents, their SDKs' types of requests and botocore's service model; nothing here knows the
translators. What they say is directed by what the user says: see `scene`.
"""

from __future__ import annotations

from tests.fakes.vendors.app import Vendors
from tests.fakes.vendors.scene import ACCESS_KEY, KEYS

__all__ = ["ACCESS_KEY", "KEYS", "Vendors"]
