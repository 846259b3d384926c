"""What to do about it: one sentence per verdict that is not a good one."""

from __future__ import annotations

from gwtui.model.findings import FORMAT, UNBUFFER
from gwtui.model.verdicts import Verdict

REMEDIES: dict[Verdict, str] = {
    Verdict.COMPLETE: "",
    Verdict.COMPLETE_UNTERMINATED: "Let the proxy or gateway pass on the stream to its last event.",
    Verdict.PONG: "",
    Verdict.TRUNCATED: "Look for the trace id in the gateway's log at the time of the cut; raise proxy read timeouts.",
    Verdict.ERROR_IN_STREAM: "Look up the error type at the provider, and the trace id in the gateway's log.",
    Verdict.EMPTY: "Check the gateway's log for its upstream's answer; let it fail before it answers 200.",
    Verdict.NOT_A_STREAM: "Look for a fallback in the gateway's log; make sure that `stream` reaches the upstream.",
    Verdict.OUT_OF_ORDER: FORMAT,
    Verdict.STALLED: "Check whether the upstream still sends; if it does, a proxy holds the bytes back: " + UNBUFFER,
    Verdict.DNS: "Check the host name in `url`, and the resolver with `getent hosts NAME`.",
    Verdict.REFUSED: "Start the gateway, or correct host and port in `url`; `ss -ltn` there shows what listens.",
    Verdict.UNREACHABLE: "Check the route and the VPN to that host.",
    Verdict.CONNECT_TIMEOUT: "Check firewalls for that port, and whether the gateway still accepts.",
    Verdict.PROXY: "Correct HTTPS_PROXY and the like, add the host to NO_PROXY, or leave `use_proxies` off.",
    Verdict.TLS: "Correct the certificate, or set how it is verified (`tls.ca_file`, `tls.server_name`).",
    Verdict.RESET: "Check the logs of the gateway and of the proxies before it for a crash or a closed connection.",
    Verdict.NO_FIRST_BYTE: "Check whether the gateway waits for its upstream; give it a shorter timeout than yours.",
    Verdict.TIMEOUT: "Find out why the answer is slow; raise `deadlines.total_s` if long answers are expected.",
    Verdict.NOT_HTTP: "Check the port, and `http` against `https` in `url`.",
    Verdict.TOO_LARGE: "Look at the answer with `gwtui probe`: a part of it does not end.",
    Verdict.DECODE_ERROR: "Let the proxy honour `Accept-Encoding: identity`.",
    Verdict.REDIRECT: "Use the target as `url`, if you trust it.",
    Verdict.BAD_REQUEST: "Correct the field named by the gateway: `model`, `max_tokens`, `body`.",
    Verdict.AUTH: "Check `key`, `auth` and `tls.client_cert`: `gwtui probe` shows the gateway's answer.",
    Verdict.NOT_FOUND: "Check `url`, `path` and `model`.",
    Verdict.RATE_LIMITED: "Wait as long as it says, or ask for a higher limit.",
    Verdict.OVERLOADED: "Wait, or route to another provider.",
    Verdict.UNAVAILABLE: "Look at the gateway's breakers and upstreams; wait as long as it says.",
    Verdict.BAD_GATEWAY: "Restart or repair the process behind the proxy.",
    Verdict.GATEWAY_TIMEOUT: "Raise the proxy's timeout, or find out why the upstream is slow.",
    Verdict.SERVER_ERROR: "Look for the trace id in the gateway's log.",
    Verdict.WRONG_STATUS: "Check `expect_status`, `method` and `path`.",
    Verdict.WRONG_BODY: "Look at the answer with `gwtui probe`; check `path` and, for plain HTTP, `expect`.",
    Verdict.NO_PONG: "Check whether a proxy lets WebSocket frames through in both directions.",
    Verdict.WRONG_PONG: "Check `path` and `expect`.",
    Verdict.CLOSED: "Look up the close code; check the gateway's log at that time.",
    Verdict.NO_KEY: "Set the variable or the file that `key` names.",
    Verdict.TLS_FILE: "Correct the setting or the file that the reason names; `gwtui config check` checks them too.",
    Verdict.CANCELLED: "Run the check again.",
    Verdict.LOCAL: "Check this machine: file descriptors, ports, memory.",
}
