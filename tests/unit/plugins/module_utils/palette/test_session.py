# Copyright (c) 2026, the palette.edge authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The session: what goes over the wire, what is repeated, how failures are told."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from urllib3.util import connection as urllib3_connection

from ansible_collections.palette.edge.plugins.module_utils.palette import _errors as errors
from ansible_collections.palette.edge.plugins.module_utils.palette._session import (
    TENANT,
    Connection,
    Scope,
    Session,
    session_for,
)
from ansible_collections.palette.edge.tests.unit.palette_server import (
    ANY,
    KEY,
    PROJECT,
    Call,
    FakeClock,
    PaletteServer,
    error,
    page,
    palette_server,
)

IN_PROJECT = Scope(PROJECT)
WHOAMI = "/v1/users/info"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def session(palette: PaletteServer, clock: FakeClock) -> Session:
    return session_at(palette.host, clock)


def session_at(host: str, clock: FakeClock, **options: Any) -> Session:
    return Session(Connection(host=host, api_key=KEY, **options), clock=clock, sleep=clock.sleep)


def get(session: Session, path: str = "/v1/edgehosts/a", **more: Any) -> Any:
    return session.request("GET", path, scope=more.pop("scope", IN_PROJECT), what="read Edge host a", **more)


def post(session: Session, **more: Any) -> Any:
    return session.request(
        "POST", "/v1/edgehosts", scope=IN_PROJECT, what="register Edge host a", body={"a": 1}, **more
    )


# -- scope, headers, hosts -----------------------------------------------------------------------------------------


def test_each_request_carries_its_own_scope(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        Call("GET", "/v1/edgehosts/a", {"x": 1}, scope=PROJECT, headers={"ApiKey": KEY, "Accept": "application/json"}),
        Call("GET", "/v1/edgehosts/tokens", {"items": []}, scope=""),
        Call("GET", "/v1/edgehosts/a", scope="other"),
    )
    assert get(session) == {"x": 1}
    assert get(session, "/v1/edgehosts/tokens", scope=TENANT) == {"items": []}
    assert get(session, scope=Scope("other")) is None


def test_parameters_and_body(palette: PaletteServer, session: Session) -> None:
    palette.expect(Call("POST", "/v1/edgehosts", {"uid": "u"}, 201, params={"publish": "true"}, body={"a": 1}))
    assert post(session, params={"publish": "true"}) == {"uid": "u"}


@pytest.mark.parametrize("form", ["{host}", "{host}/", " {host} "])
def test_host_as_url(palette: PaletteServer, clock: FakeClock, form: str) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a"))
    get(session_at(form.format(host=palette.host), clock))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("palette.example.com", "https://palette.example.com"),
        ("palette.example.com:8443/", "https://palette.example.com:8443"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
        ("https://palette.example.com/", "https://palette.example.com"),
    ],
)
def test_bare_host_is_https(host: str, url: str) -> None:
    assert Connection(host=host, api_key=KEY).url == url


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"host": " "}, "host is not set"),
        ({"host": "ftp://x"}, "'ftp://x'"),
        ({"host": "https://"}, "'https://'"),
        ({"host": "https://x?y=1"}, "'https://x?y=1'"),
        ({"host": "https://user:secret@x"}, "must not carry a user"),
        ({"host": "https://[::1"}, "'https://[::1'"),
        ({"host": "palette.example.com:https"}, "'palette.example.com:https'"),
        ({"host": "two words"}, "'two words'"),
        ({"host": "palette..example.com"}, "'palette..example.com'"),
        ({"api_key": ""}, "api_key is not set"),
        ({"api_key": "a b"}, "api_key has characters"),
        ({"api_key": "ключ"}, "api_key has characters"),
        ({"ca_path": "/not/there.pem"}, "'/not/there.pem' does not exist"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": float("inf")}, "timeout"),
        ({"timeout": float("nan")}, "timeout"),
        ({"retry_timeout": -1}, "retry_timeout"),
    ],
)
def test_what_cannot_work_is_refused_before_any_request(options: dict[str, Any], named: str) -> None:
    with pytest.raises(errors.InputError) as caught:
        Session(Connection(**{"host": "palette.example.com", "api_key": KEY, **options}))
    assert named in str(caught.value)
    assert "secret" not in str(caught.value)


def test_one_session_for_a_connection(environment: pytest.MonkeyPatch) -> None:
    one = Connection(host="a", api_key=KEY)
    assert session_for(one) is session_for(Connection(host="a", api_key=KEY))
    assert session_for(one) is not session_for(Connection(host="a", api_key=KEY, tenant_scope=True))


def test_connections_are_pooled(palette: PaletteServer, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = urllib3_connection.create_connection

    def counted(*args: Any, **kwargs: Any) -> socket.socket:
        opened.append(args)
        return connect(*args, **kwargs)

    monkeypatch.setattr(urllib3_connection, "create_connection", counted)
    palette.answer(Call("GET", "/v1/edgehosts/a", {}, times=5))
    for _round in range(5):
        get(session)
    assert len(opened) == 1


# -- retries -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_too_many_requests_is_repeated_for_every_verb(
    palette: PaletteServer, session: Session, clock: FakeClock, method: str
) -> None:
    busy = Call(method, "/v1/x", status=429, reply=error("TooManyRequests"), reply_headers={"Retry-After": "3"})
    palette.expect(busy, Call(method, "/v1/x", {"uid": "u"}))
    assert session.request(method, "/v1/x", scope=TENANT, what="do it") == {"uid": "u"}
    assert clock.slept == [3.0]


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [("86400", 60, 60), ("0", 0.1, 0.1), ("-5", 0.1, 0.1), ("soon", 0.5, 1), (None, 0.5, 1)],
)
def test_retry_after_is_bounded(
    palette: PaletteServer, session: Session, clock: FakeClock, header: str | None, least: float, most: float
) -> None:
    headers = {} if header is None else {"Retry-After": header}
    palette.expect(Call("GET", "/v1/edgehosts/a", b"", 429, reply_headers=headers), Call("GET", "/v1/edgehosts/a"))
    get(session)
    assert len(clock.slept) == 1
    assert least <= clock.slept[0] <= most


def test_retries_end_within_the_retry_timeout(palette: PaletteServer, clock: FakeClock) -> None:
    palette.answer(Call("GET", "/v1/edgehosts/a", error("TooManyRequests"), 429, times=None))
    session = session_at(palette.host, clock, retry_timeout=20)
    start = clock.now
    with pytest.raises(errors.RateLimitError, match="raise retry_timeout"):
        get(session)
    assert clock.now - start <= 20
    assert len(palette.requests) > 3


def test_no_retry_at_all(palette: PaletteServer, clock: FakeClock) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a", b"", 503))
    with pytest.raises(errors.UnavailableError, match="503"):
        get(session_at(palette.host, clock, retry_timeout=0))
    assert clock.slept == []


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_unavailable_is_repeated_where_that_is_safe(
    palette: PaletteServer, session: Session, clock: FakeClock, method: str, status: int
) -> None:
    palette.expect(Call(method, "/v1/x", b"<html>", status), Call(method, "/v1/x", b"", 204))
    assert session.request(method, "/v1/x", scope=TENANT, what="do it") is None
    assert len(clock.slept) == 1


def test_unavailable_after_a_post_is_ambiguous(palette: PaletteServer, session: Session) -> None:
    palette.expect(Call("POST", "/v1/edgehosts", b"", 503, body={"a": 1}))
    with pytest.raises(errors.AmbiguousError, match="may have been carried out"):
        post(session)


def test_a_reading_post_is_repeated(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        Call("POST", "/v1/edgehosts", b"", 503, body={"a": 1}), Call("POST", "/v1/edgehosts", page([]), body={"a": 1})
    )
    assert post(session, reads=True)["items"] == []


@pytest.mark.parametrize("cut", [True, "half"])
def test_a_connection_cut_after_a_post_is_ambiguous_and_not_sent_again(
    palette: PaletteServer, session: Session, cut: bool | str
) -> None:
    palette.expect(Call("POST", "/v1/edgehosts", {"uid": "u"}, 201, body={"a": 1}, cut=cut))
    with pytest.raises(errors.AmbiguousError, match="the answer was lost") as caught:
        post(session)
    assert len(palette.requests) == 1
    assert "object at 0x" not in str(caught.value)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_a_cut_connection_is_tried_again_where_that_is_safe(
    palette: PaletteServer, session: Session, method: str
) -> None:
    palette.expect(Call(method, "/v1/x", cut=True), Call(method, "/v1/x", {"uid": "u"}))
    assert session.request(method, "/v1/x", scope=TENANT, what="do it") == {"uid": "u"}


def test_a_stale_pooled_connection_does_not_repeat_a_post(palette: PaletteServer, session: Session) -> None:
    # urllib3 must not repeat by itself on a connection that the server closed meanwhile.
    palette.expect(Call("GET", "/v1/edgehosts/a", {}), Call("POST", "/v1/edgehosts", body={"a": 1}, cut=True))
    get(session)
    with pytest.raises(errors.AmbiguousError):
        post(session)


def test_a_refused_connection_is_tried_again_even_for_a_post(environment: pytest.MonkeyPatch, clock: FakeClock) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    started: list[PaletteServer] = []

    def start() -> None:
        if not started:
            started.append(PaletteServer(port=port))
            started[0].expect(Call("POST", "/v1/edgehosts", {"uid": "u"}, 201, body={"a": 1}))

    clock.on_sleep = start
    try:
        assert post(session_at(f"http://127.0.0.1:{port}", clock)) == {"uid": "u"}
    finally:
        started[0].close()
    started[0].check()


def test_nobody_there_is_one_line(environment: pytest.MonkeyPatch, clock: FakeClock) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        session = session_at(f"http://127.0.0.1:{reserved.getsockname()[1]}", clock, retry_timeout=2)
        with pytest.raises(errors.UnavailableError) as caught:
            post(session)
    text = str(caught.value)
    assert text.startswith("Could not register Edge host a: http://127.0.0.1:")
    assert "refused" in text
    assert "\n" not in text
    assert "0x" not in text
    assert not isinstance(caught.value, errors.AmbiguousError)


def test_business_errors_are_not_repeated(palette: PaletteServer, session: Session, clock: FakeClock) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a", error("StatusInternalServerError", "no"), 500))
    with pytest.raises(errors.RejectedError, match=r"500 StatusInternalServerError: no \(reference ref-1\)"):
        get(session)
    assert clock.slept == []


# -- errors --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "BadRequest", errors.RejectedError),
        (401, "Unauthorized", errors.AuthenticationError),
        (403, "OperationForbidden", errors.ForbiddenError),
        (409, "Conflict", errors.ConflictError),
        (422, "Unprocessable", errors.RejectedError),
        (423, "Locked", errors.RejectedError),
        (500, "Boom", errors.RejectedError),
    ],
)
def test_one_class_for_each_cause(
    palette: PaletteServer, session: Session, status: int, code: str, kind: type[errors.PaletteError]
) -> None:
    palette.expect(Call("PUT", "/v1/x", error(code, "two\nlines "), status))
    with pytest.raises(errors.PaletteError) as caught:
        session.request("PUT", "/v1/x", scope=TENANT, what="do it")
    assert caught.value.__class__ is kind
    assert f"Could not do it: {palette.host}: {status} {code}: two lines (reference ref-1). " in str(caught.value)
    assert caught.value.facts == {"status": status, "code": code, "ref": "ref-1", "method": "PUT", "path": "/v1/x"}


@pytest.mark.parametrize("body", [b"", b"gateway says no", b"[1]", b'"text"'])
def test_errors_without_palettes_body(palette: PaletteServer, session: Session, body: bytes) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a", body, 403))
    with pytest.raises(errors.ForbiddenError, match="403"):
        get(session)


@pytest.mark.parametrize("status", [404, 500])
def test_a_wrong_key_that_looks_like_a_missing_object(palette: PaletteServer, session: Session, status: int) -> None:
    lost = error("ResourceNotFound", f"API key '{KEY}' is not found", ref=KEY)
    palette.expect(Call("GET", "/v1/edgehosts/a", lost, status), Call("GET", WHOAMI, lost, 404, scope=""))
    with pytest.raises(errors.AuthenticationError, match="check api_key") as caught:
        get(session)
    assert KEY not in str(caught.value) + repr(caught.value.facts)


@pytest.mark.parametrize("status", [404, 500])
def test_a_missing_object_once_the_key_is_good(palette: PaletteServer, session: Session, status: int) -> None:
    gone = Call("GET", "/v1/edgehosts/a", error("ResourceNotFound", "no such host"), status, times=2)
    palette.answer(gone, Call("GET", WHOAMI, {"userUid": "u"}, scope=""))
    for _round in range(2):  # the key is proved once
        with pytest.raises(errors.NotFoundError):
            get(session)


def test_a_missing_object_after_a_good_answer_needs_no_proof(palette: PaletteServer, session: Session) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a", {}), Call("GET", "/v1/edgehosts/a", error("ResourceNotFound"), 404))
    get(session)
    with pytest.raises(errors.NotFoundError):
        get(session)


def test_a_key_without_the_right_to_ask_who_it_is_is_a_key(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        Call("GET", "/v1/edgehosts/a", error("ResourceNotFound"), 404), Call("GET", WHOAMI, error("Forbidden"), 403)
    )
    with pytest.raises(errors.NotFoundError):
        get(session)


@pytest.mark.parametrize("lost", [{"status": 503}, {"status": 429}, {"cut": True}])
def test_nothing_is_said_of_the_key_while_palette_is_away(
    palette: PaletteServer, clock: FakeClock, lost: dict[str, Any]
) -> None:
    palette.answer(
        Call("GET", "/v1/edgehosts/a", error("ResourceNotFound"), 404), Call("GET", WHOAMI, b"", times=None, **lost)
    )
    with pytest.raises((errors.UnavailableError, errors.RateLimitError)):
        get(session_at(palette.host, clock, retry_timeout=5))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("method", ["GET", "PUT", "POST"])
def test_a_redirect_is_refused_and_not_taken_for_success(
    palette: PaletteServer, session: Session, method: str, status: int
) -> None:
    elsewhere = {"Location": f"https://console.example.com/?key={KEY}"}
    palette.expect(Call(method, "/v1/x", b"", status, reply_headers=elsewhere))
    with pytest.raises(errors.UnavailableError, match=r"console\.example\.com") as caught:
        session.request(method, "/v1/x", scope=TENANT, what="do it")
    assert KEY not in str(caught.value)


def test_a_login_page_is_named(palette: PaletteServer, session: Session) -> None:
    html = {"Content-Type": "text/html"}
    palette.expect(Call("GET", "/v1/edgehosts/a", b"<html>Sign in</html>", reply_headers=html))
    with pytest.raises(errors.UnavailableError, match=r"not JSON \(text/html\).*login page"):
        get(session)


def test_the_key_is_hidden_in_every_text(palette: PaletteServer, session: Session) -> None:
    palette.expect(Call("GET", "/v1/edgehosts/a", f"proxy: bad request {KEY}".encode(), 400))
    with pytest.raises(errors.RejectedError, match="<hidden>") as caught:
        get(session)
    assert KEY not in str(caught.value)


# -- pages ---------------------------------------------------------------------------------------------------------


def listed(session: Session) -> list[Any]:
    return list(session.pages("POST", "/v1/dashboard/x/search", scope=IN_PROJECT, what="search", body={"f": 1}))


def search_page(items: list[Any], token: str = "", **params: str) -> Call:
    return Call(
        "POST",
        "/v1/dashboard/x/search",
        page(items, token=token),
        params={"limit": "50", **params},
        body={"f": 1},
        scope=PROJECT,
    )


def test_pages_are_chained_by_their_token(palette: PaletteServer, session: Session) -> None:
    palette.expect(
        search_page([1, 2], "t1"), search_page([3], "t2", **{"continue": "t1"}), search_page([4], **{"continue": "t2"})
    )
    assert listed(session) == [1, 2, 3, 4]


def test_an_empty_page_ends_a_list(palette: PaletteServer, session: Session) -> None:
    palette.expect(search_page([1], "t1"), search_page([], "t2", **{"continue": "t1"}))
    assert listed(session) == [1]


@pytest.mark.parametrize("answer", [None, {}, {"items": None}, {"items": [], "listmeta": None}])
def test_a_list_without_anything(palette: PaletteServer, session: Session, answer: Any) -> None:
    palette.expect(Call("POST", "/v1/dashboard/x/search", answer, params=ANY, body=ANY))
    assert listed(session) == []


def test_a_token_that_comes_back_is_an_error(palette: PaletteServer, session: Session) -> None:
    palette.expect(search_page([1], "t1"), search_page([2], "t1", **{"continue": "t1"}))
    with pytest.raises(errors.UnavailableError, match="repeats a page"):
        listed(session)


def test_pages_survive_a_cut(palette: PaletteServer, session: Session) -> None:
    cut = search_page([1])
    cut.cut = True
    palette.expect(cut, search_page([1]))
    assert listed(session) == [1]


# -- what the machine's own settings must not do -------------------------------------------------------------------


def test_netrc_is_not_sent(
    palette: PaletteServer, session: Session, environment: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password canary-netrc\n")
    netrc.chmod(0o600)
    environment.setenv("NETRC", str(netrc))
    assert requests.utils.get_netrc_auth(palette.host)  # the trap is there
    palette.expect(Call("GET", "/v1/edgehosts/a"))
    get(session)
    assert "authorization" not in palette.requests[0].headers
    assert base64.b64encode(b"me:canary-netrc").decode() not in str(palette.requests[0].headers)


def certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for 127.0.0.1 that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "palette test")])
    now = dt.datetime.now(dt.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(exist_ok=True)
    ours, secret = folder / "ca.pem", folder / "key.pem"
    ours.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()))
    return ours, secret


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """The server's certificate, its key, and the certificate of an authority that has nothing to do with it."""
    folder = tmp_path_factory.mktemp("tls")
    return *certificate(folder / "ours"), certificate(folder / "other")[0]


@pytest.fixture
def tls(environment: pytest.MonkeyPatch, certificates: tuple[Path, Path, Path]) -> Iterator[PaletteServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificates[:2])
    with palette_server(tls=context) as server:
        yield server


def test_an_unknown_authority_is_told_and_not_tried_again(
    tls: PaletteServer, clock: FakeClock, environment: pytest.MonkeyPatch
) -> None:
    with pytest.raises(errors.UnavailableError, match=r"TLS: .*ca_path"):
        get(session_at(tls.host, clock))
    assert clock.slept == []


Setup = Callable[[pytest.MonkeyPatch, tuple[Path, Path, Path]], dict[str, Any]]


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize(
    "setup",
    [
        pytest.param(lambda _env, made: {"ca_path": str(made[0])}, id="ca_path"),
        pytest.param(lambda _env, _made: {"validate_certs": False}, id="validate_certs"),
    ],
)
def test_a_bundle_of_the_environment_does_not_win_over_the_options(
    tls: PaletteServer,
    clock: FakeClock,
    environment: pytest.MonkeyPatch,
    certificates: tuple[Path, Path, Path],
    variable: str,
    setup: Setup,
) -> None:
    environment.setenv(variable, str(certificates[2]))
    tls.expect(Call("GET", "/v1/edgehosts/a", {}))
    get(session_at(tls.host, clock, **setup(environment, certificates)))


def test_an_option_that_names_the_wrong_authority_is_not_rescued_by_the_environment(
    tls: PaletteServer, clock: FakeClock, environment: pytest.MonkeyPatch, certificates: tuple[Path, Path, Path]
) -> None:
    environment.setenv("REQUESTS_CA_BUNDLE", str(certificates[0]))
    with pytest.raises(errors.UnavailableError, match="TLS"):
        get(session_at(tls.host, clock, ca_path=str(certificates[2])))


def test_proxies_are_taken_from_the_environment(palette: PaletteServer, environment: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    environment.setenv("HTTP_PROXY", palette.host)
    palette.expect(Call("GET", "/v1/edgehosts/a", {}))
    get(session_at("http://palette.invalid", clock))
    assert palette.requests[0].headers["host"] == "palette.invalid"


# -- several at a time ---------------------------------------------------------------------------------------------


def test_map_keeps_the_order_and_tells_the_first_error(session: Session) -> None:
    assert session.map(lambda number: number * 2, range(40)) == [number * 2 for number in range(40)]
    assert session.map(str, []) == []

    def odd(number: int) -> int:
        if number % 2:
            raise errors.RejectedError(f"odd {number}")
        return number

    with pytest.raises(errors.RejectedError, match="odd 1"):
        session.map(odd, range(6))
