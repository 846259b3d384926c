"""Anthropic's models on Vertex AI: `POST .../publishers/anthropic/models/MODEL:streamRawPredict`, `:rawPredict` without
streaming. The path names the model, the body only the version of the API. The answer is that of Anthropic Messages.

The base URL has project and location: `https://LOCATION-aiplatform.googleapis.com/v1/projects/PROJECT/locations/LOCATION`.
"""

from __future__ import annotations

from typing import Any

from gwtui.apis.addresses import MODEL
from gwtui.apis.anthropic.messages import AnthropicMessages, conversation
from gwtui.apis.base import API, Ask
from gwtui.apis.default_models import CLAUDE, CLAUDE_DOES_NOT_THINK
from gwtui.apis.requests import json_body, json_headers, key_header, model_asked, unless_named, url_of_model
from gwtui.model.profile import Endpoint

VERSION = "vertex-2023-10-16"
MODELS = f"/publishers/anthropic/models/{MODEL}"


class VertexClaude(AnthropicMessages):
    """Claude on Vertex AI. The key is an access token of Google Cloud, which is sent as a bearer token."""

    name = "vertex-claude"
    title = "Claude on Vertex AI"
    default_path = f"{MODELS}:streamRawPredict"
    whole_path = f"{MODELS}:rawPredict"
    """The path where no stream is asked for."""
    default_model = CLAUDE
    snippet = Endpoint(
        name=name,
        api=name,
        url="https://us-east5-aiplatform.googleapis.com/v1/projects/my-project/locations/us-east5",
        key="cmd:gcloud auth print-access-token",
    )
    snippet_comment = "Project and location are in the URL, twice the location; the path names the model."
    error_form = API.error_form

    def ask(self, endpoint: Endpoint, key: str | None) -> Ask:
        model = model_asked(endpoint, self.default_model)
        own: dict[str, Any] = {
            "anthropic_version": VERSION,
            "max_tokens": endpoint.max_tokens,
            "stream": endpoint.stream,
            "messages": conversation(endpoint),
            **unless_named(endpoint, CLAUDE_DOES_NOT_THINK),
        }
        path = self.default_path if endpoint.stream else self.whole_path
        headers = (*json_headers(endpoint, self.framing), *key_header(endpoint, key, "bearer"))
        return Ask("POST", url_of_model(endpoint, path, model), headers, json_body(endpoint, own))


VERTEX_CLAUDE = VertexClaude()
