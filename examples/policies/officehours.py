"""An update policy: updates only while people are at work, on weekdays from 08 to 15, who can help when something is wrong.

It never chooses a version. It stands behind a policy that does, and puts that one's update off when nobody is there.
"""

import json
from datetime import date, timedelta

from componentize_py_types import Err
from wit_world.exports import Policy as Exported
from wit_world.imports.situation import Choice, Civil, Decision, Decision_Pass, Decision_Update, Update

DEFAULTS = {"from": 8, "to": 15}


def read(settings: str) -> tuple[int, int]:
    """The first hour, and the hour in which nothing is begun any more."""
    values = json.loads(settings)
    for key, value in values.items():
        if key not in DEFAULTS:
            raise Err(f"setting `{key}` is unknown; known are {', '.join(DEFAULTS)}")
        if type(value) is not int or not 0 <= value <= 24:
            raise Err(f"setting `{key}`: write an hour from 0 to 24")
    values = DEFAULTS | values
    if values["from"] >= values["to"]:
        raise Err("setting `to`: write an hour after `from`")
    return values["from"], values["to"]


class Policy(Exported):
    def check(self, settings: str) -> None:
        read(settings)

    def decide(self, about: Update) -> Decision:
        opens, closes = read(about.settings())
        proposal = about.proposal()
        if not isinstance(proposal, Decision_Update):
            return Decision_Pass("no update is proposed")
        choice = proposal.value
        begin = max(about.now(), choice.not_before or 0)
        at = about.civil_time(begin)
        if at.weekday <= 5 and opens <= at.hour < closes:
            return Decision_Pass("people are at work")
        day = date(at.year, at.month, at.day)
        if at.hour >= opens:
            day += timedelta(days=1)
        while day.isoweekday() > 5:
            day += timedelta(days=1)
        # The host knows when clocks change; a policy does not count hours itself.
        moment = about.moment(Civil(day.year, day.month, day.day, opens, 0, 0, day.isoweekday()))
        reason = f"{choice.reason}; not before {day} {opens:02}:00, when people are at work"
        return Decision_Update(Choice(choice.version, reason, moment))
