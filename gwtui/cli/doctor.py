"""`gwtui doctor`: find out what a base URL is, which APIs it speaks, and print the endpoints that work."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gwtui.cli.console import EXIT_DOWN, Refusal, carry_out, note, refusing, say, styled
from gwtui.cli.options import FILE, exit_codes, exit_with, json_option, key_option, model_option

if TYPE_CHECKING:
    from gwtui.doctor import Answered, DoctorTarget


@click.command(
    "doctor",
    short_help="Find out which APIs a base URL speaks.",
    epilog=exit_codes("nothing works"),
)
@click.argument("url")
@key_option
@model_option
@click.option("--header", "headers", multiple=True, metavar="'K: V'", help="Additional request header; repeatable.")
@click.option("--ca-file", type=FILE, help="PEM file of the certificate authority to trust.")
@json_option
def command(
    url: str, key: str | None, model: str | None, headers: tuple[str, ...], ca_file: Path | None, as_json: bool
) -> None:
    """Find out what is at a base URL: which product, which models, which APIs and with which fields.

    A maximum of 12 small requests is sent, each for 15 s at most: a few GETs of documents, and one short question for
    each likely API, or a second one where a refusal names what to change. The key goes to this host alone: no redirect
    is followed. What is printed is a configuration with the endpoints that gave a good answer; all else is comments.

    \b
      gwtui doctor http://127.0.0.1:8000
      gwtui doctor https://host/v1 --key env:API_KEY > host.toml
      gwtui watch --config host.toml
    """
    from gwtui.cli.probe import headers_of
    from gwtui.doctor import DoctorTarget
    from gwtui.model.profile import TLS

    tls = TLS(ca_file=str(ca_file.absolute())) if ca_file is not None else None
    exit_with(_doctor(DoctorTarget(url, key, model, headers_of(headers), tls), as_json=as_json))


def _doctor(target: DoctorTarget, *, as_json: bool) -> int:
    """Examine it and print what was found. Returns the exit code."""
    from gwtui.apis import ASKED_APIS
    from gwtui.apis.headers import without_query
    from gwtui.config import endpoint_from
    from gwtui.doctor import DEADLINES, MOST_REQUESTS, diagnose
    from gwtui.doctor.questions import first_endpoint
    from gwtui.report.doctor import doctor_json, doctor_text

    if not target.url.lower().startswith(("http://", "https://")):
        raise Refusal("the URL must begin with http:// or https://")
    with refusing():
        endpoint_from({}, first_endpoint(target, "openai-chat", ()))
    limits = f"{MOST_REQUESTS} small requests, each for {DEADLINES.total_s:g} s at most"
    note(f"asking {without_query(target.url)}: a maximum of {limits}")
    answered: list[Answered] = []
    _, number = carry_out(_examined(target, answered))
    diagnosis = diagnose(target, answered)
    if number is not None:
        diagnosis = replace(diagnosis, stopped="interrupted")
    say(doctor_json(diagnosis) if as_json else doctor_text(diagnosis, styled))
    if number is not None:
        return 128 + number
    return 0 if any(each.ok and each.question.topic in ASKED_APIS for each in answered) else EXIT_DOWN


async def _examined(target: DoctorTarget, answered: list[Answered]) -> None:
    """Ask one question after the other."""
    from gwtui.doctor import DEADLINES, Answered, next_question
    from gwtui.model.enums import Outcome
    from gwtui.model.profile import Profile
    from gwtui.model.records import Request
    from gwtui.probes.prober import probe_once

    profile = Profile(deadlines=DEADLINES)
    while (question := next_question(target, answered)) is not None:
        result, _ = await probe_once(question.endpoint, profile)
        if not isinstance(result, Request) or result.outcome is Outcome.CANCELLED:
            return
        answered.append(Answered(question, result))
