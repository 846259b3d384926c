"""Reports for the shell: one probe or capture in full, as text or JSON, and the summary of a session."""

from gwtui.health.sentence import scope_text, worst_first
from gwtui.report.capture import Captured, captures_json, captures_text, decode_json, decode_text
from gwtui.report.incidents import event_text, incident_lines
from gwtui.report.kept_streams import kept_json, kept_text, session_streams_json, session_streams_text
from gwtui.report.lines import Styler, plain
from gwtui.report.objects import incident_json, incident_object, ping_object, probe_json, request_object
from gwtui.report.probe import probe_text
from gwtui.report.summary import summary

__all__ = [
    "Captured",
    "Styler",
    "captures_json",
    "captures_text",
    "decode_json",
    "decode_text",
    "event_text",
    "incident_json",
    "incident_lines",
    "incident_object",
    "kept_json",
    "kept_text",
    "ping_object",
    "plain",
    "probe_json",
    "probe_text",
    "request_object",
    "scope_text",
    "session_streams_json",
    "session_streams_text",
    "summary",
    "worst_first",
]
