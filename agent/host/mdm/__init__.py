"""Settings for thousands of machines: what services of device management import, made from the table of settings.

Pure: rows and values in, files out. What a machine makes of them is read back by `managed_darwin`, `managed_windows`
and `managed_linux`.
"""

from agent.host.mdm.deployment import Deployment, read_root, read_values, starter_values
from agent.host.mdm.page import settings_table
from agent.host.mdm.schema import settings_schema
from agent.host.mdm.templates import Template, document, render

__all__ = [
    "Deployment",
    "Template",
    "document",
    "read_root",
    "read_values",
    "render",
    "settings_schema",
    "settings_table",
    "starter_values",
]
