"""What a base URL is and which APIs it speaks: what to ask it next, and what its answers mean. Nothing here asks."""

from __future__ import annotations

from gwtui.doctor.diagnosis import APIDiagnosis, Diagnosis, diagnose
from gwtui.doctor.questions import DEADLINES, MOST_REQUESTS, Answered, DoctorTarget, Inquiry, next_question

__all__ = [
    "DEADLINES",
    "MOST_REQUESTS",
    "APIDiagnosis",
    "Answered",
    "Diagnosis",
    "DoctorTarget",
    "Inquiry",
    "diagnose",
    "next_question",
]
