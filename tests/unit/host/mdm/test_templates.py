"""Every template, by its name."""

from __future__ import annotations

import json

import pytest

from agent.errors import ConfigError
from agent.host.mdm.deployment import Deployment, starter_values
from agent.host.mdm.templates import Template, render
from agent.host.settings import setting_rows

ROWS = setting_rows()


@pytest.mark.parametrize("template", Template)
def test_every_template_is_written_the_same_each_time(template: Template) -> None:
    deployment = Deployment(values=starter_values(ROWS, template.system))
    made = render(template, ROWS, deployment)
    assert made == render(template, ROWS, deployment)
    assert made.endswith(b"\n")


@pytest.mark.parametrize("template", Template)
def test_templates_hold_values_or_say_that_they_do_not(template: Template) -> None:
    with_one = render(template, ROWS, Deployment(values={"proxy_port": 7000}))
    without = render(template, ROWS, Deployment(values={}))
    assert (with_one != without) == template.holds_values


def test_the_file_for_linux_is_its_values() -> None:
    assert json.loads(render(Template.JSON, ROWS, Deployment(values={"proxy_port": 7000}))) == {
        "proxy_port": 7000
    }


def test_what_a_registry_file_cannot_hold_is_refused_with_a_way_out() -> None:
    with pytest.raises(ConfigError) as refused:
        render(Template.REG, ROWS, Deployment(values={"policy": "C:\\ü.yaml"}))
    assert "administrative template" in refused.value.hint()
