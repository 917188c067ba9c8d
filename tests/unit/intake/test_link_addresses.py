"""A link is never followed to an address that is not public, in whatever way it is spelt. Nothing is connected to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tenant_pipeline.core.tenancy import TenantId
from tenant_pipeline.intake.link.addresses import DENIED_NETWORKS, is_public
from tenant_pipeline.intake.link.errors import LinkError, NotPublicError
from tenant_pipeline.intake.link.policy import LinkPolicy
from tenant_pipeline.intake.link.unit import LinkUnit, unit_from_link
from tenant_pipeline.storage.object_store import RawZone
from tenant_pipeline.storage.object_store_folder import ObjectStore
from tests.unit.intake.link_network import StubNetwork, answer, surroundings

PUBLIC = "93.184.216.34"
PUBLIC_6 = "2606:2800:220:1:248:1893:25c8:1946"

LOCAL_HOSTS = [
    # IPv4 as it is usually written
    "127.0.0.1", "127.255.255.254", "127.0.0.53", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "172.16.0.1",
    "172.31.255.255", "192.168.0.1", "192.168.255.255", "169.254.169.254", "169.254.170.2", "169.254.0.1", "100.64.0.1",
    "100.127.255.255", "100.100.100.200", "192.0.0.1", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.7", "203.0.113.7", "192.88.99.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "168.63.129.16", "192.31.196.1", "192.52.193.1", "192.175.48.1",
    # decimal, octal, hexadecimal, short and mixed IPv4
    "2130706433", "017700000001", "0x7f000001", "0x7F.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.0.0.01", "127.1",
    "127.0.1", "127.0.0x1", "0", "0x0", "00", "1", "0x7f.1", "127.000.000.001", "0000177.0.0.1", "2852039166",
    "0xa9fea9fe", "0xA9.0xFE.0xA9.0xFE", "0251.0376.0251.0376", "169.254.43518", "169.16689662", "3232235521",
    "0xc0a80001", "192.168.1", "10.1", "167772161", "012.0.0.1", "0xa.0.0.1", "4294967295", "4294967296", "0x1ffffffff",
    "127.0.0.1.", "2130706433.", "0x7f000001.", "127.1.", "256.0.0.1", "1.2.3.4.5", "127.0.0.1.1", "0x", "1.0x",
    # full-width, circled, superscript and other digits and dots
    "１２７.０.０.１", "①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1", "１２７。０。０。１", "②①③⓪⑦⓪⑥④③③",
    "⑯⑨.②⑤④.①⑥⑨.②⑤④", "¹²⁷.⁰.⁰.¹", "₁₂₇.₀.₀.₁", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "𝟣𝟤𝟩.𝟢.𝟢.𝟣", "𝟷𝟸𝟽.𝟶.𝟶.𝟷", "０ｘ７ｆ.1", "٠.٠.٠.٠",
    "१२७.0.0.1",
    "１６９.２５４.１６９.２５４", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "𝓵𝓸𝓬𝓪𝓵𝓱𝓸𝓼𝓽", "ｌocalhost.", "127.0.0.1。",
    "ｍetadata.google.ｉnternal",
    # IPv6 and the IPv4 addresses in it: mapped, compatible, translated, NAT64, 6to4, Teredo, ISATAP
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::ffff:a9fe:a9fe]", "[::ffff:169.254.169.254]",
    "[::FFFF:10.0.0.1]",
    "[::ffff:93.184.216.34]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]", "[::ffff:0:7f00:1]",
    "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]",
    "[2002:a9fe:a9fe::1]", "[2002:c0a8:1::]", "[2001:0:7f00:1::]", "[2001::1]", "[2001:0:53aa:64c:0:fbff:80ff:fffe]",
    "[fe80::1]", "[febf::1]", "[fec0::1]", "[fc00::1]", "[fd00::1]", "[fd00:ec2::254]", "[fdff:ffff::1]", "[ff02::1]",
    "[ff05::1:3]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[100:0:0:1::1]", "[2620:4f:8000::1]",
    "[4000::1]", "[::2]", "[1::1]", "[2607:f8b0::5efe:7f00:1]", "[2607:f8b0::200:5efe:a00:1]",
    # zone ids and broken brackets
    "[fe80::1%eth0]", "[fe80::1%25eth0]", "[::1%25lo]", "[::1%lo]", "[2606:2800:220:1:248:1893:25c8:1946%25eth0]",
    "[::1", "::1]", "[]", "[::1]x", "[127.0.0.1]", "[v1.127.0.0.1]", "[::1].example", "[[::1]]", "::1",
    # names that are answered inside a network only
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "localhost.localdomain", "metadata.google.internal",
    "metadata.google.internal.", "METADATA.GOOGLE.INTERNAL", "instance-data.ec2.internal", "printer.local", "intranet",
    "metadata", "router.lan", "db.corp", "nas.home", "nas.home.arpa", "x.onion", "db.private", "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local", "consul.service.consul", "broadcasthost", "ip6-localhost",
]  # fmt: skip

TRICKS = [
    # credentials, and hosts that another parser might see
    "http://public.example@127.0.0.1/", "http://127.0.0.1@public.example/", "http://user:secret@public.example/",
    "http://@127.0.0.1/", "http://@public.example/", "http://:@public.example/", "http://public.example:80@127.0.0.1/",
    "http://a@b@127.0.0.1/", "http://127.0.0.1#@public.example/",
    "http://127.0.0.1?@public.example/", "http://public.example%40127.0.0.1/", "http://public.example%2540127.0.0.1/",
    "http://127.0.0.1%2f@public.example/", "http://public.example％＠127.0.0.1/", "http://public.example＠127.0.0.1/",
    # backslashes, control and invisible characters, other separators
    "http://public.example\\@127.0.0.1/", "http://127.0.0.1\\@public.example/", "http:\\\\127.0.0.1\\",
    "http:/\\127.0.0.1/", "http://public.example\\.127.0.0.1/", "http://127.0.0.1\t/", "ht\ntp://127.0.0.1/",
    "http://public.example/\r\nHost: 127.0.0.1", "http://public.example/%0d\nX: y",
    "http://public.example/\r\n\r\nGET /",
    "http://public.example\r\n.127.0.0.1/", "http://127.0.0.1\x00.public.example/", "http://public.example/\x00",
    "\thttp://127.0.0.1/", " http://127.0.0.1/", "http:// 127.0.0.1/", "http://127.0.0.1 /",
    "http://127.0.0.1 .example/",
    "http://local\u200bhost/", "http://local\u00adhost/", "http://\u202e1.0.0.721/", "http://127.0.0.1\u2028/",
    "\ufeffhttp://127.0.0.1/", "http://127.0.0.1%00/", "http://127.0.0.1%20/", "http://127%2e0%2e0%2e1/",
    "http://%31%32%37.0.0.1/", "http://loc%61lhost/", "http://public.example;127.0.0.1/",
    "http://public.example,127.0.0.1/",
    "http://public.example&127.0.0.1/", "http://127.0.0.1／@public.example/", "http://127.0.0.1℀public.example/",
    "http://public..example/", "http://.127.0.0.1/", "http://..", "http://.", "http://127.0.0.1../",
    "http://-a.example/",
    "http://a_!.example/", "http://" + "a" * 64 + ".example/", "http://" + "a." * 130 + "example/",
    "http://public.example/" + "a" * 2_000,
    # ports
    "http://public.example:0/", "http://public.example:1/", "http://public.example:22/", "http://public.example:25/",
    "http://public.example:53/", "http://public.example:110/", "http://public.example:389/",
    "http://public.example:445/",
    "http://public.example:2375/", "http://public.example:3306/", "http://public.example:5432/",
    "http://public.example:6379/", "http://public.example:9200/", "http://public.example:11211/",
    "http://public.example:65535/", "http://public.example:65536/", "http://public.example:-80/",
    "http://public.example:80:80/", "http://public.example:８０/", "http://public.example:8o/",
    "http://public.example:+80/",
    "http://public.example: 80/", "http://public.example:0x50/", "http://public.example:000000080/",
    "https://public.example:22/", f"http://{PUBLIC}:6379/", f"http://[{PUBLIC_6}]:22/",
    # other schemes, and what is no address
    "ftp://public.example/a", "file:///etc/passwd", "gopher://public.example:70/_x", "javascript:alert(1)", "data:,x",
    "dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "ws://public.example/", "unix:///var/run/docker.sock", "http://",
    "http:///127.0.0.1/", "http:////127.0.0.1/", "http:127.0.0.1", "http:/127.0.0.1/", "//127.0.0.1/", "/etc/passwd",
    "x",
    "", "http", "http:", "http+unix://127.0.0.1/", "https+http://127.0.0.1/", "ｈｔｔｐ://127.0.0.1/",
    "url:http://127.0.0.1/",
    "jar:http://127.0.0.1!/", "view-source:http://127.0.0.1/", "http:?127.0.0.1", "http://?127.0.0.1",
    "http://#127.0.0.1",
]  # fmt: skip


@pytest.fixture
def raw(tmp_path: Path) -> RawZone:
    return RawZone(ObjectStore(tmp_path / "objects"), TenantId("a-tenant"), b"k" * 32)


class NoRaw:
    """A raw zone that nothing may reach."""

    def put(self, stream: object) -> object:
        raise AssertionError("something was taken in")

    open = put


def _refused(url: str, network: StubNetwork, policy: LinkPolicy | None = None) -> LinkError:
    with pytest.raises(LinkError) as refused:
        unit_from_link(url, NoRaw(), policy or LinkPolicy(), surroundings=surroundings(network))  # type: ignore[arg-type]
    assert refused.value.remedy
    return refused.value


def test_there_are_enough_vectors() -> None:
    assert len(set(LOCAL_HOSTS)) == len(LOCAL_HOSTS)
    assert len(set(TRICKS)) == len(TRICKS)
    assert len(LOCAL_HOSTS) + len(TRICKS) >= 250


@pytest.mark.parametrize("host", LOCAL_HOSTS, ids=ascii)
def test_a_host_that_is_not_public_is_refused_before_anything_is_asked(host: str) -> None:
    network = StubNetwork()
    for scheme in ("http", "HTTPS"):
        _refused(f"{scheme}://{host}/latest/meta-data/", network)
    assert network.connects == []
    assert network.asked == [], "what can be seen in the link is not resolved"


@pytest.mark.parametrize("url", TRICKS, ids=ascii)
def test_a_trick_in_the_address_is_refused_before_anything_is_asked(url: str) -> None:
    network = StubNetwork()
    _refused(url, network)
    assert network.connects == []
    assert network.asked == []


@pytest.mark.parametrize("port", [0, 65_536, 99_999])
def test_a_port_that_there_is_not_is_refused_even_on_this_machine(port: int) -> None:
    network = StubNetwork()
    _refused(f"http://127.0.0.1:{port}/a.csv", network, LinkPolicy(allow_loopback=True))
    assert network.connects == []


@pytest.mark.parametrize(
    "addresses",
    [
        [], ["127.0.0.1"], ["10.0.0.1"], ["169.254.169.254"], ["100.64.0.1"], ["0.0.0.0"], ["255.255.255.255"],
        ["224.0.0.1"], ["::1"], ["::"], ["fe80::1%eth0"], ["fe80::1"], ["fd00:ec2::254"], ["::ffff:10.0.0.1"],
        ["::ffff:93.184.216.34"], ["64:ff9b::a00:1"], ["2002:a00:1::"], ["2001::1"], ["not an address"], [""],
        [PUBLIC, "127.0.0.1"], ["127.0.0.1", PUBLIC], [PUBLIC, PUBLIC_6, "fe80::1"], [PUBLIC, "::ffff:7f00:1"],
        [PUBLIC_6, "10.0.0.1"], [PUBLIC, "168.63.129.16"], ["127.1"], ["2130706433"], ["0x7f000001"], ["0177.0.0.1"],
    ],
)  # fmt: skip
def test_a_name_with_any_address_that_is_not_public_is_refused(addresses: list[str]) -> None:
    network = StubNetwork([addresses])
    assert isinstance(_refused("http://rebinding.example/", network), NotPublicError)
    assert network.connects == []


REDIRECTS = [
    "http://127.0.0.1/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/",
    "//127.0.0.1/",
    "http://2130706433/", "http://0x7f.1/", "http://[::ffff:127.0.0.1]/", "http://localhost/", "//localhost:6379/",
    "http://metadata.google.internal/", "file:///etc/passwd", "ftp://public.example/", "gopher://127.0.0.1:6379/_x",
    "javascript:alert(1)", "data:text/plain,x", "http://user:secret@public.example/", "//@public.example/",
    "http://public.example:22/", "//public.example:6379/", "http:\\\\127.0.0.1/", "/\\127.0.0.1/", "\\\\127.0.0.1\\",
    "http://public.example\\@127.0.0.1/", "///127.0.0.1/", "http:/127.0.0.1/", "http:127.0.0.1", "http://",
    "http://public.example/\tx", "http://%31%32%37.0.0.1/", "HTTP://127.0.0.1/", "//[::1%25lo]/",
]  # fmt: skip


@pytest.mark.parametrize("place", REDIRECTS, ids=ascii)
@pytest.mark.parametrize("at", ["robots", "document"])
def test_a_redirect_is_checked_like_the_link_itself(raw: RawZone, place: str, at: str) -> None:
    redirect = answer(b"", "302 Found", f"Location: {place}")
    network = StubNetwork(answers=[redirect] if at == "robots" else [answer(b"", "404 Not Found"), redirect])
    with pytest.raises(LinkError):
        unit_from_link("http://public.example/a", raw, LinkPolicy(), surroundings=surroundings(network))
    assert network.connects == [(PUBLIC, 80)] * (1 if at == "robots" else 2), "the redirect was not followed"


def test_a_name_that_moves_after_the_first_answer_is_not_followed(raw: RawZone) -> None:
    network = StubNetwork([[PUBLIC], ["127.0.0.1"]], [answer(b"", "404 Not Found")])
    with pytest.raises(NotPublicError):
        unit_from_link("http://rebinding.example/", raw, LinkPolicy(), surroundings=surroundings(network))
    assert network.connects == [(PUBLIC, 80)], "one connection for robots.txt, none to where the name went"


def test_the_next_page_of_a_name_that_moves_is_not_followed(raw: RawZone) -> None:
    page = answer(b"[1]", "200 OK", 'Link: </b>; rel="next"')
    network = StubNetwork([[PUBLIC], [PUBLIC], ["10.0.0.1"]], [answer(b"", "404 Not Found"), page])
    with pytest.raises(NotPublicError):
        unit_from_link("http://rebinding.example/a", raw, LinkPolicy(), surroundings=surroundings(network))
    assert network.connects == [(PUBLIC, 80)] * 2


def test_an_encrypted_link_is_not_redirected_to_an_unencrypted_one(raw: RawZone) -> None:
    network = StubNetwork(
        answers=[answer(b"", "404 Not Found"), answer(b"", "302 Found", "Location: http://b.example/")]
    )
    with pytest.raises(LinkError, match="unencrypted"):
        unit_from_link("https://a.example/", raw, LinkPolicy(), surroundings=surroundings(network))


@pytest.mark.parametrize(
    ("url", "addresses", "connected"),
    [
        ("http://public.example/a.csv", [PUBLIC], (PUBLIC, 80)),
        ("http://PUBLIC.example./a.csv", [PUBLIC], (PUBLIC, 80)),
        ("https://public.example/a.csv", [PUBLIC_6], (PUBLIC_6, 443)),
        ("http://public.example:8080/a.csv", [PUBLIC_6, PUBLIC], (PUBLIC_6, 8080)),
        ("https://public.example:8443/a.csv", [PUBLIC], (PUBLIC, 8443)),
        (f"http://{PUBLIC}/a.csv", [], (PUBLIC, 80)),
        (f"http://[{PUBLIC_6}]/a.csv", [], (PUBLIC_6, 80)),
        ("http://ภูเก็ต.example/a.csv", [PUBLIC], (PUBLIC, 80)),
        ("http://public.example/a b/ภูเก็ต.csv?q=1#part", [PUBLIC], (PUBLIC, 80)),
    ],
)
def test_a_public_address_is_connected_to_as_it_was_checked(
    raw: RawZone, url: str, addresses: list[str], connected: tuple[str, int]
) -> None:
    network = StubNetwork([addresses], [answer(b"", "404 Not Found"), answer(b"a,b\n")])
    found = unit_from_link(url, raw, LinkPolicy(), surroundings=surroundings(network))
    assert isinstance(found, LinkUnit)
    assert [file.size for file in found.unit.files] == [4]
    assert network.connects == [connected] * 2


def test_proxies_of_the_environment_are_not_used(raw: RawZone, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    network = StubNetwork(answers=[answer(b"", "404 Not Found"), answer(b"x")])
    unit_from_link("http://public.example/", raw, LinkPolicy(), surroundings=surroundings(network))
    assert network.connects == [(PUBLIC, 80)] * 2


@pytest.mark.parametrize("address", [PUBLIC, "10.0.0.1", "169.254.169.254", "fd00::1"])
def test_allowing_this_machine_opens_no_other_address_or_port(address: str) -> None:
    network = StubNetwork([[address]])
    host = f"[{address}]" if ":" in address else address
    for url in (f"http://{host}:9999/", "http://name.example:9999/"):
        _refused(url, network, LinkPolicy(allow_loopback=True))
    assert network.connects == []


def _numbers(network: ipaddress.IPv4Network | ipaddress.IPv6Network) -> st.SearchStrategy[int]:
    return st.integers(int(network.network_address), int(network.broadcast_address))


def _full_width(text: str) -> str:
    return text.translate({ord(each): ord(each) + 0xFEE0 for each in "0123456789abcdefx."})


IPV4_SPELLINGS: list[Callable[[ipaddress.IPv4Address], str]] = [
    str,
    lambda ip: f"{ip}.",
    lambda ip: str(int(ip)),
    lambda ip: hex(int(ip)),
    lambda ip: f"0{int(ip):o}",
    lambda ip: ".".join(hex(each) for each in ip.packed),
    lambda ip: ".".join(f"0{each:o}" for each in ip.packed),
    lambda ip: f"{ip.packed[0]}.{int(ip) & 0xFFFFFF}",
    lambda ip: f"{ip.packed[0]}.{ip.packed[1]}.{int(ip) & 0xFFFF}",
    lambda ip: _full_width(str(ip)),
    lambda ip: str(ip).replace(".", "。"),
    lambda ip: f"[::ffff:{ip}]",
    lambda ip: f"[::{ip}]",
    lambda ip: f"[64:ff9b::{ip}]",
    lambda ip: f"[{ipaddress.IPv6Address(0x2002 << 112 | int(ip) << 80)}]",
    lambda ip: f"[{ipaddress.IPv6Address(0x20010000 << 96 | int(ip) << 64 | int(ip) ^ 0xFFFFFFFF)}]",
]
IPV6_SPELLINGS: list[Callable[[ipaddress.IPv6Address], str]] = [
    lambda ip: f"[{ip}]",
    lambda ip: f"[{ip.exploded}]",
    lambda ip: f"[{ip.exploded.upper()}]",
    lambda ip: f"[{ip}%25eth0]",
    lambda ip: f"[{ip}%1]",
]


@given(st.data())
@hypothesis_settings(max_examples=150, deadline=None)
def test_no_address_of_a_denied_network_is_ever_connected_to(data: st.DataObject) -> None:
    chosen = data.draw(st.sampled_from(DENIED_NETWORKS))
    number = data.draw(_numbers(chosen))
    if chosen.version == 4:
        plain = str(ipaddress.IPv4Address(number))
        host = data.draw(st.sampled_from(IPV4_SPELLINGS))(ipaddress.IPv4Address(number))
    else:
        plain = str(ipaddress.IPv6Address(number))
        host = data.draw(st.sampled_from(IPV6_SPELLINGS))(ipaddress.IPv6Address(number))
    scheme = data.draw(st.sampled_from(["http", "https", "HTTP"]))
    port = data.draw(st.sampled_from(["", ":80", ":443", ":8080", ":"]))
    assert not is_public(plain)
    network = StubNetwork([[plain]])
    _refused(f"{scheme}://{host}{port}/", network)
    _refused(f"{scheme}://name.example{port}/", network)
    assert network.connects == []


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://public.example", "//", "http://["]))
@hypothesis_settings(max_examples=200, deadline=None)
def test_whatever_is_written_in_a_link_only_public_web_servers_are_connected_to(text: str, before: str) -> None:
    network = StubNetwork()
    _refused(before + text, network)
    assert all(is_public(address) and port in (80, 443, 8080, 8443) for address, port in network.connects)


def test_public_is_what_no_registry_reserves() -> None:
    assert is_public(PUBLIC)
    assert is_public(PUBLIC_6)
    assert not is_public("192.0.0.8"), "Python's is_global says otherwise"
    assert not is_public("not an address")
