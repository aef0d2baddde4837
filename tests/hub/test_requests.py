"""Every request goes one way: not at all when offline, through the proxy, to trusted hosts, with secrets kept."""

from __future__ import annotations

import base64
import json
import socket
import ssl
import threading
from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
import trustme

from hub.conftest import Fetcher
from hub.misbehaving_server import Asked, Misbehaving, Reply, misbehaving, wait_until
from hubstudio.core import addresses, paths, whole_files
from hubstudio.core.cancel import CancelToken
from hubstudio.core.errors import BackboneError, Cancelled
from hubstudio.core.module_cache import ModuleState, look_up
from hubstudio.core.settings import Settings
from hubstudio.hub import exchange, requests
from hubstudio.hub.requests import Address, Patience, get, proxy_for
from hubstudio.hub.sources import address_of, origin_of

KAGGLE = "https://www.kaggle.com/models/google/mobilenet-v1/TensorFlow2/025-224-feature-vector/2"


def led_to(address: str) -> Reply:
    return Reply(status=302, headers=(("Location", address),))


@pytest.mark.parametrize("way", ["setting", "environment"])
def test_offline_no_connection_is_made(
    server: Misbehaving, fetcher: Fetcher, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if way == "setting":
        Settings(offline=True).save()
    else:
        monkeypatch.setenv("HUBSTUDIO_OFFLINE", "1")
    with pytest.raises(BackboneError, match="offline") as caught:
        fetcher(server.handle)
    assert "import" in caught.value.next_step
    assert server.connections == 0


def test_offline_a_mistyped_address_is_answered_with_the_nearest_row(fetcher: Fetcher) -> None:
    Settings(offline=True).save()
    handle = "https://tfhub.dev/google/imagenet/mobilenet_v2_100_225/feature_vector/5"
    with pytest.raises(BackboneError, match="offline") as caught:
        fetcher(handle)
    assert handle in caught.value.what
    assert caught.value.found == "Did you mean 'mobilenet_v2_100_224'?"


def test_a_settings_file_that_cannot_be_read_keeps_all_requests_in_and_the_refusal_says_why(
    server: Misbehaving, fetcher: Fetcher
) -> None:
    whole_files.write_text(paths.settings_file(), "offline = yes\n")
    with pytest.raises(BackboneError, match=r"offline.*settings\.toml.*cannot be read"):
        fetcher(server.handle)
    assert server.connections == 0


def test_going_offline_stops_before_the_next_redirect_and_the_next_try(
    server: Misbehaving, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_word(asked: Asked) -> Reply:
        Settings(offline=True).save()
        return led_to(server.handle)

    with misbehaving(last_word) as first, pytest.raises(BackboneError, match="offline"):
        fetcher(first.handle)
    assert server.connections == 0


def test_a_planted_request_past_the_one_place_would_be_seen(server: Misbehaving) -> None:
    Settings(offline=True).save()
    httpx.get(server.handle, trust_env=False)
    assert server.connections == 1


def test_only_one_file_of_the_room_makes_clients() -> None:
    room = Path(requests.__file__).parent
    making = [path.name for path in room.glob("*.py") if "httpx.Client(" in path.read_text("utf-8")]
    assert making == ["requests.py"]


def test_a_redirect_is_followed_with_the_range(server: Misbehaving, archive: bytes, fetcher: Fetcher) -> None:
    with misbehaving(lambda asked: led_to(f"{server.url}/elsewhere")) as first:
        server.script = [Reply(archive, cut_after=9_000)]
        fetcher(first.handle)
        assert look_up(first.handle).state is ModuleState.READY
    assert [asked.range for asked in server.asked] == ["", "bytes=9000-"]


def test_a_redirect_in_a_circle_is_said(fetcher: Fetcher) -> None:
    with misbehaving(led_to("/again")) as server:
        with pytest.raises(BackboneError, match="leads nowhere"):
            fetcher(server.handle)
        assert server.connections == 10


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_out_of_the_web_is_not_followed(fetcher: Fetcher, target: str) -> None:
    with misbehaving(led_to(target)) as server, pytest.raises(BackboneError, match="leads nowhere"):
        fetcher(server.handle)


@pytest.fixture
def kaggle(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> Generator[Misbehaving]:
    """A server that stands in for Kaggle's interface."""
    with misbehaving(Reply(archive)) as running:
        monkeypatch.setenv("KAGGLE_API_ENDPOINT", running.url)
        yield running


def test_a_kaggle_model_comes_by_kaggles_interface(kaggle: Misbehaving, fetcher: Fetcher) -> None:
    fetcher(KAGGLE)
    assert kaggle.asked[0].path == "/api/v1/models/google/mobilenet-v1/TensorFlow2/025-224-feature-vector/2/download"
    assert "authorization" not in kaggle.asked[0].headers
    assert look_up(KAGGLE).state is ModuleState.READY


@pytest.mark.parametrize("place", ["environment", "file"])
def test_kaggle_gets_the_persons_key(
    kaggle: Misbehaving, fetcher: Fetcher, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "environment":
        monkeypatch.setenv("KAGGLE_USERNAME", "ada")
        monkeypatch.setenv("KAGGLE_KEY", "secret")
    else:
        (tmp_path / "kaggle").mkdir()
        (tmp_path / "kaggle" / "kaggle.json").write_text(json.dumps({"username": "ada", "key": "secret"}))
        monkeypatch.setenv("KAGGLE_CONFIG_DIR", str(tmp_path / "kaggle"))
    fetcher(KAGGLE)
    assert kaggle.asked[0].headers["authorization"] == f"Basic {base64.b64encode(b'ada:secret').decode()}"


def test_the_key_does_not_follow_a_redirect_to_another_host(
    kaggle: Misbehaving, server: Misbehaving, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAGGLE_USERNAME", "ada")
    monkeypatch.setenv("KAGGLE_KEY", "secret")
    kaggle.usual = led_to(f"{server.url}/signed")
    fetcher(KAGGLE)
    assert "authorization" in kaggle.asked[0].headers
    assert "authorization" not in server.asked[0].headers


@pytest.mark.parametrize("status", [401, 403])
def test_a_kaggle_model_that_asks_for_consent_says_how_to_give_it(
    kaggle: Misbehaving, fetcher: Fetcher, status: int
) -> None:
    kaggle.usual = Reply(status=status)
    with pytest.raises(BackboneError, match="access is denied") as caught:
        fetcher(KAGGLE)
    assert "KAGGLE_USERNAME" in caught.value.next_step
    assert "'https://tfhub.dev/google/imagenet/mobilenet_v1_025_224/feature_vector/5' instead" in caught.value.next_step


def test_a_module_of_the_catalogue_that_is_refused_is_offered_from_kaggle(
    server: Misbehaving, fetcher: Fetcher, own_home: Path
) -> None:
    kaggle = "somebody/small/tensorFlow2/feature-vector/1"
    row = f'[[backbone]]\nid = "mine"\nname = "Mine"\nhandle = "{server.handle}"\nkaggle = "{kaggle}"\n'
    (own_home / "backbones.toml").write_text(row)
    server.usual = Reply(status=403)
    with pytest.raises(BackboneError) as caught:
        fetcher(server.handle)
    assert caught.value.next_step == f"Get it as '{kaggle}' instead, or import the module as a .tar.gz or a folder."


def test_an_address_keeps_its_query_and_shows_no_secrets() -> None:
    assert address_of("https://host/m?x=1").url == "https://host/m?x=1&tf-hub-format=compressed"
    assert address_of("https://host/m?flag&a=b%20c").url == "https://host/m?flag&a=b%20c&tf-hub-format=compressed"
    assert origin_of("https://me:word@host:8/m?token=1") == "https://host:8/m"
    assert addresses.kaggle_parts(KAGGLE)


@pytest.mark.parametrize("way", ["setting", "HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_the_proxy_is_used(archive: bytes, fetcher: Fetcher, way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with misbehaving(Reply(archive)) as proxy:
        if way == "setting":
            Settings(proxy=proxy.url).save()
        else:
            monkeypatch.setenv(way, proxy.url.removeprefix("http://"))
        fetcher("http://module.invalid/small/1")
        assert proxy.asked[0].path == "http://module.invalid/small/1?tf-hub-format=compressed"


@pytest.mark.parametrize("way", ["setting", "environment"])
def test_no_proxy_counts_for_both(
    server: Misbehaving, fetcher: Fetcher, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with misbehaving(Reply(status=500)) as proxy:
        if way == "setting":
            Settings(proxy=proxy.url).save()
        else:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("NO_PROXY", "example.org,127.0.0.1")
        fetcher(server.handle)
        assert proxy.connections == 0


def test_the_setting_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://environment:1")
    assert proxy_for(httpx.URL("https://host/")) == "http://environment:1"
    Settings(proxy="chosen:2").save()
    assert proxy_for(httpx.URL("https://host/")) == "http://chosen:2"


@pytest.mark.parametrize(
    ("address", "reply", "what"),
    [
        ("https://module.invalid/small/1", Reply(status=403), "does not let Hub Studio through"),
        ("https://module.invalid/small/1", Reply(status=407), "asks for a name and a password"),
        ("http://module.invalid/small/1", Reply(status=407), "asks for a name and a password"),
    ],
)
def test_a_proxy_that_refuses_is_named_without_its_password(
    fetcher: Fetcher, address: str, reply: Reply, what: str
) -> None:
    with misbehaving(reply) as proxy:
        Settings(proxy=proxy.url.replace("//", "//ada:secret@")).save()
        with pytest.raises(BackboneError, match=what) as caught:
            fetcher(address)
    assert proxy.url in caught.value.what
    assert "secret" not in str(caught.value)


def test_a_proxy_that_is_not_there_is_named(fetcher: Fetcher) -> None:
    Settings(proxy=f"http://127.0.0.1:{_unused_port()}").save()
    with pytest.raises(BackboneError, match=r"The proxy .* does not let"):
        fetcher("http://module.invalid/small/1")


@pytest.mark.parametrize("proxy", ["gopher://host:1", "socks5://host:1", "http://[::1"])
def test_a_proxy_that_cannot_be_is_refused(fetcher: Fetcher, proxy: str) -> None:
    Settings(proxy=proxy).save()
    with pytest.raises(BackboneError, match=r"The proxy .* cannot be used"):
        fetcher("http://module.invalid/small/1")


@pytest.mark.parametrize("scheme", ["gopher", "socks5", "http"])
@pytest.mark.parametrize("word", ["secret", "sec/ret", "sec@ret", "sec:ret", "sec ret"])
def test_a_proxy_that_cannot_be_is_named_without_its_password(fetcher: Fetcher, scheme: str, word: str) -> None:
    Settings(proxy=f"{scheme}://ada:{word}@host:port").save()
    with pytest.raises(BackboneError, match=r"cannot be used") as caught:
        fetcher("http://module.invalid/small/1")
    assert f"'{scheme}://host:port'" in caught.value.what
    assert not [piece for piece in ("ada", "sec", "ret") if piece in f"{caught.value.what} {caught.value.found}"]


def test_a_module_that_is_not_there_and_a_host_that_is_unknown_name_the_nearest_row(fetcher: Fetcher) -> None:
    path = "google/imagenet/mobilenet_v2_100_225/feature_vector/5"
    with misbehaving(Reply(status=404)) as server, pytest.raises(BackboneError, match="There is no module") as caught:
        fetcher(f"{server.url}/{path}")
    assert "Did you mean 'mobilenet_v2_100_224'?" in caught.value.found
    with pytest.raises(BackboneError, match="was not found") as caught:
        fetcher(f"http://tfhb.invalid/{path}")
    assert "Did you mean 'mobilenet_v2_100_224'?" in caught.value.found


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_server_that_is_not_there_says_so(fetcher: Fetcher) -> None:
    with pytest.raises(BackboneError, match=r"127\.0\.0\.1 accepts no connections"):
        fetcher(f"http://127.0.0.1:{_unused_port()}/small/1")


def test_a_name_that_is_not_known_says_so(fetcher: Fetcher) -> None:
    with pytest.raises(BackboneError, match=r"The address of 'module\.invalid' was not found") as caught:
        fetcher("http://module.invalid/small/1")
    assert "connected to the internet" in caught.value.next_step


def test_no_network_says_so(fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError(101, "Network is unreachable")

    monkeypatch.setattr(socket, "create_connection", unreachable)
    with pytest.raises(BackboneError, match="There is no network that leads to host") as caught:
        fetcher("http://host/small/1")
    assert "Connect this computer" in caught.value.next_step


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA, archive: bytes) -> Generator[Misbehaving]:
    """An https server whose certificate no system knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with misbehaving(Reply(archive), context) as running:
        yield running


def test_a_certificate_that_is_not_trusted_says_so(secure: Misbehaving, fetcher: Fetcher) -> None:
    with pytest.raises(BackboneError, match=r"certificate of 127\.0\.0\.1 is not trusted") as caught:
        fetcher(secure.handle)
    assert "clock" in caught.value.next_step
    assert not secure.asked


@pytest.mark.skipif(not hasattr(ssl, "get_default_verify_paths"), reason="the system's store is elsewhere")
def test_a_certificate_of_the_systems_store_is_good(
    secure: Misbehaving, authority: trustme.CA, fetcher: Fetcher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))  # what OpenSSL takes for the system's store
    fetcher(secure.handle)
    assert look_up(secure.handle).state is ModuleState.READY


def test_a_redirect_from_https_to_http_is_not_followed(
    secure: Misbehaving, server: Misbehaving, authority: trustme.CA, fetcher: Fetcher, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    secure.usual = led_to(server.handle)
    with pytest.raises(BackboneError, match="leads nowhere"):
        fetcher(secure.handle)
    assert server.connections == 0


def test_cancel_is_answered_while_a_name_is_looked_up(monkeypatch: pytest.MonkeyPatch, fetcher: Fetcher) -> None:
    looking, go_on, answered = threading.Event(), threading.Event(), threading.Event()

    def slow(*_: object, **__: object) -> None:
        looking.set()
        go_on.wait(20)
        answered.set()
        raise socket.gaierror(socket.EAI_AGAIN, "later")

    monkeypatch.setattr(socket, "create_connection", slow)
    monkeypatch.setattr(exchange, "_JOIN_SECONDS", 0.1)
    threading.Thread(target=lambda: (looking.wait(10), fetcher.cancel.cancel())).start()
    with pytest.raises(Cancelled):
        fetcher("http://host/small/1")
    assert not answered.is_set()
    go_on.set()
    wait_until(lambda: not any(thread.name == "module download" for thread in threading.enumerate()))


def test_an_answer_says_which_proxy_it_came_through(archive: bytes) -> None:
    with misbehaving(replace(Reply(archive), status=404)) as proxy:
        Settings(proxy=proxy.url).save()
        with get(Address("http://module.invalid/x"), Patience(), CancelToken()) as answer:
            assert (answer.status, answer.proxy) == (404, proxy.url)
