"""Reports for the shell: one probe or capture in full, as text or JSON, and the summary of a session."""

from gwtui.report.capture import Captured, captures_json, captures_text, decode_json, decode_text
from gwtui.report.lines import Styler, plain
from gwtui.report.objects import ping_object, probe_json, request_object
from gwtui.report.probe import probe_text
from gwtui.report.summary import summary

__all__ = [
    "Captured",
    "Styler",
    "captures_json",
    "captures_text",
    "decode_json",
    "decode_text",
    "ping_object",
    "plain",
    "probe_json",
    "probe_text",
    "request_object",
    "summary",
]
