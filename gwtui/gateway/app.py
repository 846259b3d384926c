"""The embedded gateway as an ASGI application: which path leads to which room."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from gwtui.gateway.compare_handler import COMPARE_PATH, compare
from gwtui.gateway.completion_handler import complete
from gwtui.gateway.faults import FAULTS
from gwtui.gateway.ping_handlers import HTTP_PATHS, WEBSOCKET_PATHS, ping, websocket
from gwtui.gateway.realtime_handler import REALTIME_PATH, realtime
from gwtui.gateway.replies import REPLIES
from gwtui.gateway.responses import Identified, plain_error, refusal
from gwtui.gateway.scenario import Scenario
from gwtui.gateway.state import FaultError, GatewayState, phrase

AUDIT_LIMIT = 20


def build_app(scenario: Scenario, clock: Callable[[], float], raw_port: int) -> Starlette:
    """The gateway playing a scenario; `clock` tells the seconds since its start, `raw_port` has the bare sockets."""
    state = GatewayState(scenario, clock, raw_port)
    routes = [
        *(Route(path, partial(complete, state, reply), methods=["POST"]) for reply in REPLIES for path in reply.paths),
        Route(COMPARE_PATH, partial(compare, state), methods=["POST"]),
        *(Route(path, partial(ping, state), methods=["POST"]) for path in HTTP_PATHS),
        *(WebSocketRoute(path, partial(websocket, state)) for path in WEBSOCKET_PATHS),
        WebSocketRoute(REALTIME_PATH, partial(realtime, state)),
        Route("/gateway/health", partial(_health, state)),
        Route("/gateway/metrics", partial(_metrics, state)),
        Route("/gateway/audit", partial(_audit, state)),
        Route("/gateway/faults", _faults),
        Route("/-/__version", _version),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Identified)],
        exception_handlers={HTTPException: _unrouted},
    )


async def _health(state: GatewayState, request: Request) -> Response:
    try:
        behaviour = state.behaviour(request, state.next(request.url.path))
    except FaultError as error:
        return plain_error(400, str(error))
    if behaviour.status is not None:
        return await refusal(behaviour, plain_error)
    return JSONResponse(state.upstreams.health(behaviour.provider_down), headers=behaviour.headers)


async def _metrics(state: GatewayState, request: Request) -> Response:
    return JSONResponse(state.audit_log.metrics())


async def _audit(state: GatewayState, request: Request) -> Response:
    limit = request.query_params.get("limit", str(AUDIT_LIMIT))
    if not (limit.isascii() and limit.isdigit() and len(limit) < 7):
        return plain_error(400, "`limit` is a number of entries")
    return JSONResponse(state.audit_log.audit(int(limit)))


async def _faults(request: Request) -> Response:
    """The catalogue: what can be asked for by the model `fault:NAME` or by the header, and on which port."""
    return JSONResponse(
        [
            {
                "name": fault.name,
                "says": fault.says,
                "raw_port": fault.is_raw,
                "api": fault.api,
                "verdict": fault.verdict,
            }
            for fault in FAULTS.values()
        ]
    )


async def _version(request: Request) -> Response:
    try:
        return PlainTextResponse(version("gwtui"))
    except PackageNotFoundError:
        return PlainTextResponse("unknown")


async def _unrouted(request: Request, error: Exception) -> Response:
    """No such path, or not by that method."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = error.headers if isinstance(error, HTTPException) else None
    message = f"{phrase(status)}: {request.method} {request.url.path}"
    return JSONResponse({"error": {"message": message}}, status, headers=headers)
