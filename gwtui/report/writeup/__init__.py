"""An incident or a period, collected from a session's rows and written up as Markdown, HTML or JSON. Pure."""

from gwtui.report.writeup.collect import Collector
from gwtui.report.writeup.document import Provenance, Writeup, masked_writeup, sane, writeup_json
from gwtui.report.writeup.markdown import writeup_markdown
from gwtui.report.writeup.page import writeup_html
from gwtui.report.writeup.period import Period, period_between, period_of

__all__ = [
    "Collector",
    "Period",
    "Provenance",
    "Writeup",
    "masked_writeup",
    "period_between",
    "period_of",
    "sane",
    "writeup_html",
    "writeup_json",
    "writeup_markdown",
]
